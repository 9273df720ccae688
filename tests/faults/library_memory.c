/*
 * The allocator of all libraries in the helper, so that theirs fails too. Source: the GNU C Library manual, "Replacing
 * malloc". Its free() and realloc() are the helper's own, of erase.c.
 */
#include "inject.h"

#include <stdlib.h>

#define EXPORTED __attribute__((visibility("default")))

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);

EXPORTED void *malloc(size_t size)
{
    return inject_library_fails() ? NULL : __libc_malloc(size);
}

EXPORTED void *calloc(size_t count, size_t size)
{
    return inject_library_fails() ? NULL : __libc_calloc(count, size);
}
