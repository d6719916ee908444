/* starttls.h - the words of other protocols that come before a TLS handshake. */
#ifndef CLI_STARTTLS_H
#define CLI_STARTTLS_H

#include "common/args.h"

/* --starttls names a protocol that is spoken here, or was not given.  Else a message and false. */
bool starttls_known(const struct args *a);
/* Speaks until the peer is ready for a ClientHello.  False: `said` is what it said instead. */
bool starttls(const char *protocol, int fd, const char *host, int timeout_ms, char *said, size_t cap);

#endif
