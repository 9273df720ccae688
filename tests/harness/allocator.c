/*
 * An allocator for all programs of a host, by /etc/ld.so.preload, as jemalloc and hardened_malloc are used. Like them
 * it sets far more addresses apart than it will need, and ends a process that gives it memory of another allocator. It
 * takes nothing back.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define EXPORTED __attribute__((visibility("default")))

#define APART    (UINT64_C(1) << 36)
#define PIECE    ((size_t)1 << 16)
#define OURS     UINT64_C(0x6f7572736f757273)
#define ALIGNING sizeof(struct head)

struct head {
    uint64_t mark;
    uint64_t size;
};

static char *next, *usable, *end;
static char busy;

static void *take(size_t alignment, size_t size)
{
    char *memory = NULL;

    while (__atomic_test_and_set(&busy, __ATOMIC_ACQUIRE))
        ;
    if (next == NULL) {
        next = usable = mmap(NULL, APART, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        end = next + APART;
    }
    size = (size + ALIGNING - 1) & ~(ALIGNING - 1);
    memory = (char *)(((uintptr_t)next + sizeof(struct head) + alignment - 1) & ~(uintptr_t)(alignment - 1));
    if (memory + size > usable) {
        size_t more = ((size_t)(memory + size - usable) + PIECE - 1) & ~(PIECE - 1);

        if (usable + more > end || mprotect(usable, more, PROT_READ | PROT_WRITE) != 0)
            memory = NULL;
        else
            usable += more;
    }
    if (memory != NULL) {
        ((struct head *)(void *)memory)[-1] = (struct head){OURS, size};
        next = memory + size;
    }
    __atomic_clear(&busy, __ATOMIC_RELEASE);
    return memory;
}

EXPORTED size_t malloc_usable_size(void *memory)
{
    const struct head *head = memory;

    if (memory == NULL)
        return 0;
    if (head[-1].mark != OURS)
        abort();
    return head[-1].size;
}

EXPORTED void *malloc(size_t size)
{
    return take(ALIGNING, size);
}

EXPORTED void *calloc(size_t count, size_t size)
{
    size_t whole;

    /* It is zero, since nothing is given out twice. */
    return __builtin_mul_overflow(count, size, &whole) ? NULL : take(ALIGNING, whole);
}

EXPORTED void free(void *memory)
{
    if (memory != NULL && malloc_usable_size(memory) != 0)
        ((struct head *)memory)[-1].mark = 0;
}

EXPORTED void *realloc(void *memory, size_t size)
{
    size_t had = malloc_usable_size(memory);
    void *moved = take(ALIGNING, size);

    if (moved != NULL && memory != NULL) {
        memcpy(moved, memory, had < size ? had : size);
        free(memory);
    }
    return moved;
}

EXPORTED void *memalign(size_t alignment, size_t size)
{
    return take(alignment < ALIGNING ? ALIGNING : alignment, size);
}

EXPORTED void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

EXPORTED int posix_memalign(void **memory, size_t alignment, size_t size)
{
    *memory = memalign(alignment, size);
    return *memory == NULL;
}
