/*
 * Many people log in, on many hosts, to one account at Amazon Cognito: who is throttled, how long they wait, who loses.
 * docs/fleet.md says in words what is modelled here.
 */
#ifndef PAM_COGNITO_FLEET_H
#define PAM_COGNITO_FLEET_H

#include "account.h"
#include "policy.h"

#include <stddef.h>

/* Cognito sends so many codes a user and hour: who was refused tries again, but no more often than that. */
#define LOGINS_MAX 5

/* When people come. */
enum arrival {
    ARRIVAL_UNIFORM, /* evenly over the whole time */
    ARRIVAL_PEAK,    /* as in the morning: a bell over the whole time, two thirds in its middle third */
    ARRIVAL_RUSH,    /* all within the first ten seconds, as after an outage */
};

/* The calls of a login, up to the code. */
struct flow {
    const char *name;
    enum operation calls[3];
    unsigned int count;
};

/* A row without a name ends the table. */
extern const struct flow flows[];

struct scenario {
    uint32_t people;
    int64_t seconds;
    enum arrival arrival;
    const struct flow *flow;
    int percent_with_code; /* of the logins; `remember` and `when` spare the others the code */
    struct policy policy;
    enum quota_kind quota_kind;
    int64_t rates[CATEGORY_COUNT];
    int64_t round_trip;      /* milliseconds */
    int64_t request_timeout; /* milliseconds */
    int64_t again;           /* seconds until who was refused tries again, from a half of it to three halves */
    uint64_t seed;
};

/* Waiting times, in milliseconds, of some kind. */
struct waits {
    int32_t *values;
    size_t count;
};

struct outcome {
    struct account account;
    /* Each login that began ended in one of three ways. */
    uint64_t logins, in, busy_before_code, busy_at_code;
    /* Each person had one of three fates. */
    uint64_t in_at_first, in_later, lost;
    uint64_t codes;          /* sent */
    struct waits to_prompt;  /* of each login that came so far: from the password to the question for the code */
    struct waits to_verdict; /* of each login that was let in: from the last thing typed to that */
    struct waits delay; /* of each person who was let in: from the first password to that, less the last code's time */
};

/* The scenario's outcome, to be freed with fleet_free(); false without memory. */
bool fleet_run(const struct scenario *scenario, struct outcome *outcome);
void fleet_free(struct outcome *outcome);

/* The value below which `percent` of them lie; sorts them. 0 if there are none. */
int32_t waits_percentile(struct waits *waits, int percent);

/* 0 if there are none. */
int64_t waits_mean(const struct waits *waits);

#endif
