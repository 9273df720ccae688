#include "fakes/pool.h"

#include "fakes/memory.h"
#include "fakes/signature.h"

#include "helper/json.h"
#include "helper/wire_error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BODY_MOST 8192

static struct script *script;
static struct pool_seen *seen;

/* Appends what stands behind '$' in a reply. Of secrets only what the request brought: a pool knows no more. */
static size_t expand(char letter, char *out, size_t size)
{
    struct json_object *body = seen->body == NULL ? NULL : json_parse(seen->body, strlen(seen->body));
    const char *token = json_string(body, "AccessToken"), *code = json_string(body, "Code"), *value = NULL;
    char *good = NULL;
    size_t length = 0;

    if (letter == 'T')
        value = good = fake_good_token("alice");
    else if (letter == 'K')
        value = good = fake_key_set();
    else if (letter == 'P' && seen->body != NULL && strstr(seen->body, FAKE_PASSWORD) != NULL)
        value = FAKE_PASSWORD;
    else if (letter == 'C')
        value = code;
    else if (letter == 'A')
        value = token;
    if (value != NULL && strlen(value) < size)
        length = (size_t)sprintf(out, "%s", value);
    free(good);
    json_object_put(body);
    return length;
}

static bool write_body(struct http_reply *reply, const char *text)
{
    static char body[BODY_MOST];
    size_t length = 0;

    for (; *text != '\0' && length + 1 < sizeof body; text++)
        if (*text == '$' && text[1] != '\0')
            length += expand(*++text, body + length, sizeof body - length);
        else
            body[length++] = *text;
    return secret_set(&reply->body, body, length);
}

static void note(const struct http_request *request)
{
    seen->requests++;
    seen->success = false;
    free(seen->body);
    seen->body = request->body == NULL ? NULL : fuzz_string((const uint8_t *)request->body, request->length);
    snprintf(seen->target, sizeof seen->target, "%s", request->body == NULL ? "" : request->target);
    if (request->body == NULL) {
        HOLDS(strcmp(request->url, FAKE_JWKS) == 0);
        return;
    }
    HOLDS(strcmp(request->url, FAKE_ENDPOINT) == 0);
    HOLDS(strncmp(request->target, "AWSCognitoIdentityProviderService.", 34) == 0);
}

static void note_reply(const struct http_reply *reply)
{
    struct json_object *object = json_parse(reply->body.bytes, reply->body.length);
    struct result result;

    seen->success = reply->status == 200 && object != NULL;
    if (reply->status != 200) {
        result_begin(&result);
        wire_error_read(reply->status, reply->error_type, object, &result);
        seen->throttled += error_is_throttling(result.error);
    }
    json_object_put(object);
}

static bool make_answer(const struct http_request *request, struct http_reply *reply, struct result *result)
{
    const char *line, *header;
    char kind;
    char *end;

    note(request);
    line = script_next(script, "<~", &kind);
    if (line == NULL || kind == '~')
        return result_fail(result, ERR_TRANSFER, "the connection broke");
    reply->status = strtol(line, &end, 10);
    if (reply->status != 200 && (header = script_next(script, "h", NULL)) != NULL)
        snprintf(reply->error_type, sizeof reply->error_type, "%s", header);
    snprintf(reply->request_id, sizeof reply->request_id, "request-%zu", seen->requests);
    if (!write_body(reply, *end == ' ' ? end + 1 : end))
        return result_fail(result, ERR_NO_MEMORY, "reply");
    note_reply(reply);
    return true;
}

static bool answer(const struct http_request *request, struct http_reply *reply, struct result *result)
{
    bool answered;

    fake_memory_hold(1);
    answered = make_answer(request, reply, result);
    fake_memory_hold(-1);
    return answered;
}

void pool_open(struct script *lines, struct pool_seen *what)
{
    script = lines;
    seen = what;
    *seen = (struct pool_seen){.requests = 0};
    fake_http = answer;
}

void pool_close(struct pool_seen *what)
{
    free(what->body);
    *what = (struct pool_seen){.requests = 0};
}
