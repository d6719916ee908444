/* Certificate requests: parsed, described, their signature looked at. */
#include "fuzz/pki_fuzz.h"
#include "x509/csr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pki_ctx *p = pki_fuzz_begin();
    struct csr c;
    troth_error e = { 0 };
    pki_fuzz_describe(describe_request, span_of(data, size));
    if (csr_parse(&c, span_of(data, size), NULL, &e)) {
        bool good = csr_verify(&c, p->crypto, &e);
        pki_fuzz_must(good == (e.reason == TROTH_R_NONE));
    } else {
        pki_fuzz_must(e.reason != TROTH_R_NONE);
    }
    pki_fuzz_end();
    return 0;
}
