#include "check/dispatch.h"

#include <string.h>

/* What a line counts as that libpam cannot call, and a stack that nobody decided. */
#define MUST_FAIL PAM_PERM_DENIED

static bool may_improve(const struct walk *walk)
{
    return walk->now.impression == UNDECIDED || (walk->now.impression == POSITIVE && walk->now.status == PAM_SUCCESS);
}

/* A success, or a result that is taken for one. A credential's PAM_IGNORE does not count. */
static void improve(struct walk *walk, int result, int deciding)
{
    if (may_improve(walk) && (result != PAM_IGNORE || deciding == result))
        walk->now = (struct standing){POSITIVE, (uint8_t)result};
}

static void worsen(struct walk *walk, int result)
{
    if (walk->now.impression != NEGATIVE)
        walk->now = (struct standing){NEGATIVE, (uint8_t)(result == PAM_IGNORE ? MUST_FAIL : result)};
}

/* Goes into the line's level: what is remembered of deeper ones no longer matters. */
static void enter(struct walk *walk, int level)
{
    if (level > walk->level)
        walk->entered[level] = walk->now;
    for (int deeper = level + 1; deeper < LEVELS; deeper++)
        walk->entered[deeper] = (struct standing){0, 0};
    walk->level = (uint8_t)level;
}

/* Where a substack begins nothing is called. */
static void pass_substacks(struct walk *walk, const struct stack *stack)
{
    for (; walk->at < stack->count && stack->lines[walk->at].kind == LINE_SUBSTACK; walk->at++)
        enter(walk, stack->lines[walk->at].level);
}

/* To the last line of this level; what follows it is less deep. */
static void leave_level(struct walk *walk, const struct stack *stack)
{
    while ((size_t)walk->at + 1 < stack->count && stack->lines[walk->at + 1].level >= walk->level)
        walk->at++;
}

/* Jumps over `count` lines, a substack being one. False where there are fewer. */
static bool jump(struct walk *walk, const struct stack *stack, int count)
{
    while ((size_t)walk->at + 1 < stack->count && stack->lines[walk->at + 1].level >= walk->level && count > 0) {
        do
            walk->at++;
        while ((size_t)walk->at + 1 < stack->count && stack->lines[walk->at + 1].level > walk->level);
        count--;
    }
    return count == 0;
}

void walk_begin(struct walk *walk, const struct stack *stack)
{
    memset(walk, 0, sizeof *walk);
    walk->now = (struct standing){UNDECIDED, MUST_FAIL};
    walk->entered[0] = walk->now;
    pass_substacks(walk, stack);
}

void walk_skip(struct walk *walk, const struct stack *stack)
{
    memset(walk, 0, sizeof *walk);
    walk->at = (uint16_t)stack->count;
}

bool walk_is_over(const struct walk *walk, const struct stack *stack)
{
    return walk->at >= stack->count;
}

int walk_step(struct walk *walk, const struct stack *stack, enum chain chain, int result, int cached)
{
    const struct line *line = &stack->lines[walk->at];
    int deciding = chain != CHAIN_FRESH && cached != NOT_CACHED ? cached : result;
    int action = ACTION_BAD;

    if (deciding >= 0 && deciding < _PAM_RETURN_VALUES)
        action = line->actions[deciding];
    else
        result = MUST_FAIL;
    enter(walk, line->level);
    switch (action) {
    case ACTION_IGNORE:
        break;
    case ACTION_RESET:
        walk->now = walk->entered[line->level];
        break;
    case ACTION_OK:
        improve(walk, result, deciding);
        break;
    case ACTION_DONE:
        improve(walk, result, deciding);
        if (walk->now.impression == POSITIVE)
            leave_level(walk, stack);
        break;
    case ACTION_BAD:
        worsen(walk, result);
        break;
    case ACTION_DIE:
        worsen(walk, result);
        leave_level(walk, stack);
        break;
    default:
        if (chain == CHAIN_CACHED)
            improve(walk, result, deciding);
        if (!jump(walk, stack, action))
            walk->now = (struct standing){NEGATIVE, MUST_FAIL};
        break;
    }
    walk->at++;
    pass_substacks(walk, stack);
    return action;
}

int walk_verdict(const struct walk *walk)
{
    return walk->now.status == PAM_SUCCESS && walk->now.impression != POSITIVE ? MUST_FAIL : walk->now.status;
}
