#include "check/control.h"

#include <ctype.h>
#include <limits.h>
#include <security/_pam_types.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *name;
    int value;
} actions[] = {{"ignore", ACTION_IGNORE}, {"ok", ACTION_OK},   {"done", ACTION_DONE},
               {"bad", ACTION_BAD},       {"die", ACTION_DIE}, {"reset", ACTION_RESET}};

/* In the order of libpam's numbers; "default" follows the last of them. */
static const char *const results[_PAM_RETURN_VALUES + 1] = {"success",
                                                            "open_err",
                                                            "symbol_err",
                                                            "service_err",
                                                            "system_err",
                                                            "buf_err",
                                                            "perm_denied",
                                                            "auth_err",
                                                            "cred_insufficient",
                                                            "authinfo_unavail",
                                                            "user_unknown",
                                                            "maxtries",
                                                            "new_authtok_reqd",
                                                            "acct_expired",
                                                            "session_err",
                                                            "cred_unavail",
                                                            "cred_expired",
                                                            "cred_err",
                                                            "no_module_data",
                                                            "conv_err",
                                                            "authtok_err",
                                                            "authtok_recover_err",
                                                            "authtok_lock_busy",
                                                            "authtok_disable_aging",
                                                            "try_again",
                                                            "ignore",
                                                            "abort",
                                                            "authtok_expired",
                                                            "module_unknown",
                                                            "bad_item",
                                                            "conv_again",
                                                            "incomplete",
                                                            "default"};

/* The words that stand for a bracket. */
static const struct control {
    const char *word;
    int success, ignore, otherwise;
} controls[] = {
    {"required", ACTION_OK, ACTION_IGNORE, ACTION_BAD},
    {"requisite", ACTION_OK, ACTION_IGNORE, ACTION_DIE},
    {"optional", ACTION_OK, ACTION_IGNORE, ACTION_IGNORE},
    {"sufficient", ACTION_DONE, ACTION_IGNORE, ACTION_IGNORE},
};

const char *result_name(int result)
{
    return result >= 0 && result < _PAM_RETURN_VALUES ? results[result] : "no result";
}

static void fill_actions(int filled[], int action)
{
    for (int i = 0; i < _PAM_RETURN_VALUES; i++)
        if (filled[i] == ACTION_UNSET)
            filled[i] = action;
}

static char *skip_spaces(char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    return text;
}

/* A jump's number, or 0 for what is none. */
static int parse_jump(char **text)
{
    char *end;
    unsigned long number = isdigit((unsigned char)**text) ? strtoul(*text, &end, 10) : 0;

    if (number == 0 || number > INT_MAX)
        return 0;
    *text = end;
    return (int)number;
}

/* Reads "value=action" after "value=action". NULL, or what is wrong. */
static const char *parse_pairs(int filled[], char *text)
{
    for (text = skip_spaces(text); *text != '\0'; text = skip_spaces(text)) {
        size_t result = 0;
        size_t i = 0;
        int action;

        while (result <= _PAM_RETURN_VALUES && strncmp(text, results[result], strlen(results[result])) != 0)
            result++;
        if (result > _PAM_RETURN_VALUES)
            return "expects a result's name";
        text = skip_spaces(text + strlen(results[result]));
        if (*text != '=')
            return "expects = after a result's name";
        text = skip_spaces(text + 1);
        while (i < sizeof actions / sizeof *actions && strncmp(text, actions[i].name, strlen(actions[i].name)) != 0)
            i++;
        if (i < sizeof actions / sizeof *actions) {
            action = actions[i].value;
            text += strlen(actions[i].name);
        } else {
            action = parse_jump(&text);
            if (action == 0)
                return "expects ignore, ok, done, bad, die, reset or a number of lines after =";
        }
        if (result < _PAM_RETURN_VALUES)
            filled[result] = action;
        else
            fill_actions(filled, action);
    }
    return NULL;
}

const char *control_parse(int filled[_PAM_RETURN_VALUES], char *text)
{
    const char *wrong = NULL;

    for (int i = 0; i < _PAM_RETURN_VALUES; i++)
        filled[i] = ACTION_UNSET;
    for (size_t i = 0; text != NULL && i < sizeof controls / sizeof *controls; i++)
        if (strcasecmp(controls[i].word, text) == 0) {
            filled[PAM_SUCCESS] = filled[PAM_NEW_AUTHTOK_REQD] = controls[i].success;
            filled[PAM_IGNORE] = controls[i].ignore;
            fill_actions(filled, controls[i].otherwise);
            return NULL;
        }
    if (text != NULL)
        wrong = parse_pairs(filled, text);
    for (int i = 0; i < _PAM_RETURN_VALUES; i++)
        if (wrong != NULL || filled[i] == ACTION_UNSET)
            filled[i] = ACTION_BAD;
    return wrong;
}
