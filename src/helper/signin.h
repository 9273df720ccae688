/*
 * Signing in with a password, by one of the flows of the option signin_flow.
 *
 * Source: Amazon Cognito user pools API reference, InitiateAuth.
 */
#ifndef PAM_COGNITO_HELPER_SIGNIN_H
#define PAM_COGNITO_HELPER_SIGNIN_H

#include "helper/session.h"

/* MSG_SIGNIN: signs in by the flow that it names; then the access token is kept, if it is the user's, or `result` names
 * a challenge that MSG_ANSWER answers. Without the pool's keys nothing is sent: no token could be accepted then. */
handler signin_run;

/* MSG_WARM: begins to fetch the keys, and so connects; and chooses the key of a sign-in by SRP. */
handler warm_run;

#endif
