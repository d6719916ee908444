/* old_hello.c - one ClientHello of an old version, and the beginning of the answer.  Must never go on with the handshake. */
#include "net/old_hello.h"

#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HELLO_MAX = 600, SUITES_MAX = 32 };

struct bytes {
    uint8_t p[HELLO_MAX];
    size_t  n;
};

static void put(struct bytes *b, size_t width, uint32_t v)
{
    for (size_t i = width; i-- > 0 && b->n < HELLO_MAX;)
        b->p[b->n++] = (uint8_t)(v >> (8 * i));
}

static void put_all(struct bytes *b, const void *p, size_t n)
{
    if (n > HELLO_MAX - b->n)
        n = HELLO_MAX - b->n;
    memcpy(b->p + b->n, p, n);
    b->n += n;
}

static void put_extensions(struct bytes *b, const char *host)
{
    size_t at = b->n, name = target_is_address(host) ? 0 : strlen(host);
    put(b, 2, 0);
    if (name) { /* server_name */
        put(b, 2, 0);
        put(b, 2, (uint32_t)name + 5);
        put(b, 2, (uint32_t)name + 3);
        put(b, 1, 0);
        put(b, 2, (uint32_t)name);
        put_all(b, host, name);
    }
    static const uint8_t rest[] = { 0, 10, 0, 8, 0, 6, 0, 23, 0, 24, 0, 25,               /* supported_groups       */
                                    0, 11, 0, 2, 1, 0,                                    /* ec_point_formats       */
                                    0, 13, 0, 14, 0, 12, 4, 1, 4, 3, 5, 1, 5, 3, 2, 1, 2, 3, /* signature_algorithms */
                                    0xff, 1, 0, 1, 0 };                                   /* renegotiation_info     */
    put_all(b, rest, sizeof rest);
    size_t n = b->n - at - 2;
    b->p[at] = (uint8_t)(n >> 8);
    b->p[at + 1] = (uint8_t)n;
}

static void write_hello(struct bytes *b, const char *host, uint16_t version, const uint16_t *suites, size_t n)
{
    uint8_t random[32];
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
        memset(random, 0x5a, sizeof random); /* it is no secret, and nothing follows it */
    put(b, 1, 22);
    put(b, 2, version == 0x0300 ? 0x0300 : 0x0301);
    put(b, 2, 0);
    put(b, 1, 1);
    put(b, 3, 0);
    put(b, 2, version);
    put_all(b, random, sizeof random);
    put(b, 1, 0);
    put(b, 2, (uint32_t)(2 * n));
    for (size_t i = 0; i < n; i++)
        put(b, 2, suites[i]);
    put(b, 2, 0x0100);
    if (version > 0x0300)
        put_extensions(b, host);
    size_t body = b->n - 5;
    b->p[3] = (uint8_t)(body >> 8);
    b->p[4] = (uint8_t)body;
    b->p[7] = (uint8_t)((body - 4) >> 8);
    b->p[8] = (uint8_t)(body - 4);
}

/* ---- the answer: handshake messages in the clear, whole records of them */

enum { HEARD_MAX = 48 << 10, RECORD_MAX = (16 << 10) + 2048, HANDSHAKE = 22, SERVER_HELLO = 2, SERVER_KEY_EXCHANGE = 12, SERVER_HELLO_DONE = 14 };

struct heard {
    int      fd;
    uint64_t deadline;
    size_t   n;
    uint8_t  p[HEARD_MAX];
};

/* One record more.  False: it is none of the handshake, or too much. */
static bool hear_record(struct heard *h)
{
    uint8_t head[5];
    if (!recv_all(h->fd, head, sizeof head, h->deadline))
        return false;
    size_t n = (size_t)head[3] << 8 | head[4];
    if (head[0] != HANDSHAKE || !n || n > RECORD_MAX || n > HEARD_MAX - h->n || !recv_all(h->fd, h->p + h->n, n, h->deadline))
        return false;
    h->n += n;
    return true;
}

/* The first message of that type: its length, and where it begins.  False: it did not come. */
static bool hear(struct heard *h, uint8_t type, const uint8_t **body, size_t *n)
{
    for (size_t at = 0;;) {
        size_t left = h->n - at;
        *n = left < 4 ? 0 : (size_t)h->p[at + 1] << 16 | (size_t)h->p[at + 2] << 8 | h->p[at + 3];
        if (left < 4 || *n > left - 4) {
            if (!hear_record(h))
                return false;
            continue;
        }
        *body = h->p + at + 4;
        if (h->p[at] == type || h->p[at] == SERVER_HELLO_DONE)
            return h->p[at] == type;
        at += 4 + *n;
    }
}

/* Version, random, session id, suite. */
static bool hear_hello(struct heard *h, struct old_answer *answer)
{
    enum { TO_ID = 2 + 32 };
    const uint8_t *p;
    size_t n;
    if (!hear(h, SERVER_HELLO, &p, &n) || n < TO_ID + 1 || n < TO_ID + 1 + (size_t)p[TO_ID] + 2)
        return false;
    const uint8_t *suite = p + TO_ID + 1 + p[TO_ID];
    *answer = (struct old_answer){ .version = (uint16_t)(p[0] << 8 | p[1]), .suite = (uint16_t)(suite[0] << 8 | suite[1]) };
    return true;
}

/* The prime comes first (RFC 5246 7.4.3). */
static unsigned hear_group(struct heard *h)
{
    const uint8_t *p;
    size_t n;
    if (!hear(h, SERVER_KEY_EXCHANGE, &p, &n) || n < 2)
        return 0;
    size_t len = (size_t)p[0] << 8 | p[1];
    if (len > n - 2)
        return 0;
    for (p += 2; len && !*p; p++)
        len--;
    return len ? (unsigned)(8 * len) - (unsigned)__builtin_clz(*p) + 24 : 0;
}

bool old_hello(const struct via *v, const struct target *place, const char *name, int timeout_ms, uint16_t version, const uint16_t *suites, size_t n,
               bool with_group, struct old_answer *answer)
{
    struct bytes hello = { .n = 0 };
    struct heard heard = { .n = 0 };
    struct dialed d;
    if (n > SUITES_MAX || strlen(name) > 255 || !via_dial(&d, v, place, DIAL_ANY, timeout_ms))
        return false;
    write_hello(&hello, name, version, suites, n);
    heard.fd = d.fd;
    heard.deadline = now_us() + (uint64_t)timeout_ms * 1000u;
    bool ok = send(d.fd, hello.p, hello.n, MSG_NOSIGNAL) == (ssize_t)hello.n && hear_hello(&heard, answer);
    if (ok && with_group)
        answer->dh_bits = hear_group(&heard);
    close(d.fd);
    return ok;
}
