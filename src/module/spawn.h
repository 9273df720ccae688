/*
 * Starting a program of this package so that the host does not notice: no SIGCHLD, no child to reap, no descriptor but
 * the two returned.
 */
#ifndef PAM_COGNITO_SPAWN_H
#define PAM_COGNITO_SPAWN_H

#include <stdbool.h>

struct process {
    int socket; /* non-blocking stream to the process, which has the other end as descriptor 3 */
    int pidfd;  /* refers to the process: see pidfd_open(2) */
};

/* Runs the program at the absolute `path`, under the name of its last part, with an empty environment, /dev/null as
 * descriptors 0 to 2, default signal dispositions, nothing blocked, in a session of its own. Both descriptors close on
 * exec and belong to the caller. False with errno set when it could not be started; then none is open. */
bool spawn(const char *path, struct process *process);

#endif
