#include "common/safe_file.h"
#include "common/text.h"
#include "module/ask.h"
#include "module/attribute.h"
#include "module/code.h"
#include "module/log.h"
#include "module/metadata.h"
#include "module/policy.h"
#include "module/remember.h"
#include "module/steps.h"
#include "module/token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLIENT_SECRET_MOST 256

/* What the helper may take beyond code_timeout before it ends by itself. */
#define LIFETIME_GRACE_MS 5000

static enum error load_options(struct login *login, int argc, const char *argv[])
{
    bool loaded = options_load(&login->options, DEFAULT_CONF, argc, argv, login->detail, sizeof login->detail);

    login->deadline = deadline_in((int64_t)login->options.code_timeout * 1000);
    return loaded ? ERR_NONE : ERR_CONFIG;
}

/* Who logs in: as PAM knows him, and as Cognito does. */
static enum error identify_user(struct login *login)
{
    const char *user = NULL;
    struct template_values values;
    enum error error;

    if (pam_get_user(login->pamh, &user, NULL) != PAM_SUCCESS || user == NULL)
        return ERR_CONVERSATION;
    login->user = strdup(user);
    if (login->user == NULL)
        return ERR_NO_MEMORY;
    error = policy_check(login);
    if (error != ERR_NONE)
        return error;
    values = login_values(login);
    if (template_expand(login->options.username, &values, login->username, sizeof login->username) &&
        *login->username != '\0')
        return ERR_NONE;
    snprintf(login->detail, sizeof login->detail, "the option username gives an empty or too long name");
    return ERR_BAD_USER_NAME;
}

static enum error read_client_secret(struct login *login, struct secret *secret)
{
    const char *path = login->options.client_secret_file;
    char why[128];

    if (path == NULL)
        return ERR_NONE;
    if (safe_file_read(path, SAFE_PRIVATE, CLIENT_SECRET_MOST, secret, why, sizeof why) == SAFE_OK) {
        if (secret->length > 0 && secret->bytes[secret->length - 1] == '\n')
            secret->bytes[--secret->length] = '\0';
        if (strlen(secret->bytes) == secret->length && text_is_word(secret->bytes))
            return ERR_NONE;
        snprintf(why, sizeof why, "expects the app client's secret on one line");
    }
    snprintf(login->detail, sizeof login->detail, "%.300s: %s", path, why);
    return ERR_CONFIG;
}

static enum error start_helper(struct login *login)
{
    const struct options *options = &login->options;
    struct secret client_secret = {NULL, 0};
    enum error error = read_client_secret(login, &client_secret);

    if (error == ERR_NONE) {
        const struct start_message start = {
            .version = PACKAGE_VERSION,
            .endpoint = options->endpoint,
            .jwks_url = options->jwks_url,
            .issuer = options->issuer,
            .user_pool_id = options->user_pool_id,
            .client_id = options->client_id,
            .client_secret = client_secret.bytes,
            .ca_path = options->ca_path,
            .ca_file = options->ca_file,
            .proxy = options->proxy,
            .connect_timeout = options->connect_timeout * 1000,
            .request_timeout = options->request_timeout * 1000,
            .lifetime = options->code_timeout * 1000 + LIFETIME_GRACE_MS,
        };

        error = helper_start(&login->helper, &start, login->detail, sizeof login->detail);
    }
    secret_free(&client_secret);
    return error;
}

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
    enum error error = load_options(login, argc, argv);

    if (error == ERR_NONE)
        error = identify_user(login);
    if (error == ERR_NONE)
        error = policy_exempts(login, &exempt);
    if (error == ERR_NONE && exempt) {
        login->state = LOGIN_EXEMPT;
        return ERR_NONE;
    }
    if (error == ERR_NONE)
        error = metadata_expand(login);
    if (error == ERR_NONE)
        error = start_helper(login);
    return error == ERR_NONE ? obtain_code(login) : error;
}

/* For the log's result=, where nothing failed. */
static const char *name_of(enum login_state state)
{
    static const char *const names[] = {
        [LOGIN_PENDING] = "pending", [LOGIN_EXEMPT] = "exempt", [LOGIN_NOT_NEEDED] = "not-needed"};

    return state < sizeof names / sizeof *names && names[state] != NULL ? names[state] : "none";
}

int step_code(pam_handle_t *pamh, int flags, int argc, const char *argv[])
{
    struct login *login = login_begin(pamh, flags);
    enum error error;
    struct facts facts;

    if (login == NULL)
        return error_pam_code(ERR_NO_MEMORY, false);
    error = run(login, argc, argv);
    if (error != ERR_NONE)
        login->state = LOGIN_ATTEMPTED;
    log_outcome(login, error, name_of(login->state));
    if (error != ERR_NONE)
        tell_error(login, error);
    /* Only a pending code has more to be asked of Cognito. */
    if (login->state != LOGIN_PENDING)
        login_end(login);
    facts = login_facts(login, false);
    return verdict_of_code(&facts, error_pam_code(error, login->in_signin));
}
