/*
 * What a login begins with, each from the one before: its options, its user, its helper.
 */
#ifndef PAM_COGNITO_SETUP_H
#define PAM_COGNITO_SETUP_H

#include "module/login.h"

/* Reads the configuration file and the arguments, and starts the login's clock. ERR_CONFIG. */
enum error setup_options(struct login *login, int argc, const char *const argv[]);

/* Who logs in: as PAM knows him, and as Cognito does. ERR_CONVERSATION, ERR_NO_MEMORY, ERR_BAD_USER_NAME,
 * ERR_FIRST_FACTOR. */
enum error setup_user(struct login *login);

/* Starts the helper, which connects from then on. ERR_CONFIG where the client's secret cannot be read, or the errors of
 * helper_start(). */
enum error setup_helper(struct login *login);

/* What the helper is told first. `client_secret` may be NULL. Borrowed from both. */
struct start_message setup_start(const struct options *options, const char *client_secret);

/* Reads the app client's secret out of a file of root's alone. False, with `why` for the log, if it cannot be used.
 * Free with secret_free(), also after a failure. */
bool setup_client_secret(const char *path, struct secret *secret, char *why, size_t size);

#endif
