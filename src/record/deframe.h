/* deframe.h - the input buffer, and records cut out of it in place.
 *
 * The transport writes straight into the buffer (inbuf_room, inbuf_got); records are cut, opened and handed on where they lie, so that the
 * only copy of application data is the kernel's.  The buffer starts small, grows to the record that is arriving, and is given back when
 * nothing is in it: an idle connection has none.
 *
 *      while (deframe(&in, &record, form, e) == DEFRAME_RECORD) use(record);    // pointers stay valid ...
 *      inbuf_room(&in, e, &p, &n); ... read(fd, p, n) ... inbuf_got(&in, n);    // ... until the next inbuf_room or inbuf_rest
 *
 * Must never let a header make it allocate more than the longest legal record. */
#ifndef RECORD_DEFRAME_H
#define RECORD_DEFRAME_H

#include "base/error.h"
#include "record/content.h"

struct inbuf {
    const troth_allocator *memory;
    uint8_t *p;       /* NULL while there is no buffer                                                             */
    uint32_t cap;
    uint32_t at, end; /* the bytes that no record was cut from yet                                                 */
    uint32_t want;    /* how large a buffer to take: INBUF_SMALL at first.  Set it to INBUF_LARGE once application
                       * data flows, so that one read brings in a whole record                                     */
    uint32_t whole;   /* the record that is arriving needs this much, header included; 0: not known                */
    bool     any;     /* at least one record was cut: what comes is TLS                                            */
};

enum {
    INBUF_SHORT = 512,            /* a Finished, and what an application asks first                       */
    INBUF_RESUMED = 1024,         /* what a server answers to a session that it takes                     */
    INBUF_SMALL = 1536,           /* holds the flights of most handshakes; it grows to the record at hand */
    INBUF_LARGE = 16384 + 256 + 5 /* one record of the largest size of TLS 1.3                            */
};

void inbuf_init(struct inbuf *b, const troth_allocator *memory);

/* Room for at least one more byte.  Moves what is there to the front, or to a larger buffer, when the record would not fit: whatever
 * points into the buffer is invalid afterwards.  Fails only for lack of memory. */
bool MUST_USE inbuf_room(struct inbuf *b, troth_error *e, uint8_t **p, size_t *n);
/* `n` bytes were written at the room last given. */
void inbuf_got(struct inbuf *b, size_t n);
/* The bytes that no record was cut from: after DEFRAME_BAD the ones that were refused, from their first. */
span inbuf_left(const struct inbuf *b);
/* Gives the buffer back, wiped, if nothing is left in it; call it before a wait that may be long.  Pointers into it become invalid. */
void inbuf_rest(struct inbuf *b);
void inbuf_free(struct inbuf *b);

enum deframed { DEFRAME_MORE, DEFRAME_RECORD, DEFRAME_BAD };

/* The next record, if all of it is there.  `form` says which versions and lengths are legal:
 *   FORM_PLAIN  any version 0x03xx (a first ClientHello says 0x0301), at most 2^14 bytes (RFC 9846 5.1)
 *   FORM_13     0x0303, at most 2^14 + 256 (RFC 9846 5.2); what comes in the clear all the same, any version 0x03xx
 *   FORM_12     0x0303, at most 2^14 + 2048 (RFC 5246 6.2.3)
 *   FORM_OTHER  any version 0x03xx, at most 2^14 + 2048
 * The type is one of the four of RFC 9846.  A wrong byte is refused as soon as it is there.  Bytes that are wrong from the first are
 * NOT_TLS: then inbuf_left() shows what the peer said instead. */
enum deframed MUST_USE deframe(struct inbuf *b, struct record *r, enum form form, troth_error *e);

#endif
