#include "helper/access.h"

#include "common/text.h"
#include "helper/cognito.h"
#include "helper/json.h"
#include "helper/token.h"

#include <string.h>
#include <time.h>

/* The value of an attribute in UserAttributes; NULL if there is none, or more than one, or it has no string for a
 * value. */
static const char *attribute_of(struct json_object *attributes, const char *name)
{
    const char *value = NULL;
    size_t found = 0;

    for (size_t i = 0; i < json_object_array_length(attributes); i++) {
        struct json_object *attribute = json_object_array_get_idx(attributes, i);
        const char *own_name = json_string(attribute, "Name");

        if (own_name == NULL || strcmp(own_name, name) != 0)
            continue;
        found++;
        value = json_string(attribute, "Value");
    }
    return found == 1 ? value : NULL;
}

/* An address proves nothing before its owner has shown that it is his: else whoever may write the attribute is anybody.
 */
static bool check_attribute(struct json_object *attributes, const char *match, const char *expect,
                            struct result *result)
{
    const char *value = attribute_of(attributes, match);
    const char *verified = attribute_of(attributes, "email_verified");
    char wanted[128], found[128];

    text_log_value(wanted, sizeof wanted, expect);
    if (value == NULL || *expect == '\0' || strcmp(value, expect) != 0)
        return result_fail(result, ERR_BAD_TOKEN, "attribute=%s expected=%s found=%s", match, wanted,
                           value == NULL ? "absent" : text_log_value(found, sizeof found, value));
    if (strcmp(match, "email") == 0 && (verified == NULL || strcmp(verified, "true") != 0))
        return result_fail(result, ERR_BAD_TOKEN, "attribute=email_verified expected=true found=%s",
                           verified == NULL ? "absent" : text_log_value(found, sizeof found, verified));
    return true;
}

/* GetUser with this token. It changes nothing, so it may be asked once more when the connection broke. */
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

static bool match_attribute(struct session *session, const char *token, const char *match, const char *expect,
                            deadline_t deadline, struct result *result)
{
    struct json_object *output = get_user(session, token, deadline, result);
    struct json_object *attributes = NULL;
    bool matched = false;

    if (output == NULL)
        return false;
    json_object_object_get_ex(output, "UserAttributes", &attributes);
    if (json_object_is_type(attributes, json_type_array))
        matched = check_attribute(attributes, match, expect, result);
    else
        cognito_refuse_reply(result, "UserAttributes");
    json_object_put(output);
    return matched;
}

bool access_keep(struct session *session, const char *token, const char *match, const char *expect, deadline_t deadline,
                 struct result *result)
{
    const struct token_rules rules = {
        .keys = &session->keys.set,
        .issuer = session->start.issuer,
        .client_id = session->start.client_id,
        .match = match,
        .expect = expect,
        .now = time(NULL),
    };

    secret_free(&session->token);
    if (!token_check(token, &rules, result))
        return false;
    if (!token_has_claim(match) && !match_attribute(session, token, match, expect, deadline, result))
        return false;
    return secret_set(&session->token, token, strlen(token)) || result_fail(result, ERR_NO_MEMORY, "token");
}

bool token_run(struct session *session, const void *message, deadline_t deadline, struct result *result)
{
    const struct token_message *token = message;

    return keys_need(&session->keys, session->http, session->start.jwks_url, deadline, result) &&
           access_keep(session, token->token, token->match, token->expect, deadline, result);
}
