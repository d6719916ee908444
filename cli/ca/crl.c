/* crl.c - troth ca revoke, troth ca crl: what does not hold any more, and the list that says so.
 *
 * Must never give a list that lacks what was revoked, and never two different ones with the same number. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "ca/ca.h"
#include "common/digits.h"
#include "common/idn.h"
#include "common/outfile.h"
#include "common/tty.h"

/* A root is asked seldom. */
enum { CRL_DAYS = 30, ROOT_CRL_DAYS = 365, SERIAL_MOST = 64 };

/* ---- making one */

struct entries {
    const struct args *a;
    troth_pki_revoked *v;
    uint8_t          (*serials)[SERIAL_MOST];
    size_t             n, room;
};

static int entry_add(void *ctx, const struct record *c)
{
    struct entries *e = ctx;
    if (e->n == e->room) {
        size_t room = e->room ? 2 * e->room : 64;
        void *v = reallocarray(e->v, room, sizeof *e->v);
        if (v)
            e->v = v;
        void *serials = v ? reallocarray(e->serials, room, sizeof *e->serials) : NULL;
        if (serials)
            e->serials = serials;
        if (!serials)
            return complain(e->a, EXIT_BUG, "memory ran out");
        e->room = room;
    }
    size_t n = c->serial.n < SERIAL_MOST ? c->serial.n : SERIAL_MOST;
    memcpy(e->serials[e->n], c->serial.p, n);
    e->v[e->n++] = (troth_pki_revoked){ .serial = { NULL, n }, .when = c->revoked, .reason = c->reason };
    return EXIT_OK;
}

/* Within records_begin and records_commit: the next one, signed and kept in the records. */
static int crl_make(struct ca *r, const struct authority *ca, long days, struct record_crl *crl, size_t *n)
{
    struct entries e = { .a = r->a };
    *crl = (struct record_crl){ .issuer = { ca->f.spki_sha256, 32 }, .this_update = r->now - CA_BACKDATE, .next_update = r->now + days * CA_DAY };
    struct record_query q = { .issuer = crl->issuer, .due = true };
    int status = records_each(r->records, &q, entry_add, &e);
    if (status == EXIT_OK)
        status = records_crl_number(r->records, crl->issuer, &crl->number);
    for (size_t i = 0; i < e.n; i++)
        e.v[i].serial.p = e.serials[i];
    if (status == EXIT_OK) {
        crl->der = troth_pki_crl(r->w, ca->cert, ca->key, e.v, e.n, (uint64_t)crl->number, crl->this_update, crl->next_update);
        status = crl->der.n ? records_crl_keep(r->records, crl) : ca_failed(r);
    }
    *n = e.n;
    free(e.v);
    free(e.serials);
    return status;
}

int crl_root(struct ca *r, const struct authority *root)
{
    struct record_crl crl;
    size_t n;
    int status = records_begin(r->records);
    if (status == EXIT_OK)
        status = crl_make(r, root, ROOT_CRL_DAYS, &crl, &n);
    return status == EXIT_OK ? records_commit(r->records) : status;
}

struct publishing {
    struct ca     *r;
    struct outfile file;
    size_t         n;
};

struct alone {
    struct ca              *r;
    const struct authority *by;
    bool                    root;
};

static int publish_one(void *ctx, const struct record_crl *crl)
{
    struct publishing *p = ctx;
    troth_span pem = troth_pki_pem(p->r->w, "X509 CRL", crl->der);
    if (!pem.n)
        return ca_failed(p->r);
    (void)!outfile_put(&p->file, pem.p, pem.n); /* outfile_close says it */
    p->n++;
    if (crl->next_update < p->r->now)
        complain(p->r->a, 0, "the root's list has ended, and so nobody can tell whether it revoked the intermediate: bring its key back, and run troth ca crl");
    return EXIT_OK;
}

static int not_published(struct ca *r, const char *path)
{
    return complain(r->a, EXIT_FILE, "%s: %s; it is in the records: mend that, and run troth ca crl", path, strerror(errno));
}

/* What is there already is made again: certificates that were issued before may still lead to it. */
static int publish_file(struct ca *r, bool wanted, const char *name, troth_span der)
{
    char path[CA_PATH];
    if (!ca_path(r, path, name))
        return EXIT_USAGE;
    return (!wanted && !ca_is_file(path)) || ca_replace(path, der) ? EXIT_OK : not_published(r, path);
}

/* What addresses in certificates lead to is one object, in DER (RFC 5280 4.2.1.13, 4.2.2.1): for whoever serves it. */
static int publish_alone(void *ctx, const struct record_crl *crl)
{
    struct alone *p = ctx;
    struct record_urls urls;
    int status = records_urls(p->r->records, crl->issuer, &urls);
    if (status == EXIT_OK)
        status = publish_file(p->r, urls.url[URL_CRL][0], p->root ? "root.crl" : "ca.crl", crl->der);
    return status == EXIT_OK ? publish_file(p->r, urls.url[URL_ISSUER][0], p->root ? "root.cer" : "ca.cer", p->by->cert) : status;
}

/* The newest that is in the records, whoever made it: of two that publish at once, the later one does not bring back the older list. */
static int crl_publish(struct ca *r, const struct issuers *by, const char *path)
{
    struct publishing p = { .r = r };
    int status = records_begin(r->records);
    if (status != EXIT_OK)
        return status;
    if (!outfile_open(&p.file, path, 0644))
        return not_published(r, path);
    for (size_t i = 0; status == EXIT_OK && i < by->n; i++)
        status = records_crl(r->records, (troth_span){ by->all[i].f.spki_sha256, 32 }, publish_one, &p);
    if (!outfile_close(&p.file, status == EXIT_OK) && status == EXIT_OK)
        status = not_published(r, path);
    for (size_t i = 0; status == EXIT_OK && i < by->n; i++)
        status = records_crl(r->records, (troth_span){ by->all[i].f.spki_sha256, 32 }, publish_alone, &(struct alone){ r, &by->all[i], i > 0 });
    if (status == EXIT_OK && p.n < by->n)
        complain(r->a, 0, "the root's list is not in the records, and so nobody can tell whether it revoked the intermediate: bring its key back, and run troth ca crl");
    return status == EXIT_OK ? records_commit(r->records) : status;
}

/* ---- whom it is about */

struct found {
    struct ca *r;
    size_t     all, live;  /* how many there are; of them neither revoked nor expired */
    int64_t    id;         /* the last one, of those that live if there are any       */
    bool       show, live_only;
};

static int found_one(void *ctx, const struct record *c)
{
    struct found *f = ctx;
    bool live = !c->revoked && c->not_after >= f->r->now;
    if (f->show && (live || !f->live_only))
        ca_print_record(stderr, c, f->r->now);
    f->all++;
    f->live += live;
    if (live || !f->live)
        f->id = c->id;
    return EXIT_OK;
}

/* One of them is meant: which?  Else they are shown. */
static int only_one(struct ca *r, const char *what, const struct record_query *q, int64_t *id)
{
    struct found f = { .r = r };
    int status = records_each(r->records, q, found_one, &f);
    size_t n = f.live ? f.live : f.all;
    *id = f.id;
    if (status != EXIT_OK || n == 1)
        return status;
    if (!n)
        return complain(r->a, EXIT_USAGE, "`%s' is no file, and neither the serial number nor a name of a certificate that was issued here; see troth ca list", what);
    complain(r->a, EXIT_USAGE, "`%s' is a name of %zu certificates; nothing was done.  Say which by its serial number:", what, n);
    f = (struct found){ .r = r, .show = true, .live_only = f.live != 0 };
    status = records_each(r->records, q, found_one, &f);
    return status == EXIT_OK ? EXIT_USAGE : status;
}

/* A serial number as people write it: hexadecimal digits, perhaps with colons. */
static troth_span serial_of(const char *text, uint8_t out[SERIAL_MOST])
{
    char digits[2 * SERIAL_MOST + 2];
    size_t n = 0;
    for (; *text && n < sizeof digits - 1; text++)
        if (*text != ':')
            digits[n++] = *text;
    bool ok = !*text && n && n % 2 == 0 && n / 2 <= SERIAL_MOST && hex_bytes(out, digits, n / 2);
    return (troth_span){ out, ok ? n / 2 : 0 };
}

/* In a file: the intermediate's own is the root's to revoke. */
static int find_file(struct ca *r, const struct issuers *by, const char *path, int64_t *id, size_t *who)
{
    troth_span cert;
    troth_cert_facts f;
    int status = ca_read_cert(r, path, &cert, &f);
    *who = status == EXIT_OK && by->n > 1 && !memcmp(f.sha256, by->all[0].f.sha256, sizeof f.sha256);
    return status == EXIT_OK ? authority_record(r, &by->all[*who], path, cert, id) : status;
}

static int find(struct ca *r, const struct issuers *by, const char *what, int64_t *id, size_t *who)
{
    uint8_t digits[SERIAL_MOST];
    char ascii[256];
    const char *why = NULL;
    struct stat st;
    struct record_query q = { .serial = serial_of(what, digits) };
    struct found f = { .r = r };
    int status = EXIT_OK;
    if (!stat(what, &st) && S_ISREG(st.st_mode))
        return find_file(r, by, what, id, who);
    for (*who = 0; status == EXIT_OK && q.serial.n && *who < by->n; (*who)++) {
        q.issuer = (troth_span){ by->all[*who].f.spki_sha256, 32 };
        status = records_each(r->records, &q, found_one, &f);
        *id = f.id;
        if (f.all || status != EXIT_OK)
            return status;
    }
    *who = 0;
    q.issuer = (troth_span){ by->all[0].f.spki_sha256, 32 };
    q.serial.n = 0;
    q.name = idn_ascii(ascii, sizeof ascii, what, &why);
    return q.name ? only_one(r, what, &q, id) : complain(r->a, EXIT_USAGE, "`%s': %s", what, why);
}

/* ---- what is said */

static int tell_json(void *row, const struct record *c)
{
    *(json_t **)row = ca_record_json(c, c->revoked);
    return EXIT_OK;
}

static int tell_words(void *ctx, const struct record *c)
{
    char serial[CA_HEX], when[40];
    const char *why = record_reason(c->reason);
    (void)ctx;
    printf("revoked %s \"", ca_hex(serial, c->serial));
    print_safely(stdout, c->subject);
    printf("\", since %s%s%s\n", time_words(when, sizeof when, c->revoked), why ? ": " : "", why ? why : "");
    return EXIT_OK;
}

static int tell(struct ca *r, const struct record_crl *crl, size_t n, const char *path, int64_t revoked)
{
    char from[40], until[40];
    struct record_query q = { .id = revoked };
    json_t *row = NULL;
    int status = EXIT_OK;
    if (args_has(r->a, OPT_QUIET))
        return status;
    time_words(from, sizeof from, crl->this_update);
    time_words(until, sizeof until, crl->next_update);
    bool json = args_has(r->a, OPT_JSON);
    if (revoked)
        status = records_each(r->records, &q, json ? tell_json : tell_words, &row);
    if (json) {
        json_t *o = json_pack("{s:s, s:o, s:I, s:s, s:s, s:I, s:o}", "schema", "troth.ca-crl/1", "crl", json_text(path), "number", (json_int_t)crl->number,
                              "this_update", from, "next_update", until, "revoked", (json_int_t)n, "certificate", row ? row : json_null());
        json_dumpf(o, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
        putchar('\n');
        json_decref(o);
        return status;
    }
    printf("made the revocation list, number %lld, with %zu certificate%s; the next one is due by %s\n  file         %s\n", (long long)crl->number, n,
           n == 1 ? "" : "s", until, path);
    return status;
}

/* ---- the verbs */

static int load(struct ca *r, struct issuers *by)
{
    int status = authority_load_all(r, by, true);
    return status == EXIT_OK ? ca_open_records(r, true) : status;
}

/* id 0: nothing is revoked besides.  A root whose key is not here has said what it has to say before. */
static int revoke_and_list(struct ca *r, const struct issuers *by, int64_t id, int reason)
{
    char path[CA_PATH];
    struct record_crl crl, root_crl;
    size_t n = 0, root_n = 0;
    long days;
    if (!args_number(r->a, OPT_DAYS, 1, CA_DAYS_MOST, CRL_DAYS, &days) || !ca_path(r, path, "crl.pem"))
        return EXIT_USAGE;
    int status = records_begin(r->records);
    if (status == EXIT_OK)
        status = crl_not_behind(r, by->all, by->n);
    if (status == EXIT_OK && id)
        status = records_revoke(r->records, id, r->now, reason);
    if (status == EXIT_OK)
        status = crl_make(r, &by->all[0], days, &crl, &n);
    if (status == EXIT_OK && by->n > 1 && by->all[1].key)
        status = crl_make(r, &by->all[1], ROOT_CRL_DAYS, &root_crl, &root_n);
    if (status == EXIT_OK)
        status = records_commit(r->records);
    if (status == EXIT_OK)
        status = crl_publish(r, by, path);
    return status == EXIT_OK ? tell(r, &crl, n + root_n, path, id) : status;
}

int ca_crl(struct ca *r)
{
    struct issuers by;
    if (r->a->n_operands > 1)
        return complain(r->a, EXIT_USAGE, "crl takes no names: what is revoked is said with troth ca revoke");
    int status = load(r, &by);
    return status == EXIT_OK ? revoke_and_list(r, &by, 0, -1) : status;
}

int ca_revoke(struct ca *r)
{
    /* certificateHold, which can be taken back, and those that are for others than certificates are not here */
    static const char *const words[] = { "unspecified", "keyCompromise", "cACompromise", "affiliationChanged", "superseded", "cessationOfOperation",
                                         "privilegeWithdrawn", NULL };
    static const int codes[] = { -1, 1, 2, 3, 4, 5, 9 }; /* RFC 5280 5.3.1: of "unspecified" nothing is said */
    struct issuers by;
    int64_t id = 0;
    size_t who = 0;
    int why = args_word(r->a, OPT_REASON, words, 0);
    if (why < 0)
        return EXIT_USAGE;
    if (r->a->n_operands != 2)
        return complain(r->a, EXIT_USAGE, "revoke needs one certificate: a file, a serial number or a name");
    int status = load(r, &by);
    if (status == EXIT_OK)
        status = find(r, &by, r->a->operands[1], &id, &who);
    if (status == EXIT_OK && !by.all[who].key)
        status = complain(r->a, EXIT_FILE, "root-key.pem: it is not here, and only the root can revoke its intermediate: bring it back for that");
    return status == EXIT_OK ? revoke_and_list(r, &by, id, codes[why]) : status;
}
