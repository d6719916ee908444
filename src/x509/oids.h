/* oids.h - object identifiers as DER content, for comparing.  Constants only. */
#ifndef X509_OIDS_H
#define X509_OIDS_H

#include "base/span.h"

struct oid_bytes {
    uint8_t n, b[15];
};

#define OID(...) { sizeof((uint8_t[]){ __VA_ARGS__ }), { __VA_ARGS__ } }

static inline bool oid_same(span s, const struct oid_bytes *o)
{
    return s.n == o->n && memcmp(s.p, o->b, o->n) == 0;
}

#define OID_2_5_29(x)  OID(0x55, 0x1d, x)              /* certificate extensions */
#define OID_2_5_4(x)   OID(0x55, 0x04, x)              /* attributes             */
#define OID_PKIX(...)  OID(0x2b, 6, 1, 5, 5, 7, __VA_ARGS__)
#define OID_PKCS1(x)   OID(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, x)
#define OID_PKCS9(x)   OID(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, x)
#define OID_NIST_HASH(x) OID(0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, x)
#define OID_NIST_SIG(x)  OID(0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, x)
#define OID_ANSI_X962(...) OID(0x2a, 0x86, 0x48, 0xce, 0x3d, __VA_ARGS__)

#endif
