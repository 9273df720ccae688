/* Whose token is it? Signature, claims, and the pool's keys: design.md §4.3 and §6, wire.md "The access token". */
#include "unit.h"

#include "helper/base64.h"
#include "helper/jwks.h"
#include "helper/token.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW    1700000000
#define ISSUER "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Example"

/* Members of the token, to be put together and left out. */
#define ALG  "\"alg\":\"RS256\""
#define KID  "\"kid\":\"k1\""
#define HEAD "{" KID "," ALG "}"
#define ISS  "\"iss\":\"" ISSUER "\""
#define CID  "\"client_id\":\"client\""
#define USE  "\"token_use\":\"access\""
#define EXP  "\"exp\":1700000001"
#define SCO  "\"scope\":\"aws.cognito.signin.user.admin\""
#define USER "\"username\":\"alice\""
#define SUB  "\"sub\":\"5b2c1a70\""
#define REST CID "," USE "," EXP "," SCO "," USER "," SUB

struct fixture {
    EVP_PKEY *key, *stranger;
    struct jwks keys;
};

/* Base64url of bytes, to be freed. Written by the rule that RFC 7515, appendix C gives, from what base64_encode() made.
 */
static char *encode(const void *bytes, size_t length)
{
    struct secret text = {NULL, 0};

    assert_true(base64_encode(bytes, length, &text));
    for (char *at = text.bytes; *at != '\0'; at++) {
        if (*at == '+')
            *at = '-';
        else if (*at == '/')
            *at = '_';
        else if (*at == '=')
            *at = '\0';
        if (*at == '\0')
            break;
    }
    return text.bytes;
}

/* A token of those two parts, signed by `key`; to be freed. */
static char *sign(EVP_PKEY *key, const char *header, size_t header_length, const char *claims, size_t claims_length)
{
    char *encoded_header = encode(header, header_length), *encoded_claims = encode(claims, claims_length);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    unsigned char signature[1024];
    size_t length = sizeof signature;
    char *signed_part = NULL, *encoded_signature, *token = NULL;

    assert_true(asprintf(&signed_part, "%s.%s", encoded_header, encoded_claims) > 0);
    assert_int_equal(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key), 1);
    assert_int_equal(
        EVP_DigestSign(context, signature, &length, (const unsigned char *)signed_part, strlen(signed_part)), 1);
    encoded_signature = encode(signature, length);
    assert_true(asprintf(&token, "%s.%s", signed_part, encoded_signature) > 0);
    EVP_MD_CTX_free(context);
    free(encoded_signature);
    free(signed_part);
    free(encoded_claims);
    free(encoded_header);
    return token;
}

static char *sign_text(EVP_PKEY *key, const char *header, const char *claims)
{
    return sign(key, header, strlen(header), claims, strlen(claims));
}

/* One number of the key as base64url; to be freed. */
static char *key_number(EVP_PKEY *key, const char *name)
{
    unsigned char bytes[2048];
    BIGNUM *number = NULL;
    int length;

    assert_int_equal(EVP_PKEY_get_bn_param(key, name, &number), 1);
    length = BN_bn2bin(number, bytes);
    BN_free(number);
    return encode(bytes, (size_t)length);
}

/* A set with `format`, in which %s stands for the modulus and then the exponent, any number of times below four. */
static bool read_set(struct jwks *set, EVP_PKEY *key, const char *format, struct result *result)
{
    char *n = key_number(key, OSSL_PKEY_PARAM_RSA_N), *e = key_number(key, OSSL_PKEY_PARAM_RSA_E), *text = NULL;
    bool read;

    *set = (struct jwks){.count = 0};
    result_begin(result);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-extra-args"
    assert_true(asprintf(&text, format, n, e, n, e) >= 0);
#pragma GCC diagnostic pop
    read = jwks_parse(set, text, strlen(text), result);
    free(text);
    free(e);
    free(n);
    return read;
}

static int make_keys(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct result result;

    fixture->key = EVP_RSA_gen(2048);
    fixture->stranger = EVP_RSA_gen(2048);
    *state = fixture;
    if (!read_set(&fixture->keys, fixture->key,
                  "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"k1\",\"use\":\"sig\",\"alg\":\"RS256\",\"n\":\"%s\","
                  "\"e\":\"%s\"}]}",
                  &result))
        return -1;
    return 0;
}

static int free_keys(void **state)
{
    struct fixture *fixture = *state;

    jwks_free(&fixture->keys);
    EVP_PKEY_free(fixture->stranger);
    EVP_PKEY_free(fixture->key);
    free(fixture);
    return 0;
}

static struct token_rules rules_of(const struct fixture *fixture)
{
    return (struct token_rules){
        .keys = &fixture->keys,
        .issuer = ISSUER,
        .client_id = "client",
        .match = "username",
        .expect = "alice",
        .now = NOW,
    };
}

/* The reason for which the token is refused, "" if it is taken. Valid until the next call. Whoever looks at all checks
 * comes to the same. */
static const char *reason(const char *token, const struct token_rules *rules)
{
    static struct result result, explained;
    struct checks checks;
    struct token_rules explain = *rules;
    bool passed;

    explain.checks = &checks;
    result_begin(&result);
    result_begin(&explained);
    passed = token_check(token, rules, &result);
    assert_int_equal(token_check(token, &explain, &explained), passed);
    assert_int_equal(checks.refused, !passed);
    if (passed)
        return "";
    assert_int_equal(result.error, ERR_BAD_TOKEN);
    assert_int_equal(explained.error, ERR_BAD_TOKEN);
    assert_string_equal(explained.detail, result.detail);
    return result.detail;
}

static void parts_decide(void **state)
{
    static const struct {
        const char *header, *claims, *reason;
    } rows[] = {
        {HEAD, "{" ISS "," REST "}", ""},
        {HEAD, "{\"cognito:groups\":[\"a\",\"b\"],\"iat\":1.5,\"auth_time\":null," ISS "," REST "}", ""},
        {"{\"typ\":\"JWT\",\"jku\":\"https://evil.example/\"," KID "," ALG "}", "{" ISS "," REST "}", ""},

        {"{" KID "}", "{" ISS "," REST "}", "header=alg expected=RS256 found=absent"},
        {"{" KID ",\"alg\":\"none\"}", "{" ISS "," REST "}", "header=alg expected=RS256 found=none"},
        {"{" KID ",\"alg\":\"HS256\"}", "{" ISS "," REST "}", "header=alg expected=RS256 found=HS256"},
        {"{" KID ",\"alg\":\"RS512\"}", "{" ISS "," REST "}", "header=alg expected=RS256 found=RS512"},
        {"{" KID ",\"alg\":\"rs256\"}", "{" ISS "," REST "}", "header=alg expected=RS256 found=rs256"},
        {"{" KID ",\"alg\":\"RS256\\u0000\"}", "{" ISS "," REST "}", "header=alg expected=RS256 found=mistyped"},
        {"{" KID ",\"alg\":[\"RS256\"]}", "{" ISS "," REST "}", "header=alg expected=RS256 found=mistyped"},
        {"{" KID "," ALG ",\"crit\":[\"exp\"]}", "{" ISS "," REST "}", "header=crit expected=absent found=present"},
        {"{" KID "," ALG ",\"crit\":null}", "{" ISS "," REST "}", "header=crit expected=absent found=present"},
        {"{" ALG "}", "{" ISS "," REST "}", "header=kid expected=a_key_of_the_pool found=absent"},
        {"{\"kid\":\"k2\"," ALG "}", "{" ISS "," REST "}", "header=kid expected=a_key_of_the_pool found=k2"},
        {"{\"kid\":1," ALG "}", "{" ISS "," REST "}", "header=kid expected=a_key_of_the_pool found=mistyped"},
        {"{\"kid\":\"k1\\u0000\"," ALG "}", "{" ISS "," REST "}",
         "header=kid expected=a_key_of_the_pool found=mistyped"},
        {"{" KID "," ALG ",\"\\u0061lg\":\"none\"}", "{" ISS "," REST "}",
         "the header is not base64url of a JSON object with distinct members"},
        {"", "{" ISS "," REST "}", "the header is not base64url of a JSON object with distinct members"},
        {"[]", "{" ISS "," REST "}", "the header is not base64url of a JSON object with distinct members"},

        {HEAD, "", "the claims are not base64url of a JSON object with distinct members"},
        {HEAD, "[]", "the claims are not base64url of a JSON object with distinct members"},
        {HEAD, "{" ISS "," REST "} x", "the claims are not base64url of a JSON object with distinct members"},
        {HEAD, "{" ISS "," REST ",\"username\":\"bob\"}",
         "the claims are not base64url of a JSON object with distinct members"},
        {HEAD, "{" ISS "," REST ",\"user\\u006eame\":\"alice\"}",
         "the claims are not base64url of a JSON object with distinct members"},
        {HEAD, "{" ISS "," REST ",\"iss\\u0000\":\"x\"}",
         "the claims are not base64url of a JSON object with distinct members"},
        {HEAD, "{" ISS "," REST ",\"x\":\"\xff\"}",
         "the claims are not base64url of a JSON object with distinct members"},

        {HEAD, "{" REST "}", "claim=iss expected=" ISSUER " found=absent"},
        {HEAD, "{\"iss\":\"" ISSUER "2\"," REST "}", "claim=iss expected=" ISSUER " found=" ISSUER "2"},
        {HEAD, "{\"iss\":\"" ISSUER "/\"," REST "}", "claim=iss expected=" ISSUER " found=" ISSUER "/"},
        {HEAD, "{\"iss\":\"" ISSUER "\\u0000\"," REST "}", "claim=iss expected=" ISSUER " found=mistyped"},
        {HEAD, "{\"iss\":[\"" ISSUER "\"]," REST "}", "claim=iss expected=" ISSUER " found=mistyped"},
        {HEAD, "{\"iss\":null," REST "}", "claim=iss expected=" ISSUER " found=mistyped"},
        {HEAD, "{\"iss\":\"\"," REST "}", "claim=iss expected=" ISSUER " found=-"},

        {HEAD, "{" ISS "," USE "," EXP "," SCO "," USER "}", "claim=client_id expected=client found=absent"},
        {HEAD, "{" ISS ",\"aud\":\"client\"," USE "," EXP "," SCO "," USER "}",
         "claim=client_id expected=client found=absent"},
        {HEAD, "{" ISS ",\"client_id\":\"other\"," USE "," EXP "," SCO "," USER "}",
         "claim=client_id expected=client found=other"},

        {HEAD, "{" ISS "," CID "," EXP "," SCO "," USER "}", "claim=token_use expected=access found=absent"},
        {HEAD, "{" ISS "," CID ",\"token_use\":\"id\"," EXP "," SCO "," USER "}",
         "claim=token_use expected=access found=id"},

        {HEAD, "{" ISS "," CID "," USE "," SCO "," USER "}", "claim=exp expected=later_than_1700000000 found=absent"},
        {HEAD, "{" ISS "," CID "," USE ",\"exp\":1700000000," SCO "," USER "}",
         "claim=exp expected=later_than_1700000000 found=1700000000"},
        {HEAD, "{" ISS "," CID "," USE ",\"exp\":-1," SCO "," USER "}",
         "claim=exp expected=later_than_1700000000 found=-1"},
        {HEAD, "{" ISS "," CID "," USE ",\"exp\":1700000001.5," SCO "," USER "}",
         "claim=exp expected=later_than_1700000000 found=mistyped"},
        {HEAD, "{" ISS "," CID "," USE ",\"exp\":9e99," SCO "," USER "}",
         "claim=exp expected=later_than_1700000000 found=mistyped"},
        {HEAD, "{" ISS "," CID "," USE ",\"exp\":\"1700000001\"," SCO "," USER "}",
         "claim=exp expected=later_than_1700000000 found=mistyped"},
        {HEAD, "{" ISS "," CID "," USE ",\"exp\":true," SCO "," USER "}",
         "claim=exp expected=later_than_1700000000 found=mistyped"},

        {HEAD, "{" ISS "," CID "," USE "," EXP ",\"scope\":\"openid aws.cognito.signin.user.admin email\"," USER "}",
         ""},
        {HEAD, "{" ISS "," CID "," USE "," EXP "," USER "}",
         "claim=scope expected=aws.cognito.signin.user.admin found=absent"},
        {HEAD, "{" ISS "," CID "," USE "," EXP ",\"scope\":\"\"," USER "}",
         "claim=scope expected=aws.cognito.signin.user.admin found=-"},
        {HEAD, "{" ISS "," CID "," USE "," EXP ",\"scope\":\"aws.cognito.signin.user.admin2\"," USER "}",
         "claim=scope expected=aws.cognito.signin.user.admin found=aws.cognito.signin.user.admin2"},
        {HEAD, "{" ISS "," CID "," USE "," EXP ",\"scope\":\"x/aws.cognito.signin.user.admin\"," USER "}",
         "claim=scope expected=aws.cognito.signin.user.admin found=x/aws.cognito.signin.user.admin"},
        {HEAD, "{" ISS "," CID "," USE "," EXP ",\"scope\":[\"aws.cognito.signin.user.admin\"]," USER "}",
         "claim=scope expected=aws.cognito.signin.user.admin found=mistyped"},

        {HEAD, "{" ISS "," CID "," USE "," EXP "," SCO "," SUB "}", "claim=username expected=alice found=absent"},
        {HEAD, "{" ISS "," CID "," USE "," EXP "," SCO ",\"username\":\"Alice\"}",
         "claim=username expected=alice found=Alice"},
        {HEAD, "{" ISS "," CID "," USE "," EXP "," SCO ",\"username\":\"alice\\u0000\"}",
         "claim=username expected=alice found=mistyped"},
        {HEAD, "{" ISS "," CID "," USE "," EXP "," SCO ",\"username\":\"b\\u001b[2J b=\\\"\"}",
         "claim=username expected=alice found=b\\x1b[2J\\x20b\\x3d\\x22"},
    };
    const struct fixture *fixture = *state;
    const struct token_rules rules = rules_of(fixture);

    for (size_t i = 0; i < COUNT(rows); i++) {
        char *token = sign_text(fixture->key, rows[i].header, rows[i].claims);
        const char *found = reason(token, &rules);

        if (strcmp(found, rows[i].reason) != 0)
            fail_msg("%s.%s: \"%s\"", rows[i].header, rows[i].claims, found);
        free(token);
    }
}

static void a_nul_byte_in_the_claims_is_refused(void **state)
{
    static const char claims[] = "{" ISS "," REST "}\0";
    const struct fixture *fixture = *state;
    const struct token_rules rules = rules_of(fixture);
    char *token = sign(fixture->key, HEAD, strlen(HEAD), claims, sizeof claims - 1);

    assert_string_equal(reason(token, &rules), "the claims are not base64url of a JSON object with distinct members");
    free(token);
}

static void the_user_is_matched(void **state)
{
    static const struct {
        const char *match, *expect, *reason;
    } rows[] = {
        {"username", "alice", ""},
        {"sub", "5b2c1a70", ""},
        {"sub", "alice", "claim=sub expected=alice found=5b2c1a70"},
        {"username", "5b2c1a70", "claim=username expected=5b2c1a70 found=alice"},
        {"username", "", "claim=username expected=- found=alice"},
        /* Attributes are asked of Cognito afterwards, by access.c. */
        {"email", "mallory@example.org", ""},
    };
    const struct fixture *fixture = *state;
    char *token = sign_text(fixture->key, HEAD, "{" ISS "," REST ",\"email\":\"alice@example.org\"}");

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct token_rules rules = rules_of(fixture);

        rules.match = rows[i].match;
        rules.expect = rows[i].expect;
        assert_string_equal(reason(token, &rules), rows[i].reason);
    }
    free(token);
}

static void an_empty_expectation_matches_nothing(void **state)
{
    const struct fixture *fixture = *state;
    struct token_rules rules = rules_of(fixture);
    char *token =
        sign_text(fixture->key, HEAD, "{" ISS "," CID "," USE "," EXP "," SCO ",\"username\":\"\",\"sub\":\"x\"}");

    rules.expect = "";
    assert_string_equal(reason(token, &rules), "claim=username expected=- found=-");
    free(token);
}

static void the_signature_must_be_the_pools(void **state)
{
    const struct fixture *fixture = *state;
    const struct token_rules rules = rules_of(fixture);
    char *token = sign_text(fixture->stranger, HEAD, "{" ISS "," REST "}");
    char *good = sign_text(fixture->key, HEAD, "{" ISS "," REST "}");
    char *other = sign_text(fixture->key, HEAD, "{" ISS "," CID "," USE "," EXP "," SCO ",\"username\":\"mallory\"}");
    char *spliced = NULL;

    assert_string_equal(reason(token, &rules), "the signature is not the pool's");
    assert_true(asprintf(&spliced, "%.*s%s", (int)(strrchr(good, '.') - good), good, strrchr(other, '.')) > 0);
    assert_string_equal(reason(spliced, &rules), "the signature is not the pool's");
    /* The claims of such a token are not even looked at. */
    free(token);
    token = sign_text(fixture->stranger, HEAD, "{}");
    assert_string_equal(reason(token, &rules), "the signature is not the pool's");
    free(spliced);
    free(other);
    free(good);
    free(token);
}

static void the_form_is_exact(void **state)
{
    const struct fixture *fixture = *state;
    const struct token_rules rules = rules_of(fixture);
    char *token = sign_text(fixture->key, HEAD, "{" ISS "," REST "}");
    size_t length = strlen(token);
    char *changed = calloc(1, length + 8), *last = token + length - 1;

    assert_string_equal(reason(token, &rules), "");
    assert_string_equal(reason("", &rules), "not a signed token, or one that was cut: it has not three segments");
    assert_string_equal(reason("a.b", &rules), "not a signed token, or one that was cut: it has not three segments");
    sprintf(changed, "%s.x", token);
    assert_string_equal(reason(changed, &rules), "not a signed token, or one that was cut: it has not three segments");
    sprintf(changed, "%s==", token);
    assert_string_equal(reason(changed, &rules), "the signature is not the pool's");
    sprintf(changed, "%s\n", token);
    assert_string_equal(reason(changed, &rules), "the signature is not the pool's");
    sprintf(changed, " %s", token);
    assert_string_equal(reason(changed, &rules), "the header is not base64url of a JSON object with distinct members");
    *strrchr(strcpy(changed, token), '.') = '\0';
    strcat(changed, ".");
    assert_string_equal(reason(changed, &rules), "the signature has 0 letters of 342: was the token cut?");
    /* 256 bytes leave four bits over in the last character: one more there is another text for the same signature. */
    assert_true(strchr("AQgw", *last) != NULL);
    ++*last;
    assert_string_equal(reason(token, &rules), "the signature is not the pool's");
    free(changed);
    free(token);
}

static void tokens_have_a_most_length(void **state)
{
    const struct fixture *fixture = *state;
    const struct token_rules rules = rules_of(fixture);
    char *filler = calloc(1, TOKEN_MOST), *claims = NULL, *token;
    /* What is over goes into the claims, at three bytes for four characters. */
    size_t spare = TOKEN_MOST / 4 * 3 - 1024;

    memset(filler, 'g', spare);
    assert_true(asprintf(&claims, "{" ISS "," REST ",\"x\":\"%s\"}", filler) > 0);
    token = sign_text(fixture->key, HEAD, claims);
    assert_in_range(strlen(token), TOKEN_MOST - 2048, TOKEN_MOST);
    assert_string_equal(reason(token, &rules), "");
    free(token);
    free(claims);
    memset(filler, 'g', spare + 1024);
    assert_true(asprintf(&claims, "{" ISS "," REST ",\"x\":\"%s\"}", filler) > 0);
    token = sign_text(fixture->key, HEAD, claims);
    assert_true(strlen(token) > TOKEN_MOST);
    assert_string_equal(reason(token, &rules), "token longer than 61440 bytes");
    free(token);
    free(claims);
    free(filler);
}

#define N_E "\"n\":\"%s\",\"e\":\"%s\""

static void key_sets_are_read(void **state)
{
    static const struct {
        const char *text;
        size_t count;
        const char *reason;
    } rows[] = {
        {"{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"k\"," N_E "}]}", 1, ""},
        {"{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"k\"," N_E "},{\"kty\":\"RSA\",\"kid\":\"l\"," N_E "}],\"x\":1}", 2, ""},
        /* keys of no use do not hide the others */
        {"{\"keys\":[{\"kty\":\"EC\",\"kid\":\"l\"},5,{},{\"kty\":\"RSA\",\"kid\":\"k\"," N_E "}]}", 1, ""},

        {"{\"keys\":[]}", 0, "keys=0 usable=0"},
        {"{\"keys\":[{\"kty\":\"oct\",\"kid\":\"k\"," N_E "}]}", 0, "keys=1 usable=0"},
        {"{\"keys\":[{\"kid\":\"k\"," N_E "}]}", 0, "keys=1 usable=0"},
        {"{\"keys\":[{\"kty\":\"RSA\"," N_E "}]}", 0, "keys=1 usable=0"},
        {"{\"keys\":[{\"kty\":\"RSA\",\"kid\":7," N_E "}]}", 0, "keys=1 usable=0"},
        {"{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"k\",\"use\":\"enc\"," N_E "}]}", 0, "keys=1 usable=0"},
        {"{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"k\",\"use\":null," N_E "}]}", 0, "keys=1 usable=0"},
        {"{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"k\",\"alg\":\"RS512\"," N_E "}]}", 0, "keys=1 usable=0"},
        {"{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"k\",\"n\":\"%s\"}]}", 0, "keys=1 usable=0"},
        {"{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"k\",\"n\":\"%s=\",\"e\":\"%s\"}]}", 0, "keys=1 usable=0"},
        /* exponents 1, 2, none, and one of nine bytes */
        {"{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"k\",\"n\":\"%s\",\"e\":\"AQ\"}]}", 0, "keys=1 usable=0"},
        {"{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"k\",\"n\":\"%s\",\"e\":\"Ag\"}]}", 0, "keys=1 usable=0"},
        {"{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"k\",\"n\":\"%s\",\"e\":\"\"}]}", 0, "keys=1 usable=0"},
        {"{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"k\",\"n\":\"%s\",\"e\":\"AQAAAAAAAAAB\"}]}", 0, "keys=1 usable=0"},
        {"{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"k\",\"n\":\"%s\",\"e\":\"Aw\"}]}", 1, ""},

        {"{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"k\",\"kid\":\"l\"," N_E "}]}", 0, "not a key set"},
        {"{\"keys\":{}}", 0, "not a key set"},
        {"{}", 0, "not a key set"},
        {"[]", 0, "not a key set"},
        {"", 0, "not a key set"},
        {"{\"keys\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16]}", 0, "keys=16 usable=0"},
        {"{\"keys\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]}", 0, "keys=17 most=16"},
    };
    const struct fixture *fixture = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct jwks set;
        struct result result;
        bool read = read_set(&set, fixture->key, rows[i].text, &result);

        if (read != (rows[i].count > 0) || set.count != rows[i].count)
            fail_msg("%s: %zu keys, %s", rows[i].text, set.count, result.detail);
        if (!read) {
            assert_int_equal(result.error, ERR_BAD_KEYS);
            assert_string_equal(result.detail, rows[i].reason);
        }
        jwks_free(&set);
    }
}

static void keys_have_a_least_and_a_most_size(void **state)
{
    static const char format[] = "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"k\"," N_E "}]}";
    /* A number of that many bytes is no key, but nothing looks for its factors. */
    static const struct {
        size_t bytes;
        bool taken;
    } rows[] = {{255, false}, {256, true}, {1024, true}, {1025, false}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        unsigned char number[1025];
        struct jwks set = {.count = 0};
        struct result result;
        char *n, *text = NULL;

        memset(number, 0xa5, sizeof number);
        n = encode(number, rows[i].bytes);
        assert_true(asprintf(&text, format, n, "AQAB") > 0);
        assert_int_equal(jwks_parse(&set, text, strlen(text), &result), rows[i].taken);
        jwks_free(&set);
        free(text);
        free(n);
    }
}

static void keys_are_found_by_their_whole_id(void **state)
{
    const struct fixture *fixture = *state;

    assert_non_null(jwks_find(&fixture->keys, "k1"));
    assert_null(jwks_find(&fixture->keys, "k"));
    assert_null(jwks_find(&fixture->keys, "k12"));
    assert_null(jwks_find(&fixture->keys, ""));
}

/* RFC 4648, section 10, and what must not pass for it. */
static void base64url_is_canonical(void **state)
{
    static const struct {
        const char *text, *bytes;
    } good[] = {
        {"", ""}, {"Zg", "f"}, {"Zm8", "fo"}, {"Zm9v", "foo"}, {"Zm9vYmFy", "foobar"}, {"-_-_", "\xfb\xff\xbf"}};
    static const char *const bad[] = {"A",   "Zm9vA",  "/w",    "+w",    "Zg==", "Zg=",    "Zh",
                                      "Zm9", "Zm9v\n", " Zm9v", "Z m9v", "+/+/", "Zm9\xc3"};
    struct secret bytes = {NULL, 0};

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        assert_true(base64url_decode(good[i].text, strlen(good[i].text), &bytes));
        assert_string_equal(bytes.bytes, good[i].bytes);
        assert_int_equal(bytes.length, strlen(good[i].bytes));
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        if (base64url_decode(bad[i], strlen(bad[i]), &bytes))
            fail_msg("taken: %s", bad[i]);
        assert_null(bytes.bytes);
    }
    assert_true(base64_encode((const unsigned char *)"\xfb\xff\xbf!", 4, &bytes));
    assert_string_equal(bytes.bytes, "+/+/IQ==");
    secret_free(&bytes);
}

/* Each check of `token` as "name outcome ", in their order. Valid until the next call. */
static const char *explanation(const char *token, const struct token_rules *rules)
{
    static char text[1024];
    struct checks checks;
    struct token_rules explain = *rules;
    struct result result;
    size_t length = 0;

    explain.checks = &checks;
    result_begin(&result);
    token_check(token, &explain, &result);
    checks_report(&checks, &result);
    for (size_t i = 0; i + 3 < result.choice_count; i += 4)
        length +=
            (size_t)snprintf(text + length, sizeof text - length, "%s %s ", result.choices[i], result.choices[i + 1]);
    return text;
}

static void every_check_is_told(void **state)
{
    const struct fixture *fixture = *state;
    const struct token_rules rules = rules_of(fixture);
    const struct {
        EVP_PKEY *key;
        const char *header, *claims, *outcomes;
    } rows[] = {
        {fixture->key, HEAD, "{" ISS "," REST "}",
         "alg ok kid ok signature ok iss ok client_id ok token_use ok exp ok scope ok username ok "},
        {fixture->key, HEAD, "{\"username\":\"bob\"}",
         "alg ok kid ok signature ok iss refused client_id refused token_use refused exp refused scope refused "
         "username refused "},
        {fixture->stranger, HEAD, "{" ISS "," CID "," USE ",\"exp\":1," SCO "," USER "}",
         "alg ok kid ok signature refused iss unverified client_id unverified token_use unverified "
         "exp refused-unverified scope unverified username unverified "},
        {fixture->key, "{\"kid\":\"k2\"," ALG "}", "{" ISS "," REST "}",
         "alg ok kid refused iss unverified client_id unverified token_use unverified exp unverified scope unverified "
         "username unverified "},
        {fixture->key, "{" KID ",\"alg\":\"none\"}", "[]", "alg refused claims refused-unverified "},
        {fixture->key, "{" KID "," ALG ",\"crit\":null}", "[]", "alg ok crit refused claims refused-unverified "},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        char *token = sign_text(rows[i].key, rows[i].header, rows[i].claims);

        assert_string_equal(explanation(token, &rules), rows[i].outcomes);
        free(token);
    }
    assert_string_equal(explanation("no token", &rules), "token refused ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_decide),
        cmocka_unit_test(a_nul_byte_in_the_claims_is_refused),
        cmocka_unit_test(the_user_is_matched),
        cmocka_unit_test(an_empty_expectation_matches_nothing),
        cmocka_unit_test(the_signature_must_be_the_pools),
        cmocka_unit_test(every_check_is_told),
        cmocka_unit_test(the_form_is_exact),
        cmocka_unit_test(tokens_have_a_most_length),
        cmocka_unit_test(key_sets_are_read),
        cmocka_unit_test(keys_have_a_least_and_a_most_size),
        cmocka_unit_test(keys_are_found_by_their_whole_id),
        cmocka_unit_test(base64url_is_canonical),
    };

    return cmocka_run_group_tests_name("helper_token", tests, make_keys, free_keys);
}
