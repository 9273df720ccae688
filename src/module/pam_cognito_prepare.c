/*
 * pam_cognito_prepare.so: starts the helper of pam_cognito_code.so ahead of it, so that it connects while the first
 * factor is typed (auth). A stack means the same with this line and without it: it says PAM_IGNORE, whatever happens.
 */
#include "common/secret.h"
#include "module/steps.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char *argv[])
{
    step_prepare(pamh, flags, argc, argv);
    secret_erase_stack();
    return PAM_IGNORE;
}

EXPORT int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char *argv[])
{
    (void)pamh;
    (void)flags;
    (void)argc;
    (void)argv;
    return PAM_IGNORE;
}
