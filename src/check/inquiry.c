#include "check/inquiry.h"

#include <stdio.h>
#include <unistd.h>

static const char *const columns[] = {"check", "expected", "found", "advice"};
#define COLUMNS (sizeof columns / sizeof *columns)

struct report *inquiry_report(void)
{
    return report_new("user", columns, COLUMNS);
}

void inquiry_add(const struct inquiry *inquiry, enum level level, const char *check, const char *expected,
                 const char *found, const char *advice)
{
    report_row(inquiry->report, level, (const char *const[COLUMNS]){check, expected, found, advice});
}

void inquiry_add_error(const struct inquiry *inquiry, const char *check, const char *expected, enum error error)
{
    const char *detail = inquiry->login->detail, *hint = error_log_text(error);
    char advice[1024];

    snprintf(advice, sizeof advice, "%s%s%s", detail, *detail != '\0' && hint != NULL ? "; " : "",
             hint == NULL ? "" : hint);
    inquiry_add(inquiry, LEVEL_FINDING, check, expected, error_name(error), advice);
}

void inquiry_add_setup_error(struct inquiry *inquiry, const char *check, const char *expected, enum error error)
{
    if (geteuid() != 0 && (error == ERR_CONFIG || error == ERR_UNSAFE_FILE || error == ERR_COMMAND_SETUP))
        inquiry->needs_root = true;
    else
        inquiry_add_error(inquiry, check, expected, error);
}
