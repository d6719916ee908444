/* messages.h - fragments become whole handshake messages.
 *
 * A message that is whole in one fragment is returned where it lies, without a copy; only one that spans fragments is put together in a
 * buffer of its own, which grows as bytes arrive (never to what a length promises) and is given back.  Knows nothing of records: QUIC feeds
 * it the bytes of its CRYPTO frames, one struct per level.
 *
 *      TRY(messages_add(&m, e, fragment));
 *      while (messages_next(&m, e, &msg) == MESSAGE_WHOLE) ...      // msg is valid until the next call with this struct, and
 *                                                                  // as long as the fragment's memory is
 * Must never let a message cross a change of keys (RFC 9846 5.1): messages_aligned() before each. */
#ifndef RECORD_MESSAGES_H
#define RECORD_MESSAGES_H

#include "base/error.h"
#include "base/limits.h"
#include "base/span.h"

struct messages {
    const troth_allocator *memory;
    span     rest;             /* of the fragment at hand: bytes not yet taken                          */
    uint8_t *join;             /* a message that began in an earlier fragment; NULL: none               */
    uint32_t join_n, join_cap;
    bool     join_given;       /* it was returned: the next call gives its buffer back                  */
    uint32_t most;             /* longest body of any message but Certificate and CompressedCertificate */
    uint32_t most_certificate; /* longest body of those two                                             */
};

struct message {
    uint8_t type; /* HandshakeType                       */
    span    raw;  /* the four bytes of its header, and the body */
    span    body;
};

void messages_init(struct messages *m, const troth_allocator *memory);
/* The content of a handshake record.  The fragment before must have been used up (messages_next said MORE).  An empty one is refused
 * (RFC 9846 5.1). */
bool MUST_USE messages_add(struct messages *m, troth_error *e, span fragment);

enum messages_answer { MESSAGE_MORE, MESSAGE_WHOLE, MESSAGE_BAD };

/* The next whole message.  MORE: all of the fragment is used up, and its memory may go. */
enum messages_answer MUST_USE messages_next(struct messages *m, troth_error *e, struct message *out);
/* Type and body length of the next message, whole or not, without taking it; false while its header is not there. */
bool MUST_USE messages_peek(const struct messages *m, uint8_t *type, uint32_t *n);

/* The next message without taking it, if all of it lies in the fragment at hand. */
bool MUST_USE messages_ahead(const struct messages *m, struct message *out);

/* Is a message only partly there? */
bool messages_midway(const struct messages *m);
/* Are there bytes that no message was returned for, whole or not? */
bool messages_left(const struct messages *m);
/* Do any of them lie where the fragment at hand does, which has to stay then? */
bool MUST_USE messages_borrow(const struct messages *m);
/* Before keys change in the receiving direction: nothing may be left over (MESSAGE_LEFTOVER). */
bool MUST_USE messages_aligned(const struct messages *m, troth_error *e);
/* Gives back the joining buffer if it is not needed.  The message last returned becomes invalid. */
void messages_rest(struct messages *m);
void messages_free(struct messages *m);

#endif
