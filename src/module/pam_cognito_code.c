/*
 * pam_cognito_code.so: has Cognito send a code and asks for it (auth), and denies logins whose code was not confirmed
 * (account).
 */
#include "common/secret.h"
#include "module/steps.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char *argv[])
{
    int verdict = step_code(pamh, flags, argc, argv);

    secret_erase_stack();
    return verdict;
}

EXPORT int pam_sm_acct_mgmt(pam_handle_t *pamh, int flags, int argc, const char *argv[])
{
    return step_guard(pamh, flags, argc, argv);
}

/* There are no credentials to set. PAM_IGNORE here, from every module of a stack, would make pam_setcred() fail. */
EXPORT int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char *argv[])
{
    (void)pamh;
    (void)flags;
    (void)argc;
    (void)argv;
    return PAM_SUCCESS;
}
