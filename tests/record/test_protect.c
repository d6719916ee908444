/* Protection: what is sealed opens, what was touched does not, nonces and additional data are the RFCs', limits hold. */
#include "record/records.h"

static struct counted mem;
static troth_provider *p;
static uint8_t key[32], iv[12];

static int fresh(void **state)
{
    (void)state;
    counted_init(&mem);
    return 0;
}

static int empty(void **state)
{
    (void)state;
    return (int)mem.blocks;
}

static int open_provider(void **state)
{
    (void)state;
    noise(key, sizeof key, 1);
    noise(iv, sizeof iv, 2);
    p = troth_libcrypto();
    return p ? 0 : -1;
}

static int close_provider(void **state)
{
    (void)state;
    troth_provider_free(p);
    return 0;
}

struct pair {
    struct protect seal, open;
};

static void pair_init(struct pair *x, enum form form, const troth_aead *a)
{
    protect_init(&x->seal, &mem.memory, FROM_CLIENT);
    protect_init(&x->open, &mem.memory, FROM_CLIENT);
    if (form == FORM_PLAIN)
        return;
    protect_set(&x->seal, form, a, key, iv, EPOCH_APPLICATION);
    protect_set(&x->open, form, a, key, iv, EPOCH_APPLICATION);
}

static void pair_end(struct pair *x)
{
    protect_end(&x->seal);
    protect_end(&x->open);
    assert_int_equal(mem.blocks, 0);
}

static struct record record_at(uint8_t *wire)
{
    return (struct record){ wire[0], wire[0], wire, wire + 5, (size_t)(wire[3] << 8 | wire[4]) };
}

/* Every form, AEAD, many sizes, cut into pieces in several ways. */
static void opens_what_was_sealed(void **state)
{
    (void)state;
    static const size_t sizes[] = { 0, 1, 15, 16, 17, 100, 511, 512, 513, 1024, 4099, 16383, 16384 };
    static uint8_t text[16384], wire[17000];
    troth_error e = { 0 };
    noise(text, sizeof text, 3);
    for (enum form form = FORM_PLAIN; form <= FORM_12; form++)
        for (size_t a = 0; p->aeads[a]; a++) {
            struct pair x;
            pair_init(&x, form, p->aeads[a]);
            for (size_t i = 0; i < COUNT_OF(sizes); i++)
                for (size_t cuts = 1; cuts < 40; cuts += 6) {
                    span parts[40];
                    size_t n = sizes[i], step = n / cuts + 1, count = 0;
                    for (size_t at = 0; at < n || !count; at += step)
                        parts[count++] = span_slice(span_of(text, n), at, step);
                    struct pieces from = { parts, count, 0 };
                    assert_true(protect_seal(&x.seal, &e, wire, CONTENT_APPLICATION_DATA, 0x0303, &from, n));
                    struct record r = record_at(wire);
                    assert_int_equal(r.n + 5, protect_sealed_n(&x.seal, n));
                    assert_int_equal(protect_open(&x.open, &e, &r), OPENED);
                    assert_int_equal(r.type, CONTENT_APPLICATION_DATA);
                    assert_int_equal(r.n, n);
                    assert_memory_equal(r.body, text, n);
                    if (i % 3 == 0) /* resting changes nothing */
                        protect_rest(i % 2 ? &x.seal : &x.open);
                }
            pair_end(&x);
        }
    assert_reason(&e, NONE);
}

/* By hand, from the RFCs: nonce, additional data, inner content. */
static void follows_the_rfcs(void **state)
{
    (void)state;
    troth_error e = { 0 };
    for (size_t a = 0; p->aeads[a]; a++) {
        const troth_aead *aead = p->aeads[a];
        bool chacha = aead->id == TROTH_CHACHA20_POLY1305;
        _Alignas(64) uint8_t st[TROTH_AEAD_STATE_MAX];
        assert_true(aead->begin(aead, st, key));
        for (int form = FORM_13; form <= FORM_12; form++) {
            struct pair x;
            uint8_t wire[100], want[100];
            pair_init(&x, (enum form)form, aead);
            x.seal.seq = 0x0102030405060708;
            x.seal.limit = UINT64_MAX;
            span text = SPAN_TEXT("hello");
            struct pieces from = { &text, 1, 0 };
            assert_true(protect_seal(&x.seal, &e, wire, CONTENT_HANDSHAKE, 0x0301, &from, 5));
            uint8_t nonce[12];
            memcpy(nonce, iv, 12);
            for (int i = 0; i < 8; i++)
                nonce[4 + i] = (uint8_t)((form == FORM_12 && !chacha ? 0 : iv[4 + i]) ^ (i + 1));
            if (form == FORM_13) {
                span inner = SPAN_TEXT("hello\x16");
                memcpy(want, "\x17\x03\x03\x00\x16", 5);
                assert_true(aead->seal(aead, st, want + 5, nonce, span_of(want, 5), &inner, 1));
                assert_memory_equal(wire, want, 27);
            } else {
                size_t front = chacha ? 0 : 8;
                static const uint8_t aad[13] = { 1, 2, 3, 4, 5, 6, 7, 8, 22, 3, 3, 0, 5 };
                memcpy(want, "\x16\x03\x03\x00", 4);
                want[4] = (uint8_t)(front + 5 + 16);
                memcpy(want + 5, aad, front);
                assert_true(aead->seal(aead, st, want + 5 + front, nonce, SPAN_OF(aad), &text, 1));
                assert_memory_equal(wire, want, 5 + front + 21);
            }
            pair_end(&x);
        }
        aead->end(aead, st);
    }
    assert_int_equal(protect_iv_n(FORM_12, provider_aead(p, TROTH_AES_128_GCM)), 4);
    assert_int_equal(protect_iv_n(FORM_12, provider_aead(p, TROTH_CHACHA20_POLY1305)), 12);
    assert_int_equal(protect_iv_n(FORM_13, provider_aead(p, TROTH_AES_128_GCM)), 12);
}

/* Any changed bit is noticed; the record may then still come as it was. */
static void notices_every_change(void **state)
{
    (void)state;
    troth_error e = { 0 };
    for (int form = FORM_13; form <= FORM_12; form++)
        for (size_t a = 0; p->aeads[a]; a++) {
            struct pair x;
            uint8_t wire[64], copy[64];
            pair_init(&x, (enum form)form, p->aeads[a]);
            span text = SPAN_TEXT("twelve bytes");
            struct pieces from = { &text, 1, 0 };
            assert_true(protect_seal(&x.seal, &e, wire, CONTENT_APPLICATION_DATA, 0x0303, &from, text.n));
            struct record r = record_at(wire);
            size_t whole = r.n + 5;
            for (size_t bit = 0; bit < 8 * whole; bit++) {
                if (bit / 8 == 3 || bit / 8 == 4)
                    continue; /* the length: another record altogether */
                memcpy(copy, wire, whole);
                copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
                r = record_at(copy);
                assert_int_equal(protect_open(&x.open, &e, &r), OPEN_BAD_MAC);
            }
            for (size_t n = 0; n < whole - 5; n++) {
                memcpy(copy, wire, whole);
                copy[3] = 0;
                copy[4] = (uint8_t)n;
                r = record_at(copy);
                enum opened got = protect_open(&x.open, &e, &r);
                assert_true(got == OPEN_BAD_MAC || got == OPEN_SHORT);
            }
            r = record_at(wire);
            memcpy(copy, wire, whole);
            assert_int_equal(protect_open(&x.open, &e, &r), OPENED);
            r = record_at(copy); /* a second time: another sequence number */
            assert_int_equal(protect_open(&x.open, &e, &r), OPEN_BAD_MAC);
            pair_end(&x);
        }
    assert_reason(&e, NONE);
}

static void pads(void **state)
{
    (void)state;
    static uint8_t text[16384], wire[17000];
    troth_error e = { 0 };
    struct pair x;
    pair_init(&x, FORM_13, p->aeads[0]);
    x.seal.pad_to = 256;
    for (size_t n = 0; n <= 16384; n += n < 600 ? 1 : 631) {
        span parts[2] = { { text, n / 2 }, { text + n / 2, n - n / 2 } };
        struct pieces from = { parts, 2, 0 };
        noise(text, n, (uint32_t)n);
        assert_true(protect_seal(&x.seal, &e, wire, CONTENT_HANDSHAKE, 0x0303, &from, n));
        struct record r = record_at(wire);
        assert_int_equal(r.n, (n + 255) / 256 * 256 + 1 + 16);
        assert_int_equal(r.n + 5, protect_sealed_n(&x.seal, n));
        assert_int_equal(protect_open(&x.open, &e, &r), OPENED);
        assert_int_equal(r.type, CONTENT_HANDSHAKE);
        assert_int_equal(r.n, n);
        assert_memory_equal(r.body, text, n);
    }
    x.seal.most = 300; /* padding stays within the limit */
    assert_int_equal(protect_sealed_n(&x.seal, 299), 5 + 300 + 1 + 16);
    assert_int_equal(protect_sealed_n(&x.seal, 300), 5 + 300 + 1 + 16);
    pair_end(&x);
}

static enum opened open_inner(span inner, uint16_t most, struct record *r, troth_error *e)
{
    static uint8_t wire[17000];
    const troth_aead *a = p->aeads[0];
    _Alignas(64) uint8_t st[TROTH_AEAD_STATE_MAX];
    struct pair x;
    pair_init(&x, FORM_13, a);
    x.open.most = most;
    assert_true(a->begin(a, st, key));
    memcpy(wire, "\x17\x03\x03", 3);
    wire[3] = (uint8_t)((inner.n + 16) >> 8);
    wire[4] = (uint8_t)(inner.n + 16);
    assert_true(a->seal(a, st, wire + 5, iv, span_of(wire, 5), &inner, 1));
    a->end(a, st);
    *r = record_at(wire);
    *e = (troth_error){ 0 };
    enum opened got = protect_open(&x.open, e, r);
    pair_end(&x);
    return got;
}

static void holds_the_limits_of_content(void **state)
{
    (void)state;
    static uint8_t inner[16400];
    struct record r;
    troth_error e;
    memset(inner, 0, sizeof inner);
    assert_int_equal(open_inner(span_of(inner, 0), 16384, &r, &e), OPEN_FAILED); /* it opens, and there is nothing in it (RFC 9846 5.4) */
    assert_reason(&e, RECORD_ALL_PADDING);
    assert_int_equal(open_inner(span_of(inner, 1), 16384, &r, &e), OPEN_FAILED);
    assert_reason(&e, RECORD_ALL_PADDING);
    assert_int_equal(open_inner(span_of(inner, 16385), 16384, &r, &e), OPEN_FAILED);
    assert_reason(&e, RECORD_ALL_PADDING);
    inner[0] = 22;
    assert_int_equal(open_inner(span_of(inner, 16385), 16384, &r, &e), OPENED);
    assert_int_equal(r.type, 22);
    assert_int_equal(r.n, 0);
    assert_int_equal(open_inner(span_of(inner, 16386), 16384, &r, &e), OPEN_FAILED);
    assert_reason(&e, RECORD_TOO_LONG);
    assert_int_equal(open_inner(span_of(inner, 64), 63, &r, &e), OPENED);
    assert_int_equal(open_inner(span_of(inner, 65), 63, &r, &e), OPEN_FAILED);
    assert_reason(&e, RECORD_TOO_LONG);
    inner[15] = 23;
    assert_int_equal(open_inner(span_of(inner, 16), 16384, &r, &e), OPENED);
    assert_int_equal(r.type, 23);
    assert_int_equal(r.n, 15);
}

static void stops_at_the_limit_of_a_key(void **state)
{
    (void)state;
    troth_error e = { 0 };
    struct pair x;
    uint8_t wire[100];
    span text = SPAN_TEXT("x");
    pair_init(&x, FORM_13, provider_aead(p, TROTH_AES_128_GCM));
    assert_true(x.seal.limit == 23726566); /* 2^24.5 */
    assert_false(protect_wants_update(&x.seal));
    x.seal.seq = x.seal.limit / 2;
    assert_true(protect_wants_update(&x.seal));
    x.seal.seq = x.seal.limit - 1;
    struct pieces from = { &text, 1, 0 };
    assert_true(protect_seal(&x.seal, &e, wire, 23, 0x0303, &from, 1));
    from = (struct pieces){ &text, 1, 0 };
    assert_false(protect_seal(&x.seal, &e, wire, 23, 0x0303, &from, 1));
    assert_reason(&e, KEY_EXHAUSTED);
    protect_set(&x.seal, FORM_13, provider_aead(p, TROTH_CHACHA20_POLY1305), key, iv, EPOCH_APPLICATION);
    assert_true(x.seal.seq == 0 && x.seal.limit == UINT64_MAX);
    x.open.seq = UINT64_MAX;
    struct record r = record_at(wire);
    e = (troth_error){ 0 };
    assert_int_equal(protect_open(&x.open, &e, &r), OPEN_FAILED);
    assert_reason(&e, KEY_EXHAUSTED);
    pair_end(&x);
}

static void survives_want_of_memory(void **state)
{
    (void)state;
    troth_error e = { 0 };
    struct pair x;
    uint8_t wire[100];
    span text = SPAN_TEXT("x");
    struct pieces from = { &text, 1, 0 };
    pair_init(&x, FORM_13, p->aeads[0]);
    mem.fail_in = 1;
    assert_true(protect_seal(&x.seal, &e, wire, 23, 0x0303, &from, 1)); /* the first record of a key needs none */
    assert_true(mem.fail_in == 1 && !x.seal.state);
    from = (struct pieces){ &text, 1, 0 };
    assert_false(protect_seal(&x.seal, &e, wire, 23, 0x0303, &from, 1));
    assert_reason(&e, OUT_OF_MEMORY);
    assert_true(x.seal.seq == 1);
    assert_true(protect_seal(&x.seal, &e, wire, 23, 0x0303, &from, 1));
    pair_end(&x);
}

/* ---- the send queue */
static void queues_in_order(void **state)
{
    (void)state;
    static uint8_t text[60000];
    uint32_t seed = 11;
    noise(text, sizeof text, 4);
    for (int form = FORM_PLAIN; form <= FORM_12; form++) {
        struct pair x;
        struct outq q;
        struct inbuf in;
        troth_error e = { 0 };
        size_t at = 0, got = 0;
        pair_init(&x, (enum form)form, p->aeads[0]);
        x.seal.most = 1000;
        outq_init(&q, &mem.memory, NULL);
        inbuf_init(&in, &mem.memory);
        while (got < sizeof text) {
            if (at < sizeof text && noise_below(&seed, 2)) {
                span parts[30];
                size_t count = noise_below(&seed, 30) + 1;
                for (size_t i = 0; i < count; i++) {
                    size_t n = noise_below(&seed, 200);
                    n = n < sizeof text - at ? n : sizeof text - at;
                    parts[i] = span_of(text + at, n);
                    at += n;
                }
                assert_true(outq_put(&q, &e, &x.seal, CONTENT_APPLICATION_DATA, 0x0303, parts, count));
            }
            span out = span_slice(outq_span(&q), 0, noise_below(&seed, 2000));
            feed(&in, out, 0);
            outq_sent(&q, out.n);
            struct record r;
            while (deframe(&in, &r, (enum form)form, &e) == DEFRAME_RECORD) {
                assert_int_equal(protect_open(&x.open, &e, &r), OPENED);
                assert_true(r.n <= 1000);
                assert_memory_equal(r.body, text + got, r.n);
                got += r.n;
            }
            assert_reason(&e, NONE);
        }
        outq_rest(&q);
        assert_null(q.p);
        inbuf_free(&in);
        pair_end(&x);
    }
}

static void queues_all_or_nothing(void **state)
{
    (void)state;
    static uint8_t text[40000];
    troth_error e = { 0 };
    struct pair x;
    struct outq q;
    span parts[2] = { { text, 20000 }, { text + 20000, 20000 } };
    pair_init(&x, FORM_13, p->aeads[0]);
    outq_init(&q, &mem.memory, NULL);
    assert_true(outq_put(&q, &e, &x.seal, 23, 0x0303, NULL, 0)); /* an empty record is one */
    size_t before = outq_span(&q).n;
    assert_int_equal(before, 5 + 1 + 16);
    x.seal.limit = 3;
    assert_false(outq_put(&q, &e, &x.seal, 23, 0x0303, parts, 2));
    assert_reason(&e, KEY_EXHAUSTED);
    assert_int_equal(outq_span(&q).n, before);
    x.seal.limit = 100;
    e = (troth_error){ 0 };
    mem.fail_in = 1;
    outq_sent(&q, before);
    outq_rest(&q);
    assert_false(outq_put(&q, &e, &x.seal, 23, 0x0303, parts, 2));
    assert_reason(&e, OUT_OF_MEMORY);
    assert_true(outq_put_clear(&q, &e, CONTENT_CHANGE_CIPHER_SPEC, 0x0303, SPAN_TEXT("\x01")));
    assert_true(span_equal(outq_span(&q), SPAN_TEXT("\x14\x03\x03\x00\x01\x01")));
    outq_drop(&q);
    assert_true(outq_empty(&q));
    outq_free(&q);
    pair_end(&x);
}

/* A message that goes from where it lies: until it was sent, or something joins it, or its place is needed. */
static void queues_what_was_lent(void **state)
{
    (void)state;
    uint8_t room[LIMIT_RECORD_HEADER + 100], *text = room + LIMIT_RECORD_HEADER;
    static const span more = { (const uint8_t *)"more", 4 };
    troth_error e = { 0 };
    struct pair x;
    struct outq q;
    noise(text, 100, 5);
    pair_init(&x, FORM_PLAIN, NULL);
    outq_init(&q, &mem.memory, NULL);
    for (int what = 0; what < 4; what++) {
        size_t blocks = mem.blocks;
        assert_true(outq_lend(&q, &e, &x.seal, CONTENT_HANDSHAKE, 0x0301, text, 100));
        assert_ptr_equal(outq_span(&q).p, room);
        assert_true(outq_span(&q).n == sizeof room && mem.blocks == blocks);
        assert_memory_equal(room, "\x16\x03\x01\x00\x64", 5);
        outq_sent(&q, 50);
        if (what == 1)
            assert_true(outq_put(&q, &e, &x.seal, CONTENT_HANDSHAKE, 0x0303, &more, 1));
        if (what == 2)
            assert_true(outq_own(&q));
        bool dropped = what == 3;
        if (dropped) {
            mem.fail_in = 1;
            assert_false(outq_own(&q));
        }
        assert_true((outq_span(&q).p == room + 50) == (what == 0));
        assert_int_equal(outq_span(&q).n, dropped ? 0 : what == 1 ? 55 + 9 : 55);
        assert_true(dropped || !memcmp(outq_span(&q).p, room + 50, 55));
        outq_sent(&q, 64);
        assert_true(outq_empty(&q) && outq_own(&q));
        assert_true(what || !q.p);
        outq_rest(&q);
    }
    assert_true(outq_put(&q, &e, &x.seal, CONTENT_HANDSHAKE, 0x0303, &more, 1)); /* behind others, or in pieces, it is copied */
    assert_true(outq_lend(&q, &e, &x.seal, CONTENT_HANDSHAKE, 0x0303, text, 100));
    assert_true(outq_span(&q).n == 9 + sizeof room && !memcmp(outq_span(&q).p + 14, text, 100));
    outq_drop(&q);
    x.seal.most = 60;
    assert_true(outq_lend(&q, &e, &x.seal, CONTENT_HANDSHAKE, 0x0303, text, 100));
    assert_true(outq_span(&q).n == 5 + sizeof room && q.p != room);
    outq_free(&q);
    pair_end(&x);
}

/* A message that is written where it leaves from, and a buffer that is somebody else's. */
static void queues_in_place(void **state)
{
    (void)state;
    uint8_t home[OUTQ_HOME];
    troth_error e = { 0 };
    struct pair x;
    struct outq q;
    pair_init(&x, FORM_PLAIN, NULL);
    outq_init(&q, &mem.memory, home);
    for (size_t n = 30; n <= 300; n += 270) {
        size_t blocks = mem.blocks;
        for (int i = 0; i < 2; i++) {
            uint8_t *at = outq_place(&q, n);
            span message = { at, n };
            noise(at, n, 6);
            assert_true(outq_put(&q, &e, &x.seal, CONTENT_HANDSHAKE, 0x0303, &message, 1));
            assert_true(at + n == q.p + q.end && at[-5] == CONTENT_HANDSHAKE && at[-1] == (uint8_t)n);
        }
        assert_true((q.p == home) == (n == 30) && mem.blocks == blocks + (n != 30));
        assert_true(outq_span(&q).n == 2 * (5 + n) && !memcmp(outq_span(&q).p + 5, outq_span(&q).p + 10 + n, n));
        outq_sent(&q, 2 * (5 + n));
        outq_rest(&q);
        assert_true(q.p == home && mem.blocks == blocks);
    }
    mem.fail_in = 1;
    assert_null(outq_place(&q, 300));
    outq_free(&q);
    pair_end(&x);
}

/* ---- the witness */
static struct saw_record last;
static int told;

static void on_record(void *self, const struct saw_record *r)
{
    (void)self;
    last = *r;
    told++;
}

static void tells_of_each_record(void **state)
{
    (void)state;
    static const struct witness w = { .record = on_record };
    troth_error e = { 0 };
    struct pair x;
    uint8_t wire[100];
    span text = SPAN_TEXT("12345");
    struct pieces from = { &text, 1, 0 };
    pair_init(&x, FORM_13, p->aeads[0]);
    x.seal.witness = x.open.witness = &w;
    x.seal.seq = x.open.seq = 7;
    assert_true(protect_seal(&x.seal, &e, wire, CONTENT_ALERT, 0x0303, &from, 5));
    for (int i = 1; i <= 2; i++) {
        assert_int_equal(told, i);
        assert_true(last.type == 23 && last.inner == 21 && last.epoch == EPOCH_APPLICATION && last.seq == 7 && last.length == 27 &&
                    last.content == 5);
        struct record r = record_at(wire);
        if (i == 1)
            assert_int_equal(protect_open(&x.open, &e, &r), OPENED);
    }
    pair_end(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(opens_what_was_sealed, fresh, empty),
        cmocka_unit_test_setup_teardown(follows_the_rfcs, fresh, empty),
        cmocka_unit_test_setup_teardown(notices_every_change, fresh, empty),
        cmocka_unit_test_setup_teardown(pads, fresh, empty),
        cmocka_unit_test_setup_teardown(holds_the_limits_of_content, fresh, empty),
        cmocka_unit_test_setup_teardown(stops_at_the_limit_of_a_key, fresh, empty),
        cmocka_unit_test_setup_teardown(survives_want_of_memory, fresh, empty),
        cmocka_unit_test_setup_teardown(queues_in_order, fresh, empty),
        cmocka_unit_test_setup_teardown(queues_all_or_nothing, fresh, empty),
        cmocka_unit_test_setup_teardown(queues_what_was_lent, fresh, empty),
        cmocka_unit_test_setup_teardown(queues_in_place, fresh, empty),
        cmocka_unit_test_setup_teardown(tells_of_each_record, fresh, empty),
    };
    return cmocka_run_group_tests(tests, open_provider, close_provider);
}
