/* fuzz_client_hello.c - ClientHello, as a server reads it. */
#include "fuzz/wire_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const kinds[] = { "client_hello" };
    return fuzz_kinds(kinds, COUNT_OF(kinds), data, size);
}
