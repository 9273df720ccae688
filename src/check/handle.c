#include "check/handle.h"

#include "check/terminal.h"
#include "common/secret.h"

#include <security/pam_ext.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef void cleanup_function(pam_handle_t *handle, void *data, int status);

/* Owns the password and the record, which `cleanup` frees. */
struct pam_handle {
    const char *service, *user, *introduction;
    char *password; /* PAM_AUTHTOK */
    void *record;
    cleanup_function *cleanup;
    bool lacks_terminal;
};

pam_handle_t *handle_new(const char *service, const char *user, const char *introduction)
{
    struct pam_handle *handle = calloc(1, sizeof *handle);

    if (handle != NULL)
        *handle = (struct pam_handle){.service = service, .user = user, .introduction = introduction};
    return handle;
}

void handle_free(pam_handle_t **handle)
{
    if (*handle == NULL)
        return;
    if ((*handle)->record != NULL)
        (*handle)->cleanup(*handle, (*handle)->record, PAM_SUCCESS);
    secret_free_string(&(*handle)->password);
    free(*handle);
    *handle = NULL;
}

bool handle_lacks_terminal(const pam_handle_t *handle)
{
    return handle->lacks_terminal;
}

/* libpam's own, for the module's code. */

int pam_get_item(const pam_handle_t *pamh, int item_type, const void **item)
{
    switch (item_type) {
    case PAM_SERVICE:
        *item = pamh->service;
        break;
    case PAM_USER:
        *item = pamh->user;
        break;
    case PAM_AUTHTOK:
        *item = pamh->password;
        break;
    default:
        *item = NULL;
        break;
    }
    return PAM_SUCCESS;
}

int pam_set_item(pam_handle_t *pamh, int item_type, const void *item)
{
    char *copy;

    if (item_type != PAM_AUTHTOK)
        return PAM_BAD_ITEM;
    copy = strdup(item);
    if (copy == NULL)
        return PAM_BUF_ERR;
    secret_free_string(&pamh->password);
    pamh->password = copy;
    return PAM_SUCCESS;
}

int pam_get_user(pam_handle_t *pamh, const char **user, const char *prompt)
{
    (void)prompt;
    *user = pamh->user;
    return PAM_SUCCESS;
}

/* There is one record, the login's, and one name for it. */
int pam_set_data(pam_handle_t *pamh, const char *module_data_name, void *data, cleanup_function *cleanup)
{
    (void)module_data_name;
    if (pamh->record != NULL)
        pamh->cleanup(pamh, pamh->record, PAM_DATA_REPLACE);
    pamh->record = data;
    pamh->cleanup = cleanup;
    return PAM_SUCCESS;
}

int pam_get_data(const pam_handle_t *pamh, const char *module_data_name, const void **data)
{
    (void)module_data_name;
    *data = pamh->record;
    return pamh->record == NULL ? PAM_NO_MODULE_DATA : PAM_SUCCESS;
}

/* No module ran before that could have set a variable. */
const char *pam_getenv(pam_handle_t *pamh, const char *name)
{
    (void)pamh;
    (void)name;
    return NULL;
}

int pam_putenv(pam_handle_t *pamh, const char *name_value)
{
    (void)pamh;
    (void)name_value;
    return PAM_BAD_ITEM;
}

static int converse(pam_handle_t *pamh, int style, const char *text, char **response)
{
    bool asks = style == PAM_PROMPT_ECHO_OFF || style == PAM_PROMPT_ECHO_ON;

    if (!asks)
        return terminal_say(text) ? PAM_SUCCESS : PAM_CONV_ERR;
    if (pamh->introduction != NULL && !terminal_say(pamh->introduction)) {
        pamh->lacks_terminal = true;
        return PAM_CONV_ERR;
    }
    pamh->introduction = NULL;
    *response = terminal_ask(text, style == PAM_PROMPT_ECHO_ON);
    return *response == NULL ? PAM_CONV_ERR : PAM_SUCCESS;
}

int pam_prompt(pam_handle_t *pamh, int style, char **response, const char *fmt, ...)
{
    va_list arguments;
    char *text = NULL;
    int length, status;

    va_start(arguments, fmt);
    length = vasprintf(&text, fmt, arguments);
    va_end(arguments);
    if (length < 0)
        return PAM_BUF_ERR;
    status = converse(pamh, style, text, response);
    free(text);
    return status;
}

/* This is no login, so nothing of it goes to the log. */
void pam_syslog(const pam_handle_t *pamh, int priority, const char *fmt, ...)
{
    (void)pamh;
    (void)priority;
    (void)fmt;
}
