#include "fakes/memory.h"

#include <json-c/json.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static long calls, fault;
static int held;

void fake_memory(long nth)
{
    calls = 0;
    fault = nth;
}

void fake_memory_hold(int more)
{
    held += more;
}

static bool fails(void)
{
    return held == 0 && ++calls == fault;
}

/* A stand-in for one function: what it gives when it fails, its name, its parameters, and how they are passed on. */
#define FAILING(type, failure, name, parameters, arguments)                                                            \
    type fuzz_##name parameters;                                                                                       \
    type fuzz_##name parameters                                                                                        \
    {                                                                                                                  \
        return fails() ? failure : name arguments;                                                                     \
    }

FAILING(void *, NULL, malloc, (size_t size), (size))
FAILING(void *, NULL, calloc, (size_t count, size_t size), (count, size))
FAILING(void *, NULL, realloc, (void *memory, size_t size), (memory, size))
FAILING(void *, NULL, reallocarray, (void *memory, size_t count, size_t size), (memory, count, size))
FAILING(char *, NULL, strdup, (const char *text), (text))
FAILING(char *, NULL, strndup, (const char *text, size_t size), (text, size))
FAILING(struct json_object *, NULL, json_object_new_object, (void), ())
FAILING(struct json_object *, NULL, json_object_new_string, (const char *text), (text))
FAILING(struct json_tokener *, NULL, json_tokener_new_ex, (int depth), (depth))
FAILING(int, -1, json_object_object_add, (struct json_object * object, const char *name, struct json_object *child),
        (object, name, child))
FAILING(BIGNUM *, NULL, BN_new, (void), ())
FAILING(BN_CTX *, NULL, BN_CTX_new, (void), ())
FAILING(BIGNUM *, NULL, BN_get_rfc3526_prime_3072, (BIGNUM * number), (number))
FAILING(char *, NULL, BN_bn2hex, (const BIGNUM *number), (number))
FAILING(int, -1, BN_bn2binpad, (const BIGNUM *number, unsigned char *bytes, int length), (number, bytes, length))
FAILING(int, 0, BN_hex2bn, (BIGNUM * *number, const char *text), (number, text))
FAILING(int, 0, BN_set_word, (BIGNUM * number, BN_ULONG word), (number, word))
FAILING(int, 0, BN_add, (BIGNUM * sum, const BIGNUM *a, const BIGNUM *b), (sum, a, b))
FAILING(int, 0, BN_mul, (BIGNUM * product, const BIGNUM *a, const BIGNUM *b, BN_CTX *context), (product, a, b, context))
FAILING(int, 0, BN_mod_mul,
        (BIGNUM * product, const BIGNUM *a, const BIGNUM *b, const BIGNUM *modulus, BN_CTX *context),
        (product, a, b, modulus, context))
FAILING(int, 0, BN_mod_sub, (BIGNUM * rest, const BIGNUM *a, const BIGNUM *b, const BIGNUM *modulus, BN_CTX *context),
        (rest, a, b, modulus, context))
FAILING(int, 0, BN_mod_exp_mont_consttime,
        (BIGNUM * power, const BIGNUM *base, const BIGNUM *exponent, const BIGNUM *modulus, BN_CTX *context,
         BN_MONT_CTX *montgomery),
        (power, base, exponent, modulus, context, montgomery))
FAILING(BIGNUM *, NULL, BN_bin2bn, (const unsigned char *bytes, int length, BIGNUM *number), (bytes, length, number))
FAILING(EVP_MD_CTX *, NULL, EVP_MD_CTX_new, (void), ())
FAILING(int, 0, EVP_DigestInit_ex, (EVP_MD_CTX * context, const EVP_MD *digest, ENGINE *engine),
        (context, digest, engine))
FAILING(int, 0, EVP_DigestUpdate, (EVP_MD_CTX * context, const void *bytes, size_t length), (context, bytes, length))
FAILING(int, 0, EVP_DigestFinal_ex, (EVP_MD_CTX * context, unsigned char *out, unsigned int *length),
        (context, out, length))
FAILING(int, 0, EVP_DigestVerifyInit,
        (EVP_MD_CTX * context, EVP_PKEY_CTX **key_context, const EVP_MD *digest, ENGINE *engine, EVP_PKEY *key),
        (context, key_context, digest, engine, key))
FAILING(EVP_MAC *, NULL, EVP_MAC_fetch, (OSSL_LIB_CTX * library, const char *name, const char *properties),
        (library, name, properties))
FAILING(EVP_MAC_CTX *, NULL, EVP_MAC_CTX_new, (EVP_MAC * mac), (mac))
FAILING(int, 0, EVP_MAC_init,
        (EVP_MAC_CTX * context, const unsigned char *key, size_t length, const OSSL_PARAM *parameters),
        (context, key, length, parameters))
FAILING(int, 0, EVP_MAC_update, (EVP_MAC_CTX * context, const unsigned char *bytes, size_t length),
        (context, bytes, length))
FAILING(int, 0, EVP_MAC_final, (EVP_MAC_CTX * context, unsigned char *out, size_t *length, size_t size),
        (context, out, length, size))
FAILING(EVP_PKEY_CTX *, NULL, EVP_PKEY_CTX_new_from_name,
        (OSSL_LIB_CTX * library, const char *name, const char *properties), (library, name, properties))
FAILING(int, 0, EVP_PKEY_fromdata, (EVP_PKEY_CTX * context, EVP_PKEY **key, int selection, OSSL_PARAM *parameters),
        (context, key, selection, parameters))
FAILING(OSSL_PARAM_BLD *, NULL, OSSL_PARAM_BLD_new, (void), ())
FAILING(OSSL_PARAM *, NULL, OSSL_PARAM_BLD_to_param, (OSSL_PARAM_BLD * builder), (builder))
FAILING(int, 0, OSSL_PARAM_BLD_push_BN, (OSSL_PARAM_BLD * builder, const char *key, const BIGNUM *number),
        (builder, key, number))
FAILING(int, 0, EVP_PKEY_fromdata_init, (EVP_PKEY_CTX * context), (context))
FAILING(unsigned char *, NULL, HMAC,
        (const EVP_MD *digest, const void *key, int key_length, const unsigned char *text, size_t length,
         unsigned char *mac, unsigned int *mac_length),
        (digest, key, key_length, text, length, mac, mac_length))

__attribute__((format(printf, 2, 3))) int fuzz_asprintf(char **out, const char *format, ...);

int fuzz_asprintf(char **out, const char *format, ...)
{
    va_list arguments;
    int length;

    if (fails())
        return -1;
    va_start(arguments, format);
    length = vasprintf(out, format, arguments);
    va_end(arguments);
    return length;
}
