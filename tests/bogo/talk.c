/* talk.c - one connection: asks troth_next() until it is over, answers its questions, echoes what comes with every bit flipped.  Must
 * never report success for a connection that failed, or failure without a word. */
#include "talk.h"

#include <stdio.h>
#include <string.h>

/* TLS numbers of alerts that the tests want to see. */
enum { ALERT_DECOMPRESSION_FAILURE = 30, ALERT_HANDSHAKE_FAILURE = 40, ALERT_INTERNAL_ERROR = 80, ALERT_BAD_STATUS = 113 };

enum outcome { GO_ON, PASSED, FAILED };

/* ---- writing */
static bool write_now(struct talk *t, const void *p, size_t n)
{
    troth_span part = { p, n };
    if (t->s->quic && n)
        return mock_write(t, p, n);
    return !n || troth_write(t->c, &part, 1) || complain("troth_write refused");
}

/* A client in early data writes as much as the server takes, and the rest once the handshake is over. */
static bool write_bytes(struct talk *t, const void *p, size_t n)
{
    size_t now = n, left = troth_what(t->c).early_left;
    if (t->early && !t->s->server && n > left)
        now = left;
    if (n - now > sizeof t->later - t->later_n)
        return complain("too much for later");
    memcpy(t->later + t->later_n, (const uint8_t *)p + now, n - now);
    t->later_n += n - now;
    return write_now(t, p, now);
}

static bool write_export(struct talk *t)
{
    const struct settings *s = t->s;
    uint8_t out[2048];
    size_t n = (size_t)s->export_keying_material;
    troth_span context = s->use_export_context ? text_span(s->export_context ? s->export_context : "") : (troth_span){ NULL, 0 };
    if (n > sizeof out || !troth_export(t->c, s->export_label ? s->export_label : "", context, out, n))
        return complain("shim: export refused");
    return write_bytes(t, out, n);
}

/* The length as this machine stores it, what we read with, what we write with. */
static bool write_secrets(struct talk *t)
{
    troth_span read, write;
    bool server = t->s->server;
    if (!from_hex(&read, t->secrets[server ? 0 : 1]) || !from_hex(&write, t->secrets[server ? 1 : 0]) || !read.n || read.n != write.n)
        return complain("traffic secrets are missing");
    uint16_t n = (uint16_t)read.n;
    return write_bytes(t, &n, sizeof n) && write_bytes(t, read.p, read.n) && write_bytes(t, write.p, write.n);
}

static bool write_first(struct talk *t)
{
    const struct settings *s = t->s;
    for (int i = 0; i < s->repeat_shim_initial_write; i++)
        if (!write_bytes(t, s->shim_initial_write, strlen(s->shim_initial_write)))
            return false;
    t->link.hold = s->read_with_unfinished_write; /* all but one byte of it stays here until something was read */
    return true;
}

/* ---- the exchange starts */
static bool start(struct talk *t)
{
    const struct settings *s = t->s;
    t->started = true;
    if (!s->implicit_handshake && !checks_at_start(t))
        return false;
    if (s->export_keying_material && !write_export(t))
        return false;
    if (s->export_traffic_secrets && !write_secrets(t))
        return false;
    if (s->send_alert) {
        t->alert_sent = true;
        troth_abort(t->c, ALERT_DECOMPRESSION_FAILURE, "the shim was told to");
        return true;
    }
    t->write_waits = t->early && s->early_write_after_message;
    if ((s->shim_writes_first || s->read_with_unfinished_write) && !t->write_waits && !write_first(t))
        return false;
    if (s->shim_shuts_down) {
        t->shut = true;
        troth_close(t->c);
    }
    return true;
}

static enum outcome on_ready(struct talk *t)
{
    t->ready = true;
    t->early = false;
    t->ticket_before_ready = t->ticket_came;
    if (t->early_came && !t->refused && t->s->expect_accept_early_data && troth_what(t->c).early != TROTH_EARLY_ACCEPTED)
        return complain("early data was not accepted") ? GO_ON : FAILED;
    bool accepted = t->started && !t->s->server; /* what could not be checked before */
    if (accepted && !((t->s->implicit_handshake || checks_at_start(t)) && write_now(t, t->later, t->later_n)))
        return FAILED;
    return t->started || start(t) ? GO_ON : FAILED;
}

static enum outcome on_early(struct talk *t)
{
    t->early = t->early_came = true;
    if (!t->s->server && t->turn != TURN_INITIAL && t->s->expect_no_offer_early_data)
        return complain("early data was offered") ? GO_ON : FAILED;
    return start(t) ? GO_ON : FAILED;
}

/* What follows is another connection as far as flags go: those of -on-retry-. */
static enum outcome on_early_refused(struct talk *t)
{
    if (!t->s->expect_reject_early_data)
        return complain("early data was refused") ? GO_ON : FAILED;
    t->s = &t->run->settings[TURN_RETRY];
    t->turn = TURN_RETRY;
    t->early = t->started = t->write_waits = false;
    t->later_n = 0;
    t->refused = true;
    return GO_ON;
}

/* ---- data */
static enum outcome on_data(struct talk *t, troth_span data)
{
    uint8_t back[16384];
    size_t step = t->s->read_size > 0 ? (size_t)t->s->read_size : sizeof back;
    if (t->shut) /* the runner speaks after we said that we are done */
        return complain("shim: application data on shutdown") ? GO_ON : FAILED;
    if (!t->s->server && t->turn == TURN_RESUME && t->s->expect_reject_early_data)
        return complain("data came instead of a refusal of early data") ? GO_ON : FAILED;
    t->got_data = true;
    link_let_go(&t->link);
    if (t->s->key_update && !troth_update_keys(t->c, false))
        return complain("troth_update_keys refused") ? GO_ON : FAILED;
    while (data.n) {
        size_t n = data.n < step ? data.n : step;
        for (size_t i = 0; i < n; i++)
            back[i] = data.p[i] ^ 0xff;
        if (!write_bytes(t, back, n))
            return FAILED;
        data = (troth_span){ data.p + n, data.n - n };
    }
    return GO_ON;
}

static enum outcome on_ticket(struct talk *t, const troth_event *e)
{
    struct run *r = t->run;
    if (e->data.n > sizeof r->ticket)
        return complain("a ticket of %zu bytes", e->data.n) ? GO_ON : FAILED;
    memcpy(r->ticket, e->data.p, e->data.n);
    r->ticket_n = e->data.n;
    r->has_ticket = true;
    t->ticket_came = true;
    t->ticket_early = e->early;
    return GO_ON;
}

/* ---- questions */
static enum outcome on_ask_server(struct talk *t)
{
    const struct settings *s = t->s;
    troth_error why;
    t->server_asked = true;
    if (s->fail_early_callback_ech_rewind && troth_what(t->c).ech == TROTH_ECH_ACCEPTED) {
        troth_refuse_ech(t->c); /* and we are asked again */
        return GO_ON;
    }
    if (!checks_hello(t))
        return FAILED;
    if (s->fail_early_callback)
        troth_abort(t->c, ALERT_HANDSHAKE_FAILURE, "shim: early callback");
    else if (s->fail_ddos_callback)
        troth_abort(t->c, ALERT_INTERNAL_ERROR, "shim: ddos callback");
    else if (s->fail_cert_callback)
        troth_abort(t->c, ALERT_INTERNAL_ERROR, "shim: cert callback");
    else if (s->fail_ocsp_callback)
        troth_abort(t->c, ALERT_INTERNAL_ERROR, "shim: ocsp callback");
    else {
        troth_server *answer = setup_server(t->run, s, t->turn, true, &why);
        if (!answer) { /* what the application wants cannot be configured */
            complain_error(&why);
            troth_abort(t->c, ALERT_INTERNAL_ERROR, "shim: no configuration");
        }
        troth_answer_server(t->c, answer);
        troth_server_free(answer);
    }
    return GO_ON;
}

/* Answered by a configuration of its own, so that it is one. */
static enum outcome on_ask_client(struct talk *t)
{
    troth_error why;
    if (t->s->fail_cert_callback) {
        troth_abort(t->c, ALERT_INTERNAL_ERROR, "shim: cert callback");
        return GO_ON;
    }
    troth_client *answer = setup_client(t->run, t->s, &why);
    if (!answer)
        complain_error(&why);
    troth_answer_client(t->c, answer);
    troth_client_free(answer);
    return GO_ON;
}

static enum outcome on_ask_sign(struct talk *t, const troth_event *e)
{
    /* enum troth_sig by SignatureScheme */
    static const struct { uint16_t scheme; enum troth_sig sig; } rows[] = {
        { 0x0401, TROTH_SIG_RSA_PKCS1_SHA256 }, { 0x0501, TROTH_SIG_RSA_PKCS1_SHA384 }, { 0x0601, TROTH_SIG_RSA_PKCS1_SHA512 },
        { 0x0804, TROTH_SIG_RSA_PSS_SHA256 },   { 0x0805, TROTH_SIG_RSA_PSS_SHA384 },   { 0x0806, TROTH_SIG_RSA_PSS_SHA512 },
        { 0x0403, TROTH_SIG_ECDSA_SHA256 },     { 0x0503, TROTH_SIG_ECDSA_SHA384 },     { 0x0603, TROTH_SIG_ECDSA_SHA512 },
        { 0x0807, TROTH_SIG_ED25519 },          { 0x0808, TROTH_SIG_ED448 },
    };
    const troth_provider *p = t->run->provider;
    uint8_t signature[TROTH_SIGNATURE_MAX];
    size_t n = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].scheme == e->number && e->tag && !p->sign(p->self, e->tag, rows[i].sig, &e->data, 1, signature, &n))
            n = 0;
    troth_answer_sign(t->c, (troth_span){ signature, n });
    return GO_ON;
}

static enum outcome on_ask_verdict(struct talk *t)
{
    const struct settings *s = t->s;
    bool judges = s->use_custom_verify_callback || s->verify_peer || s->require_any_client_certificate;
    if (t->verdict_asked && t->turn != TURN_RETRY)
        return complain("the certificate is to be judged twice") ? GO_ON : FAILED;
    t->verdict_asked = true;
    t->verdict_ok = !s->verify_fail;
    if (judges && !setup_judge(t->run, s, troth_peer(t->c)))
        return FAILED;
    if (s->fail_ocsp_callback)
        troth_abort(t->c, ALERT_BAD_STATUS, "shim: ocsp callback");
    else if (s->verify_fail && (s->use_custom_verify_callback || troth_what(t->c).peer_raw_key.n))
        troth_answer_verdict(t->c, false, "shim: verify callback");
    else if (s->verify_fail && judges)
        troth_abort(t->c, ALERT_HANDSHAKE_FAILURE, "shim: verify callback");
    else
        troth_answer_verdict(t->c, true, "the shim likes it");
    return GO_ON;
}

/* ---- the end */

/* The transport ended without close_notify, or before ours went through: an error only for those who asked for one. */
static enum outcome on_failed(struct talk *t)
{
    const troth_error *e = troth_why(t->c);
    if (t->s->quic && !e->from_peer && e->alert != 255)
        mock_alert(t, 2, e->alert);
    bool quiet = e->reason == TROTH_R_TRUNCATED || (e->reason == TROTH_R_EOF_MID && t->peer_closed);
    if (t->alert_sent || (quiet && t->ready && !t->s->check_close_notify))
        return PASSED;
    complain_error(e);
    return FAILED;
}

static enum outcome on_closed(struct talk *t)
{
    t->peer_closed = true;
    if (!t->shut)
        troth_close(t->c);
    t->shut = true;
    return GO_ON;
}

/* Nothing is left to say, and nobody wants to hear the peer's close_notify. */
static bool enough(const struct talk *t)
{
    return t->shut && t->s->shim_shuts_down && !t->s->check_close_notify;
}

static enum outcome receive(struct talk *t, const troth_event *e)
{
    troth_span data;
    if (enough(t))
        return PASSED;
    if (!t->s->quic) {
        link_receive(&t->link, t->c, e->room.p, e->room.n);
        return GO_ON;
    }
    if (!mock_receive(t, &data))
        return FAILED;
    return data.n ? on_data(t, data) : GO_ON;
}

static enum outcome on_send(struct talk *t, const troth_event *e)
{
    if (t->s->quic)
        mock_send(t, e->data, e->level);
    else
        link_send(&t->link, t->c, e->data);
    return GO_ON;
}

static enum outcome on_done(struct talk *t)
{
    if (t->s->quic)
        mock_alert(t, 1, 0);
    return PASSED;
}

static enum outcome take(struct talk *t, const troth_event *e)
{
    switch (e->kind) {
    case TROTH_SEND: return on_send(t, e);
    case TROTH_RECV: return receive(t, e);
    case TROTH_READY: return on_ready(t);
    case TROTH_EARLY: return on_early(t);
    case TROTH_EARLY_REFUSED: return on_early_refused(t);
    case TROTH_DATA: return on_data(t, e->data);
    case TROTH_TICKET: return on_ticket(t, e);
    case TROTH_ASK_SERVER: return on_ask_server(t);
    case TROTH_ASK_CLIENT: return on_ask_client(t);
    case TROTH_ASK_SIGN: return on_ask_sign(t, e);
    case TROTH_ASK_VERDICT: return on_ask_verdict(t);
    case TROTH_CLOSED: return on_closed(t);
    case TROTH_DONE: return on_done(t);
    case TROTH_FAILED: return on_failed(t);
    case TROTH_KEYS: mock_keys(t, e); return GO_ON;
    case TROTH_CLIENT_AUTH: break;
    }
    return complain("an event of kind %d", (int)e->kind) ? GO_ON : FAILED;
}

static bool exchange(struct talk *t)
{
    enum outcome o = GO_ON;
    while (o == GO_ON) {
        if (t->write_waits && t->inside.last_message == t->s->early_write_after_message) {
            t->write_waits = false;
            if (!write_first(t))
                return false;
        }
        troth_event e = troth_next(t->c);
        o = take(t, &e);
    }
    return o == PASSED && checks_at_end(t);
}

/* ---- begin */
static bool open_conn(struct talk *t)
{
    troth_error why;
    const struct settings *s = t->s;
    struct run *r = t->run;
    if (s->server) {
        troth_server *us = setup_server(r, s, t->turn, false, &why);
        t->c = us ? troth_accept(us) : NULL;
        troth_server_free(us);
    } else {
        troth_client *us = setup_client(r, s, &why);
        t->c = us ? troth_connect(us, setup_host(s)) : NULL;
        troth_client_free(us);
        troth_send_name(t->c, s->host_name ? s->host_name : "");
        if (t->turn == TURN_RESUME && r->has_ticket && !s->no_ticket)
            troth_resume(t->c, (troth_span){ r->ticket, r->ticket_n });
    }
    if (!t->c)
        complain_error(&why);
    if (s->quic_transport_params.n)
        troth_quic_parameters(t->c, s->quic_transport_params, text_span(s->server ? s->quic_early_data_context : NULL));
    return t->c != NULL;
}

bool talk(struct run *r, enum turn turn)
{
    struct talk t = { .run = r, .s = &r->settings[turn], .turn = turn, .link = { .fd = -1 } };
    if (turn == TURN_RESUME && !t.s->server && !r->has_ticket)
        return complain("there is no session to resume");
    bool ok = open_conn(&t) && link_open(&t.link, t.s);
    r->cache_puts = 0;
    if (ok) {
        inside_watch(&t);
        ok = exchange(&t);
    }
    link_close(&t.link);
    troth_free(t.c);
    return ok;
}
