/* P-256 signing and key generation on IFMA, emulated, under valgrind with private keys, randomness and nonces undefined. The
 * public keys are compared with multiples that SP 800-186 and arithmetic give: G, and (n - 1) G = -G. */
#include "ct/ifma_emulation.h"

#include "crypto/kernel/p256_ifma_base.c"

#include <stdio.h>

#include <valgrind/memcheck.h>

#include "crypto/kernel/p256.h"

/* no hash, but all of the output depends on all secrets */
static void mix(void *ctx, uint8_t out[64], const uint8_t *in, size_t n)
{
    (void)ctx;
    for (size_t i = 0; i < 64; i++)
        out[i] = (uint8_t)(in[i % n] * 5 + in[(i + 32) % n] + 7 * i);
}

static bool sign(unsigned n)
{
    uint8_t d[8][32], random[8][32], hash[32] = { 1, 2, 3 };
    struct p256_signing job[8];
    memset(d, 0x37, sizeof d);
    memset(random, 0x9b, sizeof random);
    VALGRIND_MAKE_MEM_UNDEFINED(d, sizeof d);
    VALGRIND_MAKE_MEM_UNDEFINED(random, sizeof random);
    for (unsigned i = 0; i < n; i++)
        job[i] = (struct p256_signing){ .d = d[i], .random = random[i], .hash = hash, .hash_n = 32 };
    p256_sign(job, n, mix, NULL);
    bool good = true;
    for (unsigned i = 0; i < n; i++) {
        VALGRIND_MAKE_MEM_DEFINED(&job[i].done, sizeof job[i].done);
        good &= job[i].done;
    }
    return good;
}

int main(void)
{
    static const uint8_t g[32] = { 0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40, 0xf2,
                                   0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96 };
    uint8_t d[8][32] = { { 0 } }, key[8][64];
    for (unsigned i = 0; i < 8; i += 2)
        d[i][31] = 1;
    for (unsigned i = 1; i < 8; i += 2) {
        struct scalar minus = order;
        minus.w[0]--;
        scalar_store(d[i], &minus);
    }
    VALGRIND_MAKE_MEM_UNDEFINED(d, sizeof d);
    bool good = p256_public(key, (const uint8_t(*)[32])d, 8);
    VALGRIND_MAKE_MEM_DEFINED(key, sizeof key);
    VALGRIND_MAKE_MEM_DEFINED(&good, sizeof good);
    for (unsigned i = 0; i < 8; i++)
        good = good && bytes_equal_ct(key[i], g, 32);
    good = good && !bytes_equal_ct(key[0] + 32, key[1] + 32, 32) && sign(1) && sign(8);
    printf("p256 ifma, emulated: %d\n", good);
    return !good;
}
