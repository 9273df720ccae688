/*
 * How the request ended: what MSG_OUTPUT will say beside the output.
 */
#ifndef PAM_COGNITO_COMMAND_OUTCOME_H
#define PAM_COGNITO_COMMAND_OUTCOME_H

#include "common/errors.h"

#include <stdbool.h>

struct outcome {
    enum error error;
    char detail[512];
};

/* Sets the error and its line for the log, cut to fit. Always false, so that a caller may return it. */
__attribute__((format(printf, 3, 4))) bool outcome_fail(struct outcome *outcome, enum error error, const char *format,
                                                        ...);

#endif
