/* ech_server.c - Encrypted Client Hello, the server (RFC 9849 7): the inner hello is opened and takes the place of the outer.
 *
 * Everything behind this file sees one hello, the one that counts.  A hello that does not open is no failure: it may be GREASE, or for
 * a key that is gone; the client is told which keys there are.  Must never tell apart, by what it says, the two. */
#include "tls/ech.h"
#include "tls/flight.h"
#include "tls/hooks.h"

/* ---- opening (RFC 9849 7.1) */

/* The outer hello with zeros for its payload: what was authenticated. */
static bool copy_aad(struct troth_conn *c, const struct message *m, span payload, span *aad)
{
    TRY(hs_keep(c, aad, m->body));
    memset((uint8_t *)(uintptr_t)aad->p + (payload.p - m->body.p), 0, payload.n);
    return true;
}

static bool begin_hpke(struct troth_conn *c, struct hs_ech *ech, const struct ech_server_key *key, const struct ech_client_hello *h)
{
    uint8_t *info = arena_alloc(&c->hs->arena, 8 + key->config.n);
    if (!info)
        return fail(c, OUT_OF_MEMORY, "%zu bytes", key->config.n);
    struct wr w = wr_into(info, 8 + key->config.n);
    ech_info_write(&w, key->config);
    return hpke_open_begin(&ech->hpke, c->cfg->provider, h->aead_id, h->enc, key->private_key.p, key->parsed->public_key.p, wr_done(&w));
}

static bool open_payload(struct troth_conn *c, const struct ech_client_hello *h, span aad, span *encoded)
{
    if (h->payload.n < HPKE_TAG_N)
        return false;
    uint8_t *p = arena_alloc(&c->hs->arena, h->payload.n);
    if (!p)
        return fail(c, OUT_OF_MEMORY, "%zu bytes", h->payload.n);
    *encoded = span_of(p, h->payload.n - HPKE_TAG_N);
    return hpke_open(&c->hs->ech->hpke, p, aad, h->payload);
}

/* Each key with this number is tried; false: none opens it (or a failure, which the caller looks for). */
static bool try_keys(struct troth_conn *c, const struct ech_client_hello *h, span aad, span *encoded, span *config)
{
    const struct config *cfg = c->cfg;
    for (size_t i = 0; i < cfg->n_ech_keys && !trouble_is_set(&c->error); i++) {
        const struct ech_server_key *key = &cfg->ech_keys[i];
        if (key->parsed->config_id != h->config_id || !ech_config_has_suite(key->parsed, h->kdf_id, h->aead_id))
            continue;
        *config = key->config;
        if (begin_hpke(c, c->hs->ech, key, h) && open_payload(c, h, aad, encoded))
            return true;
    }
    return false;
}

/* ---- the inner hello */

/* The keys to tell the client about. */
static bool list_retry(struct troth_conn *c, struct hs_ech *ech)
{
    const struct config *cfg = c->cfg;
    size_t n = 2;
    for (size_t i = 0; i < cfg->n_ech_keys; i++)
        n += cfg->ech_keys[i].retry ? cfg->ech_keys[i].config.n : 0;
    uint8_t *p = arena_alloc(&c->hs->arena, n);
    if (!p)
        return fail(c, OUT_OF_MEMORY, "%zu bytes", n);
    struct wr w = wr_into(p, n);
    size_t list = wr_open(&w, 2);
    for (size_t i = 0; i < cfg->n_ech_keys; i++)
        if (cfg->ech_keys[i].retry)
            wr_span(&w, cfg->ech_keys[i].config);
    wr_close(&w, list, 2);
    ech->retry_configs = n > 2 ? wr_done(&w) : SPAN_NONE;
    return wr_ok(&w) || fail(c, BUG, "more ECH configurations than a list can hold");
}

static bool expand(struct troth_conn *c, const struct client_hello *outer, span encoded, const struct message *m, struct message *inner)
{
    size_t most = 4 + 32 + encoded.n + m->body.n; /* each extension of the outer is copied once at most */
    uint8_t *p = arena_alloc(&c->hs->arena, most);
    if (!p)
        return fail(c, OUT_OF_MEMORY, "%zu bytes for the inner ClientHello", most);
    struct rd_ctx ctx;
    rd_ctx_init(&ctx, encoded, NULL);
    struct rd r = rd_init(&ctx, encoded);
    struct wr w = wr_into(p, most);
    size_t mark = message_begin(&w, HS_client_hello);
    bool ok = ech_inner_expand(&w, &r, outer);
    message_end(&w, mark);
    if (!ok && !rd_ok(&r))
        return fail_read(c, "EncodedClientHelloInner", &r);
    if (!ok || !wr_ok(&w))
        return fail(c, BUG, "an inner ClientHello of %zu bytes does not fit", encoded.n);
    *inner = (struct message){ HS_client_hello, wr_done(&w), span_slice(wr_done(&w), 4, w.n) };
    return true;
}

/* It offers TLS 1.3 and nothing older (RFC 9849 7.1). */
static bool check_inner(struct troth_conn *c, const struct client_hello *ch)
{
    enum { SSL3 = 0x0300 };
    const struct exts *e = &ch->exts;
    if (!exts_have(e, X_SUPPORTED_VERSIONS))
        return fail(c, ECH_INNER_INVALID, "no supported_versions");
    for (unsigned v = SSL3; v <= TROTH_TLS12; v++)
        if (u16s_has(e->supported_versions, (uint16_t)v))
            return fail(c, ECH_INNER_INVALID, "it offers version %04x", v);
    return true;
}

/* The inner hello takes the place of the outer: for whoever reads it and in the transcript. */
static bool take_inner(struct troth_conn *c, struct client_hello *ch, struct message *m, span encoded)
{
    struct hs *hs = c->hs;
    struct message inner;
    struct rd_ctx ctx;
    uint8_t type;
    TRY(expand(c, ch, encoded, m, &inner));
    *m = inner;
    memset(ch, 0, sizeof *ch);
    tell_inner_hello(c, m->raw, false);
    rd_ctx_init(&ctx, m->raw, c->witness);
    struct rd whole = rd_init(&ctx, m->raw), r = message_open(&whole, &type);
    if (!client_hello_read_all(ch, &r))
        return fail_read(c, "ClientHelloInner", &r);
    TRY(check_inner(c, ch));
    if (!hs->hello.retried) {
        hs->transcript.early[0] = m->raw;
        return true;
    }
    hs->transcript = *hs->hello.before_again;
    return transcript_add(&hs->transcript, m->raw) || fail(c, BUG, "a message cannot be hashed");
}

/* ---- the two hellos */
static bool refuse(struct troth_conn *c, const char *rule)
{
    c->hs->ech->stage = ECH_REJECTED;
    c->facts.ech = TROTH_ECH_REJECTED;
    conn_padding(c);
    tell_choice_text(c, "ECH", rule, SPAN_NONE, SPAN_NONE, SPAN_TEXT("the outer ClientHello"));
    return list_retry(c, c->hs->ech);
}

static const char not_ours[] = "it is for none of our keys, or does not mean anything (RFC 9849 7.1)";

bool ech_put_back(struct troth_conn *c, struct message *m)
{
    struct hs *hs = c->hs;
    hpke_end(&hs->ech->hpke);
    m->raw = hs->hello.outer;
    m->body = span_slice(m->raw, 4, m->raw.n - 4);
    hs->transcript.early[0] = m->raw;
    c->facts.server_name = SPAN_NONE; /* it was the inner one */
    hs->hello.refuse_ech = false;
    TRY(refuse(c, "the application does not want the inner ClientHello (RFC 9849 7.1)"));
    hs->ech->retry_configs = SPAN_NONE; /* any of them would end here again */
    return true;
}

static bool open_first(struct troth_conn *c, struct client_hello *ch, struct message *m)
{
    const struct ech_client_hello h = ch->exts.ech;
    struct hs_ech *ech = c->hs->ech;
    span aad, encoded, config = SPAN_NONE;
    TRY(copy_aad(c, m, h.payload, &aad));
    if (!try_keys(c, &h, aad, &encoded, &config))
        return !trouble_is_set(&c->error) && refuse(c, not_ours);
    if (c->cfg->ask_server) /* it may want the outer one back */
        TRY(hs_keep(c, &c->hs->hello.outer, m->raw));
    ech->stage = ECH_ACCEPTED;
    ech->config_id = h.config_id;
    ech->aead = h.aead_id;
    c->facts.ech = TROTH_ECH_ACCEPTED;
    conn_padding(c);
    TRY(ech_log(c, ch->random.p, config));
    tell_choice_text(c, "ECH", "one of our keys opens it (RFC 9849 7.1)", SPAN_NONE, SPAN_NONE, SPAN_TEXT("the inner ClientHello"));
    return take_inner(c, ch, m, encoded);
}

/* RFC 9849 7.1.1: what was accepted must go on, in the same context. */
static bool open_again(struct troth_conn *c, struct client_hello *ch, struct message *m)
{
    const struct ech_client_hello h = ch->exts.ech;
    const struct hs_ech *ech = c->hs->ech;
    span aad, encoded;
    if (!exts_have(&ch->exts, X_ENCRYPTED_CLIENT_HELLO))
        return fail(c, ECH_GONE, "in the second ClientHello");
    if (h.type != ECH_TYPE_outer || h.kdf_id != HPKE_KDF_SHA256 || h.aead_id != ech->aead || h.config_id != ech->config_id || h.enc.n)
        return fail(c, ECH_CHANGED, "type %u, suite %04x/%04x, config %u, enc of %zu bytes", h.type, h.kdf_id, h.aead_id, h.config_id,
                    h.enc.n);
    TRY(copy_aad(c, m, h.payload, &aad));
    if (!open_payload(c, &h, aad, &encoded))
        return fail(c, ECH_UNREADABLE, "the second ClientHello");
    return take_inner(c, ch, m, encoded);
}

bool ech_open(struct troth_conn *c, struct client_hello *ch, struct message *m)
{
    enum ech_stage stage = ech_stage(c);
    if (stage == ECH_ACCEPTED)
        return open_again(c, ch, m);
    bool offered = exts_have(&ch->exts, X_ENCRYPTED_CLIENT_HELLO), inner = ch->exts.ech.type == ECH_TYPE_inner;
    if (stage == ECH_BACKEND && (!offered || !inner))
        return fail(c, ECH_GONE, "in the second ClientHello");
    if (stage != ECH_OFF || !offered || (!inner && !c->cfg->n_ech_keys))
        return true;
    if (inner && c->cfg->n_ech_keys) /* one that was not encrypted: nobody may send that to us (RFC 9849 7) */
        return fail(c, ECH_INNER_OUTSIDE, "type inner, in the clear");
    TRY(hs_ech(c));
    if (!inner)
        return c->hs->hello.retried ? refuse(c, not_ours) : open_first(c, ch, m);
    c->hs->ech->stage = c->hs->hello.retried ? ECH_OFF : ECH_BACKEND;
    return true;
}

bool ech_moved(struct troth_conn *c)
{
    return ech_stage(c) != ECH_ACCEPTED || hpke_move(&c->hs->ech->hpke, c->cfg->provider)
        || fail(c, CRYPTO_FAILED, "the other configuration's provider lacks what Encrypted Client Hello needs");
}

/* ---- the signal of acceptance (RFC 9849 7.2) */
static bool confirms(const struct troth_conn *c)
{
    return ech_stage(c) == ECH_ACCEPTED || ech_stage(c) == ECH_BACKEND;
}

void ech_confirm(struct troth_conn *c, uint8_t *message, size_t n)
{
    if (!confirms(c))
        return;
    uint8_t *at = message + ECH_ACCEPT_AT;
    ech_confirmation(at, &c->hs->transcript, span_of(message, n), ECH_ACCEPT_AT, c->facts.client_random, ech_accept_label);
    memcpy(c->facts.server_random + 24, at, ECH_CONFIRMATION_N);
}

void ech_offer_retry(struct troth_conn *c, struct exts *e)
{
    static const uint8_t zeros[ECH_CONFIRMATION_N];
    if (!confirms(c))
        return;
    e->ech_confirmation = SPAN_OF(zeros);
    exts_add(e, X_ENCRYPTED_CLIENT_HELLO); /* the last: ech_confirm_retry finds it there */
}

void ech_confirm_retry(struct troth_conn *c, uint8_t *message, size_t n)
{
    if (!confirms(c))
        return;
    size_t at = n - ECH_CONFIRMATION_N;
    ech_confirmation(message + at, &c->hs->transcript, span_of(message, n), at, c->facts.client_random, ech_retry_label);
}

void ech_give_retry(const struct troth_conn *c, struct exts *e)
{
    if (ech_stage(c) != ECH_REJECTED || !c->hs->ech->retry_configs.n || !ext_set_has(&c->hs->hello.has, X_ENCRYPTED_CLIENT_HELLO))
        return; /* a second hello without it is not to be answered with it, though the first had it (RFC 9846 4.3) */
    e->ech_retry_configs = c->hs->ech->retry_configs;
    exts_add(e, X_ENCRYPTED_CLIENT_HELLO);
}
