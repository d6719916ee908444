/* capture.h - packets of a capture file, put together to the two byte streams of each TCP connection.
 *
 * Pure: bytes in, spans out; reads pcap (both byte orders, micro- and nanoseconds) and pcapng (with decryption secrets).  Copes with
 * loss, reordering, retransmission and overlap: a stream ends at the first byte that was never captured, and says so.  Must never take
 * time that grows faster than the capture: whoever sends packets chooses their numbers. */
#ifndef EXPLAIN_CAPTURE_H
#define EXPLAIN_CAPTURE_H

#include <troth/explain.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/witness.h"

struct endpoint {
    uint8_t  address[16];
    uint8_t  n;            /* 4 or 16 */
    uint16_t port;
};

/* New bytes of one direction, in order. */
struct arrived_bytes {
    int64_t  at;           /* microseconds since 1970 */
    span     bytes;
    uint8_t  from;         /* enum direction */
};

struct segment {
    uint32_t seq;          /* of the first byte, as on the wire */
    uint32_t order;
    int64_t  at;
    span     bytes;
    struct segment *next;
};

struct stream {
    struct segment *first, *last;
    uint32_t n, isn;
    bool     has_isn, syn, fin, reset;
    int64_t  ended;        /* when the first FIN or RST came                       */
    uint64_t lost;         /* bytes known to be missing before what came later */
};

struct flow {
    struct endpoint end[2]; /* who sent the first packet, and the other */
    struct stream   stream[2];
    uint8_t         client; /* index in `end` */
    int64_t         began;
    uint32_t        packets;
    struct flow    *next, *same_hash;
};

enum { FLOW_HASHES = 8192 };

struct capture {
    struct arena arena;
    struct flow *flows, *last;
    struct flow *by_hash[FLOW_HASHES]; /* the newest first */
    uint8_t      in_hash[FLOW_HASHES]; /* how many         */
    uint32_t     n_flows;
    troth_capture_counts counts;
    span         secrets[64];    /* key logs inside a pcapng             */
    unsigned     n_secrets;
    troth_error  error;
};

/* False: neither pcap nor pcapng, or no memory (capture->error).  A damaged end is no failure: what was read stays. */
bool MUST_USE capture_read(struct capture *c, span file, const troth_allocator *mem);
void capture_free(struct capture *c);
/* The bytes of both directions in the order in which they came; *out lives in the arena.  Sets `lost` of the streams. */
bool MUST_USE capture_deliver(struct capture *c, struct flow *f, struct arrived_bytes **out, size_t *n);
/* Does a record with a ClientHello begin there? */
bool MUST_USE says_hello(span);
/* "192.0.2.1:443" */
struct text;
void endpoint_text(struct text *t, const struct endpoint *e);

#endif
