#include "command/outcome.h"

#include <stdarg.h>
#include <stdio.h>

bool outcome_fail(struct outcome *outcome, enum error error, const char *format, ...)
{
    va_list arguments;

    outcome->error = error;
    va_start(arguments, format);
    vsnprintf(outcome->detail, sizeof outcome->detail, format, arguments);
    va_end(arguments);
    return false;
}
