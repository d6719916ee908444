/* talk.h - one connection of a test: what it has seen and done so far. */
#ifndef BOGO_TALK_H
#define BOGO_TALK_H

#include "setup.h"

/* What a watcher of the handshake learned (inside.c). */
struct inside {
    uint8_t  last_message;           /* HandshakeType that came last; 0: none    */
    uint16_t schemes[LIST_MAX * 2];  /* the peer's signature_algorithms          */
    size_t   n_schemes;
    uint8_t  alpn[512];              /* list of the ClientHello                  */
    size_t   n_alpn;
    uint8_t  types[16];              /* certificate_types of a TLS 1.2 request   */
    size_t   n_types;
    char     trace[4096];            /* as -expect-msg-callback wants it         */
    size_t   trace_n;
};

/* The runner's stand-in for QUIC (mock.c). */
struct mock_secret {
    uint8_t  p[48];
    size_t   n;
    uint16_t suite;
};
struct mock {
    struct mock_secret secrets[4][2]; /* by level; what we read with, what we write with */
    uint8_t            record[1 << 18];
    bool               deaf;          /* the runner takes no more                        */
};

struct talk {
    struct run            *run;
    const struct settings *s;        /* of this turn; those of -on-retry- once early data was refused */
    enum turn              turn;
    troth_conn            *c;
    struct link            link;
    struct mock            mock;
    struct inside          inside;
    char                   secrets[2][100]; /* hex: client's and server's traffic secrets        */
    bool     started;      /* the exchange began: at READY, or before where there is early data    */
    bool     early;        /* EARLY came: we are in early data                                     */
    bool     early_came, refused;
    uint8_t  later[1 << 15]; /* what did not fit into early data */
    size_t   later_n;
    bool     write_waits;  /* -early-write-after-message: the first write waits for it             */
    bool     ready;
    bool     verdict_asked, verdict_ok, server_asked;
    bool     ticket_came, ticket_early, ticket_before_ready;
    bool     shut;         /* we closed                                                            */
    bool     peer_closed;  /* close_notify came                                                    */
    bool     got_data;
    bool     alert_sent;
};

/* talk.c: one connection from dialling to closing; false: it did not go as the flags say. */
bool talk(struct run *r, enum turn turn);

/* checks.c: once the exchange starts, and once it is over */
bool checks_at_start(const struct talk *t);
bool checks_at_end(const struct talk *t);
bool checks_hello(const struct talk *t); /* server: a hello came */

/* mock.c: with -quic, in place of link.c's records.  mock_receive: one record; application data is given out, false: it must not be. */
void mock_keys(struct talk *t, const troth_event *e);
void mock_send(struct talk *t, troth_span data, uint8_t level);
bool mock_write(struct talk *t, const void *p, size_t n);
void mock_alert(struct talk *t, uint8_t level, uint8_t alert);
bool mock_receive(struct talk *t, troth_span *data);

/* inside.c: watches what the public API does not tell */
void inside_watch(struct talk *t);
/* Client, in early data: the server's chain as the session that is offered has it. */
size_t inside_session_chain(const struct talk *t, troth_span *certs, size_t cap);

#endif
