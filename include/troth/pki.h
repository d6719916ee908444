/* troth/pki.h - make and read keys, certificates, requests, CRLs: a workshop for programs.
 *
 *     troth_pki *w = troth_pki_new(troth_libcrypto());
 *     const troth_key *key = troth_pki_make_key(w, TROTH_KEY_P256, 0);
 *     troth_pki_spec spec = { .size = sizeof spec, .subject = "CN=shop.example", .names = names, .not_before = now, .not_after = later };
 *     troth_span cert = troth_pki_issue(w, &spec, key, ca_cert, ca_key);
 *     if (!cert.n)
 *         puts(troth_pki_error(w)->text);
 *
 * Everything that a workshop hands out lives as long as the workshop.  The first failure sticks, and what is called after it fails too,
 * so that a program may check once; troth_pki_go_on forgets it.  NULL is a valid workshop: one that ran out of memory.
 * Nothing here reads a clock or a file. */
#ifndef TROTH_PKI_H
#define TROTH_PKI_H

#include <troth/provider.h>
#include <troth/types.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct troth_pki troth_pki;

/* Takes one ownership of the provider. */
TROTH_API TROTH_CHECK troth_pki *troth_pki_new(troth_provider *);
TROTH_API void troth_pki_free(troth_pki *);
/* The first failure; its reason is TROTH_R_NONE when there is none.  Never NULL. */
TROTH_API const troth_error *troth_pki_error(const troth_pki *);
TROTH_API void troth_pki_go_on(troth_pki *);

/* ---- keys */

/* rsa_bits: of TROTH_KEY_RSA alone, 2048 to 16384. */
TROTH_API const troth_key *troth_pki_make_key(troth_pki *, enum troth_key_type, unsigned rsa_bits);
/* PEM or DER; PKCS#8 (also encrypted), SEC1, PKCS#1. */
TROTH_API const troth_key *troth_pki_load_key(troth_pki *, troth_span bytes, troth_passphrase_fn *ask, void *ctx);
/* The private key as PKCS#8 PEM; the memory is wiped with the workshop. */
TROTH_API troth_span troth_pki_key_pem(troth_pki *, const troth_key *);
/* Its SubjectPublicKeyInfo, DER. */
TROTH_API troth_span troth_pki_public(troth_pki *, const troth_key *);

/* ---- making */

enum troth_pki_use { TROTH_USE_SERVER = 1, TROTH_USE_CLIENT = 2, TROTH_USE_EMAIL = 4, TROTH_USE_CODE = 8, TROTH_USE_OCSP = 16 };

typedef struct troth_pki_spec {
    size_t             size;        /* sizeof this struct                                                                      */
    const char        *subject;     /* RFC 4514: "CN=shop.example,O=Shop"; NULL: empty                                         */
    const char *const *names;       /* ends with NULL: "shop.example", "192.0.2.1", "a@b.example", "https://x/", "DNS:x", ...  */
    int64_t            not_before, not_after;
    unsigned           uses;        /* enum troth_pki_use; of a CA: what it may issue for; 0: not said                         */
    bool               ca;
    bool               has_path_len;
    unsigned           path_len;    /* authorities below a CA                                                                  */
    const char *const *permitted, *const *excluded; /* name constraints of a CA; as names, addresses as ranges: "10.0.0.0/8"   */
    const char        *ocsp_url, *issuer_url, *crl_url;
    bool               must_staple;
} troth_pki_spec;

/* DER; empty on failure. */
TROTH_API troth_span troth_pki_self_sign(troth_pki *, const troth_pki_spec *, const troth_key *);
TROTH_API troth_span troth_pki_issue(troth_pki *, const troth_pki_spec *, const troth_key *subject, troth_span issuer_cert,
                                     const troth_key *issuer_key);
TROTH_API troth_span troth_pki_request(troth_pki *, const troth_pki_spec *, const troth_key *);
/* For the key in a request, whose signature is checked; what the request asks for counts only where the spec says it. */
TROTH_API troth_span troth_pki_issue_for(troth_pki *, const troth_pki_spec *, troth_span request, troth_span issuer_cert,
                                         const troth_key *issuer_key);

typedef struct troth_pki_revoked {
    troth_span serial;     /* as in the certificate */
    int64_t    when;
    int        reason;     /* CRLReason; -1: none   */
} troth_pki_revoked;
TROTH_API troth_span troth_pki_crl(troth_pki *, troth_span issuer_cert, const troth_key *issuer_key, const troth_pki_revoked *, size_t n,
                                   uint64_t number, int64_t this_update, int64_t next_update);
/* What an OCSP responder would answer about `cert` (RFC 6960), signed by its issuer: for a server to staple.  revoked: NULL, it is good;
 * its serial number is not looked at. */
TROTH_API troth_span troth_pki_ocsp(troth_pki *, troth_span cert, troth_span issuer_cert, const troth_key *issuer_key, const troth_pki_revoked *,
                                    int64_t this_update, int64_t next_update);
/* A request to an OCSP responder about a certificate; `nonce` may be empty. */
TROTH_API troth_span troth_pki_ocsp_request(troth_pki *, troth_span cert, troth_span issuer_cert, troth_span nonce);

/* "-----BEGIN label-----..."; zero-terminated beyond its length. */
TROTH_API troth_span troth_pki_pem(troth_pki *, const char *label, troth_span der);

/* ---- reading */

typedef struct troth_object {
    const char *kind;       /* "certificate", "certificate-request", "crl", "private-key", "ocsp-response", ...: stable */
    const char *what;       /* "a certificate": for people                                                              */
    troth_span  der;        /* of an encrypted PEM block: what is in it, still encrypted                                 */
    troth_span  pem;        /* its block in the file; empty for DER                                                     */
    uint32_t    line;       /* of its BEGIN line; 0: DER                                                                */
    bool        encrypted;
} troth_object;

/* Every object in a file, PEM or DER.  0: there is none, see troth_pki_error. */
TROTH_API size_t troth_pki_read(troth_pki *, troth_span file, const troth_object **objects);

/* What there is to know about an object, as a tree in depth-first order: `depth` says how deep a row is.  Texts are printable. */
enum troth_fact_kind {
    TROTH_FACT_GROUP,   /* rows below have keys of their own      */
    TROTH_FACT_LIST,    /* rows below are alike and have no key   */
    TROTH_FACT_TEXT,
    TROTH_FACT_NUMBER,  /* value in `number`, and as text         */
    TROTH_FACT_BOOL,
    TROTH_FACT_TIME,    /* seconds since 1970 in `number`, RFC 3339 as text */
    TROTH_FACT_BYTES    /* hexadecimal                            */
};
typedef struct troth_fact {
    enum troth_fact_kind kind;
    uint8_t     depth;
    const char *key;     /* "not_after": stable; NULL in a list */
    const char *label;   /* "not after": for people             */
    const char *text;    /* the value                           */
    const char *note;    /* in plain words, what it means; NULL: nothing to say */
    int64_t     number;
    bool        warn;    /* the note is a warning               */
} troth_fact;

/* `now` is what dates are compared with.  A malformed object is described as far as it goes, with the failure as its last fact, and the
 * workshop has no error then.  `pass` is asked when the object is encrypted; NULL: it is not opened. */
TROTH_API size_t troth_pki_describe(troth_pki *, const troth_object *, int64_t now, troth_passphrase_fn *pass, void *ctx,
                                    const troth_fact **facts);

/* The same of a certificate, for programs. */
typedef struct troth_cert_facts {
    size_t             size;               /* sizeof this struct, set before the call */
    const char        *subject, *issuer;   /* RFC 4514                                */
    const char        *title;              /* what a person would call it             */
    const char *const *names;              /* subjectAltName: "DNS:shop.example", "IP:192.0.2.1", ... ; ends with NULL */
    int64_t            not_before, not_after;
    const char        *serial;             /* hexadecimal */
    troth_span         serial_bytes;
    const char        *key, *signature;    /* "P-256", "RSA 2048"; "ECDSA with SHA-256" */
    enum troth_key_type key_type;
    troth_span         spki;
    uint8_t            sha256[32], spki_sha256[32];
    bool               ca, self_issued, must_staple;
    const char *const *ocsp_urls, *const *issuer_urls, *const *crl_urls; /* end with NULL */
} troth_cert_facts;
TROTH_API TROTH_CHECK bool troth_pki_cert(troth_pki *, troth_span der, troth_cert_facts *);
/* The same of a request: what it asks for, its own digest and signature; what only a certificate has is empty.  Fails unless it is signed
 * by the key in it. */
TROTH_API TROTH_CHECK bool troth_pki_asked(troth_pki *, troth_span request, troth_cert_facts *);

/* What is in a PKCS#12 file: certificates (of a trust store, or a chain) and the key with its certificate.  Key NULL: none in it. */
typedef struct troth_pkcs12 {
    size_t            n_certs;
    const troth_span *certs;       /* DER; the one that belongs to the key first */
    const char *const *titles;     /* friendly names; "" where there is none     */
    troth_span        key;         /* PKCS#8, DER; empty: none                   */
} troth_pkcs12;
TROTH_API TROTH_CHECK bool troth_pki_pkcs12(troth_pki *, troth_span bytes, troth_passphrase_fn *pass, void *ctx, troth_pkcs12 *);

#ifdef __cplusplus
}
#endif
#endif
