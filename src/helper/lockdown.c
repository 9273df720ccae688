#include "helper/lockdown.h"

#include "common/sanitizer.h"
#include "common/self.h"

#include <errno.h>
#include <grp.h>
#include <linux/landlock.h>
#include <pwd.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

/* Rights that came with later kernels than the headers may know: Linux 6.2 and 6.10. */
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ULL << 15)
#endif

static bool failed(struct result *result, const char *call)
{
    return result_fail(result, ERR_HELPER, "%s: %s", call, strerror(errno));
}

/* Under su and sudo the limits are those of the caller, who is a stranger: neither so low that the helper falls over in
 * an odd place, nor so high that a reply could make it eat the host. */
static bool set_known_limits(struct result *result)
{
    static const struct {
        int resource;
        rlim_t value;
    } limits[] = {
        {RLIMIT_STACK, 8 << 20},
        /* For all processes of the helper user: each has one thread more while it resolves a name. */
        {RLIMIT_NPROC, 4096},
        /* A login takes milliseconds of it. */
        {RLIMIT_CPU, 60},
#if !UNDER_SANITIZER
        {RLIMIT_AS, (rlim_t)2 << 30},
#endif
    };

    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
        if (!self_limit(limits[i].resource, limits[i].value))
            return failed(result, "setrlimit");
    return true;
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

/* No file can be created, changed or removed any more, whatever its mode says. A kernel without Landlock, or with it
 * switched off, is fine: the user and RLIMIT_FSIZE stand. Source: Linux, Documentation/userspace-api/landlock.rst. */
static bool forbid_writes(struct result *result)
{
    /* Rights by the ABI that brought them: naming one that the kernel does not know is an error. */
    static const uint64_t rights[] = {
        0,
        LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
            LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
            LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
            LANDLOCK_ACCESS_FS_MAKE_SYM,
        LANDLOCK_ACCESS_FS_REFER,
        LANDLOCK_ACCESS_FS_TRUNCATE,
        0,
        LANDLOCK_ACCESS_FS_IOCTL_DEV,
    };
    struct landlock_ruleset_attr attributes = {.handled_access_fs = 0};
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    bool done = false;
    int ruleset;

    if (abi < 1)
        return errno == ENOSYS || errno == EOPNOTSUPP || failed(result, "landlock_create_ruleset");
    for (size_t i = 0; i < sizeof rights / sizeof rights[0] && (long)i <= abi; i++)
        attributes.handled_access_fs |= rights[i];
    ruleset = (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0);
    if (ruleset < 0)
        return failed(result, "landlock_create_ruleset");
    /* No rule is added, so what is handled is forbidden. */
    done = syscall(SYS_landlock_restrict_self, ruleset, 0) == 0 || failed(result, "landlock_restrict_self");
    close(ruleset);
    return done;
}

/* What anyone may do to himself. */
static bool give_up_rights(struct result *result)
{
    /* Before Landlock, which an ordinary user may use only after it. */
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return failed(result, "prctl(PR_SET_NO_NEW_PRIVS)");
    /* After the change of user, which sets it anew. Leak checkers trace the process from inside, and need it on. */
    if (!UNDER_SANITIZER && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return failed(result, "prctl(PR_SET_DUMPABLE)");
    if (!self_limit(RLIMIT_CORE, 0))
        return failed(result, "setrlimit(RLIMIT_CORE)");
    if (!self_limit(RLIMIT_FSIZE, 0))
        return failed(result, "setrlimit(RLIMIT_FSIZE)");
    if (!self_limit(RLIMIT_NOFILE, 64))
        return failed(result, "setrlimit(RLIMIT_NOFILE)");
    return forbid_writes(result);
}

bool lockdown(struct result *result)
{
    /* First of all, since the look-up of the user reads it: whoever started this meant it to be empty. */
    if (clearenv() != 0)
        return failed(result, "clearenv");
    umask(077);
    if (chdir("/") != 0)
        return failed(result, "chdir");
    if (geteuid() == 0) {
        /* Raising a limit takes root. */
        if (!set_known_limits(result) || !become_helper_user(result))
            return false;
    } else if (!set_ids(geteuid(), getegid(), result)) {
        /* A host that is set-user-ID: its caller's id must not be within reach. */
        return false;
    }
    return give_up_rights(result);
}
