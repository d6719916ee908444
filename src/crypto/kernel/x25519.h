/* X25519 (RFC 7748 5). Scalars are clamped here, as the RFC says. All forms run in constant time and wipe what they
 * leave behind. A descriptor is chosen once, by the processor's features; the tests run every one of them.
 * Must never be trusted with an all-zero result: x25519_shared says so (RFC 9846 7.4.2). */
#ifndef TROTH_KERNEL_X25519_H
#define TROTH_KERNEL_X25519_H

#include <stdbool.h>
#include <stdint.h>

struct x25519_ratio;                    /* a result that waits for its division, which several can share (x25519_parts.h) */

struct x25519 {
    const char *name;
    void (*base)(struct x25519_ratio *r, const uint8_t scalar[32]);
    void (*shared)(struct x25519_ratio *r, const uint8_t scalar[32], const uint8_t point[32]);
    /* eight at once; of shared_x8 bit i is set when result i is not all zero */
    void (*base_x8)(uint8_t out[8][32], const uint8_t scalar[8][32]);
    uint8_t (*shared_x8)(uint8_t out[8][32], const uint8_t scalar[8][32], const uint8_t point[8][32]);
};

extern const struct x25519 x25519_portable;
#if defined(__x86_64__)
extern const struct x25519 x25519_ifma;
#endif

/* the best for a cpu_features() mask */
const struct x25519 *x25519_pick(uint32_t cpu);

void x25519_base(const struct x25519 *x, uint8_t out[32], const uint8_t scalar[32]);
/* false when the result is all zero */
bool x25519_shared(const struct x25519 *x, uint8_t out[32], const uint8_t scalar[32], const uint8_t point[32]);
/* Both by one scalar, for less than one after the other. False when `secret` is all zero; `share` is of no use then either. */
bool x25519_both(const struct x25519 *x, uint8_t share[32], uint8_t secret[32], const uint8_t scalar[32], const uint8_t point[32]);

#endif
