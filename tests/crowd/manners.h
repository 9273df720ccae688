/*
 * How hosts behave, some of them oddly.
 */
#ifndef CROWD_MANNERS_H
#define CROWD_MANNERS_H

#include <stdbool.h>
#include <stddef.h>

/* What threads and calls are to be like from now on. */
struct manners {
    size_t stack;   /* of a thread, in bytes; 0: the usual */
    bool compare;   /* take a snapshot before and after every call */
    bool unblocked; /* the signals of the timer go to the threads that log in */
};

/* Behaves as the line says: a name, and perhaps an argument after a blank. False when there is no such manner, or it
 * cannot be had. */
bool behave(struct manners *manners, const char *line);

/* Writes what was seen of signals and children, on one line. */
void manners_report(char *out, size_t size);

#endif
