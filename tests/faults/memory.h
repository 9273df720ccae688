/*
 * All memory of the host process: what libpam, the modules and the C library have taken and not freed.
 */
#ifndef FAULTS_MEMORY_H
#define FAULTS_MEMORY_H

#include <stddef.h>

/* Blocks that are not freed. */
size_t memory_blocks(void);

/* From here on blocks are new. */
void memory_mark(void);

/* Describes the new blocks, a line each, in `out`. */
void memory_describe(char *out, size_t size);

#endif
