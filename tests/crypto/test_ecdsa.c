/* r and s in DER: every pair comes back, and no other bytes read as the same pair. */
#include "crypto/ecdsa.h"
#include "crypto/tests_crypto.h"

static void comes_back(void **state)
{
    (void)state;
    uint8_t r[32], s[32], r2[32], s2[32], der[72], other[73];
    for (size_t a = 0; a <= 32; a++)
        for (size_t b = 0; b <= 32; b++)
            for (int high = 0; high < 4; high++) {
                memset(r, 0, 32);
                memset(s, 0, 32);
                memset(r + 32 - a, high & 1 ? 0xff : 0x7f, a);
                memset(s + 32 - b, high & 2 ? 0x80 : 0x01, b);
                size_t n = ecdsa_write_256(der, r, s);
                assert_true(n <= 72);
                assert_true(ecdsa_read_256(span_of(der, n), r2, s2));
                assert_memory_equal(r, r2, 32);
                assert_memory_equal(s, s2, 32);
                assert_false(ecdsa_read_256(span_of(der, n - 1), r2, s2));
                memcpy(other, der, n);
                other[n] = 0;
                assert_false(ecdsa_read_256(span_of(other, n + 1), r2, s2));
                for (size_t i = 0; i < n; i++) { /* another byte: other numbers, or nothing */
                    other[i] ^= 0x80;
                    if (ecdsa_read_256(span_of(other, n), r2, s2))
                        assert_false(span_equal(SPAN_OF(r), SPAN_OF(r2)) && span_equal(SPAN_OF(s), SPAN_OF(s2)));
                    other[i] ^= 0x80;
                }
            }
}

static void refuses(void **state)
{
    (void)state;
    static const struct { const char *p; size_t n; } bad[] = {
        { "", 0 }, { "0", 1 }, { "0\0", 2 }, { "0\6\2\1\1\2\1", 7 }, { "0\7\2\2\0\1\2\1\1", 9 }, { "0\6\2\1\x81\2\1\1", 8 },
        { "0\x81\6\2\1\1\2\1\1", 9 }, { "1\6\2\1\1\2\1\1", 8 }, { "0\6\3\1\1\2\1\1", 8 }, { "0\5\2\0\2\1\1", 7 },
        { "0\x80\2\1\1\2\1\1\0\0", 10 }, { "0\x09\2\1\1\2\1\1\2\1\1", 11 },
    };
    uint8_t r[32], s[32];
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(ecdsa_read_256(span_of(bad[i].p, bad[i].n), r, s));
    assert_true(ecdsa_read_256(SPAN_TEXT("0\6\2\1\1\2\1\1"), r, s));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(comes_back), cmocka_unit_test(refuses) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
