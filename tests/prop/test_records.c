/* ctest: timeout=600 */
/* Somebody on the path: every record of every kind of handshake changed, dropped, repeated, swapped, delayed, played again later, cut off; the
 * stream ended at every byte, and every byte of it changed.  Nobody is ready who should not be, nothing is delivered that was not said, and
 * what was tampered with does not go through. */
#include "fake/fake.h"
#include "record/content.h"
#include "support/flavour.h"
#include "support/meddle.h"
#include "support/test.h"
#include "tls/conn.h"

static size_t runs, through, over;

/* May this have no effect?  What is not authenticated: change_cipher_spec of compatibility mode, early data that is refused, the version
 * in a header in the clear, and everything behind close_notify. */
struct spy {
    struct meddle *m;
    struct saw_record r; /* the one that is meddled with */
    uint8_t        next; /* type of the one behind it */
    unsigned       seen;
};

static bool harmless(const struct scene *s, const struct spy *spy)
{
    const struct meddle *m = spy->m;
    const struct saw_record *r = &spy->r;
    bool ccs = r->type == CONTENT_CHANGE_CIPHER_SPEC || (m->how == MEDDLE_SWAP && spy->next == CONTENT_CHANGE_CIPHER_SPEC);
    bool version = m->how == MEDDLE_FLIP && r->epoch == EPOCH_PLAIN;
    bool early = m->from_client && (s->f->bits & F_EARLY) && (s->f->bits & F_REFUSED);
    bool behind_close = (m->how == MEDDLE_REPEAT || m->how == MEDDLE_LATER) && r->inner == CONTENT_ALERT;
    if ((s->f->bits & F_ECH) && (s->f->bits & F_REFUSED) && (m->how == MEDDLE_LATER || m->nth + (m->how == MEDDLE_REPEAT) > (m->from_client ? 1u : 3u)))
        return true; /* the client knows already, and ends it */
    return !m->done || ccs || version || early || behind_close;
}

static void on_record(void *self, const struct saw_record *r)
{
    struct spy *spy = self;
    if (r->from != (spy->m->from_client ? FROM_CLIENT : FROM_SERVER))
        return;
    if (++spy->seen == spy->m->nth)
        spy->r = *r;
    else if (spy->seen == spy->m->nth + 1)
        spy->next = r->type;
}

static bool once(struct scene *s, struct meddle *m)
{
    struct pair p;
    struct spy spy = { .m = m };
    struct witness w = { .self = &spy, .record = on_record };
    scene_open(s, &p);
    conn_watch(m->from_client ? p.client.c : p.server.c, &w); /* of the sender: it knows what it sent */
    meddle_with(&p, m);
    bool ok = scene_talk(s, &p);
    bool was_done = m->done;
    scene_check(s, &p);
    if (ok && !harmless(s, &spy))
        test_fail("%s: %s of record %u (type %u) from the %s went through", s->f->name, meddle_names[m->how], m->nth, spy.r.type,
                  m->from_client ? "client" : "server");
    runs++;
    through += ok && was_done;
    over += p.client.failed || p.server.failed;
    meddle_end(m);
    scene_close(s, &p);
    return was_done;
}

static void every_record(struct scene *s)
{
    for (int how = MEDDLE_FLIP; how < MEDDLE_KINDS; how++)
        for (int from_client = 0; from_client < 2; from_client++)
            for (unsigned nth = 1, missed = 0; missed < 3; nth++) { /* a swap needs a second record in its flight */
                struct meddle m = { .from_client = from_client, .nth = nth, .how = (enum meddle_how)how };
                missed = once(s, &m) ? 0 : missed + 1;
            }
}

static struct scene *begin(const struct flavour *f, struct world **w)
{
    *w = world_new(fake_provider(1));
    struct scene *s = scene_new(f, *w);
    assert_true(scene_build(s, fake_provider(2), fake_provider(3)));
    return s;
}

static void test_every_record(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_flavours; i++) {
        struct world *w;
        if (flavours[i].bits & (F_STORY | F_LOG))
            continue;
        struct scene *s = begin(&flavours[i], &w);
        every_record(s);
        scene_free(s);
        world_free(w);
    }
    print_message("%zu connections meddled with: %zu went through where that is harmless, %zu failed\n", runs, through, over);
    assert_true(runs > 3000);
}

/* ---- every byte */
static void test_every_byte_changed(void **state)
{
    static const char *const names[] = { "basic", "retry and cookie", "client certificate", "resumption", "TLS 1.2", "TLS 1.2, ticket" };
    (void)state;
    runs = through = over = 0;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct world *w;
        struct scene *s = begin(flavour_of(names[i]), &w);
        for (int from_client = 0; from_client < 2; from_client++)
            for (unsigned nth = 1; nth < 20; nth++)
                for (size_t arg = 0; arg < 1200; arg += nth > 1 ? 5 : 1) {
                    struct meddle m = { .from_client = from_client, .nth = nth, .how = MEDDLE_FLIP, .arg = arg };
                    if (!once(s, &m))
                        break;
                    if (m.wrapped)
                        break;
                }
        scene_free(s);
        world_free(w);
    }
    print_message("%zu bytes changed: %zu went through where that is harmless, %zu connections failed\n", runs, through, over);
    assert_true(runs > 3000);
}

/* ---- the stream ends at every byte */
static void end_at(struct scene *s, bool to_client, size_t at, bool *more)
{
    struct pair p;
    scene_open(s, &p);
    struct pair_end *e = to_client ? &p.client : &p.server;
    struct pipe *in = pair_input(&p, e);
    in->ends_at = at;
    bool ok = scene_talk(s, &p);
    *more = in->n > at;
    if (*more) {
        assert_false(ok);
        assert_true(e->failed && troth_why(e->c)->alert == 255);
    }
    scene_check(s, &p);
    runs++;
    scene_close(s, &p);
}

static void test_every_end(void **state)
{
    static const char *const names[] = { "basic", "early data", "client certificate", "TLS 1.2", "TLS 1.2, session id" };
    (void)state;
    runs = 0;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct world *w;
        struct scene *s = begin(flavour_of(names[i]), &w);
        for (int to_client = 0; to_client < 2; to_client++) {
            bool more = true;
            for (size_t at = 1; more; at++)
                end_at(s, to_client, at, &more);
        }
        scene_free(s);
        world_free(w);
    }
    print_message("%zu places where the stream ended\n", runs);
    assert_true(runs > 3000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_record),
        cmocka_unit_test(test_every_byte_changed),
        cmocka_unit_test(test_every_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
