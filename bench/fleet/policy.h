/*
 * What a client does about a throttled call: how often it is made again, and after what pause.
 */
#ifndef PAM_COGNITO_FLEET_POLICY_H
#define PAM_COGNITO_FLEET_POLICY_H

#include "chance.h"

/* How the pause is drawn; `middle` is the base, multiplied by the growth before each further try. */
enum jitter {
    JITTER_OF_HELPER,    /* what the helper does: its own code, with its own base and number of tries */
    JITTER_NONE,         /* middle */
    JITTER_HALF,         /* from a half of it to three halves */
    JITTER_FULL,         /* from 0 to twice the middle */
    JITTER_DECORRELATED, /* from the base to three times the last pause */
    JITTER_COUNT
};

struct policy {
    enum jitter jitter;
    int64_t base; /* milliseconds */
    int64_t growth;
    int64_t tries; /* beyond the first */
};

/* What the helper does. */
extern const struct policy policy_of_helper;

/* Milliseconds before the next try; `last` is the pause before this one, 0 at first. */
int64_t policy_pause(const struct policy *policy, unsigned int try, int64_t last, struct chance *chance);

#endif
