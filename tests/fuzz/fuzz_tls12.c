/* fuzz_tls12.c - the messages that only TLS 1.2 has, and the small ones. */
#include "fuzz/wire_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const kinds[] = { "server_key_exchange12", "client_key_exchange12", "certificate_request12",
                                         "new_session_ticket12", "finished", "finished12", "key_update", "server_hello_done",
                                         "alert" };
    return fuzz_kinds(kinds, COUNT_OF(kinds), data, size);
}
