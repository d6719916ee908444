#include "record/records.h"

static void *take(void *ctx, size_t n)
{
    struct counted *c = ctx;
    if (c->fail_in && !--c->fail_in)
        return NULL;
    c->blocks++;
    c->bytes += n;
    c->peak = c->bytes > c->peak ? c->bytes : c->peak;
    return malloc(n);
}

static void give(void *ctx, void *p, size_t n)
{
    struct counted *c = ctx;
    assert_true(c->blocks && c->bytes >= n);
    c->blocks--;
    c->bytes -= n;
    free(p);
}

void counted_init(struct counted *c)
{
    *c = (struct counted){ .memory = { take, give, c } };
}

uint32_t noise_below(uint32_t *seed, uint32_t below)
{
    *seed = *seed * 1664525 + 1013904223;
    return (uint32_t)((uint64_t)*seed * below >> 32);
}

void noise(uint8_t *p, size_t n, uint32_t seed)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)noise_below(&seed, 256);
}

size_t put_record(uint8_t *to, uint8_t type, uint16_t version, span body)
{
    to[0] = type;
    to[1] = (uint8_t)(version >> 8);
    to[2] = (uint8_t)version;
    to[3] = (uint8_t)(body.n >> 8);
    to[4] = (uint8_t)body.n;
    if (body.n)
        memmove(to + 5, body.p, body.n);
    return 5 + body.n;
}

void feed(struct inbuf *b, span bytes, size_t step)
{
    troth_error e = { 0 };
    while (bytes.n) {
        uint8_t *p;
        size_t n;
        assert_true(inbuf_room(b, &e, &p, &n));
        assert_true(n > 0);
        size_t some = bytes.n < n ? bytes.n : n;
        if (step && some > step)
            some = step;
        memcpy(p, bytes.p, some);
        inbuf_got(b, some);
        bytes = span_slice(bytes, some, bytes.n - some);
    }
}
