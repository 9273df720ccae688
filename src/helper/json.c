#include "helper/json.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a pass over the text saw, beside the tree that json-c makes of it. */
struct scan {
    size_t members;
    bool refused;
};

/* Reads past the string whose opening quote is at `text`; *end is where it stops. True if a NUL is written in it. */
static bool scan_string(const char *text, const char **end, struct scan *scan)
{
    bool has_nul = false;

    for (text++; *text != '"' && *text != '\0'; text++) {
        /* json-c before 0.17 takes raw control characters even when strict. */
        if ((unsigned char)*text < 0x20)
            scan->refused = true;
        if (*text != '\\')
            continue;
        text++;
        has_nul |= strncmp(text, "u0000", 5) == 0;
        if (*text == '\0')
            break;
    }
    *end = text;
    return has_nul;
}

/* Counts the members that the text writes, and refuses what json-c takes though it is no JSON: 'a' for a name, NaN,
 * Infinity. Of other text that is not JSON it may say anything: json-c refuses that. */
static struct scan scan_text(const char *text)
{
    /* All that stands outside of strings. */
    static const char structure[] = "{}[]:, \t\r\n0123456789+-.eEtrufalsn";
    struct scan scan = {0, false};
    bool name_has_nul = false;

    for (; *text != '\0'; text++) {
        if (*text == '"') {
            name_has_nul = scan_string(text, &text, &scan);
            if (*text == '\0')
                break;
        } else if (*text == ':') {
            scan.members++;
            /* json-c ends such a name at the NUL: it would pass for another one. */
            scan.refused |= name_has_nul;
        } else if (strchr(structure, *text) == NULL) {
            scan.refused = true;
        }
    }
    return scan;
}

/* The members of the tree, at all depths. As deep as the parser let it be. */
static size_t count_members(struct json_object *value)
{
    size_t count = 0;

    if (json_object_is_type(value, json_type_object)) {
        json_object_object_foreach(value, name, member)
        {
            (void)name;
            count += 1 + count_members(member);
        }
    } else if (json_object_is_type(value, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(value); i++)
            count += count_members(json_object_array_get_idx(value, i));
    }
    return count;
}

/* How many bytes follow the first one of a character, and what the one after it may be: RFC 3629, section 4. 0 bytes
 * and no range for a byte that begins none. */
static size_t followers(unsigned char first, unsigned char *low, unsigned char *high)
{
    *low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    *high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (first >= 0xc2 && first <= 0xdf)
        return 1;
    if (first >= 0xe0 && first <= 0xef)
        return 2;
    return first >= 0xf0 && first <= 0xf4 ? 3 : 0;
}

/* json-c's own check takes overlong forms, surrogates and what lies beyond Unicode. */
static bool is_utf_8(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;

    while (*at != '\0') {
        unsigned char low, high;
        size_t left = followers(*at, &low, &high);

        if (*at++ < 0x80)
            continue;
        if (left == 0)
            return false;
        for (; left > 0; left--, at++) {
            if (*at < low || *at > high)
                return false;
            low = 0x80;
            high = 0xbf;
        }
    }
    return true;
}

/* The code point of the character at `*text`, which is UTF-8 by is_utf_8(); *text is moved behind it. */
static uint32_t next_character(const char **text)
{
    const unsigned char *at = (const unsigned char *)*text;
    unsigned char low, high;
    size_t left = *at < 0x80 ? 0 : followers(*at, &low, &high);
    uint32_t character = left == 0 ? *at : *at & (0x3fU >> left);

    *text += left + 1;
    while (left-- > 0)
        character = character << 6 | (*++at & 0x3f);
    return character;
}

/* The same JSON in ASCII alone: json-c 0.18, when strict, refuses all else in strings (its issue 892). Two escapes, a
 * surrogate pair, for what lies beyond 16 bits: RFC 8259, section 7. */
static bool to_ascii(const char *text, struct secret *ascii)
{
    /* At most 6 letters for a character of 2 bytes, the worst case. */
    size_t size = 3 * strlen(text) + 1;
    char *out = malloc(size);
    size_t at = 0;
    bool made;

    if (out == NULL)
        return false;
    while (*text != '\0') {
        uint32_t character = next_character(&text);

        if (character < 0x80)
            out[at++] = (char)character;
        else if (character < 0x10000)
            at += (size_t)snprintf(out + at, size - at, "\\u%04x", character);
        else
            at += (size_t)snprintf(out + at, size - at, "\\u%04x\\u%04x", 0xd7c0 + (character >> 10),
                                   0xdc00 + (character & 0x3ff));
    }
    made = secret_set(ascii, out, at);
    explicit_bzero(out, at);
    free(out);
    return made;
}

static struct json_object *parse_strictly(const char *text)
{
    struct json_tokener *tokener = json_tokener_new_ex(JSON_DEPTH_MAX);
    struct json_object *object = NULL;
    struct secret ascii = {NULL, 0};

    if (tokener == NULL || !to_ascii(text, &ascii) || ascii.length >= INT_MAX)
        goto out;
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
    object = json_tokener_parse_ex(tokener, ascii.bytes, (int)ascii.length);
    if (json_tokener_get_error(tokener) != json_tokener_success ||
        json_tokener_get_parse_end(tokener) != ascii.length) {
        json_object_put(object);
        object = NULL;
    }
out:
    secret_free(&ascii);
    if (tokener != NULL)
        json_tokener_free(tokener);
    return object;
}

struct json_object *json_parse(const char *text, size_t length)
{
    struct json_object *object;
    struct scan scan;

    if (strlen(text) != length || !is_utf_8(text))
        return NULL;
    object = parse_strictly(text);
    scan = scan_text(text);
    /* Of a name that stands twice in one object json-c keeps the last value only: then the tree has fewer members than
     * the text. It compares names as they read, not as they are written, so that escapes hide nothing. */
    if (json_object_is_type(object, json_type_object) && !scan.refused && scan.members == count_members(object))
        return object;
    json_object_put(object);
    return NULL;
}

bool json_has(struct json_object *object, const char *name)
{
    return json_object_object_get_ex(object, name, NULL);
}

const char *json_string(struct json_object *object, const char *name)
{
    struct json_object *value;

    if (!json_object_object_get_ex(object, name, &value) || !json_object_is_type(value, json_type_string))
        return NULL;
    if (strlen(json_object_get_string(value)) != (size_t)json_object_get_string_len(value))
        return NULL;
    return json_object_get_string(value);
}

bool json_integer(struct json_object *object, const char *name, int64_t *number)
{
    struct json_object *value;

    if (!json_object_object_get_ex(object, name, &value) || !json_object_is_type(value, json_type_int))
        return false;
    *number = json_object_get_int64(value);
    return true;
}

bool json_optional_string(struct json_object *object, const char *name, const char **value)
{
    struct json_object *member = NULL;

    *value = NULL;
    json_object_object_get_ex(object, name, &member);
    if (member == NULL)
        return true;
    *value = json_string(object, name);
    return *value != NULL;
}

bool json_optional_object(struct json_object *object, const char *name, struct json_object **value)
{
    json_object_object_get_ex(object, name, value);
    if (*value == NULL || json_object_is_type(*value, json_type_object))
        return true;
    *value = NULL;
    return false;
}

bool json_put_string(struct json_object *object, const char *name, const char *value)
{
    return json_put_object(object, name, json_object_new_string(value));
}

bool json_put_object(struct json_object *object, const char *name, struct json_object *child)
{
    if (object != NULL && child != NULL && json_object_object_add(object, name, child) == 0)
        return true;
    json_object_put(child);
    return false;
}

bool json_text(struct json_object *object, struct secret *text)
{
    struct json_object *read_back = NULL;
    size_t length = 0;
    const char *line =
        json_object_to_json_string_length(object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &length);

    if (line == NULL || !secret_set(text, line, length))
        return false;
    /* json-c writes strings as they are. Whether the text is JSON shows when it is read again. */
    read_back = json_parse(text->bytes, text->length);
    if (read_back == NULL)
        secret_free(text);
    json_object_put(read_back);
    return text->bytes != NULL;
}
