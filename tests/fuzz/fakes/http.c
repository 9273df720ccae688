#include "fakes/http.h"

#include <poll.h>
#include <stdlib.h>

struct http {
    int peer;
    bool busy;
    struct http_request request;
};

bool (*fake_http)(const struct http_request *request, struct http_reply *reply, struct result *result);

struct http *http_new(const struct http_options *options, int peer)
{
    struct http *http = calloc(1, sizeof *http);

    (void)options;
    if (http != NULL)
        http->peer = peer;
    return http;
}

bool http_free(struct http **http)
{
    free(*http);
    *http = NULL;
    return true;
}

bool http_peer_stirs(const struct http *http)
{
    struct pollfd poller = {.fd = http->peer, .events = POLLIN | POLLRDHUP};

    return poll(&poller, 1, 0) != 0;
}

bool http_begin(struct http *http, const struct http_request *request, deadline_t deadline, struct result *result)
{
    (void)deadline;
    (void)result;
    if (http->busy)
        abort();
    http->busy = true;
    http->request = *request;
    return true;
}

bool http_step(struct http *http)
{
    if (!http->busy)
        abort();
    return true;
}

bool http_end(struct http *http, struct http_reply *reply, struct result *result)
{
    *reply = (struct http_reply){.status = 0};
    http->busy = false;
    return fake_http(&http->request, reply, result);
}

bool http_finish(struct http *http, deadline_t deadline, struct http_reply *reply, struct result *result)
{
    (void)deadline;
    return http_end(http, reply, result);
}

void http_renew(struct http *http)
{
    (void)http;
}

const struct transfer_trace *http_trace(const struct http *http)
{
    static const struct transfer_trace nowhere;

    (void)http;
    return &nowhere;
}

void http_reply_free(struct http_reply *reply)
{
    secret_free(&reply->body);
    *reply = (struct http_reply){.status = 0};
}
