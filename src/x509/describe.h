/* describe.h - what is in a certificate, request, key, CRL or OCSP response, in plain words: a flat tree of facts (troth/pki.h).
 *
 * Reads with the same parsers that judge.  Must never fail on what is merely wrong: a malformed object is described as far as it goes. */
#ifndef X509_DESCRIBE_H
#define X509_DESCRIBE_H

#include <troth/pki.h>

#include "x509/cert.h"
#include "x509/ctx.h"
#include "x509/pem.h"

struct facts {
    struct pki_ctx *p;
    troth_fact     *v;
    size_t          n, cap;
    uint8_t         depth;
    int64_t         now;
    bool            lost; /* memory ran out */
};

void facts_init(struct facts *f, struct pki_ctx *p, int64_t now);
/* Each returns the row, to which a note may be added; a dummy when memory ran out. */
troth_fact *fact_text(struct facts *f, const char *key, const char *label, const char *fmt, ...) PRINTF_LIKE(4, 5);
troth_fact *fact_number(struct facts *f, const char *key, const char *label, int64_t v);
troth_fact *fact_bool(struct facts *f, const char *key, const char *label, bool v);
troth_fact *fact_time(struct facts *f, const char *key, const char *label, int64_t t);
troth_fact *fact_bytes(struct facts *f, const char *key, const char *label, span s);
void fact_open(struct facts *f, enum troth_fact_kind group_or_list, const char *key, const char *label);
void fact_close(struct facts *f);
void fact_note(struct facts *f, troth_fact *row, bool warn, const char *fmt, ...) PRINTF_LIKE(4, 5);
/* A copy in the arena, "" when there is no memory. */
const char *fact_copy(struct facts *f, const char *text);

void describe_certificate(struct facts *f, span der);
void describe_request(struct facts *f, span der);
void describe_crl(struct facts *f, span der);
void describe_ocsp(struct facts *f, span der);
void describe_public_key(struct facts *f, span spki);
void describe_failure(struct facts *f, const troth_error *e);
/* The extensions of a certificate or request, and those nobody knows. */
void describe_extensions(struct facts *f, const struct cert *c);
void describe_key(struct facts *f, const char *key, const char *label, span spki);
void describe_fingerprint(struct facts *f, const char *key, const char *label, span of);
void describe_signature(struct facts *f, span sig_alg);
void describe_name(struct facts *f, const char *key, const char *label, span name);
/* "DNS:x", "IP:192.0.2.1" ...; into t. */
void general_name_show(struct text *t, const struct general_name_item *g);
/* "P-256", "RSA 2048", "DSA" from a SubjectPublicKeyInfo. */
void key_show(struct text *t, span spki);
/* "ECDSA with SHA-256" from an AlgorithmIdentifier. */
void sig_alg_show(struct text *t, span sig_alg);

#endif
