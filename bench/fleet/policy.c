#include "policy.h"

#include "helper/back_off.h"

/* Longer than any deadline, so that growing ends somewhere. */
#define PAUSE_MAX 300000

const struct policy policy_of_helper = {.jitter = JITTER_OF_HELPER, .tries = BACK_OFF_TRIES};

static int64_t grown(const struct policy *policy, unsigned int try)
{
    int64_t middle = policy->base;

    while (try-- > 0 && middle < PAUSE_MAX)
        middle *= policy->growth;
    return middle;
}

int64_t policy_pause(const struct policy *policy, unsigned int try, int64_t last, struct chance *chance)
{
    int64_t middle = grown(policy, try);

    switch (policy->jitter) {
    case JITTER_OF_HELPER:
        return back_off_pause(try, (uint16_t)(chance_bits(chance) >> 48));
    case JITTER_HALF:
        return chance_between(chance, middle / 2, middle * 3 / 2);
    case JITTER_FULL:
        return chance_between(chance, 0, 2 * middle);
    case JITTER_DECORRELATED:
        return chance_between(chance, policy->base, 3 * (last > policy->base ? last : policy->base));
    case JITTER_NONE:
    case JITTER_COUNT:
        break;
    }
    return middle;
}
