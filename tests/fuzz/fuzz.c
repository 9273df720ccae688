#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fuzz_broken(const char *condition, const char *file, int line)
{
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
    abort();
}

char *fuzz_string(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    if (text == NULL)
        abort();
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    return text;
}

bool fuzz_is_printable(const char *text)
{
    for (; *text != '\0'; text++)
        if (*text < ' ' || *text > '~')
            return false;
    return true;
}

bool fuzz_quotes(const char *text, const char *secret, size_t part)
{
    size_t length = strlen(secret);

    if (length < part)
        part = length;
    for (size_t i = 0; length > 0 && i + part <= length; i++)
        if (memmem(text, strlen(text), secret + i, part) != NULL)
            return true;
    return false;
}
