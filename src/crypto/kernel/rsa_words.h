/* rsa_words.h - big-endian bytes as 64-bit words, the lowest first, and back: for both of RSA's kernels.  Must never branch on what the words
 * are: they may be secret. */
#ifndef TROTH_KERNEL_RSA_WORDS_H
#define TROTH_KERNEL_RSA_WORDS_H

#include <stdint.h>
#include <string.h>

static inline void words_load(uint64_t *w, const uint8_t *p, unsigned words)
{
    for (unsigned i = 0; i < words; i++) {
        uint64_t v;
        memcpy(&v, p + 8 * (words - 1 - i), 8);
        w[i] = __builtin_bswap64(v);
    }
}

static inline void words_store(uint8_t *p, const uint64_t *w, unsigned words)
{
    for (unsigned i = 0; i < words; i++) {
        uint64_t v = __builtin_bswap64(w[words - 1 - i]);
        memcpy(p + 8 * i, &v, 8);
    }
}

#endif
