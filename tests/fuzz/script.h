/*
 * Inputs that are read as lines: the first byte of each says what it is for, the rest is its text. Whoever needs a line
 * of some kind takes the next one of it, so that a line is of use wherever it stands.
 */
#ifndef PAM_COGNITO_FUZZ_SCRIPT_H
#define PAM_COGNITO_FUZZ_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCRIPT_LINES 200

struct script {
    char *text; /* owned; the lines lie in it */
    size_t count;
    struct {
        char kind; /* 0 once it was taken */
        char *rest;
    } lines[SCRIPT_LINES];
};

/* False for what is no text of at most SCRIPT_LINES lines. Free with script_free() in any case. */
bool script_read(struct script *script, const uint8_t *data, size_t size);
void script_free(struct script *script);

/* The next line whose kind is among `kinds`, which is taken then; NULL when there is none. `*kind`, unless NULL, is its
 * kind. */
char *script_next(struct script *script, const char *kinds, char *kind);

/* Turns \n, \0, \\ in `text` into what they stand for. Returns the length. */
size_t script_unescape(char *text);

#endif
