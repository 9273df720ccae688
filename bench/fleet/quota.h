/*
 * One quota of so many calls a second. Cognito does not say how it counts; there are two usual ways.
 */
#ifndef PAM_COGNITO_FLEET_QUOTA_H
#define PAM_COGNITO_FLEET_QUOTA_H

#include <stdbool.h>
#include <stdint.h>

#define SECOND INT64_C(1000000) /* times are microseconds */
#define MS     INT64_C(1000)

enum quota_kind {
    QUOTA_WINDOW, /* each second by the clock has `rate` calls */
    QUOTA_BUCKET, /* a token a call; `rate` tokens a second come in, and as many are kept at most */
};

struct quota {
    enum quota_kind kind;
    int64_t rate;   /* 0: no quota */
    int64_t tokens; /* in millionths */
    int64_t at;
    int64_t in_second;                  /* calls served in the second of `at` */
    int64_t served, throttled, busiest; /* busiest: most calls served in a second by the clock */
};

struct quota quota_begin(enum quota_kind kind, int64_t rate);

/* May a call be made at `now`, which never goes back? Counts it as served then, and nothing otherwise. */
bool quota_take(struct quota *quota, int64_t now);

#endif
