/*
 * What the wrappers share: whether this call is to fail, and what is not freed yet.
 */
#ifndef FAULTS_INJECT_H
#define FAULTS_INJECT_H

#include "board.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum call {
#define LIBC(name, value, failures)    CALL_##name,
#define PAM(name, value, failures)     CALL_##name,
#define CURL(name, value, failures)    CALL_##name,
#define JSON(name, value, failures)    CALL_##name,
#define CRYPTO(name, value, failures)  CALL_##name,
#define SECCOMP(name, value, failures) CALL_##name,
#define FREES(name)
#define ALSO(name)
#include "calls.def"
#undef LIBC
#undef PAM
#undef CURL
#undef JSON
#undef CRYPTO
#undef SECCOMP
#undef FREES
#undef ALSO
    CALLS
};

/* How a call fails: see calls.def. `number` is what the row says in brackets. */
struct failure {
    enum { FAILURE_NONE, FAILURE_E, FAILURE_A, FAILURE_V, FAILURE_X, FAILURE_H, FAILURE_S } kind;
    int number;
};

struct row {
    enum call call;
    intptr_t value;
    const struct failure *failures; /* up to the one of kind FAILURE_NONE */
};

/* The failure that is due now, or NULL: the call is to be made. Counts and records it. `frame` is the wrapper's. */
const struct failure *inject_next(const struct row *row, const void *frame);
#define NEXT(name) inject_next(&row_##name, __builtin_frame_address(0))

/* Fails in the way that the row and the failure say: sets errno, and returns the value. */
intptr_t inject_fail(const struct row *row, const struct failure *failure);
#define FAIL(name, failure) inject_fail(&row_##name, failure)

/* The board, or NULL outside a test. */
struct board *inject_board(void);

/* Whether this call of an allocator by a library is to fail; errno is set. */
bool inject_library_fails(void);

/* Moves the role's clock ahead by some seconds more. By how many it is. */
time_t inject_later(int seconds);

/* What a program's own code has taken and not given back. NULL is no thing. In the modules nothing is tracked: the host
 * counts all memory of its process. */
void *inject_taken(void *thing, const char *what, const void *site);
void inject_given(const void *thing);
#define TAKEN(thing, what) inject_taken(thing, what, __builtin_return_address(0))

/* Writes a line to the log on the board. */
__attribute__((format(printf, 1, 0))) void inject_log(const char *format, __builtin_va_list arguments);

/* For the files with the wrappers of one library. */

#define E(number) {FAILURE_E, number},
#define A(number) {FAILURE_A, number},
#define V(number) {FAILURE_V, number},
#define X(number) {FAILURE_X, number},
#define H(number) {FAILURE_H, number},
#define S(number) {FAILURE_S, number},
#define ROW(name, value, ...)                                                                                          \
    static const struct failure failures_##name[] = {__VA_ARGS__{FAILURE_NONE, 0}};                                    \
    static const struct row row_##name = {CALL_##name, value, failures_##name};

/* A wrapper with nothing but the failures E, A, V and H. */
#define WRAP(type, name, parameters, arguments)                                                                        \
    type __real_##name parameters;                                                                                     \
    type __wrap_##name parameters;                                                                                     \
    type __wrap_##name parameters                                                                                      \
    {                                                                                                                  \
        const struct failure *failure = NEXT(name);                                                                    \
                                                                                                                       \
        if (failure == NULL)                                                                                           \
            return __real_##name arguments;                                                                            \
        if (failure->kind == FAILURE_A)                                                                                \
            (void)!__real_##name arguments;                                                                            \
        return (type)FAIL(name, failure);                                                                              \
    }

/* The same for what hands something over that is to be freed. */
#define WRAP_TAKEN(type, name, parameters, arguments, what)                                                            \
    type *__real_##name parameters;                                                                                    \
    type *__wrap_##name parameters;                                                                                    \
    type *__wrap_##name parameters                                                                                     \
    {                                                                                                                  \
        const struct failure *failure = NEXT(name);                                                                    \
                                                                                                                       \
        return failure == NULL ? TAKEN(__real_##name arguments, what) : (type *)FAIL(name, failure);                   \
    }

#define WRAP_GIVEN(name, type)                                                                                         \
    void __real_##name(type *thing);                                                                                   \
    void __wrap_##name(type *thing);                                                                                   \
    void __wrap_##name(type *thing)                                                                                    \
    {                                                                                                                  \
        inject_given(thing);                                                                                           \
        __real_##name(thing);                                                                                          \
    }

#endif
