#include "helper/lockdown.h"

#include "common/landlock.h"
#include "common/sanitizer.h"
#include "common/self.h"
#include "helper/reach.h"
#include "helper/seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/keyctl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static bool failed(struct result *result, const char *call)
{
    return result_fail(result, ERR_HELPER, "%s: %s", call, strerror(errno));
}

/* Neither so low that the helper falls over in an odd place, nor so high that a reply could make it eat the host. Under
 * su and sudo what it comes with are the limits of the caller, who is a stranger. A host that is not root raises none
 * of its own, but has the lower ones all the same. */
static const struct limit {
    int resource;
    rlim_t value;
} limits[] = {
    /* What it has in memory is in no file. */
    {RLIMIT_CORE, 0},
    /* It writes none. */
    {RLIMIT_FSIZE, 0},
    /* Its own four, one connection or two, and what a name service has open. */
    {RLIMIT_NOFILE, 64},
    /* A login takes milliseconds of it. */
    {RLIMIT_CPU, 60},
    /* The usual one, of which threads take their own. */
    {RLIMIT_STACK, 8 << 20},
    /* It locks no memory, has no message queues, and is never more urgent than others. */
    {RLIMIT_MEMLOCK, 0},
    {RLIMIT_MSGQUEUE, 0},
    {RLIMIT_NICE, 0},
    {RLIMIT_RTPRIO, 0},
#if !UNDER_SANITIZER
    /* What it can write to: some 2 MiB in a login, and 8 MiB for a thread's stack. */
    {RLIMIT_DATA, 256 << 20},
#endif
};

/* Beyond what it comes with: libraries that are loaded late, databases of name services, and what malloc sets apart for
 * each thread. What it comes with may be any number, where the administrator has another allocator in all programs. */
#define ADDRESSES ((rlim_t)2 << 30)

/* For all processes of the user together, so of the helper user alone: a person may have any number. One helper has one
 * thread more while it resolves a name. With all of them taken, a login that has to look a name up fails; others of the
 * host's users do not notice. */
static const struct limit limit_of_user = {RLIMIT_NPROC, 4096};

/* In bytes; 0 where /proc does not tell. */
static rlim_t addresses_in_use(void)
{
    char text[32] = "";
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return 0;
    if (read(fd, text, sizeof text - 1) < 0)
        *text = '\0';
    close(fd);
    return strtoull(text, NULL, 10) * (rlim_t)sysconf(_SC_PAGESIZE);
}

static bool set_limits(struct result *result)
{
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        if (!self_limit(limits[i].resource, limits[i].value))
            return failed(result, "setrlimit");
    if (!UNDER_SANITIZER && !self_limit(RLIMIT_AS, addresses_in_use() + ADDRESSES))
        return failed(result, "setrlimit");
    return geteuid() != 0 || self_limit(limit_of_user.resource, limit_of_user.value) || failed(result, "setrlimit");
}

static bool set_ids(uid_t uid, gid_t gid, struct result *result)
{
    const char *failure = self_set_ids(uid, gid);

    return failure == NULL || failed(result, failure);
}

static bool become_helper_user(struct result *result)
{
    const struct passwd *user;

    errno = 0;
    user = getpwnam(HELPER_USER);
    if (user == NULL)
        return result_fail(result, ERR_HELPER, "getpwnam(" HELPER_USER "): %s",
                           errno == 0 ? "no such user" : strerror(errno));
    if (user->pw_uid == 0 || user->pw_gid == 0)
        return result_fail(result, ERR_HELPER, "getpwnam(" HELPER_USER "): the helper user must not be root");
    if (setgroups(0, NULL) != 0)
        return failed(result, "setgroups");
    if (getgroups(0, NULL) != 0)
        return result_fail(result, ERR_HELPER, "setgroups had no effect");
    return set_ids(user->pw_uid, user->pw_gid, result);
}

/* Under su it is the caller's, whose keys are in it, and whoever has the keyring has them. A kernel without keys, or a
 * container that forbids them, has none to lose. */
static void leave_keyring(void)
{
    syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL, 0, 0, 0);
}

/* No file can be created, changed, removed or executed any more, whatever its mode says. A kernel without Landlock, or
 * with it switched off, is fine: the user and the limits stand. */
static bool forbid_deeds(struct result *result)
{
    const unsigned int deeds =
        LANDLOCK_CHANGE_FILES | LANDLOCK_EXECUTE | LANDLOCK_SERVE | LANDLOCK_SIGNAL | LANDLOCK_ABSTRACT;
    struct landlock layer;

    if (!landlock_begin(&layer, deeds))
        return failed(result, "landlock_create_ruleset");
    return landlock_enforce(&layer, true) || failed(result, "landlock_restrict_self");
}

/* What anyone may do to himself. */
static bool give_up_rights(struct result *result)
{
    const char *failure = self_keep_capabilities(0);

    if (failure != NULL)
        return failed(result, failure);
    /* Before Landlock and seccomp, which an ordinary user may use only after it. */
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return failed(result, "prctl(PR_SET_NO_NEW_PRIVS)");
    /* After the change of user, which sets it anew. Leak checkers trace the process from inside, and need it on. */
    if (!UNDER_SANITIZER && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return failed(result, "prctl(PR_SET_DUMPABLE)");
    return forbid_deeds(result);
}

bool lockdown(struct result *result)
{
    /* First of all, since the look-up of the user reads it: whoever started this meant it to be empty. */
    if (clearenv() != 0)
        return failed(result, "clearenv");
    umask(077);
    if (chdir("/") != 0)
        return failed(result, "chdir");
    leave_keyring();
    /* Raising a limit takes root. */
    if (!set_limits(result))
        return false;
    if (geteuid() == 0) {
        self_bound_capabilities(0);
        if (!become_helper_user(result))
            return false;
    } else if (!set_ids(geteuid(), getegid(), result)) {
        /* A host that is set-user-ID: its caller's id must not be within reach. */
        return false;
    }
    return give_up_rights(result);
}

bool lockdown_for(const struct start_message *start, struct result *result)
{
    /* Asked before, since afterwards the kernel does not say. */
    const int landlock = landlock_version();
    const char *missing = seccomp_missing();

    if (!reach_only(start, result) || !seccomp_restrict(result))
        return false;
    result_succeed(result);
    snprintf(result->detail, sizeof result->detail, "landlock=%d seccomp=%s", landlock,
             missing == NULL ? "yes" : missing);
    return true;
}
