/*
 * What the module and its programs say to each other: one struct for each message, generated from the lists below.
 * Every request to the helper is answered by exactly one MSG_RESULT, in order; MSG_RUN by one MSG_OUTPUT.
 */
#ifndef PAM_COGNITO_MESSAGE_H
#define PAM_COGNITO_MESSAGE_H

#include "common/frame.h"

#include <stdbool.h>
#include <stdint.h>

#define LIST_MAX 64

/* The longest access token: a frame holds it, and what goes with it. */
#define TOKEN_MOST (60 * 1024)

/* The longest key set that is kept from one login to the next. Cognito's have two keys and 1 KiB. */
#define KEYS_MOST (8 * 1024)

/* Strings in a message: at most LIST_MAX. For metadata: name, value, name, value, … */
struct list {
    uint32_t count;
    const char *items[LIST_MAX];
};

/* S(tring), N(umber), L(ist), in the order in which they travel. An absent string is "". */

/* clang-format off */

/* The first message: how to reach the pool and which tokens are its own. Times in milliseconds. `explain` is 1 for a
 * peer that will ask for reports, and 0 in a login. `keys` is the pool's key set as an earlier login fetched it, or "":
 * then it is fetched at once. The result's `detail` says what of the helper's lockdown the kernel and the build could
 * do. */
#define START_FIELDS(S, N, L) \
    S(version) S(endpoint) S(jwks_url) S(issuer) S(user_pool_id) S(client_id) S(client_secret) \
    S(ca_path) S(ca_file) S(proxy) N(connect_timeout) N(request_timeout) N(lifetime) \
    N(explain) S(keys)

/* Somebody is asked before the next request: so there is time to connect, to fetch the keys anew, and to begin a sign-in
 * by `flow`, where that is not "". */
#define WARM_FIELDS(S, N, L) S(flow)

/* Sign in as `username`; the answer is a result, perhaps with a challenge. The token stays in the helper. `match` and
 * `expect` say whose token it must be: the claim or attribute, and its value. */
#define SIGNIN_FIELDS(S, N, L) S(flow) S(username) S(password) S(match) S(expect) L(metadata)

/* Take this access token from elsewhere, if it is the pool's, the client's and the user's. */
#define TOKEN_FIELDS(S, N, L) S(token) S(match) S(expect)

/* The answer to the challenge of the last result. */
#define ANSWER_FIELDS(S, N, L) S(answer) S(match) S(expect) L(metadata)

/* Which of these attributes the user of the token has, of GetUser: the result's `choices` hold three strings for each, its name, "true" or "false" for
 * whether it is verified, and its value masked as Cognito masks one. */
#define LOOKUP_FIELDS(S, N, L) L(attributes)

/* GetUserAttributeVerificationCode for `attribute`. */
#define SEND_FIELDS(S, N, L) S(attribute) L(metadata)

/* VerifyUserAttribute with `code`. */
#define VERIFY_FIELDS(S, N, L) S(attribute) S(code)

/* What pam-cognito-check wants to know; no login asks. `about` = "reach": how the pool's keys were reached: three strings
 * in the result's `choices` for each step that was begun, "dns", "tcp", "tls", "jwks", "keys": its name, the
 * microseconds that it took, and what it found. The error, if there is one, is that of the last of them. `about` =
 * "token": what the last token that came was checked for: four strings for each check, its name, "ok", "unverified",
 * "refused" or "refused-unverified", what was expected, and what was found. */
#define REPORT_FIELDS(S, N, L) S(about)

/* The answer to each of them. `error` is an enum error; `detail` one line for the log; `wire_name` the error's name as
 * it came, where the table does not know it. `challenge` is what Cognito asks before it gives a token, a ChallengeName of
 * the API, and `choices` what it lets the user choose from. `signin` is 1 when the error
 * came from a sign-in operation, where some errors mean another thing. `medium` and `destination` say where a code went,
 * "" where Cognito did not say. `keys` comes once, with the first code that was sent: the key set that was fetched in this
 * login, and with which a token was checked that Cognito took. "" where it was kept before, or is longer than KEYS_MOST.
 * Whoever reads it takes every string for hostile: the helper parses what strangers send. */
#define RESULT_FIELDS(S, N, L) \
    N(error) S(detail) S(wire_name) S(request_id) S(attribute) S(medium) S(destination) S(challenge) L(choices) N(signin) \
    S(keys)

/* To pam-cognito-command: run the program at `path` as `user` with these arguments, for `timeout` milliseconds at
 * most. */
#define RUN_FIELDS(S, N, L) S(version) S(path) S(user) L(arguments) N(timeout)

/* Its only answer: what the program wrote, one line without the newline; or `error` with one line for the log. */
#define OUTPUT_FIELDS(S, N, L) N(error) S(detail) S(output)

#define MESSAGES(M) \
    M(START, start) \
    M(SIGNIN, signin) \
    M(ANSWER, answer) \
    M(TOKEN, token) \
    M(SEND, send) \
    M(VERIFY, verify) \
    M(RESULT, result) \
    M(RUN, run) \
    M(OUTPUT, output) \
    M(LOOKUP, lookup) \
    M(REPORT, report) \
    M(WARM, warm)

/* clang-format on */

enum message_type {
    MSG_NONE = 0,
#define M(id, name) MSG_##id,
    MESSAGES(M)
#undef M
        MSG_COUNT
};

#define S(field) const char *field;
#define N(field) uint32_t field;
#define L(field) struct list field;
struct start_message {
    START_FIELDS(S, N, L)
};
struct signin_message {
    SIGNIN_FIELDS(S, N, L)
};
struct answer_message {
    ANSWER_FIELDS(S, N, L)
};
struct token_message {
    TOKEN_FIELDS(S, N, L)
};
struct lookup_message {
    LOOKUP_FIELDS(S, N, L)
};
struct send_message {
    SEND_FIELDS(S, N, L)
};
struct verify_message {
    VERIFY_FIELDS(S, N, L)
};
struct result_message {
    RESULT_FIELDS(S, N, L)
};
struct report_message {
    REPORT_FIELDS(S, N, L)
};
struct warm_message {
    WARM_FIELDS(S, N, L)
};
struct run_message {
    RUN_FIELDS(S, N, L)
};
struct output_message {
    OUTPUT_FIELDS(S, N, L)
};
#undef S
#undef N
#undef L

/* Writes `message`, the struct of `type`, into `frame`. False when it does not fit. */
bool message_write(struct frame *frame, enum message_type type, const void *message);

/* Reads the frame as a `type` into `message`, that type's struct. Strings point into the frame and are valid until it
 * is used again. False when the frame is of another type, cut short, or has bytes left over. */
bool message_read(struct frame *frame, enum message_type type, void *message);

#endif
