/*
 * Codes: having one sent, and getting one from the user. Used by the code step, and by the companion after a wrong one.
 */
#ifndef PAM_COGNITO_CODE_H
#define PAM_COGNITO_CODE_H

#include "module/login.h"

/* Has Cognito send a code for login->attribute (GetUserAttributeVerificationCode). */
enum error code_send(struct login *login);

/* Asks until an answer can be a code, and stores it in login->answer. `lead` is the line above the prompt; NULL: say
 * where the code was sent. An empty answer asks Cognito for a new code. Bounded by max_tries, max_sends and
 * code_timeout. */
enum error code_ask(struct login *login, const char *lead);

#endif
