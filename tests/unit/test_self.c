/*
 * Programs that change what they are: every call on the way fails, or says that it worked and did nothing. The sources
 * are part of this program, so that it can stand between them and the system.
 */
#include "unit.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

/* The system, as far as it is asked: all of it can be set, and `broken` names the call that fails. */
static struct {
    const char *broken;
    int failure;
    bool hard_is_fixed;
    struct rlimit limit;
    uid_t euid, uids[3];
    gid_t gids[3];
    size_t group_count, groups_kept; /* what getgrouplist(3) finds, and what the kernel keeps of it */
    gid_t groups[32];
    struct passwd user;
    bool has_user;
    bool other_groups; /* the kernel says that it has others than those that were set */
    int kept_id;       /* the one of the six ids, from 1 on, that a call does not change; 0: none */
    int socket_type;
} fake;

static bool breaks(const char *call)
{
    if (fake.broken == NULL || strcmp(fake.broken, call) != 0)
        return false;
    errno = fake.failure;
    return true;
}

static int fake_setrlimit(int resource, const struct rlimit *limit)
{
    (void)resource;
    if (breaks("setrlimit"))
        return -1;
    if (fake.hard_is_fixed && limit->rlim_max != fake.limit.rlim_max) {
        errno = EPERM;
        return -1;
    }
    fake.limit = *limit;
    return 0;
}

static int fake_getrlimit(int resource, struct rlimit *limit)
{
    (void)resource;
    *limit = fake.limit;
    return breaks("getrlimit") ? -1 : 0;
}

static int fake_setresgid(gid_t real, gid_t effective, gid_t saved)
{
    const gid_t gids[] = {real, effective, saved};

    if (breaks("setresgid"))
        return -1;
    memcpy(fake.gids, gids, sizeof gids);
    if (fake.kept_id > 3)
        fake.gids[fake.kept_id - 4] = 0;
    return 0;
}

static int fake_setresuid(uid_t real, uid_t effective, uid_t saved)
{
    const uid_t uids[] = {real, effective, saved};

    if (breaks("setresuid"))
        return -1;
    memcpy(fake.uids, uids, sizeof uids);
    if (fake.kept_id > 0 && fake.kept_id <= 3)
        fake.uids[fake.kept_id - 1] = 0;
    return 0;
}

static int fake_getresgid(gid_t *real, gid_t *effective, gid_t *saved)
{
    *real = fake.gids[0];
    *effective = fake.gids[1];
    *saved = fake.gids[2];
    return breaks("getresgid") ? -1 : 0;
}

static int fake_getresuid(uid_t *real, uid_t *effective, uid_t *saved)
{
    *real = fake.uids[0];
    *effective = fake.uids[1];
    *saved = fake.uids[2];
    return breaks("getresuid") ? -1 : 0;
}

static int fake_getsockopt(int fd, int level, int name, void *value, socklen_t *size)
{
    (void)fd;
    (void)level;
    (void)name;
    (void)size;
    *(int *)value = fake.socket_type;
    return breaks("getsockopt") ? -1 : 0;
}

static uid_t fake_geteuid(void)
{
    return fake.euid;
}

static struct passwd *fake_getpwnam(const char *name)
{
    (void)name;
    if (breaks("getpwnam"))
        return NULL;
    return fake.has_user ? &fake.user : NULL;
}

static int fake_getgrouplist(const char *name, gid_t group, gid_t *groups, int *count)
{
    int room = *count;

    (void)name;
    (void)group;
    *count = (int)fake.group_count;
    if (room < *count)
        return -1;
    for (int i = 0; i < *count; i++)
        groups[i] = (gid_t)(1000 + fake.group_count - i);
    return *count;
}

static int fake_setgroups(size_t count, const gid_t *groups)
{
    if (breaks("setgroups"))
        return -1;
    fake.groups_kept = count < 32 ? count : 32;
    memcpy(fake.groups, groups, fake.groups_kept * sizeof *groups);
    return 0;
}

static int fake_getgroups(int count, gid_t *groups)
{
    if (breaks("getgroups") || (size_t)count < fake.groups_kept)
        return -1;
    memcpy(groups, fake.groups, fake.groups_kept * sizeof *groups);
    if (fake.other_groups)
        groups[0] = fake.group_count == 3 ? 7 : groups[0];
    return (int)fake.groups_kept - (fake.other_groups && fake.group_count == 4 ? 1 : 0);
}

static void *fake_reallocarray(void *memory, size_t count, size_t size)
{
    return breaks("reallocarray") ? NULL : reallocarray(memory, count, size);
}

static void *fake_calloc(size_t count, size_t size)
{
    return breaks("calloc") ? NULL : calloc(count, size);
}

/* clang-format off */
#define setrlimit(resource, limit) fake_setrlimit((int)(resource), limit)
#define getrlimit(resource, limit) fake_getrlimit((int)(resource), limit)
#define setresgid                  fake_setresgid
#define setresuid                  fake_setresuid
#define getresgid                  fake_getresgid
#define getresuid                  fake_getresuid
#define getsockopt                 fake_getsockopt
#define geteuid                    fake_geteuid
#define getpwnam                   fake_getpwnam
#define getgrouplist               fake_getgrouplist
#define setgroups                  fake_setgroups
#define getgroups                  fake_getgroups
#define reallocarray               fake_reallocarray
#define calloc                     fake_calloc
#include "common/self.c"
#include "command/account.c"
#include "command/outcome.c"
#undef calloc
/* clang-format on */

static struct account account;
static struct outcome outcome;

static int set_up(void **state)
{
    static char name[] = "runner", home[] = "/home/runner", shell[] = "";

    (void)state;
    memset(&fake, 0, sizeof fake);
    fake.failure = EPERM;
    fake.user = (struct passwd){.pw_name = name, .pw_uid = 1000, .pw_gid = 1001, .pw_dir = home, .pw_shell = shell};
    fake.has_user = true;
    fake.group_count = 3;
    fake.limit = (struct rlimit){100, 100};
    account = (struct account){.groups = NULL};
    outcome = (struct outcome){.error = ERR_NONE};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    account_free(&account);
    return 0;
}

static void limits_are_set_or_come_near(void **state)
{
    (void)state;
    assert_true(self_limit(RLIMIT_NOFILE, 64));
    assert_true(fake.limit.rlim_cur == 64 && fake.limit.rlim_max == 64);
    /* The hard one stays, and the soft one goes as far as that. */
    fake.hard_is_fixed = true;
    assert_true(self_limit(RLIMIT_NOFILE, 200));
    assert_true(fake.limit.rlim_cur == 64 && fake.limit.rlim_max == 64);
    assert_true(self_limit(RLIMIT_NOFILE, 10));
    assert_true(fake.limit.rlim_cur == 10 && fake.limit.rlim_max == 64);
}

static void limits_that_cannot_be_set(void **state)
{
    (void)state;
    fake.broken = "setrlimit";
    assert_false(self_limit(RLIMIT_NOFILE, 64));
    fake.failure = EINVAL;
    assert_false(self_limit(RLIMIT_NOFILE, 64));
    assert_int_equal(errno, EINVAL);
    fake.hard_is_fixed = true;
    fake.failure = EPERM;
    fake.broken = "getrlimit";
    assert_false(self_limit(RLIMIT_NOFILE, 64));
}

static void the_peer_is_a_stream(void **state)
{
    (void)state;
    fake.socket_type = SOCK_STREAM;
    assert_true(self_has_peer());
    fake.socket_type = SOCK_DGRAM;
    assert_false(self_has_peer());
    fake.broken = "getsockopt";
    fake.socket_type = SOCK_STREAM;
    assert_false(self_has_peer());
}

static void ids_are_taken_and_read_back(void **state)
{
    static const char *const calls[][2] = {
        {"setresgid", "setresgid"}, {"setresuid", "setresuid"}, {"getresgid", "getresuid"}, {"getresuid", "getresuid"}};

    (void)state;
    assert_null(self_set_ids(1000, 1001));
    assert_true(fake.uids[0] == 1000 && fake.uids[1] == 1000 && fake.uids[2] == 1000);
    assert_true(fake.gids[0] == 1001 && fake.gids[1] == 1001 && fake.gids[2] == 1001);
    for (size_t i = 0; i < COUNT(calls); i++) {
        fake.broken = calls[i][0];
        assert_string_equal(self_set_ids(1000, 1001), calls[i][1]);
    }
}

/* A call that says it worked, and left one of the six ids as it was. */
static void a_call_without_effect_is_noticed(void **state)
{
    (void)state;
    for (fake.kept_id = 1; fake.kept_id <= 6; fake.kept_id++)
        assert_string_equal(self_set_ids(1000, 1001), "setresuid and setresgid, which had no effect");
    assert_int_equal(errno, EPERM);
}

static void a_user_who_may_run_commands(void **state)
{
    (void)state;
    assert_true(account_find(&account, "runner", &outcome));
    assert_true(account.uid == 1000 && account.gid == 1001 && account.group_count == 3);
    assert_string_equal(account.environment[0], "PATH=/usr/bin:/bin");
    assert_string_equal(account.environment[1], "HOME=/home/runner");
    assert_string_equal(account.environment[4], "SHELL=/bin/sh");
    assert_null(account.environment[5]);
    assert_null(account_become(&account));
    assert_int_equal(fake.uids[0], 1000);
    assert_int_equal(fake.groups_kept, 3);
}

static void users_who_may_not(void **state)
{
    static const struct {
        uid_t uid, gid, euid;
        const char *why;
    } rows[] = {
        {0, 1001, 0, "must not be root"},
        {1000, 0, 0, "nor in root's group"},
        {1000, 1001, 1002, "only be the caller's own user"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        fake.user.pw_uid = rows[i].uid;
        fake.user.pw_gid = rows[i].gid;
        fake.euid = rows[i].euid;
        assert_false(account_find(&account, "runner", &outcome));
        assert_int_equal(outcome.error, ERR_COMMAND_SETUP);
        assert_non_null(strstr(outcome.detail, rows[i].why));
    }
    fake.has_user = false;
    assert_false(account_find(&account, "runner", &outcome));
    assert_non_null(strstr(outcome.detail, "no such user"));
    fake.broken = "getpwnam";
    fake.failure = EIO;
    assert_false(account_find(&account, "runner", &outcome));
    assert_non_null(strstr(outcome.detail, strerrordesc_np(EIO)));
}

/* Without root's rights nothing can be changed, and nothing has to be. */
static void the_callers_own_user(void **state)
{
    (void)state;
    fake.euid = 1000;
    assert_true(account_find(&account, "runner", &outcome));
    assert_null(account.groups);
    assert_int_equal(account.group_count, 0);
}

/* As many as the kernel takes, and no more; or none for want of memory. */
static void groups_without_number(void **state)
{
    (void)state;
    fake.group_count = 3000;
    assert_true(account_find(&account, "runner", &outcome));
    assert_int_equal(account.group_count, 3000);
    account_free(&account);
    fake.group_count = 70000;
    assert_false(account_find(&account, "runner", &outcome));
    assert_non_null(strstr(outcome.detail, "groups cannot be looked up"));
    account_free(&account);
    fake.broken = "reallocarray";
    assert_false(account_find(&account, "runner", &outcome));
}

static void groups_that_are_not_taken(void **state)
{
    static const char *const calls[] = {"setgroups", "getgroups", "calloc"};

    (void)state;
    assert_true(account_find(&account, "runner", &outcome));
    for (size_t i = 0; i < COUNT(calls); i++) {
        fake.broken = calls[i];
        assert_non_null(strstr(account_become(&account), "setgroups"));
        assert_int_equal(fake.uids[0], 0);
    }
    fake.broken = NULL;
    fake.other_groups = true;
    assert_string_equal(account_become(&account), "setgroups, which had no effect");
    fake.group_count = 4;
    assert_string_equal(account_become(&account), "setgroups, which had no effect");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(limits_are_set_or_come_near),
        TEST(limits_that_cannot_be_set),
        TEST(the_peer_is_a_stream),
        TEST(ids_are_taken_and_read_back),
        TEST(a_call_without_effect_is_noticed),
        TEST(a_user_who_may_run_commands),
        TEST(users_who_may_not),
        TEST(the_callers_own_user),
        TEST(groups_without_number),
        TEST(groups_that_are_not_taken),
    };

    return cmocka_run_group_tests_name("self", tests, NULL, NULL);
}
