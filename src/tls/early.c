/* early.c - 0-RTT data (RFC 9846 2.3, 4.3.10, 8): off unless it was asked for.
 *
 * Must never accept early data twice as far as can be known, nor with parameters other than those of the session that it rests on, nor let
 * the application mistake it for data that cannot be replayed. */
#include "tls/carrier.h"
#include "tls/flight.h"
#include "tls/hooks.h"
#include "tls/psk.h"
#include "tls/quic.h"

enum {
    SKEW_MAX = 60,             /* seconds: beyond, a replay is more likely than a slow network               */
    WINDOW = 2 * SKEW_MAX + 1  /* for so long one hello can be in time: seconds are cut off on both ends     */
};

bool early_note(struct troth_conn *c, uint8_t early, const char *why)
{
    struct rare *rare = conn_rare(c);
    TRY(rare);
    c->facts.early = early;
    rare->early_why = why;
    tell_choice_text(c, "early data", why, SPAN_NONE, SPAN_NONE,
                     early == TROTH_EARLY_ACCEPTED ? SPAN_TEXT("accepted") : SPAN_TEXT("not accepted"));
    return true;
}

static bool keep_exporter(struct troth_conn *c, const struct ks_early_data *k)
{
    struct rare *rare = conn_rare(c);
    TRY(rare);
    rare->early_exporter = k->exporter;
    rare->early_hash = k->hash;
    return true;
}

/* ---- keys: one at a time, or one for each level beside the others */
bool early_has_keys(const struct troth_conn *c)
{
    return c->hs->offer.early && !carrier_of(c)->level_keys;
}

bool early_ends_by_message(const struct troth_conn *c)
{
    return c->hs->hello.early_accepted && !carrier_of(c)->level_keys;
}

/* ---- client */
bool early_start(struct troth_conn *c)
{
    struct hs *hs = c->hs;
    struct hs_psk *k = hs->psk;
    if (!ext_set_has(&hs->offer.asked, X_EARLY_DATA))
        return true;
    const struct psk *p = &k->offered[0];
    struct transcript t = hs->transcript; /* holds the ClientHello alone, its hash not yet known */
    struct digest d;
    struct ks_early early;
    struct ks_early_data data;
    struct told told = told_of(c);
    transcript_begin(&t, p->hash);
    transcript_peek(&t, &d);
    ks_begin(&early, p->hash, p->key, &told);
    ks_early_data(&data, &early, &d, &told);
    secret_wipe(&early, sizeof early);
    c->facts.version = TROTH_TLS13; /* no other has early data */
    c->facts.suite = k->session.suite; /* the keys are those of its suite; ServerHello has the last word */
    bool ok = flight_ccs(c) && conn_keys13(c, WRITE, EPOCH_EARLY, &data.client) && keep_exporter(c, &data);
    secret_wipe(&data, sizeof data);
    hs->offer.early = true;
    c->early_left = k->session.max_early_data;
    c->events |= WAITS_EARLY;
    return ok && conn_alpn(c, k->session.alpn);
}

static bool refused(struct troth_conn *c, const char *why)
{
    c->early_left = 0;
    c->events = (uint8_t)((c->events & ~WAITS_EARLY) | WAITS_EARLY_REFUSED);
    return early_note(c, TROTH_EARLY_REJECTED, why);
}

bool early_withdraw(struct troth_conn *c, const char *why)
{
    struct hs *hs = c->hs;
    if (!hs->offer.early)
        return true;
    hs->offer.early = false;
    TRY(flight_flush(c));
    protect_end(&c->rec.write);
    return refused(c, why);
}

bool early_answer(struct troth_conn *c, bool accepted)
{
    struct hs *hs = c->hs;
    const struct hs_psk *k = hs->psk;
    if (!hs->offer.early)
        return true;
    if (!accepted) { /* the server does not read under these keys: not even an alert */
        bool had_keys = early_has_keys(c);
        hs->offer.early = false;
        TRY(!had_keys || conn_keys13(c, WRITE, EPOCH_HANDSHAKE, &hs->ks.handshake.client));
        return refused(c, c->facts.resumed ? "the server resumed the session without it" : "the server did not resume the session");
    }
    if (!c->facts.resumed || k->selected != 0)
        return fail(c, EARLY_DATA_WITHOUT_PSK, "early data was accepted, and not its PSK");
    if (c->facts.suite != k->session.suite)
        return fail(c, EARLY_DATA_CHANGED, "another cipher suite than that of the session");
    if (!span_equal(c->facts.alpn, k->session.alpn))
        return fail(c, EARLY_DATA_CHANGED, "another ALPN than that of the session");
    return early_note(c, TROTH_EARLY_ACCEPTED, "the server accepted it (RFC 9846 4.3.10)");
}

bool early_end(struct troth_conn *c)
{
    struct hs *hs = c->hs;
    c->early_left = 0;
    c->events = (uint8_t)(c->events & ~WAITS_EARLY);
    if (!early_has_keys(c))
        return true;
    if (c->facts.early == TROTH_EARLY_ACCEPTED && !flight_add(c, HS_end_of_early_data, body_nothing, NULL))
        return false;
    return conn_keys13(c, WRITE, EPOCH_HANDSHAKE, &hs->ks.handshake.client);
}

/* ---- server */

/* Ticket keys can outlive the register of hellos: with a ticket that is older than that, a hello may have been taken before it was made. */
static bool may_have_been_seen(const struct config *cfg, const struct session *s)
{
    int64_t since = cfg->first_time_since_us;
    return s->issued_us < since && config_now(cfg) <= since / SECOND_US + WINDOW;
}

/* NULL: take it.  Otherwise why not. */
static const char *reason_against(struct troth_conn *c, const struct client_hello *ch)
{
    const struct config *cfg = c->cfg;
    const struct hs_psk *k = c->hs->psk;
    int32_t skew = c->rare ? c->rare->ticket_age_skew : 0;
    if (!cfg->early_data)
        return "early data is not taken here";
    if (c->hs->hello.retried)
        return "a HelloRetryRequest came between (RFC 9846 4.3.10)";
    if (!c->hs->hello.psk_chosen || !k->has_session)
        return "no session was resumed";
    if (k->selected != 0)
        return "the session is not the first that the client offers (RFC 9846 4.3.10)";
    if (cfg->reverify && cfg->ask_verdict && k->session.client_authenticated) /* it would be answered before the application is */
        return "whether the client may still come in has yet to be asked";
    if (!k->session.max_early_data)
        return "the ticket does not allow it";
    if (k->session.max_early_data > cfg->early_data)
        return "the ticket allows more than is taken here";
    if (quic_early_unfit(c, &k->session))
        return quic_early_unfit(c, &k->session);
    if (k->session.suite != c->facts.suite)
        return "another cipher suite than that of the session (RFC 9846 4.3.10)";
    if (!span_equal(k->session.alpn, c->facts.alpn))
        return "another ALPN than that of the session (RFC 9846 4.3.10)";
    if (skew > SKEW_MAX || skew < -SKEW_MAX)
        return "the ticket's age is not what it should be: late, or a replay (RFC 9846 8.3)";
    if (may_have_been_seen(cfg, &k->session))
        return "the ticket is older than our memory of what was seen, and that is too short yet to know a replay (RFC 9846 8.2)";
    span binder = ch->exts.psks[0].binder;
    uint8_t mark[32] = { 0 };
    memcpy(mark, binder.p, binder.n < sizeof mark ? binder.n : sizeof mark);
    if (!cfg->first_time(cfg->first_time_ctx, mark, config_now(cfg) + WINDOW))
        return "this very ClientHello was seen before: a replay (RFC 9846 8.2)";
    return NULL;
}

static bool take(struct troth_conn *c)
{
    struct hs *hs = c->hs;
    struct digest d;
    struct ks_early_data data;
    struct told told = told_of(c);
    transcript_peek(&hs->transcript, &d);
    ks_early_data(&data, &hs->ks.early, &d, &told);
    bool ok = conn_keys13(c, READ, EPOCH_EARLY, &data.client) && keep_exporter(c, &data);
    secret_wipe(&data, sizeof data);
    c->rec.rules.take_data = true;
    c->early_left = hs->psk->session.max_early_data;
    c->events |= WAITS_EARLY;
    return ok;
}

bool early_choose(struct troth_conn *c, const struct client_hello *ch, bool *accepted)
{
    *accepted = false;
    bool put_off = c->hs->hello.retried && c->cfg->early_data && c->facts.early == TROTH_EARLY_REJECTED;
    if (!exts_have(&ch->exts, X_EARLY_DATA)) /* the first hello had it, perhaps: is HelloRetryRequest the only thing in its way? */
        return !put_off || c->hs->hello.psk_chosen || early_note(c, TROTH_EARLY_REJECTED, "no session was resumed");
    const char *why = reason_against(c, ch);
    if (why)
        return early_note(c, TROTH_EARLY_REJECTED, why);
    *accepted = true;
    return early_note(c, TROTH_EARLY_ACCEPTED, "session, suite, ALPN and time are right, and it was not seen before (RFC 9846 8)") && take(c);
}

/* As much as any ticket allows that a client may have, and what sealing adds where records are not very short. */
uint32_t early_passed_over(const struct troth_conn *c)
{
    enum { SOME_RECORDS = 256, PART = 8 };
    const struct hs_psk *k = c->hs->psk;
    uint64_t n = c->cfg->early_data;
    if (k && k->has_session && k->session.max_early_data > n)
        n = k->session.max_early_data;
    n += n / PART + SOME_RECORDS;
    return n < LIMIT_EARLY_DATA ? LIMIT_EARLY_DATA : n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}
