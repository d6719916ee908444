/* Several servers' connections answered at once: what comes of each is what comes of it alone. */
#include "fake/fake.h"
#include "support/pair.h"
#include "support/test.h"
#include "tls/batch.h"

enum { MOST = 17 };

struct set {
    struct world       *w;
    troth_client       *us;
    troth_server       *them;
    struct pair         p[MOST];
    size_t              n;
};

static void tweak_server(troth_builder *b, void *ctx)
{
    troth_ask_server(b);
    if (ctx)
        troth_groups(b, ctx, 1);
}

static void tweak_client(troth_builder *b, void *ctx)
{
    if (ctx)
        troth_groups(b, ctx, 1);
}

static void set_new(struct set *s, troth_provider *crypto, size_t n, uint16_t *group)
{
    s->w = world_new(crypto);
    s->us = world_client(s->w, tweak_client, group);
    s->them = world_server(s->w, tweak_server, group);
    s->n = n;
    for (size_t i = 0; i < n; i++) {
        (void)config_share(&s->us->config);
        (void)config_share(&s->them->config);
        pair_new(&s->p[i], s->us, s->them, NULL);
        pair_run(&s->p[i]); /* the question is left open */
    }
}

static void set_free(struct set *s)
{
    for (size_t i = 0; i < s->n; i++)
        pair_free(&s->p[i]);
    troth_client_free(s->us);
    troth_server_free(s->them);
    world_free(s->w);
}

static void answer(struct set *s, size_t n)
{
    troth_conn *conns[MOST];
    const troth_server *us[MOST];
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(s->p[i].server.c->question, ASK_SERVER);
        conns[i] = s->p[i].server.c;
        us[i] = s->them;
    }
    troth_answer_servers(conns, us, n);
}

/* Without configurations each is told that its name is none of ours; without connections nothing happens. */
static void test_of_nothing(void **state)
{
    static struct set s;
    troth_conn *conns[2];
    (void)state;
    memset(&s, 0, sizeof s);
    set_new(&s, troth_libcrypto(), 2, NULL);
    troth_answer_servers(NULL, NULL, 2);
    for (size_t i = 0; i < 2; i++)
        conns[i] = s.p[i].server.c;
    troth_answer_servers(conns, NULL, 2);
    for (size_t i = 0; i < 2; i++) {
        pair_run(&s.p[i]);
        assert_failed(&s.p[i].server, UNRECOGNIZED_NAME);
    }
    set_free(&s);
}

static void all_ready(struct set *s)
{
    uint8_t a[32], b[32];
    for (size_t i = 0; i < s->n; i++) {
        pair_run(&s->p[i]);
        assert_ready(&s->p[i]);
        assert_true(troth_export(s->p[i].client.c, "EXPORTER-x", SPAN_NONE, a, sizeof a));
        assert_true(troth_export(s->p[i].server.c, "EXPORTER-x", SPAN_NONE, b, sizeof b));
        assert_memory_equal(a, b, sizeof a);
        for (size_t k = 0; k < i; k++) /* nobody has another's secrets */
            assert_memory_not_equal(troth_what(s->p[i].server.c).server_random.p, troth_what(s->p[k].server.c).server_random.p, 32);
    }
}

static void run_sizes(troth_provider *(*crypto)(void), uint16_t *group)
{
    static const size_t sizes[] = { 1, 2, 3, 7, 8, 9, 16, 17 };
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        static struct set s;
        memset(&s, 0, sizeof s);
        set_new(&s, crypto(), sizes[i], group);
        answer(&s, sizes[i]);
        all_ready(&s);
        set_free(&s);
    }
}

static troth_provider *fake(void)
{
    return fake_provider(1);
}

static void test_sizes(void **state)
{
    (void)state;
    static uint16_t x25519 = 0x001d, p256 = 0x0017;
    run_sizes(troth_libcrypto, &x25519);
    run_sizes(troth_libcrypto, NULL);  /* a hybrid group: signatures alone are made together */
    run_sizes(troth_libcrypto, &p256);
    run_sizes(fake, NULL);             /* a provider without either */
}

/* ---- what was ready is used, once, and only for whom it is */
static size_t replies, together;
static bool (*real_reply)(const troth_kem *, span, uint8_t *, uint8_t *, bool *);

static bool counting_reply(const troth_kem *k, span share, uint8_t *reply, uint8_t *secret, bool *broken)
{
    replies++;
    return real_reply(k, share, reply, secret, broken);
}

static void (*real_many)(void *, troth_sign_job *, size_t);

static void counting_many(void *self, troth_sign_job *jobs, size_t n)
{
    together += n;
    if (real_many)
        real_many(self, jobs, n);
}

static void test_is_together(void **state)
{
    (void)state;
    static uint16_t x25519 = 0x001d;
    static struct set s;
    memset(&s, 0, sizeof s);
    set_new(&s, troth_libcrypto(), 8, &x25519);
    troth_provider *p = s.w->mk->crypto;
    troth_kem *kem = (troth_kem *)(uintptr_t)provider_kem(p, x25519);
    real_reply = kem->reply;
    kem->reply = counting_reply;
    real_many = p->sign_many;
    p->sign_many = counting_many;
    replies = together = 0;
    answer(&s, 8);
    assert_int_equal(replies, kem->reply_many ? 0 : 8);
    assert_int_equal(together, 8);
    all_ready(&s);
    kem->reply = real_reply;
    set_free(&s);
}

/* A share of small order fails its own connection; one that is answered with nothing, or twice, or is not asking, likewise harms no other. */
static void test_failures_stay_alone(void **state)
{
    (void)state;
    static uint16_t x25519 = 0x001d;
    static struct set s;
    memset(&s, 0, sizeof s);
    set_new(&s, troth_libcrypto(), 6, &x25519);
    span raw = s.p[2].server.c->hs->hello.raw; /* its share becomes zeros: found behind group and length */
    size_t at = 0;
    static const uint8_t entry[] = { 0x00, 0x1d, 0x00, 0x20 };
    while (at + 36 < raw.n && memcmp(raw.p + at, entry, 4))
        at++;
    assert_true(at + 36 <= raw.n);
    memset((uint8_t *)(uintptr_t)raw.p + at + 4, 0, 32);
    troth_conn *conns[] = { s.p[0].server.c, s.p[1].server.c, s.p[2].server.c, NULL, s.p[0].server.c, s.p[3].server.c, s.p[4].server.c,
                            s.p[4].client.c, s.p[5].server.c };
    const troth_server *us[] = { s.them, s.them, s.them, s.them, s.them, NULL, s.them, s.them, s.them };
    troth_answer_servers(conns, us, COUNT_OF(conns));
    for (size_t i = 0; i < 6; i++)
        pair_run(&s.p[i]);
    assert_failed(&s.p[2].server, BAD_KEY_SHARE);
    assert_failed(&s.p[3].server, UNRECOGNIZED_NAME);
    assert_ready(&s.p[0]);
    assert_ready(&s.p[1]);
    assert_ready(&s.p[4]);
    assert_ready(&s.p[5]);
    set_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_sizes), cmocka_unit_test(test_is_together),
                                        cmocka_unit_test(test_failures_stay_alone), cmocka_unit_test(test_of_nothing) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
