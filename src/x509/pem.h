/* pem.h - files: which PKI objects are in these bytes, PEM or DER, and what it is when there are none.
 *
 * Reads what people really have: several blocks in one file, CRLF, text before, between and behind, headers inside a block, a byte
 * order mark.  Decides what an object is from its label or its shape, and reads nothing inside it: that is its own parser's work. */
#ifndef X509_PEM_H
#define X509_PEM_H

#include "x509/ctx.h"

enum object_kind {
    OBJECT_UNKNOWN,       /* nothing that we know                                  */
    OBJECT_EMPTY,         /* no bytes, or only white space                         */
    OBJECT_TEXT,          /* text without a PEM block                              */
    OBJECT_HTML,          /* a web page                                            */
    OBJECT_UTF16,         /* text in UTF-16: saved by an editor of Windows         */
    OBJECT_BASE64,        /* base64 without BEGIN and END lines                    */
    OBJECT_DER,           /* DER of a kind that we do not know                     */
    OBJECT_CERTIFICATE,
    OBJECT_TRUSTED_CERTIFICATE, /* "TRUSTED CERTIFICATE": OpenSSL's own, with trust settings behind it */
    OBJECT_CSR,
    OBJECT_CRL,
    OBJECT_PRIVATE_KEY,   /* PKCS#8                                                */
    OBJECT_ENCRYPTED_KEY, /* PKCS#8, encrypted                                     */
    OBJECT_RSA_KEY,       /* PKCS#1                                                */
    OBJECT_EC_KEY,        /* SEC1                                                  */
    OBJECT_DSA_KEY,
    OBJECT_PUBLIC_KEY,    /* SubjectPublicKeyInfo                                  */
    OBJECT_RSA_PUBLIC_KEY,
    OBJECT_PARAMETERS,    /* of EC or DH                                           */
    OBJECT_PKCS7,
    OBJECT_PKCS12,
    OBJECT_OCSP_RESPONSE,
    OBJECT_OCSP_REQUEST,
    OBJECT_ECH_CONFIG,
    OBJECT_SSH_KEY,       /* OpenSSH's private key                                 */
    OBJECT_SSH_PUBLIC_KEY,
    OBJECT_PGP,
    OBJECT_SESSION,       /* OpenSSL's SSL SESSION PARAMETERS                      */
    OBJECT_KIND_COUNT
};

/* One object of a file. */
struct object {
    enum object_kind kind;
    span     der;       /* decoded (in the arena) or the file's own bytes                          */
    span     label;     /* of its PEM block; empty for DER                                         */
    span     comment;   /* the text before its block, up to the block before                       */
    uint32_t line;      /* of its BEGIN line, from 1; 0 for DER                                    */
    bool     encrypted; /* by the old headers (Proc-Type: 4,ENCRYPTED): `der` is ciphertext        */
    span     pem;       /* the block as it is in the file, BEGIN to END                            */
};

/* One PEM block as it stands, before it is decoded. */
struct pem_block {
    span     label, body, whole, before;
    uint32_t line;
    bool     encrypted;
};

/* The next block of *text, which is moved behind it; *line counts lines.  False at the end - and when a block is broken, in which case
 * e is set (no END line, an END that is another's, a label that is not printable). */
bool MUST_USE pem_next(span *text, uint32_t *line, struct pem_block *b, troth_error *e);
/* The bytes of a block.  False with p->error set: not base64, or no memory. */
bool MUST_USE pem_decode(struct pki_ctx *p, const struct pem_block *b, span *der);

enum object_kind object_kind_by_label(span label);
/* What these DER bytes are, by their shape.  OBJECT_UNKNOWN: not DER at all. */
enum object_kind object_kind_of_der(span der);
/* What a whole file is when there is no PEM block in it. */
enum object_kind object_kind_of_file(span file);
/* "a certificate request": with its article. */
const char *object_kind_text(enum object_kind);
/* Stable word for JSON: "certificate-request". */
const char *object_kind_code(enum object_kind);

/* Every object in the file, in order; PEM or DER (also several DER objects one behind the other).  False with p->error set when there
 * is none, or when one is broken; *list holds those before it. */
bool MUST_USE objects_read(struct pki_ctx *p, span file, struct object **list, size_t *n);
/* The failure of a file that should have held a `wanted` and holds `o` (NULL: nothing).  Always false. */
bool objects_wanted(struct pki_ctx *p, enum object_kind wanted, const struct object *o);

/* A PEM block around `der`: 64 columns, LF.  Length written; 0 when it does not fit (cap 0 and out NULL: the length needed). */
size_t pem_write(char *out, size_t cap, const char *label, span der);

#endif
