/* Key derivation against libcrypto's, at random lengths, and its limits.
 * links: crypto */
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "crypto/hkdf.h"
#include "crypto/tests_crypto.h"

static bool kdf(const char *name, uint8_t *out, size_t n, OSSL_PARAM *params)
{
    EVP_KDF *k = EVP_KDF_fetch(NULL, name, NULL);
    EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(k);
    bool ok = EVP_KDF_derive(ctx, out, n, params) == 1;
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(k);
    return ok;
}

static size_t below(size_t n)
{
    uint16_t r;
    assert_true(p->random(p->self, (uint8_t *)&r, sizeof r));
    return r % n;
}

#define OCTETS(name, p, n) OSSL_PARAM_construct_octet_string(name, (void *)(uintptr_t)(p), n)
#define TEXT(name, s)      OSSL_PARAM_construct_utf8_string(name, (char *)(uintptr_t)(s), 0)

static const char *digest_name(const troth_hash *h)
{
    return h->id == TROTH_SHA256 ? "SHA256" : h->id == TROTH_SHA384 ? "SHA384" : "SHA512";
}

static void expand_label_is_libcryptos(void **state)
{
    (void)state;
    uint8_t bytes[1000];
    for (int round = 0; round < 300; round++) {
        const troth_hash *h = provider_hash(p, (enum troth_hash_id)(TROTH_SHA256 + round % 2));
        size_t n = 1 + below(200), context_n = below(65);
        char label[20] = "label-of-any-length";
        label[1 + below(18)] = 0;
        uint8_t ours[200], theirs[200];
        assert_true(p->random(p->self, bytes, sizeof bytes));
        OSSL_PARAM params[] = { TEXT("digest", digest_name(h)), TEXT("mode", "EXPAND_ONLY"), OCTETS("key", bytes, h->n),
                                OCTETS("prefix", "tls13 ", 6), OCTETS("label", label, strlen(label)),
                                OCTETS("data", bytes + 100, context_n), OSSL_PARAM_construct_end() };
        assert_true(kdf("TLS13-KDF", theirs, n, params));
        assert_true(expand_label(h, ours, n, span_of(bytes, h->n), label, span_of(bytes + 100, context_n)));
        assert_memory_equal(ours, theirs, n);
    }
}

static void tls12_prf_is_libcryptos(void **state)
{
    (void)state;
    uint8_t bytes[1000];
    for (int round = 0; round < 300; round++) {
        const troth_hash *h = provider_hash(p, (enum troth_hash_id)(TROTH_SHA256 + round % 3));
        size_t n = 1 + below(300), secret_n = 1 + below(200), seed1 = below(40), seed2 = below(40);
        uint8_t ours[300], theirs[300];
        assert_true(p->random(p->self, bytes, sizeof bytes));
        OSSL_PARAM params[] = { TEXT("digest", digest_name(h)), OCTETS("secret", bytes, secret_n), OCTETS("seed", "master secret", 13),
                                OCTETS("seed", bytes + 300, seed1), OCTETS("seed", bytes + 400, seed2), OSSL_PARAM_construct_end() };
        assert_true(kdf("TLS1-PRF", theirs, n, params));
        tls12_prf(h, ours, n, span_of(bytes, secret_n), "master secret", span_of(bytes + 300, seed1), span_of(bytes + 400, seed2));
        assert_memory_equal(ours, theirs, n);
    }
}

static void knows_its_limits(void **state)
{
    (void)state;
    const troth_hash *h = provider_hash(p, TROTH_SHA256);
    static uint8_t out[70000], secret[32], context[300];
    char label[300];
    memset(label, 'a', sizeof label);
    label[249] = 0;
    assert_true(expand_label(h, out, 32, SPAN_OF(secret), label, span_of(context, 255)));
    assert_false(expand_label(h, out, 32, SPAN_OF(secret), label, span_of(context, 256)));
    label[249] = 'a';
    label[250] = 0;
    assert_false(expand_label(h, out, 32, SPAN_OF(secret), label, SPAN_NONE));
    assert_true(expand_label(h, out, 255 * 32, SPAN_OF(secret), "x", SPAN_NONE));
    assert_false(expand_label(h, out, 255 * 32 + 1, SPAN_OF(secret), "x", SPAN_NONE));
    assert_false(expand_label(h, out, 65536, SPAN_OF(secret), "x", SPAN_NONE));
    span many[HKDF_PARTS + 1] = { 0 };
    assert_true(hkdf_expand_parts(h, out, 32, SPAN_OF(secret), many, HKDF_PARTS));
    assert_false(hkdf_expand_parts(h, out, 32, SPAN_OF(secret), many, HKDF_PARTS + 1));
}

/* One digested key, used twice and in pieces, is the key. */
static void keys_can_be_kept(void **state)
{
    (void)state;
    const troth_hash *h = provider_hash(p, TROTH_SHA384);
    struct hmac_key k;
    uint8_t a[64], b[64], c[64];
    span parts[3] = { SPAN_TEXT("mess"), SPAN_NONE, SPAN_TEXT("age") };
    hmac_key_init(&k, h, SPAN_TEXT("secret"));
    hmac(&k, a, parts, 3);
    hmac(&k, b, parts, 3);
    hmac_once(h, c, SPAN_TEXT("secret"), SPAN_TEXT("message"));
    assert_memory_equal(a, b, h->n);
    assert_memory_equal(a, c, h->n);
    assert_true(expand_label_key(&k, a, 48, "derived", SPAN_NONE));
    assert_true(expand_label(h, b, 48, SPAN_TEXT("secret"), "derived", SPAN_NONE));
    assert_memory_equal(a, b, 48);
    hmac_key_wipe(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expand_label_is_libcryptos),
        cmocka_unit_test(tls12_prf_is_libcryptos),
        cmocka_unit_test(knows_its_limits),
        cmocka_unit_test(keys_can_be_kept),
    };
    return cmocka_run_group_tests(tests, open_provider, close_provider);
}
