#include "common/strings.h"

#include <stdlib.h>
#include <string.h>

bool strings_add(struct strings *list, const char *text, size_t length)
{
    char **items;
    char *copy;

    if (list->count == STRINGS_MOST)
        return false;
    items = realloc(list->items, (list->count + 1) * sizeof *items);
    if (items == NULL)
        return false;
    list->items = items;
    copy = strndup(text, length);
    if (copy == NULL)
        return false;
    items[list->count++] = copy;
    return true;
}

bool strings_have(const struct strings *list, const char *text, size_t length)
{
    for (size_t i = 0; i < list->count; i++)
        if (strlen(list->items[i]) == length && memcmp(list->items[i], text, length) == 0)
            return true;
    return false;
}

void strings_free(struct strings *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct strings){0, NULL};
}
