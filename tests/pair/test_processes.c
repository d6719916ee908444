/* Sessions travel between processes: what TROTH_TICKET gave in one is resumed in another, whose configurations were built from the same
 * files and ticket keys and know nothing else of the first. */
#include <sys/wait.h>
#include <unistd.h>

#include "support/pair.h"
#include "support/test.h"

static const troth_ticket_key keys[1] = { { "a name of a key", "thirty-two bytes of key, or so.." } };

struct wish {
    bool                   server, tls12, early;
    const troth_ticket_key *keys;
};

static void tweak(troth_builder *b, void *ctx)
{
    const struct wish *w = ctx;
    uint16_t v = w->tls12 ? TROTH_TLS12 : TROTH_TLS13;
    troth_versions(b, v, v);
    if (w->early)
        troth_early_data(b, 1000);
    if (w->server && w->keys)
        troth_ticket_keys(b, w->keys, 1);
}

struct kept {
    uint8_t  p[8192];
    size_t   n;
    unsigned early;
};

static bool on_event(struct pair *p, struct pair_end *e, const troth_event *ev, void *ctx)
{
    struct kept *k = ctx;
    if (ev->kind == TROTH_TICKET && ev->data.n <= sizeof k->p)
        memcpy(k->p, ev->data.p, k->n = ev->data.n);
    if (ev->kind == TROTH_EARLY && e == &p->client)
        k->early += pair_write(e, "early");
    return ev->kind == TROTH_TICKET || ev->kind == TROTH_EARLY;
}

/* What a process does: connects, resumes if there is something to resume, keeps the new ticket.  A line about it. */
static void act(struct world *w, struct wish wish, int in, int out)
{
    struct wish theirs = wish;
    struct kept kept = { .n = 0 };
    struct pair p;
    theirs.server = true;
    if (in >= 0) {
        ssize_t n = read(in, kept.p, sizeof kept.p);
        kept.n = n > 0 ? (size_t)n : 0;
    }
    pair_new(&p, world_client(w, tweak, &wish), world_server(w, tweak, &theirs), NULL);
    p.on_event = on_event;
    p.ctx = &kept;
    if (kept.n)
        troth_resume(p.client.c, span_of(kept.p, kept.n));
    pair_run(&p);
    bool ok = p.client.ready && p.server.ready && pair_write(&p.client, "x");
    pair_run(&p);
    troth_facts f = troth_what(p.client.c);
    bool early = kept.early && p.server.n_got > 1 && f.early == TROTH_EARLY_ACCEPTED;
    uint8_t said = (uint8_t)(ok | f.resumed << 1 | early << 2);
    bool sent = out < 0 || write(out, kept.p, kept.n) == (ssize_t)kept.n;
    pair_free(&p);
    world_free(w);
    _exit(sent ? said : 0x80); /* no leak check, no cmocka: this is only a part of the test */
}

static int in_a_process(struct world *w, struct wish wish, int in, int out)
{
    int status = 0;
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (!child)
        act(w, wish, in, out);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

enum { OK = 1, RESUMED = 2, EARLY = 4 };

static void run(struct wish first, struct wish second, int expected)
{
    struct world *w = world_new(troth_libcrypto());
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(in_a_process(w, first, -1, ends[1]), OK);
    assert_int_equal(in_a_process(w, second, ends[0], -1), expected);
    close(ends[0]);
    close(ends[1]);
    world_free(w);
}

static void test_tickets(void **state)
{
    (void)state;
    run((struct wish){ .keys = keys }, (struct wish){ .keys = keys }, OK | RESUMED);
    run((struct wish){ .keys = keys, .tls12 = true }, (struct wish){ .keys = keys, .tls12 = true }, OK | RESUMED);
    run((struct wish){ .keys = keys, .early = true }, (struct wish){ .keys = keys, .early = true }, OK | RESUMED | EARLY);
}

/* Without a shared key, or where one of the two gave up its version, it is a full handshake. */
static void test_not_shared(void **state)
{
    static const troth_ticket_key other[1] = { { "a name of a key", "thirty-two bytes of another key." } };
    (void)state;
    run((struct wish){ 0 }, (struct wish){ 0 }, OK);
    run((struct wish){ .keys = keys }, (struct wish){ .keys = other }, OK);
    run((struct wish){ .keys = keys, .tls12 = true }, (struct wish){ .keys = keys }, OK);
    run((struct wish){ .keys = keys }, (struct wish){ .keys = keys, .tls12 = true }, OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tickets),
        cmocka_unit_test(test_not_shared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
