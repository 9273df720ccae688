/*
 * The send budget: how many codes this host has had sent to a Cognito user within the last hour.
 */
#ifndef PAM_COGNITO_BUDGET_H
#define PAM_COGNITO_BUDGET_H

#include "module/login.h"

/* Counts one code for the Cognito user `username` of the login's pool, before it is sent; it is never given back.
 * ERR_NONE: counted, at most options.send_limit in any hour. ERR_SEND_LIMIT: that many were counted. ERR_BAD_STATE:
 * nothing can be counted, and login->detail says which file or directory is in the way. A host that is not root keeps
 * no count: ERR_NONE. */
enum error budget_take(struct login *login, const char *username);

#endif
