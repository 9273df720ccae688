#include "helper/base64.h"

#include <openssl/evp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The six bits of a character, or -1. The alphabets differ in the last two. */
static int bits_of(char c, const char last[2])
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == last[0])
        return 62;
    return c == last[1] ? 63 : -1;
}

/* Decodes what has no padding, or none any more. */
static bool decode(const char *text, size_t length, const char last[2], struct secret *out)
{
    size_t size = length / 4 * 3 + length % 4;
    uint32_t held = 0; /* bits that are not a byte yet: the lowest `count` */
    int count = 0;
    size_t at = 0;
    char *bytes;

    secret_free(out);
    /* A rest of one character is six bits, which is no byte. */
    if (length % 4 == 1 || (bytes = malloc(size + 1)) == NULL)
        return false;
    for (size_t i = 0; i < length; i++) {
        int bits = bits_of(text[i], last);

        if (bits < 0)
            goto refuse;
        held = held << 6 | (uint32_t)bits;
        count += 6;
        if (count >= 8) {
            count -= 8;
            bytes[at++] = (char)(held >> count & 0xff);
        }
    }
    /* Left-over bits carry nothing and must be zero, or another text would stand for the same bytes. */
    if ((held & ((1U << count) - 1)) != 0)
        goto refuse;
    bytes[at] = '\0';
    *out = (struct secret){bytes, at};
    return true;

refuse:
    explicit_bzero(bytes, at);
    free(bytes);
    return false;
}

bool base64url_decode(const char *text, size_t length, struct secret *out)
{
    return decode(text, length, "-_", out);
}

bool base64_decode(const char *text, size_t length, struct secret *out)
{
    size_t padding = 0;

    secret_free(out);
    if (length % 4 != 0)
        return false;
    /* Whole groups of four: so the padding, where there is any, is as long as it has to be. */
    while (padding < 2 && padding < length && text[length - padding - 1] == '=')
        padding++;
    return decode(text, length - padding, "+/", out);
}

bool base64_encode(const unsigned char *bytes, size_t length, struct secret *out)
{
    size_t size = (length + 2) / 3 * 4;
    char *text;

    secret_free(out);
    if (length > INT32_MAX / 2 || (text = malloc(size + 1)) == NULL)
        return false;
    EVP_EncodeBlock((unsigned char *)text, bytes, (int)length);
    *out = (struct secret){text, size};
    return true;
}
