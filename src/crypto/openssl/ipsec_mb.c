/* ipsec_mb.c - AES-GCM and, with AVX-512, ChaCha20-Poly1305 by libipsec-mb, where it was there at build and the processor has AVX2.
 *
 * Measured against libcrypto 3.0 with VAES and AVX-512: AES-128-GCM of 16 KiB 0.8 against 2.2 us, of 100 bytes 0.02 against 0.19;
 * ChaCha20-Poly1305 3.3 against 4.1 and 0.19 against 0.62.  With AVX2: AES-128-GCM of 16 KiB 3.8 against 4.0, of 1 KiB 0.26 against 0.49, of
 * 100 bytes 0.05 against 0.29, a key 0.07 against 0.30; ChaCha20-Poly1305 of 16 KiB 9.6 against 7.7.  Only its direct calls are used: they keep no state outside of what they are given, so that its manager is
 * needed only to learn which functions fit the processor, and goes right after.  Keys are flat: nothing is allocated per key. */
#include "crypto/openssl/lib.h"

#ifdef TROTH_HAVE_IPSEC_MB

#include <intel-ipsec-mb.h>

struct gcm_calls {
    aes_gcm_pre_t                pre;
    aes_gcm_enc_dec_t            seal, open;
    aes_gcm_init_t               init;
    aes_gcm_enc_dec_update_t     seal_part;
    aes_gcm_enc_dec_finalize_t   seal_end;
};

struct chacha_calls {
    chacha_poly_init_t           init;
    chacha_poly_enc_dec_update_t seal_part, open_part;
    chacha_poly_finalize_t       end;
};

/* A row of the table and the calls behind it. */
struct fast_aead {
    troth_aead row; /* first: the row is the object */
    union {
        struct gcm_calls    gcm;
        struct chacha_calls chacha;
    } calls;
};

struct lib_fast {
    size_t           n; /* the first of lib's */
    struct fast_aead aead[LIB_AEADS];
};

enum { KEY_ALIGN = 64, GCM_STATE_N = sizeof(struct gcm_key_data) + KEY_ALIGN - 16, TAG = 16 };
_Static_assert((int)GCM_STATE_N <= (int)TROTH_AEAD_STATE_MAX, "an expanded GCM key of libipsec-mb fits");

/* States come aligned to 16, the key wants 64. */
static struct gcm_key_data *gcm_key(void *state)
{
    return (struct gcm_key_data *)(((uintptr_t)state + KEY_ALIGN - 1) & ~(uintptr_t)(KEY_ALIGN - 1));
}

static const struct gcm_calls *gcm_of(const troth_aead *a)
{
    return &((const struct fast_aead *)a)->calls.gcm;
}

static const struct chacha_calls *chacha_of(const troth_aead *a)
{
    return &((const struct fast_aead *)a)->calls.chacha;
}

static void nothing_to_end(const troth_aead *a, void *state)
{
    (void)a;
    (void)state;
}

/* libipsec-mb refuses NULL even where there is nothing to read. */
static const uint8_t *some(span s)
{
    static const uint8_t nothing[1];
    return s.p ? s.p : nothing;
}

/* Nothing of what did not verify is left. */
static bool verdict(uint8_t *out, size_t n, const uint8_t *tag, const uint8_t *want)
{
    if (bytes_equal_ct(tag, want, TAG))
        return true;
    secret_wipe(out, n);
    return false;
}

/* ---- AES-GCM */
static bool gcm_begin(const troth_aead *a, void *state, const uint8_t *key)
{
    gcm_of(a)->pre(key, gcm_key(state));
    return true;
}

static bool gcm_seal(const troth_aead *a, void *state, uint8_t *out, const uint8_t *nonce, span aad, const span *parts, size_t n_parts)
{
    const struct gcm_calls *c = gcm_of(a);
    const struct gcm_key_data *key = gcm_key(state);
    struct gcm_context_data ctx;
    if (n_parts == 1) {
        c->seal(key, &ctx, out, some(parts[0]), parts[0].n, nonce, some(aad), aad.n, out + parts[0].n, TAG);
    } else {
        c->init(key, &ctx, nonce, some(aad), aad.n);
        for (size_t i = 0; i < n_parts; i++) {
            if (parts[i].n)
                c->seal_part(key, &ctx, out, parts[i].p, parts[i].n);
            out += parts[i].n;
        }
        c->seal_end(key, &ctx, out, TAG);
    }
    secret_wipe(&ctx, sizeof ctx);
    return true;
}

static bool gcm_open(const troth_aead *a, void *state, uint8_t *out, const uint8_t *nonce, span aad, span in)
{
    TRY(in.n >= TAG);
    struct gcm_context_data ctx;
    uint8_t tag[TAG], want[TAG];
    size_t n = in.n - TAG;
    memcpy(want, in.p + n, TAG);
    gcm_of(a)->open(gcm_key(state), &ctx, out, in.p, n, nonce, some(aad), aad.n, tag, TAG);
    secret_wipe(&ctx, sizeof ctx);
    return verdict(out, n, tag, want);
}

/* ---- ChaCha20-Poly1305: the state is the key */
static bool chacha_begin(const troth_aead *a, void *state, const uint8_t *key)
{
    memcpy(state, key, a->key_n);
    return true;
}

static bool chacha_seal(const troth_aead *a, void *state, uint8_t *out, const uint8_t *nonce, span aad, const span *parts,
                        size_t n_parts)
{
    const struct chacha_calls *c = chacha_of(a);
    struct chacha20_poly1305_context_data ctx;
    c->init(state, &ctx, nonce, some(aad), aad.n);
    for (size_t i = 0; i < n_parts; i++) {
        if (parts[i].n)
            c->seal_part(state, &ctx, out, parts[i].p, parts[i].n);
        out += parts[i].n;
    }
    c->end(&ctx, out, TAG);
    secret_wipe(&ctx, sizeof ctx);
    return true;
}

static bool chacha_open(const troth_aead *a, void *state, uint8_t *out, const uint8_t *nonce, span aad, span in)
{
    TRY(in.n >= TAG);
    const struct chacha_calls *c = chacha_of(a);
    struct chacha20_poly1305_context_data ctx;
    uint8_t tag[TAG], want[TAG];
    size_t n = in.n - TAG;
    memcpy(want, in.p + n, TAG);
    c->init(state, &ctx, nonce, some(aad), aad.n);
    if (n)
        c->open_part(state, &ctx, out, in.p, n);
    c->end(&ctx, tag, TAG);
    secret_wipe(&ctx, sizeof ctx);
    return verdict(out, n, tag, want);
}

/* ---- opening */
static bool has(const IMB_MGR *m, uint64_t features)
{
    return (m->features & features) == features;
}

/* Which calls fit the processor; of how many rows they are faster. */
static size_t choose(IMB_MGR *m)
{
    size_t n = 0;
    if (has(m, IMB_FEATURE_AVX512_SKX | IMB_FEATURE_VAES | IMB_FEATURE_VPCLMULQDQ)) {
        init_mb_mgr_avx512(m);
        n = LIB_AEADS;
    } else if (has(m, IMB_FEATURE_AVX2 | IMB_FEATURE_AESNI | IMB_FEATURE_PCLMULQDQ)) {
        init_mb_mgr_avx2(m);
        n = LIB_AEADS - 1; /* but ChaCha20-Poly1305 */
    }
    return imb_get_errno(m) ? 0 : n;
}

static void fill(struct lib_fast *f, const IMB_MGR *m)
{
    f->aead[0].calls.gcm = (struct gcm_calls){ m->gcm128_pre, m->gcm128_enc, m->gcm128_dec, m->gcm128_init, m->gcm128_enc_update,
                                               m->gcm128_enc_finalize };
    f->aead[1].calls.gcm = (struct gcm_calls){ m->gcm256_pre, m->gcm256_enc, m->gcm256_dec, m->gcm256_init, m->gcm256_enc_update,
                                               m->gcm256_enc_finalize };
    f->aead[2].calls.chacha = (struct chacha_calls){ m->chacha20_poly1305_init, m->chacha20_poly1305_enc_update,
                                                     m->chacha20_poly1305_dec_update, m->chacha20_poly1305_finalize };
}

static void put_row(struct fast_aead *to, const troth_aead *like, size_t state_n)
{
    bool gcm = like->id != TROTH_CHACHA20_POLY1305;
    to->row = *like;
    to->row.state_n = state_n;
    to->row.begin = gcm ? gcm_begin : chacha_begin;
    to->row.seal = gcm ? gcm_seal : chacha_seal;
    to->row.open = gcm ? gcm_open : chacha_open;
    to->row.end = nothing_to_end;
}

void lib_open_fast(struct lib *l)
{
    IMB_MGR *m = alloc_mb_mgr(0);
    size_t n = m ? choose(m) : 0;
    l->fast = n ? l->memory.alloc(l->memory.ctx, sizeof *l->fast) : NULL;
    if (l->fast) {
        memset(l->fast, 0, sizeof *l->fast);
        l->fast->n = n;
        for (size_t i = 0; i < n; i++)
            put_row(&l->fast->aead[i], &l->aead[i].row, i == 2 ? l->aead[i].row.key_n : GCM_STATE_N);
        fill(l->fast, m);
    }
    if (m)
        free_mb_mgr(m);
    for (size_t i = 0; l->fast && l->aeads[i]; i++)
        for (size_t k = 0; k < l->fast->n; k++)
            if (l->aeads[i]->id == l->fast->aead[k].row.id)
                l->aeads[i] = &l->fast->aead[k].row;
}

void lib_close_fast(struct lib *l)
{
    if (l->fast)
        l->memory.free(l->memory.ctx, l->fast, sizeof *l->fast);
    l->fast = NULL;
}

#else

void lib_open_fast(struct lib *l)
{
    (void)l;
}

void lib_close_fast(struct lib *l)
{
    (void)l;
}

#endif
