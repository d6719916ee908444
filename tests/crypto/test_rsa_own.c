/* RSA-2048 signatures by our own kernel, behind the provider: right by libcrypto's judgement, and right when the kernel is not.
 * links: crypto */
#include "crypto/tests_crypto.h"

#include "crypto/kernel/cpu.h"
#include "crypto/kernel/rsa.h"
#include "crypto/openssl/lib.h"

static const enum troth_sig sigs[] = { TROTH_SIG_RSA_PKCS1_SHA256, TROTH_SIG_RSA_PKCS1_SHA384, TROTH_SIG_RSA_PKCS1_SHA512,
                                       TROTH_SIG_RSA_PSS_SHA256,   TROTH_SIG_RSA_PSS_SHA384,   TROTH_SIG_RSA_PSS_SHA512 };

/* libcrypto alone, which has never seen our paddings */
static bool good_by_libcrypto(const troth_key *k, size_t i, const uint8_t *msg, size_t msg_n, const uint8_t *signature, size_t n)
{
    static const char *const names[] = { "SHA256", "SHA384", "SHA512" };
    const EVP_MD *md = EVP_get_digestbyname(names[i % 3]);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pctx;
    bool good = EVP_DigestVerifyInit(ctx, &pctx, md, NULL, k->pkey) == 1;
    if (good && i >= 3)
        good = EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) == 1 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST) == 1;
    good = good && EVP_DigestVerify(ctx, signature, n, msg, msg_n) == 1;
    EVP_MD_CTX_free(ctx);
    return good;
}

static void all_are_good(troth_provider *by, const troth_key *k)
{
    for (size_t i = 0; i < COUNT_OF(sigs); i++) {
        uint8_t msg[40], signature[TROTH_SIGNATURE_MAX];
        size_t n;
        assert_true(by->random(by->self, msg, sizeof msg));
        span whole = SPAN_OF(msg);
        assert_true(by->sign(by->self, k, sigs[i], &whole, 1, signature, &n));
        assert_int_equal(n, 256);
        assert_true(good_by_libcrypto(k, i, msg, sizeof msg, signature, n));
    }
}

static void signs_with_either(void **state)
{
    (void)state;
    troth_key *k = p->key_make(p->self, TROTH_KEY_RSA, 2048);
    assert_non_null(k);
    assert_int_equal(k->own_rsa != NULL, (cpu_features() & CPU_IFMA) != 0);
    all_are_good(p, k);
    if (k->own_rsa)
        k->own_rsa->dp[17] ^= 4; /* a fault: libcrypto signs instead */
    all_are_good(p, k);
    p->key_free(k);
    k = p->key_make(p->self, TROTH_KEY_RSA, 3072);
    assert_non_null(k);
    assert_null(k->own_rsa);
    p->key_free(k);
}

static void leaves_it_to_libcrypto(void **state)
{
    (void)state;
    troth_libcrypto_options only = { .size = sizeof only, .portable_only = true };
    troth_provider *q = troth_libcrypto_with(&only);
    troth_key *k = q->key_make(q->self, TROTH_KEY_RSA, 2048);
    assert_non_null(k);
    assert_null(k->own_rsa);
    all_are_good(q, k);
    q->key_free(k);
    troth_provider_free(q);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(signs_with_either), cmocka_unit_test(leaves_it_to_libcrypto) };
    return cmocka_run_group_tests(tests, open_provider, close_provider);
}
