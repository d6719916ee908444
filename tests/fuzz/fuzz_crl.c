/* CRLs: what is parsed is walked again the same, described, and asked about - without a signature that is right. */
#include "fuzz/pki_fuzz.h"
#include "x509/crl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool trust_everybody(void *ctx, const struct cert *by)
{
    (void)ctx;
    (void)by;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pki_ctx *p = pki_fuzz_begin();
    struct crl c;
    troth_error e = { 0 };
    pki_fuzz_describe(describe_crl, span_of(data, size));
    if (crl_parse(&c, span_of(data, size), NULL, &e)) {
        uint32_t n = 0;
        struct crl_entry entry = { 0 }, last = { 0 };
        for (span list = c.revoked; crl_entry_next(&list, &entry); n++)
            last = entry;
        pki_fuzz_must(n == c.n_revoked);
        struct cert cert = { .issuer = c.issuer, .issuer_hash = c.issuer_hash, .serial = n ? last.serial : SPAN_TEXT("\1") };
        struct cert issuer = { .subject = c.issuer, .subject_hash = c.issuer_hash };
        const struct cert *pool[] = { &issuer };
        struct crl both[] = { c, c };
        struct rev_answer a;
        struct crl_question q = { .crypto = p->crypto, .cert = &cert, .issuer = &issuer, .crls = both, .n_crls = 2,
                                  .now = c.this_update, .max_signatures = 4, .pool = pool, .n_pool = 1, .trusted = trust_everybody };
        if (c.has_idp) { /* a certificate with the CRL's own point */
            cert.has |= BIT(CX_CRL_POINTS);
            cert.ext[CX_CRL_POINTS] = c.freshest.n ? c.freshest : c.idp_raw;
        }
        crl_status(&a, &q);
        pki_fuzz_must(a.status == REV_UNKNOWN); /* nobody signed */
    } else {
        pki_fuzz_must(e.reason != TROTH_R_NONE);
    }
    pki_fuzz_end();
    return 0;
}
