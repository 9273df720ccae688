/*
 * What the project's own programs do to themselves when they start. Not for the modules, which are guests.
 */
#ifndef PAM_COGNITO_SELF_H
#define PAM_COGNITO_SELF_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

/* The descriptor on which spawn() gives a program its socket to the module. */
#define SELF_PEER 3

/* True when somebody who speaks frames may be at the other end of SELF_PEER. */
bool self_has_peer(void);

/* The process ends by itself after so long, whatever it hangs in: by the default action of SIGALRM, which needs nothing
 * of the program. A later call replaces an earlier one. */
void self_bound_life(uint32_t ms);

/* Sets both limits; where the hard one may not be changed (root in a container raises none, valgrind lowers none), the
 * soft one as near as it gets. False with errno set. */
bool self_limit(int resource, rlim_t value);

/* What root may bring back by executing a file: no capability but these, a bit each, from now on. Before the change of
 * user, who may not say so any more; without the right to say so (CAP_SETPCAP) it is left as it is. */
void self_bound_capabilities(uint64_t keep);

/* Gives up all capabilities but these: those that a change of user left (by securebits of the host), and those that a
 * host without root was given. NULL when done, else the name of the call that failed, with errno set. */
const char *self_keep_capabilities(uint64_t keep);

/* Takes the real, effective and saved ids, each checked by reading it back. NULL when done, else the name of the call
 * that failed, with errno set. Groups go before this: the user may not change them any more. */
const char *self_set_ids(uid_t uid, gid_t gid);

#endif
