#include "fakes/pam.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool (*fake_pam_fails)(void);
int (*fake_pam_converse)(int style, const char *text, char **answer);
void (*fake_pam_log)(const char *line);

void fake_pam_set(char **item, const char *value)
{
    char *copy = value == NULL ? NULL : strdup(value);

    free(*item);
    *item = copy;
}

void fake_pam_end(struct pam_handle *pamh)
{
    if (pamh->data != NULL)
        pamh->cleanup(pamh, pamh->data, PAM_SUCCESS);
    free(pamh->user);
    free(pamh->service);
    free(pamh->ruser);
    free(pamh->rhost);
    free(pamh->tty);
    free(pamh->authtok);
    free(pamh->environment);
    *pamh = (struct pam_handle){.data = NULL};
}

static char **item_of(struct pam_handle *pamh, int item)
{
    switch (item) {
    case PAM_USER:
        return &pamh->user;
    case PAM_SERVICE:
        return &pamh->service;
    case PAM_RUSER:
        return &pamh->ruser;
    case PAM_RHOST:
        return &pamh->rhost;
    case PAM_TTY:
        return &pamh->tty;
    case PAM_AUTHTOK:
        return &pamh->authtok;
    default:
        abort();
    }
}

int pam_get_item(const pam_handle_t *pamh, int item, const void **value)
{
    if (fake_pam_fails())
        return PAM_BUF_ERR;
    *value = *item_of((struct pam_handle *)(uintptr_t)pamh, item);
    return PAM_SUCCESS;
}

int pam_set_item(pam_handle_t *pamh, int item, const void *value)
{
    if (fake_pam_fails())
        return PAM_BUF_ERR;
    fake_pam_set(item_of(pamh, item), value);
    return PAM_SUCCESS;
}

int pam_get_user(pam_handle_t *pamh, const char **user, const char *prompt)
{
    (void)prompt;
    if (fake_pam_fails() || pamh->user == NULL)
        return PAM_CONV_ERR;
    *user = pamh->user;
    return PAM_SUCCESS;
}

int pam_set_data(pam_handle_t *pamh, const char *name, void *data,
                 void (*cleanup)(pam_handle_t *pamh, void *data, int status))
{
    (void)name;
    if (fake_pam_fails())
        return PAM_BUF_ERR;
    if (pamh->data != NULL)
        pamh->cleanup(pamh, pamh->data, PAM_DATA_REPLACE);
    pamh->data = data;
    pamh->cleanup = cleanup;
    return PAM_SUCCESS;
}

/* It never fails for want of memory: it wants none. */
int pam_get_data(const pam_handle_t *pamh, const char *name, const void **data)
{
    (void)name;
    *data = pamh->data;
    return pamh->data == NULL ? PAM_NO_MODULE_DATA : PAM_SUCCESS;
}

const char *pam_getenv(pam_handle_t *pamh, const char *name)
{
    size_t length = strlen(name);

    if (pamh->environment == NULL || strncmp(pamh->environment, name, length) != 0 || pamh->environment[length] != '=')
        return NULL;
    return pamh->environment + length + 1;
}

/* Without '=' it removes the variable, which is all that the modules do. */
int pam_putenv(pam_handle_t *pamh, const char *name)
{
    if (fake_pam_fails() || strchr(name, '=') != NULL || pam_getenv(pamh, name) == NULL)
        return PAM_BUF_ERR;
    fake_pam_set(&pamh->environment, NULL);
    return PAM_SUCCESS;
}

int pam_prompt(pam_handle_t *pamh, int style, char **answer, const char *format, ...)
{
    va_list arguments;
    char *text;
    int status;

    (void)pamh;
    if (fake_pam_fails())
        return PAM_BUF_ERR;
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        abort();
    va_end(arguments);
    status = fake_pam_converse(style, text, answer);
    free(text);
    return status;
}

void pam_syslog(const pam_handle_t *pamh, int priority, const char *format, ...)
{
    va_list arguments;
    char *line;

    (void)pamh;
    (void)priority;
    va_start(arguments, format);
    if (vasprintf(&line, format, arguments) < 0)
        abort();
    va_end(arguments);
    fake_pam_log(line);
    free(line);
}
