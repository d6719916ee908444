/* engine.c - the loop of a connection.  The only place that turns an error into an alert.
 *
 * Order: what we have to send goes first, but where the transport takes nothing; then events; then a question; then input.  FAILED and DONE
 * come after the last byte was handed out, and for ever.  Must never take a message while a question is open or after a failure. */
#include "tls/engine.h"

#include "base/alerts.h"
#include "tls/alert.h"
#include "tls/carrier.h"
#include "tls/flight.h"
#include "tls/late.h"
#include "tls/session.h"

enum { LEVEL_WARNING = 1, LEVEL_FATAL = 2 };

static troth_event event(enum troth_event_kind kind)
{
    return (troth_event){ .kind = kind };
}

/* ---- the end */

/* Secrets of a connection that is over are forgotten (RFC 9846 6).  What was closed in order can still export, unless that takes the master
 * secret (TLS 1.2), which opens everything that was said. */
static void forget(struct troth_conn *c)
{
    bool can_export = !c->failed && c->facts.version == TROTH_TLS13;
    struct secret exporter = c->keys.exporter;
    const troth_hash *hash = c->keys.hash;
    hs_end(c);
    secret_wipe(&c->keys, sizeof c->keys);
    if (c->failed && c->rare)
        secret_wipe(&c->rare->early_exporter, sizeof c->rare->early_exporter);
    if (can_export) {
        c->keys.exporter = exporter;
        c->keys.hash = hash;
    }
    secret_wipe(&exporter, sizeof exporter);
    messages_free(&c->rec.messages);
    carrier_of(c)->forget(c, false);
    session_forget_ticket(c); /* nobody will fetch it */
    c->question = ASK_NOTHING;
    c->events = 0;
}

/* Why it failed.  To cancel is no error, and says itself what it ends (RFC 9846 6.1). */
static void send_reason(struct troth_conn *c, uint8_t alert)
{
    bool cancels = alert == ALERT_user_canceled && carrier_of(c)->closes;
    alert_send(c, cancels ? LEVEL_WARNING : LEVEL_FATAL, alert);
    if (cancels)
        alert_send(c, LEVEL_WARNING, ALERT_close_notify);
}

bool engine_is_over(const struct troth_conn *c)
{
    return c->failed || (c->close_sent && c->close_seen && outq_empty(&c->rec.out));
}

void engine_fail(struct troth_conn *c)
{
    if (c->failed)
        return;
    c->failed = true;
    const troth_error *e = c->error.e;
    if (!e->from_peer && e->alert != ALERT_NONE_BELONGS && !c->close_sent)
        send_reason(c, e->alert);
    const struct witness *w = c->witness;
    if (w && w->failure)
        w->failure(w->self, e);
    forget(c);
    c->state = S_FAILED;
}

void engine_close(struct troth_conn *c)
{
    if (c->close_sent || c->failed)
        return;
    c->close_sent = true;
    if (c->state != S_START && (!c->hs || c->hs->first_sent)) /* nothing was said yet: then there is nothing to end */
        alert_send(c, LEVEL_WARNING, ALERT_close_notify);
    bool unfinished = !c->ready && c->rec.write.epoch != EPOCH_APPLICATION; /* a handshake cannot go on without us */
    c->close_seen |= unfinished || !carrier_of(c)->closes;                  /* nothing will come that says so      */
}

/* The transport ended without close_notify: where that leaves us depends on how far we were. */
static void end_of_input(struct troth_conn *c)
{
    if (c->ready)
        (void)fail(c, TRUNCATED, "after %llu bytes; what came so far may not be all", (unsigned long long)c->bytes_in);
    else if (c->rec.rules.canceled) /* the close_notify that has to follow did not */
        (void)alert_received(c, ALERT_user_canceled);
    else if (!c->bytes_in)
        (void)fail(c, EOF_ON_HELLO, "%s", c->cfg->is_server ? "the client said nothing" : "in answer to our ClientHello");
    else
        (void)fail(c, EOF_MID, "while we were waiting in state %s", state_name((enum state)c->state));
}

/* ---- steps */

/* After each step: what it wrote leaves, and a handshake that is complete gives its memory back. */
static void after_step(struct troth_conn *c, bool ok)
{
    if (!ok || !flight_flush(c))
        engine_fail(c);
    else if (c->state == S_CONNECTED || c->state == S_CONNECTED_12)
        hs_end(c);
}

static void begin(struct troth_conn *c)
{
    static const struct message nothing;
    /* a hello may be the second one to us, or to the server that is chosen when it came (RFC 9846 4.3.2) */
    c->rec.rules.drop_ccs = c->cfg->is_server ? c->cfg->cookies || c->cfg->ask_server : c->cfg->most >= TROTH_TLS13;
    after_step(c, hs_take(c, A_START, &nothing));
}

void engine_answer(struct troth_conn *c, enum question q, span raw)
{
    static const uint8_t inputs[] = { [ASK_SERVER] = A_SERVER, [ASK_SIGN] = A_SIGNATURE, [ASK_VERDICT] = A_VERDICT, [ASK_CLIENT] = A_CLIENT };
    if (c->question != q || c->failed || (c->close_sent && c->close_seen))
        return;
    c->question = ASK_NOTHING;
    after_step(c, hs_take(c, (enum input)inputs[q], &(struct message){ .raw = raw }));
}

/* ---- input */

/* The next whole message of the fragment at hand, if there is one. */
static bool take_message(struct troth_conn *c)
{
    struct message m;
    troth_error e;
    error_none(&e);
    switch (messages_next(&c->rec.messages, &e, &m)) {
    case MESSAGE_WHOLE: after_step(c, hs_take(c, input_of(m.type, m.raw), &m)); return true;
    case MESSAGE_BAD: (void)trouble_take(&c->error, &e); engine_fail(c); return true;
    case MESSAGE_MORE: break;
    }
    return false;
}

static troth_event ask_for_more(struct troth_conn *c)
{
    troth_event ev = event(TROTH_RECV);
    if (c->eof)
        end_of_input(c);
    else if (carrier_of(c)->room(c, &ev))
        return ev;
    engine_fail(c);
    return event(TROTH_FAILED);
}

/* What else came.  False: nothing to tell the application. */
static bool take_input(struct troth_conn *c, troth_event *e)
{
    span data;
    switch (carrier_of(c)->take(c, &data)) {
    case TOOK: break;
    case TOOK_CCS: after_step(c, hs_take(c, M_CHANGE_CIPHER_SPEC, &(struct message){ .raw = SPAN_NONE })); break;
    case TOOK_DATA: *e = (troth_event){ .kind = TROTH_DATA, .data = data, .early = !c->ready }; return true;
    case NEED_MORE: *e = ask_for_more(c); return e->kind != TROTH_FAILED; /* an alert may have to go first */
    }
    if (trouble_is_set(&c->error))
        engine_fail(c);
    return false;
}

/* ---- questions and events */
static troth_event question(const struct troth_conn *c)
{
    const struct hs *hs = c->hs;
    if (c->question == ASK_SERVER)
        return event(TROTH_ASK_SERVER);
    if (c->question == ASK_VERDICT)
        return event(TROTH_ASK_VERDICT);
    if (c->question == ASK_CLIENT)
        return event(TROTH_ASK_CLIENT);
    void *tag = hs->delegated ? hs->identity->dc_tag : hs->identity->tag;
    return (troth_event){ .kind = TROTH_ASK_SIGN, .number = hs->scheme->id, .tag = tag, .data = hs->to_sign };
}

static bool waiting_event(struct troth_conn *c, troth_event *e)
{
    static const struct { uint8_t bit, kind; } order[] = {
        { WAITS_EARLY, TROTH_EARLY }, { WAITS_EARLY_REFUSED, TROTH_EARLY_REFUSED }, { WAITS_TICKET, TROTH_TICKET },
        { WAITS_READY, TROTH_READY }, { WAITS_CLIENT_AUTH, TROTH_CLIENT_AUTH },
    };
    for (size_t i = 0; i < COUNT_OF(order); i++)
        if (c->events & order[i].bit) {
            c->events = (uint8_t)(c->events & ~order[i].bit);
            *e = event((enum troth_event_kind)order[i].kind);
            if (e->kind == TROTH_TICKET) {
                e->data = span_of(c->ticket, c->ticket_n);
                e->early = c->ticket_early;
            }
            return true;
        }
    return false;
}

/* What waits to be sent goes first, unless the transport takes none of it now.  An end waits for it in any case. */
static bool say(struct troth_conn *c, troth_event *e)
{
    bool ends = c->failed || (c->close_sent && c->close_seen);
    return (ends || !c->send_later) && carrier_of(c)->say(c, e);
}

/* One thing that is to be said to the application; false: look again. */
static bool next(struct troth_conn *c, troth_event *e)
{
    if (c->state == S_START && !c->close_sent && !trouble_is_set(&c->error))
        begin(c);
    if (trouble_is_set(&c->error))
        engine_fail(c); /* once; what failed outside of a step is found here */
    if (say(c, e))
        return true;
    if (engine_is_over(c)) {
        if (!c->failed)
            forget(c);
        *e = event(c->failed ? TROTH_FAILED : TROTH_DONE);
        return true;
    }
    if (waiting_event(c, e))
        return true;
    if (c->question != ASK_NOTHING || c->close_seen) {
        *e = c->close_seen ? event(TROTH_CLOSED) : question(c);
        return true;
    }
    return !take_message(c) && take_input(c, e);
}

troth_event engine_next(struct troth_conn *c)
{
    troth_event e;
    if (c->ticket && !(c->events & WAITS_TICKET))
        session_forget_ticket(c); /* it was given; whoever wants it has a copy */
    while (!next(c, &e))
        ;
    c->send_later = false;
    return e;
}

/* ---- what the application and its transport do */
void engine_sent(struct troth_conn *c, size_t n)
{
    size_t took = carrier_of(c)->sent(c, n);
    if (took < n && !engine_is_over(c) && !trouble_is_set(&c->error))
        (void)fail(c, BAD_ARGUMENT, "troth_sent: %zu bytes, and %zu were waiting", n, took);
    c->send_later = !n;
    n = took;
    c->bytes_out += n;
    if (c->witness && c->witness->flight && n)
        c->witness->flight(c->witness->self, our_side(c), n);
}

void engine_received(struct troth_conn *c, size_t n)
{
    if (c->failed)
        return;
    if (!n) {
        c->eof = true;
        return;
    }
    size_t room = c->rec.in.cap - c->rec.in.end;
    if (n > room && !engine_is_over(c)) { /* what lies beyond was never written */
        (void)fail(c, BAD_ARGUMENT, "troth_received: %zu bytes into room for %zu", n, room);
        return;
    }
    inbuf_got(&c->rec.in, n);
    c->bytes_in += n;
    if (c->witness && c->witness->flight)
        c->witness->flight(c->witness->self, peer_side(c), n);
}

/* 0-RTT data, as much as the ticket allows (RFC 9846 4.7.1). */
static bool write_early(struct troth_conn *c, const span *parts, size_t n_parts)
{
    size_t n = 0;
    for (size_t i = 0; i < n_parts; i++)
        n += parts[i].n;
    if (n > c->early_left)
        return fail(c, WRONG_TIME, "troth_write: %zu bytes of early data, and the server takes %u more", n, (unsigned)c->early_left);
    c->early_left -= (uint32_t)n;
    return flight_put(c, CONTENT_APPLICATION_DATA, parts, n_parts);
}

bool engine_write(struct troth_conn *c, const span *parts, size_t n_parts)
{
    if (!c->ready && c->early_left && !c->cfg->is_server)
        return write_early(c, parts, n_parts);
    /* a server that took early data may answer before the client's Finished; to whom, it knows from the session (RFC 9846 2.3) */
    bool half = c->cfg->is_server && c->facts.early == TROTH_EARLY_ACCEPTED && c->rec.write.epoch == EPOCH_APPLICATION;
    if ((!c->ready && !half) || c->close_sent)
        return fail(c, WRONG_TIME, "troth_write %s", c->ready ? "after troth_close" : "before TROTH_READY");
    return late_before_write(c) && flight_put(c, CONTENT_APPLICATION_DATA, parts, n_parts);
}

void engine_rest(struct troth_conn *c)
{
    messages_rest(&c->rec.messages);
    if (!messages_borrow(&c->rec.messages)) /* as long as an event or a question comes before them */
        inbuf_rest(&c->rec.in);
    outq_rest(&c->rec.out);
    protect_rest(&c->rec.read);
    protect_rest(&c->rec.write);
}
