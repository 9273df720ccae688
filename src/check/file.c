#include "check/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MOST (1024 * 1024)

/* 0, or an errno. */
static int read_all(int fd, char *text, size_t *length)
{
    struct stat stat;
    ssize_t got = 0;

    if (fstat(fd, &stat) != 0)
        return errno;
    if (S_ISDIR(stat.st_mode))
        return 0;
    if (!S_ISREG(stat.st_mode))
        return EINVAL;
    while (*length <= FILE_MOST && (got = read(fd, text + *length, FILE_MOST + 1 - *length)) > 0)
        *length += (size_t)got;
    if (got < 0)
        return errno;
    return *length > FILE_MOST ? EFBIG : 0;
}

char *file_read(const char *path, size_t *length)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    int failure = fd < 0 ? errno : 0;
    char *text = fd < 0 ? NULL : malloc(FILE_MOST + 2);

    *length = 0;
    if (text != NULL)
        failure = read_all(fd, text, length);
    else if (failure == 0)
        failure = ENOMEM;
    if (fd >= 0)
        close(fd);
    if (failure != 0) {
        free(text);
        errno = failure;
        return NULL;
    }
    text[*length] = '\0';
    return text;
}
