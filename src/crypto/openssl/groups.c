/* groups.c - which key exchanges the provider has, and in which order: the fast and post-quantum ones first. */
#include "crypto/kernel/cpu.h"
#include "crypto/openssl/lib.h"

enum { P256, P384, P521 };

/* Where each is in lib.kem: the order of preference. */
enum {
    AT_X25519MLKEM768,
    AT_X25519,
    AT_P256,
    AT_P384,
    AT_P256MLKEM768,
    AT_P384MLKEM1024,
    AT_P521,
    AT_MLKEM768,
    AT_MLKEM1024,
    AT_MLKEM512,
    AT_COUNT
};
_Static_assert((int)AT_COUNT == (int)LIB_KEMS, "a place for each key exchange");

static void hybrid(struct lib *l, size_t at, const struct mlkem *m, size_t classic_at, uint16_t group, const char *name)
{
    kem_hybrid(&l->kem[at], &l->own[at], &l->pub, m, &l->kem[classic_at], classic_at != AT_X25519, group, name);
}

static void open_own(struct lib *l, uint32_t cpu)
{
    const struct mlkem *m512 = mlkem_pick(MLKEM_512, cpu), *m768 = mlkem_pick(MLKEM_768, cpu), *m1024 = mlkem_pick(MLKEM_1024, cpu);
    kem_x25519(&l->kem[AT_X25519], &l->own[AT_X25519], &l->pub, x25519_pick(cpu));
    hybrid(l, AT_X25519MLKEM768, m768, AT_X25519, 4588, "X25519MLKEM768");
    hybrid(l, AT_P256MLKEM768, m768, AT_P256, 4587, "SecP256r1MLKEM768");
    hybrid(l, AT_P384MLKEM1024, m1024, AT_P384, 4589, "SecP384r1MLKEM1024");
    kem_mlkem(&l->kem[AT_MLKEM512], &l->own[AT_MLKEM512], &l->pub, m512, 512, "MLKEM512");
    kem_mlkem(&l->kem[AT_MLKEM768], &l->own[AT_MLKEM768], &l->pub, m768, 513, "MLKEM768");
    kem_mlkem(&l->kem[AT_MLKEM1024], &l->own[AT_MLKEM1024], &l->pub, m1024, 514, "MLKEM1024");
}

void lib_open_kems(struct lib *l, const troth_libcrypto_options *o)
{
    lib_curve_kem(&l->kem[AT_P256], l, P256);
    lib_curve_kem(&l->kem[AT_P384], l, P384);
    lib_curve_kem(&l->kem[AT_P521], l, P521);
    if (o->libcrypto_only)
        lib_x25519_kem(&l->kem[AT_X25519]);
    else
        open_own(l, o->portable_only ? 0 : cpu_features());
    size_t n = 0;
    for (size_t i = 0; i < AT_COUNT; i++)
        if (l->kem[i].make)
            l->kems[n++] = &l->kem[i];
    l->pub.kems = l->kems;
}
