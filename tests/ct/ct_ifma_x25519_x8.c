/* The eight-lane X25519 on IFMA, emulated, under valgrind with the scalars undefined; the results against the portable form's. */
#include "ct/ifma_emulation.h"

#include "crypto/kernel/x25519_ifma_x8.c"

#include <stdio.h>

#include <valgrind/memcheck.h>

int main(void)
{
    uint8_t k[8][32], point[8][32] = { { 9 } }, got[8][32], want[8][32];
    for (int i = 0; i < 8; i++) {
        memset(k[i], 0x11 * i, 32);
        point[i][0] = 9;
    }
    x25519_portable.base_x8(want, k);
    VALGRIND_MAKE_MEM_UNDEFINED(k, sizeof k);
    uint8_t good = x25519_ifma_shared_x8(got, k, point);
    VALGRIND_MAKE_MEM_DEFINED(&good, sizeof good);
    VALGRIND_MAKE_MEM_DEFINED(got, sizeof got);
    bool same = good == 0xff && bytes_equal_ct(got, want, sizeof got);
    x25519_ifma_base_x8(got, k);
    VALGRIND_MAKE_MEM_DEFINED(got, sizeof got);
    same = same && bytes_equal_ct(got, want, sizeof got);
    printf("x25519 ifma x8, emulated: %d\n", same);
    return !same;
}
