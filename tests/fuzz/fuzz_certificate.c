/* fuzz_certificate.c - Certificate in all forms, and what belongs to it. */
#include "fuzz/wire_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const kinds[] = { "certificate", "certificate12", "raw_public_key12", "compressed_certificate",
                                         "certificate_verify", "certificate_status" };
    return fuzz_kinds(kinds, COUNT_OF(kinds), data, size);
}
