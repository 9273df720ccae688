/*
 * Runs one scenario of the fleet and prints its outcome as a JSON object: fleet [KEY=VALUE...]
 */
#include "fleet.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const arrivals[] = {"uniform", "peak", "rush", NULL};
static const char *const jitters[JITTER_COUNT + 1] = {
    [JITTER_OF_HELPER] = "helper",          [JITTER_NONE] = "none", [JITTER_HALF] = "half", [JITTER_FULL] = "full",
    [JITTER_DECORRELATED] = "decorrelated",
};
static const char *const kinds[] = {"window", "bucket", NULL};

static bool find_word(const char *const words[], const char *value, int *index)
{
    for (*index = 0; words[*index] != NULL; ++*index)
        if (strcmp(words[*index], value) == 0)
            return true;
    return false;
}

static bool find_flow(struct scenario *scenario, const char *value)
{
    for (scenario->flow = flows; scenario->flow->name != NULL; scenario->flow++)
        if (strcmp(scenario->flow->name, value) == 0)
            return true;
    return false;
}

static bool read_number(const char *value, long least, long most, int64_t *number)
{
    char *end;
    long read;

    errno = 0;
    read = strtol(value, &end, 10);
    *number = read;
    return errno == 0 && end != value && *end == '\0' && read >= least && read <= most;
}

/* The keys whose values are numbers. */
static bool set_number(struct scenario *scenario, const char *key, const char *value)
{
    int64_t people = scenario->people, percent = scenario->percent_with_code, seed = (int64_t)scenario->seed;
    int64_t *const rates = scenario->rates;
    const struct {
        const char *key;
        long least, most;
        int64_t *number;
    } keys[] = {
        {"people", 1, 10000000, &people},
        {"seconds", 1, 86400, &scenario->seconds},
        {"code", 0, 100, &percent},
        {"base", 0, 100000, &scenario->policy.base},
        {"growth", 1, 10, &scenario->policy.growth},
        {"tries", 0, 1000, &scenario->policy.tries},
        {"rtt", 0, 10000, &scenario->round_trip},
        {"timeout", 1, 300000, &scenario->request_timeout},
        {"again", 0, 86400, &scenario->again},
        {"seed", 0, LONG_MAX, &seed},
        {"signin", 0, 1000000, &rates[USER_AUTHENTICATION]},
        {"read", 0, 1000000, &rates[USER_READ]},
        {"send", 0, 1000000, &rates[USER_RESOURCE_READ]},
        {"verify", 0, 1000000, &rates[USER_UPDATE]},
    };
    bool found = false;

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(keys[i].key, key) == 0)
            found = read_number(value, keys[i].least, keys[i].most, keys[i].number);
    rates[CHALLENGE_RESPONSES] = 3 * rates[USER_AUTHENTICATION];
    scenario->people = (uint32_t)people;
    scenario->percent_with_code = (int)percent;
    scenario->seed = (uint64_t)seed;
    return found;
}

static bool set(struct scenario *scenario, const char *argument)
{
    const char *value = strchr(argument, '=');
    char key[32];
    int index;

    if (value == NULL || (size_t)(value - argument) >= sizeof key)
        return false;
    memcpy(key, argument, (size_t)(value - argument));
    key[value++ - argument] = '\0';
    if (strcmp(key, "flow") == 0)
        return find_flow(scenario, value);
    if (strcmp(key, "jitter") == 0 && find_word(jitters, value, &index)) {
        scenario->policy.jitter = (enum jitter)index;
        return true;
    }
    if (strcmp(key, "arrival") == 0 && find_word(arrivals, value, &index)) {
        scenario->arrival = (enum arrival)index;
        return true;
    }
    if (strcmp(key, "quota") == 0 && find_word(kinds, value, &index)) {
        scenario->quota_kind = (enum quota_kind)index;
        return true;
    }
    return set_number(scenario, key, value);
}

static void print_waits(const char *name, struct waits *waits)
{
    printf(", \"%s\": {\"mean\": %" PRId64 ", \"p50\": %d, \"p95\": %d, \"p99\": %d}", name, waits_mean(waits),
           waits_percentile(waits, 50), waits_percentile(waits, 95), waits_percentile(waits, 99));
}

static void print_quotas(const struct account *account)
{
    static const char *const names[CATEGORY_COUNT] = {
        [USER_AUTHENTICATION] = "signin",
        [CHALLENGE_RESPONSES] = "challenge",
        [USER_READ] = "read",
        [USER_RESOURCE_READ] = "send",
        [USER_UPDATE] = "verify",
    };

    for (int i = 0; i < CATEGORY_COUNT; i++) {
        const struct quota *quota = &account->quotas[i];

        printf(", \"%s\": {\"served\": %" PRId64 ", \"throttled\": %" PRId64 ", \"busiest\": %" PRId64 "}", names[i],
               quota->served, quota->throttled, quota->busiest);
    }
}

static void print_outcome(struct outcome *outcome)
{
    printf("{\"logins\": %" PRIu64 ", \"in\": %" PRIu64 ", \"busy_before_code\": %" PRIu64
           ", \"busy_at_code\": %" PRIu64,
           outcome->logins, outcome->in, outcome->busy_before_code, outcome->busy_at_code);
    printf(", \"in_at_first\": %" PRIu64 ", \"in_later\": %" PRIu64 ", \"lost\": %" PRIu64 ", \"codes\": %" PRIu64,
           outcome->in_at_first, outcome->in_later, outcome->lost, outcome->codes);
    print_waits("to_prompt", &outcome->to_prompt);
    print_waits("to_verdict", &outcome->to_verdict);
    print_waits("delay", &outcome->delay);
    print_quotas(&outcome->account);
    printf("}\n");
}

int main(int argc, char *argv[])
{
    struct scenario scenario = {
        .people = 1000,
        .seconds = 600,
        .flow = flows,
        .percent_with_code = 100,
        .policy = policy_of_helper,
        .round_trip = 50,
        .request_timeout = 10000,
        .again = 60,
        .seed = 1,
    };
    struct outcome outcome;

    memcpy(scenario.rates, account_defaults, sizeof scenario.rates);
    for (int i = 1; i < argc; i++) {
        if (!set(&scenario, argv[i])) {
            fprintf(stderr, "fleet: not understood: %s\n", argv[i]);
            return 2;
        }
    }
    if (!fleet_run(&scenario, &outcome)) {
        fprintf(stderr, "fleet: no memory\n");
        fleet_free(&outcome);
        return 1;
    }
    print_outcome(&outcome);
    fleet_free(&outcome);
    return 0;
}
