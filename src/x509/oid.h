/* oid.h - object identifiers: as bytes, as dotted numbers, and the names of those that have one (oids.def). */
#ifndef X509_OID_H
#define X509_OID_H

#include "base/text.h"
#include "base/wr.h"

enum oid {
    OID_NONE, /* no name known */
#define O(name, der, shortname, words) OID_##name,
#include "x509/oids.def"
#undef O
    OID_COUNT
};

struct oid_row {
    const char *der, *name, *words;
    size_t      n;
};
extern const struct oid_row oid_rows[OID_COUNT];

/* Which one these content octets are; OID_NONE when it has no row. */
enum oid oid_find(span content);
span oid_der(enum oid);             /* the content octets                                      */
const char *oid_name(enum oid);     /* "serverAuth"; "" for OID_NONE                           */
const char *oid_words(enum oid);    /* "TLS servers"                                           */
static inline bool oid_is(span content, enum oid id)
{
    return id != OID_NONE && content.n && content.n == oid_rows[id].n && !memcmp(content.p, oid_rows[id].der, content.n);
}

/* Well-formed content octets (X.690 8.19): no padding, last arc complete. */
bool MUST_USE oid_valid(span content);
/* "1.3.6.1.5.5.7.3.1"; "(malformed)" where it is not one.  Arcs beyond 64 bits are shown in hexadecimal. */
void oid_dotted(struct text *t, span content);
/* Its short name where it has one, else dotted. */
void oid_show(struct text *t, span content);
/* Content octets of "1.2.840.113549.1.1.1" or of a short name ("serverAuth", "CN").  `w` turns bad when it is neither. */
void oid_write(struct wr *w, const char *name_or_dotted);

#endif
