#include "check/check.h"
#include "check/report.h"
#include "common/options.h"

#include <stdio.h>

static const char *const columns[] = {"key", "value", "from", "advice"};

int config_main(const struct check_arguments *arguments)
{
    struct report *report = report_new("config", columns, sizeof columns / sizeof *columns);
    const char *file = arguments->argument != NULL ? arguments->argument : DEFAULT_CONF;
    struct options options;
    char why[OPTIONS_WHY];

    if (!options_load(&options, file, 0, NULL, why, sizeof why))
        report_row(report, LEVEL_FINDING, (const char *const[]){why, NULL, NULL, NULL});
    options_free(&options);
    return report_end(&report, arguments->json);
}
