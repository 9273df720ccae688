/*
 * The system calls that the helper may still make.
 */
#ifndef PAM_COGNITO_HELPER_SECCOMP_H
#define PAM_COGNITO_HELPER_SECCOMP_H

#include "helper/result.h"

#include <stdbool.h>

/* Why calls are not restricted, in a word for the log: this was built without libseccomp, or the kernel cannot. NULL
 * when they will be. */
const char *seccomp_missing(void);

/* Restricts them for all threads, for good; does nothing where seccomp_missing() says why. The process must have
 * PR_SET_NO_NEW_PRIVS. False with ERR_HELPER and the call that failed. */
bool seccomp_restrict(struct result *result);

#endif
