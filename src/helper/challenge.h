/*
 * Sign-in after its first request: Cognito answers with the tokens, or asks one thing more.
 *
 * Source: Amazon Cognito user pools API reference, InitiateAuth and RespondToAuthChallenge.
 */
#ifndef PAM_COGNITO_HELPER_CHALLENGE_H
#define PAM_COGNITO_HELPER_CHALLENGE_H

#include "helper/session.h"

#include <json-c/json.h>

/* Who signs in, and whose token it must be in the end. Owns nothing. */
struct signer {
    const char *match, *expect;
    const struct list *metadata;
};

/* What AuthParameters and ChallengeResponses have in common: USERNAME, and SECRET_HASH over that name where the app
 * client has a secret. NULL when memory is short; release with json_object_put(). */
struct json_object *challenge_names(const struct session *session, const char *username);

/* Fails with the error of a challenge that cannot be answered here, or not now, and names it. False always. */
bool challenge_refuse(const char *name, struct result *result);

/* Takes the reply of either operation: keeps the access token if it is the user's, or remembers the challenge and names
 * it in `result`. False with the reason for all else: a challenge that cannot be answered at a prompt has an error of
 * its own. */
bool challenge_take(struct session *session, const struct signer *signer, struct json_object *reply,
                    deadline_t deadline, struct result *result);

/* RespondToAuthChallenge. `responses`, from challenge_names() and filled up, are the call's from then on; NULL is a
 * shortage of memory. `continuation` is the Session of the challenge, or NULL. The reply as from cognito_call(). */
struct json_object *challenge_respond(struct session *session, const struct signer *signer, const char *name,
                                      const char *continuation, struct json_object *responses, deadline_t deadline,
                                      struct result *result);

/* Forgets the challenge that waits for an answer, if any. */
void challenge_forget(struct session *session);

/* MSG_ANSWER: answers the challenge that the last result named. */
handler answer_run;

#endif
