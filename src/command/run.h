/*
 * One run of a token command, from the look-up of its user to the end of the last process that it has started.
 */
#ifndef PAM_COGNITO_COMMAND_RUN_H
#define PAM_COGNITO_COMMAND_RUN_H

#include "command/outcome.h"
#include "common/message.h"
#include "common/secret.h"

/* What the end of all processes may take beyond the deadline. */
#define CLEANUP_MS 300

/* Runs the command until it ends, writes too much, `run->timeout` is over, or `peer` closes or speaks; none of what it
 * has started is left then. True when it ended as it should with one line, which is in `output` without its newline.
 * The caller frees `output` in every case. */
bool run_command(const struct run_message *run, int peer, struct secret *output, struct outcome *outcome);

#endif
