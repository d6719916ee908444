/* sessions.c - setters for sessions, PSKs and early data, and what they need when a configuration is built.
 *
 * The only thing here that changes after the build is the register of early data that was seen: atomics, no lock. */
#include "api/api.h"
#include "crypto/hkdf.h"
#include "x509/sct.h"
#include "x509/verify.h"

/* ---- setters */
static void *copy_array(troth_builder *b, const char *setter, const void *p, size_t n, size_t size)
{
    void *copy = arena_array(&b->config.arena, n, size);
    if (!copy)
        mistake(b, OUT_OF_MEMORY, "%s", setter);
    else if (n)
        memcpy(copy, p, n * size);
    return copy;
}

void troth_ticket_keys(troth_builder *b, const troth_ticket_key *keys, size_t n)
{
    if (!builder_role(b, true, "troth_ticket_keys") || !builder_given(b, keys, n, "troth_ticket_keys"))
        return;
    b->config.ticket_keys = copy_array(b, "troth_ticket_keys", keys, n, sizeof *keys);
    b->config.n_ticket_keys = n;
}

void troth_tickets(troth_builder *b, unsigned per_connection, uint32_t lifetime_seconds)
{
    if (!builder_role(b, true, "troth_tickets"))
        return;
    if (per_connection > LIMIT_TICKETS_KEPT || !lifetime_seconds || lifetime_seconds > LIMIT_TICKET_LIFETIME)
        mistake(b, BAD_ARGUMENT, "troth_tickets: %u tickets of %u seconds; at most %d, for 1 to %d seconds (RFC 9846 4.7.1)",
                per_connection, (unsigned)lifetime_seconds, LIMIT_TICKETS_KEPT, LIMIT_TICKET_LIFETIME);
    b->config.tickets = per_connection;
    b->config.ticket_lifetime = lifetime_seconds;
}

void troth_no_tickets(troth_builder *b)
{
    if (builder_role(b, false, "troth_no_tickets"))
        b->config.no_tickets = true;
}

void troth_cache(troth_builder *b, const troth_session_cache *cache)
{
    if (!builder_role(b, true, "troth_cache") || !builder_given(b, cache, 1, "troth_cache"))
        return;
    if (!cache->put || !cache->take)
        mistake(b, BAD_ARGUMENT, "troth_cache: put and take are both needed");
    else
        b->config.cache = copy_array(b, "troth_cache", cache, 1, sizeof *cache);
}

void troth_reverify(troth_builder *b)
{
    if (builder_ok(b))
        b->config.reverify = true;
}

void troth_verify_afresh(troth_builder *b)
{
    if (builder_ok(b))
        b->config.verify_afresh = true;
}

void troth_early_data(troth_builder *b, uint32_t max_bytes)
{
    if (builder_ok(b))
        b->config.early_data = max_bytes;
}

void troth_anti_replay(troth_builder *b, bool (*first_time)(void *, const uint8_t[32], int64_t), void *ctx)
{
    if (!builder_role(b, true, "troth_anti_replay"))
        return;
    b->config.first_time = first_time;
    b->config.first_time_ctx = ctx;
}

/* ---- external PSKs */
static struct external_psk *add_psk(troth_builder *b, span identity, span key, enum troth_hash_id hash)
{
    struct config *c = &b->config;
    bool full = c->n_psks == b->cap_psks;
    size_t cap = !full ? b->cap_psks : b->cap_psks ? 2 * b->cap_psks : 2;
    struct external_psk *rows = full ? arena_array(&c->arena, cap, sizeof *rows) : (struct external_psk *)(uintptr_t)c->psks;
    if (!rows || !arena_copy(&c->arena, &identity, identity) || !arena_copy(&c->arena, &key, key)) {
        mistake(b, OUT_OF_MEMORY, "for a PSK");
        return NULL;
    }
    if (full && c->n_psks)
        memcpy(rows, c->psks, c->n_psks * sizeof *rows);
    rows[c->n_psks] = (struct external_psk){ identity, key, hash, false };
    c->psks = rows;
    b->cap_psks = cap;
    return &rows[c->n_psks++];
}

static bool psk_ok(troth_builder *b, const char *setter, span identity, span key, enum troth_hash_id hash)
{
    if (!builder_ok(b))
        return false;
    bool ok = identity.n && identity.n < 0xffff && key.n >= 16 && key.n <= 255 && (hash == TROTH_SHA256 || hash == TROTH_SHA384);
    if (!ok)
        mistake(b, BAD_ARGUMENT, "%s: identity of %zu bytes, key of %zu; 1 to 65534 and 16 to 255 are possible, with SHA-256 or SHA-384",
                setter, identity.n, key.n);
    return ok;
}

void troth_psk(troth_builder *b, troth_span identity, troth_span key, enum troth_hash_id hash)
{
    if (psk_ok(b, "troth_psk", identity, key, hash))
        (void)add_psk(b, identity, key, hash);
}

/* RFC 9258 5: one imported PSK for each hash that a suite of TLS 1.3 may have. */
static void import_one(troth_builder *b, span identity, span key, span context, enum troth_hash_id of, enum troth_hash_id target)
{
    enum { KDF_HKDF_SHA256 = 1, KDF_HKDF_SHA384 = 2, MOST = 0xffff };
    const troth_hash *h = provider_hash(b->config.provider, of), *t = provider_hash(b->config.provider, target);
    size_t n = 2 + identity.n + 2 + context.n + 4;
    uint8_t *p = n <= MOST ? arena_alloc(&b->config.arena, n) : NULL, epskx[TROTH_DIGEST_MAX], ipskx[TROTH_DIGEST_MAX];
    uint8_t digest[TROTH_DIGEST_MAX];
    _Alignas(16) uint8_t state[TROTH_HASH_STATE_MAX];
    if (!p || !h || !t) {
        mistake(b, OUT_OF_MEMORY, "troth_psk_import");
        return;
    }
    struct wr w = wr_into(p, n);
    wr_opaque(&w, 2, identity);
    wr_opaque(&w, 2, context);
    wr_u16(&w, TROTH_TLS13);
    wr_u16(&w, target == TROTH_SHA384 ? KDF_HKDF_SHA384 : KDF_HKDF_SHA256);
    h->begin(state);
    h->add(state, p, n);
    h->peek(state, digest);
    hkdf_extract(h, epskx, SPAN_NONE, key);
    if (!expand_label(h, ipskx, t->n, span_of(epskx, h->n), "derived psk", span_of(digest, h->n)))
        mistake(b, CRYPTO_FAILED, "troth_psk_import");
    struct external_psk *e = builder_ok(b) ? add_psk(b, wr_done(&w), span_of(ipskx, t->n), target) : NULL;
    if (e)
        e->imported = true;
    secret_wipe(epskx, sizeof epskx);
    secret_wipe(ipskx, sizeof ipskx);
}

void troth_psk_import(troth_builder *b, troth_span identity, troth_span key, troth_span context, enum troth_hash_id hash)
{
    if (!psk_ok(b, "troth_psk_import", identity, key, hash))
        return;
    if (context.n > 0xffff || identity.n + context.n > 0xffff - 8) { /* of an ImportedIdentity, which is an identity itself */
        mistake(b, BAD_ARGUMENT, "troth_psk_import: identity and context are %zu bytes; 65527 are possible", identity.n + context.n);
        return;
    }
    import_one(b, identity, key, context, hash, TROTH_SHA256);
    import_one(b, identity, key, context, hash, TROTH_SHA384);
}

/* ---- the register of early data that was seen (RFC 9846 8.2), for one configuration in one process */
enum { SEEN_SLOTS = 16384, SEEN_WAYS = 16 };

struct seen {
    const struct config *cfg;
    _Atomic uint64_t     slots[SEEN_SLOTS]; /* 40 bits of the mark, 24 bits of time */
};

/* Is a slot's mark still young?  Its time is 24 bits: what ends in more than hours ended long ago. */
static bool young(uint64_t slot, uint64_t now)
{
    enum { HOURS = 0xffff };
    return slot && ((slot - now) & 0xffffff) <= HOURS;
}

/* A mark is in any of the slots from `where` on: those before it may have become free since. */
static bool has_mark(struct seen *s, uint64_t where, uint64_t tag, uint64_t now, size_t but)
{
    bool has = false;
    for (size_t i = 0; i < SEEN_WAYS; i++) {
        uint64_t slot = atomic_load(&s->slots[(where + i) % SEEN_SLOTS]);
        has |= i != but && slot >> 24 == tag && young(slot, now);
    }
    return has;
}

/* Full of marks that are still young: then it is a flood, and early data is refused rather than risked.  Of threads with the same mark at
 * most one is the first: each looks again once its own is there. */
static bool first_time(void *ctx, const uint8_t mark[32], int64_t expires)
{
    struct seen *s = ctx;
    uint64_t tag = 0, where = 0, end = (uint64_t)expires & 0xffffff;
    uint64_t now = (uint64_t)config_now(s->cfg) & 0xffffff;
    for (size_t i = 0; i < 5; i++)
        tag = tag << 8 | mark[i];
    for (size_t i = 8; i < 16; i++)
        where = where << 8 | mark[i];
    if (has_mark(s, where, tag, now, SEEN_WAYS))
        return false;
    for (size_t i = 0; i < SEEN_WAYS; i++) {
        _Atomic uint64_t *slot = &s->slots[(where + i) % SEEN_SLOTS];
        uint64_t old = atomic_load(slot);
        if (!young(old, now) && atomic_compare_exchange_strong(slot, &old, tag << 24 | end))
            return !has_mark(s, where, tag, now, i);
        if (old >> 24 == tag) /* another thread was faster */
            return false;
    }
    return false;
}

static bool make_register(struct troth_builder *b)
{
    struct config *c = &b->config;
    if (!c->is_server || !c->early_data || c->first_time)
        return true;
    struct seen *s = arena_alloc(&c->arena, sizeof *s);
    if (!s)
        return fail(b, OUT_OF_MEMORY, "for the register of early data");
    c->first_time = first_time;
    c->first_time_ctx = s;
    return true;
}

void sessions_frozen(struct config *c)
{
    if (c->first_time != first_time)
        return;
    ((struct seen *)c->first_time_ctx)->cfg = c; /* its clock */
    c->first_time_since_us = config_now_us(c);
}

/* ---- by which rules peers are verified, in short: a session made under other rules is not used */
struct rules {
    const troth_hash *hash;
    _Alignas(16) uint8_t state[TROTH_HASH_STATE_MAX];
};

static void rule(struct rules *r, span what)
{
    uint8_t length[4];
    struct wr w = wr_into(length, sizeof length);
    wr_u32(&w, (uint32_t)what.n);
    r->hash->add(r->state, length, sizeof length);
    if (what.n)
        r->hash->add(r->state, what.p, what.n);
}

static void rule_number(struct rules *r, uint64_t n)
{
    uint8_t bytes[8];
    struct wr w = wr_into(bytes, sizeof bytes);
    wr_uint(&w, n, sizeof bytes);
    rule(r, SPAN_OF(bytes));
}

static void rule_list(struct rules *r, const span *list, size_t n)
{
    rule_number(r, n);
    for (size_t i = 0; i < n; i++)
        rule(r, list[i]);
}

static void rule_text(struct rules *r, const char *s)
{
    rule_number(r, s != NULL);
    rule(r, s ? span_of(s, strlen(s)) : SPAN_NONE);
}

static void rules_of_anchor(struct rules *r, const struct anchor *a)
{
    rule(r, a->cert.raw);
    rule_number(r, a->purposes);
    rule_number(r, (uint64_t)a->distrust_after);
    rule_number(r, a->vetted);
    rule_list(r, a->permitted, a->n_permitted);
    rule_list(r, a->excluded, a->n_excluded);
}

static void rules_of_policy(struct rules *r, const struct troth_policy *p)
{
    const uint64_t numbers[] = { p->profile, p->purpose, p->revocation, p->has_time, (uint64_t)p->time, p->max_depth, p->min_rsa,
                                 p->require_explicit, p->inhibit_mapping, p->inhibit_any, p->is_suffix != NULL, p->require_scts,
                                 p->n_ct_logs, p->anchors.n };
    const char *const names[] = { p->host, p->ip, p->email };
    for (size_t i = 0; i < COUNT_OF(numbers); i++)
        rule_number(r, numbers[i]);
    for (size_t i = 0; i < COUNT_OF(names); i++)
        rule_text(r, names[i]);
    for (size_t i = 0; i < p->anchors.n; i++)
        rules_of_anchor(r, p->anchors.rows[i]);
    for (size_t i = 0; i < p->n_ct_logs; i++)
        rule(r, SPAN_OF(p->ct_logs[i].id));
    rule_list(r, p->policies, p->n_policies);
    rule_list(r, p->crls, p->n_crls);
    rule_list(r, p->ocsp, p->n_ocsp);
}

/* Who may speak for the peer beside certificates, and what else these must be. */
static void rules_of_config(struct rules *r, const struct config *c)
{
    const bool flags[] = { c->trust_anyone != NULL, c->pins_alone, c->ask_verdict, c->accept_delegated, c->request_ocsp, c->policy != NULL };
    for (size_t i = 0; i < COUNT_OF(flags); i++)
        rule_number(r, flags[i]);
    rule_number(r, c->n_pins);
    for (size_t i = 0; i < c->n_pins; i++)
        rule(r, SPAN_OF(c->pins[i]));
    rule_number(r, c->n_psks);
    for (size_t i = 0; i < c->n_psks; i++) {
        rule(r, c->psks[i].identity);
        rule(r, c->psks[i].key);
    }
    for (size_t i = 0; !c->is_server && i < c->n_identities; i++) /* a session goes on as whoever it was made as */
        rule(r, c->identities[i].n ? c->identities[i].chain[0] : c->identities[i].spki);
    rule(r, c->oid_filters);
    rule(r, c->verify_schemes);
    rule(r, c->cert_schemes);
}

static bool make_trust_id(struct troth_builder *b)
{
    struct config *c = &b->config;
    struct rules r = { .hash = provider_hash(c->provider, TROTH_SHA256) };
    uint8_t digest[TROTH_DIGEST_MAX];
    if (!r.hash)
        return fail(b, BUG, "no SHA-256");
    r.hash->begin(r.state);
    rules_of_config(&r, c);
    if (c->policy)
        rules_of_policy(&r, c->policy);
    r.hash->peek(r.state, digest);
    secret_wipe(&r, sizeof r); /* keys were there */
    memcpy(c->trust_id, digest, sizeof c->trust_id);
    return true;
}

bool sessions_finish(struct troth_builder *b)
{
    return make_register(b) && make_trust_id(b);
}
