/* Keccak-f[1600] over 25 named lanes, for any lane type: uint64_t, or a vector of them. The user defines LANE, XOR, XOR3 (of
 * three), XOR5, ROL(x, n) and CHI(a, b, c) = a ^ (~b & c), and ROUND_KEY(i). Internal to keccak*.c. */

#define KECCAK_LANES(name) \
    LANE name##00, name##01, name##02, name##03, name##04, name##05, name##06, name##07, name##08, name##09, \
         name##10, name##11, name##12, name##13, name##14, name##15, name##16, name##17, name##18, name##19, \
         name##20, name##21, name##22, name##23, name##24

/* one row of the result: five lanes of `a`, theta added, rotated (FIPS 202 3.2.1 - 3.2.4) */
#define KECCAK_ROW(e0, e1, e2, e3, e4, a0, d0, r0, a1, d1, r1, a2, d2, r2, a3, d3, r3, a4, d4, r4) \
    b0 = ROL(XOR(a0, d0), r0), b1 = ROL(XOR(a1, d1), r1), b2 = ROL(XOR(a2, d2), r2); \
    b3 = ROL(XOR(a3, d3), r3), b4 = ROL(XOR(a4, d4), r4); \
    e0 = CHI(b0, b1, b2), e1 = CHI(b1, b2, b3), e2 = CHI(b2, b3, b4), e3 = CHI(b3, b4, b0), e4 = CHI(b4, b0, b1);

#define KECCAK_ROUND(a, e, i) \
    c0 = XOR5(a##00, a##05, a##10, a##15, a##20), c1 = XOR5(a##01, a##06, a##11, a##16, a##21); \
    c2 = XOR5(a##02, a##07, a##12, a##17, a##22), c3 = XOR5(a##03, a##08, a##13, a##18, a##23); \
    c4 = XOR5(a##04, a##09, a##14, a##19, a##24); \
    d0 = XOR(c4, ROL(c1, 1)), d1 = XOR(c0, ROL(c2, 1)), d2 = XOR(c1, ROL(c3, 1)); \
    d3 = XOR(c2, ROL(c4, 1)), d4 = XOR(c3, ROL(c0, 1)); \
    KECCAK_ROW(e##00, e##01, e##02, e##03, e##04, a##00, d0, 0, a##06, d1, 44, a##12, d2, 43, a##18, d3, 21, a##24, d4, 14) \
    e##00 = XOR(e##00, ROUND_KEY(i)); \
    KECCAK_ROW(e##05, e##06, e##07, e##08, e##09, a##03, d3, 28, a##09, d4, 20, a##10, d0, 3, a##16, d1, 45, a##22, d2, 61) \
    KECCAK_ROW(e##10, e##11, e##12, e##13, e##14, a##01, d1, 1, a##07, d2, 6, a##13, d3, 25, a##19, d4, 8, a##20, d0, 18) \
    KECCAK_ROW(e##15, e##16, e##17, e##18, e##19, a##04, d4, 27, a##05, d0, 36, a##11, d1, 10, a##17, d2, 15, a##23, d3, 56) \
    KECCAK_ROW(e##20, e##21, e##22, e##23, e##24, a##02, d2, 62, a##08, d3, 55, a##14, d4, 39, a##15, d0, 41, a##21, d1, 2)

#define KECCAK_EACH(do) \
    do(00, 0) do(01, 1) do(02, 2) do(03, 3) do(04, 4) do(05, 5) do(06, 6) do(07, 7) do(08, 8) do(09, 9) \
    do(10, 10) do(11, 11) do(12, 12) do(13, 13) do(14, 14) do(15, 15) do(16, 16) do(17, 17) do(18, 18) do(19, 19) \
    do(20, 20) do(21, 21) do(22, 22) do(23, 23) do(24, 24)

/* the body of a permutation; `in` and `out` are what loads and stores lane n as KECCAK_EACH calls them */
#define KECCAK_PERMUTE(in, out) \
    KECCAK_LANES(x); \
    KECCAK_LANES(y); \
    LANE b0, b1, b2, b3, b4, c0, c1, c2, c3, c4, d0, d1, d2, d3, d4; \
    KECCAK_EACH(in) \
    for (int i = 0; i < 24; i += 2) { \
        KECCAK_ROUND(x, y, i) \
        KECCAK_ROUND(y, x, i + 1) \
    } \
    KECCAK_EACH(out)
