/*
 * Memory is erased before it is freed, everywhere in this process.
 *
 * The password, the access token and the code pass through buffers of libcurl, json-c and OpenSSL, which free them as
 * they are. No hook of those three covers all of it, but all of them end in the C library's free() and realloc(), and a
 * program may put its own in their place. Where the C library is another one, or a sanitizer has its own allocator, the
 * secrets of our own (struct secret, frames, bodies) are still erased, by those who free them.
 *
 * The C library's own, or those of an allocator that the administrator has put before it for all programs
 * (/etc/ld.so.preload): whoever has allocated has to free.
 *
 * Source: the GNU C Library manual, "Replacing malloc"; dlsym(3), RTLD_NEXT; __libc_free is its alias for those who
 * wrap rather than replace.
 */
#include "helper/erase.h"

#include "common/sanitizer.h"

#include <dlfcn.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* More than a request and TLS below it need. */
#define STACK_USED (64 * 1024)

__attribute__((noinline)) void erase_stack(void)
{
    char below[STACK_USED];

    explicit_bzero(below, sizeof below);
}

#if defined(__GLIBC__) && !UNDER_SANITIZER

extern void __libc_free(void *memory);

/* The free() that goes with the malloc() of this process. Looked for at the first call, which comes before there is a
 * second thread. */
static void free_next(void *memory)
{
    static void (*next)(void *memory);
    static bool looking;

    /* What the look-up frees itself, if anything, stays where it is. */
    if (looking)
        return;
    if (next == NULL) {
        looking = true;
        *(void **)&next = dlsym(RTLD_NEXT, "free");
        looking = false;
    }
    if (next == NULL)
        next = __libc_free;
    next(memory);
}

/* The dynamic linker binds the libraries to these only if the program exports them, whatever -fvisibility says. */
#define EXPORTED __attribute__((visibility("default")))

/* malloc_usable_size() knows every chunk of this allocator, those of memalign() and of mmap() too, and asks valgrind's
 * where that has taken its place: it then takes the place of this function as well. */
EXPORTED void free(void *memory)
{
    if (memory == NULL)
        return;
    explicit_bzero(memory, malloc_usable_size(memory));
    free_next(memory);
}

/* Never grows by moving the C library's way, which would leave a copy behind. */
EXPORTED void *realloc(void *memory, size_t size)
{
    size_t had = memory == NULL ? 0 : malloc_usable_size(memory);
    void *moved;

    if (memory != NULL && size == 0) {
        free(memory);
        return NULL;
    }
    if (memory != NULL && size <= had) {
        explicit_bzero((char *)memory + size, had - size);
        return memory;
    }
    moved = malloc(size);
    if (moved == NULL || memory == NULL)
        return moved;
    memcpy(moved, memory, had);
    free(memory);
    return moved;
}

#endif
