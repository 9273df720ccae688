#include "common/frame.h"

#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static const uint8_t magic[4] = {'P', 'C', 'G', 'F'};

static void store_number(uint8_t *at, uint32_t number)
{
    number = htobe32(number);
    memcpy(at, &number, sizeof number);
}

static uint32_t load_number(const uint8_t *at)
{
    uint32_t number;

    memcpy(&number, at, sizeof number);
    return be32toh(number);
}

struct frame *frame_new(void)
{
    return calloc(1, sizeof(struct frame));
}

void frame_free(struct frame **frame)
{
    if (*frame == NULL)
        return;
    explicit_bzero(*frame, sizeof **frame);
    free(*frame);
    *frame = NULL;
}

void frame_begin(struct frame *frame, uint8_t type)
{
    explicit_bzero(frame->body, frame->length);
    frame->type = type;
    frame->bad = false;
    frame->length = 0;
    frame->at = 0;
}

/* The place for `size` more bytes of body, or NULL, and the frame is bad from then on. */
static uint8_t *room_for(struct frame *frame, size_t size)
{
    uint8_t *at = frame->body + frame->length;

    if (frame->bad || size > FRAME_BODY_MAX - frame->length) {
        frame->bad = true;
        return NULL;
    }
    frame->length += size;
    return at;
}

void frame_put_number(struct frame *frame, uint32_t number)
{
    uint8_t *at = room_for(frame, sizeof number);

    if (at != NULL)
        store_number(at, number);
}

void frame_put_string(struct frame *frame, const char *string)
{
    size_t length = string == NULL ? 0 : strlen(string);
    uint8_t *at;

    if (length >= FRAME_BODY_MAX) {
        frame->bad = true;
        return;
    }
    frame_put_number(frame, (uint32_t)length);
    at = room_for(frame, length + 1);
    if (at == NULL)
        return;
    if (length > 0)
        memcpy(at, string, length);
    at[length] = '\0';
}

/* The next `size` bytes of body, or NULL, and the frame is bad from then on. */
static const uint8_t *take(struct frame *frame, size_t size)
{
    const uint8_t *at = frame->body + frame->at;

    if (frame->bad || size > frame->length - frame->at) {
        frame->bad = true;
        return NULL;
    }
    frame->at += size;
    return at;
}

uint32_t frame_get_number(struct frame *frame)
{
    const uint8_t *at = take(frame, sizeof(uint32_t));

    return at == NULL ? 0 : load_number(at);
}

const char *frame_get_string(struct frame *frame)
{
    size_t length = frame_get_number(frame);
    const uint8_t *at = take(frame, length + 1);

    if (at == NULL)
        return "";
    if (memchr(at, '\0', length + 1) != at + length) {
        frame->bad = true;
        return "";
    }
    return (const char *)at;
}

bool frame_is_read(const struct frame *frame)
{
    return !frame->bad && frame->at == frame->length;
}

static bool send_all(int fd, const uint8_t *bytes, size_t size, deadline_t deadline)
{
    while (size > 0) {
        ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (sent > 0) {
            bytes += sent;
            size -= (size_t)sent;
        } else if (errno == EAGAIN) {
            if (!deadline_poll(fd, POLLOUT, deadline))
                return false;
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

static bool receive_all(int fd, uint8_t *bytes, size_t size, deadline_t deadline)
{
    while (size > 0) {
        ssize_t received = recv(fd, bytes, size, MSG_DONTWAIT);

        if (received > 0) {
            bytes += received;
            size -= (size_t)received;
        } else if (received == 0) {
            errno = ECONNRESET;
            return false;
        } else if (errno == EAGAIN) {
            if (!deadline_poll(fd, POLLIN, deadline))
                return false;
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

bool frame_send(struct frame *frame, int fd, deadline_t deadline)
{
    if (frame->bad) {
        errno = EMSGSIZE;
        return false;
    }
    memcpy(frame->header, magic, sizeof magic);
    frame->header[4] = FRAME_VERSION;
    frame->header[5] = frame->type;
    frame->header[6] = frame->header[7] = 0;
    store_number(frame->header + 8, (uint32_t)frame->length);
    /* At once: a header alone would wake the peer, who would have to wait again. */
    return send_all(fd, frame->whole, FRAME_HEADER + frame->length, deadline);
}

bool frame_receive(struct frame *frame, int fd, deadline_t deadline)
{
    size_t length;

    frame_begin(frame, 0);
    frame->bad = true;
    if (!receive_all(fd, frame->header, FRAME_HEADER, deadline))
        return false;
    length = load_number(frame->header + 8);
    if (memcmp(frame->header, magic, sizeof magic) != 0 || frame->header[4] != FRAME_VERSION || frame->header[6] != 0 ||
        frame->header[7] != 0 || length > FRAME_BODY_MAX) {
        errno = EPROTO;
        return false;
    }
    /* Set before the body arrives, so that a part of it is erased like the whole. */
    frame->length = length;
    if (!receive_all(fd, frame->body, length, deadline))
        return false;
    frame->type = frame->header[5];
    frame->bad = false;
    return true;
}
