/*
 * The log: syslog's auth facility by way of libpam, one line for each outcome. Never a token, password or code.
 */
#ifndef PAM_COGNITO_LOG_H
#define PAM_COGNITO_LOG_H

#include "module/login.h"

/* One line on how a step of this login ended: key=value, in a fixed order; see the manual. ERR_NONE is logged as
 * `result`. */
void log_outcome(const struct login *login, enum error error, const char *result);

/* With the option debug: one line on a request to the helper that took `ms` milliseconds. */
void log_call(const struct login *login, const char *request, enum error error, int64_t ms);

/* With the option debug: one line on the rights that the helper gave up. */
void log_lockdown(const struct login *login, const char *lockdown);

#endif
