/* fuzz_record.c - the record layer from bytes to messages: raw bytes and properly sealed records in any order, under any rules.
 *
 * The first two bytes choose form and rules; then commands: a byte of kind, a byte of length, content.  Whatever comes, the layer ends in
 * a reason, or waits for more; it never reads past what it was given, and its messages are whole. */
#include <assert.h>
#include <stdlib.h>

#include "fake/fake.h"
#include "record/record.h"
#include "support/memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct run {
    struct arrivals a;
    struct inbuf    in;
    struct protect  read, write;
    struct messages m;
    troth_error     e;
    bool            over;
};

static void give(struct run *r, span bytes, size_t step)
{
    while (bytes.n) {
        uint8_t *p;
        size_t n;
        if (!inbuf_room(&r->in, &r->e, &p, &n))
            abort();
        n = n < bytes.n ? n : bytes.n;
        n = n < step ? n : step;
        memcpy(p, bytes.p, n);
        inbuf_got(&r->in, n);
        bytes = span_slice(bytes, n, bytes.n - n);
    }
}

static void take_messages(struct run *r)
{
    struct message msg;
    enum messages_answer a;
    while ((a = messages_next(&r->m, &r->e, &msg)) == MESSAGE_WHOLE) {
        if (msg.raw.n != msg.body.n + 4 || msg.raw.p[0] != msg.type)
            abort();
        volatile uint8_t touch = msg.raw.p[msg.raw.n - 1];
        (void)touch;
    }
    r->over = r->over || a == MESSAGE_BAD;
}

static void drain(struct run *r)
{
    struct arrived got;
    while (!r->over) {
        switch (arrive(&r->a, &r->in, &r->read, &r->m, &r->e, &got)) {
        case ARRIVED_NOTHING: return;
        case ARRIVED_HANDSHAKE: take_messages(r); break;
        case ARRIVED_DATA:
            if (!got.data.n)
                abort();
            break;
        case ARRIVED_CCS: break;
        case ARRIVED_CLOSE:
        case ARRIVED_ALERT:
        case ARRIVED_BAD: r->over = true; break;
        }
    }
}

static void command(struct run *r, uint8_t kind, span content)
{
    static const uint8_t types[4] = { CONTENT_HANDSHAKE, CONTENT_APPLICATION_DATA, CONTENT_ALERT, CONTENT_CHANGE_CIPHER_SPEC };
    struct outq q;
    outq_init(&q, &test_memory, NULL);
    bool ok = true;
    if (kind & 0x80)
        give(r, content, 1 + (kind & 0x0f));
    else if (kind & 0x40)
        ok = outq_put_clear(&q, &r->e, types[kind & 3], 0x0303, content);
    else
        ok = outq_put(&q, &r->e, &r->write, types[kind & 3], 0x0303, &content, 1);
    if (!ok)
        abort();
    give(r, outq_span(&q), 1 + (kind & 0x3c) * 8u);
    outq_free(&q);
    drain(r);
    if (kind == 0x3f) {
        inbuf_rest(&r->in);
        protect_rest(&r->read);
        messages_rest(&r->m);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t key[32] = { 1 }, iv[12] = { 2 };
    if (size < 2)
        return 0;
    troth_provider *p = fake_provider(1);
    struct run r = { .over = false };
    enum form form = (enum form)(data[0] % 3);
    inbuf_init(&r.in, &test_memory);
    messages_init(&r.m, &test_memory);
    protect_init(&r.read, &test_memory, FROM_CLIENT);
    protect_init(&r.write, &test_memory, FROM_CLIENT);
    if (form != FORM_PLAIN) {
        protect_set(&r.read, form, p->aeads[data[0] / 3 % 3], key, iv, 0);
        protect_set(&r.write, form, p->aeads[data[0] / 3 % 3], key, iv, 0);
    }
    r.write.pad_to = data[0] & 0x40 ? 64 : 0;
    r.a = (struct arrivals){ .tls13 = form == FORM_13, .drop_ccs = data[1] & 1, .take_ccs = data[1] & 2, .take_data = data[1] & 4,
                             .clear_alert = data[1] & 8, .skip = data[1] / 16 % 3, .skip_left = 500 };
    for (size_t at = 2; at + 2 <= size && !r.over; ) {
        size_t n = data[at + 1] < size - at - 2 ? data[at + 1] : size - at - 2;
        command(&r, data[at], span_of(data + at + 2, n));
        at += 2 + n;
    }
    inbuf_free(&r.in);
    messages_free(&r.m);
    protect_end(&r.read);
    protect_end(&r.write);
    troth_provider_free(p);
    return 0;
}
