#include "common/text.h"

#include <stdio.h>
#include <string.h>

static bool is_printable(char c)
{
    return c >= 0x20 && c <= 0x7e;
}

char *text_printable(char *out, size_t size, const char *text)
{
    size_t at = 0;

    for (; text != NULL && *text != '\0' && at + 1 < size; text++)
        out[at++] = is_printable(*text) ? *text : '?';
    out[at] = '\0';
    return out;
}

char *text_log_value(char *out, size_t size, const char *text)
{
    static const char digits[] = "0123456789abcdef";
    size_t at = 0;

    if (text == NULL || *text == '\0')
        text = "-";
    for (; *text != '\0'; text++) {
        bool plain = is_printable(*text) && strchr(" \"'=\\", *text) == NULL;

        if (at + (plain ? 1 : 4) >= size)
            break;
        if (plain) {
            out[at++] = *text;
        } else {
            out[at++] = '\\';
            out[at++] = 'x';
            out[at++] = digits[(unsigned char)*text >> 4];
            out[at++] = digits[(unsigned char)*text & 15];
        }
    }
    out[at] = '\0';
    return out;
}

char *text_fill(char *out, size_t size, const char *text, const char *value)
{
    const char *place = strstr(text, "%s");
    size_t before = place == NULL ? strlen(text) : (size_t)(place - text);

    snprintf(out, size, "%.*s%s%s", (int)before, text, place == NULL ? "" : value, place == NULL ? "" : place + 2);
    return out;
}

bool text_has_no_blank(const char *text)
{
    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++)
        if ((unsigned char)*text <= ' ' || *text == 0x7f)
            return false;
    return true;
}

bool text_is_word(const char *text)
{
    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++)
        if (!is_printable(*text) || *text == ' ')
            return false;
    return true;
}
