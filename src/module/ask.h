/*
 * The conversation: every word between this host and the person who logs in.
 */
#ifndef PAM_COGNITO_ASK_H
#define PAM_COGNITO_ASK_H

#include "module/login.h"

/* Asks for a password without echo. ERR_CONVERSATION, ERR_LOGIN_TIMEOUT, ERR_NO_PASSWORD for an empty or absent one, or
 * ERR_FIRST_FACTOR for one that sshd put in the place of what was typed. `password` is the caller's to free. */
enum error ask_password(struct login *login, const char *prompt, struct secret *password);

/* Asks for one word: a code, a number. The text is `lead`, a newline and `prompt`, cut to what one PAM message holds;
 * white space around the answer is dropped. On ERR_NONE `answer` is the caller's to free. ERR_EMPTY_ANSWER;
 * ERR_NO_ANSWER where the application gave none; ERR_UNUSABLE_ANSWER for one that must not be sent anywhere: too long,
 * with a blank or control character inside, or equal to the password. ERR_CONVERSATION, ERR_LOGIN_TIMEOUT. */
enum error ask_word(struct login *login, const char *lead, const char *prompt, bool echo, struct secret *answer);

/* Asks for a number from 1 to `most`, at most 9, up to max_tries times. The errors of ask_word(). */
enum error ask_number(struct login *login, const char *lead, size_t most, size_t *number);

/* Tells the user why the login fails, unless there is nothing to say or the application wants silence. */
void tell_error(const struct login *login, enum error error);

#endif
