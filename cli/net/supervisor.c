/* supervisor.c - see supervisor.h. */
#include "net/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/dial.h"

enum { WATCHDOG_LEAST_US = 2000 }; /* what is shorter is a mistake, and would be all that we do */

/* What it says stays, as the process began with it; nobody who is started by us finds it. */
static const char *take(const char *variable)
{
    const char *value = getenv(variable);
    unsetenv(variable);
    return value;
}

/* A number from `least` to `most` and nothing else; 0 when it is none. */
static uint64_t number(const char *text, uint64_t least, uint64_t most)
{
    char *end;
    errno = 0;
    uint64_t n = text && *text >= '0' && *text <= '9' ? strtoull(text, &end, 10) : 0;
    return n && !errno && !*end && n >= least && n <= most ? n : 0;
}

static bool is_us(const char *pid)
{
    return number(pid, 1, INT32_MAX) == (uint64_t)getpid();
}

/* ---- sockets */

static const char *kind_of_file(int fd)
{
    struct stat st;
    if (fstat(fd, &st))
        return "not open";
    return S_ISREG(st.st_mode) ? "a file" : S_ISDIR(st.st_mode) ? "a folder" : S_ISFIFO(st.st_mode) ? "a pipe" : "not a socket";
}

/* What it is instead of a listening stream socket of a family that we know; NULL: nothing else. */
static const char *flaw_of(int fd, struct sockaddr_storage *sa, socklen_t *n)
{
    int type = 0, listens = 0;
    socklen_t size = sizeof type;
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) || getsockname(fd, (struct sockaddr *)sa, n))
        return kind_of_file(fd);
    if (sa->ss_family != AF_INET && sa->ss_family != AF_INET6 && sa->ss_family != AF_UNIX)
        return "neither an IP nor a unix socket";
    if (type != SOCK_STREAM)
        return type == SOCK_DGRAM ? "a datagram socket" : "not a stream socket";
    size = sizeof listens;
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) || !listens)
        return "a socket that does not listen (a socket unit needs Accept=no)";
    return NULL;
}

static void describe(struct passed *p, const struct sockaddr_storage *sa, socklen_t n)
{
    const struct sockaddr_un *sun = (const struct sockaddr_un *)sa;
    if (sa->ss_family == AF_UNIX) {
        size_t length = n - offsetof(struct sockaddr_un, sun_path);
        bool abstract = length && !sun->sun_path[0];
        snprintf(p->where, sizeof p->where, "unix:%s%.*s", abstract ? "@" : "", (int)(length - abstract), sun->sun_path + abstract);
        return;
    }
    if (address_text(p->where, sizeof p->where, (const struct sockaddr *)sa, n))
        p->port = atoi(strrchr(p->where, ':') + 1);
}

static int take_socket(const struct args *a, int fd, struct passed *p)
{
    struct sockaddr_storage sa = { .ss_family = AF_UNSPEC };
    socklen_t n = sizeof sa;
    const char *flaw = flaw_of(fd, &sa, &n);
    if (flaw)
        return complain(a, EXIT_USAGE, "fd %d of LISTEN_FDS%s%s%s is %s; it must be a listening stream socket, TCP or unix", fd,
                        *p->name ? " (" : "", p->name, *p->name ? ")" : "", flaw);
    describe(p, &sa, n);
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) || evutil_make_socket_nonblocking(fd))
        return complain(a, EXIT_FILE, "fd %d of LISTEN_FDS: %s", fd, strerror(errno));
    return EXIT_OK;
}

int supervisor_sockets(const struct args *a, struct passed *out, size_t most, size_t *n)
{
    const char *pid = take("LISTEN_PID"), *count = take("LISTEN_FDS"), *names = take("LISTEN_FDNAMES");
    int status = EXIT_OK;
    *n = 0;
    if (!count || !strcmp(count, "0") || !is_us(pid)) /* for a process that we come from */
        return EXIT_OK;
    size_t all = number(count, 1, most);
    if (!all)
        return complain(a, EXIT_USAGE, "LISTEN_FDS: `%s' is not a number from 1 to %zu", count, most);
    if (args_has(a, OPT_LISTEN))
        return complain(a, EXIT_USAGE, "--listen, but %s socket%s to listen on %s passed to us as well (LISTEN_FDS); leave one of the two out",
                        count, all > 1 ? "s" : "", all > 1 ? "were" : "was");
    for (size_t i = 0; status == EXIT_OK && i < all; i++) {
        size_t length = names ? strcspn(names, ":") : 0;
        out[i] = (struct passed){ .port = 0 };
        snprintf(out[i].name, sizeof out[i].name, "%.*s", (int)length, names ? names : "");
        names = names && names[length] ? names + length + 1 : NULL;
        status = take_socket(a, PASSED_FIRST + (int)i, &out[i]);
    }
    *n = all;
    return status;
}

/* ---- how we are */

static void warn_once(struct supervisor *v, const char *variable, const char *saw)
{
    if (!v->warned)
        log_line(v->log, "warn", "supervisor", "variable", variable, "saw", saw, "what", "whoever started us may not hear how we are", NULL);
    v->warned = true;
}

static void send_text(struct supervisor *v, const char *text, int flags)
{
    if (v->to_n && sendto(v->fd, text, strlen(text), flags | MSG_NOSIGNAL, (const struct sockaddr *)&v->to, v->to_n) < 0)
        warn_once(v, "NOTIFY_SOCKET", strerror(errno));
}

void supervisor_say(struct supervisor *v, const char *state, const char *status)
{
    char text[1024];
    size_t n = (size_t)snprintf(text, sizeof text, "%s\nSTATUS=", state);
    snprintf(text + n, sizeof text - n, "%s", status);
    for (char *p = text + n; *p; p++) /* a line of its own would be an assignment */
        if ((unsigned char)*p < 0x20)
            *p = '?';
    send_text(v, text, 0);
}

/* A path, or an abstract name behind '@'. */
static bool address_of(struct supervisor *v, const char *where)
{
    size_t n = strlen(where);
    if ((where[0] != '/' && where[0] != '@') || n < 2 || n >= sizeof v->to.sun_path)
        return false;
    v->to = (struct sockaddr_un){ .sun_family = AF_UNIX };
    memcpy(v->to.sun_path, where, n);
    if (where[0] == '@')
        v->to.sun_path[0] = 0;
    v->to_n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
    return true;
}

static void still_alive(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    send_text(ctx, "WATCHDOG=1", MSG_DONTWAIT);
}

/* Twice as often as we have to. */
static void open_watchdog(struct supervisor *v, struct event_base *base, const char *text)
{
    uint64_t usec = number(text, WATCHDOG_LEAST_US, UINT64_MAX - 1) / 2;
    struct timeval half = { .tv_sec = (time_t)(usec / 1000000), .tv_usec = (suseconds_t)(usec % 1000000) };
    v->alive = usec ? event_new(base, -1, EV_PERSIST, still_alive, v) : NULL;
    if (!v->alive || event_add(v->alive, &half))
        warn_once(v, "WATCHDOG_USEC", text);
}

void supervisor_open(struct supervisor *v, struct event_base *base, const struct log *log)
{
    const char *where = take("NOTIFY_SOCKET"), *usec = take("WATCHDOG_USEC"), *pid = take("WATCHDOG_PID");
    struct timeval patience = { .tv_sec = 1 }; /* when its queue is full; so long nobody else is served */
    *v = (struct supervisor){ .log = log, .fd = -1 };
    if (!where || !*where)
        return;
    if (!address_of(v, where)) {
        warn_once(v, "NOTIFY_SOCKET", where);
        return;
    }
    v->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    setsockopt(v->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (usec && (!pid || is_us(pid)))
        open_watchdog(v, base, usec);
}

void supervisor_close(struct supervisor *v)
{
    if (v->alive)
        event_free(v->alive);
    if (v->to_n)
        close(v->fd);
    *v = (struct supervisor){ .fd = -1 };
}
