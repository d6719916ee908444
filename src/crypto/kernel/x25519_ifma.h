/* The eight-lane forms of x25519_ifma_x8.c, for the descriptor in x25519_ifma.c. */
#ifndef TROTH_KERNEL_X25519_IFMA_H
#define TROTH_KERNEL_X25519_IFMA_H

#include <stdint.h>

void x25519_ifma_base_x8(uint8_t out[8][32], const uint8_t scalar[8][32]);
uint8_t x25519_ifma_shared_x8(uint8_t out[8][32], const uint8_t scalar[8][32], const uint8_t point[8][32]);

#endif
