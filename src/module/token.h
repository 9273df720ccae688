/*
 * Where the access token comes from: the sources of the option `token`, in their order.
 */
#ifndef PAM_COGNITO_TOKEN_H
#define PAM_COGNITO_TOKEN_H

#include "module/login.h"

/* Has the helper hold an access token that is this user's, from the first source that has one. Sets login->signed_in
 * when that was `signin`. Only absence falls through to the next source; every other failure ends the login. */
enum error token_obtain(struct login *login);

#endif
