/* fuzz_http1.c - any bytes as an answer of HTTP/1.1: whole or in pieces it is the same answer, and its body is no longer than it said.
 *
 * First byte: bit 0, the answer to HEAD; bit 7, to CONNECT; the rest, how long the pieces are. */
#include <stdlib.h>

#include "../../cli/net/http1.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct got {
    size_t   n;
    uint32_t hash;
};

static bool on_body(void *ctx, const uint8_t *p, size_t n)
{
    struct got *g = ctx;
    for (size_t i = 0; i < n; i++)
        g->hash = (g->hash ^ p[i]) * 16777619u;
    g->n += n;
    return true;
}

static bool feed(struct http1 *h, struct got *g, const uint8_t *p, size_t n, size_t step, uint8_t how)
{
    memset(h, 0, sizeof *h);
    *g = (struct got){ 0, 0 };
    h->body = on_body;
    h->ctx = g;
    h->head_only = how & 1;
    h->tunnel = how & 0x80;
    for (size_t at = 0; at < n; at += step)
        if (!http1_feed(h, p + at, n - at < step ? n - at : step))
            return false;
    return http1_end(h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct http1 a, b;
    struct got ga, gb;
    char value[32];
    if (!size)
        return 0;
    const bool head_only = data[0] & 1, tunnel = data[0] & 0x80;
    size_t step = 1 + data[0] / 2 % 64;
    bool whole = feed(&a, &ga, data + 1, size - 1, size, data[0]), pieces = feed(&b, &gb, data + 1, size - 1, step, data[0]);
    if (whole != pieces || a.status != b.status || a.done != b.done || a.head_n != b.head_n || ga.n != gb.n || ga.hash != gb.hash)
        abort();
    if (!whole && !a.error)
        abort();
    if (ga.n > size || (whole && (a.status < 100 || a.status > 999 || strlen(a.head) != a.head_n)))
        abort();
    if (tunnel && a.status / 100 == 2 && ga.n)
        abort();
    if (whole && http1_header(&a, "Content-Length", value, sizeof value) && !head_only && a.has_length && ga.n > strtoull(value, NULL, 10))
        abort();
    return 0;
}
