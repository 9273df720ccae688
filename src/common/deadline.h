/*
 * Points in time by the monotonic clock, in milliseconds, and waiting until one of them at most.
 */
#ifndef PAM_COGNITO_DEADLINE_H
#define PAM_COGNITO_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>

typedef int64_t deadline_t;

/* Milliseconds of CLOCK_MONOTONIC. */
int64_t clock_ms(void);

/* The point `ms` milliseconds from now. */
deadline_t deadline_in(int64_t ms);

/* The earlier of two. */
deadline_t deadline_first(deadline_t a, deadline_t b);

/* Milliseconds left, 0 when it is over; at most INT_MAX, so that it fits poll(2). */
int deadline_left(deadline_t deadline);

/* Waits until `fd` is ready for `events` (of poll(2)). False at the deadline or on a poll error, with errno set
 * (ETIMEDOUT at the deadline). Signals do not end the wait. A hang-up counts as ready: the next read shows it. */
bool deadline_poll(int fd, short events, deadline_t deadline);

#endif
