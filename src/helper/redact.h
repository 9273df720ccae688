/*
 * Keeping what was sent out of what is logged: the messages of Cognito's errors may quote it.
 */
#ifndef PAM_COGNITO_HELPER_REDACT_H
#define PAM_COGNITO_HELPER_REDACT_H

#include <json-c/json.h>
#include <stdbool.h>

/* True when `text` repeats a secret of the request `input`, or a part of one that is long enough to tell it: every
 * string in it counts, but those that may be logged anyhow (see the list in redact.c). */
bool redact_repeats(struct json_object *input, const char *text);

#endif
