/* One message rewritten before it is hashed and sealed, expect one reason: what cannot be done by changing one field of fixed length
 * (test_tamper.c does that).  The edit is made where the sender's witness is told of the message, and must leave it readable: the sender
 * reads it back. */
#include "base/alerts.h"
#include "base/witness.h"
#include "fake/fake.h"
#include "support/pair.h"
#include "support/test.h"
#include "tls/config.h"
#include "tls/conn.h"
#include "tls/flight.h"
#include "wire/registry.h"

enum end { CLIENT, SERVER }; /* who fails: the receiver of the message */
enum {
    ONLY_13 = 1, ONLY_12 = 2, OLD_SERVER = 4, RETRY = 8, AUTH = 16, ALPN = 32, COOKIE = 64, EARLY = 128, RESUME = 256, LONG_ALPN = 512,
    NEW_KEYS = 1024, OLD_CLIENT = 2048, CACHE = 4096
};

/* A message in hand: raw bytes, and who receives it. */
struct cut {
    uint8_t     *p;
    size_t       n;
    struct pair *pair;
    uint32_t     arg;
};

struct edit {
    const char       *message;
    unsigned          nth, setting;
    enum end          fails;
    enum troth_reason why;
    bool            (*make)(struct cut *); /* false: there is nothing to change */
    uint32_t          arg;
};

/* ---- finding one's way in a hello */
static unsigned u16_at(const uint8_t *p)
{
    return (unsigned)(p[0] << 8 | p[1]);
}

static void put16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

enum { AT_RANDOM = 6, AT_SESSION_ID = 38 };

static uint8_t *suite_in(const struct cut *c)
{
    uint8_t *p = c->p + AT_SESSION_ID + 1 + c->p[AT_SESSION_ID];
    return c->p[0] == HS_client_hello ? p + 2 : p;
}

static uint8_t *exts_in(const struct cut *c)
{
    if (c->p[0] == HS_encrypted_extensions)
        return c->p + 6;
    uint8_t *p = suite_in(c);
    if (c->p[0] == HS_server_hello)
        return p + 5;
    p += u16_at(p - 2);
    return p + 1 + p[0] + 2;
}

/* The extension, from its type on; NULL: not there. */
static uint8_t *ext_in(const struct cut *c, unsigned type)
{
    for (uint8_t *p = exts_in(c); p + 4 <= c->p + c->n; p += 4 + u16_at(p + 2))
        if (u16_at(p) == type)
            return p;
    return NULL;
}

/* ---- edits */
static bool drop(struct cut *c) /* the extension arg becomes one that nobody knows */
{
    uint8_t *p = ext_in(c, c->arg);
    if (p)
        put16(p, 0xabab);
    return p != NULL;
}

static bool retype(struct cut *c) /* arg: from, to */
{
    uint8_t *p = ext_in(c, c->arg >> 16);
    if (p)
        put16(p, c->arg & 0xffff);
    return p != NULL;
}

static bool first_suite(struct cut *c)
{
    put16(suite_in(c), c->arg);
    return true;
}

static bool other_random(struct cut *c)
{
    c->p[AT_RANDOM] ^= 1;
    return true;
}

static bool downgrade_mark(struct cut *c)
{
    memcpy(c->p + AT_RANDOM + 24, "DOWNGRD\1", 8);
    return true;
}

/* arg: type, offset in its body, value of that byte */
#define BODY(type, at, value) ((uint32_t)(type) << 16 | (uint32_t)(at) << 8 | (uint32_t)(value))
static bool body_byte(struct cut *c)
{
    uint8_t *p = ext_in(c, c->arg >> 16);
    if (!p || (c->arg >> 8 & 255) >= u16_at(p + 2))
        return false;
    p[4 + (c->arg >> 8 & 255)] = (uint8_t)c->arg;
    return true;
}

/* ec_point_formats has the shape of a renegotiation_info with something in it. */
static bool renegotiating(struct cut *c)
{
    uint8_t *old = ext_in(c, EXT_renegotiation_info), *formats = ext_in(c, EXT_ec_point_formats);
    if (old)
        put16(old, 0xabab);
    if (formats)
        put16(formats, EXT_renegotiation_info);
    return formats != NULL;
}

/* An ALPN list of 258 bytes becomes a server name of 255: longer than any host's. */
static bool long_name(struct cut *c)
{
    uint8_t *old = ext_in(c, EXT_server_name), *p = ext_in(c, EXT_application_layer_protocol_negotiation);
    if (!p || u16_at(p + 4) != 258)
        return false;
    if (old)
        put16(old, 0xabab);
    put16(p, EXT_server_name);
    p[6] = 0;
    put16(p + 7, 255);
    memset(p + 9, 'a', 255);
    return true;
}

static bool first_ext_is(struct cut *c)
{
    uint8_t *p = exts_in(c);
    if (u16_at(p + 2) != 0)
        return false;
    put16(p, c->arg);
    return true;
}

/* certificate_request_context of one byte, and extensions that fill the rest: signature_algorithms, and one that nobody knows. */
static bool request_context(struct cut *c)
{
    if (c->n < 4 + 4 + 8 + 4)
        return false;
    uint8_t *p = c->p + 4, *end = c->p + c->n;
    *p++ = 1;
    *p++ = 0x55;
    put16(p, (unsigned)(end - p - 2));
    memcpy(p + 2, "\x00\x0d\x00\x04\x00\x02\x04\x03", 8);
    p += 10;
    put16(p, 0xabab);
    put16(p + 2, (unsigned)(end - p - 4));
    return true;
}

/* certificate_request_context of one byte, and one certificate that fills the rest. */
static bool certificate_context(struct cut *c)
{
    uint8_t *p = c->p + 4;
    unsigned rest = (unsigned)(c->n - 4 - 5), one = rest - 5;
    memcpy(p, (const uint8_t[]){ 1, 0x55, 0, (uint8_t)(rest >> 8), (uint8_t)rest, 0, (uint8_t)(one >> 8), (uint8_t)one }, 8);
    put16(c->p + c->n - 2, 0);
    return true;
}

/* The server answers with the client's own session id, as if it resumed. */
static bool echo_session_id(struct cut *c)
{
    const struct offer *o = &c->pair->client.c->hs->offer;
    if (c->p[AT_SESSION_ID] != o->session_id_n || !o->session_id_n)
        return false;
    memcpy(c->p + AT_SESSION_ID + 1, o->session_id, o->session_id_n);
    return true;
}

/* clang-format off */
static const struct edit edits[] = {
    { "ClientHello", 1, ONLY_13, SERVER, TROTH_R_NO_KEY_SHARE,             drop, EXT_key_share },
    { "ClientHello", 1, ONLY_13, SERVER, TROTH_R_NO_KEY_SHARE,             drop, EXT_supported_groups },
    { "ClientHello", 1, ONLY_13, SERVER, TROTH_R_NO_SIGNATURE_ALGORITHMS,  drop, EXT_signature_algorithms },
    { "ClientHello", 1, ONLY_13, SERVER, TROTH_R_SHARE_NOT_SUPPORTED,      body_byte, BODY(EXT_key_share, 3, 0x77) },
    { "ClientHello", 1, LONG_ALPN, SERVER, TROTH_R_BAD_SERVER_NAME,        long_name, 0 },
    { "ClientHello", 1, OLD_CLIENT, SERVER, TROTH_R_INAPPROPRIATE_FALLBACK, first_suite, SUITE_TLS_FALLBACK_SCSV },
    { "ServerHello", 1, OLD_SERVER, CLIENT, TROTH_R_DOWNGRADE,             downgrade_mark, 0 },

    { "ClientHello", 2, RETRY, SERVER, TROTH_R_HELLO_CHANGED,              other_random, 0 },
    { "ClientHello", 2, RETRY, SERVER, TROTH_R_HELLO_CHANGED,              drop, EXT_supported_versions },
    { "ClientHello", 2, RETRY, SERVER, TROTH_R_WRONG_SHARE_AGAIN,          body_byte, BODY(EXT_key_share, 3, GROUP_x25519) },
    { "ClientHello", 2, RETRY, SERVER, TROTH_R_EARLY_DATA_AGAIN,           retype, EXT_extended_master_secret << 16 | EXT_early_data },
    { "ClientHello", 2, RETRY | COOKIE, SERVER, TROTH_R_BAD_COOKIE,        body_byte, BODY(EXT_cookie, 2, 0) },

    { "EncryptedExtensions", 1, ONLY_13 | ALPN, CLIENT, TROTH_R_ALPN_NOT_OFFERED, body_byte, BODY(EXT_application_layer_protocol_negotiation, 4, '9') },
    { "ServerHello", 1, ONLY_12 | ALPN, CLIENT, TROTH_R_ALPN_NOT_OFFERED, body_byte, BODY(EXT_application_layer_protocol_negotiation, 4, '9') },
    { "CertificateRequest", 1, ONLY_13 | AUTH, CLIENT, TROTH_R_REQUEST_CONTEXT, request_context, 0 },
    { "Certificate", 1, ONLY_13, CLIENT, TROTH_R_CERTIFICATE_CONTEXT,      certificate_context, 0 },
    { "Certificate", 1, ONLY_13 | AUTH, SERVER, TROTH_R_CERTIFICATE_CONTEXT, certificate_context, 0 },

    { "ClientHello", 1, ONLY_12, SERVER, TROTH_R_NO_EXTENDED_MASTER_SECRET, drop, EXT_extended_master_secret },
    { "ClientHello", 1, ONLY_12, SERVER, TROTH_R_BAD_RENEGOTIATION_INFO,   renegotiating, 0 },
    { "ClientHello", 1, ONLY_12, SERVER, TROTH_R_NO_UNCOMPRESSED_POINTS,   body_byte, BODY(EXT_ec_point_formats, 1, 1) },
    { "ServerHello", 1, ONLY_12, CLIENT, TROTH_R_NO_UNCOMPRESSED_POINTS,   body_byte, BODY(EXT_ec_point_formats, 1, 1) },
    { "ServerHello", 1, ONLY_12, CLIENT, TROTH_R_SUITE_WRONG_KEY,          first_suite, SUITE_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 },
    { "ServerHello", 1, OLD_SERVER | CACHE, CLIENT, TROTH_R_SESSION_ID_INVENTED, echo_session_id, 0 },
    { "ServerHello", 1, ONLY_12 | RESUME, CLIENT, TROTH_R_RESUMED_OTHER_SUITE, first_suite, SUITE_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256 },

    { "ClientHello", 1, ONLY_13 | RESUME, SERVER, TROTH_R_NO_PSK_MODES,    drop, EXT_psk_key_exchange_modes },
    { "ClientHello", 1, ONLY_13 | RESUME, SERVER, TROTH_R_BAD_BINDER,      other_random, 0 },
    { "ServerHello", 1, ONLY_13 | RESUME, CLIENT, TROTH_R_PSK_NOT_OFFERED, body_byte, BODY(EXT_pre_shared_key, 1, 7) },
    { "ServerHello", 1, ONLY_13 | RESUME, CLIENT, TROTH_R_PSK_WRONG_HASH,  first_suite, SUITE_TLS_AES_256_GCM_SHA384 },
    { "EncryptedExtensions", 1, ONLY_13 | RESUME | EARLY | ALPN, CLIENT, TROTH_R_EARLY_DATA_CHANGED, body_byte, BODY(EXT_application_layer_protocol_negotiation, 4, '1') },
    { "EncryptedExtensions", 1, ONLY_13 | RESUME | EARLY | NEW_KEYS, CLIENT, TROTH_R_EARLY_DATA_WITHOUT_PSK, first_ext_is, EXT_early_data },
};
/* clang-format on */

/* ---- the witness that edits */
struct editor {
    const struct edit *e;
    struct pair       *pair;
    unsigned           seen, made;
};

static void on_message(void *self, const struct saw_message *m)
{
    struct editor *ed = self;
    if (!m->ours || strcmp(m->type, ed->e->message) || ++ed->seen != ed->e->nth)
        return;
    struct cut c = { (uint8_t *)(uintptr_t)m->raw.p, m->raw.n, ed->pair, ed->e->arg };
    ed->made += ed->e->make(&c);
}

/* ---- one case */
struct side {
    unsigned      setting;
    bool          is_server;
    struct world *w;
};

static void tweak_versions(troth_builder *b, const struct side *s)
{
    troth_compressors(b, NULL, 0); /* a Certificate whose fields can be reached */
    bool only_12 = s->setting & ONLY_12 || (s->is_server && s->setting & OLD_SERVER) || (!s->is_server && s->setting & OLD_CLIENT);
    if (only_12)
        troth_versions(b, TROTH_TLS12, TROTH_TLS12);
    else if (s->setting & ONLY_13)
        troth_versions(b, TROTH_TLS13, TROTH_TLS13);
}

static void tweak_alpn(troth_builder *b, const struct side *s)
{
    static char long_one[256], second[2];
    static const char *const two[] = { "h2", "h1" }, *const longs[] = { long_one, second };
    memset(long_one, 'x', 255);
    memset(second, 'y', 1);
    if (s->setting & LONG_ALPN)
        troth_alpn(b, longs, 2);
    else if (s->setting & ALPN)
        troth_alpn(b, two, 2);
}

/* A cache that gives sessions their ids and keeps none. */
static void forget(void *ctx, troth_span id, troth_span session)
{
    (void)ctx;
    (void)id;
    (void)session;
}

static size_t find_none(void *ctx, troth_span id, uint8_t *out, size_t cap)
{
    (void)ctx;
    (void)id;
    (void)out;
    (void)cap;
    return 0;
}

static const troth_session_cache forgetful = { NULL, forget, find_none };

static void tweak(troth_builder *b, void *ctx)
{
    static const uint16_t both[] = { GROUP_x25519, GROUP_secp256r1 }, one[] = { GROUP_secp256r1 };
    const struct side *s = ctx;
    tweak_versions(b, s);
    tweak_alpn(b, s);
    if (s->setting & RETRY)
        troth_groups(b, s->is_server ? one : both, s->is_server ? 1 : 2);
    if (s->setting & EARLY)
        troth_early_data(b, 1000);
    if (s->setting & CACHE && s->is_server) {
        troth_tickets(b, 0, 3600);
        troth_cache(b, &forgetful);
    }
    if (s->setting & COOKIE && s->is_server)
        troth_retry_cookie(b);
    if (s->setting & AUTH && s->is_server)
        troth_ask_client_auth(b, TROTH_AUTH_REQUIRED);
    if (s->setting & AUTH && !s->is_server)
        tweak_client_identity(b, s->w);
}

static void first_connection(troth_client *client, troth_server *server, struct kept_ticket *t)
{
    struct pair p;
    (void)config_share((const struct config *)client);
    (void)config_share((const struct config *)server);
    pair_new(&p, client, server, NULL);
    p.on_event = pair_keep_ticket;
    p.ctx = t;
    pair_run(&p);
    assert_ready(&p);
    assert_true(t->n > 0);
    pair_free(&p);
}

static bool run_edit(struct world *w, const struct edit *e)
{
    struct pair p;
    struct kept_ticket ticket = { .n = 0 };
    struct side ours = { e->setting, false, w }, theirs = { e->setting, true, w };
    troth_client *client = world_client(w, tweak, &ours);
    troth_server *server = world_server(w, tweak, &theirs);
    if (e->setting & RESUME)
        first_connection(client, server, &ticket);
    if (e->setting & NEW_KEYS) { /* as after a restart: it does not know its tickets any more */
        troth_server_free(server);
        server = world_server(w, tweak, &theirs);
    }
    pair_new(&p, client, server, NULL);
    p.on_event = pair_keep_ticket;
    p.ctx = &(struct kept_ticket){ .n = 0 };
    if (ticket.n)
        troth_resume(p.client.c, span_of(ticket.p, ticket.n));
    struct editor ed = { .e = e, .pair = &p };
    struct witness witness = { .self = &ed, .message = on_message };
    conn_watch((e->fails == CLIENT ? &p.server : &p.client)->c, &witness);
    pair_run(&p);
    const troth_error *why = troth_why((e->fails == CLIENT ? &p.client : &p.server)->c);
    const troth_error *other = troth_why((e->fails == CLIENT ? &p.server : &p.client)->c);
    bool ok = ed.made && why && why->reason == e->why;
    if (!ok)
        print_error("%s of %s, edited %u times: got %s (%s); the other end: %s (%s)\n", troth_reason_code(e->why), e->message, ed.made,
                  why ? why->code : "nothing", why ? why->detail : "", other ? other->code : "nothing", other ? other->detail : "");
    pair_free(&p);
    return ok;
}

static void test_edits(void **state)
{
    unsigned bad = 0;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(edits); i++) {
        struct world *w = world_new(fake_provider(i + 1));
        bad += !run_edit(w, &edits[i]);
        world_free(w);
    }
    assert_int_equal(bad, 0);
}

/* ---- messages made by hand */

/* HelloRetryRequest with supported_versions and nothing that a second hello could differ in. */
static void test_retry_changes_nothing(void **state)
{
    (void)state;
    static const uint8_t random[32] = { 0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
                                        0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c };
    struct world *w = world_new(fake_provider(1));
    struct side ours = { ONLY_13, false, w }, theirs = { ONLY_13, true, w };
    struct pair p;
    pair_new(&p, world_client(w, tweak, &ours), world_server(w, tweak, &theirs), NULL);
    while (pair_step(&p, &p.client))
        ;
    const struct offer *o = &p.client.c->hs->offer;
    uint8_t room[256];
    struct wr r = wr_into(room, sizeof room);
    wr_u8(&r, CONTENT_handshake);
    wr_u16(&r, 0x0303);
    size_t record = wr_open(&r, 2);
    wr_u8(&r, HS_server_hello);
    size_t message = wr_open(&r, 3);
    wr_u16(&r, 0x0303);
    wr_span(&r, SPAN_OF(random));
    wr_opaque(&r, 1, span_of(o->session_id, o->session_id_n));
    wr_u16(&r, SUITE_TLS_AES_128_GCM_SHA256);
    wr_u8(&r, 0);
    wr_opaque(&r, 2, SPAN_TEXT("\x00\x2b\x00\x02\x03\x04"));
    wr_close(&r, message, 3);
    wr_close(&r, record, 2);
    span bytes = wr_done(&r);
    assert_true(bytes.n > 0);
    pipe_put(&p.to_client, bytes.p, bytes.n);
    while (pair_step(&p, &p.client))
        ;
    assert_failed(&p.client, RETRY_CHANGES_NOTHING);
    pair_free(&p);
    world_free(w);
}

/* TLS 1.2 shows its Certificate in the clear: one with nothing in it takes its place. */
static void test_server_without_certificate(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(1));
    struct side ours = { ONLY_12, false, w }, theirs = { ONLY_12, true, w };
    struct pair p;
    pair_new(&p, world_client(w, tweak, &ours), world_server(w, tweak, &theirs), NULL);
    while (pair_step(&p, &p.client))
        ;
    while (pair_step(&p, &p.server))
        ;
    const uint8_t *hello = p.to_client.p;
    assert_true(p.to_client.n > 9 && hello[0] == CONTENT_handshake && hello[5] == HS_server_hello);
    size_t n = 4 + u16_at(hello + 7);
    assert_true(5 + n <= p.to_client.n);
    static const uint8_t empty[] = { HS_certificate, 0, 0, 3, 0, 0, 0 };
    uint8_t record[512] = { CONTENT_handshake, 3, 3 };
    assert_true(5 + n + sizeof empty <= sizeof record);
    memcpy(record + 5, hello + 5, n);
    memcpy(record + 5 + n, empty, sizeof empty);
    n += sizeof empty;
    put16(record + 3, (unsigned)n);
    p.to_client.n = p.to_client.taken;
    pipe_put(&p.to_client, record, 5 + n);
    while (pair_step(&p, &p.client))
        ;
    assert_failed(&p.client, SERVER_NO_CERTIFICATE);
    pair_free(&p);
    world_free(w);
}

/* A TLS 1.2 connection that is up is not negotiated again, whoever asks for it (RFC 9325 3.5). */
static void test_renegotiation(void **state)
{
    (void)state;
    static const uint8_t hello_request[] = { HS_hello_request, 0, 0, 0 };
    uint8_t client_hello[4 + 43] = { HS_client_hello, 0, 0, 43, 3, 3 };
    memcpy(client_hello + 39, (const uint8_t[]){ 0, 2, 0xc0, 0x2b, 1, 0, 0, 0 }, 8);
    client_hello[3] = 2 + 32 + 1 + 2 + 2 + 2 + 2;
    for (int by_server = 0; by_server < 2; by_server++) {
        struct world *w = world_new(fake_provider(1));
        struct side ours = { ONLY_12, false, w }, theirs = { ONLY_12, true, w };
        struct pair p;
        pair_new(&p, world_client(w, tweak, &ours), world_server(w, tweak, &theirs), NULL);
        pair_run(&p);
        assert_ready(&p);
        struct pair_end *from = by_server ? &p.server : &p.client, *to = by_server ? &p.client : &p.server;
        span m = by_server ? SPAN_OF(hello_request) : SPAN_OF(client_hello);
        assert_true(flight_put(from->c, CONTENT_handshake, &m, 1));
        pair_run(&p);
        assert_failed(to, NO_RENEGOTIATION);
        pair_free(&p);
        world_free(w);
    }
}

/* ---- alerts whose meaning depends on nothing: those a server gets */
static void test_alerts_to_a_server(void **state)
{
    (void)state;
    static const struct { uint8_t alert; enum troth_reason why; } rows[] = {
        { ALERT_protocol_version, TROTH_R_ALERT_PROTOCOL_VERSION },
        { ALERT_insufficient_security, TROTH_R_ALERT_INSUFFICIENT_SECURITY },
        { ALERT_handshake_failure, TROTH_R_ALERT_HANDSHAKE_FAILURE },
        { ALERT_unrecognized_name, TROTH_R_ALERT_UNRECOGNIZED_NAME },
        { ALERT_certificate_required, TROTH_R_ALERT_CERTIFICATE_REQUIRED },
        { ALERT_no_application_protocol, TROTH_R_ALERT_NO_APPLICATION_PROTOCOL },
        { ALERT_user_canceled, TROTH_R_ALERT_USER_CANCELED },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct world *w = world_new(fake_provider(i + 1));
        struct side ours = { ONLY_12, false, w }, theirs = { ONLY_12, true, w };
        struct pair p;
        uint8_t record[] = { CONTENT_alert, 3, 3, 0, 2, 2, rows[i].alert };
        pair_new(&p, world_client(w, tweak, &ours), world_server(w, tweak, &theirs), NULL);
        pair_step(&p, &p.client);
        pair_step(&p, &p.server);
        pipe_put(&p.to_server, record, sizeof record);
        while (pair_step(&p, &p.server))
            ;
        const troth_error *why = troth_why(p.server.c);
        if (!why || !why->from_peer || why->reason != rows[i].why)
            test_fail("alert %u: %s, expected %s", rows[i].alert, why ? why->code : "nothing", troth_reason_code(rows[i].why));
        pair_free(&p);
        world_free(w);
    }
}

/* ---- an identity that does not suit the client */
static void tweak_picky(troth_builder *b, void *ctx)
{
    (void)ctx;
    troth_identity_must_match_issuer(b);
}

static void test_no_named_issuer(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(1));
    struct side ours = { ONLY_13, false, w };
    struct pair p; /* the client names no authorities */
    pair_new(&p, world_client(w, tweak, &ours), world_server(w, tweak_picky, NULL), NULL);
    pair_run(&p);
    assert_failed(&p.server, NO_NAMED_ISSUER);
    pair_free(&p);
    world_free(w);
}

/* ---- more early data than the ticket promised; and a server that takes less than that by now: it takes none of it */
static bool write_much(struct pair *p, struct pair_end *e, const troth_event *ev, void *ctx)
{
    if (ev->kind == TROTH_EARLY && e == &p->client) {
        e->c->early_left = 1000; /* whatever it was promised */
        assert_true(pair_write(e, "0123456789012345678901234567890123456789"));
    }
    return pair_keep_ticket(p, e, ev, ctx);
}

static void tweak_early(troth_builder *b, void *most)
{
    static const troth_ticket_key keys[1] = { { "a name of a key", "thirty-two bytes of key, or so.." } };
    const uint32_t *n = most;
    troth_versions(b, TROTH_TLS13, TROTH_TLS13);
    troth_ticket_keys(b, keys, 1);
    troth_early_data(b, *n);
}

static void test_too_much_early_data(void **state)
{
    (void)state;
    static const struct { uint32_t promised, taken; enum troth_reason fails; size_t got; } rows[] = {
        { 40, 40, TROTH_R_NONE, 40 }, { 40, 1000, TROTH_R_NONE, 40 }, { 40, 39, TROTH_R_NONE, 0 },
        { 39, 40, TROTH_R_TOO_MUCH_EARLY_DATA, 0 }, { 39, 39, TROTH_R_TOO_MUCH_EARLY_DATA, 0 },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct world *w = world_new(fake_provider(1));
        struct kept_ticket ticket = { .n = 0 };
        struct side ours = { ONLY_13 | EARLY, false, w };
        uint32_t promised = rows[i].promised, taken = rows[i].taken;
        troth_client *client = world_client(w, tweak, &ours);
        troth_server *before = world_server(w, tweak_early, &promised);
        first_connection(client, before, &ticket);
        troth_server_free(before);
        struct pair p;
        pair_new(&p, client, world_server(w, tweak_early, &taken), NULL);
        p.on_event = write_much;
        p.ctx = &(struct kept_ticket){ .n = 0 };
        troth_resume(p.client.c, span_of(ticket.p, ticket.n));
        pair_run(&p);
        if (rows[i].fails)
            assert_failed_at(&p.server, rows[i].fails, __FILE__, __LINE__);
        else
            assert_ready(&p);
        assert_int_equal(p.server.n_got, rows[i].got);
        pair_free(&p);
        world_free(w);
    }
}

/* ---- a provider without randomness */
static void test_no_random_numbers(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(1));
    struct side ours = { ONLY_13, false, w }, theirs = { ONLY_13, true, w };
    struct pair p;
    pair_new(&p, world_client(w, tweak, &ours), world_server(w, tweak, &theirs), NULL);
    fake_fail_in(w->mk->crypto, 1); /* the first thing that a client does */
    pair_run(&p);
    assert_failed(&p.client, RANDOM_FAILED);
    pair_free(&p);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_edits),          cmocka_unit_test(test_retry_changes_nothing), cmocka_unit_test(test_server_without_certificate),
        cmocka_unit_test(test_renegotiation),  cmocka_unit_test(test_alerts_to_a_server),    cmocka_unit_test(test_no_random_numbers),
        cmocka_unit_test(test_no_named_issuer), cmocka_unit_test(test_too_much_early_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
