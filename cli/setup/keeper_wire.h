/* keeper_wire.h - what the front and the keeper of its keys say to each other, over two pairs of connected sockets (SOCK_SEQPACKET: a message
 * stays one).  Both are the same program, so what is said are structs of its own.
 *
 * Questions go one way and signatures the other whenever they are there.  On the second pair the front gives an order and waits: while keys are
 * read again nothing of this mixes with signatures under way. */
#ifndef CLI_KEEPER_WIRE_H
#define CLI_KEEPER_WIRE_H

#include "common/args.h"
#include "common/log.h"

/* So many answers find room in a socket's buffer whatever their size: so a keeper never waits for a front that waits for it. */
enum { QUESTIONS_MOST = 16, TO_SIGN_MOST = 160 << 10, PIECE_MOST = 160 << 10 };

/* ---- questions, and their answers: behind each what is to be signed, and the signature (nothing: refused) */
struct to_sign {
    uint64_t id;
    uint32_t generation;
    uint16_t key;    /* counted over the pieces of that generation that are keys */
    uint16_t scheme; /* SignatureScheme */
};

struct signed_by {
    uint64_t id;
};

/* ---- orders */
enum { ORDER_READ, ORDER_DROP };

/* READ: the options, again unless it is the first time, and all keys that they name: theirs is this generation from here on.
 * DROP: nobody will ask for a key of that generation any more. */
struct order {
    uint32_t what, generation;
};

/* READ is answered with pieces, END the last. */
enum piece_kind {
    PIECE_CHAIN,  /* one certificate of the identity's chain, in order                  */
    PIECE_KEY,    /* the SubjectPublicKeyInfo of its key, where it has one here          */
    PIECE_LENT,   /* ... of its delegated credential's                                   */
    PIECE_RAW,    /* ... of --raw-key                                                    */
    PIECE_WARN,   /* detail of a warning; `identity` is its reason                       */
    PIECE_END     /* what was complained of; `identity` is the exit status               */
};

struct piece {
    uint32_t kind, identity;
    uint32_t type, can;  /* of keys: enum troth_key_type, bits 1u << enum troth_sig       */
    uint64_t read;       /* END: of which options, see keeper_options                     */
};

/* A mark of what the options say about keys: two processes that read them at almost the same time find out that they read the same. */
uint64_t keeper_options(const struct args *);

/* The keeper's life, in its own process.  log: for what is not in order.  Returns once the other ends are closed, and has no key any more. */
struct keeper_life {
    int                questions, orders;
    const struct args *first;
    const struct log  *log;
    bool               client; /* its keys are those of clients */
};
void keeper_live(const struct keeper_life *);

#endif
