/*
 * What a reply that is no success says, in the terms of the one error table.
 *
 * Sources: Amazon Cognito user pools API reference, "Common Error Types" and each operation's "Errors"; Smithy, "AWS
 * JSON 1.1 protocol", "Operation error serialization".
 */
#ifndef PAM_COGNITO_HELPER_WIRE_ERROR_H
#define PAM_COGNITO_HELPER_WIRE_ERROR_H

#include "helper/result.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

/* The error's name in a `__type` member or an x-amzn-errortype header: what stands before the first ':' or ',', and of
 * that what follows '#'. Made printable, cut to fit `out` of `size` bytes. Returns `out`, "" if there is none. */
char *wire_error_name(const char *type, char *out, size_t size);

/* Turns a reply into a failure: `status` is its HTTP status, `header` the value of x-amzn-errortype or "", `body` its
 * JSON or NULL. The name comes from the body's `__type`, else from the header; without one the status decides.
 * Cognito's message becomes the detail. Always false. */
bool wire_error_read(long status, const char *header, struct json_object *body, struct result *result);

#endif
