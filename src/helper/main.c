/*
 * pam-cognito-helper: talks to Amazon Cognito for one login, on behalf of the modules in another process.
 *
 * It is started by pam_cognito_code.so, with a socket to that as descriptor 3, and ends when the other end closes. What
 * it does stands in one table below; how to reach it, in common/message.h.
 */
#include "common/deadline.h"
#include "common/frame.h"
#include "common/message.h"
#include "common/self.h"
#include "common/text.h"
#include "helper/access.h"
#include "helper/attribute.h"
#include "helper/challenge.h"
#include "helper/cognito.h"
#include "helper/erase.h"
#include "helper/http.h"
#include "helper/keys.h"
#include "helper/lockdown.h"
#include "helper/report.h"
#include "helper/result.h"
#include "helper/session.h"
#include "helper/signin.h"
#include "helper/user.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A frame that has begun, and the first of all, must be there by then. */
#define FRAME_MS 10000

/* libcurl brings GnuTLS, for protocols that are not asked for here. When it is loaded it asks the program whether it
 * need not set itself up, which would be a quarter of a millisecond, with the rights of whoever starts this. A name
 * service that uses it does that itself. Source: gnutls.h, GNUTLS_SKIP_GLOBAL_INIT. */
__attribute__((visibility("default"))) int _gnutls_global_init_skip(void);

int _gnutls_global_init_skip(void)
{
    return 1;
}

static handler *const handlers[MSG_COUNT] = {
    [MSG_SIGNIN] = signin_run, [MSG_ANSWER] = answer_run, [MSG_TOKEN] = token_run,   [MSG_LOOKUP] = lookup_run,
    [MSG_SEND] = send_run,     [MSG_VERIFY] = verify_run, [MSG_REPORT] = report_run, [MSG_WARM] = warm_run,
};

union request {
    struct signin_message signin;
    struct answer_message answer;
    struct token_message token;
    struct lookup_message lookup;
    struct send_message send;
    struct verify_message verify;
    struct report_message report;
    struct warm_message warm;
};

static bool send_result(struct session *session, const struct result *result)
{
    struct result_message message;

    result_message(result, &message);
    return message_write(session->frame, MSG_RESULT, &message) &&
           frame_send(session->frame, session->peer, deadline_in(FRAME_MS));
}

/* False with the reason if the first frame is another program's, or says too little to work with. */
static bool read_start(struct session *session, struct result *result)
{
    struct frame *frame = session->start_frame;
    struct start_message *start = &session->start;
    const char *version;
    char shown[32];

    if (frame->type != MSG_START)
        return result_fail(result, ERR_HELPER, "the first frame was no start");
    /* The version goes first in all versions, so that this works also where the rest is not what is expected. */
    version = frame_get_string(frame);
    if (strcmp(version, PACKAGE_VERSION) != 0)
        return result_fail(result, ERR_HELPER, "the helper is version " PACKAGE_VERSION ", the module version %s",
                           text_log_value(shown, sizeof shown, version));
    frame->at = 0;
    if (!message_read(frame, MSG_START, start))
        return result_fail(result, ERR_HELPER, "the first frame cannot be read");
    if (*start->endpoint == '\0' || *start->jwks_url == '\0' || *start->issuer == '\0' || *start->client_id == '\0' ||
        start->connect_timeout == 0 || start->request_timeout == 0 || start->lifetime == 0)
        return result_fail(result, ERR_BAD_REQUEST, "the configuration names no endpoint, issuer, client or time");
    return true;
}

static bool start(struct session *session, struct result *result)
{
    if (!read_start(session, result))
        return false;
    self_bound_life(session->start.lifetime);
    session->options = (struct http_options){
        .ca_path = session->start.ca_path,
        .ca_file = session->start.ca_file,
        .proxy = session->start.proxy,
        .connect_timeout = session->start.connect_timeout,
        .watched = session->start.explain != 0,
    };
    session->http = http_new(&session->options, session->peer);
    if (session->http == NULL)
        return result_fail(result, ERR_SYSTEM, "libcurl cannot be set up");
    if (session->start.explain != 0) {
        session->checks = calloc(1, sizeof *session->checks);
        if (session->checks == NULL)
            return result_fail(result, ERR_NO_MEMORY, "checks");
    }
    if (!lockdown_for(&session->start, result))
        return false;
    keys_take_kept(&session->keys, session->start.keys);
    return true;
}

/* Waits for the next frame's first byte, or the peer's end, and lets the fetch of the keys go on meanwhile. */
static void wait_for_peer(struct session *session)
{
    while (!http_peer_stirs(session->http)) {
        if (session->keys.coming)
            keys_step(&session->keys, session->http);
        else
            deadline_poll(session->peer, POLLIN, deadline_in(INT_MAX));
    }
}

/* Answers one request. False when the session is over: the peer is gone, or does not speak as it should. */
static bool answer_request(struct session *session)
{
    struct result result;
    union request request;
    handler *run = NULL;

    if (!frame_receive(session->frame, session->peer, deadline_in(FRAME_MS)))
        return false;
    if (session->frame->type < MSG_COUNT)
        run = handlers[session->frame->type];
    if (run == NULL || !message_read(session->frame, session->frame->type, &request))
        return false;
    result_begin(&result);
    if (run(session, &request, deadline_in(session->start.request_timeout), &result))
        result_succeed(&result);
    cognito_withhold(session, &result);
    erase_stack();
    return result.error != ERR_HELPER_LOST && send_result(session, &result);
}

/* Takes requests until the peer is gone. `locked` says how the lockdown went: the peer hears of it first of all. */
static void serve(struct session *session, struct result *locked)
{
    bool started;

    session->frame = frame_new();
    session->start_frame = frame_new();
    if (session->frame == NULL || session->start_frame == NULL ||
        !frame_receive(session->start_frame, session->peer, deadline_in(FRAME_MS)))
        return;
    started = locked->error == ERR_NONE && start(session, locked);
    if (!send_result(session, locked) || !started)
        return;
    /* With keys that were kept there is nothing to wait for before the first call: that is what connects then, or
     * MSG_WARM. */
    if (session->keys.set.count == 0)
        keys_begin(&session->keys, session->http, session->start.jwks_url, deadline_in(session->start.request_timeout));
    do
        wait_for_peer(session);
    while (answer_request(session));
}

/* Erases and frees what the session has. False when the process must leave with _exit(). */
static bool end(struct session *session)
{
    bool ended = http_free(&session->http);

    secret_free(&session->token);
    secret_free(&session->user_id);
    user_forget(session);
    challenge_forget(session);
    srp_free(&session->srp);
    keys_free(&session->keys);
    free(session->checks);
    frame_free(&session->frame);
    frame_free(&session->start_frame);
    return ended;
}

int main(int argc, char **argv)
{
    struct session session = {.peer = SELF_PEER};
    struct result result;

    (void)argv;
    if (argc != 1 || !self_has_peer()) {
        fputs("pam-cognito-helper: pam_cognito_code.so starts this; it is of no use by hand\n", stderr);
        return 2;
    }
    /* From here on, since a name service that is asked for the helper user may hang. */
    self_bound_life(2 * FRAME_MS);
    result_begin(&result);
    if (lockdown(&result))
        result_succeed(&result);
    /* TLS writes to sockets that may be closed, and libcurl is told to keep its hands off signals. */
    signal(SIGPIPE, SIG_IGN);
    if (fcntl(SELF_PEER, F_SETFL, O_NONBLOCK) == 0)
        serve(&session, &result);
    if (!end(&session))
        _exit(0);
    return 0;
}
