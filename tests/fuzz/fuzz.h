/*
 * What the fuzz targets stand on. A target is a file of this folder with LLVMFuzzerTestOneInput(), for clang's
 * libFuzzer; scripts/fuzz builds and runs it. What a target or fakes/ defines takes the place of the source file that
 * defines it in src/, as the linker takes from an archive only what is missing still.
 */
#ifndef PAM_COGNITO_FUZZ_H
#define PAM_COGNITO_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must be so whatever the input is: otherwise libFuzzer keeps the input and says so. */
#define HOLDS(condition) ((condition) ? (void)0 : fuzz_broken(#condition, __FILE__, __LINE__))
_Noreturn void fuzz_broken(const char *condition, const char *file, int line);

/* A copy of the input with a NUL behind it, to be freed. */
char *fuzz_string(const uint8_t *data, size_t size);

/* True when all of it is printable ASCII. */
bool fuzz_is_printable(const char *text);

/* True when `text` has some of `secret`: `part` bytes in a row, or all of a shorter one. */
bool fuzz_quotes(const char *text, const char *secret, size_t part);

#endif
