/* provider.h - finding algorithms in a provider, and checking one before it is used.
 *
 * Everything above crypto/ reaches cryptography through a troth_provider and these look-ups; nothing else includes a header of libcrypto. */
#ifndef CRYPTO_PROVIDER_H
#define CRYPTO_PROVIDER_H

#include <troth/provider.h>

#include "base/span.h"

/* The algorithm of that number, or NULL.  Lists are short; look up once per connection. */
const troth_hash *provider_hash(const troth_provider *p, enum troth_hash_id id);
const troth_aead *provider_aead(const troth_provider *p, enum troth_aead_id id);
const troth_kem *provider_kem(const troth_provider *p, uint16_t group);

/* May keys of this type make this kind of signature at all?  (Whether a provider can: its can_verify, its key_can.) */
bool sig_fits_key(enum troth_sig sig, enum troth_key_type type);
/* The hash that a kind of signature takes of the message; 0 when it hashes by itself (Ed25519, Ed448, ML-DSA). */
enum troth_hash_id sig_hash(enum troth_sig sig);

/* Does the provider keep to provider.h: all functions there, every size within its maximum, tails complete?  NULL when it does, or
 * what is wrong, in words. */
const char *provider_fault(const troth_provider *p);

#endif
