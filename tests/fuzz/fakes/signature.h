/*
 * A pool whose private key everybody has: a signature is right when it is all zero bytes, so that a target can go where
 * only what the pool has signed gets to. The key set is a real one.
 */
#ifndef PAM_COGNITO_FUZZ_SIGNATURE_H
#define PAM_COGNITO_FUZZ_SIGNATURE_H

#include "common/secret.h"
#include "helper/jwks.h"

#include <stdbool.h>
#include <stddef.h>

#define FAKE_NOW    1700000000 /* what time(2) says */
#define FAKE_ISSUER "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Fuzz"
#define FAKE_CLIENT "fuzzclient"
#define FAKE_KID    "k1"

/* The pool's key set as it publishes it; to be freed. */
char *fake_key_set(void);

/* The same, read; once for all. */
const struct jwks *fake_keys(void);

/* Base64url of `text`, without padding; free with secret_free(). */
void fake_base64url(const char *text, size_t length, struct secret *out);

/* A token of that header and those claims, signed by the pool; to be freed. */
char *fake_token(const char *header, const char *claims);

/* A token of that user that is right in everything; to be freed. */
char *fake_good_token(const char *username);

#endif
