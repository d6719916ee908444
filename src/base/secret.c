/* secret.c - wiping and comparing.  Must never branch on the bytes. */
#include "base/secret.h"

void secret_wipe(void *p, size_t n)
{
    if (!n)
        return;
    memset(p, 0, n);
    __asm__ volatile("" : : "r"(p) : "memory"); /* someone might look: the stores stay */
}

bool bytes_equal_ct(const void *a, const void *b, size_t n)
{
    const uint8_t *x = a, *y = b;
    uint64_t diff = 0;
    for (; n >= sizeof diff; n -= sizeof diff, x += sizeof diff, y += sizeof diff) {
        uint64_t u, v;
        memcpy(&u, x, sizeof u);
        memcpy(&v, y, sizeof v);
        diff |= u ^ v;
    }
    for (size_t i = 0; i < n; i++)
        diff |= (uint64_t)(x[i] ^ y[i]);
    __asm__ volatile("" : "+r"(diff)); /* or the loop may become an early exit */
    ct_public(&diff, sizeof diff);     /* that they differ, not where: whoever sent one of them learns it */
    return !diff;
}
