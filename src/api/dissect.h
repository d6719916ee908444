/* dissect.h - a connection read from outside: both byte streams, and the secrets of a key log where there are any.
 *
 * Built of the same deframing, opening and message readers as the engine, so that a capture is explained by the code that would have
 * handled it.  Only listens: it decides nothing, checks no certificate, and goes on where an endpoint would refuse. */
#ifndef API_DISSECT_H
#define API_DISSECT_H

#include "base/witness.h"
#include "record/record.h"
#include "wire/msg.h"

/* One message: told with its fields, and what of it later messages depend on. */
struct reading {
    const struct witness *witness;
    enum direction        from;
    uint16_t              version;    /* 0 while it is not known */
    uint8_t               epoch;
    size_t                finished_n;
    uint16_t              suite;      /* chosen so far; what a ServerHello says */
    /* what it said */
    bool                  retry, ems, early, ech;
    uint8_t               random[32]; /* of a hello              */
};

/* A whole handshake message with its header.  False: it cannot be read (*e). */
bool MUST_USE reading_message(struct reading *r, span raw, troth_error *e);
/* One certificate, told as a message of its own. */
bool MUST_USE reading_certificate(const struct witness *w, enum direction from, span der, troth_error *e);

struct side {
    struct inbuf    in;
    struct protect  protect;
    struct messages messages;
    uint8_t         secret[48];  /* traffic secret, for KeyUpdate     */
    bool            began;       /* its first record came             */
    bool            done;        /* its Finished came                 */
    bool            blind;       /* protected, and no key is known    */
    bool            on;          /* blind: what came is more than an alert, so its Finished must be in it */
};

struct dissect {
    const struct witness  *witness;
    const troth_provider  *provider;  /* NULL: nothing can be opened  */
    span                   keylogs[65];
    unsigned               n_keylogs;
    struct side            side[2];
    struct protect         waiting;   /* the client's handshake keys, while early data may still come */
    uint16_t               version, suite;
    const troth_hash      *hash;
    const troth_aead      *aead;
    uint8_t                client_random[32], server_random[32];
    bool                   has_hello, stopped;
    bool                   early;     /* the client offered early data, and its Finished did not come yet */
    bool                   ech;       /* it sent an encrypted hello, or what looks like one               */
    bool                   midway;    /* what is seen first is not how a connection begins                */
    bool                   opened;    /* at least one secret was known                                    */
    bool                   suite_closed; /* the suite is none that troth can open, whatever keys there are */
    void                 (*data)(void *ctx, enum direction from, span plain); /* application data; NULL: nobody wants it */
    void                  *data_ctx;
    troth_error            error;
};

void dissect_init(struct dissect *d, const struct witness *w, const troth_provider *p, const troth_allocator *mem);
/* Lines of a key log, borrowed. */
void dissect_keylog(struct dissect *d, span text);
/* More bytes of one direction.  False: nothing more can be read of this connection (d->error says why). */
bool MUST_USE dissect_bytes(struct dissect *d, enum direction from, span bytes);
/* Did both sides finish the handshake, as far as can be seen? */
bool dissect_finished(const struct dissect *d);
void dissect_free(struct dissect *d);

#endif
