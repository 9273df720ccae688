/*
 * The pool's key set, kept from one login on this host to the next, so that a token can be checked without a round trip
 * for the keys.
 */
#ifndef PAM_COGNITO_POOL_KEYS_H
#define PAM_COGNITO_POOL_KEYS_H

#include "module/login.h"

/* Fills `text` with the key set that was kept less than a day ago for exactly this pool, fetched from exactly there; ""
 * where there is none, where it is not as pool_keys_keep() leaves it, and where the host is not root. */
void pool_keys_find(const struct options *options, char (*text)[KEYS_MOST + 1]);

/* Keeps a key set. Does nothing for "", for more than KEYS_MOST bytes, and where the host is not root. What fails is
 * logged. */
void pool_keys_keep(const struct login *login, const char *text);

#endif
