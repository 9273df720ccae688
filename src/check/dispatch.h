/*
 * libpam's dispatcher, one line at a time: what the results of the lines add up to.
 */
#ifndef PAM_COGNITO_CHECK_DISPATCH_H
#define PAM_COGNITO_CHECK_DISPATCH_H

#include "check/pamd.h"

#include <stdint.h>

enum impression { UNDECIDED, POSITIVE, NEGATIVE };

struct standing {
    uint8_t impression;
    uint8_t status; /* a PAM code */
};

/* Where a call of libpam is between two lines. Two walks with the same bytes go on in the same way. */
struct walk {
    uint16_t at;   /* the next line that is called; the stack's count when there is none */
    uint8_t level; /* of the line before it */
    uint8_t unused;
    struct standing now;
    struct standing entered[LEVELS]; /* how it stood where the substacks began that we are in; 0 in the others */
};

/* What pam_authenticate() and pam_acct_mgmt() do, and what pam_setcred() does: it takes the actions by what the lines
 * had said in pam_authenticate(), if they were called in this handle. There a jump counts as a success too, but not in
 * Debian's libpam. */
enum chain { CHAIN_FRESH, CHAIN_CACHED, CHAIN_CACHED_DEBIAN };

/* The line had no result in pam_authenticate(). */
#define NOT_CACHED (-1)

void walk_begin(struct walk *walk, const struct stack *stack);

/* A walk that is over, without a verdict. */
void walk_skip(struct walk *walk, const struct stack *stack);

bool walk_is_over(const struct walk *walk, const struct stack *stack);

/* The next line has said `result`; returns the action that was taken. `cached` is what it had said in
 * pam_authenticate(). */
int walk_step(struct walk *walk, const struct stack *stack, enum chain chain, int result, int cached);

/* What libpam returns after the last line. */
int walk_verdict(const struct walk *walk);

#endif
