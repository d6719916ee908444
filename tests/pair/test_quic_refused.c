/* What QUIC forbids (RFC 9001), each with its reason and the number that CONNECTION_CLOSE gets: fields changed between the two ends, bytes at
 * the wrong level, messages that QUIC does not have, and calls that make no sense there. */
#include "fake/fake.h"
#include "support/quic.h"
#include "support/test.h"
#include "wire/msg.h"

enum { PROTOCOL_VIOLATION = 0xa, CRYPTO_BUFFER_EXCEEDED = 0xd, CRYPTO_ERROR = 0x100 };
enum { UNEXPECTED_MESSAGE = 10, INTERNAL = 80, MISSING_EXTENSION = 109, NO_APPLICATION_PROTOCOL = 120, PROTOCOL_VERSION = 70,
       ILLEGAL_PARAMETER = 47 };

static void tweak(troth_builder *b, void *ctx)
{
    static const uint16_t group = GROUP_x25519, other = GROUP_secp256r1;
    const uint16_t both[] = { group, other };
    const char *what = ctx ? ctx : "";
    if (strcmp(what, "plain"))
        quic_tweak(b);
    if (!strcmp(what, "retry"))
        troth_groups(b, &other, 1);
    else
        troth_groups(b, both, 2);
    if (!strcmp(what, "ask"))
        troth_ask_server(b);
    if (!strcmp(what, "early"))
        troth_early_data(b, 77);
}

/* ---- one message changed on its way.  The field is gone or wrong before anything that proves the transcript. */
struct edit {
    const char *name;
    bool        of_client;
    uint8_t     type;  /* handshake message */
    void      (*change)(struct exts *e, struct client_hello *ch);
    enum troth_reason why;
    uint64_t    number;
    const char *server; /* tweak */
};

static void drop(struct exts *e, enum ext_row row)
{
    uint8_t kept = 0;
    for (uint8_t i = 0; i < e->n_seen; i++)
        if (e->seen[i].row != row)
            e->seen[kept++] = e->seen[i];
    e->n_seen = kept;
    ext_set_remove(&e->have, row);
}

static void no_parameters(struct exts *e, struct client_hello *ch)
{
    (void)ch;
    drop(e, X_QUIC_TRANSPORT_PARAMETERS);
}

static void no_alpn(struct exts *e, struct client_hello *ch)
{
    (void)ch;
    drop(e, X_ALPN);
}

static void older(struct exts *e, struct client_hello *ch)
{
    (void)ch;
    drop(e, X_SUPPORTED_VERSIONS);
}

static void session_id(struct exts *e, struct client_hello *ch)
{
    (void)e;
    ch->legacy_session_id = TROTH_TEXT("compatible");
}

static void other_parameters(struct exts *e, struct client_hello *ch)
{
    if (ch && e->n_shares == 1) /* the second hello alone has one share */
        e->quic_transport_parameters = TROTH_TEXT("changed my mind");
}

static void small_ticket(struct exts *e, struct client_hello *ch)
{
    (void)ch;
    e->max_early_data_size = 16384;
}

static const struct edit edits[] = {
    { "hello without parameters", true, HS_client_hello, no_parameters, TROTH_R_QUIC_NO_PARAMETERS, CRYPTO_ERROR + MISSING_EXTENSION, NULL },
    { "hello without ALPN", true, HS_client_hello, no_alpn, TROTH_R_QUIC_NO_ALPN, CRYPTO_ERROR + NO_APPLICATION_PROTOCOL, NULL },
    { "hello with a session id", true, HS_client_hello, session_id, TROTH_R_QUIC_SESSION_ID, PROTOCOL_VIOLATION, NULL },
    { "hello of TLS 1.2", true, HS_client_hello, older, TROTH_R_NO_SHARED_VERSION, CRYPTO_ERROR + PROTOCOL_VERSION, NULL },
    { "second hello, other parameters", true, HS_client_hello, other_parameters, TROTH_R_HELLO_CHANGED,
      CRYPTO_ERROR + ILLEGAL_PARAMETER, "retry" },
    { "answer without parameters", false, HS_encrypted_extensions, no_parameters, TROTH_R_QUIC_NO_PARAMETERS,
      CRYPTO_ERROR + MISSING_EXTENSION, NULL },
    { "answer without ALPN", false, HS_encrypted_extensions, no_alpn, TROTH_R_QUIC_NO_ALPN, CRYPTO_ERROR + NO_APPLICATION_PROTOCOL,
      NULL },
    { "ticket that limits early data", false, HS_new_session_ticket, small_ticket, TROTH_R_QUIC_EARLY_DATA_SIZE, PROTOCOL_VIOLATION,
      "early" },
};

/* Reads the message, changes it, writes it again. */
static size_t rewrite(const struct edit *ed, span raw, uint8_t *out, size_t cap)
{
    static const struct ext_set all = { { UINT64_MAX, UINT64_MAX } };
    struct client_hello ch = { 0 };
    struct encrypted_extensions ee = { 0 };
    struct new_session_ticket nst = { 0 };
    struct rd_ctx ctx;
    rd_ctx_init(&ctx, raw, NULL);
    struct rd r = rd_init(&ctx, raw);
    uint8_t type;
    r = message_open(&r, &type);
    struct wr w = wr_into(out, cap);
    size_t mark = message_begin(&w, type);
    if (type == HS_client_hello) {
        assert_true(client_hello_read_all(&ch, &r));
        ed->change(&ch.exts, &ch);
        client_hello_write(&w, &ch);
    } else if (type == HS_encrypted_extensions) {
        assert_true(encrypted_extensions_read(&ee, &r, &all));
        ed->change(&ee.exts, NULL);
        encrypted_extensions_write(&w, &ee);
    } else {
        assert_true(new_session_ticket_read(&nst, &r));
        ed->change(&nst.exts, NULL);
        new_session_ticket_write(&w, &nst);
    }
    message_end(&w, mark);
    assert_true(wr_ok(&w));
    return w.n;
}

static void edit_one(struct quic_pair *p, struct quic_end *e, uint8_t level, span said)
{
    const struct edit *ed = p->ctx;
    uint8_t changed[8192];
    while (said.n) { /* message for message */
        size_t n = 4 + ((size_t)said.p[1] << 16 | (size_t)said.p[2] << 8 | said.p[3]);
        span m = span_slice(said, 0, n);
        if ((e == &p->client) == ed->of_client && m.p[0] == ed->type)
            m = span_of(changed, rewrite(ed, m, changed, sizeof changed));
        pipe_put(&e->out[level], m.p, m.n);
        said = span_slice(said, n, said.n - n);
    }
}

static void test_edits(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(1));
    for (size_t i = 0; i < COUNT_OF(edits); i++) {
        const struct edit *ed = &edits[i];
        struct quic_pair p;
        quic_pair_new(&p, world_client(w, tweak, NULL), world_server(w, tweak, (void *)(uintptr_t)ed->server), "limits");
        p.edit = edit_one;
        p.ctx = (void *)(uintptr_t)ed;
        quic_run(&p);
        const struct quic_end *fails = ed->of_client ? &p.server : &p.client;
        print_message("%s\n", ed->name);
        assert_quic_failed_at(fails, ed->why, __FILE__, __LINE__);
        assert_int_equal(troth_quic_error(fails->c), ed->number);
        quic_pair_free(&p);
    }
    world_free(w);
}

/* ---- any byte of the handshake changed on its way: never are both ready */
struct flip {
    bool    of_client;
    uint8_t level;
    size_t  at, seen; /* of the bytes of that end at that level */
};

static void flip_one(struct quic_pair *p, struct quic_end *e, uint8_t level, span said)
{
    struct flip *f = p->ctx;
    struct pipe *to = &e->out[level];
    size_t before = to->n;
    pipe_put(to, said.p, said.n);
    if ((e == &p->client) != f->of_client || level != f->level)
        return;
    if (f->at >= before && f->at < to->n)
        to->p[f->at] ^= 0x20;
    f->seen = to->n;
}

/* How many bytes there were to change; the run with `at` beyond them is left as it is. */
static size_t flipped(struct world *w, struct flip f)
{
    struct quic_pair p;
    quic_pair_new(&p, world_client(w, tweak, NULL), world_server(w, tweak, NULL), NULL);
    p.edit = flip_one;
    p.ctx = &f;
    quic_run(&p);
    if (f.at < f.seen && p.client.n_ready && p.server.n_ready)
        test_fail("both ready with byte %zu of the %s at level %u changed", f.at, f.of_client ? "client" : "server", f.level);
    if (f.at >= f.seen)
        assert_quic_ready(&p);
    quic_pair_free(&p);
    return f.seen;
}

static void test_every_byte(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(1));
    size_t changed = 0;
    for (int way = 0; way < 4; way++) {
        struct flip f = { way & 1, way & 2 ? TROTH_LEVEL_HANDSHAKE : TROTH_LEVEL_INITIAL, SIZE_MAX, 0 };
        size_t n = flipped(w, f);
        for (f.at = 0; f.at < n; f.at++)
            (void)flipped(w, f);
        changed += n;
    }
    print_message("%zu bytes changed, one after the other\n", changed);
    assert_true(changed > 500);
    world_free(w);
}

/* ---- levels */
static void begin(struct quic_pair *p, struct world *w, const char *server)
{
    quic_pair_new(p, world_client(w, tweak, NULL), world_server(w, tweak, (void *)(uintptr_t)server), NULL);
}

static bool give(struct quic_end *to, enum troth_level level, const void *bytes, size_t n)
{
    return troth_quic_received(to->c, level, span_of(bytes, n));
}

static void assert_violation(struct quic_pair *p, struct quic_end *e, enum troth_reason why)
{
    quic_listen(p, e);
    assert_quic_failed_at(e, why, __FILE__, __LINE__);
    assert_int_equal(troth_quic_error(e->c), PROTOCOL_VIOLATION);
}

/* The server's whole flight is there, undelivered. */
static void until_server_spoke(struct quic_pair *p, struct world *w)
{
    begin(p, w, NULL);
    quic_listen(p, &p->client);
    assert_true(give(&p->server, TROTH_LEVEL_INITIAL, p->client.out[0].p, p->client.out[0].n));
    quic_listen(p, &p->server);
    assert_true(p->server.out[0].n && p->server.out[2].n);
}

static void test_levels(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(1));
    struct quic_pair p;
    for (int level = TROTH_LEVEL_EARLY; level < 9; level++) { /* a hello at any other level, existing or not */
        begin(&p, w, NULL);
        quic_listen(&p, &p.client);
        assert_true(give(&p.server, (enum troth_level)level, p.client.out[0].p, p.client.out[0].n));
        assert_violation(&p, &p.server, TROTH_R_QUIC_LEVEL);
        quic_pair_free(&p);
    }
    for (size_t cut = 1; cut < 80; cut += 7) { /* a message that begins at one level and ends at the next */
        until_server_spoke(&p, w);
        assert_true(give(&p.client, TROTH_LEVEL_INITIAL, p.server.out[0].p, cut));
        quic_listen(&p, &p.client);
        assert_true(give(&p.client, TROTH_LEVEL_HANDSHAKE, p.server.out[0].p + cut, p.server.out[0].n - cut));
        assert_violation(&p, &p.client, TROTH_R_QUIC_LEVEL);
        quic_pair_free(&p);
    }
    for (int split = 0; split < 2; split++) { /* bytes of the next message behind ServerHello, at its level */
        until_server_spoke(&p, w);
        struct pipe all = { 0 };
        pipe_put(&all, p.server.out[0].p, p.server.out[0].n);
        pipe_put(&all, p.server.out[2].p, 5);
        size_t first = split ? p.server.out[0].n : all.n;
        assert_true(give(&p.client, TROTH_LEVEL_INITIAL, all.p, first));
        if (split)
            assert_true(give(&p.client, TROTH_LEVEL_INITIAL, all.p + first, all.n - first));
        assert_violation(&p, &p.client, split ? TROTH_R_QUIC_LEVEL : TROTH_R_MESSAGE_LEFTOVER);
        free(all.p);
        quic_pair_free(&p);
    }
    world_free(w);
}

/* An old level, once the next was reached; and nothing is handed out after a failure. */
static void test_back(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(1));
    struct quic_pair p;
    static const uint8_t ticket[] = { HS_new_session_ticket, 0, 0, 0 };
    begin(&p, w, NULL);
    quic_run(&p);
    assert_quic_ready(&p);
    assert_true(give(&p.client, TROTH_LEVEL_HANDSHAKE, ticket, sizeof ticket));
    assert_violation(&p, &p.client, TROTH_R_QUIC_LEVEL);
    assert_false(give(&p.client, TROTH_LEVEL_APPLICATION, ticket, sizeof ticket));
    assert_int_equal(troth_next(p.client.c).kind, TROTH_FAILED);
    quic_pair_free(&p);
    world_free(w);
}

/* ---- messages that QUIC does not have */
static void test_messages(void **state)
{
    static const uint8_t key_update[] = { HS_key_update, 0, 0, 1, 0 }, request[] = { HS_certificate_request, 0, 0, 3, 0, 0, 0 };
    static const uint8_t end_of_early_data[] = { HS_end_of_early_data, 0, 0, 0 };
    static const struct {
        const uint8_t    *p;
        size_t            n;
        enum troth_level  level;
        bool              to_server;
        enum troth_reason why;
        uint64_t          number;
    } rows[] = {
        { key_update, sizeof key_update, TROTH_LEVEL_APPLICATION, false, TROTH_R_UNEXPECTED_MESSAGE, CRYPTO_ERROR + UNEXPECTED_MESSAGE },
        { key_update, sizeof key_update, TROTH_LEVEL_APPLICATION, true, TROTH_R_UNEXPECTED_MESSAGE, CRYPTO_ERROR + UNEXPECTED_MESSAGE },
        { request, sizeof request, TROTH_LEVEL_APPLICATION, false, TROTH_R_QUIC_LATE_REQUEST, PROTOCOL_VIOLATION },
        { end_of_early_data, sizeof end_of_early_data, TROTH_LEVEL_HANDSHAKE, true, TROTH_R_UNEXPECTED_MESSAGE,
          CRYPTO_ERROR + UNEXPECTED_MESSAGE },
    };
    (void)state;
    struct world *w = world_new(fake_provider(1));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct quic_pair p;
        if (rows[i].level == TROTH_LEVEL_HANDSHAKE) {
            until_server_spoke(&p, w);
        } else {
            begin(&p, w, NULL);
            quic_run(&p);
            assert_quic_ready(&p);
        }
        struct quic_end *to = rows[i].to_server ? &p.server : &p.client;
        assert_true(give(to, rows[i].level, rows[i].p, rows[i].n));
        quic_listen(&p, to);
        assert_quic_failed_at(to, rows[i].why, __FILE__, __LINE__);
        assert_int_equal(troth_quic_error(to->c), rows[i].number);
        quic_pair_free(&p);
    }
    world_free(w);
}

/* ---- bytes without end, while the application thinks */
static void test_too_much(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(1));
    struct quic_pair p;
    uint8_t some[1200] = { 0 };
    begin(&p, w, "ask");
    quic_listen(&p, &p.client);
    assert_true(give(&p.server, TROTH_LEVEL_INITIAL, p.client.out[0].p, p.client.out[0].n));
    quic_listen(&p, &p.server);
    assert_int_equal(p.server.asked, 1);
    size_t n = 0;
    while (give(&p.server, TROTH_LEVEL_INITIAL, some, sizeof some))
        n += sizeof some;
    assert_true(n > 65536 && n <= LIMIT_QUIC_WAITING);
    quic_listen(&p, &p.server);
    assert_quic_failed(&p.server, QUIC_TOO_MUCH);
    assert_int_equal(troth_quic_error(p.server.c), CRYPTO_BUFFER_EXCEEDED);
    quic_pair_free(&p);
    world_free(w);
}

/* ---- transport parameters where there is no QUIC (RFC 9001 8.2) */
static void test_parameters_here(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(1));
    struct quic_pair p;
    struct pair tcp;
    begin(&p, w, NULL);
    quic_listen(&p, &p.client);
    size_t n = p.client.out[0].n;
    uint8_t header[5] = { 22, 3, 1, (uint8_t)(n >> 8), (uint8_t)n };
    pair_new(&tcp, world_client(w, NULL, NULL), world_server(w, NULL, NULL), NULL);
    pipe_put(&tcp.to_server, header, sizeof header);
    pipe_put(&tcp.to_server, p.client.out[0].p, n);
    pair_step(&tcp, &tcp.server);
    assert_failed(&tcp.server, QUIC_PARAMETERS_HERE);
    pair_free(&tcp);
    quic_pair_free(&p);
    world_free(w);
}

/* ---- the peer closes */
static void test_closed(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(1));
    struct quic_pair p;
    until_server_spoke(&p, w);
    troth_quic_closed(p.client.c, CRYPTO_ERROR + NO_APPLICATION_PROTOCOL);
    quic_listen(&p, &p.client);
    assert_quic_failed(&p.client, NO_SHARED_ALPN);
    assert_true(troth_why(p.client.c)->from_peer);
    troth_quic_closed(p.server.c, PROTOCOL_VIOLATION);
    quic_listen(&p, &p.server);
    assert_quic_failed(&p.server, QUIC_CLOSED);
    quic_pair_free(&p);
    world_free(w);
}

/* ---- calls that make no sense */
static void assert_says(struct quic_pair *p, struct quic_end *e, enum troth_reason why)
{
    assert_non_null(troth_why(e->c));
    quic_listen(p, e);
    assert_quic_failed_at(e, why, __FILE__, __LINE__);
    quic_pair_free(p);
}

static void test_calls(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(1));
    struct quic_pair p;
    for (int call = 0; call < 5; call++) {
        begin(&p, w, NULL);
        quic_run(&p);
        assert_quic_ready(&p);
        switch (call) {
        case 0: assert_false(troth_write(p.server.c, &(span){ (const uint8_t *)"x", 1 }, 1)); break;
        case 1: assert_false(troth_update_keys(p.server.c, true)); break;
        case 2: assert_false(troth_ask_again(p.server.c)); break;
        case 3: troth_received(p.server.c, 3); break;
        default: troth_quic_parameters(p.server.c, TROTH_TEXT("x"), TROTH_TEXT("")); break;
        }
        assert_says(&p, &p.server, TROTH_R_WRONG_TIME);
    }
    begin(&p, w, NULL);
    troth_quic_parameters(p.client.c, TROTH_TEXT("x"), TROTH_TEXT("early"));
    assert_says(&p, &p.client, TROTH_R_WRONG_ROLE);
    quic_pair_new(&p, world_client(w, tweak, (void *)(uintptr_t)"plain"), world_server(w, tweak, NULL), NULL);
    assert_false(give(&p.client, TROTH_LEVEL_INITIAL, "x", 1));
    assert_says(&p, &p.client, TROTH_R_WRONG_ROLE);
    assert_false(troth_quic_received(NULL, TROTH_LEVEL_INITIAL, TROTH_TEXT("x")));
    troth_quic_parameters(NULL, TROTH_TEXT("x"), TROTH_TEXT("x"));
    troth_quic_closed(NULL, 1);
    assert_int_equal(troth_quic_error(NULL), 1);
    assert_int_equal(troth_quic_read_level(NULL) + troth_quic_write_level(NULL), 0);
    world_free(w);
}

/* A connection that was not told its transport parameters says so, and says nothing to the peer. */
static void test_no_parameters_given(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(1));
    for (int server = 0; server < 2; server++) {
        struct quic_pair p;
        troth_client *client = world_client(w, tweak, NULL);
        troth_server *them = world_server(w, tweak, NULL);
        begin(&p, w, NULL);
        struct quic_end *e = server ? &p.server : &p.client;
        troth_free(e->c);
        e->c = server ? troth_accept(them) : troth_connect(client, "a.example");
        quic_run(&p);
        assert_quic_failed(e, WRONG_TIME);
        assert_int_equal(troth_quic_error(e->c), 1);
        assert_int_equal(e->out[2].n, 0);
        assert_true(server || !e->out[0].n);
        assert_false(quic_has(e, TROTH_LEVEL_HANDSHAKE, false)); /* nothing is read any more */
        quic_pair_free(&p);
        troth_client_free(client);
        troth_server_free(them);
    }
    world_free(w);
}

/* ---- configurations that contradict QUIC */
static void contradict(troth_builder *b, int how)
{
    static const char *const h3[] = { "h3" };
    if (how != 0)
        troth_alpn(b, h3, 1);
    troth_quic(b);
    switch (how) {
    case 1: troth_alpn_optional(b); break;
    case 2: troth_versions(b, TROTH_TLS12, TROTH_TLS12); break;
    case 3: troth_post_handshake_auth(b); break;
    case 4: troth_record_size_limit(b, 1000); break;
    case 5: troth_max_fragment(b, 1000); break;
    case 6: troth_pad(b, TROTH_PAD_BLOCK, 64); break;
    default: break;
    }
}

static void test_configurations(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(1));
    for (int how = 0; how < 7; how++) {
        troth_error why;
        bool server = how == 1;
        troth_builder *b = server ? troth_server_builder(troth_provider_share(w->mk->crypto))
                                  : troth_client_builder(troth_provider_share(w->mk->crypto));
        troth_trust_pem(b, w->root_pem);
        if (server)
            troth_identity_pem(b, w->chain_pem, w->key_pem);
        contradict(b, how);
        if (server)
            assert_null(troth_build_server(b, &why));
        else
            assert_null(troth_build_client(b, &why));
        assert_int_equal(why.reason, TROTH_R_BAD_ARGUMENT);
        assert_non_null(strstr(why.detail, "troth_quic"));
    }
    world_free(w);
}

/* A server that is asked for another configuration must be given one of QUIC. */
static bool answer_plain(struct quic_pair *p, struct quic_end *e, const troth_event *ev)
{
    (void)ev;
    troth_answer_server(e->c, p->ctx);
    return true;
}

static void test_moved(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(1));
    troth_server *plain = world_server(w, tweak, (void *)(uintptr_t)"plain");
    struct quic_pair p;
    begin(&p, w, "ask");
    p.answer = answer_plain;
    p.ctx = plain;
    quic_run(&p);
    assert_quic_failed(&p.server, BAD_ARGUMENT);
    quic_pair_free(&p);
    troth_server_free(plain);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_edits),     cmocka_unit_test(test_levels), cmocka_unit_test(test_back),
        cmocka_unit_test(test_messages),  cmocka_unit_test(test_too_much), cmocka_unit_test(test_parameters_here),
        cmocka_unit_test(test_closed),    cmocka_unit_test(test_calls), cmocka_unit_test(test_configurations),
        cmocka_unit_test(test_moved),     cmocka_unit_test(test_every_byte), cmocka_unit_test(test_no_parameters_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
