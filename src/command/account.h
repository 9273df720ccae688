/*
 * The user that the command runs as: looked up before there is a command, so that no name service has to answer in
 * between.
 */
#ifndef PAM_COGNITO_COMMAND_ACCOUNT_H
#define PAM_COGNITO_COMMAND_ACCOUNT_H

#include "command/outcome.h"

#include <sys/types.h>

#define ACCOUNT_VARIABLES 5

/* It owns what it points to. */
struct account {
    uid_t uid;
    gid_t gid;
    gid_t *groups; /* all of them, `gid` included, sorted; NULL when not root, who alone may set them */
    size_t group_count;
    char *environment[ACCOUNT_VARIABLES + 1]; /* PATH, HOME, USER, LOGNAME, SHELL, and NULL */
};

/* Fills `account`, to be freed with account_free() also after a failure. False with the outcome for a user who is
 * unknown, who is root or in root's group by passwd(5), or whom this process may not become. */
bool account_find(struct account *account, const char *name, struct outcome *outcome);

void account_free(struct account *account);

/* Makes this process that user, for good. NULL when done, else the name of the call that failed, with errno set. */
const char *account_become(const struct account *account);

#endif
