#include "module/signin.h"

#include "common/text.h"
#include "module/ask.h"
#include "module/say.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Cognito asks two things in a row at most: which factor, and its code. */
#define CHALLENGES_MOST 4

/* What a challenge's result says, kept while the user is asked: the next call takes the result's own strings away. */
struct question {
    char name[64];
    char medium[16];
    char destination[128];
    size_t choices;
    char choice[8][32];
};

static void keep_question(struct question *question, const struct result_message *result)
{
    text_printable(question->name, sizeof question->name, result->challenge);
    text_printable(question->medium, sizeof question->medium, result->medium);
    text_printable(question->destination, sizeof question->destination, result->destination);
    question->choices = result->choices.count < 8 ? result->choices.count : 8;
    for (size_t i = 0; i < question->choices; i++)
        text_printable(question->choice[i], sizeof question->choice[i], result->choices.items[i]);
}

/* What the user reads for a factor: when its code is asked, where it can be chosen, and when a code went to a known
 * place. */
static const struct factor {
    const char *challenge;
    const char *choice;
    const char *lead;      /* without a destination */
    const char *delivered; /* with one */
} factors[] = {
    {"SMS_MFA", N_("SMS"), N_("A sign-in code was sent to your phone."), N_("A sign-in code was sent by SMS to %s.")},
    {"EMAIL_OTP", N_("E-mail"), N_("A sign-in code was sent to your e-mail address."),
     N_("A sign-in code was sent by e-mail to %s.")},
    {"SOFTWARE_TOKEN_MFA", N_("Authenticator app"), N_("Your authenticator app shows a code."), NULL},
};

static const struct factor *find_factor(const char *challenge)
{
    for (size_t i = 0; i < sizeof factors / sizeof *factors; i++)
        if (strcmp(challenge, factors[i].challenge) == 0)
            return &factors[i];
    return NULL;
}

/* Asks until there is a word, max_tries times at most. An empty answer ends the login: there is no second code to be
 * had here. */
static enum error ask_again(struct login *login, const char *lead, const char *prompt, struct secret *answer)
{
    enum error error = ask_word(login, lead, prompt, true, answer);

    for (unsigned int tries = 1; error == ERR_UNUSABLE_ANSWER && tries < login->options.max_tries; tries++)
        error = ask_word(login, say(error_user_text(error, false)), prompt, true, answer);
    return error;
}

static enum error ask_factor_code(struct login *login, const struct question *question, struct secret *answer)
{
    const struct factor *factor = find_factor(question->name);
    char lead[256];

    if (factor == NULL)
        return ERR_CHALLENGE;
    if (factor->delivered == NULL || question->destination[0] == '\0')
        snprintf(lead, sizeof lead, "%s", say(factor->lead));
    else
        text_fill(lead, sizeof lead, say(factor->delivered), question->destination);
    return ask_again(login, lead, say(N_("Code: ")), answer);
}

static enum error ask_choice(struct login *login, const struct question *question, struct secret *answer)
{
    char lead[256];
    size_t number = 0;
    enum error error;

    snprintf(lead, sizeof lead, "%s", say(N_("How do you want to confirm your sign-in?")));
    for (size_t i = 0; i < question->choices; i++) {
        const struct factor *factor = find_factor(question->choice[i]);
        size_t length = strlen(lead);

        snprintf(lead + length, sizeof lead - length, "\n  %zu  %s", i + 1,
                 factor == NULL ? question->choice[i] : say(factor->choice));
    }
    error = ask_number(login, lead, question->choices, &number);
    if (error != ERR_NONE)
        return error;
    return secret_set(answer, question->choice[number - 1], strlen(question->choice[number - 1])) ? ERR_NONE
                                                                                                  : ERR_NO_MEMORY;
}

/* Asks the user what Cognito asks, and passes the answer on; the result may hold the next question. */
static enum error answer_challenge(struct login *login, struct result_message *result)
{
    struct question question;
    struct secret answer = {NULL, 0};
    enum error error;

    keep_question(&question, result);
    if (strcmp(question.name, "SELECT_MFA_TYPE") == 0)
        error = ask_choice(login, &question, &answer);
    else
        error = ask_factor_code(login, &question, &answer);
    if (error == ERR_NONE) {
        const struct answer_message message = {.answer = answer.bytes,
                                               .match = login->options.match,
                                               .expect = login->username,
                                               .metadata = login_metadata(login)};

        error = login_call(login, MSG_ANSWER, &message, result);
    }
    secret_free(&answer);
    return error;
}

const char *signin_flow(const struct login *login)
{
    static const char *const names[] = {[SIGNIN_SRP] = "srp", [SIGNIN_PASSWORD] = "password"};

    for (size_t i = 0; i < login->options.token.count; i++)
        if (strcmp(login->options.token.items[i], "signin") == 0)
            return names[login->options.signin_flow];
    return "";
}

/* `*refused`: Cognito knows no such user and password. */
static enum error try_password(struct login *login, const char *password, bool *refused)
{
    const struct signin_message message = {
        .flow = signin_flow(login),
        .username = login->username,
        .password = password,
        .match = login->options.match,
        .expect = login->username,
        .metadata = login_metadata(login),
    };
    struct result_message result;
    enum error error = login_call(login, MSG_SIGNIN, &message, &result);

    *refused = error == ERR_NOT_AUTHORIZED && login->in_signin;
    for (int asked = 0; error == ERR_NONE && *result.challenge != '\0'; asked++)
        error = asked < CHALLENGES_MOST ? answer_challenge(login, &result) : ERR_CHALLENGE;
    login->signed_in = error == ERR_NONE;
    return error;
}

/* Asks for the password of the Cognito account and signs in with it. What is typed becomes PAM_AUTHTOK, for the modules
 * that follow. */
static enum error ask_and_try(struct login *login)
{
    bool asked_before = login->local_password.bytes != NULL;
    bool refused;
    struct secret password = {NULL, 0};
    enum error error;

    login_warm(login, signin_flow(login));
    error = ask_password(login, say(asked_before ? N_("Cognito password: ") : N_("Password: ")), &password);
    if (error == ERR_NONE && pam_set_item(login->pamh, PAM_AUTHTOK, password.bytes) != PAM_SUCCESS)
        error = ERR_NO_MEMORY;
    if (error == ERR_NONE)
        error = try_password(login, password.bytes, &refused);
    secret_free(&password);
    return error;
}

enum error signin(struct login *login)
{
    const struct options *options = &login->options;
    bool has_password = login->local_password.length > 0;
    bool refused = false;
    enum error error;

    /* A local password goes to Amazon only where the administrator said so. */
    if (!has_password)
        return options->use_first_pass ? ERR_NO_PASSWORD : ask_and_try(login);
    if (!options->use_first_pass && !options->try_first_pass)
        return ask_and_try(login);
    error = try_password(login, login->local_password.bytes, &refused);
    return refused && !options->use_first_pass ? ask_and_try(login) : error;
}
