#include "helper/redact.h"

#include <string.h>

/* So many letters in a row are no chance: a token, a password or a code was quoted, whole or cut. */
#define TELLING 8

/* What is said in the clear elsewhere in the log, or in every request alike. */
static const char *const public_members[] = {
    "AttributeName", "AuthFlow", "ClientId", "ChallengeName", "USERNAME", "ClientMetadata", "SRP_A", "TIMESTAMP",
};

static bool is_public(const char *name)
{
    for (size_t i = 0; i < sizeof public_members / sizeof *public_members; i++)
        if (strcmp(name, public_members[i]) == 0)
            return true;
    return false;
}

/* True when a run of TELLING bytes of `secret` stands in `text`; a shorter secret counts as a whole. */
static bool repeats(const char *text, const char *secret)
{
    size_t length = strlen(secret);
    size_t part = length < TELLING ? length : TELLING;

    for (size_t i = 0; length > 0 && i + part <= length; i++)
        if (memmem(text, strlen(text), secret + i, part) != NULL)
            return true;
    return false;
}

bool redact_repeats(struct json_object *input, const char *text)
{
    json_object_object_foreach(input, name, value)
    {
        if (is_public(name))
            continue;
        if (json_object_is_type(value, json_type_object) && redact_repeats(value, text))
            return true;
        if (json_object_is_type(value, json_type_string) && repeats(text, json_object_get_string(value)))
            return true;
    }
    return false;
}
