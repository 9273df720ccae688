#include "check/check.h"
#include "check/findings.h"
#include "check/sshd.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const columns[] = {"where", "rule", "what", "advice"};

static bool is_ours(const struct line *line)
{
    enum module module = module_of(line);

    return module == MODULE_CODE || module == MODULE_CONFIRM;
}

/* The service of a file is called like it, unless it is named; libpam knows small letters alone. */
static void name_service(char *name, size_t size, const struct check_arguments *arguments)
{
    const char *given = arguments->service != NULL ? arguments->service : arguments->argument;
    const char *slash = strrchr(given, '/');

    snprintf(name, size, "%s", slash == NULL ? given : slash + 1);
    for (char *letter = name; *letter != '\0'; letter++)
        *letter = (char)tolower((unsigned char)*letter);
}

/* Nothing but the lines of the code, as in cognito-verify: what a service takes in. */
static bool is_part(const struct service *service)
{
    const struct stack *auth = &service->stacks[PHASE_AUTH];
    bool ours = false;

    for (size_t phase = 0; phase < PHASES; phase++)
        if (service->from_other[phase] != (phase != PHASE_AUTH))
            return false;
    for (size_t i = 0; i < auth->count; i++) {
        if (!is_ours(&auth->lines[i]) && module_of(&auth->lines[i]) != MODULE_DENY)
            return false;
        ours |= is_ours(&auth->lines[i]);
    }
    return ours;
}

/* False where libpam does not start the service, so that there is nothing more to look at. */
static bool judge_reading(struct check *check)
{
    const struct service *service = check->service;
    bool starts = true;

    if (service->absent)
        check_say_line(check, RULE_NO_FILE, NULL, &(struct texts){.first = check->name});
    for (size_t i = 0; i < service->trouble_count; i++) {
        const struct trouble *trouble = &service->troubles[i];

        check_say(check, trouble->fatal ? RULE_NOT_STARTED : RULE_UNREADABLE, trouble->file, trouble->number,
                  &(struct texts){.first = trouble->what});
        starts &= !trouble->fatal;
    }
    return starts;
}

/* Our modules where they have no function for libpam to call. */
static void judge_phases(struct check *check)
{
    for (enum phase phase = PHASE_ACCOUNT; phase < PHASES; phase++)
        for (size_t i = 0; i < check->service->stacks[phase].count; i++) {
            const struct line *line = &check->service->stacks[phase].lines[i];
            enum module module = module_of(line);

            if (module == MODULE_CONFIRM || module == MODULE_PREPARE ||
                (module == MODULE_CODE && phase != PHASE_ACCOUNT))
                check_say_line(check, RULE_WRONG_PHASE, line,
                               &(struct texts){.first = line->module, .second = phase_name(phase)});
        }
}

static size_t findings_between(const struct check *check, enum rule first, enum rule last)
{
    size_t count = 0;

    for (enum rule rule = first; rule <= last; rule++)
        count += check->count[rule];
    return count;
}

/* What is in order is said too. */
static void say_what_holds(struct check *check)
{
    char lines[16];

    snprintf(lines, sizeof lines, "%zu", check->service->stacks[PHASE_AUTH].count);
    if (findings_between(check, RULE_NO_CODE, RULE_CODE_ALONE) == 0)
        check_say_line(check, RULE_CLOSED, NULL, &(struct texts){.first = lines});
    if (!check->part && findings_between(check, RULE_NO_CODE, RULE_NO_CODE) == 0 &&
        findings_between(check, RULE_NO_GUARD, RULE_GUARD_WEAK) == 0)
        check_say_line(check, RULE_GUARDED, NULL, &(struct texts){.first = NULL});
    if (check->count[RULE_UNREADABLE] + findings_between(check, RULE_NO_CODE, RULE_NO_COMPANION) +
            findings_between(check, RULE_LOCKED_CODE, RULE_LOCKED_ACCOUNT) ==
        0)
        check_say_line(check, RULE_OPEN_TO_CODE, NULL, &(struct texts){.first = NULL});
}

static void judge(struct check *check, const struct check_arguments *arguments)
{
    struct sshd sshd = {.arguments = arguments};

    check->part = is_part(check->service);
    if (check->part)
        check_say_line(check, RULE_PART, NULL, &(struct texts){.first = NULL});
    check_policies(check, arguments->config != NULL ? arguments->config : DEFAULT_CONF, &sshd.code_timeout);
    if (check->failed)
        return;
    judge_phases(check);
    check_ways_in(check);
    if (check->count[RULE_NO_CODE] == 0) {
        /* What cannot be read denies: who is locked out by it was said. */
        if (check->count[RULE_UNREADABLE] == 0)
            check_ways_for_all(check);
        if (!check->part)
            check_guard(check);
    }
    sshd_check(check, &sshd);
    say_what_holds(check);
}

int stack_main(const struct check_arguments *arguments)
{
    const struct places places = {arguments->pam_dir, false};
    struct service service;
    char name[256];
    char why[1024];
    struct check check = {.service = &service, .name = name};
    int code;

    name_service(name, sizeof name, arguments);
    if (!service_read(&service, name, strchr(arguments->argument, '/') != NULL ? arguments->argument : NULL, &places,
                      why, sizeof why)) {
        service_free(&service);
        return report_failed(arguments->json, "%s", why);
    }
    check.report = report_new("stack", columns, sizeof columns / sizeof *columns);
    if (judge_reading(&check))
        judge(&check, arguments);
    if (check.failed) {
        report_free(&check.report);
        code = *check.why != '\0' ? report_failed(arguments->json, "%s", check.why)
                                  : report_failed(arguments->json, "%s: out of memory, or too many ways through it",
                                                  arguments->argument);
    } else
        code = report_end(&check.report, arguments->json);
    check_free(&check);
    service_free(&service);
    return code;
}
