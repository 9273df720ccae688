#include "module/code.h"

#include "common/text.h"
#include "module/ask.h"
#include "module/budget.h"
#include "module/pool_keys.h"
#include "module/say.h"

#include <stdio.h>
#include <string.h>

enum error code_send(struct login *login)
{
    const struct send_message message = {.attribute = login->attribute, .metadata = login_metadata(login)};
    struct result_message result;
    enum error error = budget_take(login, login->username);

    if (error != ERR_NONE)
        return error;
    error = login_call(login, MSG_SEND, &message, &result);
    if (error != ERR_NONE)
        return error;
    pool_keys_keep(login, result.keys);
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
    const char *text;

    if (login->destination[0] == '\0')
        text = phone ? N_("A verification code was sent to your phone.")
                     : N_("A verification code was sent to your e-mail address.");
    else
        text = phone ? N_("A verification code was sent by SMS to %s.")
                     : N_("A verification code was sent by e-mail to %s.");
    return text_fill(out, size, say(text), login->destination);
}

/* Has a new code sent because the user gave an empty answer, unless it is too early; `lead` is what to say then. */
static enum error resend(struct login *login, char *lead, size_t size)
{
    int seconds = (deadline_left(login->resend_at) + 999) / 1000;
    char number[16];
    enum error error;

    if (login->sends >= login->options.max_sends)
        return ERR_SENDS_USED_UP;
    if (seconds > 0) {
        if (login->early++ >= login->options.max_tries)
            return ERR_EMPTY_ANSWER;
        snprintf(number, sizeof number, "%d", seconds);
        text_fill(lead, size, say(N_("A new code can be sent in %s seconds.")), number);
        return ERR_NONE;
    }
    error = code_send(login);
    if (error == ERR_NONE)
        describe_delivery(login, lead, size);
    return error;
}

/* Takes what ask_word() made of one answer: nothing is to be done about a code, and for the rest `lead` is what to tell
 * the user before he is asked again, or the login ends with the error. */
static enum error take_answer(struct login *login, enum error answer, char *lead, size_t size)
{
    if (answer == ERR_EMPTY_ANSWER)
        return resend(login, lead, size);
    if (answer != ERR_NONE && answer != ERR_UNUSABLE_ANSWER)
        return answer;
    login->tries++;
    if (answer == ERR_UNUSABLE_ANSWER && login->tries >= login->options.max_tries)
        return answer;
    if (answer == ERR_UNUSABLE_ANSWER)
        snprintf(lead, size, "%s", say(error_user_text(answer, false)));
    return ERR_NONE;
}

enum error code_ask(struct login *login, const char *lead)
{
    char said[256];
    enum error error = ERR_NONE;

    secret_free(&login->answer);
    if (lead != NULL)
        snprintf(said, sizeof said, "%s", say(lead));
    else
        describe_delivery(login, said, sizeof said);
    while (error == ERR_NONE && login->answer.length == 0) {
        error = ask_word(login, said, say(N_("Code (empty for a new one): ")), login->options.echo, &login->answer);
        error = take_answer(login, error, said, sizeof said);
    }
    return error;
}
