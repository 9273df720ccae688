/* Frames and messages: design.md §1, "The frames between them". */
#include "unit.h"

#include "common/frame.h"
#include "common/message.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

struct pair {
    int ends[2];
    struct frame *frame;
};

static int open_pair(void **state)
{
    struct pair *pair = calloc(1, sizeof *pair);

    pair->frame = frame_new();
    *state = pair;
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair->ends);
}

static int close_pair(void **state)
{
    struct pair *pair = *state;

    close(pair->ends[0]);
    close(pair->ends[1]);
    frame_free(&pair->frame);
    free(pair);
    return 0;
}

static bool receive_bytes(struct pair *pair, const void *bytes, size_t size)
{
    assert_int_equal(write(pair->ends[0], bytes, size), size);
    return frame_receive(pair->frame, pair->ends[1], deadline_in(50));
}

/* On a socket that keeps apart what was sent apart. */
static void a_frame_wakes_its_reader_once(void **state)
{
    struct pair *pair = *state;
    char bytes[256];
    int ends[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends), 0);
    frame_begin(pair->frame, 7);
    frame_put_string(pair->frame, "all of it");
    assert_true(frame_send(pair->frame, ends[0], deadline_in(1000)));
    assert_int_equal(read(ends[1], bytes, sizeof bytes), FRAME_HEADER + pair->frame->length);
    close(ends[0]);
    close(ends[1]);
}

static void a_message_arrives_as_it_was_sent(void **state)
{
    struct pair *pair = *state;
    const struct send_message sent = {.attribute = "email", .metadata = {.count = 2, .items = {"host", ""}}};
    struct send_message received;

    assert_true(message_write(pair->frame, MSG_SEND, &sent));
    assert_true(frame_send(pair->frame, pair->ends[0], deadline_in(1000)));
    assert_true(frame_receive(pair->frame, pair->ends[1], deadline_in(1000)));
    assert_true(message_read(pair->frame, MSG_SEND, &received));
    assert_string_equal(received.attribute, "email");
    assert_int_equal(received.metadata.count, 2);
    assert_string_equal(received.metadata.items[0], "host");
    assert_string_equal(received.metadata.items[1], "");
}

static void another_type_is_refused(void **state)
{
    struct pair *pair = *state;
    const struct verify_message sent = {.attribute = "email", .code = "123456"};
    struct token_message received;

    assert_true(message_write(pair->frame, MSG_VERIFY, &sent));
    assert_false(message_read(pair->frame, MSG_TOKEN, &received));
}

static void bad_headers_are_refused(void **state)
{
    static const uint8_t cases[][FRAME_HEADER] = {
        {'P', 'C', 'G', 'X', 1, 1, 0, 0, 0, 0, 0, 0}, {'P', 'C', 'G', 'F', 2, 1, 0, 0, 0, 0, 0, 0},
        {'P', 'C', 'G', 'F', 1, 1, 1, 0, 0, 0, 0, 0}, {'P', 'C', 'G', 'F', 1, 1, 0, 1, 0, 0, 0, 0},
        {'P', 'C', 'G', 'F', 1, 1, 0, 0, 0, 1, 0, 1}, {'P', 'C', 'G', 'F', 1, 1, 0, 0, 255, 255, 255, 255},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct pair *pair = *state;

        assert_false(receive_bytes(pair, cases[i], FRAME_HEADER));
        assert_int_equal(errno, EPROTO);
    }
}

/* Bodies of a MSG_VERIFY: two strings. */
static void bad_bodies_are_refused(void **state)
{
    static const struct {
        uint8_t length;
        uint8_t body[16];
    } cases[] = {
        {0, {0}},                                     /* nothing */
        {5, {0, 0, 0, 0, 0}},                         /* one string alone */
        {11, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}},      /* one byte too many */
        {10, {0, 0, 0, 9, 0, 0, 0, 0, 0, 0}},         /* a length beyond the end */
        {10, {255, 255, 255, 255, 0, 0, 0, 0, 0, 0}}, /* a length that overflows */
        {12, {0, 0, 0, 2, 'a', 0, 0, 0, 0, 0, 0, 0}}, /* a NUL inside */
        {11, {0, 0, 0, 1, 'a', 'b', 0, 0, 0, 0, 0}},  /* no NUL at the end */
    };
    struct pair *pair = *state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        uint8_t bytes[FRAME_HEADER + 16] = {'P', 'C', 'G', 'F', 1, MSG_VERIFY, 0, 0, 0, 0, 0, cases[i].length};
        struct verify_message message;

        memcpy(bytes + FRAME_HEADER, cases[i].body, cases[i].length);
        assert_true(receive_bytes(pair, bytes, FRAME_HEADER + cases[i].length));
        if (message_read(pair->frame, MSG_VERIFY, &message))
            fail_msg("case %zu accepted", i);
    }
}

static void lists_are_bounded(void **state)
{
    struct pair *pair = *state;
    struct send_message message = {.attribute = "email", .metadata = {.count = LIST_MAX + 1}};
    const uint8_t bytes[] = {'P', 'C', 'G', 'F', 1, MSG_SEND, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 255, 255, 255, 255};

    assert_false(message_write(pair->frame, MSG_SEND, &message));
    assert_true(receive_bytes(pair, bytes, sizeof bytes));
    assert_false(message_read(pair->frame, MSG_SEND, &message));
}

static void a_frame_that_does_not_fit_is_not_sent(void **state)
{
    struct pair *pair = *state;
    char *large = malloc(FRAME_BODY_MAX + 1);
    const struct verify_message message = {.attribute = "email", .code = large};

    memset(large, 'x', FRAME_BODY_MAX);
    large[FRAME_BODY_MAX] = '\0';
    assert_false(message_write(pair->frame, MSG_VERIFY, &message));
    assert_false(frame_send(pair->frame, pair->ends[0], deadline_in(1000)));
    free(large);
}

static void waiting_ends_at_the_deadline(void **state)
{
    struct pair *pair = *state;
    int64_t before = clock_ms();

    assert_false(receive_bytes(pair, "PCGF", 4));
    assert_int_equal(errno, ETIMEDOUT);
    assert_in_range(clock_ms() - before, 50, 5000);
}

static void ignore(int number)
{
    (void)number;
}

/* Signals that interrupt every wait make none of them longer or shorter. */
static void waiting_is_not_ended_by_signals(void **state)
{
    const struct sigaction action = {.sa_handler = ignore};
    const struct itimerval often = {{0, 1000}, {0, 1000}}, never = {{0, 0}, {0, 0}};
    struct pair *pair = *state;
    int64_t before = clock_ms();

    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    assert_false(receive_bytes(pair, "PCGF", 4));
    assert_int_equal(errno, ETIMEDOUT);
    setitimer(ITIMER_REAL, &never, NULL);
    assert_in_range(clock_ms() - before, 50, 5000);
}

/* As a helper would be that is stopped: nobody waits for it longer than he meant to. */
static void a_peer_that_does_not_read(void **state)
{
    struct pair *pair = *state;
    char *large = malloc(60000);
    const struct verify_message message = {.attribute = "email", .code = large};
    int64_t before = clock_ms();
    int sent = 0;

    memset(large, 'x', 59999);
    large[59999] = '\0';
    while (sent < 1000 && message_write(pair->frame, MSG_VERIFY, &message) &&
           frame_send(pair->frame, pair->ends[0], deadline_in(50)))
        sent++;
    assert_int_equal(errno, ETIMEDOUT);
    assert_in_range(sent, 1, 999);
    assert_in_range(clock_ms() - before, 50, 5000);
    free(large);
}

static void no_socket_at_all(void **state)
{
    struct pair *pair = *state;

    assert_true(message_write(pair->frame, MSG_VERIFY, &(struct verify_message){.attribute = "email"}));
    assert_false(frame_send(pair->frame, -1, deadline_in(50)));
    assert_int_equal(errno, EBADF);
    assert_false(frame_receive(pair->frame, -1, deadline_in(50)));
    assert_int_equal(errno, EBADF);
    assert_false(deadline_poll(pair->ends[0], POLLIN, deadline_in(-1)));
    assert_int_equal(errno, ETIMEDOUT);
}

/* After the first error nothing more is put in, and nothing comes out. */
static void bad_stays_bad(void **state)
{
    static char large[FRAME_BODY_MAX + 1];
    struct pair *pair = *state;
    struct frame *frame = pair->frame;

    memset(large, 'x', FRAME_BODY_MAX);
    frame_begin(frame, MSG_VERIFY);
    frame_put_string(frame, large);
    assert_true(frame->bad);
    frame_put_number(frame, 1);
    frame_put_string(frame, "x");
    assert_int_equal(frame->length, 0);
    assert_int_equal(frame_get_number(frame), 0);
    assert_string_equal(frame_get_string(frame), "");
    assert_false(frame_is_read(frame));
    frame_begin(frame, MSG_VERIFY);
    frame_put_string(frame, NULL);
    assert_string_equal(frame_get_string(frame), "");
    assert_true(frame_is_read(frame));
}

static void the_peers_end_is_an_error(void **state)
{
    struct pair *pair = *state;

    assert_int_equal(shutdown(pair->ends[0], SHUT_WR), 0);
    assert_false(frame_receive(pair->frame, pair->ends[1], deadline_in(1000)));
    assert_int_equal(errno, ECONNRESET);
}

static void what_was_sent_is_erased(void **state)
{
    struct pair *pair = *state;
    const struct verify_message message = {.attribute = "email", .code = "canary"};

    assert_true(message_write(pair->frame, MSG_VERIFY, &message));
    frame_begin(pair->frame, MSG_RESULT);
    assert_null(memmem(pair->frame->body, FRAME_BODY_MAX, "canary", 6));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_pair, close_pair)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_frame_wakes_its_reader_once),
        TEST(a_message_arrives_as_it_was_sent),
        TEST(another_type_is_refused),
        TEST(bad_headers_are_refused),
        TEST(bad_bodies_are_refused),
        TEST(lists_are_bounded),
        TEST(a_frame_that_does_not_fit_is_not_sent),
        TEST(waiting_ends_at_the_deadline),
        TEST(waiting_is_not_ended_by_signals),
        TEST(a_peer_that_does_not_read),
        TEST(no_socket_at_all),
        TEST(bad_stays_bad),
        TEST(the_peers_end_is_an_error),
        TEST(what_was_sent_is_erased),
    };

    return cmocka_run_group_tests_name("frame", tests, NULL, NULL);
}
