/*
 * Memory that runs short once, by LD_PRELOAD: of the allocations that the program itself asks for, or libjson-c, the
 * one whose number is in SHORT_AT fails. What the C library does when it gets none is its own affair. A program that
 * ends without having come so far makes a file of the name in SHORT_UNMET.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);

static long left;

__attribute__((constructor)) static void begin(void)
{
    const char *at = getenv("SHORT_AT");

    left = at == NULL ? 0 : atol(at);
}

/* The first that is called when the program ends: what comes after is not its own work. */
void __cxa_finalize(void *object)
{
    const char *unmet = getenv("SHORT_UNMET");
    void (*next)(void *object);

    if (left > 0 && unmet != NULL)
        close(open(unmet, O_WRONLY | O_CREAT, 0600));
    left = 0;
    *(void **)&next = dlsym(RTLD_NEXT, "__cxa_finalize");
    if (next != NULL)
        next(object);
}

/* The program's headers lie on its first page. */
static bool counts(void *caller)
{
    Dl_info info;

    return dladdr(caller, &info) != 0 && ((uintptr_t)info.dli_fbase == (getauxval(AT_PHDR) & ~(uintptr_t)4095) ||
                                          strstr(info.dli_fname, "libjson-c") != NULL);
}

static bool runs_short(void *caller)
{
    if (left == 0 || !counts(caller) || --left > 0)
        return false;
    errno = ENOMEM;
    return true;
}

#define RUNS_SHORT runs_short(__builtin_return_address(0))

void *malloc(size_t size)
{
    return RUNS_SHORT ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return RUNS_SHORT ? NULL : __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
    return RUNS_SHORT ? NULL : __libc_realloc(memory, size);
}

void *reallocarray(void *memory, size_t count, size_t size)
{
    return RUNS_SHORT ? NULL : __libc_realloc(memory, count * size);
}

char *strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = RUNS_SHORT ? NULL : __libc_malloc(size);

    return copy == NULL ? NULL : memcpy(copy, text, size);
}
