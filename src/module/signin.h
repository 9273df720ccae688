/*
 * The token source `signin`: the user signs in to Cognito with a password, and answers what it asks beside that.
 */
#ifndef PAM_COGNITO_SIGNIN_H
#define PAM_COGNITO_SIGNIN_H

#include "module/login.h"

/* How, as messages have it: "srp" or "password"; "" where no source is `signin`. */
const char *signin_flow(const struct login *login);

/* Signs login->username in, with the password that the options say: the one that PAM has already, or one asked for
 * here. Then the helper holds the access token, and login->signed_in is set. */
enum error signin(struct login *login);

#endif
