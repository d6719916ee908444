/* memory.h - malloc and free as a troth_allocator, for tests; and one that fails on demand. */
#ifndef TESTS_SUPPORT_MEMORY_H
#define TESTS_SUPPORT_MEMORY_H

#include <troth/types.h>

extern const troth_allocator test_memory;

#endif
