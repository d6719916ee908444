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

/* What *error held before is not to be read. */
static bool no_memory(troth_error *error, const char *what)
{
    if (!error)
        return false;
    error_none(error);
    return error_set(error, TROTH_R_OUT_OF_MEMORY, __FILE__, __LINE__, "%s", what);
}

troth_capture *troth_capture_open(troth_span file, const troth_allocator *mem, troth_error *error)
{
    const troth_allocator *use = mem ? mem : plain_memory();
    troth_capture *c = use->alloc(use->ctx, sizeof *c);
    if (!c) {
        (void)no_memory(error, "for a capture");
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

troth_capture_counts troth_capture_packets(const troth_capture *c)
{
    return c ? c->c.counts : (troth_capture_counts){ .packets = 0 };
}

/* ---- what stands before TLS: of a proxy, of another protocol that goes over to TLS */

static bool begins_with(span b, const void *p, size_t n)
{
    return b.n >= n && !memcmp(b.p, p, n);
}

/* How long the PROXY header is that a piece may begin with. */
static size_t proxy_header_n(span b)
{
    static const uint8_t second[12] = "\r\n\r\n\0\r\nQUIT\n";
    size_t n = 0;
    if (begins_with(b, second, sizeof second) && b.n >= 16)
        return 16 + ((size_t)b.p[14] << 8 | b.p[15]);
    for (; begins_with(b, "PROXY ", 6) && n + 1 < b.n; n++)
        if (b.p[n] == '\r' && b.p[n + 1] == '\n')
            return n + 2;
    return 0;
}

/* Where the hello of the client begins in a piece; SIZE_MAX: it is in another one. */
static size_t hello_in(span b)
{
    size_t skip = proxy_header_n(b);
    return says_hello(span_slice(b, skip, b.n)) ? skip : SIZE_MAX;
}

static bool holds(span b, const char *word)
{
    size_t n = strlen(word), same;
    for (size_t i = 0; i + n <= b.n; i++) {
        for (same = 0; same < n && (b.p[i + same] & 0xdf) == (word[same] & 0xdf);)
            same++;
        if (same == n)
            return true;
    }
    return false;
}

/* What a piece of the client's says that TLS is to begin for. */
static const char *kind_of_preface(span b)
{
    if (begins_with(b, "CONNECT ", 8))
        return "an HTTP proxy was asked for a way to the server (CONNECT)";
    if (proxy_header_n(b))
        return "a load balancer said who the client is (PROXY)";
    if (begins_with(b, "\5", 1) || begins_with(b, "\4", 1))
        return "a proxy was asked for a way to the server (SOCKS)";
    if (begins_with(b, "\0\0\0\10\4\322\26\57", 8))
        return "PostgreSQL was asked for TLS (SSLRequest)";
    return holds(b, "STARTTLS") || holds(b, "STLS") || holds(b, "AUTH TLS") ? "the client asked for TLS (STARTTLS)" : NULL;
}

/* Takes what stands before the first hello off the pieces, and says what it was; returns how many pieces were used up. */
static size_t skip_preface(troth_story *s, struct arrived_bytes *all, size_t n)
{
    size_t k = 0, in = SIZE_MAX;
    uint64_t bytes[2] = { 0 };
    const char *kind = NULL, *more;
    while (k < n && (all[k].from != FROM_CLIENT || (in = hello_in(all[k].bytes)) == SIZE_MAX))
        k++;
    if (k == n || (!k && !in)) /* no TLS at all, or nothing but TLS */
        return 0;
    for (size_t i = 0; i <= k; i++) {
        span before = i < k ? all[i].bytes : span_slice(all[i].bytes, 0, in);
        bytes[all[i].from] += before.n;
        more = all[i].from == FROM_CLIENT && before.n ? kind_of_preface(before) : NULL;
        kind = more ? more : kind;
    }
    all[k].bytes = span_slice(all[k].bytes, in, all[k].bytes.n);
    char room[300];
    struct text t = TEXT_IN(room);
    text_add(&t, "before TLS, in plain text: %llu bytes of the client, %llu of the server%s%s", (unsigned long long)bytes[FROM_CLIENT],
             (unsigned long long)bytes[FROM_SERVER], kind ? ": " : "", kind ? kind : "");
    troth_story_mark(s, room);
    return k;
}

/* The first segment of the client's that a hello begins in, near the beginning; NULL: none. */
static const struct segment *hello_of(const struct flow *f, size_t *at)
{
    enum { MOST = 64 };
    const struct segment *g = f->stream[f->client].first;
    for (int i = 0; g && i < MOST; i++, g = g->next)
        if ((*at = hello_in(g->bytes)) != SIZE_MAX)
            return g;
    return NULL;
}

/* The server name in a first ClientHello that lies whole in the segments that begin with it; a look, not a reading. */
static void peek_name(struct text *t, const struct segment *first, size_t at)
{
    uint8_t hello[4096];
    size_t n = 0;
    for (const struct segment *g = first; g && n + g->bytes.n - (g == first ? at : 0) <= sizeof hello; g = g->next) {
        span b = span_slice(g->bytes, g == first ? at : 0, g->bytes.n);
        if (b.n)
            memcpy(hello + n, b.p, b.n);
        n += b.n;
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
    size_t at = 0;
    const struct segment *hello = hello_of(f, &at);
    out.tls = hello != NULL;
    if (hello)
        peek_name(&s, hello, at);
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

static void fail_capture(troth_story *s, enum troth_reason why, const char *detail)
{
    troth_error e = { .reason = TROTH_R_NONE };
    error_set(&e, why, __FILE__, __LINE__, "%s", detail);
    s->witness.failure(s, &e);
}

/* How it ended, where no message says so and the handshake was not over. */
static void tell_end(troth_story *s, const struct dissect *d, const struct flow *f, bool answered)
{
    const struct stream *client = &f->stream[f->client], *server = &f->stream[!f->client];
    bool client_ended = client->fin || client->reset, server_ended = server->fin || server->reset;
    bool by_server = server_ended && (!client_ended || server->ended <= client->ended);
    const struct stream *first = by_server ? server : client;
    if (s->failure.reason != TROTH_R_NONE || (dissect_finished(d) && d->has_hello))
        return;
    if (d->midway || (!d->has_hello && (answered || (!client->syn && !server->syn))))
        fail_capture(s, TROTH_R_CAPTURE_INCOMPLETE, "it begins in the middle of the connection");
    else if (client->lost || server->lost)
        fail_capture(s, TROTH_R_CAPTURE_INCOMPLETE, client->lost ? "bytes of the client are missing" : "bytes of the server are missing");
    else if (client_ended && !by_server && !answered)
        fail_capture(s, TROTH_R_NET_TIMEOUT_HANDSHAKE, "the client gave up: the server did not answer its hello");
    else if (first->reset)
        fail_capture(s, answered ? TROTH_R_NET_RESET_MID : TROTH_R_NET_RESET_ON_HELLO, by_server ? "RST from the server" : "RST from the client");
    else if (first->fin)
        fail_capture(s, answered ? TROTH_R_EOF_MID : TROTH_R_EOF_ON_HELLO, by_server ? "FIN from the server" : "FIN from the client");
    else
        fail_capture(s, TROTH_R_CAPTURE_INCOMPLETE, "it ends before the handshake does");
}

/* What cannot be read, and why. */
static void mark_gaps(troth_story *s, const struct dissect *d, const struct flow *f)
{
    char room[200];
    struct text t = TEXT_IN(room);
    for (int k = 0; k < 2; k++)
        if (f->stream[k].lost)
            troth_story_mark(s, k == f->client ? "the capture misses bytes of the client from here on" : "the capture misses bytes of the server from here on");
    s->blind = d->side[0].blind || d->side[1].blind;
    if (!s->blind || d->midway)
        return;
    if (d->suite_closed)
        text_add(&t, "encrypted: troth does not open records of %s", name_of(&names_suite, d->suite));
    else
        text_add(&t, "encrypted: no key log has %s of this connection%s", d->opened ? "all secrets" : "the secrets",
                 d->ech && !d->opened ? "; after an encrypted hello they stand under the random of that one" : "");
    troth_story_mark(s, room);
}

/* Both streams, in the order in which their bytes came. */
static void read_streams(const struct flow *f, struct dissect *d, troth_story *s, struct arrived_bytes *all, size_t n)
{
    int64_t now = f->began;
    bool answered = false;
    size_t at;
    d->midway = !f->stream[0].syn && !f->stream[1].syn && !hello_of(f, &at);
    troth_story_clock(s, replay_time, &now);
    for (size_t k = skip_preface(s, all, n); k < n; k++) {
        now = all[k].at;
        answered |= all[k].from == FROM_SERVER;
        s->witness.flight(s, all[k].from, all[k].bytes.n);
        if (!dissect_bytes(d, all[k].from, all[k].bytes))
            break;
    }
    mark_gaps(s, d, f);
    tell_end(s, d, f, answered);
    story_clock_stop(s);
}

bool troth_capture_explain(troth_capture *c, size_t i, troth_span keylog, troth_provider *provider, troth_story *s)
{
    struct arrived_bytes *all;
    size_t n;
    bool ok = c && s && provider && i < c->n && capture_deliver(&c->c, c->flows[i], &all, &n);
    if (ok) {
        struct dissect d;
        troth_captured what = troth_capture_at(c, i);
        about(s, &what);
        dissect_init(&d, story_witness(s), provider, c->memory);
        d.data = on_data;
        d.data_ctx = s;
        dissect_keylog(&d, keylog);
        for (unsigned k = 0; k < c->c.n_secrets; k++)
            dissect_keylog(&d, c->c.secrets[k]);
        read_streams(c->flows[i], &d, s, all, n);
        dissect_free(&d);
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
        return no_memory(error, "for a story");
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
