/* witness.h - what an observer of a connection can be told: eight calls.
 *
 * The explanation of a handshake is made of these and of nothing else; they come from the code that does the work (the parser, the
 * choice, the check, the key schedule), so that it cannot differ from what was done.  A witness must not change anything, and it
 * may be absent: every caller tests one pointer.  All pointers are valid during the call only, except names (constants). */
#ifndef BASE_WITNESS_H
#define BASE_WITNESS_H

#include "base/names.h"
#include "base/span.h"

enum shape {
    SHAPE_UINT,  /* `n` bytes, big-endian, in `value`                                                             */
    SHAPE_BYTES, /* opaque bytes; the first `prefix` of them are their length                                     */
    SHAPE_GROUP  /* a range whose content is told in further sightings; the first `prefix` bytes are its length   */
};

/* One field seen by a reader.  Ranges nest, so the tree is rebuilt from (at, n); the leaves tile the message. */
struct sighting {
    const char         *name;   /* the RFC's, to the letter                            */
    const struct names *as;     /* what its value is a number of; NULL: just a number  */
    uint32_t            at, n;  /* range within the message, prefix included           */
    uint64_t            value;  /* of a SHAPE_UINT                                     */
    uint8_t             shape, prefix;
};

enum direction { FROM_CLIENT, FROM_SERVER };

/* A whole message, told before its fields.  `type` names it ("ClientHello", "Certificate", "alert", "X.509 certificate"). */
struct saw_message {
    const char    *type;
    enum direction from;
    bool           ours;      /* we wrote it, and re-read it to tell                        */
    span           raw;       /* header included where the message has one                  */
    uint8_t        version;   /* 13 or 12; 0 while it is not known                          */
    uint8_t        epoch;     /* enum epoch: with which keys it was protected               */
};

enum { EPOCH_PLAIN, EPOCH_EARLY, EPOCH_HANDSHAKE, EPOCH_APPLICATION };

/* One choice: both lists, what was chosen, and the rule that decided. */
struct saw_decision {
    const char         *what;    /* "cipher suite", "group", "certificate", "ALPN"                                 */
    const char         *rule;    /* "first of ours that the client offers (RFC 9846 4.2.1)"                        */
    const struct names *as;      /* how to name the numbers below; NULL: the lists are text                        */
    span                ours, theirs; /* lists in wire format (u16 each) or text                                   */
    uint64_t            chosen;
    char                text[96];     /* the choice in words where it is not a number                              */
};

/* A check made on a certificate or on a path.  (Reports hold more; this is what a story keeps of it.) */
struct saw_check {
    const char *name, *rule;     /* "validity", "RFC 5280 6.1.3(a)(2)"                     */
    uint8_t     verdict;         /* enum troth_verdict                                     */
    int         path, cert;      /* number of the path, index of the certificate in it     */
    uint32_t    at, n;           /* byte range in that certificate the verdict rests on    */
    const char *evidence;        /* values, in words                                       */
};

/* A secret was made.  `value` is kept only by a story that was told to in a call named danger. */
struct saw_key {
    const char *label;           /* "c hs traffic", "Early Secret", "shared secret"                       */
    const char *from;            /* label of the secret that it was derived from; NULL: it was agreed     */
    const char *hash;            /* "SHA-256"                                                             */
    span        context;         /* transcript hash or other context; empty where there is none           */
    span        value;
};

struct saw_record {
    enum direction from;
    uint8_t        type;         /* content type as on the wire                 */
    uint8_t        inner;        /* content type inside, once opened            */
    uint8_t        epoch;
    uint64_t       seq;
    uint32_t       length;       /* on the wire, header included                */
    uint32_t       content;      /* bytes of content, padding excluded          */
};

struct witness {
    void *self;
    void (*message)(void *self, const struct saw_message *);
    void (*field)(void *self, const struct sighting *);
    void (*decision)(void *self, const struct saw_decision *);
    void (*check)(void *self, const struct saw_check *);
    void (*key)(void *self, const struct saw_key *);
    void (*record)(void *self, const struct saw_record *);
    void (*flight)(void *self, enum direction, size_t bytes); /* bytes left for, or came from, the transport */
    void (*failure)(void *self, const troth_error *);
};

#endif
