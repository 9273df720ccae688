/*
 * One run of `pam-cognito-check config`.
 */
#ifndef PAM_COGNITO_CHECK_CONFIG_H
#define PAM_COGNITO_CHECK_CONFIG_H

#include "check/report.h"
#include "common/options.h"

/* Owns nothing. */
struct config {
    const char *path;
    struct options *options; /* as far as they could be taken */
    struct report *report;
};

/* Adds a row: a key of the file, its value, where that comes from, and advice. NULL is "". */
void config_add(const struct config *config, enum level level, const char *key, const char *value, const char *from,
                const char *advice);

/* Looks at the files, programs, users and groups that the configuration names, and at those of this package. */
void config_add_surroundings(const struct config *config);

/* Says what is legal and has consequences that the documents warn of. */
void config_add_notes(const struct config *config);

#endif
