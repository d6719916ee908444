/* Which certificate a client shows: by what the server's oid_filters want (RFC 9846 4.3.5), by the application's word; and what a server
 * makes of one that does not meet its filters. */
#include "base/alerts.h"
#include "fake/fake.h"
#include "support/pair.h"
#include "support/test.h"
#include "tls/conn.h"
#include "wire/registry.h"

/* content of OBJECT IDENTIFIERs, values in DER */
#define KEY_USAGE        SPAN_TEXT("\x55\x1d\x0f")
#define EXT_KEY_USAGE    SPAN_TEXT("\x55\x1d\x25")
#define BASIC            SPAN_TEXT("\x55\x1d\x13")
#define DIGITAL          SPAN_TEXT("\x03\x02\x07\x80")
#define CERT_SIGN        SPAN_TEXT("\x03\x02\x02\x04")
#define FOR_CLIENTS      SPAN_TEXT("\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x02")
#define FOR_EMAIL        SPAN_TEXT("\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x04")
#define FOR_BOTH         SPAN_TEXT("\x30\x14\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x02\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x04")
#define FOR_ANY          SPAN_TEXT("\x30\x06\x06\x04\x55\x1d\x25\x00")
#define NONE             ((span){ NULL, 0 })

struct filter {
    span oid, values;
};

struct setting {
    struct world *w;
    bool     is_server, required, never, ask, two, late;
    uint16_t version;
    span     chain2, key2;           /* a second identity of the client: for email too */
    struct filter filters[3];
};

static void tweak(troth_builder *b, void *ctx)
{
    const struct setting *s = ctx;
    if (s->version)
        troth_versions(b, s->version, s->version);
    if (s->is_server) {
        if (!s->late)
            troth_ask_client_auth(b, s->required ? TROTH_AUTH_REQUIRED : TROTH_AUTH_OPTIONAL);
        for (size_t i = 0; i < COUNT_OF(s->filters) && s->filters[i].oid.n; i++)
            troth_oid_filter(b, s->filters[i].oid, s->filters[i].values);
        return;
    }
    if (s->never)
        troth_never_anonymous(b);
    if (s->late)
        troth_post_handshake_auth(b);
    if (s->ask)
        troth_ask_client(b);
    else
        tweak_client_identity(b, s->w);
    if (s->two)
        troth_identity_pem(b, s->chain2, s->key2);
}

static void begin(struct pair *p, struct setting s)
{
    struct setting theirs = s;
    theirs.is_server = true;
    pair_new(p, world_client(s.w, tweak, &s), world_server(s.w, tweak, &theirs), NULL);
}

/* ---- what is met and what is not */
static void test_filters(void **state)
{
    static const struct { struct filter f[3]; bool met; } rows[] = {
        { { { KEY_USAGE, DIGITAL } }, true },
        { { { KEY_USAGE, CERT_SIGN } }, false },
        { { { KEY_USAGE, NONE } }, true },
        { { { EXT_KEY_USAGE, FOR_CLIENTS } }, true },
        { { { EXT_KEY_USAGE, FOR_EMAIL } }, false },
        { { { EXT_KEY_USAGE, FOR_BOTH } }, false },
        { { { KEY_USAGE, DIGITAL }, { EXT_KEY_USAGE, FOR_CLIENTS } }, true },
        { { { EXT_KEY_USAGE, FOR_CLIENTS }, { KEY_USAGE, CERT_SIGN } }, false },
        { { { BASIC, SPAN_TEXT("anything") } }, true }, /* without rules of what matches: passed over */
    };
    (void)state;
    for (size_t i = 0; i < 2 * COUNT_OF(rows); i++) {
        struct world *w = world_new(fake_provider(1));
        struct setting s = { .w = w, .version = TROTH_TLS13, .never = i & 1 };
        struct pair p;
        memcpy(s.filters, rows[i / 2].f, sizeof s.filters);
        begin(&p, s);
        pair_run(&p);
        if (rows[i / 2].met || !s.never)
            assert_ready(&p);
        else
            assert_failed(&p.client, OID_FILTER);
        if (p.client.ready)
            assert_int_equal(troth_what(p.server.c).client_authenticated, rows[i / 2].met);
        pair_free(&p);
        world_free(w);
    }
}

/* A second identity that is for clients and for email. */
static void make_second(struct setting *s)
{
    static const char *const uses[] = { "clientAuth", "emailProtection", NULL }, *const name[] = { "DNS:second.example", NULL };
    struct mk *m = s->w->mk;
    const troth_key *key = mk_key(m, TROTH_KEY_P256);
    struct issue leaf = mk_leaf(&s->w->root, key, NULL);
    leaf.san = name;
    leaf.eku = uses;
    span der = mk_cert(m, &leaf);
    uint8_t *private = arena_alloc(&m->arena, 1024);
    span key_der = span_of(private, m->crypto->key_private(key, private, 1024));
    const char *chain_pem = mk_pem(m, "CERTIFICATE", &der, 1), *key_pem = mk_pem(m, "PRIVATE KEY", &key_der, 1);
    s->chain2 = span_of(chain_pem, strlen(chain_pem));
    s->key2 = span_of(key_pem, strlen(key_pem));
    s->two = true;
}

static void test_the_one_that_fits(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(2));
    struct setting s = { .w = w, .version = TROTH_TLS13, .required = true };
    struct pair p;
    make_second(&s);
    for (int both = 0; both < 2; both++) {
        s.filters[0] = (struct filter){ EXT_KEY_USAGE, both ? FOR_BOTH : FOR_CLIENTS };
        begin(&p, s);
        pair_run(&p);
        assert_ready(&p);
        assert_int_equal(troth_what(p.client.c).own_identity, both);
        pair_free(&p);
    }
    world_free(w);
}

/* ---- a request that is changed on its way: the client follows what it was told, the server what it asked for */
struct change {
    const char *at;
    size_t      n;
    uint8_t     offset, value;
    bool        done;
};

static void on_message(void *self, const struct saw_message *m)
{
    struct change *c = self;
    uint8_t *p = (uint8_t *)(uintptr_t)m->raw.p;
    if (c->done || !m->ours || strcmp(m->type, "CertificateRequest"))
        return;
    for (size_t i = 0; i + c->n <= m->raw.n && !c->done; i++)
        if (!memcmp(p + i, c->at, c->n)) {
            p[i + c->offset] = c->value;
            c->done = true;
        }
}

static void changed(struct setting s, struct change change, struct pair *p)
{
    struct witness witness = { .self = &change, .message = on_message };
    begin(p, s);
    conn_watch(p->server.c, &witness);
    pair_run(p);
    assert_true(change.done);
    conn_watch(p->server.c, NULL);
}

static void test_not_what_was_asked(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(3));
    struct setting s = { .w = w, .version = TROTH_TLS13, .filters = { { KEY_USAGE, CERT_SIGN } } };
    struct pair p;
    changed(s, (struct change){ "\x03\x02\x02\x04", 4, 3, 0x80, false }, &p); /* it reads digitalSignature */
    assert_failed(&p.server, OID_FILTER);
    assert_int_equal(troth_why(p.client.c)->alert, ALERT_unsupported_certificate);
    pair_free(&p);
    world_free(w);
}

static void test_broken(void **state)
{
    static const struct { struct filter f[2]; struct change change; } rows[] = {
        { { { KEY_USAGE, DIGITAL }, { BASIC, NONE } }, { "\x03\x55\x1d\x13", 4, 3, 0x0f, false } },   /* keyUsage twice      */
        { { { KEY_USAGE, DIGITAL } }, { "\x03\x02\x07\x80", 4, 0, 0x04, false } },                    /* no BIT STRING       */
        { { { EXT_KEY_USAGE, SPAN_TEXT("\x30\x06\x06\x04\x55\x1d\x20\x00") } }, { "\x55\x1d\x20\x00", 4, 2, 0x25, false } }, /* any */
        { { { EXT_KEY_USAGE, FOR_CLIENTS } }, { "\x30\x0a\x06\x08", 4, 1, 0x09, false } },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct world *w = world_new(fake_provider(4));
        struct setting s = { .w = w, .version = TROTH_TLS13 };
        struct pair p;
        memcpy(s.filters, rows[i].f, sizeof rows[i].f);
        changed(s, rows[i].change, &p);
        assert_failed(&p.client, OID_FILTERS);
        pair_free(&p);
        world_free(w);
    }
}

static void test_config(void **state)
{
    static const struct filter rows[] = {
        { SPAN_TEXT(""), NONE }, { SPAN_TEXT("\x80\x01"), NONE }, { EXT_KEY_USAGE, FOR_ANY }, { KEY_USAGE, FOR_EMAIL },
        { BASIC, NONE }, /* a second time */
    };
    (void)state;
    struct world *w = world_new(fake_provider(5));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        troth_error why;
        troth_builder *b = troth_server_builder(troth_provider_share(w->mk->crypto));
        troth_identity_pem(b, w->chain_pem, w->key_pem);
        troth_oid_filter(b, BASIC, NONE);
        troth_oid_filter(b, rows[i].oid, rows[i].values);
        assert_null(troth_build_server(b, &why));
        assert_int_equal(why.reason, TROTH_R_BAD_ARGUMENT);
    }
    world_free(w);
}

/* ---- the application chooses */
struct chooser {
    struct setting s;
    troth_client  *answer;
    unsigned       asked;
    bool           abort, later;
};

static bool on_event(struct pair *p, struct pair_end *e, const troth_event *ev, void *ctx)
{
    struct chooser *c = ctx;
    (void)p;
    if (ev->kind != TROTH_ASK_CLIENT)
        return ev->kind == TROTH_CLIENT_AUTH;
    if (!c->later)
        c->asked++;
    assert_true(troth_what(e->c).acceptable_authorities.n > 0);
    if (c->later)
        return false;
    if (c->abort)
        troth_abort(e->c, ALERT_internal_error, "as the test says");
    else
        troth_answer_client(e->c, c->answer);
    return true;
}

static void run(struct pair *p, struct chooser *c)
{
    begin(p, c->s);
    p->on_event = on_event;
    p->ctx = c;
    pair_run(p);
}

static const uint16_t versions[] = { TROTH_TLS13, TROTH_TLS12 };

static void test_asked(void **state)
{
    (void)state;
    for (size_t v = 0; v < COUNT_OF(versions); v++) {
        struct world *w = world_new(troth_libcrypto());
        struct chooser c = { .s = { .w = w, .version = versions[v], .ask = true } };
        struct setting has = { .w = w, .version = versions[v] };
        struct pair p;
        make_second(&has);
        c.answer = world_client(w, tweak, &has);
        run(&p, &c);
        assert_ready(&p);
        assert_int_equal(c.asked, 1);
        assert_int_equal(troth_what(p.client.c).own_identity, 0);
        assert_true(troth_what(p.server.c).client_authenticated);
        troth_client_free(c.answer); /* the connection has its own share */
        assert_true(pair_write(&p.client, "x"));
        pair_run(&p);
        assert_int_equal(p.server.n_got, 1);
        pair_free(&p);

        c.answer = NULL; /* none is shown, also by one that would rather not */
        c.s.never = true;
        run(&p, &c);
        assert_ready(&p);
        assert_false(troth_what(p.server.c).client_authenticated);
        pair_free(&p);

        c.s.required = true;
        run(&p, &c);
        assert_failed(&p.server, NO_CLIENT_CERTIFICATE);
        pair_free(&p);

        c.abort = true;
        run(&p, &c);
        assert_failed(&p.client, APP_ABORTED);
        pair_free(&p);
        assert_int_equal(c.asked, 4);
        world_free(w);
    }
}

/* No message is taken while it thinks, and the answer may come any time. */
static void test_later(void **state)
{
    (void)state;
    for (size_t v = 0; v < COUNT_OF(versions); v++) {
        struct world *w = world_new(fake_provider(7));
        struct chooser c = { .s = { .w = w, .version = versions[v], .ask = true, .required = true }, .later = true };
        struct setting has = { .w = w, .version = versions[v] };
        struct pair p;
        c.answer = world_client(w, tweak, &has);
        run(&p, &c);
        assert_int_equal(p.client.last, TROTH_ASK_CLIENT);
        assert_false(p.client.ready || p.server.ready);
        troth_answer_client(p.client.c, c.answer);
        troth_answer_client(p.client.c, NULL); /* too late: it was answered */
        pair_run(&p);
        assert_ready(&p);
        assert_true(troth_what(p.server.c).client_authenticated);
        troth_client_free(c.answer);
        pair_free(&p);
        world_free(w);
    }
}

static void test_after_the_handshake(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(8));
    struct chooser c = { .s = { .w = w, .version = TROTH_TLS13, .ask = true, .late = true } };
    struct setting has = { .w = w };
    struct pair p;
    run(&p, &c);
    assert_ready(&p);
    assert_int_equal(c.asked, 0);
    for (unsigned i = 1; i <= 3; i++) {
        c.answer = i == 1 ? NULL : world_client(w, tweak, &has);
        assert_true(troth_ask_again(p.server.c));
        pair_run(&p);
        assert_int_equal(c.asked, i);
        assert_int_equal(troth_what(p.server.c).client_authenticated, i > 1);
        troth_client_free(c.answer);
    }
    pair_free(&p);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_filters),            cmocka_unit_test(test_the_one_that_fits),
        cmocka_unit_test(test_not_what_was_asked), cmocka_unit_test(test_broken),
        cmocka_unit_test(test_config),             cmocka_unit_test(test_asked),
        cmocka_unit_test(test_later),              cmocka_unit_test(test_after_the_handshake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
