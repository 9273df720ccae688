/*
 * Any bytes as a frame on its way: the first says which message is expected, the rest comes over the socket, whole
 * frames one after the other. What is read is written the same way again.
 */
#include "fuzz.h"

#include "common/message.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union any {
#define M(id, name) struct name##_message name;
    MESSAGES(M)
#undef M
};

static void check(struct frame *frame, enum message_type type)
{
    struct frame *written = frame_new();
    union any message;

    memset(&message, 0, sizeof message);
    if (written != NULL && message_read(frame, type, &message)) {
        HOLDS(frame->type == type);
        HOLDS(message_write(written, type, &message));
        HOLDS(written->length == frame->length && memcmp(written->body, frame->body, frame->length) == 0);
    }
    frame_free(&written);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct frame *frame = frame_new();
    int ends[2];

    if (frame == NULL || size < 1 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) != 0)
        goto out;
    if (send(ends[1], data + 1, size - 1, 0) == (ssize_t)size - 1 || size == 1) {
        shutdown(ends[1], SHUT_WR);
        while (frame_receive(frame, ends[0], deadline_in(1))) {
            HOLDS(frame->length <= FRAME_BODY_MAX && frame->at == 0);
            /* As the one that it says it is, or, to be refused, as the one that is expected. */
            check(frame, *data != 0 || frame->type == 0 || frame->type >= MSG_COUNT ? 1 + *data % (MSG_COUNT - 1)
                                                                                    : frame->type);
        }
    }
    close(ends[0]);
    close(ends[1]);
out:
    frame_free(&frame);
    return 0;
}
