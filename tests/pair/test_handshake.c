/* Client against server, in memory: every suite, group and kind of key; certificates of clients; retries; ALPN; the end. */
#include "fake/fake.h"
#include "support/pair.h"
#include "support/test.h"
#include "wire/registry.h"

/* ---- one combination */
struct combination {
    uint16_t suite, group;
};

static void tweak_combination(troth_builder *b, void *ctx)
{
    const struct combination *c = ctx;
    if (c->suite)
        troth_suites(b, &c->suite, 1);
    if (c->group)
        troth_groups(b, &c->group, 1);
}

static void one(struct world *w, uint16_t suite, uint16_t group)
{
    struct combination c = { suite, group };
    struct pair p;
    pair_new(&p, world_client(w, tweak_combination, &c), world_server(w, tweak_combination, &c), NULL);
    pair_run(&p);
    pair_exchange_and_close(&p);
    troth_facts f = troth_what(p.client.c), g = troth_what(p.server.c);
    assert_int_equal(f.version, TROTH_TLS13);
    assert_int_equal(f.version, g.version);
    assert_int_equal(f.suite, g.suite);
    assert_int_equal(f.group, g.group);
    assert_true(!suite || f.suite == suite);
    assert_true(!group || f.group == group);
    assert_true(f.peer_scheme && f.peer_scheme == g.own_scheme);
    pair_free(&p);
}

static const uint16_t all_suites[] = { SUITE_TLS_AES_128_GCM_SHA256, SUITE_TLS_AES_256_GCM_SHA384,
                                       SUITE_TLS_CHACHA20_POLY1305_SHA256 };
static const uint16_t all_groups[] = { GROUP_x25519,           GROUP_secp256r1,        GROUP_secp384r1,         GROUP_secp521r1,
                                       GROUP_X25519MLKEM768,   GROUP_SecP256r1MLKEM768, GROUP_SecP384r1MLKEM1024, GROUP_MLKEM1024 };

static void test_defaults(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(1));
    one(w, 0, 0);
    world_free(w);
    w = world_new(troth_libcrypto());
    one(w, 0, 0);
    world_free(w);
}

static void test_every_suite_and_group(void **state)
{
    (void)state;
    for (int real = 0; real < 2; real++) {
        struct world *w = world_new(real ? troth_libcrypto() : fake_provider(2));
        for (size_t s = 0; s < COUNT_OF(all_suites); s++)
            for (size_t g = 0; g < COUNT_OF(all_groups); g++)
                one(w, all_suites[s], all_groups[g]);
        world_free(w);
    }
}

static void test_every_key(void **state)
{
    static const enum troth_key_type keys[] = { TROTH_KEY_RSA,  TROTH_KEY_P256, TROTH_KEY_P384,
                                                TROTH_KEY_P521, TROTH_KEY_ED25519, TROTH_KEY_ED448 };
    (void)state;
    for (size_t k = 0; k < COUNT_OF(keys); k++) {
        struct world *w = world_new_with(troth_libcrypto(), keys[k], TROTH_KEY_P256);
        one(w, 0, GROUP_x25519);
        world_free(w);
    }
}

/* ---- HelloRetryRequest */
static void tweak_groups(troth_builder *b, void *ctx)
{
    static const uint16_t for_client[] = { GROUP_x25519, GROUP_secp256r1 }, for_server[] = { GROUP_secp256r1 };
    if (ctx)
        troth_groups(b, for_server, 1);
    else
        troth_groups(b, for_client, 2);
    if (ctx == (void *)2)
        troth_retry_cookie(b);
}

static void test_retry(void **state)
{
    (void)state;
    for (int cookie = 1; cookie <= 2; cookie++) {
        struct world *w = world_new(troth_libcrypto());
        struct pair p;
        pair_new(&p, world_client(w, tweak_groups, NULL), world_server(w, tweak_groups, (void *)(uintptr_t)cookie), NULL);
        pair_run(&p);
        pair_exchange_and_close(&p);
        assert_true(troth_what(p.client.c).hello_retry && troth_what(p.server.c).hello_retry);
        assert_int_equal(troth_what(p.client.c).group, GROUP_secp256r1);
        pair_free(&p);
        world_free(w);
    }
}

static void tweak_p384(troth_builder *b, void *ctx)
{
    static const uint16_t g = GROUP_secp384r1;
    (void)ctx;
    troth_groups(b, &g, 1);
}

static void tweak_x25519(troth_builder *b, void *ctx)
{
    static const uint16_t g = GROUP_x25519;
    (void)ctx;
    troth_groups(b, &g, 1);
}

static void test_nothing_in_common(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(3));
    struct pair p;
    pair_new(&p, world_client(w, tweak_p384, NULL), world_server(w, tweak_x25519, NULL), NULL);
    pair_run(&p);
    assert_failed(&p.server, NO_SHARED_GROUP);
    assert_failed(&p.client, NO_SHARED_GROUP);
    assert_true(troth_why(p.client.c)->from_peer && !troth_why(p.server.c)->from_peer);
    pair_free(&p);
    struct combination a = { SUITE_TLS_AES_128_GCM_SHA256, 0 }, b = { SUITE_TLS_AES_256_GCM_SHA384, 0 };
    pair_new(&p, world_client(w, tweak_combination, &a), world_server(w, tweak_combination, &b), NULL);
    pair_run(&p);
    assert_failed(&p.server, NO_SHARED_SUITE);
    pair_free(&p);
    world_free(w);
}

/* ---- client certificates */
static void tweak_auth(troth_builder *b, void *ctx)
{
    troth_ask_client_auth(b, *(enum troth_auth *)ctx);
}

static void run_auth(enum troth_auth auth, bool has, struct pair *p, struct world *w)
{
    pair_new(p, world_client(w, has ? tweak_client_identity : NULL, w), world_server(w, tweak_auth, &auth), NULL);
    pair_run(p);
}

static void test_client_certificates(void **state)
{
    (void)state;
    struct world *w = world_new(troth_libcrypto());
    struct pair p;
    run_auth(TROTH_AUTH_REQUIRED, true, &p, w);
    pair_exchange_and_close(&p);
    assert_true(troth_what(p.server.c).client_authenticated);
    assert_non_null(troth_peer(p.server.c));
    assert_true(troth_what(p.client.c).acceptable_authorities.n > 0);
    pair_free(&p);

    run_auth(TROTH_AUTH_OPTIONAL, false, &p, w);
    pair_exchange_and_close(&p);
    assert_false(troth_what(p.server.c).client_authenticated);
    pair_free(&p);

    run_auth(TROTH_AUTH_REQUIRED, false, &p, w);
    assert_failed(&p.server, NO_CLIENT_CERTIFICATE);
    assert_failed(&p.client, CLIENT_CERT_REQUIRED);
    pair_free(&p);
    world_free(w);
}

static void test_client_certificate_refused(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(4)), *other = world_new(fake_provider(5));
    enum troth_auth auth = TROTH_AUTH_REQUIRED;
    struct pair p;
    pair_new(&p, world_client(w, tweak_client_identity, other), world_server(w, tweak_auth, &auth), NULL);
    pair_run(&p);
    assert_true(p.server.failed && p.client.failed);
    assert_failed(&p.client, CLIENT_CERT_UNKNOWN_CA);
    pair_free(&p);
    world_free(w);
    world_free(other);
}

/* ---- ALPN and names */
static void tweak_alpn(troth_builder *b, void *ctx)
{
    const char *const *names = ctx;
    size_t n = 0;
    while (names[n])
        n++;
    troth_alpn(b, names, n);
}

static void test_alpn(void **state)
{
    (void)state;
    static const char *client[] = { "h2", "http/1.1", NULL }, *server[] = { "http/1.1", "spdy", NULL }, *other[] = { "foo", NULL };
    struct world *w = world_new(fake_provider(6));
    struct pair p;
    pair_new(&p, world_client(w, tweak_alpn, client), world_server(w, tweak_alpn, server), NULL);
    pair_run(&p);
    assert_ready(&p);
    troth_span a = troth_what(p.client.c).alpn, b = troth_what(p.server.c).alpn;
    assert_true(a.n == 8 && b.n == 8 && !memcmp(a.p, "http/1.1", 8) && !memcmp(b.p, "http/1.1", 8));
    pair_free(&p);
    pair_new(&p, world_client(w, tweak_alpn, other), world_server(w, tweak_alpn, server), NULL);
    pair_run(&p);
    assert_failed(&p.server, NO_SHARED_ALPN);
    assert_failed(&p.client, NO_SHARED_ALPN);
    pair_free(&p);
    world_free(w);
}

static void tweak_second_identity(troth_builder *b, void *ctx)
{
    span chain, key;
    world_identity(ctx, TROTH_KEY_ED25519, "b.example", &chain, &key);
    troth_identity_pem(b, chain, key);
    troth_strict_sni(b);
}

static void test_identity_by_name(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(7));
    struct pair p;
    pair_new(&p, world_client(w, NULL, NULL), world_server(w, tweak_second_identity, w), "b.example");
    pair_run(&p);
    assert_ready(&p);
    assert_int_equal(troth_what(p.server.c).own_scheme, SCHEME_ed25519);
    assert_true(troth_what(p.server.c).server_name.n == 9);
    pair_free(&p);
    pair_new(&p, world_client(w, NULL, NULL), world_server(w, tweak_second_identity, w), "c.example");
    pair_run(&p);
    assert_failed(&p.server, UNRECOGNIZED_NAME);
    assert_failed(&p.client, UNRECOGNIZED_NAME);
    pair_free(&p);
    pair_new(&p, world_client(w, NULL, NULL), world_server(w, NULL, NULL), "c.example");
    pair_run(&p);
    assert_failed(&p.client, CERT_NAME_MISMATCH);
    assert_failed(&p.server, ALERT_BAD_CERTIFICATE);
    assert_non_null(troth_peer(p.client.c));
    pair_free(&p);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_every_suite_and_group),
        cmocka_unit_test(test_every_key),
        cmocka_unit_test(test_retry),
        cmocka_unit_test(test_nothing_in_common),
        cmocka_unit_test(test_client_certificates),
        cmocka_unit_test(test_client_certificate_refused),
        cmocka_unit_test(test_alpn),
        cmocka_unit_test(test_identity_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
