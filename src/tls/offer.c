/* offer.c - what our ClientHello says.  Must build the same hello each time: everything that is random is drawn in offer_prepare. */
#include "tls/offer.h"

#include "tls/carrier.h"
#include "tls/compressed.h"
#include "tls/delegated.h"
#include "tls/ech.h"
#include "tls/flight.h"
#include "tls/hooks.h"
#include "tls/negotiate.h"
#include "tls/psk.h"
#include "tls/quic.h"
#include "tls/session.h"
#include "tls/types.h"

enum grease_seed { GREASE_SUITE, GREASE_GROUP, GREASE_EXT_FIRST, GREASE_EXT_LAST, GREASE_VERSION, GREASE_SCHEME };

/* One of 0x0a0a, 0x1a1a, ... (RFC 8701 2). */
static uint16_t grease(const struct offer *o, enum grease_seed what)
{
    uint8_t b = (uint8_t)((o->grease[what] & 0xf0) | 0x0a);
    if (what == GREASE_EXT_LAST && b == ((o->grease[GREASE_EXT_FIRST] & 0xf0) | 0x0a))
        b ^= 0x10; /* the two extensions must not be the same */
    return (uint16_t)(b << 8 | b);
}

/* ---- key shares */

/* Where the hello is long, it and the shares have memory of their own, which goes when they were answered: the size of it; 0 where they
 * are in the handshake's. */
size_t offer_apart(const struct troth_conn *c)
{
    enum { CLASSICAL = 133, KEY_AND_ROW = 128, HELLO = 448, PSK = 64 };
    const struct config *cfg = c->cfg;
    size_t n = HELLO + (c->hs && c->hs->psk ? PSK + c->hs->psk->session.ticket.n : 0), most = 0;
    for (size_t i = 0; i < u16s_count(cfg->key_shares); i++) {
        const troth_kem *kem = provider_kem(cfg->provider, u16s_at(cfg->key_shares, i));
        n += kem ? KEY_AND_ROW + kem->share_n : 0;
        most = kem && kem->share_n > most ? kem->share_n : most;
    }
    return most > CLASSICAL ? n : 0;
}

static bool make_room(struct troth_conn *c)
{
    struct offer *o = &c->hs->offer;
    size_t apart = offer_apart(c);
    o->room = apart ? arena_alloc(&c->hs->arena, sizeof *o->room) : &c->hs->arena;
    if (apart && o->room)
        arena_init(o->room, c->cfg->memory, apart);
    return o->room || fail(c, OUT_OF_MEMORY, "for a ClientHello");
}

bool offer_forget(struct troth_conn *c)
{
    struct offer *o = &c->hs->offer;
    if (!o->room || o->room == &c->hs->arena)
        return true;
    bool ok = carrier_of(c)->own(c);
    o->shares = NULL;
    o->n_shares = 0;
    arena_free(o->room);
    return ok;
}

/* One that a hybrid among the `n` before it contains is the same key (performance: one X25519 key serves both). */
static struct offered_share *whole_of(const struct offer *o, size_t n, const troth_kem *kem)
{
    for (size_t i = 0; i < n; i++)
        if (o->shares[i].kem->tail == kem)
            return &o->shares[i];
    return NULL;
}

/* A share for `kem`, which is made when its place is known. */
static bool add_share(struct troth_conn *c, const troth_kem *kem)
{
    struct offer *o = &c->hs->offer;
    if (o->n_shares == o->max_shares)
        return true;
    struct offered_share *whole = whole_of(o, o->n_shares, kem);
    uint8_t *key = whole ? whole->key + whole->kem->tail_private_at : arena_alloc(o->room, kem->private_n);
    if (!key)
        return fail(c, OUT_OF_MEMORY, "for a key share of %s", kem->name);
    o->shares[o->n_shares++] = (struct offered_share){ kem, key, { NULL, kem->share_n } };
    return true;
}

static bool make_share(struct troth_conn *c, struct offered_share *s, uint8_t *at)
{
    const struct offer *o = &c->hs->offer;
    const struct offered_share *whole = whole_of(o, (size_t)(s - o->shares), s->kem);
    if (!at)
        return fail(c, OUT_OF_MEMORY, "for a key share of %s", s->kem->name);
    if (whole)
        memcpy(at, whole->share.p + whole->kem->tail_share_at, s->share.n);
    else if (!s->kem->make(s->kem, s->key, at))
        return fail(c, CRYPTO_FAILED, "making a key for %s", s->kem->name);
    s->share.p = at;
    return true;
}

/* Where there are two hellos, they are made before. */
static bool make_shares_ahead(struct troth_conn *c)
{
    struct offer *o = &c->hs->offer;
    for (size_t i = 0; i < o->n_shares; i++)
        TRY(o->shares[i].share.p || make_share(c, &o->shares[i], arena_alloc(o->room, o->shares[i].share.n)));
    return true;
}

/* In the hello that was written: `at` says where. */
static bool make_shares_there(struct troth_conn *c, uint8_t *message, const size_t *at)
{
    struct offer *o = &c->hs->offer;
    for (size_t i = 0; i < o->n_shares; i++)
        TRY(o->shares[i].share.p || make_share(c, &o->shares[i], message + at[i]));
    return true;
}

static bool choose_shares(struct troth_conn *c)
{
    const struct config *cfg = c->cfg;
    struct offer *o = &c->hs->offer;
    size_t most = u16s_count(cfg->key_shares);
    o->max_shares = (uint8_t)(most < 1 ? 1 : most < SHARES_MAX ? most : SHARES_MAX); /* one for a HelloRetryRequest */
    o->shares = arena_array(o->room, o->max_shares, sizeof *o->shares);
    if (!o->shares)
        return fail(c, OUT_OF_MEMORY, "for key shares");
    for (size_t i = 0; c->hs->offer.most >= TROTH_TLS13 && i < u16s_count(cfg->key_shares); i++) {
        const troth_kem *kem = provider_kem(cfg->provider, u16s_at(cfg->key_shares, i));
        if (kem)
            TRY(add_share(c, kem));
    }
    return true;
}

bool offer_retry_share(struct troth_conn *c, uint16_t group)
{
    const troth_kem *kem = provider_kem(c->cfg->provider, group);
    if (!kem)
        return fail(c, BUG, "offered a group that the provider does not have");
    c->hs->offer.n_shares = 0;
    return add_share(c, kem);
}

bool offer_prepare(struct troth_conn *c)
{
    struct offer *o = &c->hs->offer;
    o->least = c->cfg->least;
    o->most = c->cfg->most;
    struct { /* one draw: each costs more than its bytes */
        uint8_t random[32], grease[sizeof o->grease], shuffle[sizeof o->shuffle], session_id[32];
    } fresh;
    TRY(conn_random(c, (uint8_t *)&fresh, sizeof fresh));
    memcpy(c->facts.client_random, fresh.random, 32);
    memcpy(o->grease, fresh.grease, sizeof o->grease);
    memcpy(o->shuffle, fresh.shuffle, sizeof o->shuffle);
    memcpy(o->session_id, fresh.session_id, 32); /* for whoever needs one */
    if (c->cfg->middlebox && o->most >= TROTH_TLS13)
        o->session_id_n = 32;
    return make_room(c) && choose_shares(c);
}

/* ---- the hello */
static bool room(struct troth_conn *c, struct wr *w, size_t n)
{
    uint8_t *p = arena_alloc(c->hs->offer.room, n);
    if (!p)
        return fail(c, OUT_OF_MEMORY, "for a ClientHello");
    *w = wr_into(p, n);
    return true;
}

/* GREASE, then the suites of the versions that are offered. */
static bool put_suites(struct troth_conn *c, struct client_hello *ch)
{
    const struct config *cfg = c->cfg;
    const struct offer *o = &c->hs->offer;
    struct wr w;
    TRY(room(c, &w, cfg->suites.n + 4));
    if (cfg->grease)
        wr_u16(&w, grease(o, GREASE_SUITE));
    for (size_t i = 0; i < u16s_count(cfg->suites); i++) {
        const struct suite *s = suite_by_id(u16s_at(cfg->suites, i));
        if (s && s->version >= o->least && s->version <= o->most)
            wr_u16(&w, s->id);
    }
    if (cfg->fallback)
        wr_u16(&w, SUITE_TLS_FALLBACK_SCSV); /* RFC 7507 4 */
    ch->cipher_suites = wr_done(&w);
    return true;
}

static bool put_versions(struct troth_conn *c, struct exts *e)
{
    const struct offer *o = &c->hs->offer;
    struct wr w;
    TRY(room(c, &w, 6));
    if (c->cfg->grease)
        wr_u16(&w, grease(o, GREASE_VERSION));
    for (uint16_t v = o->most; v >= o->least; v--)
        wr_u16(&w, v);
    e->supported_versions = wr_done(&w);
    exts_add(e, X_SUPPORTED_VERSIONS);
    return true;
}

static bool put_groups(struct troth_conn *c, struct exts *e)
{
    static const uint8_t nothing[1] = { 0 };
    const struct config *cfg = c->cfg;
    const struct offer *o = &c->hs->offer;
    uint16_t any = grease(o, GREASE_GROUP);
    if (ech_stage(c) == ECH_OFFERED || ech_stage(c) == ECH_ACCEPTED)
        TRY(make_shares_ahead(c));
    struct wr w;
    TRY(room(c, &w, cfg->groups.n + 2));
    if (cfg->grease)
        wr_u16(&w, any);
    for (size_t i = 0; i < u16s_count(cfg->groups); i++)
        if (o->most >= TROTH_TLS13 || !group_is_quantum_safe(u16s_at(cfg->groups, i)))
            wr_u16(&w, u16s_at(cfg->groups, i));
    e->supported_groups = wr_done(&w);
    exts_add(e, X_SUPPORTED_GROUPS);
    if (o->most < TROTH_TLS13)
        return true;
    if (cfg->grease && !o->retry_group) /* a second hello repeats them unless another share was demanded (RFC 9846 4.2.2) */
        e->shares[e->n_shares++] = (struct key_share){ any, SPAN_OF(nothing) };
    for (size_t i = 0; i < o->n_shares; i++)
        e->shares[e->n_shares++] = (struct key_share){ o->shares[i].kem->group, o->shares[i].share };
    exts_add(e, X_KEY_SHARE);
    return true;
}

static bool is_address(const char *host)
{
    bool v4 = true;
    for (const char *p = host; *p; p++) {
        if (*p == ':')
            return true;
        v4 = v4 && (*p == '.' || (*p >= '0' && *p <= '9'));
    }
    return v4;
}

/* RFC 6066 3: a DNS name, never an address, without a trailing dot. */
static void put_server_name(const struct troth_conn *c, struct exts *e)
{
    const char *name = c->sni ? c->sni : c->host;
    size_t n = strlen(name);
    if (n && name[n - 1] == '.')
        n--;
    if (!n || is_address(name))
        return;
    e->server_name = span_of(name, n);
    exts_add(e, X_SERVER_NAME);
}

/* What only a hello that may end in TLS 1.2 says (RFC 7627, 5746, 8422). */
static void put_tls12(const struct troth_conn *c, struct exts *e)
{
    static const uint8_t uncompressed[1] = { 0 };
    if (c->hs->offer.least > TROTH_TLS12)
        return;
    exts_add(e, X_EXTENDED_MASTER_SECRET);
    exts_add(e, X_RENEGOTIATION_INFO);
    e->ec_point_formats = SPAN_OF(uncompressed);
    exts_add(e, X_EC_POINT_FORMATS);
}

static bool put_certificate_wishes(struct troth_conn *c, struct exts *e)
{
    const struct config *cfg = c->cfg;
    struct wr w;
    TRY(room(c, &w, cfg->verify_schemes.n + 2));
    wr_span(&w, cfg->verify_schemes);
    if (cfg->grease)
        wr_u16(&w, grease(&c->hs->offer, GREASE_SCHEME));
    e->signature_algorithms = wr_done(&w);
    exts_add(e, X_SIGNATURE_ALGORITHMS);
    if (cfg->cert_schemes.n) {
        e->signature_algorithms_cert = cfg->cert_schemes;
        exts_add(e, X_SIGNATURE_ALGORITHMS_CERT);
    }
    if (cfg->authorities.n && c->hs->offer.most >= TROTH_TLS13) {
        e->certificate_authorities = cfg->authorities;
        exts_add(e, X_CERTIFICATE_AUTHORITIES);
    }
    if (cfg->request_ocsp) {
        e->status_request = (struct status_request){ .status_type = STATUS_TYPE_ocsp };
        exts_add(e, X_STATUS_REQUEST);
    }
    if (cfg->request_scts)
        exts_add(e, X_SIGNED_CERTIFICATE_TIMESTAMP);
    if (cfg->post_handshake_auth)
        exts_add(e, X_POST_HANDSHAKE_AUTH);
    return true;
}

static bool put_extensions(struct troth_conn *c, struct exts *e)
{
    static const uint8_t one[1] = { 0 };
    const struct config *cfg = c->cfg;
    const struct offer *o = &c->hs->offer;
    if (cfg->grease)
        exts_add_unknown(e, grease(o, GREASE_EXT_FIRST), SPAN_NONE);
    put_server_name(c, e);
    put_tls12(c, e);
    TRY(put_groups(c, e));
    TRY(put_certificate_wishes(c, e) && types_offer(c, e));
    if (cfg->alpn.n) {
        e->alpn = cfg->alpn;
        exts_add(e, X_ALPN);
    }
    if (o->most >= TROTH_TLS13)
        TRY(put_versions(c, e) && compression_offer(c, e) && delegated_offer(c, e));
    TRY(quic_put(c, e));
    if (cfg->record_size_limit) {
        e->record_size_limit = conn_own_limit(cfg, o->most);
        exts_add(e, X_RECORD_SIZE_LIMIT);
    }
    if (cfg->grease)
        exts_add_unknown(e, grease(o, GREASE_EXT_LAST), SPAN_OF(one));
    return true;
}

bool offer_build(struct troth_conn *c, struct client_hello *ch)
{
    static const uint8_t null_compression[1] = { 0 };
    struct offer *o = &c->hs->offer;
    memset(ch, 0, sizeof *ch);
    ch->legacy_version = TROTH_TLS12;
    ch->random = SPAN_OF(c->facts.client_random);
    ch->legacy_session_id = span_of(o->session_id, o->session_id_n);
    ch->legacy_compression_methods = SPAN_OF(null_compression);
    ch->has_extensions = true;
    TRY(put_suites(c, ch));
    TRY(put_extensions(c, &ch->exts));
    TRY(session12_offer(c, ch));
    TRY(ech_offer(c, ch));
    exts_shuffle(&ch->exts, SPAN_OF(o->shuffle));
    if (o->cookie.n) { /* behind the others, whose order stays that of the first hello */
        ch->exts.cookie = o->cookie;
        exts_add(&ch->exts, X_COOKIE);
    }
    TRY(psk_offer(c, ch));
    o->asked = ch->exts.have;
    return true;
}

bool offer_send(struct troth_conn *c, struct client_hello *ch)
{
    uint8_t *message;
    size_t n;
    bool sent;
    TRY(ech_send(c, ch, &sent));
    if (sent)
        return true;
    size_t at[LIMIT_KEY_SHARES] = { 0 };
    ch->exts.share_at = at;
    TRY(flight_write_to_lend(c, c->hs->offer.room, HS_client_hello, body_client_hello, ch, &message, &n));
    ch->exts.share_at = NULL;
    TRY(make_shares_there(c, message, at + ch->exts.n_shares - c->hs->offer.n_shares)); /* GREASE comes first */
    return psk_bind(c, ch, message, n) && flight_lend(c, message, n);
}
