#include "module/setup.h"

#include "common/safe_file.h"
#include "common/text.h"
#include "module/policy.h"
#include "module/pool_keys.h"
#include "module/prepared.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLIENT_SECRET_MOST 256

/* What the helper may take beyond code_timeout before it ends by itself: it may have been started ahead. */
#define LIFETIME_GRACE_MS (HELPER_SERVES_MS + 5000)

enum error setup_options(struct login *login, int argc, const char *const argv[])
{
    bool loaded = options_load(&login->options, DEFAULT_CONF, argc, argv, login->detail, sizeof login->detail);

    login->deadline = deadline_in((int64_t)login->options.code_timeout * 1000);
    return loaded ? ERR_NONE : ERR_CONFIG;
}

enum error setup_user(struct login *login)
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

bool setup_client_secret(const char *path, struct secret *secret, char *why, size_t size)
{
    if (safe_file_read(path, SAFE_PRIVATE, CLIENT_SECRET_MOST, secret, why, size) != SAFE_OK)
        return false;
    if (secret->length > 0 && secret->bytes[secret->length - 1] == '\n')
        secret->bytes[--secret->length] = '\0';
    if (strlen(secret->bytes) == secret->length && text_is_word(secret->bytes))
        return true;
    snprintf(why, size, "expects the app client's secret on one line");
    return false;
}

struct start_message setup_start(const struct options *options, const char *client_secret)
{
    return (struct start_message){
        .version = PACKAGE_VERSION,
        .endpoint = options->endpoint,
        .jwks_url = options->jwks_url,
        .issuer = options->issuer,
        .user_pool_id = options->user_pool_id,
        .client_id = options->client_id,
        .client_secret = client_secret,
        .ca_path = options->ca_path,
        .ca_file = options->ca_file,
        .proxy = options->proxy,
        .connect_timeout = options->connect_timeout * 1000,
        .request_timeout = options->request_timeout * 1000,
        .lifetime = options->code_timeout * 1000 + LIFETIME_GRACE_MS,
    };
}

enum error setup_helper(struct login *login)
{
    const char *path = login->options.client_secret_file;
    struct secret client_secret = {NULL, 0};
    enum error error = ERR_CONFIG;
    char keys[KEYS_MOST + 1];
    char why[128];

    if (path == NULL || setup_client_secret(path, &client_secret, why, sizeof why)) {
        struct start_message start = setup_start(&login->options, client_secret.bytes);

        start.explain = login->explain;
        if (!login->explain) {
            pool_keys_find(&login->options, &keys);
            start.keys = keys;
            login->helper = prepared_take(login->pamh, &start);
        }
        error = login->helper != NULL ? ERR_NONE
                                      : helper_start(&login->helper, &start, login->detail, sizeof login->detail);
    } else {
        snprintf(login->detail, sizeof login->detail, "%.300s: %s", path, why);
    }
    secret_free(&client_secret);
    return error;
}
