#include "module/log.h"

#include "common/text.h"

#include <security/pam_ext.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

/* What a value may take of the line. */
#define VALUE 128

static const char *value(char (*out)[VALUE], const char *text)
{
    return text_log_value(*out, sizeof *out, text);
}

/* Who has to act: the administrator, or nobody. */
static int priority_of(enum error error, bool signin)
{
    switch (error_pam_code(error, signin)) {
    case PAM_SERVICE_ERR:
    case PAM_SYSTEM_ERR:
    case PAM_BUF_ERR:
        return error == ERR_NONE ? LOG_NOTICE : LOG_ERR;
    case PAM_AUTHINFO_UNAVAIL:
        return LOG_WARNING;
    default:
        return LOG_NOTICE;
    }
}

/* What is known of the failure beyond its name: what the reply or the file said, then what to do. "" where there is
 * nothing. */
static const char *explain(char *out, size_t size, const struct login *login, enum error error)
{
    const char *hint = error_log_text(error);
    const char *detail = login->detail;
    char text[sizeof login->detail + 256];

    *out = '\0';
    if (error == ERR_NONE || (hint == NULL && *detail == '\0'))
        return out;
    snprintf(text, sizeof text, "%s%s%s", detail, *detail != '\0' && hint != NULL ? "; " : "",
             hint == NULL ? "" : hint);
    /* A path in it may have come from a remote host, by a template. */
    text_printable(text, sizeof text, text);
    for (char *at = strpbrk(text, "\"\\"); at != NULL; at = strpbrk(at, "\"\\"))
        *at = '\'';
    snprintf(out, size, " why=\"%s\"", text);
    return out;
}

void log_outcome(const struct login *login, enum error error, const char *result)
{
    char user[VALUE], service[VALUE], rhost[VALUE], attribute[VALUE], medium[VALUE], request_id[VALUE];
    char why[sizeof login->detail + 272];

    pam_syslog(login->pamh, priority_of(error, login->in_signin),
               "user=%s service=%s rhost=%s attribute=%s medium=%s result=%s tries=%u sends=%u request_id=%s ms=%lld%s",
               value(&user, login->user), value(&service, login->service), value(&rhost, login->rhost),
               value(&attribute, login->attribute), value(&medium, login->medium),
               error == ERR_NONE ? result : error_name(error), login->tries, login->sends,
               value(&request_id, login->request_id), (long long)(clock_ms() - login->began),
               explain(why, sizeof why, login, error));
}

void log_call(const struct login *login, const char *request, enum error error, int64_t ms)
{
    char request_id[VALUE];

    if (login->options.debug)
        pam_syslog(login->pamh, LOG_DEBUG, "call=%s result=%s request_id=%s ms=%lld", request, error_name(error),
                   value(&request_id, login->request_id), (long long)ms);
}

void log_lockdown(const struct login *login, const char *lockdown)
{
    if (login->options.debug)
        pam_syslog(login->pamh, LOG_DEBUG, "lockdown %s", lockdown);
}
