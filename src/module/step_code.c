#include "module/ask.h"
#include "module/attribute.h"
#include "module/code.h"
#include "module/log.h"
#include "module/metadata.h"
#include "module/policy.h"
#include "module/remember.h"
#include "module/setup.h"
#include "module/steps.h"
#include "module/token.h"

/* From the token to the answer; what needs no code stops in between, with its own state. */
static enum error obtain_code(struct login *login)
{
    enum error error = token_obtain(login);

    if (error != ERR_NONE)
        return error;
    if (remember_has(login, login->username)) {
        login->state = LOGIN_NOT_NEEDED;
        return ERR_NONE;
    }
    error = attribute_choose(login);
    if (error != ERR_NONE || login->state == LOGIN_NOT_NEEDED)
        return error;
    error = code_send(login);
    if (error == ERR_NONE)
        error = code_ask(login, NULL);
    if (error == ERR_NONE)
        login->state = LOGIN_PENDING;
    return error;
}

static enum error run(struct login *login, int argc, const char *argv[])
{
    bool exempt = false;
    enum error error = setup_options(login, argc, argv);

    if (error == ERR_NONE)
        error = setup_user(login);
    if (error == ERR_NONE)
        error = policy_exempts(login, &exempt);
    if (error == ERR_NONE && exempt) {
        login->state = LOGIN_EXEMPT;
        return ERR_NONE;
    }
    if (error == ERR_NONE)
        error = metadata_expand(login);
    if (error == ERR_NONE)
        error = setup_helper(login);
    return error == ERR_NONE ? obtain_code(login) : error;
}

/* For the log's result=, where nothing failed. */
static const char *name_of(enum login_state state)
{
    static const char *const names[] = {
        [LOGIN_PENDING] = "pending", [LOGIN_EXEMPT] = "exempt", [LOGIN_NOT_NEEDED] = "not-needed"};

    return state < sizeof names / sizeof *names && names[state] != NULL ? names[state] : "none";
}

/* The verdict. What it refuses stays refused: the record is *attempted* then, also where a call of libpam fails as late
 * as here, and nothing had failed before. */
static int judge(struct login *login, enum error *error)
{
    struct facts facts;
    int verdict;

    if (*error != ERR_NONE)
        login->state = LOGIN_ATTEMPTED;
    facts = login_facts(login, false);
    verdict = verdict_of_code(&facts, error_pam_code(*error, login->in_signin));
    if (*error == ERR_NONE && verdict != PAM_CRED_INSUFFICIENT && verdict != PAM_IGNORE) {
        login->state = LOGIN_ATTEMPTED;
        *error = ERR_SYSTEM;
    }
    return verdict;
}

int step_code(pam_handle_t *pamh, int flags, int argc, const char *argv[])
{
    struct login *login = login_begin(pamh, flags);
    enum error error;
    int verdict;

    if (login == NULL) {
        const struct login unrecorded = login_unrecorded(pamh, flags);

        log_outcome(&unrecorded, ERR_NO_MEMORY, NULL);
        tell_error(&unrecorded, ERR_NO_MEMORY);
        return error_pam_code(ERR_NO_MEMORY, false);
    }
    error = run(login, argc, argv);
    verdict = judge(login, &error);
    log_outcome(login, error, name_of(login->state));
    if (error != ERR_NONE)
        tell_error(login, error);
    /* Only a pending code has more to be asked of Cognito. */
    if (login->state != LOGIN_PENDING)
        login_end(login);
    return verdict;
}
