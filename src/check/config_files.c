#include "check/config.h"
#include "check/settings.h"
#include "command/account.h"
#include "common/safe_file.h"
#include "common/secret.h"
#include "module/setup.h"
#include "module/token.h"

#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ENDS_LOGINS "Every login ends with PAM_SERVICE_ERR."
#define TRUSTS_NOBODY                                                                                                  \
    "Here TLS learns whom to trust: without it no connection is made, and with one that others write to anybody's."

/* Adds what was found at `path`; `why` is NULL where it is as it should be. What only root can see is no finding. */
static void add_file(const struct config *config, const char *key, const char *path, const char *why,
                     const char *meaning)
{
    char value[1024];

    snprintf(value, sizeof value, "%s%s%s", path, why == NULL ? "" : ": ", why == NULL ? "" : why);
    if (why != NULL && settings_need_root(path))
        config_add(config, LEVEL_NOTE, key, value, NULL, "Only root can look at it: run this as root.");
    else
        config_add(config, why == NULL ? LEVEL_OK : LEVEL_FINDING, key, value, why == NULL ? "checked" : NULL,
                   why == NULL ? NULL : meaning);
}

static void look_at_client_secret(const struct config *config)
{
    const char *path = config->options->client_secret_file;
    struct secret secret = {NULL, 0};
    char why[128];

    if (path == NULL)
        return;
    if (setup_client_secret(path, &secret, why, sizeof why))
        config_add(config, LEVEL_OK, "client_secret_file", "****", path, NULL);
    else
        add_file(config, "client_secret_file", path, why, ENDS_LOGINS);
    secret_free(&secret);
}

/* Whom TLS trusts is for root to say; links are followed, as libcurl follows them. NULL if all is right. */
static const char *fault_of_trusted(const char *path, mode_t type)
{
    struct stat found;

    if (stat(path, &found) != 0)
        return strerrordesc_np(errno);
    if ((found.st_mode & S_IFMT) != type)
        return type == S_IFDIR ? "not a directory" : "not a file";
    if (found.st_uid != 0 && found.st_uid != geteuid())
        return "not owned by root";
    if ((found.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return "writable by others";
    if ((found.st_mode & S_IROTH) == 0 || (type == S_IFDIR && (found.st_mode & S_IXOTH) == 0))
        return "not readable for " HELPER_USER;
    return NULL;
}

/* The name by which OpenSSL finds a certificate: a hash of eight digits, a dot, a number. */
static bool is_hashed_name(const char *name)
{
    size_t hash = strspn(name, "0123456789abcdef");

    return hash == 8 && name[8] == '.' && name[9] != '\0' && name[9 + strspn(name + 9, "0123456789")] == '\0';
}

static bool has_hashed_names(const char *path)
{
    DIR *directory = opendir(path);
    const struct dirent *entry;
    bool has = false;

    while (directory != NULL && !has && (entry = readdir(directory)) != NULL)
        has = is_hashed_name(entry->d_name);
    if (directory != NULL)
        closedir(directory);
    return has;
}

static void look_at_trust(const struct config *config)
{
    const char *file = config->options->ca_file, *path = config->options->ca_path;
    const char *why;

    if (file != NULL)
        add_file(config, "ca_file", file, fault_of_trusted(file, S_IFREG), TRUSTS_NOBODY);
    if (file != NULL && path == NULL)
        return;
    if (path == NULL)
        path = DEFAULT_CA_PATH;
    why = fault_of_trusted(path, S_IFDIR);
    if (why == NULL && !has_hashed_names(path))
        why = "no certificate by its hash in it (openssl rehash)";
    add_file(config, "ca_path", path, why, TRUSTS_NOBODY);
}

/* A path that is the same for everybody; others are looked at in each login. */
static void look_at_source(const struct config *config, const char *item)
{
    bool is_file = strncmp(item, "file:", 5) == 0, is_command = strncmp(item, "command:", 8) == 0;
    const char *path = strchr(item, ':') + 1;
    char why[128];
    bool safe;

    if ((!is_file && !is_command) || strchr(path, '%') != NULL)
        return;
    safe = safe_file_check(path, is_file ? TOKEN_FILE_RULES : TOKEN_COMMAND_RULES, why, sizeof why) == SAFE_OK;
    add_file(config, is_file ? "token = file:" : "token = command:", path, safe ? NULL : why,
             "An unsafe one ends every login that comes to it; one that is missing passes on to the next source.");
}

static void look_at_sources(const struct config *config)
{
    const struct strings *items = &config->options->token;

    for (size_t i = 0; i < items->count; i++)
        if (strchr(items->items[i], ':') != NULL)
            look_at_source(config, items->items[i]);
}

static void look_at_command(const struct config *config)
{
    const char *user = config->options->token_command_user;
    struct outcome outcome = {.error = ERR_NONE};
    struct account account = {.groups = NULL};
    char why[128];

    if (user == NULL)
        return;
    if (account_find(&account, user, &outcome))
        config_add(config, LEVEL_OK, "token_command_user", user, "checked", NULL);
    else if (geteuid() != 0)
        config_add(config, LEVEL_NOTE, "token_command_user", outcome.detail, NULL, "Run this as root.");
    else
        config_add(config, LEVEL_FINDING, "token_command_user", outcome.detail, NULL, ENDS_LOGINS);
    account_free(&account);
    add_file(config, "(runner)", COMMAND_PATH,
             safe_file_check(COMMAND_PATH, SAFE_EXECUTABLE, why, sizeof why) == SAFE_OK ? NULL : why, ENDS_LOGINS);
}

static void look_at_groups(const struct config *config)
{
    const struct strings *names = &config->options->exempt_group;

    for (size_t i = 0; i < names->count; i++)
        if (getgrnam(names->items[i]) == NULL)
            config_add(config, LEVEL_FINDING, "exempt_group", names->items[i], NULL,
                       "No such group: every login ends with PAM_SERVICE_ERR.");
        else
            config_add(config, LEVEL_OK, "exempt_group", names->items[i], "checked", NULL);
}

static void look_at_helper(const struct config *config)
{
    const struct passwd *user = getpwnam(HELPER_USER);
    char why[128];

    add_file(config, "(helper)", HELPER_PATH,
             safe_file_check(HELPER_PATH, SAFE_EXECUTABLE, why, sizeof why) == SAFE_OK ? NULL : why, ENDS_LOGINS);
    if (user != NULL && user->pw_uid != 0)
        config_add(config, LEVEL_OK, "(helper user)", HELPER_USER, "checked", NULL);
    else
        config_add(config, LEVEL_FINDING, "(helper user)", HELPER_USER, NULL,
                   user == NULL ? "No such user: every login ends with PAM_SERVICE_ERR. useradd --system " HELPER_USER
                                : "This user is root: the helper refuses that.");
}

void config_add_surroundings(const struct config *config)
{
    static void (*const looks[])(const struct config *) = {
        look_at_client_secret, look_at_trust, look_at_sources, look_at_command, look_at_groups, look_at_helper,
    };

    for (size_t i = 0; i < sizeof looks / sizeof *looks; i++)
        looks[i](config);
}
