/* records.h - what an authority has issued and revoked: `ca.db' beside its certificate, SQLite.
 *
 * Must never take a damaged or a strange database for an empty one.  All SQL of the program is in records.c. */
#ifndef CLI_CA_RECORDS_H
#define CLI_CA_RECORDS_H

#include <stdbool.h>
#include <stdint.h>
#include <troth/types.h>

#include "common/args.h"

struct records;

/* A certificate that was issued. */
struct record {
    int64_t     id;
    troth_span  issuer;        /* SHA-256 of the SubjectPublicKeyInfo of who signed it                    */
    troth_span  serial, spki_sha256, sha256, der;
    const char *subject;
    const char *names;         /* a JSON array: ["DNS:shop.example", "IP:192.0.2.1"]                      */
    const char *kind;          /* "server", "client", "authority"                                         */
    const char *file;          /* in the authority's folder; NULL: not known                              */
    int64_t     not_before, not_after, made;
    int64_t     revoked;       /* when; 0: it is not                                                      */
    int         reason;        /* CRLReason, -1: none                                                     */
};

/* Whom the calls are about; what is not said does not restrict. */
struct record_query {
    int64_t     id;
    troth_span  sha256, serial, issuer;
    const char *name;          /* one of its names, with or without "DNS:"                                */
    const char *patterns;      /* a JSON array of shell patterns: for names, subjects and serial numbers  */
    bool        revoked;       /* only these                                                              */
    bool        due;           /* only what the next CRL has: what was revoked, until one that was made after its end had it (RFC 5280 3.3) */
    int64_t     now, expiring; /* of those that are valid at `now', and that no later one with later end replaces, who ends before; 0: all */
};

/* Every call returns an exit status, EXIT_OK or another after a message. */

/* `write': makes the database where there is none.  Else *out is NULL where there is none, which every call below takes for an empty one. */
int records_open(struct records **out, const struct args *a, const char *path, bool write);
void records_close(struct records *);
/* Until records_commit, or records_close which undoes, nobody else writes. */
int records_begin(struct records *);
int records_commit(struct records *);

/* Its `id' and `revoked' are not looked at. */
int records_add(struct records *, const struct record *);
/* Nobody ever got it. */
int records_drop(struct records *, troth_span issuer, troth_span serial);
/* It lies in another file now. */
int records_move(struct records *, int64_t id, const char *file);
/* Calls `one' for each, the one that ends first first, until it answers other than EXIT_OK: that.  What it is given lives as long as the call. */
int records_each(struct records *, const struct record_query *, int (*one)(void *ctx, const struct record *), void *ctx);

/* Since `when', unless it was revoked before: that stays.  reason -1: none. */
int records_revoke(struct records *, int64_t id, int64_t when, int reason);

/* ---- the newest CRL of each issuer */

struct record_crl {
    troth_span issuer, der;
    int64_t    number, this_update, next_update;
};

/* The number of the next one. */
int records_crl_number(struct records *, troth_span issuer, int64_t *number);
/* Instead of the one before; what was due is in it. */
int records_crl_keep(struct records *, const struct record_crl *);
int records_crl(struct records *, troth_span issuer, int (*one)(void *ctx, const struct record_crl *), void *ctx);

/* ---- what certificates of an issuer say of where to find what is needed to judge them (RFC 5280 4.2.1.13, 4.2.2.1) */

enum record_url { URL_CRL, URL_OCSP, URL_ISSUER, URL_KINDS };
enum { URL_MOST = 1024 };

struct record_urls {
    char url[URL_KINDS][URL_MOST + 1]; /* "": none */
};

int records_urls(struct records *, troth_span issuer, struct record_urls *);
int records_urls_keep(struct records *, troth_span issuer, const struct record_urls *);

/* "keyCompromise" (RFC 5280 5.3.1); NULL: it says nothing. */
const char *record_reason(int reason);

#endif
