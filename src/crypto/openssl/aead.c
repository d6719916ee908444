/* aead.c - AES-GCM and ChaCha20-Poly1305 by libcrypto.
 *
 * A state is one EVP_CIPHER_CTX with its key schedule; each record only sets a nonce.  One context serves both directions: setting the
 * nonce says which.  Must never fetch by name after the provider is open. */
#include "crypto/openssl/lib.h"

#include <limits.h>

struct state {
    EVP_CIPHER_CTX *ctx;
};

static const EVP_CIPHER *cipher_of(const troth_aead *a)
{
    return ((const struct lib_aead *)a)->cipher;
}

static bool begin(const troth_aead *a, void *state, const uint8_t *key)
{
    struct state *s = state;
    s->ctx = EVP_CIPHER_CTX_new();
    TRY(s->ctx);
    if (EVP_EncryptInit_ex2(s->ctx, cipher_of(a), key, NULL, NULL) == 1)
        return true;
    EVP_CIPHER_CTX_free(s->ctx);
    s->ctx = NULL;
    lib_quiet();
    return false;
}

static void end(const troth_aead *a, void *state)
{
    (void)a;
    struct state *s = state;
    EVP_CIPHER_CTX_free(s->ctx);
    s->ctx = NULL;
}

/* libcrypto counts in int. */
static bool update(EVP_CIPHER_CTX *ctx, uint8_t *out, span in, bool encrypt)
{
    int n;
    if (!in.n)
        return true;
    TRY(in.n <= INT_MAX);
    return encrypt ? EVP_EncryptUpdate(ctx, out, &n, in.p, (int)in.n) == 1 : EVP_DecryptUpdate(ctx, out, &n, in.p, (int)in.n) == 1;
}

static bool try_seal(EVP_CIPHER_CTX *ctx, size_t tag_n, uint8_t *out, const uint8_t *nonce, span aad, const span *parts, size_t n_parts)
{
    int n;
    TRY(EVP_EncryptInit_ex2(ctx, NULL, NULL, nonce, NULL) == 1);
    TRY(update(ctx, NULL, aad, true));
    for (size_t i = 0; i < n_parts; i++) {
        TRY(update(ctx, out, parts[i], true));
        out += parts[i].n;
    }
    TRY(EVP_EncryptFinal_ex(ctx, out, &n) == 1);
    return EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, (int)tag_n, out) == 1;
}

static bool seal(const troth_aead *a, void *state, uint8_t *out, const uint8_t *nonce, span aad, const span *parts, size_t n_parts)
{
    struct state *s = state;
    if (try_seal(s->ctx, a->tag_n, out, nonce, aad, parts, n_parts))
        return true;
    lib_quiet();
    return false;
}

static bool try_open(EVP_CIPHER_CTX *ctx, size_t tag_n, uint8_t *out, const uint8_t *nonce, span aad, span in)
{
    int n;
    span text = { in.p, in.n - tag_n };
    uint8_t tag[16];
    memcpy(tag, in.p + text.n, tag_n); /* libcrypto wants it writable */
    TRY(EVP_DecryptInit_ex2(ctx, NULL, NULL, nonce, NULL) == 1);
    TRY(update(ctx, NULL, aad, false));
    TRY(update(ctx, out, text, false));
    TRY(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, (int)tag_n, tag) == 1);
    return EVP_DecryptFinal_ex(ctx, out + text.n, &n) == 1;
}

static bool open(const troth_aead *a, void *state, uint8_t *out, const uint8_t *nonce, span aad, span in)
{
    struct state *s = state;
    TRY(in.n >= a->tag_n);
    if (try_open(s->ctx, a->tag_n, out, nonce, aad, in))
        return true;
    secret_wipe(out, in.n - a->tag_n); /* nothing of what did not verify is left */
    lib_quiet();
    return false;
}

/* RFC 9846 5.5: 2^24.5 full-size records under one AES-GCM key; ChaCha20-Poly1305 has no limit before the sequence number's. */
enum { GCM_RECORDS = 23726566 };

/* clang-format off */
static const struct lib_aead rows[LIB_AEADS] = {
    { { TROTH_AES_128_GCM,       "AES-128-GCM",       16, 12, 16, sizeof(struct state), GCM_RECORDS, begin, seal, open, end }, NULL },
    { { TROTH_AES_256_GCM,       "AES-256-GCM",       32, 12, 16, sizeof(struct state), GCM_RECORDS, begin, seal, open, end }, NULL },
    { { TROTH_CHACHA20_POLY1305, "ChaCha20-Poly1305", 32, 12, 16, sizeof(struct state), UINT64_MAX,  begin, seal, open, end }, NULL },
};
static const char *const cipher_names[LIB_AEADS] = { "AES-128-GCM", "AES-256-GCM", "ChaCha20-Poly1305" };
/* clang-format on */

/* Without instructions for AES, ChaCha20 is faster, and AES in constant time slower still. */
static bool has_aes_instructions(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_cpu_init();
    return __builtin_cpu_supports("aes") && __builtin_cpu_supports("pclmul");
#elif defined(__ARM_FEATURE_CRYPTO) || defined(__ARM_FEATURE_AES) || defined(__s390x__) || defined(__powerpc64__)
    return true;
#else
    return false;
#endif
}

bool lib_open_aeads(struct lib *l, const troth_libcrypto_options *o)
{
    for (size_t i = 0; i < LIB_AEADS; i++) {
        l->aead[i] = rows[i];
        l->aead[i].cipher = EVP_CIPHER_fetch(NULL, cipher_names[i], NULL);
        TRY(l->aead[i].cipher || rows[i].row.id == TROTH_CHACHA20_POLY1305); /* FIPS modules lack it */
    }
    size_t n = 0, first = has_aes_instructions() ? 0 : LIB_AEADS - 1;
    for (size_t i = 0; i < LIB_AEADS; i++) {
        const struct lib_aead *a = &l->aead[(first + i) % LIB_AEADS];
        if (a->cipher)
            l->aeads[n++] = &a->row;
    }
    l->pub.aeads = l->aeads;
    if (!o->libcrypto_only && !o->portable_only)
        lib_open_fast(l);
    return true;
}

void lib_close_aeads(struct lib *l)
{
    lib_close_fast(l);
    for (size_t i = 0; i < LIB_AEADS; i++)
        EVP_CIPHER_free(l->aead[i].cipher);
}
