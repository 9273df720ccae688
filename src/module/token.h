/*
 * Where the access token comes from: the sources of the option `token`, in their order.
 */
#ifndef PAM_COGNITO_TOKEN_H
#define PAM_COGNITO_TOKEN_H

#include "module/login.h"

/* Has the helper hold an access token that is this user's, from the first source that has one. Sets login->signed_in
 * when that was `signin`. Only absence falls through to the next source; every other failure ends the login. */
enum error token_obtain(struct login *login);

/* The same from one source, an item of the option. `*absent`: this source has none, and the next one may be tried. */
enum error token_obtain_from(struct login *login, const char *item, bool *absent);

/* What is asked of the file of `file:` and of the program of `command:`, in the terms of safe_file.h. Others may read a
 * program, and a package may give it a second name: who could put another one there is what counts. */
#define TOKEN_FILE_RULES    (SAFE_PRIVATE | SAFE_ONE_LINK | SAFE_PARENTS)
#define TOKEN_COMMAND_RULES (SAFE_PARENTS | SAFE_EXECUTABLE)

#endif
