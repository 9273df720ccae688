#include "module/verdict.h"

#include <security/_pam_types.h>

/* A failure stays one, whatever code it came with. */
static int denial(int failure)
{
    switch (failure) {
    case PAM_SUCCESS:
    case PAM_IGNORE:
    case PAM_CRED_INSUFFICIENT:
        return PAM_SYSTEM_ERR;
    default:
        return failure;
    }
}

int verdict_of_code(const struct facts *facts, int failure)
{
    int verdict = denial(failure);

    if (facts->recorded && facts->same_user && !facts->used) {
        if (facts->state == LOGIN_PENDING && facts->answered)
            verdict = PAM_CRED_INSUFFICIENT;
        else if (facts->state == LOGIN_EXEMPT || facts->state == LOGIN_NOT_NEEDED)
            verdict = PAM_IGNORE;
    }
    return verdict;
}

int verdict_of_confirm(const struct facts *facts, int failure)
{
    int verdict = denial(failure);

    if (facts->recorded && facts->same_user && !facts->used) {
        if ((facts->state == LOGIN_PENDING && facts->accepted) ||
            (facts->state == LOGIN_NOT_NEEDED && facts->signed_in))
            verdict = PAM_SUCCESS;
        else if (facts->state == LOGIN_EXEMPT || facts->state == LOGIN_NOT_NEEDED)
            verdict = PAM_IGNORE;
    }
    return verdict;
}

int verdict_of_guard(const struct facts *facts, bool require)
{
    int verdict = PAM_PERM_DENIED;

    if (!facts->recorded) {
        if (!require)
            verdict = PAM_IGNORE;
    } else if (facts->same_user) {
        if (facts->state == LOGIN_CONFIRMED || facts->state == LOGIN_EXEMPT || facts->state == LOGIN_NOT_NEEDED)
            verdict = PAM_IGNORE;
    }
    return verdict;
}
