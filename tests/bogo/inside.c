/* inside.c - what the shim must know and the public API does not tell: the order of messages, the peer's lists as it sent them, traffic
 * secrets.  It watches as a story does, through the witness of the connection.  Must never change what it watches. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "talk.h"
#include "tls/psk.h"

/* ---- the peer's lists */
static void keep_schemes(struct inside *in, span list)
{
    in->n_schemes = 0;
    for (size_t i = 0; i < u16s_count(list) && i < COUNT_OF(in->schemes); i++)
        in->schemes[in->n_schemes++] = u16s_at(list, i);
}

static void look_at_hello(struct inside *in, struct rd *r)
{
    struct client_hello ch = { 0 };
    if (!client_hello_read_all(&ch, r))
        return;
    keep_schemes(in, ch.exts.signature_algorithms);
    if (ch.exts.alpn.n && ch.exts.alpn.n <= sizeof in->alpn)
        memcpy(in->alpn, ch.exts.alpn.p, in->n_alpn = ch.exts.alpn.n);
}

static void look_at_request(struct inside *in, struct rd *r, bool tls13)
{
    struct certificate_request cr = { 0 };
    struct certificate_request12 cr12 = { 0 };
    if (tls13 && certificate_request_read(&cr, r))
        keep_schemes(in, cr.exts.signature_algorithms);
    if (tls13 || !certificate_request12_read(&cr12, r))
        return;
    keep_schemes(in, cr12.supported_signature_algorithms);
    if (cr12.certificate_types.n && cr12.certificate_types.n <= sizeof in->types)
        memcpy(in->types, cr12.certificate_types.p, in->n_types = cr12.certificate_types.n);
}

static void look(struct talk *t, const struct saw_message *m, uint8_t type)
{
    struct rd_ctx ctx;
    uint8_t same;
    rd_ctx_init(&ctx, m->raw, NULL);
    struct rd r = rd_init(&ctx, m->raw);
    r = message_open(&r, &same);
    if (m->ours)
        return;
    t->inside.last_message = type;
    if (type == HS_client_hello)
        look_at_hello(&t->inside, &r);
    if (type == HS_certificate_request)
        look_at_request(&t->inside, &r, t->c->facts.version == TROTH_TLS13);
}

/* ---- the trace: one line for each message, change_cipher_spec and alert */
static void trace(struct inside *in, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void trace(struct inside *in, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    size_t room = sizeof in->trace - in->trace_n;
    int n = vsnprintf(in->trace + in->trace_n, room, format, args);
    va_end(args);
    if (n > 0 && (size_t)n < room)
        in->trace_n += (size_t)n;
}

static void on_message(void *self, const struct saw_message *m)
{
    struct talk *t = self;
    const char *way = m->ours ? "write" : "read";
    if (t->peer_closed) /* BoringSSL's shim says nothing more then */
        return;
    if (!strcmp(m->type, "Alert"))
        trace(&t->inside, "%s alert %u %u\n", way, m->raw.n > 0 ? m->raw.p[0] : 0, m->raw.n > 1 ? m->raw.p[1] : 0);
    else if (!strncmp(m->type, "ClientHelloInner", 16))
        trace(&t->inside, "%s clienthelloinner\n", way);
    else if (m->raw.n >= 4 && strncmp(m->type, "X.509", 5)) {
        trace(&t->inside, "%s hs %u\n", way, m->raw.p[0]);
        look(t, m, m->raw.p[0]);
    }
}

static void on_record(void *self, const struct saw_record *r)
{
    struct talk *t = self;
    bool ours = r->from == our_side(t->c);
    bool dropped = !ours && t->c->facts.version != TROTH_TLS12; /* BoringSSL says nothing of what it passes over */
    if (r->type == CONTENT_CHANGE_CIPHER_SPEC && !dropped)
        trace(&t->inside, "%s ccs\n", ours ? "write" : "read");
}

/* ---- secrets: those of TLS 1.3 in their order */
static void on_key(void *self, const struct saw_key *k)
{
    struct talk *t = self;
    bool client = !strcmp(k->label, "c ap traffic"), server = !strcmp(k->label, "s ap traffic");
    char *out = t->secrets[server];
    if (!client && !server)
        return;
    for (size_t i = 0; i < k->value.n && i < 48; i++)
        snprintf(out + 2 * i, 3, "%02x", k->value.p[i]);
}

size_t inside_session_chain(const struct talk *t, troth_span *certs, size_t cap)
{
    const struct hs_psk *k = t->c->hs ? t->c->hs->psk : NULL;
    span list = k && k->has_session ? k->session.chain : SPAN_NONE;
    size_t n = 0;
    for (; list.n > 3 && n < cap; n++) {
        size_t len = (size_t)list.p[0] << 16 | (size_t)list.p[1] << 8 | list.p[2];
        certs[n] = span_slice(list, 3, len);
        list = span_slice(list, 3 + len, list.n);
    }
    return n;
}

void inside_watch(struct talk *t)
{
    static struct witness w;
    w = (struct witness){ .self = t, .message = on_message, .record = on_record, .key = on_key };
    conn_watch(t->c, &w);
}
