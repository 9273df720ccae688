/*
 * All of a process that a guest must leave as it was, as seen from the calling thread.
 */
#ifndef CROWD_SNAPSHOT_H
#define CROWD_SNAPSHOT_H

/* A line each: what it is, a blank, how it is. The caller frees it. */
char *snapshot(void);

/* The host itself sets this limit: no difference from now on. */
void snapshot_own_limit(int resource);

/* The first line in which they differ, as it was and as it is; NULL when they are the same. The caller frees it. */
char *snapshot_difference(const char *before, const char *after);

#endif
