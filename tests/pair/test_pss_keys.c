/* RSA-PSS keys whose parameters tie them to a hash and a salt (RFC 4055 3.1, RFC 9846 4.3.3): their handshake signatures are held to
 * that like their certificates', in both versions, by both ends. */
#include "fake/fake.h"
#include "support/pair.h"

#include "support/test.h"
#include "tls/conn.h"
#include "wire/registry.h"

struct ends {
    struct world *world;
    uint16_t      version;
    bool          by_client;    /* the client has the tied key, not the server    */
};

static const uint16_t versions[] = { TROTH_TLS13, TROTH_TLS12 };

static span limited_chain(struct world *w, struct issue leaf, span limit)
{
    leaf.spki = mk_spki(w->mk, leaf.key, limit);
    span der = mk_cert(w->mk, &leaf);
    const char *pem = mk_pem(w->mk, "CERTIFICATE", &der, 1);
    return span_of(pem, strlen(pem));
}

static void tweak(troth_builder *b, void *ctx)
{
    const struct ends *e = ctx;
    troth_versions(b, e->version, e->version);
}

static void tweak_client(troth_builder *b, void *ctx)
{
    const struct ends *e = ctx;
    tweak(b, ctx);
    if (e->by_client)
        tweak_client_identity(b, e->world);
}

static void tweak_server(troth_builder *b, void *ctx)
{
    const struct ends *e = ctx;
    tweak(b, ctx);
    if (e->by_client)
        troth_ask_client_auth(b, TROTH_AUTH_REQUIRED);
}

/* The liar's configuration says that its key signs with SHA-256 alone. */
static void lie(troth_conn *c)
{
    static const uint8_t scheme[] = { SCHEME_rsa_pss_pss_sha256 >> 8, SCHEME_rsa_pss_pss_sha256 & 255 };
    ((struct identity *)c->cfg->identities)[0].schemes = SPAN_OF(scheme);
}

static void run(struct pair *p, struct ends *e, bool lies)
{
    struct world *w = e->world;
    pair_new(p, world_client(w, tweak_client, e), world_server(w, tweak_server, e), NULL);
    if (lies)
        lie(e->by_client ? p->client.c : p->server.c);
    pair_run(p);
}

static struct world *world(unsigned seed, span limit)
{
    struct world *w = world_new_with(fake_provider(seed), TROTH_KEY_RSA_PSS, TROTH_KEY_RSA_PSS);
    w->chain_pem = limited_chain(w, w->leaf, limit);
    w->client_chain_pem = limited_chain(w, w->client_leaf, limit);
    return w;
}

static void signs_with_the_hash_that_its_key_allows(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2 * COUNT_OF(versions); i++) {
        struct pair p;
        struct ends e = { .world = world(1 + i, MK_PSS_SHA384("\x30")), .version = versions[i / 2], .by_client = i % 2 };
        run(&p, &e, false);
        assert_ready(&p);
        assert_int_equal(troth_what(i % 2 ? p.client.c : p.server.c).own_scheme, SCHEME_rsa_pss_pss_sha384);
        assert_int_equal(troth_what(i % 2 ? p.server.c : p.client.c).peer_scheme, SCHEME_rsa_pss_pss_sha384);
        pair_free(&p);
        world_free(e.world);
    }
}

static void refuses_another_hash(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2 * COUNT_OF(versions); i++) {
        struct pair p;
        struct ends e = { .world = world(11 + i, MK_PSS_SHA384("\x14")), .version = versions[i / 2], .by_client = i % 2 };
        run(&p, &e, true);
        assert_failed(i % 2 ? &p.server : &p.client, SCHEME_WRONG_KEY);
        pair_free(&p);
        world_free(e.world);
    }
}

/* All signatures of TLS have a salt as long as the hash: one byte more is too much to ask, one less is not. */
static void a_salt_is_no_shorter_than_the_key_says(void **state)
{
    (void)state;
    struct world *w = world(21, MK_PSS_SHA256("\x1f"));
    struct ends e = { .world = w, .version = TROTH_TLS13 };
    struct pair p;
    run(&p, &e, false);
    assert_ready(&p);
    pair_free(&p);

    troth_error why;
    troth_builder *b = troth_server_builder(troth_provider_share(w->mk->crypto));
    troth_identity_pem(b, limited_chain(w, w->leaf, MK_PSS_SHA256("\x21")), w->key_pem);
    assert_null(troth_build_server(b, &why));
    assert_int_equal(why.reason, TROTH_R_BAD_ARGUMENT);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signs_with_the_hash_that_its_key_allows),
        cmocka_unit_test(refuses_another_hash),
        cmocka_unit_test(a_salt_is_no_shorter_than_the_key_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
