/* tickets.c - NewSessionTicket of TLS 1.3 (RFC 9846 4.7.1).  Must never give out a ticket for a handshake that is not complete. */
#include "tls/flight.h"
#include "tls/hooks.h"
#include "tls/quic.h"
#include "tls/session.h"

/* ---- server */
static bool send_one(struct troth_conn *c, uint8_t number)
{
    struct session s;
    struct new_session_ticket t;
    uint8_t *message;
    size_t n;
    uint8_t nonce[1] = { number }, psk[TROTH_DIGEST_MAX], age_add[4];
    memset(&t, 0, sizeof t);
    session_of(c, &s);
    TRY(conn_random(c, age_add, sizeof age_add));
    if (!s.client_authenticated) { /* a server needs a chain only to judge it again */
        s.chain = SPAN_NONE;
        s.staple = s.scts = SPAN_NONE;
    }
    ks_ticket_psk(psk, &c->keys, SPAN_OF(nonce));
    s.secret.n = (uint8_t)c->keys.hash->n;
    memcpy(s.secret.b, psk, s.secret.n);
    secret_wipe(psk, sizeof psk);
    s.lifetime = c->cfg->ticket_lifetime;
    s.age_add = (uint32_t)age_add[0] << 24 | (uint32_t)age_add[1] << 16 | (uint32_t)age_add[2] << 8 | age_add[3];
    s.quic_early = quic_early(c);
    s.max_early_data = !c->quic || s.quic_early.n ? c->cfg->early_data : 0;
    t.ticket_lifetime = s.lifetime;
    t.ticket_age_add = s.age_add;
    t.ticket_nonce = SPAN_OF(nonce);
    if (s.max_early_data) {
        t.exts.max_early_data_size = s.max_early_data;
        exts_add(&t.exts, X_EARLY_DATA);
    }
    if (c->cfg->grease) /* RFC 8701 3.2: clients must ignore what they do not know */
        exts_add_unknown(&t.exts, (uint16_t)(0x0a0a | (nonce[0] & 0xf) << 12 | (nonce[0] & 0xf) << 4), SPAN_NONE);
    enum { TICKET_AT = 4 + 4 + 4 + 1 + sizeof nonce + 2 }; /* in its message */
    t.ticket = ticket_room(&s);
    bool ok = !t.ticket.n
           || (flight_write(c, HS_new_session_ticket, body_new_session_ticket, &t, &message, &n)
               && ticket_seal(c, &s, message + TICKET_AT, t.ticket.n)
               && flight_add_late(c, span_of(message, n)));
    secret_wipe(&s.secret, sizeof s.secret);
    return ok;
}

bool tickets_send(struct troth_conn *c)
{
    if (!c->hs->hello.wants_tickets || c->facts.psk_external || c->close_sent)
        return true;
    bool ok = true;
    for (unsigned i = 0; ok && i < c->cfg->tickets; i++)
        ok = send_one(c, (uint8_t)i);
    return ok;
}

/* ---- client */
bool tickets_took(struct troth_conn *c, const struct message *m)
{
    struct new_session_ticket t = { 0 };
    struct session s;
    struct rd_ctx ctx;
    struct rd r = message_reader(c, &ctx, m);
    if (!new_session_ticket_read(&t, &r))
        return fail_read(c, "NewSessionTicket", &r);
    TRY(quic_ticket(c, &t));
    if (++c->tickets_seen > LIMIT_TICKETS_SEEN)
        return fail(c, TICKET_FLOOD, "%u tickets in a row", c->tickets_seen);
    if (!t.ticket_lifetime || c->tickets_seen > LIMIT_TICKETS_KEPT)
        return true;
    session_of(c, &s);
    s.secret.n = (uint8_t)c->keys.hash->n;
    ks_ticket_psk(s.secret.b, &c->keys, t.ticket_nonce);
    s.lifetime = t.ticket_lifetime < LIMIT_TICKET_LIFETIME ? t.ticket_lifetime : LIMIT_TICKET_LIFETIME;
    s.age_add = t.ticket_age_add;
    s.max_early_data = exts_have(&t.exts, X_EARLY_DATA) ? t.exts.max_early_data_size : 0;
    s.ticket = t.ticket;
    bool ok = session_offer_to_keep(c, &s);
    secret_wipe(&s.secret, sizeof s.secret);
    return ok;
}
