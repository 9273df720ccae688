/*
 * Loaded before the helper's libraries when callgrind counts its instructions. Callgrind runs inside the process that
 * it watches, and writes down what it has counted when that ends: so nothing is locked here. All that a lockdown
 * consists of is made ready as ever, the last call of each part alone does nothing; and valgrind, which does not know
 * Landlock and seccomp filters, is not asked for them.
 *
 * The helper ends when its peer hangs up, without tearing anything down: in a login it is killed at that point.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXPORTED __attribute__((visibility("default")))

#define PEER             3
#define LANDLOCK_VERSION 6

EXPORTED int seccomp_load(void *filter);

EXPORTED int seccomp_load(void *filter)
{
    (void)filter;
    return 0;
}

/* One that forbids files would forbid callgrind's. */
EXPORTED int setrlimit64(__rlimit_resource_t resource, const struct rlimit64 *limit)
{
    (void)resource;
    (void)limit;
    return 0;
}

EXPORTED int setrlimit(__rlimit_resource_t resource, const struct rlimit *limit)
{
    (void)resource;
    (void)limit;
    return 0;
}

EXPORTED ssize_t recv(int fd, void *bytes, size_t size, int flags)
{
    ssize_t received = recvfrom(fd, bytes, size, flags, NULL, NULL);

    if (fd == PEER && size > 0 && received == 0)
        _exit(0);
    return received;
}

/* What a kernel with both would say. */
static long answer_seccomp(long operation)
{
    if (operation == SECCOMP_GET_ACTION_AVAIL)
        return 0;
    errno = operation == SECCOMP_SET_MODE_STRICT ? EINVAL : EFAULT;
    return -1;
}

EXPORTED long syscall(long number, ...)
{
    long (*next)(long, ...) = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
    long values[6];
    va_list arguments;

    va_start(arguments, number);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        values[i] = va_arg(arguments, long);
    va_end(arguments);
    switch (number) {
    case SYS_landlock_create_ruleset:
        return values[0] == 0 ? LANDLOCK_VERSION : open("/dev/null", O_RDONLY | O_CLOEXEC);
    case SYS_landlock_add_rule:
    case SYS_landlock_restrict_self:
        return 0;
    case SYS_seccomp:
        return answer_seccomp(values[0]);
    default:
        return next(number, values[0], values[1], values[2], values[3], values[4], values[5]);
    }
}
