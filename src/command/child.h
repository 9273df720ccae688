/*
 * The process that becomes the command.
 */
#ifndef PAM_COGNITO_COMMAND_CHILD_H
#define PAM_COGNITO_COMMAND_CHILD_H

#include "command/account.h"
#include "common/message.h"

/* The command, started. The descriptors close on exec and belong to the caller. */
struct child {
    pid_t pid;
    int pidfd;
    int output; /* non-blocking end of what it writes */
    int report; /* non-blocking; holds a line when it could not become the command, and its end was the child's */
};

/* Starts the program of `run` as `account`. The caller reaps it and closes the descriptors with child_close(), also
 * after a failure. */
bool child_start(struct child *child, const struct run_message *run, const struct account *account);

void child_close(struct child *child);

#endif
