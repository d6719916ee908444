/* evil.c - see evil.h.  Must never be linked into anything that is installed. */
#include "tls/flight.h"

/* flight.c under other names; its readers of our own messages do not look at what was spoilt on purpose. */
static bool evil_is(const struct troth_conn *c);
#define flight_add honest_add
#define flight_add_whole honest_add_whole
#define flight_add_instead honest_add_instead
#define flight_put honest_put
#define flight_post honest_post
#define flight_write_here honest_write_here
#define flight_put_here honest_put_here
#define flight_lend honest_lend
#define retell(c, m) (evil_is(c) || (retell)(c, m))
bool MUST_USE honest_add(struct troth_conn *c, uint8_t type, body_writer *body, const void *what);
bool MUST_USE honest_add_whole(struct troth_conn *c, span message);
bool MUST_USE honest_add_instead(struct troth_conn *c, span hashed, span sent);
bool MUST_USE honest_put(struct troth_conn *c, uint8_t type, const span *parts, size_t n);
bool MUST_USE honest_post(struct troth_conn *c, uint8_t type, body_writer *body, const void *what);
bool MUST_USE honest_write_here(struct troth_conn *c, uint8_t type, body_writer *body, const void *what, uint8_t **message, size_t *n);
bool MUST_USE honest_put_here(struct troth_conn *c, span message);
bool MUST_USE honest_lend(struct troth_conn *c, uint8_t *message, size_t n);
#include "../../src/tls/flight.c"
#undef flight_add
#undef flight_add_whole
#undef flight_add_instead
#undef flight_put
#undef flight_post
#undef flight_write_here
#undef flight_put_here
#undef flight_lend
#undef retell

#include <stdlib.h>

#include "support/evil.h"
#include "wire/registry.h"

enum { HEADER = 4, KEPT_MAX = 16, MESSAGE_MAX = 20000 };

static struct {
    bool              on, server;
    span              program;
    struct evil_deeds deeds;
    span              held;            /* in the arena of the handshake */
    uint8_t          *kept[KEPT_MAX];  /* earlier messages, for replays  */
    size_t            kept_n[KEPT_MAX];
    size_t            n_kept;
} evil;

static bool evil_is(const struct troth_conn *c)
{
    return evil.on && c->cfg->is_server == evil.server;
}

void evil_begin(bool server, span program)
{
    evil.on = true;
    evil.server = server;
    evil.program = program;
    evil.deeds = (struct evil_deeds){ .n = 0 };
    evil.held = SPAN_NONE;
}

struct evil_deeds evil_deeds_now(void)
{
    return evil.deeds;
}

struct evil_deeds evil_end(void)
{
    for (size_t i = 0; i < evil.n_kept; i++)
        free(evil.kept[i]);
    evil.n_kept = 0;
    evil.on = false;
    return evil.deeds;
}

/* ---- the program */
static uint8_t byte(void)
{
    if (!evil.program.n)
        return 0;
    uint8_t b = evil.program.p[0];
    evil.program = span_slice(evil.program, 1, evil.program.n - 1);
    return b;
}

static unsigned two_bytes(void)
{
    unsigned high = byte();
    return high << 8 | byte();
}

static span bytes(void)
{
    span s = span_slice(evil.program, 0, byte());
    s = span_slice(evil.program, 0, s.n < evil.program.n ? s.n : evil.program.n);
    evil.program = span_slice(evil.program, s.n, evil.program.n - s.n);
    return s;
}

static enum evil_op next_op(void)
{
    enum evil_op op = (enum evil_op)(byte() % EVIL_OPS);
    evil.deeds.ops += op != EVIL_PASS;
    return op;
}

/* ---- messages, in memory of the handshake, or of a post-handshake message's scratch */
static void set_length(uint8_t *p, size_t n)
{
    p[1] = (uint8_t)((n - HEADER) >> 16);
    p[2] = (uint8_t)((n - HEADER) >> 8);
    p[3] = (uint8_t)(n - HEADER);
}

/* `more` bytes of zeros at `at`, counted in the body; a copy. */
static span grown(struct arena *a, span m, size_t at, size_t more)
{
    uint8_t *p = arena_alloc(a, m.n + more);
    at = HEADER + at < m.n ? HEADER + at : m.n;
    if (!p || m.n + more > MESSAGE_MAX)
        return m;
    memcpy(p, m.p, at);
    if (m.n > at)
        memcpy(p + at + more, m.p + at, m.n - at);
    set_length(p, m.n + more);
    return span_of(p, m.n + more);
}

static span made(struct arena *a, uint8_t type, span body)
{
    uint8_t *p = arena_alloc(a, HEADER + body.n);
    if (!p)
        return SPAN_NONE;
    p[0] = type;
    set_length(p, HEADER + body.n);
    if (body.n)
        memcpy(p + HEADER, body.p, body.n);
    return span_of(p, HEADER + body.n);
}

static bool is_proof(span m)
{
    return m.p[0] == HS_certificate_verify || m.p[0] == HS_finished || m.p[0] == HS_server_key_exchange;
}

/* The message as the operation wants it. */
static span changed(struct troth_conn *c, struct arena *a, enum evil_op op, span m)
{
    span copy = grown(a, m, m.n, 0);
    uint8_t *p = (uint8_t *)(uintptr_t)copy.p;
    switch ((int)op) {
    case EVIL_EDIT:
        for (unsigned n = 1 + byte() % 4; n; n--) {
            unsigned at = two_bytes();
            uint8_t x = byte();
            p[at % m.n] ^= x;
        }
        break;
    case EVIL_RESIZE: {
        uint8_t by = byte();
        if (by >= 128) {
            copy = grown(a, m, m.n, by - 127u);
        } else {
            copy.n -= by + 1u < m.n - HEADER ? by + 1u : m.n - HEADER;
            set_length(p, copy.n);
        }
        break;
    }
    case EVIL_REPLACE: copy = made(a, m.p[0], bytes()); break;
    case EVIL_RETYPE: p[0] = byte(); break;
    case EVIL_INSERT: {
        unsigned at = two_bytes();
        span what = bytes();
        copy = grown(a, m, at, what.n);
        size_t from = HEADER + at < m.n ? HEADER + at : m.n;
        if (what.n && copy.n == m.n + what.n)
            memcpy((uint8_t *)(uintptr_t)copy.p + from, what.p, what.n);
        break;
    }
    default: return m;
    }
    if (is_proof(m) && !span_equal(copy, m) && !c->ready) /* a Finished may well be retyped to be a Finished */
        evil.deeds.broke_proof = true;
    return copy;
}

static void keep(span m)
{
    if (evil.n_kept == KEPT_MAX || !m.n)
        return;
    uint8_t *p = malloc(m.n);
    if (!p)
        return;
    memcpy(p, m.p, m.n);
    evil.kept[evil.n_kept] = p;
    evil.kept_n[evil.n_kept++] = m.n;
}

static void note(span m)
{
    if (evil.deeds.n < sizeof evil.deeds.sent && m.n)
        evil.deeds.sent[evil.deeds.n++] = m.p[0];
}

/* ---- what leaves */
static bool send_only(struct troth_conn *c, span m)
{
    struct hs *hs = c->hs;
    if (hs->flight.n == FLIGHT_MAX)
        TRY(flight_flush(c));
    hs->flight.parts[hs->flight.n++] = m;
    note(m);
    return true;
}

static bool hash_and_send(struct troth_conn *c, span hashed, span sent)
{
    note(sent);
    return honest_add_instead(c, hashed, sent);
}

static bool record(struct troth_conn *c)
{
    uint8_t type = byte();
    span what = bytes();
    TRY(flight_flush(c));
    return honest_put(c, type, &what, 1);
}

/* In front of the message, or instead of it; true in *done: it was dealt with. */
static bool before(struct troth_conn *c, enum evil_op op, span hashed, span sent, bool *done)
{
    struct hs *hs = c->hs;
    *done = op == EVIL_SWALLOW || op == EVIL_HASH_ONLY || op == EVIL_SEND_ONLY || op == EVIL_HOLD;
    switch ((int)op) {
    case EVIL_HASH_ONLY: return transcript_add(&hs->transcript, hashed) || fail(c, BUG, "too evil");
    case EVIL_SEND_ONLY: return send_only(c, sent);
    case EVIL_TWICE: return hash_and_send(c, hashed, sent);
    case EVIL_HOLD:
        if (evil.held.n)
            TRY(hash_and_send(c, evil.held, evil.held));
        evil.held = sent;
        return true;
    case EVIL_INJECT: {
        uint8_t type = byte();
        span m = made(&hs->arena, type, bytes());
        return m.n ? hash_and_send(c, m, m) : true;
    }
    case EVIL_REPLAY: {
        if (!evil.n_kept)
            return true;
        size_t i = byte() % evil.n_kept;
        span m = grown(&hs->arena, span_of(evil.kept[i], evil.kept_n[i]), 0, 0);
        return hash_and_send(c, m, m);
    }
    case EVIL_RECORD: return record(c);
    case EVIL_FLUSH: return flight_flush(c);
    case EVIL_SPLIT: c->rec.write.most = (uint16_t)(1 + byte()); return true;
    default: return true;
    }
}

bool flight_add_instead(struct troth_conn *c, span hashed, span sent)
{
    bool done;
    if (!evil_is(c))
        return honest_add_instead(c, hashed, sent);
    enum evil_op op = next_op();
    bool both = hashed.p == sent.p;
    span held = evil.held;
    keep(sent);
    sent = changed(c, &c->hs->arena, op, sent);
    hashed = both ? sent : hashed;
    TRY(before(c, op, hashed, sent, &done));
    if (!done)
        TRY(hash_and_send(c, hashed, sent));
    if (held.n && op != EVIL_HOLD) {
        evil.held = SPAN_NONE;
        TRY(hash_and_send(c, held, held));
    }
    return true;
}

bool flight_add_whole(struct troth_conn *c, span message)
{
    return flight_add_instead(c, message, message);
}

bool flight_add(struct troth_conn *c, uint8_t type, body_writer *body, const void *what)
{
    uint8_t *message;
    size_t n;
    return flight_write(c, type, body, what, &message, &n) && flight_add_whole(c, span_of(message, n));
}

/* What leaves from where it lies cannot be spoilt on its way: it waits with the others. */
bool flight_write_here(struct troth_conn *c, uint8_t type, body_writer *body, const void *what, uint8_t **message, size_t *n)
{
    return evil_is(c) ? flight_write(c, type, body, what, message, n) : honest_write_here(c, type, body, what, message, n);
}

bool flight_put_here(struct troth_conn *c, span message)
{
    return evil_is(c) ? flight_add_whole(c, message) : honest_put_here(c, message);
}

bool flight_lend(struct troth_conn *c, uint8_t *message, size_t n)
{
    return evil_is(c) ? flight_add_whole(c, span_of(message, n)) : honest_lend(c, message, n);
}

bool flight_put(struct troth_conn *c, uint8_t type, const span *parts, size_t n)
{
    if (!evil_is(c))
        return honest_put(c, type, parts, n);
    switch ((int)next_op()) {
    case EVIL_SWALLOW: return true;
    case EVIL_TWICE: TRY(honest_put(c, type, parts, n)); break;
    case EVIL_RETYPE: type = byte(); break;
    case EVIL_RECORD: TRY(record(c)); break;
    default: break;
    }
    return honest_put(c, type, parts, n);
}

bool flight_post(struct troth_conn *c, uint8_t type, body_writer *body, const void *what)
{
    struct arena scratch;
    uint8_t *message;
    size_t n;
    if (!evil_is(c))
        return honest_post(c, type, body, what);
    arena_init(&scratch, c->cfg->memory, 256);
    bool ok = write_into(c, &scratch, type, body, what, &message, &n);
    if (ok) {
        enum evil_op op = next_op();
        span m = changed(c, &scratch, op, span_of(message, n));
        if (op == EVIL_TWICE || op == EVIL_RECORD)
            ok = op == EVIL_RECORD ? record(c) : honest_put(c, CONTENT_HANDSHAKE, &m, 1);
        if (ok && op != EVIL_SWALLOW && m.n)
            ok = honest_put(c, CONTENT_HANDSHAKE, &m, 1);
    }
    arena_free(&scratch);
    return ok;
}
