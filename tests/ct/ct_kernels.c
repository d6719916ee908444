/* The kernels under valgrind with every secret undefined: a branch, an address or a length that depends on one is an error.
 * Valgrind knows no AVX-512 and says so through cpuid, so what runs here is the portable and the AVX2 forms. */
#include <stdio.h>
#include <string.h>

#include <valgrind/memcheck.h>

#include "crypto/kernel/cpu.h"
#include "crypto/kernel/mlkem.h"
#include "crypto/kernel/p256_scalar.h"
#include "crypto/kernel/x25519.h"

static void secret(void *p, size_t n)
{
    memset(p, 0x5a, n);
    VALGRIND_MAKE_MEM_UNDEFINED(p, n);
}

static void known(void *p, size_t n)
{
    VALGRIND_MAKE_MEM_DEFINED(p, n);
}

static void x25519(const struct x25519 *x)
{
    uint8_t k[8][32], point[8][32], out[8][32];
    memset(point, 9, sizeof point);
    secret(k, sizeof k);
    x25519_base(x, out[0], k[0]);
    bool good = x25519_shared(x, out[0], k[0], point[0]);
    known(&good, sizeof good);
    good = x25519_both(x, out[0], out[1], k[0], point[0]);
    known(&good, sizeof good);
    x->base_x8(out, k);
    uint8_t all = x->shared_x8(out, k, point);
    known(&all, sizeof all);
    printf("x25519 %s: %d %02x\n", x->name, good, all);
}

static void mlkem(const struct mlkem *m, const char *by)
{
    static uint8_t ek[MLKEM_EK_MAX], dk[MLKEM_DK_MAX], ct[MLKEM_CT_MAX];
    uint8_t seed[64], msg[32], ss[32];
    secret(seed, sizeof seed);
    mlkem_keygen(m, ek, dk, seed);
    known(ek, sizeof ek);                                   /* sent */
    known(dk + 384 * m->k, m->ek_n);                        /* the same bytes */
    secret(msg, sizeof msg);
    bool good = mlkem_encaps(m, ct, ss, ek, m->ek_n, msg);
    known(ct, sizeof ct);                                   /* sent */
    good &= mlkem_decaps(m, ss, ct, m->ct_n, dk, m->dk_n);
    good &= mlkem_decaps_seed(m, ss, ct, m->ct_n, seed);
    ct[5] ^= 1;
    good &= mlkem_decaps(m, ss, ct, m->ct_n, dk, m->dk_n);
    printf("%s %s: %d\n", m->name, by, good);
}

/* what P-256 signing does with a nonce and a key outside the vector registers */
static void scalars(void)
{
    uint8_t b[2][32];
    struct scalar a[3], r;
    secret(b, sizeof b);
    scalar_load(&a[0], b[0]);
    scalar_load(&a[1], b[1]);
    uint64_t fine = scalar_in_range(&a[0]);
    scalar_reduce(&a[0]);
    scalar_reduce(&a[1]);
    scalar_add(&a[2], &a[0], &a[1]);
    scalar_mul(&r, &a[0], &a[1]);
    scalar_invert(&r, &r);
    scalar_invert_all(a, 3);
    scalar_store(b[0], &r);
    known(&fine, sizeof fine);
    printf("scalars: %d\n", (int)fine);
}

int main(void)
{
    uint32_t cpu = cpu_features();
    x25519(&x25519_portable);
    if (x25519_pick(cpu) != &x25519_portable)
        x25519(x25519_pick(cpu));
    for (enum mlkem_size size = MLKEM_512; size <= MLKEM_1024; size++) {
        mlkem(mlkem_pick(size, 0), "portable");
        if (cpu & CPU_AVX2)
            mlkem(mlkem_pick(size, CPU_AVX2), "avx2");
    }
    scalars();
    return 0;
}
