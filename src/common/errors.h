/*
 * The one table of everything that can go wrong: names, PAM codes, texts. Its rows stand in errors.def.
 */
#ifndef PAM_COGNITO_ERRORS_H
#define PAM_COGNITO_ERRORS_H

#include <stdbool.h>
#include <stddef.h>

/* An error's number: ERR_NONE, or a row of errors.def as ERR_<id>. The numbers travel in frames. */
enum error {
    ERR_NONE = 0,
#define OUTCOME(id, pam, user)
#define ERROR(id, name, signin, elsewhere, log) ERR_##id,
#define LOCAL(id, name, outcome, log)           ERR_##id,
#include "common/errors.def"
#undef OUTCOME
#undef ERROR
#undef LOCAL
    ERR_COUNT
};

/* The error that Cognito calls `name` (already cut out of __type, see wire_error_name()); ERR_UNKNOWN_ERROR if none. */
enum error error_by_wire_name(const char *name);

/* The error's own name, for the log's result=: "none" for ERR_NONE. Never NULL, static. */
const char *error_name(enum error error);

/* What PAM is told. `signin`: the error came from InitiateAuth or RespondToAuthChallenge. Never PAM_SUCCESS,
 * PAM_IGNORE or PAM_CRED_INSUFFICIENT; PAM_SYSTEM_ERR for ERR_NONE and for numbers that are no row. */
int error_pam_code(enum error error, bool signin);

/* What the user reads, untranslated; NULL where nothing should be said. Static. */
const char *error_user_text(enum error error, bool signin);

/* What the administrator should know or do; NULL where the name says it all. Static. */
const char *error_log_text(enum error error);

/* True for the throttling errors, after which the same call may be made again: the reply proves that nothing happened.
 */
bool error_is_throttling(enum error error);

#endif
