#include "common/secret.h"

#include <stdlib.h>
#include <string.h>

bool secret_set(struct secret *secret, const void *bytes, size_t length)
{
    char *copy = malloc(length + 1);

    if (copy != NULL) {
        memcpy(copy, bytes, length);
        copy[length] = '\0';
    }
    secret_free(secret);
    if (copy == NULL)
        return false;
    *secret = (struct secret){copy, length};
    return true;
}

void secret_free(struct secret *secret)
{
    if (secret->bytes != NULL) {
        explicit_bzero(secret->bytes, secret->length);
        free(secret->bytes);
    }
    *secret = (struct secret){NULL, 0};
}

bool secret_equals(const struct secret *secret, const char *string)
{
    unsigned char difference = 0;

    if (secret->bytes == NULL || string == NULL || strlen(string) != secret->length)
        return false;
    for (size_t i = 0; i < secret->length; i++)
        difference |= (unsigned char)(secret->bytes[i] ^ string[i]);
    return difference == 0;
}

void secret_free_string(char **string)
{
    if (*string == NULL)
        return;
    explicit_bzero(*string, strlen(*string));
    free(*string);
    *string = NULL;
}

#define STACK_USED (32 * 1024)

__attribute__((noinline)) void secret_erase_stack(void)
{
    void *(*volatile copy)(void *, const void *, size_t) = memmove;
    char beneath[STACK_USED];

    explicit_bzero(beneath, sizeof beneath);
    /* The registers last: zeros of each length are copied as a secret of that length was. */
    for (size_t length = 16; length <= sizeof beneath / 2; length *= 2) {
        copy(beneath, beneath + sizeof beneath / 2, length);
        copy(beneath, beneath + sizeof beneath / 2 - length / 2, length - 1);
    }
}
