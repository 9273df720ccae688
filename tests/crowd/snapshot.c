#include "snapshot.h"

#include <dirent.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void write_signals(FILE *out)
{
    sigset_t masked, pending;
    stack_t stack;

    pthread_sigmask(SIG_SETMASK, NULL, &masked);
    sigpending(&pending);
    sigaltstack(NULL, &stack);
    for (int number = 1; number < NSIG; number++) {
        struct sigaction action;

        if (sigaction(number, NULL, &action) != 0)
            continue;
        fprintf(out, "signal %d %p %x masked=%d pending=%d while:", number, (void *)action.sa_sigaction,
                (unsigned int)action.sa_flags, sigismember(&masked, number), sigismember(&pending, number));
        for (int other = 1; other < NSIG; other++)
            if (sigismember(&action.sa_mask, other) == 1)
                fprintf(out, " %d", other);
        fputc('\n', out);
    }
    fprintf(out, "stack %p %zu %d\n", stack.ss_sp, stack.ss_size, stack.ss_flags);
}

/* Their periods: what is left of one is another at every look. */
static void write_timers(FILE *out)
{
    for (int which = ITIMER_REAL; which <= ITIMER_PROF; which++) {
        struct itimerval timer;

        getitimer(which, &timer);
        fprintf(out, "timer %d %ld.%06ld\n", which, (long)timer.it_interval.tv_sec, (long)timer.it_interval.tv_usec);
    }
}

static void write_descriptor(FILE *out, int fd)
{
    char path[64], target[4096];
    ssize_t length;

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    length = readlink(path, target, sizeof target - 1);
    if (length < 0)
        return;
    target[length] = '\0';
    fprintf(out, "descriptor %d %s %x %x %lld\n", fd, target, (unsigned int)fcntl(fd, F_GETFD),
            (unsigned int)fcntl(fd, F_GETFL), (long long)lseek(fd, 0, SEEK_CUR));
}

/* One after the other, not from /proc: reading that takes a descriptor, which a host may not have left. */
static void write_descriptors(FILE *out)
{
    struct rlimit limit;

    getrlimit(RLIMIT_NOFILE, &limit);
    for (int fd = 0; fd < 4096 || fd < (int)limit.rlim_cur; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            write_descriptor(out, fd);
}

/* Of a process with one thread no other file of /proc is needed. -1: it has no child. */
static void write_children(FILE *out)
{
    siginfo_t found = {.si_pid = 0};

    fprintf(out, "children %d", waitid(P_ALL, 0, &found, WEXITED | WNOHANG | WNOWAIT | __WALL));
    fprintf(out, " %d\n", (int)found.si_pid);
}

static void write_limits(FILE *out)
{
    for (int resource = 0; resource < RLIM_NLIMITS; resource++) {
        struct rlimit limit;

        getrlimit(resource, &limit);
        fprintf(out, "limit %d %llx %llx\n", resource, (unsigned long long)limit.rlim_cur,
                (unsigned long long)limit.rlim_max);
    }
}

static void write_ids(FILE *out)
{
    uid_t uid[3];
    gid_t gid[3], groups[256];
    int count = getgroups(256, groups);

    getresuid(&uid[0], &uid[1], &uid[2]);
    getresgid(&gid[0], &gid[1], &gid[2]);
    fprintf(out, "ids %u %u %u %u %u %u session=%d group=%d groups:", uid[0], uid[1], uid[2], gid[0], gid[1], gid[2],
            (int)getsid(0), (int)getpgrp());
    for (int i = 0; i < count; i++)
        fprintf(out, " %u", groups[i]);
    fputc('\n', out);
}

static void write_switches(FILE *out)
{
    char name[16] = "";
    int death = 0, reaper = 0;

    prctl(PR_GET_NAME, name);
    prctl(PR_GET_PDEATHSIG, &death);
    prctl(PR_GET_CHILD_SUBREAPER, &reaper);
    fprintf(out, "switches name=%s death=%d reaper=%d dumpable=%d keepcaps=%d privileges=%d seccomp=%d\n", name, death,
            reaper, prctl(PR_GET_DUMPABLE), prctl(PR_GET_KEEPCAPS), prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0),
            prctl(PR_GET_SECCOMP));
}

static void write_rest(FILE *out)
{
    char folder[4096];
    mode_t mask = umask(0);

    umask(mask);
    fprintf(out, "umask %o\n", (unsigned int)mask);
    fprintf(out, "folder %s\n", getcwd(folder, sizeof folder));
    fprintf(out, "locale %s %p\n", setlocale(LC_ALL, NULL), (void *)uselocale(NULL));
    fprintf(out, "environment at %p\n", (void *)environ);
    for (char **variable = environ; variable != NULL && *variable != NULL; variable++)
        fprintf(out, "variable %s\n", *variable);
}

char *snapshot(void)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    if (out == NULL)
        abort();
    write_signals(out);
    write_timers(out);
    write_descriptors(out);
    write_children(out);
    write_limits(out);
    write_ids(out);
    write_switches(out);
    write_rest(out);
    if (fclose(out) != 0)
        abort();
    return text;
}

static unsigned int own_limits;

void snapshot_own_limit(int resource)
{
    own_limits |= 1U << resource;
}

/* The host may set a limit while a call is under way. */
static bool is_own_limit(const char *line)
{
    int resource;

    return sscanf(line, "limit %d ", &resource) == 1 && (own_limits >> resource & 1) != 0;
}

static bool is_same(const char *before, const char *after, size_t length)
{
    return (length == strcspn(after, "\n") && strncmp(before, after, length) == 0) ||
           (is_own_limit(before) && is_own_limit(after));
}

char *snapshot_difference(const char *before, const char *after)
{
    char *told = NULL;

    while (*before != '\0' && *after != '\0' && is_same(before, after, strcspn(before, "\n"))) {
        before += strcspn(before, "\n") + 1;
        after += strcspn(after, "\n") + 1;
    }
    if (strcmp(before, after) != 0 &&
        asprintf(&told, "%.*s, now %.*s", (int)strcspn(before, "\n"), before, (int)strcspn(after, "\n"), after) < 0)
        abort();
    return told;
}
