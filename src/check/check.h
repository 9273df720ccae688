/*
 * pam-cognito-check: what its subcommands get from the command line, and where each begins.
 */
#ifndef PAM_COGNITO_CHECK_H
#define PAM_COGNITO_CHECK_H

#include <stdbool.h>

/* What an exit code says. */
enum { CHECK_CLEAN = 0, CHECK_FINDINGS = 1, CHECK_FAILED = 2 };

/* The command line, read. Owns nothing; NULL is what was not given. */
struct check_arguments {
    bool json;
    const char *argument; /* what follows the subcommand */
    const char *config, *sshd_config, *pam_dir, *service;
};

/* Each does all of one subcommand and returns its exit code. */
int config_main(const struct check_arguments *arguments);
int reach_main(const struct check_arguments *arguments);
int stack_main(const struct check_arguments *arguments);
int user_main(const struct check_arguments *arguments);

#endif
