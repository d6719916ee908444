/* memory.h - malloc and free as a troth_allocator, for tests; and one that fails on demand. */
#ifndef TESTS_SUPPORT_MEMORY_H
#define TESTS_SUPPORT_MEMORY_H

#include <troth/types.h>

extern const troth_allocator test_memory;

/* What runs out: memory, through scarce_memory(), or whatever asks scarce_refuses(). */
struct scarce {
    size_t left;     /* requests until one fails, that one included; 0: none does */
    size_t alive;    /* allocations that are out                                  */
    bool   for_good; /* all behind it fail as well                                */
    bool   failed;   /* it came to that                                           */
};
bool scarce_refuses(struct scarce *);
/* The struct must outlive all that is allocated. */
troth_allocator scarce_memory(struct scarce *);

#endif
