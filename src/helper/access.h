/*
 * The access token that the helper holds: taken when it is the user's, and never given back.
 */
#ifndef PAM_COGNITO_HELPER_ACCESS_H
#define PAM_COGNITO_HELPER_ACCESS_H

#include "helper/session.h"

/* Keeps `token` if it is one of the pool's for this client, and `match`, a claim or an attribute of its user, is
 * `expect`; drops any that was there before. The pool's keys must be there. An attribute is asked of Cognito, once all
 * else is right. Else false with ERR_BAD_TOKEN, or with what went wrong on the way. */
bool access_keep(struct session *session, const char *token, const char *match, const char *expect, deadline_t deadline,
                 struct result *result);

/* MSG_TOKEN: keeps the token that it brings if it is the user's. */
handler token_run;

#endif
