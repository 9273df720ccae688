#include "module/spawn.h"

#include "common/deadline.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * The host must get no SIGCHLD, and must not find a child of ours when it waits for its own. A child whose exit signal
 * is 0 is seen only by waits with
 * __WCLONE and signals nobody; but exec gives a process SIGCHLD as its exit signal again. So there are two: the host
 * clones the starter, with exit signal 0; the starter clones the helper, sends the host a pidfd of it and ends; the
 * host waits for the starter alone. The helper's parent is then init. Both clones share the host's memory until they
 * exec or end, as after vfork(2): a large host does not pay for its size, and nothing that they call may allocate or
 * lock.
 */

/* Nobody returns from the bottom of such a stack, so what an address sanitizer marks there would stay marked, and the
 * next one may lie in the same place. */
#define ON_OWN_STACK __attribute__((no_sanitize("address")))

#define STACK_SIZE    (32 * 1024)
#define HELPER_SOCKET 3

struct start {
    const char *path;
    char *name;    /* its argv[0] */
    int near, far; /* the host's and the helper's end of the socket */
    int report;    /* the helper-to-be writes an errno here when it fails; exec closes it */
    char *helper_stack;
    int presence; /* nobody reads or writes here; what runs in the host's memory has it open, and exec closes it */
    volatile bool ended;   /* the starter came to its end by itself */
    volatile pid_t helper; /* from the moment on at which it runs at all */
};

/* The kernel's own form of a default action, which is all zeros, and longer than any architecture's. */
static const unsigned long default_action[16];

/* Everything that a process inherits and the helper must not: dispositions, mask, session, descriptors. True when all
 * of it is done. */
ON_OWN_STACK static bool shed_inheritance(struct start *start)
{
    sigset_t none;
    int null;

    /* Not by sigaction(3), which refuses the two signals that the C library keeps for itself: they may be ignored too.
     */
    for (int signal = 1; signal < NSIG; signal++)
        syscall(SYS_rt_sigaction, signal, default_action, NULL, _NSIG / 8);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setsid();
    /* All four go out of the way of 0 to 3 first: in a host with few descriptors open they may be among these. */
    start->report = fcntl(start->report, F_DUPFD_CLOEXEC, HELPER_SOCKET + 1);
    start->presence = fcntl(start->presence, F_DUPFD_CLOEXEC, HELPER_SOCKET + 1);
    start->far = fcntl(start->far, F_DUPFD_CLOEXEC, HELPER_SOCKET + 1);
    null = fcntl(open("/dev/null", O_RDWR), F_DUPFD_CLOEXEC, HELPER_SOCKET + 1);
    if (dup2(start->far, HELPER_SOCKET) < 0)
        return false;
    for (int fd = 0; fd < HELPER_SOCKET; fd++)
        if (dup2(null, fd) < 0)
            return false;
    return syscall(SYS_close_range, HELPER_SOCKET + 1, ~0U, CLOSE_RANGE_CLOEXEC) == 0;
}

/* Runs in the helper-to-be, with a copy of the host's descriptors. */
ON_OWN_STACK static int become_helper(void *argument)
{
    struct start start = *(const struct start *)argument;
    char *const argv[] = {start.name, NULL};
    char *const environment[] = {NULL};
    int failure;

    if (shed_inheritance(&start))
        execve(start.path, argv, environment);
    failure = errno;
    return write(start.report, &failure, sizeof failure) < 0;
}

ON_OWN_STACK static bool send_descriptor(int socket, int fd)
{
    char byte = 0;
    struct iovec io = {.iov_base = &byte, .iov_len = 1};
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof fd)];
    } control = {0};
    struct msghdr message = {
        .msg_iov = &io, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};

    control.header.cmsg_len = CMSG_LEN(sizeof fd);
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
    return sendmsg(socket, &message, MSG_NOSIGNAL) == 1;
}

static int receive_descriptor(int socket)
{
    char byte;
    struct iovec io = {.iov_base = &byte, .iov_len = 1};
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct msghdr message = {
        .msg_iov = &io, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    int fd = -1;

    if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT) != 1)
        return -1;
    if (message.msg_controllen >= CMSG_LEN(sizeof fd) && control.header.cmsg_type == SCM_RIGHTS)
        memcpy(&fd, CMSG_DATA(&control.header), sizeof fd);
    else
        errno = EPROTO;
    return fd;
}

/* A real or saved id of the caller, as under su, would let him signal and inspect the helper until it has dropped its
 * own. And it would let him stop the helper-to-be and kill the starter: the host would go on, and take away the stack
 * on which the other one, woken, runs with root's rights. So the first of the two sheds them, before there is a second.
 * The system calls themselves, because the C library's functions would change the host's other threads too. */
ON_OWN_STACK static bool shed_ids(void)
{
    uid_t uid = geteuid();
    gid_t gid = getegid();

    return syscall(SYS_setresgid, gid, gid, gid) == 0 && syscall(SYS_setresuid, uid, uid, uid) == 0;
}

/* Starts the helper and sends its pidfd. 0 or an errno. */
ON_OWN_STACK static int start_helper(struct start *start)
{
    const int flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | CLONE_CHILD_SETTID;
    int report[2];
    int failure = 0;
    int pidfd = -1;
    ssize_t got;

    if (!shed_ids() || pipe2(report, O_CLOEXEC) != 0)
        return errno;
    start->report = report[1];
    if (clone(become_helper, start->helper_stack + STACK_SIZE, flags, start, &pidfd, NULL, &start->helper) < 0)
        return errno;
    close(report[1]);
    /* The end of the file without an errno: exec has closed the other end. */
    do
        got = read(report[0], &failure, sizeof failure);
    while (got < 0 && errno == EINTR);
    if (got != 0)
        return failure != 0 ? failure : EIO;
    /* The helper writes nothing until it is asked, so this is the first thing that the host reads. */
    return send_descriptor(start->far, pidfd) ? 0 : errno;
}

/* Runs in the starter. */
ON_OWN_STACK static int run_starter(void *argument)
{
    struct start *start = argument;
    int failure = start_helper(start);

    start->ended = true;
    return failure;
}

static bool is_gone(int presence, int patience)
{
    return deadline_poll(presence, POLLIN, deadline_in(patience));
}

/* The starter was killed. What it had started may still run in the host's memory, on a stack that is about to go, with
 * code that may be unloaded next; even stopped, for its caller's control group has a freezer. So it has to end first.
 * `presence`: the end that hears of it. */
static void end_helper_to_be(const struct start *start, int presence)
{
    while (!is_gone(presence, 1)) {
        pid_t helper = start->helper;
        int pidfd = helper == 0 ? -1 : (int)syscall(SYS_pidfd_open, helper, 0);

        /* Still there, so the number was its own. */
        if (pidfd >= 0 && !is_gone(presence, 0))
            syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
        if (pidfd >= 0)
            close(pidfd);
    }
}

/* Waits for the starter, which has ended when clone() returns. Its status is lost only when the host waits for all
 * children of every kind. */
static int starter_errno(pid_t starter)
{
    int status = 0;

    while (waitpid(starter, &status, __WCLONE) < 0) {
        if (errno == ECHILD)
            return 0;
        if (errno != EINTR)
            return errno;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD;
}

/* 0 or an errno, and nothing runs in the host's memory any more. `presence`: as above; the other end is start's. */
static int run_processes(struct start *start, char *stacks, int presence)
{
    sigset_t all, before;
    pid_t starter;
    int failure;

    start->helper_stack = stacks + STACK_SIZE;
    /* A handler of the host must not run in a process that shares its memory. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    starter = clone(run_starter, stacks + STACK_SIZE, CLONE_VM | CLONE_VFORK, start);
    failure = starter < 0 ? errno : starter_errno(starter);
    close(start->presence);
    if (starter >= 0 && !start->ended)
        end_helper_to_be(start, presence);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failure;
}

static bool start_processes(struct start *start, struct process *process)
{
    const size_t size = 2 * STACK_SIZE;
    char *stacks = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    int presence[2];
    int failure;

    if (stacks == MAP_FAILED)
        return false;
    if (pipe2(presence, O_CLOEXEC) == 0) {
        start->presence = presence[1];
        failure = run_processes(start, stacks, presence[0]);
        close(presence[0]);
    } else {
        failure = errno;
    }
    munmap(stacks, size);
    if (failure != 0) {
        errno = failure;
        return false;
    }
    process->pidfd = receive_descriptor(start->near);
    return process->pidfd >= 0;
}

bool spawn(const char *path, struct process *process)
{
    struct start start = {.path = path, .name = (char *)(uintptr_t)(strrchr(path, '/') + 1)};
    int ends[2];
    bool started;
    int failure;

    *process = (struct process){-1, -1};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
        return false;
    start.near = ends[0];
    start.far = ends[1];
    started = start_processes(&start, process);
    failure = errno;
    close(start.far);
    if (started)
        process->socket = start.near;
    else
        close(start.near);
    errno = failure;
    return started;
}
