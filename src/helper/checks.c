#include "helper/checks.h"

#include "common/text.h"

#include <stdarg.h>
#include <stdio.h>

void checks_begin(struct checks *checks)
{
    if (checks != NULL)
        *checks = (struct checks){.verified = true};
}

/* True if this is the first refusal, or nobody keeps count. */
static bool note(struct checks *checks, bool passed, const char *name, const char *expected, const char *found)
{
    bool first = checks == NULL || !checks->refused;
    struct check *check;

    if (checks == NULL)
        return first;
    checks->refused |= !passed;
    if (checks->count == CHECKS_MAX)
        return first;
    check = &checks->of[checks->count++];
    text_printable(check->name, sizeof check->name, name);
    check->passed = passed;
    check->verified = checks->verified;
    text_printable(check->expected, sizeof check->expected, expected);
    text_printable(check->found, sizeof check->found, found);
    return first;
}

bool checks_judge(struct checks *checks, bool passed, const char *kind, const char *name, const char *expected,
                  const char *found, struct result *result)
{
    bool first = note(checks, passed, name, expected, found);

    if (!passed && first)
        result_fail(result, ERR_BAD_TOKEN, "%s=%s expected=%s found=%s", kind, name, expected, found);
    return passed;
}

bool checks_refuse(struct checks *checks, const char *name, struct result *result, const char *format, ...)
{
    char what[CHECK_SHOWN];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    if (note(checks, false, name, "", what))
        result_fail(result, ERR_BAD_TOKEN, "%s", what);
    return false;
}

void checks_report(const struct checks *checks, struct result *result)
{
    for (size_t i = 0; i < checks->count; i++) {
        const struct check *check = &checks->of[i];

        result_add_choice(result, check->name);
        if (check->verified)
            result_add_choice(result, check->passed ? "ok" : "refused");
        else
            result_add_choice(result, check->passed ? "unverified" : "refused-unverified");
        result_add_choice(result, check->expected);
        result_add_choice(result, check->found);
    }
}
