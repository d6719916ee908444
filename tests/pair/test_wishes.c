/* What a configuration asks of the peer, or keeps quiet about: names of authorities, signatures in certificates, sizes, tickets, server
 * names, padding, the mark of a second try. */
#include "base/alerts.h"
#include "fake/fake.h"
#include "support/pair.h"
#include "support/test.h"
#include "tls/conn.h"
#include "wire/registry.h"

typedef void apply_fn(troth_builder *b, bool server, void *ctx);

struct side {
    apply_fn *apply;
    void     *ctx;
    uint16_t  version;
    bool      server;
};

static void tweak(troth_builder *b, void *ctx)
{
    const struct side *s = ctx;
    if (s->version)
        troth_versions(b, s->version, s->version);
    s->apply(b, s->server, s->ctx);
}

static void begin(struct pair *p, struct world *w, apply_fn *apply, void *ctx, uint16_t version)
{
    struct side ours = { apply, ctx, version, false }, theirs = { apply, ctx, version, true };
    pair_new(p, world_client(w, tweak, &ours), world_server(w, tweak, &theirs), NULL);
}

/* ---- two chains, of two authorities: the server's own of CN=Root, and one that an RSA key issued */
struct two {
    struct world *w;
    span          root, chain, key;
    bool          names, other_trusted, schemes;
};

static span pem_of(struct mk *m, const char *label, span der)
{
    const char *pem = mk_pem(m, label, &der, 1);
    return span_of(pem, strlen(pem));
}

static void make_two(struct two *t)
{
    struct mk *m = t->w->mk;
    const troth_key *key = mk_key(m, TROTH_KEY_P256);
    struct issue root = mk_ca("CN=Other Root", mk_key(m, TROTH_KEY_RSA)), leaf = mk_leaf(&root, key, "a.example");
    uint8_t *private = arena_alloc(&m->arena, 1024);
    t->root = pem_of(m, "CERTIFICATE", mk_cert(m, &root));
    t->chain = pem_of(m, "CERTIFICATE", mk_cert(m, &leaf));
    t->key = pem_of(m, "PRIVATE KEY", span_of(private, m->crypto->key_private(key, private, 1024)));
}

static void apply_two(troth_builder *b, bool server, void *ctx)
{
    static const uint16_t rsa[] = { SCHEME_rsa_pkcs1_sha256 };
    const struct two *t = ctx;
    if (server) {
        troth_identity_pem(b, t->chain, t->key);
        return;
    }
    troth_trust_pem(b, t->root);
    troth_name_authorities(b, t->names);
    if (t->schemes)
        troth_cert_schemes(b, rsa, 1);
}

/* A client that trusts the other authority alone; world_client would trust both. */
static troth_client *client_of_other(const struct two *t)
{
    troth_builder *b = troth_client_builder(troth_provider_share(t->w->mk->crypto));
    troth_clock(b, test_clock, NULL);
    apply_two(b, false, (void *)(uintptr_t)t);
    return troth_build_client(b, NULL);
}

static void test_authorities(void **state)
{
    (void)state;
    struct world *w = world_new(troth_libcrypto());
    struct two t = { .w = w };
    make_two(&t);
    for (int names = 0; names < 2; names++) {
        struct side theirs = { apply_two, &t, TROTH_TLS13, true };
        struct pair p;
        t.names = names;
        pair_new(&p, client_of_other(&t), world_server(w, tweak, &theirs), NULL);
        pair_run(&p);
        assert_int_equal(troth_what(p.server.c).own_identity, names); /* told of the authority it finds the chain that will do */
        if (names)
            assert_ready(&p);
        else
            assert_failed(&p.client, CHAIN_UNTRUSTED_ROOT);
        pair_free(&p);
    }
    world_free(w);
}

static void test_cert_schemes(void **state)
{
    (void)state;
    struct world *w = world_new(troth_libcrypto());
    struct two t = { .w = w };
    make_two(&t);
    for (int v = 0; v < 4; v++) {
        struct pair p;
        t.schemes = v & 1;
        begin(&p, w, apply_two, &t, v & 2 ? TROTH_TLS13 : TROTH_TLS12);
        pair_run(&p);
        assert_ready(&p);
        assert_int_equal(troth_what(p.server.c).own_identity, t.schemes);
        assert_int_equal(troth_what(p.client.c).peer_scheme, SCHEME_ecdsa_secp256r1_sha256);
        pair_free(&p);
    }
    world_free(w);
}

static void apply_server_schemes(troth_builder *b, bool server, void *ctx)
{
    static const uint16_t rsa[] = { SCHEME_rsa_pkcs1_sha256 };
    struct two *t = ctx;
    if (server) {
        troth_trust_pem(b, t->root);
        troth_ask_client_auth(b, TROTH_AUTH_OPTIONAL);
        troth_name_authorities(b, false);
        troth_cert_schemes(b, rsa, 1);
    } else {
        tweak_client_identity(b, t->w);
        troth_identity_pem(b, t->chain, t->key);
    }
}

/* The same in a CertificateRequest; the other leaf is a server's, which the server finds out. */
static void test_cert_schemes_of_server(void **state)
{
    (void)state;
    struct world *w = world_new(troth_libcrypto());
    struct two t = { .w = w };
    struct pair p;
    make_two(&t);
    begin(&p, w, apply_server_schemes, &t, TROTH_TLS13);
    pair_run(&p);
    assert_int_equal(troth_what(p.client.c).own_identity, 1);
    assert_int_equal(troth_what(p.client.c).acceptable_authorities.n, 0);
    assert_failed(&p.server, CERT_WRONG_EKU);
    pair_free(&p);
    world_free(w);
}

/* ---- a certificate that is too large, as it is and compressed */
struct size {
    uint32_t most;
    bool     plain;
};

static void apply_size(troth_builder *b, bool server, void *ctx)
{
    const struct size *s = ctx;
    if (!server)
        troth_max_certificate(b, s->most);
    if (s->plain)
        troth_compressors(b, NULL, 0);
}

static void test_max_certificate(void **state)
{
    (void)state;
    struct world *w = world_new(troth_libcrypto());
    for (int v = 0; v < 2; v++) {
        uint16_t version = v ? TROTH_TLS12 : TROTH_TLS13;
        struct size s = { 200, true };
        struct pair p;
        begin(&p, w, apply_size, &s, version);
        pair_run(&p);
        assert_failed(&p.client, MESSAGE_TOO_LONG);
        pair_free(&p);
        s.most = 2000;
        begin(&p, w, apply_size, &s, version);
        pair_run(&p);
        assert_ready(&p);
        pair_free(&p);
    }
    world_free(w);
}

static size_t as_it_is(uint8_t *out, size_t cap, troth_span in)
{
    if (in.n > cap)
        return 0;
    memcpy(out, in.p, in.n);
    return in.n;
}

/* Half of the bytes, as if a few would always do: what is told is the length before. */
static size_t half(uint8_t *out, size_t cap, troth_span in)
{
    return as_it_is(out, cap, span_of(in.p, in.n / 2));
}

static void apply_compressed(troth_builder *b, bool server, void *ctx)
{
    static const troth_compressor packer = { CERT_COMP_zlib, half, as_it_is };
    troth_compressors(b, &packer, 1);
    if (!server)
        troth_max_certificate(b, *(uint32_t *)ctx);
}

static void test_max_expanded(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(1));
    uint32_t most = 0;
    struct pair p;
    for (most = 300; most <= 3000; most *= 10) { /* the message is shorter than 300, what it would expand to is not */
        begin(&p, w, apply_compressed, &most, TROTH_TLS13);
        pair_run(&p);
        if (most == 300)
            assert_failed(&p.client, COMPRESSED_TOO_LARGE);
        else
            assert_failed(&p.client, COMPRESSED_BAD);
        pair_free(&p);
    }
    world_free(w);
}

/* ---- a second try */
static void apply_fallback(troth_builder *b, bool server, void *ctx)
{
    if (!server && *(bool *)ctx)
        troth_versions(b, TROTH_TLS12, TROTH_TLS12);
    if (!server)
        troth_fallback_scsv(b);
}

static void test_fallback(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(2));
    for (int older = 0; older < 2; older++) {
        bool tls12 = older;
        struct pair p;
        begin(&p, w, apply_fallback, &tls12, 0);
        pair_run(&p);
        if (older)
            assert_failed(&p.server, INAPPROPRIATE_FALLBACK);
        else
            assert_ready(&p);
        pair_free(&p);
    }
    world_free(w);
}

/* ---- no tickets */
static bool count_tickets(struct pair *p, struct pair_end *e, const troth_event *ev, void *ctx)
{
    (void)p, (void)e;
    *(unsigned *)ctx += ev->kind == TROTH_TICKET;
    return ev->kind == TROTH_TICKET;
}

static void apply_no_tickets(troth_builder *b, bool server, void *ctx)
{
    if (!server && ctx)
        troth_no_tickets(b);
}

static void test_no_tickets(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(3));
    for (int i = 0; i < 4; i++) {
        unsigned n = 0;
        struct pair p;
        begin(&p, w, apply_no_tickets, i & 1 ? w : NULL, i & 2 ? TROTH_TLS12 : TROTH_TLS13);
        p.on_event = count_tickets;
        p.ctx = &n;
        pair_run(&p);
        assert_ready(&p);
        assert_int_equal(n, i & 1 ? 0 : i & 2 ? 1 : 2);
        pair_free(&p);
    }
    world_free(w);
}

/* ---- names that make no difference */
static void apply_names(troth_builder *b, bool server, void *ctx)
{
    struct two *t = ctx;
    if (!server)
        return;
    troth_identity_pem(b, t->chain, t->key);
    if (t->names)
        troth_ignore_names(b);
}

static void test_ignored_names(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(4));
    for (int v = 0; v < 4; v++) {
        struct two t = { .w = w, .names = v & 1 };
        struct pair p;
        world_identity(w, TROTH_KEY_P256, "other.example", &t.chain, &t.key);
        begin(&p, w, apply_names, &t, v & 2 ? TROTH_TLS12 : TROTH_TLS13);
        troth_send_name(p.client.c, "other.example");
        pair_run(&p);
        troth_facts f = troth_what(p.server.c);
        assert_int_equal(f.own_identity, !t.names);
        assert_true(span_equal(f.server_name, SPAN_TEXT("other.example")));
        if (t.names) /* that is the certificate of a.example, which the client wanted to reach */
            assert_ready(&p);
        else
            assert_failed(&p.client, CERT_NAME_MISMATCH);
        pair_free(&p);
    }
    world_free(w);
}

/* ---- the order of groups */
struct order {
    bool   strict, equal;
};

static void apply_order(troth_builder *b, bool server, void *ctx)
{
    static const uint16_t ours[] = { GROUP_x25519, GROUP_secp384r1, GROUP_secp256r1 }, share[] = { GROUP_secp256r1 };
    static const uint16_t theirs[] = { GROUP_secp256r1, GROUP_secp384r1, GROUP_x25519 };
    const struct order *o = ctx;
    const bool equal[] = { true, false };
    if (!server) {
        troth_groups(b, theirs, COUNT_OF(theirs));
        troth_key_shares(b, share, 1);
        return;
    }
    troth_groups(b, ours, COUNT_OF(ours));
    if (o->strict)
        troth_strict_groups(b, equal, o->equal ? 2 : 0);
}

static void test_group_order(void **state)
{
    static const struct { struct order order; uint16_t group; } rows[] = {
        { { false, false }, GROUP_secp256r1 }, /* as strong, and there: no round trip */
        { { true, false }, GROUP_x25519 },
        { { true, true }, GROUP_secp384r1 },   /* the client likes it better than the other of the two */
    };
    (void)state;
    struct world *w = world_new(fake_provider(7));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct order o = rows[i].order;
        struct pair p;
        begin(&p, w, apply_order, &o, TROTH_TLS13);
        pair_run(&p);
        assert_ready(&p);
        assert_int_equal(troth_what(p.server.c).group, rows[i].group);
        assert_int_equal(troth_what(p.server.c).hello_retry, o.strict);
        pair_free(&p);
    }
    world_free(w);
}

/* ---- key shares in any order: X25519's is part of the hybrid's where that comes first, and a key of its own where it does not */
struct shares { const uint16_t *list; size_t n; uint16_t chosen; };

static void apply_shares(troth_builder *b, bool server, void *ctx)
{
    const struct shares *s = ctx;
    if (server) {
        troth_groups(b, &s->chosen, 1);
        return;
    }
    troth_groups(b, s->list, s->n);
    troth_key_shares(b, s->list, s->n);
}

static void test_share_order(void **state)
{
    static const uint16_t orders[][3] = {
        { GROUP_X25519MLKEM768, GROUP_x25519, GROUP_secp256r1 },         { GROUP_x25519, GROUP_X25519MLKEM768, GROUP_secp256r1 },
        { GROUP_secp256r1, GROUP_x25519, GROUP_X25519MLKEM768 },         { GROUP_secp256r1, GROUP_SecP256r1MLKEM768, GROUP_x25519 },
        { GROUP_SecP256r1MLKEM768, GROUP_X25519MLKEM768, GROUP_x25519 }, { GROUP_X25519MLKEM768, GROUP_secp256r1, GROUP_SecP256r1MLKEM768 },
    };
    (void)state;
    struct world *w = world_new(troth_libcrypto());
    for (size_t i = 0; i < COUNT_OF(orders); i++)
        for (size_t n = 1; n <= 3; n++)
            for (size_t chosen = 0; chosen < n; chosen++) {
                struct shares s = { orders[i], n, orders[i][chosen] };
                struct pair p;
                begin(&p, w, apply_shares, &s, TROTH_TLS13);
                pair_run(&p);
                assert_ready(&p);
                assert_int_equal(troth_what(p.client.c).group, s.chosen);
                assert_false(troth_what(p.client.c).hello_retry);
                pair_free(&p);
            }
    world_free(w);
}

/* Shares come in the order of the groups, each once, whatever order they were given in (RFC 9846 4.3.8); a group is named once (4.3.7). */
static void test_shares_as_groups(void **state)
{
    static const uint16_t groups[] = { GROUP_secp256r1, GROUP_x25519, GROUP_secp384r1 };
    static const uint16_t shares[] = { GROUP_secp384r1, GROUP_secp256r1, GROUP_secp384r1 }, sorted[] = { GROUP_secp256r1, GROUP_secp384r1 };
    static const uint16_t twice[] = { GROUP_x25519, GROUP_secp256r1, GROUP_x25519 };
    (void)state;
    struct world *w = world_new(fake_provider(9));
    troth_error why;
    for (int again = 0; again < 2; again++) {
        troth_builder *b = troth_client_builder(troth_provider_share(w->mk->crypto));
        troth_trust_pem(b, w->root_pem);
        troth_groups(b, again ? twice : groups, 3);
        if (!again)
            troth_key_shares(b, shares, 3);
        troth_client *us = troth_build_client(b, &why);
        assert_int_equal(us == NULL, again);
        assert_int_equal(why.reason, again ? TROTH_R_BAD_ARGUMENT : TROTH_R_NONE);
        if (us) {
            assert_int_equal(u16s_count(us->config.key_shares), 2);
            for (size_t i = 0; i < 2; i++)
                assert_int_equal(u16s_at(us->config.key_shares, i), sorted[i]);
        }
        troth_client_free(us);
    }
    world_free(w);
}

/* ---- padding: what a record holds does not show in its length */
struct pad {
    enum troth_padding how;
    uint16_t           block;
};

static void apply_pad(troth_builder *b, bool server, void *ctx)
{
    const struct pad *p = ctx;
    (void)server;
    troth_pad(b, p->how, p->block);
}

static void test_padding(void **state)
{
    static const struct { struct pad pad; size_t written, sealed; } rows[] = {
        { { TROTH_PAD_NONE, 0 }, 5, 5 },       { { TROTH_PAD_BLOCK, 100 }, 5, 100 },  { { TROTH_PAD_BLOCK, 100 }, 100, 100 },
        { { TROTH_PAD_BLOCK, 100 }, 101, 200 }, { { TROTH_PAD_FULL, 0 }, 5, 16384 },
    };
    enum { HEADER = 5, TYPE_AND_TAG = 1 + 16 };
    static const uint8_t data[200];
    (void)state;
    struct world *w = world_new(fake_provider(6));
    for (size_t i = 0; i < 2 * COUNT_OF(rows); i++) {
        struct pad pad = rows[i / 2].pad;
        troth_span part = { data, rows[i / 2].written };
        struct pair p;
        begin(&p, w, apply_pad, &pad, TROTH_TLS13);
        pair_run(&p);
        assert_ready(&p);
        struct pair_end *from = i & 1 ? &p.server : &p.client, *to = i & 1 ? &p.client : &p.server;
        size_t before = pair_input(&p, to)->n;
        assert_true(troth_write(from->c, &part, 1));
        pair_run(&p);
        assert_int_equal(pair_input(&p, to)->n - before, HEADER + rows[i / 2].sealed + TYPE_AND_TAG);
        assert_int_equal(to->n_got, rows[i / 2].written);
        pair_free(&p);
    }
    world_free(w);
}

/* ---- record_size_limit: the client's counts, whatever the server itself wants (RFC 8449 4) */
struct both_limits {
    uint16_t client, server;
};

static void apply_limits(troth_builder *b, bool server, void *ctx)
{
    const struct both_limits *l = ctx;
    uint16_t mine = server ? l->server : l->client;
    if (mine)
        troth_record_size_limit(b, mine);
}

/* The longest protected record of what came from `at` on; what is inside of it, if nothing was padded. */
static size_t longest_inside(const struct pipe *p, size_t at, uint16_t version)
{
    size_t most = 0;
    for (size_t n; at + 5 <= p->n; at += 5 + n) {
        n = (size_t)(p->p[at + 3] << 8 | p->p[at + 4]);
        size_t inside = n - 16 - (version == TROTH_TLS13 ? 0 : 8); /* the tag; the explicit nonce */
        if (p->p[at] == CONTENT_application_data && inside > most)
            most = inside;
    }
    return most;
}

static size_t written(struct pair *p, struct pair_end *from, struct pair_end *to, uint16_t version)
{
    static const uint8_t data[40000];
    troth_span part = { data, sizeof data };
    size_t before = pair_input(p, to)->n;
    to->n_got = 0;
    assert_true(troth_write(from->c, &part, 1));
    pair_run(p);
    return longest_inside(pair_input(p, to), before, version);
}

static void test_record_limits(void **state)
{
    enum { BIGGEST = 16384 };
    static const struct { struct both_limits wanted; size_t to_client, to_server; } rows[] = {
        { { 64, 0 }, 64, BIGGEST + 1 },        { { 1000, 0 }, 1000, BIGGEST + 1 },    { { 64, 300 }, 64, 300 },
        { { BIGGEST + 1, 0 }, BIGGEST + 1, BIGGEST + 1 },  { { BIGGEST + 1, BIGGEST + 1 }, BIGGEST + 1, BIGGEST + 1 },
        { { 0, 300 }, BIGGEST + 1, BIGGEST + 1 },
    };
    (void)state;
    struct world *w = world_new(fake_provider(8));
    for (size_t i = 0; i < 2 * COUNT_OF(rows); i++) {
        uint16_t version = i & 1 ? TROTH_TLS13 : TROTH_TLS12, least = i & 1 ? BIGGEST + 1 : BIGGEST;
        struct both_limits limits = rows[i / 2].wanted;
        struct pair p;
        begin(&p, w, apply_limits, &limits, version);
        pair_run(&p);
        assert_ready(&p);
        size_t client = rows[i / 2].to_client, server = rows[i / 2].to_server;
        assert_int_equal(written(&p, &p.server, &p.client, version), client < least ? client : least);
        assert_int_equal(written(&p, &p.client, &p.server, version), server < least ? server : least);
        pair_free(&p);
    }
    world_free(w);
}

/* What is in the clear is not subject to them: a server of TLS 1.2 whose chain comes in one record. */
static void in_one_record(void *self, const struct saw_message *m)
{
    struct pair *p = self;
    if (m->ours && !strcmp(m->type, "Certificate"))
        p->server.c->rec.write.most = LIMIT_PLAINTEXT;
}

static void test_clear_is_not_limited(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(8));
    struct both_limits limits = { 64, 0 };
    struct pair p;
    struct witness witness = { .self = &p, .message = in_one_record };
    begin(&p, w, apply_limits, &limits, TROTH_TLS12);
    conn_watch(p.server.c, &witness);
    pair_run(&p);
    assert_ready(&p);
    pair_free(&p);
    world_free(w);
}

/* ---- a server that was chosen when the hello came: what it wishes counts, not what the one that listens does */
struct chosen {
    troth_server *server;
    bool          ask_client;
};

static void tweak_listens(troth_builder *b, void *ctx)
{
    (void)ctx;
    troth_ask_server(b);
}

static void tweak_chosen(troth_builder *b, void *ctx)
{
    const struct chosen *s = ctx;
    troth_max_fragment(b, 700);
    troth_pad(b, TROTH_PAD_BLOCK, 600);
    troth_max_certificate(b, 200);
    if (s->ask_client)
        troth_ask_client_auth(b, TROTH_AUTH_REQUIRED);
}

static bool choose_server(struct pair *p, struct pair_end *e, const troth_event *ev, void *ctx)
{
    const struct chosen *s = ctx;
    (void)p;
    if (ev->kind != TROTH_ASK_SERVER)
        return false;
    troth_answer_server(e->c, s->server);
    return true;
}

/* Of records as long as that, with content type and tag; in the handshake, the first from keys on, and with data. */
static void test_chosen_server(void **state)
{
    enum { PADDED = 600 + 1, MOST = 700 + 1 };
    (void)state;
    struct world *w = world_new(fake_provider(9));
    for (int ask_client = 0; ask_client < 2; ask_client++) {
        struct chosen s = { .ask_client = ask_client };
        struct pair p;
        s.server = world_server(w, tweak_chosen, &s);
        pair_new(&p, world_client(w, tweak_client_identity, w), world_server(w, tweak_listens, NULL), NULL);
        p.on_event = choose_server;
        p.ctx = &s;
        pair_run(&p);
        if (ask_client) {
            assert_failed(&p.server, MESSAGE_TOO_LONG);
        } else {
            assert_ready(&p);
            size_t in_handshake = longest_inside(&p.to_client, 0, TROTH_TLS13);
            assert_true(in_handshake == PADDED || in_handshake == MOST);
            assert_int_equal(written(&p, &p.server, &p.client, TROTH_TLS13), MOST);
        }
        pair_free(&p);
        troth_server_free(s.server);
    }
    world_free(w);
}

/* ---- what cannot be */
static void test_config(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(5));
    static const troth_compressor packers[5]; /* four are looked at */
    for (int i = 0; i < 6; i++) {
        troth_error why;
        bool server = i < 2;
        troth_builder *b = server ? troth_server_builder(troth_provider_share(w->mk->crypto))
                                  : troth_client_builder(troth_provider_share(w->mk->crypto));
        troth_identity_pem(b, w->chain_pem, w->key_pem);
        troth_trust_pem(b, w->root_pem);
        if (i == 0) {
            troth_ignore_names(b);
            troth_strict_sni(b);
        } else if (i == 1)
            troth_no_tickets(b);
        else if (i == 2)
            troth_max_certificate(b, 0);
        else if (i == 3)
            troth_max_certificate(b, 1 << 20);
        else if (i == 4)
            troth_cert_schemes(b, NULL, 0);
        else
            troth_compressors(b, packers, COUNT_OF(packers));
        assert_true(server ? !troth_build_server(b, &why) : !troth_build_client(b, &why));
        assert_int_equal(why.reason, i == 1 ? TROTH_R_WRONG_ROLE : i == 5 ? TROTH_R_TOO_MANY : TROTH_R_BAD_ARGUMENT);
    }
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_authorities),      cmocka_unit_test(test_cert_schemes), cmocka_unit_test(test_cert_schemes_of_server),
        cmocka_unit_test(test_max_certificate),  cmocka_unit_test(test_max_expanded), cmocka_unit_test(test_fallback),
        cmocka_unit_test(test_no_tickets),       cmocka_unit_test(test_ignored_names), cmocka_unit_test(test_config),
        cmocka_unit_test(test_padding),          cmocka_unit_test(test_group_order),  cmocka_unit_test(test_record_limits),
        cmocka_unit_test(test_share_order),      cmocka_unit_test(test_clear_is_not_limited),
        cmocka_unit_test(test_chosen_server),    cmocka_unit_test(test_shares_as_groups),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
