/* test_corpus.c - what holds for every message: written again it is the same; its leaves tile it; cut or changed anywhere it is refused
 * or understood, and nothing outside is read; a witness changes nothing. */
#include "support/test.h"
#include "wire/corpus.h"

static struct specimen corpus[SPECIMENS_MAX];
static size_t corpus_n;
static uint8_t written[1 << 18];

static int load(void **state)
{
    (void)state;
    corpus_n = corpus_load(corpus);
    return corpus_n < 60; /* fewer than are there: something was lost */
}

static int unload(void **state)
{
    (void)state;
    corpus_free(corpus, corpus_n);
    return 0;
}

static void hex_around(const struct specimen *s, size_t at)
{
    for (size_t i = at > 8 ? at - 8 : 0; i < s->n && i < at + 8; i++)
        fprintf(stderr, "%s%02x", i == at ? " >" : " ", s->p[i]);
    fprintf(stderr, "\n");
}

static void written_again_is_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < corpus_n; i++) {
        struct rd_ctx ctx;
        struct wr w = wr_into(written, sizeof written);
        if (!wire_copy(corpus[i].kind, span_of(corpus[i].p, corpus[i].n), &w, &ctx, NULL))
            test_fail("%s refused: %s at %u: %s", corpus[i].name, ctx.bad ? ctx.bad : "?", ctx.bad_at,
                      troth_reason_code(ctx.why));
        size_t at = 0;
        while (at < w.n && at < corpus[i].n && written[at] == corpus[i].p[at])
            at++;
        if (at != w.n || at != corpus[i].n) {
            hex_around(&corpus[i], at);
            test_fail("%s written again differs at %zu (%zu bytes, was %zu)", corpus[i].name, at, w.n, corpus[i].n);
        }
    }
}

/* ---- tiling */

enum { SIGHTINGS_MAX = 4096 };
struct seen {
    struct sighting s[SIGHTINGS_MAX];
    size_t          n;
};

static void see(void *self, const struct sighting *s)
{
    struct seen *seen = self;
    if (seen->n == SIGHTINGS_MAX)
        test_fail("too many sightings");
    seen->s[seen->n++] = *s;
}

static void check_nesting(const struct specimen *m, const struct seen *seen)
{
    for (size_t i = 0; i < seen->n; i++) {
        for (size_t j = 0; j < i; j++) {
            const struct sighting *a = &seen->s[i], *b = &seen->s[j];
            uint32_t a_end = a->at + a->n, b_end = b->at + b->n;
            bool apart = a_end <= b->at || b_end <= a->at;
            bool inside = (a->at >= b->at && a_end <= b_end) || (b->at >= a->at && b_end <= a_end);
            if (!apart && !inside)
                test_fail("%s: %s and %s overlap", m->name, a->name, b->name);
        }
    }
}

static void leaves_tile(void **state)
{
    (void)state;
    static struct seen seen;
    struct witness witness = { .self = &seen, .field = see };
    for (size_t i = 0; i < corpus_n; i++) {
        const struct specimen *m = &corpus[i];
        uint8_t *times = calloc(m->n + 1, 1);
        struct rd_ctx ctx;
        struct wr w = wr_into(written, sizeof written);
        seen.n = 0;
        assert_true(wire_copy(m->kind, span_of(m->p, m->n), &w, &ctx, &witness));
        assert_int_equal(w.n, m->n); /* the witness changed nothing */
        assert_memory_equal(written, m->p, m->n);
        for (size_t j = 0; j < seen.n; j++) {
            const struct sighting *s = &seen.s[j];
            assert_true(s->at + s->n <= m->n && s->name);
            for (size_t k = 0; k < (s->shape == SHAPE_GROUP ? s->prefix : s->n); k++)
                times[s->at + k]++;
        }
        for (size_t k = 0; k < m->n; k++) {
            if (times[k] == 1)
                continue;
            hex_around(m, k);
            test_fail("%s: byte %zu is told %u times", m->name, k, times[k]);
        }
        check_nesting(m, &seen);
        free(times);
    }
}

/* ---- hostile */

/* Reads a copy in a block of its own.  What is understood must be understood again when written. */
static bool try(const struct specimen *m, const uint8_t *p, size_t n)
{
    uint8_t *exact = malloc(n ? n : 1);
    memcpy(exact, p, n);
    struct rd_ctx ctx;
    struct wr w = wr_into(written, sizeof written);
    bool understood = wire_copy(m->kind, span_of(exact, n), &w, &ctx, NULL);
    if (!understood && !ctx.bad && !w.bad && m->kind->msg_type < 0)
        test_fail("%s: refused without a reason", m->name);
    if (understood) {
        static uint8_t again[1 << 18];
        struct wr w2 = wr_into(again, sizeof again);
        if (!wire_copy(m->kind, wr_done(&w), &w2, &ctx, NULL) || w2.n != w.n || memcmp(again, written, w.n) != 0)
            test_fail("%s: what was written is not understood: %s", m->name, ctx.bad ? ctx.bad : "differs");
    }
    free(exact);
    return understood;
}

static void set_length(uint8_t *p, size_t n)
{
    p[1] = (uint8_t)((n - 4) >> 16);
    p[2] = (uint8_t)((n - 4) >> 8);
    p[3] = (uint8_t)(n - 4);
}

/* Cut where it could have ended: a hello of TLS 1.2 before its extensions, a hash of another size, an empty remainder. */
static bool may_end_early(const struct specimen *m)
{
    return m->kind->msg_type == HS_client_hello || m->kind->msg_type == HS_server_hello || m->kind->msg_type == HS_finished;
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    static uint8_t cut[65536];
    for (size_t i = 0; i < corpus_n; i++) {
        const struct specimen *m = &corpus[i];
        for (size_t n = 0; n < m->n; n++) {
            if (try(m, m->p, n))
                test_fail("%s cut to %zu bytes is accepted", m->name, n);
            if (m->kind->msg_type < 0 || n < 4)
                continue;
            memcpy(cut, m->p, n);
            set_length(cut, n); /* a header that knows of the cut, so that the body's readers see it */
            if (try(m, cut, n) && !may_end_early(m))
                test_fail("%s shortened to %zu bytes is accepted", m->name, n);
        }
    }
}

static void every_extra_byte_is_refused(void **state)
{
    (void)state;
    static uint8_t longer[65537];
    for (size_t i = 0; i < corpus_n; i++) {
        const struct specimen *m = &corpus[i];
        memcpy(longer, m->p, m->n);
        longer[m->n] = 0;
        assert_false(try(m, longer, m->n + 1));
        if (m->kind->msg_type < 0)
            continue;
        set_length(longer, m->n + 1);
        if (try(m, longer, m->n + 1))
            test_fail("%s is accepted with a byte more", m->name);
    }
}

static void every_changed_byte_is_survived(void **state)
{
    (void)state;
    static uint8_t changed[65536];
    size_t understood = 0, tried = 0;
    for (size_t i = 0; i < corpus_n; i++) {
        const struct specimen *m = &corpus[i];
        memcpy(changed, m->p, m->n);
        for (size_t at = 0; at < m->n; at++) {
            const uint8_t values[] = { 0, 0xff, (uint8_t)(m->p[at] + 1), (uint8_t)(m->p[at] - 1), m->p[at] ^ 0x80 };
            for (size_t v = 0; v < COUNT_OF(values); v++, tried++) {
                changed[at] = values[v];
                understood += try(m, changed, m->n);
            }
            changed[at] = m->p[at];
        }
    }
    print_message("%zu messages, %zu changes, %zu of them understood\n", corpus_n, tried, understood);
    assert_true(understood > 0 && understood < tried);
}

/* The writer alone: without room it says so, and measuring gives the size. */
static void writers_measure_and_never_overflow(void **state)
{
    (void)state;
    for (size_t i = 0; i < corpus_n; i++) {
        const struct specimen *m = &corpus[i];
        struct rd_ctx ctx;
        struct wr w = wr_measure();
        assert_true(wire_copy(m->kind, span_of(m->p, m->n), &w, &ctx, NULL));
        assert_int_equal(w.n, m->n);
        for (size_t cap = 0; cap < m->n; cap += 1 + cap / 16) {
            uint8_t *room = malloc(cap ? cap : 1);
            w = wr_into(room, cap);
            assert_false(wire_copy(m->kind, span_of(m->p, m->n), &w, &ctx, NULL));
            free(room);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written_again_is_the_same),
        cmocka_unit_test(leaves_tile),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(every_extra_byte_is_refused),
        cmocka_unit_test(every_changed_byte_is_survived),
        cmocka_unit_test(writers_measure_and_never_overflow),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
