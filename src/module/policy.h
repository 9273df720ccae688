/*
 * What is decided before anything is sent.
 */
#ifndef PAM_COGNITO_POLICY_H
#define PAM_COGNITO_POLICY_H

#include "module/login.h"

/* Whether this login may go on: its user name can be logged and put in a path, and no first factor has failed in a way
 * that can be seen. ERR_NONE, ERR_BAD_USER_NAME or ERR_FIRST_FACTOR. */
enum error policy_check(struct login *login);

/* Whether the user is a member of one of the groups of exempt_group. ERR_GROUP_LOOK_UP when that cannot be found out,
 * ERR_CONFIG for a group that does not exist. A user whom this host does not know is no member. */
enum error policy_exempts(struct login *login, bool *exempt);

/* True for the answer with which sshd lets PAM run, to no avail, for a user who is unknown or barred: nothing is to be
 * sent for him. */
bool policy_is_refusal(const char *password);

#endif
