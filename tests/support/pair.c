#include "support/pair.h"

#include "support/memory.h"
#include "support/test.h"
#include "x509/pem.h"

/* ---- who is who */
static span text_span(const char *s)
{
    return span_of(s, strlen(s));
}

static span key_pem(struct mk *m, const troth_key *key)
{
    uint8_t *der = arena_alloc(&m->arena, 16384);
    assert_non_null(der);
    size_t n = m->crypto->key_private(key, der, 16384);
    assert_true(n > 0);
    return text_span(mk_pem(m, "PRIVATE KEY", &(span){ der, n }, 1));
}

struct world *world_new(troth_provider *crypto)
{
    return world_new_with(crypto, TROTH_KEY_P256, TROTH_KEY_P256);
}

struct world *world_new_with(troth_provider *crypto, enum troth_key_type leaf, enum troth_key_type client)
{
    static const char *const for_clients[] = { "clientAuth", NULL };
    static const char *const server_name[] = { "DNS:a.example", NULL }, *const client_name[] = { "DNS:client.example", NULL };
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    struct mk *m = w->mk = mk_new_with(crypto);
    w->root = mk_ca("CN=Root", mk_key(m, TROTH_KEY_P256));
    w->leaf_key = mk_key(m, leaf);
    w->client_key = mk_key(m, client);
    w->leaf = mk_leaf(&w->root, w->leaf_key, NULL);
    w->leaf.san = server_name;
    w->client_leaf = mk_leaf(&w->root, w->client_key, NULL);
    w->client_leaf.san = client_name;
    w->client_leaf.eku = for_clients;
    span root = mk_cert(m, &w->root), certs[1] = { mk_cert(m, &w->leaf) }, clients[1] = { mk_cert(m, &w->client_leaf) };
    w->root_pem = text_span(mk_pem(m, "CERTIFICATE", &root, 1));
    w->chain_pem = text_span(mk_pem(m, "CERTIFICATE", certs, 1));
    w->client_chain_pem = text_span(mk_pem(m, "CERTIFICATE", clients, 1));
    w->key_pem = key_pem(m, w->leaf_key);
    w->client_key_pem = key_pem(m, w->client_key);
    return w;
}

void world_identity(struct world *w, enum troth_key_type type, const char *dns, span *chain_pem, span *key)
{
    const troth_key *k = mk_key(w->mk, type);
    struct issue leaf = mk_leaf(&w->root, k, dns);
    span der = mk_cert(w->mk, &leaf);
    *chain_pem = text_span(mk_pem(w->mk, "CERTIFICATE", &der, 1));
    *key = key_pem(w->mk, k);
}

void world_free(struct world *w)
{
    mk_free(w->mk);
    free(w);
}

int64_t test_clock(void *ctx)
{
    (void)ctx;
    return MK_NOW;
}

troth_client *world_client(struct world *w, tweak_fn *tweak, void *ctx)
{
    troth_error why;
    troth_builder *b = troth_client_builder(troth_provider_share(w->mk->crypto));
    troth_clock(b, test_clock, NULL);
    troth_trust_pem(b, w->root_pem);
    if (tweak)
        tweak(b, ctx);
    troth_client *us = troth_build_client(b, &why);
    if (!us && why.reason != TROTH_R_OUT_OF_MEMORY)
        test_fail("client: %s: %s", why.code, why.detail);
    return us;
}

troth_server *world_server(struct world *w, tweak_fn *tweak, void *ctx)
{
    troth_error why;
    troth_builder *b = troth_server_builder(troth_provider_share(w->mk->crypto));
    troth_clock(b, test_clock, NULL);
    troth_trust_pem(b, w->root_pem);
    troth_identity_pem(b, w->chain_pem, w->key_pem);
    if (tweak)
        tweak(b, ctx);
    troth_server *us = troth_build_server(b, &why);
    if (!us && why.reason != TROTH_R_OUT_OF_MEMORY)
        test_fail("server: %s: %s", why.code, why.detail);
    return us;
}

void tweak_client_identity(troth_builder *b, void *world)
{
    struct world *w = world;
    troth_identity_pem(b, w->client_chain_pem, w->client_key_pem);
}

/* ---- the two ends */
void pair_new(struct pair *p, troth_client *client, troth_server *server, const char *host)
{
    memset(p, 0, sizeof *p);
    p->client.name = "client";
    p->server.name = "server";
    p->client.c = troth_connect(client, host ? host : "a.example");
    p->server.c = troth_accept(server);
    troth_client_free(client);
    troth_server_free(server);
}

void pair_free(struct pair *p)
{
    troth_free(p->client.c);
    troth_free(p->server.c);
    free(p->client.got);
    free(p->server.got);
    free(p->to_client.p);
    free(p->to_server.p);
}

struct pipe *pair_input(struct pair *p, struct pair_end *e)
{
    return e == &p->client ? &p->to_client : &p->to_server;
}

static void grow(uint8_t **p, size_t *cap, size_t need)
{
    if (need <= *cap)
        return;
    *cap = need * 2 + 1024;
    *p = realloc(*p, *cap);
    assert_non_null(*p);
}

void pipe_put(struct pipe *to, const uint8_t *p, size_t n)
{
    if (!n) /* an evil end may cut a message to nothing */
        return;
    grow(&to->p, &to->cap, to->n + n);
    memcpy(to->p + to->n, p, n);
    to->n += n;
}

void pair_end_input(struct pair *p, struct pair_end *e)
{
    pair_input(p, e)->ended = true;
}

static size_t at_most(size_t n, size_t most)
{
    return most && most < n ? most : n;
}

static bool give(struct pair *p, struct pair_end *e, const troth_event *ev)
{
    struct pipe *in = pair_input(p, e);
    size_t cut = e == &p->client ? p->cut_client : p->cut_server;
    size_t n = (in->ends_at && in->ends_at < in->n ? in->ends_at : in->n) - in->taken;
    if (!n && (in->ended || (in->ends_at && in->ends_at < in->n))) {
        troth_received(e->c, 0);
        return true;
    }
    n = at_most(at_most(n, p->most), ev->room.n);
    if (in->taken < cut && in->taken + n > cut)
        n = cut - in->taken;
    if (!n)
        return false;
    memcpy(ev->room.p, in->p + in->taken, n);
    in->taken += n;
    troth_received(e->c, n);
    return true;
}

static void keep_data(struct pair_end *e, span s)
{
    grow(&e->got, &e->cap_got, e->n_got + s.n);
    memcpy(e->got + e->n_got, s.p, s.n);
    e->n_got += s.n;
}

/* False: nothing more to do here for now. */
static bool take_event(struct pair *p, struct pair_end *e, const troth_event *ev)
{
    struct pipe *out = pair_input(p, e == &p->client ? &p->server : &p->client);
    if (ev->kind == TROTH_SEND) {
        size_t n = at_most(ev->data.n, p->most);
        pipe_put(out, ev->data.p, n);
        troth_sent(e->c, n);
        return true;
    }
    if (ev->kind == TROTH_RECV)
        return give(p, e, ev);
    if (ev->kind == TROTH_DATA) {
        keep_data(e, ev->data);
        return true;
    }
    e->n_ready += ev->kind == TROTH_READY;
    e->ready |= ev->kind == TROTH_READY;
    e->closed |= ev->kind == TROTH_CLOSED;
    e->failed |= ev->kind == TROTH_FAILED;
    e->done |= ev->kind == TROTH_DONE;
    if (p->on_event && p->on_event(p, e, ev, p->ctx))
        return true;
    if (ev->kind == TROTH_CLOSED && !p->no_close) {
        troth_close(e->c);
        return true;
    }
    return ev->kind == TROTH_READY || ev->kind == TROTH_TICKET || ev->kind == TROTH_EARLY || ev->kind == TROTH_EARLY_REFUSED;
}

bool pair_keep_ticket(struct pair *p, struct pair_end *e, const troth_event *ev, void *ctx)
{
    struct kept_ticket *k = ctx;
    (void)p;
    (void)e;
    if (ev->kind != TROTH_TICKET)
        return false;
    assert_true(ev->data.n <= sizeof k->p);
    memcpy(k->p, ev->data.p, ev->data.n);
    k->n = ev->data.n;
    return true;
}

/* As if the transport took nothing, though it did; unless the end insists. */
static bool take_without_ack(struct pair *p, struct pair_end *e, const troth_event *ev, bool insists)
{
    struct pipe *out = pair_input(p, e == &p->client ? &p->server : &p->client);
    size_t more = ev->data.n - e->unacked;
    if (more)
        pipe_put(out, ev->data.p + e->unacked, more);
    e->unacked = insists ? 0 : ev->data.n;
    troth_sent(e->c, insists ? ev->data.n : 0);
    return more || insists;
}

bool pair_step(struct pair *p, struct pair_end *e)
{
    bool any = false, twice = false;
    for (;;) {
        troth_event ev = troth_next(e->c);
        e->last = ev.kind;
        if (p->late_ack && ev.kind == TROTH_SEND) {
            any |= take_without_ack(p, e, &ev, twice);
            twice = true;
            continue;
        }
        twice = false;
        if (!take_event(p, e, &ev))
            return any;
        any = true;
    }
}

void pair_run(struct pair *p)
{
    for (bool any = true; any;) {
        any = pair_step(p, &p->client);
        if (p->between)
            p->between(p, &p->to_server, p->between_ctx);
        any |= pair_step(p, &p->server);
        if (p->between)
            p->between(p, &p->to_client, p->between_ctx);
    }
}

bool pair_write(struct pair_end *e, const char *text)
{
    span s = text_span(text);
    return troth_write(e->c, &s, 1);
}

void conn_say_why(const troth_conn *c, const char *name, int last_event)
{
    const troth_error *why = troth_why(c);
    fprintf(stderr, "%s: last event %d%s%s: %s (%s:%d)\n", name, last_event, why ? ", " : "", why ? why->code : "",
            why ? why->detail : "", why ? why->file : "", why ? why->line : 0);
}

void conn_assert_failed(const troth_conn *c, const char *name, int last_event, bool failed, enum troth_reason why, const char *file, int line)
{
    const troth_error *got = troth_why(c);
    if (failed && got && got->reason == why)
        return;
    conn_say_why(c, name, last_event);
    fprintf(stderr, "%s:%d: expected %s\n", file, line, troth_reason_code(why));
    _fail(file, line);
}

void assert_ready(struct pair *p)
{
    if (p->client.ready && p->server.ready)
        return;
    conn_say_why(p->client.c, p->client.name, p->client.last);
    conn_say_why(p->server.c, p->server.name, p->server.last);
    test_fail("not ready");
}

void assert_failed_at(const struct pair_end *e, enum troth_reason why, const char *file, int line)
{
    conn_assert_failed(e->c, e->name, e->last, e->failed, why, file, line);
}

void pair_exchange(struct pair *p)
{
    assert_ready(p);
    size_t asked = p->server.n_got, answered = p->client.n_got;
    assert_true(pair_write(&p->client, "question"));
    pair_run(p);
    assert_int_equal(p->server.n_got - asked, 8);
    assert_memory_equal(p->server.got + asked, "question", 8);
    assert_true(pair_write(&p->server, "the answer"));
    pair_run(p);
    assert_int_equal(p->client.n_got - answered, 10);
    assert_memory_equal(p->client.got + answered, "the answer", 10);
    uint8_t a[32], b[32];
    assert_true(troth_export(p->client.c, "EXPORTER-test", TROTH_TEXT("context"), a, sizeof a));
    assert_true(troth_export(p->server.c, "EXPORTER-test", TROTH_TEXT("context"), b, sizeof b));
    assert_memory_equal(a, b, sizeof a);
}

void pair_exchange_and_close(struct pair *p)
{
    pair_exchange(p);
    troth_close(p->client.c);
    pair_run(p);
    assert_true(p->client.done && p->server.done);
}
