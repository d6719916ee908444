/* Private keys through the provider: loads or says why not; what loads has a public half. */
#include "fuzz/pki_fuzz.h"
#include "x509/issue.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pki_ctx *p = pki_fuzz_begin();
    enum troth_reason why = TROTH_R_NONE;
    troth_key *key = p->crypto->key_load(p->crypto->self, span_of(data, size), NULL, NULL, &why);
    if (key) {
        span spki;
        pki_fuzz_must(key_spki(p, key, &spki) && spki_key_bits(spki).n);
        p->crypto->key_free(key);
    } else {
        pki_fuzz_must(why != TROTH_R_NONE);
    }
    pki_fuzz_end();
    return 0;
}
