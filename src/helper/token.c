#include "helper/token.h"

#include "common/secret.h"
#include "common/text.h"
#include "helper/base64.h"
#include "helper/json.h"

#include <inttypes.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#define ALGORITHM "RS256"
#define TOKEN_USE "access"
/* What the user operations of Cognito ask of a token. */
#define USER_SCOPE "aws.cognito.signin.user.admin"

/* The three segments, still encoded, as they lie in the token; `signed_length` is what the signature covers. */
struct segments {
    const char *header, *payload, *signature;
    size_t header_length, payload_length, signature_length, signed_length;
};

/* Takes the outcome of a check of a member: `kind` is "header" or "claim". What was found is shown, if it can be. */
static bool judge_member(bool passed, const char *kind, const char *name, const char *expected,
                         struct json_object *object, const struct token_rules *rules, struct result *result)
{
    char wanted[CHECK_SHOWN], found[CHECK_SHOWN];
    const char *value = json_string(object, name);

    text_log_value(wanted, sizeof wanted, expected);
    if (!json_has(object, name))
        text_printable(found, sizeof found, "absent");
    else if (value == NULL)
        text_printable(found, sizeof found, "mistyped");
    else
        text_log_value(found, sizeof found, value);
    return checks_judge(rules->checks, passed, kind, name, wanted, found, result);
}

static bool split(const char *token, struct segments *segments, const struct token_rules *rules, struct result *result)
{
    size_t length = strnlen(token, TOKEN_MOST + 1);
    const char *first, *second;

    if (length > TOKEN_MOST)
        return checks_refuse(rules->checks, "token", result, "token longer than %d bytes", TOKEN_MOST);
    first = strchr(token, '.');
    second = first == NULL ? NULL : strchr(first + 1, '.');
    if (second == NULL || strchr(second + 1, '.') != NULL)
        return checks_refuse(rules->checks, "token", result,
                             "not a signed token, or one that was cut: it has not three segments");
    *segments = (struct segments){
        .header = token,
        .header_length = (size_t)(first - token),
        .payload = first + 1,
        .payload_length = (size_t)(second - first - 1),
        .signature = second + 1,
        .signature_length = length - (size_t)(second + 1 - token),
        .signed_length = (size_t)(second - token),
    };
    return true;
}

/* The JSON object in a segment; NULL if there is none. Release with json_object_put(). */
static struct json_object *decode(const char *segment, size_t length)
{
    struct secret text = {NULL, 0};
    struct json_object *object = NULL;

    if (base64url_decode(segment, length, &text))
        object = json_parse(text.bytes, text.length);
    secret_free(&text);
    return object;
}

/* The key to check with, by the header; it stays the set's. NULL if the header is refused. The header is not verified
 * yet, so it chooses among the pool's keys and nothing else: not the algorithm, and no key of its own. */
static EVP_PKEY *key_by_header(const struct segments *segments, const struct token_rules *rules, struct result *result)
{
    struct json_object *header = decode(segments->header, segments->header_length);
    const char *algorithm = json_string(header, "alg");
    const char *kid = json_string(header, "kid");
    EVP_PKEY *key = kid == NULL ? NULL : jwks_find(rules->keys, kid);
    bool passed = false;

    if (header == NULL)
        checks_refuse(rules->checks, "header", result,
                      "the header is not base64url of a JSON object with distinct members");
    else if (judge_member(algorithm != NULL && strcmp(algorithm, ALGORITHM) == 0, "header", "alg", ALGORITHM, header,
                          rules, result))
        passed = (!json_has(header, "crit") ||
                  checks_judge(rules->checks, false, "header", "crit", "absent", "present", result)) &&
                 judge_member(key != NULL, "header", "kid", "a_key_of_the_pool", header, rules, result);
    json_object_put(header);
    return passed ? key : NULL;
}

static bool verify(EVP_PKEY *key, const struct secret *signature, const char *text, size_t length)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool verified = context != NULL && EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
                    EVP_DigestVerify(context, (const unsigned char *)signature->bytes, signature->length,
                                     (const unsigned char *)text, length) == 1;

    ERR_clear_error();
    EVP_MD_CTX_free(context);
    return verified;
}

/* A token that lost its end in a prompt that takes 512 bytes, say, has a signature too short: that is said, since the
 * one who has to mend it is not the user. */
static bool check_signature(const char *token, const struct segments *segments, EVP_PKEY *key,
                            const struct token_rules *rules, struct result *result)
{
    struct secret signature = {NULL, 0};
    /* In letters, of six bits each: a cut need not leave whole bytes. */
    size_t wanted = ((size_t)EVP_PKEY_get_size(key) * 8 + 5) / 6;
    bool verified = false;

    if (segments->signature_length < wanted)
        checks_refuse(rules->checks, "signature", result, "the signature has %zu letters of %zu: was the token cut?",
                      segments->signature_length, wanted);
    else if (base64url_decode(segments->signature, segments->signature_length, &signature) &&
             verify(key, &signature, token, segments->signed_length))
        verified = checks_judge(rules->checks, true, "header", "signature", "the_pool's", "the_pool's", result);
    else
        checks_refuse(rules->checks, "signature", result, "the signature is not the pool's");
    secret_free(&signature);
    return verified;
}

static bool check_equal(struct json_object *claims, const char *name, const char *expected,
                        const struct token_rules *rules, struct result *result)
{
    const char *value = json_string(claims, name);
    bool equal = value != NULL && *expected != '\0' && strcmp(value, expected) == 0;

    return judge_member(equal, "claim", name, expected, claims, rules, result);
}

static bool check_issuer(struct json_object *claims, const struct token_rules *rules, struct result *result)
{
    return check_equal(claims, "iss", rules->issuer, rules, result);
}

static bool check_client(struct json_object *claims, const struct token_rules *rules, struct result *result)
{
    return check_equal(claims, "client_id", rules->client_id, rules, result);
}

/* The ID token of the same sign-in has the same issuer and signature. */
static bool check_use(struct json_object *claims, const struct token_rules *rules, struct result *result)
{
    return check_equal(claims, "token_use", TOKEN_USE, rules, result);
}

static bool check_expiry(struct json_object *claims, const struct token_rules *rules, struct result *result)
{
    char wanted[CHECK_SHOWN], found[CHECK_SHOWN];
    int64_t expiry;
    bool later = false;

    snprintf(wanted, sizeof wanted, "later_than_%" PRId64, (int64_t)rules->now);
    if (json_integer(claims, "exp", &expiry)) {
        later = expiry > (int64_t)rules->now;
        snprintf(found, sizeof found, "%" PRId64, expiry);
    } else {
        snprintf(found, sizeof found, "%s", json_has(claims, "exp") ? "mistyped" : "absent");
    }
    return checks_judge(rules->checks, later, "claim", "exp", wanted, found, result);
}

/* Scopes are words with one space between them (RFC 6749, section 3.3). */
static bool has_scope(const char *scopes, const char *wanted)
{
    for (const char *word = scopes; word != NULL && *word != '\0';) {
        size_t length = strcspn(word, " ");

        if (length == strlen(wanted) && memcmp(word, wanted, length) == 0)
            return true;
        word += length + (word[length] == ' ');
    }
    return false;
}

static bool check_scope(struct json_object *claims, const struct token_rules *rules, struct result *result)
{
    bool has = has_scope(json_string(claims, "scope"), USER_SCOPE);

    return judge_member(has, "claim", "scope", USER_SCOPE, claims, rules, result);
}

bool token_has_claim(const char *match)
{
    return strcmp(match, "username") == 0 || strcmp(match, "sub") == 0;
}

static bool check_user(struct json_object *claims, const struct token_rules *rules, struct result *result)
{
    return !token_has_claim(rules->match) || check_equal(claims, rules->match, rules->expect, rules, result);
}

/* Up to the first refusal, or all of them where somebody wants to know. */
static bool check_claims(const struct segments *segments, const struct token_rules *rules, struct result *result)
{
    static bool (*const checks[])(struct json_object *, const struct token_rules *, struct result *) = {
        check_issuer, check_client, check_use, check_expiry, check_scope, check_user,
    };
    struct json_object *claims = decode(segments->payload, segments->payload_length);
    bool passed = claims != NULL;

    if (claims == NULL)
        checks_refuse(rules->checks, "claims", result,
                      "the claims are not base64url of a JSON object with distinct members");
    for (size_t i = 0; claims != NULL && (passed || rules->checks != NULL) && i < sizeof checks / sizeof *checks; i++)
        passed = checks[i](claims, rules, result) && passed;
    json_object_put(claims);
    return passed;
}

bool token_check(const char *token, const struct token_rules *rules, struct result *result)
{
    struct segments segments = {.header = NULL};
    EVP_PKEY *key;
    bool verified;

    checks_begin(rules->checks);
    if (!split(token, &segments, rules, result))
        return false;
    key = key_by_header(&segments, rules, result);
    verified = key != NULL && check_signature(token, &segments, key, rules, result);
    if (rules->unverified != NULL)
        *rules->unverified = !verified;
    /* Nothing of the payload is looked at before this, unless to be shown for what it is: not verified. */
    if (rules->checks != NULL)
        rules->checks->verified = verified;
    else if (!verified)
        return false;
    return check_claims(&segments, rules, result) && verified;
}
