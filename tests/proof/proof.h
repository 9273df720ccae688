/*
 * What the proofs need of cbmc(1), the model checker that reads them: functions without a body, which return anything,
 * and two ways to ask. scripts/prove runs it once for each.
 */
#ifndef PAM_COGNITO_PROOF_H
#define PAM_COGNITO_PROOF_H

#include <assert.h>
#include <stdbool.h>

int nondet_int(void);
bool nondet_bool(void);

/* assert(condition) is to hold in every case there is; MEET(condition) asks for one in which this holds, or what is
 * proved would be proved of nothing. */
#ifdef MEETING
#define MEET(condition) __CPROVER_cover(condition)
#else
#define MEET(condition) (void)(condition)
#endif

#endif
