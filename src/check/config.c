#include "check/config.h"

#include "check/check.h"
#include "check/settings.h"

#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const columns[] = {"key", "value", "from", "advice"};
#define COLUMNS (sizeof columns / sizeof *columns)

void config_add(const struct config *config, enum level level, const char *key, const char *value, const char *from,
                const char *advice)
{
    report_row(config->report, level, (const char *const[COLUMNS]){key, value, from, advice});
}

/* Whose file it is, and who may do what with it. Whether that is right is the parser's to say. */
static void add_permissions(const struct config *config)
{
    struct stat stat;
    const struct passwd *owner;
    char text[128];

    if (lstat(config->path, &stat) != 0)
        return;
    owner = getpwuid(stat.st_uid);
    snprintf(text, sizeof text, "owner %.64s, mode %04o", owner == NULL ? "unknown" : owner->pw_name,
             (unsigned int)(stat.st_mode & 07777));
    config_add(config, LEVEL_OK, "(file)", config->path, text, NULL);
    if (geteuid() != 0)
        config_add(config, LEVEL_NOTE, "(you)", "not root", NULL,
                   "A file may be yours here. A login as root wants root's alone: run this as root.");
}

/* Keeps a refusal of the parser, to be shown beneath the rest, where it is seen. More than a list holds are as good as
 * all. */
static void keep_refusal(void *data, const char *why)
{
    strings_add(data, why, strlen(why));
}

static void add_refusals(const struct config *config, const struct strings *refusals)
{
    for (size_t i = 0; i < refusals->count; i++)
        config_add(config, LEVEL_FINDING, "(refused)", refusals->items[i], NULL,
                   strstr(refusals->items[i], " is missing") == NULL
                       ? "Every login ends with PAM_SERVICE_ERR."
                       : "Every login ends with PAM_SERVICE_ERR, unless an argument of pam_cognito_code.so says it in "
                         "each line of the stacks that reads this file.");
}

/* The file's name without its folders, which stand above: beside a value there is no room for them. */
static void add_option(const struct config *config, enum option_place place, bool *complete)
{
    struct option option;
    char from[NAME_MAX + 16];

    if (!options_at(config->options, place, &option)) {
        *complete = false;
        return;
    }
    if (option.origin.line > 0 && option.origin.from == NULL)
        snprintf(from, sizeof from, "refused");
    else if (option.origin.line > 0)
        snprintf(from, sizeof from, "%s:%u", strrchr(config->path, '/') + 1, option.origin.line);
    else
        snprintf(from, sizeof from, "%s", option.origin.from == NULL ? "not set" : option.origin.from);
    config_add(config, strcmp(from, "refused") == 0 ? LEVEL_NOTE : LEVEL_OK, option.key, option.value, from, NULL);
    option_free(&option);
}

/* False when memory is short. */
static bool add_options(const struct config *config)
{
    bool complete = true;

    for (int place = 0; place < OPTIONS_COUNT; place++)
        add_option(config, (enum option_place)place, &complete);
    return complete;
}

/* Defaults are filled in once a file was read. */
static bool was_read(const struct options *options)
{
    for (int place = 0; place < OPTIONS_COUNT; place++)
        if (options->origins[place].from != NULL)
            return true;
    return false;
}

static bool look(const struct config *config)
{
    struct strings refusals = {0, NULL};
    bool complete = true;

    add_permissions(config);
    options_read(config->options, config->path, keep_refusal, &refusals);
    if (was_read(config->options)) {
        complete = add_options(config);
        config_add_surroundings(config);
        config_add_notes(config);
    }
    add_refusals(config, &refusals);
    strings_free(&refusals);
    options_free(config->options);
    return complete;
}

int config_main(const struct check_arguments *arguments)
{
    char path[PATH_MAX], why[512];
    struct options options;
    struct config config = {.path = path, .options = &options};

    if (!settings_find(arguments->argument, path, sizeof path, why, sizeof why))
        return report_failed(arguments->json, "%s", why);
    config.report = report_new("config", columns, COLUMNS);
    if (look(&config))
        return report_end(&config.report, arguments->json);
    report_free(&config.report);
    return report_failed(arguments->json, "out of memory");
}
