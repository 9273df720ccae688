/*
 * Base 64 (RFC 4648): as JSON Web Tokens write it, and as AWS does.
 */
#ifndef PAM_COGNITO_HELPER_BASE64_H
#define PAM_COGNITO_HELPER_BASE64_H

#include "common/secret.h"

#include <stdbool.h>
#include <stddef.h>

/* Replaces `out` by the bytes that `text` stands for: the URL alphabet without padding (RFC 7515, section 2), nothing
 * else in between, and canonical, so that no two texts give the same bytes. False, and `out` absent, if it is not that
 * or memory is short. Free with secret_free(). */
bool base64url_decode(const char *text, size_t length, struct secret *out);

/* The same for padded base 64 (RFC 4648, section 4). */
bool base64_decode(const char *text, size_t length, struct secret *out);

/* Replaces `out` by the padded base 64 (RFC 4648, section 4) of `bytes`. False when memory is short. Free with
 * secret_free(). */
bool base64_encode(const unsigned char *bytes, size_t length, struct secret *out);

#endif
