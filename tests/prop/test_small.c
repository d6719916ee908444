/* The smallest primitives - reader, writer, record boundaries - over everything that is small: every input up to a length, every sequence of
 * calls up to a length, against models that are too simple to be wrong.  Blocks are exactly as long as they say, so that under ASan a byte
 * read or written beside one is seen.  (No bounded model checker is to be had as a package; this is the proof by cases instead.) */
#include "base/rd.h"
#include "base/wr.h"
#include "record/deframe.h"
#include "support/memory.h"
#include "support/test.h"

enum { BYTES_MAX = 5, CALLS = 3 };
static const uint8_t alphabet[] = { 0, 1, 2, 3, 0xff };

/* ---- the reader: a model that counts */
struct model {
    const uint8_t *p;
    size_t at, n;
    bool bad;
    size_t bad_at;
    uint64_t got; /* the value, or the length and where it begins */
};

static void model_fail(struct model *m)
{
    if (!m->bad) {
        m->bad = true;
        m->bad_at = m->at;
    }
    m->at = m->n;
    m->got = 0;
}

static void model_uint(struct model *m, size_t n)
{
    if (m->n - m->at < n) {
        model_fail(m);
        return;
    }
    m->got = 0;
    for (size_t i = 0; i < n; i++)
        m->got = m->got * 256 + m->p[m->at++];
}

static void model_bytes(struct model *m, size_t n)
{
    if (m->n - m->at < n) {
        model_fail(m);
        return;
    }
    m->got = n * 100 + m->at;
    m->at += n;
}

static void model_vector(struct model *m, size_t prefix, size_t min, size_t max, bool pairs)
{
    struct model length = *m;
    model_uint(&length, prefix);
    if (m->n - m->at < prefix || m->n - length.at < length.got || length.got < min || length.got > max) {
        model_fail(m);
        return;
    }
    m->at = length.at;
    model_bytes(m, length.got);
    if (pairs && length.got % 2)
        model_fail(m);
}

enum { OP_U8, OP_U16, OP_U24, OP_BYTES0, OP_BYTES2, OP_REST, OP_OPAQUE8, OP_OPAQUE8_MIN, OP_OPAQUE16, OP_OPAQUE24, OP_VEC8, OP_U16S, OP_U8S,
       OP_END, READ_OPS };

static uint64_t told(const struct model *m, span s)
{
    return s.p ? s.n * 100 + (size_t)(s.p - m->p) : 0;
}

static uint64_t read_one(struct rd *r, const struct model *m, int op)
{
    struct rd inner;
    switch (op) {
    case OP_U8: return rd_u8(r, "a", NULL);
    case OP_U16: return rd_u16(r, "a", NULL);
    case OP_U24: return rd_u24(r, "a");
    case OP_BYTES0: return told(m, rd_bytes(r, "a", 0));
    case OP_BYTES2: return told(m, rd_bytes(r, "a", 2));
    case OP_REST: return told(m, rd_rest(r, "a"));
    case OP_OPAQUE8: return told(m, rd_opaque8(r, "a", 0, 255));
    case OP_OPAQUE8_MIN: return told(m, rd_opaque8(r, "a", 1, 2));
    case OP_OPAQUE16: return told(m, rd_opaque16(r, "a", 0, 65535));
    case OP_OPAQUE24: return told(m, rd_opaque24(r, "a", 0, 3));
    case OP_VEC8:
        inner = rd_vec8(r, "a", 0, 255);
        return told(m, rd_peek(&inner));
    case OP_U16S: return told(m, rd_u16s(r, "a", "b", NULL, 1, 0, 254));
    case OP_U8S: return told(m, rd_u8s(r, "a", "b", NULL, 1, 0, 255));
    default: rd_end(r, "a"); return 0;
    }
}

static void model_one(struct model *m, int op)
{
    m->got = 0;
    switch (op) {
    case OP_U8: model_uint(m, 1); break;
    case OP_U16: model_uint(m, 2); break;
    case OP_U24: model_uint(m, 3); break;
    case OP_BYTES0: model_bytes(m, 0); break;
    case OP_BYTES2: model_bytes(m, 2); break;
    case OP_REST: model_bytes(m, m->n - m->at); break;
    case OP_OPAQUE8:
    case OP_VEC8:
    case OP_U8S: model_vector(m, 1, 0, 255, false); break;
    case OP_OPAQUE8_MIN: model_vector(m, 1, 1, 2, false); break;
    case OP_OPAQUE16: model_vector(m, 2, 0, 65535, false); break;
    case OP_OPAQUE24: model_vector(m, 3, 0, 3, false); break;
    case OP_U16S: model_vector(m, 1, 0, 254, true); break;
    default:
        if (m->at != m->n)
            model_fail(m);
    }
}

/* Where nothing is read a failed reader may say NULL or its own end: both are empty. */
static bool same_value(uint64_t a, uint64_t b, bool empty)
{
    return a == b || (empty && a / 100 == 0 && b / 100 == 0);
}

static void read_all(const uint8_t *p, size_t n, size_t *cases)
{
    for (int ops = 0; ops < READ_OPS * READ_OPS * READ_OPS; ops++) {
        struct rd_ctx ctx;
        rd_ctx_init(&ctx, span_of(p, n), NULL);
        struct rd r = rd_init(&ctx, span_of(p, n));
        struct model m = { .p = p, .n = n };
        int op[CALLS] = { ops % READ_OPS, ops / READ_OPS % READ_OPS, ops / READ_OPS / READ_OPS };
        for (int i = 0; i < CALLS; i++) {
            uint64_t got = read_one(&r, &m, op[i]);
            model_one(&m, op[i]);
            bool number = op[i] <= OP_U24;
            if (!same_value(got, m.got, !number) || rd_left(&r) != m.n - m.at || rd_ok(&r) == m.bad ||
                (m.bad && op[i] != OP_U16S && ctx.bad_at != m.bad_at && op[0] != OP_U16S && op[1] != OP_U16S))
                test_fail("%zu bytes, calls %d %d %d, after %d", n, op[0], op[1], op[2], i);
        }
        ++*cases;
    }
}

static void test_reader(void **state)
{
    (void)state;
    size_t cases = 0, most = 1;
    for (size_t n = 0; n < BYTES_MAX; n++, most *= sizeof alphabet) {
        uint8_t *exact = malloc(n ? n : 1);
        assert_non_null(exact);
        for (size_t k = 0; k < most; k++) {
            size_t left = k;
            for (size_t i = 0; i < n; i++, left /= sizeof alphabet)
                exact[i] = alphabet[left % sizeof alphabet];
            read_all(exact, n, &cases);
        }
        free(exact);
    }
    print_message("reader: %zu cases\n", cases);
}

/* ---- the writer: into room of every size, beside a list of bytes */
enum { W_U8, W_U16, W_BIG, W_RAW0, W_RAW3, W_ROOM2, W_OPAQUE, W_OPEN1, W_OPEN2, W_CLOSE, WRITE_OPS, WRITE_CALLS = 5, ROOM_MAX = 9 };

struct list {
    uint8_t b[64];
    size_t  n;
    bool    bad;
};

struct nest {
    size_t mark[WRITE_CALLS], prefix[WRITE_CALLS], n;
};

static void write_one(struct wr *w, struct nest *nest, int op)
{
    uint8_t *p;
    switch (op) {
    case W_U8: wr_u8(w, 0xa1); break;
    case W_U16: wr_u16(w, 0xb1b2); break;
    case W_BIG: wr_uint(w, 0x100, 1); break;
    case W_RAW0: wr_raw(w, NULL, 0); break;
    case W_RAW3: wr_raw(w, "xyz", 3); break;
    case W_ROOM2:
        p = wr_room(w, 2);
        if (p)
            memset(p, 0xc1, 2);
        break;
    case W_OPAQUE: wr_opaque(w, 1, SPAN_TEXT("op")); break;
    case W_OPEN1:
    case W_OPEN2:
        nest->prefix[nest->n] = op == W_OPEN1 ? 1 : 2;
        nest->mark[nest->n] = wr_open(w, nest->prefix[nest->n]);
        nest->n++;
        break;
    default:
        if (nest->n) {
            nest->n--;
            wr_close(w, nest->mark[nest->n], nest->prefix[nest->n]);
        }
    }
}

static void list_add(struct list *l, const char *bytes, size_t n)
{
    memcpy(l->b + l->n, bytes, n);
    l->n += n;
}

static void list_one(struct list *l, struct nest *nest, int op)
{
    switch (op) {
    case W_U8: list_add(l, "\xa1", 1); break;
    case W_U16: list_add(l, "\xb1\xb2", 2); break;
    case W_BIG: list_add(l, "", 1), l->bad = true; break;
    case W_RAW0: break;
    case W_RAW3: list_add(l, "xyz", 3); break;
    case W_ROOM2: list_add(l, "\xc1\xc1", 2); break;
    case W_OPAQUE: list_add(l, "\2op", 3); break;
    case W_OPEN1:
    case W_OPEN2:
        list_add(l, "\0\0", nest->prefix[nest->n] = op == W_OPEN1 ? 1 : 2);
        nest->mark[nest->n++] = l->n;
        break;
    default:
        if (nest->n) {
            nest->n--;
            l->b[nest->mark[nest->n] - 1] = (uint8_t)(l->n - nest->mark[nest->n]);
        }
    }
}

static void test_writer(void **state)
{
    (void)state;
    size_t cases = 0, most = 1;
    for (int i = 0; i < WRITE_CALLS; i++)
        most *= WRITE_OPS;
    for (size_t cap = 0; cap <= ROOM_MAX; cap++) {
        uint8_t *exact = malloc(cap ? cap : 1);
        assert_non_null(exact);
        for (size_t ops = 0; ops < most; ops++, cases++) {
            memset(exact, 0, cap ? cap : 1); /* a vector that is never closed keeps what was there as its length */
            struct wr w = wr_into(exact, cap), measure = wr_measure();
            struct nest a = { .n = 0 }, b = { .n = 0 }, c = { .n = 0 };
            struct list l = { .n = 0 };
            size_t left = ops;
            for (int i = 0; i < WRITE_CALLS; i++, left /= WRITE_OPS) {
                write_one(&w, &a, (int)(left % WRITE_OPS));
                write_one(&measure, &b, (int)(left % WRITE_OPS));
                list_one(&l, &c, (int)(left % WRITE_OPS));
            }
            bool fits = l.n <= cap && !l.bad;
            if (wr_ok(&w) != fits || wr_ok(&measure) == l.bad || (!l.bad && measure.n != l.n) || (fits && (w.n != l.n || memcmp(exact, l.b, l.n))) ||
                w.n > cap)
                test_fail("room of %zu, calls %zu", cap, ops);
        }
        free(exact);
    }
    print_message("writer: %zu cases\n", cases);
}

/* ---- record boundaries: two records and what follows, however they are cut */
static const uint8_t types[] = { 0, 20, 22, 23, 24 }, majors[] = { 2, 3 }, minors[] = { 1, 3, 5 };
static const unsigned lengths[] = { 0, 1, 3, 16384, 16385, 16640, 16641, 65535 };

/* What becomes of a stream: records as "type length", and how it ended. */
static uint64_t outcome(const uint8_t *p, size_t n, enum form form, size_t first, size_t second)
{
    struct inbuf in;
    troth_error e = { .reason = TROTH_R_NONE };
    uint64_t sum = 17;
    size_t at = 0, cuts[3] = { first, second, n };
    inbuf_init(&in, &test_memory);
    for (int i = 0; i < 3 && e.reason == TROTH_R_NONE; i++)
        while (at < cuts[i] && e.reason == TROTH_R_NONE) {
            uint8_t *room;
            size_t k;
            struct record r;
            enum deframed d;
            assert_true(inbuf_room(&in, &e, &room, &k) && k > 0);
            k = k < cuts[i] - at ? k : cuts[i] - at;
            memcpy(room, p + at, k);
            inbuf_got(&in, k);
            at += k;
            while ((d = deframe(&in, &r, form, &e)) == DEFRAME_RECORD) {
                assert_true(r.body == r.header + 5 && r.n <= 16640 + 2048);
                sum = sum * 31 + r.type * 1000u + r.n;
                for (size_t b = 0; b < r.n; b++)
                    sum = sum * 3 + r.body[b];
            }
            assert_true((d == DEFRAME_BAD) == (e.reason != TROTH_R_NONE));
        }
    inbuf_free(&in);
    return sum * 64 + e.reason;
}

/* What should become of it: byte by byte, by the rules of RFC 9846 5.1 and 5.2. */
static uint64_t expected(const uint8_t *p, size_t n, enum form form)
{
    uint64_t sum = 17;
    enum troth_reason why = TROTH_R_NONE;
    for (size_t at = 0, any = 0; at < n && !why; any++) {
        const uint8_t *h = p + at;
        size_t left = n - at, length = left >= 5 ? (size_t)(h[3] << 8 | h[4]) : 0;
        size_t most = form == FORM_12 ? 16384 + 2048 : form == FORM_13 || h[0] == 23 ? 16640 : 16384;
        bool known = h[0] >= 20 && h[0] <= 23, alien = left >= 2 && (h[1] != 3 || (!known && left >= 3 && h[2] > 4));
        if (!any && alien)
            why = TROTH_R_NOT_TLS;
        else if (!known && (any || left >= 5))
            why = TROTH_R_RECORD_TYPE;
        else if (!known)
            break;
        else if (left >= 3 && (h[1] != 3 || (h[2] != 3 && (form == FORM_12 || (form == FORM_13 && h[0] == 23)))))
            why = TROTH_R_RECORD_VERSION;
        else if (left >= 5 && length > most)
            why = TROTH_R_RECORD_TOO_LONG;
        if (why || left < 5 || left < 5 + length)
            break;
        sum = sum * 31 + h[0] * 1000u + length;
        for (size_t b = 0; b < length; b++)
            sum = sum * 3 + h[5 + b];
        at += 5 + length;
    }
    return sum * 64 + why;
}

static void test_record_boundaries(void **state)
{
    (void)state;
    size_t cases = 0;
    uint8_t p[32] = { 22, 3, 1, 0, 2, 0x41, 0x42 };
    for (int form = FORM_PLAIN; form <= FORM_12; form++)
        for (size_t k = 0; k < COUNT_OF(types) * COUNT_OF(majors) * COUNT_OF(minors) * COUNT_OF(lengths); k++) {
            unsigned length = lengths[k / COUNT_OF(types) / COUNT_OF(majors) / COUNT_OF(minors)];
            for (size_t before = 0; before <= 7; before += 7) {
                uint8_t *h = p + before;
                p[2] = form == FORM_PLAIN ? 1 : 3;
                h[0] = types[k % COUNT_OF(types)];
                h[1] = majors[k / COUNT_OF(types) % COUNT_OF(majors)];
                h[2] = minors[k / COUNT_OF(types) / COUNT_OF(majors) % COUNT_OF(minors)];
                h[3] = (uint8_t)(length >> 8);
                h[4] = (uint8_t)length;
                memcpy(h + 5, "\x51\x52\x53\x17", 4);
                for (size_t n = 0; n <= before + 9; n++) {
                    uint64_t want = expected(p, n, (enum form)form);
                    for (size_t first = 0; first <= n; first++)
                        for (size_t second = first; second <= n; second += 1 + n / 8, cases++)
                            if (outcome(p, n, (enum form)form, first, second) != want)
                                test_fail("form %d, header %zu at %zu, %zu bytes cut at %zu and %zu", form, k, before, n, first, second);
                }
                p[0] = 22, p[1] = 3, p[3] = 0, p[4] = 2, p[5] = 0x41, p[6] = 0x42;
            }
        }
    print_message("record boundaries: %zu cases\n", cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_reader), cmocka_unit_test(test_writer), cmocka_unit_test(test_record_boundaries) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
