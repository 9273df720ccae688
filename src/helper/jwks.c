#include "helper/jwks.h"

#include "common/secret.h"
#include "helper/base64.h"
#include "helper/json.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <stdlib.h>
#include <string.h>

#define MODULUS_BITS_LEAST 2048
#define MODULUS_BITS_MOST  8192
/* OpenSSL's own bound for large moduli: a longer exponent buys nothing and costs time. */
#define EXPONENT_BITS_MOST 64

/* The member's number, base64url of its big-endian bytes; NULL if it has none. Free with BN_free(). */
static BIGNUM *number_member(struct json_object *jwk, const char *name)
{
    const char *text = json_string(jwk, name);
    struct secret bytes = {NULL, 0};
    BIGNUM *number = NULL;

    if (text != NULL && base64url_decode(text, strlen(text), &bytes))
        number = BN_bin2bn((const unsigned char *)bytes.bytes, (int)bytes.length, NULL);
    secret_free(&bytes);
    return number;
}

static bool are_safe(const BIGNUM *modulus, const BIGNUM *exponent)
{
    return modulus != NULL && exponent != NULL && BN_num_bits(modulus) >= MODULUS_BITS_LEAST &&
           BN_num_bits(modulus) <= MODULUS_BITS_MOST && BN_is_odd(modulus) && BN_is_odd(exponent) &&
           !BN_is_one(exponent) && BN_num_bits(exponent) <= EXPONENT_BITS_MOST;
}

/* NULL when libcrypto wants no such key, or memory is short. Free with EVP_PKEY_free(). */
static EVP_PKEY *public_key(const BIGNUM *modulus, const BIGNUM *exponent)
{
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    OSSL_PARAM *parameters = NULL;
    EVP_PKEY *key = NULL;

    if (builder == NULL || context == NULL)
        goto out;
    if (OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, modulus) != 1 ||
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, exponent) != 1)
        goto out;
    parameters = OSSL_PARAM_BLD_to_param(builder);
    if (parameters == NULL || EVP_PKEY_fromdata_init(context) != 1)
        goto out;
    if (EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1)
        key = NULL;
out:
    OSSL_PARAM_free(parameters);
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_BLD_free(builder);
    return key;
}

/* True if the member is absent or is that string. */
static bool is_absent_or(struct json_object *jwk, const char *name, const char *wanted)
{
    const char *value = json_string(jwk, name);

    return !json_has(jwk, name) || (value != NULL && strcmp(value, wanted) == 0);
}

/* The key of one member of the set; NULL if it is not for checking RS256 signatures. */
static EVP_PKEY *usable_key(struct json_object *jwk)
{
    const char *kty = json_string(jwk, "kty");
    BIGNUM *modulus = NULL, *exponent = NULL;
    EVP_PKEY *key = NULL;

    if (kty == NULL || strcmp(kty, "RSA") != 0)
        return NULL;
    if (!is_absent_or(jwk, "use", "sig") || !is_absent_or(jwk, "alg", "RS256"))
        return NULL;
    modulus = number_member(jwk, "n");
    exponent = number_member(jwk, "e");
    if (are_safe(modulus, exponent))
        key = public_key(modulus, exponent);
    BN_free(exponent);
    BN_free(modulus);
    return key;
}

static bool add_keys(struct jwks *set, struct json_object *keys)
{
    for (size_t i = 0; i < json_object_array_length(keys); i++) {
        struct json_object *jwk = json_object_array_get_idx(keys, i);
        const char *kid = json_string(jwk, "kid");
        EVP_PKEY *key = kid == NULL ? NULL : usable_key(jwk);

        if (key == NULL)
            continue;
        set->keys[set->count].key = key;
        set->keys[set->count].kid = strdup(kid);
        if (set->keys[set->count++].kid == NULL)
            return false;
    }
    return set->count > 0;
}

bool jwks_parse(struct jwks *set, const char *text, size_t length, struct result *result)
{
    struct json_object *document = json_parse(text, length);
    struct json_object *keys = NULL;
    bool read = false;

    json_object_object_get_ex(document, "keys", &keys);
    if (document == NULL || !json_object_is_type(keys, json_type_array)) {
        result_fail(result, ERR_BAD_KEYS, "not a key set");
        goto out;
    }
    if (json_object_array_length(keys) > JWKS_MAX) {
        result_fail(result, ERR_BAD_KEYS, "keys=%zu most=%d", json_object_array_length(keys), JWKS_MAX);
        goto out;
    }
    read = add_keys(set, keys);
    if (!read) {
        result_fail(result, ERR_BAD_KEYS, "keys=%zu usable=0", json_object_array_length(keys));
        jwks_free(set);
    }
out:
    json_object_put(document);
    return read;
}

EVP_PKEY *jwks_find(const struct jwks *set, const char *kid)
{
    for (size_t i = 0; i < set->count; i++)
        if (strcmp(set->keys[i].kid, kid) == 0)
            return set->keys[i].key;
    return NULL;
}

void jwks_free(struct jwks *set)
{
    for (size_t i = 0; i < set->count; i++) {
        EVP_PKEY_free(set->keys[i].key);
        free(set->keys[i].kid);
    }
    *set = (struct jwks){.count = 0};
}
