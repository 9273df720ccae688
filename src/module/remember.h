/*
 * remember: after a confirmed code none is asked again for the same user, service and remote host (or terminal), and
 * the same caller where there is one.
 */
#ifndef PAM_COGNITO_REMEMBER_H
#define PAM_COGNITO_REMEMBER_H

#include "module/login.h"

/* True when a code was confirmed less than options.remember seconds ago for the login's user, service and PAM_RHOST
 * (PAM_TTY where that is empty), pool, Cognito user `username` and attribute (any of options.attribute while none is
 * chosen); and for the same PAM_RUSER, if any: the caller of su or sudo. A record that is not exactly as
 * remember_keep() leaves it counts as none. */
bool remember_has(const struct login *login, const char *username);

/* Keeps that a code was confirmed just now. Does nothing where options.remember is 0, where the host is not root, and
 * where there is neither PAM_RHOST nor PAM_TTY. What fails is logged. */
void remember_keep(struct login *login, const char *username);

#endif
