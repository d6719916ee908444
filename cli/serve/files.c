/* files.c - GET and HEAD of static files: index.html, media types, one range, conditions.
 *
 * Must never name or open anything outside its root: the kernel resolves paths with RESOLVE_BENEATH, and where it cannot, links are not
 * followed at all.  Must never map a file: one that becomes shorter would end the program.  Must never give away a key. */
#include "serve/files.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/keyvalq_struct.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Of a file, in memory at a time, for each slow reader: a record.  With what an evbuffer has beside it 16 kB, as it takes powers of two. */
enum { PIECE = (16 << 10) - 64 };

int files_open(const char *dir)
{
    return open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static const char *media_type(const char *path)
{
    static const struct {
        const char *ending, *type;
    } rows[] = {
        { ".html", "text/html; charset=utf-8" }, { ".htm", "text/html; charset=utf-8" }, { ".css", "text/css; charset=utf-8" },
        { ".js", "text/javascript; charset=utf-8" }, { ".mjs", "text/javascript; charset=utf-8" }, { ".json", "application/json" },
        { ".txt", "text/plain; charset=utf-8" }, { ".md", "text/markdown; charset=utf-8" }, { ".xml", "application/xml" },
        { ".svg", "image/svg+xml" }, { ".png", "image/png" }, { ".jpg", "image/jpeg" }, { ".jpeg", "image/jpeg" },
        { ".gif", "image/gif" }, { ".webp", "image/webp" }, { ".avif", "image/avif" }, { ".ico", "image/x-icon" }, { ".woff2", "font/woff2" },
        { ".wasm", "application/wasm" }, { ".pdf", "application/pdf" }, { ".mp4", "video/mp4" }, { ".webm", "video/webm" },
        { ".mp3", "audio/mpeg" }, { ".zip", "application/zip" }, { ".gz", "application/gzip" }, { ".csv", "text/csv; charset=utf-8" },
        { ".pem", "application/x-pem-file" }, { ".crt", "application/x-x509-ca-cert" },
    };
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot && i < sizeof rows / sizeof rows[0]; i++)
        if (!strcasecmp(dot, rows[i].ending))
            return rows[i].type;
    return "application/octet-stream";
}

/* For kernels and sandboxes without openat2(2): folder by folder, and through no link. */
static int open_step_by_step(int root, const char *path)
{
    char part[256];
    int at = root, next = -1;
    while (*path) {
        size_t n = strcspn(path, "/");
        bool last = !path[n];
        snprintf(part, sizeof part, "%.*s", n ? (int)n : 1, n ? path : ".");
        path += n + !last;
        bool up = !strcmp(part, ".."), whole = n < sizeof part;
        next = up || !whole ? -1 : openat(at, part, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW | (last ? 0 : O_DIRECTORY));
        int why = up ? ENOENT : whole ? errno : ENAMETOOLONG;
        if (at != root)
            close(at);
        at = next;
        errno = why;
        if (at < 0)
            break;
    }
    return next;
}

static int open_beneath(int root, const char *path)
{
    struct open_how how = { .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK,
                            .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };
    int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof how);
    return fd < 0 && (errno == ENOSYS || errno == EPERM) ? open_step_by_step(root, path) : fd;
}

static bool is_file(const char *path, const struct stat *st)
{
    struct stat other;
    return !stat(path, &other) && other.st_dev == st->st_dev && other.st_ino == st->st_ino;
}

/* A secret of ours lies in the folder, or a key that only its owner may read, in PEM: somebody serves the folder where he keeps them. */
static bool is_secret(const struct args *a, int fd, const struct stat *st)
{
    static const enum opt secrets[] = { OPT_KEY, OPT_RAW_KEY, OPT_DELEGATED_KEY, OPT_TICKET_KEY, OPT_ECH_KEY, OPT_PSK, OPT_PASS_FILE, OPT_KEYLOG };
    char head[65] = "";
    const char *path;
    for (size_t k = 0; k < sizeof secrets / sizeof secrets[0]; k++)
        for (size_t i = 0; (path = i ? args_nth(a, secrets[k], i - 1) : args_value(a, secrets[k], NULL)); i++)
            if (is_file(path, st))
                return true;
    for (size_t i = 0; (path = args_nth(a, OPT_CERT, i)); i++)
        if (!args_nth(a, OPT_KEY, i) && is_file(path, st)) /* its key is in it */
            return true;
    return !(st->st_mode & 077) && pread(fd, head, sizeof head - 1, 0) > 0 && strstr(head, "PRIVATE KEY-----");
}

int files_refuse(struct evhttp_request *req, int code, const char *reason, const char *why)
{
    struct evbuffer *b = evbuffer_new();
    if (b)
        evbuffer_add_printf(b, "%d %s%s%s\n", code, reason, why ? ": " : "", why ? why : "");
    evhttp_add_header(evhttp_request_get_output_headers(req), "Content-Type", "text/plain; charset=utf-8");
    evhttp_send_reply(req, code, reason, evhttp_request_get_command(req) == EVHTTP_REQ_HEAD ? NULL : b);
    if (b)
        evbuffer_free(b);
    return code;
}

/* "/a%20b/" -> "a b/"; false when it is not a path that a file can have. */
static bool decode_path(const struct evhttp_request *req, char *out, size_t cap)
{
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(req);
    const char *raw = uri ? evhttp_uri_get_path(uri) : NULL;
    size_t n = 0;
    char *path = raw && *raw == '/' ? evhttp_uridecode(raw, 0, &n) : NULL;
    bool ok = path && n < cap && !memchr(path, 0, n);
    if (ok) {
        const char *p = path + strspn(path, "/");
        snprintf(out, cap, "%s", *p ? p : ".");
    }
    free(path);
    return ok;
}

/* Opens the file, or the index of a directory; puts the name that decides the media type into `path`. */
static int open_file(int root, char *path, size_t cap, struct stat *st, bool *slash_missing)
{
    size_t n = strlen(path);
    *slash_missing = false;
    int fd = open_beneath(root, path);
    if (fd < 0 || fstat(fd, st) || !S_ISDIR(st->st_mode))
        return fd;
    close(fd);
    if (strcmp(path, ".") != 0 && path[n - 1] != '/') {
        *slash_missing = true;
        return -1;
    }
    snprintf(path + n, cap - n, "%sindex.html", path[n - 1] == '/' ? "" : "/");
    fd = open_beneath(root, path);
    if (fd >= 0 && fstat(fd, st)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* Digits alone, at *text, which goes on behind them.  What is more than a file can have is the most. */
static bool take_number(const char **text, int64_t *out)
{
    size_t n = strspn(*text, "0123456789");
    errno = 0;
    *out = strtoll(*text, NULL, 10); /* errno: it is INT64_MAX then */
    *text += n;
    return n > 0;
}

/* "bytes=0-99", "bytes=100-", "bytes=-5" (RFC 9110 14.1.2).  0: no range that is understood (serve all); -1: cannot be satisfied. */
static int parse_range(const char *text, int64_t size, int64_t *from, int64_t *n)
{
    int64_t first = -1, last = INT64_MAX;
    if (strncasecmp(text, "bytes=", 6) != 0)
        return 0;
    text += 6;
    bool has_first = take_number(&text, &first);
    if (*text++ != '-')
        return 0;
    bool has_last = take_number(&text, &last);
    if (*text || (!has_first && !has_last) || (has_first && has_last && last < first))
        return 0;
    if (!has_first) {
        *n = last < size ? last : size;
        *from = size - *n;
        return *n ? 1 : -1;
    }
    if (first >= size)
        return -1;
    *from = first;
    *n = (has_last && last < size ? last + 1 : size) - first;
    return 1;
}

/* RFC 9110 5.6.7: for years of four digits, as of every file whose time was not set by hand. */
static void http_date(char *out, size_t cap, time_t t)
{
    static const time_t latest = 253402300799; /* the end of 9999 */
    struct tm tm;
    static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
    static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    t = t < 0 ? 0 : t > latest ? latest : t;
    gmtime_r(&t, &tm);
    snprintf(out, cap, "%s, %02d %s %d %02d:%02d:%02d GMT", days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900,
             tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* The three forms of RFC 9110 5.6.7.  False: it is none of them, and means nothing. */
static bool read_date(const char *text, time_t *t)
{
    static const char *const forms[] = { "%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y" };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        struct tm tm = { 0 };
        const char *end = strptime(text, forms[i], &tm);
        if (end && !*end) {
            *t = timegm(&tm);
            return true;
        }
    }
    return false;
}

/* What tells this file from others that are or were in its place.  The date alone does not: two may be of one second, and what is put back
 * from a copy is older than what the client has. */
struct mark {
    time_t changed;
    char   date[48], etag[48]; /* Last-Modified, ETag */
};

static struct mark mark_of(const struct stat *st)
{
    struct mark m = { .changed = st->st_mtime };
    http_date(m.date, sizeof m.date, st->st_mtime);
    snprintf(m.etag, sizeof m.etag, "\"%llx.%lx-%llx\"", (unsigned long long)st->st_mtime, (unsigned long)st->st_mtim.tv_nsec, (unsigned long long)st->st_size);
    return m;
}

/* Is it in the list (RFC 9110 8.8.3)?  Quotes are in no tag, so this is all of one.  `strong`: W/ in front makes it another. */
static bool is_tagged(const char *list, const char *tag, bool strong)
{
    for (const char *p = list; (p = strstr(p, tag)); p++)
        if (!strong || p - list < 2 || memcmp(p - 2, "W/", 2) != 0)
            return true;
    return !strcmp(list, "*");
}

/* RFC 9110 13.2.2.  0: the file is to be sent. */
static int judge_conditions(const struct evkeyvalq *in, const struct mark *m)
{
    const char *match = evhttp_find_header(in, "If-Match"), *none_match = evhttp_find_header(in, "If-None-Match"),
               *since = evhttp_find_header(in, "If-Modified-Since"), *until = evhttp_find_header(in, "If-Unmodified-Since");
    time_t then;
    if (match ? !is_tagged(match, m->etag, true) : until && read_date(until, &then) && m->changed > then)
        return 412;
    return (none_match ? is_tagged(none_match, m->etag, false) : since && !strcmp(since, m->date)) ? HTTP_NOTMODIFIED : 0;
}

/* The Range that counts: of a GET, and with If-Range only where the client's part is of this very file (RFC 9110 13.1.5). */
static const char *range_of(struct evhttp_request *req, const struct mark *m)
{
    const struct evkeyvalq *in = evhttp_request_get_input_headers(req);
    const char *range = evhttp_find_header(in, "Range"), *only = evhttp_find_header(in, "If-Range");
    return evhttp_request_get_command(req) == EVHTTP_REQ_GET && (!only || !strcmp(only, m->date) || !strcmp(only, m->etag)) ? range : NULL;
}

/* ---- on its way */

static void send_more(struct evhttp_connection *con, void *ctx)
{
    struct sending *s = ctx;
    struct evbuffer *b = evbuffer_new();
    struct evbuffer_iovec room;
    size_t want = s->left < PIECE ? (size_t)s->left : PIECE;
    (void)con;
    ssize_t n = b && s->fd >= 0 && evbuffer_reserve_space(b, (ev_ssize_t)want, &room, 1) == 1 ? pread(s->fd, room.iov_base, want, s->at) : -1;
    if (n > 0) {
        struct evhttp_request *req = s->req;
        room.iov_len = (size_t)n;
        evbuffer_commit_space(b, &room, 1);
        s->at += n;
        s->left -= n;
        bool last = !s->left;
        evhttp_send_reply_chunk_with_cb(req, b, last ? NULL : send_more, s);
        if (last) {
            close(s->fd);
            s->fd = -1;
            s->req = NULL;
            evhttp_send_reply_end(req);
        }
    } else if (s->fd >= 0) { /* once: evhttp may ask again before it hears of the end */
        close(s->fd);
        s->fd = -1;
        s->cut(s->ctx);
    }
    if (b)
        evbuffer_free(b);
}

void files_leave(struct sending *s)
{
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
    if (s->req && !evhttp_request_get_connection(s->req)) /* evhttp has left it to us: its connection failed in the middle */
        evhttp_request_free(s->req);
    s->req = NULL;
}

/* Takes over fd. */
static int send_file(struct evhttp_request *req, int fd, const struct stat *st, const char *path, struct sending *s)
{
    struct evkeyvalq *out = evhttp_request_get_output_headers(req);
    char text[96];
    int64_t size = st->st_size, from = 0, n = size;
    const struct mark mark = mark_of(st);
    evhttp_add_header(out, "Last-Modified", mark.date);
    evhttp_add_header(out, "ETag", mark.etag);
    evhttp_add_header(out, "Accept-Ranges", "bytes");
    evhttp_add_header(out, "X-Content-Type-Options", "nosniff");
    int verdict = judge_conditions(evhttp_request_get_input_headers(req), &mark);
    if (verdict) {
        close(fd);
        if (verdict == HTTP_NOTMODIFIED)
            evhttp_send_reply(req, verdict, "Not Modified", NULL);
        else
            files_refuse(req, verdict, "Precondition Failed", NULL);
        return verdict;
    }
    const char *range = range_of(req, &mark);
    int ranged = range ? parse_range(range, size, &from, &n) : 0;
    if (ranged < 0) {
        close(fd);
        snprintf(text, sizeof text, "bytes */%lld", (long long)size);
        evhttp_add_header(out, "Content-Range", text);
        return files_refuse(req, 416, "Range Not Satisfiable", NULL);
    }
    if (ranged) {
        snprintf(text, sizeof text, "bytes %lld-%lld/%lld", (long long)from, (long long)(from + n - 1), (long long)size);
        evhttp_add_header(out, "Content-Range", text);
    }
    snprintf(text, sizeof text, "%lld", (long long)n);
    evhttp_add_header(out, "Content-Length", text);
    evhttp_add_header(out, "Content-Type", media_type(path));
    int code = ranged ? 206 : HTTP_OK;
    const char *reason = ranged ? "Partial Content" : "OK";
    if (evhttp_request_get_command(req) == EVHTTP_REQ_HEAD || !n) {
        close(fd);
        evhttp_send_reply(req, code, reason, NULL);
        return code;
    }
    s->req = req;
    s->fd = fd;
    s->at = from;
    s->left = n;
    evhttp_send_reply_start(req, code, reason);
    send_more(NULL, s);
    return code;
}

/* To the folder itself; what the request asks of it goes along. */
static int add_slash(struct evhttp_request *req)
{
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(req);
    const char *path = evhttp_uri_get_path(uri), *query = evhttp_uri_get_query(uri);
    size_t n = strlen(path) + (query ? strlen(query) : 0) + 4;
    char *where = malloc(n);
    if (!where)
        return files_refuse(req, HTTP_SERVUNAVAIL, "Service Unavailable", NULL);
    snprintf(where, n, "/%s/%s%s", path + strspn(path, "/"), query ? "?" : "", query ? query : ""); /* one slash: behind two comes another host */
    evhttp_add_header(evhttp_request_get_output_headers(req), "Location", where);
    free(where);
    return files_refuse(req, 301, "Moved Permanently", NULL);
}

int files_answer(struct evhttp_request *req, const struct args *a, int root, struct sending *s)
{
    char path[4096];
    struct stat st;
    bool slash_missing = false;
    enum evhttp_cmd_type method = evhttp_request_get_command(req);
    if (method != EVHTTP_REQ_GET && method != EVHTTP_REQ_HEAD) {
        evhttp_add_header(evhttp_request_get_output_headers(req), "Allow", "GET, HEAD");
        return files_refuse(req, HTTP_BADMETHOD, "Method Not Allowed", NULL);
    }
    if (!decode_path(req, path, sizeof path - sizeof "/index.html"))
        return files_refuse(req, HTTP_BADREQUEST, "Bad Request", NULL);
    int fd = open_file(root, path, sizeof path, &st, &slash_missing);
    if (slash_missing)
        return add_slash(req);
    if (fd < 0)
        return errno == EACCES ? files_refuse(req, 403, "Forbidden", NULL) : files_refuse(req, HTTP_NOTFOUND, "Not Found", NULL);
    if (S_ISREG(st.st_mode) && !is_secret(a, fd, &st))
        return send_file(req, fd, &st, path, s);
    close(fd);
    return S_ISREG(st.st_mode) ? files_refuse(req, 403, "Forbidden", "this is a key, or a file of secrets") : files_refuse(req, HTTP_NOTFOUND, "Not Found", NULL);
}
