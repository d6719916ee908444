/* explain.c - captures and single messages, told to a story: where bytes from outside meet the readers. */
#include "api/dissect.h"
#include "base/text.h"
#include "explain/capture.h"
#include "explain/story.h"

struct troth_capture {
    struct capture         c;
    const troth_allocator *memory;
    struct flow          **flows;   /* that hold bytes at all, in the order of their first packet */
    size_t                 n;
};

troth_capture *troth_capture_open(troth_span file, const troth_allocator *mem, troth_error *error)
{
    const troth_allocator *use = mem ? mem : plain_memory();
    troth_capture *c = use->alloc(use->ctx, sizeof *c);
    if (!c) {
        if (error)
            error_set(error, TROTH_R_OUT_OF_MEMORY, __FILE__, __LINE__, "%s", "for a capture");
        return NULL;
    }
    *c = (troth_capture){ .memory = use };
    bool ok = capture_read(&c->c, file, use);
    c->flows = ok ? arena_array(&c->c.arena, c->c.n_flows + 1u, sizeof(struct flow *)) : NULL;
    for (struct flow *f = c->c.flows; c->flows && f; f = f->next)
        if (f->stream[0].n || f->stream[1].n)
            c->flows[c->n++] = f;
    if (c->flows)
        return c;
    if (ok)
        fail(&c->c, OUT_OF_MEMORY, "%s", "for a capture");
    if (error)
        *error = c->c.error;
    troth_capture_free(c);
    return NULL;
}

void troth_capture_free(troth_capture *c)
{
    if (!c)
        return;
    const troth_allocator *mem = c->memory;
    capture_free(&c->c);
    mem->free(mem->ctx, c, sizeof *c);
}

size_t troth_capture_count(const troth_capture *c)
{
    return c ? c->n : 0;
}

/* The server name in a first ClientHello that lies whole in the first segments; a look, not a reading. */
static void peek_name(struct text *t, const struct flow *f)
{
    uint8_t hello[4096];
    size_t n = 0;
    for (const struct segment *g = f->stream[f->client].first; g && n + g->bytes.n <= sizeof hello; g = g->next) {
        memcpy(hello + n, g->bytes.p, g->bytes.n);
        n += g->bytes.n;
    }
    struct rd_ctx ctx;
    struct client_hello ch;
    if (n < 9 || hello[0] != CONTENT_HANDSHAKE || hello[5] != HS_client_hello)
        return;
    size_t length = 4 + ((size_t)hello[6] << 16 | (size_t)hello[7] << 8 | hello[8]);
    rd_ctx_init(&ctx, span_slice(span_of(hello, n), 5, length), NULL);
    struct rd whole = rd_init(&ctx, span_slice(span_of(hello, n), 5, length));
    uint8_t type;
    struct rd r = message_open(&whole, &type);
    if (rd_ok(&r) && client_hello_read_all(&ch, &r) && exts_have(&ch.exts, X_SERVER_NAME))
        text_escaped(t, ch.exts.server_name);
}

troth_captured troth_capture_at(const troth_capture *c, size_t i)
{
    troth_captured out = { .packets = 0 };
    if (!c || i >= c->n)
        return out;
    const struct flow *f = c->flows[i];
    struct text a = TEXT_IN(out.client), b = TEXT_IN(out.server), s = TEXT_IN(out.server_name);
    endpoint_text(&a, &f->end[f->client]);
    endpoint_text(&b, &f->end[!f->client]);
    peek_name(&s, f);
    out.began = f->began;
    out.packets = f->packets;
    for (int k = 0; k < 2; k++) {
        const struct stream *st = &f->stream[k];
        for (const struct segment *g = st->first; g; g = g->next)
            *(k == f->client ? &out.bytes_out : &out.bytes_in) += g->bytes.n;
        out.reset |= st->reset;
    }
    return out;
}

static int64_t replay_time(void *ctx)
{
    return *(const int64_t *)ctx;
}

static void on_data(void *ctx, enum direction from, span plain_text)
{
    troth_story_data(ctx, from == FROM_CLIENT, plain_text);
}

static void about(troth_story *s, const troth_captured *what)
{
    char room[400];
    struct text t = TEXT_IN(room);
    text_add(&t, "%s", *what->server_name ? what->server_name : what->server);
    const char *port = strrchr(what->server, ':');
    if (*what->server_name && port)
        text_add(&t, "%s", port);
    troth_story_about(s, room, what->began / 1000000);
}

bool troth_capture_explain(troth_capture *c, size_t i, troth_span keylog, troth_provider *provider, troth_story *s)
{
    struct arrived_bytes *all;
    size_t n;
    bool ok = c && s && provider && i < c->n && capture_deliver(&c->c, c->flows[i], &all, &n);
    if (ok) {
        struct dissect d;
        troth_captured what = troth_capture_at(c, i);
        int64_t now = what.began;
        about(s, &what);
        troth_story_clock(s, replay_time, &now);
        dissect_init(&d, story_witness(s), provider, c->memory);
        d.data = on_data;
        d.data_ctx = s;
        dissect_keylog(&d, keylog);
        for (unsigned k = 0; k < c->c.n_secrets; k++)
            dissect_keylog(&d, c->c.secrets[k]);
        for (size_t k = 0; k < n; k++) {
            now = all[k].at;
            s->witness.flight(s, all[k].from, all[k].bytes.n);
            if (!dissect_bytes(&d, all[k].from, all[k].bytes))
                break;
        }
        const struct flow *f = c->flows[i];
        for (int k = 0; k < 2; k++)
            if (f->stream[k].lost)
                troth_story_mark(s, k == f->client ? "the capture misses bytes of the client from here on" : "the capture misses bytes of the server from here on");
        s->blind = d.side[0].blind || d.side[1].blind;
        if (s->blind)
            troth_story_mark(s, "encrypted: no key log has the secrets of this connection");
        dissect_free(&d);
        story_clock_stop(s);
    }
    troth_provider_free(provider);
    return ok;
}

/* ---- one message */

static bool is_der(span b)
{
    return b.n > 4 && b.p[0] == 0x30 && b.p[1] >= 0x80;
}

bool troth_explain_message(troth_story *s, troth_span b, bool from_client, troth_error *error)
{
    troth_error e = { 0 };
    bool ok = false;
    if (!s)
        return false;
    const struct witness *w = story_witness(s);
    enum direction from = from_client ? FROM_CLIENT : FROM_SERVER;
    if (is_der(b)) {
        ok = reading_certificate(w, from, b, &e);
    } else if (b.n > 5 && b.p[0] >= 20 && b.p[0] <= 23 && b.p[1] == 3) { /* records, one after the other */
        struct dissect d;
        dissect_init(&d, w, NULL, plain_memory());
        ok = dissect_bytes(&d, b.p[0] == 22 && b.p[5] == HS_server_hello ? FROM_SERVER : from, b);
        e = d.error;
        dissect_free(&d);
    } else if (b.n >= 4) {
        struct reading r = { .witness = w, .from = b.p[0] == HS_client_hello ? FROM_CLIENT : b.p[0] == HS_server_hello ? FROM_SERVER : from };
        size_t n = (size_t)b.p[1] << 16 | (size_t)b.p[2] << 8 | b.p[3];
        r.finished_n = n;
        if (name_find(&names_handshake, b.p[0]))
            ok = reading_message(&r, b, &e);
        else
            error_set(&e, TROTH_R_NOT_A_MESSAGE, __FILE__, __LINE__, "%zu bytes, the first is 0x%02x", b.n, b.p[0]);
    } else {
        error_set(&e, TROTH_R_NOT_A_MESSAGE, __FILE__, __LINE__, "only %zu bytes", b.n);
    }
    if (!ok && e.reason)
        w->failure(w->self, &e);
    if (error)
        *error = e;
    return ok;
}
