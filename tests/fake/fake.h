/* fake.h - a provider that keeps every promise of provider.h except secrecy, for fuzzers and tests of the protocol.
 *
 * Its random numbers come from a seed, so that a run can be repeated; its cipher leaves the text as it is but checks real tags; its key
 * exchanges and signatures cost nothing, and anyone could make them.  Sizes are those of the real algorithms, so that messages look real.
 * Its keys are its own: make them with key_make (mk_new_with makes a whole PKI), they load again from what key_private wrote. */
#ifndef TESTS_FAKE_FAKE_H
#define TESTS_FAKE_FAKE_H

#include <troth/provider.h>

/* One owner; not to be shared between threads.  Memory is malloc's, or what is given. */
troth_provider *fake_provider(uint64_t seed);
troth_provider *fake_provider_with(uint64_t seed, const troth_allocator *memory);

/* Its random numbers begin again, from another seed. */
void fake_reseed(troth_provider *, uint64_t seed);

/* How often a function that may fail was called so far: random, a key's begin, seal, make, reply, finish, sign, key_make. */
uint64_t fake_calls(const troth_provider *);
/* The n-th such call from now on fails, once; 0: none does. */
void fake_fail_in(troth_provider *, uint64_t n);

#endif
