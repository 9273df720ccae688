/*
 * Any bytes as what a host sends to the helper's own loop: lines for the pool (fakes/pool.h), an empty line, then the
 * bytes. Where these begin with 's', a start frame goes before them; 'y' says when memory is short. Every answer is a
 * frame that the module can read, and there is one for each request and no more.
 */
#include "fuzz.h"
#include "script.h"

#include "fakes/clock.h"
#include "fakes/memory.h"
#include "fakes/pool.h"
#include "fakes/signature.h"

#include "helper/lockdown.h"

#include <string.h>
#include <sys/socket.h>

int helper_main(int argc, char **argv);
#define main helper_main
#include "helper/main.c"
#undef main

/* What the process would do to itself. */

bool lockdown(struct result *result)
{
    result_succeed(result);
    return true;
}

bool lockdown_for(const struct start_message *start, struct result *result)
{
    (void)start;
    result_succeed(result);
    return true;
}

bool self_has_peer(void)
{
    return true;
}

void self_bound_life(uint32_t ms)
{
    HOLDS(ms > 0);
}

static void put_start(int fd)
{
    const struct start_message start = {
        .version = PACKAGE_VERSION,
        .endpoint = FAKE_ENDPOINT,
        .jwks_url = FAKE_JWKS,
        .issuer = FAKE_ISSUER,
        .user_pool_id = "eu-central-1_Fuzz",
        .client_id = FAKE_CLIENT,
        .connect_timeout = 1000,
        .request_timeout = 1000,
        .lifetime = 1000,
    };
    struct frame *frame = frame_new();

    HOLDS(frame != NULL && message_write(frame, MSG_START, &start) && frame_send(frame, fd, deadline_in(1)));
    frame_free(&frame);
}

/* How many whole frames there are at most in so many bytes, and so how many answers. */
static size_t count_answers(int fd)
{
    struct frame *frame = frame_new();
    struct result_message result;
    size_t count = 0;

    HOLDS(frame != NULL);
    while (frame_receive(frame, fd, deadline_in(1))) {
        HOLDS(message_read(frame, MSG_RESULT, &result));
        HOLDS(result.error < ERR_COUNT && fuzz_is_printable(result.detail));
        count++;
    }
    frame_free(&frame);
    return count;
}

static void run(struct script *script, const uint8_t *bytes, size_t size)
{
    bool started = size > 0 && *bytes == 's';
    struct session session = {.peer = -1};
    struct pool_seen seen;
    struct result result;
    const char *line;
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) != 0)
        return;
    pool_open(script, &seen);
    session.peer = ends[0];
    if (started)
        put_start(ends[1]);
    if (size > started && send(ends[1], bytes + started, size - started, 0) < 0)
        size = 0;
    shutdown(ends[1], SHUT_WR);
    result_begin(&result);
    lockdown(&result);
    line = script_next(script, "y", NULL);
    fake_memory(line == NULL ? 0 : strtol(line, NULL, 10));
    serve(&session, &result);
    fake_memory(0);
    HOLDS(end(&session));
    HOLDS(session.token.bytes == NULL && session.frame == NULL && session.sent == NULL);
    close(ends[0]);
    HOLDS(count_answers(ends[1]) <= started + size / FRAME_HEADER);
    close(ends[1]);
    pool_close(&seen);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *bytes = memmem(data, size, "\n\n", 2);
    size_t lines = bytes == NULL ? 0 : (size_t)(bytes + 1 - data);
    struct script script;

    fake_now = 1000;
    if (script_read(&script, data, lines))
        run(&script, bytes == NULL ? data : bytes + 2, bytes == NULL ? size : size - lines - 1);
    script_free(&script);
    return 0;
}
