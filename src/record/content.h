/* content.h - what a record holds: the content types, and one record as it lies in the input buffer. */
#ifndef RECORD_CONTENT_H
#define RECORD_CONTENT_H

#include "base/span.h"

/* ContentType (RFC 9846 5.1). */
enum content {
    CONTENT_NONE = 0,
    CONTENT_CHANGE_CIPHER_SPEC = 20,
    CONTENT_ALERT = 21,
    CONTENT_HANDSHAKE = 22,
    CONTENT_APPLICATION_DATA = 23
};

/* How records look on the wire now: in the clear, or protected as TLS 1.3 or TLS 1.2 does it.  FORM_OTHER: by a key that is not known, of
 * any version; for those who only look on. */
enum form { FORM_PLAIN, FORM_13, FORM_12, FORM_OTHER };

/* One record.  `body` is writable: it is opened where it lies, and after that `type`, `body` and `n` are what was inside. */
struct record {
    uint8_t  type;   /* enum content: as on the wire, or inside once opened */
    uint8_t  outer;  /* as on the wire                                      */
    uint8_t *header; /* its five bytes, as they came                        */
    uint8_t *body;
    size_t   n;
};

static inline span record_span(const struct record *r)
{
    return (span){ r->body, r->n };
}

#endif
