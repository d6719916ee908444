/* test_story.c - stories of real handshakes, client against server in one process: complete, true, and without influence. */
#include "support/memory.h"
#include "support/pair.h"
#include "support/test.h"

#include <troth/explain.h>

#include "explain/truth.h"

static char *said;
static size_t said_n, said_cap;

static bool keep(void *ctx, const char *p, size_t n)
{
    (void)ctx;
    if (said_n + n + 1 > said_cap) {
        said_cap = (said_n + n + 1) * 2;
        said = realloc(said, said_cap);
    }
    memcpy(said + said_n, p, n);
    said_n += n;
    said[said_n] = 0;
    return true;
}

static const char *written(const troth_story *s, troth_story_options o)
{
    o.size = sizeof o;
    said_n = 0;
    assert_true(troth_story_write(s, &o, keep, NULL));
    const char *dir = getenv("EXPLAIN_OUT"); /* to look at it */
    if (dir && o.form == TROTH_STORY_HTML) {
        char path[300];
        static int n;
        snprintf(path, sizeof path, "%s/story%d.html", dir, n++);
        FILE *f = fopen(path, "w");
        fwrite(said, 1, said_n, f);
        fclose(f);
    }
    return said;
}

static int64_t ticking(void *ctx)
{
    return *(int64_t *)ctx += 137;
}

struct told {
    struct world *w;
    struct pair   p;
    troth_story  *client, *server;
    int64_t       time;
};

static troth_story *listen_to(struct told *t, troth_conn *c, const troth_allocator *mem)
{
    troth_story *s = troth_story_new(mem);
    troth_story_clock(s, ticking, &t->time);
    troth_story_about(s, "a.example:443", test_clock(NULL));
    troth_story_recompute(s, troth_libcrypto());
    troth_story_mark(s, "TCP connected");
    troth_tell(c, s);
    return s;
}

static void run(struct told *t, tweak_fn *client, tweak_fn *server, const char *host)
{
    memset(t, 0, sizeof *t);
    t->w = world_new(troth_libcrypto());
    pair_new(&t->p, world_client(t->w, client, t->w), world_server(t->w, server, t->w), host);
    t->client = listen_to(t, t->p.client.c, NULL);
    t->server = listen_to(t, t->p.server.c, NULL);
    pair_run(&t->p);
    if (t->p.client.ready) {
        static const char request[] = "GET / HTTP/1.0\r\n\r\n";
        troth_story_data(t->client, true, TROTH_TEXT(request));
        if (pair_write(&t->p.client, request)) /* a server may have refused our certificate by now */
            pair_run(&t->p);
        if (pair_write(&t->p.server, "HTTP/1.0 200 fine\r\n\r\n<p>hello</p>\n"))
            pair_run(&t->p);
        troth_story_data(t->client, false, (troth_span){ t->p.client.got, t->p.client.n_got });
        troth_close(t->p.client.c);
        pair_run(&t->p);
    }
}

static void done(struct told *t)
{
    pair_free(&t->p);
    troth_story_free(t->client);
    troth_story_free(t->server);
    world_free(t->w);
}

static void a_whole_handshake(void **state)
{
    (void)state;
    struct told t;
    run(&t, NULL, NULL, NULL);
    assert_true(t.p.client.ready && t.p.server.ready);
    check_truth(t.client, 8);
    check_truth(t.server, 8);
    const char *json = written(t.client, (troth_story_options){ .form = TROTH_STORY_JSON });
    static const char *const in_json[] = { "\"ok\":true", "\"X25519MLKEM768\"", "\"recomputed\":\"equal\"", "\"names\":\"a.example\"",
                                           "\"verdict\":\"pass\"", "\"round_trips\":1", "\"TLS 1.3\"", "shared secret" };
    for (size_t i = 0; i < COUNT_OF(in_json); i++)
        if (!strstr(json, in_json[i]))
            test_fail("no %s in %s", in_json[i], json);
    assert_null(strstr(json, "danger_value"));
    const char *text = written(t.client, (troth_story_options){ .form = TROTH_STORY_TEXT, .unicode = true });
    assert_non_null(strstr(text, "5 Encrypted data"));
    assert_non_null(strstr(text, "Your client introduced itself to a.example:443"));
    written(t.client, (troth_story_options){ .form = TROTH_STORY_HTML });
    assert_true(said_n < 1000000);
    const char *theirs = written(t.server, (troth_story_options){ .form = TROTH_STORY_JSON });
    assert_non_null(strstr(theirs, "\"what\":\"cipher suite\""));
    assert_non_null(strstr(theirs, "\"rule\":"));
    written(t.server, (troth_story_options){ .form = TROTH_STORY_HTML });
    done(&t);
}

static void only_p256(troth_builder *b, void *ctx)
{
    (void)ctx;
    troth_groups(b, (const uint16_t[]){ 0x0017 }, 1);
}

static void p256_as_well(troth_builder *b, void *ctx)
{
    (void)ctx;
    troth_groups(b, (const uint16_t[]){ 0x001d, 0x0017 }, 2);
    troth_key_shares(b, (const uint16_t[]){ 0x001d }, 1);
}

static void a_retry(void **state)
{
    (void)state;
    struct told t;
    run(&t, p256_as_well, only_p256, NULL);
    check_truth(t.client, 8);
    const char *json = written(t.client, (troth_story_options){ .form = TROTH_STORY_JSON });
    assert_non_null(strstr(json, "\"hello_retry\":true"));
    assert_non_null(strstr(json, "\"round_trips\":2"));
    written(t.client, (troth_story_options){ .form = TROTH_STORY_HTML });
    done(&t);
}

static void only_tls12(troth_builder *b, void *ctx)
{
    (void)ctx;
    troth_versions(b, TROTH_TLS12, TROTH_TLS12);
}

static void tls12(void **state)
{
    (void)state;
    struct told t;
    run(&t, NULL, only_tls12, NULL);
    assert_true(t.p.client.ready);
    check_truth(t.client, 1);
    check_truth(t.server, 1);
    const char *json = written(t.client, (troth_story_options){ .form = TROTH_STORY_JSON });
    assert_non_null(strstr(json, "\"version\":\"TLS 1.2\""));
    assert_non_null(strstr(json, "\"round_trips\":2"));
    assert_non_null(strstr(json, "master secret"));
    written(t.client, (troth_story_options){ .form = TROTH_STORY_HTML });
    done(&t);
}

/* Two generations in each direction: each comes from the one before. */
static void updated_keys(void **state)
{
    (void)state;
    struct told t;
    memset(&t, 0, sizeof t);
    t.w = world_new(troth_libcrypto());
    pair_new(&t.p, world_client(t.w, NULL, NULL), world_server(t.w, NULL, NULL), NULL);
    t.client = listen_to(&t, t.p.client.c, NULL);
    pair_run(&t.p);
    for (int i = 0; i < 2; i++) {
        assert_true(troth_update_keys(t.p.client.c, true));
        pair_run(&t.p);
        assert_true(pair_write(&t.p.client, "x") && pair_write(&t.p.server, "y"));
        pair_run(&t.p);
    }
    unsigned updates = 0;
    for (size_t i = 0; i < t.client->keys.n; i++)
        updates += !strcmp(ROWS(t.client, keys, struct told_key)[i].label, "traffic upd");
    assert_int_equal(updates, 4);
    check_truth(t.client, 12);
    done(&t);
}

static size_t lines_kept;

static bool count_line(void *ctx, const char *p, size_t n)
{
    (void)ctx;
    assert_true(n > 80 && p[n - 1] == '\n');
    lines_kept++;
    return true;
}

static void a_key_log(void **state)
{
    (void)state;
    struct told t;
    run(&t, NULL, NULL, NULL);
    lines_kept = 0;
    assert_true(troth_story_danger_key_log(t.client, count_line, NULL));
    assert_int_equal(lines_kept, 5);
    done(&t);
}

static void ask(troth_builder *b, void *world)
{
    struct world *w = world;
    troth_trust_pem(b, w->root_pem);
    troth_ask_client_auth(b, TROTH_AUTH_REQUIRED);
}

static void a_client_certificate(void **state)
{
    (void)state;
    struct told t;
    run(&t, tweak_client_identity, ask, NULL);
    check_truth(t.client, 8);
    check_truth(t.server, 8);
    assert_non_null(strstr(written(t.client, (troth_story_options){ .form = TROTH_STORY_JSON }), "\"client_certificate\":true"));
    done(&t);
    run(&t, NULL, ask, NULL); /* none to show */
    const char *json = written(t.client, (troth_story_options){ .form = TROTH_STORY_JSON });
    assert_non_null(strstr(json, "\"code\":\"client-cert.required\""));
    assert_non_null(strstr(json, "\"state\":\"broke\""));
    done(&t);
}

static void a_wrong_name(void **state)
{
    (void)state;
    struct told t;
    run(&t, NULL, NULL, "elsewhere.example");
    assert_true(t.p.client.failed);
    check_truth(t.client, 3);
    const char *json = written(t.client, (troth_story_options){ .form = TROTH_STORY_JSON });
    assert_non_null(strstr(json, "\"code\":\"cert.name-mismatch\""));
    assert_non_null(strstr(json, "{\"step\":3,\"name\":\"The certificate\""));
    assert_non_null(strstr(json, "\"state\":\"broke\""));
    assert_non_null(strstr(json, "\"state\":\"not reached\""));
    assert_non_null(strstr(json, "\"verdict\":\"fail\""));
    const char *text = written(t.client, (troth_story_options){ .form = TROTH_STORY_TEXT });
    assert_non_null(strstr(text, "3 The certificate (it broke here)"));
    assert_non_null(strstr(text, "4 The keys (not finished)"));
    assert_non_null(strstr(text, "5 Encrypted data (not reached)"));
    written(t.client, (troth_story_options){ .form = TROTH_STORY_HTML });
    done(&t);
}

static void secrets_only_on_demand(void **state)
{
    (void)state;
    struct told t = { .w = world_new(troth_libcrypto()) };
    pair_new(&t.p, world_client(t.w, NULL, NULL), world_server(t.w, NULL, NULL), NULL);
    t.client = listen_to(&t, t.p.client.c, NULL);
    troth_story_danger_keep_secrets(t.client);
    pair_run(&t.p);
    assert_non_null(strstr(written(t.client, (troth_story_options){ .form = TROTH_STORY_JSON }), "danger_value"));
    assert_null(strstr(written(t.client, (troth_story_options){ .form = TROTH_STORY_JSON, .redact = true }), "danger_value"));
    done(&t);
}

/* ---- a story that has no memory: the connection does not notice, and the story says so */

static void without_memory(void **state)
{
    (void)state;
    bool whole = false;
    for (unsigned n = 0; !whole; n = n < 40 ? n + 1 : n + n / 8) {
        struct scarce scarce = { .left = n + 1, .for_good = true };
        troth_allocator mem = scarce_memory(&scarce);
        struct told t = { .w = world_new(troth_libcrypto()) };
        pair_new(&t.p, world_client(t.w, NULL, NULL), world_server(t.w, NULL, NULL), NULL);
        t.client = listen_to(&t, t.p.client.c, &mem);
        pair_run(&t.p);
        assert_true(t.p.client.ready && t.p.server.ready);
        for (uint8_t form = 0; form < 3; form++) {
            said_n = 0;
            bool ok = troth_story_write(t.client, &(troth_story_options){ .size = sizeof(troth_story_options), .form = form }, keep, NULL);
            whole = ok && !scarce.failed && !t.client->cut;
        }
        done(&t);
        assert_true(n < 100000);
    }
}

static void nothing_at_all(void **state)
{
    (void)state;
    troth_story *s = troth_story_new(NULL);
    for (uint8_t form = 0; form < 3; form++)
        for (uint8_t depth = 0; depth < 5; depth++) {
            said_n = 0;
            assert_true(troth_story_write(s, &(troth_story_options){ .size = sizeof(troth_story_options), .form = form, .depth = depth }, keep, NULL));
        }
    troth_story_free(s);
    troth_story_free(NULL);
    troth_story_about(NULL, NULL, 0);
    troth_story_mark(NULL, "x");
    troth_story_data(NULL, true, TROTH_TEXT("x"));
    troth_story_recompute(NULL, NULL);
    troth_story_clock(NULL, NULL, NULL);
    troth_story_failed(NULL, NULL);
    assert_false(troth_story_write(NULL, NULL, keep, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_handshake), cmocka_unit_test(a_retry), cmocka_unit_test(tls12), cmocka_unit_test(updated_keys), cmocka_unit_test(a_key_log),     cmocka_unit_test(a_client_certificate), cmocka_unit_test(a_wrong_name),
        cmocka_unit_test(secrets_only_on_demand), cmocka_unit_test(without_memory), cmocka_unit_test(nothing_at_all),
    };
    int bad = cmocka_run_group_tests(tests, NULL, NULL);
    free(said);
    return bad;
}
