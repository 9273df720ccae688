/*
 * Landlock: rights that a process gives up for good, as far as its kernel knows them. Each call of landlock_begin() to
 * landlock_enforce() is a layer of its own; what one forbids no other can allow.
 *
 * Sources: Linux, Documentation/userspace-api/landlock.rst; landlock_create_ruleset(2).
 */
#ifndef PAM_COGNITO_LANDLOCK_H
#define PAM_COGNITO_LANDLOCK_H

#include <stdbool.h>
#include <stdint.h>

enum landlock_right {
    LANDLOCK_CHANGE_FILES = 1 << 0, /* create, write, cut, rename, remove, and ioctl on devices */
    LANDLOCK_EXECUTE = 1 << 1,
    LANDLOCK_READ = 1 << 2,    /* open a file to read it, and list a folder; not stat(2) */
    LANDLOCK_SERVE = 1 << 3,   /* bind a TCP socket */
    LANDLOCK_CONNECT = 1 << 4, /* connect one */
    LANDLOCK_SIGNAL = 1 << 5,  /* signal a process that is not restricted likewise */
    LANDLOCK_ABSTRACT = 1 << 6 /* connect to its abstract UNIX sockets */
};

/* A layer that is being made. Not worth a look inside. */
struct landlock {
    int ruleset;
    uint64_t read;
    uint64_t connect;
};

/* The kernel's version of Landlock; 0 where it has none, or has it switched off, or a container's filter says so. */
int landlock_version(void);

/* Begins a layer that takes these rights away; what the kernel does not know is left out. False with errno set: then
 * nothing is to be freed. Without Landlock it is a layer that does nothing. */
bool landlock_begin(struct landlock *layer, unsigned int rights);

/* Leaves LANDLOCK_READ for `path`, or LANDLOCK_READ for all beneath it where that is a folder. What is not there, or
 * not within reach, needs no leave. False with errno set. */
bool landlock_leave_path(const struct landlock *layer, const char *path);

/* The same for what an open descriptor stands for (O_PATH will do). */
bool landlock_leave_file(const struct landlock *layer, int fd);

/* Leaves LANDLOCK_CONNECT for this TCP port. False with errno set. */
bool landlock_leave_port(const struct landlock *layer, uint16_t port);

/* Makes the layer hold for this thread and all that it starts from now on, if `complete`, and frees it. The process
 * must have PR_SET_NO_NEW_PRIVS. False with errno set; errno stays as it was when the layer is not complete. */
bool landlock_enforce(struct landlock *layer, bool complete);

#endif
