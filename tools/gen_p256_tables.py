#!/usr/bin/env python3
"""Writes the multiples of P-256's base point (SP 800-186 3.2.1.3) that p256_tables.h tells of.
usage: gen_p256_tables.py verify|base"""
import sys

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
G = (0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296,
     0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5)
R = 2**260


def add(p, q):
    (x1, y1), (x2, y2) = p, q
    if p == q:
        m = (3 * x1 * x1 - 3) * pow(2 * y1, -1, P)
    else:
        m = (y2 - y1) * pow(x2 - x1, -1, P)
    x = (m * m - x1 - x2) % P
    return (x, (m * (x1 - x) - y1) % P)


def limbs(v):
    v = v * R % P
    return [v >> (52 * i) & (2**52 - 1) for i in range(5)]


def multiples(point, n):
    out, q = [], point
    for _ in range(n):
        out.append(q)
        q = add(q, point)
    return out


def entry(point):
    return limbs(point[0]) + limbs(point[1])


def main():
    assert (G[1]**2 - G[0]**3 + 3 * G[0]) % P == 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b
    words, kind = [], sys.argv[1]
    if kind == "verify":
        point = G
        for _ in range(2):
            for q in multiples(point, 128):
                words += entry(q)
            for _ in range(128):
                point = add(point, point)
        size = "2 * 128 * 10"
    else:
        point = G
        for _ in range(32):
            rows = [entry(q) for q in multiples(point, 8)]
            words += [rows[e][w] for w in range(10) for e in range(8)]
            for _ in range(8):
                point = add(point, point)
        size = "32 * 10 * 8"
    print("/* Made by tools/gen_p256_tables.py %s: do not edit. The layout is told in p256_tables.h. */" % kind)
    print('#include "crypto/kernel/p256_tables.h"\n')
    print("/* clang-format off */")
    print("const uint64_t p256_table_%s[%s] __attribute__((aligned(64))) = {" % (kind, size))
    for i in range(0, len(words), 6):
        print("    " + " ".join("0x%013x," % w for w in words[i:i + 6]))
    print("};")
    return 0


sys.exit(main())
