#include "helper/attribute.h"

#include "common/text.h"
#include "helper/cognito.h"
#include "helper/json.h"
#include "helper/keys.h"

#include <string.h>

/* The API's limits. Codes are six digits today, but the API promises only that they have no white space. */
#define ATTRIBUTE_LENGTH_MAX 32
#define CODE_LENGTH_MAX      2048

/* The input that both operations share: who, and which attribute. NULL with the reason in `result`; release with
 * json_object_put(). */
static struct json_object *begin_input(const struct session *session, const char *attribute, struct result *result)
{
    struct json_object *input;

    if (session->token.bytes == NULL) {
        result_fail(result, ERR_BAD_REQUEST, "there is no access token");
        return NULL;
    }
    if (!text_is_word(attribute) || strlen(attribute) > ATTRIBUTE_LENGTH_MAX) {
        result_fail(result, ERR_BAD_REQUEST, "not the name of an attribute");
        return NULL;
    }
    input = json_object_new_object();
    if (json_put_string(input, "AccessToken", session->token.bytes) &&
        json_put_string(input, "AttributeName", attribute))
        return input;
    json_object_put(input);
    result_fail(result, ERR_NO_MEMORY, "input");
    return NULL;
}

/* CodeDeliveryDetails, of which every part may be absent: an empty string then. */
static bool take_delivery(struct json_object *reply, struct result *result)
{
    struct json_object *details;
    const char *attribute, *medium, *destination;

    if (!json_optional_object(reply, "CodeDeliveryDetails", &details) ||
        !json_optional_string(details, "AttributeName", &attribute) ||
        !json_optional_string(details, "DeliveryMedium", &medium) ||
        !json_optional_string(details, "Destination", &destination))
        return cognito_refuse_reply(result, "CodeDeliveryDetails, or a part of it,");
    text_printable(result->attribute, sizeof result->attribute, attribute);
    text_printable(result->medium, sizeof result->medium, medium);
    text_printable(result->destination, sizeof result->destination, destination);
    return true;
}

bool send_run(struct session *session, const void *message, deadline_t deadline, struct result *result)
{
    const struct send_message *send = message;
    struct json_object *reply = NULL, *input = begin_input(session, send->attribute, result);
    bool sent = false;

    if (input == NULL || !cognito_put_metadata(input, &send->metadata, result))
        goto out;
    reply = cognito_call(session, "GetUserAttributeVerificationCode", input, deadline, result);
    if (reply != NULL)
        sent = take_delivery(reply, result);
    /* Now Cognito itself has taken a token that these keys had verified. */
    if (sent)
        result->keys = keys_tell(&session->keys);
out:
    json_object_put(reply);
    json_object_put(input);
    return sent;
}

bool verify_run(struct session *session, const void *message, deadline_t deadline, struct result *result)
{
    const struct verify_message *verify = message;
    struct json_object *reply = NULL, *input = begin_input(session, verify->attribute, result);
    bool verified = false;

    if (input == NULL)
        goto out;
    if (!text_has_no_blank(verify->code) || strlen(verify->code) > CODE_LENGTH_MAX) {
        result_fail(result, ERR_UNUSABLE_ANSWER, "a code of 1 to %d bytes without blanks is needed", CODE_LENGTH_MAX);
        goto out;
    }
    if (!json_put_string(input, "Code", verify->code)) {
        result_fail(result, ERR_NO_MEMORY, "input");
        goto out;
    }
    /* The reply is an object without members: that it is one, and with 200, is all there is to see. */
    reply = cognito_call(session, "VerifyUserAttribute", input, deadline, result);
    verified = reply != NULL;
out:
    json_object_put(reply);
    json_object_put(input);
    return verified;
}
