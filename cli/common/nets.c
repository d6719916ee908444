/* nets.c - see nets.h.  Must never resolve a name, nor take a network for a larger one than was written. */
#include "common/nets.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

/* All bits behind the first `bits` are zero? */
static bool is_network(const uint8_t at[16], unsigned bits)
{
    for (unsigned i = bits; i < 128; i++)
        if (at[i / 8] >> (7 - i % 8) & 1)
            return false;
    return true;
}

/* What is wrong with an entry; NULL: it was added. */
static const char *add(struct nets *s, char *entry)
{
    if (!strcmp(entry, "unix")) {
        s->local = true;
        return NULL;
    }
    if (s->n == NETS_MAX)
        return "there are more than 64 networks";
    char *slash = strchr(entry, '/');
    const char *length = slash ? slash + 1 : NULL;
    if (slash)
        *slash = 0;
    uint8_t *at = s->net[s->n].at;
    bool four = inet_pton(AF_INET, entry, at + 12) == 1;
    if (!four && inet_pton(AF_INET6, entry, at) != 1)
        return "it is neither an IP address, nor a network like 10.0.0.0/8, nor the word unix";
    if (four)
        memcpy(at, mapped, sizeof mapped);
    if (length && (!*length || strlen(length) > 3 || length[strspn(length, "0123456789")] || atoi(length) > (four ? 32 : 128)))
        return "the number of bits behind its / is none that such an address has";
    unsigned bits = (length ? (unsigned)atoi(length) : four ? 32 : 128) + (four ? 96 : 0);
    if (!is_network(at, bits))
        return "its address has bits behind those that count: write where the network begins";
    s->net[s->n++].bits = bits;
    return NULL;
}

bool nets_read(struct nets *s, const struct args *a, enum opt o)
{
    const char *list;
    *s = (struct nets){ .n = 0 };
    for (size_t i = 0; (list = args_nth(a, o, i)); i++)
        for (const char *p = list;; p++) {
            char entry[64];
            size_t n = strcspn(p, ",");
            const char *wrong = n < sizeof entry ? NULL : "it is too long";
            if (!wrong) {
                memcpy(entry, p, n);
                entry[n] = 0;
                wrong = add(s, entry);
            }
            if (wrong)
                return complain(a, EXIT_USAGE, "--%s: `%.*s': %s", opt_name(o), (int)n, p, wrong) == EXIT_OK;
            p += n;
            if (!*p)
                break;
        }
    return true;
}

bool nets_any(const struct nets *s)
{
    return s->n || s->local;
}

bool nets_have(const struct nets *s, const struct sockaddr *sa)
{
    uint8_t at[16];
    if (sa->sa_family == AF_INET) {
        memcpy(at, mapped, sizeof mapped);
        memcpy(at + 12, &((const struct sockaddr_in *)sa)->sin_addr, 4);
    } else if (sa->sa_family == AF_INET6) {
        memcpy(at, &((const struct sockaddr_in6 *)sa)->sin6_addr, 16);
    } else {
        return sa->sa_family == AF_UNIX && s->local;
    }
    for (size_t i = 0; i < s->n; i++) {
        const uint8_t *net = s->net[i].at;
        unsigned whole = s->net[i].bits / 8, rest = s->net[i].bits % 8;
        if (!memcmp(at, net, whole) && (!rest || (at[whole] ^ net[whole]) >> (8 - rest) == 0))
            return true;
    }
    return false;
}
