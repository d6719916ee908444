/* ca.h - the verbs of `troth ca', and what they share.
 *
 * Must never overwrite a file that nobody asked to replace, never write a key that others can read, and never write a certificate that
 * troth itself would refuse. */
#ifndef CLI_CA_H
#define CLI_CA_H

#include <stdio.h>
#include <troth/pki.h>

#include "ca_records.h"

enum { CA_PATH = 4096, CA_DAY = 86400, CA_DAYS_MOST = 36500, CA_CN_MOST = 64 /* RFC 5280 A.1, ub-common-name */, CA_HELD = 16,
       CA_HEX = 2 * 64 + 1 };
/* Clocks of other machines are a little behind. */
enum { CA_BACKDATE = 3600 };

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
    const troth_key *key;
    troth_cert_facts f;
};

/* -- the verbs; exit statuses */
int ca_init(struct ca *);
int ca_issue(struct ca *);
int ca_list(struct ca *);
int ca_revoke(struct ca *);
int ca_crl(struct ca *);

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
/* What was made, in words or as JSON.  key_path NULL: none was. */
void ca_report(struct ca *, const char *what, troth_span cert, const char *cert_path, const char *key_path, const char *advice);

/* -- ca_authority.c */
/* False after a message that says how to make one. */
bool authority_is_there(struct ca *, const char *cert_path);
/* `ca.pem' and `ca-key.pem' of the folder, which belong together. */
int authority_load(struct ca *, struct authority *);
/* A message where troth would not accept this certificate for `name': then no one is to get it. */
bool authority_may(struct ca *, const struct authority *, troth_span cert, const char *name, int64_t at, bool client);
/* The number in the records of the certificate in a file: an older troth may have issued it, then it is put there now. */
int authority_record(struct ca *, const struct authority *, const char *path, int64_t *id);
/* What the records say of a certificate of this authority, as far as it is known from the certificate.  names: to be freed. */
int record_from(struct ca *, const struct authority *, troth_span cert, struct record *, char **names, troth_cert_facts *);

/* -- ca_list.c: a row of the table; the same for programs */
void ca_print_record(FILE *, const struct record *, int64_t now);
struct json_t *ca_record_json(const struct record *, int64_t now);

/* -- ca_files.c */
/* The file's name of a certificate for `name': "*.example" -> "_wildcard.example.pem", "-client.pem", "-key.pem". */
void ca_file_names(const char *name, bool client, char *cert, char *key, size_t cap);
/* Both files or none; the key first, so that no certificate lies about without its key.  key_path NULL: there is none. */
int ca_write_pair(struct ca *, const char *cert_path, troth_span cert_pem, const char *key_path, troth_span key_pem);

#endif
