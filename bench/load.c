/* What `troth serve` bears: thousands of connections at once that misbehave each in a way of their own - idle, slow to read, slow to
 * write, half a hello, silence, floods of KeyUpdate, handshakes begun and left - while ever new clients ask for a page and are timed.
 * usage: load PORT CA.pem SERVER-PID [CONNECTIONS [SECONDS]]; scripts/load starts the server.  Loopback only.
 * links: crypto */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <troth/troth.h>

enum kind { IDLE, SLOW_READER, SLOW_WRITER, HALF_HELLO, SILENT, KEY_UPDATES, KINDS };
enum { PROBES_MOST = 100000, TICK_MS = 100, UPDATES = 30, ABANDONED = 10, SAMPLES_SHOWN = 3 };

static const struct {
    const char *name;
    unsigned    percent;
} kinds[KINDS] = {
    { "idle after a request", 40 }, { "slow readers of 30 MB", 15 }, { "slow writers", 15 },
    { "half a hello", 15 },         { "silent", 10 },                { "KeyUpdate floods", 5 },
};

struct peer {
    troth_conn *conn;
    int         fd;
    enum kind   kind;
    bool        ready, over, asked, paused;
    size_t      got;
};

static struct peer      *peers;
static size_t            n_peers, n_ready, n_over[KINDS], n_of[KINDS];
static int               loop;
static troth_client     *client;
static struct sockaddr_in to;
static double            probes[PROBES_MOST];
static size_t            n_probes, n_lost;

static void die(const char *what)
{
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* From /proc/PID/status, in KiB. */
static long memory_of(long pid, const char *key)
{
    char path[64], line[256];
    long kib = -1;
    snprintf(path, sizeof path, "/proc/%ld/status", pid);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f))
        if (!strncmp(line, key, strlen(key)))
            kib = strtol(line + strlen(key) + 1, NULL, 10);
    if (f)
        fclose(f);
    return kib;
}

static int dial(bool blocking)
{
    int fd = socket(AF_INET, SOCK_STREAM | (blocking ? 0 : SOCK_NONBLOCK), 0), one = 1;
    if (fd < 0)
        die("socket");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) && errno != EINPROGRESS)
        die("connect");
    return fd;
}

static void over(struct peer *p)
{
    if (p->over)
        return;
    p->over = true;
    n_over[p->kind]++;
    n_ready -= p->ready;
    epoll_ctl(loop, EPOLL_CTL_DEL, p->fd, NULL);
    close(p->fd);
    troth_free(p->conn);
    p->conn = NULL;
}

static void say(struct peer *p, const char *text)
{
    troth_span part = { (const uint8_t *)text, strlen(text) };
    if (!p->over && !troth_write(p->conn, &part, 1))
        over(p);
}

static void begin(struct peer *p)
{
    p->ready = true;
    n_ready++;
    if (p->kind == IDLE)
        say(p, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    else if (p->kind == SLOW_READER)
        say(p, "GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n");
    else
        say(p, "GET / HTTP/1.1\r\nHost: localhost\r\nX: ");
}

static void wants(struct peer *p, uint32_t events)
{
    struct epoll_event e = { .events = events, .data.ptr = p };
    epoll_ctl(loop, EPOLL_CTL_MOD, p->fd, &e);
}

/* As far as it goes without waiting.  False: it waits, or it is over. */
static bool step(struct peer *p)
{
    troth_event ev = troth_next(p->conn);
    if (ev.kind == TROTH_SEND) {
        ssize_t n = send(p->fd, ev.data.p, p->kind == HALF_HELLO && ev.data.n > 200 ? 200 : ev.data.n, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) {
            wants(p, EPOLLIN | EPOLLOUT);
            return false;
        }
        if (n < 0)
            over(p);
        else if (p->kind == HALF_HELLO)
            p->paused = true; /* and no more */
        else
            troth_sent(p->conn, (size_t)n);
        return n > 0 && !p->paused;
    }
    if (ev.kind == TROTH_RECV) {
        ssize_t n = p->paused ? -1 : recv(p->fd, ev.room.p, ev.room.n, 0);
        if (p->paused || (n < 0 && errno == EAGAIN))
            return false;
        if (n <= 0)
            over(p);
        else
            troth_received(p->conn, (size_t)n);
        return n > 0;
    }
    if (ev.kind == TROTH_READY) {
        begin(p);
    } else if (ev.kind == TROTH_DATA) {
        p->got += ev.data.n;
        if (p->kind == SLOW_READER && p->got > 4096) {
            p->paused = true;
            wants(p, 0);
        }
    } else if (ev.kind == TROTH_CLOSED || ev.kind == TROTH_DONE || ev.kind == TROTH_FAILED) {
        over(p);
    }
    return !p->over;
}

static void drive(struct peer *p)
{
    while (!p->over && !p->paused && step(p))
        ;
}

static void open_peer(struct peer *p, enum kind kind)
{
    *p = (struct peer){ .kind = kind, .fd = dial(false), .conn = kind == SILENT ? NULL : troth_connect(client, "localhost"), .paused = kind == SILENT };
    struct epoll_event e = { .events = kind == SILENT ? 0 : EPOLLIN | EPOLLOUT, .data.ptr = p };
    if (epoll_ctl(loop, EPOLL_CTL_ADD, p->fd, &e))
        die("epoll_ctl");
    n_of[kind]++;
}

/* What each does ten times a second. */
static void tick(struct peer *p)
{
    if (p->over || !p->ready)
        return;
    if (p->kind == SLOW_WRITER && !p->asked) {
        say(p, "y");
    } else if (p->kind == KEY_UPDATES) {
        for (int i = 0; i < UPDATES && !p->over; i++)
            if (!troth_update_keys(p->conn, i == 0))
                over(p);
        say(p, "z");
    } else if (p->kind == SLOW_READER && p->paused) {
        char some[512];
        p->got += recv(p->fd, some, sizeof some, MSG_DONTWAIT) > 0; /* never decrypted: it only makes room */
        return;
    } else {
        return;
    }
    drive(p);
}

static void take_events(int wait_ms)
{
    struct epoll_event e[512];
    int n = epoll_wait(loop, e, 512, wait_ms);
    for (int i = 0; i < n; i++) {
        struct peer *p = e[i].data.ptr;
        if (e[i].events & EPOLLOUT && !p->over && !p->paused)
            wants(p, EPOLLIN); /* connected, or there is room again */
        drive(p);
    }
}

/* One honest client: connect, handshake, a page, the end.  False: it was not served within ten seconds. */
static bool probe(void)
{
    static const char request[] = "GET / HTTP/1.0\r\n\r\n";
    double start = ms();
    int fd = dial(true);
    size_t got = 0;
    bool ok = false;
    struct timeval limit = { .tv_sec = 10 };
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    troth_conn *c = troth_connect(client, "localhost");
    for (troth_event ev = troth_next(c);; ev = troth_next(c)) {
        troth_span part = { (const uint8_t *)request, sizeof request - 1 };
        ssize_t n = 1;
        if (ev.kind == TROTH_SEND && (n = send(fd, ev.data.p, ev.data.n, MSG_NOSIGNAL)) > 0)
            troth_sent(c, (size_t)n);
        else if (ev.kind == TROTH_RECV && (n = recv(fd, ev.room.p, ev.room.n, 0)) >= 0)
            troth_received(c, (size_t)n);
        else if (ev.kind == TROTH_READY && !troth_write(c, &part, 1))
            break;
        else if (ev.kind == TROTH_DATA)
            got += ev.data.n;
        else if (ev.kind == TROTH_CLOSED)
            troth_close(c);
        if (n < 0 || ev.kind == TROTH_DONE || ev.kind == TROTH_FAILED) {
            ok = ev.kind == TROTH_DONE && got > 100;
            break;
        }
    }
    troth_free(c);
    close(fd);
    if (ok && n_probes < PROBES_MOST)
        probes[n_probes++] = ms() - start;
    n_lost += !ok;
    return ok;
}

/* Handshakes that are begun, and left once the server has done its part. */
static void abandon(void)
{
    troth_conn *c = troth_connect(client, "localhost");
    int fd = dial(true);
    troth_event ev = troth_next(c);
    if (ev.kind == TROTH_SEND)
        (void)!send(fd, ev.data.p, ev.data.n, MSG_NOSIGNAL);
    struct pollfd p = { .fd = fd, .events = POLLIN };
    poll(&p, 1, 100);
    close(fd);
    troth_free(c);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void show(const char *when, long pid)
{
    size_t held = 0;
    for (int k = 0; k < KINDS; k++)
        held += n_of[k] - n_over[k];
    printf("%-26s %6zu open, %6zu of them handshaken   server: %7ld KiB of its own, %7ld of files mapped\n", when, held, n_ready,
           memory_of(pid, "RssAnon:"), memory_of(pid, "RssFile:"));
    fflush(stdout);
}

static void show_probes(const char *when, size_t from)
{
    size_t n = n_probes - from;
    qsort(probes + from, n, sizeof *probes, by_size);
    if (n)
        printf("%-26s %6zu honest clients served, %zu not; milliseconds: median %.1f, 95 %% %.1f, most %.1f\n", when, n, n_lost, probes[from + n / 2],
               probes[from + n * 95 / 100], probes[n_probes - 1]);
    fflush(stdout);
}

static void storm(double seconds)
{
    double end = ms() + seconds * 1e3;
    while (ms() < end) {
        double next = ms() + TICK_MS;
        for (size_t i = 0; i < n_peers; i++)
            tick(&peers[i]);
        for (int i = 0; i < ABANDONED; i++)
            abandon();
        probe();
        do
            take_events(5);
        while (ms() < next);
    }
}

static void open_all(size_t want)
{
    static const size_t burst = 50;
    double start = ms();
    for (size_t done = 0; done < want;) {
        for (size_t i = 0; i < burst && done < want; i++, done++) {
            unsigned at = (unsigned)(done * 37 % 100), kind = 0;
            while (at >= kinds[kind].percent)
                at -= kinds[kind++].percent;
            open_peer(&peers[n_peers++], kind);
        }
        take_events(0);
    }
    size_t handshakes = want - n_of[HALF_HELLO] - n_of[SILENT];
    for (double limit = ms() + 120e3; n_ready < handshakes && ms() < limit;)
        take_events(100);
    printf("%zu connections, %zu handshakes in %.1f s\n", want, n_ready, (ms() - start) / 1e3);
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: load PORT CA.pem SERVER-PID [CONNECTIONS [SECONDS]]\n");
        return 2;
    }
    size_t want = argc > 4 ? (size_t)strtoul(argv[4], NULL, 10) : 10000;
    double seconds = argc > 5 ? strtod(argv[5], NULL) : 20;
    long pid = strtol(argv[3], NULL, 10);
    struct rlimit files = { .rlim_cur = want + 200, .rlim_max = want + 200 };
    if (setrlimit(RLIMIT_NOFILE, &files))
        die("that many open files");
    to = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1])), .sin_addr = { htonl(INADDR_LOOPBACK) } };
    troth_builder *b = troth_client_builder(troth_libcrypto());
    troth_trust_file(b, argv[2]);
    client = troth_build_client(b, NULL);
    peers = calloc(want, sizeof *peers);
    loop = epoll_create1(0);
    if (!client || !peers || loop < 0)
        die("start");
    show("before", pid);
    for (int i = 0; i < 50; i++)
        probe();
    show_probes("alone", 0);
    size_t from = n_probes;
    open_all(want);
    show("all there", pid);
    storm(seconds);
    show("after the storm", pid);
    show_probes("during the storm", from);
    for (int k = 0; k < KINDS; k++)
        printf("  %-24s %6zu, ended by the server: %zu\n", kinds[k].name, n_of[k], n_over[k]);
    for (size_t i = 0; i < n_peers; i++)
        over(&peers[i]);
    from = n_probes;
    usleep(3000000);
    for (int i = 0; i < 50; i++)
        probe();
    show("all gone", pid);
    show_probes("alone again", from);
    troth_client_free(client);
    free(peers);
    return n_lost != 0;
}
