#include "helper/challenge.h"

#include "common/text.h"
#include "helper/access.h"
#include "helper/base64.h"
#include "helper/cognito.h"
#include "helper/json.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The challenges that the API model knows. One with a `response` is answered with a word that the user types, under
 * that name. */
struct challenge {
    const char *name;
    const char *response;
    enum error error;
};

static const struct challenge challenges[] = {
    {"SMS_MFA", "SMS_MFA_CODE", ERR_NONE},
    {"EMAIL_OTP", "EMAIL_OTP_CODE", ERR_NONE},
    {"SOFTWARE_TOKEN_MFA", "SOFTWARE_TOKEN_MFA_CODE", ERR_NONE},
    {"SELECT_MFA_TYPE", "ANSWER", ERR_NONE},
    {"NEW_PASSWORD_REQUIRED", NULL, ERR_NEW_PASSWORD},
    {"MFA_SETUP", NULL, ERR_MFA_SETUP},
    {"CUSTOM_CHALLENGE", NULL, ERR_CUSTOM_CHALLENGE},
    {"DEVICE_SRP_AUTH", NULL, ERR_DEVICE_CHALLENGE},
    {"DEVICE_PASSWORD_VERIFIER", NULL, ERR_DEVICE_CHALLENGE},
    {"WEB_AUTHN", NULL, ERR_FIRST_FACTOR_CHOICE},
    {"SELECT_CHALLENGE", NULL, ERR_FIRST_FACTOR_CHOICE},
    {"PASSWORD", NULL, ERR_FIRST_FACTOR_CHOICE},
    {"PASSWORD_SRP", NULL, ERR_FIRST_FACTOR_CHOICE},
    {"SMS_OTP", NULL, ERR_FIRST_FACTOR_CHOICE},
};

static const struct challenge *find(const char *name)
{
    for (size_t i = 0; i < sizeof challenges / sizeof *challenges; i++)
        if (strcmp(name, challenges[i].name) == 0)
            return &challenges[i];
    return NULL;
}

/* SECRET_HASH: base64(HMAC-SHA256(client secret, user name + client id)). Free with secret_free(). */
static bool secret_hash(const struct start_message *start, const char *username, struct secret *out)
{
    size_t user_length = strlen(username), client_length = strlen(start->client_id);
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned int mac_length = 0;
    char *message = malloc(user_length + client_length + 1);
    bool made = false;

    if (message == NULL)
        return false;
    memcpy(message, username, user_length);
    memcpy(message + user_length, start->client_id, client_length + 1);
    if (HMAC(EVP_sha256(), start->client_secret, (int)strlen(start->client_secret), (const unsigned char *)message,
             user_length + client_length, mac, &mac_length) != NULL)
        made = base64_encode(mac, mac_length, out);
    free(message);
    return made;
}

struct json_object *challenge_names(const struct session *session, const char *username)
{
    struct json_object *names = json_object_new_object();
    struct secret hash = {NULL, 0};
    bool made = json_put_string(names, "USERNAME", username);

    if (made && *session->start.client_secret != '\0')
        made = secret_hash(&session->start, username, &hash) && json_put_string(names, "SECRET_HASH", hash.bytes);
    secret_free(&hash);
    if (made)
        return names;
    json_object_put(names);
    return NULL;
}

struct json_object *challenge_respond(struct session *session, const struct signer *signer, const char *name,
                                      const char *continuation, struct json_object *responses, deadline_t deadline,
                                      struct result *result)
{
    struct json_object *body = json_object_new_object(), *reply = NULL;

    if (!json_put_object(body, "ChallengeResponses", responses) || !json_put_string(body, "ChallengeName", name) ||
        !json_put_string(body, "ClientId", session->start.client_id) ||
        (continuation != NULL && !json_put_string(body, "Session", continuation)))
        result_fail(result, ERR_NO_MEMORY, "RespondToAuthChallenge");
    else if (cognito_put_metadata(body, signer->metadata, result))
        reply = cognito_call(session, "RespondToAuthChallenge", body, deadline, result);
    json_object_put(body);
    return reply;
}

void challenge_forget(struct session *session)
{
    session->challenge = NULL;
    secret_free(&session->continuation);
}

/* The names in MFAS_CAN_CHOOSE, a list written as a string, that a prompt can answer. */
static void list_choices(const char *text, struct result *result)
{
    struct json_object *wrapped = NULL, *choices = NULL;
    char object[512];

    if (text == NULL || snprintf(object, sizeof object, "{\"choices\":%s}", text) >= (int)sizeof object)
        return;
    wrapped = json_parse(object, strlen(object));
    json_object_object_get_ex(wrapped, "choices", &choices);
    for (size_t i = 0; json_object_is_type(choices, json_type_array) && i < json_object_array_length(choices); i++) {
        struct json_object *choice = json_object_array_get_idx(choices, i);
        const struct challenge *known =
            json_object_is_type(choice, json_type_string) ? find(json_object_get_string(choice)) : NULL;

        if (known != NULL && known->response != NULL && strcmp(known->response, "ANSWER") != 0)
            result_add_choice(result, known->name);
    }
    json_object_put(wrapped);
}

/* The name by which Cognito knows the user from here on: his own, where he signed in with an alias. */
static bool take_user_id(struct session *session, struct json_object *parameters)
{
    const char *user_id = json_string(parameters, "USER_ID_FOR_SRP");

    return user_id == NULL || secret_set(&session->user_id, user_id, strlen(user_id));
}

static bool ask(struct session *session, const struct challenge *challenge, struct json_object *reply,
                struct result *result)
{
    struct json_object *parameters;
    const char *continuation, *medium, *destination, *choices;

    if (!json_optional_object(reply, "ChallengeParameters", &parameters) ||
        !json_optional_string(parameters, "CODE_DELIVERY_DELIVERY_MEDIUM", &medium) ||
        !json_optional_string(parameters, "CODE_DELIVERY_DESTINATION", &destination) ||
        !json_optional_string(parameters, "MFAS_CAN_CHOOSE", &choices))
        return cognito_refuse_reply(result, "ChallengeParameters, or a part of it,");
    continuation = json_string(reply, "Session");
    if (continuation == NULL)
        return cognito_refuse_reply(result, "Session");
    if (!take_user_id(session, parameters) || !secret_set(&session->continuation, continuation, strlen(continuation)))
        return result_fail(result, ERR_NO_MEMORY, "challenge");
    text_printable(result->medium, sizeof result->medium, medium);
    text_printable(result->destination, sizeof result->destination, destination);
    list_choices(choices, result);
    if (strcmp(challenge->response, "ANSWER") == 0 && result->choice_count == 0)
        return result_fail(result, ERR_CHALLENGE, "challenge=%s without a choice that can be taken here",
                           challenge->name);
    session->challenge = challenge;
    text_printable(result->challenge, sizeof result->challenge, challenge->name);
    return true;
}

bool challenge_refuse(const char *name, struct result *result)
{
    const struct challenge *challenge = find(name);
    bool has_error = challenge != NULL && challenge->response == NULL;
    char shown[64];

    return result_fail(result, has_error ? challenge->error : ERR_CHALLENGE, "challenge=%s",
                       text_log_value(shown, sizeof shown, name));
}

static bool take_challenge(struct session *session, const char *name, struct json_object *reply, struct result *result)
{
    const struct challenge *challenge = find(name);

    if (challenge != NULL && challenge->response != NULL)
        return ask(session, challenge, reply, result);
    return challenge_refuse(name, result);
}

bool challenge_take(struct session *session, const struct signer *signer, struct json_object *reply,
                    deadline_t deadline, struct result *result)
{
    struct json_object *tokens;
    const char *challenge, *token;

    challenge_forget(session);
    if (!json_optional_string(reply, "ChallengeName", &challenge))
        return cognito_refuse_reply(result, "ChallengeName");
    if (challenge != NULL)
        return take_challenge(session, challenge, reply, result);
    if (!json_optional_object(reply, "AuthenticationResult", &tokens) || tokens == NULL)
        return cognito_refuse_reply(result, "AuthenticationResult");
    token = json_string(tokens, "AccessToken");
    if (token == NULL)
        return cognito_refuse_reply(result, "AuthenticationResult.AccessToken");
    return access_keep(session, token, signer->match, signer->expect, deadline, result);
}

bool answer_run(struct session *session, const void *message, deadline_t deadline, struct result *result)
{
    const struct answer_message *answer = message;
    const struct signer signer = {.match = answer->match, .expect = answer->expect, .metadata = &answer->metadata};
    const struct challenge *challenge = session->challenge;
    struct json_object *responses, *reply;
    bool taken = false;

    if (challenge == NULL)
        return result_fail(result, ERR_BAD_REQUEST, "there is no challenge to answer");
    responses = challenge_names(session, session->user_id.bytes);
    if (!json_put_string(responses, challenge->response, answer->answer)) {
        json_object_put(responses);
        return result_fail(result, ERR_NO_MEMORY, "ChallengeResponses");
    }
    reply =
        challenge_respond(session, &signer, challenge->name, session->continuation.bytes, responses, deadline, result);
    if (reply != NULL)
        taken = challenge_take(session, &signer, reply, deadline, result);
    else
        challenge_forget(session);
    json_object_put(reply);
    return taken;
}
