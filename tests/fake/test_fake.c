/* The fake provider keeps the contract: repeatable, consistent with itself, failing when told to. */
#include "fake/fake.h"
#include "support/mkpki.h"
#include "support/test.h"
#include "x509/cert.h"

#include "crypto/hkdf.h"
#include "crypto/provider.h"

static void repeats_itself(void **state)
{
    (void)state;
    uint8_t a[100], b[100], c[100];
    troth_provider *p = fake_provider(1), *q = fake_provider(1), *r = fake_provider(2);
    assert_null(provider_fault(p));
    assert_true(p->random(p->self, a, 100) && q->random(q->self, b, 100) && r->random(r->self, c, 100));
    assert_memory_equal(a, b, 100);
    assert_memory_not_equal(a, c, 100);
    troth_provider_free(p);
    troth_provider_free(q);
    troth_provider_free(r);
}

static void hashes_and_aeads(void **state)
{
    (void)state;
    troth_provider *p = fake_provider(3);
    for (size_t i = 0; p->hashes[i]; i++) {
        uint8_t a[64], b[64];
        hmac_once(p->hashes[i], a, SPAN_TEXT("key"), SPAN_TEXT("message"));
        hmac_once(p->hashes[i], b, SPAN_TEXT("key"), SPAN_TEXT("messagf"));
        assert_memory_not_equal(a, b, p->hashes[i]->n);
    }
    for (size_t i = 0; p->aeads[i]; i++) {
        const troth_aead *a = p->aeads[i];
        _Alignas(16) uint8_t st[TROTH_AEAD_STATE_MAX];
        uint8_t key[32] = { 1 }, nonce[12] = { 2 }, out[64];
        span parts[2] = { SPAN_TEXT("he"), SPAN_TEXT("llo") };
        assert_true(a->begin(a, st, key));
        assert_true(a->seal(a, st, out, nonce, SPAN_TEXT("aad"), parts, 2));
        assert_memory_equal(out, "hello", 5);
        assert_false(a->open(a, st, out, nonce, SPAN_TEXT("aae"), span_of(out, 21)));
        for (size_t bit = 0; bit < 8 * 21; bit++) {
            out[bit / 8] ^= (uint8_t)(1 << bit % 8);
            assert_false(a->open(a, st, out, nonce, SPAN_TEXT("aad"), span_of(out, 21)));
            out[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        assert_true(a->open(a, st, out, nonce, SPAN_TEXT("aad"), span_of(out, 21)));
        a->end(a, st);
    }
    troth_provider_free(p);
}

static void key_exchanges(void **state)
{
    (void)state;
    troth_provider *p = fake_provider(4), *real = troth_libcrypto();
    for (size_t i = 0; p->kems[i]; i++) {
        const troth_kem *k = p->kems[i], *r = provider_kem(real, k->group);
        uint8_t st[TROTH_KEM_PRIVATE_MAX], share[TROTH_KEM_SHARE_MAX], reply[TROTH_KEM_SHARE_MAX], ours[80], theirs[80];
        bool broken;
        assert_true(r && k->share_n == r->share_n && k->reply_n == r->reply_n && k->secret_n == r->secret_n);
        assert_true(!k->tail == !r->tail && (!k->tail || k->tail->group == r->tail->group) && k->tail_share_at == r->tail_share_at);
        assert_true(k->make(k, st, share));
        assert_true(k->reply(k, span_of(share, k->share_n), reply, theirs, &broken));
        assert_true(k->finish(k, st, span_of(reply, k->reply_n), ours, &broken));
        assert_memory_equal(ours, theirs, k->secret_n);
        if (k->tail) {
            const troth_kem *t = k->tail;
            assert_true(t->reply(t, span_of(share + k->tail_share_at, t->share_n), reply, theirs, &broken));
            assert_true(t->finish(t, st + k->tail_private_at, span_of(reply, t->reply_n), ours, &broken));
            assert_memory_equal(ours, theirs, t->secret_n);
        }
        assert_false(k->reply(k, span_of(share, k->share_n - 1), reply, theirs, &broken) || broken);
        memset(share, 0, sizeof share);
        assert_false(k->reply(k, span_of(share, k->share_n), reply, theirs, &broken) || broken);
    }
    troth_provider_free(p);
    troth_provider_free(real);
}

static void keys_and_signatures(void **state)
{
    (void)state;
    troth_provider *p = fake_provider(5);
    for (int type = TROTH_KEY_RSA; type <= TROTH_KEY_MLDSA87; type++) {
        uint8_t spki[3000], der[3000], signature[TROTH_SIGNATURE_MAX];
        enum troth_reason why;
        struct spki got;
        size_t n;
        troth_key *made = p->key_make(p->self, (enum troth_key_type)type, 2048);
        assert_non_null(made);
        size_t der_n = p->key_private(made, der, sizeof der), spki_n = p->key_public(made, spki, sizeof spki);
        troth_key *k = p->key_load(p->self, span_of(der, der_n), NULL, NULL, &why);
        assert_non_null(k);
        assert_int_equal(p->key_type(k), type);
        p->key_free(made);
        assert_true(spki_read(&got, span_of(spki, spki_n), NULL, NULL));
        assert_int_equal(got.key.type, type);
        for (int sig = 1; sig < TROTH_SIG_COUNT; sig++) {
            if (!p->key_can(k, (enum troth_sig)sig))
                continue;
            span parts[2] = { SPAN_TEXT("mess"), SPAN_TEXT("age") }, whole = SPAN_TEXT("message"), other = SPAN_TEXT("massage");
            assert_true(p->sign(p->self, k, (enum troth_sig)sig, parts, 2, signature, &n));
            troth_verify_job jobs[2] = { { (enum troth_sig)sig, &got.key, &whole, 1, { signature, n }, false, NULL },
                                         { (enum troth_sig)sig, &got.key, &other, 1, { signature, n }, true, NULL } };
            p->verify(p->self, jobs, 2);
            assert_true(jobs[0].good && !jobs[1].good);
        }
        p->key_free(k);
    }
    troth_provider_free(p);
}

static void makes_a_pki(void **state)
{
    (void)state;
    struct mk *m = mk_new_with(fake_provider(6));
    struct issue root = mk_ca("CN=Root", mk_key(m, TROTH_KEY_P256));
    struct issue leaf = mk_leaf(&root, mk_key(m, TROTH_KEY_RSA), "a.example");
    assert_true(mk_cert(m, &leaf).n > 300);
    mk_free(m);
}

static void fails_when_told(void **state)
{
    (void)state;
    troth_provider *p = fake_provider(7);
    uint8_t a[4];
    uint64_t before = fake_calls(p);
    fake_fail_in(p, 2);
    assert_true(p->random(p->self, a, 4));
    assert_false(p->random(p->self, a, 4));
    assert_true(p->random(p->self, a, 4));
    assert_true(fake_calls(p) == before + 3);
    troth_provider_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(repeats_itself), cmocka_unit_test(hashes_and_aeads), cmocka_unit_test(key_exchanges),
        cmocka_unit_test(keys_and_signatures), cmocka_unit_test(makes_a_pki), cmocka_unit_test(fails_when_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
