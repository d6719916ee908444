/* evil_fuzz.h - a whole connection against a peer that keeps to the protocol, keys and all, except where the input says otherwise.
 *
 * Input: a byte that chooses a row of support/flavour.h (from 128 on: with libcrypto instead of the fake provider), a seed of all random
 * numbers, then the program of support/evil.h. */
#ifndef TESTS_FUZZ_EVIL_FUZZ_H
#define TESTS_FUZZ_EVIL_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <troth/provider.h>

int evil_fuzz(bool evil_server, const uint8_t *data, size_t size);
/* libcrypto with random numbers from a seed, which all such providers share, or a fake one; and both from a seed once more. */
troth_provider *evil_provider(bool real);
void evil_reseed(troth_provider *, bool real, unsigned seed);
/* For LLVMFuzzerCustomMutator: the program may begin at any byte behind the first two. */
size_t evil_mutate(uint8_t *data, size_t size, size_t max, unsigned seed);

#endif
