#include "command/descendants.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

/* The kernel's own list of this thread's children. To look for them among all processes of the host would take
 * milliseconds, and a process that forks and ends in turn would never be there any more when its signal comes. */
#define CHILDREN "/proc/thread-self/children"

/* A child's end is announced, but an orphan's arrival is not. */
#define NAP_NS 2000000

bool descendants_adopt(void)
{
    FILE *list = fopen(CHILDREN, "re");

    if (list == NULL)
        return false;
    fclose(list);
    return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0;
}

/* A number in the list stays the child's own until it is reaped, and only reap() does that. */
static void kill_children(void)
{
    FILE *list = fopen(CHILDREN, "re");
    pid_t child;

    if (list == NULL)
        return;
    while (fscanf(list, "%d", &child) == 1)
        kill(child, SIGKILL);
    fclose(list);
}

/* Reaps those that have ended. True when there is no child any more. */
static bool reap(pid_t first, int *status)
{
    int ended;
    pid_t child;

    while ((child = waitpid(-1, &ended, WNOHANG)) > 0)
        if (child == first)
            *status = ended;
    return child < 0 && errno == ECHILD;
}

bool descendants_end(pid_t first, int *status, deadline_t deadline)
{
    const struct timespec nap = {.tv_nsec = NAP_NS};
    sigset_t ends, before;
    bool gone;

    /* Blocked, it stays pending and can be waited for, though nobody handles it. */
    sigemptyset(&ends);
    sigaddset(&ends, SIGCHLD);
    sigprocmask(SIG_BLOCK, &ends, &before);
    for (;;) {
        kill_children();
        gone = reap(first, status);
        if (gone || deadline_left(deadline) == 0)
            break;
        sigtimedwait(&ends, NULL, &nap);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    return gone;
}
