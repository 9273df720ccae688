/* Any text as a pool's key set: every key that is kept can check an RS256 signature. */
#include "fuzz.h"

#include "fakes/memory.h"

#include "helper/jwks.h"

#include <stdlib.h>

static void check(const char *text, size_t size)
{
    struct jwks set = {.count = 0};
    struct result result;
    bool read;

    result_begin(&result);
    read = jwks_parse(&set, text, size, &result);
    HOLDS(read ? set.count > 0 && set.count <= JWKS_MAX : set.count == 0 && result.error == ERR_BAD_KEYS);
    HOLDS(fuzz_is_printable(result.detail));
    for (size_t i = 0; i < set.count; i++) {
        EVP_PKEY *key = jwks_find(&set, set.keys[i].kid);

        HOLDS(key != NULL && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA);
        HOLDS(EVP_PKEY_get_bits(key) >= 2048 && EVP_PKEY_get_bits(key) <= 8192);
    }
    jwks_free(&set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_string(data, size);

    check(text, size);
    /* And once more, with memory short somewhere. */
    fake_memory(1 + (size > 0 ? data[size / 2] % 32 : 0));
    check(text, size);
    fake_memory(0);
    free(text);
    return 0;
}
