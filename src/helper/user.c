#include "helper/user.h"

#include "helper/cognito.h"
#include "helper/json.h"

#include <stdio.h>
#include <string.h>

void user_forget(struct session *session)
{
    json_object_put(session->user);
    session->user = NULL;
}

/* It changes nothing, so it may be asked once more when the connection broke. */
static struct json_object *get_user(struct session *session, const char *token, deadline_t deadline,
                                    struct result *result)
{
    struct json_object *input = json_object_new_object();
    struct json_object *output = NULL;

    if (!json_put_string(input, "AccessToken", token)) {
        result_fail(result, ERR_NO_MEMORY, "GetUser");
    } else {
        output = cognito_call(session, "GetUser", input, deadline, result);
        if (output == NULL && result->error == ERR_TRANSFER)
            output = cognito_call(session, "GetUser", input, deadline, result);
    }
    json_object_put(input);
    return output;
}

bool user_know(struct session *session, const char *token, deadline_t deadline, struct result *result)
{
    struct json_object *attributes = NULL;

    if (session->user != NULL)
        return true;
    session->user = get_user(session, token, deadline, result);
    if (session->user == NULL)
        return false;
    json_object_object_get_ex(session->user, "UserAttributes", &attributes);
    if (json_object_is_type(attributes, json_type_array))
        return true;
    user_forget(session);
    return cognito_refuse_reply(result, "UserAttributes");
}

const char *user_attribute(const struct session *session, const char *name)
{
    struct json_object *attributes = NULL;
    const char *value = NULL;
    size_t found = 0;

    json_object_object_get_ex(session->user, "UserAttributes", &attributes);
    for (size_t i = 0; attributes != NULL && i < json_object_array_length(attributes); i++) {
        struct json_object *attribute = json_object_array_get_idx(attributes, i);
        const char *own_name = json_string(attribute, "Name");

        if (own_name == NULL || strcmp(own_name, name) != 0)
            continue;
        found++;
        value = json_string(attribute, "Value");
    }
    return found == 1 ? value : NULL;
}

bool user_has_verified(const struct session *session, const char *name)
{
    char flag[64];
    const char *value;

    snprintf(flag, sizeof flag, "%s_verified", name);
    value = user_attribute(session, flag);
    return user_attribute(session, name) != NULL && value != NULL && strcmp(value, "true") == 0;
}

/* As Cognito masks a destination: a***@e***, +*******1234. */
static void mask(const char *value, char *out, size_t size)
{
    const char *at = strchr(value, '@');
    size_t length = strlen(value);

    if (at != NULL && at != value)
        snprintf(out, size, "%c***@%c***", value[0], at[1] == '\0' ? '*' : at[1]);
    else if (length > 4)
        snprintf(out, size, "+*******%s", value + length - 4);
    else
        snprintf(out, size, "***");
}

bool lookup_run(struct session *session, const void *message, deadline_t deadline, struct result *result)
{
    const struct lookup_message *lookup = message;

    if (session->token.bytes == NULL)
        return result_fail(result, ERR_BAD_REQUEST, "there is no access token");
    if (!user_know(session, session->token.bytes, deadline, result))
        return false;
    for (uint32_t i = 0; i < lookup->attributes.count; i++) {
        const char *name = lookup->attributes.items[i];
        const char *value = user_attribute(session, name);
        char masked[32];

        if (value == NULL || *value == '\0')
            continue;
        mask(value, masked, sizeof masked);
        result_add_choice(result, name);
        result_add_choice(result, user_has_verified(session, name) ? "true" : "false");
        result_add_choice(result, masked);
    }
    return true;
}
