/*
 * Cognito behind the network, by a script: '<' and a status, then the body of the next reply; 'h' is the
 * x-amzn-errortype of the next one that is no success; '~' is a transfer that fails. In a body $K is the key set, $T
 * a good token of alice, and $P, $C and $A are a password, code and token that the request itself brought.
 */
#ifndef PAM_COGNITO_FUZZ_POOL_H
#define PAM_COGNITO_FUZZ_POOL_H

#include "fuzz.h"
#include "script.h"

#include "fakes/http.h"

#define FAKE_ENDPOINT "https://cognito.test"
#define FAKE_JWKS     "https://cognito.test/jwks.json"
#define FAKE_PASSWORD "Canary-passw0rd"

/* What a script's code has at its end, so that it can be told wherever it stands. */
#define FAKE_CODE_END "Canary-c0de"

/* What the requests were, since pool_open(). */
struct pool_seen {
    size_t requests;
    size_t throttled; /* replies by which the same may be asked again */
    char target[128]; /* of the last request; "" for the keys */
    char *body;       /* of the last request */
    bool success;     /* it was answered with 200 and an object */
};

/* All requests are answered by the script from now on. `seen` is filled. Close with pool_close(). */
void pool_open(struct script *script, struct pool_seen *seen);
void pool_close(struct pool_seen *seen);

#endif
