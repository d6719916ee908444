/* seal.c - see seal.h. */
#include "serve/seal.h"

#include <sys/uio.h>

enum { WRITE_MOST = 65536, PARTS_MAX = 16 };

void seal_collect(troth_conn *conn, struct evbuffer *out)
{
    while (troth_pending(conn)) { /* then what is next is SEND: no other event is taken by accident */
        troth_event ev = troth_next(conn);
        if (ev.kind != TROTH_SEND)
            return;
        evbuffer_add(out, ev.data.p, ev.data.n);
        troth_sent(conn, ev.data.n);
    }
}

bool seal_some(troth_conn *conn, struct evbuffer *plain, struct evbuffer *out)
{
    struct evbuffer_iovec v[PARTS_MAX];
    troth_span parts[PARTS_MAX];
    int n = evbuffer_peek(plain, WRITE_MOST, NULL, v, PARTS_MAX);
    n = n > PARTS_MAX ? PARTS_MAX : n;
    size_t total = 0, used = 0;
    for (; used < (size_t)n && total < WRITE_MOST; used++) { /* a file may come as one piece of any length */
        size_t take = v[used].iov_len < WRITE_MOST - total ? v[used].iov_len : WRITE_MOST - total;
        parts[used] = (troth_span){ v[used].iov_base, take };
        total += take;
    }
    if (!total)
        return true;
    if (!troth_write(conn, parts, used))
        return false;
    evbuffer_drain(plain, total);
    seal_collect(conn, out);
    return true;
}
