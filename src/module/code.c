#include "module/code.h"

#include "common/text.h"
#include "module/ask.h"

#include <security/pam_modules.h>
#include <stdio.h>
#include <string.h>

/* The API's limit on a code: ConfirmationCodeType. */
#define CODE_MOST 2048

#define PROMPT "Code (empty for a new one): "

enum error code_send(struct login *login)
{
    const struct send_message message = {.attribute = login->attribute, .metadata = login_metadata(login)};
    struct result_message result;
    enum error error;

    error = login_call(login, MSG_SEND, &message, &result);
    if (error != ERR_NONE)
        return error;
    login->sends++;
    login->resend_at = deadline_in((int64_t)login->options.resend_delay * 1000);
    text_printable(login->medium, sizeof login->medium, result.medium);
    text_printable(login->destination, sizeof login->destination, result.destination);
    return ERR_NONE;
}

/* Says where the code went. Every part of CodeDeliveryDetails may be absent. */
static const char *describe_delivery(const struct login *login, char *out, size_t size)
{
    bool phone =
        login->medium[0] != '\0' ? strcmp(login->medium, "SMS") == 0 : strcmp(login->attribute, "phone_number") == 0;

    if (login->destination[0] == '\0')
        snprintf(out, size, "A verification code was sent to your %s.", phone ? "phone" : "e-mail address");
    else
        snprintf(out, size, "A verification code was sent by %s to %s.", phone ? "SMS" : "e-mail", login->destination);
    return out;
}

/* Has a new code sent because the user gave an empty answer, unless it is too early; `lead` is what to say then. */
static enum error resend(struct login *login, char *lead, size_t size)
{
    int seconds = (deadline_left(login->resend_at) + 999) / 1000;
    enum error error;

    if (login->sends >= login->options.max_sends)
        return ERR_SENDS_USED_UP;
    if (seconds > 0) {
        if (login->early++ >= login->options.max_tries)
            return ERR_EMPTY_ANSWER;
        snprintf(lead, size, "A new code can be sent in %d seconds.", seconds);
        return ERR_NONE;
    }
    error = code_send(login);
    if (error == ERR_NONE)
        describe_delivery(login, lead, size);
    return error;
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Takes the white space from both ends, where pasting leaves it. */
static char *trim(char *text)
{
    char *end;

    while (is_blank(*text))
        text++;
    end = text + strlen(text);
    while (end > text && is_blank(end[-1]))
        end--;
    *end = '\0';
    return text;
}

/* A password is never sent as a code: sshd's password method, for one, answers every hidden prompt with it. */
static bool is_password(const struct login *login, const char *answer)
{
    const void *password = NULL;

    return secret_equals(&login->local_password, answer) ||
           (pam_get_item(login->pamh, PAM_AUTHTOK, &password) == PAM_SUCCESS && password != NULL &&
            strcmp(password, answer) == 0);
}

/* Takes one answer: stores it, or says in `lead` what to tell the user before he is asked again. */
static enum error take_answer(struct login *login, char *answer, char *lead, size_t size)
{
    char *code = trim(answer);

    if (*code == '\0')
        return resend(login, lead, size);
    login->tries++;
    if (text_has_no_blank(code) && strlen(code) <= CODE_MOST && !is_password(login, code) &&
        !is_password(login, answer))
        return secret_set(&login->answer, code, strlen(code)) ? ERR_NONE : ERR_NO_MEMORY;
    if (login->tries >= login->options.max_tries)
        return ERR_UNUSABLE_ANSWER;
    snprintf(lead, size, "%s", error_user_text(ERR_UNUSABLE_ANSWER, false));
    return ERR_NONE;
}

enum error code_ask(struct login *login, const char *lead)
{
    char said[256];
    enum error error = ERR_NONE;

    secret_free(&login->answer);
    if (lead != NULL)
        snprintf(said, sizeof said, "%s", lead);
    else
        describe_delivery(login, said, sizeof said);
    while (error == ERR_NONE && login->answer.length == 0) {
        char text[PAM_MAX_MSG_SIZE];
        char *answer = NULL;

        snprintf(text, sizeof text, "%s\n%s", said, PROMPT);
        error = ask_line(login, text, &answer);
        if (error == ERR_NONE)
            error = answer == NULL ? ERR_EMPTY_ANSWER : take_answer(login, answer, said, sizeof said);
        secret_free_string(&answer);
    }
    return error;
}
