#include "check/findings.h"
#include "check/search.h"

#include <string.h>

/* A line that denied. */
struct refusal {
    const struct line *line; /* NULL: none did */
    int result, action;
};

static bool is_proved(const struct login *login)
{
    return (login->facts & FACT_PROVED) != 0;
}

static bool is_exempt(const struct login *login)
{
    return login->record == RECORD_EXEMPT;
}

static bool is_not_needed(const struct login *login)
{
    return login->record == RECORD_NOT_NEEDED;
}

static bool is_not_needed_signed_in(const struct login *login)
{
    return is_not_needed(login) && (login->facts & FACT_SIGNED_IN) != 0;
}

static bool is_not_needed_else(const struct login *login)
{
    return is_not_needed(login) && (login->facts & FACT_SIGNED_IN) == 0;
}

static bool is_root(const struct login *login)
{
    return (login->facts & FACT_ROOT) != 0 && login->record == RECORD_NONE;
}

static bool always(const struct policy *policy)
{
    (void)policy;
    return true;
}

static bool may_be_exempt(const struct policy *policy)
{
    return policy->known && policy->exempt;
}

static bool may_need_none_signed_in(const struct policy *policy)
{
    return policy->known && policy->not_needed && policy->signs_in;
}

static bool may_need_none_else(const struct policy *policy)
{
    return policy->known && policy->not_needed && (policy->brought || policy->found);
}

/* Who should get in, and how the login ends then. */
static const struct kind {
    bool (*wanted)(const struct login *login);
    enum module module;                            /* there are such logins where a line of this module */
    bool (*possible)(const struct policy *policy); /* has a policy like this */
    struct login login;
    enum rule rule;
} kinds[] = {
    {is_proved, MODULE_CODE, always, {RECORD_CONFIRMED, FACT_USED | FACT_PROVED | FACT_FACTOR}, RULE_LOCKED_WAY},
    {is_exempt, MODULE_CODE, may_be_exempt, {RECORD_EXEMPT, FACT_USED | FACT_FACTOR}, RULE_LOCKED_EXEMPT},
    {is_not_needed_signed_in,
     MODULE_CODE,
     may_need_none_signed_in,
     {RECORD_NOT_NEEDED, FACT_USED | FACT_FACTOR},
     RULE_LOCKED_NOT_NEEDED},
    {is_not_needed_else,
     MODULE_CODE,
     may_need_none_else,
     {RECORD_NOT_NEEDED, FACT_USED | FACT_FACTOR},
     RULE_LOCKED_NOT_NEEDED},
    {is_root, MODULE_ROOTOK, always, {RECORD_NONE, FACT_ROOT}, RULE_LOCKED_ROOT},
};

static const enum chain credentials[] = {CHAIN_CACHED, CHAIN_CACHED_DEBIAN};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static bool finds(struct check *check, const struct question *question)
{
    enum search_result result = search(question, NULL);

    check->failed |= result == SEARCH_FAILED;
    return result == SEARCH_FOUND;
}

static struct question ask(const struct check *check, enum phase phase, const struct login *start)
{
    return (struct question){
        .stack = &check->service->stacks[phase],
        .phase = phase,
        .policies = check->policies[phase],
        .good = true,
        .starts = start,
        .start_count = 1,
        .after_success = check->part && phase == PHASE_AUTH,
    };
}

static const struct line *first_line(const struct stack *stack, enum module module)
{
    for (size_t i = 0; i < stack->count; i++)
        if (module_of(&stack->lines[i]) == module)
            return &stack->lines[i];
    return NULL;
}

/* The line that denies a login in which everything goes well. */
static struct refusal find_refusal(const struct check *check, const struct question *question)
{
    const struct stack *stack = question->stack;
    struct login login = *question->starts;
    struct walk walk;

    walk_begin(&walk, stack);
    if (question->after_success)
        walk.now = (struct standing){POSITIVE, PAM_SUCCESS};
    while (!walk_is_over(&walk, stack)) {
        const struct line *line = &stack->lines[walk.at];
        const struct policy *policy = &check->policies[question->phase][walk.at];
        struct outcome outcomes[OUTCOMES_MOST];
        int action;

        /* The first outcome is the best one. */
        if (question->elsewhere)
            module_cred_outcomes(line, outcomes);
        else
            module_outcomes(line, question->phase, policy, true, login, outcomes);
        login = outcomes[0].login;
        action = walk_step(&walk, stack, question->cred, outcomes[0].result, NOT_CACHED);
        if (walk.now.impression == NEGATIVE)
            return (struct refusal){line, outcomes[0].result, action};
    }
    return (struct refusal){NULL, 0, 0};
}

static void say(struct check *check, enum rule rule, enum phase phase, const struct refusal *refusal)
{
    char shown[256] = "no line";

    if (refusal->line != NULL)
        check_show_line(shown, sizeof shown, phase, refusal->line);
    check_say_line(check, rule, refusal->line, &(struct texts){.first = result_name(refusal->result), .second = shown});
}

/* Who gets in without a code is all that get in. */
static bool let_in_without(const struct check *check)
{
    return check->count[RULE_ENDS_BEFORE_CODE] + check->count[RULE_INCLUDED_ENDS] + check->count[RULE_JUMPS_OVER_CODE] +
               check->count[RULE_ROOTOK] >
           0;
}

/* Why does no right code get through the auth lines? */
static void blame_auth(struct check *check, const struct question *question)
{
    const struct line *code = first_line(question->stack, MODULE_CODE);
    struct refusal refusal = find_refusal(check, question);
    struct question after = *question;
    enum rule rule = RULE_LOCKED_LINE;

    after.after_success = true;
    if (check->count[RULE_NO_COMPANION] + check->count[RULE_COMPANION_FIRST] > 0 || let_in_without(check))
        return; /* that was said, and is more */
    if (refusal.line == NULL && finds(check, &after))
        rule = RULE_LOCKED_NO_FACTOR;
    else if (code->actions[PAM_CRED_INSUFFICIENT] != ACTION_IGNORE && (refusal.line == NULL || refusal.line == code))
        rule = RULE_LOCKED_CODE;
    else if (refusal.line == NULL)
        rule = RULE_LOCKED_WAY;
    else if (refusal.action > 0)
        rule = RULE_LOCKED_JUMP;
    else if (refusal.line->kind != LINE_MODULE)
        return; /* it is a line that cannot be read */
    if (refusal.line == NULL)
        refusal.line = code;
    say(check, rule, PHASE_AUTH, &refusal);
}

/* Whether credentials can be set in a process that has not authenticated, by either libpam. */
static void judge_credentials_elsewhere(struct check *check, const struct login *start, bool passes)
{
    struct question question = ask(check, PHASE_AUTH, start);

    question.elsewhere = true;
    for (size_t i = 0; i < COUNT(credentials); i++) {
        struct refusal refusal;
        bool is_code;

        question.cred = credentials[i];
        if (finds(check, &question))
            continue;
        refusal = find_refusal(check, &question);
        is_code = refusal.line != NULL && module_of(refusal.line) == MODULE_CODE;
        /* Of other lines it was said already why they deny. */
        if (is_code || passes)
            say(check, is_code ? RULE_LOCKED_SUCCESS_OK : RULE_LOCKED_CREDENTIALS, PHASE_AUTH, &refusal);
        return;
    }
}

/* Whether there is a way through auth, and then through setting credentials in the same process. */
static bool passes_auth(struct check *check, const struct kind *kind, const struct login *start)
{
    struct question question = ask(check, PHASE_AUTH, start);
    bool passes = true;

    question.wanted = kind->wanted;
    for (size_t i = 0; passes && i < COUNT(credentials); i++) {
        question.cred = credentials[i];
        passes = finds(check, &question);
    }
    if (passes)
        return true;
    question.cred = CHAIN_FRESH;
    if (kind->rule != RULE_LOCKED_WAY)
        say(check, kind->rule, PHASE_AUTH, &(struct refusal){first_line(question.stack, kind->module), 0, 0});
    else if (finds(check, &question))
        say(check, RULE_LOCKED_CREDENTIALS, PHASE_AUTH, &(struct refusal){NULL, 0, 0});
    else
        blame_auth(check, &question);
    return false;
}

static void judge_account(struct check *check, const struct kind *kind)
{
    struct question question = ask(check, PHASE_ACCOUNT, &kind->login);
    struct refusal refusal;

    if (check->part || finds(check, &question))
        return;
    refusal = find_refusal(check, &question);
    if (kind->rule != RULE_LOCKED_WAY)
        say(check, kind->rule, PHASE_ACCOUNT, &refusal);
    else if (refusal.line == NULL || refusal.line->kind == LINE_MODULE)
        say(check, RULE_LOCKED_ACCOUNT, PHASE_ACCOUNT, &refusal);
}

static bool is_possible(const struct check *check, const struct kind *kind)
{
    const struct stack *stack = &check->service->stacks[PHASE_AUTH];

    for (size_t i = 0; i < stack->count; i++)
        if (module_of(&stack->lines[i]) == kind->module && kind->possible(&check->policies[PHASE_AUTH][i]))
            return kind->module != MODULE_ROOTOK || check->policies[PHASE_AUTH][i].rootok;
    return false;
}

void check_ways_for_all(struct check *check)
{
    const struct login start = {RECORD_NONE, check->part ? FACT_FACTOR : 0};

    for (size_t i = 0; i < COUNT(kinds); i++) {
        bool possible = is_possible(check, &kinds[i]);
        bool passes = possible && passes_auth(check, &kinds[i], &start);

        if (passes)
            judge_account(check, &kinds[i]);
        if (possible && kinds[i].rule == RULE_LOCKED_WAY)
            judge_credentials_elsewhere(check, &start, passes);
    }
}
