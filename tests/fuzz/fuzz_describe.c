/* Certificates and public keys in words: printable whatever is in them. */
#include "fuzz/pki_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pki_fuzz_begin();
    pki_fuzz_describe(describe_certificate, span_of(data, size));
    pki_fuzz_describe(describe_public_key, span_of(data, size));
    pki_fuzz_end();
    return 0;
}
