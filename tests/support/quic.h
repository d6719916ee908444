/* quic.h - a client and a server of QUIC in one process: handshake bytes go from level to level as a QUIC library would carry them.
 *
 * Bytes of a level reach an end only once that end was given the secret to read them with.  Every secret must come before the first byte
 * of its level. */
#ifndef TESTS_SUPPORT_QUIC_H
#define TESTS_SUPPORT_QUIC_H

#include <troth/quic.h>

#include "support/pair.h"

enum { LEVELS = 4 };

struct quic_secret {
    uint8_t  p[48], n;
    uint16_t suite;
};

struct quic_end {
    troth_conn        *c;
    const char        *name;
    struct pipe        out[LEVELS]; /* what it said, and how much of it the other end has */
    struct quic_secret secrets[LEVELS][2]; /* [level][ours] */
    unsigned           n_ready, n_early, n_refused, n_ticket, n_done, asked;
    bool               failed;
    uint8_t            ticket[8192];
    size_t             ticket_n;
    bool               ticket_early;
    enum troth_event_kind last;
};

struct quic_pair {
    struct quic_end client, server;
    size_t          most;     /* bytes per delivery; 0: all that wait                       */
    size_t          cut;      /* one delivery of each level and direction ends here; 0: none */
    /* What an end says is put into its pipe by this, if it is set: one SEND at a time. */
    void          (*edit)(struct quic_pair *, struct quic_end *, uint8_t level, span said);
    /* Called for questions; false: stop there. */
    bool          (*answer)(struct quic_pair *, struct quic_end *, const troth_event *);
    void           *ctx;
};

/* Takes one ownership of both.  Both ends get transport parameters of their own; `early` is what the server's early data rests on. */
void quic_pair_new(struct quic_pair *, troth_client *, troth_server *, const char *early);
/* The same, and the configurations stay the caller's; the client resumes with a ticket that is not empty. */
void quic_pair_again(struct quic_pair *, troth_client *, troth_server *, const char *early, span ticket);
void quic_pair_free(struct quic_pair *);
void quic_run(struct quic_pair *);
/* Everything that the ends say now, without delivering. */
void quic_listen(struct quic_pair *, struct quic_end *);
/* One delivery to that end, as quic_run would; false: nothing waits that it can read. */
bool quic_deliver(struct quic_pair *, struct quic_end *);
bool quic_has(const struct quic_end *, enum troth_level, bool ours);

void assert_quic_ready(struct quic_pair *);
#define assert_quic_failed(end, reason) assert_quic_failed_at((end), TROTH_R_##reason, __FILE__, __LINE__)
void assert_quic_failed_at(const struct quic_end *, enum troth_reason, const char *file, int line);

/* For tweaks: a protocol, and QUIC. */
void quic_tweak(troth_builder *);
#define CLIENT_PARAMETERS "parameters of the client"
#define SERVER_PARAMETERS "those of the server"

#endif
