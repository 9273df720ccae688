/*
 * Lists of owned strings.
 */
#ifndef PAM_COGNITO_STRINGS_H
#define PAM_COGNITO_STRINGS_H

#include <stdbool.h>
#include <stddef.h>

/* More than anybody needs, and few enough for a message: see LIST_MAX in message.h. */
#define STRINGS_MOST 64

/* Owns the array and the strings; {0, NULL} is an empty list. */
struct strings {
    size_t count;
    char **items;
};

/* Appends a copy of `length` bytes of `text`. False when the list is full or memory is short. */
bool strings_add(struct strings *list, const char *text, size_t length);

/* True when one of the strings is these `length` bytes. */
bool strings_have(const struct strings *list, const char *text, size_t length);

/* Frees all; the list is empty afterwards. */
void strings_free(struct strings *list);

#endif
