/* Private keys: every form loads, everything else is named for what it is; what a key signs, its public half verifies.
 * links: crypto */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "crypto/tests_crypto.h"
#include "x509/cert.h"

/* ---- keys made by libcrypto, in each form */
static EVP_PKEY *make(const char *type, const char *curve, int bits)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *k = NULL;
    assert_true(ctx && EVP_PKEY_keygen_init(ctx) == 1);
    if (curve)
        assert_int_equal(EVP_PKEY_CTX_set_group_name(ctx, curve), 1);
    if (bits)
        assert_int_equal(EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, bits), 1);
    assert_int_equal(EVP_PKEY_keygen(ctx, &k), 1);
    EVP_PKEY_CTX_free(ctx);
    return k;
}

struct bytes {
    uint8_t b[8192];
    size_t  n;
};

static void take_bio(struct bytes *out, BIO *bio)
{
    char *data;
    long n = BIO_get_mem_data(bio, &data);
    assert_true(n > 0 && (size_t)n <= sizeof out->b);
    memcpy(out->b, data, (size_t)n);
    out->n = (size_t)n;
    BIO_free(bio);
}

enum form { PKCS8_DER, PKCS8_PEM, SEALED_DER, SEALED_PEM, OLD_DER, OLD_PEM, OLD_SEALED_PEM, FORMS };
static char pass[] = "correct horse";

static void write_key(struct bytes *out, EVP_PKEY *k, enum form form)
{
    BIO *bio = BIO_new(BIO_s_mem());
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(k);
    int ok = 0;
    switch (form) {
    case PKCS8_DER: ok = i2d_PKCS8_PRIV_KEY_INFO_bio(bio, info); break;
    case PKCS8_PEM: ok = PEM_write_bio_PKCS8_PRIV_KEY_INFO(bio, info); break;
    case SEALED_DER: ok = i2d_PKCS8PrivateKey_bio(bio, k, EVP_aes_256_cbc(), pass, 13, NULL, NULL); break;
    case SEALED_PEM: ok = PEM_write_bio_PKCS8PrivateKey(bio, k, EVP_aes_128_cbc(), pass, 13, NULL, NULL); break;
    case OLD_DER: ok = i2d_PrivateKey_bio(bio, k); break;
    case OLD_PEM: ok = PEM_write_bio_PrivateKey_traditional(bio, k, NULL, NULL, 0, NULL, NULL); break;
    case OLD_SEALED_PEM:
        ok = PEM_write_bio_PrivateKey_traditional(bio, k, EVP_aes_128_cbc(), (uint8_t *)pass, 13, NULL, NULL);
        break;
    case FORMS: break;
    }
    assert_int_equal(ok, 1);
    PKCS8_PRIV_KEY_INFO_free(info);
    take_bio(out, bio);
}

struct asked {
    const char *answer;
    int         times;
};

static size_t answer(void *ctx, char *out, size_t cap)
{
    struct asked *a = ctx;
    a->times++;
    size_t n = strlen(a->answer);
    assert_true(n <= cap);
    memcpy(out, a->answer, n);
    return n;
}

static enum troth_reason try_load(span bytes, const char *passphrase, enum troth_key_type want)
{
    enum troth_reason why = TROTH_R_BUG;
    struct asked a = { passphrase, 0 };
    troth_key *k = p->key_load(p->self, bytes, passphrase ? answer : NULL, &a, &why);
    if (k)
        assert_int_equal(p->key_type(k), want);
    assert_int_equal(k != NULL, why == TROTH_R_NONE);
    p->key_free(k);
    return why;
}

static const struct kind { const char *type, *curve; int bits; enum troth_key_type want; bool old; } kinds[] = {
    { "EC", "P-256", 0, TROTH_KEY_P256, true },       { "EC", "P-384", 0, TROTH_KEY_P384, true },
    { "EC", "P-521", 0, TROTH_KEY_P521, true },       { "RSA", NULL, 2048, TROTH_KEY_RSA, true },
    { "RSA-PSS", NULL, 2048, TROTH_KEY_RSA_PSS, false }, { "ED25519", NULL, 0, TROTH_KEY_ED25519, false },
    { "ED448", NULL, 0, TROTH_KEY_ED448, false },
};

static void every_form_loads(void **state)
{
    (void)state;
    static struct bytes b;
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        EVP_PKEY *k = make(kinds[i].type, kinds[i].curve, kinds[i].bits);
        for (enum form f = 0; f < FORMS; f++) {
            bool sealed = f == SEALED_DER || f == SEALED_PEM || f == OLD_SEALED_PEM;
            if (f >= OLD_DER && !kinds[i].old)
                continue;
            write_key(&b, k, f);
            span s = span_of(b.b, b.n);
            assert_int_equal(try_load(s, pass, kinds[i].want), TROTH_R_NONE);
            assert_int_equal(try_load(s, NULL, kinds[i].want), sealed ? TROTH_R_KEY_ENCRYPTED : TROTH_R_NONE);
            assert_int_equal(try_load(s, "", kinds[i].want), sealed ? TROTH_R_KEY_ENCRYPTED : TROTH_R_NONE);
            assert_int_equal(try_load(s, "wrong", kinds[i].want), sealed ? TROTH_R_KEY_WRONG_PASSPHRASE : TROTH_R_NONE);
        }
        EVP_PKEY_free(k);
    }
}

static X509 *certificate(EVP_PKEY *k)
{
    X509 *x = X509_new();
    assert_true(X509_set_pubkey(x, k) == 1 && ASN1_INTEGER_set(X509_get_serialNumber(x), 1) == 1);
    assert_true(X509_gmtime_adj(X509_getm_notBefore(x), 0) && X509_gmtime_adj(X509_getm_notAfter(x), 1000));
    assert_true(X509_sign(x, k, EVP_sha256()) > 0);
    return x;
}

/* Blocks that are not keys around one that is. */
static void looks_past_other_blocks(void **state)
{
    (void)state;
    static struct bytes b, key;
    EVP_PKEY *k = make("EC", "P-256", 0);
    X509 *x = certificate(k);
    BIO *bio = BIO_new(BIO_s_mem());
    assert_true(BIO_puts(bio, "Bag Attributes\n    localKeyID: 01\n") > 0);
    assert_int_equal(PEM_write_bio_X509(bio, x), 1);
    assert_int_equal(PEM_write_bio_ECPKParameters(bio, EC_KEY_get0_group(EVP_PKEY_get0_EC_KEY(k))), 1);
    write_key(&key, k, OLD_PEM);
    assert_int_equal(BIO_write(bio, key.b, (int)key.n), key.n);
    assert_int_equal(PEM_write_bio_X509(bio, x), 1);
    take_bio(&b, bio);
    assert_int_equal(try_load(span_of(b.b, b.n), NULL, TROTH_KEY_P256), TROTH_R_NONE);
    X509_free(x);
    EVP_PKEY_free(k);
}

static void expect_bio(BIO *bio, int ok, enum troth_reason want)
{
    static struct bytes b;
    assert_int_equal(ok, 1);
    take_bio(&b, bio);
    assert_string_equal(troth_reason_code(try_load(span_of(b.b, b.n), NULL, TROTH_KEY_NONE)), troth_reason_code(want));
}

static BIO *mem(void)
{
    return BIO_new(BIO_s_mem());
}

static void names_what_is_not_a_key(void **state)
{
    (void)state;
    EVP_PKEY *k = make("EC", "P-256", 0);
    X509 *x = certificate(k);
    X509_REQ *r = X509_to_X509_REQ(x, k, EVP_sha256());
    PKCS12 *p12 = PKCS12_create(pass, "name", k, x, NULL, 0, 0, 0, 0, 0);
    assert_true(r && p12);
    BIO *b;
    b = mem(), expect_bio(b, PEM_write_bio_X509(b, x), TROTH_R_KEY_IS_CERTIFICATE);
    b = mem(), expect_bio(b, i2d_X509_bio(b, x), TROTH_R_KEY_IS_CERTIFICATE);
    b = mem(), expect_bio(b, PEM_write_bio_X509_REQ(b, r), TROTH_R_KEY_IS_REQUEST);
    b = mem(), expect_bio(b, i2d_X509_REQ_bio(b, r), TROTH_R_KEY_IS_REQUEST);
    b = mem(), expect_bio(b, PEM_write_bio_PUBKEY(b, k), TROTH_R_KEY_IS_PUBLIC);
    b = mem(), expect_bio(b, i2d_PUBKEY_bio(b, k), TROTH_R_KEY_IS_PUBLIC);
    b = mem(), expect_bio(b, i2d_PKCS12_bio(b, p12), TROTH_R_KEY_IS_PKCS12);
    PKCS12_free(p12);
    X509_REQ_free(r);
    X509_free(x);
    EVP_PKEY_free(k);

    static const struct { const char *text; enum troth_reason want; } texts[] = {
        { "", TROTH_R_KEY_EMPTY },
        { "\n", TROTH_R_KEY_IS_OTHER },
        { "hello", TROTH_R_KEY_IS_OTHER },
        { "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaA==\n-----END OPENSSH PRIVATE KEY-----\n", TROTH_R_KEY_UNSUPPORTED },
        { "-----BEGIN PGP MESSAGE-----\nb3BlbnNzaA==\n-----END PGP MESSAGE-----\n", TROTH_R_KEY_IS_OTHER },
        { "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n", TROTH_R_KEY_IS_OTHER },
        { "-----BEGIN PRIVATE KEY-----\n", TROTH_R_KEY_MALFORMED },
        { "0\x05\x02\x01\x01\x04\x00", TROTH_R_KEY_MALFORMED },
        { "0\x03\x02\x01\x05", TROTH_R_KEY_IS_OTHER },
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        size_t n = i == 7 ? 7 : strlen(texts[i].text);
        assert_string_equal(troth_reason_code(try_load(span_of(texts[i].text, n), NULL, TROTH_KEY_NONE)),
                            troth_reason_code(texts[i].want));
    }
}

static void refuses_keys_it_cannot_use(void **state)
{
    (void)state;
    static struct bytes b;
    static const struct kind others[] = { { "EC", "secp256k1", 0, 0, true }, { "EC", "P-224", 0, 0, true }, { "X25519", NULL, 0, 0, false },
                                          { "RSA", NULL, 512, 0, true } };
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        EVP_PKEY *k = make(others[i].type, others[i].curve, others[i].bits);
        write_key(&b, k, PKCS8_PEM);
        assert_int_equal(try_load(span_of(b.b, b.n), NULL, TROTH_KEY_NONE), TROTH_R_KEY_UNSUPPORTED);
        EVP_PKEY_free(k);
    }
    EVP_PKEY *k = make("EC", "P-256", 0); /* a curve spelled out instead of named (RFC 5480 2.1.1) */
    assert_int_equal(EVP_PKEY_set_utf8_string_param(k, OSSL_PKEY_PARAM_EC_ENCODING, OSSL_PKEY_EC_ENCODING_EXPLICIT), 1);
    write_key(&b, k, PKCS8_DER);
    assert_int_equal(try_load(span_of(b.b, b.n), NULL, TROTH_KEY_NONE), TROTH_R_KEY_UNSUPPORTED);
    EVP_PKEY_free(k);
}

/* Cut anywhere, or with any byte changed: a key or a reason, never a crash. */
static void survives_damage(void **state)
{
    (void)state;
    static struct bytes b;
    EVP_PKEY *k = make("EC", "P-256", 0);
    for (enum form f = 0; f < FORMS; f++) {
        if (f == SEALED_DER || f == SEALED_PEM)
            continue; /* each try costs 2048 rounds of PBKDF2; the sealed old form covers decryption */
        write_key(&b, k, f);
        for (size_t n = 0; n < b.n; n++)
            if (f == PKCS8_DER || f == OLD_DER)
                assert_int_not_equal(try_load(span_of(b.b, n), pass, TROTH_KEY_P256), TROTH_R_NONE);
            else
                (void)try_load(span_of(b.b, n), pass, TROTH_KEY_P256);
        for (size_t i = 0; i < b.n; i++) {
            struct asked a = { pass, 0 };
            enum troth_reason why;
            b.b[i] ^= 0x20;
            p->key_free(p->key_load(p->self, span_of(b.b, b.n), answer, &a, &why));
            b.b[i] ^= 0x20;
        }
    }
    EVP_PKEY_free(k);
}

/* Halves that do not belong together are noticed at once. */
static void refuses_halves_of_two_keys(void **state)
{
    (void)state;
    static struct bytes b;
    static const struct kind two[] = { { "EC", "P-256", 0, 0, true }, { "RSA", NULL, 2048, 0, true } };
    for (size_t i = 0; i < COUNT_OF(two); i++) {
        EVP_PKEY *k = make(two[i].type, two[i].curve, two[i].bits);
        write_key(&b, k, OLD_DER);
        if (i)
            b.b[20] ^= 1; /* a bit of the modulus */
        else
            b.b[10] ^= 1; /* a bit of the private scalar; the public point is in the file too */
        assert_int_equal(try_load(span_of(b.b, b.n), NULL, TROTH_KEY_NONE), TROTH_R_KEY_MALFORMED);
        EVP_PKEY_free(k);
    }
}

/* ---- made here */
static void check_signatures(const troth_key *k, enum troth_key_type type)
{
    uint8_t spki[2048], signature[TROTH_SIGNATURE_MAX];
    struct spki got;
    size_t n, spki_n = p->key_public(k, spki, sizeof spki), kinds_made = 0;
    assert_true(spki_n && spki_read(&got, span_of(spki, spki_n), NULL, NULL));
    assert_int_equal(got.key.type, type);
    assert_int_equal(p->key_public(k, spki, spki_n - 1), 0);
    for (int sig = 1; sig < TROTH_SIG_COUNT; sig++) {
        span parts[3] = { SPAN_TEXT("mess"), SPAN_NONE, SPAN_TEXT("age") }, whole = SPAN_TEXT("message"), other = SPAN_TEXT("massage");
        enum troth_sig s = (enum troth_sig)sig;
        assert_int_equal(p->key_can(k, s), sig_fits_key(s, type) && p->can_verify(p->self, type, s));
        assert_int_equal(p->sign(p->self, k, s, parts, 3, signature, &n), p->key_can(k, s));
        if (!p->key_can(k, s))
            continue;
        kinds_made++;
        troth_verify_job jobs[2] = { { s, &got.key, &whole, 1, { signature, n }, false, NULL },
                                     { s, &got.key, &other, 1, { signature, n }, true, NULL } };
        p->verify(p->self, jobs, 2);
        assert_true(jobs[0].good && !jobs[1].good);
        jobs[0].signature.n--;
        jobs[1].parts = &whole;
        signature[n / 2] ^= 1;
        p->verify(p->self, jobs, 2);
        assert_true(!jobs[0].good && !jobs[1].good);
    }
    assert_true(kinds_made >= 1);
}

static void made_keys_sign(void **state)
{
    (void)state;
    static const enum troth_key_type types[] = { TROTH_KEY_RSA, TROTH_KEY_P256, TROTH_KEY_P384, TROTH_KEY_P521, TROTH_KEY_ED25519,
                                                 TROTH_KEY_ED448 };
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        uint8_t der[4096];
        enum troth_reason why;
        troth_key *k = p->key_make(p->self, types[i], 2048);
        assert_non_null(k);
        size_t n = p->key_private(k, der, sizeof der);
        assert_true(n > 0);
        troth_key *again = p->key_load(p->self, span_of(der, n), NULL, NULL, &why);
        assert_non_null(again);
        check_signatures(k, types[i]);
        check_signatures(again, types[i]);
        p->key_free(k);
        p->key_free(again);
    }
    assert_null(p->key_make(p->self, TROTH_KEY_RSA, 1024));
    assert_null(p->key_make(p->self, TROTH_KEY_NONE, 0));
    bool mldsa = p->can_verify(p->self, TROTH_KEY_MLDSA65, TROTH_SIG_MLDSA65);
    troth_key *k = p->key_make(p->self, TROTH_KEY_MLDSA65, 0);
    assert_int_equal(k != NULL, mldsa);
    printf("ML-DSA: %s\n", mldsa ? "by libcrypto" : "this libcrypto has none");
    if (k)
        check_signatures(k, TROTH_KEY_MLDSA65);
    p->key_free(k);
}

static troth_key *tied_key(const EVP_MD *hash, const EVP_MD *mask, int salt, enum troth_reason *why)
{
    static struct bytes b;
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);
    assert_true(EVP_PKEY_keygen_init(ctx) == 1 && (!hash || EVP_PKEY_CTX_set_rsa_pss_keygen_md(ctx, hash) == 1)
                && (!mask || EVP_PKEY_CTX_set_rsa_pss_keygen_mgf1_md(ctx, mask) == 1)
                && (salt < 0 || EVP_PKEY_CTX_set_rsa_pss_keygen_saltlen(ctx, salt) == 1) && EVP_PKEY_keygen(ctx, &pkey) == 1);
    write_key(&b, pkey, PKCS8_PEM);
    EVP_PKEY_free(pkey);
    EVP_PKEY_CTX_free(ctx);
    return p->key_load(p->self, span_of(b.b, b.n), NULL, NULL, why);
}

static void holds_an_rsa_pss_key_to_its_hash(void **state)
{
    (void)state;
    enum troth_reason why;
    troth_key *k = tied_key(EVP_sha384(), EVP_sha384(), 48, &why);
    assert_non_null(k);
    assert_int_equal(p->key_type(k), TROTH_KEY_RSA_PSS);
    assert_true(p->key_can(k, TROTH_SIG_RSA_PSS_SHA384));
    assert_false(p->key_can(k, TROTH_SIG_RSA_PSS_SHA256));
    assert_false(p->key_can(k, TROTH_SIG_RSA_PKCS1_SHA384));
    uint8_t signature[TROTH_SIGNATURE_MAX];
    size_t n;
    span m = SPAN_TEXT("m");
    assert_true(p->sign(p->self, k, TROTH_SIG_RSA_PSS_SHA384, &m, 1, signature, &n));
    assert_false(p->sign(p->self, k, TROTH_SIG_RSA_PSS_SHA256, &m, 1, signature, &n));
    p->key_free(k);
}

/* Tied to what none of our signatures is: SHA-1, which is what absent fields mean, a mask of another hash, a longer salt. */
static void refuses_rsa_pss_keys_tied_elsewhere(void **state)
{
    (void)state;
    const struct {
        const EVP_MD *hash, *mask;
        int           salt;
    } rows[] = { { EVP_sha1(), EVP_sha1(), 20 },     { NULL, NULL, 32 },
                 { EVP_sha256(), EVP_sha1(), 32 },   { EVP_sha1(), EVP_sha256(), 32 },
                 { EVP_sha384(), EVP_sha256(), 32 }, { EVP_sha256(), EVP_sha256(), 33 } };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        enum troth_reason why = TROTH_R_NONE;
        fprintf(stderr, "%zu\n", i);
        assert_null(tied_key(rows[i].hash, rows[i].mask, rows[i].salt, &why));
        assert_int_equal(why, TROTH_R_KEY_UNSUPPORTED);
    }
}

/* A hash that does not fit into the key is one that it cannot sign with. */
static void small_rsa_keys(void **state)
{
    (void)state;
    static struct bytes b;
    enum troth_reason why;
    uint8_t signature[TROTH_SIGNATURE_MAX];
    size_t n;
    span m = SPAN_TEXT("m");
    EVP_PKEY *pkey = make("RSA", NULL, 1024);
    write_key(&b, pkey, PKCS8_PEM);
    troth_key *k = p->key_load(p->self, span_of(b.b, b.n), NULL, NULL, &why);
    assert_non_null(k);
    assert_false(p->key_can(k, TROTH_SIG_RSA_PSS_SHA512));
    assert_true(p->key_can(k, TROTH_SIG_RSA_PSS_SHA384) && p->key_can(k, TROTH_SIG_RSA_PKCS1_SHA512));
    assert_true(p->sign(p->self, k, TROTH_SIG_RSA_PSS_SHA384, &m, 1, signature, &n));
    assert_false(p->sign(p->self, k, TROTH_SIG_RSA_PSS_SHA512, &m, 1, signature, &n));
    p->key_free(k);
    EVP_PKEY_free(pkey);
}

/* Many jobs at once, of several kinds, some wrong: each gets its own answer. */
static void verifies_side_by_side(void **state)
{
    (void)state;
    enum { JOBS = 29 };
    static uint8_t spki[JOBS][600], signature[JOBS][TROTH_SIGNATURE_MAX], text[JOBS];
    struct spki got[JOBS];
    span part[JOBS];
    troth_verify_job jobs[JOBS];
    troth_key *k[4] = { p->key_make(p->self, TROTH_KEY_P256, 0), p->key_make(p->self, TROTH_KEY_RSA, 2048),
                        p->key_make(p->self, TROTH_KEY_P256, 0), p->key_make(p->self, TROTH_KEY_P384, 0) };
    static const enum troth_sig sigs[4] = { TROTH_SIG_ECDSA_SHA256, TROTH_SIG_RSA_PSS_SHA256, TROTH_SIG_ECDSA_SHA384,
                                            TROTH_SIG_ECDSA_SHA384 };
    for (size_t n = 0; n <= JOBS; n++) {
        for (size_t i = 0; i < n; i++) {
            size_t which = i % 7 ? (i % 2) * 2 : i % 4, len;
            text[i] = (uint8_t)i;
            part[i] = span_of(&text[i], 1);
            assert_true(p->sign(p->self, k[which], sigs[which], &part[i], 1, signature[i], &len));
            assert_true(spki_read(&got[i], span_of(spki[i], p->key_public(k[which], spki[i], 600)), NULL, NULL));
            jobs[i] = (troth_verify_job){ sigs[which], &got[i].key, &part[i], 1, { signature[i], len }, i % 3 == 0, NULL };
            if (i % 3 == 0)
                text[i] ^= 0x80;
            else if (i % 11 == 10)
                jobs[i].signature.n--;
        }
        p->verify(p->self, jobs, n);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(jobs[i].good, i % 3 != 0 && i % 11 != 10);
    }
    for (size_t i = 0; i < 4; i++)
        p->key_free(k[i]);
}

/* A key keeps its provider alive. */
static void outlives_its_provider(void **state)
{
    (void)state;
    troth_provider *q = troth_libcrypto();
    troth_key *k = q->key_make(q->self, TROTH_KEY_P256, 0);
    void (*release)(troth_key *) = q->key_free;
    enum troth_key_type (*type)(const troth_key *) = q->key_type;
    troth_provider_free(q);
    assert_int_equal(type(k), TROTH_KEY_P256);
    release(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_loads),      cmocka_unit_test(looks_past_other_blocks),
        cmocka_unit_test(names_what_is_not_a_key), cmocka_unit_test(refuses_keys_it_cannot_use),
        cmocka_unit_test(refuses_halves_of_two_keys), cmocka_unit_test(survives_damage),       cmocka_unit_test(made_keys_sign),
        cmocka_unit_test(holds_an_rsa_pss_key_to_its_hash), cmocka_unit_test(refuses_rsa_pss_keys_tied_elsewhere),
        cmocka_unit_test(outlives_its_provider),
        cmocka_unit_test(small_rsa_keys),
        cmocka_unit_test(verifies_side_by_side),
    };
    return cmocka_run_group_tests(tests, open_provider, close_provider);
}
