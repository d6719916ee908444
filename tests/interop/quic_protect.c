#include "interop/quic_protect.h"

#include <openssl/core_names.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <string.h>

const struct quic_suite *quic_suite(uint16_t id)
{
    static const struct quic_suite suites[] = {
        { 0x1301, EVP_sha256, EVP_aes_128_gcm, EVP_aes_128_ecb, 16 },
        { 0x1302, EVP_sha384, EVP_aes_256_gcm, EVP_aes_256_ecb, 32 },
        { 0x1303, EVP_sha256, EVP_chacha20_poly1305, EVP_chacha20, 32 },
    };
    for (size_t i = 0; i < sizeof suites / sizeof *suites; i++)
        if (suites[i].id == id)
            return &suites[i];
    return NULL;
}

/* ---- HKDF (RFC 5869), HKDF-Expand-Label (RFC 9846 7.1) with an empty context */
static bool expand(const EVP_MD *md, uint8_t *out, size_t n, const uint8_t *secret, const uint8_t *info, size_t info_n)
{
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
    int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
    OSSL_PARAM p[] = {
        OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)(uintptr_t)EVP_MD_get0_name(md), 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)secret, (size_t)EVP_MD_get_size(md)),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)(uintptr_t)info, info_n),
        OSSL_PARAM_construct_end(),
    };
    bool ok = ctx && EVP_KDF_derive(ctx, out, n, p) == 1;
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
    return ok;
}

static bool expand_label_of(const EVP_MD *md, uint8_t *out, size_t n, const uint8_t *secret, const char *label)
{
    uint8_t info[64];
    size_t l = strlen(label);
    info[0] = (uint8_t)(n >> 8);
    info[1] = (uint8_t)n;
    info[2] = (uint8_t)(6 + l);
    memcpy(info + 3, "tls13 ", 6);
    memcpy(info + 9, label, l);
    info[9 + l] = 0;
    return expand(md, out, n, secret, info, 10 + l);
}

bool quic_key_of(struct quic_key *out, const struct quic_suite *s, const uint8_t *secret)
{
    out->suite = s;
    return expand_label_of(s->hash(), out->key, s->key_n, secret, "quic key")
        && expand_label_of(s->hash(), out->iv, QUIC_IV, secret, "quic iv")
        && expand_label_of(s->hash(), out->header, s->key_n, secret, "quic hp");
}

bool quic_next_secret(uint8_t *out, const struct quic_suite *s, const uint8_t *secret)
{
    return expand_label_of(s->hash(), out, (size_t)EVP_MD_get_size(s->hash()), secret, "quic ku");
}

bool quic_initial_secrets(uint8_t client[32], uint8_t server[32], const uint8_t *dcid, size_t n)
{
    static const uint8_t salt[] = { 0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, /* RFC 9001 5.2 */
                                    0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a };
    uint8_t initial[32];
    unsigned initial_n = sizeof initial;
    return HMAC(EVP_sha256(), salt, sizeof salt, dcid, n, initial, &initial_n)
        && expand_label_of(EVP_sha256(), client, 32, initial, "client in")
        && expand_label_of(EVP_sha256(), server, 32, initial, "server in");
}

/* ---- packets */
static bool crypt(const struct quic_key *k, bool seal, uint8_t *out, const uint8_t *in, size_t n, const uint8_t *nonce,
                  const uint8_t *ad, size_t ad_n, uint8_t *tag)
{
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    int some;
    bool ok = c && EVP_CipherInit_ex(c, k->suite->aead(), NULL, k->key, nonce, seal) == 1
           && EVP_CipherUpdate(c, NULL, &some, ad, (int)ad_n) == 1 && EVP_CipherUpdate(c, out, &some, in, (int)n) == 1
           && (seal || EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, QUIC_TAG, tag) == 1)
           && EVP_CipherFinal_ex(c, out + n, &some) == 1
           && (!seal || EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, QUIC_TAG, tag) == 1);
    EVP_CIPHER_CTX_free(c);
    return ok;
}

bool quic_seal(const struct quic_key *k, uint8_t *out, const uint8_t *in, size_t n, const uint8_t *nonce, const uint8_t *ad, size_t ad_n)
{
    return crypt(k, true, out, in, n, nonce, ad, ad_n, out + n);
}

bool quic_open(const struct quic_key *k, uint8_t *out, const uint8_t *in, size_t n, const uint8_t *nonce, const uint8_t *ad, size_t ad_n)
{
    uint8_t tag[QUIC_TAG];
    if (n < QUIC_TAG)
        return false;
    memcpy(tag, in + n - QUIC_TAG, QUIC_TAG);
    return crypt(k, false, out, in, n - QUIC_TAG, nonce, ad, ad_n, tag);
}

bool quic_mask(const struct quic_key *k, uint8_t mask[QUIC_MASK], const uint8_t sample[QUIC_SAMPLE])
{
    static const uint8_t zeros[QUIC_MASK] = { 0 };
    bool chacha = k->suite->header == EVP_chacha20;
    uint8_t out[2 * QUIC_SAMPLE] = { 0 };
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    int some = 0;
    bool ok = c && EVP_EncryptInit_ex(c, k->suite->header(), NULL, k->header, chacha ? sample : NULL) == 1
           && EVP_EncryptUpdate(c, out, &some, chacha ? zeros : sample, chacha ? QUIC_MASK : QUIC_SAMPLE) == 1 && some >= QUIC_MASK;
    EVP_CIPHER_CTX_free(c);
    memcpy(mask, out, QUIC_MASK);
    return ok;
}
