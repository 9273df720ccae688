/*
 * A PAM handle where there is no login. libpam lets nobody but a module that it runs read the password, set the token
 * or keep a record, so handle.c has those functions of libpam that the module's code needs, with the same contracts,
 * and this program does not link libpam. What is asked of the user is asked at the terminal.
 */
#ifndef PAM_COGNITO_CHECK_HANDLE_H
#define PAM_COGNITO_CHECK_HANDLE_H

#include <security/pam_modules.h>
#include <stdbool.h>

/* A handle as at the beginning of a login of `user` to `service`, without a terminal or remote host. `introduction` is
 * said before the first question. All three must outlive it. NULL when memory is short. Free with handle_free(). */
pam_handle_t *handle_new(const char *service, const char *user, const char *introduction);

/* Cleans up the record, as pam_end(3) does, erases and frees; *handle is NULL afterwards. NULL may be passed. */
void handle_free(pam_handle_t **handle);

/* True when something had to be asked, and there was no terminal to ask at. */
bool handle_lacks_terminal(const pam_handle_t *handle);

#endif
