/* Signatures on certificates that a configuration remembers: which are verified again, which are not, and that nothing else is skipped.
 * links: pthread */
#include <pthread.h>

#include "base/secret.h"
#include "support/pair.h"
#include "support/test.h"
#include "tls/conn.h"
#include "x509/remember.h"

/* ---- a provider that counts what it verifies */
static void (*real_verify)(void *, troth_verify_job *, size_t);
static size_t verified;

static void counting(void *self, troth_verify_job *jobs, size_t n)
{
    verified += n;
    real_verify(self, jobs, n);
}

static struct world *counting_world(void)
{
    struct world *w = world_new(troth_libcrypto());
    real_verify = w->mk->crypto->verify;
    w->mk->crypto->verify = counting;
    return w;
}

static int64_t later(void *ctx)
{
    return test_clock(ctx) + (int64_t)50 * 365 * 86400;
}

struct how {
    bool afresh, late, no_tickets;
};

static void tweak(troth_builder *b, void *ctx)
{
    const struct how *how = ctx;
    if (how->afresh)
        troth_verify_afresh(b);
    if (how->late)
        troth_clock(b, later, NULL);
}

/* One handshake of configurations that live on; how many signatures the client verified. */
static size_t handshake(const troth_client *us, const troth_server *them, struct pair *p)
{
    (void)config_share(&us->config);
    (void)config_share(&them->config);
    verified = 0;
    pair_new(p, (troth_client *)(uintptr_t)us, (troth_server *)(uintptr_t)them, NULL);
    pair_run(p);
    return verified;
}

static void test_once(void **state)
{
    (void)state;
    struct world *w = counting_world();
    struct how plain = { 0 }, afresh = { .afresh = true };
    troth_client *us = world_client(w, tweak, &plain), *careful = world_client(w, tweak, &afresh);
    troth_server *them = world_server(w, NULL, NULL);
    struct pair p;
    size_t first = handshake(us, them, &p);
    assert_ready(&p);
    pair_free(&p);
    assert_true(first >= 2); /* the chain's, and CertificateVerify's */
    assert_int_equal(handshake(us, them, &p), 1); /* CertificateVerify's alone */
    assert_ready(&p);
    const troth_report *r = troth_peer(p.client.c); /* a report is made of everything */
    assert_true(troth_report_ok(r) && troth_report_work(r).signatures == first - 1);
    pair_free(&p);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(handshake(careful, them, &p), first);
        assert_ready(&p);
        pair_free(&p);
    }
    troth_client_free(us);
    troth_client_free(careful);
    troth_server_free(them);
    world_free(w);
}

/* What is known of the server's key: from the second handshake on, as the first verifies all signatures at once. */
static bool (*real_know)(void *, const troth_public_key *, void *);
static unsigned known;

static bool counting_know(void *self, const troth_public_key *key, void *out)
{
    known++;
    return real_know(self, key, out);
}

static void test_key(void **state)
{
    (void)state;
    struct world *w = counting_world();
    troth_provider *crypto = w->mk->crypto;
    real_know = crypto->know;
    if (!real_know) { /* this processor has no use for it */
        world_free(w);
        skip();
    }
    crypto->know = counting_know;
    struct how plain = { 0 };
    troth_client *us = world_client(w, tweak, &plain);
    troth_server *them = world_server(w, NULL, NULL);
    struct pair p;
    static const unsigned expected[] = { 0, 1, 1, 1 };
    known = 0;
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        (void)handshake(us, them, &p);
        assert_ready(&p);
        assert_int_equal(known, expected[i]);
        pair_free(&p);
    }
    troth_client_free(us);
    troth_server_free(them);
    world_free(w);
}

/* The chain is known; its time is over, or its name is another's. */
static void test_the_rest_is_checked(void **state)
{
    (void)state;
    struct world *w = counting_world();
    struct how plain = { 0 };
    troth_client *us = world_client(w, tweak, &plain);
    troth_server *them = world_server(w, NULL, NULL);
    struct pair p;
    (void)handshake(us, them, &p);
    assert_ready(&p);
    pair_free(&p);
    ((struct config *)(uintptr_t)&us->config)->clock = later;
    (void)handshake(us, them, &p);
    assert_failed(&p.client, CERT_EXPIRED);
    assert_int_equal(troth_report_error(troth_peer(p.client.c))->reason, TROTH_R_CERT_EXPIRED);
    pair_free(&p);
    ((struct config *)(uintptr_t)&us->config)->clock = test_clock;
    (void)config_share(&us->config);
    (void)config_share(&them->config);
    pair_new(&p, us, them, "b.example");
    pair_run(&p);
    assert_failed(&p.client, CERT_NAME_MISMATCH);
    pair_free(&p);
    troth_client_free(us);
    troth_server_free(them);
    world_free(w);
}

/* ---- the memory itself */
struct keeper {
    struct remembered *m;
    uint64_t           seed, wrong;
};

/* Adds tags of its own and looks for some that nobody adds. */
static void *keep(void *arg)
{
    struct keeper *k = arg;
    for (uint64_t i = 1; i < 20000; i++) {
        uint64_t v = (i * 2 + k->seed) * 0x9e3779b97f4a7c15;
        remembered_add(k->m, &(struct remembered_tag){ v, ~v });
        k->wrong += remembered_has(k->m, &(struct remembered_tag){ v, v });
    }
    return NULL;
}

static void test_threads(void **state)
{
    (void)state;
    static struct remembered m;
    struct keeper k[2] = { { .m = &m, .seed = 0 }, { .m = &m, .seed = 1 } };
    pthread_t t[2];
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&t[i], NULL, keep, &k[i]), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(t[i], NULL);
    assert_true(!k[0].wrong && !k[1].wrong);
    assert_false(remembered_has(&m, &(struct remembered_tag){ 7, 7 }));
    remembered_add(&m, &(struct remembered_tag){ 7, 7 });
    assert_true(remembered_has(&m, &(struct remembered_tag){ 7, 7 }));
}

/* Everything that a verification depends on is in the tag. */
static void test_tags(void **state)
{
    (void)state;
    struct world *w = world_new(troth_libcrypto());
    const troth_provider *crypto = w->mk->crypto;
    struct remembered m, other;
    assert_true(remembered_init(&m, crypto) && remembered_init(&other, crypto));
    struct cert child = { .tbs = SPAN_TEXT("tbs"), .signature = SPAN_TEXT("signature"), .sig = TROTH_SIG_ECDSA_SHA256 },
                issuer = { .spki = SPAN_TEXT("key") }, c = child, i = issuer;
    struct remembered_tag was, is;
    assert_true(remembered_tag(&m, &was, crypto, &child, &issuer) && remembered_tag(&m, &is, crypto, &c, &i));
    assert_memory_equal(&was, &is, sizeof is);
#define DIFFERS(change)                                                       \
    do {                                                                      \
        c = child, i = issuer;                                                \
        change;                                                               \
        assert_true(remembered_tag(&m, &is, crypto, &c, &i));                 \
        assert_memory_not_equal(&was, &is, sizeof is);                        \
    } while (0)
    DIFFERS(c.tbs = SPAN_TEXT("tbt"));
    DIFFERS(c.signature = SPAN_TEXT("signaturf"));
    DIFFERS(c.sig = TROTH_SIG_ECDSA_SHA384);
    DIFFERS(c.sig_salt_n = 20);
    DIFFERS(i.spki = SPAN_TEXT("kez"));
    DIFFERS((c.tbs = SPAN_TEXT("tbss"), c.signature = SPAN_TEXT("ignature")));
    assert_true(remembered_tag(&other, &is, crypto, &child, &issuer));
    assert_memory_not_equal(&was, &is, sizeof is);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_once), cmocka_unit_test(test_key),
                                        cmocka_unit_test(test_the_rest_is_checked),
                                        cmocka_unit_test(test_threads), cmocka_unit_test(test_tags) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
