/*
 * Any bytes as what a helper answers, to the real client in the module: the first byte says to which requests, the rest
 * comes over the socket. A second kind of it is pam-cognito-command.
 */
#include "fuzz.h"

#include "fakes/memory.h"

#include "module/client.h"
#include "module/command.h"
#include "module/spawn.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

static const uint8_t *answers;
static size_t answers_size;
static int far_end = -1;

/* In the place of module/spawn.c: a program that has said all that it will ever say, and does not read. */
bool spawn(const char *path, struct process *process)
{
    int ends[2];

    HOLDS(*path == '/');
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) != 0)
        return false;
    if (answers_size > 0 && send(ends[1], answers, answers_size, 0) != (ssize_t)answers_size)
        answers_size = 0;
    shutdown(ends[1], SHUT_WR);
    far_end = ends[1];
    /* No process has this for its pidfd, so nothing can be sent to any. */
    *process = (struct process){.socket = ends[0], .pidfd = eventfd(1, 0)};
    return true;
}

static size_t length_of(const char *text)
{
    HOLDS(text != NULL);
    return strlen(text);
}

static void check_result(enum error error, const struct result_message *result)
{
    size_t length = length_of(result->detail) + length_of(result->wire_name) + length_of(result->request_id) +
                    length_of(result->attribute) + length_of(result->medium) + length_of(result->destination) +
                    length_of(result->keys);

    HOLDS(length <= FRAME_BODY_MAX && error < ERR_COUNT);
    if (error != ERR_NONE)
        return;
    HOLDS(length_of(result->challenge) <= FRAME_BODY_MAX && result->choices.count <= LIST_MAX);
    for (uint32_t i = 0; i < result->choices.count; i++)
        length_of(result->choices.items[i]);
}

static void ask_helper(uint8_t requests)
{
    const struct start_message start = {.version = "1", .lifetime = 1};
    const struct warm_message warm = {.flow = "srp"};
    const struct verify_message verify = {.attribute = "email", .code = "123456"};
    struct helper *helper = NULL;
    bool lost = false;
    struct result_message result;
    char why[512];

    if (helper_start(&helper, &start, why, sizeof why) != ERR_NONE)
        return;
    for (uint8_t i = 0; i < requests % 8; i++) {
        enum error next;

        if (i == requests >> 3)
            helper_post(helper, MSG_WARM, &warm, deadline_in(100));
        next = helper_call(helper, MSG_VERIFY, &verify, deadline_in(100), &result);
        check_result(next, &result);
        /* Whoever did not speak as he should is not believed any more. */
        HOLDS(!lost || next == ERR_HELPER_LOST);
        lost |= next == ERR_HELPER_LOST && result.error != ERR_HELPER_LOST;
    }
    helper_end(&helper);
    HOLDS(helper == NULL);
}

static void ask_command(void)
{
    const struct run_message run = {.version = "1", .path = "/bin/true", .user = "u"};
    struct secret output = {NULL, 0};
    char detail[512] = "";
    enum error error = command_run(&run, deadline_in(100), &output, detail, sizeof detail);

    HOLDS(error < ERR_COUNT && (error == ERR_NONE) == (output.bytes != NULL));
    HOLDS(output.bytes == NULL || strlen(output.bytes) == output.length);
    HOLDS(error == ERR_NONE || fuzz_is_printable(detail));
    secret_free(&output);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    answers = data + 1;
    answers_size = size - 1;
    /* Some of its bits say when memory is short. */
    fake_memory(*data >> 3 & 7);
    if (*data & 0x80)
        ask_command();
    else
        ask_helper(*data);
    fake_memory(0);
    if (far_end >= 0)
        close(far_end);
    far_end = -1;
    return 0;
}
