/* old_hello.c - one ClientHello of an old version, and the first record of the answer.  Must never go on with the handshake. */
#include "net/old_hello.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HELLO_MAX = 600, SUITES_MAX = 32, ANSWER_MIN = 5 + 4 + 2 + 32 + 1 };

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

/* Record 22, message 2 (ServerHello), version, random, session id, suite. */
static bool read_answer(int fd, uint64_t deadline, struct old_answer *answer)
{
    uint8_t in[ANSWER_MIN + 32 + 2];
    size_t have = 0;
    for (;;) {
        if (have >= ANSWER_MIN && have >= ANSWER_MIN + (size_t)in[ANSWER_MIN - 1] + 2)
            break;
        uint64_t now = now_us();
        struct pollfd p = { .fd = fd, .events = POLLIN };
        if (have == sizeof in || now >= deadline || poll(&p, 1, (int)((deadline - now) / 1000 + 1)) <= 0)
            return false;
        ssize_t n = recv(fd, in + have, sizeof in - have, 0);
        if (n <= 0 && !(n < 0 && (errno == EAGAIN || errno == EINTR)))
            return false;
        have += n > 0 ? (size_t)n : 0;
        if (have && in[0] != 22)
            return false;
    }
    const uint8_t *suite = in + ANSWER_MIN + in[ANSWER_MIN - 1];
    if (in[5] != 2)
        return false;
    *answer = (struct old_answer){ .version = (uint16_t)(in[9] << 8 | in[10]), .suite = (uint16_t)(suite[0] << 8 | suite[1]) };
    return true;
}

bool old_hello(const struct via *v, const struct target *place, const char *name, int timeout_ms, uint16_t version, const uint16_t *suites, size_t n,
               struct old_answer *answer)
{
    struct bytes hello = { .n = 0 };
    struct dialed d;
    if (n > SUITES_MAX || strlen(name) > 255 || !via_dial(&d, v, place, DIAL_ANY, timeout_ms))
        return false;
    write_hello(&hello, name, version, suites, n);
    bool ok = send(d.fd, hello.p, hello.n, MSG_NOSIGNAL) == (ssize_t)hello.n &&
              read_answer(d.fd, now_us() + (uint64_t)timeout_ms * 1000u, answer);
    close(d.fd);
    return ok;
}
