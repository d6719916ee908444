/* tape.h - a provider that writes down what no second run would get again (random bytes, key shares, shared secrets, signatures), and
 * one that plays it back: what makes a recording of a connection run through the engine once more, byte for byte.
 *
 * Must never keep a shared secret unless it was told to in a call named danger. */
#ifndef CLI_TAPE_H
#define CLI_TAPE_H

#include <stdio.h>
#include <troth/troth.h>

struct tape;

enum { TAPE_SPKI_MAX = 2816, TAPE_KEYS_MAX = 16 };

/* SESSION: what the cache of sessions by id had; as secret as a SECRET. */
enum cut_kind { CUT_RANDOM, CUT_SHARE, CUT_REPLY, CUT_SECRET, CUT_SIGNATURE, CUT_SESSION, CUT_KINDS };

/* One answer of the provider. */
struct cut {
    struct cut   *next;
    enum cut_kind kind;
    bool          ok, known; /* known: its bytes are here  */
    size_t        n;
    uint8_t       bytes[];
};

/* The answers that one connection got, in order. */
struct reel {
    struct cut *first, *last, *at; /* at: the next to play         */
    size_t      kept;
    bool        full;              /* not all of it was kept       */
    bool        lacks;             /* played: a secret was needed that is not here; zeros stood in */
    bool        lacks_reply, lacks_finish; /* ... of the side that answers a share, of the side that made it */
    int64_t     time;              /* recorded: when its turn came first */
    bool        strayed;           /* played: the engine asked for something else than then        */
    char       *keys;              /* lines of a key log, when secrets are kept */
    size_t      keys_n;
};

/* What there is to know of a private key without having it: enough to make the same choices again.  Its signatures are on the reel. */
struct tape_key {
    enum troth_key_type type;
    uint32_t            can;    /* bits 1u << enum troth_sig  */
    bool                elsewhere; /* its signatures were asked for, behind what went out before them */
    size_t              n;
    uint8_t             spki[TAPE_SPKI_MAX];
};

/* What stands for a provider: records what `inner` answers, or plays.  Takes one ownership of `inner`; NULL when memory runs out. */
struct tape *tape_record(troth_provider *inner);
struct tape *tape_play(troth_provider *inner);
/* Shared secrets as well: whoever has the recording reads the connection. */
void tape_danger_keep_secrets(struct tape *);
bool tape_keeps_secrets(const struct tape *);
/* Where secrets are kept, the keys of a server are not left to the library, which would not tell them.  NULL: they are. */
struct tape_secrets {
    troth_ticket_key ticket;
    uint8_t          cookie[32];
};
const struct tape_secrets *tape_secrets(const struct tape *);
/* For troth_clock(), with the tape: seconds, of a connection all its life the same, as a replay has one time for all of it. */
int64_t tape_clock(void *tape);
/* What a cache of sessions found; NULL: nothing.  Played: its length, 0 where there was none or it was not kept. */
void tape_session(struct tape *, const uint8_t *state, size_t n);
size_t tape_play_session(struct tape *, uint8_t *out, size_t cap);
/* One owner less; providers own it too. */
void tape_free(struct tape *);
/* To give to a builder: one ownership, every time. */
troth_provider *tape_provider(struct tape *);
/* A signature that the provider did not make, as its key is elsewhere (tape_add_key).  Empty: it could not be made. */
void tape_signature(struct tape *, troth_span signature);
/* Whose answers follow: NULL, nobody's, are not kept. */
void tape_turn(struct tape *, struct reel *);
/* Lines of the key log, as troth_danger_key_log tells them: kept for the reel whose turn it is. */
void tape_key_line(struct tape *, const char *line);

/* The i-th key that was loaded, the newest first; NULL past the last. */
const struct tape_key *tape_key(const struct tape *, size_t i);
/* One that is elsewhere.  Playing: loading this key's public half as if it were the key gives one that signs as it did then. */
void tape_add_key(struct tape *, const struct tape_key *);

/* Adds one; bytes == NULL: its bytes are not known. */
bool reel_add(struct reel *, enum cut_kind, bool ok, const uint8_t *bytes, size_t n);
/* The next one to play, when it is of this kind; else NULL, and the reel has strayed. */
const struct cut *reel_next(struct reel *, enum cut_kind);
/* Wipes and frees what it holds. */
void reel_clear(struct reel *);

#endif
