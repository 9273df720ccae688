/*
 * The attributes of the user whose token the helper holds, asked of Cognito once for each token.
 *
 * Source: Amazon Cognito user pools API reference, GetUser.
 */
#ifndef PAM_COGNITO_HELPER_USER_H
#define PAM_COGNITO_HELPER_USER_H

#include "helper/session.h"

/* Forgets what was asked; for another token. */
void user_forget(struct session *session);

/* Asks with `token`, unless it is known already. False with the reason in `result`. */
bool user_know(struct session *session, const char *token, deadline_t deadline, struct result *result);

/* The value of an attribute; NULL if there is none, or more than one, or it has no string for a value. The session's.
 */
const char *user_attribute(const struct session *session, const char *name);

/* True if the attribute is there and its owner has shown that it is his. */
bool user_has_verified(const struct session *session, const char *name);

/* MSG_LOOKUP: which of these attributes there are, verified or not. */
handler lookup_run;

#endif
