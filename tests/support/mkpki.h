/* mkpki.h - certificates, keys and everything around them, made in one line, for tests.
 *
 *     struct mk *m = mk_new();
 *     struct issue root = mk_ca("CN=Root", mk_key(m, TROTH_KEY_P256));
 *     struct issue leaf = mk_leaf(&root, mk_key(m, TROTH_KEY_P256), "a.example");
 *     span der = mk_cert(m, &leaf);
 *
 * Everything lives until mk_free.  A failure to make something fails the test. */
#ifndef TESTS_SUPPORT_MKPKI_H
#define TESTS_SUPPORT_MKPKI_H

#include "x509/issue.h"

enum { MK_DAY = 86400, MK_YEAR = 365 * 86400 };
#define MK_NOW ((int64_t)1790000000) /* 2026-09-21: the time of all tests */

struct mk {
    struct arena    arena;
    troth_provider *crypto;
    struct pki_ctx  p;
    troth_key      *keys[64]; /* to be freed */
    size_t          n_keys;
};

struct mk *mk_new(void);
/* On another provider (fake/fake.h), of which it takes one ownership. */
struct mk *mk_new_with(troth_provider *);
void mk_free(struct mk *);
/* A new key; RSA: of 2048 bits. */
const troth_key *mk_key(struct mk *, enum troth_key_type);
const troth_key *mk_rsa(struct mk *, unsigned bits);
/* Specifications to start from: valid from a day before MK_NOW; change what the test is about. */
struct issue mk_ca(const char *subject, const troth_key *key);                                /* self-signed, ten years */
struct issue mk_sub_ca(const struct issue *by, const char *subject, const troth_key *key);    /* five years              */
struct issue mk_leaf(const struct issue *by, const troth_key *key, const char *dns);          /* serverAuth, 90 days     */
struct issue_crl mk_crl_spec(const struct issue *by);                                          /* a week, empty           */
span mk_cert(struct mk *, const struct issue *);
span mk_crl(struct mk *, const struct issue_crl *);
span mk_ocsp(struct mk *, const struct issue_ocsp *);
/* The key's SubjectPublicKeyInfo with another AlgorithmIdentifier. */
span mk_spki(struct mk *, const troth_key *, span algorithm);
/* RSASSA-PSS, tied to SHA-256 or SHA-384 and to salts of this many bytes or more. */
#define MK_PSS_(hash, salt)                                                                                                              \
    SPAN_TEXT("\x30\x41\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a\x30\x34\xa0\x0f" hash                                                   \
              "\xa1\x1c\x30\x1a\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08" hash "\xa2\x03\x02\x01" salt)
#define MK_HASH_(last)      "\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02" last "\x05\x00"
#define MK_PSS_SHA256(salt) MK_PSS_(MK_HASH_("\x01"), salt)
#define MK_PSS_SHA384(salt) MK_PSS_(MK_HASH_("\x02"), salt)
/* PEM text of several DER objects, zero-terminated. */
const char *mk_pem(struct mk *, const char *label, const span *ders, size_t n);
/* Writes a file into a fresh directory of this process, removed by mk_free_files at exit; returns its path. */
const char *mk_file(struct mk *, const char *name, span bytes);
/* Runs a shell command in that directory; its exit status; output (both streams) in *out, zero-terminated. */
int mk_run(struct mk *, const char **out, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Bytes of an integer, for serial numbers.  Like TEXTS it lives as long as the block it stands in: SPAN_TEXT("\x55") lives for ever. */
#define MK_SERIAL(...) SPAN_OF(((const uint8_t[]){ __VA_ARGS__ }))

#endif
