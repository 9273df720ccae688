/*
 * The C library's allocator with a list of what is not freed: a program may put its own malloc in the place of the
 * library's, and then all libraries use it. Source: the GNU C Library manual, "Replacing malloc".
 */
#include "memory.h"

#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORTED __attribute__((visibility("default")))
#define BLOCKS   (1 << 16) /* a power of two, and many more than there ever are */

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *memory);

/* An open hash table. One thread. */
static struct block {
    uintptr_t address; /* 0: never used, 1: not any more */
    size_t size;
    const void *site;
    unsigned int mark;
} blocks[BLOCKS];

static size_t count;
static unsigned int mark;

static size_t place_of(uintptr_t address)
{
    return (address >> 4) * 2654435761U % BLOCKS;
}

static void *taken(void *memory, size_t size, const void *site)
{
    size_t at = place_of((uintptr_t)memory);

    if (memory == NULL)
        return NULL;
    while (blocks[at].address > 1)
        at = (at + 1) % BLOCKS;
    blocks[at] = (struct block){(uintptr_t)memory, size, site, mark};
    count++;
    return memory;
}

static void given(const void *memory)
{
    size_t at = place_of((uintptr_t)memory);

    while (blocks[at].address != 0 && blocks[at].address != (uintptr_t)memory)
        at = (at + 1) % BLOCKS;
    if (blocks[at].address == 0)
        return;
    blocks[at].address = blocks[(at + 1) % BLOCKS].address == 0 ? 0 : 1;
    count--;
}

EXPORTED void *malloc(size_t size)
{
    return taken(__libc_malloc(size), size, __builtin_return_address(0));
}

EXPORTED void *calloc(size_t number, size_t size)
{
    return taken(__libc_calloc(number, size), number * size, __builtin_return_address(0));
}

EXPORTED void free(void *memory)
{
    if (memory == NULL)
        return;
    given(memory);
    __libc_free(memory);
}

static void *moved(void *memory, size_t size, const void *site)
{
    size_t had = memory == NULL ? 0 : malloc_usable_size(memory);
    void *new;

    if (memory != NULL && size == 0) {
        free(memory);
        return NULL;
    }
    new = taken(__libc_malloc(size), size, site);
    if (new == NULL || memory == NULL)
        return new;
    memcpy(new, memory, had < size ? had : size);
    free(memory);
    return new;
}

EXPORTED void *realloc(void *memory, size_t size)
{
    return moved(memory, size, __builtin_return_address(0));
}

EXPORTED void *reallocarray(void *memory, size_t number, size_t size)
{
    if (size != 0 && number > SIZE_MAX / size) {
        errno = ENOMEM;
        return NULL;
    }
    return moved(memory, number * size, __builtin_return_address(0));
}

EXPORTED void *memalign(size_t alignment, size_t size)
{
    return taken(__libc_memalign(alignment, size), size, __builtin_return_address(0));
}

EXPORTED void *aligned_alloc(size_t alignment, size_t size)
{
    return taken(__libc_memalign(alignment, size), size, __builtin_return_address(0));
}

EXPORTED int posix_memalign(void **memory, size_t alignment, size_t size)
{
    *memory = taken(__libc_memalign(alignment, size), size, __builtin_return_address(0));
    return *memory == NULL ? ENOMEM : 0;
}

size_t memory_blocks(void)
{
    return count;
}

void memory_mark(void)
{
    mark++;
}

void memory_describe(char *out, size_t size)
{
    size_t at = 0;

    *out = '\0';
    for (size_t i = 0; i < BLOCKS && at + 256 < size; i++) {
        Dl_info info = {.dli_fname = "?"};

        if (blocks[i].address <= 1 || blocks[i].mark != mark)
            continue;
        dladdr(blocks[i].site, &info);
        at += (size_t)snprintf(out + at, size - at, "memory %zu bytes by %s+0x%zx\n", blocks[i].size,
                               strrchr(info.dli_fname, '/') == NULL ? info.dli_fname : strrchr(info.dli_fname, '/') + 1,
                               (size_t)((uintptr_t)blocks[i].site - (uintptr_t)info.dli_fbase));
    }
}
