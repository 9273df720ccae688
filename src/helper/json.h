/*
 * JSON (RFC 8259), stricter than json-c: what two readers could take for two different things is refused.
 *
 * Trees are json-c's own; whoever gets one releases it with json_object_put(), which takes NULL too. Strings that a
 * getter returns belong to the tree.
 */
#ifndef PAM_COGNITO_HELPER_JSON_H
#define PAM_COGNITO_HELPER_JSON_H

#include "common/secret.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_DEPTH_MAX 16

/* Reads one object and nothing beside it from the `length` bytes of `text`, which a NUL must follow. NULL for anything
 * else, for text that is not UTF-8, for a NUL anywhere or a NUL escape in a name, for a name twice in one object (also
 * where escapes hide it), for more than JSON_DEPTH_MAX levels, or when memory is short. */
struct json_object *json_parse(const char *text, size_t length);

/* True when the object has such a member, even null. */
bool json_has(struct json_object *object, const char *name);

/* The member's string; NULL if it is absent, not a string, or has a NUL inside. */
const char *json_string(struct json_object *object, const char *name);

/* The member's whole number in *number; false if it is absent or not one (1e3 and 1.0 are none). */
bool json_integer(struct json_object *object, const char *name, int64_t *number);

/* For members that may be absent, where null counts as absent, as in every AWS reply. False if there is one of another
 * type; else true, with *value NULL if there is none. */
bool json_optional_string(struct json_object *object, const char *name, const char **value);
bool json_optional_object(struct json_object *object, const char *name, struct json_object **value);

/* Adds a member. False if `object` is NULL or memory is short. */
bool json_put_string(struct json_object *object, const char *name, const char *value);

/* Adds `child`, which belongs to `object` from then on; on failure it is released. False if either is NULL or memory is
 * short. */
bool json_put_object(struct json_object *object, const char *name, struct json_object *child);

/* Replaces `text` by the object as one line of text. False if a string in it is not UTF-8, or memory is short. Free
 * with secret_free(). */
bool json_text(struct json_object *object, struct secret *text);

#endif
