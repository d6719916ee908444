/* ocsp.h - OCSP responses (RFC 6960), stapled or given: read, and what they say about a certificate; and requests to send.
 *
 * Nothing here fetches: the program does.  A response counts when it is about this very certificate, fresh, and signed by the issuer or
 * by a responder that the issuer itself certified for this. */
#ifndef X509_OCSP_H
#define X509_OCSP_H

#include "x509/crl.h"
#include "x509/ctx.h"

/* CertStatus, by its tag (RFC 6960 4.2.1) */
enum ocsp_cert_status { OCSP_GOOD, OCSP_REVOKED, OCSP_UNKNOWN };

struct ocsp_single {
    span               hash_oid, name_hash, key_hash, serial;
    enum troth_hash_id hash;        /* of the CertID; 0: not one that we know */
    uint8_t            status;      /* enum ocsp_cert_status                  */
    int64_t            revoked;
    uint8_t            reason;      /* enum crl_reason                        */
    int64_t            this_update, next_update;
    bool               has_next_update;
    span               scts;        /* SignedCertificateTimestampList in its extensions; empty: none */
    bool               unknown_critical;
    span               raw;
};

struct ocsp {
    span     raw;
    uint8_t  response_status;       /* 0 successful; then the rest is there */
    span     data;                  /* tbsResponseData: what is signed      */
    span     sig_alg, sig_oid, signature;
    uint8_t  sig;                   /* enum troth_sig */
    uint16_t sig_salt_n;
    bool     by_key;
    span     responder;             /* Name, or SHA-1 of the responder's key */
    int64_t  produced;
    span     singles;               /* content of responses */
    uint32_t n_singles;
    bool     has_nonce, unknown_critical;
    span     nonce;
    span     certs;                 /* content of certs: Certificates one behind the other */
};

/* "malformedRequest"; "" for a number that does not exist. */
const char *ocsp_response_status_name(unsigned status);
bool MUST_USE ocsp_parse(struct ocsp *o, span der, const struct witness *witness, troth_error *error);
/* The answers, one at a time; *list starts as o->singles. */
bool ocsp_single_next(span *list, struct ocsp_single *s);
/* The certificates in it, one at a time (DER each); *list starts as o->certs. */
bool ocsp_cert_next(span *list, span *der);

/* What is wrong with who signed, or with how; `what` is NULL: nothing is. */
struct ocsp_fault {
    const char       *what;
    enum troth_reason why;
};

struct ocsp_question {
    const troth_provider *crypto;
    const struct cert    *cert, *issuer;
    const struct ocsp    *response;
    int64_t               now;
    span                  nonce;          /* that the request had; empty: there was none */
    bool                  need_nonce;     /* a response without one is of no use         */
    struct rev_memory    *memory;         /* of the whole verdict; may be NULL           */
    unsigned              max_signatures;
    /* Why a delegated responder's certificate, signed by the issuer as it should be, may not be used all the same.  May be NULL. */
    struct ocsp_fault   (*responder_fault)(void *ctx, const struct cert *responder);
    void                 *ctx;
};

/* As crl_status; `why` of UNKNOWN is one of OCSP_...  Additionally which answer it was and who signed (delegated responders: their
 * certificate; `no_check`: it says that its own status need not be asked for). */
struct ocsp_found {
    struct ocsp_single single;
    bool               delegated, no_check;
    span               responder_cert;
};
void ocsp_status(struct rev_answer *a, struct ocsp_found *found, const struct ocsp_question *q);
/* The answer about `cert` in `o`, whoever signed it; false when there is none. */
bool ocsp_find(const struct ocsp *o, const struct ocsp_question *q, struct ocsp_single *s);

/* A request about one certificate (RFC 6960 4.1, RFC 9654), in p's arena.  nonce may be empty. */
bool MUST_USE ocsp_request(struct pki_ctx *p, const struct cert *cert, const struct cert *issuer, enum troth_hash_id hash, span nonce,
                           span *der);

#endif
