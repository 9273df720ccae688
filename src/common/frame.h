/*
 * Frames between module and helper, over a stream socket: a fixed header, then length-prefixed fields.
 *
 *   0   4 bytes  magic "PCGF"
 *   4   1 byte   version (FRAME_VERSION)
 *   5   1 byte   type
 *   6   2 bytes  zero
 *   8   4 bytes  length of what follows, big-endian, at most FRAME_BODY_MAX
 *  12   fields   number: 4 bytes big-endian; string: 4 bytes length, the bytes, one NUL; list: a number, then strings
 *
 * Credentials travel in frames alone, so a frame is erased when it is freed or used again.
 */
#ifndef PAM_COGNITO_FRAME_H
#define PAM_COGNITO_FRAME_H

#include "common/deadline.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_VERSION  1
#define FRAME_HEADER   12
#define FRAME_BODY_MAX (64 * 1024)

/* One frame, written field by field or read field by field. After the first error `bad` stays set, puts are ignored and
 * gets return 0 or "", so a caller may check once, at the end. */
struct frame {
    uint8_t type;
    bool bad;
    size_t length; /* bytes of body that are there */
    size_t at;     /* where the next get reads */
    union {
        struct {
            uint8_t header[FRAME_HEADER];
            uint8_t body[FRAME_BODY_MAX];
        };
        uint8_t whole[FRAME_HEADER + FRAME_BODY_MAX];
    };
};

/* An empty frame on the heap, to be freed with frame_free(); NULL when memory is short. */
struct frame *frame_new(void);

/* Erases and frees; *frame is NULL afterwards. NULL may be passed. */
void frame_free(struct frame **frame);

/* Erases what the frame held and makes it an empty one of `type`, ready for puts. */
void frame_begin(struct frame *frame, uint8_t type);

void frame_put_number(struct frame *frame, uint32_t number);

/* NULL is sent as "". The string is copied. */
void frame_put_string(struct frame *frame, const char *string);

uint32_t frame_get_number(struct frame *frame);

/* The next string; it points into the frame and is valid until the frame is used again. A length that does not fit, or
 * a NUL inside the string, sets `bad`. Never NULL. */
const char *frame_get_string(struct frame *frame);

/* True when every byte was read and nothing was bad: trailing bytes are an error. */
bool frame_is_read(const struct frame *frame);

/* Sends the frame over the non-blocking socket `fd`. False at the deadline, on a bad frame, or when the peer is gone;
 * errno says which. */
bool frame_send(struct frame *frame, int fd, deadline_t deadline);

/* Receives one frame from the non-blocking socket `fd` and makes it ready for gets. False at the deadline (errno
 * ETIMEDOUT), at the peer's end (ECONNRESET), or on a header that is not one of ours (EPROTO). */
bool frame_receive(struct frame *frame, int fd, deadline_t deadline);

#endif
