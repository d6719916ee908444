/* hkdf.c - key derivation.  Must never leave a key, or what was made of it, on the stack. */
#include "crypto/hkdf.h"

#include "base/secret.h"

enum { INFO_MAX = 2 + 1 + 255 + 1 + 255 };

/* ---- HMAC */
/* Blocks are multiples of 16 bytes; 16 at a time, as two of these are on the way of every secret. */
typedef uint64_t lanes __attribute__((vector_size(16)));

union block {
    lanes   l[TROTH_BLOCK_MAX / 16];
    uint8_t b[TROTH_BLOCK_MAX];
};

static void begin_padded(const troth_hash *h, uint8_t *state, const union block *key, uint64_t pad)
{
    union block block;
    const lanes pads = { pad, pad };
    for (size_t i = 0; i < h->block_n / 16; i++)
        block.l[i] = key->l[i] ^ pads;
    h->begin(state);
    h->add(state, block.b, h->block_n);
    secret_wipe(&block, h->block_n);
}

void hmac_key_init(struct hmac_key *k, const troth_hash *h, span key)
{
    union block block = { .b = { 0 } };
    k->h = h;
    if (key.n > h->block_n) {
        h->begin(k->inner);
        h->add(k->inner, key.p, key.n);
        h->peek(k->inner, block.b);
    } else if (key.n) {
        memcpy(block.b, key.p, key.n);
    }
    begin_padded(h, k->inner, &block, 0x3636363636363636u);
    begin_padded(h, k->outer, &block, 0x5c5c5c5c5c5c5c5cu);
    secret_wipe(&block, sizeof block);
}

void hmac_key_wipe(struct hmac_key *k)
{
    secret_wipe(k->inner, k->h->state_n);
    secret_wipe(k->outer, k->h->state_n);
}

void hmac(const struct hmac_key *k, uint8_t *out, const span *parts, size_t n_parts)
{
    const troth_hash *h = k->h;
    _Alignas(16) uint8_t state[TROTH_HASH_STATE_MAX];
    uint8_t inner[TROTH_DIGEST_MAX];
    memcpy(state, k->inner, h->state_n);
    for (size_t i = 0; i < n_parts; i++)
        if (parts[i].n)
            h->add(state, parts[i].p, parts[i].n);
    h->peek(state, inner);
    memcpy(state, k->outer, h->state_n);
    h->add(state, inner, h->n);
    h->peek(state, out);
    secret_wipe(state, h->state_n);
    secret_wipe(inner, h->n);
}

void hmac_once(const troth_hash *h, uint8_t *out, span key, span message)
{
    struct hmac_key k;
    hmac_key_init(&k, h, key);
    hmac(&k, out, &message, 1);
    hmac_key_wipe(&k);
}

/* ---- HKDF */
void hkdf_extract_parts(const troth_hash *h, uint8_t *prk, span salt, const span *ikm, size_t n_parts)
{
    struct hmac_key k;
    hmac_key_init(&k, h, salt); /* HMAC pads a short key with zeros: no salt is h->n zeros */
    hmac(&k, prk, ikm, n_parts);
    hmac_key_wipe(&k);
}

void hkdf_extract(const troth_hash *h, uint8_t *prk, span salt, span ikm)
{
    hkdf_extract_parts(h, prk, salt, &ikm, 1);
}

/* parts[0] and the last are for the round: the block before, and its number. */
static bool expand(const struct hmac_key *prk, uint8_t *out, size_t n, span *parts, size_t n_parts)
{
    const troth_hash *h = prk->h;
    uint8_t t[TROTH_DIGEST_MAX], round = 1;
    TRY(n <= 255 * h->n);
    parts[0] = SPAN_NONE;
    parts[n_parts - 1] = span_of(&round, 1);
    for (; n; round++) {
        hmac(prk, t, parts, n_parts);
        size_t some = n < h->n ? n : h->n;
        memcpy(out, t, some);
        parts[0] = span_of(t, h->n);
        out += some;
        n -= some;
    }
    secret_wipe(t, h->n);
    parts[0] = parts[n_parts - 1] = SPAN_NONE;
    return true;
}

bool hkdf_expand_parts(const troth_hash *h, uint8_t *out, size_t n, span prk, const span *info, size_t n_parts)
{
    span parts[HKDF_PARTS + 2];
    struct hmac_key k;
    TRY(n_parts <= HKDF_PARTS);
    for (size_t i = 0; i < n_parts; i++)
        parts[i + 1] = info[i];
    hmac_key_init(&k, h, prk);
    bool ok = expand(&k, out, n, parts, n_parts + 2);
    hmac_key_wipe(&k);
    return ok;
}

bool hkdf_expand(const troth_hash *h, uint8_t *out, size_t n, span prk, span info)
{
    return hkdf_expand_parts(h, out, n, prk, &info, 1);
}

bool expand_label_as(const struct hmac_key *secret, uint8_t *out, size_t n, const char *prefix, const char *label, span context)
{
    uint8_t info[INFO_MAX], *p = info;
    size_t prefix_n = strlen(prefix), label_n = strlen(label);
    TRY(n <= 0xffff && label_n <= 255 && prefix_n <= 255 - label_n && context.n <= 255);
    *p++ = (uint8_t)(n >> 8);
    *p++ = (uint8_t)n;
    *p++ = (uint8_t)(prefix_n + label_n);
    memcpy(p, prefix, prefix_n);
    p += prefix_n;
    memcpy(p, label, label_n);
    p += label_n;
    *p++ = (uint8_t)context.n;
    if (context.n)
        memcpy(p, context.p, context.n);
    p += context.n;
    span parts[3] = { SPAN_NONE, span_of(info, (size_t)(p - info)), SPAN_NONE };
    return expand(secret, out, n, parts, 3);
}

bool expand_label_key(const struct hmac_key *secret, uint8_t *out, size_t n, const char *label, span context)
{
    return expand_label_as(secret, out, n, "tls13 ", label, context);
}

bool expand_label(const troth_hash *h, uint8_t *out, size_t n, span secret, const char *label, span context)
{
    struct hmac_key k;
    hmac_key_init(&k, h, secret);
    bool ok = expand_label_key(&k, out, n, label, context);
    hmac_key_wipe(&k);
    return ok;
}

/* ---- TLS 1.2 */
void tls12_prf(const troth_hash *h, uint8_t *out, size_t n, span secret, const char *label, span seed1, span seed2)
{
    struct hmac_key k;
    uint8_t a[TROTH_DIGEST_MAX], t[TROTH_DIGEST_MAX];
    span parts[4] = { { a, h->n }, span_of(label, strlen(label)), seed1, seed2 };
    hmac_key_init(&k, h, secret);
    hmac(&k, a, parts + 1, 3); /* A(1) = HMAC(secret, label || seed) */
    while (n) {
        hmac(&k, t, parts, 4);
        size_t some = n < h->n ? n : h->n;
        memcpy(out, t, some);
        out += some;
        n -= some;
        if (n)
            hmac(&k, a, parts, 1);
    }
    hmac_key_wipe(&k);
    secret_wipe(a, h->n);
    secret_wipe(t, h->n);
}
