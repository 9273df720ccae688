/*
 * pam-cognito-command: runs a token command (`token = command:PATH`) for one login, and ends with it.
 *
 * It is started by pam_cognito_code.so, with a socket to that as descriptor 3; a process of its own, because the host
 * must neither be the parent of an administrator's program nor pay for its own size when that is forked. One MSG_RUN
 * comes, one MSG_OUTPUT goes; see common/message.h. It keeps root's rights until there is a process that became the
 * command's user, and from then on the one right to end what runs as another user.
 */
#include "command/outcome.h"
#include "command/run.h"
#include "common/frame.h"
#include "common/message.h"
#include "common/sanitizer.h"
#include "common/self.h"
#include "common/text.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

/* The request must be there by then, and the answer be taken. */
#define FRAME_MS 1000

/* The option's range ends at 300 s. */
#define TIMEOUT_MOST (600 * 1000)

/* What is left when the deadline has passed: to end all processes and to answer. */
#define REMAINDER_MS (CLEANUP_MS + 400)

/* Whoever started this meant all of it to be so: the look-up of the user reads the environment, and a SIGCHLD that is
 * ignored would take the exit status along. */
static bool shed_inheritance(struct outcome *outcome)
{
    const struct sigaction default_action = {.sa_handler = SIG_DFL};
    sigset_t none;

    for (int signal = 1; signal < NSIG; signal++)
        sigaction(signal, &default_action, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    /* Not to be inspected by the command where that runs as the same user. Leak checkers need it on. */
    if (clearenv() != 0 || chdir("/") != 0 || (!UNDER_SANITIZER && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) ||
        !self_limit(RLIMIT_CORE, 0))
        return outcome_fail(outcome, ERR_COMMAND_SETUP, "pam-cognito-command: %s", strerrordesc_np(errno));
    return true;
}

/* False with the outcome if the frame is another program's, or cannot be done. */
static bool read_run(struct frame *frame, struct run_message *run, struct outcome *outcome)
{
    const char *version;
    char shown[32];

    if (frame->type != MSG_RUN)
        return outcome_fail(outcome, ERR_COMMAND_SETUP, "pam-cognito-command: the first frame was no request");
    /* The version goes first in all versions, so that this works also where the rest is not what is expected. */
    version = frame_get_string(frame);
    if (strcmp(version, PACKAGE_VERSION) != 0)
        return outcome_fail(outcome, ERR_COMMAND_SETUP,
                            "pam-cognito-command is version " PACKAGE_VERSION ", the module version %s",
                            text_log_value(shown, sizeof shown, version));
    frame->at = 0;
    if (!message_read(frame, MSG_RUN, run))
        return outcome_fail(outcome, ERR_COMMAND_SETUP, "pam-cognito-command: the request cannot be read");
    if (*run->path != '/' || *run->user == '\0' || run->timeout == 0 || run->timeout > TIMEOUT_MOST)
        return outcome_fail(outcome, ERR_BAD_REQUEST, "the request names no path, user or time");
    return true;
}

static void answer(struct frame *frame, const struct outcome *outcome, const struct secret *output)
{
    const struct output_message message = {
        .error = (uint32_t)outcome->error,
        .detail = outcome->detail,
        .output = outcome->error == ERR_NONE ? output->bytes : "",
    };

    /* Nobody can be told when this fails: the module sees the end. */
    if (message_write(frame, MSG_OUTPUT, &message))
        frame_send(frame, SELF_PEER, deadline_in(FRAME_MS));
}

int main(int argc, char **argv)
{
    struct outcome outcome = {.error = ERR_SYSTEM, .detail = "the request had no outcome"};
    struct secret output = {NULL, 0};
    struct run_message run;
    struct frame *frame;

    (void)argv;
    if (argc != 1 || !self_has_peer()) {
        fputs("pam-cognito-command: pam_cognito_code.so starts this; it is of no use by hand\n", stderr);
        return 2;
    }
    frame = frame_new();
    self_bound_life(2 * FRAME_MS);
    if (frame == NULL || fcntl(SELF_PEER, F_SETFL, O_NONBLOCK) != 0 ||
        !frame_receive(frame, SELF_PEER, deadline_in(FRAME_MS)))
        goto out;
    if (shed_inheritance(&outcome) && read_run(frame, &run, &outcome)) {
        self_bound_life(run.timeout + REMAINDER_MS);
        if (run_command(&run, SELF_PEER, &output, &outcome))
            outcome = (struct outcome){.error = ERR_NONE};
    }
    answer(frame, &outcome, &output);
out:
    secret_free(&output);
    frame_free(&frame);
    return 0;
}
