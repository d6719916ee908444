/* signable.h - what TLS has signed, by its form.  Must never take for a handshake what could be anything else: a certificate, a request, a
 * delegated credential, a message of another protocol. */
#ifndef CLI_SIGNABLE_H
#define CLI_SIGNABLE_H

#include <stdbool.h>
#include <troth/troth.h>

/* Would an end of TLS, a server's or a client's, have this signed by that scheme?
 *
 * TLS 1.3: 64 spaces, the context of that end, a zero, one digest (RFC 9846 4.5.2), and no scheme that only TLS 1.2 has.
 * TLS 1.2, server: both randoms and the parameters of a named curve (RFC 8422 5.4).
 * TLS 1.2, client: the messages of a handshake from ClientHello to ClientKeyExchange (RFC 5246 7.4.8). */
bool signable(troth_span data, uint16_t scheme, bool server);

#endif
