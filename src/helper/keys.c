#include "helper/keys.h"

static bool begin(struct keys *keys, struct http *http, const char *url, deadline_t deadline, struct result *result)
{
    struct http_request request = {.url = url};

    keys->coming = http_begin(http, &request, deadline, result);
    return keys->coming;
}

/* The keys out of the reply, which is freed. */
static bool take(struct keys *keys, struct http_reply *reply, struct result *result)
{
    bool taken = false;

    if (reply->status != 200)
        result_fail(result, ERR_BAD_KEYS, "HTTP status %ld", reply->status);
    else
        taken = jwks_parse(&keys->set, reply->body.bytes, reply->body.length, result);
    http_reply_free(reply);
    return taken;
}

void keys_begin(struct keys *keys, struct http *http, const char *url, deadline_t deadline)
{
    struct result ignored;

    begin(keys, http, url, deadline, &ignored);
}

void keys_step(struct keys *keys, struct http *http)
{
    struct http_reply reply;
    struct result ignored;

    if (!http_step(http))
        return;
    keys->coming = false;
    if (http_end(http, &reply, &ignored))
        take(keys, &reply, &ignored);
}

/* Lets the fetch that is under way come to its end. False also for a reply that is no key set: then `*replied`. */
static bool finish(struct keys *keys, struct http *http, deadline_t deadline, bool *replied, struct result *result)
{
    struct http_reply reply;

    keys->coming = false;
    *replied = http_finish(http, deadline, &reply, result);
    return *replied && take(keys, &reply, result);
}

bool keys_try(struct keys *keys, struct http *http, const char *url, deadline_t deadline, struct result *result)
{
    bool replied;

    if (keys->set.count > 0)
        return true;
    return (keys->coming || begin(keys, http, url, deadline, result)) && finish(keys, http, deadline, &replied, result);
}

bool keys_need(struct keys *keys, struct http *http, const char *url, deadline_t deadline, struct result *result)
{
    if (keys->coming) {
        bool replied;

        /* A reply is final; a connection that failed gets a second chance, as the user may have typed for a minute
         * since. */
        if (finish(keys, http, deadline, &replied, result))
            return true;
        if (replied || result->error == ERR_HELPER_LOST)
            return false;
    }
    return keys_try(keys, http, url, deadline, result);
}
