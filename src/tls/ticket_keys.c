/* ticket_keys.c - sealing a server's sessions into tickets (RFC 5077 4).
 *
 * Keys that the application gave: the first seals, all of them open.  Otherwise keys are derived from a secret of the configuration, a
 * new one each half ticket lifetime: a frozen configuration needs no lock to change its keys.  A derived key's name says which
 * configuration's it is, and its epoch.  Must never tell a forged ticket from an old one: both are simply not resumed. */
#include "tls/session.h"

static uint32_t period(const struct config *cfg)
{
    return cfg->ticket_lifetime / 2 + 1;
}

static uint64_t epoch_of(const struct config *cfg)
{
    return (uint64_t)config_now(cfg) / period(cfg);
}

/* Name and key of an epoch. */
static bool derive(const struct config *cfg, uint64_t epoch, troth_ticket_key *out)
{
    struct wr w = wr_into(out->name, sizeof out->name);
    wr_span(&w, SPAN_OF(cfg->ticket_origin));
    wr_uint(&w, epoch, 8);
    return wr_ok(&w) && expand_label_key(&cfg->ticket_secret, out->key, sizeof out->key, "ticket key", SPAN_OF(out->name));
}

static const troth_aead *sealing(const struct config *cfg)
{
    const troth_aead *a = provider_aead(cfg->provider, TROTH_AES_256_GCM);
    return a ? a : provider_aead(cfg->provider, TROTH_CHACHA20_POLY1305);
}

static bool newest(const struct config *cfg, troth_ticket_key *k)
{
    if (!cfg->n_ticket_keys)
        return derive(cfg, epoch_of(cfg), k);
    *k = cfg->ticket_keys[0];
    return true;
}

/* The key of this name, if it still counts; *old: it is not the newest. */
static bool named(const struct config *cfg, span name, troth_ticket_key *k, bool *old)
{
    for (size_t i = 0; i < cfg->n_ticket_keys; i++)
        if (span_equal(name, SPAN_OF(cfg->ticket_keys[i].name))) {
            *k = cfg->ticket_keys[i];
            *old = i > 0;
            return true;
        }
    struct rd_ctx ctx;
    rd_ctx_init(&ctx, name, NULL);
    struct rd r = rd_init(&ctx, name);
    bool ours = span_equal(rd_bytes(&r, "origin", sizeof cfg->ticket_origin), SPAN_OF(cfg->ticket_origin)) && !cfg->n_ticket_keys;
    uint64_t now = epoch_of(cfg), then = rd_u64(&r, "epoch");
    *old = then < now;
    return ours && then <= now && now - then <= 2 && derive(cfg, then, k);
}

enum { AROUND = TICKET_NAME_N + TICKET_NONCE_N + TICKET_TAG_N };

span ticket_room(const struct session *s)
{
    struct wr measure = wr_measure();
    session_write(&measure, s);
    return (span){ NULL, AROUND + measure.n <= 0xffff ? AROUND + measure.n : 0 };
}

/* The session is written where it is sealed. */
bool ticket_seal(struct troth_conn *c, const struct session *s, uint8_t *p, size_t all)
{
    const troth_aead *aead = sealing(c->cfg);
    _Alignas(16) uint8_t state[TROTH_AEAD_STATE_MAX];
    troth_ticket_key k;
    size_t n = all - AROUND;
    if (!aead || !newest(c->cfg, &k))
        return fail(c, CRYPTO_FAILED, "no AEAD for tickets");
    uint8_t *nonce = p + TICKET_NAME_N, *text = nonce + TICKET_NONCE_N;
    struct wr w = wr_into(text, n);
    session_write(&w, s);
    memcpy(p, k.name, TICKET_NAME_N);
    bool ok = wr_ok(&w) && conn_random(c, nonce, TICKET_NONCE_N) && aead->begin(aead, state, k.key);
    if (ok) {
        span part = { text, n };
        ok = aead->seal(aead, state, text, nonce, span_of(p, TICKET_NAME_N), &part, 1);
        aead->end(aead, state);
    }
    if (!ok)
        secret_wipe(text, n);
    secret_wipe(state, sizeof state);
    secret_wipe(&k, sizeof k);
    return ok || fail(c, CRYPTO_FAILED, "sealing a ticket");
}

bool ticket_open(struct troth_conn *c, span ticket, struct unsealed *o, struct arena *a)
{
    const troth_aead *aead = sealing(c->cfg);
    _Alignas(16) uint8_t state[TROTH_AEAD_STATE_MAX];
    troth_ticket_key k;
    *o = (struct unsealed){ SPAN_NONE, false };
    if (!aead || ticket.n <= AROUND || !named(c->cfg, span_slice(ticket, 0, TICKET_NAME_N), &k, &o->old))
        return true;
    span sealed = span_slice(ticket, TICKET_NAME_N + TICKET_NONCE_N, ticket.n);
    uint8_t *p = arena_alloc(a, sealed.n);
    if (!p) {
        secret_wipe(&k, sizeof k);
        return fail(c, OUT_OF_MEMORY, "for a ticket of %zu bytes", ticket.n);
    }
    if (aead->begin(aead, state, k.key)) {
        if (aead->open(aead, state, p, ticket.p + TICKET_NAME_N, span_slice(ticket, 0, TICKET_NAME_N), sealed))
            o->bytes = span_of(p, sealed.n - TICKET_TAG_N);
        aead->end(aead, state);
    }
    secret_wipe(state, sizeof state);
    secret_wipe(&k, sizeof k);
    return true;
}
