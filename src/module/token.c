#include "module/token.h"

#include "common/safe_file.h"
#include "module/command.h"
#include "module/signin.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* More is no token file at all. Fewer bytes may still be more than a token can have: the helper says so. */
#define FILE_MOST (64 * 1024)

static enum error from_signin(struct login *login, const char *value, bool *absent)
{
    (void)value;
    (void)absent;
    return signin(login);
}

static enum error use_token(struct login *login, const char *token)
{
    struct result_message result;

    if (strlen(token) > TOKEN_MOST) {
        snprintf(login->detail, sizeof login->detail, "a token of more than %d bytes", TOKEN_MOST);
        return ERR_BAD_TOKEN;
    }
    const struct token_message message = {.token = token, .match = login->options.match, .expect = login->username};
    return login_call(login, MSG_TOKEN, &message, &result);
}

/* The path of a source for this login. */
static bool expand_path(struct login *login, const char *value, char *path, size_t size)
{
    const struct template_values values = login_values(login);

    if (template_expand_path(value, &values, path, size))
        return true;
    snprintf(login->detail, sizeof login->detail,
             "%.300s: a value for this path is empty, begins with '.' or has a '/'", value);
    return false;
}

static enum error from_file(struct login *login, const char *value, bool *absent)
{
    struct secret content = {NULL, 0};
    enum error error = ERR_UNSAFE_FILE;
    char path[PATH_MAX];
    char why[128];

    if (!expand_path(login, value, path, sizeof path))
        return ERR_UNSAFE_FILE;
    switch (safe_file_read(path, TOKEN_FILE_RULES, FILE_MOST, &content, why, sizeof why)) {
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
            error = use_token(login, content.bytes);
        }
        break;
    }
    secret_free(&content);
    return error;
}

/* PAM_AUTHTOK is the token: an earlier module put it there, or the user pasted it where a password was asked. */
static enum error from_authtok(struct login *login, const char *value, bool *absent)
{
    const void *token = NULL;

    (void)value;
    *absent = pam_get_item(login->pamh, PAM_AUTHTOK, &token) != PAM_SUCCESS || token == NULL;
    return *absent ? ERR_NO_TOKEN : use_token(login, token);
}

/* A PAM environment variable, set by an earlier module. It is removed once read: sshd exports what stays. */
static enum error from_environment(struct login *login, const char *value, bool *absent)
{
    const char *found = pam_getenv(login->pamh, value);
    char *token = found == NULL ? NULL : strdup(found);
    enum error error = ERR_NO_MEMORY;

    *absent = found == NULL;
    if (*absent)
        return ERR_NO_TOKEN;
    /* libpam frees the value as it is. */
    explicit_bzero((char *)(uintptr_t)found, strlen(found));
    if (pam_putenv(login->pamh, value) != PAM_SUCCESS)
        error = ERR_SYSTEM;
    else if (token != NULL)
        error = use_token(login, token);
    secret_free_string(&token);
    return error;
}

static enum error run_command(struct login *login, const char *path, struct secret *token)
{
    const struct run_message run = {
        .version = PACKAGE_VERSION,
        .path = path,
        .user = login->options.token_command_user,
        .arguments = {.count = 3, .items = {login->user, login->service, login->host}},
    };
    deadline_t deadline = deadline_first(deadline_in((int64_t)login->options.request_timeout * 1000), login->deadline);
    enum error error = command_run(&run, deadline, token, login->detail, sizeof login->detail);

    if (error != ERR_NONE && deadline_left(login->deadline) == 0)
        error = ERR_LOGIN_TIMEOUT;
    return error;
}

static enum error from_command(struct login *login, const char *value, bool *absent)
{
    struct secret token = {NULL, 0};
    enum error error = ERR_UNSAFE_FILE;
    char path[PATH_MAX];
    char why[128];

    if (!expand_path(login, value, path, sizeof path))
        return ERR_UNSAFE_FILE;
    switch (safe_file_check(path, TOKEN_COMMAND_RULES, why, sizeof why)) {
    case SAFE_ABSENT:
        *absent = true;
        break;
    case SAFE_REFUSED:
        snprintf(login->detail, sizeof login->detail, "%.300s: %s", path, why);
        break;
    case SAFE_OK:
        login_warm(login, signin_flow(login));
        error = run_command(login, path, &token);
        if (error == ERR_NONE)
            error = use_token(login, token.bytes);
        break;
    }
    secret_free(&token);
    return error;
}

/* How an item of the option begins, and what obtains the token. Each sets *absent when this source has none. */
static const struct source {
    const char *prefix;
    enum error (*obtain)(struct login *login, const char *value, bool *absent);
} sources[] = {
    {"signin", from_signin}, {"authtok", from_authtok},  {"env:", from_environment},
    {"file:", from_file},    {"command:", from_command},
};

static const struct source *source_of(const char *item)
{
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++)
        if (strncmp(item, sources[i].prefix, strlen(sources[i].prefix)) == 0)
            return &sources[i];
    return NULL;
}

enum error token_obtain_from(struct login *login, const char *item, bool *absent)
{
    const struct source *source = source_of(item);

    *absent = false;
    /* The option's parser takes nothing else. */
    if (source == NULL)
        return ERR_CONFIG;
    return source->obtain(login, item + strlen(source->prefix), absent);
}

enum error token_obtain(struct login *login)
{
    const struct strings *items = &login->options.token;

    for (size_t i = 0; i < items->count; i++) {
        bool absent;
        enum error error = token_obtain_from(login, items->items[i], &absent);

        if (!absent)
            return error;
    }
    return ERR_NO_TOKEN;
}
