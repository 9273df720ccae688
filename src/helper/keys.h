/*
 * The pool's keys, fetched from where it publishes them. The fetch begins with the login, before anything is asked for,
 * so that the connection is up while the user types.
 */
#ifndef PAM_COGNITO_HELPER_KEYS_H
#define PAM_COGNITO_HELPER_KEYS_H

#include "common/deadline.h"
#include "helper/http.h"
#include "helper/jwks.h"
#include "helper/result.h"

#include <stdbool.h>

/* {0} is no keys yet. Owns the set; free with jwks_free(&keys->set). */
struct keys {
    bool coming;
    struct jwks set;
};

/* Begins to fetch them from `url`, which must outlive the fetch. A failure shows in keys_need(). */
void keys_begin(struct keys *keys, struct http *http, const char *url, deadline_t deadline);

/* Lets the fetch go on, as http_step() does, and takes the keys when they are there. */
void keys_step(struct keys *keys, struct http *http);

/* True when the keys are there: waits for them by `deadline`, and fetches them once more if the connection failed. Else
 * false with the reason in `result`. No transfer is under way afterwards. */
bool keys_need(struct keys *keys, struct http *http, const char *url, deadline_t deadline, struct result *result);

/* The same, but a connection that failed stays failed: for one who wants to hear of it. */
bool keys_try(struct keys *keys, struct http *http, const char *url, deadline_t deadline, struct result *result);

#endif
