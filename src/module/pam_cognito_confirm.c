/*
 * pam_cognito_confirm.so: has Cognito confirm the code that pam_cognito_code.so asked for (auth).
 */
#include "common/secret.h"
#include "module/steps.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char *argv[])
{
    (void)argc;
    (void)argv;
    int verdict = step_confirm(pamh, flags);

    secret_erase_stack();
    return verdict;
}

/* There are no credentials to set; see pam_cognito_code.c. */
EXPORT int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char *argv[])
{
    (void)pamh;
    (void)flags;
    (void)argc;
    (void)argv;
    return PAM_SUCCESS;
}
