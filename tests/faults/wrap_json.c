/*
 * Wrappers for json-c, by the section JSON of calls.def.
 */
#include "inject.h"

#include <errno.h>
#include <json-c/json.h>

#define LIBC(name, value, failures)
#define PAM(name, value, failures)
#define CURL(name, value, failures)
#define JSON(name, value, failures) ROW(name, value, failures)
#define CRYPTO(name, value, failures)
#define SECCOMP(name, value, failures)
#define FREES(name)
#define ALSO(name)
#include "calls.def"

WRAP_TAKEN(struct json_object, json_object_new_object, (void), (), "json_object")
WRAP_TAKEN(struct json_object, json_object_new_string, (const char *text), (text), "json_object")
WRAP(const char *, json_object_to_json_string_length, (struct json_object * object, int flags, size_t *length),
     (object, flags, length))
WRAP_TAKEN(struct json_tokener, json_tokener_new_ex, (int depth), (depth), "json_tokener")
WRAP_TAKEN(struct json_object, json_tokener_parse_ex, (struct json_tokener * tokener, const char *text, int length),
           (tokener, text, length), "json_object")
WRAP_GIVEN(json_tokener_free, struct json_tokener)

/* The member belongs to the object from then on. */
int __real_json_object_object_add(struct json_object *object, const char *name, struct json_object *member);
int __wrap_json_object_object_add(struct json_object *object, const char *name, struct json_object *member);
int __wrap_json_object_object_add(struct json_object *object, const char *name, struct json_object *member)
{
    const struct failure *failure = NEXT(json_object_object_add);
    int result;

    if (failure != NULL)
        return failure->number;
    result = __real_json_object_object_add(object, name, member);
    if (result == 0)
        inject_given(member);
    return result;
}

int __real_json_object_put(struct json_object *object);
int __wrap_json_object_put(struct json_object *object);
int __wrap_json_object_put(struct json_object *object)
{
    inject_given(object);
    return __real_json_object_put(object);
}
