#include "inject.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Which of the roles this file plays is said when it is compiled. */
#ifndef ROLE
#error "-DROLE=ROLE_..."
#endif

#define DEPTH  12
#define THINGS 8192

static struct board *board;

static struct {
    const void *thing;
    const char *what;
    uint32_t site;
} things[THINGS];
static size_t thing_count; /* places that were ever used */

/* Where this file of code begins and ends, by the linker. */
extern const char __ehdr_start[] __attribute__((visibility("hidden")));
extern const char etext[] __attribute__((visibility("hidden")));

static bool is_own_code(const void *address)
{
    return (uintptr_t)address > (uintptr_t)__ehdr_start && (uintptr_t)address < (uintptr_t)etext;
}

static uint32_t offset_of(const void *address)
{
    return is_own_code(address) ? (uint32_t)((uintptr_t)address - (uintptr_t)__ehdr_start) : 0;
}

struct board *inject_board(void)
{
    return board;
}

static void add_text(atomic_uint *length, char *all, size_t size, const char *text)
{
    size_t more = strlen(text);
    size_t at = atomic_fetch_add(length, (unsigned int)more);

    if (at + more <= size)
        memcpy(all + at, text, more);
}

/* A helper leaves no core file, so it tells itself where it was. */
static void tell_crash(int number)
{
    void *stack[DEPTH];
    int depth = backtrace(stack, DEPTH);

    for (int i = 2; i < depth; i++) {
        Dl_info info = {.dli_fname = "?"};
        char line[128];

        dladdr(stack[i], &info);
        snprintf(line, sizeof line, "%s+0x%zx\n",
                 strrchr(info.dli_fname, '/') == NULL ? info.dli_fname : strrchr(info.dli_fname, '/') + 1,
                 (size_t)((uintptr_t)stack[i] - (uintptr_t)info.dli_fbase));
        add_text(&board->crash_length, board->crash, BOARD_CRASH, line);
    }
    raise(number);
}

static void watch_for_crashes(void)
{
    const struct sigaction action = {.sa_handler = tell_crash, .sa_flags = (int)SA_RESETHAND | SA_NODEFER};
    const int numbers[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGSYS};
    void *stack[1];

    /* It loads a library when it is called for the first time. */
    backtrace(stack, 1);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        sigaction(numbers[i], &action, NULL);
}

__attribute__((constructor)) static void find_board(void)
{
    int fd = open(BOARD_FILE, O_RDWR | O_CLOEXEC);
    void *found = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    if (fd >= 0)
        close(fd);
    if (found == MAP_FAILED)
        return;
    board = found;
    if (ROLE != ROLE_MODULE) {
        unsigned int number = atomic_fetch_add(&board->started, 1);

        if (number < BOARD_PROGRAMS)
            board->pids[number] = (uint32_t)getpid();
        watch_for_crashes();
    }
}

/* Only when main() has returned: so a program that was killed, or gave up its life with _exit(), tells nothing. */
__attribute__((destructor)) static void tell_what_is_left(void)
{
    char line[128];

    if (board == NULL || ROLE == ROLE_MODULE)
        return;
    for (size_t i = 0; i < thing_count; i++) {
        if (things[i].thing == NULL)
            continue;
        snprintf(line, sizeof line, "%d %s 0x%x\n", ROLE, things[i].what, things[i].site);
        add_text(&board->left_length, board->left, BOARD_LEFT, line);
    }
    atomic_fetch_add(&board->ended, 1);
}

/* FNV-1a over the places in this file from which its functions were called, up to the one that is called from outside.
 * Only what lies above this frame and near it is read. */
static uint32_t path_of(const void *frame, uint32_t *site)
{
    const void *const *at = frame;
    uint32_t hash = 2166136261U;

    *site = 0;
    for (int i = 0; i < DEPTH; i++) {
        const void *const *next = at[0];
        const void *from = at[1];

        if (!is_own_code(from))
            break;
        if (i == 0)
            *site = offset_of(from);
        hash = (hash ^ offset_of(from)) * 16777619U;
        if (next <= at || (uintptr_t)next - (uintptr_t)at > 512 * 1024)
            break;
        at = next;
    }
    return hash;
}

static bool is_due(const struct order *order, const struct order *first, unsigned int number, enum call call,
                   unsigned int nth)
{
    unsigned int before = atomic_load(&first->met);

    if (order->due == 0)
        return false;
    if (order->after > 0)
        return before > 0 && number >= before + order->after;
    return order->role == ROLE && order->call == (uint32_t)call && order->nth == nth;
}

static const struct failure *meet(struct order *order, const struct row *row, unsigned int number, uint32_t site)
{
    uint32_t count = 0;

    while (row->failures[count].kind != FAILURE_NONE)
        count++;
    if (count == 0)
        return NULL;
    order->due = 0;
    order->met_role = ROLE;
    order->met_call = row->call;
    order->met_failure = order->failure % count;
    order->met_site = site;
    atomic_store(&order->met, number);
    return &row->failures[order->met_failure];
}

intptr_t inject_fail(const struct row *row, const struct failure *failure)
{
    if (failure->kind == FAILURE_V)
        return failure->number;
    errno = failure->number;
    return row->value;
}

const struct failure *inject_next(const struct row *row, const void *frame)
{
    unsigned int number, nth;
    uint32_t site, path;

    if (board == NULL)
        return NULL;
    number = atomic_fetch_add(&board->calls, 1) + 1;
    nth = atomic_fetch_add(&board->counts[ROLE][row->call], 1) + 1;
    path = path_of(frame, &site);
    if (number <= BOARD_RECORDS && row->call != CALL_library_malloc)
        board->records[number - 1] =
            (struct record){.role = ROLE, .call = (uint16_t)row->call, .nth = nth, .path = path, .site = site};
    for (size_t i = 0; i < sizeof board->orders / sizeof *board->orders; i++)
        if (is_due(&board->orders[i], &board->orders[0], number, row->call, nth))
            return meet(&board->orders[i], row, number, site);
    return NULL;
}

time_t inject_later(int seconds)
{
    if (board == NULL)
        return 0;
    board->later[ROLE] += (uint32_t)seconds;
    return board->later[ROLE];
}

void *inject_taken(void *thing, const char *what, const void *site)
{
    if (ROLE == ROLE_MODULE || thing == NULL)
        return thing;
    for (size_t i = 0; i < THINGS; i++) {
        if (things[i].thing != NULL)
            continue;
        if (i >= thing_count)
            thing_count = i + 1;
        things[i].thing = thing;
        things[i].what = what;
        things[i].site = offset_of(site);
        break;
    }
    return thing;
}

void inject_given(const void *thing)
{
    for (size_t i = 0; ROLE != ROLE_MODULE && thing != NULL && i < thing_count; i++) {
        if (things[i].thing == thing) {
            things[i].thing = NULL;
            return;
        }
    }
}

void inject_log(const char *format, __builtin_va_list arguments)
{
    char line[4096];
    int length = vsnprintf(line, sizeof line - 1, format, arguments);

    if (board == NULL || length < 0)
        return;
    strcat(line, "\n");
    add_text(&board->log_length, board->log, BOARD_LOG, line);
}
