/* Encrypted Client Hello, with the hellos changed on the wire, where they are in the clear: each change has its own reason (RFC 9849). */
#include "base/wr.h"
#include "fake/fake.h"
#include "support/pair.h"
#include "support/test.h"
#include "wire/registry.h"

static struct world *w;
static troth_ech_pair key;

static int set_up(void **state)
{
    (void)state;
    troth_error why;
    w = world_new(troth_libcrypto()); /* the fake one does not hide anything */
    if (!troth_ech_make(w->mk->crypto, "public.example", 32, &key, &why))
        test_fail("%s: %s", why.code, why.detail);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_free(w);
    return 0;
}

/* ---- a client that knows the key, a server that has it and wants another group */
static void client_tweak(troth_builder *b, void *ctx)
{
    static const uint16_t groups[] = { GROUP_x25519, GROUP_secp256r1 };
    const troth_ech_pair *use = ctx;
    uint8_t room[1024];
    struct wr list = wr_into(room, sizeof room);
    troth_versions(b, TROTH_TLS13, TROTH_TLS13);
    troth_groups(b, groups, 2);
    if (!use)
        return;
    wr_opaque(&list, 2, span_of(use->config, use->config_n));
    troth_ech_configs(b, wr_done(&list));
}

static void server_tweak(troth_builder *b, void *ctx)
{
    static const uint16_t groups[] = { GROUP_secp256r1 };
    (void)ctx;
    troth_versions(b, TROTH_TLS13, TROTH_TLS13);
    troth_groups(b, groups, 1);
    troth_ech_key(b, span_of(key.config, key.config_n), SPAN_OF(key.private_key), true);
}

static void all(struct pair *p, struct pair_end *e)
{
    while (pair_step(p, e))
        ;
}

/* Until the server has answered the first hello: it asks for another one. */
static void begin(struct pair *p)
{
    pair_new(p, world_client(w, client_tweak, &key), world_server(w, server_tweak, NULL), NULL);
    all(p, &p->client);
    all(p, &p->server);
}

static unsigned u16_at(const uint8_t *p)
{
    return (unsigned)(p[0] << 8 | p[1]);
}

/* The message of this type among the records that wait; NULL: not there. */
static uint8_t *waiting(struct pipe *pipe, uint8_t type)
{
    for (size_t at = pipe->taken; at + 9 < pipe->n; at += 5 + u16_at(pipe->p + at + 3))
        if (pipe->p[at] == CONTENT_handshake && pipe->p[at + 5] == type)
            return pipe->p + at + 5;
    return NULL;
}

/* The extension in a ClientHello, from its type on. */
static uint8_t *ext_in(uint8_t *hello, unsigned type)
{
    assert_non_null(hello);
    uint8_t *end = hello + 4 + u16_at(hello + 2), *p = hello + 38;
    p += 1 + p[0];
    p += 2 + u16_at(p);
    p += 1 + p[0] + 2;
    for (; p + 4 <= end; p += 4 + u16_at(p + 2))
        if (u16_at(p) == type)
            return p;
    test_fail("no extension %u", type);
    return NULL;
}

static void test_second_hello(void **state)
{
    (void)state;
    enum { UNCHANGED, GONE, CHANGED, UNREADABLE };
    for (int how = UNCHANGED; how <= UNREADABLE; how++) {
        struct pair p;
        begin(&p);
        all(&p, &p.client);
        uint8_t *ech = ext_in(waiting(&p.to_server, HS_client_hello), EXT_encrypted_client_hello);
        if (how == GONE)
            ech[0] = ech[1] = 0xab;
        if (how == CHANGED)
            ech[4 + 5] ^= 1; /* config_id, behind the type and the suite */
        if (how == UNREADABLE)
            ech[4 + u16_at(ech + 2) - 1] ^= 1;
        pair_run(&p);
        if (how == UNCHANGED)
            assert_ready(&p);
        if (how == GONE)
            assert_failed(&p.server, ECH_GONE);
        if (how == CHANGED)
            assert_failed(&p.server, ECH_CHANGED);
        if (how == UNREADABLE)
            assert_failed(&p.server, ECH_UNREADABLE);
        pair_free(&p);
    }
}

/* Nothing was accepted, and one of the two hellos has no ECH: configurations to try again with are given where the second one asks, and only
 * there (RFC 9849 7.1.1; RFC 9846 4.3).  The fake provider's records can be read. */
static void test_one_hello_of_two(void **state)
{
    struct world *real = w;
    const troth_ech_pair real_key = key;
    w = world_new(fake_provider(1));
    troth_error why;
    (void)state;
    assert_true(troth_ech_make(w->mk->crypto, "public.example", 32, &key, &why));
    for (int only_second = 0; only_second < 2; only_second++) {
        struct pair p;
        pair_new(&p, world_client(w, client_tweak, &key), world_server(w, server_tweak, NULL), NULL);
        all(&p, &p.client);
        uint8_t *ech = ext_in(waiting(&p.to_server, HS_client_hello), EXT_encrypted_client_hello);
        if (only_second)
            ech[0] = ech[1] = 0xab;
        else
            ech[4 + u16_at(ech + 2) - 1] ^= 1;
        all(&p, &p.server);
        all(&p, &p.client);
        ech = ext_in(waiting(&p.to_server, HS_client_hello), EXT_encrypted_client_hello);
        if (!only_second)
            ech[0] = ech[1] = 0xab;
        all(&p, &p.server);
        assert_true(troth_what(p.server.c).hello_retry && !p.server.failed);
        bool given = memmem(p.to_client.p, p.to_client.n, key.config, key.config_n) != NULL;
        assert_int_equal(given, only_second);
        pair_free(&p);
    }
    world_free(w);
    w = real;
    key = real_key;
}

/* HelloRetryRequest confirmed it, and then ServerHello does not. */
static void test_unconfirmed(void **state)
{
    (void)state;
    struct pair p;
    begin(&p);
    all(&p, &p.client);
    all(&p, &p.server);
    uint8_t *hello = waiting(&p.to_client, HS_server_hello);
    assert_non_null(hello);
    hello[4 + 2 + 31] ^= 1; /* the last byte of its random */
    all(&p, &p.client);
    assert_failed(&p.client, ECH_INCONSISTENT);
    pair_free(&p);
}

/* The type of an inner hello, in one that was not encrypted: an extension of one byte is made of one of two. */
static void test_inner_in_the_clear(void **state)
{
    (void)state;
    struct pair p;
    pair_new(&p, world_client(w, client_tweak, NULL), world_server(w, server_tweak, NULL), NULL);
    all(&p, &p.client);
    uint8_t *hello = waiting(&p.to_server, HS_client_hello), *modes = ext_in(hello, EXT_psk_key_exchange_modes);
    assert_int_equal(u16_at(modes + 2), 2);
    size_t left = p.to_server.n - (size_t)(modes + 6 - p.to_server.p);
    memcpy(modes, (const uint8_t[]){ 0xfe, 0x0d, 0, 1, 1 }, 5);
    memmove(modes + 5, modes + 6, left); /* a byte less, in four lengths */
    p.to_server.n--;
    uint8_t *record = hello - 5, *exts = hello + 38;
    exts += 1 + exts[0];
    exts += 2 + u16_at(exts);
    exts += 1 + exts[0];
    uint8_t *const lengths[] = { record + 3, hello + 2, exts };
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        unsigned n = u16_at(lengths[i]) - 1;
        lengths[i][0] = (uint8_t)(n >> 8);
        lengths[i][1] = (uint8_t)n;
    }
    all(&p, &p.server);
    assert_failed(&p.server, ECH_INNER_OUTSIDE);
    pair_free(&p);
}

/* A configuration whose public key is of no use: with zeros the shared secret would be known to everybody. */
static void test_bad_key(void **state)
{
    (void)state;
    troth_ech_pair bad = key;
    memset(bad.config + 9, 0, 32); /* version, length, config_id, kem_id, length of the key */
    struct pair p;
    pair_new(&p, world_client(w, client_tweak, &bad), world_server(w, server_tweak, NULL), NULL);
    all(&p, &p.client);
    assert_failed(&p.client, ECH_BAD_KEY);
    pair_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_second_hello), cmocka_unit_test(test_one_hello_of_two), cmocka_unit_test(test_unconfirmed),
                                        cmocka_unit_test(test_inner_in_the_clear), cmocka_unit_test(test_bad_key) };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
