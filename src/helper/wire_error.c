#include "helper/wire_error.h"

#include "common/text.h"
#include "helper/json.h"

#include <string.h>

char *wire_error_name(const char *type, char *out, size_t size)
{
    char *end, *hash;

    text_printable(out, size, type);
    /* Cut first: what follows the colon may be an URL with a '#' of its own. */
    end = strpbrk(out, ":,");
    if (end != NULL)
        *end = '\0';
    hash = strrchr(out, '#');
    if (hash != NULL)
        memmove(out, hash + 1, strlen(hash + 1) + 1);
    return out;
}

/* Cognito's message; it is written both ways. A hint for the log, never a base for decisions. */
static const char *message_of(struct json_object *body)
{
    const char *message = json_string(body, "message");

    return message != NULL ? message : json_string(body, "Message");
}

static enum error error_by_status(long status)
{
    if (status == 403 || status == 405)
        return ERR_BLOCKED_REPLY;
    return status >= 500 && status <= 599 ? ERR_SERVER_ERROR : ERR_UNKNOWN_ERROR;
}

bool wire_error_read(long status, const char *header, struct json_object *body, struct result *result)
{
    char text[RESULT_SERVER_TEXT_MAX + 1];
    const char *type = json_string(body, "__type");
    const char *message = message_of(body);
    /* A type can have a long namespace before its name. */
    char name[256];
    enum error error;

    if (*wire_error_name(type, name, sizeof name) == '\0')
        wire_error_name(header, name, sizeof name);
    error = *name == '\0' ? error_by_status(status) : error_by_wire_name(name);
    if (error == ERR_UNKNOWN_ERROR)
        text_printable(result->wire_name, sizeof result->wire_name, name);
    if (message != NULL && *message != '\0')
        return result_fail(result, error, "%s", text_printable(text, sizeof text, message));
    return result_fail(result, error, "HTTP status %ld", status);
}
