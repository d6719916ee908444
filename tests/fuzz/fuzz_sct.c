/* SCT lists: the first two bytes say how much is a certificate, the rest is the list.  Written again they are the same. */
#include "fuzz/pki_fuzz.h"
#include "base/wr.h"
#include "x509/sct.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pki_ctx *p = pki_fuzz_begin();
    size_t cert_n = size >= 2 ? (size_t)(data[0] << 8 | data[1]) : 0;
    span all = size >= 2 ? span_of(data + 2, size - 2) : SPAN_NONE, list;
    span der = span_slice(all, 0, cert_n), scts = span_slice(all, der.n, all.n);
    troth_error e = { 0 };
    if (scts_open(scts, &list, NULL, &e)) {
        span one[64];
        size_t n = 0;
        for (struct sct s; n < 64 && sct_next(&list, &s);)
            one[n++] = s.raw;
        uint8_t *room = arena_alloc(p->arena, scts.n + 1);
        struct wr w = wr_into(room, scts.n);
        sct_list_write(&w, one, n);
        pki_fuzz_must(room && wr_ok(&w) && span_equal(wr_done(&w), scts));
    }
    struct cert c;
    if (cert_parse(&c, der, NULL, &e)) {
        struct ct_log log;
        struct sct s;
        struct sct_answer a;
        span own;
        bool known = ct_log_init(&log, p->crypto, c.spki, "log");
        if (known && c.sct_list.n && scts_open(c.sct_list, &own, NULL, &e) && sct_next(&own, &s) && s.version == 0)
            memcpy(log.id, s.log_id.p, 32); /* so that it gets as far as the signature */
        struct sct_question q = { .crypto = p->crypto, .cert = &c, .issuer = &c, .logs = &log, .n_logs = known, .in_tls = scts,
                                  .now = 1790000000, .max_signatures = 3 };
        sct_status(&a, &q);
        pki_fuzz_must(a.signatures <= 3 && a.n <= 64);
    }
    pki_fuzz_end();
    return 0;
}
