/*
 * Wrappers for libcrypto, by the section CRYPTO of calls.def.
 */
#include "inject.h"

#include <errno.h>
#include <openssl/bn.h>
#include <openssl/core.h>
#include <openssl/decoder.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/param_build.h>

#define LIBC(name, value, failures)
#define PAM(name, value, failures)
#define CURL(name, value, failures)
#define JSON(name, value, failures)
#define CRYPTO(name, value, failures) ROW(name, value, failures)
#define SECCOMP(name, value, failures)
#define FREES(name)
#define ALSO(name)
#include "calls.def"

WRAP_TAKEN(BIGNUM, BN_new, (void), (), "BIGNUM")
WRAP_TAKEN(BN_CTX, BN_CTX_new, (void), (), "BN_CTX")
WRAP(int, BN_add, (BIGNUM * r, const BIGNUM *a, const BIGNUM *b), (r, a, b))
WRAP(int, BN_mul, (BIGNUM * r, const BIGNUM *a, const BIGNUM *b, BN_CTX *numbers), (r, a, b, numbers))
WRAP(int, BN_div, (BIGNUM * quotient, BIGNUM *rest, const BIGNUM *a, const BIGNUM *b, BN_CTX *numbers),
     (quotient, rest, a, b, numbers))
WRAP(int, BN_mod_mul, (BIGNUM * r, const BIGNUM *a, const BIGNUM *b, const BIGNUM *m, BN_CTX *numbers),
     (r, a, b, m, numbers))
WRAP(int, BN_mod_sub, (BIGNUM * r, const BIGNUM *a, const BIGNUM *b, const BIGNUM *m, BN_CTX *numbers),
     (r, a, b, m, numbers))
WRAP(int, BN_mod_exp_mont_consttime,
     (BIGNUM * r, const BIGNUM *a, const BIGNUM *p, const BIGNUM *m, BN_CTX *numbers, BN_MONT_CTX *mont),
     (r, a, p, m, numbers, mont))
WRAP(int, BN_set_word, (BIGNUM * number, BN_ULONG word), (number, word))
WRAP(int, BN_bn2binpad, (const BIGNUM *number, unsigned char *bytes, int length), (number, bytes, length))
WRAP_TAKEN(char, BN_bn2hex, (const BIGNUM *number), (number), "digits")
WRAP_GIVEN(BN_free, BIGNUM)
WRAP_GIVEN(BN_clear_free, BIGNUM)

/* What they make when they are given no place is taken; in a place of the caller's nothing is. */

BIGNUM *__real_BN_bin2bn(const unsigned char *bytes, int length, BIGNUM *place);
BIGNUM *__wrap_BN_bin2bn(const unsigned char *bytes, int length, BIGNUM *place);
BIGNUM *__wrap_BN_bin2bn(const unsigned char *bytes, int length, BIGNUM *place)
{
    const struct failure *failure = NEXT(BN_bin2bn);
    BIGNUM *number;

    if (failure != NULL)
        return (BIGNUM *)FAIL(BN_bin2bn, failure);
    number = __real_BN_bin2bn(bytes, length, place);
    return place == NULL ? TAKEN(number, "BIGNUM") : number;
}

BIGNUM *__real_BN_get_rfc3526_prime_3072(BIGNUM *place);
BIGNUM *__wrap_BN_get_rfc3526_prime_3072(BIGNUM *place);
BIGNUM *__wrap_BN_get_rfc3526_prime_3072(BIGNUM *place)
{
    const struct failure *failure = NEXT(BN_get_rfc3526_prime_3072);
    BIGNUM *number;

    if (failure != NULL)
        return (BIGNUM *)FAIL(BN_get_rfc3526_prime_3072, failure);
    number = __real_BN_get_rfc3526_prime_3072(place);
    return place == NULL ? TAKEN(number, "BIGNUM") : number;
}

int __real_BN_hex2bn(BIGNUM **number, const char *digits);
int __wrap_BN_hex2bn(BIGNUM **number, const char *digits);
int __wrap_BN_hex2bn(BIGNUM **number, const char *digits)
{
    const struct failure *failure = NEXT(BN_hex2bn);
    bool made = *number == NULL;
    int length;

    if (failure != NULL)
        return failure->number;
    length = __real_BN_hex2bn(number, digits);
    if (made)
        TAKEN(*number, "BIGNUM");
    return length;
}

/* A context that has nothing to lend says so until it is freed: BN_CTX_get(3). */
static BN_CTX *exhausted;

BIGNUM *__real_BN_CTX_get(BN_CTX *numbers);
BIGNUM *__wrap_BN_CTX_get(BN_CTX *numbers);
BIGNUM *__wrap_BN_CTX_get(BN_CTX *numbers)
{
    const struct failure *failure = NEXT(BN_CTX_get);

    if (failure != NULL)
        exhausted = numbers;
    return exhausted == numbers ? NULL : __real_BN_CTX_get(numbers);
}

void __real_BN_CTX_free(BN_CTX *numbers);
void __wrap_BN_CTX_free(BN_CTX *numbers);
void __wrap_BN_CTX_free(BN_CTX *numbers)
{
    exhausted = NULL;
    inject_given(numbers);
    __real_BN_CTX_free(numbers);
}

void __real_CRYPTO_free(void *memory, const char *file, int line);
void __wrap_CRYPTO_free(void *memory, const char *file, int line);
void __wrap_CRYPTO_free(void *memory, const char *file, int line)
{
    inject_given(memory);
    __real_CRYPTO_free(memory, file, line);
}

WRAP(unsigned char *, HMAC,
     (const EVP_MD *hash, const void *key, int key_length, const unsigned char *bytes, size_t length,
      unsigned char *out, unsigned int *out_length),
     (hash, key, key_length, bytes, length, out, out_length))

WRAP_TAKEN(EVP_MD_CTX, EVP_MD_CTX_new, (void), (), "EVP_MD_CTX")
WRAP(int, EVP_DigestInit_ex, (EVP_MD_CTX * context, const EVP_MD *hash, ENGINE *engine), (context, hash, engine))
WRAP(int, EVP_DigestUpdate, (EVP_MD_CTX * context, const void *bytes, size_t length), (context, bytes, length))
WRAP(int, EVP_DigestFinal_ex, (EVP_MD_CTX * context, unsigned char *out, unsigned int *length), (context, out, length))
WRAP(int, EVP_DigestVerifyInit,
     (EVP_MD_CTX * context, EVP_PKEY_CTX **keys, const EVP_MD *hash, ENGINE *engine, EVP_PKEY *key),
     (context, keys, hash, engine, key))
WRAP(int, EVP_DigestVerify,
     (EVP_MD_CTX * context, const unsigned char *signature, size_t size, const unsigned char *bytes, size_t length),
     (context, signature, size, bytes, length))
WRAP_GIVEN(EVP_MD_CTX_free, EVP_MD_CTX)

/* An algorithm, of one of libcrypto's kinds. */
#define WRAP_FETCH(kind)                                                                                               \
    WRAP_TAKEN(kind, kind##_fetch, (OSSL_LIB_CTX * library, const char *name, const char *properties),                 \
               (library, name, properties), #kind)                                                                     \
    WRAP_GIVEN(kind##_free, kind)

WRAP_FETCH(EVP_MD)
WRAP_FETCH(EVP_KDF)
WRAP_FETCH(EVP_KEYEXCH)
WRAP_FETCH(EVP_MAC)
WRAP_FETCH(EVP_SIGNATURE)
WRAP_FETCH(OSSL_DECODER)

WRAP_TAKEN(EVP_MAC_CTX, EVP_MAC_CTX_new, (EVP_MAC * mac), (mac), "EVP_MAC_CTX")
WRAP(int, EVP_MAC_init, (EVP_MAC_CTX * context, const unsigned char *key, size_t length, const OSSL_PARAM params[]),
     (context, key, length, params))
WRAP(int, EVP_MAC_update, (EVP_MAC_CTX * context, const unsigned char *bytes, size_t length), (context, bytes, length))
WRAP(int, EVP_MAC_final, (EVP_MAC_CTX * context, unsigned char *out, size_t *length, size_t size),
     (context, out, length, size))
WRAP_GIVEN(EVP_MAC_CTX_free, EVP_MAC_CTX)

WRAP_TAKEN(EVP_PKEY_CTX, EVP_PKEY_CTX_new_from_name, (OSSL_LIB_CTX * library, const char *name, const char *properties),
           (library, name, properties), "EVP_PKEY_CTX")
WRAP(int, EVP_PKEY_fromdata_init, (EVP_PKEY_CTX * context), (context))
WRAP(int, EVP_PKEY_get_size, (const EVP_PKEY *key), (key))
WRAP_GIVEN(EVP_PKEY_free, EVP_PKEY)
WRAP_GIVEN(EVP_PKEY_CTX_free, EVP_PKEY_CTX)

int __real_EVP_PKEY_fromdata(EVP_PKEY_CTX *context, EVP_PKEY **key, int selection, OSSL_PARAM params[]);
int __wrap_EVP_PKEY_fromdata(EVP_PKEY_CTX *context, EVP_PKEY **key, int selection, OSSL_PARAM params[]);
int __wrap_EVP_PKEY_fromdata(EVP_PKEY_CTX *context, EVP_PKEY **key, int selection, OSSL_PARAM params[])
{
    const struct failure *failure = NEXT(EVP_PKEY_fromdata);
    int result;

    if (failure != NULL)
        return failure->number;
    result = __real_EVP_PKEY_fromdata(context, key, selection, params);
    if (result == 1)
        TAKEN(*key, "EVP_PKEY");
    return result;
}

WRAP_TAKEN(OSSL_PARAM_BLD, OSSL_PARAM_BLD_new, (void), (), "OSSL_PARAM_BLD")
WRAP(int, OSSL_PARAM_BLD_push_BN, (OSSL_PARAM_BLD * builder, const char *name, const BIGNUM *number),
     (builder, name, number))
WRAP_TAKEN(OSSL_PARAM, OSSL_PARAM_BLD_to_param, (OSSL_PARAM_BLD * builder), (builder), "OSSL_PARAM")
WRAP_GIVEN(OSSL_PARAM_free, OSSL_PARAM)
WRAP_GIVEN(OSSL_PARAM_BLD_free, OSSL_PARAM_BLD)
