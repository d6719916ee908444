/* renew.c - troth ca renew: the same names and uses, a new key, new dates, in the place of what was there.
 *
 * Must never lose what it replaces: the old pair stays beside the new one, under another name. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ca/ca.h"
#include "common/outfile.h"
#include "common/pki_files.h"

/* What is replaced, and where it goes. */
struct old {
    struct ca       *r;
    char             cert_path[CA_PATH], key_path[CA_PATH], kept_path[CA_PATH], kept_key_path[CA_PATH];
    troth_span       cert;
    troth_cert_facts f;
    int64_t          id;
    bool             client, revoked, authority, has_key, cert_made, key_made;
};

static int take_record(void *ctx, const struct record *c)
{
    struct old *o = ctx;
    o->client = !strcmp(c->kind, "client");
    o->authority = !strcmp(c->kind, "authority");
    o->revoked = c->revoked != 0;
    return EXIT_OK;
}

static int load_old(struct ca *r, const struct authority *ca, struct old *o)
{
    char ending[CA_HEX + 16], serial[CA_HEX];
    int status = ca_read_cert(r, o->cert_path, &o->cert, &o->f);
    if (status == EXIT_OK)
        status = authority_record(r, ca, o->cert_path, o->cert, &o->id);
    struct record_query q = { .id = o->id };
    if (status == EXIT_OK)
        status = records_each(r->records, &q, take_record, o);
    if (status != EXIT_OK)
        return status;
    if (o->authority)
        return complain(r->a, EXIT_USAGE, "%s: this is an authority: move it away, and make another one with troth ca init", o->cert_path);
    ca_hex(serial, o->f.serial_bytes);
    snprintf(ending, sizeof ending, "-%.16s.pem", serial);
    bool fits = ca_beside(o->key_path, o->cert_path, "-key.pem") && ca_beside(o->kept_path, o->cert_path, ending);
    snprintf(ending, sizeof ending, "-%.16s-key.pem", serial);
    if (!fits || !ca_beside(o->kept_key_path, o->cert_path, ending))
        return complain(r->a, EXIT_USAGE, "the path is too long");
    o->has_key = ca_is_file(o->key_path);
    return EXIT_OK;
}

/* For which key? */
static int take_key(struct ca *r, const struct old *old, struct order *o)
{
    if (args_has(r->a, OPT_CSR))
        return args_has(r->a, OPT_SAME_KEY) ? complain(r->a, EXIT_USAGE, "--same-key does not go with --csr: that brings its own") : order_request(r, o, false);
    if (!old->has_key)
        return complain(r->a, EXIT_FILE, "%s: its key is not beside it, as %s: whoever has it sends a request, for --csr", old->cert_path, old->key_path);
    if (!args_has(r->a, OPT_SAME_KEY)) {
        o->key_type = old->f.key_type; /* such as it was */
        unsigned long bits = strtoul(old->f.key + strcspn(old->f.key, "0123456789"), NULL, 10);
        o->rsa_bits = bits < 2048 ? 2048 : bits > 8192 ? 8192 : (unsigned)bits;
        return EXIT_OK;
    }
    if (old->revoked)
        return complain(r->a, EXIT_USAGE, "%s: it was revoked: its key is not to be used again", old->cert_path);
    int status = ca_load_key(r, old->key_path, &o->key);
    return status != EXIT_OK || ca_is_key_of(r, o->key, &old->f)
               ? status
               : complain(r->a, EXIT_FILE, "%s: this is not the key of %s", old->key_path, old->cert_path);
}

/* As long as the old one was valid. */
static long days_of(const troth_cert_facts *f)
{
    int64_t days = (f->not_after - f->not_before) / CA_DAY;
    return days < 1 ? 1 : days > CA_DAYS_MOST ? CA_DAYS_MOST : (long)days;
}

/* ---- one in the place of the other */

static bool replace(const char *path, unsigned mode, troth_span bytes, struct outfile *f)
{
    return outfile_open(f, path, mode) && outfile_put(f, bytes.p, bytes.n);
}

/* Whole or not at all: that takes the folder in which it really lies. */
static bool is_replaceable(struct ca *r, const char *path)
{
    char real[PATH_MAX], folder[PATH_MAX];
    if (realpath(path, real)) {
        outfile_folder(folder, sizeof folder, real);
        if (!access(folder, W_OK))
            return true;
    }
    complain(r->a, EXIT_FILE, "%s: it cannot be replaced in its folder: %s", path, strerror(errno));
    return false;
}

/* A copy, as the file may be a link to where no other name of it can be.  What an earlier try left has to be the same; of an older troth it
 * is the same file, and would be written along. */
static bool keep(struct ca *r, const char *path, const char *kept, bool *made)
{
    struct stat a, b;
    size_t n = 0, m = 0;
    uint8_t *bytes = file_whole(r->a, path, FILE_MOST, &n), *before = NULL;
    bool ok = bytes && !stat(path, &a);
    if (ok && !stat(kept, &b) && a.st_ino == b.st_ino && a.st_dev == b.st_dev)
        unlink(kept);
    if (ok && ca_is_file(kept)) {
        before = file_whole(r->a, kept, FILE_MOST, &m);
        ok = before && m == n && !memcmp(bytes, before, n);
        if (before && !ok)
            complain(r->a, EXIT_FILE, "%s: it cannot be kept as %s: another one is there", path, kept);
    } else if (ok) {
        ok = *made = file_new(r->a, kept, a.st_mode & 0777, (troth_span){ bytes, n });
    }
    if (bytes)
        explicit_bzero(bytes, n);
    if (before)
        explicit_bzero(before, m);
    free(bytes);
    free(before);
    return ok;
}

/* One that was stopped between its two files left the new key in place and the old certificate: then the old key is kept already. */
static bool is_kept(struct ca *r, const struct old *o)
{
    size_t n = 0;
    uint8_t *bytes = ca_is_file(o->kept_key_path) ? file_whole(r->a, o->kept_key_path, FILE_MOST, &n) : NULL;
    const troth_key *key = bytes ? troth_pki_load_key(r->w, (troth_span){ bytes, n }, NULL, NULL) : NULL;
    bool ok = key && ca_is_key_of(r, key, &o->f);
    if (!key)
        troth_pki_go_on(r->w);
    if (bytes)
        explicit_bzero(bytes, n);
    free(bytes);
    return ok;
}

/* Then the one that is there is replaced. */
static bool has_new_key(const struct order *o)
{
    return !o->request.n && !o->key;
}

static bool keep_both(struct ca *r, const struct order *new, struct old *o)
{
    struct stat a, b;
    if (!is_replaceable(r, o->cert_path) || (has_new_key(new) && !is_replaceable(r, o->key_path)) || !keep(r, o->cert_path, o->kept_path, &o->cert_made))
        return false;
    bool same = !stat(o->key_path, &a) && !stat(o->kept_key_path, &b) && a.st_ino == b.st_ino && a.st_dev == b.st_dev;
    return !o->has_key || (!same && is_kept(r, o)) || keep(r, o->key_path, o->kept_key_path, &o->key_made);
}

/* Whole beside their places before one of them gets there.  False with errno set: all is as it was. */
static bool swap(const struct order *o, struct old *old, troth_span chain)
{
    struct outfile cert = { .to = NULL }, key = { .to = NULL };
    bool with_key = has_new_key(o);
    bool ok = replace(old->cert_path, 0644, chain, &cert) && (!with_key || replace(old->key_path, 0600, o->key_pem, &key));
    int why = errno;
    bool key_there = outfile_close(&key, ok) && with_key && ok;
    if (ok && with_key && !key_there) {
        why = errno;
        ok = false;
    }
    if (!outfile_close(&cert, ok) && ok) {
        why = errno;
        ok = false;
        if (key_there && rename(old->kept_key_path, key.path))
            old->key_made = false; /* then the next try finds it there */
    }
    if (ok && o->request.n && old->has_key) /* the old certificate's: it lies beside that */
        unlink(old->key_path);
    errno = why;
    return ok;
}

/* Into the records before anything is replaced. */
static int put_record(struct ca *r, const struct old *old, const struct record *c)
{
    int status = records_begin(r->records);
    if (status == EXIT_OK)
        status = records_add(r->records, c);
    if (status == EXIT_OK)
        status = records_move(r->records, old->id, ca_own_file(r, old->kept_path));
    return status == EXIT_OK ? records_commit(r->records) : status;
}

/* Within records_begin and records_commit, so that nobody else does the same now; whoever did it before us was first. */
static int take_place(struct ca *r, const struct order *o, struct old *old, const struct record *c, troth_span chain)
{
    troth_span now;
    troth_cert_facts f = { .size = sizeof f };
    int status = ca_read_cert(r, old->cert_path, &now, &f);
    if (status == EXIT_OK && memcmp(f.sha256, old->f.sha256, sizeof f.sha256) != 0)
        return complain(r->a, EXIT_FILE, "%s: another one was put there just now; nothing was replaced", old->cert_path);
    bool kept = status == EXIT_OK && keep_both(r, o, old);
    if (kept && swap(o, old, chain))
        return EXIT_OK;
    if (kept)
        complain(r->a, EXIT_FILE, "%s: %s; nothing was replaced", old->cert_path, strerror(errno));
    if (old->cert_made)
        unlink(old->kept_path);
    if (old->key_made)
        unlink(old->kept_key_path);
    (void)!records_move(r->records, old->id, c->file);
    return EXIT_FILE;
}

static int put(struct ca *r, const struct authority *ca, const struct order *o, struct old *old)
{
    struct record c;
    troth_cert_facts f;
    char *names;
    troth_span chain = authority_chain(r, ca, o->cert);
    int status = record_from(r, ca, o->cert, &c, &names, &f);
    c.kind = o->client ? "client" : "server";
    c.file = ca_own_file(r, old->cert_path);
    if (status == EXIT_OK)
        status = put_record(r, old, &c);
    free(names);
    if (status == EXIT_OK)
        status = records_begin(r->records);
    if (status != EXIT_OK)
        return status;
    int placed = chain.n ? take_place(r, o, old, &c, chain) : ca_failed(r);
    if (placed != EXIT_OK)
        (void)!records_drop(r->records, c.issuer, c.serial);
    status = records_commit(r->records);
    if (placed != EXIT_OK)
        return placed;
    struct made m = { .what = o->client ? "a client certificate" : "a server certificate", .cert = o->cert, .cert_path = old->cert_path,
                      .key_path = o->request.n ? NULL : old->key_path, .kept_path = old->kept_path };
    ca_report(r, &m);
    return status;
}

static int renew(struct ca *r, const struct authority *ca, struct order *o, struct old *old)
{
    int status = load_old(r, ca, old);
    if (status == EXIT_OK)
        status = take_key(r, old, o);
    o->client = old->client;
    o->must_staple = old->f.must_staple;
    if (status == EXIT_OK)
        status = order_names(r, o, old->cert_path, &old->f);
    if (status == EXIT_OK)
        status = order_dates(r, ca, o, days_of(&old->f));
    if (status == EXIT_OK)
        status = order_make(r, ca, o);
    return status == EXIT_OK ? put(r, ca, o, old) : status;
}

/* `path' NULL: the one that the operand means. */
static int renew_one(struct ca *r, const struct authority *ca, const char *path)
{
    struct order *o = calloc(1, sizeof *o);
    struct old *old = calloc(1, sizeof *old);
    int status = o && old ? EXIT_OK : complain(r->a, EXIT_BUG, "memory ran out");
    if (status == EXIT_OK && path)
        snprintf(old->cert_path, sizeof old->cert_path, "%s", path);
    else if (status == EXIT_OK)
        status = ca_find_cert(r, old->cert_path);
    if (status == EXIT_OK)
        status = renew(r, ca, o, old);
    free(old);
    free(o);
    return status;
}

/* ---- all that end soon */

struct ending {
    struct ca *r;
    char     **paths;
    size_t     n, room;
};

/* What does not lie in the folder any more is somebody else's to renew. */
static int note_ending(void *ctx, const struct record *c)
{
    struct ending *e = ctx;
    char path[CA_PATH];
    if (!c->file || !strcmp(c->kind, "authority"))
        return EXIT_OK;
    if (!ca_path(e->r, path, c->file))
        return EXIT_USAGE;
    if (!ca_is_file(path))
        return EXIT_OK;
    if (e->n == e->room) {
        size_t room = e->room ? 2 * e->room : 16;
        char **more = realloc(e->paths, room * sizeof *more);
        if (!more)
            return complain(e->r->a, EXIT_BUG, "memory ran out");
        e->paths = more;
        e->room = room;
    }
    e->paths[e->n] = strdup(path);
    return e->paths[e->n++] ? EXIT_OK : complain(e->r->a, EXIT_BUG, "memory ran out");
}

/* One that cannot be renewed is no reason to let the others end: the exit status is that of the first such. */
static int renew_ending(struct ca *r, const struct authority *ca)
{
    struct ending e = { .r = r };
    struct record_query q = { .now = r->now };
    if (!ca_ending(r, &q))
        return EXIT_USAGE;
    int status = records_each(r->records, &q, note_ending, &e);
    const size_t held = r->n_held;
    for (size_t i = 0; i < e.n; i++) {
        int one = e.paths[i] ? renew_one(r, ca, e.paths[i]) : EXIT_OK;
        status = status == EXIT_OK ? one : status;
        while (r->n_held > held)
            free(r->held[--r->n_held]);
        free(e.paths[i]);
    }
    free(e.paths);
    return status;
}

int ca_renew(struct ca *r)
{
    struct authority ca;
    bool ending = args_has(r->a, OPT_EXPIRING);
    if (r->a->n_operands != (ending ? 1 : 2))
        return complain(r->a, EXIT_USAGE, "renew needs one certificate, its file or the name that it was issued for; or --expiring DAYS alone");
    if (ending && (args_has(r->a, OPT_CSR) || args_has(r->a, OPT_CLIENT)))
        return complain(r->a, EXIT_USAGE, "--expiring is for all of them: --%s does not go with it", args_has(r->a, OPT_CSR) ? "csr" : "client");
    int status = authority_load(r, &ca, true);
    if (status == EXIT_OK)
        status = ca_open_records(r, true);
    return status != EXIT_OK ? status : ending ? renew_ending(r, &ca) : renew_one(r, &ca, NULL);
}
