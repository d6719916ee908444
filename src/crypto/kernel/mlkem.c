/* ML-KEM's algorithms (FIPS 203 5 - 7) over the arithmetic of mlkem_ops.h. The names of values are the standard's. Must
 * never branch on anything derived from a private key, a message or a seed's secret half. */
#include "crypto/kernel/mlkem.h"

#include "crypto/kernel/cpu.h"
#include "crypto/kernel/ct.h"
#include "crypto/kernel/mlkem_ops.h"

/* FIPS 203 table 2 and 3 */
#define MLKEM_SET(size, n, ops_, ek, dk, ct, k_, eta1_, du_, dv_) \
    [size] = { .name = "ML-KEM-" n, .ops = &(ops_), .ek_n = ek, .dk_n = dk, .ct_n = ct, .k = k_, .eta1 = eta1_, \
               .du = du_, .dv = dv_ }
#define MLKEM_SETS(ops) { MLKEM_SET(MLKEM_512, "512", ops, 800, 1632, 768, 2, 3, 10, 4), \
                          MLKEM_SET(MLKEM_768, "768", ops, 1184, 2400, 1088, 3, 2, 10, 4), \
                          MLKEM_SET(MLKEM_1024, "1024", ops, 1568, 3168, 1568, 4, 2, 11, 5) }

static const struct mlkem sets_portable[] = MLKEM_SETS(mlkem_portable);
#if defined(__x86_64__)
static const struct mlkem sets_avx2[] = MLKEM_SETS(mlkem_avx2);
static const struct mlkem sets_avx512[] = MLKEM_SETS(mlkem_avx512);
static const struct mlkem sets_vbmi2[] = MLKEM_SETS(mlkem_vbmi2);
#endif

const struct mlkem *mlkem_pick(enum mlkem_size size, uint32_t cpu)
{
#if defined(__x86_64__)
    if (cpu & CPU_VBMI2)
        return &sets_vbmi2[size];
    if (cpu & CPU_AVX512)
        return &sets_avx512[size];
    if (cpu & CPU_AVX2)
        return &sets_avx2[size];
#endif
    (void)cpu;
    return &sets_portable[size];
}

/* a key pair in the NTT domain; t of K-PKE.KeyGen, or as decoded from an ek */
struct keys { struct poly a[MLKEM_K_MAX * MLKEM_K_MAX], s[2 * MLKEM_K_MAX], t[MLKEM_K_MAX]; };

static void hash_h(const struct mlkem *m, uint8_t out[32], const uint8_t *in, size_t n)
{
    sponge_hash(m->ops->permute, SHA3_256_RATE, PAD_SHA3, out, 32, in, n, NULL, 0);
}

static void hash_j(const struct mlkem *m, uint8_t out[32], const uint8_t z[32], const uint8_t *ct)
{
    sponge_hash(m->ops->permute, SHAKE256_RATE, PAD_SHAKE, out, 32, z, 32, ct, m->ct_n);
}

void mlkem_h_and_j(const struct mlkem *m, uint8_t h[32], uint8_t j[32], const uint8_t *ek, const uint8_t z[32],
                   const uint8_t *ct)
{
    hash_h(m, h, ek, m->ek_n);
    hash_j(m, j, z, ct);
}

static void hash_g(const struct mlkem *m, uint8_t out[64], const uint8_t *a, size_t a_n, const uint8_t *b, size_t b_n)
{
    sponge_hash(m->ops->permute, SHA3_512_RATE, PAD_SHA3, out, 64, a, a_n, b, b_n);
}

/* K-PKE.KeyGen (FIPS 203 5.1): rho, the matrix, s and t in `w` (s[k..] is e), and ek */
static void kpke_keygen(const struct mlkem *m, struct keys *w, uint8_t *ek, const uint8_t d[32])
{
    const struct mlkem_ops *ops = m->ops;
    uint8_t rho_sigma[64], k = m->k;
    struct poly cache[MLKEM_K_MAX];
    hash_g(m, rho_sigma, d, 32, &k, 1);
    memcpy(ek + 384 * k, rho_sigma, 32);
    ct_public(ek + 384 * k, 32);                                /* rho is published in the encapsulation key */
    ops->matrix(w->a, k, ek + 384 * k);
    ops->noise(w->s, 2u * k, m->eta1, rho_sigma + 32, 0);
    for (unsigned i = 0; i < 2u * k; i++)
        ops->ntt(&w->s[i]);
    for (unsigned i = 0; i < k; i++)
        ops->cache(&cache[i], &w->s[i]);
    for (unsigned i = 0; i < k; i++) {
        ops->dot(&w->t[i], w->a + i * k, 1, w->s, cache, k);
        ops->to_mont(&w->t[i]);
        ops->add(&w->t[i], &w->s[k + i]);
        ops->encode12(ek + 384 * i, &w->t[i]);
    }
    secret_wipe(rho_sigma, sizeof rho_sigma);
    secret_wipe(cache, sizeof cache);
}

/* K-PKE.Encrypt (FIPS 203 5.2) with the matrix and t of `w` */
static void kpke_encrypt(const struct mlkem *m, uint8_t *ct, const struct keys *w, const uint8_t msg[32], const uint8_t r[32])
{
    const struct mlkem_ops *ops = m->ops;
    unsigned k = m->k;
    struct { struct poly y[2 * MLKEM_K_MAX + 1], u, mu; struct poly cache[MLKEM_K_MAX]; } v;
    if (m->eta1 == 2) {
        ops->noise(v.y, 2 * k + 1, 2, r, 0);
    } else {
        ops->noise(v.y, k, m->eta1, r, 0);
        ops->noise(v.y + k, k + 1, 2, r, (uint8_t)k);
    }
    struct poly *e1 = v.y + k, *e2 = v.y + 2 * k;
    for (unsigned i = 0; i < k; i++) {
        ops->ntt(&v.y[i]);
        ops->cache(&v.cache[i], &v.y[i]);
    }
    for (unsigned i = 0; i < k; i++) {
        ops->dot(&v.u, w->a + i, k, v.y, v.cache, k);           /* column i of A is row i of its transpose */
        ops->ntt_inverse(&v.u);
        ops->add(&v.u, &e1[i]);
        ops->compress(ct + 32 * m->du * i, &v.u, m->du);
    }
    ops->dot(&v.u, w->t, 1, v.y, v.cache, k);
    ops->ntt_inverse(&v.u);
    ops->add(&v.u, e2);
    ops->decompress(&v.mu, msg, 1);
    ops->add(&v.u, &v.mu);
    ops->compress(ct + 32 * m->du * k, &v.u, m->dv);
    secret_wipe(&v, sizeof v);
}

/* K-PKE.Decrypt (FIPS 203 5.3); s in the NTT domain */
static void kpke_decrypt(const struct mlkem *m, uint8_t msg[32], const struct poly *s, const uint8_t *ct)
{
    const struct mlkem_ops *ops = m->ops;
    unsigned k = m->k;
    struct { struct poly u[MLKEM_K_MAX], v, w; struct poly cache[MLKEM_K_MAX]; } p;
    for (unsigned i = 0; i < k; i++) {
        ops->decompress(&p.u[i], ct + 32 * m->du * i, m->du);
        ops->ntt(&p.u[i]);
        ops->cache(&p.cache[i], &p.u[i]);
    }
    ops->dot(&p.w, s, 1, p.u, p.cache, k);
    ops->ntt_inverse(&p.w);
    ops->decompress(&p.v, ct + 32 * m->du * k, m->dv);
    ops->sub(&p.w, &p.v);
    ops->compress(msg, &p.w, 1);
    secret_wipe(&p, sizeof p);
}

void mlkem_keygen(const struct mlkem *m, uint8_t *ek, uint8_t *dk, const uint8_t seed[MLKEM_SEED])
{
    struct keys w;
    size_t k = m->k;
    kpke_keygen(m, &w, ek, seed);
    if (dk) {
        for (unsigned i = 0; i < k; i++)
            m->ops->encode12(dk + 384 * i, &w.s[i]);
        memcpy(dk + 384 * k, ek, m->ek_n);
        hash_h(m, dk + 384 * k + m->ek_n, ek, m->ek_n);
        memcpy(dk + 384 * k + m->ek_n + 32, seed + 32, 32);
    }
    secret_wipe(w.s, sizeof w.s);
}

/* t and the matrix of an encapsulation key */
static void ek_open(const struct mlkem *m, struct keys *w, const uint8_t *ek)
{
    for (unsigned i = 0; i < m->k; i++)
        m->ops->decode12(&w->t[i], ek + 384 * i);
    m->ops->matrix(w->a, m->k, ek + 384 * m->k);
}

static bool all_below_q(const struct keys *w, unsigned k)
{
    unsigned bad = 0;
    for (unsigned i = 0; i < k; i++)
        for (unsigned j = 0; j < 256; j++)
            bad |= w->t[i].c[j] >= MLKEM_Q;
    return !bad;
}

bool mlkem_check_ek(const struct mlkem *m, const uint8_t *ek, size_t ek_n)
{
    struct keys w;
    TRY(ek_n == m->ek_n);
    for (unsigned i = 0; i < m->k; i++)
        m->ops->decode12(&w.t[i], ek + 384 * i);
    return all_below_q(&w, m->k);
}

bool mlkem_check_dk(const struct mlkem *m, const uint8_t *dk, size_t dk_n)
{
    uint8_t h[32];
    TRY(dk_n == m->dk_n);
    const uint8_t *ek = dk + 384 * m->k;
    hash_h(m, h, ek, m->ek_n);
    return bytes_equal_ct(h, ek + m->ek_n, 32);
}

bool mlkem_encaps(const struct mlkem *m, uint8_t *ct, uint8_t ss[MLKEM_SECRET], const uint8_t *ek, size_t ek_n,
                  const uint8_t msg[MLKEM_MESSAGE])
{
    struct keys w;
    uint8_t h[32], key_r[64];
    TRY(ek_n == m->ek_n);
    ek_open(m, &w, ek);
    TRY(all_below_q(&w, m->k));
    hash_h(m, h, ek, ek_n);
    hash_g(m, key_r, msg, 32, h, 32);
    kpke_encrypt(m, ct, &w, msg, key_r + 32);
    memcpy(ss, key_r, 32);
    secret_wipe(key_r, sizeof key_r);
    return true;
}

/* ML-KEM.Decaps_internal (FIPS 203 6.3), lines 5-12, with the key in `w` and s, h of its ek, and J's answer, the secret of a
 * ciphertext that is refused; wipes that */
static void decaps(const struct mlkem *m, uint8_t ss[32], const uint8_t *ct, const struct keys *w, const uint8_t h[32],
                   uint8_t rejected[32])
{
    uint8_t msg[32], key_r[64], again[MLKEM_CT_MAX];
    kpke_decrypt(m, msg, w->s, ct);
    hash_g(m, key_r, msg, 32, h, 32);
    kpke_encrypt(m, again, w, msg, key_r + 32);
    uint64_t same = ct_mask(bytes_equal_ct(ct, again, m->ct_n));
    for (unsigned i = 0; i < 32; i++)
        ss[i] = (uint8_t)ct_select(same, key_r[i], rejected[i]);
    secret_wipe(msg, sizeof msg);
    secret_wipe(key_r, sizeof key_r);
    secret_wipe(rejected, 32);
    secret_wipe(again, sizeof again);
}

bool mlkem_decaps(const struct mlkem *m, uint8_t ss[MLKEM_SECRET], const uint8_t *ct, size_t ct_n, const uint8_t *dk,
                  size_t dk_n)
{
    struct keys w;
    uint8_t rejected[32];
    TRY(ct_n == m->ct_n && dk_n == m->dk_n);
    const uint8_t *ek = dk + 384 * m->k, *h = ek + m->ek_n;
    for (unsigned i = 0; i < m->k; i++)
        m->ops->decode12(&w.s[i], dk + 384 * i);
    ek_open(m, &w, ek);
    hash_j(m, rejected, h + 32, ct);
    decaps(m, ss, ct, &w, h, rejected);
    secret_wipe(w.s, sizeof w.s);
    return true;
}

bool mlkem_decaps_seed(const struct mlkem *m, uint8_t ss[MLKEM_SECRET], const uint8_t *ct, size_t ct_n,
                       const uint8_t seed[MLKEM_SEED])
{
    struct keys w;
    uint8_t ek[MLKEM_EK_MAX], h[32], rejected[32];
    TRY(ct_n == m->ct_n);
    kpke_keygen(m, &w, ek, seed);
    m->ops->h_and_j(m, h, rejected, ek, seed + 32, ct);
    decaps(m, ss, ct, &w, h, rejected);
    secret_wipe(w.s, sizeof w.s);
    return true;
}
