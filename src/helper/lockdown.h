/*
 * Giving up every right that the helper does not need, before it reads a byte from anyone.
 */
#ifndef PAM_COGNITO_HELPER_LOCKDOWN_H
#define PAM_COGNITO_HELPER_LOCKDOWN_H

#include "helper/result.h"

#include <stdbool.h>

/* Empties the environment; becomes the helper user if this is root, else one user through and through; no new
 * privileges, no core, no tracing by others, no file writes, known limits. False with ERR_HELPER and the call that
 * failed: then some rights are left, and the process must do no more than say so. */
bool lockdown(struct result *result);

#endif
