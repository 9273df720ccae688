/*
 * The controls of a line of /etc/pam.d: what happens on which result.
 */
#ifndef PAM_COGNITO_CHECK_CONTROL_H
#define PAM_COGNITO_CHECK_CONTROL_H

#include <security/_pam_types.h>

/* What a line does on a result; a positive number jumps over so many lines. */
enum action {
    ACTION_IGNORE = 0,
    ACTION_OK = -1,
    ACTION_DONE = -2,
    ACTION_BAD = -3,
    ACTION_DIE = -4,
    ACTION_RESET = -5,
    ACTION_UNSET = -6
};

/* Reads "required" and the other words, or the pairs "result=action" of a bracket, into an action for each result.
 * NULL, or what is wrong; then, and where `text` is NULL, every result is bad. */
const char *control_parse(int actions[_PAM_RETURN_VALUES], char *text);

/* The name of a result, as it stands in a control: "success", … */
const char *result_name(int result);

#endif
