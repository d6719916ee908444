/* socks.h - the words that open a way through a SOCKS 5 proxy (RFC 1928), with user and password where it wants them (RFC 1929). */
#ifndef CLI_SOCKS_H
#define CLI_SOCKS_H

#include "net/via.h"

/* NULL: the way to `t` is open, and not a byte of it was read.  Else what the proxy did instead, and *why. */
const char *socks_open(int fd, const struct via *v, const struct target *t, uint64_t deadline, enum troth_reason *why);

#endif
