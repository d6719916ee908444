/* visitor.c - see visitor.h. */
#include "serve/visitor.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "net/dial.h"

/* ---- ends */

static enum ends_family one_end(const struct sockaddr_storage *sa, uint8_t *address, uint16_t *port)
{
    const struct sockaddr_in *four = (const struct sockaddr_in *)sa;
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)sa;
    *port = address_port(sa);
    if (sa->ss_family == AF_INET) {
        memcpy(address, &four->sin_addr, 4);
        return ENDS_IPV4;
    }
    if (sa->ss_family == AF_INET6) {
        bool inner = IN6_IS_ADDR_V4MAPPED(&six->sin6_addr);
        memcpy(address, (const uint8_t *)&six->sin6_addr + (inner ? 12 : 0), inner ? 4 : 16);
        return inner ? ENDS_IPV4 : ENDS_IPV6;
    }
    if (sa->ss_family != AF_UNIX)
        return ENDS_UNKNOWN;
    memcpy(address, ((const struct sockaddr_un *)sa)->sun_path, ENDS_ADDRESS_MAX); /* without a name: zeros */
    return ENDS_UNIX;
}

struct ends ends_of(int fd)
{
    struct ends e = { .family = ENDS_UNKNOWN };
    struct sockaddr_storage from = { .ss_family = AF_UNSPEC }, to = { .ss_family = AF_UNSPEC };
    socklen_t from_n = sizeof from, to_n = sizeof to;
    if (getpeername(fd, (struct sockaddr *)&from, &from_n) || getsockname(fd, (struct sockaddr *)&to, &to_n))
        return e;
    enum ends_family f = one_end(&from, e.from, &e.from_port), t = one_end(&to, e.to, &e.to_port);
    e.family = f == t ? f : ENDS_UNKNOWN;
    return e;
}

static void peer_words(char *out, size_t cap, const struct ends *e)
{
    char address[INET6_ADDRSTRLEN] = "";
    if (e->family == ENDS_UNIX)
        snprintf(out, cap, "unix:%.*s", (int)strnlen((const char *)e->from, ENDS_ADDRESS_MAX), (const char *)e->from);
    else if (e->family == ENDS_IPV4)
        snprintf(out, cap, "%s:%u", inet_ntop(AF_INET, e->from, address, sizeof address), e->from_port);
    else if (e->family == ENDS_IPV6)
        snprintf(out, cap, "[%s]:%u", inet_ntop(AF_INET6, e->from, address, sizeof address), e->from_port);
}

/* ---- announced */

enum due { NOT_DUE, DUE, GONE };

static enum due due_from(const struct nets *announce, int fd)
{
    struct sockaddr_storage sa = { .ss_family = AF_UNSPEC };
    socklen_t n = sizeof sa;
    if (getpeername(fd, (struct sockaddr *)&sa, &n)) /* reset by now, which we shall hear of; nobody knows by whom */
        return GONE;
    return nets_have(announce, (struct sockaddr *)&sa) ? DUE : NOT_DUE;
}

bool visitor_due(const struct nets *announce, int fd)
{
    return due_from(announce, fd) != NOT_DUE;
}

static enum visitor_is refuse(struct visitor *v, enum troth_reason why, const char *saw)
{
    v->why = why;
    v->saw = saw;
    return VISITOR_REFUSED;
}

static enum visitor_is enter(struct visitor *v, const struct announcement *a, struct evbuffer *in)
{
    v->heard = true;
    v->ends = a->ends;
    peer_words(v->peer, sizeof v->peer, &v->ends);
    if (a->id)
        memcpy(v->id, a->id, a->id_n);
    v->id_n = a->id_n;
    evbuffer_drain(in, a->size);
    return VISITOR_IN;
}

enum visitor_is visitor_hear(struct visitor **v, const struct nets *announce, int fd, struct evbuffer *in)
{
    struct announcement a;
    size_t n = evbuffer_get_length(in);
    if (*v && (*v)->heard)
        return VISITOR_IN;
    enum due due = *v ? DUE : due_from(announce, fd);
    if (!n || due == GONE)
        return VISITOR_WAITS;
    if (due == NOT_DUE)
        return VISITOR_IN;
    if (!*v && !(*v = calloc(1, sizeof **v)))
        return VISITOR_REFUSED;
    n = n < ANNOUNCE_MAX ? n : ANNOUNCE_MAX;
    const uint8_t *p = evbuffer_pullup(in, (ev_ssize_t)n);
    switch (p ? announce_read(&a, p, n) : ANNOUNCE_BAD) {
    case ANNOUNCE_WHOLE: return enter(*v, &a, in);
    case ANNOUNCE_MORE: return VISITOR_WAITS;
    case ANNOUNCE_NONE: return refuse(*v, TROTH_R_NET_ANNOUNCE_MISSING, "its first bytes are something else");
    case ANNOUNCE_BAD: break;
    }
    return refuse(*v, TROTH_R_NET_ANNOUNCE, p ? a.wrong : "memory ran out");
}

bool visitor_left_early(struct visitor *v)
{
    if (!v || v->heard)
        return false;
    if (!v->saw)
        refuse(v, TROTH_R_NET_ANNOUNCE, "the connection ended within it");
    return true;
}

const char *visitor_peer(const struct visitor *v)
{
    return v && *v->peer ? v->peer : NULL;
}
