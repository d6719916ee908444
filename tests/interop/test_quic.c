/* links: ngtcp2 ngtcp2_crypto_gnutls gnutls crypto */
/* TLS for QUIC against a QUIC library, ngtcp2, and another TLS in it, GnuTLS: both ways, every suite, another hello, client certificates,
 * tickets, early data, key updates, and what the other end is told when it goes wrong.  A stream is echoed in each.  Prints the matrix. */
#include "interop/quic_ends.h"
#include "support/pair.h"
#include "wire/registry.h"

enum { LONG = 200000 };
#define BASE "NORMAL:-VERS-ALL:+VERS-TLS1.3:%DISABLE_TLS13_COMPAT_MODE"

struct who {
    struct world *w;
    bool          server, auth, early, two_groups;
    uint16_t      suite, group;
};

static void tweak(troth_builder *b, void *ctx)
{
    static const char *const h3[] = { "h3" };
    const struct who *p = ctx;
    troth_alpn(b, h3, 1);
    troth_quic(b);
    if (p->suite)
        troth_suites(b, &p->suite, 1);
    if (p->group)
        troth_groups(b, &p->group, 1);
    if (p->two_groups) {
        static const uint16_t both[] = { GROUP_x25519, GROUP_secp384r1 };
        troth_groups(b, both, 2);
    }
    if (p->auth && p->server)
        troth_ask_client_auth(b, TROTH_AUTH_REQUIRED);
    if (p->auth && !p->server)
        tweak_client_identity(b, p->w);
    if (p->early)
        troth_early_data(b, 1);
}

/* ---- one row: what the troth end and the GnuTLS end are like */
struct row {
    const char *what;
    uint16_t    suite;
    const char *priority;  /* GnuTLS */
    bool        retry, auth, early;
};

static const struct row rows[] = {
    { "TLS_AES_128_GCM_SHA256", SUITE_TLS_AES_128_GCM_SHA256, BASE ":-CIPHER-ALL:+AES-128-GCM", false, false, false },
    { "TLS_AES_256_GCM_SHA384", SUITE_TLS_AES_256_GCM_SHA384, BASE ":-CIPHER-ALL:+AES-256-GCM", false, false, false },
    { "TLS_CHACHA20_POLY1305_SHA256", SUITE_TLS_CHACHA20_POLY1305_SHA256, BASE ":-CIPHER-ALL:+CHACHA20-POLY1305", false, false, false },
    { "HelloRetryRequest", 0, BASE ":-GROUP-ALL:+GROUP-SECP384R1", true, false, false },
    { "client certificate", 0, BASE, false, true, false },
};

struct made {
    struct world *w;
    troth_client *client;
    troth_server *server;
    gnutls_datum_t ticket_key;
    gnutls_anti_replay_t anti_replay; /* of all connections: it refuses tickets that are older than itself */
};

static struct quic_setup troth_end(const struct made *m)
{
    return (struct quic_setup){ .client = m->client, .server = m->server };
}

static struct quic_setup gnutls_end(const struct made *m, const struct row *r, bool server)
{
    const struct world *w = m->w;
    struct quic_setup s = { .gnutls = true, .priority = r->retry && !server ? BASE : r->priority, .root = w->root_pem, .asks = r->auth };
    if (server) {
        s.chain = w->chain_pem;
        s.key = w->key_pem;
        s.ticket_key = m->ticket_key;
        s.anti_replay = m->anti_replay;
    } else if (r->auth) {
        s.chain = w->client_chain_pem;
        s.key = w->client_key_pem;
    }
    return s;
}

static int first_time(void *ctx, time_t expires, const gnutls_datum_t *key, const gnutls_datum_t *data)
{
    (void)ctx, (void)expires, (void)key, (void)data;
    return 0;
}

/* A client that prefers another group than the GnuTLS server has; a GnuTLS client with a share for another than the troth server has. */
static struct made make(struct world *w, const struct row *r, bool troth_is_client)
{
    struct who us = { .w = w, .auth = r->auth, .early = r->early, .suite = r->suite, .two_groups = r->retry && troth_is_client };
    struct who server = us;
    server.server = true;
    server.group = r->retry && !troth_is_client ? GROUP_secp384r1 : 0;
    server.two_groups = false;
    struct made m = { .w = w, .client = world_client(w, tweak, &us), .server = world_server(w, tweak, &server) };
    assert_int_equal(gnutls_session_ticket_key_generate(&m.ticket_key), 0);
    assert_int_equal(gnutls_anti_replay_init(&m.anti_replay), 0);
    gnutls_anti_replay_set_add_function(m.anti_replay, first_time);
    return m;
}

static void unmake(struct made *m)
{
    troth_client_free(m->client);
    troth_server_free(m->server);
    gnutls_free(m->ticket_key.data);
    gnutls_anti_replay_deinit(m->anti_replay);
}

/* ---- what is to come of a link */
static bool echoed(struct quic_link *l)
{
    return l->client.failed || l->server.failed
        || (l->client.heard_n >= l->client.say_n && l->client.confirmed && l->server.completed && l->client.completed);
}

static bool over(struct quic_link *l)
{
    return l->client.failed && l->server.failed;
}

static const uint8_t *text(void)
{
    static uint8_t bytes[LONG];
    for (size_t i = 0; i < LONG && !bytes[1]; i++)
        bytes[i] = (uint8_t)(i * 7 + i / 251);
    return bytes;
}

static void say_why(const struct quic_end *e)
{
    const troth_error *why = e->c ? troth_why(e->c) : NULL;
    fprintf(stderr, "%s: completed %d, confirmed %d, failed %d, closed by 0x%llx, heard %zu of %zu, %s %s\n", e->name, e->completed,
            e->confirmed, e->failed, (unsigned long long)e->closed_by, e->heard_n, e->say_n, why ? why->code : "", why ? why->detail : "");
}

static void assert_echoed(struct quic_link *l)
{
    bool ok = quic_link_run(l, echoed) && !l->client.failed && !l->server.failed;
    if (!ok) {
        say_why(&l->client);
        say_why(&l->server);
        test_fail("no echo");
    }
    assert_int_equal(l->client.heard_n, l->client.say_n);
    assert_memory_equal(l->client.heard, l->client.say, l->client.say_n);
}

static void link_up(struct quic_link *l, const struct quic_setup *client, const struct quic_setup *server, size_t n)
{
    quic_link_new(l, client, server);
    l->client.say = text();
    l->client.say_n = n;
}

static void check_facts(const struct quic_end *e, const struct row *r)
{
    troth_facts f = troth_what(e->c);
    assert_true(!r->suite || f.suite == r->suite);
    assert_int_equal(f.hello_retry, r->retry);
    assert_true(!e->server || f.client_authenticated == r->auth);
    assert_true(f.alpn.n == 2);
}

static void one(struct world *w, const struct row *r, bool troth_is_client)
{
    struct made m = make(w, r, troth_is_client);
    struct quic_setup ours = troth_end(&m), theirs = gnutls_end(&m, r, troth_is_client);
    struct quic_link l;
    link_up(&l, troth_is_client ? &ours : &theirs, troth_is_client ? &theirs : &ours, LONG);
    assert_echoed(&l);
    struct quic_end *e = troth_is_client ? &l.client : &l.server;
    check_facts(e, r);
    assert_int_equal(ngtcp2_conn_initiate_key_update(l.client.q, l.now), 0);
    l.client.say_n = LONG / 2; /* again, under the next keys */
    l.client.said = l.client.heard_n = 0;
    l.server.heard_n = l.server.said = l.server.say_n = 0;
    assert_echoed(&l);
    assert_int_equal(e->key_updates, 1);
    print_message("ok   troth %s, GnuTLS %s: %s, %zu packets\n", troth_is_client ? "client" : "server",
                  troth_is_client ? "server" : "client", r->what, l.packets);
    quic_link_free(&l);
    unmake(&m);
}

static void test_matrix(void **state)
{
    (void)state;
    struct world *w = world_new(troth_libcrypto());
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        one(w, &rows[i], true);
        one(w, &rows[i], false);
    }
    world_free(w);
}

/* troth at both ends, with its default groups: a hello of two packets. */
static void test_both(void **state)
{
    (void)state;
    static const struct row plain = { "both", 0, NULL, false, false, false };
    struct world *w = world_new(troth_libcrypto());
    struct made m = make(w, &plain, true);
    struct quic_setup ours = troth_end(&m);
    struct quic_link l;
    link_up(&l, &ours, &ours, LONG);
    assert_echoed(&l);
    assert_int_equal(troth_what(l.client.c).group, GROUP_X25519MLKEM768);
    print_message("ok   troth client, troth server: default groups, %zu packets\n", l.packets);
    quic_link_free(&l);
    unmake(&m);
    world_free(w);
}

/* ---- tickets and early data */
static bool has_ticket(struct quic_link *l)
{
    return echoed(l) && l->client.kept.n;
}

static void resumed(struct world *w, int how)
{
    static const struct row row = { "early data", 0, BASE, false, false, true };
    bool our_client = how != 1, our_server = how != 0;
    struct made m = make(w, &row, our_client);
    struct quic_setup ours = troth_end(&m), client = our_client ? ours : gnutls_end(&m, &row, false);
    struct quic_setup server = our_server ? ours : gnutls_end(&m, &row, true);
    client.early = server.early = true;
    struct quic_link l;
    link_up(&l, &client, &server, 100);
    assert_true(quic_link_run(&l, has_ticket));
    assert_echoed(&l);
    assert_int_equal(l.server.heard_early, 0);
    struct quic_kept kept = l.client.kept;
    quic_link_free(&l);
    client.kept = &kept;
    link_up(&l, &client, &server, 1000);
    assert_echoed(&l);
    assert_true(l.server.heard_early > 0); /* the rest when the handshake was over */
    if (our_client)
        assert_true(troth_what(l.client.c).resumed && troth_what(l.client.c).early == TROTH_EARLY_ACCEPTED);
    if (our_server)
        assert_true(troth_what(l.server.c).resumed && troth_what(l.server.c).early == TROTH_EARLY_ACCEPTED);
    print_message("ok   %s client, %s server: resumed, 0-RTT accepted\n", our_client ? "troth" : "GnuTLS", our_server ? "troth" : "GnuTLS");
    quic_link_free(&l);
    unmake(&m);
}

static void test_early(void **state)
{
    (void)state;
    struct world *w = world_new(troth_libcrypto());
    for (int how = 0; how < 3; how++)
        resumed(w, how);
    world_free(w);
}

/* ---- refusals, as the other end learns of them */
static void test_refused(void **state)
{
    (void)state;
    enum { UNKNOWN_CA = 0x100 + 48, NO_PROTOCOL = 0x100 + 120 };
    static const struct row plain = { "refused", 0, BASE, false, false, false };
    struct world *w = world_new(troth_libcrypto()), *other = world_new(troth_libcrypto());
    struct quic_link l;
    struct made m = make(w, &plain, true), stranger = make(other, &plain, true);
    struct quic_setup ours = troth_end(&m), theirs = gnutls_end(&stranger, &plain, true);
    link_up(&l, &ours, &theirs, 10);
    assert_true(quic_link_run(&l, over));
    assert_int_equal(l.server.closed_by, UNKNOWN_CA);
    assert_int_equal(troth_why(l.client.c)->reason, TROTH_R_CHAIN_UNTRUSTED_ROOT);
    quic_link_free(&l);
    theirs = gnutls_end(&m, &plain, true); /* the GnuTLS server asks for a certificate that the client does not have */
    theirs.asks = true;
    link_up(&l, &ours, &theirs, 10);
    assert_true(quic_link_run(&l, over));
    assert_true(l.client.closed_by > 0x100);
    assert_int_equal(troth_why(l.client.c)->reason, TROTH_R_CLIENT_CERT_REQUIRED);
    print_message("ok   refusals: 0x%x sent, 0x%llx received\n", UNKNOWN_CA, (unsigned long long)l.client.closed_by);
    quic_link_free(&l);
    unmake(&m);
    unmake(&stranger);
    world_free(w);
    world_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matrix),
        cmocka_unit_test(test_both),
        cmocka_unit_test(test_early),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
