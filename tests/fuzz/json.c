/* Any text as JSON: what is taken is JSON of one kind alone, and reads the same when it is written and read again. */
#include "fuzz.h"

#include "fakes/memory.h"

#include "helper/json.h"

#include <stdlib.h>
#include <string.h>

/* Levels of objects and arrays outside of strings. */
static size_t depth_of(const char *text)
{
    size_t depth = 0, most = 0;
    bool quoted = false;

    for (; *text != '\0'; text++) {
        if (quoted && *text == '\\' && text[1] != '\0')
            text++;
        else if (*text == '"')
            quoted = !quoted;
        else if (!quoted && strchr("{[", *text) != NULL)
            most = ++depth > most ? depth : most;
        else if (!quoted && strchr("}]", *text) != NULL)
            depth--;
    }
    return most;
}

static void check_text(const char *text)
{
    static const char blank[] = " \t\r\n";
    const char *begin = text + strspn(text, blank);
    const char *end = text + strlen(text);

    while (end > begin && strchr(blank, end[-1]) != NULL)
        end--;
    HOLDS(*begin == '{' && end[-1] == '}');
    HOLDS(depth_of(text) <= JSON_DEPTH_MAX);
    for (; *text != '\0'; text++)
        HOLDS((unsigned char)*text >= ' ' || strchr(blank, *text) != NULL);
}

static void check_members(struct json_object *object)
{
    json_object_object_foreach(object, name, member)
    {
        const char *string = json_string(object, name), *optional;
        struct json_object *child;
        int64_t number;

        HOLDS(json_has(object, name));
        HOLDS((string != NULL) <= json_object_is_type(member, json_type_string));
        HOLDS(json_integer(object, name, &number) == json_object_is_type(member, json_type_int));
        HOLDS(json_optional_string(object, name, &optional) == (member == NULL || string != NULL));
        HOLDS(optional == string);
        HOLDS(json_optional_object(object, name, &child) ==
              (member == NULL || json_object_is_type(member, json_type_object)));
        if (child != NULL)
            check_members(child);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_string(data, size);
    struct json_object *object = json_parse(text, size), *again;
    struct secret written = {NULL, 0};

    if (object != NULL) {
        HOLDS(strlen(text) == size);
        check_text(text);
        check_members(object);
        if (json_text(object, &written)) {
            again = json_parse(written.bytes, written.length);
            HOLDS(json_object_equal(object, again));
            json_object_put(again);
        }
        secret_free(&written);
        json_object_put(object);
    }
    /* And once more, with memory short somewhere. */
    fake_memory(1 + (size > 0 ? data[size / 2] % 8 : 0));
    object = json_parse(text, size);
    fake_memory(0);
    json_object_put(object);
    free(text);
    return 0;
}
