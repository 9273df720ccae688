/* How long a throttled call waits: wire.md, "Errors": with jitter, twice at most, within the deadline. */
#include "unit.h"

#include "helper/back_off.h"

/* Bounds that the documents give: docs/fleet.md. */
static const struct {
    int least, most;
} bounds[] = {
    {500, 1500},
    {2000, 6000},
};

static void twice_at_most(void **state)
{
    (void)state;
    assert_int_equal(BACK_OFF_TRIES, 2);
    assert_int_equal(BACK_OFF_TRIES, COUNT(bounds));
}

static void pauses_are_within_bounds(void **state)
{
    (void)state;
    for (unsigned int try = 0; try < BACK_OFF_TRIES; try++)
        for (unsigned int random = 0; random <= UINT16_MAX; random++)
            assert_in_range(back_off_pause(try, (uint16_t)random), bounds[try].least, bounds[try].most);
}

/* Hosts that were refused at the same moment come back evenly over the whole span: no tenth of it has more than its
 * share of the random numbers, but for rounding. */
static void pauses_are_spread_evenly(void **state)
{
    (void)state;
    for (unsigned int try = 0; try < BACK_OFF_TRIES; try++) {
        int span = bounds[try].most - bounds[try].least;
        int tenths[10] = {0};

        for (unsigned int random = 0; random <= UINT16_MAX; random++)
            tenths[(back_off_pause(try, (uint16_t)random) - bounds[try].least) * 10 / span]++;
        for (int i = 0; i < 10; i++)
            assert_in_range(tenths[i], UINT16_MAX / 10 * 95 / 100, UINT16_MAX / 10 * 105 / 100);
    }
}

/* Both, and the calls themselves, fit into the default request_timeout, or the second try would be made for few. */
static void both_fit_into_the_deadline(void **state)
{
    int both = 0;

    (void)state;
    for (unsigned int try = 0; try < BACK_OFF_TRIES; try++)
        both += back_off_pause(try, UINT16_MAX);
    assert_in_range(both, 0, 8000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(twice_at_most),
        cmocka_unit_test(pauses_are_within_bounds),
        cmocka_unit_test(pauses_are_spread_evenly),
        cmocka_unit_test(both_fit_into_the_deadline),
    };

    return cmocka_run_group_tests_name("helper_back_off", tests, NULL, NULL);
}
