/* ca.h - the verbs of `troth ca', and what they share.
 *
 * Must never overwrite a file that nobody asked to replace, never write a key that others can read, and never write a certificate that
 * troth itself would refuse. */
#ifndef CLI_CA_H
#define CLI_CA_H

#include <stdio.h>
#include <troth/pki.h>

#include "ca/records.h"

enum { CA_PATH = 4096, CA_DAY = 86400, CA_DAYS_MOST = 36500, CA_CN_MOST = 64 /* RFC 5280 A.1, ub-common-name */, CA_HELD = 16,
       CA_HEX = 2 * 64 + 1 };
/* Clocks of other machines are a little behind. */
enum { CA_BACKDATE = 3600 };
#define CA_LATEST 253402300799 /* the end of 9999 (RFC 5280 4.1.2.5) */

/* One run of one verb. */
struct ca {
    const struct args *a;
    troth_pki         *w;
    const char        *dir;
    int64_t            now;
    struct records    *records;
    uint8_t           *held[CA_HELD]; /* files that certificates point into */
    size_t             n_held;
};

/* Whoever signs. */
struct authority {
    troth_span       cert;
    const troth_key *key;   /* NULL: a root whose key is elsewhere                                      */
    troth_cert_facts f;
    troth_span       root;  /* of an intermediate: who issued it; empty: the certificate itself, as far as we know */
};

/* Who issues here: the authority, and the root above it if that is ours as well. */
struct issuers {
    struct authority all[2];
    size_t           n;
};

/* What is to be signed. */
enum { ORDER_NAMES = 1000 };
struct order {
    bool             client, must_staple;
    const char      *names[ORDER_NAMES + 1];
    size_t           n;
    char             ascii[ORDER_NAMES][256]; /* international names                                    */
    troth_span       request;   /* for the key in it; empty: for a key of ours                          */
    const troth_key *key;       /* that one; NULL: a new one, such as this where --key-type says nothing  */
    enum troth_key_type key_type;
    unsigned         rsa_bits;
    int64_t          not_before, not_after;
    troth_span       cert, key_pem;           /* what came of it                                        */
};

/* What was made, to be told. */
struct made {
    const char *what, *cert_path, *key_path;  /* key_path NULL: none was                                */
    troth_span  cert;
    const char *root_path, *root_key_path;    /* of an intermediate                                     */
    const char *kept_path;                    /* what was replaced                                      */
    const char *advice;
};

/* -- the verbs; exit statuses */
int ca_init(struct ca *);
int ca_issue(struct ca *);
int ca_list(struct ca *);
int ca_revoke(struct ca *);
int ca_crl(struct ca *);
int ca_renew(struct ca *);
int ca_ocsp(struct ca *);
int ca_urls(struct ca *);
int ca_request(struct ca *);
int ca_trust(struct ca *);
int ca_distrust(struct ca *);

/* -- ca.c */
/* The workshop failed: by what was asked, or by what is in a file. */
int ca_failed(struct ca *);
int ca_unusable(struct ca *, const char *path);
/* `name' in the authority's folder; false after a message. */
bool ca_path(struct ca *, char out[CA_PATH], const char *name);
/* Nothing is there yet; false after a message. */
bool ca_is_new(struct ca *, const char *path);
/* A file whole, until the end of the run. */
int ca_hold(struct ca *, const char *path, troth_span *bytes);
/* Its first certificate. */
int ca_read_cert(struct ca *, const char *path, troth_span *der, troth_cert_facts *);
/* RFC 4514: CN and what it is. */
void ca_common_name(char *out, size_t cap, const char *text);
/* From when on a certificate is valid, --not-before or now, and until when. */
int ca_dates(struct ca *, long days_otherwise, long *days, int64_t *from, int64_t *until);
/* ca.db; for those who write it is made. */
int ca_open_records(struct ca *, bool write);
/* Hexadecimal digits; what is longer than a serial number can be is cut. */
const char *ca_hex(char out[CA_HEX], troth_span bytes);
/* In words or as JSON. */
void ca_report(struct ca *, const struct made *);

/* -- authority.c */
/* False after a message that says how to make one. */
bool authority_is_there(struct ca *, const char *cert_path);
/* `ca.pem' and `ca-key.pem' of the folder, which belong together; where that is an intermediate, also `root.pem'.  Without key: for what
 * needs none. */
int authority_load(struct ca *, struct authority *, bool with_key);
/* `root.pem' and `root-key.pem'.  Without the first it has no certificate; without the second no key. */
int authority_load_root(struct ca *, struct authority *, bool with_key);
int authority_load_all(struct ca *, struct issuers *, bool with_keys);
/* A certificate as servers give it: with the intermediate behind it, where there is one. */
troth_span authority_chain(struct ca *, const struct authority *, troth_span cert);
/* A message where troth would not accept this certificate for `name': then no one is to get it. */
bool authority_may(struct ca *, const struct authority *, troth_span cert, const char *name, int64_t at, bool client);
/* The number in the records of a certificate, which was read from that file: an older troth may have issued it, then it is put there now. */
int authority_record(struct ca *, const struct authority *, const char *path, troth_span cert, int64_t *id);
/* What the records say of a certificate of this authority, as far as it is known from the certificate.  names: to be freed. */
int record_from(struct ca *, const struct authority *, troth_span cert, struct record *, char **names, troth_cert_facts *);

/* -- crl.c */
/* The root's list, in the records. */
int crl_root(struct ca *, const struct authority *root);

/* -- published.c */
/* Within records_begin: crl.pem is none of these authorities' lists of which the records do not know; a message otherwise. */
int crl_not_behind(struct ca *, const struct authority *, size_t n);

/* -- urls.c: the addresses that an issuer's certificates say */
/* On the command line is none that cannot be one; a message otherwise. */
int urls_check(const struct args *);
/* Some are given there, for the authority or for its root. */
bool urls_given(const struct args *, bool root);
/* Those of an issuer; what is given is kept from now on. */
int urls_of(struct ca *, const struct authority *, bool root, struct record_urls *);
/* A certificate of that issuer is to say them.  They live as long as it takes. */
void urls_say(troth_pki_spec *, const struct record_urls *);

/* -- key.c */
/* A new key of --key-type; else of that type (RSA: of so many bits; NONE: the default).  NULL after a message. */
const troth_key *ca_new_key(struct ca *, enum troth_key_type, unsigned rsa_bits);
/* The key in a file, which may have a password. */
int ca_load_key(struct ca *, const char *path, const troth_key **key);
/* The two belong together. */
bool ca_is_key_of(struct ca *, const troth_key *, const troth_cert_facts *);

/* -- list.c: a row of the table; the same for programs */
void ca_print_record(FILE *, const struct record *, int64_t now);
/* --expiring: what ends so soon, or has ended so short a time ago, when whoever was to renew it was not there.  False after a message. */
bool ca_ending(struct ca *, struct record_query *);
struct json_t *ca_record_json(const struct record *, int64_t now);

/* -- issue.c */
/* "DNS:localhost" -> "localhost" */
const char *bare_name(const char *);
/* The key, and perhaps the names, in --csr. */
int order_request(struct ca *, struct order *, bool names_too);
/* The names on the command line; a request's own where there are none. */
int order_operands(struct ca *, struct order *);
/* The names that a certificate has. */
int order_names(struct ca *, struct order *, const char *about, const troth_cert_facts *);
/* From --days and --not-before, within the authority's own dates. */
int order_dates(struct ca *, const struct authority *, struct order *, long days_otherwise);
/* Signs, and makes the key; a message where troth would not accept what comes of it. */
int order_make(struct ca *, const struct authority *, struct order *);

/* -- files.c */
/* The file's name of a certificate for `name': "*.example" -> "_wildcard.example.pem", "-client.pem", "-key.pem"; "crl" -> "_crl.pem". */
void ca_file_names(const char *name, bool client, char *cert, char *key, size_t cap);
bool ca_is_file(const char *path);
/* The certificate that the operand means: a file, or a name whose file is in the folder (--client: the client's). */
int ca_find_cert(struct ca *, char path[CA_PATH]);
/* "x.pem" -> "x" and `ending'; false: too long. */
bool ca_beside(char out[CA_PATH], const char *path, const char *ending);
/* The name of a file of the authority's folder; NULL: it lies elsewhere. */
const char *ca_own_file(const struct ca *, const char *path);
/* What can be made again: in the place of what is there.  False with errno set. */
bool ca_replace(const char *path, troth_span bytes);
/* Both files or none; the key first, so that no certificate lies about without its key.  key_path NULL: there is none. */
int ca_write_pair(struct ca *, const char *cert_path, troth_span cert_pem, const char *key_path, troth_span key_pem);

#endif
