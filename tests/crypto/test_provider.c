/* The provider on libcrypto keeps its promises: each algorithm does what its name says, keys load or say why not. */
#include <openssl/evp.h>

#include "crypto/tests_crypto.h"

#include "crypto/hkdf.h"

static void keeps_the_contract(void **state)
{
    (void)state;
    assert_null(provider_fault(p));
    assert_null(provider_kem(p, 0x6a6a));
    assert_null(provider_aead(p, (enum troth_aead_id)99));
}

/* Whatever a provider gets wrong is found before it is used, and has words of its own. */
static void every_fault_is_found(void **state)
{
    (void)state;
    troth_provider broken;
    troth_hash h;
    troth_aead a;
    troth_kem k;
    const troth_hash *hashes[] = { &h, NULL };
    const troth_aead *aeads[] = { &a, NULL };
    const troth_kem *kems[] = { &k, NULL };
#define FAULT(words, change)                                                \
    do {                                                                    \
        broken = *p;                                                        \
        h = *provider_hash(p, TROTH_SHA256);                                \
        a = *p->aeads[0];                                                   \
        k = *p->kems[0];                                                    \
        broken.hashes = hashes;                                             \
        broken.aeads = aeads;                                               \
        broken.kems = kems;                                                 \
        assert_null(provider_fault(&broken));                               \
        change;                                                             \
        const char *said = provider_fault(&broken);                         \
        if (!said || strcmp(said, words))                                   \
            test_fail("line %d: %s, not %s", __LINE__, said, words);        \
    } while (0)
    FAULT("the provider was built for an older troth", broken.size--);
    FAULT("the provider lacks a function", broken.random = NULL);
    FAULT("the provider lacks a function", broken.verify = NULL);
    FAULT("the provider lacks a function", broken.free = NULL);
    FAULT("the provider lacks a function for keys", broken.key_make = NULL);
    FAULT("the provider lacks a function for keys", broken.sign = NULL);
    FAULT("the provider lacks a list", broken.hashes = NULL);
    FAULT("the provider lacks a list", broken.aeads = NULL);
    FAULT("the provider lacks a list", broken.kems = NULL);
    FAULT("the provider lacks SHA-256", h.id = TROTH_SHA384);
    FAULT("a hash lacks a function", h.peek = NULL);
    FAULT("a hash has a digest or a block of an impossible size", h.n = 0);
    FAULT("a hash has a digest or a block of an impossible size", h.n = TROTH_DIGEST_MAX + 1);
    FAULT("a hash has a digest or a block of an impossible size", h.block_n = h.n - 1);
    FAULT("a hash has a digest or a block of an impossible size", h.block_n = TROTH_BLOCK_MAX + 16);
    FAULT("a hash has too large a state", h.state_n = TROTH_HASH_STATE_MAX + 1);
    FAULT("an AEAD lacks a function", a.end = NULL);
    FAULT("an AEAD has a key, nonce or tag of an impossible size", a.key_n = TROTH_AEAD_KEY_MAX + 1);
    FAULT("an AEAD has a key, nonce or tag of an impossible size", a.nonce_n = 8);
    FAULT("an AEAD has a key, nonce or tag of an impossible size", a.tag_n = 12);
    FAULT("an AEAD has too large a state", a.state_n = TROTH_AEAD_STATE_MAX + 1);
    FAULT("a key exchange lacks a function", k.finish = NULL);
    FAULT("a key exchange has too large a state or share", k.private_n = TROTH_KEM_PRIVATE_MAX + 1);
    FAULT("a key exchange has too large a state or share", k.share_n = TROTH_KEM_SHARE_MAX + 1);
    FAULT("a key exchange has too large a state or share", k.reply_n = TROTH_KEM_SHARE_MAX + 1);
    FAULT("a key exchange has a secret of an impossible size", k.secret_n = 0);
    FAULT("a key exchange has a secret of an impossible size", k.secret_n = TROTH_KEM_SECRET_MAX + 1);
    FAULT("the tail of a hybrid key exchange lies outside of it", (k.tail = p->kems[0], k.tail_share_at = 1));
    FAULT("the tail of a hybrid key exchange lies outside of it", (k.tail = p->kems[0], k.tail_share_at = 0, k.tail_private_at = 1));
#undef FAULT
}

static void shares_its_ownership(void **state)
{
    (void)state;
    troth_provider *q = troth_libcrypto_with(&(troth_libcrypto_options){ .size = sizeof(troth_libcrypto_options), .libcrypto_only = true });
    assert_non_null(q);
    assert_ptr_equal(troth_provider_share(q), q);
    troth_provider_free(q);
    uint8_t a[32], b[32];
    assert_true(q->random(q->self, a, sizeof a) && q->random(q->self, b, sizeof b));
    assert_memory_not_equal(a, b, sizeof a);
    troth_provider_free(q);
    troth_provider_free(NULL);
    assert_null(troth_provider_share(NULL));
}

static void hashes_in_pieces(void **state)
{
    (void)state;
    static const struct { enum troth_hash_id id; const char *of_abc; } known[] = {
        { TROTH_SHA256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
        { TROTH_SHA384, "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7" },
        { TROTH_SHA512, "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd"
                        "454d4423643ce80e2a9ac94fa54ca49f" },
        { TROTH_SHA1, "a9993e364706816aba3e25717850c26c9cd0d89d" },
    };
    for (size_t i = 0; i < COUNT_OF(known); i++) {
        const troth_hash *h = provider_hash(p, known[i].id);
        _Alignas(16) uint8_t st[TROTH_HASH_STATE_MAX], copy[TROTH_HASH_STATE_MAX];
        uint8_t want[64], got[64];
        size_t n;
        assert_true(hex_decode(want, sizeof want, &n, span_of(known[i].of_abc, strlen(known[i].of_abc))) && n == h->n);
        h->begin(st);
        h->add(st, (const uint8_t *)"a", 1);
        h->peek(st, got); /* does not disturb */
        memcpy(copy, st, h->state_n);
        h->add(copy, (const uint8_t *)"bc", 2);
        h->peek(copy, got);
        assert_memory_equal(got, want, n);
        h->add(st, (const uint8_t *)"bc", 2);
        h->peek(st, got);
        assert_memory_equal(got, want, n);
    }
}

/* Every length around the padding's edges, in two pieces, against libcrypto's own finish. */
static void hashes_every_length(void **state)
{
    (void)state;
    static const char *const names[] = { NULL, "SHA256", "SHA384", "SHA512", "SHA1" };
    uint8_t text[600], want[64], got[64];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)(i * 7 + 1);
    for (size_t k = 0; p->hashes[k]; k++)
        for (size_t n = 0; n <= sizeof text; n++) {
            const troth_hash *h = p->hashes[k];
            _Alignas(16) uint8_t st[TROTH_HASH_STATE_MAX];
            unsigned len;
            h->begin(st);
            h->add(st, text, n / 3);
            h->add(st, text + n / 3, n - n / 3);
            h->peek(st, got);
            assert_int_equal(EVP_Digest(text, n, want, &len, EVP_get_digestbyname(names[h->id]), NULL), 1);
            assert_int_equal(len, h->n);
            assert_memory_equal(got, want, len);
        }
}

static void every_aead_seals_and_opens(void **state)
{
    (void)state;
    for (size_t i = 0; p->aeads[i]; i++) {
        const troth_aead *a = p->aeads[i];
        _Alignas(64) uint8_t st[TROTH_AEAD_STATE_MAX];
        uint8_t key[32], nonce[12], text[1000], sealed[1016], back[1000];
        assert_true(p->random(p->self, key, 32) && p->random(p->self, nonce, 12) && p->random(p->self, text, sizeof text));
        assert_true(a->begin(a, st, key));
        for (size_t n = 0; n <= 70; n++) {
            span parts[3] = { { text, n / 3 }, { text + n / 3, 0 }, { text + n / 3, n - n / 3 } };
            assert_true(a->seal(a, st, sealed, nonce, span_of(text, n), parts, 3));
            assert_true(a->open(a, st, back, nonce, span_of(text, n), span_of(sealed, n + 16)));
            assert_memory_equal(back, text, n);
            memcpy(back, text, n);
            span one = { back, n };
            uint8_t in_place[1016];
            memcpy(in_place, text, n);
            one.p = in_place;
            assert_true(a->seal(a, st, in_place, nonce, span_of(text, n), &one, 1));
            assert_memory_equal(in_place, sealed, n + 16);
            for (size_t bit = 0; bit < 8 * (n + 16); bit += 7) {
                sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
                assert_false(a->open(a, st, back, nonce, span_of(text, n), span_of(sealed, n + 16)));
                sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
            }
            assert_true(a->open(a, st, in_place, nonce, span_of(text, n), span_of(in_place, n + 16)));
            assert_memory_equal(in_place, text, n);
        }
        assert_false(a->open(a, st, back, nonce, SPAN_NONE, span_of(sealed, 15)));
        a->end(a, st);
    }
}

static void check_kem(const troth_kem *k)
{
    _Alignas(16) uint8_t st[TROTH_KEM_PRIVATE_MAX];
    uint8_t share[TROTH_KEM_SHARE_MAX], reply[TROTH_KEM_SHARE_MAX], ours[TROTH_KEM_SECRET_MAX], theirs[TROTH_KEM_SECRET_MAX];
    bool broken = true;
    assert_true(k->make(k, st, share));
    assert_true(k->reply(k, span_of(share, k->share_n), reply, theirs, &broken));
    assert_false(broken);
    assert_true(k->finish(k, st, span_of(reply, k->reply_n), ours, &broken));
    assert_false(broken);
    assert_memory_equal(ours, theirs, k->secret_n);
    assert_false(k->reply(k, span_of(share, k->share_n - 1), reply, theirs, &broken) || broken);
    assert_false(k->reply(k, SPAN_NONE, reply, theirs, &broken) || broken);
    assert_false(k->finish(k, st, span_of(reply, k->reply_n - 1), ours, &broken) || broken);
    if (k->tail) { /* one key serves both shares */
        assert_true(k->tail->reply(k->tail, span_of(share + k->tail_share_at, k->tail->share_n), reply, theirs, &broken));
        assert_true(k->tail->finish(k->tail, st + k->tail_private_at, span_of(reply, k->tail->reply_n), ours, &broken));
        assert_memory_equal(ours, theirs, k->tail->secret_n);
    }
}

static void every_kem_agrees(void **state)
{
    (void)state;
    for (size_t i = 0; p->kems[i]; i++)
        check_kem(p->kems[i]);
    static const uint16_t all[] = { 23, 24, 25, 29, 512, 513, 514, 4587, 4588, 4589 };
    for (size_t i = 0; i < COUNT_OF(all); i++)
        assert_non_null(provider_kem(p, all[i]));
    assert_string_equal(p->kems[0]->name, "X25519MLKEM768");
    assert_ptr_equal(p->kems[0]->tail, provider_kem(p, 29));
    troth_libcrypto_options only = { .size = sizeof only, .libcrypto_only = true }, portable = { .size = sizeof only, .portable_only = true };
    troth_provider *q = troth_libcrypto_with(&only), *r = troth_libcrypto_with(&portable);
    for (size_t i = 0; q->kems[i]; i++)
        check_kem(q->kems[i]);
    for (size_t i = 0; r->kems[i]; i++)
        check_kem(r->kems[i]);
    troth_provider_free(q);
    troth_provider_free(r);
}

/* A share that one provider made, answered by the other. */
static void providers_agree(void **state)
{
    (void)state;
    troth_libcrypto_options only = { .size = sizeof only, .libcrypto_only = true };
    troth_provider *q = troth_libcrypto_with(&only);
    for (size_t i = 0; q->kems[i]; i++) {
        const troth_kem *a = q->kems[i], *b = provider_kem(p, a->group);
        for (int swap = 0; swap < 2; swap++) {
            uint8_t st[TROTH_KEM_PRIVATE_MAX], share[TROTH_KEM_SHARE_MAX], reply[TROTH_KEM_SHARE_MAX], ours[80], theirs[80];
            bool broken;
            assert_true(a->make(a, st, share));
            assert_true(b->reply(b, span_of(share, b->share_n), reply, theirs, &broken));
            assert_true(a->finish(a, st, span_of(reply, a->reply_n), ours, &broken));
            assert_memory_equal(ours, theirs, a->secret_n);
            const troth_kem *t = a;
            a = b;
            b = t;
        }
    }
    troth_provider_free(q);
}

static void hybrids_lay_out_their_halves(void **state)
{
    (void)state;
    const troth_kem *k = provider_kem(p, 4588), *e = provider_kem(p, 4587), *f = provider_kem(p, 4589);
    assert_int_equal(k->share_n, 1184 + 32);
    assert_int_equal(k->reply_n, 1088 + 32);
    assert_int_equal(k->secret_n, 64);
    assert_int_equal(k->tail_share_at, 1184);
    assert_int_equal(e->share_n, 65 + 1184);
    assert_int_equal(e->tail_share_at, 0);
    assert_int_equal(f->share_n, 97 + 1568);
    assert_int_equal(f->secret_n, 80);
    uint8_t st[TROTH_KEM_PRIVATE_MAX], share[TROTH_KEM_SHARE_MAX], reply[TROTH_KEM_SHARE_MAX], secret[80], zero[80] = { 0 };
    bool broken;
    assert_true(k->make(k, st, share));
    memset(share + 1184, 0, 32); /* the X25519 half gives zero: refused, and the ML-KEM half is not left behind */
    assert_false(k->reply(k, span_of(share, k->share_n), reply, secret, &broken) || broken);
    assert_memory_equal(secret, zero, k->secret_n);
    assert_true(k->make(k, st, share));
    share[0] = share[1] = 0xff; /* a coefficient beyond q */
    assert_false(k->reply(k, span_of(share, k->share_n), reply, secret, &broken) || broken);
}

static void refuses_other_forms_of_a_point(void **state)
{
    (void)state;
    const troth_kem *k = provider_kem(p, 23);
    uint8_t st[32], share[65], reply[65], secret[32];
    bool broken;
    assert_true(k->make(k, st, share));
    for (int form = 0; form < 256; form++) {
        share[0] = (uint8_t)form;
        bool ok = k->reply(k, span_of(share, form == 2 || form == 3 ? 33 : 65), reply, secret, &broken);
        assert_int_equal(ok, form == 4);
        assert_false(broken);
    }
    share[0] = 4;
    share[64] ^= 1; /* off the curve */
    assert_false(k->reply(k, span_of(share, 65), reply, secret, &broken) || broken);
    memset(share, 0xff, sizeof share);
    share[0] = 4;
    assert_false(k->reply(k, span_of(share, 65), reply, secret, &broken) || broken);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_the_contract),
        cmocka_unit_test(every_fault_is_found),
        cmocka_unit_test(shares_its_ownership),
        cmocka_unit_test(hashes_in_pieces),
        cmocka_unit_test(hashes_every_length),
        cmocka_unit_test(every_aead_seals_and_opens),
        cmocka_unit_test(every_kem_agrees),
        cmocka_unit_test(providers_agree),
        cmocka_unit_test(hybrids_lay_out_their_halves),
        cmocka_unit_test(refuses_other_forms_of_a_point),
    };
    return cmocka_run_group_tests(tests, open_provider, close_provider);
}
