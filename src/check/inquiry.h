/*
 * One run of `pam-cognito-check user`: a login that goes as far as the token and asks for no code.
 */
#ifndef PAM_COGNITO_CHECK_INQUIRY_H
#define PAM_COGNITO_CHECK_INQUIRY_H

#include "check/report.h"
#include "module/login.h"

/* Owns nothing. */
struct inquiry {
    struct login *login;
    struct report *report;
    bool needs_root; /* something could not be looked at; login->detail says what */
};

/* A report for it. */
struct report *inquiry_report(void);

void inquiry_add(const struct inquiry *inquiry, enum level level, const char *check, const char *expected,
                 const char *found, const char *advice);

/* A finding of what would end a login: the error's name, what is known of it, and what to mend. */
void inquiry_add_error(const struct inquiry *inquiry, const char *check, const char *expected, enum error error);

/* The same for what may fail because this process is not root. */
void inquiry_add_setup_error(struct inquiry *inquiry, const char *check, const char *expected, enum error error);

/* Tries the sources of the option `token` as a login does, and adds what came of each, then what the helper checked the
 * token for. True when the helper holds a token that is the user's. */
bool inquiry_take_token(struct inquiry *inquiry);

#endif
