/*
 * Everything that the command has started, however it was started: this process is the reaper of orphans among its
 * descendants (PR_SET_CHILD_SUBREAPER), so whoever lost his parent becomes a child of this one.
 */
#ifndef PAM_COGNITO_COMMAND_DESCENDANTS_H
#define PAM_COGNITO_COMMAND_DESCENDANTS_H

#include "common/deadline.h"

#include <stdbool.h>
#include <sys/types.h>

/* Makes this process the reaper. False with errno set when it cannot be, or could not find its children. */
bool descendants_adopt(void);

/* Kills and reaps all of them and stores the wait status of `first` in `status`. False when some are left at the
 * deadline: nothing ends a process that the kernel does not let go. */
bool descendants_end(pid_t first, int *status, deadline_t deadline);

#endif
