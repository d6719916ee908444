/* der.h - strict DER (X.690 10, 11) on the named reader: the same names, the same witness, the same sticky failures.
 *
 * Every element read here is DER or the reader fails: lengths in as few bytes as possible, integers without padding, BOOLEAN ff or 00
 * and never a DEFAULT written out, times in the two forms that RFC 5280 allows, strings of their alphabet.  Tags above 30 do not occur
 * in what troth reads and are refused.  Readers here never allocate and never recurse: depth is the caller's grammar.
 *
 * Sightings: `prefix` is the length of tag and length together; integers and booleans are SHAPE_UINT, constructed elements
 * SHAPE_GROUP, everything else SHAPE_BYTES.  `n` includes the prefix, so that leaves tile the certificate. */
#ifndef X509_DER_H
#define X509_DER_H

#include "base/rd.h"

enum der_tag {
    DER_BOOLEAN = 0x01, DER_INTEGER = 0x02, DER_BIT_STRING = 0x03, DER_OCTET_STRING = 0x04, DER_NULL = 0x05, DER_OID = 0x06,
    DER_ENUMERATED = 0x0a, DER_UTF8 = 0x0c, DER_NUMERIC = 0x12, DER_PRINTABLE = 0x13, DER_TELETEX = 0x14, DER_IA5 = 0x16,
    DER_UTC_TIME = 0x17, DER_GENERALIZED_TIME = 0x18, DER_VISIBLE = 0x1a, DER_UNIVERSAL = 0x1c, DER_BMP = 0x1e,
    DER_SEQUENCE = 0x30, DER_SET = 0x31
};

/* [n] primitive (IMPLICIT of a primitive type) and [n] constructed (EXPLICIT, or IMPLICIT of a constructed type). */
#define DER_CONTEXT(n)      ((uint8_t)(0x80 | (n)))
#define DER_CONTEXT_CONS(n) ((uint8_t)(0xa0 | (n)))

struct der_tlv {
    uint8_t tag;
    span    value; /* the content                */
    span    raw;   /* tag and length in front    */
};

struct der_bits {
    span    bytes;
    uint8_t unused; /* of the last byte: 0..7, those bits are zero */
};

/* Is there an element left, and has it this tag?  Safe to branch on: false after a failure. */
static inline bool der_next_is(const struct rd *r, uint8_t tag)
{
    return r->at != r->end && *r->at == tag;
}

/* Any element, whatever its tag. */
struct der_tlv der_any(struct rd *r, const char *name);
/* The element with this tag: its content, or with tag and length in front.  Told as bytes. */
span der_value(struct rd *r, const char *name, uint8_t tag);
span der_whole(struct rd *r, const char *name, uint8_t tag);
/* Likewise, untold: its parts will be. */
span der_skip(struct rd *r, const char *name, uint8_t tag);
/* A constructed element: a reader over its content.  Close with der_end once everything in it was read. */
struct rd der_open(struct rd *r, const char *name, uint8_t tag);
/* Likewise, and says where the whole element is. */
struct rd der_open_raw(struct rd *r, const char *name, uint8_t tag, span *raw);
/* Nothing may be left in a reader of der_open (rd_end with DER's own reason). */
void der_end(struct rd *r, const char *name);
/* What an OCTET STRING or a BIT STRING (of whole bytes) wraps, where that is DER again. */
struct rd der_open_octets(struct rd *r, const char *name);
struct rd der_open_bits(struct rd *r, const char *name);

bool der_boolean(struct rd *r, const char *name);
/* BOOLEAN DEFAULT FALSE: absent is false; written-out false is refused (X.690 11.5). */
bool der_boolean_default_false(struct rd *r, const char *name, uint8_t tag);
/* The content of an INTEGER: minimal two's complement, at least one byte. */
span der_integer(struct rd *r, const char *name, uint8_t tag);
/* An INTEGER from 0 to `max`; larger or negative: DER_RANGE. */
uint64_t der_small(struct rd *r, const char *name, uint8_t tag, uint64_t max);
/* INTEGER (0..MAX) that counts something of which there are never many: larger ones than fit are UINT32_MAX. */
uint32_t der_count(struct rd *r, const char *name, uint8_t tag);
/* A positive INTEGER as unsigned big-endian bytes without leading zeros (RSA numbers). */
span der_unsigned(struct rd *r, const char *name);
span der_oid(struct rd *r, const char *name);
span der_octets(struct rd *r, const char *name);
void der_null(struct rd *r, const char *name);
struct der_bits der_bit_string(struct rd *r, const char *name, uint8_t tag);
/* A BIT STRING of named bits: bit 0 of the answer is bit 0 of the standard.  At most 16.  Trailing zero bits, which X.690 11.2.2 wants
 * removed, are let pass: two roots in every trust store have them, and they mean nothing. */
uint32_t der_named_bits(struct rd *r, const char *name, uint8_t tag);
/* UTCTime or GeneralizedTime as RFC 5280 4.1.2.5 wants it (seconds, Z, no fraction; UTCTime through 2049 when `rfc5280_choice`). */
int64_t der_time(struct rd *r, const char *name, bool rfc5280_choice);
int64_t der_generalized_time(struct rd *r, const char *name, uint8_t tag);

/* The content of a string type: is it of its alphabet?  True for types that have none. */
bool der_string_ok(uint8_t tag, span content);
/* The content of an OBJECT IDENTIFIER: whole, minimal arcs. */
bool der_oid_ok(span content);

/* Every element of `s`, nested at most `depth` deep, is DER in tag and length (contents of primitives are not looked at). */
bool MUST_USE der_tree_ok(span s, unsigned depth);

#endif
