/* over_quic.c - TLS in the CRYPTO frames of QUIC: handshake bytes come and go as they are, per encryption level, and secrets are handed out.
 *
 * The level of handshake bytes is the epoch of their direction, but that early data has no handshake bytes (RFC 9001 4.1.3).  Must never
 * keep more than LIMIT_QUIC_WAITING bytes of the peer, nor hand out a secret to read with after a failure. */
#include "tls/carrier.h"
#include "tls/quic.h"

_Static_assert((int)TROTH_LEVEL_INITIAL == (int)EPOCH_PLAIN && (int)TROTH_LEVEL_EARLY == (int)EPOCH_EARLY
                   && (int)TROTH_LEVEL_HANDSHAKE == (int)EPOCH_HANDSHAKE && (int)TROTH_LEVEL_APPLICATION == (int)EPOCH_APPLICATION,
               "levels are epochs");

/* ---- queues */
static void append(struct quic_queue *q, struct quic_chunk *k)
{
    *(q->last ? &q->last->next : &q->first) = k;
    q->last = k;
    q->n += k->n;
}

static struct quic_chunk *add(struct troth_conn *c, struct quic_queue *q, size_t n)
{
    struct quic_chunk *k = c->memory->alloc(c->memory->ctx, sizeof *k + n);
    if (!k) {
        (void)fail(c, OUT_OF_MEMORY, "%zu bytes", n);
        return NULL;
    }
    *k = (struct quic_chunk){ .n = (uint32_t)n };
    append(q, k);
    return k;
}

static void drop_first(struct troth_conn *c, struct quic_queue *q)
{
    struct quic_chunk *k = q->first;
    q->first = k->next;
    q->n -= k->n;
    if (!q->first)
        q->last = NULL;
    size_t n = sizeof *k + k->n;
    secret_wipe(k, n);
    c->memory->free(c->memory->ctx, k, n);
}

/* ---- out */
static bool put(struct troth_conn *c, uint8_t type, const span *parts, size_t n)
{
    if (type == CONTENT_ALERT)
        return true; /* QUIC closes the connection with its number (RFC 9001 4.8) */
    if (type != CONTENT_HANDSHAKE)
        return fail(c, WRONG_TIME, "troth_write: QUIC carries the data itself");
    size_t all = 0;
    for (size_t i = 0; i < n; i++)
        all += parts[i].n;
    struct quic_chunk *k = add(c, &c->quic->out, all);
    TRY(k);
    k->level = c->rec.write.epoch;
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        memcpy(k->bytes + at, parts[i].p, parts[i].n);
        at += parts[i].n;
    }
    return true;
}

static uint8_t *place(struct troth_conn *c, size_t n)
{
    (void)c;
    (void)n;
    return NULL;
}

static bool lend(struct troth_conn *c, uint8_t *message, size_t n)
{
    span all = span_of(message, n);
    return put(c, CONTENT_HANDSHAKE, &all, 1);
}

static bool own(struct troth_conn *c)
{
    (void)c;
    return true;
}

static bool say(struct troth_conn *c, troth_event *e)
{
    struct quic *q = c->quic;
    if (q && q->told)
        drop_first(c, &q->out);
    if (q)
        q->told = false;
    const struct quic_chunk *k = q ? q->out.first : NULL;
    if (!k)
        return false;
    *e = (troth_event){ .kind = k->secret ? TROTH_KEYS : TROTH_SEND, .level = k->level, .ours = k->ours, .number = k->suite,
                        .data = span_of(k->bytes + q->sent, k->n - q->sent) };
    q->told = k->secret;
    return true;
}

static size_t sent(struct troth_conn *c, size_t n)
{
    struct quic *q = c->quic;
    const struct quic_chunk *k = q ? q->out.first : NULL;
    if (!k || k->secret)
        return 0;
    n = n < k->n - q->sent ? n : k->n - q->sent;
    q->sent += n;
    if (q->sent == k->n) {
        drop_first(c, &q->out);
        q->sent = 0;
    }
    return n;
}

/* ---- in */
bool quic_received(struct troth_conn *c, uint8_t level, span bytes)
{
    struct quic_queue *in = &c->quic->in;
    if (bytes.n > LIMIT_QUIC_WAITING - in->n)
        return fail(c, QUIC_TOO_MUCH, "%zu bytes, and %zu wait", bytes.n, in->n);
    struct quic_chunk *k = add(c, in, bytes.n);
    TRY(k);
    memcpy(k->bytes, bytes.p, bytes.n);
    k->level = level;
    return true;
}

static enum took take(struct troth_conn *c, span *data)
{
    struct quic *q = c->quic;
    (void)data;
    if (q->taken)
        drop_first(c, &q->in); /* its messages are used up */
    q->taken = false;
    const struct quic_chunk *k = q->in.first;
    if (!k)
        return NEED_MORE;
    q->taken = true;
    troth_error e;
    error_none(&e);
    bool ok = k->level == c->rec.read.epoch
                ? messages_add(&c->rec.messages, &e, span_of(k->bytes, k->n)) || trouble_take(&c->error, &e)
                : fail(c, QUIC_LEVEL, "%u bytes at level %u, and it is the turn of level %u", (unsigned)k->n, k->level, c->rec.read.epoch);
    (void)ok; /* whoever asked looks at the error */
    return TOOK;
}

static bool room(struct troth_conn *c, troth_event *e)
{
    (void)c;
    (void)e;
    return true; /* bytes come with their level, by troth_quic_received */
}

/* ---- keys: QUIC derives them from the secret (RFC 9001 5.1) */
static bool keys(struct troth_conn *c, enum way way, uint8_t epoch, const struct secret *traffic)
{
    struct quic_chunk *k = add(c, &c->quic->out, traffic->n);
    TRY(k);
    memcpy(k->bytes, traffic->b, traffic->n);
    k->secret = true;
    k->suite = c->facts.suite;
    k->level = epoch;
    k->ours = way == WRITE;
    if (epoch != EPOCH_EARLY)
        *(way == WRITE ? &c->rec.write.epoch : &c->rec.read.epoch) = epoch;
    return true;
}

/* What is to be said is said, as a last flight is, and the secrets that it takes; what the peer says cannot be read any more. */
static void forget(struct troth_conn *c, bool all)
{
    struct quic *q = c->quic;
    if (!q)
        return;
    while (q->in.first)
        drop_first(c, &q->in);
    struct quic_queue was = q->out;
    q->out = (struct quic_queue){ .first = NULL };
    while (was.first) {
        struct quic_chunk *k = was.first;
        if (all || (k->secret && !k->ours)) {
            drop_first(c, &was);
            continue;
        }
        was.first = k->next;
        was.n -= k->n;
        k->next = NULL;
        append(&q->out, k);
    }
    q->told = q->taken = false;
}

const struct carrier over_quic = {
    .put = put,
    .place = place,
    .lend = lend,
    .own = own,
    .say = say,
    .sent = sent,
    .take = take,
    .room = room,
    .keys = keys,
    .forget = forget,
    .level_keys = true,
};
