/*
 * The pool's public keys: a JSON Web Key Set (RFC 7517) of RSA keys (RFC 7518, section 6.3.1).
 *
 * Source: Amazon Cognito developer guide, "Verifying JSON web tokens".
 */
#ifndef PAM_COGNITO_HELPER_JWKS_H
#define PAM_COGNITO_HELPER_JWKS_H

#include "helper/result.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>

/* A pool has two keys. */
#define JWKS_MAX 16

/* A set owns its keys and their ids. */
struct jwks {
    size_t count;
    struct {
        char *kid;
        EVP_PKEY *key;
    } keys[JWKS_MAX];
};

/* Reads the set out of `length` bytes of `text`, which a NUL must follow, into `set`, an empty one. Keys that cannot
 * check an RS256 signature are passed over, as RFC 7517, section 5, wants it: only kty RSA, use sig or absent, alg
 * RS256 or absent, 2048 to 8192 bits, an odd exponent from 3 up. False with ERR_BAD_KEYS if it is no key set, has more
 * than JWKS_MAX keys, or none of use; `set` is empty then. Free with jwks_free(). */
bool jwks_parse(struct jwks *set, const char *text, size_t length, struct result *result);

/* The key with that id, which stays the set's; NULL if there is none. */
EVP_PKEY *jwks_find(const struct jwks *set, const char *kid);

/* Frees the keys; `set` is empty afterwards. */
void jwks_free(struct jwks *set);

#endif
