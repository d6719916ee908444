/* session12.c - resumption in TLS 1.2: by ticket (RFC 5077), by session id with the application's cache (RFC 5246 7.3).
 *
 * Only sessions with the extended master secret exist here, so that one can never be taken for another (RFC 7627 5.3). */
#include "tls/flight.h"
#include "tls/hooks.h"
#include "tls/psk.h"
#include "tls/tls12.h"

/* ---- client */
static const struct session *offered(const struct troth_conn *c)
{
    const struct hs_psk *k = c->hs->psk;
    return k && k->has_session && k->session.version == TROTH_TLS12 ? &k->session : NULL;
}

bool session12_offer(struct troth_conn *c, struct client_hello *ch)
{
    struct offer *o = &c->hs->offer;
    const struct session *s = offered(c);
    if (o->least > TROTH_TLS12 || (c->cfg->no_tickets && !s))
        return true;
    exts_add(&ch->exts, X_SESSION_TICKET); /* empty: tickets are welcome */
    if (!s)
        return true;
    ch->exts.session_ticket = s->ticket;
    if (s->session_id.n && !s->ticket.n && !o->again) {
        o->session_id_n = (uint8_t)s->session_id.n;
        memcpy(o->session_id, s->session_id.p, s->session_id.n);
    } else if (!o->session_id_n) { /* its echo will tell that the ticket was taken (RFC 5077 3.4) */
        o->session_id_n = 32;
    }
    ch->legacy_session_id = span_of(o->session_id, o->session_id_n);
    return true;
}

/* `id`: of a session that the server remembers; where a ticket was taken it is the client's random answer to that (RFC 5077 3.4). */
static bool keep_id(struct troth_conn *c, span id, bool by_ticket)
{
    if (!id.n || by_ticket)
        return true;
    struct rare *rare = conn_rare(c);
    return rare && conn_keep(c, &rare->session_id, id);
}

bool session12_answered(struct troth_conn *c, const struct server_hello *sh)
{
    const struct offer *o = &c->hs->offer;
    const struct session *s = offered(c);
    span id = sh->legacy_session_id_echo;
    bool echoed = id.n && span_equal(id, span_of(o->session_id, o->session_id_n));
    TRY(keep_id(c, id, echoed && s && s->ticket.n));
    if (!echoed)
        return true;
    if (!s)
        return fail(c, SESSION_ID_INVENTED, "the server resumes a session that we did not offer");
    if (s->suite != sh->cipher_suite)
        return fail(c, RESUMED_OTHER_SUITE, "%s, and the session has %s", name_of(&names_suite, sh->cipher_suite),
                    name_of(&names_suite, s->suite));
    struct told told = told_of(c);
    ks12_resume(&c->hs->ks.tls12, c->hs->hash, secret_span(&s->secret), &told);
    c->hs->stage = KS_12;
    c->facts.extended_master_secret = true;
    c->facts.group = s->group;
    return session_adopt(c, s);
}

bool session12_took(struct troth_conn *c, const struct message *m)
{
    struct new_session_ticket12 t = { 0 };
    struct rd_ctx ctx;
    struct rd r = message_reader(c, &ctx, m);
    if (!new_session_ticket12_read(&t, &r))
        return fail_read(c, "NewSessionTicket", &r);
    c->hs->v12->ticket_lifetime = t.ticket_lifetime_hint;
    return hs_keep(c, &c->hs->v12->ticket, t.ticket);
}

/* ---- server */
static bool fits(const struct troth_conn *c, const struct client_hello *ch, const struct session *s)
{
    return !session_unfit(c, s) && s->version == TROTH_TLS12 && u16s_has(ch->cipher_suites, s->suite)
        && span_equal(s->server_name, c->facts.server_name);
}

/* From a ticket, or from the cache; empty: none. */
static bool find(struct troth_conn *c, const struct client_hello *ch, span *bytes)
{
    const troth_session_cache *cache = c->cfg->cache;
    *bytes = SPAN_NONE;
    if (exts_have(&ch->exts, X_SESSION_TICKET) && ch->exts.session_ticket.n && c->cfg->tickets) {
        struct unsealed ticket;
        TRY(ticket_open(c, ch->exts.session_ticket, &ticket, &c->hs->arena));
        *bytes = ticket.bytes;
        c->hs->v12->ticket_old = ticket.old;
        return true;
    }
    if (!cache || !ch->legacy_session_id.n)
        return true;
    uint8_t *p = arena_alloc(&c->hs->arena, SESSION_MAX);
    if (!p)
        return fail(c, OUT_OF_MEMORY, "for a session");
    size_t n = cache->take(cache->ctx, ch->legacy_session_id, p, SESSION_MAX);
    *bytes = span_of(p, n <= SESSION_MAX ? n : 0);
    return true;
}

bool session12_choose(struct troth_conn *c, const struct client_hello *ch)
{
    span bytes;
    TRY(find(c, ch, &bytes));
    if (!bytes.n)
        return true;
    struct hs_psk *k = hs_psk(c);
    TRY(k);
    if (!session_read(&k->session, bytes) || !fits(c, ch, &k->session))
        return true;
    const struct session *s = &k->session;
    struct told told = told_of(c);
    TRY(hs_use_suite(c, s->suite));
    ks12_resume(&c->hs->ks.tls12, c->hs->hash, secret_span(&s->secret), &told);
    c->hs->stage = KS_12;
    c->facts.extended_master_secret = true;
    c->facts.group = s->group;
    k->has_session = true;
    tell_choice_text(c, "session", "the client offers one of ours, and it is fit and timely (RFC 5246 7.3)", SPAN_NONE, SPAN_NONE,
                     SPAN_TEXT("resumed"));
    return session_adopt(c, s);
}

bool session12_announce(struct troth_conn *c, const struct client_hello *ch, struct server_hello *sh)
{
    struct hello *h = &c->hs->hello;
    bool tickets = exts_have(&ch->exts, X_SESSION_TICKET) && c->cfg->tickets;
    c->hs->v12->ticket_follows = tickets && (!c->facts.resumed || c->hs->v12->ticket_old);
    if (c->hs->v12->ticket_follows)
        exts_add(&sh->exts, X_SESSION_TICKET);
    if (!c->facts.resumed) {
        h->session_id_n = tickets || !c->cfg->cache ? 0 : 32;
        if (h->session_id_n)
            TRY(conn_random(c, h->session_id, h->session_id_n));
    }
    sh->legacy_session_id_echo = span_of(h->session_id, h->session_id_n);
    return keep_id(c, sh->legacy_session_id_echo, c->facts.resumed && tickets && ch->exts.session_ticket.n);
}

static bool session_now(struct troth_conn *c, struct session *s)
{
    session_of(c, s);
    s->secret = c->hs->ks.tls12.master;
    s->lifetime = c->cfg->ticket_lifetime;
    if (c->cfg->is_server && !s->client_authenticated)
        s->chain = s->staple = s->scts = SPAN_NONE;
    return true;
}

static void body_ticket12(struct wr *w, const void *what)
{
    new_session_ticket12_write(w, what);
}

bool session12_send_ticket(struct troth_conn *c)
{
    struct session s;
    struct new_session_ticket12 t = { c->cfg->ticket_lifetime, SPAN_NONE };
    uint8_t *message;
    size_t n;
    enum { TICKET_AT = 4 + 4 + 2 }; /* in its message */
    TRY(session_now(c, &s));
    t.ticket = ticket_room(&s); /* an empty one: there is none after all (RFC 5077 3.3) */
    bool ok = flight_write(c, HS_new_session_ticket, body_ticket12, &t, &message, &n)
           && (!t.ticket.n || ticket_seal(c, &s, message + TICKET_AT, t.ticket.n))
           && flight_add_whole(c, span_of(message, n));
    secret_wipe(&s.secret, sizeof s.secret);
    return ok;
}

/* ---- both, at the end */
bool session12_keep(struct troth_conn *c)
{
    const struct hs12 *v = c->hs->v12;
    struct session s;
    bool ticket = !c->cfg->is_server && v->ticket.n;
    bool by_id = !c->facts.resumed && !v->ticket_follows && c->rare && c->rare->session_id.n && (!c->cfg->is_server || c->cfg->cache);
    if (!ticket && !by_id)
        return true;
    TRY(session_now(c, &s));
    s.ticket = v->ticket;
    if (!ticket)
        s.session_id = c->rare->session_id;
    if (!c->cfg->is_server)
        s.lifetime = ticket && v->ticket_lifetime && v->ticket_lifetime < LIMIT_TICKET_LIFETIME ? v->ticket_lifetime : 86400;
    bool ok;
    if (c->cfg->is_server) {
        uint8_t *p;
        size_t n;
        ok = session_bytes(c, &s, &p, &n);
        if (ok && n <= SESSION_MAX)
            c->cfg->cache->put(c->cfg->cache->ctx, s.session_id, span_of(p, n));
        if (ok)
            session_free_bytes(c, p, n);
    } else {
        ok = session_offer_to_keep(c, &s);
    }
    secret_wipe(&s.secret, sizeof s.secret);
    return ok;
}
