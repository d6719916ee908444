/* Microseconds of each cryptographic kernel, every implementation this processor runs, beside libcrypto's in the same
 * process. Samples of all rows are taken in turn, so that what disturbs one disturbs all. usage: kernels [filter [rounds]]
 * links: crypto */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>

#include "quiet.h"

#include "crypto/kernel/cpu.h"
#include "crypto/kernel/mlkem.h"
#include "crypto/kernel/p256.h"
#include "crypto/kernel/rsa.h"
#include "crypto/kernel/x25519.h"

enum { ROWS_MAX = 96, ROUNDS_MAX = 2000 };

struct row {
    char name[64];
    void (*run)(void *);
    void *arg;
    unsigned each;              /* results per call */
    unsigned times;             /* calls per sample, so that one lasts about 60 us */
    struct quiet_sample sample[ROUNDS_MAX];
};

struct bench { struct quiet quiet; const char *filter; unsigned rows; struct row row[ROWS_MAX]; };

static void add(struct bench *b, const char *name, const char *by, void (*run)(void *), void *arg, unsigned each)
{
    if (b->rows == ROWS_MAX) {
        fprintf(stderr, "kernels: ROWS_MAX is too small for %s %s\n", name, by);
        exit(1);
    }
    struct row *r = &b->row[b->rows];
    snprintf(r->name, sizeof r->name, "%s %s", name, by);
    if (b->filter && !strstr(r->name, b->filter))
        return;
    r->run = run;
    r->arg = arg;
    r->each = each;
    double us = 1e9;
    for (int i = 0; i < 5; i++) {
        double t = quiet_take(&b->quiet, run, arg, 1).us;
        us = t < us ? t : us;
    }
    r->times = us > 60 ? 1 : (unsigned)(60 / us);
    b->rows++;
}

static void measure(struct bench *b, unsigned rounds)
{
    for (unsigned n = 0; n < rounds; n++)
        for (unsigned i = 0; i < b->rows; i++)
            b->row[i].sample[n] = quiet_take(&b->quiet, b->row[i].run, b->row[i].arg, b->row[i].times);
    for (unsigned i = 0; i < b->rows; i++) {
        unsigned kept;
        double us = quiet_median(b->row[i].sample, rounds, &kept);
        unsigned each = b->row[i].each;
        printf("%-40s %8.2f us each, %8.2f for %u, %u of %u samples quiet\n", b->row[i].name, us / each, us, each,
               kept, rounds);
    }
}

/* ---- X25519 */

struct x_arg { const struct x25519 *x; EVP_PKEY *mine, *peer; uint8_t k[8][32], u[8][32], out[8][32]; };

static void x_base(void *v) { struct x_arg *a = v; x25519_base(a->x, a->out[0], a->k[0]); }
static void x_shared(void *v) { struct x_arg *a = v; (void)x25519_shared(a->x, a->out[0], a->k[0], a->u[0]); }
static void x_both(void *v) { struct x_arg *a = v; (void)x25519_both(a->x, a->out[0], a->out[1], a->k[0], a->u[0]); }
static void x_base_x8(void *v) { struct x_arg *a = v; a->x->base_x8(a->out, a->k); }
static void x_shared_x8(void *v) { struct x_arg *a = v; (void)a->x->shared_x8(a->out, a->k, a->u); }

static void x_openssl_base(void *v)
{
    struct x_arg *a = v;
    size_t n = 32;
    EVP_PKEY *p = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, a->k[0], 32);
    EVP_PKEY_get_raw_public_key(p, a->out[0], &n);
    EVP_PKEY_free(p);
}

static void x_openssl_shared(void *v)
{
    struct x_arg *a = v;
    size_t n = 32;
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(a->mine, NULL);
    EVP_PKEY_derive_init(c);
    EVP_PKEY_derive_set_peer_ex(c, a->peer, 0);
    EVP_PKEY_derive(c, a->out[0], &n);
    EVP_PKEY_CTX_free(c);
}

static void x_rows(struct bench *b, struct x_arg *a, const struct x25519 *x)
{
    RAND_bytes(a->k[0], sizeof a->k);
    RAND_bytes(a->u[0], sizeof a->u);
    a->x = x;
    if (!x) {
        a->mine = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, a->k[0], 32);
        a->peer = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, a->u[0], 32);
        add(b, "x25519 base", "libcrypto", x_openssl_base, a, 1);
        add(b, "x25519 shared", "libcrypto", x_openssl_shared, a, 1);
        return;
    }
    add(b, "x25519 base", x->name, x_base, a, 1);
    add(b, "x25519 shared", x->name, x_shared, a, 1);
    add(b, "x25519 both", x->name, x_both, a, 1);
    add(b, "x25519 base x8", x->name, x_base_x8, a, 8);
    add(b, "x25519 shared x8", x->name, x_shared_x8, a, 8);
}

/* ---- ML-KEM (libcrypto 3.0 has none) */

struct kem_arg { const struct mlkem *m; uint8_t seed[64], msg[32], ek[MLKEM_EK_MAX], dk[MLKEM_DK_MAX], ct[MLKEM_CT_MAX], ss[32]; };

static void kem_keygen(void *v) { struct kem_arg *a = v; mlkem_keygen(a->m, a->ek, a->dk, a->seed); }
static void kem_keygen_seed(void *v) { struct kem_arg *a = v; mlkem_keygen(a->m, a->ek, NULL, a->seed); }
static void kem_encaps(void *v) { struct kem_arg *a = v; (void)!mlkem_encaps(a->m, a->ct, a->ss, a->ek, a->m->ek_n, a->msg); }
static void kem_decaps(void *v) { struct kem_arg *a = v; (void)!mlkem_decaps(a->m, a->ss, a->ct, a->m->ct_n, a->dk, a->m->dk_n); }
static void kem_decaps_seed(void *v) { struct kem_arg *a = v; (void)!mlkem_decaps_seed(a->m, a->ss, a->ct, a->m->ct_n, a->seed); }

static void kem_rows(struct bench *b, struct kem_arg *a, enum mlkem_size size, uint32_t cpu, const char *by)
{
    char name[40];
    a->m = mlkem_pick(size, cpu);
    RAND_bytes(a->seed, sizeof a->seed);
    RAND_bytes(a->msg, sizeof a->msg);
    snprintf(name, sizeof name, "%s %s", a->m->name, by);
    add(b, name, "keygen", kem_keygen, a, 1);
    add(b, name, "encaps", kem_encaps, a, 1);
    add(b, name, "decaps", kem_decaps, a, 1);
    add(b, name, "keygen, no dk", kem_keygen_seed, a, 1);
    add(b, name, "decaps by seed", kem_decaps_seed, a, 1);
    kem_keygen(a);                      /* a filter may have left the rows above out */
    kem_encaps(a);
}

/* ---- P-256; libcrypto by its quickest calls, which are deprecated */

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

struct p_arg {
    EC_KEY *key_of[P256_LANES], *key_made;
    ECDSA_SIG *sig[P256_LANES];
    uint8_t point[P256_LANES][65], r[P256_LANES][32], s[P256_LANES][32], hash[P256_LANES][32], der[80];
    struct p256_check check[P256_LANES];
    struct p256_known known;
    struct p256_signing signing[P256_LANES];
    uint8_t d[P256_LANES][32], key[P256_LANES][64];
};

static void p_sha512(void *ctx, uint8_t out[64], const uint8_t *in, size_t n) { (void)ctx; SHA512(in, n, out); }
static void p_sign_1(void *v) { struct p_arg *a = v; p256_sign(a->signing, 1, p_sha512, NULL); }
static void p_sign_8(void *v) { struct p_arg *a = v; p256_sign(a->signing, 8, p_sha512, NULL); }
static void p_public_1(void *v) { struct p_arg *a = v; (void)!p256_public(a->key, (const uint8_t(*)[32])a->d, 1); }
static void p_public_8(void *v) { struct p_arg *a = v; (void)!p256_public(a->key, (const uint8_t(*)[32])a->d, 8); }
static void p_openssl_public(void *v) { struct p_arg *a = v; EC_KEY_generate_key(a->key_made); }

static void p_verify_1(void *v) { struct p_arg *a = v; p256_verify(a->check, 1); }
static void p_verify_3(void *v) { struct p_arg *a = v; p256_verify(a->check, 3); }
static void p_verify_8(void *v) { struct p_arg *a = v; p256_verify(a->check, 8); }
static void p_verify_plain(void *v) { struct p_arg *a = v; p256_verify_plain(a->check); }
static void p_verify_known(void *v) { struct p_arg *a = v; p256_verify_known(a->check, &a->known); }
static void p_know(void *v) { struct p_arg *a = v; (void)!p256_know(&a->known, a->check[0].key); }
static void p_openssl_verify(void *v) { struct p_arg *a = v; ECDSA_do_verify(a->hash[0], 32, a->sig[0], a->key_of[0]); }

static void p_openssl_sign(void *v)
{
    struct p_arg *a = v;
    unsigned n = sizeof a->der;
    ECDSA_sign(0, a->hash[0], 32, a->der, &n, a->key_of[0]);
}

static void p_rows(struct bench *b, struct p_arg *a, uint32_t cpu)
{
    for (unsigned i = 0; i < P256_LANES; i++) {
        a->key_of[i] = EC_KEY_new_by_curve_name(NID_X9_62_prime256v1);
        EC_KEY_generate_key(a->key_of[i]);
        EC_POINT_point2oct(EC_KEY_get0_group(a->key_of[i]), EC_KEY_get0_public_key(a->key_of[i]), POINT_CONVERSION_UNCOMPRESSED,
                           a->point[i], 65, NULL);
        RAND_bytes(a->hash[i], 32);
        a->sig[i] = ECDSA_do_sign(a->hash[i], 32, a->key_of[i]);
        BN_bn2binpad(ECDSA_SIG_get0_r(a->sig[i]), a->r[i], 32);
        BN_bn2binpad(ECDSA_SIG_get0_s(a->sig[i]), a->s[i], 32);
        BN_bn2binpad(EC_KEY_get0_private_key(a->key_of[i]), a->d[i], 32);
        a->signing[i] = (struct p256_signing){ .d = a->d[i], .random = a->r[i], .hash = a->hash[i], .hash_n = 32 };
        a->check[i] = (struct p256_check){ a->point[i] + 1, a->r[i], a->s[i], a->hash[i], 32, P256_BAD };
    }
    if (cpu & CPU_IFMA) {
        add(b, "p256 verify 1", "ifma", p_verify_1, a, 1);
        add(b, "p256 verify 3", "ifma", p_verify_3, a, 3);
        add(b, "p256 verify 8", "ifma", p_verify_8, a, 8);
        add(b, "p256 know", "ifma", p_know, a, 1);
        add(b, "p256 verify known", "ifma", p_verify_known, a, 1);
        add(b, "p256 sign 1", "ifma", p_sign_1, a, 1);
        add(b, "p256 sign 8", "ifma", p_sign_8, a, 8);
        add(b, "p256 public 1", "ifma", p_public_1, a, 1);
        add(b, "p256 public 8", "ifma", p_public_8, a, 8);
    }
    add(b, "p256 verify", "portable", p_verify_plain, a, 1);
    add(b, "p256 verify", "libcrypto", p_openssl_verify, a, 1);
    add(b, "p256 sign", "libcrypto", p_openssl_sign, a, 1);
    a->key_made = EC_KEY_new_by_curve_name(NID_X9_62_prime256v1);
    add(b, "p256 public", "libcrypto", p_openssl_public, a, 1);
}

/* ---- RSA-2048 */
struct r_arg { RSA *rsa; struct rsa_private key; uint8_t in[256], out[256], back[256]; };

static void r_private(void *v) { static const uint8_t t[4] = { 1, 2, 3, 4 }; struct r_arg *a = v; (void)!rsa_private(a->out, &a->key, a->in, t); }
static void r_public(void *v) { struct r_arg *a = v; bool bad; (void)!rsa_public(a->back, a->key.modulus, 256, a->key.e, a->out, &bad); }
static void r_openssl_private(void *v) { struct r_arg *a = v; RSA_private_encrypt(256, a->in, a->out, a->rsa, RSA_NO_PADDING); }
static void r_openssl_public(void *v) { struct r_arg *a = v; RSA_public_decrypt(256, a->out, a->back, a->rsa, RSA_NO_PADDING); }

static void r_rows(struct bench *b, struct r_arg *a, uint32_t cpu)
{
    struct rsa_parts parts = { .e = 65537, .blind[255] = 1, .unblind[255] = 1 };
    const BIGNUM *n[6];
    uint8_t *to[6] = { parts.n, parts.p, parts.q, parts.dp, parts.dq, parts.q_inverse };
    EVP_PKEY *pkey = EVP_RSA_gen(2048);
    a->rsa = EVP_PKEY_get1_RSA(pkey);
    EVP_PKEY_free(pkey);
    RSA_get0_key(a->rsa, &n[0], NULL, NULL);
    RSA_get0_factors(a->rsa, &n[1], &n[2]);
    RSA_get0_crt_params(a->rsa, &n[3], &n[4], &n[5]);
    for (int i = 0; i < 6; i++)
        BN_bn2binpad(n[i], to[i], i ? 128 : 256);
    a->in[9] = 1;
    if (cpu & CPU_IFMA && rsa_private_load(&a->key, &parts)) {
        add(b, "rsa-2048 private", "ifma", r_private, a, 1);
        add(b, "rsa-2048 public", "ifma", r_public, a, 1);
    }
    add(b, "rsa-2048 private", "libcrypto", r_openssl_private, a, 1);
    add(b, "rsa-2048 public", "libcrypto", r_openssl_public, a, 1);
}

int main(int argc, char **argv)
{
    static struct bench b;
    static struct x_arg x[3];
    static struct kem_arg kem[12];
    static struct p_arg p;
    static struct r_arg r;
    unsigned rounds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 300;
    rounds = rounds < 20 ? 20 : rounds > ROUNDS_MAX ? ROUNDS_MAX : rounds;
    b.filter = argc > 1 && *argv[1] ? argv[1] : NULL;
    quiet_start(&b.quiet);
    uint32_t cpu = cpu_features();
    x_rows(&b, &x[0], &x25519_portable);
    if (x25519_pick(cpu) != &x25519_portable)
        x_rows(&b, &x[1], x25519_pick(cpu));
    x_rows(&b, &x[2], NULL);
    unsigned n = 0;
    for (enum mlkem_size size = MLKEM_512; size <= MLKEM_1024; size++) {
        kem_rows(&b, &kem[n++], size, 0, "portable");
        if (cpu & CPU_AVX2)
            kem_rows(&b, &kem[n++], size, CPU_AVX2, "avx2");
        if (cpu & CPU_AVX512)
            kem_rows(&b, &kem[n++], size, CPU_AVX2 | CPU_AVX512, "avx512");
        if (cpu & CPU_VBMI2)
            kem_rows(&b, &kem[n++], size, CPU_AVX2 | CPU_AVX512 | CPU_VBMI2, "vbmi2");
    }
    p_rows(&b, &p, cpu);
    r_rows(&b, &r, cpu);
    measure(&b, rounds);
    return 0;
}
