#include "module/client.h"

#include "common/text.h"
#include "module/program.h"

#include <stdlib.h>

struct helper {
    struct program program;
    bool greeted; /* the result of MSG_START is read */
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
    error = program_start(&new->program, HELPER_PATH, MSG_START, start, why, size);
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

enum error helper_call(struct helper *helper, enum message_type type, const void *message, deadline_t deadline,
                       struct result_message *result)
{
    enum error error;

    *result = (struct result_message){
        .detail = "", .wire_name = "", .request_id = "", .attribute = "", .medium = "", .destination = ""};
    if (helper == NULL || helper->lost)
        return ERR_HELPER_LOST;
    if (!helper->greeted) {
        error = receive_result(helper, deadline, result);
        if (error != ERR_NONE)
            return error;
        helper->greeted = true;
        text_printable(helper->lockdown, sizeof helper->lockdown, result->detail);
    }
    error = program_send(&helper->program, type, message, deadline);
    if (error == ERR_BAD_REQUEST)
        return error;
    return error == ERR_NONE ? receive_result(helper, deadline, result) : lose(helper, error);
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
    free(*helper);
    *helper = NULL;
}
