/*
 * The steps of a login, each a whole PAM call: what the entry files hand on. Each returns a PAM code; see contract in
 * the manuals.
 */
#ifndef PAM_COGNITO_STEPS_H
#define PAM_COGNITO_STEPS_H

#include <security/pam_modules.h>

/* pam_cognito_prepare.so, auth: starts the helper for the code step of this handle. */
void step_prepare(pam_handle_t *pamh, int flags, int argc, const char *argv[]);

/* pam_cognito_code.so, auth: obtains the token, has the code sent, asks for it. */
int step_code(pam_handle_t *pamh, int flags, int argc, const char *argv[]);

/* pam_cognito_confirm.so, auth: has Cognito confirm the stored answer, asking again after a wrong one. */
int step_confirm(pam_handle_t *pamh, int flags);

/* pam_cognito_code.so, account: denies a login whose code was not confirmed. */
int step_guard(pam_handle_t *pamh, int flags, int argc, const char *argv[]);

#endif
