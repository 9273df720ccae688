#include "check/findings.h"
#include "check/search.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Findings of one search, at most: each leaves one way less. */
#define ROUNDS (sizeof((struct question *)NULL)->blocked / sizeof(struct blocked))

/* What is to blame for a way in: a step of it, or a line beside it. */
struct blame {
    enum rule rule;
    const struct line *line; /* NULL: the service */
    const struct line *other;
    int result;
    struct blocked blocked; /* what has to be left out to find the next way */
    bool last;              /* there is no sense in a next one */
};

static uint16_t find_line(const struct stack *stack, enum module module, uint16_t from)
{
    while (from < stack->count && module_of(&stack->lines[from]) != module)
        from++;
    return from;
}

/* The first step at or after `from` that called the module, or the way's count. */
static size_t find_call(const struct stack *stack, const struct way *way, enum module module, size_t from)
{
    while (from < way->count && module_of(&stack->lines[way->steps[from].at]) != module)
        from++;
    return from;
}

/* The step after which a line lies behind the way that was never called. */
static const struct step *find_pass(const struct way *way, uint16_t line)
{
    for (size_t i = 0; i < way->count; i++)
        if (way->steps[i].at < line && (i + 1 == way->count || way->steps[i + 1].at > line))
            return &way->steps[i];
    return &way->steps[way->count - 1];
}

/* The first step after `from` that took a denial back; `from` where there is none. */
static const struct step *find_reset(const struct way *way, const struct step *from)
{
    for (const struct step *step = from; step < way->steps + way->count; step++)
        if (step->before.impression == NEGATIVE && step->after.impression != NEGATIVE)
            return step;
    return from;
}

/* The first step that denied, or NULL. */
static const struct step *find_denial(const struct way *way)
{
    for (size_t i = 0; i < way->count; i++)
        if (way->steps[i].after.impression == NEGATIVE)
            return &way->steps[i];
    return NULL;
}

static struct blame blame_step(enum rule rule, const struct stack *stack, const struct step *step)
{
    return (struct blame){
        .rule = rule, .line = &stack->lines[step->at], .result = step->result, .blocked = {step->at, step->action}};
}

/* What went past a line that should have been called. */
static struct blame blame_pass(const struct stack *stack, const struct step *step, enum rule ended, enum rule jumped)
{
    const struct line *line = &stack->lines[step->at];
    enum rule rule = step->action > 0 ? jumped : ended;

    if (rule == RULE_ENDS_BEFORE_CODE && module_of(line) == MODULE_ROOTOK)
        rule = RULE_ROOTOK;
    else if (rule == RULE_ENDS_BEFORE_CODE && line->included && line->level == 0)
        rule = RULE_INCLUDED_ENDS;
    return blame_step(rule, stack, step);
}

/* Two controls of a companion that are often seen have words of their own. */
static enum rule name_weakness(const struct line *line, enum rule weak)
{
    if (weak == RULE_COMPANION_WEAK && strcasecmp(line->control, "optional") == 0)
        return RULE_COMPANION_OPTIONAL;
    if (weak == RULE_COMPANION_WEAK && strcasecmp(line->control, "sufficient") == 0)
        return RULE_COMPANION_SUFFICIENT;
    return weak;
}

/* A line that refused, and was not heard. */
static struct blame blame_refusal(const struct stack *stack, const struct way *way, const struct step *step,
                                  enum rule weak)
{
    if (step->after.impression == NEGATIVE)
        return blame_step(RULE_RESET, stack, find_reset(way, step));
    return blame_step(step->action == ACTION_RESET ? RULE_RESET : name_weakness(&stack->lines[step->at], weak), stack,
                      step);
}

static struct blame blame_no_code(const struct stack *stack, const struct way *way)
{
    const struct step *pass = find_pass(way, find_line(stack, MODULE_CODE, 0));

    return blame_pass(stack, pass, RULE_ENDS_BEFORE_CODE, RULE_JUMPS_OVER_CODE);
}

/* The code was asked for at `step`, and the companion not called after it. */
static struct blame blame_no_companion(const struct stack *stack, const struct way *way, const struct step *step)
{
    uint16_t after = find_line(stack, MODULE_CONFIRM, step->at);
    uint16_t before = find_line(stack, MODULE_CONFIRM, 0);
    const struct step *pass = find_pass(way, after);
    struct blame blame;

    if (after == stack->count) {
        blame = blame_step(before < step->at ? RULE_COMPANION_FIRST : RULE_NO_COMPANION, stack, step);
        if (before < step->at) {
            blame.other = blame.line;
            blame.line = &stack->lines[before];
        }
        return blame;
    }
    if (pass == step && step->result != PAM_CRED_INSUFFICIENT)
        return blame_refusal(stack, way, step, RULE_CODE_WEAK);
    return blame_pass(stack, pass, RULE_ENDS_BETWEEN, RULE_ENDS_BETWEEN);
}

/* Who let in a login whose code was not confirmed? */
static struct blame blame_way(const struct stack *stack, const struct way *way)
{
    size_t code = way->count;
    size_t confirm;

    for (size_t i = 0; i < way->count; i++)
        if (module_of(&stack->lines[way->steps[i].at]) == MODULE_CODE)
            code = i;
    if (code == way->count)
        return blame_no_code(stack, way);
    confirm = find_call(stack, way, MODULE_CONFIRM, code);
    if (confirm == way->count)
        return blame_no_companion(stack, way, &way->steps[code]);
    return blame_refusal(stack, way, &way->steps[confirm], RULE_COMPANION_WEAK);
}

static struct blame blame_guard(const struct stack *stack, const struct way *way)
{
    uint16_t guard = find_line(stack, MODULE_CODE, 0);
    size_t call = find_call(stack, way, MODULE_CODE, 0);
    struct blame blame;

    if (guard == stack->count)
        return (struct blame){.rule = RULE_NO_GUARD, .line = stack->count == 0 ? NULL : stack->lines, .last = true};
    if (call < way->count) {
        const struct step *denial = find_denial(way);

        if (denial == NULL || find_reset(way, denial) != denial)
            return blame_refusal(stack, way, &way->steps[call], RULE_GUARD_WEAK);
        blame = blame_step(RULE_GUARD_EXPIRED, stack, denial);
        blame.other = &stack->lines[guard];
        return blame;
    }
    blame = blame_pass(stack, find_pass(way, guard), RULE_GUARD_SKIPPED, RULE_GUARD_SKIPPED);
    blame.other = &stack->lines[guard];
    return blame;
}

/* Asks, and takes down whether there was no answer. */
static bool finds(struct check *check, const struct question *question, struct way *way)
{
    enum search_result result = search(question, way);

    check->failed |= result == SEARCH_FAILED;
    return result == SEARCH_FOUND;
}

static struct question ask_about(const struct check *check, enum phase phase, const struct login *starts, size_t count)
{
    return (struct question){
        .stack = &check->service->stacks[phase],
        .phase = phase,
        .policies = check->policies[phase],
        .starts = starts,
        .start_count = count,
        .after_success = check->part && phase == PHASE_AUTH,
    };
}

/* "; the way in: sshd:2 success, sshd:3 auth_err", and how far it leads. */
static void describe_way(struct check *check, const struct stack *stack, const struct way *way, char *out, size_t size)
{
    const struct login login = way->login;
    struct question further = ask_about(check, PHASE_ACCOUNT, &login, 1);
    size_t at = (size_t)snprintf(out, size, "; the way:");
    const char *end = "";

    for (size_t i = 0; i < way->count && at < size; i++) {
        const struct line *line = &stack->lines[way->steps[i].at];
        const char *slash = strrchr(line->file, '/');

        at += (size_t)snprintf(out + at, size - at, "%s %s:%u %s", i == 0 ? "" : ",",
                               slash == NULL ? line->file : slash + 1, line->number, result_name(way->steps[i].result));
    }
    if (!check->part)
        end = finds(check, &further, NULL) ? "; it leads in" : "; only the account lines deny that login";
    if (at < size)
        snprintf(out + at, size - at, "%s", end);
}

static void say_blame(struct check *check, const struct stack *stack, enum phase phase, const struct blame *blame,
                      const struct way *way)
{
    char shown[256] = "";
    char place[256] = "";
    char description[1024] = "";

    if (blame->line != NULL)
        check_show_line(shown, sizeof shown, phase, blame->line);
    if (blame->other != NULL)
        check_show_place(place, sizeof place, blame->other);
    if (phase == PHASE_AUTH)
        describe_way(check, stack, way, description, sizeof description);
    check_say_line(
        check, blame->rule, blame->line,
        &(struct texts){.first = result_name(blame->result), .second = shown, .third = place, .more = description});
}

/* Says who is to blame for one way in after the other, until there is none. */
static void blame_all(struct check *check, struct question *question,
                      struct blame (*blame)(const struct stack *stack, const struct way *way))
{
    struct way way;
    bool last = false;

    while (!last && question->blocked_count < ROUNDS && finds(check, question, &way)) {
        struct blame found = blame(question->stack, &way);

        say_blame(check, question->stack, question->phase, &found, &way);
        question->blocked[question->blocked_count++] = found.blocked;
        last = found.last;
        way_free(&way);
    }
}

static bool is_exempt(const struct login *login)
{
    return login->record == RECORD_EXEMPT || login->record == RECORD_NOT_NEEDED;
}

static bool is_unproved(const struct login *login)
{
    return (login->facts & (FACT_PROVED | FACT_ROOT)) == 0 && !is_exempt(login);
}

static bool is_alone(const struct login *login)
{
    return (login->facts & (FACT_FACTOR | FACT_ROOT)) == 0;
}

static bool is_exempt_alone(const struct login *login)
{
    return login->record == RECORD_EXEMPT && is_alone(login);
}

static bool is_not_needed_alone(const struct login *login)
{
    return login->record == RECORD_NOT_NEEDED && is_alone(login);
}

static bool is_proved_alone(const struct login *login)
{
    return (login->facts & FACT_PROVED) != 0 && is_alone(login);
}

/* What may be missing when a login begins. */
static const struct login worlds[] = {{RECORD_NONE, 0},
                                      {RECORD_NONE, FACT_NO_CODE},
                                      {RECORD_NONE, FACT_NO_CONFIRM},
                                      {RECORD_NONE, FACT_NO_CODE | FACT_NO_CONFIRM}};

/* A part begins after the first factor. */
static const struct login part_worlds[] = {{RECORD_NONE, FACT_FACTOR},
                                           {RECORD_NONE, FACT_FACTOR | FACT_NO_CODE},
                                           {RECORD_NONE, FACT_FACTOR | FACT_NO_CONFIRM},
                                           {RECORD_NONE, FACT_FACTOR | FACT_NO_CODE | FACT_NO_CONFIRM}};

static struct question ask_for_ways_in(const struct check *check, bool (*wanted)(const struct login *login))
{
    struct question question =
        ask_about(check, PHASE_AUTH, check->part ? part_worlds : worlds, sizeof worlds / sizeof *worlds);

    question.wanted = wanted;
    return question;
}

/* Each step of the code has to deny by itself, even where other lines would. */
static void judge_refusals(struct check *check, enum phase phase, enum module module, enum rule weak)
{
    const struct stack *stack = &check->service->stacks[phase];

    for (uint16_t at = find_line(stack, module, 0); at < stack->count;
         at = find_line(stack, module, (uint16_t)(at + 1))) {
        const struct line *line = &stack->lines[at];
        int result = module_weak_refusal(line, phase);
        char shown[256];

        if (result != PAM_SUCCESS)
            check_say_line(check, line->actions[result] == ACTION_RESET ? RULE_RESET : name_weakness(line, weak), line,
                           &(struct texts){.first = result_name(result),
                                           .second = check_show_line(shown, sizeof shown, phase, line),
                                           .more = "; only other lines deny it then"});
    }
}

/* A code is asked for, and there is no companion that could confirm it. */
static void judge_companions(struct check *check)
{
    const struct stack *stack = &check->service->stacks[PHASE_AUTH];
    uint16_t code = find_line(stack, MODULE_CODE, 0);
    uint16_t confirm = find_line(stack, MODULE_CONFIRM, 0);
    char place[256];

    if (code == stack->count || find_line(stack, MODULE_CONFIRM, code) < stack->count)
        return;
    if (confirm == stack->count)
        check_say_line(check, RULE_NO_COMPANION, &stack->lines[code], &(struct texts){.first = NULL});
    else
        check_say_line(check, RULE_COMPANION_FIRST, &stack->lines[confirm],
                       &(struct texts){.third = check_show_place(place, sizeof place, &stack->lines[code])});
}

/* A jump of the companion has to leave a denial behind, for whatever does not jump. */
static void judge_denials(struct check *check)
{
    const struct stack *stack = &check->service->stacks[PHASE_AUTH];

    for (uint16_t at = find_line(stack, MODULE_CONFIRM, 0); at < stack->count;
         at = find_line(stack, MODULE_CONFIRM, (uint16_t)(at + 1))) {
        const struct line *line = &stack->lines[at];
        const struct line *next = (size_t)at + 1 < stack->count ? line + 1 : NULL;
        char shown[256];

        if (line->actions[PAM_SUCCESS] <= 0 || find_line(stack, MODULE_CODE, 0) > at)
            continue;
        if (next == NULL || next->level != line->level || module_of(next) != MODULE_DENY ||
            (next->actions[PAM_AUTH_ERR] != ACTION_BAD && next->actions[PAM_AUTH_ERR] != ACTION_DIE))
            check_say_line(check, RULE_NO_DENY, line,
                           &(struct texts){.second = check_show_line(shown, sizeof shown, PHASE_AUTH, line)});
    }
}

/* The first factor has failed, and the code is asked for all the same. */
static void judge_order(struct check *check)
{
    const struct stack *stack = &check->service->stacks[PHASE_AUTH];
    struct question question = ask_about(check, PHASE_AUTH, worlds, 1);
    struct way way;

    question.denied = MODULE_CODE;
    while (question.blocked_count < ROUNDS && finds(check, &question, &way)) {
        const struct step *step = find_denial(&way);
        enum module module;
        char shown[256];

        module = module_of(&stack->lines[step->at]);
        if (module == MODULE_OTHER || module == MODULE_DENY)
            check_say_line(
                check, RULE_SENT_ANYWAY, &stack->lines[step->at],
                &(struct texts){.first = result_name(step->result),
                                .second = check_show_line(shown, sizeof shown, PHASE_AUTH, &stack->lines[step->at])});
        question.blocked[question.blocked_count++] = (struct blocked){step->at, step->action};
        way_free(&way);
    }
}

void check_ways_in(struct check *check)
{
    const struct stack *stack = &check->service->stacks[PHASE_AUTH];
    const struct {
        bool (*wanted)(const struct login *login);
        enum rule rule;
    } alone[] = {{is_exempt_alone, RULE_EXEMPT_ALONE}, {is_not_needed_alone, RULE_NOT_NEEDED_ALONE}};
    struct question question = ask_for_ways_in(check, is_unproved);

    if (find_line(stack, MODULE_CODE, 0) == stack->count) {
        check_say_line(check, RULE_NO_CODE, NULL, &(struct texts){.first = NULL});
        return;
    }
    blame_all(check, &question, blame_way);
    for (size_t i = 0; i < sizeof alone / sizeof *alone; i++) {
        struct question further = ask_for_ways_in(check, alone[i].wanted);
        struct way way;

        if (!finds(check, &further, &way))
            continue;
        say_blame(check, stack, PHASE_AUTH,
                  &(struct blame){.rule = alone[i].rule, .line = &stack->lines[find_line(stack, MODULE_CODE, 0)]},
                  &way);
        way_free(&way);
    }
    judge_refusals(check, PHASE_AUTH, MODULE_CODE, RULE_CODE_WEAK);
    judge_refusals(check, PHASE_AUTH, MODULE_CONFIRM, RULE_COMPANION_WEAK);
    judge_companions(check);
    judge_denials(check);
    if (check->count[RULE_UNREADABLE] == 0)
        judge_order(check);
}

bool check_code_is_alone(struct check *check)
{
    struct question question = ask_for_ways_in(check, is_proved_alone);

    return finds(check, &question, NULL);
}

void check_say_alone(struct check *check)
{
    const struct stack *stack = &check->service->stacks[PHASE_AUTH];

    if (check_code_is_alone(check))
        check_say_line(check, RULE_CODE_ALONE, &stack->lines[find_line(stack, MODULE_CODE, 0)],
                       &(struct texts){.first = NULL});
}

void check_guard(struct check *check)
{
    static const struct login unconfirmed[] = {{RECORD_ATTEMPTED, FACT_USED}, {RECORD_PENDING, 0}};
    struct question question = ask_about(check, PHASE_ACCOUNT, unconfirmed, sizeof unconfirmed / sizeof *unconfirmed);

    blame_all(check, &question, blame_guard);
    judge_refusals(check, PHASE_ACCOUNT, MODULE_CODE, RULE_GUARD_WEAK);
}

bool check_account_without_record(struct check *check)
{
    struct question question = ask_about(check, PHASE_ACCOUNT, worlds, 1);

    return finds(check, &question, NULL);
}
