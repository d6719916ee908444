/* ctest: timeout=600 */
/* After a connection has ended, however it ended, none of its secrets is left in memory: not in blocks that were freed, not in those that
 * live on, not on the stack.  After its configuration is gone, no private key, ticket key or PSK is. */
#include <unistd.h>
#include <valgrind/valgrind.h>

#include "base/secret.h"
#include "base/witness.h"
#include "crypto/hkdf.h"
#include "crypto/provider.h"
#include "support/flavour.h"
#include "support/meddle.h"
#include "support/remains.h"
#include "support/test.h"
#include "support/wrap.h"
#include "tls/config.h"
#include "tls/conn.h"
#include "tls/session.h"

static size_t searches;

/* ---- what is secret */
/* Secrets of the key schedule, as the code that makes them tells its witness. */
static void on_key(void *self, const struct saw_key *k)
{
    (void)self;
    bool exporter = strstr(k->label, "exp master") || strstr(k->label, "exporter");
    remains_watch(k->label, k->value.p, k->value.n, exporter ? UNTIL_FREE : !strcmp(k->label, "PSK") ? UNTIL_CONFIG : UNTIL_END);
}

/* Keys, private states and shared secrets, as they pass the provider's door. */
static void on_secret(void *ctx, const char *what, uint8_t *p, size_t n)
{
    (void)ctx;
    remains_watch(what, p, n, UNTIL_END); /* too short where it is a nonce */
}

/* Keys of a configuration, in the order of both kinds of machine and of libcrypto's numbers. */
static void watch_both_ways(const char *name, const uint8_t *p, size_t n)
{
    uint8_t back[64];
    for (size_t i = 0; i < n && i < sizeof back; i++)
        back[i] = p[n - 1 - i];
    remains_watch(name, p, n, UNTIL_CONFIG);
    remains_watch(name, back, n < sizeof back ? n : sizeof back, UNTIL_CONFIG);
    secret_wipe(back, sizeof back);
}

/* ECPrivateKey (RFC 5915): version 1, then the OCTET STRING. */
static void watch_private_key(const char *name, const troth_provider *crypto, const troth_key *key)
{
    static const uint8_t mark[] = { 2, 1, 1, 4, 32 };
    uint8_t der[256];
    size_t n = crypto->key_private(key, der, sizeof der), found = 0;
    for (size_t i = 0; i + sizeof mark + 32 <= n; i++)
        if (!memcmp(der + i, mark, sizeof mark)) {
            watch_both_ways(name, der + i + sizeof mark, 32);
            found++;
        }
    assert_int_equal(found, 1);
    secret_wipe(der, sizeof der);
}

static void watch_configuration(const struct scene *s)
{
    const struct config *c = &s->server->config;
    uint64_t epoch = (uint64_t)config_now(c) / (c->ticket_lifetime / 2 + 1);
    for (uint64_t back = 0; back <= 2; back++) { /* as tls/ticket_keys.c derives them */
        uint8_t key[32], name[16];
        memcpy(name, c->ticket_origin, 8);
        for (int i = 0; i < 8; i++)
            name[8 + i] = (uint8_t)((epoch - back) >> (56 - 8 * i));
        assert_true(expand_label_key(&c->ticket_secret, key, sizeof key, "ticket key", SPAN_OF(name)));
        remains_watch("ticket key of an epoch", key, sizeof key, UNTIL_END);
        secret_wipe(key, sizeof key);
    }
    remains_watch("ticket secret", c->ticket_secret.inner, 32, UNTIL_CONFIG); /* its digested halves, SHA-256's eight words each */
    remains_watch("ticket secret", c->ticket_secret.outer, 32, UNTIL_CONFIG);
    remains_watch("cookie key", c->cookie_key, sizeof c->cookie_key, UNTIL_CONFIG);
    for (size_t i = 0; i < c->n_ticket_keys; i++)
        remains_watch("ticket key", c->ticket_keys[i].key, sizeof c->ticket_keys[i].key, UNTIL_CONFIG);
    for (size_t i = 0; i < c->n_psks; i++)
        remains_watch("external PSK", c->psks[i].key.p, c->psks[i].key.n, UNTIL_CONFIG);
    if (s->f->bits & F_ECH)
        remains_watch("ECH private key", s->ech.private_key, sizeof s->ech.private_key, UNTIL_CONFIG);
}

/* The PSK inside of what TROTH_TICKET gave. */
static void watch_session(struct scene *s)
{
    struct session session;
    if (s->session_n && session_read(&session, span_of(s->session, s->session_n)))
        remains_watch("session's secret", session.secret.b, session.secret.n, UNTIL_FREE);
    secret_wipe(&session, sizeof session);
}

static void watch_text(const char *name, char *text)
{
    for (size_t i = 0; i < SCENE_TEXT; i++) /* of which there is no other in the program */
        text[i] = (char)('!' + rand() % 90);
    remains_watch(name, (const uint8_t *)text, SCENE_TEXT, UNTIL_END);
}

/* ---- ends of connections */
struct ending {
    const char *name;
    bool        from_client;
    enum meddle_how how;
    unsigned    nth;
};

static troth_provider *watched(void)
{
    troth_libcrypto_options o = { .size = sizeof o, .memory = &remains_memory };
    return wrap_provider(troth_libcrypto_with(&o), &(struct wrap_hooks){ .secret = on_secret });
}

/* One connection; false: nothing happened to it that had not before. */
__attribute__((noinline)) static bool one(struct scene *s, const struct ending *way, struct pair *p)
{
    static const struct witness w = { .key = on_key };
    struct meddle m = { .from_client = way->from_client, .how = way->how, .nth = way->nth };
    scene_open(s, p);
    if (!(s->f->bits & F_STORY)) { /* there the story listens */
        conn_watch(p->client.c, &w);
        conn_watch(p->server.c, &w);
    }
    meddle_with(p, &m);
    bool through = scene_talk(s, p);
    meddle_end(&m);
    if (way->how == MEDDLE_NOTHING)
        assert_true(through);
    troth_broken(p->client.c, TROTH_R_EOF_MID, "the test ends it"); /* where it did not end by itself */
    troth_broken(p->server.c, TROTH_R_EOF_MID, "the test ends it");
    enum troth_event_kind a = troth_next(p->client.c).kind, b = troth_next(p->server.c).kind;
    assert_true(a == (p->client.done ? TROTH_DONE : TROTH_FAILED) && b == (p->server.done ? TROTH_DONE : TROTH_FAILED));
    watch_session(s);
    return m.done || way->how == MEDDLE_NOTHING;
}

__attribute__((noinline)) static void build_deeper(struct scene *s)
{
    volatile uint8_t room[4096];
    room[0] = 0;
    assert_true(scene_build(s, watched(), watched()) && !room[0]);
}

static size_t look(enum until upto, const struct scene *s, const struct ending *way, const char *when)
{
    char text[128];
    searches++;
    snprintf(text, sizeof text, "%s, %s %u from %s, %s", s->f->name, way->name, way->nth, way->from_client ? "client" : "server", when);
    return remains_search(upto, text);
}

/* Deeper than the search will be, so that its own frames hide nothing. */
__attribute__((noinline)) static bool one_deeper(struct scene *s, const struct ending *way, struct pair *p)
{
    volatile uint8_t room[4096];
    room[0] = 0;
    bool more = one(s, way, p);
    return more && !room[0];
}

static bool run_way(struct scene *s, const struct ending *way, size_t *found)
{
    struct pair p;
    remains_clear_stack();
    bool more = one_deeper(s, way, &p);
    *found += look(UNTIL_END, s, way, "ended");
    scene_close(s, &p);
    *found += look(UNTIL_FREE, s, way, "freed");
    return more;
}

static void run_flavour(const struct flavour *f, size_t *found)
{
    static const enum meddle_how hows[] = { MEDDLE_FLIP, MEDDLE_CUT };
    struct world *w = world_new(troth_libcrypto());
    struct scene *s = scene_new(f, w);
    remains_forget();
    watch_private_key("server's private key", w->mk->crypto, w->leaf_key);
    watch_private_key("client's private key", w->mk->crypto, w->client_key);
    remains_bury();
    remains_clear_stack();
    build_deeper(s);
    struct ending way = { "built", true, MEDDLE_NOTHING, 0 };
    watch_configuration(s);
    *found += look(UNTIL_END, s, &way, "built");
    watch_text("data of the client", s->question);
    watch_text("data of the server", s->answer);
    watch_text("early data", s->early);
    way.name = "closed";
    run_way(s, &way, found);
    for (size_t h = 0; h < COUNT_OF(hows); h++)
        for (int from_client = 0; from_client < 2; from_client++) {
            way = (struct ending){ meddle_names[hows[h]], from_client, hows[h], 1 };
            while (run_way(s, &way, found))
                way.nth++;
        }
    scene_unbuild(s);
    *found += look(UNTIL_CONFIG, s, &way, "configurations gone");
    print_message("%-30s %zu secrets\n", f->name, remains_needles());
    assert_true(remains_needles() > 20);
    remains_forget();
    scene_free(s);
    world_free(w);
}

static void test_nothing_remains(void **state)
{
    (void)state;
    size_t found = 0;
    for (size_t i = 0; i < n_flavours; i++)
        run_flavour(&flavours[i], &found);
    print_message("%zu searches; %zu blocks of libcrypto's own\n", searches, remains_in_libcrypto());
    assert_int_equal(found, 0);
}

/* ---- the search itself finds what is there */
__attribute__((noinline)) static void leave_on_the_stack(const uint8_t *secret)
{
    volatile uint8_t room[3000];
    for (size_t i = 0; i < 32; i++)
        room[100 + i] = secret[i];
    (void)room[0];
}

static void test_what_remains_is_found(void **state)
{
    (void)state;
    uint8_t secret[32];
    for (size_t i = 0; i < sizeof secret; i++)
        secret[i] = (uint8_t)(17 * i + 3);
    remains_forget();
    remains_watch("planted", secret, sizeof secret, UNTIL_END);
    remains_clear_stack();
    fprintf(stderr, "three finds that are meant to be:\n");
    leave_on_the_stack(secret);
    assert_int_equal(remains_search(UNTIL_END, "the stack"), 1);
    remains_clear_stack();
    assert_int_equal(remains_search(UNTIL_END, "nothing"), 0);
    uint8_t *p = remains_memory.alloc(NULL, 100);
    memcpy(p + 7, secret, sizeof secret);
    remains_clear_stack();
    assert_int_equal(remains_search(UNTIL_END, "a live block"), 1);
    remains_memory.free(NULL, p, 100);
    assert_int_equal(remains_search(UNTIL_END, "a freed block"), 1);
    remains_clear_stack(); /* the loader saves vector registers there when it binds a function */
    assert_int_equal(remains_search(UNTIL_END, "nothing"), 0); /* it was given back */
    remains_forget();
}

int main(int argc, char **argv)
{
    (void)argc;
    if (RUNNING_ON_VALGRIND) {
        fprintf(stderr, "skipped: what lies below the stack pointer is out of bounds to valgrind, and is what this looks at\n");
        return 77;
    }
    /* locals must be on the stack for that to be searched, not on a stack of ASan's */
    const char *options = getenv("ASAN_OPTIONS");
    if (options && strstr(options, "detect_stack_use_after_return=1")) {
        setenv("ASAN_OPTIONS", "detect_leaks=1:detect_stack_use_after_return=0", 1);
        execv("/proc/self/exe", argv);
        return 1;
    }
    if (!remains_take_libcrypto())
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_remains_is_found),
        cmocka_unit_test(test_nothing_remains),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
