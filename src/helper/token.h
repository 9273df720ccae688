/*
 * Whose access token is it? A regional endpoint takes a token of any pool, so that its answer proves nothing about this
 * one: the signature and the claims do.
 *
 * Sources: RFC 7515 (JWS), RFC 7519 (JWT), RFC 8725 (JWT best current practices); Amazon Cognito developer guide,
 * "Understanding the access token" and "Verifying JSON web tokens".
 */
#ifndef PAM_COGNITO_HELPER_TOKEN_H
#define PAM_COGNITO_HELPER_TOKEN_H

#include "helper/checks.h"
#include "helper/jwks.h"
#include "helper/result.h"

#include <stdbool.h>
#include <time.h>

/* What a token must be, all of it from the configuration and the login, none from the token. Owns nothing. */
struct token_rules {
    const struct jwks *keys;
    const char *issuer;
    const char *client_id;
    const char *match;  /* the claim that says whose it is; an attribute instead is not looked at here */
    const char *expect; /* and its value */
    time_t now;
    struct checks *checks; /* keeps what each check came to; NULL: the first refusal is the last check */
    bool *unverified;      /* set when none of the keys has signed the token; NULL: nobody wants to know */
};

/* True if an access token has a claim of that name which says whose it is. Attributes of a user are not in it: who
 * matches one of those has to ask Cognito. */
bool token_has_claim(const char *match);

/* True if `token` is an access token that the pool signed for this client and user, and it holds still. Else false with
 * ERR_BAD_TOKEN and a detail that names what was wrong, what was wanted and what was found: never the token itself. */
bool token_check(const char *token, const struct token_rules *rules, struct result *result);

#endif
