/* ech.c - what client and server of Encrypted Client Hello share: the signal of acceptance, HPKE's info.  Must not decide anything. */
#include "tls/ech.h"

#include "base/secret.h"
#include "base/text.h"
#include "crypto/hkdf.h"

const char ech_accept_label[] = "ech accept confirmation", ech_retry_label[] = "hrr ech accept confirmation";

struct hs_ech *hs_ech(struct troth_conn *c)
{
    struct hs *hs = c->hs;
    if (!hs->ech)
        hs->ech = arena_alloc(&hs->arena, sizeof *hs->ech);
    if (!hs->ech)
        (void)fail(c, OUT_OF_MEMORY, "for Encrypted Client Hello");
    return hs->ech;
}

static bool log_line(struct troth_conn *c, const char *label, const uint8_t outer_random[32], span value)
{
    enum { LABEL_MOST = 16 };
    size_t n = LABEL_MOST + 2 * 32 + 1 + 2 * value.n + 1;
    char *line = arena_alloc(&c->hs->arena, n);
    if (!line)
        return fail(c, OUT_OF_MEMORY, "for a line of the key log");
    struct text t = text_in(line, n);
    text_add(&t, "%s ", label);
    text_hex(&t, span_of(outer_random, 32));
    text_add(&t, " ");
    text_hex(&t, value);
    c->cfg->key_log(c->cfg->key_log_ctx, line);
    secret_wipe(line, n);
    return true;
}

bool ech_log(struct troth_conn *c, const uint8_t outer_random[32], span config)
{
    return !c->cfg->key_log
        || (log_line(c, "ECH_SECRET", outer_random, SPAN_OF(c->hs->ech->hpke.shared)) && log_line(c, "ECH_CONFIG", outer_random, config));
}

void ech_info_write(struct wr *w, span config)
{
    wr_raw(w, "tls ech", 8); /* its zero counts */
    wr_span(w, config);
}

void ech_confirmation(uint8_t out[ECH_CONFIRMATION_N], const struct transcript *before, span message, size_t at,
                      const uint8_t inner_random[32], const char *label)
{
    static const uint8_t zeros[ECH_CONFIRMATION_N];
    const troth_hash *h = before->hash;
    struct transcript t = *before;
    struct digest d;
    uint8_t prk[TROTH_DIGEST_MAX];
    h->add(t.state, message.p, at);
    h->add(t.state, zeros, sizeof zeros);
    h->add(t.state, message.p + at + sizeof zeros, message.n - at - sizeof zeros);
    transcript_peek(&t, &d);
    hkdf_extract(h, prk, SPAN_NONE, span_of(inner_random, 32));
    if (!expand_label(h, out, ECH_CONFIRMATION_N, span_of(prk, h->n), label, digest_span(&d)))
        memset(out, 0, ECH_CONFIRMATION_N); /* cannot be: the lengths are right */
}
