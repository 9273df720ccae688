/*
 * The answer to one request while it is being made: what MSG_RESULT will say, in storage of its own.
 */
#ifndef PAM_COGNITO_HELPER_RESULT_H
#define PAM_COGNITO_HELPER_RESULT_H

#include "common/errors.h"
#include "common/message.h"

#include <stdbool.h>

/* The longest message of Cognito that goes to the log, in bytes. */
#define RESULT_SERVER_TEXT_MAX 200

#define RESULT_CHOICES_MAX LIST_MAX

/* A result owns its strings, so a copy needs nothing else and nothing has to be freed. All are
 * printable ASCII, but `keys`, which is borrowed from the session. */
struct result {
    enum error error;
    bool signin; /* the last operation was one of sign-in */
    char detail[512];
    char wire_name[65];
    char request_id[65];
    char attribute[65];
    char medium[17];
    char destination[257];
    char challenge[65];
    const char *keys; /* or NULL */
    size_t choice_count;
    char choices[RESULT_CHOICES_MAX][129];
};

/* Empties it and makes it a failure: nothing is a success until result_succeed() says so. */
void result_begin(struct result *result);

/* Sets the error and its line for the log, cut to fit. Always false, so that a caller may return it. */
__attribute__((format(printf, 3, 4))) bool result_fail(struct result *result, enum error error, const char *format,
                                                       ...);

/* Makes it a success and drops the detail. The other fields stay. */
void result_succeed(struct result *result);

/* Adds one to the choices, made printable. More than RESULT_CHOICES_MAX are dropped. */
void result_add_choice(struct result *result, const char *choice);

/* Fills `message` with pointers into `result`: valid as long as that is. */
void result_message(const struct result *result, struct result_message *message);

#endif
