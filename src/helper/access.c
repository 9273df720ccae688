#include "helper/access.h"

#include "common/text.h"
#include "helper/token.h"
#include "helper/user.h"

#include <string.h>
#include <time.h>

/* Takes the outcome of a check of an attribute; `value` is NULL for an absent one. */
static bool judge_attribute(struct session *session, bool passed, const char *name, const char *expected,
                            const char *value, struct result *result)
{
    char wanted[CHECK_SHOWN], found[CHECK_SHOWN];

    text_log_value(wanted, sizeof wanted, expected);
    return checks_judge(session->checks, passed, "attribute", name, wanted,
                        value == NULL ? "absent" : text_log_value(found, sizeof found, value), result);
}

/* An address proves nothing before its owner has shown that it is his: else whoever may write the attribute is anybody.
 */
static bool match_attribute(struct session *session, const char *token, const char *match, const char *expect,
                            deadline_t deadline, struct result *result)
{
    const char *value;
    bool matches;

    if (!user_know(session, token, deadline, result))
        return false;
    value = user_attribute(session, match);
    matches = judge_attribute(session, value != NULL && *expect != '\0' && strcmp(value, expect) == 0, match, expect,
                              value, result);
    if (strcmp(match, "email") != 0 || (!matches && session->checks == NULL))
        return matches;
    return judge_attribute(session, user_has_verified(session, "email"), "email_verified", "true",
                           user_attribute(session, "email_verified"), result) &&
           matches;
}

/* Where none of the keys that were kept has signed the token, the pool may have others by now. */
static bool check(struct session *session, const char *token, const struct token_rules *rules, deadline_t deadline,
                  struct result *result)
{
    if (token_check(token, rules, result))
        return true;
    return *rules->unverified && !session->keys.fetched &&
           keys_fetch(&session->keys, session->http, session->start.jwks_url, deadline, result) &&
           token_check(token, rules, result);
}

bool access_keep(struct session *session, const char *token, const char *match, const char *expect, deadline_t deadline,
                 struct result *result)
{
    bool unverified = false;
    const struct token_rules rules = {
        .keys = &session->keys.set,
        .issuer = session->start.issuer,
        .client_id = session->start.client_id,
        .match = match,
        .expect = expect,
        .now = time(NULL),
        .checks = session->checks,
        .unverified = &unverified,
    };

    secret_free(&session->token);
    user_forget(session);
    if (!check(session, token, &rules, deadline, result))
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
