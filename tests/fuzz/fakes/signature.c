#include "fakes/signature.h"

#include "fakes/memory.h"

#include "helper/base64.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define KEY_BYTES 256

time_t time(time_t *now)
{
    if (now != NULL)
        *now = FAKE_NOW;
    return FAKE_NOW;
}

int EVP_DigestVerify(EVP_MD_CTX *context, const unsigned char *signature, size_t length, const unsigned char *text,
                     size_t text_length)
{
    (void)context;
    (void)text;
    (void)text_length;
    for (size_t i = 0; i < length; i++)
        if (signature[i] != 0)
            return 0;
    return length == KEY_BYTES;
}

void fake_base64url(const char *text, size_t length, struct secret *out)
{
    char *end;

    fake_memory_hold(1);
    if (!base64_encode((const unsigned char *)text, length, out))
        abort();
    fake_memory_hold(-1);
    for (char *at = out->bytes; *at != '\0'; at++)
        *at = *at == '+' ? '-' : *at == '/' ? '_' : *at;
    end = strchr(out->bytes, '=');
    if (end != NULL)
        *end = '\0';
    out->length = strlen(out->bytes);
}

/* The modulus is the largest number of its length. Nobody checks that it has two factors. */
char *fake_key_set(void)
{
    char modulus[KEY_BYTES];
    struct secret text = {NULL, 0};
    char *set;

    memset(modulus, 0xff, sizeof modulus);
    fake_base64url(modulus, sizeof modulus, &text);
    if (asprintf(&set, "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"" FAKE_KID "\",\"e\":\"AQAB\",\"n\":\"%s\"}]}",
                 text.bytes) < 0)
        abort();
    secret_free(&text);
    return set;
}

const struct jwks *fake_keys(void)
{
    static struct jwks keys;
    struct result result;
    char *set;

    if (keys.count > 0)
        return &keys;
    set = fake_key_set();
    fake_memory_hold(1);
    if (!jwks_parse(&keys, set, strlen(set), &result))
        abort();
    fake_memory_hold(-1);
    free(set);
    return &keys;
}

char *fake_token(const char *header, const char *claims)
{
    static const char zeros[KEY_BYTES];
    struct secret parts[3] = {{NULL, 0}, {NULL, 0}, {NULL, 0}};
    char *token;

    fake_base64url(header, strlen(header), &parts[0]);
    fake_base64url(claims, strlen(claims), &parts[1]);
    fake_base64url(zeros, sizeof zeros, &parts[2]);
    if (asprintf(&token, "%s.%s.%s", parts[0].bytes, parts[1].bytes, parts[2].bytes) < 0)
        abort();
    for (size_t i = 0; i < 3; i++)
        secret_free(&parts[i]);
    return token;
}

char *fake_good_token(const char *username)
{
    char claims[512];

    snprintf(claims, sizeof claims,
             "{\"iss\":\"" FAKE_ISSUER "\",\"client_id\":\"" FAKE_CLIENT "\",\"token_use\":\"access\",\"exp\":%d,"
             "\"scope\":\"aws.cognito.signin.user.admin\",\"username\":\"%s\"}",
             FAKE_NOW + 1, username);
    return fake_token("{\"kid\":\"" FAKE_KID "\",\"alg\":\"RS256\"}", claims);
}
