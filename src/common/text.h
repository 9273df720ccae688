/*
 * Making strings from strangers safe to show and to log.
 */
#ifndef PAM_COGNITO_TEXT_H
#define PAM_COGNITO_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Copies `text` into `out` of `size` bytes with everything but printable ASCII replaced by '?', cut to fit. Returns
 * `out`. */
char *text_printable(char *out, size_t size, const char *text);

/* Like text_printable() for a value of a log line: one word, with every byte that is not printable ASCII, and every
 * blank, quote, equals sign and backslash, as \xNN; "-" for an empty or absent one. Cut to fit. Returns `out`. */
char *text_log_value(char *out, size_t size, const char *text);

/* Copies `text` with `value` in the place of its first "%s", cut to fit. Not printf(3): a translation is no format.
 * Returns `out`. */
char *text_fill(char *out, size_t size, const char *text, const char *value);

/* True when every byte is printable ASCII and none is a blank. False for "". */
bool text_is_word(const char *text);

/* True when no byte is a blank or control character of ASCII. False for "". */
bool text_has_no_blank(const char *text);

#endif
