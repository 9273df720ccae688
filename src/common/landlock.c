#include "common/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What came with later kernels than the headers may know: Linux 6.2, 6.7, 6.10 and 6.12. */
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif
#ifndef LANDLOCK_ACCESS_NET_CONNECT_TCP
#define LANDLOCK_ACCESS_NET_BIND_TCP    (1ULL << 0)
#define LANDLOCK_ACCESS_NET_CONNECT_TCP (1ULL << 1)
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ULL << 15)
#endif
#ifndef LANDLOCK_SCOPE_SIGNAL
#define LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET (1ULL << 0)
#define LANDLOCK_SCOPE_SIGNAL               (1ULL << 1)
#endif

/* The kernel's structures as they are today, and not as the headers remember them: an older kernel takes a longer one
 * whose rest is zero. */
struct attributes {
    uint64_t fs, net, scoped;
};

struct port_rule {
    uint64_t allowed, port;
};

#define RULE_PATH 1
#define RULE_PORT 2

#define CHANGES                                                                                                        \
    (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |                  \
     LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |                        \
     LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |                     \
     LANDLOCK_ACCESS_FS_MAKE_SYM)

/* What a right means to the kernel, and the version that brought it: to name one that it does not know is an error. */
static const struct {
    unsigned int right;
    int since;
    struct attributes means;
} rights[] = {
    {LANDLOCK_CHANGE_FILES, 1, {.fs = CHANGES}},
    {LANDLOCK_CHANGE_FILES, 2, {.fs = LANDLOCK_ACCESS_FS_REFER}},
    {LANDLOCK_CHANGE_FILES, 3, {.fs = LANDLOCK_ACCESS_FS_TRUNCATE}},
    {LANDLOCK_CHANGE_FILES, 5, {.fs = LANDLOCK_ACCESS_FS_IOCTL_DEV}},
    {LANDLOCK_EXECUTE, 1, {.fs = LANDLOCK_ACCESS_FS_EXECUTE}},
    {LANDLOCK_READ, 1, {.fs = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR}},
    {LANDLOCK_SERVE, 4, {.net = LANDLOCK_ACCESS_NET_BIND_TCP}},
    {LANDLOCK_CONNECT, 4, {.net = LANDLOCK_ACCESS_NET_CONNECT_TCP}},
    {LANDLOCK_SIGNAL, 6, {.scoped = LANDLOCK_SCOPE_SIGNAL}},
    {LANDLOCK_ABSTRACT, 6, {.scoped = LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET}},
};

int landlock_version(void)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

    return version < 0 ? 0 : (int)version;
}

bool landlock_begin(struct landlock *layer, unsigned int taken)
{
    struct attributes attributes = {.fs = 0};
    int version = landlock_version();

    *layer = (struct landlock){.ruleset = -1};
    for (size_t i = 0; i < sizeof rights / sizeof *rights; i++) {
        if ((taken & rights[i].right) == 0 || version < rights[i].since)
            continue;
        attributes.fs |= rights[i].means.fs;
        attributes.net |= rights[i].means.net;
        attributes.scoped |= rights[i].means.scoped;
    }
    layer->read = attributes.fs & (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR);
    layer->connect = attributes.net & LANDLOCK_ACCESS_NET_CONNECT_TCP;
    if ((attributes.fs | attributes.net | attributes.scoped) == 0)
        return true;
    layer->ruleset = (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0);
    return layer->ruleset >= 0;
}

bool landlock_leave_file(const struct landlock *layer, int fd)
{
    struct landlock_path_beneath_attr rule = {.allowed_access = layer->read, .parent_fd = fd};
    struct stat status;

    if (layer->read == 0)
        return true;
    if (fstat(fd, &status) != 0)
        return false;
    if (!S_ISDIR(status.st_mode))
        rule.allowed_access &= LANDLOCK_ACCESS_FS_READ_FILE;
    return syscall(SYS_landlock_add_rule, layer->ruleset, RULE_PATH, &rule, 0) == 0;
}

bool landlock_leave_path(const struct landlock *layer, const char *path)
{
    bool left;
    int fd;

    if (layer->read == 0)
        return true;
    fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return errno != EMFILE && errno != ENFILE && errno != ENOMEM;
    left = landlock_leave_file(layer, fd);
    close(fd);
    return left;
}

bool landlock_leave_port(const struct landlock *layer, uint16_t port)
{
    struct port_rule rule = {.allowed = layer->connect, .port = port};

    return layer->connect == 0 || syscall(SYS_landlock_add_rule, layer->ruleset, RULE_PORT, &rule, 0) == 0;
}

bool landlock_enforce(struct landlock *layer, bool complete)
{
    int failure;

    if (layer->ruleset < 0)
        return complete;
    complete = complete && syscall(SYS_landlock_restrict_self, layer->ruleset, 0) == 0;
    failure = errno;
    close(layer->ruleset);
    errno = failure;
    layer->ruleset = -1;
    return complete;
}
