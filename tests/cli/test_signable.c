/* cli/serve/signable.c: what the keeper of keys signs, and that nothing beside it is signed: every other form, every cut, every byte that is fixed. */
#include "../../cli/serve/signable.c"

#include "support/test.h"

enum { ECDSA = 0x0403, PSS = 0x0804, PKCS1 = 0x0401, ED25519_SCHEME = 0x0807, MOST = 512 };

static size_t verify13(uint8_t *out, const char *context, size_t digest_n)
{
    size_t n = strlen(context) + 1;
    memset(out, ' ', 64);
    memcpy(out + 64, context, n);
    memset(out + 64 + n, 0xd1, digest_n);
    return 64 + n + digest_n;
}

static size_t exchange12(uint8_t *out, unsigned curve, size_t n)
{
    memset(out, 0xab, MOST);
    out[64] = 3;
    out[65] = (uint8_t)(curve >> 8);
    out[66] = (uint8_t)curve;
    out[67] = (uint8_t)n;
    return 68 + n;
}

/* A handshake of empty messages of these types. */
static size_t messages(uint8_t *out, const uint8_t *types, size_t count)
{
    memset(out, 0, MOST);
    for (size_t i = 0; i < count; i++)
        out[4 * i] = types[i];
    return 4 * count;
}

static bool is(const uint8_t *p, size_t n, unsigned scheme, bool server)
{
    return signable((troth_span){ p, n }, (uint16_t)scheme, server);
}

static const char *const contexts[2] = { "TLS 1.3, client CertificateVerify", "TLS 1.3, server CertificateVerify" };

static void test_tls13(void **state)
{
    static const unsigned schemes[] = { ECDSA, 0x0503, 0x0603, PSS, 0x0805, 0x0806, 0x0809, ED25519_SCHEME };
    uint8_t b[MOST];
    (void)state;
    for (int server = 0; server < 2; server++)
        for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
            assert_true(is(b, verify13(b, contexts[server], 32), schemes[i], server));
            assert_true(is(b, verify13(b, contexts[server], 48), schemes[i], server));
            assert_false(is(b, verify13(b, contexts[server], 48), schemes[i], !server));
        }
    size_t n = verify13(b, contexts[1], 32);
    for (size_t cut = 0; cut < n; cut++)
        assert_false(is(b, cut, ECDSA, true));
    for (size_t i = 0; i < n - 32; i++) { /* all before the digest is fixed */
        b[i] ^= 1;
        assert_false(is(b, n, ECDSA, true));
        b[i] ^= 1;
    }
    assert_true(is(b, n, ECDSA, true));
    assert_false(is(b, verify13(b, contexts[1], 64), ECDSA, true));
    assert_false(is(b, verify13(b, "TLS, server delegated credentials", 32), ECDSA, true));
    n = verify13(b, contexts[1], 32);
    assert_false(is(b, n, PKCS1, true) || is(b, n, 0x0203, true) || is(b, n, 0x0201, true) || is(b, n, 0, true) || is(b, n, 0xffff, true));
}

static void test_tls12_server(void **state)
{
    static const struct {
        unsigned curve;
        size_t   n;
    } rows[] = { { 23, 65 }, { 24, 97 }, { 25, 133 }, { 29, 32 }, { 30, 56 } };
    uint8_t b[MOST];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t n = exchange12(b, rows[i].curve, rows[i].n);
        assert_true(is(b, n, ECDSA, true) && is(b, n, PKCS1, true));
        assert_false(is(b, n, ECDSA, false));
        for (size_t cut = 0; cut < n; cut++)
            assert_false(is(b, cut, ECDSA, true));
        assert_false(is(b, n + 1, ECDSA, true));
        for (int k = 64; k < 68; k++)
            for (int bit = 0; bit < 8; bit++) {
                b[k] ^= (uint8_t)(1 << bit);
                bool other = k == 66 && (b[66] == 29 || b[66] == 30 || b[66] == 25 || b[66] == 24 || b[66] == 23); /* another curve, another length */
                assert_false(is(b, n, ECDSA, true) && !other);
                b[k] ^= (uint8_t)(1 << bit);
            }
        assert_false(is(b, exchange12(b, rows[i].curve, rows[i].n - 1), ECDSA, true) || is(b, exchange12(b, rows[i].curve, rows[i].n + 1), ECDSA, true));
    }
    memset(b, ' ', 64); /* a random may be anything, and yet this is no CertificateVerify */
    assert_false(is(b, verify13(b, contexts[0], 32), ECDSA, true));
}

static void test_tls12_client(void **state)
{
    static const uint8_t good[] = { 1, 2, 11, 12, 13, 14, 11, 16 };
    static const struct {
        uint8_t types[8];
        size_t  n;
    } bad[] = { { { 1, 2 }, 2 },         { { 2, 1, 16 }, 3 },    { { 1, 16 }, 2 },          { { 16 }, 1 },       { { 1, 2, 16, 16 }, 4 }, { { 1, 2, 16, 15 }, 4 },
                { { 1, 1, 2, 16 }, 4 },  { { 1, 2, 2, 16 }, 4 }, { { 1, 2, 11, 1, 16 }, 5 }, { { 0, 1, 2, 16 }, 4 }, { { 0x30, 2, 16 }, 3 } };
    uint8_t b[MOST];
    (void)state;
    size_t n = messages(b, good, sizeof good);
    assert_true(is(b, n, ECDSA, false) && is(b, n, PKCS1, false));
    assert_false(is(b, n, ECDSA, true));
    for (size_t cut = 0; cut < n; cut++)
        assert_false(is(b, cut, ECDSA, false));
    assert_false(is(b, n + 1, ECDSA, false) || is(b, n + 4, ECDSA, false));
    for (int k = 1; k < 4; k++) { /* the last one is longer than what there is */
        b[n - 4 + (size_t)k] = 1;
        assert_false(is(b, n, ECDSA, false));
        b[n - 4 + (size_t)k] = 0;
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(is(b, messages(b, bad[i].types, bad[i].n), ECDSA, false));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_tls13), cmocka_unit_test(test_tls12_server), cmocka_unit_test(test_tls12_client) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
