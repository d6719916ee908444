/* cookie.c - making and opening cookies.  Must never put into one what the client may not know, nor believe
 * one before its MAC. */
#include "tls/cookie.h"

#include "crypto/hkdf.h"

enum { FLAG_BOUND = 1, FLAG_SHARE = 2 };

/* What the client must say again, and where it is, count without being in it. */
static bool mac_of(struct troth_conn *c, uint8_t mac[TROTH_DIGEST_MAX], span content)
{
    const struct hello *h = &c->hs->hello;
    span address = c->rare ? c->rare->address : SPAN_NONE;
    const troth_hash *hash = provider_hash(c->cfg->provider, TROTH_SHA256);
    size_t n = content.n + sizeof c->facts.client_random + 1 + h->session_id_n + address.n;
    uint8_t *p = arena_alloc(&c->hs->arena, n);
    if (!p || !hash)
        return p ? fail(c, CRYPTO_FAILED, "no SHA-256") : fail(c, OUT_OF_MEMORY, "for a cookie");
    struct wr w = wr_into(p, n);
    wr_span(&w, content);
    wr_span(&w, SPAN_OF(c->facts.client_random));
    wr_opaque(&w, 1, span_of(h->session_id, h->session_id_n));
    wr_span(&w, address);
    hmac_once(hash, mac, SPAN_OF(c->cfg->cookie_key), wr_done(&w));
    return true;
}

bool cookie_make(struct troth_conn *c, const struct cookie *what, span *out)
{
    uint8_t mac[TROTH_DIGEST_MAX], *p = arena_alloc(&c->hs->arena, COOKIE_MOST);
    if (!p)
        return fail(c, OUT_OF_MEMORY, "for a cookie");
    struct wr w = wr_into(p, COOKIE_MOST);
    wr_u16(&w, what->suite);
    wr_u16(&w, what->group);
    wr_u8(&w, (uint8_t)((what->bound ? FLAG_BOUND : 0) | (what->share_asked ? FLAG_SHARE : 0)));
    wr_u32(&w, (uint32_t)((uint64_t)what->made >> 32));
    wr_u32(&w, (uint32_t)what->made);
    wr_span(&w, what->hello1);
    TRY(mac_of(c, mac, wr_done(&w)));
    wr_raw(&w, mac, COOKIE_MAC_N);
    *out = wr_done(&w);
    return wr_ok(&w) || fail(c, BUG, "a cookie of %zu bytes", w.n);
}

bool cookie_open(struct troth_conn *c, span cookie, struct cookie *what)
{
    uint8_t mac[TROTH_DIGEST_MAX];
    if (cookie.n <= COOKIE_FIXED_N + COOKIE_MAC_N || cookie.n > COOKIE_MOST)
        return fail(c, BAD_COOKIE, "%zu bytes", cookie.n);
    span content = span_slice(cookie, 0, cookie.n - COOKIE_MAC_N);
    TRY(mac_of(c, mac, content));
    if (!bytes_equal_ct(mac, cookie.p + content.n, COOKIE_MAC_N))
        return fail(c, BAD_COOKIE, "it is not authentic, or for another client");
    *what = (struct cookie){ .suite = u16s_at(content, 0),
                             .group = u16s_at(content, 1),
                             .bound = content.p[4] & FLAG_BOUND,
                             .share_asked = content.p[4] & FLAG_SHARE,
                             .hello1 = span_slice(content, COOKIE_FIXED_N, content.n - COOKIE_FIXED_N) };
    for (size_t i = 5; i < COOKIE_FIXED_N; i++)
        what->made = (int64_t)((uint64_t)what->made << 8 | content.p[i]);
    int64_t age = config_now(c->cfg) - what->made;
    if (age < 0 || age > LIMIT_COOKIE_AGE)
        return fail(c, COOKIE_STALE, "%lld seconds old, at most %d", (long long)age, LIMIT_COOKIE_AGE);
    return !what->bound ||
           fail(c, BAD_COOKIE, "it is for the connection that made it: it encrypted, or sent early data");
}
