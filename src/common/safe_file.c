#include "common/safe_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Says why `stat` breaks a rule, or NULL. A sticky directory is no exception: whoever may write to it may put a file
 * where none is. */
static const char *fault_of(const struct stat *stat, mode_t type, int rules)
{
    if ((stat->st_mode & S_IFMT) != type)
        return type == S_IFDIR ? "a part of the path is not a directory" : "not a regular file";
    if (stat->st_uid != 0 && stat->st_uid != geteuid())
        return type == S_IFDIR ? "a directory of the path is not owned by root" : "not owned by root";
    if ((stat->st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return type == S_IFDIR ? "a directory of the path is writable by others" : "writable by others";
    if (type == S_IFDIR)
        return NULL;
    if ((rules & SAFE_PRIVATE) != 0 && (stat->st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return "readable by others";
    if ((rules & SAFE_ONE_LINK) != 0 && stat->st_nlink != 1)
        return "it has more than one link";
    if ((rules & SAFE_EXECUTABLE) != 0 && (stat->st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) == 0)
        return "not executable";
    return NULL;
}

static enum safe_result refuse(char *why, size_t size, const char *text)
{
    snprintf(why, size, "%s", text);
    return SAFE_REFUSED;
}

/* After a failed open: absent, or refused. */
static enum safe_result failed(char *why, size_t size)
{
    bool absent = errno == ENOENT;

    snprintf(why, size, "%s", strerrordesc_np(errno));
    return absent ? SAFE_ABSENT : SAFE_REFUSED;
}

/* Opens the directory that holds the last part of `path`, step by step from the root, and stores where that part
 * begins. */
static enum safe_result open_parent(const char *path, int *fd, const char **name, char *why, size_t size)
{
    const char *slash;
    const char *fault;
    struct stat stat;

    *fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    for (path++; *fd >= 0; path = slash + 1) {
        char part[NAME_MAX + 1];
        int next;

        if (fstat(*fd, &stat) != 0)
            return failed(why, size);
        fault = fault_of(&stat, S_IFDIR, 0);
        if (fault != NULL)
            return refuse(why, size, fault);
        *name = path;
        slash = strchr(path, '/');
        if (slash == NULL)
            return SAFE_OK;
        if ((size_t)(slash - path) >= sizeof part)
            return refuse(why, size, "a part of the path is too long");
        memcpy(part, path, (size_t)(slash - path));
        part[slash - path] = '\0';
        /* Not O_DIRECTORY: a link would be followed by none, but then fault_of() can say what is wrong. */
        next = openat(*fd, part, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        close(*fd);
        *fd = next;
    }
    return failed(why, size);
}

static enum safe_result read_all(int fd, size_t most, struct secret *content, char *why, size_t size)
{
    enum safe_result result = SAFE_REFUSED;
    size_t length = 0;
    char *bytes = malloc(most + 1);

    if (bytes == NULL)
        return refuse(why, size, "out of memory");
    while (length <= most) {
        ssize_t got = read(fd, bytes + length, most + 1 - length);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            result = failed(why, size);
            goto out;
        }
        if (got == 0)
            break;
        length += (size_t)got;
    }
    if (length > most)
        result = refuse(why, size, "too large");
    else if (!secret_set(content, bytes, length))
        result = refuse(why, size, "out of memory");
    else
        result = SAFE_OK;
out:
    explicit_bzero(bytes, length);
    free(bytes);
    return result;
}

/* Finds the file and looks at it without opening it, which for a device can have effects. `*parent`, a directory or
 * AT_FDCWD, and `*name` say where it is; the caller closes the directory, whatever the result. */
static enum safe_result look_at(const char *path, int rules, int *parent, const char **name, char *why, size_t size)
{
    enum safe_result result = SAFE_OK;
    const char *fault;
    struct stat stat;
    int fd;

    *parent = AT_FDCWD;
    *name = path;
    if (*path != '/')
        return refuse(why, size, "not an absolute path");
    if ((rules & SAFE_PARENTS) != 0)
        result = open_parent(path, parent, name, why, size);
    if (result != SAFE_OK)
        return result;
    fd = openat(*parent, *name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return failed(why, size);
    fault = fstat(fd, &stat) == 0 ? fault_of(&stat, S_IFREG, rules) : strerrordesc_np(errno);
    close(fd);
    return fault == NULL ? SAFE_OK : refuse(why, size, fault);
}

enum safe_result safe_file_check(const char *path, int rules, char *why, size_t size)
{
    const char *name;
    int parent;
    enum safe_result result = look_at(path, rules, &parent, &name, why, size);

    if (parent >= 0)
        close(parent);
    return result;
}

enum safe_result safe_file_read(const char *path, int rules, size_t most, struct secret *content, char *why,
                                size_t size)
{
    enum safe_result result;
    const char *fault;
    const char *name;
    int parent;
    int fd = -1;
    struct stat stat;

    secret_free(content);
    result = look_at(path, rules, &parent, &name, why, size);
    if (result != SAFE_OK)
        goto out;

    fd = openat(parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &stat) != 0) {
        result = failed(why, size);
        goto out;
    }
    /* Looked at once more: what was opened may be another file than what was looked at. */
    fault = fault_of(&stat, S_IFREG, rules);
    if (fault != NULL)
        result = refuse(why, size, fault);
    else if (stat.st_size > (off_t)most)
        result = refuse(why, size, "too large");
    else
        result = read_all(fd, most, content, why, size);
out:
    if (fd >= 0)
        close(fd);
    if (parent >= 0)
        close(parent);
    return result;
}
