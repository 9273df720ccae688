/*
 * The conversation: every word between this host and the person who logs in.
 */
#ifndef PAM_COGNITO_ASK_H
#define PAM_COGNITO_ASK_H

#include "module/login.h"

/* Asks for a password without echo. ERR_CONVERSATION, ERR_LOGIN_TIMEOUT, ERR_NO_PASSWORD for an empty or absent one, or
 * ERR_FIRST_FACTOR for one that sshd put in the place of what was typed. `password` is the caller's to free. */
enum error ask_password(struct login *login, const char *prompt, struct secret *password);

/* Asks for a line with echo as the administrator set it. `text` is cut to what one PAM message holds. *answer is NULL
 * when the application gave none, else the caller's, to be freed with secret_free_string(). ERR_CONVERSATION,
 * ERR_LOGIN_TIMEOUT. */
enum error ask_line(struct login *login, const char *text, char **answer);

/* Tells the user why the login fails, unless there is nothing to say or the application wants silence. */
void tell_error(const struct login *login, enum error error);

#endif
