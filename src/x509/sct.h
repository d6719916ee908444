/* sct.h - signed certificate timestamps (RFC 6962): lists of them, and whether a log that we know signed each.
 *
 * They come in the certificate, in an OCSP response, in TLS; all are judged alike.  The list of logs is the caller's. */
#ifndef X509_SCT_H
#define X509_SCT_H

#include "x509/cert.h"

struct ct_log {
    uint8_t     id[32];    /* SHA-256 of its key                           */
    struct spki key;       /* borrowed from the bytes given to ct_log_init */
    const char *name;
};

/* Borrows `spki` (SubjectPublicKeyInfo) and `name`.  False: not a key that a log may have (P-256, RSA). */
bool MUST_USE ct_log_init(struct ct_log *log, const troth_provider *crypto, span spki, const char *name);

enum sct_source { SCT_IN_CERT, SCT_IN_OCSP, SCT_IN_TLS };

struct sct {
    uint8_t  version;                   /* 0: v1 */
    uint8_t  hash_alg, sig_alg;
    span     log_id, extensions, signature;
    uint64_t timestamp;                 /* milliseconds since 1970 */
    span     raw;
};

/* Opens a SignedCertificateTimestampList: *list for sct_next.  False: not one (it may not be empty either). */
bool MUST_USE scts_open(span bytes, span *list, const struct witness *witness, troth_error *error);
/* One at a time; false at the end.  An SCT of another version than v1 has only raw and version. */
bool sct_next(span *list, struct sct *s);
/* A list of SCTs, for writing: as in the certificate's extension. */
struct wr;
void sct_list_write(struct wr *w, const span *scts, size_t n);

struct sct_question {
    const troth_provider *crypto;
    const struct cert    *cert, *issuer;
    const struct ct_log  *logs;
    size_t                n_logs;
    span                  in_ocsp, in_tls;  /* lists; the certificate's own are looked for in it */
    int64_t               now;
    unsigned              max_signatures;
};

struct sct_verdict {
    struct sct           sct;
    enum sct_source      source;
    const struct ct_log *log;  /* NULL: not in the list */
    enum troth_reason    why;  /* NONE: good            */
};

struct sct_answer {
    unsigned          n, good_logs; /* verdicts; different logs with a good SCT    */
    unsigned          signatures;
    enum troth_reason why;          /* the first that was malformed as a list      */
    int64_t           newest;       /* of the good ones, seconds since 1970        */
    struct sct_verdict v[64];
};
void sct_status(struct sct_answer *a, const struct sct_question *q);

#endif
