#include "check/findings.h"

#include "common/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How long a code may be typed where the options are not known. */
#define USUAL_TIMEOUT 300

static bool has_source(const struct options *options, const char *beginning)
{
    for (size_t i = 0; i < options->token.count; i++)
        if (strncmp(options->token.items[i], beginning, strlen(beginning)) == 0)
            return true;
    return false;
}

static struct policy policy_of(const struct options *options)
{
    return (struct policy){
        .known = true,
        .exempt = options->exempt_group.count > 0,
        .not_needed = options->when == WHEN_UNVERIFIED || options->remember > 0,
        .signs_in = has_source(options, "signin"),
        .brought = has_source(options, "authtok") || has_source(options, "env:"),
        .found = has_source(options, "file:") || has_source(options, "command:"),
        .require = options->require,
    };
}

/* Nothing is known: whatever may let in is possible, and the token is the user's. */
static struct policy unknown_policy(const struct line *line)
{
    struct policy policy = {.exempt = true, .not_needed = true, .signs_in = true, .brought = true};

    for (int i = 0; i < line->argc; i++)
        policy.require |= strcmp(line->argv[i], "require") == 0;
    return policy;
}

/* Where the line's options stand, beside its arguments. */
static const char *file_of(const struct line *line, const char *config)
{
    for (int i = 0; i < line->argc; i++)
        if (strncmp(line->argv[i], "conf=", 5) == 0)
            return line->argv[i] + 5;
    return config;
}

static struct policy read_policy(struct check *check, const struct line *line, const char *config,
                                 unsigned int *code_timeout)
{
    struct options options;
    char why[OPTIONS_WHY];
    struct policy policy;

    if (options_load(&options, config, line->argc, (const char *const *)line->argv, why, sizeof why)) {
        policy = policy_of(&options);
        if (options.code_timeout > *code_timeout)
            *code_timeout = options.code_timeout;
    } else {
        const char *file = file_of(line, config);
        size_t length = strlen(file);
        bool prefixed = strncmp(why, file, length) == 0 && strncmp(why + length, ": ", 2) == 0;

        policy = unknown_policy(line);
        /* A file that is not there yet, or not for this user, is no fault of the stack. */
        if (strncmp(why, "argument ", 9) == 0 || access(file, R_OK) == 0)
            check_say_line(check, RULE_BAD_OPTIONS, line, &(struct texts){.first = why});
        else
            check_say(check, RULE_NO_OPTIONS, file, 0, &(struct texts){.first = why + (prefixed ? length + 2 : 0)});
    }
    options_free(&options);
    return policy;
}

void check_policies(struct check *check, const char *config, unsigned int *code_timeout)
{
    static const enum phase phases[] = {PHASE_AUTH, PHASE_ACCOUNT};

    *code_timeout = 0;
    for (size_t i = 0; i < sizeof phases / sizeof *phases; i++) {
        const struct stack *stack = &check->service->stacks[phases[i]];
        struct policy *policies = calloc(stack->count + 1, sizeof *policies);

        check->policies[phases[i]] = policies;
        check->failed |= policies == NULL;
        for (size_t at = 0; policies != NULL && at < stack->count; at++) {
            if (module_of(&stack->lines[at]) == MODULE_CODE)
                policies[at] = read_policy(check, &stack->lines[at], config, code_timeout);
            policies[at].rootok = module_rootok_counts(check->name);
        }
    }
    if (*code_timeout == 0)
        *code_timeout = USUAL_TIMEOUT;
}
