/*
 * Token commands: an administrator's program that prints an access token, run by pam-cognito-command.
 */
#ifndef PAM_COGNITO_COMMAND_H
#define PAM_COGNITO_COMMAND_H

#include "common/deadline.h"
#include "common/errors.h"
#include "common/message.h"
#include "common/secret.h"

/* Runs what `run` says, until `deadline`; its `timeout` follows from that. The line that the command wrote is in
 * `output`, which the caller frees; on an error `output` is absent and `detail` has a line for the log. Neither the
 * command nor anything that it started is left when this returns, about PROGRAM_GRACE_MS after the deadline at most. */
enum error command_run(const struct run_message *run, deadline_t deadline, struct secret *output, char *detail,
                       size_t size);

#endif
