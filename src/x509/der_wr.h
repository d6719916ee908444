/* der_wr.h - writing DER, on top of the sticky writer.
 *
 * Lengths are filled in when an element is closed; what is written is DER as long as the values given are (sets in order, no default
 * values): tests may write what is not. */
#ifndef X509_DER_WR_H
#define X509_DER_WR_H

#include "base/wr.h"
#include "x509/oid.h"

/* clang-format off */
enum der_wr_tag {
    W_BOOLEAN = 0x01, W_INTEGER = 0x02, W_BITS = 0x03, W_OCTETS = 0x04, W_NULL = 0x05, W_OID = 0x06, W_ENUMERATED = 0x0a,
    W_UTF8 = 0x0c, W_PRINTABLE = 0x13, W_T61 = 0x14, W_IA5 = 0x16, W_UTC_TIME = 0x17, W_GENERALIZED_TIME = 0x18,
    W_VISIBLE = 0x1a, W_UNIVERSAL = 0x1c, W_BMP = 0x1e, W_SEQUENCE = 0x30, W_SET = 0x31
};
/* clang-format on */
#define W_CONTEXT(n)      ((uint8_t)(0x80 | (n))) /* [n] IMPLICIT of something primitive     */
#define W_CONSTRUCTED(n)  ((uint8_t)(0xa0 | (n))) /* [n] EXPLICIT, or of something constructed */

/* Open an element, write its content, close it with the mark that open gave.  They nest. */
size_t dw_open(struct wr *w, uint8_t tag);
void dw_close(struct wr *w, size_t mark);
/* A BIT STRING without unused bits whose content is DER or a signature: closed with dw_close. */
size_t dw_open_bits(struct wr *w);

void dw_tlv(struct wr *w, uint8_t tag, span content);
void dw_text(struct wr *w, uint8_t tag, const char *content);
void dw_null(struct wr *w);
void dw_bool(struct wr *w, bool v);
void dw_int(struct wr *w, uint8_t tag, int64_t v);
/* A positive number from its big-endian bytes: leading zeros dropped, or one added. */
void dw_unsigned(struct wr *w, uint8_t tag, span bytes);
void dw_oid(struct wr *w, enum oid id);
void dw_oid_text(struct wr *w, const char *name_or_dotted);
void dw_bits(struct wr *w, uint8_t tag, span bytes);
/* Bit 0 of `bits` is bit 0 of the NAMED BIT LIST, the first one sent; trailing zeros are left out as DER wants. */
void dw_named_bits(struct wr *w, uint8_t tag, uint32_t bits);
/* UTCTime until 2049, GeneralizedTime from 2050 and before 1950 (RFC 5280 4.1.2.5). */
void dw_time(struct wr *w, int64_t unix_seconds);
void dw_generalized_time(struct wr *w, uint8_t tag, int64_t unix_seconds);

#endif
