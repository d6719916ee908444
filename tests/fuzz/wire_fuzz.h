/* wire_fuzz.h - what the targets of wire/ have in common: the first byte chooses a kind of message, the rest is its body. */
#ifndef TESTS_FUZZ_WIRE_FUZZ_H
#define TESTS_FUZZ_WIRE_FUZZ_H

#include "support/wire_kinds.h"

/* Reads it, with and without a witness; what was understood is written, read again and written again, and must not change. */
int fuzz_kinds(const char *const *kinds, size_t n, const uint8_t *data, size_t size);
/* A block of exactly the bytes, so that a read past their end is seen; the caller frees it. */
uint8_t *fuzz_exact(const uint8_t *data, size_t size);
/* Ends the run when `ok` is false: that is a finding. */
void fuzz_require(bool ok, const char *what);
/* A witness that insists on sightings within a message of `n` bytes. */
struct fuzz_bounds { size_t n, seen; };
struct witness fuzz_witness(struct fuzz_bounds *b);

#endif
