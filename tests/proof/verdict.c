/*
 * The verdicts: of all facts that there can be, and all failures that an int can hold, those that lead to PAM_SUCCESS,
 * PAM_IGNORE and PAM_CRED_INSUFFICIENT are the ones below and no others; and each of them does lead there.
 */
#include "proof.h"

#include "module/verdict.h"

#include <security/_pam_types.h>

struct facts nondet_facts(void);

/* The handle's record, of this user, and nobody has used it before. */
static bool is_good(const struct facts *facts)
{
    return facts->recorded && facts->same_user && !facts->used;
}

static bool is_waived(const struct facts *facts)
{
    return facts->state == LOGIN_EXEMPT || facts->state == LOGIN_NOT_NEEDED;
}

/* Neither of the three, and what it came with unless that was one of them. */
static bool is_denial(int verdict, int failure)
{
    bool forged = failure == PAM_SUCCESS || failure == PAM_IGNORE || failure == PAM_CRED_INSUFFICIENT;

    return verdict == (forged ? PAM_SYSTEM_ERR : failure);
}

static void prove_code(void)
{
    struct facts facts = nondet_facts();
    int failure = nondet_int();
    int verdict = verdict_of_code(&facts, failure);
    bool pending = is_good(&facts) && facts.state == LOGIN_PENDING && facts.answered;
    bool waived = is_good(&facts) && is_waived(&facts);

    assert(verdict != PAM_SUCCESS);
    assert((verdict == PAM_CRED_INSUFFICIENT) == pending);
    assert((verdict == PAM_IGNORE) == waived);
    assert(pending || waived || is_denial(verdict, failure));

    MEET(verdict == PAM_CRED_INSUFFICIENT);
    MEET(verdict == PAM_IGNORE && facts.state == LOGIN_EXEMPT);
    MEET(verdict == PAM_IGNORE && facts.state == LOGIN_NOT_NEEDED);
    MEET(verdict == PAM_AUTH_ERR);
    MEET(verdict == PAM_SYSTEM_ERR && failure == PAM_SUCCESS);
}

static void prove_confirm(void)
{
    struct facts facts = nondet_facts();
    int failure = nondet_int();
    int verdict = verdict_of_confirm(&facts, failure);
    bool accepted = is_good(&facts) && facts.state == LOGIN_PENDING && facts.accepted;
    bool signed_in = is_good(&facts) && facts.state == LOGIN_NOT_NEEDED && facts.signed_in;
    bool waived = is_good(&facts) && is_waived(&facts) && !signed_in;

    assert((verdict == PAM_SUCCESS) == (accepted || signed_in));
    assert((verdict == PAM_IGNORE) == waived);
    assert(verdict != PAM_CRED_INSUFFICIENT);
    assert(accepted || signed_in || waived || is_denial(verdict, failure));

    MEET(verdict == PAM_SUCCESS && accepted);
    MEET(verdict == PAM_SUCCESS && signed_in);
    MEET(verdict == PAM_IGNORE && facts.state == LOGIN_EXEMPT && facts.signed_in);
    MEET(verdict == PAM_IGNORE && facts.state == LOGIN_NOT_NEEDED);
    MEET(verdict == PAM_MAXTRIES);
    MEET(verdict == PAM_SYSTEM_ERR && failure == PAM_IGNORE);
}

static void prove_guard(void)
{
    struct facts facts = nondet_facts();
    bool require = nondet_bool();
    int verdict = verdict_of_guard(&facts, require);
    bool proved = facts.recorded && facts.same_user && (facts.state == LOGIN_CONFIRMED || is_waived(&facts));

    assert(verdict == PAM_IGNORE || verdict == PAM_PERM_DENIED);
    assert((verdict == PAM_IGNORE) == (proved || (!facts.recorded && !require)));

    MEET(verdict == PAM_IGNORE && facts.state == LOGIN_CONFIRMED && facts.recorded);
    MEET(verdict == PAM_IGNORE && facts.state == LOGIN_EXEMPT && facts.recorded);
    MEET(verdict == PAM_IGNORE && facts.state == LOGIN_NOT_NEEDED && facts.recorded);
    MEET(verdict == PAM_IGNORE && !facts.recorded);
    MEET(verdict == PAM_PERM_DENIED && facts.recorded && !facts.same_user);
    MEET(verdict == PAM_PERM_DENIED && !facts.recorded && require);
}

int main(void)
{
    prove_code();
    prove_confirm();
    prove_guard();
    return 0;
}
