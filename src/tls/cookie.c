/* cookie.c - making cookies.  Must never put into one what the client may not know. */
#include "tls/cookie.h"

#include "crypto/hkdf.h"

enum { MAC_N = 32, FIXED_N = 4 };

static bool mac_of(const struct config *cfg, uint8_t mac[TROTH_DIGEST_MAX], span content)
{
    const troth_hash *h = provider_hash(cfg->provider, TROTH_SHA256);
    TRY(h);
    hmac_once(h, mac, SPAN_OF(cfg->cookie_key), content);
    return true;
}

bool cookie_make(struct troth_conn *c, span *out)
{
    struct digest transcript;
    uint8_t mac[TROTH_DIGEST_MAX];
    transcript_peek(&c->hs->transcript, &transcript);
    size_t n = FIXED_N + transcript.n + MAC_N;
    uint8_t *p = arena_alloc(&c->hs->arena, n);
    if (!p)
        return fail(c, OUT_OF_MEMORY, "for a cookie");
    struct wr w = wr_into(p, n);
    wr_u16(&w, c->hs->suite->id);
    wr_u16(&w, c->facts.group);
    wr_span(&w, digest_span(&transcript));
    if (!mac_of(c->cfg, mac, wr_done(&w)))
        return fail(c, CRYPTO_FAILED, "no SHA-256");
    wr_raw(&w, mac, MAC_N);
    *out = wr_done(&w);
    return true;
}
