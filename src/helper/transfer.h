/*
 * One HTTPS request and its reply: what libcurl is told before, and what it says after. http.h drives it.
 */
#ifndef PAM_COGNITO_HELPER_TRANSFER_H
#define PAM_COGNITO_HELPER_TRANSFER_H

#include "helper/result.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REPLY_BODY_MAX   (256 * 1024)
#define REPLY_HEADER_MAX (64 * 1024)

/* How every request goes out. Owns nothing; "" is the absent value. Times in milliseconds. */
struct http_options {
    const char *ca_path, *ca_file; /* both absent: the system's hashed directory */
    const char *proxy;
    long connect_timeout;
    bool watched; /* somebody will ask how far the transfer came */
};

/* Owns nothing. A GET if `body` is NULL, else a POST of it. */
struct http_request {
    const char *url;
    const char *target; /* X-Amz-Target of a POST */
    const char *body;
    size_t length;
};

/* A transfer owns its handle, headers and the bytes of its reply; the request's strings must outlive it. */
struct transfer {
    CURL *easy;
    struct curl_slist *headers;
    bool opened;   /* a socket was opened, so the name lookup is over */
    int socket;    /* the one that was opened last */
    int64_t began; /* by the monotonic clock, in microseconds */
    int64_t
        reached; /* the microseconds from then until the socket was seen connected; 0: it was not, or nobody looked */
    bool connected; /* the request goes out, or went */
    bool resent;    /* libcurl wanted to send it again, and was refused */
    bool headed;    /* the reply's headers are all there */
    bool oversized;
    size_t header_length;
    char *body; /* `room` bytes, of which `length` are the reply's until now */
    size_t length, room;
    char error[CURL_ERROR_SIZE];
};

/* How far a transfer came: the microseconds from its beginning to the end of each step, 0 for a step that it did not
 * come to the end of. On a kept connection the first three are short. */
struct transfer_trace {
    int64_t looked_up, connected, secured;
    int64_t over;     /* whatever came of it */
    char address[64]; /* of the server, or of the proxy; "" where there was no connection */
    long port;
    long status; /* of the reply, 0 where there was none */
};

/* A transfer ready to be added to a multi handle. `fresh`: on a new connection. NULL when memory is short or libcurl
 * takes not all that it is told. Free with transfer_free(). */
struct transfer *transfer_new(const struct http_options *options, const struct http_request *request, bool fresh);

/* Erases and frees; *transfer is NULL afterwards. It must have left its multi handle. NULL may be passed. */
void transfer_free(struct transfer **transfer);

/* Turns what libcurl made of the transfer into a result: true if a reply is there, whatever its status. */
bool transfer_outcome(const struct transfer *transfer, CURLcode code, struct result *result);

/* Notes whether the server is reached, while it goes on: libcurl says so only of a connection that is ready for use,
 * TLS and all. */
void transfer_watch(struct transfer *transfer);

/* How far it came until now; while it is in its multi handle still. */
struct transfer_trace transfer_trace(const struct transfer *transfer);

#endif
