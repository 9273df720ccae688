#include "module/command.h"

#include "common/text.h"
#include "module/program.h"

#include <stdio.h>
#include <string.h>

/* The answer of pam-cognito-command, or what took its place. */
static enum error take_answer(enum error error, const struct output_message *answer, struct secret *output,
                              char *detail, size_t size)
{
    if (error != ERR_NONE) {
        snprintf(detail, size, "%s did not answer", COMMAND_PATH);
        return error;
    }
    if (answer->error >= ERR_COUNT) {
        snprintf(detail, size, "%s does not speak as it should", COMMAND_PATH);
        return ERR_HELPER_LOST;
    }
    text_printable(detail, size, answer->detail);
    if (answer->error != ERR_NONE)
        return (enum error)answer->error;
    return secret_set(output, answer->output, strlen(answer->output)) ? ERR_NONE : ERR_NO_MEMORY;
}

enum error command_run(const struct run_message *run, deadline_t deadline, struct secret *output, char *detail,
                       size_t size)
{
    struct run_message timed = *run;
    struct output_message answer;
    struct program program;
    enum error error;

    secret_free(output);
    timed.timeout = (uint32_t)deadline_left(deadline);
    if (timed.timeout == 0)
        return ERR_DEADLINE;
    error = program_start(&program, COMMAND_PATH, MSG_RUN, &timed, detail, size);
    if (error == ERR_NONE) {
        error = program_receive(&program, MSG_OUTPUT, &answer, deadline + PROGRAM_GRACE_MS);
        error = take_answer(error, &answer, output, detail, size);
    }
    /* It hears of the end first: what the command has started is out of reach for anyone else. */
    program_end(&program, PROGRAM_FAREWELL_MS);
    return error == ERR_HELPER ? ERR_COMMAND_SETUP : error;
}
