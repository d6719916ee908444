/* conn.c - the memory, the keys and the facts of a connection.  Must never leave a secret of the handshake behind it. */
#include "tls/conn.h"

#include "tls/carrier.h"
#include "tls/ech.h"
#include "tls/flight.h"
#include "tls/offer.h"
#include "tls/session.h"

/* ---- memory */

bool hs_begin(struct troth_conn *c, size_t more)
{
    /* The first holds a handshake, but for a long signature, a client's hello that is apart or a certificate of TLS 1.2: the second holds
     * one of those. */
    enum { FIRST_CHUNK = 2096, APART = 1712, NEXT_CHUNK = 1408, NEXT_OF_SERVER = 640 };
    bool server = c->cfg->is_server;
    size_t first = !server && offer_apart(c) ? APART : FIRST_CHUNK;
    struct arena a;
    arena_init(&a, c->cfg->memory, first + more);
    struct hs *hs = arena_alloc(&a, sizeof *hs);
    if (!hs)
        return fail(c, OUT_OF_MEMORY, "for a handshake");
    a.next = server ? NEXT_OF_SERVER : NEXT_CHUNK;
    hs->arena = a;
    c->hs = hs;
    if (server)
        c->rec.out.least = OUTQ_FLIGHT;
    return true;
}

void hs_end(struct troth_conn *c)
{
    if (!c->hs)
        return;
    if (c->shown && !c->shown->n)
        conn_shown_free(c); /* of a session that was not taken */
    (void)!carrier_of(c)->own(c); /* what that fails for is found with the next event */
    if (!c->cfg->is_server)
        (void)!offer_forget(c);
    struct arena a = c->hs->arena; /* the handshake lies in its own arena */
    c->hs = NULL;
    c->rec.out.least = OUTQ_SMALL;
    arena_free(&a);
    conn_padding(c);
}

bool conn_keep(struct troth_conn *c, span *out, span s)
{
    return arena_copy(&c->keep, out, s) || fail(c, OUT_OF_MEMORY, "%zu bytes", s.n);
}

bool hs_keep(struct troth_conn *c, span *out, span s)
{
    return arena_copy(&c->hs->arena, out, s) || fail(c, OUT_OF_MEMORY, "%zu bytes", s.n);
}

struct rare *conn_rare(struct troth_conn *c)
{
    if (!c->rare)
        c->rare = arena_alloc(&c->keep, sizeof *c->rare);
    if (!c->rare)
        (void)fail(c, OUT_OF_MEMORY, "%zu bytes", sizeof *c->rare);
    return c->rare;
}

void conn_shown_free(struct troth_conn *c)
{
    struct shown *s = c->shown;
    c->shown = NULL;
    if (!s)
        return;
    size_t size = s->size;
    secret_wipe(s, size); /* no secret, but who it was is not for others */
    c->memory->free(c->memory->ctx, s, size);
}

struct shown *conn_shown(struct troth_conn *c, size_t n)
{
    conn_shown_free(c);
    c->shown = c->memory->alloc(c->memory->ctx, sizeof *c->shown + n);
    if (c->shown)
        *c->shown = (struct shown){ .size = sizeof *c->shown + n, .until = INT64_MAX };
    else
        (void)fail(c, OUT_OF_MEMORY, "%zu bytes for the peer's certificates", n);
    return c->shown;
}

static bool draw(struct troth_conn *c, uint8_t *out, size_t n)
{
    const troth_provider *p = c->cfg->provider;
    return p->random(p->self, out, n) || fail(c, RANDOM_FAILED, "%zu bytes", n);
}

/* During a handshake from what was drawn ahead, as a call costs more than its bytes. */
bool conn_random(struct troth_conn *c, uint8_t *out, size_t n)
{
    struct hs *hs = c->hs;
    if (!hs || n > sizeof hs->fresh)
        return draw(c, out, n);
    if (n > hs->fresh_n) {
        hs->fresh_n = 0;
        TRY(draw(c, hs->fresh, sizeof hs->fresh));
        hs->fresh_n = sizeof hs->fresh;
    }
    uint8_t *from = hs->fresh + sizeof hs->fresh - hs->fresh_n;
    memcpy(out, from, n);
    secret_wipe(from, n);
    hs->fresh_n = (uint8_t)(hs->fresh_n - n);
    return true;
}

/* ---- what a handshake decides */
bool hs_use_suite(struct troth_conn *c, uint16_t id)
{
    struct hs *hs = c->hs;
    const struct suite *s = suite_by_id(id);
    bool ours = s && s->version == c->facts.version && u16s_has(c->cfg->suites, id);
    if (!ours)
        return fail(c, SUITE_NOT_OFFERED, "%s (%04x)", name_of(&names_suite, id), id);
    bool first = !hs->suite;
    hs->suite = s;
    hs->hash = provider_hash(c->cfg->provider, s->hash);
    hs->aead = provider_aead(c->cfg->provider, s->aead);
    if (!hs->hash || !hs->aead)
        return fail(c, BUG, "offered a suite that the provider does not have");
    c->facts.suite = id;
    if (first)
        transcript_begin(&hs->transcript, hs->hash);
    return true;
}

bool conn_alpn(struct troth_conn *c, span name)
{
    span ours;
    c->facts.alpn = SPAN_NONE;
    for (span list = c->cfg->alpn; alpn_next(&list, &ours);)
        if (span_equal(ours, name))
            c->facts.alpn = ours;
    return true;
}

uint16_t conn_own_limit(const struct config *cfg, uint16_t version)
{
    uint16_t most = LIMIT_PLAINTEXT + (version == TROTH_TLS13); /* the content type counts there (RFC 8449 4) */
    return cfg->record_size_limit && cfg->record_size_limit < most ? cfg->record_size_limit : most;
}

bool conn_record_limit(struct troth_conn *c, uint16_t theirs)
{
    if (!theirs || c->quic)
        return true;
    uint16_t type = c->facts.version == TROTH_TLS13, most = (uint16_t)(theirs - type);
    if (most < c->rec.write.most)
        c->rec.write.most = most;
    if (c->rec.read.epoch != EPOCH_EARLY) /* early data was written before the client could know of it */
        c->rec.read.most = (uint16_t)(conn_own_limit(c->cfg, c->facts.version) - type);
    return true;
}

void conn_padding(struct troth_conn *c)
{
    const struct config *cfg = c->cfg;
    bool hide = c->hs && c->facts.ech == TROTH_ECH_ACCEPTED;
    c->rec.write.pad_to = cfg->padding == TROTH_PAD_FULL    ? LIMIT_PLAINTEXT
                          : cfg->padding == TROTH_PAD_BLOCK ? cfg->pad_block
                          : hide                            ? ECH_PAD_TO
                                                            : 0;
}

void conn_ask(struct troth_conn *c, enum question q)
{
    c->question = (uint8_t)q;
}

void conn_ready(struct troth_conn *c)
{
    c->ready = true;
    c->events |= WAITS_READY;
    c->rec.rules.take_data = true;
    c->rec.rules.drop_ccs = false;
    c->rec.rules.clear_alert = false;
}

bool conn_aligned(struct troth_conn *c)
{
    troth_error e;
    error_none(&e);
    return messages_aligned(&c->rec.messages, &e) || trouble_take(&c->error, &e);
}

/* ---- keys */
bool conn_keys13(struct troth_conn *c, enum way way, uint8_t epoch, const struct secret *traffic)
{
    TRY(way == READ ? conn_aligned(c) : flight_flush(c));
    return carrier_of(c)->keys(c, way, epoch, traffic);
}

/* ---- the witness */
void conn_watch(struct troth_conn *c, const struct witness *w)
{
    c->witness = c->rec.read.witness = c->rec.write.witness = w;
}

struct rd message_reader(struct troth_conn *c, struct rd_ctx *ctx, const struct message *m)
{
    if (UNLIKELY(c->witness != NULL))
        tell_message(c, m->raw, false);
    rd_ctx_init(ctx, m->raw, c->witness);
    struct rd whole = rd_init(ctx, m->raw);
    uint8_t type;
    return message_open(&whole, &type);
}

void tell_decision(const struct troth_conn *c, const char *what, const char *rule, const struct names *as, span ours, span theirs,
                   uint64_t chosen)
{
    const struct witness *w = c->witness;
    if (LIKELY(!w || !w->decision))
        return;
    struct saw_decision d = { .what = what, .rule = rule, .as = as, .ours = ours, .theirs = theirs, .chosen = chosen };
    w->decision(w->self, &d);
}

void tell_choice_text(const struct troth_conn *c, const char *what, const char *rule, span ours, span theirs, span chosen)
{
    const struct witness *w = c->witness;
    if (LIKELY(!w || !w->decision))
        return;
    struct saw_decision d = { .what = what, .rule = rule, .ours = ours, .theirs = theirs };
    size_t n = chosen.n < sizeof d.text - 1 ? chosen.n : sizeof d.text - 1;
    if (n)
        memcpy(d.text, chosen.p, n);
    w->decision(w->self, &d);
}
