/* PKCS#12 files, with the password of the seeds. */
#include "crypto/pkcs12.h"

#include <string.h>

#include "fuzz/pki_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t say_secret(void *ctx, char *out, size_t cap)
{
    (void)ctx;
    (void)cap;
    memcpy(out, "secret", 6);
    return 6;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pki_ctx *p = pki_fuzz_begin();
    struct pkcs12 out;
    enum troth_reason why = TROTH_R_NONE;
    bool ok = pkcs12_open(&out, p->arena, span_of(data, size), say_secret, NULL, &why);
    pki_fuzz_must(ok == (why == TROTH_R_NONE));
    for (size_t i = 0; ok && i < out.n_certs; i++)
        pki_fuzz_must(out.certs[i].n && out.titles[i]);
    pki_fuzz_end();
    return 0;
}
