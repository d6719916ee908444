/* Delegated credentials (RFC 9345), of servers and of clients: taken, not taken, and every check of who is shown one. */
#include "fake/fake.h"
#include "support/credential.h"
#include "support/meddle.h"
#include "support/test.h"
#include "tls/delegated.h"
#include "wire/registry.h"

/* ---- a certificate that may delegate, and a credential: who shows it, and who judges it */
struct made {
    struct world *world;
    span          chain, credential, key; /* PEM, bytes, PEM */
    bool          of_client, accepts, out_of_reach, late;
    int64_t       ahead;                  /* of the judge's clock */
};

static struct made make(struct world *w, struct recipe recipe)
{
    struct credential c = credential_make(w, recipe);
    return (struct made){ .world = w, .chain = c.chain, .credential = c.credential, .key = c.key, .of_client = recipe.of_client, .accepts = true };
}

static const char *const roles[] = { "of a server", "of a client" };

static void show(troth_builder *b, const struct made *m)
{
    if (m->out_of_reach)
        troth_identity_external(b, m->chain, NULL);
    else
        troth_identity_pem(b, m->chain, m->of_client ? m->world->client_key_pem : m->world->key_pem);
    troth_identity_delegated(b, m->credential, m->key);
}

static int64_t clock_ahead(void *ctx)
{
    const struct made *m = ctx;
    return MK_NOW + m->ahead;
}

static void judge(troth_builder *b, struct made *m)
{
    troth_clock(b, clock_ahead, m);
    troth_compressors(b, NULL, 0); /* the tests below look into Certificate messages */
    if (m->accepts)
        troth_accept_delegated(b);
}

static void tweak_client(troth_builder *b, void *ctx)
{
    struct made *m = ctx;
    if (!m->of_client) {
        judge(b, m);
        return;
    }
    if (m->late)
        troth_post_handshake_auth(b);
    show(b, m);
}

/* Its own server: the world's has an identity already. */
static troth_server *server(struct made *m, troth_error *why)
{
    troth_builder *b = troth_server_builder(troth_provider_share(m->world->mk->crypto));
    troth_clock(b, test_clock, NULL);
    if (m->of_client) {
        troth_identity_pem(b, m->world->chain_pem, m->world->key_pem);
        troth_trust_pem(b, m->world->root_pem);
        if (!m->late)
            troth_ask_client_auth(b, TROTH_AUTH_REQUIRED);
        judge(b, m);
    } else {
        show(b, m);
    }
    return troth_build_server(b, why);
}

/* The end that shows, and the one that judges. */
static struct pair_end *shower(struct pair *p, const struct made *m)
{
    return m->of_client ? &p->client : &p->server;
}

static struct pair_end *judging(struct pair *p, const struct made *m)
{
    return m->of_client ? &p->server : &p->client;
}

static void open_pair(struct pair *p, struct made *m)
{
    troth_error why;
    troth_server *us = server(m, &why);
    if (!us)
        test_fail("%s: %s", why.code, why.detail);
    pair_new(p, world_client(m->world, tweak_client, m), us, NULL);
}

static void run(struct pair *p, struct made *m)
{
    open_pair(p, m);
    pair_run(p);
}

static void assert_taken(struct pair *p, const struct made *m, bool taken)
{
    troth_facts theirs = troth_what(judging(p, m)->c), ours = troth_what(shower(p, m)->c);
    assert_ready(p);
    assert_true(theirs.peer_delegated == taken && ours.own_delegated == taken);
    assert_false(theirs.own_delegated || ours.peer_delegated);
    assert_int_equal(theirs.peer_scheme, SCHEME_ecdsa_secp256r1_sha256);
    assert_true(!m->of_client || theirs.client_authenticated);
}

static void test_taken(void **state)
{
    (void)state;
    for (int i = 0; i < 8; i++) {
        struct world *w = world_new(i & 1 ? troth_libcrypto() : fake_provider(1));
        struct made m = make(w, (struct recipe){ .valid = MK_DAY, .of_client = i & 2 });
        struct pair p;
        m.out_of_reach = i & 4;
        run(&p, &m);
        assert_taken(&p, &m, true);
        pair_exchange(&p);
        pair_free(&p);
        world_free(w);
    }
}

/* Who does not take them sees the certificate's own key, if that is there. */
static void test_not_wanted(void **state)
{
    (void)state;
    for (int of_client = 0; of_client < 2; of_client++) {
        struct world *w = world_new(fake_provider(2));
        struct made m = make(w, (struct recipe){ .valid = MK_DAY, .of_client = of_client });
        struct pair p;
        m.accepts = false;
        run(&p, &m);
        assert_taken(&p, &m, false);
        pair_free(&p);
        m.out_of_reach = true;
        run(&p, &m);
        if (of_client)
            assert_failed(&p.server, NO_CLIENT_CERTIFICATE); /* a client can do without */
        else
            assert_failed(&p.server, NO_SHARED_SCHEME);
        pair_free(&p);
        world_free(w);
    }
}

/* The client is asked after the handshake. */
static void test_late(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(2));
    struct made m = make(w, (struct recipe){ .valid = MK_DAY, .of_client = true });
    struct pair p;
    m.late = true;
    run(&p, &m);
    assert_ready(&p);
    assert_false(troth_what(p.server.c).peer_delegated);
    assert_true(troth_ask_again(p.server.c));
    pair_run(&p);
    assert_taken(&p, &m, true);
    pair_free(&p);
    world_free(w);
}

static void refused(struct pair *p, struct made *m, enum troth_reason why, uint8_t alert, int line)
{
    assert_failed_at(judging(p, m), why, __FILE__, line);
    if (troth_why(shower(p, m)->c)->alert != alert)
        test_fail("%s: alert %u", roles[m->of_client], troth_why(shower(p, m)->c)->alert);
}

/* What the peer must find: RFC 9345 4.1.3, illegal_parameter every time. */
static void test_checked(void **state)
{
    static const struct { struct recipe recipe; int64_t ahead; enum troth_reason why; int line; } rows[] = {
        { { .valid = 8 * MK_DAY }, 0, TROTH_R_DELEGATED_TOO_LONG, __LINE__ },
        { { .valid = MK_DAY, .may_not = true }, 0, TROTH_R_DELEGATED_NOT_ALLOWED, __LINE__ },
        { { .valid = MK_DAY, .no_usage = true }, 0, TROTH_R_DELEGATED_NOT_ALLOWED, __LINE__ },
        { { .valid = MK_DAY, .bad_signature = true }, 0, TROTH_R_DELEGATED_SIGNATURE, __LINE__ },
        { { .valid = MK_DAY, .of_other_role = true }, 0, TROTH_R_DELEGATED_SIGNATURE, __LINE__ },
        { { .valid = MK_DAY }, 2 * MK_DAY, TROTH_R_DELEGATED_EXPIRED, __LINE__ }, /* past its time it is not shown, so one clock is ahead */
    };
    (void)state;
    for (size_t i = 0; i < 2 * COUNT_OF(rows); i++) {
        struct world *w = world_new(fake_provider(3 + i));
        struct recipe recipe = rows[i / 2].recipe;
        struct pair p;
        recipe.of_client = i & 1;
        struct made m = make(w, recipe);
        m.ahead = rows[i / 2].ahead;
        run(&p, &m);
        refused(&p, &m, rows[i / 2].why, 47, rows[i / 2].line);
        pair_free(&p);
        world_free(w);
    }
}

/* ---- a client that shows one without having been told that it may */
static bool on_event(struct pair *p, struct pair_end *e, const troth_event *ev, void *ctx)
{
    static const uint8_t schemes[] = { SCHEME_ecdsa_secp256r1_sha256 >> 8, SCHEME_ecdsa_secp256r1_sha256 & 0xff };
    (void)p;
    if (ev->kind == TROTH_ASK_CLIENT)
        e->c->hs->wanted.delegated = SPAN_OF(schemes);
    if (ev->kind == TROTH_ASK_CLIENT)
        troth_answer_client(e->c, ctx);
    return ev->kind == TROTH_ASK_CLIENT;
}

static void tweak_asked(troth_builder *b, void *ctx)
{
    tweak_client(b, ctx);
    troth_ask_client(b);
}

static void test_unasked(void **state)
{
    (void)state;
    troth_error why;
    struct world *w = world_new(fake_provider(9));
    struct made m = make(w, (struct recipe){ .valid = MK_DAY, .of_client = true });
    struct pair p;
    m.accepts = false;
    troth_client *answers = world_client(w, tweak_client, &m);
    pair_new(&p, world_client(w, tweak_asked, &m), server(&m, &why), NULL);
    p.on_event = on_event;
    p.ctx = answers;
    pair_run(&p);
    refused(&p, &m, TROTH_R_DELEGATED_UNASKED, 10, __LINE__); /* unexpected_message (RFC 9345 4.1.2) */
    pair_free(&p);
    troth_client_free(answers);
    world_free(w);
}

/* ---- the wire, changed on its way */
static void test_tampered(void **state)
{
    static const struct { const char *field; uint8_t bytes[4]; size_t n; enum troth_reason why; } rows[] = {
        { "dc_cert_verify_algorithm", { 0x08, 0x04 }, 2, TROTH_R_DELEGATED_SCHEME },     /* RSA may not be delegated to */
        { "dc_cert_verify_algorithm", { 0x05, 0x03 }, 2, TROTH_R_DELEGATED_SCHEME },     /* another curve              */
        { "valid_time", { 0, 1, 0x80, 0 }, 4, TROTH_R_DELEGATED_SIGNATURE },
        { "algorithm", { 0x08, 0x04 }, 2, TROTH_R_DELEGATED_SCHEME },
    };
    (void)state;
    for (size_t i = 0; i < 2 * COUNT_OF(rows); i++) {
        struct world *w = world_new(fake_provider(10 + i));
        struct made m = make(w, (struct recipe){ .valid = MK_DAY, .of_client = i & 1 });
        struct overwrite cut = { .message = "Certificate", .field = rows[i / 2].field, .n = rows[i / 2].n };
        struct witness witness = overwrite_witness(&cut);
        struct pair p;
        memcpy(cut.bytes, rows[i / 2].bytes, sizeof rows[i / 2].bytes);
        open_pair(&p, &m);
        conn_watch(shower(&p, &m)->c, &witness);
        pair_run(&p);
        assert_true(cut.done);
        refused(&p, &m, rows[i / 2].why, 47, __LINE__);
        pair_free(&p);
        world_free(w);
    }
}

/* ---- configuration */
static void test_config(void **state)
{
    (void)state;
    troth_error why;
    struct world *w = world_new(fake_provider(20));
    struct made m = make(w, (struct recipe){ .valid = MK_DAY, .bad_signature = true });
    troth_server *us = server(&m, &why);
    assert_int_equal(troth_server_warning(us, 0)->reason, TROTH_R_DELEGATED_SIGNATURE);
    troth_server_free(us);
    m = make(w, (struct recipe){ .valid = MK_DAY });
    m.key = w->key_pem;
    assert_null(server(&m, &why));
    assert_int_equal(why.reason, TROTH_R_KEY_MISMATCH);
    m = make(w, (struct recipe){ .valid = MK_DAY, .scheme = SCHEME_rsa_pss_rsae_sha256 });
    assert_null(server(&m, &why));
    assert_int_equal(why.reason, TROTH_R_DELEGATED_BAD_SCHEME);
    m = make(w, (struct recipe){ .valid = MK_DAY, .scheme = SCHEME_ecdsa_secp384r1_sha384 }); /* its key is of P-256 */
    assert_null(server(&m, &why));
    assert_int_equal(why.reason, TROTH_R_DELEGATED_BAD_SCHEME);
    m = make(w, (struct recipe){ .valid = MK_DAY });
    m.credential.n--;
    assert_null(server(&m, &why));
    assert_int_equal(why.reason, TROTH_R_DELEGATED_MALFORMED);
    m = make(w, (struct recipe){ .valid = MK_DAY, .may_not = true });
    us = server(&m, &why);
    assert_int_equal(troth_server_warning(us, 0)->reason, TROTH_R_DELEGATED_NOT_ALLOWED);
    troth_server_free(us);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_taken),   cmocka_unit_test(test_not_wanted), cmocka_unit_test(test_late),   cmocka_unit_test(test_checked),
        cmocka_unit_test(test_unasked), cmocka_unit_test(test_tampered),   cmocka_unit_test(test_config),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
