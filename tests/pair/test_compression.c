/* Compressed certificates (RFC 8879): every way that is built in, both directions, hooks of the application, and what is refused. */
#include "api/api.h"
#include "fake/fake.h"
#include "support/meddle.h"
#include "support/test.h"
#include "wire/registry.h"

/* ---- hooks that tell what they did, or misbehave */
static unsigned expanded;

static size_t copy(uint8_t *out, size_t cap, troth_span in)
{
    if (in.n > cap)
        return 0;
    memcpy(out, in.p, in.n);
    return in.n;
}

static size_t copy_and_count(uint8_t *out, size_t cap, troth_span in)
{
    expanded++;
    return copy(out, cap, in);
}

/* A byte more than there was: what it expands to is not what it says. */
static size_t too_much(uint8_t *out, size_t cap, troth_span in)
{
    size_t n = copy(out, cap, in);
    if (!n || n == cap)
        return 0;
    out[n] = 0;
    return n + 1;
}

static size_t nothing(uint8_t *out, size_t cap, troth_span in)
{
    (void)out, (void)cap, (void)in;
    return 0;
}

/* As ZSTD_compress says that it failed. */
static size_t error_code(uint8_t *out, size_t cap, troth_span in)
{
    (void)out, (void)cap, (void)in;
    return (size_t)-70;
}

static size_t beyond(uint8_t *out, size_t cap, troth_span in)
{
    (void)out, (void)in;
    return cap + 1;
}

static const troth_compressor honest = { 0x4001, copy, copy_and_count }, longer = { 0x4001, too_much, copy },
                              blind = { 0x4001, copy, nothing }, another = { 0x4002, copy, copy };

/* ---- who knows what */
struct side {
    struct world           *world;
    const troth_compressor *list;
    size_t                  n;
    bool                    given, client_auth, staple;
};

static void tweak(troth_builder *b, void *ctx)
{
    const struct side *s = ctx;
    troth_versions(b, TROTH_TLS13, TROTH_TLS13);
    if (s->given)
        troth_compressors(b, s->list, s->n);
    if (s->client_auth)
        troth_ask_client_auth(b, TROTH_AUTH_REQUIRED);
}

static void tweak_client(troth_builder *b, void *ctx)
{
    const struct side *s = ctx;
    tweak(b, ctx);
    tweak_client_identity(b, s->world);
}

/* What each end wrote: handshake messages by type. */
struct seen {
    unsigned of[256];
};

static void on_message(void *self, const struct saw_message *m)
{
    struct seen *s = self;
    if (m->ours && m->raw.n)
        s->of[m->raw.p[0]]++;
}

static void run(struct pair *p, struct side *client, struct side *server, struct seen *seen)
{
    struct witness w = { .self = seen, .message = on_message };
    pair_new(p, world_client(client->world, tweak_client, client), world_server(client->world, tweak, server), NULL);
    conn_watch(p->server.c, &w);
    pair_run(p);
    conn_watch(p->server.c, NULL);
}

/* ---- built in */
static void test_built_in(void **state)
{
    (void)state;
    size_t n;
    const troth_compressor *all = compressors_built_in(&n);
    struct world *w = world_new(troth_libcrypto());
    for (size_t i = 0; i <= n; i++) {
        struct seen seen = { { 0 } };
        struct side client = { .world = w, .list = &all[i], .n = 1, .given = i < n }, server = { .world = w };
        struct pair p;
        run(&p, &client, &server, &seen);
        assert_ready(&p);
        assert_int_equal(seen.of[HS_compressed_certificate] + seen.of[HS_certificate], 1);
        pair_free(&p);
    }
    world_free(w);
}

/* What cannot be compressed is shown as it is. */
static void test_not_compressed(void **state)
{
    (void)state;
    static size_t (*const rows[])(uint8_t *, size_t, troth_span) = { nothing, error_code, beyond };
    struct world *w = world_new(troth_libcrypto());
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const troth_compressor lies = { 0x4001, rows[i], copy };
        struct seen seen = { { 0 } };
        struct side client = { .world = w, .list = &honest, .n = 1, .given = true }, server = { .world = w, .list = &lies, .n = 1, .given = true };
        struct pair p;
        run(&p, &client, &server, &seen);
        assert_ready(&p);
        assert_int_equal(seen.of[HS_compressed_certificate], 0);
        pair_free(&p);
    }
    world_free(w);
}

/* A message of a certificate's kind and size goes through each and comes out the same; a bomb is cut off. */
static void test_round_trip(void **state)
{
    (void)state;
    size_t n;
    uint8_t in[8192], packed[16384], out[8192 + 1];
    const troth_compressor *all = compressors_built_in(&n);
    for (size_t i = 0; i < sizeof in; i++)
        in[i] = (uint8_t)(i * i >> 5);
    for (size_t i = 0; i < n; i++) {
        size_t m = all[i].compress(packed, sizeof packed, SPAN_OF(in));
        assert_true(m > 0 && m < sizeof in);
        assert_int_equal(all[i].expand(out, sizeof in, span_of(packed, m)), sizeof in);
        assert_memory_equal(out, in, sizeof in);
        assert_int_equal(all[i].expand(out, sizeof in - 1, span_of(packed, m)), 0);
        assert_int_equal(all[i].expand(out, sizeof in, span_of(packed, m - 1)), 0);
        assert_int_equal(all[i].compress(packed, 16, SPAN_OF(in)), 0);
    }
}

/* ---- both directions, with hooks */
static void test_hooks(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(1));
    struct seen seen = { { 0 } };
    struct side client = { .world = w, .list = &honest, .n = 1, .given = true }, server = client;
    struct pair p;
    server.client_auth = true;
    expanded = 0;
    run(&p, &client, &server, &seen);
    assert_ready(&p);
    assert_int_equal(seen.of[HS_compressed_certificate], 1);
    assert_int_equal(seen.of[HS_certificate], 0);
    assert_int_equal(expanded, 2); /* the server's, and the client's */
    assert_true(troth_what(p.server.c).client_authenticated);
    pair_free(&p);

    client.list = &another; /* nothing in common */
    memset(&seen, 0, sizeof seen);
    run(&p, &client, &server, &seen);
    assert_ready(&p);
    assert_int_equal(seen.of[HS_certificate], 1);
    pair_free(&p);

    client.n = 0; /* not offered */
    memset(&seen, 0, sizeof seen);
    run(&p, &client, &server, &seen);
    assert_ready(&p);
    assert_int_equal(seen.of[HS_certificate], 1);
    pair_free(&p);
    world_free(w);
}

/* ---- refused */
static void test_refused(void **state)
{
    static const struct { const troth_compressor *client, *server; enum troth_reason why; } rows[] = {
        { &honest, &longer, TROTH_R_COMPRESSED_BAD }, { &blind, &honest, TROTH_R_COMPRESSED_BAD },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct world *w = world_new(fake_provider(2 + i));
        struct seen seen = { { 0 } };
        struct side client = { .world = w, .list = rows[i].client, .n = 1, .given = true };
        struct side server = { .world = w, .list = rows[i].server, .n = 1, .given = true };
        struct pair p;
        run(&p, &client, &server, &seen);
        assert_failed_at(&p.client, rows[i].why, __FILE__, __LINE__);
        assert_int_equal(troth_why(p.server.c)->alert, 42); /* bad_certificate (RFC 8879 4) */
        pair_free(&p);
        world_free(w);
    }
}

/* What the wire says is changed on its way: algorithm, length. */
static void test_tampered(void **state)
{
    static const struct { const char *field; uint8_t bytes[3]; size_t n; enum troth_reason why; } rows[] = {
        { "algorithm", { 0x12, 0x34 }, 2, TROTH_R_COMPRESSION_NOT_OFFERED },
        { "uncompressed_length", { 0, 0, 12 }, 3, TROTH_R_COMPRESSED_BAD },
        { "uncompressed_length", { 0, 0, 0 }, 3, TROTH_R_COMPRESSED_BAD },
        { "uncompressed_length", { 0x10, 0, 0 }, 3, TROTH_R_COMPRESSED_TOO_LARGE },
        { "uncompressed_length", { 0, 0x80, 0 }, 3, TROTH_R_COMPRESSED_BAD },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct world *w = world_new(fake_provider(5 + i));
        struct side both = { .world = w, .list = &honest, .n = 1, .given = true };
        struct overwrite cut = { .message = "CompressedCertificate", .field = rows[i].field, .n = rows[i].n };
        struct witness witness = overwrite_witness(&cut);
        struct pair p;
        memcpy(cut.bytes, rows[i].bytes, 3);
        pair_new(&p, world_client(w, tweak, &both), world_server(w, tweak, &both), NULL);
        conn_watch(p.server.c, &witness);
        pair_run(&p);
        assert_true(cut.done);
        assert_failed_at(&p.client, rows[i].why, __FILE__, __LINE__);
        pair_free(&p);
        world_free(w);
    }
}

/* What is built in can be chosen by its number alone; what is not, not. */
static void test_by_number(void **state)
{
    (void)state;
    size_t n;
    const troth_compressor *all = compressors_built_in(&n);
    for (size_t i = 0; i <= n; i++) {
        troth_error why;
        const troth_compressor one = { i < n ? all[i].id : 0x4001, NULL, NULL };
        struct world *w = world_new(fake_provider(30 + i));
        troth_builder *b = troth_client_builder(troth_provider_share(w->mk->crypto));
        troth_trust_pem(b, w->root_pem);
        troth_compressors(b, &one, 1);
        troth_client *c = troth_build_client(b, &why);
        assert_true((c != NULL) == (i < n));
        assert_true(c || why.reason == TROTH_R_BAD_ARGUMENT);
        troth_client_free(c);
        world_free(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_built_in), cmocka_unit_test(test_round_trip), cmocka_unit_test(test_hooks), cmocka_unit_test(test_not_compressed),
        cmocka_unit_test(test_refused),  cmocka_unit_test(test_tampered),  cmocka_unit_test(test_by_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
