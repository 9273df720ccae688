/* The checker's model: what our modules may say is what they do say, and no way through a stack is overlooked. */
#include "unit.h"

#include "check/search.h"
#include "common/errors.h"
#include "module/verdict.h"

#include <security/_pam_types.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STACKS 400

static char folder[] = "/tmp/ways-XXXXXX";
static uint64_t seed = 20240608;

static unsigned int below(unsigned int most)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned int)(seed >> 33) % most;
}

#define ONE_OF(...)                                                                                                    \
    ((const char *const[]){__VA_ARGS__}[below(sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))])

/* The outcomes of a module, beside its verdicts. */

/* A line on which no result stands for another. */
static struct line line_of(const char *module)
{
    struct line line = {.kind = LINE_MODULE, .module = (char *)(uintptr_t)module};

    for (int result = 0; result < _PAM_RETURN_VALUES; result++)
        line.actions[result] = result + 1;
    return line;
}

/* The record of the model, as the module has it. */
static struct facts facts_of(struct login login)
{
    static const enum login_state states[] = {[RECORD_ATTEMPTED] = LOGIN_ATTEMPTED,
                                              [RECORD_PENDING] = LOGIN_PENDING,
                                              [RECORD_CONFIRMED] = LOGIN_CONFIRMED,
                                              [RECORD_EXEMPT] = LOGIN_EXEMPT,
                                              [RECORD_NOT_NEEDED] = LOGIN_NOT_NEEDED};

    return (struct facts){
        .recorded = login.record != RECORD_NONE,
        .state = login.record == RECORD_NONE ? LOGIN_ATTEMPTED : states[login.record],
        .answered = login.record == RECORD_PENDING,
        .signed_in = (login.facts & FACT_SIGNED_IN) != 0,
        .used = (login.facts & FACT_USED) != 0,
        .same_user = true,
    };
}

#define BIT(result) (1ULL << (result))

static unsigned long long results_of(const struct outcome outcomes[], size_t count)
{
    unsigned long long set = 0;

    for (size_t i = 0; i < count; i++)
        set |= BIT(outcomes[i].result);
    return set;
}

/* All that a verdict may be, whatever went wrong and for whom. */
static unsigned long long verdicts_of(struct login login, int (*verdict)(const struct facts *facts, int failure))
{
    unsigned long long set = 0;

    for (unsigned int bits = 0; bits < 4; bits++)
        for (enum error error = ERR_NONE; error < ERR_COUNT; error++) {
            struct facts facts = facts_of(login);

            facts.same_user = bits & 1;
            facts.accepted = bits & 2;
            set |=
                BIT(verdict(&facts, error_pam_code(error, false))) | BIT(verdict(&facts, error_pam_code(error, true)));
        }
    return set;
}

static const struct policy everything = {
    .exempt = true, .not_needed = true, .signs_in = true, .brought = true, .found = true};

static void for_all_logins(void (*check)(struct login login))
{
    for (enum record record = RECORD_NONE; record <= RECORD_NOT_NEEDED; record++)
        for (int facts = 0; facts < 4; facts++)
            if (record != RECORD_NONE || facts == 0)
                check((struct login){(uint8_t)record, (uint8_t)facts});
}

static void check_confirm(struct login login)
{
    const struct line line = line_of("pam_cognito_confirm.so");
    struct outcome outcomes[OUTCOMES_MOST];
    size_t count = module_outcomes(&line, PHASE_AUTH, &everything, false, login, outcomes);

    assert_int_equal(results_of(outcomes, count), verdicts_of(login, verdict_of_confirm));
    for (size_t i = 0; i < count; i++) {
        bool proved = (outcomes[i].login.facts & FACT_PROVED) != 0;

        assert_int_equal(proved, outcomes[i].result == PAM_SUCCESS && login.record == RECORD_PENDING);
        assert_true((outcomes[i].login.facts & FACT_USED) != 0);
        assert_int_not_equal(outcomes[i].login.record, RECORD_NONE);
        assert_true(outcomes[i].result == PAM_SUCCESS || outcomes[i].result == PAM_IGNORE ||
                    outcomes[i].login.record <= RECORD_ATTEMPTED);
    }
}

static void check_guard(struct login login)
{
    const struct line line = line_of("pam_cognito_code.so");

    for (int require = 0; require < 2; require++)
        for (int same_user = 0; same_user < 2; same_user++) {
            const struct policy policy = {.require = require};
            struct outcome outcomes[OUTCOMES_MOST];
            size_t count = module_outcomes(&line, PHASE_ACCOUNT, &policy, false, login, outcomes);
            struct facts facts = facts_of(login);
            int verdict;

            facts.same_user = same_user;
            verdict = verdict_of_guard(&facts, require);
            assert_true((results_of(outcomes, count) & BIT(verdict)) != 0);
            /* PAM_SERVICE_ERR: its options may be wrong. */
            if (same_user)
                assert_int_equal(results_of(outcomes, count) & BIT(PAM_IGNORE),
                                 verdict == PAM_IGNORE ? BIT(PAM_IGNORE) : 0);
            assert_int_equal(
                results_of(outcomes, count) & ~(BIT(PAM_IGNORE) | BIT(PAM_PERM_DENIED) | BIT(PAM_SERVICE_ERR)), 0);
        }
}

/* Whatever the record was: the code step begins a new one. */
static void check_code(struct login login)
{
    const struct line line = line_of("pam_cognito_code.so");
    struct outcome outcomes[OUTCOMES_MOST];
    size_t count = module_outcomes(&line, PHASE_AUTH, &everything, false, login, outcomes);

    for (size_t i = 0; i < count; i++) {
        unsigned long long verdicts = verdicts_of(outcomes[i].login, verdict_of_code);

        assert_true((verdicts & BIT(outcomes[i].result)) != 0);
        assert_int_equal(outcomes[i].login.facts & FACT_USED, 0);
        assert_int_equal(outcomes[i].result == PAM_CRED_INSUFFICIENT, outcomes[i].login.record == RECORD_PENDING);
        assert_int_equal(outcomes[i].result == PAM_IGNORE,
                         outcomes[i].login.record == RECORD_EXEMPT || outcomes[i].login.record == RECORD_NOT_NEEDED);
    }
    assert_int_equal(results_of(outcomes, count),
                     BIT(PAM_CRED_INSUFFICIENT) | BIT(PAM_IGNORE) |
                         verdicts_of((struct login){RECORD_ATTEMPTED, 0}, verdict_of_code));
}

static void modules_say_what_the_model_says(void **state)
{
    (void)state;
    for_all_logins(check_confirm);
    for_all_logins(check_guard);
    for_all_logins(check_code);
}

static void options_say_who_needs_no_code(void **state)
{
    static const struct {
        struct policy policy;
        unsigned int records; /* after PAM_IGNORE */
    } cases[] = {
        {{.signs_in = true}, 0},
        {{.exempt = true}, 1 << RECORD_EXEMPT},
        {{.not_needed = true, .signs_in = true}, 1 << RECORD_NOT_NEEDED},
        {{.not_needed = true, .found = true}, 1 << RECORD_NOT_NEEDED},
        {{.not_needed = true, .exempt = true, .brought = true}, 1 << RECORD_NOT_NEEDED | 1 << RECORD_EXEMPT},
    };
    const struct line line = line_of("pam_cognito_code.so");

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct outcome outcomes[OUTCOMES_MOST];
        size_t count = module_outcomes(&line, PHASE_AUTH, &cases[i].policy, false, (struct login){0, 0}, outcomes);
        unsigned int records = 0;

        for (size_t j = 0; j < count; j++)
            if (outcomes[j].result == PAM_IGNORE)
                records |= 1U << outcomes[j].login.record;
        assert_int_equal(records, cases[i].records);
    }
}

static void only_some_successes_are_factors(void **state)
{
    static const struct {
        const char *module;
        bool rootok;
        int facts; /* after PAM_SUCCESS */
    } cases[] = {
        {"pam_unix.so", false, FACT_FACTOR}, {"pam_unheard_of.so", false, FACT_FACTOR},
        {"pam_permit.so", false, 0},         {"pam_env.so", false, 0},
        {"pam_succeed_if.so", false, 0},     {"pam_rootok.so", false, 0},
        {"pam_rootok.so", true, FACT_ROOT},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct line line = line_of(cases[i].module);
        const struct policy policy = {.rootok = cases[i].rootok};
        struct outcome outcomes[OUTCOMES_MOST];

        module_outcomes(&line, PHASE_AUTH, &policy, false, (struct login){0, 0}, outcomes);
        assert_int_equal(outcomes[0].result, PAM_SUCCESS);
        assert_int_equal(outcomes[0].login.facts, cases[i].facts);
    }
}

#define NEVER_GOOD ((BIT(PAM_INCOMPLETE) - 1) & ~(BIT(PAM_SUCCESS) | BIT(PAM_NEW_AUTHTOK_REQD)))

static void what_is_known_says_nothing_else(void **state)
{
    static const struct {
        const char *module;
        unsigned long long auth, account, credentials;
    } cases[] = {
        {"pam_permit.so", BIT(PAM_SUCCESS) | BIT(PAM_MODULE_UNKNOWN), BIT(PAM_SUCCESS) | BIT(PAM_MODULE_UNKNOWN),
         BIT(PAM_SUCCESS)},
        {"pam_deny.so", BIT(PAM_AUTH_ERR) | BIT(PAM_MODULE_UNKNOWN), BIT(PAM_AUTH_ERR) | BIT(PAM_MODULE_UNKNOWN),
         BIT(PAM_CRED_ERR)},
        {"pam_nologin.so", NEVER_GOOD, NEVER_GOOD, NEVER_GOOD},
        {"pam_unix.so", BIT(PAM_INCOMPLETE) - 1, BIT(PAM_INCOMPLETE) - 1, BIT(PAM_INCOMPLETE) - 1},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct line line = line_of(cases[i].module);
        const struct login nobody = {0, 0};
        struct outcome outcomes[OUTCOMES_MOST];

        assert_int_equal(results_of(outcomes, module_outcomes(&line, PHASE_AUTH, &everything, false, nobody, outcomes)),
                         cases[i].auth);
        assert_int_equal(
            results_of(outcomes, module_outcomes(&line, PHASE_ACCOUNT, &everything, false, nobody, outcomes)),
            cases[i].account);
        assert_int_equal(results_of(outcomes, module_cred_outcomes(&line, outcomes)), cases[i].credentials);
    }
}

/* The search, beside a plain walk through everything. */

static void write_control(FILE *file)
{
    if (below(3) == 0) {
        fputs(ONE_OF("required", "requisite", "sufficient", "optional"), file);
        return;
    }
    fputc('[', file);
    for (unsigned int i = 0; i < 4; i++) {
        fprintf(file,
                "%s=", ONE_OF("success", "ignore", "cred_insufficient", "auth_err", "default", "new_authtok_reqd"));
        if (below(4) == 0)
            fprintf(file, "%u ", 1 + below(2));
        else
            fprintf(file, "%s ", ONE_OF("ignore", "ok", "done", "bad", "die", "reset"));
    }
    fputc(']', file);
}

/* Few lines, of which few may say anything. */
static void write_stack(const char *path, enum phase phase)
{
    FILE *file = fopen(path, "we");
    unsigned int unknown = 0;

    assert_non_null(file);
    for (unsigned int i = 2 + below(5); i > 0; i--) {
        const char *module = ONE_OF("pam_unix.so", "pam_env.so", "pam_permit.so", "pam_deny.so", "pam_cognito_code.so",
                                    "pam_cognito_code.so", "pam_cognito_confirm.so", "pam_cognito_confirm.so");

        if (strcmp(module, "pam_unix.so") == 0 || strcmp(module, "pam_env.so") == 0)
            if (unknown++ > 1)
                module = "pam_permit.so";
        fprintf(file, "%s ", phase_name(phase));
        write_control(file);
        fprintf(file, " %s\n", module);
    }
    fclose(file);
}

/* In the words of the contract: is this a login that must not be let in? */
static bool is_hole(const struct login *login)
{
    bool proved = (login->facts & FACT_PROVED) != 0;
    bool needs_none = login->record == RECORD_EXEMPT || login->record == RECORD_NOT_NEEDED;

    return !(proved || needs_none) || !(login->facts & FACT_FACTOR);
}

/* pam_authenticate() has to say success; after pam_acct_mgmt() an expired password is changed. */
static bool lets_in(const struct walk *walk, enum phase phase)
{
    int verdict = walk_verdict(walk);

    return verdict == PAM_SUCCESS || (phase == PHASE_ACCOUNT && verdict == PAM_NEW_AUTHTOK_REQD);
}

/* Every result that a module may have in that login, and the login after it: none stands for another. */
static size_t say_all(const struct line *line, enum phase phase, struct login login, struct outcome outcomes[])
{
    struct line plain = line_of(line->module);

    return module_outcomes(&plain, phase, &everything, false, login, outcomes);
}

static bool finds_hole(const struct stack *stack, enum phase phase, struct walk walk, struct login login)
{
    struct outcome outcomes[OUTCOMES_MOST];
    size_t count;

    if (walk_is_over(&walk, stack))
        return lets_in(&walk, phase) && is_hole(&login);
    count = say_all(&stack->lines[walk.at], phase, login, outcomes);
    for (size_t i = 0; i < count; i++) {
        struct walk next = walk;

        walk_step(&next, stack, CHAIN_FRESH, outcomes[i].result, NOT_CACHED);
        if (finds_hole(stack, phase, next, outcomes[i].login))
            return true;
    }
    return false;
}

/* The steps that the search shows are ones that libpam would take. */
static void check_way(const struct stack *stack, enum phase phase, const struct way *way)
{
    struct walk walk;

    walk_begin(&walk, stack);
    for (size_t i = 0; i < way->count; i++) {
        assert_int_equal(walk.at, way->steps[i].at);
        assert_int_equal(walk_step(&walk, stack, CHAIN_FRESH, way->steps[i].result, NOT_CACHED), way->steps[i].action);
    }
    assert_true(walk_is_over(&walk, stack));
    assert_true(lets_in(&walk, phase));
    assert_true(is_hole(&way->login));
}

/* True when the stack, which is written anew, has a hole. */
static bool compare(enum phase phase, const struct login *start)
{
    const struct places places = {folder, true};
    struct policy policies[8];
    struct question question = {
        .phase = phase, .policies = policies, .starts = start, .start_count = 1, .wanted = is_hole};
    struct service service;
    struct walk walk;
    struct way way;
    char path[64];
    char why[256];
    bool expected;

    snprintf(path, sizeof path, "%s/service", folder);
    write_stack(path, phase);
    assert_true(service_read(&service, "service", NULL, &places, why, sizeof why));
    question.stack = &service.stacks[phase];
    for (size_t i = 0; i < COUNT(policies); i++)
        policies[i] = everything;
    walk_begin(&walk, question.stack);
    expected = finds_hole(question.stack, phase, walk, *start);
    assert_int_equal(search(&question, &way), expected ? SEARCH_FOUND : SEARCH_NONE);
    if (expected) {
        check_way(question.stack, phase, &way);
        way_free(&way);
    }
    service_free(&service);
    unlink(path);
    return expected;
}

static void no_way_is_overlooked(void **state)
{
    static const struct {
        enum phase phase;
        struct login start;
    } cases[] = {{PHASE_AUTH, {RECORD_NONE, 0}}, {PHASE_ACCOUNT, {RECORD_PENDING, FACT_FACTOR}}};

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        unsigned int holes = 0;

        for (unsigned int j = 0; j < STACKS; j++)
            holes += compare(cases[i].phase, &cases[i].start);
        print_message("%s: %u stacks walked through, of which %u have a hole\n", phase_name(cases[i].phase), STACKS,
                      holes);
        assert_in_range(holes, STACKS / 10, STACKS * 9 / 10);
    }
}

/* As many ways as there are grains of sand, and few states. */
static void a_long_stack_is_searched_through(void **state)
{
    const struct login start = {RECORD_NONE, 0};
    struct line lines[300];
    struct policy policies[COUNT(lines)] = {{.known = true}};
    struct stack stack = {lines, COUNT(lines)};
    const struct question question = {.stack = &stack,
                                      .phase = PHASE_AUTH,
                                      .policies = policies,
                                      .starts = &start,
                                      .start_count = 1,
                                      .wanted = is_hole};

    (void)state;
    for (size_t i = 0; i < COUNT(lines); i++) {
        lines[i] = (struct line){.kind = LINE_MODULE, .module = (char *)"pam_unix.so"};
        for (int result = 0; result < _PAM_RETURN_VALUES; result++)
            lines[i].actions[result] = result == PAM_SUCCESS  ? ACTION_OK
                                       : result == PAM_IGNORE ? ACTION_IGNORE
                                                              : ACTION_BAD;
    }
    assert_int_equal(search(&question, NULL), SEARCH_FOUND);
    lines[COUNT(lines) - 1].module = (char *)"pam_deny.so";
    assert_int_equal(search(&question, NULL), SEARCH_NONE);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(modules_say_what_the_model_says),
        cmocka_unit_test(options_say_who_needs_no_code),
        cmocka_unit_test(only_some_successes_are_factors),
        cmocka_unit_test(what_is_known_says_nothing_else),
        cmocka_unit_test(no_way_is_overlooked),
        cmocka_unit_test(a_long_stack_is_searched_through),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
