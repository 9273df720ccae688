/*
 * What the checks of an access token come to. A login wants to know of the first refusal alone; pam-cognito-check shows
 * all of them.
 */
#ifndef PAM_COGNITO_HELPER_CHECKS_H
#define PAM_COGNITO_HELPER_CHECKS_H

#include "helper/result.h"

#include <stdbool.h>
#include <stddef.h>

#define CHECKS_MAX (RESULT_CHOICES_MAX / 4)

/* As much of a value as a line of the log shows, or a row of a report. */
#define CHECK_SHOWN 128

struct check {
    char name[64];
    bool passed, verified;
    char expected[CHECK_SHOWN], found[CHECK_SHOWN];
};

/* The checks of one token, in their order. */
struct checks {
    bool verified; /* what the next ones look at is the pool's word */
    bool refused;  /* by one of them */
    size_t count;
    struct check of[CHECKS_MAX];
};

/* For another token. NULL may be passed. */
void checks_begin(struct checks *checks);

/* Takes the outcome of a check of `name`, a "claim" or another `kind`; `expected` and `found` are fit for the log. A
 * refusal becomes `result`'s ERR_BAD_TOKEN, if it is the first. Where `checks` is not NULL it is kept there. Returns
 * `passed`. */
bool checks_judge(struct checks *checks, bool passed, const char *kind, const char *name, const char *expected,
                  const char *found, struct result *result);

/* The same for what is refused in words. Always false. */
__attribute__((format(printf, 4, 5))) bool checks_refuse(struct checks *checks, const char *name, struct result *result,
                                                         const char *format, ...);

/* Adds four choices to `result` for each, as MSG_REPORT has them. */
void checks_report(const struct checks *checks, struct result *result);

#endif
