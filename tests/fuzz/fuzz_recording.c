/* fuzz_recording.c - a recording (.troth: what both ends said, and the secrets in a block of their own) whose pieces are the input's: the
 * capture around them is well-formed, so that the story is told of decrypted messages and not of broken TCP.
 *
 * Pieces: a byte (0 the client's bytes, 1 the server's, 2 lines of the key log), a length of 2 bytes, the bytes.  tests/explain/
 * prog_recording_seeds.c writes seeds from handshakes. */
#include <stdlib.h>
#include <string.h>

#include <troth/explain.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST = 1 << 18, SEGMENT = 1400 };

struct file {
    uint8_t  p[MOST];
    size_t   n;
    uint32_t seq[2];
};

static void put(struct file *f, const void *p, size_t n)
{
    if (n && n <= MOST - f->n) {
        memcpy(f->p + f->n, p, n);
        f->n += n;
    }
}

static void put32(struct file *f, uint32_t v)
{
    put(f, &v, 4);
}

static void block(struct file *f, uint32_t type, const void *head, size_t head_n, const void *body, size_t n)
{
    size_t pad = (4 - (head_n + n) % 4) % 4;
    uint32_t total = (uint32_t)(12 + head_n + n + pad);
    put32(f, type);
    put32(f, total);
    put(f, head, head_n);
    put(f, body, n);
    put(f, "\0\0\0", pad);
    put32(f, total);
}

static void begin(struct file *f)
{
    static const uint32_t section[] = { 0x1a2b3c4d, 1, 0xffffffff, 0xffffffff }, interface[] = { 101, 0 };
    f->n = 0;
    f->seq[0] = f->seq[1] = 1;
    block(f, 0x0a0d0d0a, section, sizeof section, NULL, 0);
    block(f, 1, interface, sizeof interface, NULL, 0);
}

static void keys(struct file *f, const uint8_t *p, size_t n)
{
    const uint32_t head[] = { 0x544c534b, (uint32_t)n };
    block(f, 10, head, sizeof head, p, n);
}

static void put_be(uint8_t *p, uint32_t v, int n)
{
    for (int i = 0; i < n; i++)
        p[i] = (uint8_t)(v >> (8 * (n - 1 - i)));
}

/* One TCP segment in IPv4, without checksums. */
static void segment(struct file *f, int from, const uint8_t *p, size_t n)
{
    uint8_t packet[40 + SEGMENT] = { 0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 6, 0, 0, 192, 0, 2, 1, 192, 0, 2, 1 };
    packet[from ? 15 : 19] = 2; /* the server is 192.0.2.2 */
    put_be(packet + 2, (uint32_t)(40 + n), 2);
    put_be(packet + 20, from ? 443 : 50000, 2);
    put_be(packet + 22, from ? 50000 : 443, 2);
    put_be(packet + 24, f->seq[from], 4);
    put_be(packet + 28, f->seq[!from], 4);
    packet[32] = 5 << 4;
    packet[33] = 0x18;
    memcpy(packet + 40, p, n);
    f->seq[from] += (uint32_t)n;
    const uint32_t head[] = { 0, 0, 0, (uint32_t)(40 + n), (uint32_t)(40 + n) };
    block(f, 6, head, sizeof head, packet, 40 + n);
}

static bool swallow(void *ctx, const char *p, size_t n)
{
    uint8_t *sum = ctx;
    for (size_t i = 0; i < n; i++)
        *sum = (uint8_t)(*sum + p[i]);
    return true;
}

/* In one of the forms: to write a story takes most of the time. */
static void tell(const struct file *f, unsigned way)
{
    static troth_provider *crypto;
    if (!crypto && !(crypto = troth_libcrypto()))
        abort();
    troth_error e;
    uint8_t sum = 0;
    troth_capture *c = troth_capture_open((troth_span){ f->p, f->n }, NULL, &e);
    if (!c)
        abort();
    for (size_t i = 0; i < troth_capture_count(c) && i < 2; i++) {
        troth_story *s = troth_story_new(NULL);
        troth_story_recompute(s, troth_provider_share(crypto));
        troth_story_options o = { .size = sizeof o, .form = (uint8_t)(way % 3), .depth = TROTH_DEPTH_BYTES, .width = 60 };
        if (troth_capture_explain(c, i, (troth_span){ NULL, 0 }, troth_provider_share(crypto), s) &&
            !troth_story_write(s, &o, swallow, &sum))
            abort();
        troth_story_free(s);
    }
    troth_capture_free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct file f;
    unsigned way = 0;
    for (size_t i = 0; i < size; i++)
        way = 31 * way + data[i];
    begin(&f);
    while (size >= 3) {
        unsigned kind = data[0] % 3;
        size_t n = (size_t)(data[1] << 8 | data[2]);
        data += 3;
        size -= 3;
        n = n < size ? n : size;
        if (kind == 2)
            keys(&f, data, n);
        for (size_t at = 0; kind < 2 && at < n; at += SEGMENT)
            segment(&f, (int)kind, data + at, n - at < SEGMENT ? n - at : SEGMENT);
        data += n;
        size -= n;
    }
    tell(&f, way);
    return 0;
}
