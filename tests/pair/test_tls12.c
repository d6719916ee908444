/* TLS 1.2 in memory: every suite, group and kind of key; client certificates; staples; what is refused. */
#include "fake/fake.h"
#include "support/pair.h"
#include "support/test.h"
#include "wire/registry.h"

struct wish {
    uint16_t suite, group;
    bool     server_too;   /* the server, too, goes no further than TLS 1.2 */
    bool     is_server;
    int      auth;         /* enum troth_auth                               */
    bool     staple;
    struct world *client_has_identity;
};

static void tweak(troth_builder *b, void *ctx)
{
    const struct wish *w = ctx;
    if (!w->is_server || w->server_too)
        troth_versions(b, TROTH_TLS12, TROTH_TLS12);
    if (w->suite)
        troth_suites(b, &w->suite, 1);
    if (w->group)
        troth_groups(b, &w->group, 1);
    if (w->is_server && w->auth) {
        troth_trust_pem(b, w->client_has_identity->root_pem);
        troth_ask_client_auth(b, (enum troth_auth)w->auth);
    }
    if (!w->is_server && w->client_has_identity)
        tweak_client_identity(b, w->client_has_identity);
}

static void begin(struct pair *p, struct world *w, struct wish wish, size_t most)
{
    struct wish theirs = wish;
    theirs.is_server = true;
    if (wish.auth)
        theirs.client_has_identity = w;
    pair_new(p, world_client(w, tweak, &wish), world_server(w, tweak, &theirs), NULL);
    p->most = most;
    pair_run(p);
}

static void one(struct world *w, struct wish wish)
{
    struct pair p;
    begin(&p, w, wish, 0);
    pair_exchange_and_close(&p);
    troth_facts f = troth_what(p.client.c), g = troth_what(p.server.c);
    assert_int_equal(f.version, TROTH_TLS12);
    assert_int_equal(g.version, TROTH_TLS12);
    assert_true(f.suite == g.suite && f.group == g.group);
    assert_true((!wish.suite || f.suite == wish.suite) && (!wish.group || f.group == wish.group));
    assert_true(f.extended_master_secret && g.extended_master_secret);
    assert_true(f.peer_scheme && f.peer_scheme == g.own_scheme);
    assert_int_equal(g.client_authenticated, wish.client_has_identity != NULL);
    pair_free(&p);
}

static const uint16_t ecdsa_suites[] = { SUITE_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, SUITE_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
                                         SUITE_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256 };
static const uint16_t rsa_suites[] = { SUITE_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, SUITE_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
                                       SUITE_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256 };
static const uint16_t groups[] = { GROUP_x25519, GROUP_secp256r1, GROUP_secp384r1, GROUP_secp521r1 };

static void test_every_suite_and_group(void **state)
{
    (void)state;
    struct world *w = world_new(troth_libcrypto());
    for (size_t s = 0; s < COUNT_OF(ecdsa_suites); s++)
        one(w, (struct wish){ .suite = ecdsa_suites[s] });
    world_free(w);
    w = world_new_with(troth_libcrypto(), TROTH_KEY_RSA, TROTH_KEY_P256);
    for (size_t s = 0; s < COUNT_OF(rsa_suites); s++)
        for (size_t g = 0; g < COUNT_OF(groups); g++)
            one(w, (struct wish){ .suite = rsa_suites[s], .group = groups[g], .server_too = true });
    world_free(w);
}

static void test_every_key(void **state)
{
    static const enum troth_key_type keys[] = { TROTH_KEY_RSA, TROTH_KEY_P384, TROTH_KEY_P521, TROTH_KEY_ED25519, TROTH_KEY_ED448 };
    (void)state;
    for (size_t k = 0; k < COUNT_OF(keys); k++) {
        struct world *w = world_new_with(troth_libcrypto(), keys[k], keys[k]);
        one(w, (struct wish){ 0 });
        one(w, (struct wish){ .auth = TROTH_AUTH_REQUIRED, .client_has_identity = w });
        world_free(w);
    }
}

static void test_client_certificates(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(1));
    one(w, (struct wish){ .auth = TROTH_AUTH_REQUIRED, .client_has_identity = w });
    one(w, (struct wish){ .auth = TROTH_AUTH_OPTIONAL, .client_has_identity = w });
    one(w, (struct wish){ .auth = TROTH_AUTH_OPTIONAL });
    struct pair p;
    begin(&p, w, (struct wish){ .auth = TROTH_AUTH_REQUIRED }, 0);
    assert_failed(&p.server, NO_CLIENT_CERTIFICATE);
    assert_failed(&p.client, CLIENT_CERT_REQUIRED);
    assert_int_equal(troth_why(p.client.c)->alert, 40);
    pair_free(&p);
    world_free(w);
}

/* The same result however the bytes are cut. */
static void test_byte_by_byte(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(2));
    for (size_t most = 1; most < 40; most = most * 2 + 1) {
        struct pair p;
        begin(&p, w, (struct wish){ .auth = TROTH_AUTH_REQUIRED, .client_has_identity = w }, most);
        pair_exchange_and_close(&p);
        pair_free(&p);
    }
    world_free(w);
}


static void test_nothing_in_common(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(3));
    struct pair p;
    begin(&p, w, (struct wish){ .suite = SUITE_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 }, 0);
    assert_failed(&p.server, NO_SHARED_SUITE);
    pair_free(&p);
    begin(&p, w, (struct wish){ .group = GROUP_x25519 }, 0); /* the curve of its key is not one the client supports (RFC 8422 5.1) */
    assert_failed(&p.server, LEAF_CURVE);
    pair_free(&p);
    world_free(w);
    w = world_new_with(troth_libcrypto(), TROTH_KEY_RSA, TROTH_KEY_P256);
    struct wish client = { .group = GROUP_x25519 }, server = { .group = GROUP_secp384r1, .is_server = true };
    pair_new(&p, world_client(w, tweak, &client), world_server(w, tweak, &server), NULL);
    pair_run(&p);
    assert_failed(&p.server, NO_SHARED_GROUP);
    pair_free(&p);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_suite_and_group), cmocka_unit_test(test_every_key),  cmocka_unit_test(test_client_certificates),
        cmocka_unit_test(test_byte_by_byte),          cmocka_unit_test(test_nothing_in_common),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
