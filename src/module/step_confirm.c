#include "module/ask.h"
#include "module/code.h"
#include "module/log.h"
#include "module/remember.h"
#include "module/steps.h"

static enum error verify(struct login *login)
{
    const struct verify_message message = {.attribute = login->attribute, .code = login->answer.bytes};
    struct result_message result;

    return login_call(login, MSG_VERIFY, &message, &result);
}

/* After these the user may try once more, with the code he has or with a new one. */
static bool may_be_asked_again(const struct login *login, enum error error)
{
    return (error == ERR_CODE_MISMATCH || error == ERR_EXPIRED_CODE || error == ERR_NOT_UTF_8) &&
           login->tries < login->options.max_tries;
}

/* Confirms the pending answer; *accepted is set when Cognito has accepted it. */
static enum error confirm(struct login *login, bool *accepted)
{
    enum error error = verify(login);
    enum error asked = ERR_NONE;

    /* What goes wrong with the asking, or with a new code, ends it, whatever Cognito calls that. */
    while (asked == ERR_NONE && may_be_asked_again(login, error)) {
        asked = code_ask(login, error_user_text(error, false));
        error = asked == ERR_NONE ? verify(login) : asked;
    }
    *accepted = error == ERR_NONE;
    return error;
}

static enum error run(struct login *login, const struct facts *facts, bool *accepted)
{
    if (facts->used)
        return ERR_USED_RECORD;
    if (!facts->same_user)
        return ERR_OTHER_USER;
    switch (facts->state) {
    case LOGIN_PENDING:
        return confirm(login, accepted);
    case LOGIN_EXEMPT:
    case LOGIN_NOT_NEEDED:
        return ERR_NONE;
    case LOGIN_ATTEMPTED:
    case LOGIN_CONFIRMED:
        break;
    }
    return ERR_NO_RECORD;
}

int step_confirm(pam_handle_t *pamh, int flags)
{
    struct login *login = login_resume(pamh, flags);
    struct facts facts = login_facts(login, false);
    enum error error = ERR_NO_RECORD;
    int verdict;

    if (login == NULL) {
        const struct login unrecorded = login_unrecorded(pamh, flags);

        log_outcome(&unrecorded, error, NULL);
        /* For the guard this is an attempt: where the code step was edited away, a jump may pass over this refusal. */
        login_begin(pamh, flags);
        return verdict_of_confirm(&facts, error_pam_code(error, false));
    }
    error = run(login, &facts, &facts.accepted);
    verdict = verdict_of_confirm(&facts, error_pam_code(error, false));
    login->used = true;
    if (facts.accepted) {
        login->state = LOGIN_CONFIRMED;
        remember_keep(login, login->username);
    } else if (error != ERR_NONE)
        login->state = LOGIN_ATTEMPTED;
    log_outcome(login, error, facts.accepted ? "confirmed" : "passed");
    if (error != ERR_NONE)
        tell_error(login, error);
    login_end(login);
    return verdict;
}
