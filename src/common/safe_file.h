/*
 * Reading files that somebody else may have prepared: configuration, secrets, tokens.
 */
#ifndef PAM_COGNITO_SAFE_FILE_H
#define PAM_COGNITO_SAFE_FILE_H

#include "common/secret.h"

#include <stddef.h>

/* What is asked of a file beyond the rules that always hold: a regular file, reached without following a link in its
 * last part, owned by root or by the caller's effective user, writable by no one else. */
enum safe_rules {
    SAFE_PRIVATE = 1,  /* nobody else may read it either */
    SAFE_ONE_LINK = 2, /* it has no second name */
    SAFE_PARENTS =
        4, /* every directory from the root down has such an owner, is writable by no one else, and is no link */
    SAFE_EXECUTABLE = 8, /* somebody may execute it */
};

enum safe_result {
    SAFE_OK,
    SAFE_ABSENT, /* there is no such file */
    SAFE_REFUSED /* there is one, but it is not safe, not readable, or larger than `most` bytes */
};

/* Reads the file at the absolute `path` into `content`, which the caller frees; never waits for a FIFO or device, and
 * opens none. On SAFE_ABSENT and SAFE_REFUSED `content` is absent and `why` says what is wrong, without the path. */
enum safe_result safe_file_read(const char *path, int rules, size_t most, struct secret *content, char *why,
                                size_t size);

/* Looks at the file at the absolute `path` without opening it, by the same rules; `why` as above. It stays as safe as
 * it was found only under SAFE_PARENTS, where no one else can put another file in its place. */
enum safe_result safe_file_check(const char *path, int rules, char *why, size_t size);

#endif
