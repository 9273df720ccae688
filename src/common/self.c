#include "common/self.h"

#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

bool self_has_peer(void)
{
    int type = 0;
    socklen_t size = sizeof type;

    return getsockopt(SELF_PEER, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

void self_bound_life(uint32_t ms)
{
    struct itimerval timer = {.it_value = {.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000}};
    sigset_t alarm_only;

    signal(SIGALRM, SIG_DFL);
    sigemptyset(&alarm_only);
    sigaddset(&alarm_only, SIGALRM);
    sigprocmask(SIG_UNBLOCK, &alarm_only, NULL);
    setitimer(ITIMER_REAL, &timer, NULL);
}

bool self_limit(int resource, rlim_t value)
{
    struct rlimit limit = {value, value};

    if (setrlimit(resource, &limit) == 0)
        return true;
    if (errno != EPERM || getrlimit(resource, &limit) != 0)
        return false;
    limit.rlim_cur = value < limit.rlim_max ? value : limit.rlim_max;
    return setrlimit(resource, &limit) == 0;
}

const char *self_set_ids(uid_t uid, gid_t gid)
{
    gid_t real_gid, effective_gid, saved_gid;
    uid_t real_uid, effective_uid, saved_uid;

    if (setresgid(gid, gid, gid) != 0)
        return "setresgid";
    if (setresuid(uid, uid, uid) != 0)
        return "setresuid";
    if (getresgid(&real_gid, &effective_gid, &saved_gid) != 0 || getresuid(&real_uid, &effective_uid, &saved_uid) != 0)
        return "getresuid";
    /* A call that says it worked is not enough. */
    errno = EPERM;
    if (real_gid != gid || effective_gid != gid || saved_gid != gid || real_uid != uid || effective_uid != uid ||
        saved_uid != uid)
        return "setresuid and setresgid, which had no effect";
    return NULL;
}

void self_bound_capabilities(uint64_t keep)
{
    /* The kernel says where its own end. */
    for (unsigned int i = 0; i < 64 && prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++)
        if ((keep >> i & 1) == 0)
            prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
}

const char *self_keep_capabilities(uint64_t keep)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
    const uint32_t kept[_LINUX_CAPABILITY_U32S_3] = {(uint32_t)keep, (uint32_t)(keep >> 32)};

    if (syscall(SYS_capget, &header, sets) != 0)
        return "capget";
    for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
        sets[i].permitted &= kept[i];
        sets[i].effective = sets[i].permitted;
        sets[i].inheritable = 0;
    }
    if (syscall(SYS_capset, &header, sets) != 0)
        return "capset";
    if (syscall(SYS_capget, &header, sets) != 0)
        return "capget";
    errno = EPERM;
    for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
        if ((sets[i].permitted & ~kept[i]) != 0 || sets[i].inheritable != 0)
            return "capset, which had no effect";
    return NULL;
}
