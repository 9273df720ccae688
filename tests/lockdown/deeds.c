/*
 * Tries what our programs must not be able to do once they are locked down: deeds HOLD PORT DEED [ARGUMENT]
 *
 * HOLD says what is given up before: a row of `holds`. PORT is that of the endpoint. Says "done", or the errno by name.
 * It is linked with the helper's own lockdown, and is no part of what is installed.
 */
#include "command/confine.h"
#include "helper/lockdown.h"
#include "helper/reach.h"
#include "helper/seccomp.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/if_packet.h>
#include <linux/keyctl.h>
#include <linux/netlink.h>
#include <linux/random.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

/* Files. The argument is a path. */

static int closed(int fd)
{
    return fd < 0 ? -1 : close(fd);
}

static int create(const char *path)
{
    return closed(open(path, O_WRONLY | O_CREAT | O_EXCL, 0600));
}

/* Unlike create(), of a file whose mode allows it. */
static int append(const char *path)
{
    int fd = open(path, O_WRONLY | O_APPEND);
    bool wrote = fd >= 0 && write(fd, "x", 1) == 1;
    int failure = errno;

    closed(fd);
    errno = failure;
    return wrote ? 0 : -1;
}

static int cut(const char *path)
{
    return truncate(path, 0);
}

static int make_folder(const char *path)
{
    return mkdir(path, 0700);
}

static int make_fifo(const char *path)
{
    return mkfifo(path, 0600);
}

static int make_link(const char *path)
{
    return symlink("/", path);
}

static int rename_it(const char *path)
{
    char other[4096];

    snprintf(other, sizeof other, "%s.renamed", path);
    return rename(path, other);
}

static int open_up(const char *path)
{
    return chmod(path, 0777);
}

static int read_it(const char *path)
{
    return closed(open(path, O_RDONLY));
}

static int list(const char *path)
{
    return closed(open(path, O_RDONLY | O_DIRECTORY));
}

static int make_memory_file(const char *ignored)
{
    (void)ignored;
    return closed((int)syscall(SYS_memfd_create, "deeds", 0));
}

/* Which the device grants to everybody. */
static int command_device(const char *path)
{
    int entropy;

    return ioctl(open(path, O_RDONLY), RNDGETENTCNT, &entropy);
}

/* A limit of the size of files counts for what is open already, and comes with a signal. */
static int write_open(const char *ignored)
{
    (void)ignored;
    signal(SIGXFSZ, SIG_IGN);
    return write(STDERR_FILENO, "x", 1) == 1 ? 0 : -1;
}

/* Programs and processes. */

static int execute(const char *ignored)
{
    char *const arguments[] = {(char *)(uintptr_t) "echo", (char *)(uintptr_t) "done", NULL};
    char *const environment[] = {NULL};

    (void)ignored;
    return execve("/bin/echo", arguments, environment);
}

static int execute_at(const char *ignored)
{
    char *const arguments[] = {(char *)(uintptr_t) "echo", (char *)(uintptr_t) "done", NULL};
    char *const environment[] = {NULL};

    (void)ignored;
    return (int)syscall(SYS_execveat, AT_FDCWD, "/bin/echo", arguments, environment, 0);
}

static int ended(pid_t child)
{
    if (child == 0)
        _exit(0);
    /* To wait for it is another matter. */
    return child < 0 ? -1 : 0;
}

static int fork_it(const char *ignored)
{
    (void)ignored;
    return ended((pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL));
}

static int fork_by_clone3(const char *ignored)
{
    uint64_t arguments[8] = {[4] = SIGCHLD};

    (void)ignored;
    return ended((pid_t)syscall(SYS_clone3, arguments, sizeof arguments));
}

static int trace(const char *pid)
{
    return ptrace(PTRACE_SEIZE, atoi(pid), NULL, NULL) < 0 ? -1 : 0;
}

static int read_memory(const char *pid)
{
    char byte;
    struct iovec here = {&byte, 1};
    struct iovec there = {(void *)(uintptr_t)4096, 1};

    /* That address is mapped nowhere, which only who may read is told. */
    return process_vm_readv(atoi(pid), &here, 1, &there, 1, 0) >= 0 || errno == EFAULT ? 0 : -1;
}

static int signal_it(const char *pid)
{
    return kill(atoi(pid), SIGCONT);
}

/* No signal is needed to know whether one may be sent. */
static int signal_thread(const char *pid)
{
    return (int)syscall(SYS_tgkill, atoi(pid), atoi(pid), 0);
}

static int signal_by_socket(const char *pid)
{
    return fcntl(socket(AF_UNIX, SOCK_STREAM, 0), F_SETOWN, atoi(pid));
}

static int trace_me(const char *ignored)
{
    (void)ignored;
    return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static int find_key(const char *name)
{
    return syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, "user", name, 0) < 0 ? -1 : 0;
}

/* To put off the end that it has set itself. */
static int live_on(const char *ignored)
{
    const struct itimerval never = {.it_value = {0}};

    (void)ignored;
    return setitimer(ITIMER_REAL, &never, NULL);
}

/* Rights. */

static int become_root(const char *ignored)
{
    (void)ignored;
    return setresuid(0, 0, 0);
}

/* By the call itself: the C library's would stop short of it. */
static int take_group(const char *ignored)
{
    const gid_t group = 0;

    (void)ignored;
    return (int)syscall(SYS_setgroups, 1, &group);
}

static int raise_limit(const char *ignored)
{
    const struct rlimit more = {1, 1};

    (void)ignored;
    return setrlimit(RLIMIT_CORE, &more);
}

static int become_user_of_namespace(const char *ignored)
{
    (void)ignored;
    return unshare(CLONE_NEWUSER);
}

static int mount_it(const char *path)
{
    return mount("deeds", path, "tmpfs", 0, NULL);
}

static int change_root(const char *path)
{
    return chroot(path);
}

/* Code. */

static int make_code(const char *ignored)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)ignored;
    return page == MAP_FAILED ? -1 : 0;
}

static int turn_into_code(const char *ignored)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)ignored;
    return page == MAP_FAILED ? -1 : mprotect(page, 4096, PROT_READ | PROT_EXEC);
}

/* Sockets. */

static int open_socket(const char *ignored, int family, int type, int protocol)
{
    (void)ignored;
    return closed(socket(family, type, protocol));
}

static int raw(const char *ignored)
{
    return open_socket(ignored, AF_INET, SOCK_RAW, IPPROTO_ICMP);
}

static int packet(const char *ignored)
{
    return open_socket(ignored, AF_PACKET, SOCK_RAW, 0);
}

static int multipath(const char *ignored)
{
    return open_socket(ignored, AF_INET, SOCK_STREAM, IPPROTO_MPTCP);
}

static int kernel_events(const char *ignored)
{
    return open_socket(ignored, AF_NETLINK, SOCK_DGRAM, NETLINK_KOBJECT_UEVENT);
}

static struct sockaddr_in local(const char *port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int bind_port(const char *port)
{
    struct sockaddr_in address = local(port);

    return bind(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&address, sizeof address);
}

static int listen_anywhere(const char *ignored)
{
    (void)ignored;
    return listen(socket(AF_INET, SOCK_STREAM, 0), 1);
}

static int connect_to(const char *port)
{
    struct sockaddr_in address = local(port);

    return connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&address, sizeof address);
}

static int connect_by_sending(const char *port)
{
    struct sockaddr_in address = local(port);

    return sendto(socket(AF_INET, SOCK_STREAM, 0), "x", 1, MSG_FASTOPEN, (struct sockaddr *)&address, sizeof address) <
                   0
               ? -1
               : 0;
}

static int connect_abstract(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(name);

    memcpy(address.sun_path + 1, name, length);
    return connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&address,
                   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length));
}

/* What must go on working. */

static void *note(void *argument)
{
    *(bool *)argument = true;
    return NULL;
}

static int start_thread(const char *ignored)
{
    bool ran = false;
    pthread_t thread;
    int failure = pthread_create(&thread, NULL, note, &ran);

    (void)ignored;
    if (failure == 0)
        failure = pthread_join(thread, NULL);
    errno = failure;
    return failure == 0 && ran ? 0 : -1;
}

/* As a name service is loaded when a name is first looked up. */
static int load(const char *library)
{
    errno = ENOEXEC;
    return dlopen(library, RTLD_NOW) == NULL ? -1 : 0;
}

static const struct {
    const char *name;
    int (*try)(const char *argument);
} deeds[] = {
    {"create", create},
    {"append", append},
    {"cut", cut},
    {"make-folder", make_folder},
    {"make-fifo", make_fifo},
    {"make-link", make_link},
    {"rename", rename_it},
    {"remove", unlink},
    {"chmod", open_up},
    {"read", read_it},
    {"list", list},
    {"make-memory-file", make_memory_file},
    {"command-device", command_device},
    {"write-open", write_open},
    {"execute", execute},
    {"execute-at", execute_at},
    {"fork", fork_it},
    {"fork-by-clone3", fork_by_clone3},
    {"trace", trace},
    {"read-memory", read_memory},
    {"signal", signal_it},
    {"signal-thread", signal_thread},
    {"signal-by-socket", signal_by_socket},
    {"trace-me", trace_me},
    {"live-on", live_on},
    {"find-key", find_key},
    {"become-root", become_root},
    {"take-group", take_group},
    {"raise-limit", raise_limit},
    {"user-namespace", become_user_of_namespace},
    {"mount", mount_it},
    {"chroot", change_root},
    {"make-code", make_code},
    {"turn-into-code", turn_into_code},
    {"raw", raw},
    {"packet", packet},
    {"multipath", multipath},
    {"kernel-events", kernel_events},
    {"bind", bind_port},
    {"listen", listen_anywhere},
    {"connect", connect_to},
    {"connect-by-sending", connect_by_sending},
    {"connect-abstract", connect_abstract},
    {"thread", start_thread},
    {"load", load},
};

/* What is given up. */

static bool nothing(const struct start_message *start, struct result *result)
{
    (void)start;
    (void)result;
    return true;
}

static bool first(const struct start_message *start, struct result *result)
{
    (void)start;
    return lockdown(result);
}

static bool files(const struct start_message *start, struct result *result)
{
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && reach_only(start, result);
}

static bool calls(const struct start_message *start, struct result *result)
{
    (void)start;
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && seccomp_restrict(result);
}

static bool all(const struct start_message *start, struct result *result)
{
    return lockdown(result) && lockdown_for(start, result);
}

static bool command(const struct start_message *start, struct result *result)
{
    (void)start;
    (void)result;
    return confine() == NULL;
}

static const struct {
    const char *name;
    bool (*give_up)(const struct start_message *start, struct result *result);
} holds[] = {
    {"nothing", nothing}, /* a deed that fails even so proves nothing */
    {"first", first},     /* before the configuration is there */
    {"files", files},     /* the reach alone, with all rights of root */
    {"calls", calls},     /* the system calls alone, likewise */
    {"all", all},         /* as in a login */
    {"command", command}, /* pam-cognito-command, with root's rights */
};

static bool hold(const char *name, const char *port)
{
    char endpoint[64];
    struct result result = {.detail = ""};
    struct start_message start = {
        .endpoint = endpoint, .jwks_url = endpoint, .ca_path = "", .ca_file = "", .proxy = ""};

    snprintf(endpoint, sizeof endpoint, "https://localhost:%s", port);
    for (size_t i = 0; i < sizeof holds / sizeof *holds; i++)
        if (strcmp(holds[i].name, name) == 0) {
            bool held = holds[i].give_up(&start, &result);

            fprintf(held ? stdout : stderr, "%s\n", result.detail);
            fflush(stdout);
            return held;
        }
    return false;
}

int main(int argc, char **argv)
{
    if (argc < 4 || !hold(argv[1], argv[2]))
        return 2;
    for (size_t i = 0; i < sizeof deeds / sizeof *deeds; i++)
        if (strcmp(deeds[i].name, argv[3]) == 0) {
            puts(deeds[i].try(argc > 4 ? argv[4] : "") == 0 ? "done" : strerrorname_np(errno));
            return 0;
        }
    return 2;
}
