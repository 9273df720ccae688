/*
 * Wrappers for the C library, by the section LIBC of calls.def.
 */
#include "inject.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libintl.h>
#include <poll.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LIBC(name, value, failures) ROW(name, value, failures)
#define PAM(name, value, failures)
#define CURL(name, value, failures)
#define JSON(name, value, failures)
#define CRYPTO(name, value, failures)
#define SECCOMP(name, value, failures)
#define FREES(name)
#define ALSO(name)
#include "calls.def"

/* An address at which nothing lies: what a function leaves in a variable that it says is undefined. */
#define NOWHERE ((void *)(uintptr_t)0x6b6b6b6b6b68)

/* Memory */

WRAP_TAKEN(void, malloc, (size_t size), (size), "memory")
WRAP_TAKEN(void, calloc, (size_t count, size_t size), (count, size), "memory")
WRAP_TAKEN(char, strdup, (const char *text), (text), "memory")
WRAP_TAKEN(char, strndup, (const char *text, size_t length), (text, length), "memory")
WRAP(void *, mmap, (void *at, size_t size, int protection, int flags, int fd, off_t offset),
     (at, size, protection, flags, fd, offset))
WRAP_GIVEN(free, void)

bool inject_library_fails(void)
{
    const struct board *board = inject_board();
    const struct failure *failure = board == NULL || board->deep == 0 ? NULL : NEXT(library_malloc);

    return failure != NULL && FAIL(library_malloc, failure) == 0;
}

void *__real_realloc(void *memory, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__wrap_realloc(void *memory, size_t size)
{
    const struct failure *failure = NEXT(realloc);

    if (failure != NULL)
        return (void *)FAIL(realloc, failure);
    inject_given(memory);
    return TAKEN(__real_realloc(memory, size), "memory");
}

void *__real_reallocarray(void *memory, size_t count, size_t size);
void *__wrap_reallocarray(void *memory, size_t count, size_t size);
void *__wrap_reallocarray(void *memory, size_t count, size_t size)
{
    const struct failure *failure = NEXT(reallocarray);

    if (failure != NULL)
        return (void *)FAIL(reallocarray, failure);
    inject_given(memory);
    return TAKEN(__real_reallocarray(memory, count, size), "memory");
}

__attribute__((format(printf, 2, 0))) int __real_vasprintf(char **text, const char *format, va_list arguments);
__attribute__((format(printf, 2, 3))) int __wrap_asprintf(char **text, const char *format, ...);
int __wrap_asprintf(char **text, const char *format, ...)
{
    const struct failure *failure = NEXT(asprintf);
    va_list arguments;
    int length;

    if (failure != NULL) {
        *text = NOWHERE;
        return (int)FAIL(asprintf, failure);
    }
    va_start(arguments, format);
    length = __real_vasprintf(text, format, arguments);
    va_end(arguments);
    if (length >= 0)
        TAKEN(*text, "memory");
    return length;
}

__attribute__((format(printf, 2, 0))) int __wrap_vasprintf(char **text, const char *format, va_list arguments);
int __wrap_vasprintf(char **text, const char *format, va_list arguments)
{
    const struct failure *failure = NEXT(vasprintf);
    int length;

    if (failure != NULL) {
        *text = NOWHERE;
        return (int)FAIL(vasprintf, failure);
    }
    length = __real_vasprintf(text, format, arguments);
    if (length >= 0)
        TAKEN(*text, "memory");
    return length;
}

/* Files */

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
    const struct failure *failure = NEXT(open);

    /* Nothing is made by it in the sources: so there is no mode. */
    return failure == NULL ? __real_open(path, flags) : (int)FAIL(open, failure);
}

int __real_openat(int folder, const char *path, int flags, ...);
int __wrap_openat(int folder, const char *path, int flags, ...);
int __wrap_openat(int folder, const char *path, int flags, ...)
{
    const struct failure *failure = NEXT(openat);
    mode_t mode = 0;
    va_list arguments;

    if (failure != NULL)
        return (int)FAIL(openat, failure);
    va_start(arguments, flags);
    if ((flags & O_CREAT) != 0)
        mode = va_arg(arguments, mode_t);
    va_end(arguments);
    return __real_openat(folder, path, flags, mode);
}

WRAP_TAKEN(FILE, fopen, (const char *path, const char *mode), (path, mode), "FILE")

int __real_fclose(FILE *file);
int __wrap_fclose(FILE *file);
int __wrap_fclose(FILE *file)
{
    const struct failure *failure = NEXT(fclose);
    int result = __real_fclose(file);

    inject_given(file);
    return failure == NULL ? result : (int)FAIL(fclose, failure);
}

WRAP(int, fstat, (int fd, struct stat *stat), (fd, stat))
WRAP(ssize_t, write, (int fd, const void *bytes, size_t size), (fd, bytes, size))
WRAP(int, close, (int fd), (fd))
WRAP(int, fchmod, (int fd, mode_t mode), (fd, mode))
WRAP(int, flock, (int fd, int what), (fd, what))
WRAP(int, mkdir, (const char *path, mode_t mode), (path, mode))
WRAP(int, renameat2, (int from, const char *old, int to, const char *new, unsigned int flags),
     (from, old, to, new, flags))
WRAP(int, unlinkat, (int folder, const char *path, int flags), (folder, path, flags))
WRAP(DIR *, fdopendir, (int fd), (fd))
WRAP(DIR *, opendir, (const char *path), (path))
WRAP(ssize_t, readlinkat, (int folder, const char *path, char *target, size_t size), (folder, path, target, size))
WRAP(char *, realpath, (const char *path, char *place), (path, place))
WRAP(struct dirent *, readdir, (DIR * folder), (folder))
WRAP(int, chdir, (const char *path), (path))

ssize_t __real_read(int fd, void *bytes, size_t size);
ssize_t __wrap_read(int fd, void *bytes, size_t size);
ssize_t __wrap_read(int fd, void *bytes, size_t size)
{
    const struct failure *failure = NEXT(read);

    if (failure != NULL && failure->kind == FAILURE_S)
        return __real_read(fd, bytes, size > 0 ? 1 : 0);
    return failure == NULL ? __real_read(fd, bytes, size) : FAIL(read, failure);
}

ssize_t __real_pwrite(int fd, const void *bytes, size_t size, off_t at);
ssize_t __wrap_pwrite(int fd, const void *bytes, size_t size, off_t at);
ssize_t __wrap_pwrite(int fd, const void *bytes, size_t size, off_t at)
{
    const struct failure *failure = NEXT(pwrite);

    if (failure != NULL && failure->kind == FAILURE_S)
        return __real_pwrite(fd, bytes, size > 0 ? 1 : 0, at);
    return failure == NULL ? __real_pwrite(fd, bytes, size, at) : FAIL(pwrite, failure);
}

int __real_fcntl(int fd, int what, ...);
int __wrap_fcntl(int fd, int what, ...);
int __wrap_fcntl(int fd, int what, ...)
{
    const struct failure *failure = NEXT(fcntl);
    va_list arguments;
    int number;

    if (failure != NULL)
        return (int)FAIL(fcntl, failure);
    va_start(arguments, what);
    number = va_arg(arguments, int);
    va_end(arguments);
    return __real_fcntl(fd, what, number);
}

/* Processes */

WRAP(int, socketpair, (int domain, int type, int protocol, int ends[2]), (domain, type, protocol, ends))
WRAP(int, pipe2, (int ends[2], int flags), (ends, flags))
WRAP(pid_t, fork, (void), ())
WRAP(int, execve, (const char *path, char *const argv[], char *const environment[]), (path, argv, environment))
WRAP(pid_t, waitpid, (pid_t pid, int *status, int flags), (pid, status, flags))
WRAP(int, kill, (pid_t pid, int signal), (pid, signal))
WRAP(pid_t, setsid, (void), ())
WRAP(int, dup2, (int fd, int to), (fd, to))
WRAP(int, setrlimit, (int resource, const struct rlimit *limit), (resource, limit))
WRAP(int, clearenv, (void), ())
WRAP(int, nanosleep, (const struct timespec *nap, struct timespec *left), (nap, left))
WRAP(int, sigtimedwait, (const sigset_t *set, siginfo_t *info, const struct timespec *nap), (set, info, nap))

int __real_clone(int (*run)(void *), void *stack, int flags, void *argument, ...);
int __wrap_clone(int (*run)(void *), void *stack, int flags, void *argument, ...);
int __wrap_clone(int (*run)(void *), void *stack, int flags, void *argument, ...)
{
    const struct failure *failure = NEXT(clone);
    va_list arguments;
    int *pidfd = NULL;
    void *tls = NULL;
    pid_t *number = NULL;

    if (failure != NULL)
        return (int)FAIL(clone, failure);
    va_start(arguments, argument);
    if ((flags & CLONE_PIDFD) != 0) {
        pidfd = va_arg(arguments, int *);
        tls = va_arg(arguments, void *);
        number = va_arg(arguments, pid_t *);
    }
    va_end(arguments);
    return __real_clone(run, stack, flags, argument, pidfd, tls, number);
}

int __real_prctl(int what, ...);
int __wrap_prctl(int what, ...);
int __wrap_prctl(int what, ...)
{
    const struct failure *failure = NEXT(prctl);
    unsigned long numbers[4];
    va_list arguments;

    if (failure != NULL)
        return (int)FAIL(prctl, failure);
    va_start(arguments, what);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        numbers[i] = va_arg(arguments, unsigned long);
    va_end(arguments);
    return __real_prctl(what, numbers[0], numbers[1], numbers[2], numbers[3]);
}

/* A signal that ends a program is held back where the test wants to see how it ends by itself. */
static bool is_held_back(long number)
{
    const struct board *board = inject_board();

    return number == SYS_pidfd_send_signal && board != NULL && board->lenient != 0;
}

/* `first` is the call's first argument. */
static const struct row *row_of(long number, long first)
{
    switch (number) {
    case SYS_close_range:
        return &row_close_range;
    case SYS_pidfd_open:
        return &row_pidfd_open;
    case SYS_pidfd_send_signal:
        return &row_pidfd_send_signal;
    case SYS_landlock_create_ruleset:
        /* Without attributes it asks for the version. */
        return first == 0 ? &row_landlock_abi : &row_landlock_create_ruleset;
    case SYS_landlock_add_rule:
        return &row_landlock_add_rule;
    case SYS_capget:
        return &row_capget;
    case SYS_capset:
        return &row_capset;
    case SYS_keyctl:
        return &row_keyctl;
    case SYS_seccomp:
        return &row_seccomp_in_kernel;
    case SYS_landlock_restrict_self:
        return &row_landlock_restrict_self;
    case SYS_setresuid:
        return &row_raw_setresuid;
    case SYS_setresgid:
        return &row_raw_setresgid;
    default:
        return NULL;
    }
}

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);
long __wrap_syscall(long number, ...)
{
    const struct failure *failure = NULL;
    const struct row *row;
    long numbers[6];
    va_list arguments;

    va_start(arguments, number);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        numbers[i] = va_arg(arguments, long);
    va_end(arguments);
    row = row_of(number, numbers[0]);
    if (row != NULL)
        failure = inject_next(row, __builtin_frame_address(0));
    if (failure != NULL)
        return inject_fail(row, failure);
    if (is_held_back(number))
        return 0;
    return __real_syscall(number, numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5]);
}

/* Sockets */

WRAP(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags), (fd, message, flags))
WRAP(int, poll, (struct pollfd * polled, nfds_t count, int ms), (polled, count, ms))
WRAP(int, shutdown, (int fd, int how), (fd, how))
WRAP(int, getpeername, (int fd, struct sockaddr *address, socklen_t *size), (fd, address, size))
WRAP(int, getsockopt, (int fd, int level, int name, void *value, socklen_t *size), (fd, level, name, value, size))

ssize_t __real_recvmsg(int fd, struct msghdr *message, int flags);
ssize_t __wrap_recvmsg(int fd, struct msghdr *message, int flags);
ssize_t __wrap_recvmsg(int fd, struct msghdr *message, int flags)
{
    const struct failure *failure = NEXT(recvmsg);

    if (failure != NULL && failure->kind == FAILURE_X)
        message->msg_controllen = 0;
    else if (failure != NULL)
        return FAIL(recvmsg, failure);
    return __real_recvmsg(fd, message, flags);
}

ssize_t __real_send(int fd, const void *bytes, size_t size, int flags);
ssize_t __wrap_send(int fd, const void *bytes, size_t size, int flags);
ssize_t __wrap_send(int fd, const void *bytes, size_t size, int flags)
{
    const struct failure *failure = NEXT(send);

    if (failure != NULL && failure->kind == FAILURE_S)
        return __real_send(fd, bytes, size > 0 ? 1 : 0, flags);
    return failure == NULL ? __real_send(fd, bytes, size, flags) : FAIL(send, failure);
}

ssize_t __real_recv(int fd, void *bytes, size_t size, int flags);
ssize_t __wrap_recv(int fd, void *bytes, size_t size, int flags);
ssize_t __wrap_recv(int fd, void *bytes, size_t size, int flags)
{
    const struct failure *failure = NEXT(recv);

    if (failure != NULL && failure->kind == FAILURE_S)
        return __real_recv(fd, bytes, size > 0 ? 1 : 0, flags);
    return failure == NULL ? __real_recv(fd, bytes, size, flags) : FAIL(recv, failure);
}

/* Who is who */

WRAP(int, setresuid, (uid_t real, uid_t effective, uid_t saved), (real, effective, saved))
WRAP(int, setresgid, (gid_t real, gid_t effective, gid_t saved), (real, effective, saved))
WRAP(int, setgroups, (size_t count, const gid_t *groups), (count, groups))
WRAP(int, getresuid, (uid_t * real, uid_t *effective, uid_t *saved), (real, effective, saved))
WRAP(int, getresgid, (gid_t * real, gid_t *effective, gid_t *saved), (real, effective, saved))
WRAP(int, getgroups, (int size, gid_t *groups), (size, groups))
WRAP(struct passwd *, getpwnam, (const char *name), (name))

int __real_getpwnam_r(const char *name, struct passwd *user, char *buffer, size_t size, struct passwd **found);
int __wrap_getpwnam_r(const char *name, struct passwd *user, char *buffer, size_t size, struct passwd **found);
int __wrap_getpwnam_r(const char *name, struct passwd *user, char *buffer, size_t size, struct passwd **found)
{
    const struct failure *failure = NEXT(getpwnam_r);

    if (failure == NULL)
        return __real_getpwnam_r(name, user, buffer, size, found);
    *found = NULL;
    return failure->number;
}

int __real_getgrnam_r(const char *name, struct group *group, char *buffer, size_t size, struct group **found);
int __wrap_getgrnam_r(const char *name, struct group *group, char *buffer, size_t size, struct group **found);
int __wrap_getgrnam_r(const char *name, struct group *group, char *buffer, size_t size, struct group **found)
{
    const struct failure *failure = NEXT(getgrnam_r);

    if (failure == NULL)
        return __real_getgrnam_r(name, group, buffer, size, found);
    *found = NULL;
    return failure->number;
}

/* There are more groups than there is room, once. */
int __real_getgrouplist(const char *user, gid_t group, gid_t *groups, int *count);
int __wrap_getgrouplist(const char *user, gid_t group, gid_t *groups, int *count);
int __wrap_getgrouplist(const char *user, gid_t group, gid_t *groups, int *count)
{
    if (NEXT(getgrouplist) == NULL)
        return __real_getgrouplist(user, group, groups, count);
    ++*count;
    return -1;
}

/* And else */

WRAP(int, gethostname, (char *name, size_t size), (name, size))
WRAP(ssize_t, getrandom, (void *bytes, size_t size, unsigned int flags), (bytes, size, flags))
WRAP(int, getentropy, (void *bytes, size_t size), (bytes, size))
WRAP(struct tm *, gmtime_r, (const time_t *time, struct tm *out), (time, out))
WRAP(char *, bindtextdomain, (const char *domain, const char *folder), (domain, folder))

/* From this call on, so many seconds have passed at once, as when the process was stopped. */
int __real_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
    const struct failure *failure = NEXT(clock_gettime);
    int result = __real_clock_gettime(clock, now);

    now->tv_sec += inject_later(failure == NULL ? 0 : failure->number);
    return result;
}
