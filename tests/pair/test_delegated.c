/* Delegated credentials (RFC 9345): taken, not taken, and every check of a client on one. */
#include "fake/fake.h"
#include "support/credential.h"
#include "support/pair.h"
#include "support/test.h"
#include "tls/delegated.h"
#include "wire/registry.h"

/* ---- a certificate that may delegate, and a credential */
struct made {
    struct world *world;
    span          chain, credential, key; /* PEM, bytes, PEM */
    bool          accepts, out_of_reach;
};

static struct made make(struct world *w, struct recipe recipe)
{
    struct credential c = credential_make(w, recipe);
    return (struct made){ .world = w, .chain = c.chain, .credential = c.credential, .key = c.key, .accepts = true };
}

static void tweak_client(troth_builder *b, void *ctx)
{
    const struct made *m = ctx;
    if (m->accepts)
        troth_accept_delegated(b);
}

/* Its own server: the world's has an identity already. */
static troth_server *server(struct made *m, troth_error *why)
{
    troth_builder *b = troth_server_builder(troth_provider_share(m->world->mk->crypto));
    troth_clock(b, test_clock, NULL);
    if (m->out_of_reach)
        troth_identity_external(b, m->chain, NULL);
    else
        troth_identity_pem(b, m->chain, m->world->key_pem);
    troth_identity_delegated(b, m->credential, m->key);
    return troth_build_server(b, why);
}

static void run(struct pair *p, struct made *m)
{
    troth_error why;
    troth_server *us = server(m, &why);
    if (!us)
        test_fail("%s: %s", why.code, why.detail);
    pair_new(p, world_client(m->world, tweak_client, m), us, NULL);
    pair_run(p);
}

static void test_taken(void **state)
{
    (void)state;
    for (int real = 0; real < 2; real++) {
        struct world *w = world_new(real ? troth_libcrypto() : fake_provider(1));
        struct made m = make(w, (struct recipe){ .valid = MK_DAY });
        for (int reach = 0; reach < 2; reach++) {
            struct pair p;
            m.out_of_reach = reach;
            run(&p, &m);
            assert_ready(&p);
            assert_true(troth_what(p.client.c).delegated && troth_what(p.server.c).delegated);
            assert_int_equal(troth_what(p.client.c).peer_scheme, SCHEME_ecdsa_secp256r1_sha256);
            pair_free(&p);
        }
        world_free(w);
    }
}

/* A client that does not take them sees the certificate's own key, if that is there. */
static void test_not_wanted(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(2));
    struct made m = make(w, (struct recipe){ .valid = MK_DAY });
    struct pair p;
    m.accepts = false;
    run(&p, &m);
    assert_ready(&p);
    assert_false(troth_what(p.client.c).delegated || troth_what(p.server.c).delegated);
    pair_free(&p);
    m.out_of_reach = true;
    run(&p, &m);
    assert_failed(&p.server, NO_SHARED_SCHEME);
    pair_free(&p);
    world_free(w);
}

static void test_checked(void **state)
{
    static const struct { struct recipe recipe; enum troth_reason why; } rows[] = {
        { { .valid = 8 * MK_DAY }, TROTH_R_DELEGATED_TOO_LONG },
        { { .valid = MK_DAY, .may_not = true }, TROTH_R_DELEGATED_NOT_ALLOWED },
        { { .valid = MK_DAY, .no_usage = true }, TROTH_R_DELEGATED_NOT_ALLOWED },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct world *w = world_new(fake_provider(3 + i));
        struct made m = make(w, rows[i].recipe);
        struct pair p;
        run(&p, &m);
        assert_failed_at(&p.client, rows[i].why, __FILE__, __LINE__);
        assert_int_equal(troth_why(p.server.c)->alert, 47); /* illegal_parameter (RFC 9345 4.1.3) */
        pair_free(&p);
        world_free(w);
    }
}

/* Past its time a server does not send it, so the client's clock is the one that is ahead here. */
static int64_t clock_ahead(void *ctx)
{
    (void)ctx;
    return MK_NOW + 2 * MK_DAY;
}

static void tweak_ahead(troth_builder *b, void *ctx)
{
    tweak_client(b, ctx);
    troth_clock(b, clock_ahead, NULL);
}

static void test_expired(void **state)
{
    (void)state;
    troth_error why;
    struct world *w = world_new(fake_provider(8));
    struct made m = make(w, (struct recipe){ .valid = MK_DAY });
    struct pair p;
    pair_new(&p, world_client(w, tweak_ahead, &m), server(&m, &why), NULL);
    pair_run(&p);
    assert_failed(&p.client, DELEGATED_EXPIRED);
    pair_free(&p);
    world_free(w);
}

/* ---- the wire, changed on its way */
struct cut {
    const char *field;
    span        raw;
    uint8_t     bytes[4];
    size_t      n;
    bool        here, done;
};

static void on_message(void *self, const struct saw_message *m)
{
    struct cut *s = self;
    s->here = m->ours && !strcmp(m->type, "Certificate");
    s->raw = m->raw;
}

static void on_field(void *self, const struct sighting *f)
{
    struct cut *s = self;
    if (!s->here || s->done || strcmp(f->name, s->field))
        return;
    memcpy((uint8_t *)(uintptr_t)s->raw.p + f->at, s->bytes, s->n);
    s->done = true;
}

static void tweak_plain(troth_builder *b, void *ctx)
{
    tweak_client(b, ctx);
    troth_compressors(b, NULL, 0);
}

static void test_tampered(void **state)
{
    static const struct { const char *field; uint8_t bytes[4]; size_t n; enum troth_reason why; } rows[] = {
        { "dc_cert_verify_algorithm", { 0x08, 0x04 }, 2, TROTH_R_DELEGATED_SCHEME },     /* RSA may not be delegated to */
        { "dc_cert_verify_algorithm", { 0x05, 0x03 }, 2, TROTH_R_DELEGATED_SCHEME },     /* another curve              */
        { "valid_time", { 0, 1, 0x80, 0 }, 4, TROTH_R_DELEGATED_SIGNATURE },
        { "algorithm", { 0x08, 0x04 }, 2, TROTH_R_DELEGATED_SCHEME },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        troth_error why;
        struct world *w = world_new(fake_provider(10 + i));
        struct made m = make(w, (struct recipe){ .valid = MK_DAY });
        struct cut cut = { .field = rows[i].field, .n = rows[i].n };
        struct witness witness = { .self = &cut, .message = on_message, .field = on_field };
        struct pair p;
        memcpy(cut.bytes, rows[i].bytes, sizeof cut.bytes);
        pair_new(&p, world_client(w, tweak_plain, &m), server(&m, &why), NULL);
        conn_watch(p.server.c, &witness);
        pair_run(&p);
        assert_true(cut.done);
        assert_failed_at(&p.client, rows[i].why, __FILE__, __LINE__);
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
    m = make(w, (struct recipe){ .valid = MK_DAY });
    m.credential.n--;
    assert_null(server(&m, &why));
    assert_int_equal(why.reason, TROTH_R_BAD_ARGUMENT);
    m = make(w, (struct recipe){ .valid = MK_DAY, .may_not = true });
    us = server(&m, &why);
    assert_int_equal(troth_server_warning(us, 0)->reason, TROTH_R_DELEGATED_NOT_ALLOWED);
    troth_server_free(us);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_taken),   cmocka_unit_test(test_not_wanted), cmocka_unit_test(test_checked),
        cmocka_unit_test(test_expired), cmocka_unit_test(test_tampered),   cmocka_unit_test(test_config),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
