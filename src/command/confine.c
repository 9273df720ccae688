#include "command/confine.h"

#include "common/landlock.h"
#include "common/sanitizer.h"
#include "common/self.h"

#include <linux/capability.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>

/* Not LANDLOCK_SIGNAL: it has somebody to kill. What cannot be read is not executed either. */
#define DEEDS (LANDLOCK_CHANGE_FILES | LANDLOCK_READ | LANDLOCK_SERVE | LANDLOCK_CONNECT | LANDLOCK_ABSTRACT)

const char *confine(void)
{
    const uint64_t kept = UINT64_C(1) << CAP_KILL;
    const char *failure;
    struct landlock layer;

    /* What a sanitizer has to say goes to a file. */
    if (!UNDER_SANITIZER && !self_limit(RLIMIT_FSIZE, 0))
        return "setrlimit(RLIMIT_FSIZE)";
    self_bound_capabilities(kept);
    failure = self_keep_capabilities(kept);
    if (failure != NULL)
        return failure;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return "prctl(PR_SET_NO_NEW_PRIVS)";
    if (!landlock_begin(&layer, DEEDS))
        return "landlock_create_ruleset";
    /* All of it: the folder of a process may be made anew behind the same name. */
    return landlock_enforce(&layer, landlock_leave_path(&layer, "/proc")) ? NULL : "landlock_restrict_self";
}
