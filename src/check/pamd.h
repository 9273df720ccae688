/*
 * The files of /etc/pam.d, as libpam reads them (versions 1.5 to 1.7, and Debian's @include).
 */
#ifndef PAM_COGNITO_CHECK_PAMD_H
#define PAM_COGNITO_CHECK_PAMD_H

#include "check/control.h"

#include <security/_pam_types.h>
#include <stdbool.h>
#include <stddef.h>

enum phase { PHASE_AUTH, PHASE_ACCOUNT, PHASE_PASSWORD, PHASE_SESSION, PHASES };

enum line_kind {
    LINE_MODULE,
    LINE_SUBSTACK,  /* where a substack begins; its lines follow, one level deeper */
    LINE_MUST_FAIL, /* what libpam could not read: it denies */
};

#define LEVELS 16 /* of substacks, and of files that include each other */

/* One line of a stack. Owns its texts. */
struct line {
    enum line_kind kind;
    int level;
    int actions[_PAM_RETURN_VALUES];
    char *control; /* as it was written, or "" */
    char *module;  /* its file's name, without directories; of a substack the file that it takes in; or "" */
    int argc;
    char **argv;
    char *file;
    unsigned int number;
    bool included; /* it stands in another file than the service's own */
};

struct stack {
    struct line *lines;
    size_t count;
};

/* What libpam does not take as it was meant. */
struct trouble {
    char *file;
    unsigned int number;
    bool fatal; /* libpam does not even start the service */
    char *what;
};

/* Owns all of it. */
struct service {
    char *file;  /* the service's own, or that of `other` in its place */
    bool absent; /* the service has no file of its own */
    struct stack stacks[PHASES];
    bool from_other[PHASES]; /* the service has no such line, so those of `other` count */
    struct trouble *troubles;
    size_t trouble_count;
};

/* Where files are looked for. */
struct places {
    const char *first; /* a directory, or NULL */
    bool alone;        /* nowhere else: not where libpam looks */
};

/* Reads the service `name`, or if that is not NULL the file at `path` in its stead. False, with `why`, for what cannot
 * be read or is too long. The caller frees `service` in any case. */
bool service_read(struct service *service, const char *name, const char *path, const struct places *places, char *why,
                  size_t size);

void service_free(struct service *service);

/* "auth", … */
const char *phase_name(enum phase phase);

#endif
