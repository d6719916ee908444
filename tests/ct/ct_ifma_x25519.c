/* X25519 on IFMA, emulated, under valgrind with the scalar undefined; the results against the portable form's. */
#include "ct/ifma_emulation.h"

#include "crypto/kernel/x25519_ifma.c"

#include <stdio.h>

#include <valgrind/memcheck.h>

int main(void)
{
    uint8_t k[32], point[32] = { 9 }, got[32], want[32];
    memset(k, 0x5a, sizeof k);
    bool same = x25519_shared(&x25519_portable, want, k, point);
    VALGRIND_MAKE_MEM_UNDEFINED(k, sizeof k);
    bool good = x25519_shared(&x25519_ifma, got, k, point);
    VALGRIND_MAKE_MEM_DEFINED(&good, sizeof good);
    VALGRIND_MAKE_MEM_DEFINED(got, sizeof got);
    same = same && good && bytes_equal_ct(got, want, 32);
    x25519_base(&x25519_ifma, got, k);
    VALGRIND_MAKE_MEM_DEFINED(got, sizeof got);
    same = same && bytes_equal_ct(got, want, 32);
    printf("x25519 ifma, emulated: %d\n", same);
    return !same;
}
