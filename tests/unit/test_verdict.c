/* The verdicts, for every combination of facts and of failure codes: contract.md. */
#include "unit.h"

#include "module/verdict.h"

#include <security/_pam_types.h>

static const enum login_state states[] = {LOGIN_ATTEMPTED, LOGIN_PENDING, LOGIN_CONFIRMED, LOGIN_EXEMPT,
                                          LOGIN_NOT_NEEDED};

/* Calls `check` for every combination. */
static void for_all(void (*check)(const struct facts *facts, int failure))
{
    for (unsigned int bits = 0; bits < 64; bits++)
        for (size_t i = 0; i < COUNT(states); i++)
            for (int failure = 0; failure < _PAM_RETURN_VALUES; failure++) {
                const struct facts facts = {
                    .recorded = bits & 1,
                    .state = states[i],
                    .answered = bits & 2,
                    .signed_in = bits & 4,
                    .used = bits & 8,
                    .same_user = bits & 16,
                    .accepted = bits & 32,
                };

                check(&facts, failure);
            }
}

static bool is_good(const struct facts *facts)
{
    return facts->recorded && facts->same_user && !facts->used;
}

static bool needs_no_code(const struct facts *facts)
{
    return facts->state == LOGIN_EXEMPT || facts->state == LOGIN_NOT_NEEDED;
}

static void check_code(const struct facts *facts, int failure)
{
    int verdict = verdict_of_code(facts, failure);

    assert_int_not_equal(verdict, PAM_SUCCESS);
    assert_int_equal(verdict == PAM_CRED_INSUFFICIENT,
                     is_good(facts) && facts->state == LOGIN_PENDING && facts->answered);
    assert_int_equal(verdict == PAM_IGNORE, is_good(facts) && needs_no_code(facts));
}

static void check_confirm(const struct facts *facts, int failure)
{
    int verdict = verdict_of_confirm(facts, failure);
    bool proved =
        (facts->state == LOGIN_PENDING && facts->accepted) || (facts->state == LOGIN_NOT_NEEDED && facts->signed_in);

    assert_int_equal(verdict == PAM_SUCCESS, is_good(facts) && proved);
    assert_int_equal(verdict == PAM_IGNORE, is_good(facts) && !proved && needs_no_code(facts));
    assert_int_not_equal(verdict, PAM_CRED_INSUFFICIENT);
}

static void check_guard(const struct facts *facts, int failure)
{
    bool passed = facts->same_user && (facts->state == LOGIN_CONFIRMED || needs_no_code(facts));

    (void)failure;
    assert_int_equal(verdict_of_guard(facts, false), !facts->recorded || passed ? PAM_IGNORE : PAM_PERM_DENIED);
    assert_int_equal(verdict_of_guard(facts, true), facts->recorded && passed ? PAM_IGNORE : PAM_PERM_DENIED);
}

static void the_code_module_never_says_success(void **state)
{
    (void)state;
    for_all(check_code);
}

static void the_companion_says_success_in_two_cases(void **state)
{
    (void)state;
    for_all(check_confirm);
}

static void the_guard_passes_what_was_proved(void **state)
{
    (void)state;
    for_all(check_guard);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_code_module_never_says_success),
        cmocka_unit_test(the_companion_says_success_in_two_cases),
        cmocka_unit_test(the_guard_passes_what_was_proved),
    };

    return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
