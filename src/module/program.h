/*
 * A program of this package in another process: started, spoken with in frames, ended.
 */
#ifndef PAM_COGNITO_PROGRAM_H
#define PAM_COGNITO_PROGRAM_H

#include "common/deadline.h"
#include "common/errors.h"
#include "common/message.h"
#include "module/spawn.h"

#include <sys/types.h>

/* What the host waits beyond a deadline that the program was told, for one that keeps to it. With PROGRAM_FAREWELL_MS
 * it stays below the second that a call may take beyond its deadline. */
#define PROGRAM_GRACE_MS 500

/* What a program may take to end by itself what it has started. */
#define PROGRAM_FAREWELL_MS 300

struct program {
    struct process process;
    pid_t owner; /* the process that started it */
    struct frame *frame;
};

/* Starts the program at `path` and sends it the first message, of `type`, without waiting for an answer. On ERR_HELPER
 * it could not be started, and `why` says what is wrong with which file; on ERR_NO_MEMORY and ERR_BAD_REQUEST it was
 * not. Otherwise it is to be ended with program_end(), which may be called in every case. */
enum error program_start(struct program *program, const char *path, enum message_type type, const void *message,
                         char *why, size_t size);

/* Sends and receives one message until `deadline`. ERR_DEADLINE, or ERR_HELPER_LOST for a program that has ended or
 * does not speak as it should: no use in going on then. Received strings are valid until the next call. */
enum error program_send(struct program *program, enum message_type type, const void *message, deadline_t deadline);
enum error program_receive(struct program *program, enum message_type type, void *message, deadline_t deadline);

/* Kills it. */
void program_kill(const struct program *program);

/* Ends it and frees what it needed. With `farewell_ms` it hears of it first, and is killed when that is over. In a
 * process other than its owner (a child of the host that inherited the login) it is left alone. */
void program_end(struct program *program, int farewell_ms);

#endif
