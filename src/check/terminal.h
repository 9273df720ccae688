/*
 * The person at the terminal, wherever standard input and output go.
 */
#ifndef PAM_COGNITO_CHECK_TERMINAL_H
#define PAM_COGNITO_CHECK_TERMINAL_H

#include <stdbool.h>

/* Writes a line of our own words. False where there is no terminal. */
bool terminal_say(const char *text);

/* Asks, likewise, and returns the line that was typed, without its end; to be freed with secret_free_string(). Without
 * `echo` it is not shown, and a signal that ends or stops this process finds the terminal as it was. NULL where there
 * is no terminal, at the end of input, or when memory is short. */
char *terminal_ask(const char *text, bool echo);

#endif
