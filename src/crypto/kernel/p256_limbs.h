/* Numbers of P-256 in five limbs of 52 bits, the lowest first: what the eight lanes (p256_ifma.h) and the plain field (p256_field.h)
 * both compute with. Elements are in Montgomery form with 2^260. Internal to p256*.c. */
#ifndef TROTH_KERNEL_P256_LIMBS_H
#define TROTH_KERNEL_P256_LIMBS_H

#define P256_P0 0xfffffffffffff                         /* p = 2^256 - 2^224 + 2^192 + 2^96 - 1; limb 2 is 0 */
#define P256_P1 0xfffffffffff
#define P256_P3 0x1000000000
#define P256_P4 0xffffffff0000

#define P256_ONE    0x10, 0xf000000000000, 0xfffffffffffff, 0xffeffffffffff, 0xfffff      /* 2^260 mod p */
#define P256_SQUARE 0x300, 0xffffffff00000, 0xffffefffffffb, 0xfdfffffffffff, 0x4ffffff    /* 2^520 mod p: times it, into Montgomery form */
#define P256_B      0xdf6229c4bddfd, 0xca8843090d89c, 0x212ed6acf005c, 0x83415a220abf7, 0xc30061dd4874    /* the curve's b */
#define P256_N      0x69483335f5689, 0x3d3fe99319ad1, 0x2e96b789b1054, 0xfeb0c0166ce65, 0x8648c209fe30    /* n mod p */

#endif
