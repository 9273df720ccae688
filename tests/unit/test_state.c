/*
 * The send budget and what is remembered, below a directory of the test's own: many processes, processes that are
 * killed before and after each system call, damaged files, a full disk, clocks. The sources are part of this program,
 * so that it can stand between them and the system.
 */
#include "common/compat.h"
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define HOUR 3600

static char base[] = "/tmp/test_state.XXXXXX";
static char dir[64];

static int64_t clock_offset; /* seconds */
static long calls, die_at;   /* system calls so far, and at which to be killed; 0: at none */
static long acts, fail_at;   /* likewise, and which of them fails, with fail_with */
static int fail_with;
static uid_t euid;
static const char *boot_id_file;

/* One in two steps comes before a call, the other after it. */
static void step(void)
{
    if (++calls == die_at)
        raise(SIGKILL);
}

#define FAILING(call) (++acts == fail_at ? (errno = fail_with, -1) : (call))

#define BETWEEN(type, call)                                                                                            \
    type result_;                                                                                                      \
    step();                                                                                                            \
    result_ = FAILING(call);                                                                                           \
    step();                                                                                                            \
    return result_

static int test_openat(int at, const char *name, int flags, mode_t mode)
{
    BETWEEN(int, openat(at, name, flags, mode));
}

static int test_open(const char *path, int flags)
{
    if (boot_id_file != NULL && strcmp(path, "/proc/sys/kernel/random/boot_id") == 0)
        path = boot_id_file;
    BETWEEN(int, open(path, flags));
}

static int test_mkdir(const char *path, mode_t mode)
{
    BETWEEN(int, mkdir(path, mode));
}

static int test_fchmod(int fd, mode_t mode)
{
    BETWEEN(int, fchmod(fd, mode));
}

static int test_flock(int fd, int what)
{
    BETWEEN(int, flock(fd, what));
}

static ssize_t test_pwrite(int fd, const void *bytes, size_t length, off_t at)
{
    BETWEEN(ssize_t, pwrite(fd, bytes, length, at));
}

static int test_renameat2(int from, const char *old, int to, const char *name, unsigned int flags)
{
    BETWEEN(int, renameat2(from, old, to, name, flags));
}

static int test_unlinkat(int at, const char *name, int flags)
{
    BETWEEN(int, unlinkat(at, name, flags));
}

static int test_fstat(int fd, struct stat *stat)
{
    return FAILING(fstat(fd, stat));
}

static ssize_t test_read(int fd, void *bytes, size_t size)
{
    return FAILING(read(fd, bytes, size));
}

static int test_getrlimit(int resource, struct rlimit *limit)
{
    return FAILING(getrlimit(resource, limit));
}

static int test_clock_gettime(clockid_t clock, struct timespec *now)
{
    int result = clock_gettime(clock, now);

    if (clock == CLOCK_BOOTTIME)
        now->tv_sec += 100 * HOUR + clock_offset;
    return result;
}

static uid_t test_geteuid(void)
{
    return euid;
}

#define STATE_DIR                   dir
#define PICK(a, b, c, d, name, ...) name
#define open(...)                   test_open(__VA_ARGS__)
#define openat4(at, name, flags, m) test_openat(at, name, flags, m)
#define openat3(at, name, flags)    test_openat(at, name, flags, 0)
#define openat(...)                 PICK(__VA_ARGS__, openat4, openat3)(__VA_ARGS__)
#define mkdir                       test_mkdir
#define fchmod                      test_fchmod
#define flock(fd, what)             test_flock(fd, what)
#define pwrite                      test_pwrite
#define renameat2                   test_renameat2
#define unlinkat                    test_unlinkat
#define fstat(fd, stat)             test_fstat(fd, stat)
#define read                        test_read
#define getrlimit(resource, limit)  test_getrlimit(resource, limit)
#define clock_gettime               test_clock_gettime
#define geteuid                     test_geteuid

/* clang-format off */
#include "module/state.c"
#undef PREFIX
#include "module/budget.c"
#undef PREFIX
#include "module/remember.c"
/* clang-format on */

#undef open
#undef openat
#undef mkdir
#undef fchmod
#undef flock
#undef pwrite
#undef renameat2
#undef unlinkat
#undef fstat
#undef read
#undef getrlimit
#undef clock_gettime
#undef geteuid

/* A login owns its strings; these it only borrows, and nobody writes to them. */
static char *text(const char *string)
{
    return (char *)(uintptr_t)string;
}

/* A login of alice, from a host, with 5 codes an hour and 10 minutes without one. */
static struct login a_login(void)
{
    return (struct login){
        .user = text("alice"),
        .service = text("sshd"),
        .ruser = text(""),
        .rhost = text("192.0.2.7"),
        .tty = text("ssh"),
        .attribute = "email",
        .options = {.user_pool_id = text("eu-central-1_Test"), .send_limit = 5, .remember = 600},
    };
}

static struct login login;

static const char *path_of(const char *name)
{
    static char path[NAME_MAX + sizeof dir + 1];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

/* Calls `visit` for each file, and returns how many there are. */
static int files(void (*visit)(const char *path))
{
    DIR *list = opendir(dir);
    const struct dirent *entry;
    int count_ = 0;

    if (list == NULL)
        return 0;
    while ((entry = readdir(list)) != NULL)
        if (*entry->d_name != '.') {
            count_++;
            if (visit != NULL)
                visit(path_of(entry->d_name));
        }
    closedir(list);
    return count_;
}

static void remove_path(const char *path)
{
    if (unlink(path) != 0)
        assert_int_equal(rmdir(path), 0);
}

/* Whatever lay there, the next login finds nothing. */
static void empty(void)
{
    struct stat stat;

    if (lstat(dir, &stat) != 0)
        return;
    if (S_ISDIR(stat.st_mode)) {
        files(remove_path);
        assert_int_equal(rmdir(dir), 0);
    } else {
        assert_int_equal(unlink(dir), 0);
    }
}

static int set_up(void **state)
{
    (void)state;
    empty();
    login = a_login();
    clock_offset = 0;
    calls = die_at = 0;
    acts = fail_at = 0;
    euid = 0;
    boot_id_file = NULL;
    return 0;
}

static void need_root(void)
{
    if (geteuid() != 0) {
        print_message("the state is root's: this test needs root\n");
        skip();
    }
}

static enum error take_alice(void)
{
    *login.detail = '\0';
    return budget_take(&login, "alice");
}

/* How many codes alice has left; they are gone then. */
static unsigned int left(void)
{
    unsigned int taken = 0;

    while (take_alice() == ERR_NONE)
        taken++;
    return taken;
}

static const char *budget_file(void)
{
    static char path[NAME_MAX + sizeof dir + 1];

    snprintf(path, sizeof path, "%s/sends-eu-central-1_Test,alice", dir);
    return path;
}

static const char *remember_file(void)
{
    static char path[NAME_MAX + sizeof dir + 1];

    snprintf(path, sizeof path, "%s/remember-alice,sshd,rhost,192.0.2.7", dir);
    return path;
}

static size_t load(const char *path, unsigned char *bytes, size_t size)
{
    int fd = open(path, O_RDONLY);
    ssize_t got = read(fd, bytes, size);

    assert_true(fd >= 0 && got >= 0);
    close(fd);
    return (size_t)got;
}

static void store(const char *path, const void *bytes, size_t length)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0 && write(fd, bytes, length) == (ssize_t)length);
    close(fd);
}

static void assert_refused(const char *path, const char *fault)
{
    assert_int_equal(take_alice(), ERR_BAD_STATE);
    if (strstr(login.detail, path) == NULL || strstr(login.detail, fault) == NULL)
        fail_msg("'%s' names not '%s' and '%s'", login.detail, path, fault);
}

/* The budget */

static void so_many_and_no_more(void **state)
{
    (void)state;
    need_root();
    for (unsigned int limit = 1; limit <= 1000; limit = limit * 3 + 1) {
        empty();
        login.options.send_limit = limit;
        assert_int_equal(left(), limit);
        assert_int_equal(take_alice(), ERR_SEND_LIMIT);
        assert_int_equal(files(NULL), 1);
    }
}

static void each_user_and_pool_has_its_own(void **state)
{
    (void)state;
    need_root();
    assert_int_equal(left(), 5);
    assert_int_equal(budget_take(&login, "bob"), ERR_NONE);
    assert_int_equal(budget_take(&login, "Alice"), ERR_NONE);
    assert_int_equal(budget_take(&login, "../alice"), ERR_NONE);
    login.options.user_pool_id = text("eu-central-1_Other");
    assert_int_equal(take_alice(), ERR_NONE);
}

static void the_window_slides(void **state)
{
    (void)state;
    need_root();
    for (int i = 0; i < 5; i++, clock_offset += 600)
        assert_int_equal(take_alice(), ERR_NONE);
    clock_offset = HOUR - 2;
    assert_int_equal(take_alice(), ERR_SEND_LIMIT);
    clock_offset = HOUR + 1;
    assert_int_equal(left(), 1);
    clock_offset = HOUR + 601;
    assert_int_equal(left(), 1);
    clock_offset = 100 * HOUR;
    assert_int_equal(left(), 5);
}

static void the_limit_may_change(void **state)
{
    (void)state;
    need_root();
    assert_int_equal(left(), 5);
    login.options.send_limit = 7;
    assert_int_equal(left(), 2);
    login.options.send_limit = 3;
    assert_int_equal(left(), 0);
    clock_offset = HOUR + 1;
    assert_int_equal(left(), 3);
}

static void a_host_that_is_not_root_keeps_none(void **state)
{
    (void)state;
    euid = 1000;
    for (int i = 0; i < 20; i++)
        assert_int_equal(take_alice(), ERR_NONE);
    remember_keep(&login, "alice");
    assert_false(remember_has(&login, "alice"));
    assert_int_not_equal(access(dir, F_OK), 0);
}

static void ignore(int number)
{
    (void)number;
}

/* In a child: 1 kHz of signals that interrupt. */
static void rattle(void)
{
    const struct sigaction action = {.sa_handler = ignore};
    const struct itimerval often = {{0, 1000}, {0, 1000}};

    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
}

/* Waits for a child that says by its exit status what budget_take() said; -1 for one that was killed. */
static int said_by(pid_t child)
{
    int status;

    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Starts `count_` processes that wait for each other and then take a code; returns how many got one. */
static int takers(int count_)
{
    pid_t children[64];
    int start[2];
    int taken = 0;

    assert_int_equal(pipe(start), 0);
    for (int i = 0; i < count_; i++)
        if ((children[i] = fork()) == 0) {
            char byte;

            close(start[1]);
            if (read(start[0], &byte, 1) != 0)
                _exit(99);
            rattle();
            _exit((int)take_alice());
        }
    close(start[0]);
    close(start[1]);
    for (int i = 0; i < count_; i++) {
        int said = said_by(children[i]);

        assert_true(said == ERR_NONE || said == ERR_SEND_LIMIT);
        taken += said == ERR_NONE;
    }
    return taken;
}

static void fifty_at_once_count_exactly(void **state)
{
    (void)state;
    need_root();
    for (int round = 0; round < 10; round++) {
        empty();
        login.options.send_limit = round % 2 == 0 ? 5 : 40;
        assert_int_equal(takers(50), login.options.send_limit);
    }
}

/* The file of an earlier hour is used again, of a lower limit replaced, of another boot replaced: also then. */
static void fifty_at_once_on_an_old_file(void **state)
{
    unsigned char bytes[STATE_MOST];
    size_t length;

    (void)state;
    need_root();
    for (int round = 0; round < 9; round++) {
        empty();
        clock_offset = 0;
        login.options.send_limit = 5;
        assert_int_equal(left(), 5);
        length = load(budget_file(), bytes, sizeof bytes);
        if (round % 3 == 0) {
            clock_offset = HOUR + 1;
            assert_int_equal(takers(50), 5);
        } else if (round % 3 == 1) {
            login.options.send_limit = 20;
            assert_int_equal(takers(50), 15);
        } else {
            struct state_image image = {.length = length};
            struct state_head head;

            memcpy(image.bytes, bytes, length);
            head = state_head_of(&image);
            head.boot_id[0] ^= 1;
            memcpy(image.bytes, &head, sizeof head);
            head.check = check_of(&image);
            memcpy(image.bytes, &head, sizeof head);
            store(budget_file(), image.bytes, length);
            assert_int_equal(takers(50), 5);
        }
    }
}

/* Kills a process before and after each of its system calls: what it had counted may count or not, all that was counted
 * before does, and all that is left can be had. */
static void killed_at(long at, unsigned int counted, int *survived)
{
    pid_t child = fork();
    unsigned int rest;

    if (child == 0) {
        calls = 0;
        die_at = at;
        _exit((int)take_alice());
    }
    *survived = said_by(child) != -1;
    rest = left();
    if (*survived)
        assert_int_equal(rest, login.options.send_limit - counted - 1);
    else
        assert_true(rest == login.options.send_limit - counted || rest == login.options.send_limit - counted - 1);
}

static void killed_anywhere(void **state)
{
    (void)state;
    need_root();
    for (unsigned int before = 0; before < 4; before++) {
        int survived = 0;
        long at = 1;

        for (; !survived && at < 200; at++) {
            empty();
            login.options.send_limit = 5;
            clock_offset = 0;
            for (unsigned int i = 0; i < before; i++)
                assert_int_equal(take_alice(), ERR_NONE);
            if (before == 3)
                login.options.send_limit = 9;
            killed_at(at, before, &survived);
            /* What an unfinished file took is given back by and by. */
            clock_offset += HOUR + 1;
            assert_int_equal(budget_take(&login, "bob"), ERR_NONE);
            assert_int_equal(files(NULL), 1);
        }
        assert_true(survived && at > 4);
    }
}

static void killed_at_random(void **state)
{
    unsigned int seed = 4, counted = 0, all;

    (void)state;
    need_root();
    login.options.send_limit = 1000;
    for (int round = 0; round < 300; round++) {
        const struct timespec nap = {.tv_nsec = rand_r(&seed) % 300000};
        int told[2];
        unsigned int done = 0;
        ssize_t got;
        pid_t child;
        char bytes[64];

        assert_int_equal(pipe(told), 0);
        child = fork();
        if (child == 0) {
            while (take_alice() == ERR_NONE && write(told[1], "x", 1) == 1)
                ;
            _exit(0);
        }
        close(told[1]);
        nanosleep(&nap, NULL);
        kill(child, SIGKILL);
        said_by(child);
        while ((got = read(told[0], bytes, sizeof bytes)) > 0)
            done += (unsigned int)got;
        close(told[0]);
        counted += done;
    }
    /* Each process may have counted one more than it could tell. */
    all = 1000 - left();
    assert_true(all >= (counted < 1000 ? counted : 1000) && all <= counted + 300);
}

static void a_stuck_holder_is_not_waited_for(void **state)
{
    deadline_t began;
    int fd;

    (void)state;
    need_root();
    assert_int_equal(take_alice(), ERR_NONE);
    fd = open(budget_file(), O_RDONLY);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    began = clock_ms();
    assert_refused(budget_file(), "locked");
    assert_true(clock_ms() - began >= 1000 && clock_ms() - began < 2500);
    assert_int_equal(budget_take(&login, "bob"), ERR_NONE);
    close(fd);
    assert_int_equal(left(), 4);
}

/* A file that was damaged: nothing is counted, the log names it, and it stays as it is. */
static void assert_damage_is_seen(const unsigned char *bytes, size_t length)
{
    store(budget_file(), bytes, length);
    assert_refused(budget_file(), "remove it");
    login.options.user_pool_id = text("eu-central-1_Other");
    clock_offset += 2 * HOUR;
    assert_int_equal(take_alice(), ERR_NONE);
    clock_offset -= 2 * HOUR;
    assert_int_equal(unlink(path_of("sends-eu-central-1_Other,alice")), 0);
    login.options.user_pool_id = text("eu-central-1_Test");
    assert_int_equal(access(budget_file(), F_OK), 0);
}

static void damaged_budgets(void **state)
{
    unsigned char good[STATE_MOST], bytes[2 * STATE_MOST];
    unsigned int seed = 7;
    size_t length;

    (void)state;
    need_root();
    assert_int_equal(take_alice(), ERR_NONE);
    assert_int_equal(take_alice(), ERR_NONE);
    length = load(budget_file(), good, sizeof good);
    for (size_t i = 0; i < length; i++)
        assert_damage_is_seen(good, i);
    memcpy(bytes, good, length);
    memset(bytes + length, 0, sizeof bytes - length);
    for (size_t more = 1; more < sizeof bytes - length; more = more * 3 + 1)
        assert_damage_is_seen(bytes, length + more);
    for (size_t i = 0; i < length; i++) {
        memcpy(bytes, good, length);
        bytes[i] ^= (unsigned char)(1U << rand_r(&seed) % 8);
        assert_damage_is_seen(bytes, length);
    }
    for (int round = 0; round < 500; round++) {
        size_t some = rand_r(&seed) % sizeof bytes;

        for (size_t i = 0; i < some; i++)
            bytes[i] = (unsigned char)rand_r(&seed);
        assert_damage_is_seen(bytes, some);
    }
    store(budget_file(), good, length);
    assert_int_equal(left(), 3);
}

static void a_file_of_another_user(void **state)
{
    (void)state;
    need_root();
    assert_int_equal(budget_take(&login, "bob"), ERR_NONE);
    assert_int_equal(rename(path_of("sends-eu-central-1_Test,bob"), budget_file()), 0);
    assert_refused(budget_file(), "another user");
}

static void a_count_from_the_future(void **state)
{
    (void)state;
    need_root();
    assert_int_equal(take_alice(), ERR_NONE);
    clock_offset = -60;
    assert_refused(budget_file(), "damaged");
}

static void long_names_are_told_apart(void **state)
{
    char names[2][200];

    (void)state;
    need_root();
    for (int i = 0; i < 2; i++) {
        memset(names[i], 'x', sizeof names[i] - 1);
        names[i][sizeof names[i] - 2] = (char)('a' + i);
        names[i][sizeof names[i] - 1] = '\0';
    }
    login.options.send_limit = 1;
    assert_int_equal(budget_take(&login, names[0]), ERR_NONE);
    assert_int_equal(budget_take(&login, names[1]), ERR_NONE);
    assert_int_equal(budget_take(&login, names[0]), ERR_SEND_LIMIT);
    assert_int_equal(files(NULL), 2);
}

/* Files and the directory, as they must not be */

static void spoil_owner(const char *path)
{
    assert_int_equal(chown(path, 65534, 0), 0);
}

static void spoil_group(const char *path)
{
    assert_int_equal(chmod(path, 0660), 0);
}

static void spoil_readable(const char *path)
{
    assert_int_equal(chmod(path, 0604), 0);
}

static void spoil_links(const char *path)
{
    char other[256];

    snprintf(other, sizeof other, "%s/other", base);
    unlink(other);
    assert_int_equal(link(path, other), 0);
}

static void spoil_link(const char *path)
{
    char other[256];

    snprintf(other, sizeof other, "%s/other", base);
    assert_int_equal(rename(path, other), 0);
    assert_int_equal(symlink(other, path), 0);
}

static void spoil_dangling(const char *path)
{
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("/nonexistent/file", path), 0);
}

static void spoil_fifo(const char *path)
{
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
}

static void spoil_folder(const char *path)
{
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
}

static void (*const spoils[])(const char *path) = {spoil_owner, spoil_group,    spoil_readable, spoil_links,
                                                   spoil_link,  spoil_dangling, spoil_fifo,     spoil_folder};

static void unsafe_files(void **state)
{
    char other[256];

    (void)state;
    need_root();
    snprintf(other, sizeof other, "%s/other", base);
    for (size_t i = 0; i < COUNT(spoils); i++) {
        empty();
        assert_int_equal(take_alice(), ERR_NONE);
        remember_keep(&login, "alice");
        assert_true(remember_has(&login, "alice"));
        spoils[i](budget_file());
        assert_refused(budget_file(), "remove it");
        unlink(other);
        spoils[i](remember_file());
        assert_false(remember_has(&login, "alice"));
        unlink(other);
    }
}

static void unsafe_directories(void **state)
{
    static const mode_t modes[] = {0701, 0710, 0750, 0755, 0777, 01700, 02700};
    char real[128];

    (void)state;
    need_root();
    snprintf(real, sizeof real, "%s/real", base);
    for (size_t i = 0; i < COUNT(modes); i++) {
        empty();
        remember_keep(&login, "alice");
        assert_true(remember_has(&login, "alice"));
        assert_int_equal(chmod(dir, modes[i]), 0);
        assert_refused(dir, "mode");
        assert_false(remember_has(&login, "alice"));
    }
    assert_int_equal(chmod(dir, 0700) | chown(dir, 65534, 0), 0);
    assert_refused(dir, "owned");
    assert_false(remember_has(&login, "alice"));
    assert_int_equal(chown(dir, 0, 0) | rename(dir, real) | symlink(real, dir), 0);
    assert_refused(dir, "link");
    assert_false(remember_has(&login, "alice"));
    assert_int_equal(unlink(dir) | rename(real, dir), 0);
    assert_true(remember_has(&login, "alice"));
    empty();
    store(dir, "", 0);
    assert_refused(dir, "directory");
}

static void any_umask_will_do(void **state)
{
    static const mode_t masks[] = {0, 077, 0177, 0777};

    (void)state;
    need_root();
    for (size_t i = 0; i < COUNT(masks); i++) {
        mode_t before = umask(masks[i]);
        struct stat stat_;

        empty();
        assert_int_equal(left(), 5);
        remember_keep(&login, "alice");
        assert_true(remember_has(&login, "alice"));
        assert_int_equal(umask(before), masks[i]);
        assert_int_equal(stat(dir, &stat_), 0);
        assert_int_equal(stat_.st_mode, S_IFDIR | 0700);
        assert_int_equal(stat(budget_file(), &stat_), 0);
        assert_int_equal(stat_.st_mode, S_IFREG | 0600);
    }
}

static int open_descriptors(void)
{
    int open_ = 0;

    for (int fd = 0; fd < 256; fd++)
        open_ += fcntl(fd, F_GETFD) != -1;
    return open_;
}

static void no_descriptor_stays_open(void **state)
{
    int before = open_descriptors();

    (void)state;
    need_root();
    left();
    remember_keep(&login, "alice");
    remember_has(&login, "alice");
    spoil_group(budget_file());
    take_alice();
    assert_int_equal(chmod(dir, 0755), 0);
    take_alice();
    remember_has(&login, "alice");
    assert_int_equal(open_descriptors(), before);
}

/* The errors that a call may come back with, of its own or because of the file system below. */
static const int failures[] = {EIO, EINTR, EACCES, ENOENT, EEXIST, ENOSPC, ELOOP, EISDIR, ENOTDIR};

/* Takes a code while the nth call fails, where `before` were counted: a code that was let through is counted, one that
 * was not may be. Returns whether there were so many calls. */
static bool take_with_a_failure(long nth, int failure, unsigned int before)
{
    enum error error;
    unsigned int rest;
    bool reached;

    acts = 0;
    fail_at = nth;
    fail_with = failure;
    error = take_alice();
    reached = acts >= nth;
    fail_at = 0;
    assert_true(error == ERR_NONE || error == ERR_BAD_STATE);
    assert_true(error == ERR_NONE || *login.detail != '\0');
    rest = left();
    if (error == ERR_NONE)
        assert_int_equal(rest, 5 - before - 1);
    else
        assert_in_range(rest, 5 - before - 1, 5 - before);
    return reached;
}

/* Without a directory; with the user's file; with one of the last boot; with fewer slots than there may be codes. */
static unsigned int prepare(int way)
{
    empty();
    login.options.send_limit = way == 3 ? 2 : 5;
    if (way > 0)
        assert_int_equal(take_alice(), ERR_NONE);
    if (way == 2)
        clock_offset += HOUR;
    login.options.send_limit = 5;
    return way == 1 || way == 3;
}

static void every_call_fails_once(void **state)
{
    int before = open_descriptors();

    (void)state;
    need_root();
    for (size_t i = 0; i < COUNT(failures); i++)
        for (int way = 0; way < 4; way++)
            for (long nth = 1; take_with_a_failure(nth, failures[i], prepare(way)); nth++)
                ;
    assert_int_equal(open_descriptors(), before);
}

static void every_call_of_remembering_fails_once(void **state)
{
    int before = open_descriptors();
    bool reached = true;

    (void)state;
    need_root();
    for (size_t i = 0; i < COUNT(failures); i++, reached = true)
        for (long nth = 1; reached; nth++) {
            empty();
            remember_keep(&login, "alice");
            clock_offset += 601;
            acts = 0;
            fail_at = nth;
            fail_with = failures[i];
            remember_keep(&login, "alice");
            remember_has(&login, "alice");
            reached = acts >= nth;
            fail_at = 0;
            /* Whatever that left, the next one is remembered, for this user and for so long. */
            remember_keep(&login, "alice");
            assert_true(remember_has(&login, "alice"));
            assert_false(remember_has(&login, "bob"));
            clock_offset += 601;
            assert_false(remember_has(&login, "alice"));
        }
    assert_int_equal(open_descriptors(), before);
}

/* In a child, which gets a file system of its own. 77 where that cannot be. */
static int on_a_full_disk(void)
{
    char filler[4096] = {0};
    int fd;

    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("test", base, "tmpfs", 0, "size=64k,mode=755") != 0)
        return 77;
    if (take_alice() != ERR_NONE)
        return 1;
    fd = open(path_of("filler"), O_WRONLY | O_CREAT, 0600);
    while (write(fd, filler, sizeof filler) > 0)
        ;
    close(fd);
    /* Who has a file goes on counting, who has none is denied, and nothing is left of the attempt. */
    if (left() != 4 || take_alice() != ERR_SEND_LIMIT)
        return 2;
    if (budget_take(&login, "bob") != ERR_BAD_STATE || strstr(login.detail, "No space left") == NULL)
        return 3;
    remember_keep(&login, "alice");
    if (remember_has(&login, "alice") || files(NULL) != 2)
        return 4;
    if (unlink(path_of("filler")) != 0 || budget_take(&login, "bob") != ERR_NONE)
        return 5;
    return 0;
}

static void a_full_disk(void **state)
{
    pid_t child;
    int said;

    (void)state;
    need_root();
    child = fork();
    if (child == 0)
        _exit(on_a_full_disk());
    said = said_by(child);
    if (said == 77) {
        print_message("no mount namespace of its own: this test needs one\n");
        skip();
    }
    assert_int_equal(said, 0);
}

static void a_limit_on_the_size_of_files(void **state)
{
    (void)state;
    need_root();
    pid_t child = fork();

    if (child == 0) {
        const struct rlimit none = {0, RLIM_INFINITY};

        setrlimit(RLIMIT_FSIZE, &none);
        _exit((int)take_alice());
    }
    assert_int_equal(said_by(child), ERR_BAD_STATE);
    assert_int_equal(files(NULL), 0);
    assert_int_equal(left(), 5);
}

static void no_boot_id(void **state)
{
    (void)state;
    need_root();
    boot_id_file = "/nonexistent";
    assert_refused("boot_id", "read");
    boot_id_file = "/dev/null";
    assert_refused("boot_id", "read");
}

static void the_directory_does_not_grow(void **state)
{
    int most = 0;

    (void)state;
    need_root();
    /* One new user a minute, each over after an hour: some 60 are live at any time. */
    for (int i = 0; i < 1000; i++, clock_offset += 60) {
        char name[32];

        snprintf(name, sizeof name, "user%d", i);
        assert_int_equal(budget_take(&login, name), ERR_NONE);
        login.user = name;
        remember_keep(&login, name);
        if (files(NULL) > most)
            most = files(NULL);
    }
    assert_true(most < 200);
}

/* What is remembered */

static void remembered_for_so_long(void **state)
{
    (void)state;
    need_root();
    assert_false(remember_has(&login, "alice"));
    assert_int_not_equal(access(dir, F_OK), 0);
    remember_keep(&login, "alice");
    assert_true(remember_has(&login, "alice"));
    clock_offset = 598;
    assert_true(remember_has(&login, "alice"));
    login.options.remember = 60;
    assert_false(remember_has(&login, "alice"));
    login.options.remember = 0;
    assert_false(remember_has(&login, "alice"));
    login.options.remember = 600;
    clock_offset = 600;
    assert_false(remember_has(&login, "alice"));
    remember_keep(&login, "alice");
    assert_true(remember_has(&login, "alice"));
    clock_offset = 0;
    assert_false(remember_has(&login, "alice"));
    assert_int_equal(files(NULL), 1);
}

static void remembered_for_this_and_nothing_else(void **state)
{
    const struct login whole = login;

    (void)state;
    need_root();
    remember_keep(&login, "alice");
    assert_false(remember_has(&login, "bob"));
    login.user = text("bob");
    assert_false(remember_has(&login, "alice"));
    login = whole;
    login.service = text("su");
    assert_false(remember_has(&login, "alice"));
    login = whole;
    login.ruser = text("bob");
    assert_false(remember_has(&login, "alice"));
    login = whole;
    login.rhost = text("192.0.2.8");
    assert_false(remember_has(&login, "alice"));
    login.rhost = text("");
    login.tty = text("192.0.2.7");
    assert_false(remember_has(&login, "alice"));
    login = whole;
    login.attribute = "phone_number";
    assert_false(remember_has(&login, "alice"));
    /* Before one is chosen, any of those that may be. */
    login.attribute = NULL;
    login.options.attribute = (struct strings){.count = 1, .items = (char *[]){text("phone_number")}};
    assert_false(remember_has(&login, "alice"));
    login.options.attribute = (struct strings){.count = 2, .items = (char *[]){text("phone_number"), text("email")}};
    assert_true(remember_has(&login, "alice"));
    login = whole;
    login.options.user_pool_id = text("eu-central-1_Other");
    assert_false(remember_has(&login, "alice"));
    login = whole;
    login.tty = text("pts/0");
    assert_true(remember_has(&login, "alice"));
}

static void remembered_at_a_terminal_or_not_at_all(void **state)
{
    (void)state;
    need_root();
    login.rhost = text("");
    login.tty = text("tty");
    remember_keep(&login, "alice");
    assert_true(remember_has(&login, "alice"));
    login.ruser = text("bob");
    assert_false(remember_has(&login, "alice"));
    login.ruser = text("");
    login.tty = text("/dev/null");
    assert_false(remember_has(&login, "alice"));
    empty();
    login.tty = text("");
    remember_keep(&login, "alice");
    assert_false(remember_has(&login, "alice"));
    login.options.remember = 0;
    login.tty = text("tty");
    remember_keep(&login, "alice");
    assert_int_not_equal(access(dir, F_OK), 0);
}

static void damaged_records(void **state)
{
    unsigned char good[STATE_MOST], bytes[2 * STATE_MOST];
    unsigned int seed = 9;
    size_t length;

    (void)state;
    need_root();
    remember_keep(&login, "alice");
    length = load(remember_file(), good, sizeof good);
    for (size_t i = 0; i < length; i++) {
        store(remember_file(), good, i);
        assert_false(remember_has(&login, "alice"));
        memcpy(bytes, good, length);
        bytes[i] ^= (unsigned char)(1U << rand_r(&seed) % 8);
        store(remember_file(), bytes, length);
        assert_false(remember_has(&login, "alice"));
    }
    memcpy(bytes, good, length);
    bytes[length] = 0;
    store(remember_file(), bytes, length + 1);
    assert_false(remember_has(&login, "alice"));
    for (int round = 0; round < 500; round++) {
        size_t some = rand_r(&seed) % sizeof bytes;

        for (size_t i = 0; i < some; i++)
            bytes[i] = (unsigned char)rand_r(&seed);
        store(remember_file(), bytes, some);
        assert_false(remember_has(&login, "alice"));
    }
    store(remember_file(), good, length);
    assert_true(remember_has(&login, "alice"));
    store(remember_file(), bytes, 10);
    remember_keep(&login, "alice");
    assert_true(remember_has(&login, "alice"));
}

static void remembered_until_the_next_boot(void **state)
{
    char other[128];

    (void)state;
    need_root();
    remember_keep(&login, "alice");
    assert_int_equal(left(), 5);
    snprintf(other, sizeof other, "%s/boot_id", base);
    store(other, "00000000-0000-0000-0000-000000000000\n", 37);
    boot_id_file = other;
    assert_false(remember_has(&login, "alice"));
    assert_int_equal(left(), 5);
    assert_int_equal(left(), 0);
    remember_keep(&login, "alice");
    assert_true(remember_has(&login, "alice"));
    unlink(other);
}

static void killed_while_keeping(void **state)
{
    int said = -1;

    (void)state;
    need_root();
    for (long at = 1; said == -1 && at < 200; at++) {
        pid_t child = fork();

        if (child == 0) {
            die_at = at;
            remember_keep(&login, "alice");
            _exit(0);
        }
        said = said_by(child);
        remember_keep(&login, "alice");
        assert_true(remember_has(&login, "alice"));
    }
    assert_int_equal(said, 0);
    clock_offset = 61;
    remember_keep(&login, "alice");
    assert_int_equal(files(NULL), 1);
}

static int make_base(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "%s/state", mkdtemp(base));
    return 0;
}

static int remove_base(void **state)
{
    (void)state;
    empty();
    return rmdir(base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(so_many_and_no_more, set_up),
        cmocka_unit_test_setup(each_user_and_pool_has_its_own, set_up),
        cmocka_unit_test_setup(the_window_slides, set_up),
        cmocka_unit_test_setup(the_limit_may_change, set_up),
        cmocka_unit_test_setup(a_host_that_is_not_root_keeps_none, set_up),
        cmocka_unit_test_setup(fifty_at_once_count_exactly, set_up),
        cmocka_unit_test_setup(fifty_at_once_on_an_old_file, set_up),
        cmocka_unit_test_setup(killed_anywhere, set_up),
        cmocka_unit_test_setup(killed_at_random, set_up),
        cmocka_unit_test_setup(a_stuck_holder_is_not_waited_for, set_up),
        cmocka_unit_test_setup(damaged_budgets, set_up),
        cmocka_unit_test_setup(a_file_of_another_user, set_up),
        cmocka_unit_test_setup(a_count_from_the_future, set_up),
        cmocka_unit_test_setup(long_names_are_told_apart, set_up),
        cmocka_unit_test_setup(unsafe_files, set_up),
        cmocka_unit_test_setup(unsafe_directories, set_up),
        cmocka_unit_test_setup(any_umask_will_do, set_up),
        cmocka_unit_test_setup(no_descriptor_stays_open, set_up),
        cmocka_unit_test_setup(every_call_fails_once, set_up),
        cmocka_unit_test_setup(every_call_of_remembering_fails_once, set_up),
        cmocka_unit_test_setup(a_full_disk, set_up),
        cmocka_unit_test_setup(a_limit_on_the_size_of_files, set_up),
        cmocka_unit_test_setup(no_boot_id, set_up),
        cmocka_unit_test_setup(the_directory_does_not_grow, set_up),
        cmocka_unit_test_setup(remembered_for_so_long, set_up),
        cmocka_unit_test_setup(remembered_for_this_and_nothing_else, set_up),
        cmocka_unit_test_setup(remembered_at_a_terminal_or_not_at_all, set_up),
        cmocka_unit_test_setup(damaged_records, set_up),
        cmocka_unit_test_setup(remembered_until_the_next_boot, set_up),
        cmocka_unit_test_setup(killed_while_keeping, set_up),
    };

    return cmocka_run_group_tests_name("state", tests, make_base, remove_base);
}
