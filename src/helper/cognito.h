/*
 * One call of an operation of the Amazon Cognito user pools API.
 *
 * Source: Amazon Cognito user pools API reference; Smithy, "AWS JSON 1.1 protocol".
 */
#ifndef PAM_COGNITO_HELPER_COGNITO_H
#define PAM_COGNITO_HELPER_COGNITO_H

#include "common/deadline.h"
#include "common/message.h"
#include "helper/result.h"
#include "helper/session.h"

#include <json-c/json.h>
#include <stdbool.h>

/* Sends `body`, which stays the caller's, as the input of `operation`, and gives its output; release with
 * json_object_put(). NULL with the reason in `result`: Cognito's error, or the way there. Either way `result` has the
 * request's id, if Cognito gave one. Sent once; only after a throttling reply, which proves that nothing happened, it
 * is sent again, with pauses, twice at most. ERR_NOT_UTF_8, with nothing sent, when a string of `body` is none. */
struct json_object *cognito_call(struct session *session, const char *operation, struct json_object *body,
                                 deadline_t deadline, struct result *result);

/* Ends a request: Cognito's words may quote the input of its last call, in the name of an error or of a challenge too.
 * Then they do not reach the log. */
void cognito_withhold(struct session *session, struct result *result);

/* Adds ClientMetadata to `body`, if there is any. False with ERR_BAD_REQUEST if it is not names and values. */
bool cognito_put_metadata(struct json_object *body, const struct list *metadata, struct result *result);

/* A reply of 200 lacks `member`, or has it with another type: ERR_UNPARSABLE. Always false. */
bool cognito_refuse_reply(struct result *result, const char *member);

#endif
