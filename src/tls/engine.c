/* engine.c - the loop of a connection.  The only place that turns an error into an alert.
 *
 * Order: what we have to send goes first; then events; then a question; then input.  FAILED and DONE come after the last byte was handed
 * out, and for ever.  Must never take a message while a question is open or after a failure. */
#include "tls/engine.h"

#include "base/alerts.h"
#include "tls/alert.h"
#include "tls/flight.h"
#include "tls/late.h"
#include "tls/nottls.h"

enum { LEVEL_WARNING = 1, LEVEL_FATAL = 2 };

static troth_event event(enum troth_event_kind kind)
{
    return (troth_event){ .kind = kind };
}

/* ---- the end */

/* Secrets of a connection that is over are forgotten (RFC 9846 6). */
static void forget(struct troth_conn *c)
{
    hs_end(c);
    secret_wipe(&c->keys, sizeof c->keys);
    protect_end(&c->rec.read);
    protect_end(&c->rec.write);
    messages_free(&c->rec.messages);
    inbuf_free(&c->rec.in);
    c->question = ASK_NOTHING;
    c->events = 0;
}

void engine_fail(struct troth_conn *c)
{
    if (c->failed)
        return;
    c->failed = true;
    if (!c->error.from_peer && c->error.alert != ALERT_NONE_BELONGS && !c->close_sent)
        alert_send(c, LEVEL_FATAL, c->error.alert);
    const struct witness *w = c->witness;
    if (w && w->failure)
        w->failure(w->self, &c->error);
    forget(c);
    c->state = S_FAILED;
}

void engine_close(struct troth_conn *c)
{
    if (c->close_sent || c->failed)
        return;
    c->close_sent = true;
    if (!c->hs || c->hs->first_sent) /* nothing was said yet: then there is nothing to end */
        alert_send(c, LEVEL_WARNING, ALERT_close_notify);
}

/* The transport ended without close_notify: where that leaves us depends on how far we were. */
static void end_of_input(struct troth_conn *c)
{
    if (c->ready)
        (void)fail(c, TRUNCATED, "after %llu bytes; what came so far may not be all", (unsigned long long)c->bytes_in);
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
    c->rec.rules.drop_ccs = !c->cfg->is_server;
    after_step(c, hs_take(c, A_START, &nothing));
}

void engine_answer(struct troth_conn *c, enum question q, span raw)
{
    static const uint8_t inputs[] = { [ASK_SERVER] = A_SERVER, [ASK_SIGN] = A_SIGNATURE, [ASK_VERDICT] = A_VERDICT };
    if (c->question != q || c->failed)
        return;
    c->question = ASK_NOTHING;
    after_step(c, hs_take(c, (enum input)inputs[q], &(struct message){ .raw = raw }));
}

/* ---- input */
enum took { TOOK, TOOK_DATA, NEED_MORE };

/* The next whole message of the fragment at hand, if there is one. */
static bool take_message(struct troth_conn *c)
{
    struct message m;
    switch (messages_next(&c->rec.messages, &c->error, &m)) {
    case MESSAGE_WHOLE: after_step(c, hs_take(c, input_of(m.type, m.raw), &m)); return true;
    case MESSAGE_BAD: engine_fail(c); return true;
    case MESSAGE_MORE: break;
    }
    return false;
}

static void take_close(struct troth_conn *c)
{
    alert_tell_received(c, LEVEL_WARNING, ALERT_close_notify);
    if (c->ready)
        c->close_seen = true;
    else
        (void)alert_received(c, ALERT_close_notify);
}

static void refuse_input(struct troth_conn *c)
{
    if (c->error.reason == TROTH_R_NOT_TLS)
        (void)not_tls(&c->error, inbuf_left(&c->rec.in), !c->cfg->is_server);
}

/* Before the handshake is complete it is early data, of which there may be only so much (RFC 9846 4.3.10). */
static bool take_data(struct troth_conn *c, size_t n)
{
    if (c->ready)
        return true;
    if (n > c->early_left) {
        (void)fail(c, TOO_MUCH_EARLY_DATA, "%zu bytes more, of which %u were allowed", n, (unsigned)c->early_left);
        engine_fail(c);
        return false;
    }
    c->early_left -= (uint32_t)n;
    return true;
}

static enum took take_record(struct troth_conn *c, struct arrived *got)
{
    struct records *r = &c->rec;
    switch (arrive(&r->rules, &r->in, &r->read, &r->messages, &c->error, got)) {
    case ARRIVED_NOTHING: return NEED_MORE;
    case ARRIVED_DATA:
        c->key_updates = 0;
        r->in.want = INBUF_LARGE; /* data flows: from now on a read can bring in a whole record */
        return take_data(c, got->data.n) ? TOOK_DATA : TOOK;
    case ARRIVED_HANDSHAKE: return TOOK;
    case ARRIVED_CCS: after_step(c, hs_take(c, M_CHANGE_CIPHER_SPEC, &(struct message){ .raw = SPAN_NONE })); return TOOK;
    case ARRIVED_CLOSE: take_close(c); break;
    case ARRIVED_ALERT: alert_tell_received(c, got->alert_level, got->alert); (void)alert_received(c, got->alert); break;
    case ARRIVED_BAD: refuse_input(c); break;
    }
    if (error_is_set(&c->error))
        engine_fail(c);
    return TOOK;
}

static troth_event ask_for_more(struct troth_conn *c)
{
    troth_event e = event(TROTH_RECV);
    if (c->eof)
        end_of_input(c);
    else if (inbuf_room(&c->rec.in, &c->error, &e.room.p, &e.room.n))
        return e;
    engine_fail(c);
    return event(TROTH_FAILED);
}

/* ---- questions and events */
static troth_event question(const struct troth_conn *c)
{
    const struct hs *hs = c->hs;
    if (c->question == ASK_SERVER)
        return event(TROTH_ASK_SERVER);
    if (c->question == ASK_VERDICT)
        return event(TROTH_ASK_VERDICT);
    return (troth_event){ .kind = TROTH_ASK_SIGN, .number = hs->scheme->id, .tag = hs->identity->tag, .data = hs->to_sign };
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

/* One thing that is to be said to the application; false: look again. */
static bool next(struct troth_conn *c, troth_event *e)
{
    struct arrived got;
    if (c->state == S_START && !error_is_set(&c->error))
        begin(c);
    if (error_is_set(&c->error))
        engine_fail(c); /* once; what failed outside of a step is found here */
    if (!outq_empty(&c->rec.out)) {
        *e = (troth_event){ .kind = TROTH_SEND, .data = outq_span(&c->rec.out) };
        return true;
    }
    if (c->failed || (c->close_sent && c->close_seen)) {
        *e = event(c->failed ? TROTH_FAILED : TROTH_DONE);
        return true;
    }
    if (waiting_event(c, e))
        return true;
    if (c->question != ASK_NOTHING || c->close_seen) {
        *e = c->close_seen ? event(TROTH_CLOSED) : question(c);
        return true;
    }
    if (take_message(c))
        return false;
    switch (take_record(c, &got)) {
    case TOOK: return false;
    case TOOK_DATA: *e = (troth_event){ .kind = TROTH_DATA, .data = got.data, .early = !c->ready }; return true;
    case NEED_MORE: break;
    }
    *e = ask_for_more(c);
    return e->kind != TROTH_FAILED; /* an alert may have to go first */
}

troth_event engine_next(struct troth_conn *c)
{
    troth_event e;
    while (!next(c, &e))
        ;
    return e;
}

/* ---- what the application and its transport do */
void engine_sent(struct troth_conn *c, size_t n)
{
    size_t waits = outq_span(&c->rec.out).n;
    n = n < waits ? n : waits;
    outq_sent(&c->rec.out, n);
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
    inbuf_rest(&c->rec.in);
    outq_rest(&c->rec.out);
    protect_rest(&c->rec.read);
    protect_rest(&c->rec.write);
}
