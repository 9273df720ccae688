/*
 * Whose access token is it? A regional endpoint takes a token of any pool, so that its answer proves nothing about this
 * one: the signature and the claims do.
 *
 * Sources: RFC 7515 (JWS), RFC 7519 (JWT), RFC 8725 (JWT best current practices); Amazon Cognito developer guide,
 * "Understanding the access token" and "Verifying JSON web tokens".
 */
#ifndef PAM_COGNITO_HELPER_TOKEN_H
#define PAM_COGNITO_HELPER_TOKEN_H

#include "helper/jwks.h"
#include "helper/result.h"

#include <stdbool.h>
#include <time.h>

/* What a token must be, all of it from the configuration and the login, none from the token. Owns nothing. */
struct token_rules {
    const struct jwks *keys;
    const char *issuer;
    const char *client_id;
    const char *match;  /* the claim that says whose it is: "username" or "sub" */
    const char *expect; /* and its value */
    time_t now;
};

/* True if `token` is an access token that the pool signed for this client and user, and it holds still. Else false with
 * ERR_BAD_TOKEN and a detail that names what was wrong, what was wanted and what was found: never the token itself. */
bool token_check(const char *token, const struct token_rules *rules, struct result *result);

#endif
