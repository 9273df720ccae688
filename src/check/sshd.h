/*
 * sshd's side of a service: which methods let in, and whether they can ask for a code.
 */
#ifndef PAM_COGNITO_CHECK_SSHD_H
#define PAM_COGNITO_CHECK_SSHD_H

#include "check/check.h"
#include "check/findings.h"

struct sshd {
    const struct check_arguments *arguments;
    unsigned int code_timeout;
};

/* Looks at sshd_config where the service is sshd's; of another service it says whether the code is its only factor. */
void sshd_check(struct check *check, const struct sshd *sshd);

#endif
