/*
 * What is decided before anything is sent.
 */
#ifndef PAM_COGNITO_POLICY_H
#define PAM_COGNITO_POLICY_H

#include "module/login.h"

/* Whether this login may go on: its user name can be logged and put in a path, and no first factor has failed in a way
 * that can be seen. ERR_NONE, ERR_BAD_USER_NAME or ERR_FIRST_FACTOR. */
enum error policy_check(struct login *login);

/* True for the answer with which sshd lets PAM run, to no avail, for a user who is unknown or barred: nothing is to be
 * sent for him. */
bool policy_is_refusal(const char *password);

#endif
