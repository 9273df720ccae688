#include "module/client.h"

#include "module/spawn.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A started helper reads its first frame at once; the frame fits the socket's buffer, so this is never waited for in
 * earnest. */
#define START_MS 1000

struct helper {
    struct process process;
    pid_t owner;
    bool greeted; /* the result of MSG_START is read */
    bool lost;
    struct frame *frame;
};

static enum error lose(struct helper *helper)
{
    enum error error = errno == ETIMEDOUT ? ERR_DEADLINE : ERR_HELPER_LOST;

    helper->lost = true;
    syscall(SYS_pidfd_send_signal, helper->process.pidfd, SIGKILL, NULL, 0);
    return error;
}

enum error helper_start(struct helper **helper, const struct start_message *start, char *why, size_t size)
{
    struct helper *new = calloc(1, sizeof *new);

    *helper = NULL;
    if (new == NULL)
        return ERR_NO_MEMORY;
    new->owner = getpid();
    new->frame = frame_new();
    if (new->frame == NULL || !message_write(new->frame, MSG_START, start)) {
        frame_free(&new->frame);
        free(new);
        return ERR_NO_MEMORY;
    }
    if (!spawn(HELPER_PATH, &new->process)) {
        snprintf(why, size, "%s: %s", HELPER_PATH, strerrordesc_np(errno));
        frame_free(&new->frame);
        free(new);
        return ERR_HELPER;
    }
    *helper = new;
    return frame_send(new->frame, new->process.socket, deadline_in(START_MS)) ? ERR_NONE : lose(new);
}

static enum error receive_result(struct helper *helper, deadline_t deadline, struct result_message *result)
{
    if (!frame_receive(helper->frame, helper->process.socket, deadline))
        return lose(helper);
    errno = EPROTO;
    if (!message_read(helper->frame, MSG_RESULT, result) || result->error >= ERR_COUNT)
        return lose(helper);
    return (enum error)result->error;
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
    }
    if (!message_write(helper->frame, type, message))
        return ERR_BAD_REQUEST;
    if (!frame_send(helper->frame, helper->process.socket, deadline))
        return lose(helper);
    return receive_result(helper, deadline, result);
}

void helper_end(struct helper **helper)
{
    struct helper *old = *helper;

    if (old == NULL)
        return;
    if (old->owner == getpid())
        syscall(SYS_pidfd_send_signal, old->process.pidfd, SIGKILL, NULL, 0);
    close(old->process.socket);
    close(old->process.pidfd);
    frame_free(&old->frame);
    free(old);
    *helper = NULL;
}
