/* ecdsa.h - an ECDSA signature as two numbers (RFC 3279 2.2.3), strictly read.  For P-256 code that takes no DER. */
#ifndef CRYPTO_ECDSA_H
#define CRYPTO_ECDSA_H

#include "base/span.h"

/* SEQUENCE { INTEGER r, INTEGER s } in the one DER encoding it has, each number at most 32 bytes and not negative; whether they are in
 * range is for the arithmetic to say. */
bool MUST_USE ecdsa_read_256(span der, uint8_t r[32], uint8_t s[32]);
/* The other way; returns the length, at most 72. */
size_t ecdsa_write_256(uint8_t der[72], const uint8_t r[32], const uint8_t s[32]);

#endif
