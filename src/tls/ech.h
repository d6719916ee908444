/* ech.h - what one handshake knows of Encrypted Client Hello (RFC 9849), and what its two sides share. */
#ifndef TLS_ECH_H
#define TLS_ECH_H

#include "crypto/hpke.h"
#include "tls/conn.h"
#include "wire/ech.h"

enum ech_stage {
    ECH_OFF,      /* not offered (client); not asked for, or no keys (server)                                    */
    ECH_GREASE,   /* client: looks as if                                                                         */
    ECH_OFFERED,  /* client: the server has not answered yet                                                     */
    ECH_ACCEPTED, /* the inner hello counts                                                                      */
    ECH_REJECTED, /* the outer hello counts, for the public name                                                 */
    ECH_BACKEND   /* server without keys: a client-facing server opened the hello and passed the inner one on    */
};

/* Records of an encrypted handshake are padded to a multiple of this where no other padding is set: certificates, names and tickets have
 * lengths that tell (RFC 9849 6.1.3). */
enum { ECH_PAD_TO = 1024 };

enum { ECH_CONFIRMATION_N = 8, ECH_INFO_MAX = 8 + 0xffff };

struct hs_ech {
    uint8_t  stage;                  /* enum ech_stage                                                           */
    uint8_t  config_id;
    uint16_t aead;
    struct hpke hpke;                /* for one hello, or for two                                                */
    uint8_t  enc[HPKE_ENC_N];
    struct ech_config config;        /* client: chosen; spans into the configuration                             */
    uint8_t  outer_random[32];       /* client                                                                   */
    span     inner_name;             /* client: server_name of the inner hello; empty: none                      */
    span     inner, outer;           /* client: the first hellos: one of the two counts                          */
    struct ext_set inner_asked;      /* client: extensions of the inner hello                                    */
    struct transcript *before;       /* client: up to the second hello, if HelloRetryRequest confirmed           */
    struct ech_client_hello sent;    /* client: what the extension said, to be said again                        */
    struct psk_identity fake[LIMIT_PSKS]; /* client: PSKs of the outer hello, which are none                     */
    span     retry_configs;          /* client: as received, not yet to be believed.  Server: to be sent         */
};

/* The memory for it, made when it is first needed.  NULL: out of memory, and failed. */
struct hs_ech *hs_ech(struct troth_conn *c);

static inline enum ech_stage ech_stage(const struct troth_conn *c)
{
    return c->hs && c->hs->ech ? (enum ech_stage)c->hs->ech->stage : ECH_OFF;
}

/* The two lines of the key log, by the random of the outer hello (RFC 9850), if there is one. */
bool MUST_USE ech_log(struct troth_conn *c, const uint8_t outer_random[32], span config);

/* "tls ech", 0, ECHConfig (RFC 9849 6.1): into `w`. */
void ech_info_write(struct wr *w, span config);
/* The signal of acceptance in `message`, which `before` precedes and where its 8 bytes begin at `at` (RFC 9849 7.2, 7.2.1). */
void ech_confirmation(uint8_t out[ECH_CONFIRMATION_N], const struct transcript *before, span message, size_t at,
                      const uint8_t inner_random[32], const char *label);
/* Labels of it, and where it stands in a ServerHello. */
extern const char ech_accept_label[], ech_retry_label[];
enum { ECH_ACCEPT_AT = 4 + 2 + 24 };

#endif
