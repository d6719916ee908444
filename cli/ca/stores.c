/* stores.c - see stores.h.  NSS and Java have programs of their own to change their stores with, which are run; the system has a folder for
 * what is added to its store, and a program that gathers it. */
#include "ca/stores.h"

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/child.h"
#include "common/outfile.h"
#include "common/pki_files.h"

const char *const store_names[STORE_KINDS + 1] = { "system", "nss", "java", NULL };
const char *const store_readers[STORE_KINDS] = { "curl, openssl, wget, Python, Go and most others", "Firefox, Chromium", "Java" };

/* False; why is said. */
static bool __attribute__((format(printf, 2, 3))) failed(struct store *s, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(s->why, sizeof s->why, fmt, ap);
    va_end(ap);
    return false;
}

static struct store *found(struct stores *all, enum store_kind kind, const char *path)
{
    struct store *s = &all->all[all->n];
    if (all->n == STORES_MOST || strlen(path) >= sizeof s->path)
        return NULL;
    for (size_t i = 0; i < all->n; i++)
        if (all->all[i].kind == kind && !strcmp(all->all[i].path, path))
            return &all->all[i];
    all->n++;
    *s = (struct store){ .kind = kind };
    memcpy(s->path, path, strlen(path) + 1);
    return s;
}

/* ---- what a text has */

static size_t squeeze(char *out, const char *p, size_t n)
{
    size_t m = 0;
    for (size_t i = 0; i < n; i++)
        if (!strchr(" \t\r\n", p[i]) || !p[i])
            out[m++] = p[i];
    return m;
}

/* Where the certificate stands in a text of PEM blocks, however its lines are broken; NULL: nowhere.  *room is to be freed. */
static const char *block_in(char **room, const char *text, size_t n, const struct anchor *anchor)
{
    *room = malloc(n + anchor->pem.n + 1);
    if (!*room)
        return NULL;
    char *all = *room + anchor->pem.n;
    size_t one_n = squeeze(*room, (const char *)anchor->pem.p, anchor->pem.n), all_n = squeeze(all, text, n);
    all[all_n] = 0;
    return memmem(all, all_n, *room, one_n);
}

static bool has_block(const char *text, size_t n, const struct anchor *anchor)
{
    char *room = NULL;
    bool has = text && block_in(&room, text, n, anchor);
    free(room);
    return has;
}

static bool file_has(const char *path, const struct anchor *anchor)
{
    char heard[ARG_HEARD_MAX];
    struct args a = { .heard = heard }; /* what cannot be read has no such certificate */
    size_t n = 0;
    uint8_t *p = access(path, R_OK) ? NULL : file_whole(&a, path, FILE_MOST, &n);
    bool has = has_block((const char *)p, n, anchor);
    free(p);
    return has;
}

/* ---- programs */

/* The last line that it said is what went wrong. */
static bool said(struct store *s, const char *program, const struct child *c)
{
    const char *end = c->said + c->n, *line;
    while (end > c->said && strchr(" \r\n", end[-1]))
        end--;
    for (line = end; line > c->said && line[-1] != '\n';)
        line--;
    return failed(s, "%s, exit status %d: %.*s", program, c->status, (int)(end - line < 250 ? end - line : 250), line);
}

/* False: it did not do it, and why is said. */
static bool run(struct store *s, const char *from, struct child *c, const char *const argv[])
{
    if (!child_run(c, argv))
        return errno == ENOENT ? failed(s, "%s is needed, and is not here (on Debian: apt install %s)", argv[0], from)
                               : failed(s, "%s: %s", argv[0], strerror(errno));
    return c->status == 0 || said(s, argv[0], c);
}

static bool do_it(struct store *s, const char *from, const char *const argv[])
{
    struct child c;
    bool ok = run(s, from, &c, argv);
    child_free(&c);
    return ok;
}

/* ---- the system's: by distribution, where what is added lies, who gathers it, and what comes of that */

static const struct system {
    const char *folder, *ending, *program, *all;
} systems[] = {
    { "/usr/local/share/ca-certificates", ".crt", "/usr/sbin/update-ca-certificates", "/etc/ssl/certs/ca-certificates.crt" },                       /* Debian, Alpine */
    { "/etc/pki/ca-trust/source/anchors", ".pem", "/usr/bin/update-ca-trust", "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem" },                 /* Fedora         */
    { "/etc/ca-certificates/trust-source/anchors", ".crt", "/usr/bin/update-ca-trust", "/etc/ca-certificates/extracted/tls-ca-bundle.pem" },         /* Arch           */
    { "/etc/pki/trust/anchors", ".pem", "/usr/sbin/update-ca-certificates", "/var/lib/ca-certificates/ca-bundle.pem" },                              /* SUSE           */
};
enum { SYSTEMS = sizeof systems / sizeof systems[0] };

static void system_find(struct stores *all)
{
    for (size_t i = 0; i < SYSTEMS; i++)
        if (is_dir(systems[i].folder)) {
            found(all, STORE_SYSTEM, systems[i].folder);
            return;
        }
}

static const struct system *system_of(const struct store *s)
{
    size_t i = 0;
    while (strcmp(systems[i].folder, s->path) != 0)
        i++;
    return &systems[i];
}

static bool system_trusts(struct store *s, const struct anchor *anchor)
{
    return file_has(system_of(s)->all, anchor);
}

static bool system_gather(struct store *s)
{
    return do_it(s, "ca-certificates", (const char *const[]){ system_of(s)->program, NULL });
}

static void system_file(char out[STORE_PATH + 64], const struct store *s, const struct anchor *anchor)
{
    snprintf(out, STORE_PATH + 64, "%s/%s%s", s->path, anchor->id, system_of(s)->ending);
}

static bool system_add(struct store *s, const struct anchor *anchor)
{
    char path[STORE_PATH + 64];
    struct outfile f;
    system_file(path, s, anchor);
    bool ok = outfile_open(&f, path, 0644) && outfile_put(&f, anchor->pem.p, anchor->pem.n);
    ok = outfile_close(&f, ok) && ok;
    return ok ? system_gather(s) : failed(s, "%s: %s", path, strerror(errno));
}

static bool system_remove(struct store *s, const struct anchor *anchor)
{
    char path[STORE_PATH + 64];
    system_file(path, s, anchor);
    if (unlink(path) && errno != ENOENT)
        return failed(s, "%s: %s", path, strerror(errno));
    return system_gather(s);
}

/* ---- NSS: a database for each profile of a browser */

static const char nss_tools[] = "libnss3-tools";

static void nss_find(struct stores *all)
{
    static const char *const places[] = { ".pki/nssdb", ".local/share/pki/nssdb", "snap/chromium/current/.pki/nssdb", ".mozilla/firefox/*",
                                          ".config/mozilla/firefox/*", "snap/firefox/common/.mozilla/firefox/*",
                                          ".var/app/org.mozilla.firefox/.mozilla/firefox/*" };
    const char *home = getenv("HOME");
    for (size_t i = 0; home && *home && i < sizeof places / sizeof places[0]; i++) {
        char pattern[STORE_PATH];
        glob_t g;
        int n = snprintf(pattern, sizeof pattern, "%s/%s/cert9.db", home, places[i]);
        if (n < 0 || (size_t)n >= sizeof pattern || glob(pattern, 0, NULL, &g))
            continue;
        for (size_t k = 0; k < g.gl_pathc; k++) {
            *strrchr(g.gl_pathv[k], '/') = 0;
            found(all, STORE_NSS, g.gl_pathv[k]);
        }
        globfree(&g);
    }
}

/* "sql:PATH" */
static const char *nss_name(char out[STORE_PATH + 8], const struct store *s)
{
    snprintf(out, STORE_PATH + 8, "sql:%s", s->path);
    return out;
}

/* What certutil tells of a name has the certificates of its subject with it, in any order, whatever they are called: only one that is alone is
 * known by a name that somebody else gave. */
static bool nss_is(struct store *s, const char *db, const char *name, const struct anchor *anchor)
{
    struct child c;
    char *room = NULL;
    const char *at = NULL, *one = NULL;
    if (run(s, nss_tools, &c, (const char *const[]){ "certutil", "-L", "-d", db, "-n", name, "-a", NULL }))
        at = block_in(&room, c.said, c.n, anchor);
    if (at)
        one = strstr(room + anchor->pem.n, "-----BEGIN");
    bool alone = at && one == at && !strstr(one + 1, "-----BEGIN");
    if (at && !alone)
        failed(s, "it is there as one of several of the same subject, by a name that tells them not apart: take it out by hand");
    free(room);
    child_free(&c);
    return alone;
}

/* The next row of certutil's table, "NAME    C,,"; false: there is none. */
static bool nss_next(char **at, char **name, char **flags)
{
    for (char *line = *at; *line;) {
        size_t n = strcspn(line, "\n");
        char *end = line + n, *next = end + (*end == '\n');
        do
            *end = 0;
        while (end > line && *--end == ' ');
        *at = next;
        *name = line;
        *flags = strrchr(line, ' ');
        line = next;
        if (!*flags || !strchr(*flags, ',') || strspn(*flags + 1, "pPcCTuw,") != strlen(*flags + 1))
            continue;
        for (end = *flags; end >= *name && *end == ' ';)
            *end-- = 0;
        ++*flags;
        return true;
    }
    return false;
}

/* What the certificate is called there, and whether it is trusted to issue for servers.  A certificate has one name in a database, whoever gave it
 * first: ours is about this certificate alone.  False: it is not there, or the database cannot be read. */
static bool nss_row(struct store *s, const struct anchor *anchor, char *called, size_t cap, bool *trusted)
{
    char db[STORE_PATH + 8];
    struct child c;
    bool there = false;
    if (!run(s, nss_tools, &c, (const char *const[]){ "certutil", "-L", "-d", nss_name(db, s), NULL }))
        return child_free(&c), false;
    snprintf(called, cap, "pkcs11:object=%s", anchor->id);
    bool ours = strstr(c.said, anchor->id);
    for (char *at = c.said, *name, *flags; !there && nss_next(&at, &name, &flags);) {
        there = ours ? !strcmp(name, anchor->id) : strlen(name) < cap && nss_is(s, db, name, anchor);
        *trusted = memchr(flags, 'C', strcspn(flags, ","));
        if (there && !ours)
            memcpy(called, name, strlen(name) + 1);
    }
    child_free(&c);
    return there;
}

static bool nss_trusts(struct store *s, const struct anchor *anchor)
{
    char name[256];
    bool trusted = false;
    return nss_row(s, anchor, name, sizeof name, &trusted) && trusted;
}

static bool nss_add(struct store *s, const struct anchor *anchor)
{
    char db[STORE_PATH + 8];
    return do_it(s, nss_tools, (const char *const[]){ "certutil", "-A", "-d", nss_name(db, s), "-n", anchor->id, "-t", "C,,", "-a", "-i", anchor->path, NULL });
}

static bool nss_remove(struct store *s, const struct anchor *anchor)
{
    char db[STORE_PATH + 8], name[256];
    bool trusted;
    return nss_row(s, anchor, name, sizeof name, &trusted) &&
           do_it(s, nss_tools, (const char *const[]){ "certutil", "-D", "-d", nss_name(db, s), "-n", name, NULL });
}

/* ---- Java: one file */

static const char java_tools[] = "default-jre-headless";

static bool java_in(struct stores *all, const char *home)
{
    static const char *const places[] = { "lib/security/cacerts", "jre/lib/security/cacerts" };
    char path[STORE_PATH], real[PATH_MAX];
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        int n = snprintf(path, sizeof path, "%s/%s", home, places[i]);
        if (n > 0 && (size_t)n < sizeof path && realpath(path, real))
            return found(all, STORE_JAVA, real) != NULL;
    }
    return false;
}

/* That of JAVA_HOME, else of the `java' that PATH leads to. */
static void java_find(struct stores *all)
{
    const char *home = getenv("JAVA_HOME"), *dirs = getenv("PATH");
    if (home && *home) {
        java_in(all, home);
        return;
    }
    for (size_t n; dirs && *dirs; dirs += n + (dirs[n] == ':')) {
        char path[STORE_PATH], real[PATH_MAX];
        n = strcspn(dirs, ":");
        snprintf(path, sizeof path, "%.*s/java", (int)n, dirs);
        if (!realpath(path, real))
            continue;
        for (int up = 0; up < 2; up++) /* bin/java */
            if (strrchr(real, '/'))
                *strrchr(real, '/') = 0;
        if (java_in(all, real))
            return;
    }
}

#define KEYTOOL(s, ...) ((const char *const[]){ "keytool", __VA_ARGS__, "-keystore", (s)->path, "-storepass", "changeit", NULL })

/* What it is called there: "Alias name: NAME", with its blocks behind it. */
static bool java_row(struct store *s, const struct anchor *anchor, char *name, size_t cap)
{
    static const char before[] = "Aliasname:", behind[] = "Creationdate:"; /* squeezed, as the block is */
    struct child c;
    char *room = NULL;
    const char *at = NULL, *alias = NULL;
    if (run(s, java_tools, &c, KEYTOOL(s, "-J-Duser.language=en", "-list", "-rfc")))
        at = block_in(&room, c.said, c.n, anchor);
    for (const char *p = room ? room + anchor->pem.n : NULL; at && p && (p = strstr(p, before)) && p < at; p++)
        alias = p + sizeof before - 1;
    const char *end = alias ? strstr(alias, behind) : NULL;
    size_t n = end ? (size_t)(end - alias) : 0;
    snprintf(name, cap, "%.*s", (int)n, n ? alias : "");
    free(room);
    child_free(&c);
    return at;
}

static bool java_trusts(struct store *s, const struct anchor *anchor)
{
    char name[256];
    return java_row(s, anchor, name, sizeof name);
}

static bool java_add(struct store *s, const struct anchor *anchor)
{
    return do_it(s, java_tools, KEYTOOL(s, "-importcert", "-noprompt", "-alias", anchor->id, "-file", anchor->path));
}

static bool java_remove(struct store *s, const struct anchor *anchor)
{
    char name[256];
    return java_row(s, anchor, name, sizeof name) && do_it(s, java_tools, KEYTOOL(s, "-delete", "-alias", name));
}

/* ---- the kinds */

static const struct kind {
    void (*find)(struct stores *);
    bool (*trusts)(struct store *, const struct anchor *);
    bool (*add)(struct store *, const struct anchor *);    /* false: why is said */
    bool (*remove)(struct store *, const struct anchor *);
} kinds[STORE_KINDS] = {
    [STORE_SYSTEM] = { system_find, system_trusts, system_add, system_remove },
    [STORE_NSS]    = { nss_find, nss_trusts, nss_add, nss_remove },
    [STORE_JAVA]   = { java_find, java_trusts, java_add, java_remove },
};

void stores_find(struct stores *all, enum store_kind kind)
{
    kinds[kind].find(all);
}

bool stores_at(struct stores *all, const char *path)
{
    char db[STORE_PATH + 16];
    struct stat st;
    snprintf(db, sizeof db, "%s/cert9.db", path);
    if (!is_dir(path))
        return !stat(path, &st) && S_ISREG(st.st_mode) && found(all, STORE_JAVA, path);
    return !access(db, F_OK) && found(all, STORE_NSS, path);
}

void store_look(struct store *s, const struct anchor *anchor)
{
    s->trusts = kinds[s->kind].trusts(s, anchor);
}

/* As it is to be; done already, done now, or not done and why. */
static void change(struct store *s, const struct anchor *anchor, bool trusted, bool (*how)(struct store *, const struct anchor *))
{
    store_look(s, anchor);
    if (s->trusts == trusted || *s->why)
        return;
    if (access(s->path, W_OK)) {
        failed(s, "%s: %s%s", s->path, strerror(errno), s->kind == STORE_NSS || !geteuid() ? "" : "; it takes root, as with sudo");
        return;
    }
    if (!how(s, anchor))
        return;
    store_look(s, anchor);
    s->changed = s->trusts == trusted;
    if (!s->changed && !*s->why)
        failed(s, "%s", trusted ? "it was added, and is not trusted nevertheless" : "it was removed, and is there nevertheless: somebody else put it there");
}

void store_add(struct store *s, const struct anchor *anchor)
{
    change(s, anchor, true, kinds[s->kind].add);
}

void store_remove(struct store *s, const struct anchor *anchor)
{
    change(s, anchor, false, kinds[s->kind].remove);
}
