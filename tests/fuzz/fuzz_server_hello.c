/* fuzz_server_hello.c - what a server says in the clear and next: its hellos, EncryptedExtensions, CertificateRequest, tickets. */
#include "fuzz/wire_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const kinds[] = { "server_hello", "server_hello12", "hello_retry_request", "encrypted_extensions",
                                         "certificate_request", "new_session_ticket" };
    return fuzz_kinds(kinds, COUNT_OF(kinds), data, size);
}
