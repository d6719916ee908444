/* Shared by the tests of the record layer: an allocator that counts and fails on demand, a provider, records made by hand. */
#ifndef TESTS_RECORD_RECORDS_H
#define TESTS_RECORD_RECORDS_H

#include "support/test.h"

#include "base/witness.h"
#include "crypto/provider.h"
#include "record/record.h"

/* Counts what is out; the `fail_in`-th allocation from now on fails (0: none does). */
struct counted {
    troth_allocator memory;
    size_t blocks, bytes, peak;
    int    fail_in;
};
void counted_init(struct counted *c);

/* Deterministic bytes. */
void noise(uint8_t *p, size_t n, uint32_t seed);
uint32_t noise_below(uint32_t *seed, uint32_t below);

/* A record by hand; returns its length. */
size_t put_record(uint8_t *to, uint8_t type, uint16_t version, span body);
/* Gives bytes to the buffer, through its own room, at most `step` at a time (0: as many as fit). */
void feed(struct inbuf *b, span bytes, size_t step);

#define assert_reason(e, r) assert_string_equal((e)->code ? (e)->code : "ok", troth_reason_code(TROTH_R_##r))

#endif
