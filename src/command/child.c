#include "command/child.h"

#include "common/self.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* As a shell does when it cannot run what it was told to. */
#define EXIT_NOT_RUN 127

/* Under su and sudo the limits are those of the caller, who is a stranger: he must not be able to make the command fall
 * over in an odd place. Without root's rights they are his own. Core files are off already, for this program. */
static const char *set_limits(void)
{
    static const struct {
        int resource;
        rlim_t value;
    } limits[] = {
        {RLIMIT_AS, RLIM_INFINITY},    {RLIMIT_CPU, RLIM_INFINITY}, {RLIMIT_DATA, RLIM_INFINITY},
        {RLIMIT_FSIZE, RLIM_INFINITY}, {RLIMIT_NOFILE, 1024},       {RLIMIT_NPROC, 4096},
        {RLIMIT_STACK, 8 << 20},
    };

    for (size_t i = 0; geteuid() == 0 && i < sizeof limits / sizeof *limits; i++)
        if (!self_limit(limits[i].resource, limits[i].value))
            return "setrlimit";
    return NULL;
}

/* /dev/null, the pipe, /dev/null; whatever else is open closes on exec. */
static const char *set_descriptors(int output)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (null < 0)
        return "/dev/null";
    if (dup2(null, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0)
        return "dup2";
    if (syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) != 0)
        return "close_range";
    return NULL;
}

/* Dies with this program even if that is killed; children of its own are beyond reach then. */
static const char *die_with(pid_t parent)
{
    /* After the change of user, which would undo it. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
        return "prctl(PR_SET_PDEATHSIG)";
    errno = ESRCH;
    return getppid() == parent ? NULL : "getppid";
}

/* Everything between fork and exec. Returns only on failure: the name of what failed, with errno set. */
static const char *become_command(const struct run_message *run, const struct account *account, int output,
                                  pid_t parent)
{
    char *argv[LIST_MAX + 2] = {(char *)(uintptr_t)run->path};
    const char *failure = set_descriptors(output);

    for (uint32_t i = 0; i < run->arguments.count; i++)
        argv[i + 1] = (char *)(uintptr_t)run->arguments.items[i];
    umask(077);
    if (failure == NULL && setsid() < 0)
        failure = "setsid";
    if (failure == NULL)
        failure = set_limits();
    if (failure == NULL)
        failure = account_become(account);
    if (failure == NULL)
        failure = die_with(parent);
    if (failure == NULL && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        failure = "prctl(PR_SET_NO_NEW_PRIVS)";
    if (failure != NULL)
        return failure;
    execve(run->path, argv, account->environment);
    return "it cannot be executed";
}

static _Noreturn void run_child(const struct run_message *run, const struct account *account, int output, int report,
                                pid_t parent)
{
    char line[256];
    const char *failure = become_command(run, account, output, parent);
    int length = snprintf(line, sizeof line, "%s: %s", failure, strerrordesc_np(errno));

    /* The exit status says the same, with fewer words. */
    if (length > 0 && write(report, line, (size_t)length) < 0)
        _exit(EXIT_NOT_RUN);
    _exit(EXIT_NOT_RUN);
}

/* A pipe of which the first end alone does not block. */
static bool open_pipe(int ends[2])
{
    return pipe2(ends, O_CLOEXEC) == 0 && fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0;
}

static void close_end(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

bool child_start(struct child *child, const struct run_message *run, const struct account *account)
{
    int output[2] = {-1, -1};
    int report[2] = {-1, -1};
    pid_t self = getpid();

    *child = (struct child){-1, -1, -1, -1};
    if (open_pipe(output) && open_pipe(report))
        child->pid = fork();
    if (child->pid == 0)
        run_child(run, account, output[1], report[1], self);
    if (child->pid > 0)
        child->pidfd = (int)syscall(SYS_pidfd_open, child->pid, 0);
    close_end(&output[1]);
    close_end(&report[1]);
    child->output = output[0];
    child->report = report[0];
    return child->pidfd >= 0;
}

void child_close(struct child *child)
{
    close_end(&child->pidfd);
    close_end(&child->output);
    close_end(&child->report);
}
