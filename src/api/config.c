/* config.c - a builder becomes a frozen configuration: one pass that fills in what was left open and checks that all of it fits
 * together.  The builder is consumed, also when that fails. */
#include <time.h>

#include "api/api.h"
#include "crypto/known.h"
#include "tls/certificate.h"
#include "wire/registry.h"
#include "x509/remember.h"

static int64_t system_clock(void *ctx)
{
    (void)ctx;
    return (int64_t)time(NULL);
}

static int64_t system_clock_us(void *ctx)
{
    (void)ctx;
    struct timespec now = { 0 };
    (void)timespec_get(&now, TIME_UTC);
    return (int64_t)now.tv_sec * SECOND_US + now.tv_nsec / 1000;
}

static bool begin_list(struct troth_builder *b, struct wr *w, size_t n)
{
    uint8_t *p = arena_array(&b->config.arena, n, 2);
    *w = wr_into(p, 2 * n);
    return p || fail(b, OUT_OF_MEMORY, "for a list");
}

/* ---- lists: those given, or the defaults, without what the provider does not have */
/* Can nothing but a PSK say who is who?  Then whoever shows a certificate instead is refused. */
static bool psks_alone(const struct troth_builder *b)
{
    const struct config *c = &b->config;
    bool others = c->is_server ? c->n_identities : b->trust || c->policy || c->n_pins || c->trust_anyone || c->peer_types.n;
    return c->n_psks && !others;
}

/* A PSK goes with the suites of its hash, and no other would lead anywhere then. */
static bool psk_for(const struct config *c, const struct suite *s)
{
    for (size_t i = 0; i < c->n_psks; i++)
        if (c->psks[i].hash == s->hash)
            return true;
    return s->version != TROTH_TLS13;
}

static bool suite_possible(const struct troth_builder *b, const struct suite *s)
{
    const struct config *c = &b->config;
    return provider_hash(c->provider, s->hash) && provider_aead(c->provider, s->aead) && (!psks_alone(b) || psk_for(c, s));
}

static bool fill_suites(struct troth_builder *b)
{
    enum { MOST = 32 };
    struct config *c = &b->config;
    struct wr w;
    bool any = false;
    TRY(begin_list(b, &w, MOST));
    for (size_t i = 0; c->suites_given && i < u16s_count(c->suites) && i < MOST; i++)
        if (suite_possible(b, suite_by_id(u16s_at(c->suites, i))))
            wr_u16(&w, u16s_at(c->suites, i));
    for (size_t a = 0; !c->suites_given && c->provider->aeads[a]; a++) /* the provider knows which is fastest here */
        for (size_t i = 0; suite_at(i); i++)
            if (suite_at(i)->aead == c->provider->aeads[a]->id && suite_possible(b, suite_at(i)))
                wr_u16(&w, suite_at(i)->id);
    c->suites = wr_done(&w);
    for (size_t i = 0; i < u16s_count(c->suites); i++) {
        uint16_t v = suite_by_id(u16s_at(c->suites, i))->version;
        any |= v >= c->least && v <= c->most;
    }
    return any || fail(b, BAD_ARGUMENT, "troth_suites: no suite is left for the versions allowed");
}

static bool fill_groups(struct troth_builder *b)
{
    enum { MOST = 16 };
    struct config *c = &b->config;
    struct wr w;
    TRY(begin_list(b, &w, MOST));
    for (size_t i = 0; !c->groups.n && default_group(i); i++)
        if (provider_kem(c->provider, default_group(i)))
            wr_u16(&w, default_group(i));
    if (!c->groups.n)
        c->groups = wr_done(&w);
    return c->groups.n || fail(b, BAD_ARGUMENT, "the provider has no group for key exchange");
}

/* Those that were given, in the order of the groups and each once (RFC 9846 4.3.8). */
static bool sort_key_shares(struct troth_builder *b)
{
    struct config *c = &b->config;
    struct wr w;
    TRY(begin_list(b, &w, u16s_count(c->groups)));
    for (size_t i = 0; i < u16s_count(c->groups); i++)
        if (u16s_has(c->key_shares, u16s_at(c->groups, i)))
            wr_u16(&w, u16s_at(c->groups, i));
    c->key_shares = wr_done(&w);
    return true;
}

/* By default the first group, and the classical one that it contains: most servers need no second round trip. */
static bool fill_key_shares(struct troth_builder *b)
{
    struct config *c = &b->config;
    struct wr w;
    for (size_t i = 0; i < u16s_count(c->key_shares); i++)
        if (!u16s_has(c->groups, u16s_at(c->key_shares, i)))
            return fail(b, BAD_ARGUMENT, "troth_key_shares: %s is not among the groups",
                        name_of(&names_group, u16s_at(c->key_shares, i)));
    if (c->key_shares_given)
        return sort_key_shares(b);
    TRY(begin_list(b, &w, 2));
    const troth_kem *first = provider_kem(c->provider, u16s_at(c->groups, 0));
    wr_u16(&w, first->group);
    if (first->tail && u16s_has(c->groups, first->tail->group))
        wr_u16(&w, first->tail->group);
    c->key_shares = wr_done(&w);
    return true;
}

static bool fill_verify_schemes(struct troth_builder *b)
{
    enum { MOST = 32, KEY_TYPES = TROTH_KEY_MLDSA87 + 1 };
    struct config *c = &b->config;
    const troth_provider *p = c->provider;
    struct wr w;
    if (c->verify_schemes.n)
        return true;
    TRY(begin_list(b, &w, MOST));
    for (size_t i = 0; scheme_at(i); i++) {
        const struct scheme *s = scheme_at(i);
        bool can = false;
        for (int k = TROTH_KEY_RSA; k < KEY_TYPES; k++)
            can |= (s->keys13 | s->keys12) >> k & 1 && p->can_verify(p->self, (enum troth_key_type)k, s->sig);
        if (can)
            wr_u16(&w, s->id);
    }
    c->verify_schemes = wr_done(&w);
    return true;
}

/* ---- trust */
static bool needs_trust(const struct config *c)
{
    return !c->is_server || c->client_auth != TROTH_AUTH_NONE;
}

/* Even where anyone is trusted, or a pin decides, a policy looks at the chain, so that it can be reported on. */
static bool fill_trust(struct troth_builder *b)
{
    struct config *c = &b->config;
    c->pins_alone = c->n_pins && !b->trust && !c->policy;
    bool raw_only = c->peer_types.n == 1 && c->peer_types.p[0] == TROTH_RAW_PUBLIC_KEY;
    bool raw_trusted = c->n_pins || c->trust_anyone || c->ask_verdict;
    bool chosen = b->trust || c->policy || c->n_pins || c->trust_anyone || psks_alone(b) || (raw_only && raw_trusted);
    if (needs_trust(c) && bytes_have(c->peer_types, TROTH_RAW_PUBLIC_KEY) && !raw_trusted)
        return fail(b, NO_TRUST, "raw public keys have no issuer: pin them, or ask for a verdict on them");
    if (needs_trust(c) && !chosen)
        return fail(b, NO_TRUST, "%s", c->is_server ? "client certificates are asked for" : "a client must be told whom to trust");
    if (c->policy || !chosen)
        return true;
    if (!b->trust) {
        b->trust = troth_policy_new(troth_provider_share(c->provider));
        policy_trust_nobody(b->trust);
    }
    c->policy = troth_policy_build(b->trust, &b->error);
    b->trust = NULL;
    return c->policy || fail(b, OUT_OF_MEMORY, "for a policy");
}

/* Signatures that were verified once, of the peers that show up again. */
static bool fill_remembered(struct troth_builder *b)
{
    struct config *c = &b->config;
    if (!needs_trust(c) || !c->policy || c->verify_afresh)
        return true;
    c->remembered = arena_alloc(&c->arena, sizeof *c->remembered);
    if (!c->remembered)
        return fail(b, OUT_OF_MEMORY, "for remembered signatures");
    return remembered_init(c->remembered, c->provider) || fail(b, RANDOM_FAILED, "for a configuration");
}

static bool fill_known_keys(struct troth_builder *b)
{
    struct config *c = &b->config;
    if (!needs_trust(c) || c->verify_afresh || !known_helps(c->provider))
        return true;
    c->known_keys = arena_alloc(&c->arena, sizeof *c->known_keys);
    if (!c->known_keys)
        return fail(b, OUT_OF_MEMORY, "for keys met before");
    known_init(c->known_keys);
    return true;
}

/* The names of the authorities that are trusted, if there are few enough to be worth it (RFC 9846 4.3.4). */
static bool fill_authorities(struct troth_builder *b)
{
    enum { MANY = 64, LARGE = 16384 };
    struct config *c = &b->config;
    size_t all = 0;
    if (!c->name_authorities || !c->policy || c->policy->anchors.n > MANY)
        return true;
    const struct anchors *a = &c->policy->anchors;
    for (size_t i = 0; i < a->n; i++)
        all += 2 + a->rows[i]->cert.subject.n;
    if (!all || all > LARGE)
        return true;
    uint8_t *p = arena_alloc(&c->arena, all);
    if (!p)
        return fail(b, OUT_OF_MEMORY, "for %zu authorities", a->n);
    struct wr w = wr_into(p, all);
    for (size_t i = 0; i < a->n; i++)
        wr_opaque(&w, 2, a->rows[i]->cert.subject);
    c->authorities = wr_done(&w);
    return true;
}

static bool fill_identities(struct troth_builder *b)
{
    struct config *c = &b->config;
    if (c->is_server && !c->n_identities && !c->n_psks && !c->ask_server)
        return fail(b, NO_IDENTITY, "a server needs a certificate and its key");
    for (size_t i = 0; i < c->n_identities; i++)
        TRY(identity_finish(b, &c->identities[i]));
    return true;
}

static bool fill_ticket_secret(struct troth_builder *b)
{
    struct config *c = &b->config;
    const troth_hash *h = provider_hash(c->provider, TROTH_SHA256);
    uint8_t secret[32];
    if (!h)
        return fail(b, CRYPTO_FAILED, "no SHA-256 for ticket keys");
    if (!c->provider->random(c->provider->self, c->ticket_origin, sizeof c->ticket_origin)
        || !c->provider->random(c->provider->self, secret, sizeof secret))
        return fail(b, RANDOM_FAILED, "for ticket keys");
    hmac_key_init(&c->ticket_secret, h, SPAN_OF(secret));
    secret_wipe(secret, sizeof secret);
    return true;
}

bool config_build(struct troth_builder *b)
{
    struct config *c = &b->config;
    if (!c->clock_given) {
        c->clock = system_clock;
        c->clock_us = system_clock_us;
    }
    TRY(!error_is_set(&b->error));
    if (c->strict_sni && c->ignore_names)
        return fail(b, BAD_ARGUMENT, "troth_ignore_names beside troth_strict_sni");
    if (psks_alone(b) && c->most < TROTH_TLS13)
        return fail(b, BAD_ARGUMENT, "troth_psk is for TLS 1.3, which troth_versions leaves out");
    if (c->cookies && !c->cookie_key_given && !c->provider->random(c->provider->self, c->cookie_key, sizeof c->cookie_key))
        return fail(b, RANDOM_FAILED, "for a cookie key");
    TRY(!c->is_server || fill_ticket_secret(b));
    TRY(quic_fits(b) && fill_suites(b) && fill_groups(b) && fill_key_shares(b) && fill_verify_schemes(b));
    TRY(fill_trust(b) && fill_remembered(b) && fill_known_keys(b) && fill_authorities(b));
    return fill_identities(b) && sessions_finish(b);
}

/* ---- from the builder to the configuration */
static void report(const troth_builder *b, troth_error *why)
{
    static const troth_error none = { .reason = TROTH_R_NONE };
    if (!why)
        return;
    *why = none;
    if (b)
        *why = b->error;
    else
        (void)fail_to(why, OUT_OF_MEMORY, "there is no builder: memory ran out, or there was no provider");
}

static struct config *build(troth_builder *b, bool server, troth_error *why)
{
    struct config *c = NULL;
    if (b && b->config.is_server != server)
        (void)fail(b, WRONG_ROLE, "this is a %s's builder", b->config.is_server ? "server" : "client");
    if (b && config_build(b)) {
        c = b->config.memory->alloc(b->config.memory->ctx, sizeof *c);
        if (!c)
            (void)fail(b, OUT_OF_MEMORY, "for a configuration");
    }
    report(b, why);
    if (!c) {
        troth_builder_free(b);
        return NULL;
    }
    const troth_allocator *memory = b->config.memory;
    memcpy(c, &b->config, sizeof *c); /* arena, policy, keys, provider go over */
    atomic_init(&c->owners, 1);
    sessions_frozen(c);
    secret_wipe(b, sizeof *b);
    memory->free(memory->ctx, b, sizeof *b);
    return c;
}

troth_client *troth_build_client(troth_builder *b, troth_error *why)
{
    return (troth_client *)build(b, false, why);
}

troth_server *troth_build_server(troth_builder *b, troth_error *why)
{
    return (troth_server *)build(b, true, why);
}

/* ---- owners */
const struct config *config_share(const struct config *c)
{
    if (c)
        atomic_fetch_add_explicit(&((struct config *)(uintptr_t)c)->owners, 1, memory_order_relaxed);
    return c;
}

void config_free(const struct config *frozen)
{
    struct config *c = (struct config *)(uintptr_t)frozen;
    if (!c || atomic_fetch_sub_explicit(&c->owners, 1, memory_order_acq_rel) != 1)
        return;
    const troth_allocator *memory = c->memory;
    troth_provider *provider = c->provider;
    for (size_t i = 0; i < c->n_identities; i++)
        identity_free_keys(provider, &c->identities[i]);
    troth_policy_free(c->policy);
    arena_free(&c->arena);
    secret_wipe(c, sizeof *c);
    memory->free(memory->ctx, c, sizeof *c);
    troth_provider_free(provider);
}

void troth_client_free(troth_client *us)
{
    config_free(us ? &us->config : NULL);
}

void troth_server_free(troth_server *us)
{
    config_free(us ? &us->config : NULL);
}

static bool own_certificate(const struct config *c, size_t i, span *der)
{
    if (!c || i >= c->n_identities)
        return false;
    if (der)
        *der = c->identities[i].n ? c->identities[i].chain[0] : SPAN_NONE;
    return true;
}

bool troth_server_certificate(const troth_server *us, size_t i, troth_span *der)
{
    return own_certificate(us ? &us->config : NULL, i, der);
}

bool troth_client_certificate(const troth_client *us, size_t i, troth_span *der)
{
    return own_certificate(us ? &us->config : NULL, i, der);
}

static bool sent_certificate(const struct config *c, size_t i, size_t k, span *der)
{
    if (!c || i >= c->n_identities || k >= c->identities[i].n)
        return false;
    if (der)
        *der = c->identities[i].chain[k];
    return true;
}

bool troth_server_chain(const troth_server *us, size_t i, size_t k, troth_span *der)
{
    return sent_certificate(us ? &us->config : NULL, i, k, der);
}

bool troth_client_chain(const troth_client *us, size_t i, size_t k, troth_span *der)
{
    return sent_certificate(us ? &us->config : NULL, i, k, der);
}

const troth_key *troth_server_key(const troth_server *us, size_t i, bool delegated)
{
    if (!us || i >= us->config.n_identities)
        return NULL;
    return delegated ? us->config.identities[i].dc_key : us->config.identities[i].key;
}

const troth_error *troth_server_warning(const troth_server *us, size_t i)
{
    return us && i < us->config.n_warnings ? &us->config.warnings[i] : NULL;
}
