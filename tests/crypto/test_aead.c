/* The forms of each AEAD against each other at random: libcrypto's and libipsec-mb's, in any pieces, at any alignment. */
#include "crypto/tests_crypto.h"

static troth_provider *fast, *plain;

static int open_providers(void **state)
{
    (void)state;
    fast = troth_libcrypto();
    plain = troth_libcrypto_with(&(troth_libcrypto_options){ .size = sizeof(troth_libcrypto_options), .libcrypto_only = true });
    return fast && plain ? 0 : -1;
}

static int close_providers(void **state)
{
    (void)state;
    troth_provider_free(fast);
    troth_provider_free(plain);
    return 0;
}

static size_t below(size_t n)
{
    uint32_t r;
    assert_true(plain->random(plain->self, (uint8_t *)&r, sizeof r));
    return r % n;
}

enum { TEXT_MAX = 17000 };

/* One message: both seal it to the same bytes, each opens the other's, neither opens it changed. */
static void one(const troth_aead *a, void *sa, const troth_aead *b, void *sb, size_t n)
{
    static uint8_t text[TEXT_MAX], x[TEXT_MAX + 80], y[TEXT_MAX + 80], aad[32];
    uint8_t nonce[12];
    size_t n_parts = 1 + below(6), at = 0, shift = below(64), aad_n = below(33);
    span parts[6];
    assert_true(plain->random(plain->self, nonce, 12) && plain->random(plain->self, aad, sizeof aad));
    assert_true(!n || plain->random(plain->self, text, n));
    for (size_t i = 0; i < n_parts; i++) {
        size_t some = i + 1 == n_parts ? n - at : below(n - at + 1);
        parts[i] = span_of(text + at, some);
        at += some;
    }
    assert_true(a->seal(a, sa, x + shift, nonce, span_of(aad, aad_n), parts, n_parts));
    assert_true(b->seal(b, sb, y, nonce, span_of(aad, aad_n), parts, n_parts));
    assert_memory_equal(x + shift, y, n + 16);
    size_t bad = below(n + 16);
    x[shift + bad] ^= 1;
    for (int other = 0; other < 2; other++) {
        assert_false(other ? b->open(b, sb, y, nonce, span_of(aad, aad_n), span_of(x + shift, n + 16))
                           : a->open(a, sa, y, nonce, span_of(aad, aad_n), span_of(x + shift, n + 16)));
        for (size_t i = 0; i < n; i++)
            assert_int_equal(y[i], 0); /* nothing of it is left */
        memset(y, 0xaa, n);
    }
    x[shift + bad] ^= 1;
    assert_true(b->open(b, sb, y, nonce, span_of(aad, aad_n), span_of(x + shift, n + 16)));
    assert_memory_equal(y, text, n);
    assert_true(a->open(a, sa, x + shift, nonce, span_of(aad, aad_n), span_of(x + shift, n + 16)));
    assert_memory_equal(x + shift, text, n);
    span whole = span_of(x + shift, n); /* in place, in one piece */
    assert_true(a->seal(a, sa, x + shift, nonce, span_of(aad, aad_n), &whole, 1));
    assert_true(b->open(b, sb, x + shift, nonce, span_of(aad, aad_n), span_of(x + shift, n + 16)));
    assert_memory_equal(x + shift, text, n);
}

static void forms_agree(void **state)
{
    (void)state;
    for (size_t i = 0; plain->aeads[i]; i++) {
        const troth_aead *b = plain->aeads[i], *a = provider_aead(fast, b->id);
        _Alignas(16) uint8_t sa[TROTH_AEAD_STATE_MAX + 48], sb[TROTH_AEAD_STATE_MAX];
        assert_non_null(a);
        assert_true(a->seal_limit == b->seal_limit && a->key_n == b->key_n);
        printf("%s: %s\n", a->name, a->begin == b->begin ? "libcrypto alone" : "libipsec-mb against libcrypto");
        for (int round = 0; round < 60; round++) {
            uint8_t key[32], *state_a = sa + 16 * below(4);
            assert_true(plain->random(plain->self, key, sizeof key));
            assert_true(a->begin(a, state_a, key) && b->begin(b, sb, key));
            for (int k = 0; k < 10; k++)
                one(a, state_a, b, sb, k < 6 ? below(300) : k < 9 ? below(3000) : below(TEXT_MAX));
            a->end(a, state_a);
            b->end(b, sb);
        }
    }
}

/* Every length around the blocks of the wide code. */
static void every_length(void **state)
{
    (void)state;
    for (size_t i = 0; plain->aeads[i]; i++) {
        const troth_aead *b = plain->aeads[i], *a = provider_aead(fast, b->id);
        _Alignas(16) uint8_t sa[TROTH_AEAD_STATE_MAX], sb[TROTH_AEAD_STATE_MAX];
        uint8_t key[32];
        assert_true(plain->random(plain->self, key, sizeof key));
        assert_true(a->begin(a, sa, key) && b->begin(b, sb, key));
        for (size_t n = 0; n < 1100; n++)
            one(a, sa, b, sb, n);
        a->end(a, sa);
        b->end(b, sb);
    }
}

static void portable_only_is_libcrypto(void **state)
{
    (void)state;
    troth_provider *q = troth_libcrypto_with(&(troth_libcrypto_options){ .size = sizeof(troth_libcrypto_options), .portable_only = true });
    for (size_t i = 0; q->aeads[i]; i++)
        assert_ptr_equal(q->aeads[i]->begin, provider_aead(plain, q->aeads[i]->id)->begin);
    troth_provider_free(q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms_agree),
        cmocka_unit_test(every_length),
        cmocka_unit_test(portable_only_is_libcrypto),
    };
    return cmocka_run_group_tests(tests, open_providers, close_providers);
}
