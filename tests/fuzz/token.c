/*
 * Any text as an access token; or, where it begins with 's', a line as the header and a line as the claims of a token
 * that the pool has signed, so that the claims are looked at. Whoever passes is who he should be.
 */
#include "fuzz.h"

#include "fakes/memory.h"
#include "fakes/signature.h"

#include "helper/base64.h"
#include "helper/json.h"
#include "helper/token.h"

#include <stdlib.h>
#include <string.h>

static struct json_object *part_of(const char *text, size_t length)
{
    struct secret bytes = {NULL, 0};
    struct json_object *object = NULL;

    if (base64url_decode(text, length, &bytes))
        object = json_parse(bytes.bytes, bytes.length);
    secret_free(&bytes);
    HOLDS(object != NULL);
    return object;
}

static bool is(struct json_object *object, const char *name, const char *value)
{
    const char *found = json_string(object, name);

    return found != NULL && strcmp(found, value) == 0;
}

static bool has_word(const char *text, const char *word)
{
    for (const char *at = text; at != NULL && (at = strstr(at, word)) != NULL; at++)
        if ((at == text || at[-1] == ' ') && (at[strlen(word)] == ' ' || at[strlen(word)] == '\0'))
            return true;
    return false;
}

/* What a token must be, read once more. */
static void check_accepted(const char *token, const struct token_rules *rules)
{
    const char *claims_at = strchr(token, '.') + 1;
    struct json_object *header = part_of(token, (size_t)(claims_at - token - 1));
    struct json_object *claims = part_of(claims_at, strcspn(claims_at, "."));
    int64_t expiry = 0;

    HOLDS(is(header, "alg", "RS256") && is(header, "kid", FAKE_KID) && !json_has(header, "crit"));
    HOLDS(is(claims, "iss", FAKE_ISSUER) && is(claims, "client_id", FAKE_CLIENT) && is(claims, "token_use", "access"));
    HOLDS(json_integer(claims, "exp", &expiry) && expiry > FAKE_NOW);
    HOLDS(has_word(json_string(claims, "scope"), "aws.cognito.signin.user.admin"));
    HOLDS(!token_has_claim(rules->match) || is(claims, rules->match, rules->expect));
    json_object_put(claims);
    json_object_put(header);
}

static bool check(const char *token, const char *match, struct checks *checks)
{
    const struct token_rules rules = {.keys = fake_keys(),
                                      .issuer = FAKE_ISSUER,
                                      .client_id = FAKE_CLIENT,
                                      .match = match,
                                      .expect = "alice",
                                      .now = FAKE_NOW,
                                      .checks = checks};
    struct result result;

    result_begin(&result);
    if (token_check(token, &rules, &result)) {
        fake_memory_hold(1);
        check_accepted(token, &rules);
        fake_memory_hold(-1);
        return true;
    }
    HOLDS(result.error == ERR_BAD_TOKEN && fuzz_is_printable(result.detail));
    /* What is wrong is told, but not with what the token could be used. */
    HOLDS(strlen(token) < 64 || strstr(result.detail, token) == NULL);
    return false;
}

/* All of it, for one who wants to know what each check came to, and for one who wants to log in. */
static void check_both(const char *token, const char *match)
{
    struct checks checks;

    checks_begin(&checks);
    HOLDS(check(token, match, &checks) == check(token, match, NULL));
    HOLDS(checks.count <= CHECKS_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_string(data, size), *claims = strchr(text, '\n'), *token = NULL;

    if (*text == 's' && claims != NULL) {
        *claims++ = '\0';
        token = fake_token(text + 1, claims);
    }
    check_both(token == NULL ? text : token, "username");
    check_both(token == NULL ? text : token, "email");
    /* And once more, with memory short somewhere. */
    fake_memory(1 + (size > 0 ? data[size / 2] % 16 : 0));
    check(token == NULL ? text : token, "username", NULL);
    fake_memory(0);
    free(token);
    free(text);
    return 0;
}
