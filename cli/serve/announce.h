/* announce.h - the PROXY protocol, versions 1 and 2 (HAProxy's proxy-protocol.txt): whoever passes a connection on says first whom it comes
 * from, and what was agreed with him.
 *
 * Pure: no I/O, bounded, strict about what could be read in two ways. */
#ifndef CLI_ANNOUNCE_H
#define CLI_ANNOUNCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ANNOUNCE_MAX = 16384,       /* the longest header that is read: others carry certificates in theirs  */
    ANNOUNCE_WRITE_MAX = 2048,  /* the longest that is written                                           */
    ANNOUNCE_ID_MAX = 128,
    ENDS_ADDRESS_MAX = 108
};

enum ends_family { ENDS_UNKNOWN, ENDS_IPV4, ENDS_IPV6, ENDS_UNIX };

/* Both ends of a connection: 4 or 16 bytes of address, or the path of a socket, filled up with zeros. */
struct ends {
    enum ends_family family;
    uint8_t          from[ENDS_ADDRESS_MAX], to[ENDS_ADDRESS_MAX];
    uint16_t         from_port, to_port;
};

struct announcement {
    struct ends    ends;   /* ENDS_UNKNOWN: it says nothing of them, the connection's own count                 */
    const uint8_t *id;     /* its UNIQUE_ID, within what was read; NULL: none                                    */
    size_t         id_n, size; /* of the header                                                                  */
    const char    *wrong;  /* what is malformed                                                                  */
};

enum announce_read {
    ANNOUNCE_MORE,   /* these bytes may become a header */
    ANNOUNCE_WHOLE,
    ANNOUNCE_BAD,    /* begins like one, and is none    */
    ANNOUNCE_NONE    /* this is something else          */
};
/* What a connection begins with. */
enum announce_read announce_read(struct announcement *, const uint8_t *p, size_t n);

struct announce_text {
    const void *p;
    size_t      n;
};

/* What a version 2 header says beside the addresses; empty: nothing. */
struct announce_facts {
    struct announce_text alpn, authority, id;
    bool                 tls;            /* there is more to say: */
    bool                 cert, cert_now; /* a client certificate in this session, on this very connection; it was verified */
    struct announce_text version, name, cipher, signature, key;
};

/* The header; its length, 0: `cap` is too little.  `facts` may be NULL, and is left out of version 1. */
size_t announce_write(uint8_t *out, size_t cap, int version, const struct ends *, const struct announce_facts *);

#endif
