/*
 * Files of text that an administrator wrote.
 */
#ifndef PAM_COGNITO_CHECK_FILE_H
#define PAM_COGNITO_CHECK_FILE_H

#include <stddef.h>

/* Reads a whole file of at most 1 MiB, with a NUL after it; of a directory, nothing, as the C library's fgets() does.
 * NULL with errno set where it cannot be read, or is a FIFO or a device. The caller frees. */
char *file_read(const char *path, size_t *length);

#endif
