#include "module/ask.h"

#include "common/text.h"
#include "module/policy.h"
#include "module/say.h"

#include <security/pam_ext.h>
#include <stdio.h>
#include <string.h>

/* The API's limit on a code, ConfirmationCodeType, and more than any other answer needs. */
#define WORD_MOST 2048

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

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The part of the text without the white space at its ends, where pasting leaves it. */
static const char *trim(const char *text, size_t *length)
{
    while (is_blank(*text))
        text++;
    *length = strlen(text);
    while (*length > 0 && is_blank(text[*length - 1]))
        --*length;
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

static enum error take_word(const struct login *login, const char *line, struct secret *word)
{
    size_t length;
    const char *start = trim(line, &length);

    if (length == 0)
        return ERR_EMPTY_ANSWER;
    if (!secret_set(word, start, length))
        return ERR_NO_MEMORY;
    if (length <= WORD_MOST && text_has_no_blank(word->bytes) && !is_password(login, word->bytes) &&
        !is_password(login, line))
        return ERR_NONE;
    secret_free(word);
    return ERR_UNUSABLE_ANSWER;
}

enum error ask_word(struct login *login, const char *lead, const char *prompt, bool echo, struct secret *answer)
{
    char text[PAM_MAX_MSG_SIZE];
    char *line = NULL;
    enum error error;

    /* One prompt carries all: a message of its own arrives late or never over ssh. */
    snprintf(text, sizeof text, "%.*s\n%s", (int)(sizeof text - strlen(prompt) - 2), lead, prompt);
    error = converse(login, echo ? PAM_PROMPT_ECHO_ON : PAM_PROMPT_ECHO_OFF, text, &line);
    if (error == ERR_NONE)
        error = line == NULL ? ERR_NO_ANSWER : take_word(login, line, answer);
    secret_free_string(&line);
    return error;
}

enum error ask_number(struct login *login, const char *lead, size_t most, size_t *number)
{
    struct secret answer = {NULL, 0};
    enum error error = ERR_UNUSABLE_ANSWER;

    for (unsigned int tries = 0; error == ERR_UNUSABLE_ANSWER && tries < login->options.max_tries; tries++) {
        error = ask_word(login, lead, say(N_("Number: ")), true, &answer);
        if (error != ERR_NONE)
            continue;
        *number = answer.length == 1 ? (size_t)(answer.bytes[0] - '0') : 0;
        if (*number < 1 || *number > most)
            error = ERR_UNUSABLE_ANSWER;
    }
    secret_free(&answer);
    return error;
}

void tell_error(const struct login *login, enum error error)
{
    const char *text = error_user_text(error, login->in_signin);

    if (text != NULL && !login->silent)
        pam_error(login->pamh, "%s", say(text));
}
