/*
 * Strings that must not outlive their use: erased when freed, and of a type that no format prints.
 */
#ifndef PAM_COGNITO_SECRET_H
#define PAM_COGNITO_SECRET_H

#include <stdbool.h>
#include <stddef.h>

/* A secret owns its bytes; {NULL, 0} is the absent one. `bytes` is NUL-terminated beyond `length`. */
struct secret {
    char *bytes;
    size_t length;
};

/* Replaces what `secret` holds by a copy of `length` bytes. False, and `secret` absent, when memory is short. */
bool secret_set(struct secret *secret, const void *bytes, size_t length);

/* Erases and frees; `secret` is absent afterwards. An absent one may be freed. */
void secret_free(struct secret *secret);

/* Compares a secret with a string in time that depends on their lengths alone. False when either is absent. */
bool secret_equals(const struct secret *secret, const char *string);

/* Erases what calls that have ended left on the stack beneath the caller, 32 KiB of it, and in the vector registers.
 * The C library copies in these, and the dynamic linker lays them all down on the stack each time that it looks a
 * function up: parts of a secret came to lie there, after the login, that no variable ever held. */
void secret_erase_stack(void);

/* Erases and frees a string that somebody else allocated, such as a PAM response; sets it to NULL. NULL may be passed.
 */
void secret_free_string(char **string);

#endif
