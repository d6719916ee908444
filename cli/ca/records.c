/* records.c - see records.h.  One table of certificates; every statement is prepared, and stands in one table here.
 *
 * Must never put text into SQL but as a parameter. */
#include "ca/records.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    APPLICATION = 0x74724341, /* "trCA": whose file it is, for us and for file(1)                       */
    LAYOUT_URLS = 2, /* has the table of them */
    LAYOUT = 2,
    PATIENCE_MS = 20000,      /* for another troth that writes                                          */
    URI_LONG = 3 * 4096 + 64
};

/* From each layout to the next: 0 is an empty file, and a new one takes every step.  Times are seconds since 1970. */
static const char *const steps[LAYOUT] = {
    "CREATE TABLE certificate ("
    " id INTEGER PRIMARY KEY,"
    " issuer BLOB NOT NULL CHECK (length(issuer) = 32),"
    " serial BLOB NOT NULL CHECK (length(serial) BETWEEN 1 AND 64),"
    " subject TEXT NOT NULL,"
    " names TEXT NOT NULL,"
    " kind TEXT NOT NULL CHECK (kind IN ('server', 'client', 'authority')),"
    " file TEXT,"
    " not_before INTEGER NOT NULL,"
    " not_after INTEGER NOT NULL,"
    " spki_sha256 BLOB NOT NULL,"
    " sha256 BLOB NOT NULL UNIQUE,"
    " der BLOB NOT NULL,"
    " made INTEGER NOT NULL,"
    " revoked INTEGER,"
    " reason INTEGER,"
    " listed INTEGER,"         /* thisUpdate of the last CRL that it was in */
    " UNIQUE (issuer, serial)) STRICT;"
    "CREATE INDEX replaced ON certificate (names, issuer, kind);"
    "CREATE TABLE crl ("
    " issuer BLOB PRIMARY KEY,"
    " number INTEGER NOT NULL,"
    " this_update INTEGER NOT NULL,"
    " next_update INTEGER NOT NULL,"
    " der BLOB NOT NULL) STRICT",

    "CREATE TABLE urls ("
    " issuer BLOB PRIMARY KEY CHECK (length(issuer) = 32),"
    " crl_url TEXT,"
    " ocsp_url TEXT,"
    " issuer_url TEXT) STRICT",
};

/* A CRL is due to say so, until one that was made after its end has. */
#define DUE "revoked IS NOT NULL AND (listed IS NULL OR listed <= not_after)"

enum sql { SQL_BEGIN, SQL_COMMIT, SQL_ADD, SQL_DROP, SQL_MOVE, SQL_EACH, SQL_REVOKE, SQL_NUMBER, SQL_CRL_KEEP, SQL_LISTED, SQL_CRL, SQL_URLS, SQL_URLS_KEEP, SQL_COUNT };

/* clang-format off */
static const char *const statements[SQL_COUNT] = {
    [SQL_BEGIN]  = "BEGIN IMMEDIATE",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ADD]    = "INSERT INTO certificate (issuer, serial, subject, names, kind, file, not_before, not_after, spki_sha256, sha256, der, made)"
                   " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    [SQL_DROP]   = "DELETE FROM certificate WHERE issuer = ?1 AND serial = ?2",
    [SQL_MOVE]   = "UPDATE certificate SET file = ?2 WHERE id = ?1",
    [SQL_EACH]   = "SELECT id, issuer, serial, subject, names, kind, file, not_before, not_after, spki_sha256, sha256, der, made, revoked, reason"
                   " FROM certificate AS c"
                   " WHERE (?1 IS NULL OR sha256 = ?1) AND (?2 IS NULL OR serial = ?2) AND (?3 IS NULL OR issuer = ?3)"
                   " AND (?4 IS NULL OR EXISTS (SELECT 1 FROM json_each(names) AS n"
                   "   WHERE lower(?4) IN (lower(n.value), lower(substr(n.value, instr(n.value, ':') + 1)))))"
                   " AND (?5 IS NULL OR EXISTS (SELECT 1 FROM json_each(?5) AS p WHERE lower(subject) GLOB lower(p.value)"
                   "   OR lower(hex(serial)) GLOB lower(p.value)"
                   "   OR EXISTS (SELECT 1 FROM json_each(names) AS n WHERE lower(n.value) GLOB lower(p.value)"
                   "     OR lower(substr(n.value, instr(n.value, ':') + 1)) GLOB lower(p.value))))"
                   " AND (NOT ?6 OR revoked IS NOT NULL)"
                   " AND (?8 = 0 OR (revoked IS NULL AND not_after BETWEEN ?7 AND ?8 AND NOT EXISTS (SELECT 1 FROM certificate AS d"
                   "   WHERE d.issuer = c.issuer AND d.names = c.names AND d.kind = c.kind AND d.revoked IS NULL AND d.id > c.id AND d.not_after >= c.not_after)))"
                   " AND (?9 = 0 OR id = ?9) AND (NOT ?10 OR (" DUE "))"
                   " ORDER BY not_after, id",
    [SQL_REVOKE] = "UPDATE certificate SET revoked = ?2, reason = ?3 WHERE id = ?1 AND revoked IS NULL",
    [SQL_NUMBER] = "SELECT ifnull(max(number), 0) + 1 FROM crl WHERE issuer = ?1",
    [SQL_CRL_KEEP] = "INSERT OR REPLACE INTO crl (issuer, number, this_update, next_update, der) VALUES (?1, ?2, ?3, ?4, ?5)",
    [SQL_LISTED] = "UPDATE certificate SET listed = ?2 WHERE issuer = ?1 AND " DUE,
    [SQL_CRL]    = "SELECT issuer, der, number, this_update, next_update FROM crl WHERE issuer = ?1",
    [SQL_URLS]   = "SELECT crl_url, ocsp_url, issuer_url FROM urls WHERE issuer = ?1", /* in the order of enum record_url */
    [SQL_URLS_KEEP] = "INSERT OR REPLACE INTO urls (issuer, crl_url, ocsp_url, issuer_url) VALUES (?1, ?2, ?3, ?4)",
};
/* clang-format on */

struct records {
    const struct args *a;
    char              *path;
    sqlite3           *db;
    int64_t            layout; /* when it was opened; 0: there is nothing in it yet */
    sqlite3_stmt      *prepared[SQL_COUNT];
};

/* ---- what can go wrong */

static int failed(const struct records *r)
{
    int why = sqlite3_extended_errcode(r->db), system = sqlite3_system_errno(r->db);
    switch (why & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return complain(r->a, EXIT_FILE, "%s: it is damaged, or no database at all (%s): bring it back from a backup; without it nobody knows what was "
                        "issued and revoked", r->path, sqlite3_errmsg(r->db));
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return complain(r->a, EXIT_FILE, "%s: another program has been writing for %d seconds; try again when it has ended", r->path, PATIENCE_MS / 1000);
    case SQLITE_FULL: return complain(r->a, EXIT_FILE, "%s: %s", r->path, strerror(ENOSPC));
    case SQLITE_NOMEM: return complain(r->a, EXIT_BUG, "%s: %s", r->path, strerror(ENOMEM));
    default:
        return complain(r->a, EXIT_FILE, "%s: %s%s%s", r->path, sqlite3_errmsg(r->db), system ? ": " : "", system ? strerror(system) : "");
    }
}

/* ---- statements */

static sqlite3_stmt *statement(struct records *r, enum sql which)
{
    sqlite3_stmt **s = &r->prepared[which];
    if (!*s && sqlite3_prepare_v3(r->db, statements[which], -1, SQLITE_PREPARE_PERSISTENT, s, NULL) != SQLITE_OK)
        return NULL;
    return *s;
}

/* Ready for the next time: what was bound is not ours any more. */
static void rest(sqlite3_stmt *s)
{
    if (s) {
        sqlite3_reset(s);
        sqlite3_clear_bindings(s);
    }
}

/* Runs one that answers nothing. */
static int finish(struct records *r, sqlite3_stmt *s)
{
    int status = s && sqlite3_step(s) == SQLITE_DONE ? EXIT_OK : failed(r);
    rest(s);
    return status;
}

/* Memory that ran out here shows when the statement runs: what is not bound is NULL, which the table does not take. */
static void bind_blob(sqlite3_stmt *s, int i, troth_span v)
{
    if (s && v.n)
        sqlite3_bind_blob64(s, i, v.p, v.n, SQLITE_STATIC);
}

static void bind_text(sqlite3_stmt *s, int i, const char *v)
{
    if (s && v)
        sqlite3_bind_text64(s, i, v, strlen(v), SQLITE_STATIC, SQLITE_UTF8);
}

static void bind_number(sqlite3_stmt *s, int i, int64_t v)
{
    if (s)
        sqlite3_bind_int64(s, i, v);
}

static troth_span blob_at(sqlite3_stmt *s, int i)
{
    const void *p = sqlite3_column_blob(s, i); /* before its size */
    return (troth_span){ p, (size_t)sqlite3_column_bytes(s, i) };
}

static const char *text_at(sqlite3_stmt *s, int i)
{
    return (const char *)sqlite3_column_text(s, i);
}

/* One number that the database answers. */
static bool number_of(struct records *r, const char *sql, int64_t *v)
{
    sqlite3_stmt *s = NULL;
    bool ok = sqlite3_prepare_v2(r->db, sql, -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW;
    *v = ok ? sqlite3_column_int64(s, 0) : 0;
    return sqlite3_finalize(s) == SQLITE_OK && ok;
}

static bool run(struct records *r, const char *sql)
{
    return sqlite3_exec(r->db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

/* ---- opening */

/* A path as a URI (RFC 3986): for what only a URI can say. */
static void uri_of(char *out, size_t cap, const char *path)
{
    size_t n = (size_t)snprintf(out, cap, "file:");
    for (const char *p = path; *p && n + 32 < cap; p++)
        n += (size_t)snprintf(out + n, 4, (*p >= 'a' && *p <= 'z') || *p == '/' || *p == '.' ? "%c" : "%%%02X", (unsigned char)*p);
    snprintf(out + n, cap - n, "?immutable=1");
}

/* Whose is it, and does it have what this troth looks for?  All of it at one moment: another one may be laying it out, and half of before
 * with half of after looks like somebody else's. */
static int is_ours(struct records *r)
{
    int64_t who, schema;
    if (!run(r, "SAVEPOINT look") || !number_of(r, "PRAGMA application_id", &who) || !number_of(r, "PRAGMA user_version", &r->layout) ||
        !number_of(r, "PRAGMA schema_version", &schema) || !run(r, "RELEASE look"))
        return failed(r);
    if (!who && !schema) {
        r->layout = 0;
        return EXIT_OK;
    }
    if (who != APPLICATION)
        return complain(r->a, EXIT_FILE, "%s: this is the database of another program, not of troth ca", r->path);
    if (r->layout > LAYOUT)
        return complain(r->a, EXIT_FILE, "%s: it was made by a newer troth (its layout is number %lld, this one knows %d)", r->path, (long long)r->layout, LAYOUT);
    if (r->layout < 1)
        return complain(r->a, EXIT_FILE, "%s: it is damaged: there is no layout number %lld", r->path, (long long)r->layout);
    return EXIT_OK;
}

/* All steps or none.  Only one of two that come at once takes them; the other one finds that they were. */
static int lay_out(struct records *r)
{
    char sql[128];
    int status = records_begin(r);
    if (status == EXIT_OK)
        status = is_ours(r);
    if (status != EXIT_OK)
        return status;
    for (; r->layout < LAYOUT; r->layout++) {
        snprintf(sql, sizeof sql, "PRAGMA application_id = %d; PRAGMA user_version = %d", APPLICATION, (int)r->layout + 1);
        if (!run(r, steps[r->layout]) || !run(r, sql))
            return failed(r);
    }
    return records_commit(r);
}

/* With a log ahead of it, readers wait for nobody.  It says so itself from then on.  To change that takes the file alone, for which SQLite
 * does not wait: another one may have made it just now. */
static int keep_log(struct records *r)
{
    time_t until = time(NULL) + PATIENCE_MS / 1000;
    while (!run(r, "PRAGMA journal_mode = WAL")) {
        if ((sqlite3_errcode(r->db) & 0xff) != SQLITE_BUSY || time(NULL) >= until)
            return failed(r);
        sqlite3_sleep(10);
    }
    return EXIT_OK;
}

static int open_file(struct records *r, bool write)
{
    char uri[URI_LONG];
    /* Who can only read cannot make the log's files either, which a reader needs: nobody is writing, then. */
    bool still = !write && access(r->path, W_OK);
    uri_of(uri, sizeof uri, r->path);
    if (sqlite3_open_v2(still ? uri : r->path, &r->db, SQLITE_OPEN_EXRESCODE | (still ? SQLITE_OPEN_READONLY | SQLITE_OPEN_URI : SQLITE_OPEN_READWRITE),
                        NULL) != SQLITE_OK)
        return failed(r);
    sqlite3_busy_timeout(r->db, PATIENCE_MS);
    sqlite3_db_config(r->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(r->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    return EXIT_OK;
}

int records_open(struct records **out, const struct args *a, const char *path, bool write)
{
    struct stat st;
    *out = NULL;
    /* Made here, so that others cannot read who was given a certificate, whatever the umask. */
    int fd = open(path, (write ? O_RDWR | O_CREAT : O_RDONLY) | O_CLOEXEC | O_NONBLOCK, 0600);
    if (fd < 0)
        return !write && errno == ENOENT ? EXIT_OK : complain(a, EXIT_FILE, "%s: %s", path, strerror(errno));
    bool file = !fstat(fd, &st) && S_ISREG(st.st_mode); /* a device may look empty */
    close(fd);
    if (!file)
        return complain(a, EXIT_FILE, "%s: this is no regular file", path);
    struct records *r = calloc(1, sizeof *r);
    if (!r || !(r->path = strdup(path))) {
        free(r);
        return complain(a, EXIT_BUG, "memory ran out");
    }
    r->a = a;
    int status = open_file(r, write);
    if (status == EXIT_OK)
        status = is_ours(r);
    if (status == EXIT_OK && write)
        status = keep_log(r);
    if (status == EXIT_OK && write && r->layout < LAYOUT)
        status = lay_out(r);
    if (status == EXIT_OK && r->layout)
        *out = r;
    else
        records_close(r);
    return status;
}

void records_close(struct records *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < SQL_COUNT; i++)
        sqlite3_finalize(r->prepared[i]);
    sqlite3_close(r->db);
    free(r->path);
    free(r);
}

int records_begin(struct records *r)
{
    return finish(r, statement(r, SQL_BEGIN));
}

int records_commit(struct records *r)
{
    return finish(r, statement(r, SQL_COMMIT));
}

/* ---- certificates */

int records_add(struct records *r, const struct record *c)
{
    sqlite3_stmt *s = statement(r, SQL_ADD);
    bind_blob(s, 1, c->issuer);
    bind_blob(s, 2, c->serial);
    bind_text(s, 3, c->subject);
    bind_text(s, 4, c->names);
    bind_text(s, 5, c->kind);
    bind_text(s, 6, c->file);
    bind_number(s, 7, c->not_before);
    bind_number(s, 8, c->not_after);
    bind_blob(s, 9, c->spki_sha256);
    bind_blob(s, 10, c->sha256);
    bind_blob(s, 11, c->der);
    bind_number(s, 12, c->made);
    return finish(r, s);
}

int records_drop(struct records *r, troth_span issuer, troth_span serial)
{
    sqlite3_stmt *s = statement(r, SQL_DROP);
    bind_blob(s, 1, issuer);
    bind_blob(s, 2, serial);
    return finish(r, s);
}

int records_move(struct records *r, int64_t id, const char *file)
{
    sqlite3_stmt *s = statement(r, SQL_MOVE);
    bind_number(s, 1, id);
    bind_text(s, 2, file);
    return finish(r, s);
}

static struct record record_of(sqlite3_stmt *s)
{
    return (struct record){ .id = sqlite3_column_int64(s, 0), .issuer = blob_at(s, 1), .serial = blob_at(s, 2), .subject = text_at(s, 3),
                            .names = text_at(s, 4), .kind = text_at(s, 5), .file = text_at(s, 6), .not_before = sqlite3_column_int64(s, 7),
                            .not_after = sqlite3_column_int64(s, 8), .spki_sha256 = blob_at(s, 9), .sha256 = blob_at(s, 10),
                            .der = blob_at(s, 11), .made = sqlite3_column_int64(s, 12), .revoked = sqlite3_column_int64(s, 13),
                            .reason = sqlite3_column_type(s, 14) == SQLITE_NULL ? -1 : sqlite3_column_int(s, 14) };
}

int records_each(struct records *r, const struct record_query *q, int (*one)(void *ctx, const struct record *), void *ctx)
{
    int status = EXIT_OK, step = SQLITE_ERROR;
    if (!r)
        return EXIT_OK;
    sqlite3_stmt *s = statement(r, SQL_EACH);
    bind_blob(s, 1, q->sha256);
    bind_blob(s, 2, q->serial);
    bind_blob(s, 3, q->issuer);
    bind_text(s, 4, q->name);
    bind_text(s, 5, q->patterns);
    bind_number(s, 6, q->revoked);
    bind_number(s, 7, q->now);
    bind_number(s, 8, q->expiring);
    bind_number(s, 9, q->id);
    bind_number(s, 10, q->due);
    while (status == EXIT_OK && s && (step = sqlite3_step(s)) == SQLITE_ROW) {
        struct record c = record_of(s);
        status = c.subject && c.names && c.kind && c.serial.n ? one(ctx, &c) : failed(r);
    }
    if (status == EXIT_OK && step != SQLITE_DONE)
        status = failed(r);
    rest(s);
    return status;
}

int records_revoke(struct records *r, int64_t id, int64_t when, int reason)
{
    sqlite3_stmt *s = statement(r, SQL_REVOKE);
    bind_number(s, 1, id);
    bind_number(s, 2, when);
    if (reason >= 0)
        bind_number(s, 3, reason);
    return finish(r, s);
}

/* ---- CRLs */

int records_crl_number(struct records *r, troth_span issuer, int64_t *number)
{
    sqlite3_stmt *s = statement(r, SQL_NUMBER);
    bind_blob(s, 1, issuer);
    int status = s && sqlite3_step(s) == SQLITE_ROW ? EXIT_OK : failed(r);
    *number = status == EXIT_OK ? sqlite3_column_int64(s, 0) : 0;
    rest(s);
    return status;
}

int records_crl_keep(struct records *r, const struct record_crl *crl)
{
    sqlite3_stmt *s = statement(r, SQL_CRL_KEEP);
    bind_blob(s, 1, crl->issuer);
    bind_number(s, 2, crl->number);
    bind_number(s, 3, crl->this_update);
    bind_number(s, 4, crl->next_update);
    bind_blob(s, 5, crl->der);
    int status = finish(r, s);
    if (status != EXIT_OK)
        return status;
    s = statement(r, SQL_LISTED);
    bind_blob(s, 1, crl->issuer);
    bind_number(s, 2, crl->this_update);
    return finish(r, s);
}

int records_crl(struct records *r, troth_span issuer, int (*one)(void *ctx, const struct record_crl *), void *ctx)
{
    int status = EXIT_OK;
    sqlite3_stmt *s = statement(r, SQL_CRL);
    bind_blob(s, 1, issuer);
    int step = s ? sqlite3_step(s) : SQLITE_ERROR;
    if (step == SQLITE_ROW) {
        struct record_crl crl = { .issuer = blob_at(s, 0), .der = blob_at(s, 1), .number = sqlite3_column_int64(s, 2),
                                  .this_update = sqlite3_column_int64(s, 3), .next_update = sqlite3_column_int64(s, 4) };
        status = one(ctx, &crl);
    } else if (step != SQLITE_DONE) {
        status = failed(r);
    }
    rest(s);
    return status;
}

/* ---- addresses */

int records_urls(struct records *r, troth_span issuer, struct record_urls *urls)
{
    memset(urls, 0, sizeof *urls);
    if (!r || r->layout < LAYOUT_URLS)
        return EXIT_OK;
    int status = EXIT_OK;
    sqlite3_stmt *s = statement(r, SQL_URLS);
    bind_blob(s, 1, issuer);
    int step = s ? sqlite3_step(s) : SQLITE_ERROR;
    for (int i = 0; step == SQLITE_ROW && i < URL_KINDS; i++) {
        const char *url = text_at(s, i);
        if (url && snprintf(urls->url[i], sizeof urls->url[i], "%s", url) > URL_MOST)
            status = complain(r->a, EXIT_FILE, "%s: it is damaged: an address in it is too long", r->path);
    }
    if (step != SQLITE_ROW && step != SQLITE_DONE)
        status = failed(r);
    rest(s);
    return status;
}

int records_urls_keep(struct records *r, troth_span issuer, const struct record_urls *urls)
{
    sqlite3_stmt *s = statement(r, SQL_URLS_KEEP);
    bind_blob(s, 1, issuer);
    for (int i = 0; i < URL_KINDS; i++)
        bind_text(s, i + 2, urls->url[i][0] ? urls->url[i] : NULL);
    return finish(r, s);
}

const char *record_reason(int reason)
{
    static const char *const names[] = { NULL, "keyCompromise", "cACompromise", "affiliationChanged", "superseded", "cessationOfOperation",
                                         "certificateHold", NULL, "removeFromCRL", "privilegeWithdrawn", "aACompromise" };
    return reason >= 0 && (size_t)reason < sizeof names / sizeof names[0] ? names[reason] : NULL;
}
