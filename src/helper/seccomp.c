#include "helper/seccomp.h"

#ifndef HAVE_LIBSECCOMP

const char *seccomp_missing(void)
{
    return "not-built";
}

bool seccomp_restrict(struct result *result)
{
    (void)result;
    return true;
}

#else

#include "common/sanitizer.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * Three answers. What the tables below allow goes on. What nothing in the helper does, and only a stranger's code in it
 * would, ends the process at once: start a program, be another process, look into one. All else answers ENOSYS, as a
 * kernel would that does not have the call: libraries know what to do then, also those of next year, who try a newer
 * call first. To end the process there would turn an unforeseen call of a name service into logins that fail without a
 * reason.
 *
 * By name and not by number, for every architecture; a name that this libseccomp does not know is left out. Sources:
 * seccomp(2), syscalls(2), the man pages of each call; strace of logins, of name look-ups and of threads; glibc's and
 * musl's resolvers.
 */

/* clang-format off */

/* Without a look at the arguments. */
static const char *const allowed[] = {
    /* memory */
    "brk", "madvise", "mremap", "munmap",
    /* threads */
    "exit", "exit_group", "futex", "futex_time64", "get_robust_list", "getcpu", "getpid", "gettid", "membarrier", "rseq",
    "sched_getaffinity", "sched_yield", "set_robust_list", "set_tid_address",
    /* signals to oneself, and probes that an administrator's tracer puts into libraries */
    "restart_syscall", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "sigreturn", "uprobe", "uretprobe",
    /* time */
    "clock_getres", "clock_getres_time64", "clock_gettime", "clock_gettime64", "clock_nanosleep", "clock_nanosleep_time64",
    "getrusage", "gettimeofday", "nanosleep", "time", "times",
    /* what is open */
    "_llseek", "_newselect", "close", "dup", "dup2", "dup3", "epoll_create", "epoll_create1", "epoll_ctl", "epoll_pwait",
    "epoll_pwait2", "epoll_wait", "eventfd2", "lseek", "pipe", "pipe2", "poll", "ppoll", "ppoll_time64", "pread64",
    "pselect6", "pselect6_time64", "read", "readv", "select", "write", "writev",
    /* files, to be looked at */
    "access", "faccessat", "faccessat2", "fstat", "fstat64", "fstatat64", "fstatfs", "fstatfs64", "getcwd", "getdents",
    "getdents64", "lstat", "lstat64", "newfstatat", "readlink", "readlinkat", "stat", "stat64", "statfs", "statfs64",
    "statx",
    /* sockets: netlink's have to be bound, and some resolvers' datagrams are; none can listen */
    "bind", "connect", "getpeername", "getsockname", "getsockopt", "recv", "recvfrom", "recvmmsg", "recvmmsg_time64",
    "recvmsg", "send", "setsockopt", "shutdown",
    /* who and where this is */
    "capget", "getegid", "getegid32", "geteuid", "geteuid32", "getgid", "getgid32", "getgroups", "getgroups32", "getppid",
    "getresgid", "getresgid32", "getresuid", "getresuid32", "getrlimit", "getuid", "getuid32", "sysinfo", "ugetrlimit",
    "uname",
    /* random numbers */
    "getrandom",
#if UNDER_SANITIZER
    /* the leak checker stops the process and reads it, from a process of its own */
    "clone", "kill", "prctl", "prlimit64", "process_vm_readv", "ptrace", "tgkill", "wait4",
#endif
};

/* Allowed when this part of an argument has this value. */
struct test {
    unsigned int argument;
    uint64_t mask, value;
};

#define TESTS_MOST 3

struct rule {
    const char *name;
    struct test tests[TESTS_MOST]; /* all of them; a mask of 0 ends them */
};

/* An int comes in a register of twice its width, and nobody promises what is in the rest. */
#define IS(argument, value)          {argument, UINT32_MAX, (uint32_t)(value)}
#define HAS_NONE(argument, bits)     {argument, (uint32_t)(bits), 0}
#define AMONG(argument, bits, value) {argument, (uint32_t)(bits), (uint32_t)(value)}
#define IS_NULL(argument)            {argument, UINT64_MAX, 0}
#define ALWAYS                       {{0}}

/* SOCK_NONBLOCK and SOCK_CLOEXEC come with the type. */
#define TYPE(type) AMONG(1, ~(SOCK_NONBLOCK | SOCK_CLOEXEC), type)

#define CHANGING (O_ACCMODE | O_CREAT | O_TRUNC)

#define NAMESPACES \
    (CLONE_NEWCGROUP | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUSER | CLONE_NEWUTS)

/* There, the arguments of clone(2) come in another order, and those of mmap(2) in memory, which a filter cannot read. */
#if defined(__s390__) || defined(__s390x__)
#define CLONE_FLAGS 1
#define IN_MEMORY(...) ALWAYS
#else
#define CLONE_FLAGS 0
#define IN_MEMORY(...) __VA_ARGS__
#endif

static const struct rule conditional[] = {
    /* A thread. glibc tries clone3 first, of which a filter sees nothing. */
    {"clone", {AMONG(CLONE_FLAGS, CLONE_THREAD | NAMESPACES, CLONE_THREAD)}},

    /* Code comes from files alone, and no file can be written: a name service that is loaded late is welcome, and what
     * was put into memory is not. */
    {"mmap", IN_MEMORY({HAS_NONE(2, PROT_EXEC)})},
    {"mmap", IN_MEMORY({AMONG(2, PROT_EXEC | PROT_WRITE, PROT_EXEC), HAS_NONE(3, MAP_ANONYMOUS)})},
    {"mmap2", {HAS_NONE(2, PROT_EXEC)}},
    {"mmap2", {AMONG(2, PROT_EXEC | PROT_WRITE, PROT_EXEC), HAS_NONE(3, MAP_ANONYMOUS)}},
    {"mprotect", {HAS_NONE(2, PROT_EXEC)}},

    /* Files are opened to be read. */
    {"open", {HAS_NONE(1, CHANGING)}},
    {"openat", {HAS_NONE(2, CHANGING)}},

    /* TCP, UDP, UNIX sockets, and the kernel's list of addresses: no other protocol, which would go round the ports that
     * are left (multipath TCP does), and nothing raw. */
    {"socket", {IS(0, AF_UNIX)}},
    {"socket", {IS(0, AF_INET), TYPE(SOCK_STREAM), IS(2, 0)}},
    {"socket", {IS(0, AF_INET), TYPE(SOCK_STREAM), IS(2, IPPROTO_TCP)}},
    {"socket", {IS(0, AF_INET), TYPE(SOCK_DGRAM), IS(2, 0)}},
    {"socket", {IS(0, AF_INET), TYPE(SOCK_DGRAM), IS(2, IPPROTO_UDP)}},
    {"socket", {IS(0, AF_INET6), TYPE(SOCK_STREAM), IS(2, 0)}},
    {"socket", {IS(0, AF_INET6), TYPE(SOCK_STREAM), IS(2, IPPROTO_TCP)}},
    {"socket", {IS(0, AF_INET6), TYPE(SOCK_DGRAM), IS(2, 0)}},
    {"socket", {IS(0, AF_INET6), TYPE(SOCK_DGRAM), IS(2, IPPROTO_UDP)}},
    {"socket", {IS(0, AF_NETLINK), IS(2, NETLINK_ROUTE)}},
    {"socketpair", {IS(0, AF_UNIX)}},

    /* MSG_FASTOPEN connects a socket, past whatever watches over connect(2). */
    {"sendto", {HAS_NONE(3, MSG_FASTOPEN)}},
    {"sendmsg", {HAS_NONE(2, MSG_FASTOPEN)}},
    {"sendmmsg", {HAS_NONE(3, MSG_FASTOPEN)}},

    /* Not F_SETOWN, which has the kernel signal others. */
    {"fcntl", {IS(1, F_DUPFD)}},
    {"fcntl", {IS(1, F_DUPFD_CLOEXEC)}},
    {"fcntl", {IS(1, F_GETFD)}},
    {"fcntl", {IS(1, F_SETFD)}},
    {"fcntl", {IS(1, F_GETFL)}},
    {"fcntl", {IS(1, F_SETFL)}},
    {"fcntl64", {IS(1, F_DUPFD)}},
    {"fcntl64", {IS(1, F_DUPFD_CLOEXEC)}},
    {"fcntl64", {IS(1, F_GETFD)}},
    {"fcntl64", {IS(1, F_SETFD)}},
    {"fcntl64", {IS(1, F_GETFL)}},
    {"fcntl64", {IS(1, F_SETFL)}},
    {"ioctl", {IS(1, FIONREAD)}},
    {"ioctl", {IS(1, FIONBIO)}},
    {"ioctl", {IS(1, SIOCGIFINDEX)}},
    {"ioctl", {IS(1, SIOCGIFNAME)}},
    {"ioctl", {IS(1, TCGETS)}},

#if !UNDER_SANITIZER
    /* Limits are asked for, not set. */
    {"prlimit64", {IS(0, 0), IS_NULL(2)}},
    {"prctl", {IS(0, PR_SET_NAME)}},
    {"prctl", {IS(0, PR_GET_NAME)}},
    {"prctl", {IS(0, PR_CAPBSET_READ)}},
    {"prctl", {IS(0, 0x53564d41 /* PR_SET_VMA: names for memory */)}},
#endif
};

/* What ends the process. */
#if !UNDER_SANITIZER
static const struct rule deadly[] = {
    {"execve", ALWAYS},
    {"execveat", ALWAYS},
    {"fork", ALWAYS},
    {"vfork", ALWAYS},
    {"clone", {HAS_NONE(CLONE_FLAGS, CLONE_THREAD)}},
    {"ptrace", ALWAYS},
    {"process_vm_readv", ALWAYS},
    {"process_vm_writev", ALWAYS},
};
#endif

/* clang-format on */

/* The kernel asks a filter about each call there is when it takes it: a tree answers in half the time. */
#define AS_A_TREE 2

const char *seccomp_missing(void)
{
    /* A kernel that takes filters looks for this one, at no address, and says EFAULT. (To ask for its actions would be
     * plainer, and is what gVisor does not answer although it takes filters.) */
    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, NULL);
    return errno == EFAULT ? NULL : "not-in-kernel";
}

/* 0, or an errno with a minus. */
static int add(scmp_filter_ctx filter, uint32_t action, const struct rule *rule)
{
    int number = seccomp_syscall_resolve_name(rule->name);
    struct scmp_arg_cmp comparisons[TESTS_MOST];
    unsigned int count = 0;

    if (number == __NR_SCMP_ERROR)
        return 0;
    for (; count < TESTS_MOST && rule->tests[count].mask != 0; count++) {
        const struct test *test = &rule->tests[count];

        comparisons[count] =
            (struct scmp_arg_cmp){test->argument, SCMP_CMP_MASKED_EQ, test->mask, test->value & test->mask};
    }
    return seccomp_rule_add_array(filter, action, number, count, comparisons);
}

static int add_all(scmp_filter_ctx filter)
{
    const struct rule own_signals = {"tgkill", {IS(0, getpid())}};
    int failure = UNDER_SANITIZER ? 0 : add(filter, SCMP_ACT_ALLOW, &own_signals);

    for (size_t i = 0; failure == 0 && i < sizeof allowed / sizeof *allowed; i++)
        failure = add(filter, SCMP_ACT_ALLOW, &(struct rule){.name = allowed[i]});
    for (size_t i = 0; failure == 0 && i < sizeof conditional / sizeof *conditional; i++)
        failure = add(filter, SCMP_ACT_ALLOW, &conditional[i]);
    return failure;
}

/* What it takes to end the whole process came with Linux 4.14, and others' kernels (gVisor) have not all of it: there,
 * these calls are answered like those that are merely unknown. */
static int add_deadly(scmp_filter_ctx filter)
{
    int failure = 0;

    if (seccomp_api_get() < 3)
        return 0;
    failure = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
#if !UNDER_SANITIZER
    for (size_t i = 0; failure == 0 && i < sizeof deadly / sizeof *deadly; i++)
        failure = add(filter, SCMP_ACT_KILL_PROCESS, &deadly[i]);
#endif
    return failure;
}

bool seccomp_restrict(struct result *result)
{
    scmp_filter_ctx filter;
    int failure;

    if (seccomp_missing() != NULL)
        return true;
    filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    if (filter == NULL)
        return result_fail(result, ERR_HELPER, "seccomp_init: out of memory");
    failure = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    if (failure == 0)
        failure = seccomp_attr_set(filter, SCMP_FLTATR_API_SYSRAWRC, 1);
    if (failure == 0)
        failure = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, AS_A_TREE);
    if (failure == 0)
        failure = add_all(filter);
    if (failure == 0)
        failure = add_deadly(filter);
    if (failure == 0)
        failure = seccomp_load(filter);
    seccomp_release(filter);
    return failure == 0 || result_fail(result, ERR_HELPER, "seccomp: %s", strerror(-failure));
}

#endif
