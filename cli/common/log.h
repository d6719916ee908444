/* log.h - one line per event on standard error: logfmt, JSON, or logfmt for the journal. */
#ifndef CLI_LOG_H
#define CLI_LOG_H

#include <troth/troth.h>

#include "common/args.h"

struct log {
    bool json, journal, quiet, verbose;
};

bool log_init(struct log *l, const struct args *a);
/* key=value pairs: (key, value) strings, ended by a NULL key.  A NULL value leaves its pair out. */
void log_line(const struct log *l, const char *level, const char *event, ...) __attribute__((sentinel));
/* What became of a handshake: one line that both sides can find by `hs` (troth_hello_name).  with_client: the peer is one. */
void log_handshake(const struct log *l, const char *peer, const troth_conn *c, bool with_client);

#endif
