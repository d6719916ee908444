/* OCSP responses: walked again the same, described, and asked about the certificates that came along. */
#include "fuzz/pki_fuzz.h"
#include "x509/ocsp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pki_ctx *p = pki_fuzz_begin();
    struct ocsp o;
    troth_error e = { 0 };
    pki_fuzz_describe(describe_ocsp, span_of(data, size));
    if (ocsp_parse(&o, span_of(data, size), NULL, &e)) {
        uint32_t n = 0;
        struct ocsp_single s = { .serial = SPAN_TEXT("\1") };
        for (span list = o.singles; ocsp_single_next(&list, &s);)
            n++;
        pki_fuzz_must(n == o.n_singles);
        span list = o.certs, der;
        for (unsigned i = 0; i < 2 && ocsp_cert_next(&list, &der); i++) {
            struct cert issuer, cert;
            if (!cert_parse(&issuer, der, NULL, &e))
                continue;
            cert = issuer;
            cert.issuer = issuer.subject;
            cert.serial = s.serial;
            struct rev_answer a;
            struct ocsp_found found;
            struct ocsp_question q = { .crypto = p->crypto, .cert = &cert, .issuer = &issuer, .response = &o, .now = o.produced,
                                       .max_signatures = 4 };
            ocsp_status(&a, &found, &q);
        }
    } else {
        pki_fuzz_must(e.reason != TROTH_R_NONE);
    }
    pki_fuzz_end();
    return 0;
}
