#include "helper/signin.h"

#include "common/text.h"
#include "helper/base64.h"
#include "helper/cognito.h"
#include "helper/json.h"
#include "helper/token.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Keeps the token if it is one of the pool's for this client and user, and drops any that was there before. The keys
 * must be there. */
static bool keep_token(struct session *session, const char *token, const char *match, const char *expect,
                       struct result *result)
{
    const struct token_rules rules = {
        .keys = &session->keys.set,
        .issuer = session->start.issuer,
        .client_id = session->start.client_id,
        .match = match,
        .expect = expect,
        .now = time(NULL),
    };

    secret_free(&session->token);
    if (!token_check(token, &rules, result))
        return false;
    return secret_set(&session->token, token, strlen(token)) || result_fail(result, ERR_NO_MEMORY, "token");
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

/* The AuthParameters that every flow has. NULL when memory is short. */
static struct json_object *auth_parameters(const struct session *session, const char *username)
{
    struct json_object *parameters = json_object_new_object();
    struct secret hash = {NULL, 0};
    bool made = json_put_string(parameters, "USERNAME", username);

    if (made && *session->start.client_secret != '\0')
        made = secret_hash(&session->start, username, &hash) && json_put_string(parameters, "SECRET_HASH", hash.bytes);
    secret_free(&hash);
    if (made)
        return parameters;
    json_object_put(parameters);
    return NULL;
}

/* What InitiateAuth answered: the tokens, or one more question. */
static bool take_tokens(struct session *session, const struct signin_message *signin, struct json_object *reply,
                        struct result *result)
{
    struct json_object *tokens;
    const char *challenge, *token;
    char name[64];

    if (!json_optional_string(reply, "ChallengeName", &challenge))
        return cognito_refuse_reply(result, "ChallengeName");
    if (challenge != NULL)
        return result_fail(result, ERR_CHALLENGE, "challenge=%s", text_log_value(name, sizeof name, challenge));
    if (!json_optional_object(reply, "AuthenticationResult", &tokens) || tokens == NULL)
        return cognito_refuse_reply(result, "AuthenticationResult");
    token = json_string(tokens, "AccessToken");
    if (token == NULL)
        return cognito_refuse_reply(result, "AuthenticationResult.AccessToken");
    return keep_token(session, token, signin->match, signin->expect, result);
}

static bool sign_in_by_password(struct session *session, const struct signin_message *signin, deadline_t deadline,
                                struct result *result)
{
    struct json_object *body = json_object_new_object(), *reply = NULL;
    struct json_object *parameters = auth_parameters(session, signin->username);
    bool signed_in = false;

    if (!json_put_string(parameters, "PASSWORD", signin->password) ||
        !json_put_string(body, "AuthFlow", "USER_PASSWORD_AUTH") ||
        !json_put_string(body, "ClientId", session->start.client_id)) {
        result_fail(result, ERR_NO_MEMORY, "InitiateAuth");
        json_object_put(parameters);
        goto out;
    }
    if (!json_put_object(body, "AuthParameters", parameters)) {
        result_fail(result, ERR_NO_MEMORY, "InitiateAuth");
        goto out;
    }
    if (!cognito_put_metadata(body, &signin->metadata, result))
        goto out;
    reply = cognito_call(session, "InitiateAuth", body, deadline, result);
    if (reply != NULL)
        signed_in = take_tokens(session, signin, reply, result);
out:
    json_object_put(reply);
    json_object_put(body);
    return signed_in;
}

/* The flows of the option signin_flow. */
static const struct flow {
    const char *name;
    bool (*run)(struct session *, const struct signin_message *, deadline_t, struct result *);
} flows[] = {
    {"password", sign_in_by_password},
};

bool signin_run(struct session *session, const void *message, deadline_t deadline, struct result *result)
{
    const struct signin_message *signin = message;
    char name[32];

    if (*signin->username == '\0' || *signin->password == '\0')
        return result_fail(result, ERR_BAD_REQUEST, "a sign-in without a user name or a password");
    for (size_t i = 0; i < sizeof flows / sizeof flows[0]; i++)
        if (strcmp(signin->flow, flows[i].name) == 0)
            return keys_need(&session->keys, session->http, session->start.jwks_url, deadline, result) &&
                   flows[i].run(session, signin, deadline, result);
    return result_fail(result, ERR_BAD_REQUEST, "signin_flow=%s is not supported by this version",
                       text_log_value(name, sizeof name, signin->flow));
}

bool token_run(struct session *session, const void *message, deadline_t deadline, struct result *result)
{
    const struct token_message *token = message;

    return keys_need(&session->keys, session->http, session->start.jwks_url, deadline, result) &&
           keep_token(session, token->token, token->match, token->expect, result);
}
