#include "support/quic.h"

#include "support/test.h"
#include "tls/config.h"

void quic_tweak(troth_builder *b)
{
    static const char *const names[] = { "h3" };
    troth_alpn(b, names, 1);
    troth_quic(b);
}

void quic_pair_new(struct quic_pair *p, troth_client *client, troth_server *server, const char *early)
{
    memset(p, 0, sizeof *p);
    p->client.name = "client";
    p->server.name = "server";
    p->client.c = troth_connect(client, "a.example");
    p->server.c = troth_accept(server);
    troth_client_free(client);
    troth_server_free(server);
    troth_quic_parameters(p->client.c, TROTH_TEXT(CLIENT_PARAMETERS), (troth_span){ NULL, 0 });
    troth_quic_parameters(p->server.c, TROTH_TEXT(SERVER_PARAMETERS),
                          early ? span_of(early, strlen(early)) : (troth_span){ NULL, 0 });
}

void quic_pair_again(struct quic_pair *p, troth_client *client, troth_server *server, const char *early, span ticket)
{
    (void)config_share((const struct config *)client);
    (void)config_share((const struct config *)server);
    quic_pair_new(p, client, server, early);
    if (ticket.n)
        troth_resume(p->client.c, ticket);
}

void quic_pair_free(struct quic_pair *p)
{
    struct quic_end *ends[] = { &p->client, &p->server };
    for (int i = 0; i < 2; i++) {
        troth_free(ends[i]->c);
        for (int l = 0; l < LEVELS; l++)
            free(ends[i]->out[l].p);
    }
}

bool quic_has(const struct quic_end *e, enum troth_level level, bool ours)
{
    return level == TROTH_LEVEL_INITIAL || e->secrets[level][ours].n;
}

static void keep_secret(struct quic_end *e, const troth_event *ev)
{
    struct quic_secret *s = &e->secrets[ev->level][ev->ours];
    assert_true(ev->level < LEVELS && ev->level != TROTH_LEVEL_INITIAL);
    assert_int_equal(s->n, 0); /* once */
    assert_true(ev->data.n <= sizeof s->p);
    memcpy(s->p, ev->data.p, ev->data.n);
    s->n = (uint8_t)ev->data.n;
    s->suite = ev->number;
}

static void keep_ticket(struct quic_end *e, const troth_event *ev)
{
    e->n_ticket++;
    assert_true(ev->data.n <= sizeof e->ticket);
    memcpy(e->ticket, ev->data.p, ev->data.n);
    e->ticket_n = ev->data.n;
    e->ticket_early = ev->early;
}

/* False: nothing more happens until bytes come. */
static bool take_event(struct quic_pair *p, struct quic_end *e, const troth_event *ev)
{
    switch ((int)ev->kind) {
    case TROTH_SEND:
        assert_true(quic_has(e, (enum troth_level)ev->level, true));
        assert_int_not_equal(ev->level, TROTH_LEVEL_EARLY);
        if (p->edit)
            p->edit(p, e, ev->level, ev->data);
        else
            pipe_put(&e->out[ev->level], ev->data.p, ev->data.n);
        troth_sent(e->c, ev->data.n);
        return true;
    case TROTH_KEYS: keep_secret(e, ev); return true;
    case TROTH_TICKET: keep_ticket(e, ev); return true;
    case TROTH_READY: e->n_ready++; return true;
    case TROTH_EARLY: e->n_early++; return true;
    case TROTH_EARLY_REFUSED: e->n_refused++; return true;
    case TROTH_ASK_SERVER:
    case TROTH_ASK_SIGN:
    case TROTH_ASK_VERDICT: e->asked++; return p->answer && p->answer(p, e, ev);
    case TROTH_RECV: assert_null(ev->room.p); return false;
    case TROTH_FAILED: e->failed = true; return false;
    case TROTH_DONE: e->n_done++; return false;
    default: test_fail("event %d", ev->kind);
    }
    return false;
}

void quic_listen(struct quic_pair *p, struct quic_end *e)
{
    for (;;) {
        troth_event ev = troth_next(e->c);
        e->last = ev.kind;
        if (!take_event(p, e, &ev))
            return;
    }
}

bool quic_deliver(struct quic_pair *p, struct quic_end *e)
{
    struct quic_end *from = e == &p->client ? &p->server : &p->client;
    for (int l = 0; l < LEVELS && !e->failed; l++) {
        struct pipe *in = &from->out[l];
        size_t n = in->n - in->taken;
        if (!n || !quic_has(e, (enum troth_level)l, false))
            continue;
        if (p->most && p->most < n)
            n = p->most;
        if (in->taken < p->cut && in->taken + n > p->cut)
            n = p->cut - in->taken;
        bool ok = troth_quic_received(e->c, (enum troth_level)l, span_of(in->p + in->taken, n));
        in->taken += n;
        (void)ok; /* what it led to is an event */
        return true;
    }
    return false;
}

void quic_run(struct quic_pair *p)
{
    for (bool any = true; any;) {
        quic_listen(p, &p->client);
        quic_listen(p, &p->server);
        any = quic_deliver(p, &p->server);
        quic_listen(p, &p->server);
        any |= quic_deliver(p, &p->client);
    }
}

static void assert_same_secrets(const struct quic_end *a, const struct quic_end *b, int level)
{
    for (int ours = 0; ours < 2; ours++) {
        const struct quic_secret *mine = &a->secrets[level][ours], *theirs = &b->secrets[level][!ours];
        assert_true(mine->n && mine->n == theirs->n && mine->suite == theirs->suite);
        assert_memory_equal(mine->p, theirs->p, mine->n);
    }
    assert_memory_not_equal(a->secrets[level][0].p, a->secrets[level][1].p, 32);
}

void assert_quic_ready(struct quic_pair *p)
{
    if (p->client.n_ready != 1 || p->server.n_ready != 1) {
        conn_say_why(p->client.c, p->client.name, p->client.last);
        conn_say_why(p->server.c, p->server.name, p->server.last);
        test_fail("not ready");
    }
    assert_same_secrets(&p->client, &p->server, TROTH_LEVEL_HANDSHAKE);
    assert_same_secrets(&p->client, &p->server, TROTH_LEVEL_APPLICATION);
    span to_server = troth_what(p->server.c).peer_quic_parameters, to_client = troth_what(p->client.c).peer_quic_parameters;
    assert_true(span_equal(to_server, TROTH_TEXT(CLIENT_PARAMETERS)) && span_equal(to_client, TROTH_TEXT(SERVER_PARAMETERS)));
    assert_true(span_equal(troth_what(p->client.c).alpn, TROTH_TEXT("h3")));
    assert_int_equal(troth_quic_read_level(p->client.c), TROTH_LEVEL_APPLICATION);
    assert_int_equal(troth_quic_write_level(p->server.c), TROTH_LEVEL_APPLICATION);
    assert_int_equal(troth_quic_error(p->client.c), 0);
}

void assert_quic_failed_at(const struct quic_end *e, enum troth_reason why, const char *file, int line)
{
    conn_assert_failed(e->c, e->name, e->last, e->failed, why, file, line);
}
