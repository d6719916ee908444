/* fuzz_server.c - a whole server against an evil client (evil_fuzz.h): it never takes a peer for proven that is not, ends with one reason, and
 * nothing comes after the end (support/victim.c asserts it). */
#include "fuzz/evil_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return evil_fuzz(false, data, size);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    return evil_mutate(data, size, max, seed);
}
