#include "check/search.h"

#include <stdlib.h>
#include <string.h>

/* A stack of a hundred lines has some thousands. */
#define NODES_MOST (1U << 19)

#define NOBODY UINT32_MAX

/* All that decides how a login goes on. No padding: it is compared as bytes. */
struct state {
    struct walk walk, cred;
    struct login login;
};

struct node {
    struct state state;
    uint32_t from; /* the node before it */
    uint16_t at;   /* the line that was called in between, and what it said */
    uint8_t result;
    bool called; /* false: only pam_setcred() went on */
};

/* Breadth first: nodes before `next` have been gone on from. */
struct frontier {
    const struct question *question;
    struct node *nodes;
    uint32_t count, room, next;
    uint32_t *table; /* open addressing; the number of a node plus 1, or 0 */
    uint32_t slots;  /* a power of 2 */
};

_Static_assert(sizeof(struct state) == 2 * sizeof(struct walk) + sizeof(struct login), "no padding");

static uint32_t hash(const struct state *state)
{
    const unsigned char *bytes = (const unsigned char *)state;
    uint32_t sum = 2166136261U;

    for (size_t i = 0; i < sizeof *state; i++)
        sum = (sum ^ bytes[i]) * 16777619U;
    return sum;
}

/* The place of the state in the table: where it is, or where it belongs. */
static uint32_t *slot_of(const struct frontier *frontier, const struct state *state)
{
    uint32_t slot = hash(state) & (frontier->slots - 1);

    while (frontier->table[slot] != 0 &&
           memcmp(&frontier->nodes[frontier->table[slot] - 1].state, state, sizeof *state) != 0)
        slot = (slot + 1) & (frontier->slots - 1);
    return &frontier->table[slot];
}

static bool grow(struct frontier *frontier)
{
    uint32_t room = frontier->room == 0 ? 256 : 2 * frontier->room;
    struct node *nodes = reallocarray(frontier->nodes, room, sizeof *nodes);
    uint32_t *table = calloc(2 * (size_t)room, sizeof *table);

    if (nodes != NULL)
        frontier->nodes = nodes;
    if (nodes == NULL || table == NULL || room > NODES_MOST) {
        free(table);
        return false;
    }
    free(frontier->table);
    frontier->room = room;
    frontier->slots = 2 * room;
    frontier->table = table;
    for (uint32_t i = 0; i < frontier->count; i++)
        *slot_of(frontier, &nodes[i].state) = i + 1;
    return true;
}

/* Adds a node whose state is new. */
static bool reach(struct frontier *frontier, const struct node *node)
{
    uint32_t *slot;

    if (frontier->count == frontier->room && !grow(frontier))
        return false;
    slot = slot_of(frontier, &node->state);
    if (*slot != 0)
        return true;
    frontier->nodes[frontier->count] = *node;
    *slot = ++frontier->count;
    return true;
}

/* Of the statuses that are no way in one is as good as the other. A denial may be one: an expired password is changed,
 * whatever the impression was. */
static void simplify(struct walk *walk)
{
    if (walk->now.status != PAM_SUCCESS && walk->now.status != PAM_NEW_AUTHTOK_REQD)
        walk->now.status = PAM_PERM_DENIED;
}

static bool is_blocked(const struct question *question, uint16_t at, int action)
{
    for (size_t i = 0; i < question->blocked_count; i++)
        if (question->blocked[i].at == at && question->blocked[i].action == action)
            return true;
    return false;
}

/* pam_setcred() calls the line that it stands at, where pam_authenticate() had said `cached`. */
static bool go_on_in_cred(struct frontier *frontier, const struct node *node, int cached)
{
    const struct question *question = frontier->question;
    struct outcome outcomes[OUTCOMES_MOST];
    size_t count = module_cred_outcomes(&question->stack->lines[node->state.cred.at], outcomes);

    for (size_t i = 0; i < count; i++) {
        struct node next = *node;

        walk_step(&next.state.cred, question->stack, question->cred, outcomes[i].result, cached);
        simplify(&next.state.cred);
        if (!reach(frontier, &next))
            return false;
    }
    return true;
}

/* Both walks go through the lines in their order; a line that both come to is called in both at once. */
static bool go_on(struct frontier *frontier, uint32_t number)
{
    const struct question *question = frontier->question;
    struct outcome outcomes[OUTCOMES_MOST];
    struct node node = frontier->nodes[number];
    uint16_t at = node.state.walk.at;
    bool both = node.state.cred.at == at;
    size_t count;

    node.from = number;
    node.called = at <= node.state.cred.at;
    if (!node.called)
        return go_on_in_cred(frontier, &node, NOT_CACHED);
    node.at = at;
    count = module_outcomes(&question->stack->lines[at], question->phase, &question->policies[at], question->good,
                            node.state.login, outcomes);
    for (size_t i = 0; i < count; i++) {
        struct node next = node;
        bool reached;

        if (is_blocked(question, at, question->stack->lines[at].actions[outcomes[i].result]))
            continue;
        next.result = (uint8_t)outcomes[i].result;
        next.state.login = outcomes[i].login;
        walk_step(&next.state.walk, question->stack, CHAIN_FRESH, outcomes[i].result, NOT_CACHED);
        simplify(&next.state.walk);
        reached = both ? go_on_in_cred(frontier, &next, outcomes[i].result) : reach(frontier, &next);
        if (!reached)
            return false;
    }
    return true;
}

static void begin_walk(struct walk *walk, const struct question *question)
{
    walk_begin(walk, question->stack);
    if (question->after_success)
        walk->now = walk->entered[0] = (struct standing){POSITIVE, PAM_SUCCESS};
}

static bool begin(struct frontier *frontier)
{
    const struct question *question = frontier->question;

    for (size_t i = 0; i < question->start_count; i++) {
        struct node node;

        memset(&node, 0, sizeof node);
        node.from = NOBODY;
        node.state.login = question->starts[i];
        if (question->elsewhere)
            walk_skip(&node.state.walk, question->stack);
        else
            begin_walk(&node.state.walk, question);
        if (question->cred == CHAIN_FRESH)
            walk_skip(&node.state.cred, question->stack);
        else
            begin_walk(&node.state.cred, question);
        if (!reach(frontier, &node))
            return false;
    }
    return true;
}

/* After an expired password applications have it changed, and let the user in. */
static bool lets_in(const struct question *question, const struct state *state)
{
    int verdict = walk_verdict(&state->walk);

    if (question->cred != CHAIN_FRESH && walk_verdict(&state->cred) != PAM_SUCCESS)
        return false;
    return question->elsewhere || verdict == PAM_SUCCESS ||
           (question->phase == PHASE_ACCOUNT && verdict == PAM_NEW_AUTHTOK_REQD);
}

static bool is_end(const struct question *question, const struct state *state)
{
    return walk_is_over(&state->walk, question->stack) && walk_is_over(&state->cred, question->stack);
}

/* Whether a line of the module is called though an earlier one has denied. */
static bool comes_denied(const struct question *question, const struct state *state)
{
    return !walk_is_over(&state->walk, question->stack) && state->walk.now.impression == NEGATIVE &&
           module_of(&question->stack->lines[state->walk.at]) == question->denied;
}

static bool is_found(const struct question *question, const struct state *state)
{
    if (question->denied != MODULE_OTHER)
        return comes_denied(question, state);
    if (!is_end(question, state))
        return false;
    return lets_in(question, state) && (question->wanted == NULL || question->wanted(&state->login));
}

/* The steps that lead to a node. */
static bool trace(const struct frontier *frontier, uint32_t number, struct way *way)
{
    const struct question *question = frontier->question;
    const struct node *node = &frontier->nodes[number];
    size_t count = 0;

    way->login = node->state.login;
    for (const struct node *at = node; at->from != NOBODY; at = &frontier->nodes[at->from])
        count += at->called;
    way->count = count;
    way->steps = calloc(count + 1, sizeof *way->steps);
    if (way->steps == NULL)
        return false;
    for (; node->from != NOBODY; node = &frontier->nodes[node->from])
        if (node->called)
            way->steps[--count] = (struct step){
                .at = node->at,
                .result = node->result,
                .action = question->stack->lines[node->at].actions[node->result],
                .before = frontier->nodes[node->from].state.walk.now,
                .after = node->state.walk.now,
                .login = node->state.login,
            };
    return true;
}

enum search_result search(const struct question *question, struct way *way)
{
    struct frontier frontier = {.question = question};
    enum search_result result = SEARCH_FAILED;

    if (!begin(&frontier))
        goto out;
    for (; frontier.next < frontier.count; frontier.next++) {
        const struct state *state = &frontier.nodes[frontier.next].state;

        if (is_found(question, state)) {
            if (way == NULL || trace(&frontier, frontier.next, way))
                result = SEARCH_FOUND;
            goto out;
        }
        if (!is_end(question, state) && !go_on(&frontier, frontier.next))
            goto out;
    }
    result = SEARCH_NONE;
out:
    free(frontier.nodes);
    free(frontier.table);
    return result;
}

void way_free(struct way *way)
{
    free(way->steps);
    *way = (struct way){NULL, 0, {0, 0}};
}
