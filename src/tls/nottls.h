/* nottls.h - who speaks here, if it is not TLS: told by the first bytes. */
#ifndef TLS_NOTTLS_H
#define TLS_NOTTLS_H

#include "base/error.h"

/* Fails with the reason of the protocol that `first` looks like (peer.not-tls.http, ...); `from_server`: the peer is one.  Always false.
 * An error that is set already is replaced: this one says more. */
bool not_tls(troth_error *e, span first, bool from_server);

#endif
