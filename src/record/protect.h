/* protect.h - the protection of records in one direction: keys, sequence number, limits; sealing and opening.
 *
 * A direction that rests is raw key, IV and sequence number.  The expanded AEAD state is made when the first record needs it and may be
 * dropped at any time (protect_rest): the next record makes it again.
 *
 * TLS 1.3 (RFC 9846 5.2, 5.3): nonce = IV xor sequence number; the content type and padding travel inside.  TLS 1.2 (RFC 5246 6.2.3.3):
 * AES-GCM nonce = 4 bytes of IV and 8 explicit bytes in the record (RFC 5288 3), for which the sequence number is used; ChaCha20-Poly1305
 * as in TLS 1.3 (RFC 7905 2).  Must never use a nonce twice, and never hand out a byte of a record whose tag is wrong. */
#ifndef RECORD_PROTECT_H
#define RECORD_PROTECT_H

#include <troth/provider.h>

#include "base/error.h"
#include "base/limits.h"
#include "record/content.h"

enum {
    IV_MAX = 12,
    SEAL_EXTRA_MAX = 5 + 8 + 1 + 16 /* header, explicit nonce, content type, tag: what sealing adds at most, padding aside */
};

struct protect {
    const troth_allocator *memory;
    const troth_aead      *aead;    /* NULL: in the clear                                                              */
    void                  *state;   /* memory for the expanded key; NULL while at rest, and for the first record of a
                                     * key: that one's is on the stack, as handshake keys seldom see a second          */
    const struct witness  *witness; /* told of each record; may be NULL                                                */
    uint64_t               seq;     /* of the next record                                                              */
    uint64_t               limit;   /* sealing: records that may be sealed under this key                              */
    uint16_t               most;    /* bytes of content in one record, padding included: sealing sends no more, opening
                                     * accepts no more that is protected.  2^14, or what record_size_limit agreed on (RFC 8449; in TLS 1.3
                                     * its value less one, as it counts the content type)                              */
    uint16_t               pad_to;  /* TLS 1.3 sealing: pad content to a multiple of this (0, 1: no padding)           */
    uint8_t                form;    /* enum form                                                                       */
    uint8_t                from;    /* enum direction, for the witness                                                 */
    uint8_t                epoch;   /* EPOCH_*, for the witness                                                        */
    bool                   begun;   /* the key is expanded in `state`                                                  */
    uint8_t                key[TROTH_AEAD_KEY_MAX];
    uint8_t                iv[IV_MAX];
};

/* In the clear. */
void protect_init(struct protect *p, const troth_allocator *memory, enum direction from);
/* Tells the witness of a record that no key touches (change_cipher_spec). */
void protect_tell_clear(const struct protect *p, uint8_t type, size_t content);
/* New keys: sequence number 0, the old key wiped.  `iv`: protect_iv_n() bytes.  Keeps `most`, `pad_to`, `witness`. */
void protect_set(struct protect *p, enum form form, const troth_aead *aead, const uint8_t *key, const uint8_t *iv, uint8_t epoch);
/* How long an IV of the key block is: 12, or 4 for AES-GCM in TLS 1.2. */
size_t protect_iv_n(enum form form, const troth_aead *aead);
/* Drops the expanded key.  Costs 0.1 to 0.3 us when the next record makes it again. */
void protect_rest(struct protect *p);
/* Wipes everything; what remains is a direction in the clear. */
void protect_end(struct protect *p);

static inline bool protect_on(const struct protect *p)
{
    return p->form != FORM_PLAIN;
}

/* Sealing: is it time for a KeyUpdate?  True from half of the limit on, so that what is still to be said never reaches it. */
static inline bool protect_wants_update(const struct protect *p)
{
    return protect_on(p) && p->seq >= p->limit / 2;
}

/* Bytes on the wire of a record with `n` bytes of content (n <= most), padding of `pad_to` included. */
size_t protect_sealed_n(const struct protect *p, size_t n);
/* Where content comes from: pieces that are taken one after the other as if they were one. */
struct pieces {
    const span *parts;
    size_t      n_parts;
    size_t      at; /* bytes of parts[0] that were taken already */
};

/* One record, whose content is the next `n` bytes of `from` (n <= most), into `out`, which has room for protect_sealed_n() bytes and does
 * not overlap the pieces; but in the clear the content may lie where it goes already.  `version`: of the record header (0x0301 only for a first ClientHello).  Fails at the limit of the key
 * (KEY_EXHAUSTED), for lack of memory, or when the provider fails. */
bool MUST_USE protect_seal(struct protect *p, troth_error *e, uint8_t *out, uint8_t type, uint16_t version, struct pieces *from,
                           size_t n);

enum opened {
    OPENED,       /* r->type, r->body and r->n are what was inside                                                         */
    OPEN_BAD_MAC, /* the tag is wrong; e is not set, as the record may not have been meant for this key (early data that was
                   * refused).  The body is spoilt, the rest of r and the sequence number are as they were                 */
    OPEN_SHORT,   /* likewise: too short to hold a tag                                                                     */
    OPEN_FAILED   /* e is set                                                                                              */
};

/* Opens where it lies.  In the clear it only checks the length. */
enum opened MUST_USE protect_open(struct protect *p, troth_error *e, struct record *r);

#endif
