/* Questions of troth_next(), answered at once, late, wrongly, with no, or never: who is asked what, in both versions.  While one is open it
 * is repeated, nothing of the peer is taken, buffers may be given back, and answers to other questions do nothing. */
#include "fake/fake.h"
#include "support/pair.h"
#include "support/test.h"
#include "tls/suite.h"

struct row {
    const char            *name;
    enum troth_event_kind  kind;
    bool                   server;     /* is asked                          */
    bool                   tls12;
    bool                   of_server;  /* who fails when the answer is no   */
    enum troth_reason      no;
    bool                   denied;     /* no, in the other way              */
};

#define BOTH(name, kind, server, of_server, no)                  \
    { name ", TLS 1.3", kind, server, false, of_server, TROTH_R_##no, false }, \
    { name ", TLS 1.2", kind, server, true, of_server, TROTH_R_##no, false }

static const struct row rows[] = {
    BOTH("server: which configuration", TROTH_ASK_SERVER, true, true, UNRECOGNIZED_NAME),
    BOTH("server: a signature", TROTH_ASK_SIGN, true, true, SIGNATURE_NOT_MADE),
    BOTH("client: a signature", TROTH_ASK_SIGN, false, false, SIGNATURE_NOT_MADE),
    BOTH("server: a verdict", TROTH_ASK_VERDICT, true, true, APP_REFUSED),
    BOTH("client: a verdict", TROTH_ASK_VERDICT, false, false, APP_REFUSED),
    { "server: denied, TLS 1.3", TROTH_ASK_VERDICT, true, false, true, TROTH_R_ACCESS_DENIED, true },
    { "server: denied, TLS 1.2", TROTH_ASK_VERDICT, true, true, true, TROTH_R_ACCESS_DENIED, true },
    { "client: denied, TLS 1.3", TROTH_ASK_VERDICT, false, false, false, TROTH_R_ACCESS_DENIED, true },
    BOTH("client: by whom to answer", TROTH_ASK_CLIENT, false, true, NO_CLIENT_CERTIFICATE),
};

struct scene {
    struct world     *w;
    const struct row *row;
    troth_server     *other;  /* for ASK_SERVER */
    troth_client     *shows;  /* for ASK_CLIENT */
    unsigned          asked;
    bool              late;   /* not answered when asked */
    bool              rests;  /* buffers are given back at every event */
    size_t            most;   /* bytes per read and write; 0: any */
    uint8_t           to_sign[8192]; /* TLS 1.2: all messages so far */
    size_t            to_sign_n;
    uint16_t          scheme;
};

/* ---- making both ends; whoever is asked has what the question is about */
static troth_builder *begin(struct scene *s, bool server)
{
    troth_provider *crypto = troth_provider_share(s->w->mk->crypto);
    troth_builder *b = server ? troth_server_builder(crypto) : troth_client_builder(crypto);
    uint16_t v = s->row->tls12 ? TROTH_TLS12 : TROTH_TLS13;
    troth_clock(b, test_clock, NULL);
    troth_versions(b, v, v);
    troth_trust_pem(b, s->w->root_pem);
    return b;
}

static void identity(struct scene *s, troth_builder *b, bool server)
{
    const struct world *w = s->w;
    bool external = s->row->kind == TROTH_ASK_SIGN && s->row->server == server;
    span chain = server ? w->chain_pem : w->client_chain_pem;
    if (external)
        troth_identity_external(b, chain, s);
    else
        troth_identity_pem(b, chain, server ? w->key_pem : w->client_key_pem);
}

static troth_server *make_server(struct scene *s)
{
    troth_error why;
    troth_builder *b = begin(s, true);
    identity(s, b, true);
    troth_ask_client_auth(b, TROTH_AUTH_REQUIRED);
    if (s->row->kind == TROTH_ASK_SERVER)
        troth_ask_server(b);
    if (s->row->kind == TROTH_ASK_VERDICT && s->row->server)
        troth_ask_verdict(b);
    troth_server *us = troth_build_server(b, &why);
    assert_non_null(us);
    return us;
}

static troth_client *make_client(struct scene *s)
{
    troth_error why;
    troth_builder *b = begin(s, false);
    identity(s, b, false);
    if (s->row->kind == TROTH_ASK_CLIENT)
        troth_ask_client(b);
    if (s->row->kind == TROTH_ASK_VERDICT && !s->row->server)
        troth_ask_verdict(b);
    troth_client *us = troth_build_client(b, &why);
    assert_non_null(us);
    return us;
}

/* ---- answers */
static void sign(struct scene *s, troth_conn *c, bool right)
{
    const troth_provider *crypto = s->w->mk->crypto;
    const troth_key *key = s->row->server ? s->w->leaf_key : s->w->client_key;
    uint8_t signature[TROTH_SIGNATURE_MAX];
    size_t n;
    span part = span_of(s->to_sign, s->to_sign_n);
    assert_true(crypto->sign(crypto->self, key, scheme_by_id(s->scheme)->sig, &part, 1, signature, &n));
    signature[n - 1] ^= !right;
    troth_answer_sign(c, span_of(signature, n));
}

static void answer(struct scene *s, troth_conn *c, bool yes)
{
    static const troth_span none = { NULL, 0 };
    switch ((int)s->row->kind) {
    case TROTH_ASK_SERVER: troth_answer_server(c, yes ? s->other : NULL); break;
    case TROTH_ASK_VERDICT:
        if (!yes && s->row->denied)
            troth_answer_denied(c, "not this one");
        else
            troth_answer_verdict(c, yes, yes ? NULL : "not this one");
        break;
    case TROTH_ASK_CLIENT: troth_answer_client(c, yes ? s->shows : NULL); break;
    default:
        if (yes)
            sign(s, c, true);
        else
            troth_answer_sign(c, none);
    }
}

/* Answers to questions that were not asked. */
static void answer_others(struct scene *s, troth_conn *c)
{
    if (s->row->kind != TROTH_ASK_SERVER)
        troth_answer_server(c, NULL);
    if (s->row->kind != TROTH_ASK_VERDICT)
        troth_answer_verdict(c, false, "nobody asked"), troth_answer_denied(c, "nobody asked");
    if (s->row->kind != TROTH_ASK_CLIENT)
        troth_answer_client(c, NULL);
    if (s->row->kind != TROTH_ASK_SIGN)
        troth_answer_sign(c, (troth_span){ NULL, 0 });
}

static bool on_event(struct pair *p, struct pair_end *e, const troth_event *ev, void *ctx)
{
    struct scene *s = ctx;
    if (s->rests && ev->kind != s->row->kind)
        troth_rest(e->c);
    if (ev->kind != s->row->kind)
        return false;
    assert_ptr_equal(e, s->row->server ? &p->server : &p->client);
    s->asked++;
    if (ev->kind == TROTH_ASK_SIGN) {
        assert_ptr_equal(ev->tag, s);
        assert_true(ev->data.n <= sizeof s->to_sign);
        memcpy(s->to_sign, ev->data.p, s->to_sign_n = ev->data.n);
        s->scheme = ev->number;
    }
    if (ev->kind == TROTH_ASK_CLIENT)
        assert_true(troth_what(e->c).acceptable_authorities.n > 0);
    if (s->rests)
        troth_rest(e->c);
    if (s->late)
        return false;
    answer(s, e->c, true);
    return true;
}

/* Runs until the question, or, if it is answered at once, to the end.  The end that is asked. */
static struct pair_end *run(struct pair *p, struct scene *s, const struct row *row, bool late)
{
    s->row = row;
    s->late = late;
    s->asked = 0;
    pair_new(p, make_client(s), make_server(s), NULL);
    p->on_event = on_event;
    p->ctx = s;
    p->most = s->most;
    pair_run(p);
    assert_true(s->asked > 0);
    return row->server ? &p->server : &p->client;
}

static void finish(struct pair *p)
{
    assert_ready(p);
    assert_true(pair_write(&p->client, "x"));
    pair_run(p);
    assert_int_equal(p->server.n_got, 1);
    pair_free(p);
}

static void scene_new(struct scene *s)
{
    static const struct row plain[2] = { { .kind = TROTH_READY }, { .kind = TROTH_READY, .tls12 = true } };
    memset(s, 0, sizeof *s);
    s->w = world_new(fake_provider(1));
    s->row = &plain[0];
}

/* Configurations that ask no more. */
static void others(struct scene *s, const struct row *row)
{
    struct row quiet = *row;
    quiet.kind = TROTH_READY;
    s->row = &quiet;
    troth_server_free(s->other);
    troth_client_free(s->shows);
    s->other = make_server(s);
    s->shows = make_client(s);
}

static void scene_free(struct scene *s)
{
    troth_server_free(s->other);
    troth_client_free(s->shows);
    world_free(s->w);
}

/* ---- the tests */
static void test_at_once(void **state)
{
    (void)state;
    struct scene s;
    scene_new(&s);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct pair p;
        others(&s, &rows[i]);
        (void)run(&p, &s, &rows[i], false);
        assert_int_equal(s.asked, 1);
        finish(&p);
    }
    scene_free(&s);
}

static void test_late(void **state)
{
    (void)state;
    struct scene s;
    scene_new(&s);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct pair p;
        others(&s, &rows[i]);
        struct pair_end *e = run(&p, &s, &rows[i], true);
        for (int again = 0; again < 3; again++) {
            assert_int_equal(troth_next(e->c).kind, rows[i].kind);
            answer_others(&s, e->c);
            pair_run(&p);
            assert_true(!p.client.failed && !p.server.failed && !e->ready);
        }
        s.late = false;
        answer(&s, e->c, true);
        pair_run(&p);
        finish(&p);
    }
    scene_free(&s);
}

static void test_no(void **state)
{
    (void)state;
    struct scene s;
    scene_new(&s);
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (int late = 0; late < 2; late++) {
            struct pair p;
            const struct row *r = &rows[i];
            others(&s, r);
            struct pair_end *e = run(&p, &s, r, true);
            for (int n = 0; late && n < 3; n++)
                (void)troth_next(e->c);
            answer(&s, e->c, false);
            pair_run(&p);
            assert_failed_at(r->of_server ? &p.server : &p.client, r->no, __FILE__, __LINE__);
            assert_true(p.client.failed && p.server.failed);
            assert_false(p.server.ready || (p.client.ready && r->tls12));
            pair_free(&p);
        }
    scene_free(&s);
}

/* troth_rest() where it is meant for, before a wait that may be long: what the rest of the handshake needs stays, however it arrived. */
static void test_rested(void **state)
{
    (void)state;
    struct scene s;
    scene_new(&s);
    for (size_t i = 0; i < 2 * COUNT_OF(rows); i++) {
        struct pair p;
        const struct row *r = &rows[i / 2];
        others(&s, r);
        s.rests = true;
        s.most = i % 2;
        struct pair_end *e = run(&p, &s, r, true);
        troth_rest(e->c);
        assert_int_equal(troth_next(e->c).kind, r->kind);
        s.late = false;
        answer(&s, e->c, true);
        pair_run(&p);
        finish(&p);
    }
    scene_free(&s);
}

static void test_wrong_signature(void **state)
{
    (void)state;
    struct scene s;
    scene_new(&s);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct pair p;
        if (rows[i].kind != TROTH_ASK_SIGN)
            continue;
        struct pair_end *e = run(&p, &s, &rows[i], true);
        sign(&s, e->c, false);
        pair_run(&p);
        assert_failed(rows[i].server ? &p.client : &p.server, BAD_SIGNATURE);
        pair_free(&p);
    }
    scene_free(&s);
}

/* The application gives up, the transport breaks, or nobody answers until all is freed. */
static void test_never(void **state)
{
    (void)state;
    struct scene s;
    scene_new(&s);
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (int how = 0; how < 3; how++) {
            struct pair p;
            others(&s, &rows[i]);
            struct pair_end *e = run(&p, &s, &rows[i], true);
            if (how == 0)
                troth_abort(e->c, 80, "no answer came");
            if (how == 1)
                troth_broken(e->c, TROTH_R_NET_RESET_MID, "while we thought");
            if (how < 2) {
                answer(&s, e->c, true); /* too late: it does nothing */
                pair_run(&p);
                assert_failed_at(e, how ? TROTH_R_NET_RESET_MID : TROTH_R_APP_ABORTED, __FILE__, __LINE__);
            }
            pair_free(&p);
        }
    scene_free(&s);
}

/* ---- what a server may go by, beside the name */
static void tweak_protocols(troth_builder *b, void *asks)
{
    static const char *const names[] = { "acme-tls/1", "h2" };
    troth_alpn(b, names, 2);
    if (asks)
        troth_ask_server(b);
}

static bool look_at_protocols(struct pair *p, struct pair_end *e, const troth_event *ev, void *us)
{
    static const char *const names[] = { "acme-tls/1", "h2" };
    span name;
    if (ev->kind != TROTH_ASK_SERVER)
        return false;
    for (size_t i = 0; i < COUNT_OF(names); i++)
        assert_true(troth_offered_protocol(e->c, i, &name) && span_equal(name, span_of(names[i], strlen(names[i]))));
    assert_false(troth_offered_protocol(e->c, COUNT_OF(names), &name));
    assert_false(troth_offered_protocol(p->client.c, 0, &name));
    troth_rest(e->c);
    assert_true(troth_offered_protocol(e->c, 0, NULL));
    troth_answer_server(e->c, us);
    assert_false(troth_offered_protocol(e->c, 0, &name)); /* nobody is asked any more */
    return true;
}

static bool look_at_none(struct pair *p, struct pair_end *e, const troth_event *ev, void *us)
{
    (void)p;
    if (ev->kind != TROTH_ASK_SERVER)
        return false;
    assert_false(troth_offered_protocol(e->c, 0, NULL));
    troth_answer_server(e->c, us);
    return true;
}

static void test_protocols(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(1));
    for (int offers = 0; offers < 2; offers++) {
        struct pair p;
        troth_server *us = world_server(w, tweak_protocols, w);
        pair_new(&p, world_client(w, offers ? tweak_protocols : NULL, NULL), us, NULL);
        assert_false(troth_offered_protocol(p.server.c, 0, NULL) || troth_offered_protocol(NULL, 0, NULL));
        p.on_event = offers ? look_at_protocols : look_at_none;
        p.ctx = us;
        pair_run(&p);
        assert_ready(&p);
        pair_free(&p);
    }
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_at_once), cmocka_unit_test(test_late),  cmocka_unit_test(test_no),
        cmocka_unit_test(test_rested),  cmocka_unit_test(test_wrong_signature), cmocka_unit_test(test_never),
        cmocka_unit_test(test_protocols),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
