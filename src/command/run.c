#include "command/run.h"

#include "command/account.h"
#include "command/child.h"
#include "command/confine.h"
#include "command/descendants.h"
#include "common/deadline.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The longest token and its newline; a byte more is too much. */
#define ROOM (TOKEN_MOST + 2)

enum ending { ENDED, FLOODED, OVERDUE, ABANDONED };

/* Reads what is there. False when it is more than may be. */
static bool read_output(struct child *child, struct secret *output)
{
    ssize_t got;

    do {
        got = read(child->output, output->bytes + output->length, ROOM - output->length);
        if (got > 0)
            output->length += (size_t)got;
        output->bytes[output->length] = '\0';
        if (output->length == ROOM)
            return false;
    } while (got > 0 || (got < 0 && errno == EINTR));
    /* The end of it, or an error: nobody is asked for more, the end of the process says how it went. */
    if (got == 0 || errno != EAGAIN) {
        close(child->output);
        child->output = -1;
    }
    return true;
}

/* Follows the command to its end. That is the end of its first process: whoever else has the output open, as a daemon
 * would, has nothing more to say. */
static enum ending watch(struct child *child, int peer, struct secret *output, deadline_t deadline)
{
    for (;;) {
        struct pollfd polled[] = {
            {.fd = peer, .events = POLLIN},
            {.fd = child->pidfd, .events = POLLIN},
            {.fd = child->output, .events = POLLIN},
        };
        int ready = poll(polled, sizeof polled / sizeof *polled, deadline_left(deadline));

        if (ready == 0 || (ready < 0 && errno != EINTR))
            return OVERDUE;
        if (ready < 0)
            continue;
        if (polled[0].revents != 0)
            return ABANDONED;
        /* Whichever of the two it was: at its end, all that it wrote is there. */
        if (child->output >= 0 && !read_output(child, output))
            return FLOODED;
        if (polled[1].revents != 0)
            return ENDED;
    }
}

/* True when the first process ended by itself with status 0. A line in the report says that it never was the command.
 */
static bool judge_end(const struct child *child, const struct run_message *run, enum ending ending, int status,
                      struct outcome *outcome)
{
    char report[256];
    ssize_t length = read(child->report, report, sizeof report);

    if (length > 0)
        return outcome_fail(outcome, ERR_COMMAND_SETUP, "%.200s: %.*s", run->path, (int)length, report);
    if (ending == OVERDUE)
        return outcome_fail(outcome, ERR_COMMAND, "%.200s: did not end within %u ms", run->path, run->timeout);
    if (ending == FLOODED)
        return outcome_fail(outcome, ERR_COMMAND, "%.200s: wrote more than %d bytes", run->path, TOKEN_MOST);
    if (ending == ABANDONED)
        return outcome_fail(outcome, ERR_COMMAND, "%.200s: nobody waits for it any more", run->path);
    if (WIFSIGNALED(status))
        return outcome_fail(outcome, ERR_COMMAND, "%.200s: killed by signal %d", run->path, WTERMSIG(status));
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return outcome_fail(outcome, ERR_COMMAND, "%.200s: exit status %d", run->path, WEXITSTATUS(status));
    return true;
}

/* True when the output is one line, which loses its newline. */
static bool judge_output(const struct run_message *run, struct secret *output, struct outcome *outcome)
{
    if (output->length > 0 && output->bytes[output->length - 1] == '\n')
        output->bytes[--output->length] = '\0';
    if (output->length == 0)
        return outcome_fail(outcome, ERR_COMMAND, "%.200s: wrote nothing", run->path);
    if (output->length > TOKEN_MOST)
        return outcome_fail(outcome, ERR_COMMAND, "%.200s: wrote more than %d bytes", run->path, TOKEN_MOST);
    if (memchr(output->bytes, '\n', output->length) != NULL)
        return outcome_fail(outcome, ERR_COMMAND, "%.200s: wrote more than one line", run->path);
    if (memchr(output->bytes, '\r', output->length) != NULL || memchr(output->bytes, '\0', output->length) != NULL)
        return outcome_fail(outcome, ERR_COMMAND, "%.200s: wrote a carriage return or a NUL", run->path);
    return true;
}

static bool run_as(const struct account *account, const struct run_message *run, deadline_t deadline, int peer,
                   struct secret *output, struct outcome *outcome)
{
    enum ending ending = ABANDONED;
    struct child child;
    int status = SIGKILL;
    bool started = child_start(&child, run, account);
    const char *failure = started ? confine() : NULL;
    bool done;

    if (!started)
        outcome_fail(outcome, ERR_SYSTEM, "%.200s: no process for it: %s", run->path, strerrordesc_np(errno));
    else if (failure != NULL)
        outcome_fail(outcome, ERR_COMMAND_SETUP, "pam-cognito-command: %s: %s", failure, strerrordesc_np(errno));
    else
        ending = watch(&child, peer, output, deadline);
    done = descendants_end(child.pid, &status, deadline + CLEANUP_MS);
    if (started && !done)
        outcome_fail(outcome, ERR_COMMAND, "%.200s: a process of it cannot be ended", run->path);
    done = started && failure == NULL && done && judge_end(&child, run, ending, status, outcome) &&
           judge_output(run, output, outcome);
    child_close(&child);
    return done;
}

bool run_command(const struct run_message *run, int peer, struct secret *output, struct outcome *outcome)
{
    deadline_t deadline = deadline_in(run->timeout);
    struct account account = {.groups = NULL};
    bool done = false;

    *output = (struct secret){.bytes = calloc(1, ROOM + 1)};
    if (output->bytes == NULL)
        outcome_fail(outcome, ERR_NO_MEMORY, "out of memory");
    else if (!descendants_adopt())
        outcome_fail(outcome, ERR_COMMAND_SETUP, "what it starts could not be found again in /proc: %s",
                     strerrordesc_np(errno));
    else if (account_find(&account, run->user, outcome))
        done = run_as(&account, run, deadline, peer, output, outcome);
    account_free(&account);
    return done;
}
