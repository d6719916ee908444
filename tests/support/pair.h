/* pair.h - a client and a server in one process, without sockets: bytes go from one to the other as the test wishes.
 *
 *     struct world *w = world_new(fake_provider(1));            // a CA, a server certificate for "a.example"
 *     struct pair p;
 *     pair_new(&p, world_client(w, tweak, ctx), world_server(w, tweak, ctx), "a.example");
 *     pair_run(&p);                                             // until nobody can go on
 *     assert_true(p.client.ready && p.server.ready);
 *     pair_free(&p); world_free(w); */
#ifndef TESTS_SUPPORT_PAIR_H
#define TESTS_SUPPORT_PAIR_H

#include <troth/troth.h>

#include "support/mkpki.h"

/* ---- who is who */
struct world {
    struct mk    *mk;
    struct issue  root, leaf, client_leaf;
    const troth_key *leaf_key, *client_key;
    span          root_pem, chain_pem, key_pem, client_chain_pem, client_key_pem;
};

/* Takes one ownership of the provider. */
struct world *world_new(troth_provider *);
struct world *world_new_with(troth_provider *, enum troth_key_type leaf, enum troth_key_type client);
void world_free(struct world *);
/* A chain and key as PEM for a further identity. */
void world_identity(struct world *, enum troth_key_type, const char *dns, span *chain_pem, span *key_pem);

typedef void tweak_fn(troth_builder *, void *ctx);
/* The builder with trust (client), an identity (server), the test's clock; the tweak may be NULL.  NULL only when memory runs out. */
troth_client *world_client(struct world *, tweak_fn *, void *ctx);
troth_server *world_server(struct world *, tweak_fn *, void *ctx);
/* For tweaks. */
void tweak_client_identity(troth_builder *, void *world);
int64_t test_clock(void *ctx);

/* ---- the two ends */
struct pipe {
    uint8_t *p;
    size_t   n, cap, taken; /* taken: of the n bytes that ever came; n - taken wait */
    bool     ended;
    size_t   ends_at;       /* the reader gets no more than these bytes, and then the end of the stream; 0: it does  */
};

struct pair_end {
    troth_conn            *c;
    const char            *name;
    bool                   ready, closed, done, failed;
    unsigned               n_ready, n_ask;
    uint8_t               *got; /* data received */
    size_t                 n_got, cap_got;
    enum troth_event_kind  last;
    size_t                 unacked;   /* with late_ack: of what it has to send, bytes that are there already */
};

struct pair {
    struct pair_end client, server;
    struct pipe     to_server, to_client;
    size_t          most;               /* bytes per read and write; 0: as many as there are                             */
    size_t          cut_server, cut_client; /* no read of that end crosses this offset of its input; 0: none             */
    /* Called for every event but SEND, RECV and DATA, and before the default does anything; true: the test dealt with it. */
    bool          (*on_event)(struct pair *, struct pair_end *, const troth_event *, void *ctx);
    void           *ctx;
    /* Called after an end wrote into this pipe, before the other reads it. */
    void          (*between)(struct pair *, struct pipe *, void *ctx);
    void           *between_ctx;
    bool            no_close;           /* CLOSED is not answered with troth_close                                       */
    bool            late_ack;           /* what is sent arrives, but an end hears of that (troth_sent) only when it can do nothing else */
};

/* An on_event that keeps the last session that TROTH_TICKET gives; ctx is where. */
struct kept_ticket {
    uint8_t p[8192];
    size_t  n;
};
bool pair_keep_ticket(struct pair *, struct pair_end *, const troth_event *, void *ctx);

/* Takes one ownership of both configurations.  host NULL: "a.example". */
void pair_new(struct pair *, troth_client *, troth_server *, const char *host);
void pair_free(struct pair *);
/* Runs both ends until neither can do anything. */
void pair_run(struct pair *);
/* One end, until it wants bytes that are not there; true if anything happened. */
bool pair_step(struct pair *, struct pair_end *);
/* The other end's transport is closed. */
void pair_end_input(struct pair *, struct pair_end *);
struct pipe *pair_input(struct pair *, struct pair_end *);
void pipe_put(struct pipe *, const uint8_t *p, size_t n);
bool pair_write(struct pair_end *, const char *text);
/* Both are ready: a question, an answer, and exporters that agree. */
void pair_exchange(struct pair *);
/* And then both end it. */
void pair_exchange_and_close(struct pair *);

/* Both ready; says why not. */
void assert_ready(struct pair *);
/* This end failed with this reason; the other, if it got the alert, says which. */
#define assert_failed(end, reason) assert_failed_at((end), TROTH_R_##reason, __FILE__, __LINE__)
void assert_failed_at(const struct pair_end *, enum troth_reason, const char *file, int line);
/* For any kind of end: on standard error how its connection is doing; the test is over unless it failed for this reason. */
void conn_say_why(const troth_conn *, const char *name, int last_event);
void conn_assert_failed(const troth_conn *, const char *name, int last_event, bool failed, enum troth_reason, const char *file, int line);

#endif
