/* The simulation of a fleet: it loses nobody, serves no more than the quotas, and says the same for the same seed. */
#include "unit.h"

#include "fleet.h"

#include <string.h>

static const int64_t unlimited[CATEGORY_COUNT];

static struct scenario scenario_of(uint32_t people, enum arrival arrival, const int64_t rates[CATEGORY_COUNT])
{
    struct scenario scenario = {
        .people = people,
        .seconds = 600,
        .arrival = arrival,
        .flow = flows,
        .percent_with_code = 100,
        .policy = policy_of_helper,
        .round_trip = 50,
        .request_timeout = 10000,
        .again = 60,
        .seed = 7,
    };

    memcpy(scenario.rates, rates, sizeof scenario.rates);
    return scenario;
}

static uint64_t throttled(const struct outcome *outcome)
{
    uint64_t sum = 0;

    for (int i = 0; i < CATEGORY_COUNT; i++)
        sum += (uint64_t)outcome->account.quotas[i].throttled;
    return sum;
}

static void assert_nobody_is_missing(const struct scenario *scenario, const struct outcome *outcome)
{
    assert_int_equal(outcome->in + outcome->busy_before_code + outcome->busy_at_code, outcome->logins);
    assert_int_equal(outcome->in_at_first + outcome->in_later + outcome->lost, scenario->people);
    assert_int_equal(outcome->in_at_first + outcome->in_later, outcome->in);
    assert_int_equal(outcome->delay.count, outcome->in);
    assert_int_equal(outcome->to_verdict.count, outcome->in);
    assert_int_equal(outcome->to_prompt.count, outcome->codes);
    assert_in_range(outcome->logins, scenario->people, (uint64_t)scenario->people * LOGINS_MAX);
    /* Whoever is in, with a code, was sent one and confirmed one. */
    if (scenario->percent_with_code == 100) {
        assert_int_equal(outcome->account.quotas[USER_UPDATE].served, outcome->in);
        assert_int_equal(outcome->account.quotas[USER_RESOURCE_READ].served, outcome->codes);
    }
}

/* From far below the quotas to far above them, in every flow. */
static void every_login_has_one_outcome(void **state)
{
    static const uint32_t people[] = {1, 500, 20000};

    (void)state;
    for (size_t i = 0; i < COUNT(people); i++)
        for (const struct flow *flow = flows; flow->name != NULL; flow++)
            for (int arrival = ARRIVAL_UNIFORM; arrival <= ARRIVAL_RUSH; arrival++)
                for (int percent = 0; percent <= 100; percent += 50) {
                    struct scenario scenario = scenario_of(people[i], (enum arrival)arrival, account_defaults);
                    struct outcome outcome;

                    scenario.flow = flow;
                    scenario.percent_with_code = percent;
                    assert_true(fleet_run(&scenario, &outcome));
                    assert_nobody_is_missing(&scenario, &outcome);
                    fleet_free(&outcome);
                }
}

/* Where nearly nothing is served, nearly all give up, after as many logins as there are codes an hour. */
static void nobody_tries_for_ever(void **state)
{
    const int64_t rates[CATEGORY_COUNT] = {1, 1, 1, 1, 1};
    struct scenario scenario = scenario_of(5000, ARRIVAL_RUSH, rates);
    struct outcome outcome;

    (void)state;
    assert_true(fleet_run(&scenario, &outcome));
    assert_nobody_is_missing(&scenario, &outcome);
    assert_in_range(outcome.lost, 4500, 4999);
    assert_in_range(outcome.logins, 5 * outcome.lost + outcome.in, 5 * 5000);
    fleet_free(&outcome);
}

static void without_quotas_nobody_is_throttled(void **state)
{
    struct scenario scenario = scenario_of(20000, ARRIVAL_RUSH, unlimited);
    struct outcome outcome;

    (void)state;
    assert_true(fleet_run(&scenario, &outcome));
    assert_int_equal(throttled(&outcome), 0);
    assert_int_equal(outcome.in_at_first, scenario.people);
    assert_int_equal(outcome.logins, scenario.people);
    /* Three calls: as many round trips, and the service's time. */
    assert_in_range(waits_percentile(&outcome.to_prompt, 0), 3 * 60, 3 * 60 + 100);
    assert_in_range(waits_percentile(&outcome.to_prompt, 100), 3 * 60, 3 * 550);
    fleet_free(&outcome);
}

/* Calls as fast as they can come, and gaps of all lengths: in each second no more than the quota, counted here once
 * more; with a bucket no more than it and what was saved up, over any time. */
static void no_more_is_served_than_the_quota(void **state)
{
    static int64_t served[200000];

    (void)state;
    for (int kind = QUOTA_WINDOW; kind <= QUOTA_BUCKET; kind++) {
        struct quota quota = quota_begin((enum quota_kind)kind, 25);
        struct chance chance = chance_begin(3);
        size_t count = 0;

        for (int64_t now = 0; now < 400 * SECOND;) {
            now += chance_between(&chance, 0, 100) == 0 ? chance_between(&chance, 0, 3 * SECOND) : 10 * MS;
            if (quota_take(&quota, now))
                served[count++] = now;
        }
        assert_in_range(count, 400 * 25 / 2, 400 * 25 + 25);
        for (size_t i = 25; i < count; i++)
            if (kind == QUOTA_WINDOW)
                assert_true(served[i] / SECOND > served[i - 25] / SECOND);
        /* Of 51 calls 25 can have been saved up, and the others came in one by one. */
        for (size_t i = 50; i < count; i++)
            if (kind == QUOTA_BUCKET)
                assert_true(served[i] - served[i - 50] >= 26 * SECOND / 25);
        assert_int_equal(quota.served, count);
    }
}

static void a_fleet_keeps_to_the_quotas(void **state)
{
    (void)state;
    for (int kind = QUOTA_WINDOW; kind <= QUOTA_BUCKET; kind++) {
        struct scenario scenario = scenario_of(20000, ARRIVAL_RUSH, account_defaults);
        struct outcome outcome;

        scenario.quota_kind = (enum quota_kind)kind;
        assert_true(fleet_run(&scenario, &outcome));
        assert_true(throttled(&outcome) > scenario.people);
        for (int i = 0; i < CATEGORY_COUNT; i++)
            assert_in_range(outcome.account.quotas[i].busiest, 0, (kind + 1) * account_defaults[i]);
        /* What is scarce is used to the full. */
        assert_in_range(outcome.account.quotas[USER_RESOURCE_READ].busiest, 50, (kind + 1) * 50);
        fleet_free(&outcome);
    }
}

/* Three challenges are answered for each sign-in that the quota allows; those beyond count as sign-ins. */
static void challenges_have_three_times_the_quota(void **state)
{
    const int64_t rates[CATEGORY_COUNT] = {[USER_AUTHENTICATION] = 10, [CHALLENGE_RESPONSES] = 30};
    struct account account = account_begin(QUOTA_WINDOW, rates);
    int served = 0;

    (void)state;
    for (int i = 0; i < 100; i++)
        served += account_call(&account, RESPOND_TO_AUTH_CHALLENGE, i);
    assert_int_equal(served, 40);
    assert_false(account_call(&account, INITIATE_AUTH, 100));
    assert_true(account_call(&account, INITIATE_AUTH, SECOND));
}

static void assert_same(const struct waits *a, const struct waits *b)
{
    assert_int_equal(a->count, b->count);
    assert_memory_equal(a->values, b->values, a->count * sizeof *a->values);
}

static void the_seed_decides(void **state)
{
    struct scenario scenario = scenario_of(3000, ARRIVAL_RUSH, account_defaults);
    struct outcome one, same, other;

    (void)state;
    assert_true(fleet_run(&scenario, &one));
    assert_true(fleet_run(&scenario, &same));
    scenario.seed++;
    assert_true(fleet_run(&scenario, &other));
    assert_same(&one.to_prompt, &same.to_prompt);
    assert_same(&one.to_verdict, &same.to_verdict);
    assert_same(&one.delay, &same.delay);
    assert_memory_equal(&one.account, &same.account, sizeof one.account);
    assert_memory_not_equal(one.delay.values, other.delay.values, 1000 * sizeof *one.delay.values);
    fleet_free(&one);
    fleet_free(&same);
    fleet_free(&other);
}

/* A call is made again as the policy says, and the helper's own is the one in its sources. */
static void policies_pause_as_they_say(void **state)
{
    static const struct {
        struct policy policy;
        unsigned int try;
        int64_t last, least, most;
    } rows[] = {
        {{JITTER_NONE, 250, 2, 2}, 0, 0, 250, 250},
        {{JITTER_NONE, 250, 2, 2}, 1, 250, 500, 500},
        {{JITTER_HALF, 250, 2, 2}, 1, 250, 250, 750},
        {{JITTER_HALF, 1000, 4, 2}, 1, 1000, 2000, 6000},
        {{JITTER_FULL, 500, 2, 2}, 1, 100, 0, 2000},
        {{JITTER_DECORRELATED, 250, 1, 2}, 0, 0, 250, 750},
        {{JITTER_DECORRELATED, 250, 1, 2}, 1, 700, 250, 2100},
        {{JITTER_OF_HELPER, 0, 0, 2}, 0, 0, 500, 1500},
        {{JITTER_OF_HELPER, 0, 0, 2}, 1, 0, 2000, 6000},
    };
    struct chance chance = chance_begin(1);

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t least = INT64_MAX, most = 0;

        for (int j = 0; j < 20000; j++) {
            int64_t pause = policy_pause(&rows[i].policy, rows[i].try, rows[i].last, &chance);

            least = pause < least ? pause : least;
            most = pause > most ? pause : most;
        }
        assert_in_range(least, rows[i].least, rows[i].least + (rows[i].most - rows[i].least) / 100);
        assert_in_range(most, rows[i].most - (rows[i].most - rows[i].least) / 100, rows[i].most);
    }
    assert_int_equal(policy_of_helper.tries, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_login_has_one_outcome),
        cmocka_unit_test(nobody_tries_for_ever),
        cmocka_unit_test(without_quotas_nobody_is_throttled),
        cmocka_unit_test(no_more_is_served_than_the_quota),
        cmocka_unit_test(a_fleet_keeps_to_the_quotas),
        cmocka_unit_test(challenges_have_three_times_the_quota),
        cmocka_unit_test(the_seed_decides),
        cmocka_unit_test(policies_pause_as_they_say),
    };

    return cmocka_run_group_tests_name("fleet", tests, NULL, NULL);
}
