/* files.c - GET and HEAD of static files: index.html, media types, one range, If-Modified-Since.
 *
 * Must never name or open anything outside its root: the kernel resolves paths with RESOLVE_BENEATH, and where it cannot, links are not
 * followed at all. */
#include "files.h"

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
        { ".gif", "image/gif" }, { ".webp", "image/webp" }, { ".ico", "image/x-icon" }, { ".woff2", "font/woff2" },
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

static int open_beneath(int root, const char *path)
{
    struct open_how how = { .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK,
                            .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };
    int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof how);
    if (fd < 0 && errno == ENOSYS) {
        if (strstr(path, ".."))
            return errno = ENOENT, -1;
        fd = openat(root, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
    }
    return fd;
}

static void refuse(struct evhttp_request *req, int code, const char *reason)
{
    struct evbuffer *b = evbuffer_new();
    if (b)
        evbuffer_add_printf(b, "%d %s\n", code, reason);
    evhttp_add_header(evhttp_request_get_output_headers(req), "Content-Type", "text/plain; charset=utf-8");
    evhttp_send_reply(req, code, reason, evhttp_request_get_command(req) == EVHTTP_REQ_HEAD ? NULL : b);
    if (b)
        evbuffer_free(b);
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

/* "bytes=0-99", "bytes=100-", "bytes=-5".  0: no range that is understood (serve all); -1: cannot be satisfied. */
static int parse_range(const char *text, int64_t size, int64_t *from, int64_t *n)
{
    char *end;
    if (!text || strncmp(text, "bytes=", 6) != 0 || strchr(text, ','))
        return 0;
    text += 6;
    if (*text == '-') {
        long long last = strtoll(text + 1, &end, 10);
        if (end == text + 1 || *end || last < 0)
            return 0;
        *n = last < size ? last : size;
        *from = size - *n;
        return *n ? 1 : -1;
    }
    long long first = strtoll(text, &end, 10), last = INT64_MAX;
    if (end == text || *end != '-' || first < 0)
        return 0;
    if (end[1]) {
        last = strtoll(end + 1, &end, 10);
        if (*end || last < first)
            return 0;
    }
    if (first >= size)
        return -1;
    *from = first;
    *n = (last < size ? last + 1 : size) - first;
    return 1;
}

static void http_date(char *out, size_t cap, time_t t)
{
    struct tm tm;
    static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
    static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    gmtime_r(&t, &tm);
    snprintf(out, cap, "%s, %02d %s %d %02d:%02d:%02d GMT", days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900,
             tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* Takes over fd. */
static void send_file(struct evhttp_request *req, int fd, const struct stat *st, const char *path)
{
    struct evkeyvalq *out = evhttp_request_get_output_headers(req), *in = evhttp_request_get_input_headers(req);
    char text[96];
    int64_t size = st->st_size, from = 0, n = size;
    http_date(text, sizeof text, st->st_mtime);
    evhttp_add_header(out, "Last-Modified", text);
    evhttp_add_header(out, "Accept-Ranges", "bytes");
    evhttp_add_header(out, "X-Content-Type-Options", "nosniff");
    const char *since = evhttp_find_header(in, "If-Modified-Since");
    if (since && !strcmp(since, text)) {
        close(fd);
        evhttp_send_reply(req, HTTP_NOTMODIFIED, "Not Modified", NULL);
        return;
    }
    int ranged = parse_range(evhttp_find_header(in, "Range"), size, &from, &n);
    if (ranged < 0) {
        close(fd);
        snprintf(text, sizeof text, "bytes */%lld", (long long)size);
        evhttp_add_header(out, "Content-Range", text);
        refuse(req, 416, "Range Not Satisfiable");
        return;
    }
    if (ranged) {
        snprintf(text, sizeof text, "bytes %lld-%lld/%lld", (long long)from, (long long)(from + n - 1), (long long)size);
        evhttp_add_header(out, "Content-Range", text);
    }
    snprintf(text, sizeof text, "%lld", (long long)n);
    evhttp_add_header(out, "Content-Length", text);
    evhttp_add_header(out, "Content-Type", media_type(path));
    struct evbuffer *body = evbuffer_new();
    bool head = evhttp_request_get_command(req) == EVHTTP_REQ_HEAD;
    if (head || !n || !body) {
        close(fd);
    } else {
        struct evbuffer_file_segment *seg = evbuffer_file_segment_new(fd, from, n, EVBUF_FS_CLOSE_ON_FREE | EVBUF_FS_DISABLE_SENDFILE);
        if (seg) {
            evbuffer_add_file_segment(body, seg, 0, n);
            evbuffer_file_segment_free(seg);
        }
    }
    evhttp_send_reply(req, ranged ? 206 : HTTP_OK, ranged ? "Partial Content" : "OK", head ? NULL : body);
    if (body)
        evbuffer_free(body);
}

void files_answer(struct evhttp_request *req, int root)
{
    char path[4096];
    struct stat st;
    bool slash_missing = false;
    enum evhttp_cmd_type method = evhttp_request_get_command(req);
    if (method != EVHTTP_REQ_GET && method != EVHTTP_REQ_HEAD) {
        evhttp_add_header(evhttp_request_get_output_headers(req), "Allow", "GET, HEAD");
        refuse(req, HTTP_BADMETHOD, "Method Not Allowed");
        return;
    }
    if (!decode_path(req, path, sizeof path - sizeof "/index.html")) {
        refuse(req, HTTP_BADREQUEST, "Bad Request");
        return;
    }
    int fd = open_file(root, path, sizeof path, &st, &slash_missing);
    if (slash_missing) {
        char where[4200];
        snprintf(where, sizeof where, "%s/", evhttp_uri_get_path(evhttp_request_get_evhttp_uri(req)));
        evhttp_add_header(evhttp_request_get_output_headers(req), "Location", where);
        refuse(req, 301, "Moved Permanently");
    } else if (fd < 0 || !S_ISREG(st.st_mode)) {
        if (fd >= 0)
            close(fd);
        fd < 0 && errno == EACCES ? refuse(req, 403, "Forbidden") : refuse(req, HTTP_NOTFOUND, "Not Found");
    } else {
        send_file(req, fd, &st, path);
    }
}
