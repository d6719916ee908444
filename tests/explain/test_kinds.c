/* test_kinds.c - the story of every kind of connection, at both ends: true, complete, and it says what is special about it. */
/* ctest: timeout=600 */
#include "support/flavour.h"
#include "support/test.h"

#include "explain/truth.h"

struct page {
    char  *p;
    size_t n, cap;
};

static bool keep(void *ctx, const char *p, size_t n)
{
    struct page *page = ctx;
    if (page->n + n + 1 > page->cap) {
        page->cap = (page->n + n + 1) * 2;
        page->p = realloc(page->p, page->cap);
        assert_non_null(page->p);
    }
    memcpy(page->p + page->n, p, n);
    page->n += n;
    page->p[page->n] = 0;
    return true;
}

static void put(struct page *page, const troth_story *s, uint8_t form, uint8_t depth, bool redact)
{
    troth_story_options o = { .size = sizeof o, .form = form, .depth = depth, .redact = redact, .width = 10000 }; /* no sentence is wrapped */
    page->n = 0;
    assert_true(troth_story_write(s, &o, keep, page));
}

static void says(const struct page *page, const char *kind, const char *what)
{
    if (!strstr(page->p, what))
        test_fail("%s: the story does not say \"%s\": %zu bytes", kind, what, page->n);
}

/* What the client's story must say, in words (text) and in numbers (JSON). */
static const struct {
    uint32_t    has, lacks;  /* bits of the flavour */
    const char *text, *json;
} special[] = {
    { F_HYBRID, 0, "keys agreed over X25519MLKEM768", "\"group\":\"X25519MLKEM768\"" },
    { F_RETRY, F_12, "HelloRetryRequest", "\"hello_retry\":true" },
    { F_AUTH, F_RESUME | F_12, "asked the client for a certificate", "\"client_certificate\":true" },
    { F_RESUME, F_REFUSED, "Resumed TLS", "\"resumed\":true" },
    { F_RESUME | F_REFUSED, F_EARLY, "showed who it is", "\"resumed\":false" },
    { F_RESUME | F_EARLY, F_REFUSED, "0-RTT", "\"early_data_accepted\":true" },
    { F_RESUME | F_EARLY | F_REFUSED, 0, "0-RTT", "\"early_data_accepted\":false" },
    { F_12, 0, "TLS 1.2", "\"version\":\"TLS 1.2\"" },
    { F_ECH, F_REFUSED, "It opened the encrypted hello (ECH)", "encrypted_client_hello" },
    { F_ECH | F_REFUSED, 0, "It could not open the encrypted hello (ECH)", "\"code\":\"tls.ech-rejected\"" },
    { F_PSK, 0, "Pre-shared key, TLS 1.3 handshake", NULL },
    { F_IMPORT, 0, "given to them beforehand", NULL },
    { F_LATE, 0, "CertificateRequest", NULL },
    { F_RAW, 0, "raw", NULL },
    { F_DELEGATED, 0, "with a short-lived key that the certificate's key speaks for", "\"what\":\"delegated credential\"" },
    { F_DELEGATED | F_AUTH, 0, "got one, with a delegated credential", NULL },
    { F_STAPLE, 0, "OCSP", NULL },
    { F_ALPN, 0, "the two will speak", "\"alpn\":\"" },
};

static void check_special(const struct flavour *f, const troth_story *s, struct page *page)
{
    put(page, s, TROTH_STORY_TEXT, TROTH_DEPTH_FIELDS, false);
    for (size_t i = 0; i < COUNT_OF(special); i++)
        if ((f->bits & special[i].has) == special[i].has && !(f->bits & special[i].lacks))
            says(page, f->name, special[i].text);
    put(page, s, TROTH_STORY_JSON, TROTH_DEPTH_BYTES, false);
    for (size_t i = 0; i < COUNT_OF(special); i++)
        if ((f->bits & special[i].has) == special[i].has && !(f->bits & special[i].lacks) && special[i].json)
            says(page, f->name, special[i].json);
}

/* Nothing of these may stand in a redacted story, whatever its form. */
static void check_hidden(const struct scene *sc, const troth_story *s, struct page *page)
{
    const char *const values[] = { "a.example", "hidden.example", "public.example", "Test Root", "client@", sc->question, sc->answer, sc->early, "b.example" };
    for (uint8_t form = 0; form < 3; form++) {
        put(page, s, form, TROTH_DEPTH_BYTES, true);
        for (size_t i = 0; i < COUNT_OF(values); i++) {
            char hex[2 * SCENE_TEXT + 40];
            struct text t = TEXT_IN(hex);
            size_t n = strlen(values[i]);
            text_hex(&t, span_of((const uint8_t *)values[i], n < SCENE_TEXT ? n : SCENE_TEXT));
            if (n > 4 && (strstr(page->p, values[i]) || strstr(page->p, hex)))
                test_fail("%s, form %u: shows \"%s\"", sc->f->name, form, values[i]);
        }
    }
}

static void one_kind(const struct flavour *f)
{
    struct world *w = world_new(troth_libcrypto());
    struct flavour with_story = { f->name, f->bits | F_STORY };
    struct scene *sc = scene_new(&with_story, w);
    struct page page = { 0 };
    struct pair p;
    assert_true(scene_build(sc, troth_libcrypto(), troth_libcrypto()));
    scene_open(sc, &p);
    troth_story_as_server(sc->story[1]);
    for (int i = 0; i < 2; i++) {
        troth_story_about(sc->story[i], "a.example:443", test_clock(NULL));
        troth_story_recompute(sc->story[i], troth_libcrypto());
    }
    bool refused = (f->bits & (F_ECH | F_REFUSED)) == (F_ECH | F_REFUSED);
    if (!scene_talk(sc, &p) && !refused)
        test_fail("%s: %s", f->name, troth_why(p.client.c) ? troth_why(p.client.c)->code : "?");
    for (int i = 0; i < 2; i++) {
        check_truth(sc->story[i], refused ? 1 : f->bits & F_12 ? 2 : 3);
        for (uint8_t form = 0; form < 3; form++)
            for (uint8_t depth = TROTH_DEPTH_SUMMARY; depth <= TROTH_DEPTH_BYTES; depth++) {
                put(&page, sc->story[i], form, depth, false);
                assert_true(page.n > 100);
                if (form == TROTH_STORY_HTML && page.n >= 1000000)
                    test_fail("%s: a page of %zu bytes", f->name, page.n);
            }
        check_hidden(sc, sc->story[i], &page);
    }
    check_special(f, sc->story[0], &page);
    free(page.p);
    scene_close(sc, &p);
    scene_free(sc);
    world_free(w);
}

static void every_kind(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_flavours; i++)
        one_kind(&flavours[i]);
}

/* ---- failures: the message, the field, the byte */

/* Breaks one byte of the server's or the client's first flight on its way; the story of the end that reads it points there. */
static void a_broken_byte(void **state)
{
    (void)state;
    static const struct {
        size_t      at;       /* of the ClientHello record: what is there */
        uint8_t     value;
        const char *field;
    } rows[] = { { 5 + 4 + 2 + 32, 33, "legacy_session_id" }, { 5 + 4 + 2 + 32 + 1 + 32 + 1, 0xff, "cipher_suites" } };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct world *w = world_new(troth_libcrypto());
        struct page page = { 0 };
        struct pair p;
        pair_new(&p, world_client(w, NULL, NULL), world_server(w, NULL, NULL), NULL);
        troth_story *s = troth_story_new(NULL);
        troth_story_as_server(s);
        troth_tell(p.server.c, s);
        pair_step(&p, &p.client);
        struct pipe *in = pair_input(&p, &p.server);
        assert_true(in->n > rows[i].at);
        in->p[rows[i].at] = rows[i].value;
        pair_run(&p);
        assert_true(p.server.failed);
        const troth_error *why = troth_why(p.server.c);
        assert_non_null(why->message);
        assert_string_equal(why->message, "ClientHello");
        put(&page, s, TROTH_STORY_JSON, TROTH_DEPTH_BYTES, false);
        says(&page, rows[i].field, "\"state\":\"broke\"");
        says(&page, rows[i].field, "\"message\":\"ClientHello\"");
        put(&page, s, TROTH_STORY_TEXT, TROTH_DEPTH_FIELDS, false);
        says(&page, rows[i].field, "it broke here");
        says(&page, rows[i].field, why->code);
        put(&page, s, TROTH_STORY_HTML, 0, false);
        says(&page, rows[i].field, "it broke here"); /* the flag on the message */
        says(&page, rows[i].field, "<b class=\"bad\"");   /* and the byte */
        free(page.p);
        troth_story_free(s);
        pair_free(&p);
        world_free(w);
    }
}

/* An alert is the peer's verdict, in its own words, at the end that got it. */
static void refuses(troth_builder *b, void *world)
{
    const struct world *w = world;
    troth_trust_pem(b, w->root_pem);
    troth_ask_client_auth(b, TROTH_AUTH_REQUIRED);
}

static void an_alert(void **state)
{
    (void)state;
    struct world *w = world_new(troth_libcrypto());
    struct page page = { 0 };
    struct pair p;
    pair_new(&p, world_client(w, NULL, NULL), world_server(w, refuses, w), NULL);
    troth_story *s[2] = { troth_story_new(NULL), troth_story_new(NULL) };
    troth_tell(p.client.c, s[0]);
    troth_tell(p.server.c, s[1]);
    troth_story_as_server(s[1]);
    pair_run(&p);
    put(&page, s[0], TROTH_STORY_TEXT, TROTH_DEPTH_STEPS, false);
    says(&page, "client", "client-cert.required");
    says(&page, "client", "refused");
    put(&page, s[0], TROTH_STORY_JSON, TROTH_DEPTH_BYTES, false);
    says(&page, "client", "\"from_peer\":true");
    put(&page, s[1], TROTH_STORY_JSON, TROTH_DEPTH_BYTES, false);
    says(&page, "server", "\"from_peer\":false");
    says(&page, "server", "tls.client-without-certificate");
    free(page.p);
    for (int i = 0; i < 2; i++)
        troth_story_free(s[i]);
    pair_free(&p);
    world_free(w);
}

/* GREASE: looks like Encrypted Client Hello, and the story says that nothing was hidden. */
static void greases(troth_builder *b, void *ctx)
{
    (void)ctx;
    troth_ech_grease(b);
}

static void grease(void **state)
{
    (void)state;
    struct world *w = world_new(troth_libcrypto());
    struct page page = { 0 };
    struct pair p;
    pair_new(&p, world_client(w, greases, NULL), world_server(w, NULL, NULL), NULL);
    troth_story *s = troth_story_new(NULL);
    troth_story_recompute(s, troth_libcrypto());
    troth_tell(p.client.c, s);
    pair_run(&p);
    assert_ready(&p);
    assert_int_equal(troth_what(p.client.c).ech, TROTH_ECH_GREASED);
    check_truth(s, 8);
    put(&page, s, TROTH_STORY_TEXT, TROTH_DEPTH_FIELDS, false);
    says(&page, "GREASE", "encrypted_client_hello");
    says(&page, "GREASE", "a decoy that looks like an encrypted hello");
    free(page.p);
    troth_story_free(s);
    pair_free(&p);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind),
        cmocka_unit_test(a_broken_byte),
        cmocka_unit_test(an_alert),
        cmocka_unit_test(grease),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
