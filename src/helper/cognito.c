#include "helper/cognito.h"

#include "common/secret.h"
#include "common/text.h"
#include "helper/back_off.h"
#include "helper/json.h"
#include "helper/redact.h"
#include "helper/wire_error.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define SERVICE "AWSCognitoIdentityProviderService"

/* The output of a reply; NULL with the reason in `result`. */
static struct json_object *read_reply(const struct http_reply *reply, struct result *result)
{
    struct json_object *body = json_parse(reply->body.bytes, reply->body.length);

    text_printable(result->request_id, sizeof result->request_id, reply->request_id);
    if (reply->status == 200 && body != NULL)
        return body;
    if (reply->status == 200)
        result_fail(result, ERR_UNPARSABLE, "not a JSON object with distinct members");
    else
        wire_error_read(reply->status, reply->error_type, body, result);
    json_object_put(body);
    return NULL;
}

/* Sends the text of `body` once. */
static struct json_object *call_once(struct session *session, const char *target, const struct secret *text,
                                     deadline_t deadline, struct result *result)
{
    const struct http_request request = {
        .url = session->start.endpoint, .target = target, .body = text->bytes, .length = text->length};
    struct http_reply reply = {.status = 0};
    struct json_object *output = NULL;

    if (http_begin(session->http, &request, deadline, result) && http_finish(session->http, deadline, &reply, result))
        output = read_reply(&reply, result);
    http_reply_free(&reply);
    return output;
}

/* Waits before the next try. False when there is no time left for it, or with ERR_HELPER_LOST when the peer stirs. */
static bool back_off(const struct session *session, unsigned int try, deadline_t deadline, struct result *result)
{
    uint16_t random = 0;
    int pause;

    if (getrandom(&random, sizeof random, 0) != sizeof random)
        return false;
    pause = back_off_pause(try, random);
    if (pause >= deadline_left(deadline))
        return false;
    if (deadline_poll(session->peer, POLLIN, deadline_in(pause)))
        return result_fail(result, ERR_HELPER_LOST, "the module went away, or spoke out of turn");
    return errno == ETIMEDOUT;
}

struct json_object *cognito_call(struct session *session, const char *operation, struct json_object *body,
                                 deadline_t deadline, struct result *result)
{
    struct json_object *output = NULL;
    struct secret text = {NULL, 0};
    char target[128];
    unsigned int try = 0;

    result->signin = strcmp(operation, "InitiateAuth") == 0 || strcmp(operation, "RespondToAuthChallenge") == 0;
    json_object_put(session->sent);
    session->sent = json_object_get(body);
    if (!json_text(body, &text)) {
        result_fail(result, ERR_NOT_UTF_8, "%s", operation);
        return NULL;
    }
    snprintf(target, sizeof target, SERVICE ".%s", operation);
    do
        output = call_once(session, target, &text, deadline, result);
    while (output == NULL && error_is_throttling(result->error) && try < BACK_OFF_TRIES &&
           back_off(session, try++, deadline, result));
    secret_free(&text);
    return output;
}

void cognito_withhold(struct session *session, struct result *result)
{
    if (session->sent != NULL && redact_repeats(session->sent, result->detail))
        result_fail(result, result->error, "(the message repeats what was sent)");
    if (session->sent != NULL && redact_repeats(session->sent, result->wire_name))
        *result->wire_name = '\0';
    json_object_put(session->sent);
    session->sent = NULL;
}

bool cognito_put_metadata(struct json_object *body, const struct list *metadata, struct result *result)
{
    struct json_object *map;

    if (metadata->count == 0)
        return true;
    if (metadata->count % 2 != 0)
        return result_fail(result, ERR_BAD_REQUEST, "client_metadata: a name without a value");
    map = json_object_new_object();
    for (uint32_t i = 0; i < metadata->count; i += 2) {
        if (!json_put_string(map, metadata->items[i], metadata->items[i + 1])) {
            json_object_put(map);
            return result_fail(result, ERR_NO_MEMORY, "client_metadata");
        }
    }
    return json_put_object(body, "ClientMetadata", map) || result_fail(result, ERR_NO_MEMORY, "client_metadata");
}

bool cognito_refuse_reply(struct result *result, const char *member)
{
    return result_fail(result, ERR_UNPARSABLE, "%s is absent or mistyped", member);
}
