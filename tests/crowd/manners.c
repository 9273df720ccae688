#include "manners.h"
#include "snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* What handlers and the reaping thread may touch. */
static atomic_ulong ticks, deaths, reaped;

static void tick(int number)
{
    (void)number;
    ticks++;
}

static void see_death(int number)
{
    (void)number;
    deaths++;
}

/* The millisecond's timer: "plain" interrupts every call, "restart" those that the kernel does not start again. */
static bool start_ticks(struct manners *manners, const char *how)
{
    const struct itimerval each = {{0, 1000}, {0, 1000}};
    struct sigaction action = {.sa_handler = tick, .sa_flags = strcmp(how, "restart") == 0 ? SA_RESTART : 0};
    sigset_t alarm;

    /* The thread that reads the orders is left alone. */
    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    pthread_sigmask(SIG_BLOCK, &alarm, NULL);
    manners->unblocked = true;
    return sigaction(SIGALRM, &action, NULL) == 0 && setitimer(ITIMER_REAL, &each, NULL) == 0;
}

static bool stop_ticks(struct manners *manners, const char *argument)
{
    const struct itimerval never = {{0, 0}, {0, 0}};

    (void)manners;
    (void)argument;
    return setitimer(ITIMER_REAL, &never, NULL) == 0;
}

static void *reap(void *options)
{
    const struct timespec nap = {.tv_nsec = 100000};

    for (;;) {
        if (waitpid(-1, NULL, WNOHANG | *(const int *)options) > 0)
            reaped++;
        nanosleep(&nap, NULL);
    }
    return NULL;
}

/* "count" has a handler, "ignore" and "forget" want none to be waited for, "reap" waits for any child, "reap-all" also
 * for those that send no SIGCHLD. */
static bool treat_children(struct manners *manners, const char *how)
{
    static const int options[] = {0, __WALL};
    struct sigaction action = {.sa_handler = see_death};
    pthread_t thread;

    (void)manners;
    if (strncmp(how, "reap", 4) == 0)
        return pthread_create(&thread, NULL, reap, (void *)&options[strcmp(how, "reap-all") == 0]) == 0;
    if (strcmp(how, "ignore") == 0)
        action.sa_handler = SIG_IGN;
    if (strcmp(how, "forget") == 0)
        action.sa_flags = SA_NOCLDWAIT;
    return sigaction(SIGCHLD, &action, NULL) == 0;
}

static bool block_signals(struct manners *manners, const char *argument)
{
    sigset_t all;

    (void)manners;
    (void)argument;
    sigfillset(&all);
    return pthread_sigmask(SIG_BLOCK, &all, NULL) == 0;
}

static bool ignore_signals(struct manners *manners, const char *argument)
{
    (void)manners;
    (void)argument;
    for (int number = 1; number < NSIG; number++)
        if (signal(number, SIG_IGN) == SIG_ERR && errno != EINVAL)
            return false;
    return true;
}

/* "02" closes 0 and 2. */
static bool close_some(struct manners *manners, const char *numbers)
{
    (void)manners;
    for (; *numbers != '\0'; numbers++)
        if (close(*numbers - '0') != 0)
            return false;
    return true;
}

/* As many as are wanted, all of which a child inherits. */
static bool open_many(struct manners *manners, const char *count)
{
    struct rlimit limit;

    (void)manners;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return false;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        return false;
    for (int i = 0; i < atoi(count); i++)
        if (open("/dev/null", O_RDWR) < 0)
            return false;
    return true;
}

static const struct {
    const char *name;
    int resource;
} resources[] = {
    {"AS", RLIMIT_AS},         {"CPU", RLIMIT_CPU},         {"FSIZE", RLIMIT_FSIZE}, {"NOFILE", RLIMIT_NOFILE},
    {"NPROC", RLIMIT_NPROC},   {"STACK", RLIMIT_STACK},     {"DATA", RLIMIT_DATA},   {"MEMLOCK", RLIMIT_MEMLOCK},
    {"MSGQ", RLIMIT_MSGQUEUE}, {"SIGS", RLIMIT_SIGPENDING},
};

/* How much is used of it now. */
static rlim_t used_of(int resource)
{
    rlim_t used = 0;
    FILE *status;

    if (resource == RLIMIT_NOFILE) {
        for (int fd = 0; fd < 65536; fd++)
            if (fcntl(fd, F_GETFD) >= 0)
                used = (rlim_t)fd + 1;
    } else if (resource == RLIMIT_AS) {
        status = fopen("/proc/self/statm", "re");
        if (status != NULL && fscanf(status, "%ju", (uintmax_t *)&used) == 1)
            used *= (rlim_t)sysconf(_SC_PAGESIZE);
        if (status != NULL)
            fclose(status);
    }
    return used;
}

/* "FSIZE 0"; "NOFILE +3" is three more than are used now. */
static bool set_limit(struct manners *manners, const char *what)
{
    size_t length = strcspn(what, " ");
    const char *number = what + length + (what[length] == ' ');

    (void)manners;
    for (size_t i = 0; i < sizeof resources / sizeof *resources; i++) {
        if (strlen(resources[i].name) == length && strncmp(resources[i].name, what, length) == 0) {
            rlim_t value = strtoull(number, NULL, 10) + (*number == '+' ? used_of(resources[i].resource) : 0);
            const struct rlimit limit = {value, value};

            snapshot_own_limit(resources[i].resource);
            return setrlimit(resources[i].resource, &limit) == 0;
        }
    }
    return false;
}

static bool become(struct manners *manners, const char *uid)
{
    (void)manners;
    return setresgid((gid_t)atoi(uid), (gid_t)atoi(uid), (gid_t)atoi(uid)) == 0 &&
           setresuid((uid_t)atoi(uid), (uid_t)atoi(uid), (uid_t)atoi(uid)) == 0;
}

static bool set_stack(struct manners *manners, const char *bytes)
{
    manners->stack = strtoul(bytes, NULL, 10);
    return true;
}

static bool set_umask(struct manners *manners, const char *mode)
{
    (void)manners;
    umask((mode_t)strtoul(mode, NULL, 8));
    return true;
}

/* Afterwards there is no list of variables at all. */
static bool forget_environment(struct manners *manners, const char *argument)
{
    (void)manners;
    (void)argument;
    return clearenv() == 0;
}

static bool compare(struct manners *manners, const char *argument)
{
    (void)argument;
    manners->compare = true;
    return true;
}

static const struct {
    const char *name;
    bool (*behave)(struct manners *manners, const char *argument);
} known[] = {
    {"become", become},
    {"block", block_signals},
    {"children", treat_children},
    {"close", close_some},
    {"clearenv", forget_environment},
    {"compare", compare},
    {"descriptors", open_many},
    {"ignore", ignore_signals},
    {"limit", set_limit},
    {"quiet", stop_ticks},
    {"stack", set_stack},
    {"ticks", start_ticks},
    {"umask", set_umask},
};

bool behave(struct manners *manners, const char *line)
{
    size_t length = strcspn(line, " ");

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strlen(known[i].name) == length && strncmp(known[i].name, line, length) == 0)
            return known[i].behave(manners, line + length + (line[length] == ' '));
    return false;
}

void manners_report(char *out, size_t size)
{
    snprintf(out, size, "ticks=%lu deaths=%lu reaped=%lu", ticks, deaths, reaped);
}
