/*
 * Giving up every right that the helper does not need, in two steps: most of it before it reads a byte from anyone, the
 * rest before it sends one to the network, when it has been told where to.
 */
#ifndef PAM_COGNITO_HELPER_LOCKDOWN_H
#define PAM_COGNITO_HELPER_LOCKDOWN_H

#include "common/message.h"
#include "helper/result.h"

#include <stdbool.h>

/* Empties the environment; becomes the helper user if this is root, else one user through and through; no capabilities,
 * no new privileges, no core, no tracing by others, no changes to files, no servers, no signals to others, known
 * limits. False with ERR_HELPER and the call that failed: then some rights are left, and the process must do no more
 * than say so. */
bool lockdown(struct result *result);

/* After it, once the libraries are set up: no files and no TCP ports but those that a login by `start` needs, and no
 * system calls but those of a client. True with one line for the log in `result`, which says what of all this the
 * kernel and the build could do; false as above. */
bool lockdown_for(const struct start_message *start, struct result *result);

#endif
