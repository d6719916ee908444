/* How connections end and fail: close_notify, truncation, alerts, floods, other protocols, misuse, wrong configurations. */
#include "base/alerts.h"
#include "fake/fake.h"
#include "support/pair.h"
#include "support/test.h"
#include "tls/conn.h"
#include "tls/flight.h"
#include "wire/registry.h"

static void tweak_13(troth_builder *b, void *ctx)
{
    (void)ctx;
    troth_versions(b, TROTH_TLS13, TROTH_TLS13);
}

static void tweak_12(troth_builder *b, void *ctx)
{
    (void)ctx;
    troth_versions(b, TROTH_TLS12, TROTH_TLS12);
}

static struct world *begin(struct pair *p, tweak_fn *client, tweak_fn *server, void *ctx)
{
    struct world *w = world_new(fake_provider(1));
    pair_new(p, world_client(w, client ? client : tweak_13, ctx ? ctx : w), world_server(w, server ? server : tweak_13, ctx ? ctx : w), NULL);
    return w;
}

static void end(struct pair *p, struct world *w)
{
    pair_free(p);
    world_free(w);
}

/* ---- orderly and not */
static void test_half_close(void **state)
{
    (void)state;
    struct pair p;
    struct world *w = begin(&p, NULL, NULL, NULL);
    p.no_close = true;
    pair_run(&p);
    assert_ready(&p);
    troth_close(p.client.c);
    pair_run(&p);
    assert_true(p.server.closed && !p.server.done);
    assert_true(pair_write(&p.server, "still talking"));
    pair_run(&p);
    assert_int_equal(p.client.n_got, 13);
    assert_false(pair_write(&p.client, "after close"));
    assert_int_equal(troth_why(p.client.c)->reason, TROTH_R_WRONG_TIME);
    end(&p, w);
}

static void test_truncation(void **state)
{
    (void)state;
    struct pair p;
    struct world *w = begin(&p, NULL, NULL, NULL);
    pair_run(&p);
    assert_ready(&p);
    assert_true(pair_write(&p.server, "half of an ans"));
    pair_step(&p, &p.server);
    pair_end_input(&p, &p.client);
    pair_run(&p);
    assert_int_equal(p.client.n_got, 14);
    assert_failed(&p.client, TRUNCATED);
    end(&p, w);
}

static void test_end_of_input_in_the_handshake(void **state)
{
    (void)state;
    struct pair p;
    struct world *w = begin(&p, NULL, NULL, NULL);
    pair_step(&p, &p.client);
    pair_end_input(&p, &p.client);
    pair_step(&p, &p.client);
    assert_failed(&p.client, EOF_ON_HELLO);
    end(&p, w);
    w = begin(&p, NULL, NULL, NULL);
    pair_step(&p, &p.client);
    pair_step(&p, &p.server);
    p.to_client.n -= 100;
    pair_end_input(&p, &p.client);
    pair_step(&p, &p.client);
    assert_failed(&p.client, EOF_MID);
    end(&p, w);
}

static void test_closed_in_the_handshake(void **state)
{
    (void)state;
    static const uint8_t close_notify[] = { 21, 3, 3, 0, 2, 1, 0 };
    struct pair p;
    struct world *w = begin(&p, NULL, NULL, NULL);
    pair_step(&p, &p.client);
    pipe_put(&p.to_client, close_notify, sizeof close_notify);
    size_t before = p.to_server.n;
    pair_step(&p, &p.client);
    assert_failed(&p.client, PEER_CLOSED);
    assert_int_equal(p.to_server.n, before + sizeof close_notify); /* we end it in order, too (RFC 9846 6.1) */
    assert_memory_equal(p.to_server.p + before, close_notify, sizeof close_notify);
    end(&p, w);
}

/* Closed by the application before the handshake was complete, wherever it was: close_notify is the last that it says. */
static void test_close_in_the_handshake(void **state)
{
    (void)state;
    for (int i = 0; i < 8; i++) {
        bool of_server = i & 1, older = i & 2, steps = i & 4;
        struct pair p;
        struct world *w = begin(&p, older ? tweak_12 : NULL, older ? tweak_12 : NULL, NULL);
        struct pair_end *end_of = of_server ? &p.server : &p.client;
        struct pipe *out = of_server ? &p.to_client : &p.to_server;
        pair_step(&p, &p.client);
        if (of_server || steps)
            pair_step(&p, &p.server);
        if (of_server && steps && older)
            pair_step(&p, &p.client);
        size_t before = out->n;
        troth_close(end_of->c);
        for (troth_event ev = troth_next(end_of->c); ev.kind == TROTH_SEND; ev = troth_next(end_of->c)) {
            pipe_put(out, ev.data.p, ev.data.n);
            troth_sent(end_of->c, ev.data.n);
        }
        assert_true(out->n > before);
        size_t then = out->n;
        pair_run(&p);
        assert_int_equal(out->n, then);
        assert_true(end_of->done);
        end(&p, w);
    }
}

static void test_close_before_the_handshake(void **state)
{
    (void)state;
    struct pair p;
    struct world *w = begin(&p, NULL, NULL, NULL);
    troth_close(p.client.c);
    troth_close(p.server.c);
    pair_run(&p);
    assert_true(p.client.done && p.server.done);
    assert_int_equal(p.to_server.n + p.to_client.n, 0);
    end(&p, w);
}

static void test_broken_transport(void **state)
{
    (void)state;
    struct pair p;
    struct world *w = begin(&p, NULL, NULL, NULL);
    pair_step(&p, &p.client);
    troth_broken(p.client.c, TROTH_R_EOF_MID, "reset");
    assert_int_equal(troth_next(p.client.c).kind, TROTH_FAILED);
    assert_int_equal(troth_why(p.client.c)->reason, TROTH_R_EOF_MID);
    end(&p, w);
}

/* A failure whose alert cannot be sent any more: there must be nothing left to send, or whoever asks goes round for ever. */
static void test_broken_after_a_failure(void **state)
{
    (void)state;
    static const uint8_t bad[] = { 22, 3, 3, 0, 4, HS_finished, 0, 0, 0 };
    struct pair p;
    struct world *w = begin(&p, NULL, NULL, NULL);
    pair_step(&p, &p.client);
    troth_event ev = troth_next(p.client.c);
    assert_true(ev.kind == TROTH_RECV && ev.room.n >= sizeof bad);
    memcpy(ev.room.p, bad, sizeof bad);
    troth_received(p.client.c, sizeof bad);
    assert_int_equal(troth_next(p.client.c).kind, TROTH_SEND);
    troth_broken(p.client.c, TROTH_R_NET_RESET_MID, "EPIPE");
    assert_int_equal(troth_next(p.client.c).kind, TROTH_FAILED);
    assert_int_equal(troth_why(p.client.c)->reason, TROTH_R_UNEXPECTED_MESSAGE); /* the first failure is the one that counts */
    end(&p, w);
}

/* ---- alerts: each has a reason, and what it is about depends on what was sent */
static void expect_alert_of(tweak_fn *client, uint8_t alert, enum troth_reason expected)
{
    uint8_t record[] = { 21, 3, 3, 0, 2, 2, alert };
    struct pair p;
    struct world *w = begin(&p, client, NULL, NULL);
    pair_step(&p, &p.client);
    pipe_put(&p.to_client, record, sizeof record);
    pair_step(&p, &p.client);
    const troth_error *why = troth_why(p.client.c);
    assert_true(p.client.failed && why && why->from_peer);
    assert_int_equal(why->alert, alert);
    if (why->reason != expected)
        test_fail("alert %u: %s, expected %s", alert, why->code, troth_reason_code(expected));
    end(&p, w);
}

static void expect_alert(uint8_t alert, enum troth_reason expected)
{
    expect_alert_of(NULL, alert, expected);
}

static void tweak_suites(troth_builder *b, void *ctx)
{
    static const uint16_t one[] = { 0x1301 };
    tweak_13(b, ctx);
    troth_suites(b, one, 1);
}

static void tweak_groups(troth_builder *b, void *ctx)
{
    static const uint16_t one[] = { 0x001d };
    tweak_13(b, ctx);
    troth_groups(b, one, 1);
}

static void tweak_suites_and_groups(troth_builder *b, void *ctx)
{
    tweak_suites(b, ctx);
    tweak_groups(b, ctx);
}

/* handshake_failure does not say what did not fit; where our offer is unusual in one thing, it is that. */
static void test_refused_offers(void **state)
{
    (void)state;
    expect_alert_of(tweak_suites, ALERT_handshake_failure, TROTH_R_NO_SHARED_SUITE);
    expect_alert_of(tweak_groups, ALERT_handshake_failure, TROTH_R_NO_SHARED_GROUP);
    expect_alert_of(tweak_suites_and_groups, ALERT_handshake_failure, TROTH_R_ALERT_HANDSHAKE_FAILURE);
}

static void test_alerts(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct { uint8_t alert; enum troth_reason why; } rows[] = {
        { ALERT_unexpected_message, TROTH_R_ALERT_UNEXPECTED_MESSAGE }, { ALERT_bad_record_mac, TROTH_R_ALERT_BAD_RECORD_MAC },
        { ALERT_record_overflow, TROTH_R_ALERT_RECORD_OVERFLOW }, { ALERT_handshake_failure, TROTH_R_NO_SHARED_SUITE },
        { ALERT_bad_certificate, TROTH_R_ALERT_BAD_CERTIFICATE }, { ALERT_unsupported_certificate, TROTH_R_ALERT_UNSUPPORTED_CERTIFICATE },
        { ALERT_certificate_revoked, TROTH_R_ALERT_CERTIFICATE_REVOKED }, { ALERT_certificate_expired, TROTH_R_ALERT_CERTIFICATE_EXPIRED },
        { ALERT_certificate_unknown, TROTH_R_ALERT_CERTIFICATE_UNKNOWN }, { ALERT_illegal_parameter, TROTH_R_ALERT_ILLEGAL_PARAMETER },
        { ALERT_unknown_ca, TROTH_R_ALERT_UNKNOWN_CA }, { ALERT_access_denied, TROTH_R_ALERT_ACCESS_DENIED },
        { ALERT_decode_error, TROTH_R_ALERT_DECODE_ERROR }, { ALERT_decrypt_error, TROTH_R_ALERT_DECRYPT_ERROR },
        { ALERT_protocol_version, TROTH_R_NO_SHARED_VERSION }, { ALERT_insufficient_security, TROTH_R_ALERT_INSUFFICIENT_SECURITY },
        { ALERT_internal_error, TROTH_R_ALERT_INTERNAL_ERROR }, { ALERT_inappropriate_fallback, TROTH_R_ALERT_INAPPROPRIATE_FALLBACK },
        { ALERT_no_renegotiation, TROTH_R_ALERT_NO_RENEGOTIATION }, { ALERT_missing_extension, TROTH_R_ALERT_MISSING_EXTENSION },
        { ALERT_unsupported_extension, TROTH_R_ALERT_UNSUPPORTED_EXTENSION }, { ALERT_unrecognized_name, TROTH_R_UNRECOGNIZED_NAME },
        { ALERT_bad_certificate_status_response, TROTH_R_ALERT_BAD_CERTIFICATE_STATUS_RESPONSE },
        { ALERT_unknown_psk_identity, TROTH_R_ALERT_UNKNOWN_PSK_IDENTITY }, { ALERT_certificate_required, TROTH_R_CLIENT_CERT_REQUIRED },
        { ALERT_general_error, TROTH_R_ALERT_GENERAL_ERROR }, { ALERT_no_application_protocol, TROTH_R_NO_SHARED_ALPN },
        { ALERT_ech_required, TROTH_R_ALERT_ECH_REQUIRED }, { 99, TROTH_R_ALERT_UNKNOWN },
    };
    /* clang-format on */
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        expect_alert(rows[i].alert, rows[i].why);
}

static void tweak_auth(troth_builder *b, void *ctx)
{
    (void)ctx;
    tweak_13(b, NULL);
    troth_ask_client_auth(b, TROTH_AUTH_REQUIRED);
}

static void tweak_identity(troth_builder *b, void *ctx)
{
    tweak_13(b, NULL);
    tweak_client_identity(b, ctx);
}

/* The server's reason is replaced by one with the alert that is wanted, at the moment where it judges the client's certificate. */
static void test_alerts_about_our_certificate(void **state)
{
    (void)state;
    static const struct { enum troth_reason servers; enum troth_reason why; } rows[] = {
        { TROTH_R_CERT_EXPIRED, TROTH_R_CLIENT_CERT_EXPIRED },       { TROTH_R_CERT_REVOKED, TROTH_R_CLIENT_CERT_REVOKED },
        { TROTH_R_PEER_KEY_UNSUPPORTED, TROTH_R_CLIENT_CERT_BAD_EKU }, { TROTH_R_CERT_BAD_SIGNATURE, TROTH_R_CLIENT_CERT_REFUSED },
        { TROTH_R_CHAIN_UNTRUSTED_ROOT, TROTH_R_CLIENT_CERT_UNKNOWN_CA }, { TROTH_R_ACCESS_DENIED, TROTH_R_ALERT_ACCESS_DENIED },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct pair p;
        struct world *w = begin(&p, tweak_identity, tweak_auth, NULL);
        pair_step(&p, &p.client);
        pair_step(&p, &p.server);
        pair_step(&p, &p.client);
        assert_true(p.client.ready && !p.server.ready);
        (void)fail_as(p.server.c, rows[i].servers, "the test says so");
        pair_run(&p);
        const troth_error *why = troth_why(p.client.c);
        assert_true(why && why->reason == rows[i].why && why->from_peer);
        end(&p, w);
    }
}

/* ---- floods */
static void test_key_update_flood(void **state)
{
    (void)state;
    struct pair p;
    struct world *w = begin(&p, NULL, NULL, NULL);
    pair_run(&p);
    for (int i = 0; i < LIMIT_KEY_UPDATES; i++)
        assert_true(troth_update_keys(p.client.c, false));
    pair_run(&p);
    assert_false(p.server.failed);
    assert_true(pair_write(&p.client, "data in between"));
    for (int i = 0; i <= LIMIT_KEY_UPDATES; i++)
        assert_true(troth_update_keys(p.client.c, i % 2));
    pair_run(&p);
    assert_failed(&p.server, KEY_UPDATE_FLOOD);
    assert_failed(&p.client, ALERT_UNEXPECTED_MESSAGE);
    end(&p, w);
}

/* Answers to what we asked for are no flood, however many: nothing else may come from a peer that only listens. */
static void test_key_updates_asked_for(void **state)
{
    (void)state;
    struct pair p;
    struct world *w = begin(&p, NULL, NULL, NULL);
    pair_run(&p);
    for (int i = 0; i < 2 * LIMIT_KEY_UPDATES; i++) {
        assert_true(troth_update_keys(p.client.c, true) && pair_write(&p.client, "on and on"));
        pair_run(&p);
        assert_true(troth_update_keys(p.server.c, false)); /* as others answer at once */
        pair_run(&p);
    }
    pair_exchange_and_close(&p);
    end(&p, w);
}

/* The KeyUpdates of an end, as they were said: 0, 1. */
struct updates {
    char   said[16];
    size_t n;
};

static void on_update(void *self, const struct saw_message *m)
{
    struct updates *u = self;
    if (m->ours && !strcmp(m->type, "KeyUpdate") && u->n < sizeof u->said - 1)
        u->said[u->n++] = (char)('0' + m->raw.p[4]);
}

/* Whoever was asked says so in an answer of its own, also where it asks itself (RFC 9846 4.7.3); and what the other side said, be it an
 * answer or a question, makes it possible to ask again. */
static void test_key_updates_cross(void **state)
{
    (void)state;
    struct pair p;
    struct world *w = begin(&p, NULL, NULL, NULL);
    struct updates client = { .n = 0 }, server = { .n = 0 };
    struct witness of_client = { .self = &client, .message = on_update }, of_server = { .self = &server, .message = on_update };
    conn_watch(p.client.c, &of_client);
    conn_watch(p.server.c, &of_server);
    pair_run(&p);
    assert_true(troth_update_keys(p.client.c, true) && troth_update_keys(p.client.c, true)); /* once is enough until it is answered */
    pair_run(&p);
    assert_true(troth_update_keys(p.server.c, true));
    pair_run(&p);
    assert_string_equal(client.said, "10");
    assert_string_equal(server.said, "01");
    assert_true(troth_update_keys(p.client.c, true));
    assert_string_equal(client.said, "1001");
    pair_run(&p);
    pair_exchange_and_close(&p);
    end(&p, w);
}

static void test_automatic_key_update(void **state)
{
    (void)state;
    struct pair p;
    struct world *w = begin(&p, NULL, NULL, NULL);
    pair_run(&p);
    uint8_t before[32], after[32];
    memcpy(before, p.client.c->rec.write.key, 16);
    p.client.c->rec.write.limit = 4;
    for (int i = 0; i < 5; i++) {
        assert_true(pair_write(&p.client, "x"));
        pair_run(&p);
    }
    memcpy(after, p.client.c->rec.write.key, 16);
    assert_memory_not_equal(before, after, 16);
    assert_int_equal(p.server.n_got, 5);
    end(&p, w);
}

static void send_ticket(struct pair *p, int i)
{
    static const uint8_t body[] = { 0, 0, 0, 100, 0, 0, 0, 0, 1, 7, 0, 2, 'i', 'd', 0, 0 };
    uint8_t message[4 + sizeof body] = { HS_new_session_ticket, 0, 0, sizeof body };
    memcpy(message + 4, body, sizeof body);
    message[13] = (uint8_t)i;
    assert_true(flight_put(p->server.c, CONTENT_HANDSHAKE, &(span){ message, sizeof message }, 1));
}

/* In a row; a connection that lives long may be given many (RFC 9846 4.7.1). */
static void test_ticket_flood(void **state)
{
    (void)state;
    struct pair p;
    struct world *w = begin(&p, NULL, NULL, NULL);
    pair_run(&p);
    for (int i = 0; i < 3 * LIMIT_TICKETS_SEEN; i++) {
        send_ticket(&p, i);
        if (i % LIMIT_TICKETS_SEEN == 0)
            assert_true(pair_write(&p.server, "x"));
    }
    pair_run(&p);
    assert_true(p.client.ready && !p.client.failed);
    for (int i = 0; i <= LIMIT_TICKETS_SEEN; i++)
        send_ticket(&p, i);
    pair_run(&p);
    assert_failed(&p.client, TICKET_FLOOD);
    end(&p, w);
}

/* ---- other protocols on the port */
static void test_not_tls(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct { bool server_says; const char *first; size_t n; enum troth_reason why; } rows[] = {
        { true,  "HTTP/1.1 400 Bad Request\r\n", 0,         TROTH_R_NOT_TLS_HTTP },
        { false, "GET / HTTP/1.1\r\n", 0,                   TROTH_R_NOT_TLS_HTTP },
        { true,  "220 mail.example ESMTP Postfix\r\n", 0,   TROTH_R_NOT_TLS_SMTP },
        { true,  "220 ProFTPD Server\r\n", 0,               TROTH_R_NOT_TLS_FTP },
        { true,  "* OK IMAP4rev1 ready\r\n", 0,             TROTH_R_NOT_TLS_IMAP },
        { true,  "+OK POP3 ready\r\n", 0,                   TROTH_R_NOT_TLS_POP3 },
        { true,  "SSH-2.0-OpenSSH_9.2\r\n", 0,              TROTH_R_NOT_TLS_SSH },
        { false, "SSH-2.0-OpenSSH_9.2\r\n", 0,              TROTH_R_NOT_TLS_SSH },
        { true,  "-ERR unknown command\r\n", 0,             TROTH_R_NOT_TLS_REDIS },
        { true,  "\x4a\0\0\0\x0a" "8.0.30\0", 12,           TROTH_R_NOT_TLS_MYSQL },
        { true,  "E\0\0\0\x45SFATAL", 11,                   TROTH_R_NOT_TLS_POSTGRES },
        { false, "\0\0\0\x08\x04\xd2\x16\x2f", 8,           TROTH_R_NOT_TLS_POSTGRES },
        { false, "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n", 0, TROTH_R_NOT_TLS_PROXY },
        { false, "\r\n\r\n\0\r\nQUIT\n", 12,                TROTH_R_NOT_TLS_PROXY },
        { true,  "hello?", 0,                               TROTH_R_NOT_TLS },
    };
    /* clang-format on */
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct pair p;
        struct world *w = begin(&p, NULL, NULL, NULL);
        struct pair_end *e = rows[i].server_says ? &p.client : &p.server;
        if (rows[i].server_says)
            pair_step(&p, &p.client);
        pipe_put(pair_input(&p, e), (const uint8_t *)rows[i].first, rows[i].n ? rows[i].n : strlen(rows[i].first));
        pair_step(&p, e);
        const troth_error *why = troth_why(e->c);
        if (!why || why->reason != rows[i].why)
            test_fail("%s: %s", rows[i].first, why ? why->code : "nothing");
        end(&p, w);
    }
}

/* ---- pins, and signatures that nobody makes */
static void tweak_wrong_pin(troth_builder *b, void *ctx)
{
    static const uint8_t pin[32] = { 1, 2, 3 };
    (void)ctx;
    tweak_13(b, NULL);
    troth_trust_pin(b, pin);
}

static void tweak_external(troth_builder *b, void *ctx)
{
    struct world *w = ctx;
    tweak_13(b, NULL);
    troth_identity_external(b, w->client_chain_pem, NULL);
}

static bool no_signature(struct pair *p, struct pair_end *e, const troth_event *ev, void *ctx)
{
    (void)p, (void)ctx;
    if (ev->kind != TROTH_ASK_SIGN)
        return false;
    troth_answer_sign(e->c, (troth_span){ NULL, 0 });
    return true;
}

static void tweak_verdict(troth_builder *b, void *ctx)
{
    (void)ctx;
    tweak_13(b, NULL);
    troth_ask_verdict(b);
}

static bool no(struct pair *p, struct pair_end *e, const troth_event *ev, void *ctx)
{
    (void)p, (void)ctx;
    if (ev->kind != TROTH_ASK_VERDICT)
        return false;
    troth_answer_verdict(e->c, false, "not a customer");
    return true;
}

static void test_trust_and_answers(void **state)
{
    (void)state;
    struct pair p;
    struct world *w = begin(&p, tweak_wrong_pin, NULL, NULL);
    pair_run(&p);
    assert_failed(&p.client, PIN_MISMATCH);
    end(&p, w);
    w = begin(&p, tweak_external, tweak_auth, NULL);
    p.on_event = no_signature;
    pair_run(&p);
    assert_failed(&p.client, SIGNATURE_NOT_MADE);
    assert_failed(&p.server, ALERT_INTERNAL_ERROR);
    end(&p, w);
    w = begin(&p, tweak_verdict, NULL, NULL);
    p.on_event = no;
    pair_run(&p);
    assert_failed(&p.client, APP_REFUSED);
    assert_string_equal(troth_why(p.client.c)->detail, "not a customer");
    assert_false(troth_report_ok(troth_peer(p.client.c)));
    end(&p, w);
}

/* ---- NULL is memory that ran out, everywhere */
static void test_null(void **state)
{
    (void)state;
    assert_int_equal(troth_next(NULL).kind, TROTH_FAILED);
    assert_int_equal(troth_why(NULL)->reason, TROTH_R_OUT_OF_MEMORY);
    assert_null(troth_connect(NULL, "a.example"));
    troth_error why;
    assert_null(troth_build_client(troth_client_builder(NULL), &why));
    assert_int_equal(why.reason, TROTH_R_OUT_OF_MEMORY);
    troth_free(NULL);
    troth_close(NULL);
    troth_sent(NULL, 1);
    troth_received(NULL, 0);
    troth_rest(NULL);
}

/* ---- configurations that cannot be */
struct wrong {
    void (*tweak)(troth_builder *, struct world *);
    bool server;
    enum troth_reason why;
};

static void no_trust(troth_builder *b, struct world *w)
{
    (void)b, (void)w;
}

static void two_trusts(troth_builder *b, struct world *w)
{
    troth_trust_pem(b, w->root_pem);
    troth_danger_trust_anyone(b, "a test");
}

static void servers_call(troth_builder *b, struct world *w)
{
    (void)w;
    troth_ask_client_auth(b, TROTH_AUTH_REQUIRED);
}

static void other_key(troth_builder *b, struct world *w)
{
    troth_identity_pem(b, w->chain_pem, w->client_key_pem);
}

static void no_file(troth_builder *b, struct world *w)
{
    (void)w;
    troth_identity_files(b, "/nowhere/chain.pem", "/nowhere/key.pem");
}

static void empty_file(troth_builder *b, struct world *w)
{
    const char *path = mk_file(w->mk, "empty.pem", SPAN_NONE);
    troth_identity_files(b, path, path);
}

static void a_directory(troth_builder *b, struct world *w)
{
    (void)w;
    troth_identity_files(b, "/", "/");
}

static void scheme_before_identity(troth_builder *b, struct world *w)
{
    (void)w;
    troth_identity_must_match_issuer(b);
}

static void test_wrong_configurations(void **state)
{
    (void)state;
    static const struct wrong rows[] = {
        { no_trust, false, TROTH_R_NO_TRUST },       { two_trusts, false, TROTH_R_BAD_ARGUMENT },
        { servers_call, false, TROTH_R_WRONG_ROLE }, { no_trust, true, TROTH_R_NO_IDENTITY },
        { other_key, true, TROTH_R_KEY_MISMATCH },   { no_file, true, TROTH_R_FILE_MISSING },
        { empty_file, true, TROTH_R_FILE_EMPTY },    { a_directory, true, TROTH_R_FILE_UNREADABLE },
        { scheme_before_identity, true, TROTH_R_WRONG_TIME },
    };
    struct world *w = world_new(fake_provider(1));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        troth_provider *crypto = troth_provider_share(w->mk->crypto);
        troth_builder *b = rows[i].server ? troth_server_builder(crypto) : troth_client_builder(crypto);
        troth_error why;
        rows[i].tweak(b, w);
        if (rows[i].server)
            assert_null(troth_build_server(b, &why));
        else
            assert_null(troth_build_client(b, &why));
        if (why.reason != rows[i].why)
            test_fail("row %zu: %s (%s)", i, why.code, why.detail);
    }
    world_free(w);
}

static void expired_chain_backwards(struct world *w, span *chain)
{
    struct issue sub = mk_sub_ca(&w->root, "CN=Sub", mk_key(w->mk, TROTH_KEY_P256));
    struct issue leaf = mk_leaf(&sub, w->leaf_key, "a.example");
    leaf.not_after = MK_NOW + MK_DAY;
    span ders[] = { mk_cert(w->mk, &sub), mk_cert(w->mk, &leaf) };
    const char *pem = mk_pem(w->mk, "CERTIFICATE", ders, 2);
    *chain = span_of(pem, strlen(pem));
}

static void test_warnings(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(1));
    span chain;
    troth_error why;
    expired_chain_backwards(w, &chain);
    troth_builder *b = troth_server_builder(troth_provider_share(w->mk->crypto));
    troth_clock(b, test_clock, NULL);
    troth_identity_pem(b, chain, w->key_pem);
    troth_server *us = troth_build_server(b, &why);
    assert_non_null(us);
    assert_int_equal(troth_server_warning(us, 0)->reason, TROTH_R_CHAIN_ORDER);
    assert_int_equal(troth_server_warning(us, 1)->reason, TROTH_R_EXPIRES_SOON);
    assert_null(troth_server_warning(us, 2));
    struct pair p;
    pair_new(&p, world_client(w, tweak_13, NULL), us, NULL);
    pair_run(&p);
    assert_ready(&p); /* put in order, it is accepted */
    pair_free(&p);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_half_close),
        cmocka_unit_test(test_truncation),
        cmocka_unit_test(test_end_of_input_in_the_handshake),
        cmocka_unit_test(test_closed_in_the_handshake), cmocka_unit_test(test_close_in_the_handshake),
        cmocka_unit_test(test_close_before_the_handshake),
        cmocka_unit_test(test_broken_transport),
        cmocka_unit_test(test_broken_after_a_failure),
        cmocka_unit_test(test_alerts),
        cmocka_unit_test(test_refused_offers),
        cmocka_unit_test(test_alerts_about_our_certificate),
        cmocka_unit_test(test_key_update_flood),
        cmocka_unit_test(test_automatic_key_update),
        cmocka_unit_test(test_key_updates_asked_for), cmocka_unit_test(test_key_updates_cross),
        cmocka_unit_test(test_ticket_flood),
        cmocka_unit_test(test_not_tls),
        cmocka_unit_test(test_trust_and_answers),
        cmocka_unit_test(test_null),
        cmocka_unit_test(test_wrong_configurations),
        cmocka_unit_test(test_warnings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
