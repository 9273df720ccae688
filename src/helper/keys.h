/*
 * The pool's keys: those that an earlier login fetched, or fetched now from where the pool publishes them. A fetch also
 * brings the connection up, while the user types.
 */
#ifndef PAM_COGNITO_HELPER_KEYS_H
#define PAM_COGNITO_HELPER_KEYS_H

#include "common/deadline.h"
#include "common/secret.h"
#include "helper/http.h"
#include "helper/jwks.h"
#include "helper/result.h"

#include <stdbool.h>

/* {0} is no keys yet. Owns what it holds; free with keys_free(). */
struct keys {
    bool coming;
    bool fetched; /* in this session; else the set, if there is one, was kept from an earlier one */
    struct jwks set;
    bool told;
    struct secret text; /* of the set that was fetched, as it came */
};

/* Takes the text of a set that was kept. One that is none is as good as "". */
void keys_take_kept(struct keys *keys, const char *text);

/* Begins to fetch them from `url`, which must outlive the fetch; does nothing where they were fetched or are on their
 * way. A failure shows in keys_need(). */
void keys_begin(struct keys *keys, struct http *http, const char *url, deadline_t deadline);

/* Lets the fetch go on, as http_step() does, and takes the keys when they are there. */
void keys_step(struct keys *keys, struct http *http);

/* True when there are keys: waits by `deadline` for those that are on their way, and fetches them once more if the
 * connection failed and none were kept. Else false with the reason in `result`. No transfer is under way afterwards. */
bool keys_need(struct keys *keys, struct http *http, const char *url, deadline_t deadline, struct result *result);

/* True when they were fetched in this session; a connection that failed stays failed. For one who wants to hear of it,
 * or whom the kept keys do not help. */
bool keys_fetch(struct keys *keys, struct http *http, const char *url, deadline_t deadline, struct result *result);

/* The text of the set that was fetched, to be kept for later logins; borrowed. NULL when it was told before, when there
 * is none, and when it is too long to be kept. */
const char *keys_tell(struct keys *keys);

/* Frees what it holds; it is {0} then. */
void keys_free(struct keys *keys);

#endif
