/* quic_ends.h - two ends of ngtcp2 in one process: the TLS of one is troth, of the other troth or GnuTLS.  Packets go from one to the other
 * in memory; time is a number that the test moves.
 *
 * Packets of troth's end are protected with libcrypto (quic_protect.h), those of GnuTLS's end by ngtcp2's own helper for it. */
#ifndef TESTS_INTEROP_QUIC_ENDS_H
#define TESTS_INTEROP_QUIC_ENDS_H

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <ngtcp2/ngtcp2_crypto_gnutls.h>
#include <troth/quic.h>

#include "interop/quic_protect.h"
#include "support/test.h"

struct quic_setup {
    bool              gnutls;
    const char       *priority;       /* GnuTLS */
    troth_client     *client;         /* troth: one of them; borrowed */
    troth_server     *server;
    troth_span        root, chain, key; /* PEM: GnuTLS; chain empty: none to show */
    bool              asks;           /* GnuTLS server: for a certificate */
    bool              early;
    gnutls_datum_t    ticket_key;     /* GnuTLS server; the next too */
    gnutls_anti_replay_t anti_replay;
    const struct quic_kept *kept;     /* client: resume, with early data if it can be */
};

struct quic_kept {
    uint8_t  ticket[8192];
    size_t   n;
    ngtcp2_transport_params parameters;
};

struct quic_end {
    const char            *name;
    bool                   server;
    struct quic_setup      setup;
    ngtcp2_conn           *q;
    troth_conn            *c;
    gnutls_session_t       s;
    gnutls_certificate_credentials_t credentials;
    ngtcp2_crypto_conn_ref ref;
    const struct quic_suite *suite;
    bool                   completed, confirmed, aead_known, parameters_known, failed;
    unsigned               key_updates;
    int64_t                stream;
    const uint8_t         *say;       /* what goes out on the stream, and how much of it went */
    size_t                 say_n, said;
    uint8_t               *heard;
    size_t                 heard_n, heard_early;
    uint64_t               closed_by; /* the error code of the peer's CONNECTION_CLOSE */
    struct quic_kept       kept;
    bool                   early_refused;
};

struct quic_link {
    struct quic_end client, server;
    ngtcp2_tstamp   now;
    size_t          packets;
};

void quic_link_new(struct quic_link *, const struct quic_setup *client, const struct quic_setup *server);
void quic_link_free(struct quic_link *);
/* Until `done` says so, or nothing happens for long; false then. */
bool quic_link_run(struct quic_link *, bool (*done)(struct quic_link *));
/* quic_ends.c: what both kinds of end are made of; quic_tls.c: the TLS of each. */
int  quic_tls_start(struct quic_end *e);  /* 0, or -1 */
void quic_tls_callbacks(struct quic_end *e, ngtcp2_callbacks *cb);
void quic_tls_free(struct quic_end *e);

#endif
