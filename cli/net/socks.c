/* socks.c - SOCKS 5.  Must never resolve the target's name, which is the proxy's to resolve, nor let a copy
 * of the password stand. */
#include "net/socks.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

enum { VERSION = 5, WITHOUT = 0, BY_PASSWORD = 2, TO_IPV4 = 1, TO_NAME = 3, TO_IPV6 = 4, PART_MAX = 255 };

struct talk {
    int fd;
    uint64_t deadline;
    enum troth_reason *why;
};

static const char *exchange(const struct talk *k, const uint8_t *say, size_t n, uint8_t *answer,
                            size_t answer_n)
{
    send_all(k->fd, say, n, k->deadline); /* who does not take it may have said why */
    return recv_all(k->fd, answer, answer_n, k->deadline) ? NULL : via_silence(k->why);
}

static const char *log_in(const struct talk *k, const struct via *v)
{
    const char *colon = memchr(v->login, ':', v->login_n), *end = v->login + v->login_n;
    uint8_t say[3 + 2 * VIA_LOGIN_MAX] = { 1 }, answer[2];
    size_t user_n = via_decode(say + 2, v->login, (size_t)((colon ? colon : end) - v->login));
    uint8_t *pass = say + 2 + user_n + 1;
    size_t pass_n = colon ? via_decode(pass, colon + 1, (size_t)(end - colon - 1)) : 0;
    bool fits = user_n <= PART_MAX && pass_n <= PART_MAX;
    say[1] = (uint8_t)user_n;
    pass[-1] = (uint8_t)pass_n;
    *k->why = TROTH_R_NET_PROXY_AUTH;
    const char *wrong = fits ? exchange(k, say, 3 + user_n + pass_n, answer, sizeof answer)
                             : "takes no user or password of more than 255 bytes";
    explicit_bzero(say, sizeof say);
    return wrong ? wrong : answer[1] ? "refuses this user and password" : NULL;
}

static const char *agree(const struct talk *k, const struct via *v)
{
    const uint8_t say[4] = { VERSION, v->login ? 2 : 1, WITHOUT, BY_PASSWORD };
    uint8_t answer[2];
    const char *wrong = exchange(k, say, v->login ? 4 : 3, answer, sizeof answer);
    if (wrong)
        return wrong;
    if (answer[0] != VERSION)
        return "does not speak SOCKS 5";
    if (answer[1] == BY_PASSWORD && v->login)
        return log_in(k, v);
    if (answer[1] == WITHOUT)
        return NULL;
    *k->why = TROTH_R_NET_PROXY_AUTH;
    return v->login ? "takes no user and password, and wants to know who we are"
                    : "does not let in whom it does not know";
}

/* The address, as what it is, and the port.  The length. */
static size_t put_place(uint8_t *out, const struct target *t)
{
    size_t name = strlen(t->host), n = 1;
    unsigned port = (unsigned)strtoul(t->port, NULL, 10);
    if (inet_pton(AF_INET, t->host, out + 1) == 1) {
        out[0] = TO_IPV4;
        n += 4;
    } else if (inet_pton(AF_INET6, t->host, out + 1) == 1) {
        out[0] = TO_IPV6;
        n += 16;
    } else {
        out[0] = TO_NAME;
        out[1] = (uint8_t)name;
        memcpy(out + 2, t->host, name);
        n += 1 + name;
    }
    out[n] = (uint8_t)(port >> 8);
    out[n + 1] = (uint8_t)port;
    return n + 2;
}

static const char *refusal(uint8_t code)
{
    static const char *const said[] = { "",
                                        "answers that it failed in general",
                                        "answers that its rules do not allow this connection",
                                        "answers that the network cannot be reached",
                                        "answers that the host cannot be reached",
                                        "answers that the connection was refused",
                                        "answers that the packets' time to live is over",
                                        "answers that it does not know CONNECT",
                                        "answers that it does not know this kind of address" };
    return code < sizeof said / sizeof said[0] ? said[code] : "refuses with a code that SOCKS does not have";
}

const char *socks_open(int fd, const struct via *v, const struct target *t, uint64_t deadline,
                       enum troth_reason *why)
{
    const struct talk k = { fd, deadline, why };
    uint8_t say[3 + 2 + sizeof t->host + 2] = { VERSION, 1, 0 }, answer[4], bound[1 + PART_MAX + 2];
    *why = TROTH_R_NET_PROXY;
    const char *wrong = agree(&k, v);
    if (wrong)
        return wrong;
    *why = TROTH_R_NET_PROXY;
    wrong = exchange(&k, say, 3 + put_place(say + 3, t), answer, sizeof answer);
    if (wrong)
        return wrong;
    if (answer[0] != VERSION)
        return "does not speak SOCKS 5";
    if (answer[1])
        return refusal(answer[1]);
    if (answer[3] == TO_NAME && !recv_all(fd, bound, 1, deadline))
        return via_silence(why);
    size_t n = answer[3] == TO_IPV4 ? 4 : answer[3] == TO_IPV6 ? 16 : answer[3] == TO_NAME ? bound[0] : 0;
    if (!n && answer[3] != TO_NAME)
        return "answers with an address that is none";
    /* where the proxy goes out is of no interest, but must be read */
    return recv_all(fd, bound, n + 2, deadline) ? NULL : via_silence(why);
}
