#include "helper/keys.h"

#include "common/message.h"

#include <string.h>

static bool begin(struct keys *keys, struct http *http, const char *url, deadline_t deadline, struct result *result)
{
    struct http_request request = {.url = url};

    keys->coming = http_begin(http, &request, deadline, result);
    return keys->coming;
}

/* Puts the set of this text in the place of the one before, unless it is none. */
static bool replace(struct keys *keys, const char *text, size_t length, struct result *result)
{
    struct jwks set = {.count = 0};

    if (!jwks_parse(&set, text, length, result))
        return false;
    jwks_free(&keys->set);
    keys->set = set;
    return true;
}

void keys_take_kept(struct keys *keys, const char *text)
{
    struct result ignored;

    if (*text != '\0')
        replace(keys, text, strlen(text), &ignored);
}

/* The keys out of the reply, which is freed. */
static bool take(struct keys *keys, struct http_reply *reply, struct result *result)
{
    if (reply->status != 200) {
        result_fail(result, ERR_BAD_KEYS, "HTTP status %ld", reply->status);
    } else if (replace(keys, reply->body.bytes, reply->body.length, result)) {
        keys->fetched = true;
        keys->text = reply->body;
        reply->body = (struct secret){NULL, 0};
    }
    http_reply_free(reply);
    return keys->fetched;
}

void keys_begin(struct keys *keys, struct http *http, const char *url, deadline_t deadline)
{
    struct result ignored;

    if (!keys->fetched && !keys->coming)
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

bool keys_fetch(struct keys *keys, struct http *http, const char *url, deadline_t deadline, struct result *result)
{
    bool replied;

    if (keys->fetched)
        return true;
    return (keys->coming || begin(keys, http, url, deadline, result)) && finish(keys, http, deadline, &replied, result);
}

bool keys_need(struct keys *keys, struct http *http, const char *url, deadline_t deadline, struct result *result)
{
    bool replied = false;

    if (keys->coming && !finish(keys, http, deadline, &replied, result) && result->error == ERR_HELPER_LOST)
        return false;
    /* A reply is final; a connection that failed gets a second chance, as the user may have typed for a minute since.
     */
    return keys->set.count > 0 || (!replied && keys_fetch(keys, http, url, deadline, result));
}

const char *keys_tell(struct keys *keys)
{
    const struct secret *text = &keys->text;
    bool tells = !keys->told && text->bytes != NULL && text->length <= KEYS_MOST && strlen(text->bytes) == text->length;

    keys->told = true;
    return tells ? text->bytes : NULL;
}

void keys_free(struct keys *keys)
{
    jwks_free(&keys->set);
    secret_free(&keys->text);
    *keys = (struct keys){.coming = false};
}
