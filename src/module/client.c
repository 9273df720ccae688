#include "module/client.h"

#include "common/secret.h"
#include "common/text.h"
#include "module/program.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct helper {
    struct program program;
    struct secret start; /* the body of its first message, until it is called */
    deadline_t serves_until;
    unsigned int owed; /* results that were not waited for */
    bool lost;
    char lockdown[64]; /* what that said of the rights that the helper gave up */
};

/* What failed on the way there or back ends the helper. */
static enum error lose(struct helper *helper, enum error error)
{
    helper->lost = true;
    program_kill(&helper->program);
    return error;
}

enum error helper_start(struct helper **helper, const struct start_message *start, char *why, size_t size)
{
    struct helper *new = calloc(1, sizeof *new);
    enum error error;

    *helper = NULL;
    if (new == NULL)
        return ERR_NO_MEMORY;
    new->owed = 1;
    new->serves_until = deadline_in(HELPER_SERVES_MS);
    error = program_start(&new->program, HELPER_PATH, MSG_START, start, why, size);
    if (error == ERR_NONE && !secret_set(&new->start, new->program.frame->body, new->program.frame->length))
        error = ERR_NO_MEMORY;
    if (error == ERR_NONE)
        *helper = new;
    else
        helper_end(&new);
    return error;
}

static enum error receive_result(struct helper *helper, deadline_t deadline, struct result_message *result)
{
    enum error error = program_receive(&helper->program, MSG_RESULT, result, deadline);

    if (error == ERR_NONE && result->error >= ERR_COUNT)
        error = ERR_HELPER_LOST;
    return error == ERR_NONE ? (enum error)result->error : lose(helper, error);
}

/* What the helper still owes from the requests before. */
static enum error receive_owed(struct helper *helper, deadline_t deadline, struct result_message *result)
{
    enum error error = ERR_NONE;

    while (helper->owed > 0 && error == ERR_NONE) {
        error = receive_result(helper, deadline, result);
        helper->owed--;
        if (error == ERR_NONE && *helper->lockdown == '\0')
            text_printable(helper->lockdown, sizeof helper->lockdown, result->detail);
    }
    return error;
}

static enum error send_request(struct helper *helper, enum message_type type, const void *message, deadline_t deadline)
{
    enum error error = program_send(&helper->program, type, message, deadline);

    return error == ERR_NONE || error == ERR_BAD_REQUEST ? error : lose(helper, error);
}

void helper_post(struct helper *helper, enum message_type type, const void *message, deadline_t deadline)
{
    if (helper != NULL && !helper->lost && send_request(helper, type, message, deadline) == ERR_NONE)
        helper->owed++;
}

enum error helper_call(struct helper *helper, enum message_type type, const void *message, deadline_t deadline,
                       struct result_message *result)
{
    enum error error;

    *result = (struct result_message){
        .detail = "", .wire_name = "", .request_id = "", .attribute = "", .medium = "", .destination = "", .keys = ""};
    if (helper == NULL || helper->lost)
        return ERR_HELPER_LOST;
    /* From now on it serves this login. */
    secret_free(&helper->start);
    error = receive_owed(helper, deadline, result);
    if (error == ERR_NONE)
        error = send_request(helper, type, message, deadline);
    return error == ERR_NONE ? receive_result(helper, deadline, result) : error;
}

bool helper_serves(struct helper *helper, const struct start_message *start)
{
    struct program *program = &helper->program;

    if (helper->lost || helper->start.bytes == NULL || deadline_left(helper->serves_until) == 0 ||
        program->owner != getpid() || deadline_poll(program->process.pidfd, POLLIN, deadline_in(0)))
        return false;
    return message_write(program->frame, MSG_START, start) && program->frame->length == helper->start.length &&
           memcmp(program->frame->body, helper->start.bytes, helper->start.length) == 0;
}

const char *helper_lockdown(const struct helper *helper)
{
    return helper == NULL ? "" : helper->lockdown;
}

void helper_end(struct helper **helper)
{
    if (*helper == NULL)
        return;
    program_end(&(*helper)->program, 0);
    secret_free(&(*helper)->start);
    free(*helper);
    *helper = NULL;
}
