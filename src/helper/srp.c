#include "helper/srp.h"

#include "helper/base64.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GROUP_BITS 3072
/* The group's largest number as pad() writes it. */
#define PADDED_MOST (GROUP_BITS / 8 + 1)
#define GENERATOR   2
/* As long as that of AWS's own clients. */
#define PRIVATE_KEY 128
#define HASH        32
#define DERIVED_KEY 16
/* The info and the counter of HKDF's first and only block (RFC 5869, section 2.3). */
#define DERIVED_INFO "Caldera Derived Key\x01"

#define SALT_DIGITS_MOST 256
/* Leading zeros count, so that a fixed width and Java's sign byte are taken. */
#define SRP_B_DIGITS_MOST (2 * PADDED_MOST)
#define SECRET_BLOCK_MOST 4096

/* The letters are those of RFC 5054, section 2.6. `a` is the secret one. */
struct srp {
    BIGNUM *N, *a, *A;
    char *public_key; /* A, as it is sent */
};

/* The challenge once it is read; what is computed from it lies in a BN_CTX. */
struct reply {
    BIGNUM *salt, *B;
    struct secret block;
};

struct part {
    const void *bytes;
    size_t length;
};

static struct part text_part(const char *text)
{
    return (struct part){text, strlen(text)};
}

static bool hash(const struct part *parts, size_t count, unsigned char out[HASH])
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool made = context != NULL && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1;

    for (size_t i = 0; made && i < count; i++)
        made = EVP_DigestUpdate(context, parts[i].bytes, parts[i].length) == 1;
    made = made && EVP_DigestFinal_ex(context, out, NULL) == 1;
    EVP_MD_CTX_free(context);
    return made;
}

/* HMAC-SHA256 (RFC 2104). */
static bool hmac(struct part key, const struct part *parts, size_t count, unsigned char out[HASH])
{
    char digest[] = "SHA256";
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    EVP_MAC *mac = EVP_MAC_fetch(NULL, OSSL_MAC_NAME_HMAC, NULL);
    EVP_MAC_CTX *context = mac == NULL ? NULL : EVP_MAC_CTX_new(mac);
    bool made = context != NULL && EVP_MAC_init(context, key.bytes, key.length, parameters) == 1;
    size_t length = 0;

    for (size_t i = 0; made && i < count; i++)
        made = EVP_MAC_update(context, parts[i].bytes, parts[i].length) == 1;
    made = made && EVP_MAC_final(context, out, &length, HASH) == 1 && length == HASH;
    EVP_MAC_CTX_free(context);
    EVP_MAC_free(mac);
    return made;
}

/* Writes a number as Cognito hashes it, as Java's BigInteger.toByteArray() gives it: no longer than it must be, but
 * with a leading zero bit. RFC 5054's PAD() would be as long as N. Returns the part, which lies in `out`; its length is
 * 0 if the number is too large. */
static struct part pad(const BIGNUM *number, unsigned char out[PADDED_MOST])
{
    int length = BN_num_bits(number) / 8 + 1;

    if (length > PADDED_MOST || BN_bn2binpad(number, out, length) != length)
        return (struct part){out, 0};
    return (struct part){out, (size_t)length};
}

/* number = H(PAD(first) | PAD(second)). Both are public. */
static bool hash_numbers(const BIGNUM *first, const BIGNUM *second, BIGNUM *number)
{
    unsigned char bytes[2][PADDED_MOST], digest[HASH];
    const struct part parts[] = {pad(first, bytes[0]), pad(second, bytes[1])};

    return parts[0].length > 0 && parts[1].length > 0 && hash(parts, 2, digest) &&
           BN_bin2bn(digest, sizeof digest, number) != NULL;
}

/* x = H(PAD(salt) | H(pool name | user id | ":" | password)). */
static bool hash_password(const char *pool_name, const char *user_id, const char *password, const BIGNUM *salt,
                          BIGNUM *x)
{
    const struct part identity[] = {text_part(pool_name), text_part(user_id), text_part(":"), text_part(password)};
    unsigned char padded[PADDED_MOST], inner[HASH], outer[HASH];
    const struct part salted[] = {pad(salt, padded), {inner, sizeof inner}};
    bool made = salted[0].length > 0 && hash(identity, 4, inner) && hash(salted, 2, outer) &&
                BN_bin2bn(outer, sizeof outer, x) != NULL;

    explicit_bzero(inner, sizeof inner);
    explicit_bzero(outer, sizeof outer);
    return made;
}

/* result = base ^ exponent mod N, in time that depends on neither the bits of the exponent nor the base. */
static bool power(BIGNUM *result, const BIGNUM *base, BIGNUM *exponent, const BIGNUM *N, BN_CTX *numbers)
{
    BN_set_flags(exponent, BN_FLG_CONSTTIME);
    return BN_mod_exp_mont_consttime(result, base, exponent, N, numbers, NULL) == 1;
}

/* S = (B - k * g^x) ^ (a + u * x) mod N. */
static bool shared_secret(const struct srp *srp, const BIGNUM *B, const BIGNUM *u, BIGNUM *x, BIGNUM *S,
                          BN_CTX *numbers)
{
    BIGNUM *g = BN_CTX_get(numbers), *k = BN_CTX_get(numbers), *base = BN_CTX_get(numbers);
    BIGNUM *exponent = BN_CTX_get(numbers);

    /* The last one is NULL when any is. */
    return exponent != NULL && BN_set_word(g, GENERATOR) == 1 && hash_numbers(srp->N, g, k) &&
           power(base, g, x, srp->N, numbers) && BN_mod_mul(base, k, base, srp->N, numbers) == 1 &&
           BN_mod_sub(base, B, base, srp->N, numbers) == 1 && BN_mul(exponent, u, x, numbers) == 1 &&
           BN_add(exponent, exponent, srp->a) == 1 && power(S, base, exponent, srp->N, numbers);
}

/* HKDF (RFC 5869) with PAD(u) as the salt and PAD(S) as the input, cut to 16 bytes. */
static bool derive_key(const BIGNUM *u, const BIGNUM *S, unsigned char key[DERIVED_KEY])
{
    unsigned char salt[PADDED_MOST], input[PADDED_MOST], extracted[HASH], expanded[HASH];
    const struct part secret = pad(S, input), info = text_part(DERIVED_INFO);
    bool made = secret.length > 0 && hmac(pad(u, salt), &secret, 1, extracted) &&
                hmac((struct part){extracted, sizeof extracted}, &info, 1, expanded);

    if (made)
        memcpy(key, expanded, DERIVED_KEY);
    explicit_bzero(input, sizeof input);
    explicit_bzero(extracted, sizeof extracted);
    explicit_bzero(expanded, sizeof expanded);
    return made;
}

/* The number that the digits of `text` are; NULL if they are no digits, none, or more than `most`. BN_hex2bn() would
 * take a sign, and what it can of the rest. Free with BN_free(). */
static BIGNUM *read_number(const char *text, size_t most)
{
    size_t length = text == NULL ? 0 : strnlen(text, most + 1);
    BIGNUM *number = NULL;

    if (length == 0 || length > most || strspn(text, "0123456789abcdefABCDEF") != length)
        return NULL;
    return BN_hex2bn(&number, text) == (int)length ? number : NULL;
}

/* A multiple of N is no public key: the client must give up (RFC 5054, section 2.5.3). */
static bool is_group_member(const BIGNUM *B, const BIGNUM *N)
{
    BN_CTX *numbers = BN_CTX_new();
    BIGNUM *rest = BN_new();
    bool is_member = numbers != NULL && rest != NULL && BN_num_bits(B) <= GROUP_BITS &&
                     BN_mod(rest, B, N, numbers) == 1 && !BN_is_zero(rest);

    BN_free(rest);
    BN_CTX_free(numbers);
    return is_member;
}

static bool read_secret_block(const char *text, struct secret *block)
{
    size_t most = (SECRET_BLOCK_MOST + 2) / 3 * 4;
    size_t length = text == NULL ? 0 : strnlen(text, most + 1);

    return length > 0 && length <= most && base64_decode(text, length, block) && block->length <= SECRET_BLOCK_MOST;
}

/* Reads the challenge into `reply`, to be freed whatever comes of it. */
static bool read_challenge(const struct srp *srp, const struct srp_challenge *challenge, struct reply *reply,
                           struct result *result)
{
    if (challenge->user_id == NULL || *challenge->user_id == '\0')
        return result_fail(result, ERR_UNPARSABLE, "USER_ID_FOR_SRP is absent");
    reply->salt = read_number(challenge->salt, SALT_DIGITS_MOST);
    if (reply->salt == NULL)
        return result_fail(result, ERR_UNPARSABLE, "SALT is not 1 to %d hexadecimal digits", SALT_DIGITS_MOST);
    reply->B = read_number(challenge->public_key, SRP_B_DIGITS_MOST);
    if (reply->B == NULL || !is_group_member(reply->B, srp->N))
        return result_fail(result, ERR_UNPARSABLE, "SRP_B is not a public key of %d bits", GROUP_BITS);
    if (!read_secret_block(challenge->secret_block, &reply->block))
        return result_fail(result, ERR_UNPARSABLE, "SECRET_BLOCK is not base 64 of 1 to %d bytes", SECRET_BLOCK_MOST);
    return true;
}

/* The key that both sides come to if the password is the user's. False if it cannot be had; `result` says why if it is
 * the challenge's fault. */
static bool agree(const struct srp *srp, const char *pool_name, const char *password, const char *user_id,
                  const struct reply *reply, unsigned char key[DERIVED_KEY], struct result *result)
{
    BN_CTX *numbers = BN_CTX_new();
    BIGNUM *u = NULL, *x = NULL, *S = NULL;
    bool agreed = false;

    if (numbers == NULL)
        return false;
    BN_CTX_start(numbers);
    u = BN_CTX_get(numbers);
    x = BN_CTX_get(numbers);
    S = BN_CTX_get(numbers);
    if (S == NULL || !hash_numbers(srp->A, reply->B, u))
        goto out;
    /* With u = 0, x would drop out of the exponent: SRP-6 has both sides give up then. */
    if (BN_is_zero(u)) {
        result_fail(result, ERR_UNPARSABLE, "SRP_B gives u = 0");
        goto out;
    }
    agreed = hash_password(pool_name, user_id, password, reply->salt, x) &&
             shared_secret(srp, reply->B, u, x, S, numbers) && derive_key(u, S, key);
out:
    BN_CTX_end(numbers);
    /* Erases all numbers that it lent. */
    BN_CTX_free(numbers);
    return agreed;
}

/* PASSWORD_CLAIM_SIGNATURE. */
static bool sign(const unsigned char key[DERIVED_KEY], const char *pool_name, const char *user_id,
                 const struct secret *block, const char *timestamp, struct secret *signature)
{
    const struct part claim[] = {
        text_part(pool_name),
        text_part(user_id),
        {block->bytes, block->length},
        text_part(timestamp),
    };
    unsigned char mac[HASH];

    return hmac((struct part){key, DERIVED_KEY}, claim, 4, mac) && base64_encode(mac, sizeof mac, signature);
}

bool srp_answer(const struct srp *srp, const char *pool_name, const char *password,
                const struct srp_challenge *challenge, const char *timestamp, struct secret *signature,
                struct result *result)
{
    struct reply reply = {.salt = NULL};
    unsigned char key[DERIVED_KEY];
    bool answered = false;

    secret_free(signature);
    /* For whatever follows and does not say it better. */
    result_fail(result, ERR_NO_MEMORY, "SRP");
    if (read_challenge(srp, challenge, &reply, result) &&
        agree(srp, pool_name, password, challenge->user_id, &reply, key, result))
        answered = sign(key, pool_name, challenge->user_id, &reply.block, timestamp, signature);
    explicit_bzero(key, sizeof key);
    secret_free(&reply.block);
    BN_free(reply.B);
    BN_free(reply.salt);
    ERR_clear_error();
    return answered;
}

/* A as AWS's clients send it; NULL when memory is short. Free with free(). */
static char *write_number(const BIGNUM *number)
{
    char *digits = BN_bn2hex(number);
    char *text = digits == NULL ? NULL : strdup(digits + strspn(digits, "0"));

    OPENSSL_free(digits);
    for (char *c = text; c != NULL && *c != '\0'; c++)
        if (*c >= 'A' && *c <= 'F')
            *c = (char)(*c - 'A' + 'a');
    return text;
}

/* Begins with the private key that the caller chose, which stays the caller's. NULL when memory is short. */
static struct srp *start_with(const unsigned char *a, size_t length)
{
    struct srp *srp = calloc(1, sizeof *srp);
    BN_CTX *numbers = BN_CTX_new();
    BIGNUM *g = BN_new();
    bool started = false;

    if (srp == NULL || numbers == NULL || g == NULL || BN_set_word(g, GENERATOR) != 1)
        goto out;
    /* RFC 5054's group of 3072 bits has this prime too. Its generator would be 5. */
    srp->N = BN_get_rfc3526_prime_3072(NULL);
    srp->a = BN_bin2bn(a, (int)length, NULL);
    srp->A = BN_new();
    if (srp->N == NULL || srp->a == NULL || srp->A == NULL || !power(srp->A, g, srp->a, srp->N, numbers))
        goto out;
    srp->public_key = write_number(srp->A);
    started = srp->public_key != NULL;
out:
    BN_free(g);
    BN_CTX_free(numbers);
    if (!started)
        srp_free(&srp);
    ERR_clear_error();
    return srp;
}

struct srp *srp_new(struct result *result)
{
    unsigned char a[PRIVATE_KEY];
    struct srp *srp = NULL;

    /* The kernel's, for it is the one that a process cannot have seeded badly. */
    if (getentropy(a, sizeof a) != 0) {
        result_fail(result, ERR_SYSTEM, "getentropy: %m");
        return NULL;
    }
    srp = start_with(a, sizeof a);
    explicit_bzero(a, sizeof a);
    if (srp == NULL)
        result_fail(result, ERR_NO_MEMORY, "SRP");
    return srp;
}

void srp_free(struct srp **srp)
{
    if (*srp == NULL)
        return;
    BN_free((*srp)->N);
    BN_clear_free((*srp)->a);
    BN_free((*srp)->A);
    free((*srp)->public_key);
    free(*srp);
    *srp = NULL;
}

const char *srp_public_key(const struct srp *srp)
{
    return srp->public_key;
}

const char *srp_pool_name(const char *user_pool_id)
{
    const char *separator = strchr(user_pool_id, '_');

    return separator == NULL || separator[1] == '\0' ? NULL : separator + 1;
}

bool srp_timestamp(time_t now, char out[SRP_TIMESTAMP_SIZE])
{
    /* strftime() would speak the language of the locale. */
    static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct tm utc;
    int length;

    if (gmtime_r(&now, &utc) == NULL || utc.tm_year < 1000 - 1900 || utc.tm_year > 9999 - 1900)
        return false;
    length = snprintf(out, SRP_TIMESTAMP_SIZE, "%s %s %d %02d:%02d:%02d UTC %d", days[utc.tm_wday], months[utc.tm_mon],
                      utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, utc.tm_year + 1900);
    return length > 0 && length < SRP_TIMESTAMP_SIZE;
}
