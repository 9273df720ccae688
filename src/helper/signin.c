#include "helper/signin.h"

#include "common/text.h"
#include "helper/challenge.h"
#include "helper/cognito.h"
#include "helper/json.h"
#include "helper/srp.h"

#include <string.h>
#include <time.h>

/* InitiateAuth with USERNAME, SECRET_HASH and one parameter more. The reply as from cognito_call(). */
static struct json_object *initiate(struct session *session, const struct signin_message *signin, const char *flow,
                                    const char *parameter, const char *value, deadline_t deadline,
                                    struct result *result)
{
    struct json_object *body = json_object_new_object(), *reply = NULL;
    struct json_object *parameters = challenge_names(session, signin->username);
    bool made = json_put_string(parameters, parameter, value);

    /* In any case `parameters` belong to `body` from here on. */
    made = json_put_object(body, "AuthParameters", parameters) && made;
    if (!made || !json_put_string(body, "AuthFlow", flow) ||
        !json_put_string(body, "ClientId", session->start.client_id))
        result_fail(result, ERR_NO_MEMORY, "InitiateAuth");
    else if (cognito_put_metadata(body, &signin->metadata, result))
        reply = cognito_call(session, "InitiateAuth", body, deadline, result);
    json_object_put(body);
    return reply;
}

static struct signer signer_of(const struct signin_message *signin)
{
    return (struct signer){.match = signin->match, .expect = signin->expect, .metadata = &signin->metadata};
}

static bool by_password(struct session *session, const struct signin_message *signin, deadline_t deadline,
                        struct result *result)
{
    const struct signer signer = signer_of(signin);
    struct json_object *reply =
        initiate(session, signin, "USER_PASSWORD_AUTH", "PASSWORD", signin->password, deadline, result);
    bool taken = reply != NULL && challenge_take(session, &signer, reply, deadline, result);

    json_object_put(reply);
    return taken;
}

/* The ChallengeResponses to PASSWORD_VERIFIER; NULL with the reason in `result`. */
static struct json_object *prove_password(const struct session *session, const struct srp *srp, const char *password,
                                          struct json_object *parameters, struct result *result)
{
    const struct srp_challenge challenge = {
        .user_id = json_string(parameters, "USER_ID_FOR_SRP"),
        .salt = json_string(parameters, "SALT"),
        .public_key = json_string(parameters, "SRP_B"),
        .secret_block = json_string(parameters, "SECRET_BLOCK"),
    };
    struct secret signature = {NULL, 0};
    struct json_object *responses = NULL;
    char timestamp[SRP_TIMESTAMP_SIZE];

    if (!srp_timestamp(time(NULL), timestamp)) {
        result_fail(result, ERR_SYSTEM, "this host's clock is far off");
        return NULL;
    }
    if (!srp_answer(srp, srp_pool_name(session->start.user_pool_id), password, &challenge, timestamp, &signature,
                    result))
        return NULL;
    responses = challenge_names(session, challenge.user_id);
    if (!json_put_string(responses, "PASSWORD_CLAIM_SECRET_BLOCK", challenge.secret_block) ||
        !json_put_string(responses, "PASSWORD_CLAIM_SIGNATURE", signature.bytes) ||
        !json_put_string(responses, "TIMESTAMP", timestamp)) {
        result_fail(result, ERR_NO_MEMORY, "ChallengeResponses");
        json_object_put(responses);
        responses = NULL;
    }
    secret_free(&signature);
    return responses;
}

/* Answers PASSWORD_VERIFIER. A pool that asks anything else first has this flow not in the form that the API describes.
 */
static struct json_object *verify_password(struct session *session, const struct signin_message *signin,
                                           const struct srp *srp, struct json_object *reply, deadline_t deadline,
                                           struct result *result)
{
    const struct signer signer = signer_of(signin);
    const char *name = json_string(reply, "ChallengeName");
    struct json_object *parameters = NULL, *responses;
    const char *user_id;

    if (name == NULL) {
        cognito_refuse_reply(result, "the challenge PASSWORD_VERIFIER");
        return NULL;
    }
    if (strcmp(name, "PASSWORD_VERIFIER") != 0) {
        challenge_refuse(name, result);
        return NULL;
    }
    if (!json_optional_object(reply, "ChallengeParameters", &parameters) || parameters == NULL) {
        cognito_refuse_reply(result, "ChallengeParameters");
        return NULL;
    }
    responses = prove_password(session, srp, signin->password, parameters, result);
    if (responses == NULL)
        return NULL;
    user_id = json_string(parameters, "USER_ID_FOR_SRP");
    if (!secret_set(&session->user_id, user_id, strlen(user_id))) {
        json_object_put(responses);
        result_fail(result, ERR_NO_MEMORY, "challenge");
        return NULL;
    }
    return challenge_respond(session, &signer, name, json_string(reply, "Session"), responses, deadline, result);
}

static bool by_srp(struct session *session, const struct signin_message *signin, deadline_t deadline,
                   struct result *result)
{
    const struct signer signer = signer_of(signin);
    struct srp *srp = session->srp;
    struct json_object *challenge = NULL, *reply = NULL;
    bool taken = false;

    /* A key is good for one sign-in. */
    session->srp = NULL;
    if (srp == NULL)
        srp = srp_new(result);
    if (srp == NULL)
        return false;
    challenge = initiate(session, signin, "USER_SRP_AUTH", "SRP_A", srp_public_key(srp), deadline, result);
    if (challenge != NULL)
        reply = verify_password(session, signin, srp, challenge, deadline, result);
    if (reply != NULL)
        taken = challenge_take(session, &signer, reply, deadline, result);
    json_object_put(reply);
    json_object_put(challenge);
    srp_free(&srp);
    return taken;
}

static const struct flow {
    const char *name;
    bool (*run)(struct session *, const struct signin_message *, deadline_t, struct result *);
} flows[] = {
    {"srp", by_srp},
    {"password", by_password},
};

bool signin_run(struct session *session, const void *message, deadline_t deadline, struct result *result)
{
    const struct signin_message *signin = message;
    char name[32];

    if (*signin->username == '\0' || *signin->password == '\0')
        return result_fail(result, ERR_BAD_REQUEST, "a sign-in without a user name or a password");
    challenge_forget(session);
    if (!secret_set(&session->user_id, signin->username, strlen(signin->username)))
        return result_fail(result, ERR_NO_MEMORY, "sign-in");
    for (size_t i = 0; i < sizeof flows / sizeof flows[0]; i++)
        if (strcmp(signin->flow, flows[i].name) == 0)
            return keys_need(&session->keys, session->http, session->start.jwks_url, deadline, result) &&
                   flows[i].run(session, signin, deadline, result);
    return result_fail(result, ERR_BAD_REQUEST, "signin_flow=%s is not a flow of this version",
                       text_log_value(name, sizeof name, signin->flow));
}

bool warm_run(struct session *session, const void *message, deadline_t deadline, struct result *result)
{
    const struct warm_message *warm = message;

    keys_begin(&session->keys, session->http, session->start.jwks_url, deadline);
    /* It takes some milliseconds, while somebody types. Where it fails, the sign-in makes its own. */
    if (strcmp(warm->flow, "srp") == 0 && session->srp == NULL)
        session->srp = srp_new(result);
    return true;
}
