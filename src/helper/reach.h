/*
 * What the helper may still reach once it knows its configuration: files to read, TCP ports to connect to.
 */
#ifndef PAM_COGNITO_HELPER_REACH_H
#define PAM_COGNITO_HELPER_REACH_H

#include "common/message.h"
#include "helper/result.h"

#include <stdbool.h>

/* Takes away everything but what a login by `start` needs, as far as the kernel has Landlock. False with ERR_HELPER and
 * the call that failed. */
bool reach_only(const struct start_message *start, struct result *result);

#endif
