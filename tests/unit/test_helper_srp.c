/* The client's side of SRP: design.md §4.2, wire.md "SRP". Vectors: tests/data/srp-vectors.json, by other programs. */
#include "unit.h"

#include <json-c/json.h>
#include <locale.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Two calls of srp.c, to be answered as no real one can be made to. */
static int digest_final(EVP_MD_CTX *context, unsigned char *digest, unsigned int *size);
static int entropy(void *bytes, size_t length);

/* The file itself, for what is tested here is not to be had from outside: a private key of the test's own choice. */
#define EVP_DigestFinal_ex digest_final
#define getentropy         entropy
#include "helper/srp.c"
#undef EVP_DigestFinal_ex
#undef getentropy

static bool next_digest_is_zero;
static bool no_entropy;
static size_t drawn;

static int digest_final(EVP_MD_CTX *context, unsigned char *digest, unsigned int *size)
{
    int done = EVP_DigestFinal_ex(context, digest, size);

    if (next_digest_is_zero)
        memset(digest, 0, HASH);
    next_digest_is_zero = false;
    return done;
}

static int entropy(void *bytes, size_t length)
{
    drawn += length;
    return no_entropy ? -1 : getentropy(bytes, length);
}

/* libcrypto's memory. A block knows its size, so that one can look into it when it is freed. */

#define HEAD            16
#define LOOKED_FOR_MOST 8

static unsigned char looked_for[LOOKED_FOR_MOST][8];
static size_t looked_for_count, found;
static long until_failure = -1; /* allocations, if not negative */

static void *memory_new(size_t size, const char *file, int line)
{
    char *block;

    (void)file;
    (void)line;
    if (until_failure >= 0 && until_failure-- == 0)
        return NULL;
    block = calloc(1, size + HEAD);
    if (block == NULL)
        return NULL;
    memcpy(block, &size, sizeof size);
    return block + HEAD;
}

static void memory_free(void *memory, const char *file, int line)
{
    size_t size;

    (void)file;
    (void)line;
    if (memory == NULL)
        return;
    memcpy(&size, (char *)memory - HEAD, sizeof size);
    for (size_t i = 0; i < looked_for_count; i++)
        found += memmem(memory, size, looked_for[i], 8) != NULL;
    free((char *)memory - HEAD);
}

static void *memory_resize(void *memory, size_t size, const char *file, int line)
{
    void *moved = memory_new(size, file, line);
    size_t had;

    if (memory == NULL || moved == NULL)
        return moved;
    memcpy(&had, (char *)memory - HEAD, sizeof had);
    memcpy(moved, memory, had < size ? had : size);
    memory_free(memory, file, line);
    return moved;
}

/* Looks for the last eight bytes, as they are and, as a number lies in memory, turned round. */
static void look_for(const unsigned char *bytes, size_t length)
{
    assert_true(length >= 8 && looked_for_count + 2 <= LOOKED_FOR_MOST);
    for (size_t i = 0; i < 8; i++) {
        looked_for[looked_for_count][i] = bytes[length - 8 + i];
        looked_for[looked_for_count + 1][i] = bytes[length - 1 - i];
    }
    looked_for_count += 2;
}

/* The vectors. */

static struct json_object *document, *vectors;

static int read_vectors(void **state)
{
    const char *folder = getenv("srcdir");
    char path[4096];

    (void)state;
    snprintf(path, sizeof path, "%s/tests/data/srp-vectors.json", folder == NULL ? "." : folder);
    document = json_object_from_file(path);
    if (!json_object_object_get_ex(document, "vectors", &vectors))
        fprintf(stderr, "cannot read %s\n", path);
    return vectors == NULL ? -1 : 0;
}

static int free_vectors(void **state)
{
    (void)state;
    json_object_put(document);
    OPENSSL_cleanup();
    return 0;
}

static const char *member(struct json_object *object, const char *name)
{
    struct json_object *value = NULL;

    if (!json_object_object_get_ex(object, name, &value))
        fail_msg("the vectors have no %s", name);
    return json_object_get_string(value);
}

/* The bytes of a hexadecimal member; free with free(). */
static unsigned char *bytes_of(struct json_object *vector, const char *name, size_t *length)
{
    long size;
    unsigned char *from_hex = OPENSSL_hexstr2buf(member(vector, name), &size);
    unsigned char *bytes = malloc((size_t)size);

    assert_non_null(from_hex);
    assert_non_null(bytes);
    memcpy(bytes, from_hex, (size_t)size);
    OPENSSL_free(from_hex);
    *length = (size_t)size;
    return bytes;
}

static BIGNUM *number_of(struct json_object *vector, const char *name)
{
    BIGNUM *number = NULL;

    assert_int_not_equal(BN_hex2bn(&number, member(vector, name)), 0);
    return number;
}

static void assert_number(const BIGNUM *number, const char *hex)
{
    char *text = write_number(number);

    assert_string_equal(text, hex);
    free(text);
}

static struct srp *start_of(struct json_object *vector)
{
    size_t length = 0;
    unsigned char *a = bytes_of(vector, "small_a_hex", &length);
    struct srp *srp = start_with(a, length);

    free(a);
    return srp;
}

static struct srp_challenge challenge_of(struct json_object *vector)
{
    return (struct srp_challenge){
        .user_id = member(vector, "user_id_for_srp"),
        .salt = member(vector, "salt_hex"),
        .public_key = member(vector, "srp_b_hex"),
        .secret_block = member(vector, "secret_block_b64"),
    };
}

/* Answers a vector's challenge, or one made from it. */
static bool answer(const struct srp *srp, struct json_object *vector, const struct srp_challenge *challenge,
                   struct secret *signature, struct result *result)
{
    result_begin(result);
    return srp_answer(srp, srp_pool_name(member(vector, "user_pool_id")), member(vector, "password"), challenge,
                      member(vector, "timestamp"), signature, result);
}

static void assert_signed(const struct srp *srp, struct json_object *vector, const struct srp_challenge *challenge)
{
    struct secret signature = {NULL, 0};
    struct result result;

    if (!answer(srp, vector, challenge, &signature, &result))
        fail_msg("refused: %s", result.detail);
    assert_string_equal(signature.bytes, member(vector, "signature_b64"));
    assert_int_equal(signature.length, strlen(signature.bytes));
    secret_free(&signature);
}

static void assert_refused(const struct srp *srp, struct json_object *vector, const struct srp_challenge *challenge,
                           const char *detail)
{
    struct secret signature = {NULL, 0};
    struct result result;

    assert_true(secret_set(&signature, "old", 3));
    if (answer(srp, vector, challenge, &signature, &result))
        fail_msg("taken, where it should be: %s", detail);
    assert_null(signature.bytes);
    assert_int_equal(result.error, ERR_UNPARSABLE);
    assert_string_equal(result.detail, detail);
}

static void multiplier_is_k(void **state)
{
    BIGNUM *N = BN_get_rfc3526_prime_3072(NULL), *g = BN_new(), *k = BN_new();

    (void)state;
    BN_set_word(g, GENERATOR);
    assert_true(hash_numbers(N, g, k));
    assert_number(k, member(document, "k_hex"));
    BN_free(k);
    BN_free(g);
    BN_free(N);
}

/* u, S and the key of one vector. */
static void check_steps(struct json_object *vector)
{
    BIGNUM *B = number_of(vector, "srp_b_hex"), *salt = number_of(vector, "salt_hex");
    BIGNUM *u = BN_new(), *x = BN_new(), *S = BN_new();
    const char *pool_name = srp_pool_name(member(vector, "user_pool_id"));
    struct srp *srp = start_of(vector);
    BN_CTX *numbers = BN_CTX_new();
    unsigned char key[DERIVED_KEY];
    size_t length;
    unsigned char *expected = bytes_of(vector, "key_hex", &length);

    assert_string_equal(srp_public_key(srp), member(vector, "srp_a_hex"));
    assert_true(hash_numbers(srp->A, B, u));
    assert_number(u, member(vector, "u_hex"));
    assert_true(hash_password(pool_name, member(vector, "user_id_for_srp"), member(vector, "password"), salt, x));
    BN_CTX_start(numbers);
    assert_true(shared_secret(srp, B, u, x, S, numbers));
    BN_CTX_end(numbers);
    assert_number(S, member(vector, "s_hex"));
    assert_true(derive_key(u, S, key));
    assert_int_equal(length, sizeof key);
    assert_memory_equal(key, expected, sizeof key);
    free(expected);
    BN_CTX_free(numbers);
    srp_free(&srp);
    BN_free(S);
    BN_free(x);
    BN_free(u);
    BN_free(salt);
    BN_free(B);
}

static void steps_are_the_vectors(void **state)
{
    (void)state;
    assert_int_equal(json_object_array_length(vectors), 6);
    for (size_t i = 0; i < json_object_array_length(vectors); i++)
        check_steps(json_object_array_get_idx(vectors, i));
}

static void signatures_are_the_vectors(void **state)
{
    (void)state;
    for (size_t i = 0; i < json_object_array_length(vectors); i++) {
        struct json_object *vector = json_object_array_get_idx(vectors, i);
        const struct srp_challenge challenge = challenge_of(vector);
        struct srp *srp = start_of(vector);

        assert_signed(srp, vector, &challenge);
        srp_free(&srp);
        assert_null(srp);
    }
}

/* As Java's BigInteger has it. */
static void numbers_are_padded(void **state)
{
    static const struct {
        const char *hex;
        size_t length;
        unsigned char bytes[3];
    } cases[] = {
        {"0", 1, {0}},        {"1", 1, {1}},      {"7f", 1, {0x7f}},         {"80", 2, {0, 0x80}},
        {"ff", 2, {0, 0xff}}, {"100", 2, {1, 0}}, {"7fff", 2, {0x7f, 0xff}}, {"8000", 3, {0, 0x80, 0}},
        {"00000001", 1, {1}},
    };
    unsigned char out[PADDED_MOST];
    BIGNUM *number = NULL;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        BN_hex2bn(&number, cases[i].hex);
        assert_int_equal(pad(number, out).length, cases[i].length);
        assert_memory_equal(out, cases[i].bytes, cases[i].length);
    }
    BN_set_word(number, 0);
    BN_set_bit(number, GROUP_BITS - 1);
    assert_int_equal(pad(number, out).length, PADDED_MOST);
    /* One more bit would fit into the sign's byte. No number here has it. */
    BN_set_bit(number, GROUP_BITS + 7);
    assert_int_equal(pad(number, out).length, 0);
    BN_free(number);
}

/* g^8 = 0x100: three digits, and none of them a leading zero. */
static void public_key_has_no_leading_zero(void **state)
{
    struct srp *srp = start_with((const unsigned char *)"\x08", 1);

    (void)state;
    assert_string_equal(srp_public_key(srp), "100");
    srp_free(&srp);
}

/* A string of `count` times `c`, after `prefix`; free with free(). */
static char *repeated(const char *prefix, char c, size_t count)
{
    size_t length = strlen(prefix);
    char *text = malloc(length + count + 1);

    assert_non_null(text);
    memcpy(text, prefix, length);
    memset(text + length, c, count);
    text[length + count] = '\0';
    return text;
}

static char *joined(const char *first, const char *second)
{
    char *text = NULL;

    assert_true(asprintf(&text, "%s%s", first, second) >= 0);
    return text;
}

#define REFUSED_B     "SRP_B is not a public key of 3072 bits"
#define REFUSED_SALT  "SALT is not 1 to 256 hexadecimal digits"
#define REFUSED_BLOCK "SECRET_BLOCK is not base 64 of 1 to 4096 bytes"

static void hostile_public_keys_are_refused(void **state)
{
    struct json_object *vector = json_object_array_get_idx(vectors, 0);
    const char *good = member(vector, "srp_b_hex");
    struct srp *srp = start_of(vector);
    char *N = write_number(srp->N);
    BIGNUM *twice = BN_dup(srp->N);
    char *cases[] = {
        strdup(""),
        strdup("0"),
        repeated("", '0', 768),
        strdup(N),
        joined("00", N),
        repeated("", 'g', 768),
        joined("0x", "12"),
        joined("-", good),
        joined("+", good),
        joined(" ", good),
        joined(good, " "),
        joined(good, "\n"),
        joined(good, "zz"),
        repeated("1", '0', 768),
        repeated("", '0', 771),
        repeated("", 'f', 100000),
        NULL,
        NULL,
    };

    (void)state;
    BN_lshift1(twice, twice);
    cases[COUNT(cases) - 2] = write_number(twice); /* and the last one is an absent key */
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct srp_challenge challenge = challenge_of(vector);

        challenge.public_key = cases[i];
        assert_refused(srp, vector, &challenge, REFUSED_B);
        free(cases[i]);
    }
    BN_free(twice);
    free(N);
    srp_free(&srp);
}

/* No B is known that gives u = 0, so the hash is made to. The check has to be in the way of the answer. */
static void no_answer_when_u_is_zero(void **state)
{
    struct json_object *vector = json_object_array_get_idx(vectors, 0);
    const struct srp_challenge challenge = challenge_of(vector);
    struct srp *srp = start_of(vector);

    (void)state;
    next_digest_is_zero = true;
    assert_refused(srp, vector, &challenge, "SRP_B gives u = 0");
    assert_false(next_digest_is_zero);
    assert_signed(srp, vector, &challenge);
    srp_free(&srp);
}

static void other_hostile_parts_are_refused(void **state)
{
    struct json_object *vector = json_object_array_get_idx(vectors, 0);
    struct srp *srp = start_of(vector);
    char *long_salt = repeated("", '1', 257), *long_block = repeated("", 'A', 5464);
    char *longer_block = repeated("", 'A', 100000), *one_more = repeated("", 'A', 5464);
    const struct {
        const char *user_id, *salt, *block, *detail;
    } cases[] = {
        {NULL, "1", "QQ==", "USER_ID_FOR_SRP is absent"},
        {"", "1", "QQ==", "USER_ID_FOR_SRP is absent"},
        {"u", NULL, "QQ==", REFUSED_SALT},
        {"u", "", "QQ==", REFUSED_SALT},
        {"u", "-1", "QQ==", REFUSED_SALT},
        {"u", "12345x", "QQ==", REFUSED_SALT},
        {"u", long_salt, "QQ==", REFUSED_SALT},
        {"u", "1", NULL, REFUSED_BLOCK},
        {"u", "1", "", REFUSED_BLOCK},
        {"u", "1", "QQ", REFUSED_BLOCK},
        {"u", "1", "QQ=", REFUSED_BLOCK},
        {"u", "1", "QQ===", REFUSED_BLOCK},
        {"u", "1", "QR==", REFUSED_BLOCK},
        {"u", "1", "QUI=QUJD", REFUSED_BLOCK},
        {"u", "1", "====", REFUSED_BLOCK},
        {"u", "1", "Q===", REFUSED_BLOCK},
        {"u", "1", "QQ==\n", REFUSED_BLOCK},
        {"u", "1", "QQ=\n", REFUSED_BLOCK},
        {"u", "1", "-_-_", REFUSED_BLOCK},
        {"u", "1", long_block, REFUSED_BLOCK},
        {"u", "1", longer_block, REFUSED_BLOCK},
        {"u", "1", one_more, REFUSED_BLOCK},
    };

    (void)state;
    one_more[5463] = '='; /* 4097 bytes */
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct srp_challenge challenge = challenge_of(vector);

        challenge.user_id = cases[i].user_id;
        challenge.salt = cases[i].salt;
        challenge.secret_block = cases[i].block;
        assert_refused(srp, vector, &challenge, cases[i].detail);
    }
    free(one_more);
    free(longer_block);
    free(long_block);
    free(long_salt);
    srp_free(&srp);
}

/* The largest of each, and other ways to write the same number. */
static void odd_but_honest_parts_are_taken(void **state)
{
    struct json_object *vector = json_object_array_get_idx(vectors, 4); /* B has a leading zero byte */
    struct srp_challenge challenge = challenge_of(vector);
    struct secret signature = {NULL, 0};
    struct srp *srp = start_of(vector);
    char *zeros = joined("0000", challenge.public_key), *upper = strdup(challenge.public_key);
    char *salt = repeated("", 'f', 256), *block = repeated("", 'A', 5464);
    struct result result;

    (void)state;
    assert_int_equal(strlen(zeros), 770);
    for (char *c = upper; *c != '\0'; c++)
        *c = *c >= 'a' && *c <= 'f' ? (char)(*c - 32) : *c;
    challenge.public_key = zeros;
    assert_signed(srp, vector, &challenge);
    challenge.public_key = upper;
    assert_signed(srp, vector, &challenge);
    memcpy(block + 5462, "==", 2); /* 4096 bytes */
    challenge.salt = salt;
    challenge.secret_block = block;
    assert_true(answer(srp, vector, &challenge, &signature, &result));
    secret_free(&signature);
    free(block);
    free(salt);
    free(upper);
    free(zeros);
    srp_free(&srp);
}

static void private_keys_are_drawn(void **state)
{
    struct result result;
    struct srp *one, *other;

    (void)state;
    drawn = 0;
    one = srp_new(&result);
    other = srp_new(&result);
    assert_int_equal(drawn, 2 * 128);
    assert_string_not_equal(srp_public_key(one), srp_public_key(other));
    assert_true(BN_num_bits(one->a) > 1024 - 64);
    srp_free(&other);
    srp_free(&one);
    no_entropy = true;
    assert_null(srp_new(&result));
    no_entropy = false;
    assert_int_equal(result.error, ERR_SYSTEM);
}

/* What libcrypto frees has none of the secrets in it. */
static void secrets_are_erased(void **state)
{
    struct json_object *vector = json_object_array_get_idx(vectors, 0);
    const struct srp_challenge challenge = challenge_of(vector);
    const char *const secrets[] = {"small_a_hex", "s_hex", "key_hex"};
    unsigned char *bytes[COUNT(secrets)];
    struct srp *srp = start_of(vector);
    size_t length;

    (void)state;
    for (size_t i = 0; i < COUNT(secrets); i++) {
        bytes[i] = bytes_of(vector, secrets[i], &length);
        look_for(bytes[i], length);
        free(bytes[i]);
    }
    look_for((const unsigned char *)member(vector, "password"), strlen(member(vector, "password")));
    found = 0;
    assert_signed(srp, vector, &challenge);
    srp_free(&srp);
    assert_int_equal(found, 0);
    /* The search would find one. */
    srp = start_of(vector);
    found = 0;
    BN_free(srp->a);
    srp->a = NULL;
    srp_free(&srp);
    looked_for_count = 0;
    assert_true(found > 0);
}

/* Every allocation of libcrypto fails once: then there is no answer, or it was of no account and the answer is right.
 */
static void short_memory_is_survived(void **state)
{
    struct json_object *vector = json_object_array_get_idx(vectors, 0);
    const struct srp_challenge challenge = challenge_of(vector);
    struct secret signature = {NULL, 0};
    struct result result;
    size_t a_length;
    unsigned char *a = bytes_of(vector, "small_a_hex", &a_length);
    long tries = 0, failures = 0;

    (void)state;
    for (bool reached = true; reached; tries++) {
        struct srp *srp;

        assert_true(tries < 2000);
        until_failure = tries;
        srp = start_with(a, a_length);
        if (srp == NULL) {
            failures++;
            continue;
        }
        if (answer(srp, vector, &challenge, &signature, &result)) {
            assert_string_equal(signature.bytes, member(vector, "signature_b64"));
        } else {
            assert_null(signature.bytes);
            assert_true(result.error == ERR_NO_MEMORY || result.error == ERR_UNPARSABLE);
            failures++;
        }
        reached = until_failure < 0;
        until_failure = -1;
        secret_free(&signature);
        srp_free(&srp);
    }
    until_failure = -1;
    assert_true(failures > 20);
    free(a);
}

static void pool_names_follow_the_region(void **state)
{
    (void)state;
    assert_string_equal(srp_pool_name("eu-central-1_AbC123xyz"), "AbC123xyz");
    assert_null(srp_pool_name("eu-central-1"));
    assert_null(srp_pool_name("eu-central-1_"));
}

static const struct {
    time_t time;
    const char *text;
} moments[] = {
    {1704164645, "Tue Jan 2 03:04:05 UTC 2024"},  {0, "Thu Jan 1 00:00:00 UTC 1970"},
    {951868799, "Tue Feb 29 23:59:59 UTC 2000"},  {1710064800, "Sun Mar 10 10:00:00 UTC 2024"},
    {1746403200, "Mon May 5 00:00:00 UTC 2025"},  {1765411200, "Thu Dec 11 00:00:00 UTC 2025"},
    {4102444799, "Thu Dec 31 23:59:59 UTC 2099"}, {253402300799, "Fri Dec 31 23:59:59 UTC 9999"},
};

static void assert_moments(void)
{
    char out[SRP_TIMESTAMP_SIZE];

    for (size_t i = 0; i < COUNT(moments); i++) {
        assert_true(srp_timestamp(moments[i].time, out));
        assert_string_equal(out, moments[i].text);
    }
}

static void timestamps_are_utc(void **state)
{
    char out[SRP_TIMESTAMP_SIZE];

    (void)state;
    assert_moments();
    setenv("TZ", "EST5", 1);
    tzset();
    assert_moments();
    unsetenv("TZ");
    tzset();
    assert_false(srp_timestamp(253402300800, out));
    assert_false(srp_timestamp((time_t)(UINT64_MAX >> 1), out));
    assert_false(srp_timestamp(-62135596800, out));
}

/* Each day of a leap year by the C library's names, which are the wanted ones in the locale C. */
static void timestamps_know_every_name(void **state)
{
    char out[SRP_TIMESTAMP_SIZE], day[16], rest[32], expected[64];

    (void)state;
    assert_non_null(setlocale(LC_ALL, "C"));
    for (time_t time = 1704067200; time < 1735689600; time += 86399) {
        struct tm utc;

        gmtime_r(&time, &utc);
        strftime(day, sizeof day, "%a %b", &utc);
        strftime(rest, sizeof rest, "%H:%M:%S UTC %Y", &utc);
        snprintf(expected, sizeof expected, "%s %d %s", day, utc.tm_mday, rest);
        assert_true(srp_timestamp(time, out));
        assert_string_equal(out, expected);
    }
}

/* The first of these locales that this system has and that speaks another language of dates; NULL if it has none. */
static const char *foreign_locale(void)
{
    static const char *const names[] = {"de_DE.UTF-8", "de_DE",       "fr_FR.UTF-8",
                                        "es_ES.UTF-8", "ja_JP.UTF-8", "ru_RU.UTF-8"};
    struct tm utc;
    char text[64];

    gmtime_r(&moments[4].time, &utc);
    for (size_t i = 0; i < COUNT(names); i++)
        if (setlocale(LC_ALL, names[i]) != NULL && strftime(text, sizeof text, "%a %b", &utc) > 0 &&
            strcmp(text, "Mon May") != 0)
            return names[i];
    return NULL;
}

static void timestamps_are_english(void **state)
{
    struct json_object *vector = json_object_array_get_idx(vectors, 5);
    const struct srp_challenge challenge = challenge_of(vector);
    struct srp *srp;

    (void)state;
    if (foreign_locale() == NULL) {
        print_message("no locale of another language here, such as de_DE.UTF-8\n");
        setlocale(LC_ALL, "C");
        skip();
    }
    assert_moments();
    srp = start_of(vector);
    assert_signed(srp, vector, &challenge);
    srp_free(&srp);
    setlocale(LC_ALL, "C");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(multiplier_is_k),
        cmocka_unit_test(steps_are_the_vectors),
        cmocka_unit_test(signatures_are_the_vectors),
        cmocka_unit_test(numbers_are_padded),
        cmocka_unit_test(public_key_has_no_leading_zero),
        cmocka_unit_test(hostile_public_keys_are_refused),
        cmocka_unit_test(no_answer_when_u_is_zero),
        cmocka_unit_test(other_hostile_parts_are_refused),
        cmocka_unit_test(odd_but_honest_parts_are_taken),
        cmocka_unit_test(private_keys_are_drawn),
        cmocka_unit_test(secrets_are_erased),
        cmocka_unit_test(short_memory_is_survived),
        cmocka_unit_test(pool_names_follow_the_region),
        cmocka_unit_test(timestamps_are_utc),
        cmocka_unit_test(timestamps_know_every_name),
        cmocka_unit_test(timestamps_are_english),
    };

    /* Before libcrypto allocates anything. */
    if (CRYPTO_set_mem_functions(memory_new, memory_resize, memory_free) != 1)
        return 1;
    return cmocka_run_group_tests_name("srp", tests, read_vectors, free_vectors);
}
