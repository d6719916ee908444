/* hpke.c - RFC 9180, base mode.  Names in comments and labels are the RFC's. */
#include "crypto/hpke.h"

#include "base/secret.h"
#include "crypto/hkdf.h"

enum { HASH_N = 32, CONTEXT_N = 1 + 2 * HASH_N, GROUP_X25519 = 29 };

#define VERSION SPAN_TEXT("HPKE-v1")

static enum troth_aead_id aead_of(uint16_t aead)
{
    switch (aead) {
    case HPKE_AES_128_GCM: return TROTH_AES_128_GCM;
    case HPKE_AES_256_GCM: return TROTH_AES_256_GCM;
    case HPKE_CHACHA20_POLY1305: return TROTH_CHACHA20_POLY1305;
    default: return (enum troth_aead_id)0;
    }
}

bool hpke_has(const troth_provider *p, uint16_t kem, uint16_t kdf, uint16_t aead)
{
    return kem == HPKE_KEM_X25519_SHA256 && kdf == HPKE_KDF_SHA256 && aead_of(aead) && provider_aead(p, aead_of(aead)) &&
           provider_kem(p, GROUP_X25519) && provider_hash(p, TROTH_SHA256);
}

bool hpke_make_key(const troth_provider *p, uint8_t private[HPKE_KEY_N], uint8_t public[HPKE_KEY_N])
{
    const troth_kem *kem = provider_kem(p, GROUP_X25519);
    return kem && kem->private_n == HPKE_KEY_N && kem->make(kem, private, public);
}

/* ---- LabeledExtract, LabeledExpand (RFC 9180 4) */
static void labeled_extract(const struct hpke *h, uint8_t *prk, span suite, span salt, const char *label, span ikm)
{
    span parts[4] = { VERSION, suite, span_of(label, strlen(label)), ikm };
    hkdf_extract_parts(h->hash, prk, salt, parts, 4);
}

static bool labeled_expand(const struct hpke *h, uint8_t *out, size_t n, span suite, span prk, const char *label, span info)
{
    uint8_t length[2] = { (uint8_t)(n >> 8), (uint8_t)n };
    span parts[5] = { SPAN_OF(length), VERSION, suite, span_of(label, strlen(label)), info };
    return n <= 0xffff && hkdf_expand_parts(h->hash, out, n, prk, parts, 5);
}

/* ExtractAndExpand (4.1): the shared secret of the KEM from the Diffie-Hellman one. */
static bool shared_secret(const struct hpke *h, uint8_t secret[HASH_N], const uint8_t dh[HPKE_KEY_N], const uint8_t *enc,
                          const uint8_t *public)
{
    static const uint8_t suite[5] = { 'K', 'E', 'M', HPKE_KEM_X25519_SHA256 >> 8, HPKE_KEM_X25519_SHA256 & 0xff };
    uint8_t prk[HASH_N], context[HPKE_ENC_N + HPKE_KEY_N];
    memcpy(context, enc, HPKE_ENC_N);
    memcpy(context + HPKE_ENC_N, public, HPKE_KEY_N);
    labeled_extract(h, prk, SPAN_OF(suite), SPAN_NONE, "eae_prk", span_of(dh, HPKE_KEY_N));
    bool ok = labeled_expand(h, secret, HASH_N, SPAN_OF(suite), SPAN_OF(prk), "shared_secret", SPAN_OF(context));
    secret_wipe(prk, sizeof prk);
    return ok;
}

/* KeySchedule (5.1) with mode_base, no psk. */
static bool key_schedule(struct hpke *h, const uint8_t shared[HASH_N], span info)
{
    uint8_t context[CONTEXT_N] = { 0 }, secret[HASH_N];
    span suite = SPAN_OF(h->suite), all = SPAN_OF(context);
    labeled_extract(h, context + 1, suite, SPAN_NONE, "psk_id_hash", SPAN_NONE);
    labeled_extract(h, context + 1 + HASH_N, suite, SPAN_NONE, "info_hash", info);
    labeled_extract(h, secret, suite, span_of(shared, HASH_N), "secret", SPAN_NONE);
    bool ok = labeled_expand(h, h->key, h->aead->key_n, suite, SPAN_OF(secret), "key", all) &&
              labeled_expand(h, h->base_nonce, sizeof h->base_nonce, suite, SPAN_OF(secret), "base_nonce", all) &&
              labeled_expand(h, h->exporter, sizeof h->exporter, suite, SPAN_OF(secret), "exp", all);
    secret_wipe(secret, sizeof secret);
    return ok;
}

static bool begin(struct hpke *h, const troth_provider *p, uint16_t aead)
{
    *h = (struct hpke){ .p = p };
    TRY(hpke_has(p, HPKE_KEM_X25519_SHA256, HPKE_KDF_SHA256, aead));
    const uint8_t suite[10] = { 'H', 'P', 'K', 'E', HPKE_KEM_X25519_SHA256 >> 8, HPKE_KEM_X25519_SHA256 & 0xff, HPKE_KDF_SHA256 >> 8,
                                HPKE_KDF_SHA256 & 0xff, (uint8_t)(aead >> 8), (uint8_t)aead };
    memcpy(h->suite, suite, sizeof suite);
    h->hash = provider_hash(p, TROTH_SHA256);
    h->aead = provider_aead(p, aead_of(aead));
    return true;
}

bool hpke_move(struct hpke *h, const troth_provider *p)
{
    uint16_t aead = (uint16_t)(h->suite[8] << 8 | h->suite[9]);
    h->p = p;
    h->hash = provider_hash(p, TROTH_SHA256);
    h->aead = provider_aead(p, aead_of(aead));
    return hpke_has(p, HPKE_KEM_X25519_SHA256, HPKE_KDF_SHA256, aead);
}

/* What both sides do once they have the Diffie-Hellman secret; wipes it. */
static bool finish(struct hpke *h, uint8_t dh[HPKE_KEY_N], const uint8_t *enc, const uint8_t *public, span info)
{
    bool ok = shared_secret(h, h->shared, dh, enc, public) && key_schedule(h, h->shared, info);
    secret_wipe(dh, HPKE_KEY_N);
    return ok;
}

bool hpke_seal_begin(struct hpke *h, const troth_provider *p, uint16_t aead, uint8_t enc[HPKE_ENC_N], span public, span info)
{
    uint8_t dh[HPKE_KEY_N];
    bool broken;
    TRY(begin(h, p, aead) && public.n == HPKE_KEY_N);
    const troth_kem *kem = provider_kem(p, GROUP_X25519);
    return kem->reply(kem, public, enc, dh, &broken) && finish(h, dh, enc, public.p, info);
}

bool hpke_open_begin(struct hpke *h, const troth_provider *p, uint16_t aead, span enc, const uint8_t private[HPKE_KEY_N],
                     const uint8_t public[HPKE_KEY_N], span info)
{
    uint8_t dh[HPKE_KEY_N];
    bool broken;
    TRY(begin(h, p, aead) && enc.n == HPKE_ENC_N);
    const troth_kem *kem = provider_kem(p, GROUP_X25519);
    return kem->finish(kem, private, enc, dh, &broken) && finish(h, dh, enc.p, public, info);
}

/* ---- messages */
static bool message(struct hpke *h, uint8_t *out, span aad, span in, bool seal)
{
    const troth_aead *a = h->aead;
    _Alignas(64) uint8_t state[TROTH_AEAD_STATE_MAX];
    uint8_t nonce[12];
    TRY(h->seq != UINT64_MAX && a->begin(a, state, h->key));
    memcpy(nonce, h->base_nonce, sizeof nonce);
    for (int i = 0; i < 8; i++)
        nonce[11 - i] ^= (uint8_t)(h->seq >> (8 * i));
    bool ok = seal ? a->seal(a, state, out, nonce, aad, &in, 1) : a->open(a, state, out, nonce, aad, in);
    a->end(a, state);
    secret_wipe(state, a->state_n);
    h->seq += ok;
    return ok;
}

bool hpke_seal(struct hpke *h, uint8_t *out, span aad, span text)
{
    return message(h, out, aad, text, true);
}

bool hpke_open(struct hpke *h, uint8_t *out, span aad, span sealed)
{
    return message(h, out, aad, sealed, false);
}

bool hpke_export(const struct hpke *h, uint8_t *out, size_t n, span context)
{
    return labeled_expand(h, out, n, SPAN_OF(h->suite), SPAN_OF(h->exporter), "sec", context);
}

void hpke_end(struct hpke *h)
{
    secret_wipe(h, sizeof *h);
}
