/*
 * HTTPS over one kept connection, one transfer at a time, each under a deadline, and all under the eyes of the peer:
 * when the module goes away, nothing is waited for any more.
 *
 * Nothing here sends a request twice. Sources: libcurl's manual pages, CURLOPT_PREREQFUNCTION(3), libcurl-multi(3).
 */
#ifndef PAM_COGNITO_HELPER_HTTP_H
#define PAM_COGNITO_HELPER_HTTP_H

#include "common/deadline.h"
#include "common/secret.h"
#include "helper/result.h"
#include "helper/transfer.h"

#include <stdbool.h>

struct http;

/* A reply owns its body, which a NUL follows. An empty one is {0}. */
struct http_reply {
    long status;
    struct secret body;
    char request_id[65];  /* x-amzn-RequestId, printable, "" if absent */
    char error_type[257]; /* x-amzn-errortype, likewise */
};

/* Sets libcurl up. `options` must outlive it; `peer` is the module's socket, watched but never read. NULL when memory
 * is short. Free with http_free(). */
struct http *http_new(const struct http_options *options, int peer);

/* Ends the transfer under way, if any, and closes the connection; *http is NULL afterwards. NULL may be passed. False
 * when a name lookup was given up that may hang still, in a thread of its own that cannot be ended: the process must
 * leave with _exit() then, since what runs at exit() could wait for it or take its memory away. */
bool http_free(struct http **http);

/* True when the peer sent something or is gone. */
bool http_peer_stirs(const struct http *http);

/* Starts a transfer, to be over by `deadline`; none may be under way. The request's strings must outlive it. False with
 * the reason in `result`. */
bool http_begin(struct http *http, const struct http_request *request, deadline_t deadline, struct result *result);

/* Waits until something happens to the transfer or the peer stirs, and lets the transfer go on. True when the transfer
 * is over. */
bool http_step(struct http *http);

/* Takes the outcome of a transfer that is over: true with the reply, whatever its status; false with the reason in
 * `result`, also for a reply of HTTP/2, one whose lengths contradict each other, and a 200 that is not JSON by its
 * Content-Type. Free the reply with http_reply_free(). */
bool http_end(struct http *http, struct http_reply *reply, struct result *result);

/* Has the next transfer make a connection of its own. */
void http_renew(struct http *http);

/* How far the last transfer came that http_end() took the outcome of. */
const struct transfer_trace *http_trace(const struct http *http);

/* Lets the transfer under way come to its end, by `deadline` at the latest, and takes its outcome as http_end() does. A
 * peer that stirs meanwhile ends it with ERR_HELPER_LOST. */
bool http_finish(struct http *http, deadline_t deadline, struct http_reply *reply, struct result *result);

/* Erases and frees what it holds. */
void http_reply_free(struct http_reply *reply);

#endif
