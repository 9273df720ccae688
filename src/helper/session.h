/*
 * What the helper knows during one login.
 */
#ifndef PAM_COGNITO_HELPER_SESSION_H
#define PAM_COGNITO_HELPER_SESSION_H

#include "common/deadline.h"
#include "common/message.h"
#include "common/secret.h"
#include "helper/checks.h"
#include "helper/http.h"
#include "helper/keys.h"
#include "helper/result.h"

#include "helper/srp.h"

#include <json-c/json.h>

#include <stdbool.h>

/* Owns all it points to; the strings of `start` and `options` lie in `start_frame`, which is why that is kept. */
struct session {
    int peer;
    struct frame *start_frame;
    struct frame *frame; /* the request at hand, then its answer */
    struct start_message start;
    struct http_options options;
    struct http *http;
    struct keys keys;
    struct secret user_id;             /* the user name as Cognito wants it in the answer to a challenge */
    const struct challenge *challenge; /* the one that waits for MSG_ANSWER, or NULL */
    struct secret continuation;        /* and its Session */
    struct srp *srp;                   /* a sign-in that was begun while the user is asked, or NULL */
    struct json_object *user;          /* what GetUser said of the token's user, or NULL */
    struct checks *checks;             /* of the last token, if the peer wants to know; else NULL */
    struct json_object *sent;          /* the input of the request's last call: see cognito_withhold() */
    struct secret token;               /* the user's access token, once it passed every check; absent before */
};

/* What answers one type of request. `message` is that type's struct. True if it worked; else false with the reason in
 * `result`. */
typedef bool handler(struct session *session, const void *message, deadline_t deadline, struct result *result);

#endif
