/* Which record may come when: one row per rule, for both versions. */
#include "record/records.h"

static troth_provider *p;
static uint8_t key[32], iv[12], other[32];

static int open_provider(void **state)
{
    (void)state;
    noise(key, sizeof key, 1);
    noise(iv, sizeof iv, 2);
    noise(other, sizeof other, 3);
    p = troth_libcrypto();
    return p ? 0 : -1;
}

static int close_provider(void **state)
{
    (void)state;
    troth_provider_free(p);
    return 0;
}

/* One end that receives, and what sends to it. */
struct bench {
    struct counted  mem;
    struct arrivals a;
    struct inbuf    in;
    struct protect  read, write, wrong;
    struct messages m;
    struct arrived  got;
    troth_error     error;
};

static void bench_init(struct bench *b, enum form form)
{
    memset(b, 0, sizeof *b);
    counted_init(&b->mem);
    inbuf_init(&b->in, &b->mem.memory);
    messages_init(&b->m, &b->mem.memory);
    protect_init(&b->read, &b->mem.memory, FROM_SERVER);
    protect_init(&b->write, &b->mem.memory, FROM_SERVER);
    protect_init(&b->wrong, &b->mem.memory, FROM_SERVER);
    protect_set(&b->wrong, FORM_13, p->aeads[0], other, iv, EPOCH_EARLY);
    if (form != FORM_PLAIN) {
        protect_set(&b->read, form, p->aeads[0], key, iv, EPOCH_HANDSHAKE);
        protect_set(&b->write, form, p->aeads[0], key, iv, EPOCH_HANDSHAKE);
    }
    b->a = (struct arrivals){ .tls13 = form == FORM_13, .take_data = form != FORM_PLAIN };
}

static void bench_end(struct bench *b)
{
    inbuf_free(&b->in);
    messages_free(&b->m);
    protect_end(&b->read);
    protect_end(&b->write);
    protect_end(&b->wrong);
    assert_int_equal(b->mem.blocks, 0);
}

static void send_with(struct bench *b, struct protect *with, uint8_t type, span content)
{
    struct outq q;
    outq_init(&q, &b->mem.memory, NULL);
    assert_true(outq_put(&q, &b->error, with, type, 0x0303, &content, 1));
    feed(&b->in, outq_span(&q), 0);
    outq_free(&q);
}

static void send_one(struct bench *b, uint8_t type, span content)
{
    send_with(b, &b->write, type, content);
}

static void send_clear(struct bench *b, uint8_t type, span content)
{
    uint8_t wire[300];
    feed(&b->in, span_of(wire, put_record(wire, type, 0x0303, content)), 0);
}

static enum arrival next(struct bench *b)
{
    return arrive(&b->a, &b->in, &b->read, &b->m, &b->error, &b->got);
}

/* ---- one record, one answer */
#define TEXT(lit) SPAN_TEXT(lit)

enum { CLEAR = 1, CCS_DROP = 2, CCS_TAKE = 4, NO_DATA = 8, CLEAR_ALERT = 16, MIDWAY = 32, SEEN = 64 };

/* clang-format off */
static const struct rule {
    enum form form; int how; uint8_t type; const char *content; size_t n; enum arrival want; enum troth_reason why;
} all_rules[] = {
    { FORM_PLAIN, 0,               22, "\x14\0\0\0",     4, ARRIVED_HANDSHAKE, TROTH_R_NONE },
    { FORM_13,    0,               22, "\x14\0\0\0",     4, ARRIVED_HANDSHAKE, TROTH_R_NONE },
    { FORM_12,    0,               22, "\x14\0\0\0",     4, ARRIVED_HANDSHAKE, TROTH_R_NONE },
    { FORM_PLAIN, 0,               22, "",               0, ARRIVED_BAD,       TROTH_R_RECORD_EMPTY },
    { FORM_13,    0,               22, "",               0, ARRIVED_BAD,       TROTH_R_RECORD_EMPTY },
    { FORM_12,    0,               22, "",               0, ARRIVED_BAD,       TROTH_R_RECORD_EMPTY },
    { FORM_13,    0,               23, "data",           4, ARRIVED_DATA,      TROTH_R_NONE },
    { FORM_12,    0,               23, "data",           4, ARRIVED_DATA,      TROTH_R_NONE },
    { FORM_13,    0,               23, "",               0, ARRIVED_NOTHING,   TROTH_R_NONE },
    { FORM_13,    NO_DATA,         23, "data",           4, ARRIVED_BAD,       TROTH_R_DATA_UNEXPECTED },
    { FORM_12,    NO_DATA,         23, "data",           4, ARRIVED_BAD,       TROTH_R_DATA_UNEXPECTED },
    { FORM_PLAIN, 0,               23, "data",           4, ARRIVED_BAD,       TROTH_R_DATA_UNEXPECTED },
    { FORM_13,    MIDWAY,          23, "data",           4, ARRIVED_BAD,       TROTH_R_RECORD_INTERLEAVED },
    { FORM_12,    MIDWAY,          23, "data",           4, ARRIVED_BAD,       TROTH_R_RECORD_INTERLEAVED },
    { FORM_13,    MIDWAY,          21, "\2\x28",         2, ARRIVED_ALERT,     TROTH_R_NONE },
    { FORM_13,    MIDWAY,          21, "\1\x5a",         2, ARRIVED_BAD,       TROTH_R_RECORD_INTERLEAVED },
    /* change_cipher_spec */
    { FORM_PLAIN, CLEAR,           20, "\1",             1, ARRIVED_BAD,       TROTH_R_CCS_UNEXPECTED },
    { FORM_PLAIN, CLEAR|CCS_DROP,  20, "\1",             1, ARRIVED_NOTHING,   TROTH_R_NONE },
    { FORM_PLAIN, CLEAR|CCS_TAKE,  20, "\1",             1, ARRIVED_CCS,       TROTH_R_NONE },
    { FORM_PLAIN, CLEAR|CCS_TAKE|MIDWAY, 20, "\1",       1, ARRIVED_BAD,       TROTH_R_MESSAGE_LEFTOVER },
    { FORM_PLAIN, CLEAR|CCS_TAKE,  20, "\2",             1, ARRIVED_BAD,       TROTH_R_CCS_MALFORMED },
    { FORM_PLAIN, CLEAR|CCS_TAKE,  20, "",               0, ARRIVED_BAD,       TROTH_R_CCS_MALFORMED },
    { FORM_13,    CLEAR|CCS_DROP,  20, "\1",             1, ARRIVED_NOTHING,   TROTH_R_NONE },
    { FORM_13,    CLEAR|CCS_DROP|MIDWAY, 20, "\1",       1, ARRIVED_NOTHING,   TROTH_R_NONE },
    { FORM_13,    CLEAR|CCS_DROP,  20, "\1\1",           2, ARRIVED_BAD,       TROTH_R_CCS_MALFORMED },
    { FORM_13,    CLEAR,           20, "\1",             1, ARRIVED_BAD,       TROTH_R_CCS_UNEXPECTED },
    { FORM_13,    CCS_DROP,        20, "\1",             1, ARRIVED_BAD,       TROTH_R_CCS_UNEXPECTED },
    { FORM_12,    CCS_TAKE,        20, "\1",             1, ARRIVED_BAD,       TROTH_R_CCS_UNEXPECTED },
    /* in the clear under keys */
    { FORM_13,    CLEAR,           22, "\x14\0\0\0",     4, ARRIVED_BAD,       TROTH_R_RECORD_IN_THE_CLEAR },
    { FORM_13,    CLEAR,           21, "\2\x28",         2, ARRIVED_BAD,       TROTH_R_RECORD_IN_THE_CLEAR },
    { FORM_13,    CLEAR|CLEAR_ALERT, 21, "\2\x28",       2, ARRIVED_ALERT,     TROTH_R_NONE },
    { FORM_13,    CLEAR|CLEAR_ALERT|SEEN, 21, "\2\x28",  2, ARRIVED_BAD,       TROTH_R_RECORD_IN_THE_CLEAR },
    { FORM_13,    CLEAR|CLEAR_ALERT, 22, "\x14\0\0\0",   4, ARRIVED_BAD,       TROTH_R_RECORD_IN_THE_CLEAR },
    { FORM_13,    CLEAR,           23, "data",           4, ARRIVED_BAD,       TROTH_R_RECORD_SHORT },
    { FORM_12,    CLEAR,           22, "data",           4, ARRIVED_BAD,       TROTH_R_RECORD_SHORT },
    { FORM_13,    CLEAR,           23, "this is not really protected",  28, ARRIVED_BAD, TROTH_R_RECORD_BAD_MAC },
    { FORM_12,    CLEAR,           23, "this is not really protected at all", 35, ARRIVED_BAD, TROTH_R_RECORD_BAD_MAC },
    /* inner types */
    { FORM_13,    0,               24, "x",              1, ARRIVED_BAD,       TROTH_R_RECORD_TYPE },
    { FORM_13,    0,               255, "x",             1, ARRIVED_BAD,       TROTH_R_RECORD_TYPE },
    /* alerts */
    { FORM_13,    0,               21, "\1\0",           2, ARRIVED_CLOSE,     TROTH_R_NONE },
    { FORM_12,    0,               21, "\1\0",           2, ARRIVED_CLOSE,     TROTH_R_NONE },
    { FORM_PLAIN, 0,               21, "\1\0",           2, ARRIVED_CLOSE,     TROTH_R_NONE },
    { FORM_13,    0,               21, "\2\0",           2, ARRIVED_CLOSE,     TROTH_R_NONE },
    { FORM_13,    0,               21, "\2\x28",         2, ARRIVED_ALERT,     TROTH_R_NONE },
    { FORM_13,    0,               21, "\2\xfe",         2, ARRIVED_ALERT,     TROTH_R_NONE },
    { FORM_12,    0,               21, "\2\x5a",         2, ARRIVED_ALERT,     TROTH_R_NONE },
    { FORM_13,    0,               21, "\2\x5a",         2, ARRIVED_NOTHING,   TROTH_R_NONE },
    { FORM_13,    0,               21, "\1\x5a",         2, ARRIVED_NOTHING,   TROTH_R_NONE },
    { FORM_12,    0,               21, "\1\x70",         2, ARRIVED_NOTHING,   TROTH_R_NONE },
    { FORM_PLAIN, 0,               21, "\1\x70",         2, ARRIVED_NOTHING,   TROTH_R_NONE },
    { FORM_13,    0,               21, "\1\x70",         2, ARRIVED_BAD,       TROTH_R_ALERT_WARNING },
    { FORM_13,    0,               21, "\3\x28",         2, ARRIVED_BAD,       TROTH_R_ALERT_LEVEL },
    { FORM_12,    0,               21, "\0\0",           2, ARRIVED_BAD,       TROTH_R_ALERT_LEVEL },
    { FORM_13,    0,               21, "\2",             1, ARRIVED_BAD,       TROTH_R_ALERT_MALFORMED },
    { FORM_12,    0,               21, "\1\0\1\0",       4, ARRIVED_BAD,       TROTH_R_ALERT_MALFORMED },
    { FORM_13,    0,               21, "",               0, ARRIVED_BAD,       TROTH_R_RECORD_EMPTY },
};
/* clang-format on */

/* A handshake message, or half of one, that came before. */
static void before(struct bench *b, bool half)
{
    struct message msg;
    send_one(b, 22, half ? TEXT("\x14\0\0\x05half") : TEXT("\x14\0\0\0"));
    assert_int_equal(next(b), ARRIVED_HANDSHAKE);
    assert_int_equal(messages_next(&b->m, &b->error, &msg), half ? MESSAGE_MORE : MESSAGE_WHOLE);
}

static void holds(size_t i, const struct rule *r)
{
    struct bench b;
    bench_init(&b, r->form);
    b.a.drop_ccs = r->how & CCS_DROP;
    b.a.take_ccs = r->how & CCS_TAKE;
    b.a.clear_alert = r->how & CLEAR_ALERT;
    if (r->how & (MIDWAY | SEEN))
        before(&b, r->how & MIDWAY);
    if (r->how & NO_DATA)
        b.a.take_data = false;
    if (r->how & CLEAR)
        send_clear(&b, r->type, span_of(r->content, r->n));
    else
        send_one(&b, r->type, span_of(r->content, r->n));
    enum arrival got = next(&b);
    if (got != r->want || b.error.reason != r->why)
        test_fail("row %zu: got %d (%s %s), want %d (%s)", i, (int)got, b.error.code ? b.error.code : "ok", b.error.detail,
                  (int)r->want, troth_reason_code(r->why));
    if (got == ARRIVED_DATA)
        assert_true(span_equal(b.got.data, TEXT("data")));
    if (got == ARRIVED_ALERT) {
        assert_int_equal(b.got.alert, (uint8_t)r->content[1]);
        assert_int_equal(b.got.alert_clear, (r->how & CLEAR_ALERT) != 0);
    }
    bench_end(&b);
}

static void rules(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(all_rules); i++)
        holds(i, &all_rules[i]);
}

/* ---- floods: as many as are allowed pass, one more does not */
static void floods(void **state)
{
    (void)state;
    static const struct {
        enum form form; bool clear; uint8_t type; const char *content; size_t n; int most; enum troth_reason why;
    } rows[] = {
        { FORM_13, false, 23, "", 0, LIMIT_EMPTY_RECORDS, TROTH_R_RECORD_EMPTY_FLOOD },
        { FORM_12, false, 23, "", 0, LIMIT_EMPTY_RECORDS, TROTH_R_RECORD_EMPTY_FLOOD },
        { FORM_12, false, 21, "\1\x64", 2, LIMIT_WARNING_ALERTS, TROTH_R_ALERT_WARNING_FLOOD },
        { FORM_13, false, 21, "\1\x5a", 2, LIMIT_WARNING_ALERTS, TROTH_R_ALERT_WARNING_FLOOD },
        { FORM_13, true, 20, "\1", 1, LIMIT_CCS, TROTH_R_CCS_FLOOD },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct bench b;
        bench_init(&b, rows[i].form);
        b.a.drop_ccs = true;
        for (int round = 0; round < 2; round++) {
            for (int k = 0; k < rows[i].most; k++) {
                if (rows[i].clear)
                    send_clear(&b, rows[i].type, span_of(rows[i].content, rows[i].n));
                else
                    send_one(&b, rows[i].type, span_of(rows[i].content, rows[i].n));
            }
            if (round == 0 && rows[i].why != TROTH_R_CCS_FLOOD) { /* something real in between starts the count anew */
                send_one(&b, 23, TEXT("data"));
                assert_int_equal(next(&b), ARRIVED_DATA);
            } else if (round == 0) {
                assert_int_equal(next(&b), ARRIVED_NOTHING);
                break;
            }
        }
        assert_int_equal(next(&b), ARRIVED_NOTHING);
        if (rows[i].clear)
            send_clear(&b, rows[i].type, span_of(rows[i].content, rows[i].n));
        else
            send_one(&b, rows[i].type, span_of(rows[i].content, rows[i].n));
        assert_int_equal(next(&b), ARRIVED_BAD);
        assert_int_equal(b.error.reason, rows[i].why);
        bench_end(&b);
    }
}

/* Neither kind of nothing starts the count of the other anew. */
static void floods_in_turns(void **state)
{
    (void)state;
    for (int last_is_alert = 0; last_is_alert < 2; last_is_alert++) {
        struct bench b;
        bench_init(&b, FORM_12);
        for (int k = 0; k < LIMIT_EMPTY_RECORDS; k++) {
            send_one(&b, 23, SPAN_NONE);
            if (k < LIMIT_WARNING_ALERTS)
                send_one(&b, 21, TEXT("\1\x64"));
        }
        assert_int_equal(next(&b), ARRIVED_NOTHING);
        send_one(&b, last_is_alert ? 21 : 23, last_is_alert ? TEXT("\1\x64") : SPAN_NONE);
        assert_int_equal(next(&b), ARRIVED_BAD);
        assert_int_equal(b.error.reason, last_is_alert ? TROTH_R_ALERT_WARNING_FLOOD : TROTH_R_RECORD_EMPTY_FLOOD);
        bench_end(&b);
    }
}

/* ---- early data that was refused */
static void passes_over_refused_early_data(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, FORM_13);
    b.a.skip = SKIP_UNREADABLE;
    b.a.skip_left = 3 * (4 + 17) + 5;
    send_with(&b, &b.wrong, 23, TEXT("0rtt"));
    send_with(&b, &b.wrong, 23, TEXT("0rtt"));
    send_clear(&b, 23, TEXT("short"));
    send_one(&b, 22, TEXT("\x14\0\0\0"));
    assert_int_equal(next(&b), ARRIVED_HANDSHAKE);
    assert_int_equal(b.a.skip, SKIP_NONE);
    assert_int_equal(b.a.skip_left, 21);
    struct message msg;
    assert_int_equal(messages_next(&b.m, &b.error, &msg), MESSAGE_WHOLE);
    send_with(&b, &b.wrong, 23, TEXT("0rtt")); /* once one could be opened, all must */
    assert_int_equal(next(&b), ARRIVED_BAD);
    assert_reason(&b.error, RECORD_BAD_MAC);
    bench_end(&b);

    bench_init(&b, FORM_13);
    b.a.skip = SKIP_UNREADABLE;
    b.a.skip_left = 2 * (4 + 17) - 1;
    send_with(&b, &b.wrong, 23, TEXT("0rtt"));
    assert_int_equal(next(&b), ARRIVED_NOTHING);
    send_with(&b, &b.wrong, 23, TEXT("0rtt"));
    assert_int_equal(next(&b), ARRIVED_BAD);
    assert_reason(&b.error, EARLY_DATA_FLOOD);
    bench_end(&b);

    bench_init(&b, FORM_PLAIN);
    b.a.skip = SKIP_DATA;
    b.a.skip_left = 1000;
    b.a.drop_ccs = true;
    send_with(&b, &b.wrong, 23, TEXT("0rtt"));
    send_clear(&b, 20, TEXT("\1"));
    send_with(&b, &b.wrong, 23, TEXT("0rtt"));
    assert_int_equal(next(&b), ARRIVED_NOTHING);
    assert_int_equal(b.a.skip_left, 1000 - 2 * 21);
    send_one(&b, 22, TEXT("\x01\0\0\0"));
    assert_int_equal(next(&b), ARRIVED_HANDSHAKE);
    assert_int_equal(messages_next(&b.m, &b.error, &msg), MESSAGE_WHOLE);
    send_with(&b, &b.wrong, 23, TEXT("0rtt"));
    assert_int_equal(next(&b), ARRIVED_BAD);
    assert_reason(&b.error, DATA_UNEXPECTED);
    bench_end(&b);
}

static void remembers_user_canceled(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, FORM_13);
    send_one(&b, 21, TEXT("\1\x5a"));
    send_one(&b, 21, TEXT("\1\0"));
    assert_int_equal(next(&b), ARRIVED_CLOSE);
    assert_true(b.a.canceled);
    bench_end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules),
        cmocka_unit_test(floods),
        cmocka_unit_test(floods_in_turns),
        cmocka_unit_test(passes_over_refused_early_data),
        cmocka_unit_test(remembers_user_canceled),
    };
    return cmocka_run_group_tests(tests, open_provider, close_provider);
}
