/* remains.h - what is left of a secret: an allocator that keeps freed blocks as they are, and a search through them, through live blocks and
 * through the stack below.
 *
 *     remains_watch("c hs traffic", p, n, UNTIL_END);
 *     remains_clear_stack();  run();  found = remains_search(UNTIL_END, "basic, closed");
 *
 * Needles are kept masked, so that the test does not find itself. */
#ifndef TESTS_SUPPORT_REMAINS_H
#define TESTS_SUPPORT_REMAINS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <troth/types.h>

/* How long a secret may be there: until the connection ends, is freed, or its configuration is. */
enum until { UNTIL_END, UNTIL_FREE, UNTIL_CONFIG };

/* Of the library, and of libcrypto (CRYPTO_set_mem_functions; false: too late). */
extern const troth_allocator remains_memory;
bool remains_take_libcrypto(void);

/* Fewer than 16 bytes are not looked for. */
void remains_watch(const char *name, const uint8_t *p, size_t n, enum until until);
/* Searches live blocks for what may be there no longer than `upto`, freed ones and the stack for everything; prints what it finds and
 * returns how much.  The blocks that were freed are then given back (remains_bury). */
size_t remains_search(enum until upto, const char *when);
void remains_bury(void);
/* Forgets the needles, and gives the blocks back. */
void remains_forget(void);
size_t remains_needles(void);
void remains_clear_stack(void);
/* Blocks of libcrypto that had a secret in them, so far: those are counted apart. */
size_t remains_in_libcrypto(void);

#endif
