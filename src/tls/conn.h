/* conn.h - one connection: what it keeps for its whole life (struct troth_conn), and what only its handshake needs (struct hs).
 *
 * The handshake lives in an arena that is wiped and freed when the connection becomes CONNECTED, so an idle connection is struct
 * troth_conn and nothing else: traffic secrets, sequence numbers, facts.  Every field says how long it lives.
 *
 * ---- How to add
 *
 * An extension         wire/ has its row, reader and writer.  Offering it: one line in offer.c (client) or in the builders of answers
 *                      (server13.c: answer_*).  Accepting the peer's: a field in `offer` or `hello` below, a choice in negotiate.c.
 * A message or state   a name in step.h, a row in the table on top of client13.c / server13.c, a handler of four paragraphs: read,
 *                      check, decide, act.  The drawing in docs/ is made again with tools/draw-steps.
 * An event             a WAITS_ bit here and a row in engine.c's waiting_event(); a question: enum question, engine.c's question().
 * A question           an A_ input in step.h; the handler that needs an answer calls conn_ask() and returns its waiting state; the answer
 *                      of the application becomes hs_take(A_...).  Until then no message of the peer is taken.
 * TLS 1.2              client12.c, server12.c with tables steps_client12, steps_server12 (add them to step.c's list) and keys12.c.  They
 *                      enter at client12_server_hello() and server12_client_hello(), which client.c and server.c call once the
 *                      version is decided; both are given the hello as a struct.  Stage: `keys12` in the union of struct hs.
 * PSK, tickets, 0-RTT  psk.c, tickets.c, early.c.  hooks.h lists the calls that the handshake makes into them, at the right
 *                      moments.
 * ECH                  ech_client.c, ech_server.c, through the same hooks.h: what the client writes, which transcript counts, what the
 *                      server reads instead.
 * Another carrier      carrier.h: where bytes leave and come, and where secrets are installed; over_records.c and over_quic.c are the two.
 * Compression, raw public keys, delegated credentials, staples
 *                      peer.c is where a peer's Certificate becomes a key to verify with; certificate.c is where ours is written. */
#ifndef TLS_CONN_H
#define TLS_CONN_H

#include <troth/troth.h>

#include "base/error.h"
#include "record/record.h"
#include "tls/config.h"
#include "tls/keys12.h"
#include "tls/keys13.h"
#include "tls/step.h"
#include "wire/msg.h"
#include "x509/cert.h"

/* ================================================================ what a handshake needs; gone at CONNECTED */

enum { SHARES_MAX = 8, OFFERED_MAX = 32, FLIGHT_MAX = 8 }; /* key shares and extensions of a ClientHello of ours; messages of a flight */

/* One key share of ours that waits for the server's answer.  For a hybrid and its tail (X25519MLKEM768 and X25519) `key` of both is the
 * same memory: one key serves both. */
struct offered_share {
    const troth_kem *kem;
    uint8_t         *key;   /* the private state of `kem` */
    span             share;
};

/* Client: what our ClientHello said, as far as answers are checked against it or a second hello must repeat it. */
struct offer {
    struct arena *room;                  /* of the shares and the hello, until they were answered (offer.c)    */
    uint8_t  session_id[32];
    uint8_t  session_id_n;
    uint8_t  shuffle[4 * OFFERED_MAX]; /* order of the extensions: the same in the second hello              */
    uint8_t  grease[8];                  /* seeds of GREASE values                                             */
    uint16_t least, most;                /* versions offered                                                   */
    struct ext_set asked;                /* extensions offered: the only ones that may be answered             */
    struct offered_share *shares;        /* room for as many as the configuration wants, likewise              */
    uint8_t  max_shares;
    uint8_t  n_shares;
    bool     again;                      /* HelloRetryRequest came: this is the second hello                   */
    uint16_t retry_group, retry_suite;   /* what it demanded; 0: nothing                                       */
    bool     early;                      /* early data is being written: handshake keys for writing wait       */
    span     cookie;                     /* echoed                                                             */
};

/* Server: what the client's hello said, as far as later messages depend on it. */
struct hello {
    uint8_t  session_id[32];
    uint8_t  session_id_n;
    struct ext_set has;
    uint16_t record_size_limit;          /* as said; 0: not                                                    */
    span     raw;                        /* the message, kept only while the application is asked              */
    bool     retried;                    /* HelloRetryRequest went out                                         */
    uint16_t retry_group, retry_suite;   /* what it demanded, and what the second hello must still offer       */
    span     cookie;                     /* it must come back                                                  */
    span     outer;                      /* the outer hello, likewise; empty: nothing was encrypted            */
    bool     refuse_ech;                 /* the application does not want the inner hello                      */
    struct first_hello *first;           /* what the second hello must repeat: again.c                         */
    struct transcript *before_again;     /* transcript as it was before the second hello, for its PSK binders  */
    bool     early_accepted;             /* WAIT_EOED comes before anything else                               */
    bool     wants_tickets;              /* psk_key_exchange_modes has psk_dhe_ke                              */
    bool     psk_chosen;                 /* the binder of a PSK was right                                      */
    bool     gather;                     /* stop where we would sign: signatures are made together (batch.h)   */
    struct ready_share *ready;           /* a reply to the client's share that was computed ahead; NULL: none  */
};

/* What a certificate must be to please the peer: its ClientHello or CertificateRequest. */
struct wanted {
    span     schemes, schemes_cert;      /* lists of u16, in the arena                                         */
    span     authorities;                /* list of opaque16                                                   */
    span     types12;                    /* client, TLS 1.2: ClientCertificateType                             */
    span     types;                      /* server_certificate_types of a hello; empty: X.509. In the arena    */
    span     context;                    /* certificate_request_context                                        */
    bool     staple, scts;
    span     delegated;                  /* schemes for delegated credentials; empty: not wanted               */
    span     compressions;               /* list of u16: how our certificate may be compressed                 */
    span     oid_filters;                /* client: list of OIDFilter                                          */
    bool     asked;                      /* client: a CertificateRequest came                                  */
    bool     show_none;                  /* client: the application wants no certificate to be shown           */
};

enum { RANDOM_AHEAD = 64 }; /* what a server needs in all: its random, nonces and ages of two tickets */

enum ks_stage { KS_NONE, KS_EARLY, KS_HANDSHAKE, KS_12 };

/* What only a handshake of TLS 1.2 needs; in the arena. */
enum { LOG12_MAX = 16 };
struct hs12 {
    bool             log_on;            /* messages are kept as bytes, for CertificateVerify                */
    uint8_t          n_log;
    span             log[LOG12_MAX];
    span             certificate;       /* client: body of the server's Certificate, judged once a staple had its chance */
    span             staple, scts;      /* client: what came for it                                         */
    span             ticket;            /* client: the session ticket that came                             */
    uint32_t         ticket_lifetime;
    bool             staple_follows;    /* client: CertificateStatus may come                               */
    bool             ticket_follows;    /* NewSessionTicket comes (client), or is to be sent (server)       */
    bool             ticket_old;        /* server: the client's opened, and it is time for a new one        */
    const troth_kem *kem;
    uint8_t         *key;               /* server: private state of `kem`                                   */
    span             point;             /* client: the server's share                                       */
};

struct hs {
    struct arena       arena;            /* this struct is its first allocation                                */
    struct transcript  transcript;
    struct digest      before;           /* of the transcript as it was before the message being handled       */
    const struct suite *suite;           /* NULL until chosen                                                  */
    const troth_hash  *hash;
    const troth_aead  *aead;

    enum ks_stage      stage;            /* which member of the union is alive                                 */
    union {
        struct ks_early     early;
        struct ks_handshake handshake;
        struct ks_12        tls12;
    } ks;

    union {
        struct offer   offer;            /* client                                                             */
        struct hello   hello;            /* server                                                             */
    };
    struct wanted      wanted;           /* either: when we have to show a certificate                         */
    struct hs_psk     *psk;              /* PSKs of this handshake; NULL: none is thought of                   */
    struct hs_ech     *ech;              /* Encrypted Client Hello; NULL: none is thought of                   */
    span               types_offered;    /* client: client_certificate_types, as offered or not worth offering */
    bool               types_answer;     /* server: client_certificate_type is answered                        */
    struct hs12       *v12;              /* NULL unless the version is TLS 1.2                                 */

    struct {
        span    parts[FLIGHT_MAX];       /* messages that wait to be sealed together                           */
        uint8_t n;
        bool    held;                    /* they wait for more, whatever else is sent                          */
    } flight;

    const struct identity *identity;     /* ours; NULL: none fits                                              */
    const struct scheme   *scheme;       /* of our CertificateVerify                                           */
    bool                   delegated;    /* ... made with the key of the identity's delegated credential       */
    span               to_sign;          /* what an external key was asked to sign                             */

    uint8_t            fresh[RANDOM_AHEAD]; /* random bytes not handed out yet: the last fresh_n                */
    uint8_t            fresh_n;
    struct pss_limit   peer_key_pss;     /* what the parameters of peer_key allow                                */
    const struct auth_seen *ahead;       /* a CertificateVerify whose signature was verified; NULL: none        */
    troth_public_key   peer_key;         /* to verify CertificateVerify with; spans live in conn's `shown`, or in `keep` */
    uint16_t           peer_scheme;      /* of a delegated credential: the only one it may use; 0: any         */
    bool               peer_showed;      /* a certificate (or raw key) came                                    */
    bool               verdict_given;    /* of the application                                                 */
    bool               verdict_accept, verdict_denies;
    const char        *verdict_why;
    bool               ccs_waits;        /* our change_cipher_spec of compatibility mode goes before the next record */
    bool               ccs_sent;
    bool               first_sent;       /* our first record is out: later ones say 0x0303, not 0x0301         */
};

/* ================================================================ what a connection keeps */

/* Learned about the peer, and told by troth_what().  Lives as long as the connection. */
struct facts {
    uint16_t version, suite, group, peer_scheme, own_scheme;
    bool     hello_retry, resumed, client_authenticated, extended_master_secret, psk_external, peer_delegated, own_delegated;
    uint8_t  early, ech, peer_type, own_type, named;
    uint16_t own_identity;  /* index among the configuration's, and 1; 0: none shown */
    uint8_t  client_random[32], server_random[32];
    span     alpn;          /* points into the configuration's list     */
    span     server_name;   /* in `keep`                                */
};

/* What a certificate after the handshake needs of the handshake; in `keep`. */
struct late {
    struct transcript   transcript;      /* up to the client's Finished */
    const struct suite *suite;
    const troth_hash   *hash;
    span                types_offered;
};

/* Facts that few connections have; allocated in `keep` when the first of them is known. */
struct rare {
    span        session_id, peer_raw_key, peer_staple, peer_scts, ech_retry_configs, acceptable_authorities, quic_parameters;
    size_t      authorities_room; /* bytes of memory that acceptable_authorities lie in: each request has its own */
    struct late *late;           /* NULL: no certificate is asked for after the handshake */
    struct secret early_exporter;
    const troth_hash *early_hash;
    const char *early_why;
    int32_t     ticket_age_skew;
    const struct config *shows;  /* client: whose identities were chosen from; NULL: those of cfg.  One owner of it */
    span        address;         /* server: cookies are for a client of this address                         */
};

/* The peer's chain, and what it was judged by: all that the report on it is made of again when somebody asks for one.  A client that may
 * resume has its session's here, which counts (n) once the server takes the session. */
struct shown {
    size_t      size;     /* of this allocation                                                    */
    uint32_t    n;        /* how long the list is; 0: there is none (yet)                          */
    bool        judged;   /* now; not when the session was made                                    */
    bool        accepted; /* by the policy                                                         */
    bool        said, accepts; /* the application's own verdict, if it gave one                    */
    const char *because;  /* its words, in `keep`                                                  */
    int64_t     now;      /* the time it was judged by                                             */
    int64_t     until;    /* so long the policy's verdict holds, or that of the session            */
    uint8_t     bytes[];  /* the list: opaque24 each, leaf first                                   */
};

/* Both directions of the wire. */
struct records {
    struct inbuf    in;
    struct outq     out;
    struct protect  read, write;
    struct messages messages;
    struct arrivals rules;
};

enum question { ASK_NOTHING, ASK_SERVER, ASK_SIGN, ASK_VERDICT, ASK_CLIENT };

/* Events that wait to be given out, one bit each. */
enum { WAITS_READY = 1, WAITS_EARLY = 2, WAITS_EARLY_REFUSED = 4, WAITS_TICKET = 8, WAITS_CLIENT_AUTH = 16 };

struct troth_conn {
    const struct config  *cfg;         /* one owner of it                                                        */
    const troth_allocator *memory;     /* of this struct                                                         */
    const struct witness *witness;     /* NULL: nobody listens                                                   */
    struct hs            *hs;          /* NULL once CONNECTED (and before the first troth_next)                  */
    struct shown         *shown;       /* the peer's chain, which stays after a failure                           */
    troth_report         *report;      /* on it, once somebody asked                                             */
    struct rare          *rare;
    size_t                size;        /* of this allocation: the host's name may lie behind the struct          */
    const char           *host;        /* client: whom to reach                                                  */
    const char           *sni;         /* client: what to send as server_name; NULL: host, "": nothing           */
    struct arena          keep;        /* facts of this connection                                               */

    uint8_t               state;       /* enum state                                                             */
    uint8_t               question;    /* enum question: no message is taken until the application answers       */
    uint8_t               events;      /* WAITS_ bits                                                            */
    bool                  ready, eof, close_sent, close_seen;
    bool                  send_later;  /* the transport takes nothing: the next answer is what there is beside SEND */
    bool                  failed;      /* the alert of `error` is queued, secrets are gone                       */
    bool                  peer_wants_update, update_asked; /* KeyUpdate owed to the peer; asked of it            */
    bool                  ticket_early; /* `ticket` allows early data                                           */
    bool                  cert_asked, cert_shown; /* client: a certificate was asked for; one was shown          */
    uint8_t               own_type, peer_type; /* kinds of certificate that were agreed (RFC 7250)               */
    uint8_t               key_updates, tickets_seen;       /* in a row, without application data between         */
    uint32_t              early_left;  /* bytes of early data that may still be written (client) or come (server) */
    uint8_t              *ticket;      /* of the TROTH_TICKET to come, or just given                             */
    size_t                ticket_n;

    struct ks_main        keys;        /* traffic secrets of now; exporter; resumption                           */
    struct facts          facts;
    struct quic          *quic;        /* NULL: records; in `keep`                                               */
    struct records        rec;
    uint64_t              bytes_in, bytes_out;
    struct trouble        error;       /* the first failure, once there is one                                   */
};

/* ---- small words that every file of this folder uses */
static inline struct told told_of(const struct troth_conn *c)
{
    return (struct told){ c->witness, c->cfg->key_log, c->cfg->key_log_ctx, c->facts.client_random };
}

/* The configuration whose identities we show. */
static inline const struct config *shown_by(const struct troth_conn *c)
{
    return c->rare && c->rare->shows ? c->rare->shows : c->cfg;
}

static inline enum direction our_side(const struct troth_conn *c)
{
    return c->cfg->is_server ? FROM_SERVER : FROM_CLIENT;
}

static inline enum direction peer_side(const struct troth_conn *c)
{
    return c->cfg->is_server ? FROM_CLIENT : FROM_SERVER;
}

/* ---- conn.c */

/* A reader on the body of a peer's message; tells the witness that it came. */
struct rd message_reader(struct troth_conn *c, struct rd_ctx *ctx, const struct message *m);
/* Copies: one lives as long as the connection, the other as long as the handshake.  False: out of memory, and failed. */
bool MUST_USE conn_keep(struct troth_conn *c, span *out, span s);
bool MUST_USE hs_keep(struct troth_conn *c, span *out, span s);
struct rare *conn_rare(struct troth_conn *c); /* NULL: out of memory, and failed */
/* Room for `n` bytes of the peer's chain instead of what was there.  NULL: out of memory, and failed. */
struct shown *conn_shown(struct troth_conn *c, size_t n);
void conn_shown_free(struct troth_conn *c);
/* The peer's chain; empty: it showed none. */
static inline span conn_chain(const struct troth_conn *c)
{
    return c->shown ? span_of(c->shown->bytes, c->shown->n) : SPAN_NONE;
}
bool MUST_USE conn_random(struct troth_conn *c, uint8_t *out, size_t n);
/* A handshake's memory begins, with room for `more` than most need, and ends. */
bool MUST_USE hs_begin(struct troth_conn *c, size_t more);
void hs_end(struct troth_conn *c);
/* Suite chosen: hash, AEAD, and the transcript begins.  Client: it must be one that was offered. */
bool MUST_USE hs_use_suite(struct troth_conn *c, uint16_t suite);
/* By what records are padded: as configured; while a handshake that ECH hides goes on, at least a little. */
void conn_padding(struct troth_conn *c);
/* The application is asked; hs_take(A_...) goes on with its answer. */
void conn_ask(struct troth_conn *c, enum question q);
/* The handshake is complete: TROTH_READY will be given out, application data may come. */
void conn_ready(struct troth_conn *c);
/* `name` was negotiated: facts point at our own copy of it. */
bool MUST_USE conn_alpn(struct troth_conn *c, span name);
/* RFC 8449: the limit that we name in a version, ours or all that a record can hold; what the peer's extension says about records we send,
 * (0: nothing) and ours about those it sends. */
uint16_t conn_own_limit(const struct config *cfg, uint16_t version);
bool MUST_USE conn_record_limit(struct troth_conn *c, uint16_t theirs);
/* Before what is received changes its keys or its author: no message may be half there. */
bool MUST_USE conn_aligned(struct troth_conn *c);
/* Installs the traffic keys of a secret.  WRITE: what waits in the flight is sealed with the old ones first.  READ: no message may be
 * half there.  `epoch`: EPOCH_ of base/witness.h. */
enum way { READ, WRITE };
bool MUST_USE conn_keys13(struct troth_conn *c, enum way way, uint8_t epoch, const struct secret *traffic);

/* Everything from here on is told to `w`. */
void conn_watch(struct troth_conn *c, const struct witness *w);
/* Told to the witness, if there is one. */
void tell_decision(const struct troth_conn *c, const char *what, const char *rule, const struct names *as, span ours, span theirs,
                   uint64_t chosen);
void tell_choice_text(const struct troth_conn *c, const char *what, const char *rule, span ours, span theirs, span chosen);

#endif
