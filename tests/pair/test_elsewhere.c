/* Keys that are elsewhere (troth_key_elsewhere): of chains, raw public keys and delegated credentials.  All is as with the key itself, but that
 * signatures are asked for, each by the tag of the key that it takes. */
#include "fake/fake.h"
#include "support/credential.h"
#include "support/test.h"
#include "wire/registry.h"

enum kind { CHAIN, RAW, DELEGATED, BOTH, KINDS };

/* Whoever has the keys. */
struct holder {
    const troth_key *key;
    unsigned         asked;
};

struct scene {
    struct world     *w;
    enum kind         kind;
    uint16_t          version;
    bool              late;      /* nobody answers at once */
    struct credential credential;
    struct holder     own, lent;
};

static span spki_of(struct world *w, const troth_key *key)
{
    uint8_t *der = arena_alloc(&w->mk->arena, 1024);
    size_t n = w->mk->crypto->key_public(key, der, 1024);
    assert_true(n > 0);
    return span_of(der, n);
}

static troth_key *load(const troth_provider *p, span pem)
{
    enum troth_reason why;
    troth_key *key = p->key_load(p->self, pem, NULL, NULL, &why);
    assert_non_null(key);
    return key;
}

static void known(struct scene *s, troth_builder *b, struct holder *h)
{
    troth_key_elsewhere(b, spki_of(s->w, h->key), 0, h);
}

static void show(struct scene *s, troth_builder *b)
{
    const struct world *w = s->w;
    known(s, b, &s->own);
    if (s->kind == RAW)
        troth_identity_raw_key(b, spki_of(s->w, s->own.key));
    else if (s->kind == CHAIN)
        troth_identity_pem(b, w->chain_pem, spki_of(s->w, s->own.key));
    else
        troth_identity_pem(b, s->credential.chain, s->kind == BOTH ? spki_of(s->w, s->own.key) : w->key_pem);
    if (s->kind < DELEGATED)
        return;
    known(s, b, &s->lent);
    troth_identity_delegated(b, s->credential.credential, spki_of(s->w, s->lent.key));
}

static troth_server *server(struct scene *s, troth_error *why)
{
    troth_builder *b = troth_server_builder(troth_provider_share(s->w->mk->crypto));
    troth_clock(b, test_clock, NULL);
    troth_versions(b, s->version, s->version);
    show(s, b);
    return troth_build_server(b, why);
}

static troth_client *client(struct scene *s)
{
    troth_error why;
    const uint8_t raw = TROTH_RAW_PUBLIC_KEY;
    troth_builder *b = troth_client_builder(troth_provider_share(s->w->mk->crypto));
    troth_clock(b, test_clock, NULL);
    troth_versions(b, s->version, s->version);
    if (s->kind == RAW) {
        troth_peer_types(b, &raw, 1);
        troth_danger_trust_anyone(b, "the key is what is looked at");
    } else {
        troth_trust_pem(b, s->w->root_pem);
        troth_accept_delegated(b);
    }
    troth_client *us = troth_build_client(b, &why);
    assert_non_null(us);
    return us;
}

static void sign(struct scene *s, troth_conn *c, const troth_event *ev)
{
    const troth_provider *p = s->w->mk->crypto;
    struct holder *h = ev->tag;
    uint8_t signature[TROTH_SIGNATURE_MAX];
    size_t n;
    h->asked++;
    assert_true(p->sign(p->self, h->key, troth_scheme_sig(ev->number), &ev->data, 1, signature, &n));
    troth_answer_sign(c, span_of(signature, n));
}

static bool on_event(struct pair *p, struct pair_end *e, const troth_event *ev, void *ctx)
{
    struct scene *s = ctx;
    if (ev->kind != TROTH_ASK_SIGN || s->late)
        return false;
    assert_ptr_equal(e, &p->server);
    sign(s, e->c, ev);
    return true;
}

static void begin(struct scene *s, enum kind kind, uint16_t version, troth_provider *provider)
{
    *s = (struct scene){ .w = world_new(provider), .kind = kind, .version = version };
    s->own.key = s->w->leaf_key;
    if (kind >= DELEGATED) {
        s->credential = credential_make(s->w, (struct recipe){ .valid = MK_DAY });
        s->lent.key = load(s->w->mk->crypto, s->credential.key);
    }
}

static void end(struct scene *s)
{
    if (s->lent.key)
        s->w->mk->crypto->key_free((troth_key *)(uintptr_t)s->lent.key);
    world_free(s->w);
}

static void run(struct pair *p, struct scene *s)
{
    troth_error why;
    troth_server *us = server(s, &why);
    if (!us)
        test_fail("%s: %s", why.code, why.detail);
    pair_new(p, client(s), us, NULL);
    p->on_event = on_event;
    p->ctx = s;
    pair_run(p);
}

static void test_signs(void **state)
{
    (void)state;
    for (int i = 0; i < 4 * KINDS; i++) {
        uint16_t version = i & 1 ? TROTH_TLS12 : TROTH_TLS13;
        enum kind kind = (enum kind)(i / 4);
        if (kind >= DELEGATED && version == TROTH_TLS12)
            continue;
        struct scene s;
        struct pair p;
        begin(&s, kind, version, i & 2 ? troth_libcrypto() : fake_provider(1));
        s.late = true;
        run(&p, &s);
        troth_event ev = troth_next(p.server.c);
        assert_int_equal(ev.kind, TROTH_ASK_SIGN);
        assert_false(p.client.ready || p.client.failed);
        s.late = false;
        pair_run(&p);
        assert_ready(&p);
        troth_facts f = troth_what(p.server.c);
        assert_true(f.own_delegated == (kind >= DELEGATED) && f.own_type == (kind == RAW ? TROTH_RAW_PUBLIC_KEY : TROTH_X509));
        assert_true(s.own.asked == (kind < DELEGATED) && s.lent.asked == (kind >= DELEGATED));
        pair_free(&p);
        end(&s);
    }
}

/* ---- what does not fit together */
enum wrong { OTHER_KEY, OTHER_LENT, NOT_KNOWN, NOT_A_KEY, CANNOT, WRONGS };

static void go_wrong(struct scene *s, troth_builder *b, enum wrong wrong)
{
    struct world *w = s->w;
    span other = spki_of(w, w->client_key), own = spki_of(w, w->leaf_key);
    if (wrong == NOT_A_KEY)
        troth_key_elsewhere(b, TROTH_TEXT("no SubjectPublicKeyInfo"), 0, s);
    if (wrong == CANNOT)
        troth_key_elsewhere(b, own, 1u << TROTH_SIG_RSA_PSS_SHA256, s);
    if (wrong == OTHER_KEY || wrong == OTHER_LENT)
        troth_key_elsewhere(b, other, 0, s);
    if (wrong == OTHER_LENT)
        troth_identity_pem(b, s->credential.chain, w->key_pem);
    if (wrong == OTHER_LENT)
        troth_identity_delegated(b, s->credential.credential, other);
    else
        troth_identity_pem(b, w->chain_pem, wrong == OTHER_KEY ? other : own);
}

static void test_wrong(void **state)
{
    static const enum troth_reason why[WRONGS] = { TROTH_R_KEY_MISMATCH, TROTH_R_KEY_MISMATCH, TROTH_R_KEY_IS_PUBLIC, TROTH_R_BAD_ARGUMENT, TROTH_R_BAD_ARGUMENT };
    (void)state;
    for (int i = 0; i < WRONGS; i++) {
        struct scene s;
        troth_error e;
        begin(&s, DELEGATED, TROTH_TLS13, troth_libcrypto());
        troth_builder *b = troth_server_builder(troth_provider_share(s.w->mk->crypto));
        troth_clock(b, test_clock, NULL);
        go_wrong(&s, b, (enum wrong)i);
        assert_null(troth_build_server(b, &e));
        assert_int_equal(e.reason, why[i]);
        end(&s);
    }
}

/* ---- what a process that has the keys finds in a configuration, and one that has not */
static void test_both_sides(void **state)
{
    (void)state;
    for (int i = CHAIN; i < KINDS; i++) {
        struct scene s;
        troth_error why;
        span der = SPAN_NONE, own;
        begin(&s, (enum kind)i, TROTH_TLS13, fake_provider(1));
        troth_server *front = server(&s, &why);
        assert_non_null(front);
        assert_true((troth_server_key(front, 0, false) != NULL) == (i == DELEGATED)); /* there its key is in the configuration */
        assert_null(troth_server_key(front, 0, true));
        assert_null(troth_server_key(front, 1, false));
        assert_true(troth_server_chain(front, 0, 0, &der) == (i != RAW));
        assert_true(troth_server_certificate(front, 0, &own) && span_equal(der, own));
        assert_false(troth_server_chain(front, 0, 7, &der) || troth_server_chain(front, 1, 0, &der));
        troth_server_free(front);
        end(&s);
    }
    assert_int_equal(troth_scheme_sig(SCHEME_ecdsa_secp256r1_sha256), TROTH_SIG_ECDSA_SHA256);
    assert_int_equal(troth_scheme_sig(SCHEME_ed25519), TROTH_SIG_ED25519);
    assert_int_equal(troth_scheme_sig(0x0a0a), TROTH_SIG_NONE);
    assert_null(troth_server_key(NULL, 0, false));
    assert_false(troth_server_chain(NULL, 0, 0, NULL) || troth_client_chain(NULL, 0, 0, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_signs), cmocka_unit_test(test_wrong), cmocka_unit_test(test_both_sides) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
