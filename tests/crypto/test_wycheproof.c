/* Wycheproof through the provider: every case of every file, with counts.
 * links: jansson */
#include "crypto/known.h"
#include "crypto/hkdf.h"
#include "crypto/wycheproof.h"
#include "x509/cert.h"

/* ---- AEADs */
static bool aead_holds(struct vector *v, const troth_aead *a)
{
    span key = vector_hex(v, "key"), nonce = vector_hex(v, "iv"), aad = vector_hex(v, "aad"), msg = vector_hex(v, "msg");
    span ct = vector_hex(v, "ct"), tag = vector_hex(v, "tag");
    if (!a || nonce.n != a->nonce_n) {
        v->left_out = "TLS has neither 192-bit keys nor nonces other than of 12 bytes";
        return true;
    }
    _Alignas(64) uint8_t st[TROTH_AEAD_STATE_MAX];
    static uint8_t sealed[70000], back[70000];
    assert_int_equal(key.n, a->key_n);
    assert_true(a->begin(a, st, key.p));
    memcpy(sealed, ct.p, ct.n);
    memcpy(sealed + ct.n, tag.p, tag.n);
    bool opened = a->open(a, st, back, nonce.p, aad, span_of(sealed, ct.n + tag.n));
    bool holds = opened == (v->want == VALID);
    if (opened) {
        span halves[2] = { span_slice(msg, 0, msg.n / 3), span_slice(msg, msg.n / 3, msg.n) };
        holds = holds && span_equal(msg, span_of(back, ct.n)) && a->seal(a, st, back, nonce.p, aad, halves, 2) &&
                span_equal(span_of(back, ct.n + tag.n), span_of(sealed, ct.n + tag.n));
    }
    a->end(a, st);
    return holds;
}

static bool gcm_holds(struct vector *v)
{
    size_t n = vector_hex(v, "key").n;
    return aead_holds(v, n == 16 ? provider_aead(p, TROTH_AES_128_GCM) : n == 32 ? provider_aead(p, TROTH_AES_256_GCM) : NULL);
}

static bool chacha_holds(struct vector *v)
{
    return aead_holds(v, provider_aead(p, TROTH_CHACHA20_POLY1305));
}

static void aeads(void **state)
{
    (void)state;
    wycheproof("aes_gcm", gcm_holds);
    wycheproof("chacha20_poly1305", chacha_holds);
}

/* ---- key exchange: the case's private key as the state, its public key as the reply */
static bool agrees(struct vector *v, const troth_kem *k, span point, bool may_refuse)
{
    span private = vector_hex(v, "private"), shared = vector_hex(v, "shared");
    uint8_t st[66] = { 0 }, secret[66];
    bool broken = false;
    while (private.n > k->private_n && !*private.p)
        private = span_slice(private, 1, private.n);
    assert_true(private.n <= k->private_n);
    memcpy(st + k->private_n - private.n, private.p, private.n);
    bool ok = k->finish(k, st, point, secret, &broken);
    if (broken)
        return false;
    if (!ok)
        return v->want != VALID || may_refuse;
    return v->want != INVALID && span_equal(shared, span_of(secret, k->secret_n));
}

static const troth_kem *curve_of(const struct vector *v)
{
    const char *name = group_text(v, "curve");
    return provider_kem(p, !strcmp(name, "secp256r1") ? 23 : !strcmp(name, "secp384r1") ? 24 : 25);
}

static bool point_holds(struct vector *v)
{
    span point = vector_hex(v, "public");
    bool compressed = point.n && (point.p[0] == 2 || point.p[0] == 3);
    return agrees(v, curve_of(v), point, compressed); /* TLS 1.3 has uncompressed points only */
}

/* The public key as in a certificate: what spki_read takes must then be right. */
static bool spki_holds(struct vector *v)
{
    const troth_kem *k = curve_of(v);
    enum troth_key_type want = k->group == 23 ? TROTH_KEY_P256 : k->group == 24 ? TROTH_KEY_P384 : TROTH_KEY_P521;
    struct spki spki;
    if (!spki_read(&spki, vector_hex(v, "public"), NULL, NULL) || spki.key.type != want)
        return v->want != VALID;
    return agrees(v, k, spki.key.point, spki.key.point.n && spki.key.point.p[0] != 4);
}

static bool x25519_holds(struct vector *v)
{
    const troth_kem *k = provider_kem(p, 29);
    bool zero = vector_flag(v, "ZeroSharedSecret"), broken; /* must be refused (RFC 9846 7.4.2) */
    uint8_t secret[32];
    span public = vector_hex(v, "public"), private = vector_hex(v, "private");
    if (zero)
        return !k->finish(k, private.p, public, secret, &broken) && !broken;
    return agrees(v, k, public, false);
}

static void key_exchange(void **state)
{
    (void)state;
    wycheproof("ecdh_secp256r1_ecpoint", point_holds);
    wycheproof("ecdh_secp384r1_ecpoint", point_holds);
    wycheproof("ecdh_secp521r1_ecpoint", point_holds);
    wycheproof("ecdh_secp256r1", spki_holds);
    wycheproof("ecdh_secp384r1", spki_holds);
    wycheproof("x25519", x25519_holds);
}

/* ---- signatures */
static bool verifies(struct vector *v, enum troth_sig sig, const troth_public_key *key)
{
    span msg = vector_hex(v, "msg");
    span parts[2] = { span_slice(msg, 0, msg.n / 2), span_slice(msg, msg.n / 2, msg.n) };
    troth_verify_job one = { sig, key, parts, 2, vector_hex(v, "sig"), v->want == INVALID, NULL }, three[3] = { one, one, one };
    p->verify(p->self, &one, 1);
    if (key->type == TROTH_KEY_P256) { /* side by side another code may answer: the same */
        p->verify(p->self, three, 3);
        if (three[0].good != one.good || three[1].good != one.good || three[2].good != one.good)
            return false;
        uint8_t half[33]; /* the same key, compressed */
        memcpy(half, key->point.p, sizeof half);
        half[0] = 2 | (key->point.p[64] & 1);
        troth_public_key compressed = *key;
        compressed.point = span_of(half, sizeof half);
        three[0].key = &compressed;
        p->verify(p->self, three, 1);
        if (three[0].good != one.good)
            return false;
        three[0].key = key;
        static struct known_keys met;
        for (int i = 0; i < 2; i++) { /* by a key that is not known yet, and by one that may be */
            known_verify(&met, p, &three[i]);
            if (three[i].good != one.good)
                return false;
        }
    }
    return v->want == ACCEPTABLE || one.good == (v->want == VALID);
}

static size_t hash_of(const struct vector *v)
{
    const char *sha = group_text(v, "sha");
    return !strcmp(sha, "SHA-256") ? 0 : !strcmp(sha, "SHA-384") ? 1 : !strcmp(sha, "SHA-512") ? 2 : 3;
}

static bool ecdsa_holds(struct vector *v)
{
    struct spki spki;
    assert_true(spki_read(&spki, group_hex(v, "publicKeyDer"), NULL, NULL));
    return verifies(v, (enum troth_sig)(TROTH_SIG_ECDSA_SHA256 + hash_of(v)), &spki.key);
}

static bool eddsa_holds(struct vector *v)
{
    struct spki spki;
    assert_true(spki_read(&spki, group_hex(v, "publicKeyDer"), NULL, NULL));
    return verifies(v, spki.key.type == TROTH_KEY_ED25519 ? TROTH_SIG_ED25519 : TROTH_SIG_ED448, &spki.key);
}

static troth_public_key rsa_key(const struct vector *v)
{
    troth_public_key k = { .type = TROTH_KEY_RSA, .n = member_hex(v, "publicKey", "modulus"),
                           .e = member_hex(v, "publicKey", "publicExponent") };
    while (!*k.n.p)
        k.n = span_slice(k.n, 1, k.n.n);
    while (!*k.e.p)
        k.e = span_slice(k.e, 1, k.e.n);
    return k;
}

static bool pkcs1_holds(struct vector *v)
{
    troth_public_key k = rsa_key(v);
    return verifies(v, (enum troth_sig)(TROTH_SIG_RSA_PKCS1_SHA256 + hash_of(v)), &k);
}

static bool pss_holds(struct vector *v)
{
    static const uint16_t digest_n[] = { 32, 48, 64 };
    troth_public_key k = rsa_key(v);
    size_t hash = hash_of(v);
    int64_t salt = json_integer_value(json_object_get(v->group, "sLen"));
    if (hash > 2 || strcmp(group_text(v, "mgfSha"), group_text(v, "sha"))) {
        v->left_out = "a hash or a mask function that TLS and certificates do not have";
        return true;
    }
    if (salt != digest_n[hash]) {
        k.type = TROTH_KEY_RSA_PSS;
        k.salt_n = salt ? (uint16_t)salt : TROTH_NO_SALT;
    }
    return verifies(v, (enum troth_sig)(TROTH_SIG_RSA_PSS_SHA256 + hash), &k);
}

/* By each form that this machine does not take by itself. */
static void p256_in_other_ways(void **state)
{
    (void)state;
    const troth_libcrypto_options ways[] = { { .size = sizeof *ways, .portable_only = true }, { .size = sizeof *ways, .libcrypto_only = true } };
    troth_provider *ours = p;
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        p = troth_libcrypto_with(&ways[i]);
        assert_non_null(p);
        wycheproof("ecdsa_secp256r1_sha256", ecdsa_holds);
        wycheproof("ecdsa_secp256r1_sha512", ecdsa_holds);
        troth_provider_free(p);
    }
    p = ours;
}

static void signatures(void **state)
{
    (void)state;
    wycheproof("ecdsa_secp256r1_sha256", ecdsa_holds);
    wycheproof("ecdsa_secp256r1_sha512", ecdsa_holds);
    wycheproof("ecdsa_secp384r1_sha256", ecdsa_holds);
    wycheproof("ecdsa_secp384r1_sha384", ecdsa_holds);
    wycheproof("ecdsa_secp521r1_sha512", ecdsa_holds);
    wycheproof("ed25519", eddsa_holds);
    wycheproof("ed448", eddsa_holds);
    wycheproof("rsa_signature_2048_sha256", pkcs1_holds);
    wycheproof("rsa_signature_2048_sha384", pkcs1_holds);
    wycheproof("rsa_signature_2048_sha512", pkcs1_holds);
    wycheproof("rsa_signature_4096_sha256", pkcs1_holds);
    wycheproof("rsa_signature_4096_sha512", pkcs1_holds);
    wycheproof("rsa_pss_2048_sha256_mgf1_32", pss_holds);
    wycheproof("rsa_pss_2048_sha256_mgf1_32_params", pss_holds);
    wycheproof("rsa_pss_2048_sha384_mgf1_48", pss_holds);
    wycheproof("rsa_pss_4096_sha512_mgf1_64", pss_holds);
    wycheproof("rsa_pss_misc", pss_holds);
}

/* ---- HMAC and HKDF */
static enum troth_hash_id hmac_hash;

static bool hmac_as(struct vector *v)
{
    span key = vector_hex(v, "key"), msg = vector_hex(v, "msg"), tag = vector_hex(v, "tag"); /* some are cut to half */
    uint8_t out[TROTH_DIGEST_MAX];
    hmac_once(provider_hash(p, hmac_hash), out, key, msg);
    return span_equal(tag, span_of(out, tag.n)) == (v->want == VALID);
}

static bool hkdf_as(struct vector *v)
{
    const troth_hash *h = provider_hash(p, hmac_hash);
    span ikm = vector_hex(v, "ikm"), salt = vector_hex(v, "salt"), info = vector_hex(v, "info"), okm = vector_hex(v, "okm");
    size_t n = (size_t)vector_int(v, "size");
    static uint8_t prk[TROTH_DIGEST_MAX], out[255 * TROTH_DIGEST_MAX + 1];
    assert_true(n <= sizeof out);
    hkdf_extract(h, prk, salt, ikm);
    bool ok = hkdf_expand(h, out, n, span_of(prk, h->n), info);
    return v->want == VALID ? ok && span_equal(okm, span_of(out, n)) : !ok;
}

static void derivation(void **state)
{
    (void)state;
    hmac_hash = TROTH_SHA256;
    wycheproof("hmac_sha256", hmac_as);
    wycheproof("hkdf_sha256", hkdf_as);
    hmac_hash = TROTH_SHA384;
    wycheproof("hmac_sha384", hmac_as);
    wycheproof("hkdf_sha384", hkdf_as);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aeads),
        cmocka_unit_test(key_exchange),
        cmocka_unit_test(signatures),
        cmocka_unit_test(p256_in_other_ways),
        cmocka_unit_test(derivation),
    };
    return cmocka_run_group_tests(tests, open_provider, close_provider);
}
