#!/usr/bin/env python3
"""Writes src/crypto/kernel/x25519_table.c: multiples of the base point of edwards25519 (RFC 7748 4.1)."""
import sys

P = 2**255 - 19
D = -121665 * pow(121666, P - 2, P) % P


def add(p, q):
    (x1, y1), (x2, y2) = p, q
    k = D * x1 * x2 * y1 * y2 % P
    return ((x1 * y2 + x2 * y1) * pow(1 + k, P - 2, P) % P, (y1 * y2 + x1 * x2) * pow(1 - k, P - 2, P) % P)


def base():
    y = 4 * pow(5, P - 2, P) % P
    xx = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(xx, (P + 3) // 8, P)
    if (x * x - xx) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    assert (x * x - xx) % P == 0
    return (P - x if x & 1 else x, y)


def words():
    out = []
    point = base()
    for _ in range(32):
        entries, q = [], point
        for _ in range(8):
            x, y = q
            row = []
            for v in ((y + x) % P, (y - x) % P, 2 * D * x * y % P):
                row += [v >> (64 * i) & (2**64 - 1) for i in range(4)]
            entries.append(row)
            q = add(q, point)
        out += [entries[e][w] for w in range(12) for e in range(8)]
        for _ in range(8):
            point = add(point, point)
    return out


def main():
    w = words()
    print("/* Made by tools/gen_x25519_table.py: do not edit. The layout is told in x25519_parts.h. */")
    print('#include "crypto/kernel/x25519_parts.h"\n')
    print("/* clang-format off */")
    print("const uint64_t x25519_table[32 * X25519_POSITION] __attribute__((aligned(64))) = {")
    for i in range(0, len(w), 5):
        print("    " + " ".join("0x%016x," % v for v in w[i:i + 5]))
    print("};")
    return 0


sys.exit(main())
