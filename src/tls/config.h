/* config.h - a frozen configuration: what a builder made, shared by any number of connections and threads.
 *
 * Nothing in it changes once it is built, except the count of its owners.  Lists are in wire format and already hold only
 * what the provider can do, so that offering one is writing a span, and a peer's list has the same type. */
#ifndef TLS_CONFIG_H
#define TLS_CONFIG_H

#include <stdatomic.h>
#include <troth/troth.h>

#include "base/arena.h"
#include "crypto/hkdf.h"
#include "tls/suite.h"
#include "wire/ext.h"
#include "x509/verify.h"

/* Which extensions an entry of Certificate carries: an index into the forms of a message that was serialized once. */
enum { FORM_STAPLE = 1, FORM_SCTS = 2, FORM_DELEGATED = 4, FORM_COUNT = 8 };

enum { COMPRESSORS_MAX = 4 };

/* Who we are: a chain (or a raw key) and its private key. */
struct identity {
    span               chain[LIMIT_CHAIN]; /* DER, leaf first; n 0: a raw public key                          */
    uint8_t            n;
    const struct cert *leaf;               /* chain[0], parsed; NULL for a raw key                            */
    span               issuers[LIMIT_CHAIN]; /* issuer's Name of each of the chain: what clients may ask for  */
    span               spki;
    enum troth_key_type key_type;
    troth_key         *key;                /* NULL: external, signatures are asked for                        */
    void              *tag;                /* of an external key                                              */
    uint32_t           can;                /* of one: bits 1u << enum troth_sig; 0: all of its type           */
    span               schemes;            /* list of u16 that this key can make, in order                    */
    span               staple, scts;
    span               forms[FORM_COUNT];  /* the TLS 1.3 Certificate message with an empty context, whole     */
    span               compressed[FORM_COUNT][COMPRESSORS_MAX]; /* the same as CompressedCertificate (RFC 8879) */
    span               form12;             /* the TLS 1.2 Certificate message, whole                          */
    struct delegated_credential dc;
    bool               has_dc;
    troth_key         *dc_key;             /* NULL: external as well                                          */
    void              *dc_tag;
    bool               must_match_issuer;
};

/* A PSK that the application gave (RFC 9846 4.3.11); imported ones (RFC 9258) are already derived. */
struct external_psk {
    span               identity, key;
    enum troth_hash_id hash;
    bool               imported;
};

/* A key of Encrypted Client Hello: an ECHConfig as it was published, and its private half. */
struct ech_server_key {
    span                     config, private_key;
    const struct ech_config *parsed; /* spans into `config` */
    bool                     retry;  /* told to clients that used another */
};

struct config {
    atomic_uint            owners;
    bool                   is_server;
    struct arena           arena;          /* everything that this struct points to lives here        */
    troth_provider        *provider;       /* one owner of it                                         */
    const troth_allocator *memory;

    /* what to speak */
    uint16_t               least, most;    /* versions                                                */
    span                   suites;         /* both versions, in order                                 */
    bool                   suites_given;   /* the application chose them: keep to its order           */
    span                   groups;
    bool                   strict_groups;  /* server: keep to their order                             */
    span                   equal_groups;   /* u8 each: 1: as good as the next                         */
    bool                   key_shares_given;
    span                   key_shares;     /* client: groups for which the first hello has a share    */
    span                   verify_schemes; /* CertificateVerify and certificates accepted from a peer */
    span                   cert_schemes;   /* of certificates alone; empty: like verify_schemes       */
    span                   alpn;           /* list of opaque8                                         */
    bool                   alpn_optional;
    bool                   strict_sni, ignore_names, ask_server;
    bool                   fallback;       /* client: TLS_FALLBACK_SCSV                               */

    /* who we are and whom we trust */
    struct identity       *identities;
    size_t                 n_identities;
    troth_policy          *policy;         /* one owner of it; NULL: nobody is to be verified         */
    uint8_t              (*pins)[32];
    size_t                 n_pins;
    bool                   pins_alone;     /* pins replace authorities                                */
    struct remembered     *remembered;     /* signatures on peers' certificates that were verified before; shared, without a lock */
    struct known_keys     *known_keys;     /* peers' keys that signed before, likewise                */
    bool                   verify_afresh;  /* none are remembered                                     */
    const char            *trust_anyone;   /* why; NULL: trust is checked                             */
    bool                   ask_verdict;
    enum troth_auth        client_auth;
    span                   authorities;    /* certificate_authorities, list of opaque16               */
    bool                   name_authorities;
    span                   oid_filters;    /* server: list of OIDFilter                               */
    bool                   post_handshake_auth, never_anonymous, ask_client;

    /* certificates beyond the basics */
    bool                   request_ocsp, request_scts, accept_delegated;
    uint32_t               most_certificate; /* bytes of a Certificate message                       */
    span                   peer_types, own_types; /* lists of u8; empty: X.509                           */
    const troth_compressor *compressors;
    size_t                 n_compressors;
    bool                   compressors_given; /* by the application: used as told, even if it makes longer */

    /* sessions */
    const troth_ticket_key *ticket_keys;
    size_t                 n_ticket_keys;
    struct hmac_key        ticket_secret;  /* keys are derived from it when none were given               */
    uint8_t                ticket_origin[8]; /* what their names begin with                                */
    uint8_t                trust_id[32];   /* by which rules peers are verified, in short                  */
    bool                   reverify;       /* judge the peer's chain again when a session is resumed       */
    unsigned               tickets;        /* per connection */
    bool                   no_tickets;     /* client: wants none, offers none                          */
    uint32_t               ticket_lifetime;
    const troth_session_cache *cache;
    uint32_t               early_data;     /* 0: off */
    bool                 (*first_time)(void *ctx, const uint8_t mark[32], int64_t expires);
    void                  *first_time_ctx;
    int64_t                first_time_since_us; /* what was seen before, first_time() does not know; 0: it does */
    const struct external_psk *psks;
    size_t                 n_psks;

    /* Encrypted Client Hello */
    span                   ech_configs;
    bool                   ech_grease, ech_required;
    const struct ech_server_key *ech_keys;
    size_t                 n_ech_keys;

    /* records */
    uint16_t               record_size_limit; /* 0: not sent                */
    uint16_t               max_fragment;      /* content of a record we send */
    enum troth_padding     padding;
    uint16_t               pad_block;
    bool                   grease;
    bool                   quic;           /* no records: QUIC carries handshake bytes (RFC 9001)      */
    bool                   middlebox;      /* compatibility mode (RFC 9846 E.4): session id, change_cipher_spec */
    uint8_t                cookie_key[32]; /* server: cookies of HelloRetryRequest are authentic by this key    */
    bool                   cookies, cookie_key_given, always_retry;

    /* worth knowing about a configuration that works */
    troth_error           *warnings;
    size_t                 n_warnings;

    /* time and secrets */
    int64_t              (*clock)(void *);    /* seconds since 1970; NULL: ask clock_us                         */
    int64_t              (*clock_us)(void *); /* microseconds; NULL: nothing finer than seconds is known        */
    void                  *clock_ctx;      /* of both */
    bool                   clock_given;    /* by the application: then it is not this machine's that may be wrong */
    void                 (*key_log)(void *, const char *line);
    void                  *key_log_ctx;
};

enum { SECOND_US = 1000000 };

struct troth_client {
    struct config config;
};
struct troth_server {
    struct config config;
};

/* One owner more; one less, and the last one frees.  Counting is the only thing that changes, so the configuration stays const to all
 * others. */
const struct config *config_share(const struct config *);
void config_free(const struct config *);

static inline int64_t config_now(const struct config *cfg)
{
    return cfg->clock ? cfg->clock(cfg->clock_ctx) : cfg->clock_us(cfg->clock_ctx) / SECOND_US;
}

static inline int64_t config_now_us(const struct config *cfg)
{
    return cfg->clock_us ? cfg->clock_us(cfg->clock_ctx) : cfg->clock(cfg->clock_ctx) * SECOND_US;
}

/* By how much a time between two readings of the clock may look longer than it was. */
static inline int64_t config_clock_grain(const struct config *cfg)
{
    return cfg->clock_us ? 0 : SECOND_US - 1;
}

#endif
