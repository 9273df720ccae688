#include "common/template.h"

#include <string.h>

/* The value that `letter` stands for, "%" for itself; NULL when it stands for nothing. */
static const char *value_of(char letter, const struct template_values *values)
{
    const char *value = NULL;

    switch (letter) {
    case 'u':
        value = values->user;
        break;
    case 'h':
        value = values->host;
        break;
    case 's':
        value = values->service;
        break;
    case 'r':
        value = values->rhost;
        break;
    case 't':
        value = values->tty;
        break;
    case '%':
        return "%";
    default:
        return NULL;
    }
    return value == NULL ? "" : value;
}

bool template_is_valid(const char *template)
{
    const struct template_values nothing = {0};

    for (const char *at = template; *at != '\0'; at++)
        if (*at == '%' && value_of(*++at, &nothing) == NULL)
            return false;
    return true;
}

static bool is_safe_in_path(const char *value)
{
    return *value != '\0' && *value != '.' && strchr(value, '/') == NULL;
}

static bool expand(const char *template, const struct template_values *values, bool path, char *out, size_t size)
{
    size_t at = 0;

    for (; *template != '\0'; template ++) {
        char self[2] = {*template, '\0'};
        const char *piece = self;
        size_t length;

        if (*template == '%') {
            piece = value_of(*++template, values);
            if (piece == NULL || (path && !is_safe_in_path(piece)))
                return false;
        }
        length = strlen(piece);
        if (length >= size - at)
            return false;
        memcpy(out + at, piece, length);
        at += length;
    }
    out[at] = '\0';
    return true;
}

bool template_expand(const char *template, const struct template_values *values, char *out, size_t size)
{
    return expand(template, values, false, out, size);
}

bool template_expand_path(const char *template, const struct template_values *values, char *out, size_t size)
{
    return expand(template, values, true, out, size);
}
