#include "module/token.h"

#include "common/safe_file.h"
#include "module/ask.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

/* More is no token file at all. Fewer bytes may still be more than a token can have: the helper says so. */
#define FILE_MOST (64 * 1024)

/* The Cognito user name for this login, by the option `username`. */
static enum error expand_username(struct login *login, char *out, size_t size)
{
    const struct template_values values = login_values(login);

    if (template_expand(login->options.username, &values, out, size) && *out != '\0')
        return ERR_NONE;
    snprintf(login->detail, sizeof login->detail, "the option username gives an empty or too long name");
    return ERR_BAD_USER_NAME;
}

/* Asks for the password of the Cognito account. What is typed becomes PAM_AUTHTOK, for the modules that follow. */
static enum error obtain_password(struct login *login, struct secret *password)
{
    bool asked_before = login->local_password.bytes != NULL;
    enum error error = ask_password(login, asked_before ? "Cognito password: " : "Password: ", password);

    if (error == ERR_NONE && pam_set_item(login->pamh, PAM_AUTHTOK, password->bytes) != PAM_SUCCESS)
        error = ERR_NO_MEMORY;
    return error;
}

static enum error from_signin(struct login *login, const char *username, const char *value, bool *absent)
{
    static const char *const flows[] = {[SIGNIN_SRP] = "srp", [SIGNIN_PASSWORD] = "password"};
    struct secret password = {NULL, 0};
    struct result_message result;
    enum error error = obtain_password(login, &password);

    (void)value;
    (void)absent;
    if (error == ERR_NONE) {
        const struct signin_message message = {
            .flow = flows[login->options.signin_flow],
            .username = username,
            .password = password.bytes,
            .match = login->options.match,
            .expect = username,
            .metadata = login_metadata(login),
        };

        error = login_call(login, MSG_SIGNIN, &message, &result);
        login->signed_in = error == ERR_NONE;
    }
    secret_free(&password);
    return error;
}

static enum error use_token(struct login *login, const char *username, const char *token)
{
    struct result_message result;

    if (strlen(token) > TOKEN_MOST) {
        snprintf(login->detail, sizeof login->detail, "a token of more than %d bytes", TOKEN_MOST);
        return ERR_BAD_TOKEN;
    }
    const struct token_message message = {.token = token, .match = login->options.match, .expect = username};
    return login_call(login, MSG_TOKEN, &message, &result);
}

static enum error from_file(struct login *login, const char *username, const char *value, bool *absent)
{
    const struct template_values values = login_values(login);
    struct secret content = {NULL, 0};
    enum error error = ERR_UNSAFE_FILE;
    char path[PATH_MAX];
    char why[128];

    if (!template_expand_path(value, &values, path, sizeof path)) {
        snprintf(login->detail, sizeof login->detail,
                 "%s: a value for this path is empty, begins with '.' or has a '/'", value);
        return ERR_UNSAFE_FILE;
    }
    switch (safe_file_read(path, SAFE_PRIVATE | SAFE_ONE_LINK | SAFE_PARENTS, FILE_MOST, &content, why, sizeof why)) {
    case SAFE_ABSENT:
        *absent = true;
        break;
    case SAFE_REFUSED:
        snprintf(login->detail, sizeof login->detail, "%.300s: %s", path, why);
        break;
    case SAFE_OK:
        /* The one newline that an editor or echo leaves at the end is no part of the token. */
        if (content.length > 0 && content.bytes[content.length - 1] == '\n')
            content.bytes[--content.length] = '\0';
        if (content.length == 0 || strlen(content.bytes) != content.length) {
            snprintf(login->detail, sizeof login->detail, "%.300s: empty, or a NUL inside", path);
            error = ERR_BAD_TOKEN;
        } else {
            error = use_token(login, username, content.bytes);
        }
        break;
    }
    secret_free(&content);
    return error;
}

/* How an item of the option begins, and what obtains the token. Each sets *absent when this source has none. */
static const struct source {
    const char *prefix;
    enum error (*obtain)(struct login *login, const char *username, const char *value, bool *absent);
} sources[] = {
    {"signin", from_signin},
    {"file:", from_file},
};

static const struct source *source_of(const char *item)
{
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++)
        if (strncmp(item, sources[i].prefix, strlen(sources[i].prefix)) == 0)
            return &sources[i];
    return NULL;
}

enum error token_obtain(struct login *login)
{
    const struct strings *items = &login->options.token;
    char username[256];
    enum error error = expand_username(login, username, sizeof username);

    if (error != ERR_NONE)
        return error;
    for (size_t i = 0; i < items->count; i++) {
        const struct source *source = source_of(items->items[i]);
        bool absent = false;

        if (source == NULL) {
            snprintf(login->detail, sizeof login->detail, "token source %.64s is not in this version", items->items[i]);
            return ERR_CONFIG;
        }
        error = source->obtain(login, username, items->items[i] + strlen(source->prefix), &absent);
        if (!absent)
            return error;
    }
    return ERR_NO_TOKEN;
}
