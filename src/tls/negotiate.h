/* negotiate.h - the choices of a handshake, as pure functions: two lists in, a choice and the rule that made it out.
 *
 * The rule is the sentence that an explanation shows, so it comes from the code that chose.  Nothing here knows a connection. */
#ifndef TLS_NEGOTIATE_H
#define TLS_NEGOTIATE_H

#include "tls/config.h"
#include "wire/ext.h"

struct choice {
    bool        found;
    uint16_t    id;
    const char *rule; /* also when nothing was found: why */
};

/* Server: the version.  `theirs`: supported_versions, a list of u16; when the extension is absent, the one legacy_version. */
struct choice choose_version(uint16_t least, uint16_t most, span theirs, bool has_extension, uint16_t legacy_version);

/* Server: the cipher suite of this version.  `key`: of the identity, which TLS 1.2 suites depend on; TROTH_KEY_NONE: any. */
struct choice choose_suite(const struct config *cfg, uint16_t version, span theirs, enum troth_key_type key);

/* Server: the group.  *has_share: the client sent a share for it, else a HelloRetryRequest is needed. */
struct choice choose_group(span ours, const struct exts *theirs, bool *has_share);
/* Likewise, by the order of ours alone; equal: u8 for each of ours, not 0 where the next is as good (theirs decides); may be shorter. */
struct choice choose_group_strictly(span ours, span equal, const struct exts *theirs, bool *has_share);

/* The protocol name; `name` is ours.  Found with an empty name: none is needed. */
struct choice_text {
    bool        found;
    span        name;
    const char *rule;
};
struct choice_text choose_alpn(span ours, span theirs, bool optional);

/* What a certificate of ours has to please. */
struct asked_of_us {
    uint16_t    version;
    span        server_name;  /* empty: none was sent, or we are the client */
    span        schemes;      /* of CertificateVerify                       */
    span        schemes_cert; /* of the chain; empty: as `schemes`          */
    span        authorities;  /* list of opaque16; empty: any               */
    span        oid_filters;  /* list of OIDFilter; empty: none             */
    span        suites;       /* TLS 1.2: the client's, which limit the kind of key; empty: any */
    span        groups;       /* TLS 1.2: the client's, which limit the curves of ECDSA keys (RFC 8422 5.1); empty: any */
    span        types;        /* RFC 7250 certificate types; empty: X.509   */
    span        types12;      /* TLS 1.2: ClientCertificateType of the request (RFC 8422 5.5); empty: any */
    span        delegated;    /* schemes for delegated credentials; empty: not wanted */
    int64_t     now;          /* with it: for their end                     */
};

struct choice_identity {
    const struct identity *identity; /* NULL: none fits       */
    const struct scheme   *scheme;
    bool                   name_matched;
    bool                   delegated;    /* by its delegated credential; `scheme` is that credential's */
    const char            *rule;
    enum troth_reason      why;      /* none fits: what is wrong with the last one */
};
struct choice_identity choose_identity(const struct config *cfg, const struct asked_of_us *asked);
/* The first of the identity's schemes that they can verify in this version. */
const struct scheme *choose_scheme(const struct identity *id, uint16_t version, span theirs);

/* The curve of an ECDSA key, as a group; 0: it is of another kind. */
uint16_t key_curve(enum troth_key_type type);

/* Post-quantum or hybrid: a group whose secrecy does not rest on discrete logarithms alone. */
bool group_is_quantum_safe(uint16_t group);

#endif
