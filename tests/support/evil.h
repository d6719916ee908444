/* evil.h - a peer that speaks TLS perfectly, keys and all, except where a little program tells it otherwise.
 *
 * flight.c is part of evil.c, so that every message of one side passes here after it was written and before it is hashed and sealed: what is
 * changed still enters the transcript, and the key schedule goes on.  Each message takes one byte of the program, an EVIL_ operation, and
 * what that operation needs behind it; where the program ends the peer is honest.  Only ever used by one thread.
 *
 *     evil_begin(true, program);    // the server is evil
 *     ... run ...
 *     struct evil_deeds d = evil_end(); */
#ifndef TESTS_SUPPORT_EVIL_H
#define TESTS_SUPPORT_EVIL_H

#include "base/span.h"

enum evil_op {
    EVIL_PASS,
    EVIL_SWALLOW,   /* neither hashed nor sent                                              */
    EVIL_HASH_ONLY,
    EVIL_SEND_ONLY,
    EVIL_TWICE,     /* hashed and sent twice                                                */
    EVIL_HOLD,      /* behind the next message                                              */
    EVIL_EDIT,      /* n edits: offset (2 bytes), xor                                       */
    EVIL_RESIZE,    /* bytes to cut off (or, from 128 on, to add), length corrected         */
    EVIL_REPLACE,   /* n bytes of the program as the body                                   */
    EVIL_RETYPE,    /* another type                                                         */
    EVIL_INJECT,    /* type, n bytes as body: a message more in front of this one           */
    EVIL_REPLAY,    /* an earlier message once more, in front                               */
    EVIL_RECORD,    /* content type, n bytes: a record of it in front, under today's keys   */
    EVIL_FLUSH,     /* what waits leaves in a record of its own                             */
    EVIL_SPLIT,     /* records of n bytes from here on                                      */
    EVIL_INSERT,    /* offset (2 bytes), n bytes into the body, length corrected            */
    EVIL_OPS
};

/* What the victim was sent, in its order. */
struct evil_deeds {
    uint8_t  sent[256]; /* types of handshake messages, as they left                         */
    size_t   n;
    bool     broke_proof; /* a CertificateVerify, Finished or ServerKeyExchange was spoilt before the evil side was ready */
    unsigned ops;         /* operations other than PASS                                     */
};

void evil_begin(bool server, span program);
struct evil_deeds evil_deeds_now(void);
/* Nobody is evil from here on. */
struct evil_deeds evil_end(void);

#endif
