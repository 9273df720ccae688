/*
 * Any file system for common/safe_file.c, a byte or more for each answer of the kernel: what a directory and a file
 * are, whose, and how reads come. What is read is what the rules allow, and no descriptor stays open.
 */
#include "fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST_FD 1000
#define FDS_MOST 64
#define SELF     1000

static struct {
    const uint8_t *at;
    size_t left;
    size_t opened, closed;
    struct stat stats[FDS_MOST];
    bool readable[FDS_MOST]; /* opened for more than a look */
    char text[256];          /* what the reads gave */
    size_t length;
} fake;

static uint8_t next(void)
{
    if (fake.left == 0)
        return 0;
    fake.left--;
    return *fake.at++;
}

static int fake_open(int at, const char *path, int flags, ...)
{
    uint8_t fault = next();

    HOLDS(at == AT_FDCWD || (at >= FIRST_FD && at < FIRST_FD + (int)fake.opened));
    HOLDS((flags & O_CLOEXEC) != 0 && ((flags & O_NOFOLLOW) != 0 || strcmp(path, "/") == 0));
    HOLDS((flags & O_PATH) != 0 || ((flags & O_NONBLOCK) != 0 && (flags & O_NOCTTY) != 0));
    HOLDS((flags & O_ACCMODE) == O_RDONLY);
    if (fault >= 0xf0 || fake.opened == FDS_MOST) {
        errno = fault % 3 == 0 ? ENOENT : fault % 3 == 1 ? EACCES : ELOOP;
        return -1;
    }
    fake.readable[fake.opened] = (flags & O_PATH) == 0;
    return FIRST_FD + (int)fake.opened++;
}

static int fake_close(int fd)
{
    HOLDS(fd >= FIRST_FD);
    fake.closed++;
    return 0;
}

/* The same each time it is asked of the same descriptor, but the one that is read may be another file. */
static int fake_fstat(int fd, struct stat *stat)
{
    static const mode_t types[] = {S_IFREG, S_IFDIR, S_IFLNK, S_IFIFO, S_IFSOCK, S_IFCHR};
    static const uid_t uids[] = {0, SELF, 1, 65534};
    uint8_t type = next(), mode = next(), more = next();

    if (type >= 0xf8) {
        errno = EIO;
        return -1;
    }
    /* Mostly what would be there: directories, and a file at the end. */
    *stat = (struct stat){.st_mode = type < 0x60   ? S_IFREG
                                     : type < 0xc0 ? S_IFDIR
                                                   : types[type % 6],
                          .st_uid = uids[more & 3],
                          .st_nlink = 1 + (more >> 2 & 1),
                          .st_size = more >> 3};
    stat->st_mode |= (mode_t)mode << 1 | (more & 0x80 ? 0 : S_IRUSR | S_IWUSR);
    fake.stats[fd - FIRST_FD] = *stat;
    return 0;
}

static ssize_t fake_read(int fd, void *bytes, size_t size)
{
    uint8_t length = next();

    HOLDS(fake.readable[fd - FIRST_FD]);
    if (length >= 0xf8) {
        errno = length & 1 ? EINTR : EIO;
        return -1;
    }
    if (length > size)
        length = (uint8_t)size;
    if (fake.length + length > sizeof fake.text)
        length = 0;
    for (uint8_t i = 0; i < length; i++)
        fake.text[fake.length++] = ((char *)bytes)[i] = (char)next();
    return length;
}

static uid_t fake_geteuid(void)
{
    return SELF;
}

/* clang-format off */
#define open(path, flags) fake_open(AT_FDCWD, path, flags)
#define openat            fake_open
#define close             fake_close
#define fstat(fd, buffer) fake_fstat(fd, buffer)
#define read              fake_read
#define geteuid           fake_geteuid
#include "common/safe_file.c"
#undef open
#undef openat
#undef close
#undef fstat
#undef read
#undef geteuid
/* clang-format on */

static void check_file(const struct stat *is, int rules)
{
    HOLDS(S_ISREG(is->st_mode) && (is->st_uid == 0 || is->st_uid == SELF));
    HOLDS((is->st_mode & (S_IWGRP | S_IWOTH)) == 0);
    HOLDS((rules & SAFE_PRIVATE) == 0 || (is->st_mode & 077) == 0);
    HOLDS((rules & SAFE_ONE_LINK) == 0 || is->st_nlink == 1);
    HOLDS((rules & SAFE_EXECUTABLE) == 0 || (is->st_mode & 0111) != 0);
}

/* Every descriptor but the last is a directory on the way, or the file before it was opened. */
static void check_way(int rules, size_t last)
{
    for (size_t i = 0; i <= last; i++)
        if (S_ISDIR(fake.stats[i].st_mode))
            HOLDS((fake.stats[i].st_uid == 0 || fake.stats[i].st_uid == SELF) && (fake.stats[i].st_mode & 022) == 0);
        else
            check_file(&fake.stats[i], rules);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const paths[] = {"/f", "/a/f", "/a/b/f", "f", "/", "/a//f", "", "/a/"};
    struct secret content = {NULL, 0};
    enum safe_result result;
    char why[128] = "";
    const char *path;
    size_t most;
    int rules;

    memset(&fake, 0, sizeof fake);
    fake.at = data;
    fake.left = size;
    path = paths[next() % 8];
    rules = next() & 15;
    most = next();
    if (rules & SAFE_EXECUTABLE) {
        result = safe_file_check(path, rules, why, sizeof why);
        HOLDS(fake.length == 0);
    } else {
        result = safe_file_read(path, rules, most, &content, why, sizeof why);
    }
    HOLDS(fake.opened == fake.closed);
    HOLDS((result == SAFE_OK) == (*why == '\0'));
    if (result == SAFE_OK) {
        HOLDS(*path == '/' && fake.opened >= 1);
        check_file(&fake.stats[fake.opened - 1], rules);
        check_way(rules, fake.opened - 1);
        HOLDS((rules & SAFE_EXECUTABLE) != 0 || (content.length <= most && content.length == fake.length &&
                                                 memcmp(content.bytes, fake.text, fake.length) == 0));
    } else {
        HOLDS(content.bytes == NULL);
    }
    secret_free(&content);
    return 0;
}
