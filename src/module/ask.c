#include "module/ask.h"

#include "module/policy.h"

#include <security/pam_ext.h>
#include <string.h>

static enum error converse(struct login *login, int style, const char *text, char **answer)
{
    int status = pam_prompt(login->pamh, style, answer, "%.*s", PAM_MAX_MSG_SIZE - 1, text);

    if (status != PAM_SUCCESS) {
        secret_free_string(answer);
        return status == PAM_BUF_ERR ? ERR_NO_MEMORY : ERR_CONVERSATION;
    }
    if (deadline_left(login->deadline) == 0) {
        secret_free_string(answer);
        return ERR_LOGIN_TIMEOUT;
    }
    return ERR_NONE;
}

enum error ask_password(struct login *login, const char *prompt, struct secret *password)
{
    char *answer = NULL;
    enum error error = converse(login, PAM_PROMPT_ECHO_OFF, prompt, &answer);

    if (error == ERR_NONE && (answer == NULL || *answer == '\0'))
        error = ERR_NO_PASSWORD;
    if (error == ERR_NONE && policy_is_refusal(answer))
        error = ERR_FIRST_FACTOR;
    if (error == ERR_NONE && !secret_set(password, answer, strlen(answer)))
        error = ERR_NO_MEMORY;
    secret_free_string(&answer);
    return error;
}

enum error ask_line(struct login *login, const char *text, char **answer)
{
    *answer = NULL;
    return converse(login, login->options.echo ? PAM_PROMPT_ECHO_ON : PAM_PROMPT_ECHO_OFF, text, answer);
}

void tell_error(const struct login *login, enum error error)
{
    const char *text = error_user_text(error, login->in_signin);

    if (text != NULL && !login->silent)
        pam_error(login->pamh, "%s", text);
}
