/* Masks for constant-time code. A mask is all ones or all zeros; it passes through a barrier so that the compiler
 * cannot see that it has two values only and turn the selection back into a branch. Must never be used on pointers. */
#ifndef TROTH_KERNEL_CT_H
#define TROTH_KERNEL_CT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/secret.h"

/* For functions that are nothing but vector arithmetic, written out: with a check at every subscript, all of them constant,
 * clang's sanitizer builds would take minutes. gcc's are quick, and check. */
#if defined(__clang__)
#define VECTOR_ONLY __attribute__((no_sanitize("address", "undefined")))
#else
#define VECTOR_ONLY
#endif

#define ALWAYS_INLINE static inline __attribute__((always_inline))

ALWAYS_INLINE uint64_t ct_hide(uint64_t x)
{
    __asm__("" : "+r"(x));
    return x;
}

/* bit 0 or 1 -> mask */
ALWAYS_INLINE uint64_t ct_mask(uint64_t bit)
{
    return ct_hide(0 - bit);
}

/* mask of x == 0: the top bit of ~x & (x - 1) is set for 0 alone */
ALWAYS_INLINE uint64_t ct_is_zero(uint64_t x)
{
    return ct_mask((~x & (x - 1)) >> 63);
}

ALWAYS_INLINE uint64_t ct_eq(uint64_t a, uint64_t b)
{
    return ct_is_zero(a ^ b);
}

/* m ? a : b */
ALWAYS_INLINE uint64_t ct_select(uint64_t m, uint64_t a, uint64_t b)
{
    return b ^ (m & (a ^ b));
}

#endif
