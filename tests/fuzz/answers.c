/*
 * Any bytes as what a person answers: the first byte says what was asked, and what the password is; then an answer a
 * line, where \n, \0 and \\ stand for themselves. What comes of it can be sent, or is refused.
 */
#include "fuzz.h"
#include "script.h"

#include "fakes/clock.h"
#include "fakes/pam.h"

#include "module/ask.h"
#include "module/budget.h"
#include "module/code.h"

#include <stdlib.h>
#include <string.h>

static struct script script;
static unsigned int prompts;

static bool never_fails(void)
{
    return false;
}

static void log_nothing(const char *line)
{
    (void)line;
}

static int converse(int style, const char *text, char **answer)
{
    char *line;
    char kind;

    if (style == PAM_ERROR_MSG)
        return PAM_SUCCESS;
    prompts++;
    HOLDS(strlen(text) < PAM_MAX_MSG_SIZE &&
          fuzz_is_printable(strrchr(text, '\n') == NULL ? text : strrchr(text, '\n') + 1));
    line = script_next(&script, ">-^+", &kind);
    if (line == NULL || kind == '^')
        return PAM_CONV_ERR;
    if (kind == '+')
        fake_now += 10000;
    if (kind == '-')
        return PAM_SUCCESS;
    script_unescape(line);
    *answer = strdup(line);
    return *answer == NULL ? PAM_BUF_ERR : PAM_SUCCESS;
}

enum error budget_take(struct login *login, const char *username)
{
    (void)login;
    (void)username;
    return ERR_NONE;
}

enum error helper_call(struct helper *helper, enum message_type type, const void *message, deadline_t deadline,
                       struct result_message *result)
{
    (void)helper;
    (void)message;
    (void)deadline;
    HOLDS(type == MSG_SEND);
    *result = (struct result_message){
        .detail = "", .wire_name = "", .request_id = "", .medium = "SMS", .destination = "\033[2J+1", .keys = ""};
    return ERR_NONE;
}

void helper_post(struct helper *helper, enum message_type type, const void *message, deadline_t deadline)
{
    (void)helper;
    (void)type;
    (void)message;
    (void)deadline;
}

const char *helper_lockdown(const struct helper *helper)
{
    (void)helper;
    return "";
}

void helper_end(struct helper **helper)
{
    HOLDS(*helper == NULL);
}

/* It can be a code: the API's limit, no white space, nobody's password. */
static void check_word(const struct secret *word, const struct pam_handle *handle)
{
    HOLDS(word->bytes != NULL && word->length > 0 && word->length <= 2048 && strlen(word->bytes) == word->length);
    for (size_t i = 0; i < word->length; i++)
        HOLDS((unsigned char)word->bytes[i] > ' ' && word->bytes[i] != 0x7f);
    HOLDS(handle->authtok == NULL || strcmp(word->bytes, handle->authtok) != 0);
}

static void run(struct login *login, uint8_t what)
{
    struct secret answer = {NULL, 0};
    size_t number = 0;
    enum error error;

    switch (what % 4) {
    case 0:
        error = ask_word(login, "lead", "Code: ", true, &answer);
        break;
    case 1:
        error = ask_password(login, "Password: ", &answer);
        HOLDS((error == ERR_NONE) == (answer.length > 0) && prompts == 1);
        break;
    case 2:
        error = ask_number(login, "lead", 1 + what / 4 % 9, &number);
        HOLDS(error != ERR_NONE || (number >= 1 && number <= 1U + what / 4 % 9));
        HOLDS(prompts <= login->options.max_tries);
        break;
    default:
        error = code_ask(login, NULL);
        if (error == ERR_NONE)
            check_word(&login->answer, login->pamh);
        HOLDS(prompts <= 2 * login->options.max_tries + login->options.max_sends + 1);
        HOLDS(login->tries <= login->options.max_tries && login->sends <= login->options.max_sends);
        break;
    }
    if (what % 4 == 0 && error == ERR_NONE)
        check_word(&answer, login->pamh);
    secret_free(&answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pam_handle handle = {.data = NULL};
    struct login login = {.pamh = &handle, .attribute = "email", .deadline = 301000, .sends = 1};
    const char *password;

    fake_now = 1000;
    prompts = 0;
    fake_pam_fails = never_fails;
    fake_pam_converse = converse;
    fake_pam_log = log_nothing;
    if (size > 1 && script_read(&script, data + 1, size - 1)) {
        login.options.max_tries = 1 + *data % 5;
        login.options.max_sends = 1 + *data % 3;
        login.options.echo = *data & 1;
        password = script_next(&script, "p", NULL);
        fake_pam_set(&handle.authtok, password);
        run(&login, *data);
        login_end(&login);
        fake_pam_end(&handle);
    }
    script_free(&script);
    return 0;
}
