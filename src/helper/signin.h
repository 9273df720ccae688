/*
 * How the helper comes by an access token: by signing in, or from the module.
 *
 * Source: Amazon Cognito user pools API reference, InitiateAuth.
 */
#ifndef PAM_COGNITO_HELPER_SIGNIN_H
#define PAM_COGNITO_HELPER_SIGNIN_H

#include "helper/session.h"

/* MSG_SIGNIN: signs in by the flow that it names, and keeps the access token if it is the user's. Without the pool's
 * keys nothing is sent: no token could be accepted then. A challenge is ERR_CHALLENGE. */
handler signin_run;

/* MSG_TOKEN: keeps the token that it brings if it is the user's. */
handler token_run;

#endif
