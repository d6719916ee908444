/* setup.h - from settings to configurations, and what a run of connections shares: provider, clock, sessions. */
#ifndef BOGO_SETUP_H
#define BOGO_SETUP_H

#include "shim.h"

/* Of the whole run. */
struct run {
    const struct settings *settings; /* TURN_COUNT of them                                       */
    troth_provider *provider;
    int64_t         now;             /* the clock stands still, and -resumption-delay moves it   */
    uint8_t         ticket[1 << 16]; /* client: of the connection before                         */
    size_t          ticket_n;
    bool            has_ticket;
    uint8_t         cached_id[32], cached[1 << 16]; /* server: the one TLS 1.2 session that is kept */
    size_t          cached_id_n, cached_n;
    unsigned        cache_puts;
    troth_key      *keys[CREDENTIALS_MAX + 1]; /* private keys behind TROTH_ASK_SIGN              */
    size_t          n_keys;
};

/* What has no meaning for troth: the test is not for us. */
bool setup_can(const struct settings *s);
troth_client *setup_client(struct run *r, const struct settings *s, troth_error *why);
/* `answer`: the configuration given in answer to TROTH_ASK_SERVER, which may differ from the first. */
troth_server *setup_server(struct run *r, const struct settings *s, enum turn turn, bool answer, troth_error *why);
/* Does the shim want to be asked about each hello? */
bool setup_asks(const struct settings *s);
/* Is the chain that the peer showed a good one? */
bool setup_judge(const struct run *r, const struct settings *s, const troth_report *shown);
/* For whom the peer's certificate must be. */
const char *setup_host(const struct settings *s);
void setup_end(struct run *r);

/* compress.c: the runner's own ways of compressing a certificate (they are no compression at all) */
enum { COMPRESSORS = 3 };
extern const troth_compressor compressors[COMPRESSORS];
const troth_compressor *compressor_by_id(int id); /* NULL: none */

#endif
