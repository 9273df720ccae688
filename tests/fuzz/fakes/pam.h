/* libpam's handle, without libpam: the target is the person, the log, and what goes wrong. */
#ifndef PAM_COGNITO_FUZZ_PAM_H
#define PAM_COGNITO_FUZZ_PAM_H

#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <stdbool.h>

/* Owns its strings; NULL is an item that is not set. */
struct pam_handle {
    char *user, *service, *ruser, *rhost, *tty, *authtok;
    char *environment; /* one variable, as NAME=value */
    void *data;
    void (*cleanup)(pam_handle_t *pamh, void *data, int status);
};

void fake_pam_end(struct pam_handle *pamh);

/* Sets an item to a copy. */
void fake_pam_set(char **item, const char *value);

/* Asked before each call of libpam; true: it fails, as if memory were short. */
extern bool (*fake_pam_fails)(void);

/* The conversation: a PAM code, and the answer if there is one. */
extern int (*fake_pam_converse)(int style, const char *text, char **answer);

extern void (*fake_pam_log)(const char *line);

#endif
