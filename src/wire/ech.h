/* ech.h - the bytes of Encrypted Client Hello (RFC 9849): configurations, and the inner ClientHello in its encoded form.
 *
 * HPKE, and the decision whether to use a configuration, are elsewhere (tls/ech*.c). */
#ifndef WIRE_ECH_H
#define WIRE_ECH_H

#include "wire/msg.h"

enum { ECH_VERSION = 0xfe0d };

/* ECHConfig (RFC 9849 4). */
struct ech_config {
    uint16_t version;                 /* other than ECH_VERSION: only `raw` is meaningful, and clients ignore it  */
    span     raw;                     /* the whole ECHConfig: version, length, contents ("info" of HPKE needs it) */
    uint8_t  config_id;
    uint16_t kem_id;
    span     public_key;
    span     cipher_suites;           /* list of (kdf_id, aead_id), 4 bytes each                                  */
    uint8_t  maximum_name_length;
    span     public_name;
    span     extensions;              /* list of ECHConfigExtension                                               */
    bool     has_mandatory;           /* an extension with the high bit set: a client must not use the config     */
};

/* ECHConfigList<4..2^16-1>. */
struct ech_config_list {
    struct ech_config configs[LIMIT_ECH_CONFIGS];
    uint8_t           n;              /* kept; further ones are checked and left out                              */
};

/* The list with its length in front; nothing may follow. */
bool MUST_USE ech_config_list_read(struct ech_config_list *l, struct rd *r);
/* One configuration, from its parts (`raw` is not read).  A list: wr_open(w, 2), configurations, wr_close. */
void ech_config_write(struct wr *w, const struct ech_config *c);
/* Does it offer this pair? */
bool ech_config_has_suite(const struct ech_config *c, uint16_t kdf_id, uint16_t aead_id);
/* Is the public name one that a client may use (RFC 9849 6.1.7): LDH labels, not an IPv4 address? */
bool ech_public_name_ok(span public_name);

/* Server: EncodedClientHelloInner -> ClientHelloInner (a body, without header).  The session id comes from the outer hello, and what
 * ech_outer_extensions names is copied from it, in order (RFC 9849 5.1).  Fails (through `r`) on anything that the outer does not
 * have, that is out of order, that is named twice, on ech_outer_extensions or encrypted_client_hello named, on padding that is not
 * zeros, on an inner hello without encrypted_client_hello of type inner.  `outer` must have been gathered. */
bool MUST_USE ech_inner_expand(struct wr *w, struct rd *r, const struct client_hello *outer);
/* Client: ClientHelloInner -> EncodedClientHelloInner with `padding` zeros.  Rows of `from_outer` are replaced by their mention in
 * one ech_outer_extensions; they must stand together in inner->exts.seen, else the writer is bad. */
void ech_inner_encode(struct wr *w, const struct client_hello *inner, const struct ext_set *from_outer, size_t padding);

#endif
