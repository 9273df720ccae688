/*
 * Leaving no secrets behind in memory that is not in use any more. Freed memory is erased without being asked, see
 * erase.c.
 */
#ifndef PAM_COGNITO_HELPER_ERASE_H
#define PAM_COGNITO_HELPER_ERASE_H

/* Erases the stack below the caller, where functions that have returned left their variables, and saved registers:
 * pieces of what was encrypted, for example. */
void erase_stack(void);

#endif
