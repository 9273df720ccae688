/*
 * pam-cognito-check: looks at what an administrator has set up, before a login depends on it.
 */
#include "check/check.h"
#include "check/report.h"

#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum takes { NO_ARGUMENT, AN_ARGUMENT, PERHAPS_AN_ARGUMENT };

/* The options with a value: where it goes, and the bit by which a subcommand says that it takes the option. */
#define OPTIONS(O)                                                                                                     \
    O(CONFIG, "config", config, "FILE", "the configuration file, as the module's argument conf= names it")             \
    O(PAM_DIR, "pam-dir", pam_dir, "DIR", "a folder to look for the files of stacks in, before libpam's own")          \
    O(SERVICE, "service", service, "NAME", "the PAM service to log in to, or that the file of a stack is for")         \
    O(SSHD_CONFIG, "sshd-config", sshd_config, "FILE", "sshd's configuration")

enum option_number {
#define O(id, name, field, value, help) NUMBER_##id,
    OPTIONS(O)
#undef O
        OPTION_COUNT,
    NUMBER_JSON,
    NUMBER_HELP,
    NUMBER_VERSION
};

enum option_bit {
#define O(id, name, field, value, help) OPTION_##id = 1 << NUMBER_##id,
    OPTIONS(O)
#undef O
};

static const struct {
    const char *name;
    size_t offset;
    const char *value, *help;
} options[] = {
#define O(id, name, field, value, help) {name, offsetof(struct check_arguments, field), value, help},
    OPTIONS(O)
#undef O
};

static const struct subcommand {
    const char *name;
    const char *argument; /* as the help shows it */
    enum takes takes;
    unsigned int options;
    int (*run)(const struct check_arguments *arguments);
    const char *help;
} subcommands[] = {
    {"config", "[FILE]", PERHAPS_AN_ARGUMENT, 0, config_main, "is the configuration right, and what does it say?"},
    {"reach", "", NO_ARGUMENT, OPTION_CONFIG, reach_main, "does this host reach the pool? (sends no code)"},
    {"stack", "SERVICE|FILE", AN_ARGUMENT, OPTION_CONFIG | OPTION_PAM_DIR | OPTION_SERVICE | OPTION_SSHD_CONFIG,
     stack_main, "does a stack let in who gave no code, or lock out who did?"},
    {"user", "NAME", AN_ARGUMENT, OPTION_CONFIG | OPTION_SERVICE, user_main,
     "whose token would NAME's login have, and where would the code go? (sends none)"},
};
#define SUBCOMMANDS (sizeof subcommands / sizeof *subcommands)

static const struct subcommand *find_subcommand(const char *name)
{
    for (size_t i = 0; i < SUBCOMMANDS; i++)
        if (strcmp(subcommands[i].name, name) == 0)
            return &subcommands[i];
    return NULL;
}

static int print_help(void)
{
    puts("Usage: pam-cognito-check SUBCOMMAND [ARGUMENT] [OPTIONS]\n");
    for (size_t i = 0; i < SUBCOMMANDS; i++)
        printf("  %-6s %-13s %s\n", subcommands[i].name, subcommands[i].argument, subcommands[i].help);
    puts("\nOptions:");
    for (size_t i = 0; i < OPTION_COUNT; i++)
        printf("  --%s %-*s %s\n", options[i].name, (int)(17 - strlen(options[i].name)), options[i].value,
               options[i].help);
    puts("  --json               a report for machines\n"
         "  --help, --version\n\n"
         "Exit code: 0 clean, 1 findings, 2 could not look.");
    return CHECK_CLEAN;
}

static int refuse_usage(const struct check_arguments *arguments, const char *what, const char *name)
{
    return report_failed(arguments->json, "%s%s%s: see pam-cognito-check --help", what, *name == '\0' ? "" : " ", name);
}

/* Without `argv[0]` and options, getopt_long() has moved what is left to the end: the subcommand and its argument. */
static int run(int count, char *const words[], unsigned int given, struct check_arguments *arguments)
{
    const struct subcommand *subcommand;

    if (count == 0)
        return refuse_usage(arguments, "a subcommand is missing", "");
    subcommand = find_subcommand(words[0]);
    if (subcommand == NULL)
        return refuse_usage(arguments, "unknown subcommand", words[0]);
    if (count > (subcommand->takes == NO_ARGUMENT ? 1 : 2))
        return refuse_usage(arguments, "too many arguments for", words[0]);
    if (count == 1 && subcommand->takes == AN_ARGUMENT)
        return report_failed(arguments->json, "%s needs %s: see pam-cognito-check --help", subcommand->name,
                             subcommand->argument);
    for (size_t i = 0; i < OPTION_COUNT; i++)
        if ((given & ~subcommand->options & (1U << i)) != 0)
            return report_failed(arguments->json, "%s takes no --%s: see pam-cognito-check --help", subcommand->name,
                                 options[i].name);
    arguments->argument = count > 1 ? words[1] : NULL;
    return subcommand->run(arguments);
}

static void fill_long_options(struct option *long_options)
{
    for (size_t i = 0; i < OPTION_COUNT; i++)
        long_options[i] = (struct option){options[i].name, required_argument, NULL, (int)i};
    long_options[OPTION_COUNT] = (struct option){"json", no_argument, NULL, NUMBER_JSON};
    long_options[OPTION_COUNT + 1] = (struct option){"help", no_argument, NULL, NUMBER_HELP};
    long_options[OPTION_COUNT + 2] = (struct option){"version", no_argument, NULL, NUMBER_VERSION};
    long_options[OPTION_COUNT + 3] = (struct option){0};
}

int main(int argc, char **argv)
{
    struct check_arguments arguments = {.json = false};
    struct option long_options[OPTION_COUNT + 4];
    unsigned int given = 0;
    int number;

    fill_long_options(long_options);
    opterr = 0;
    while ((number = getopt_long(argc, argv, ":", long_options, NULL)) != -1) {
        switch (number) {
        case NUMBER_JSON:
            arguments.json = true;
            break;
        case NUMBER_HELP:
            return print_help();
        case NUMBER_VERSION:
            puts("pam-cognito-check " PACKAGE_VERSION);
            return CHECK_CLEAN;
        case ':':
            return refuse_usage(&arguments, "a value is missing after", argv[optind - 1]);
        case '?':
            return refuse_usage(&arguments, "unknown option", argv[optind - 1]);
        default:
            *(const char **)(void *)((char *)&arguments + options[number].offset) = optarg;
            given |= 1U << number;
            break;
        }
    }
    return run(argc - optind, argv + optind, given, &arguments);
}
