/* Counts what the program, and every library in it, allocates. */
#ifndef COUNTED_ALLOCATIONS_H
#define COUNTED_ALLOCATIONS_H

#include <stdatomic.h>
#include <stdlib.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static atomic_long n_allocation = 0;

/* The program's own functions come before those of the C library, for the library too, and for an
 * engine that is linked with the program. */
void *malloc(size_t size) {
  ++n_allocation;
  return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
  ++n_allocation;
  return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size) {
  ++n_allocation;
  return __libc_realloc(memory, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
  ++n_allocation;
  return __libc_memalign(alignment, size);
}

#endif
