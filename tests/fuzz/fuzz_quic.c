/* fuzz_quic.c - a client or a server of QUIC against an evil peer (support/evil.h) whose CRYPTO frames are carried by an evil network.
 *
 * Input: a byte that chooses a plan (bit 6: the server is evil; bit 7: with libcrypto instead of the fake provider), a seed of all random
 * numbers, how often a question is put off, the length of the peer's program and that program, then operations of the network, one for each
 * delivery to the victim; where they end it is honest.  The victim is never ready with a peer that is not proven, nor after bytes that
 * the peer did not say at that level; it ends with one reason, and says nothing after that. */
#include <troth/explain.h>

#include "fuzz/evil_fuzz.h"
#include "support/quic.h"
#include "support/test.h"
#include "support/victim.h"
#include "tls/config.h"
#include "wire/registry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);

enum { HEAD = 4, EVIL_SERVER = 64, REAL = 128 };

/* What the network does instead of delivering what waits. */
enum op {
    OP_ALL,
    OP_SOME,   /* n: the first n + 1 bytes                          */
    OP_MOVE,   /* from, to: at another level, whether it is its turn or not */
    OP_DROP,
    OP_TWICE,
    OP_EDIT,   /* offset (2 bytes), xor                             */
    OP_INJECT, /* level, n bytes in front                           */
    OP_BULK,   /* level, n: n KiB of zeros in front                 */
    OP_NONE,   /* no bytes, and then what waits                     */
    OP_CLOSE,  /* number (2 bytes)                                  */
    OP_GONE,   /* the transport ends                                */
    OPS
};

enum { P_AUTH = 1, P_RETRY = 2, P_ASK = 4, P_RESUME = 8, P_EARLY = 16, P_PSK = 32, P_ECH = 64, P_STORY = 128 };

static const unsigned plans[] = { 0, P_AUTH, P_RETRY, P_ASK, P_ASK | P_AUTH, P_RESUME, P_RESUME | P_EARLY, P_PSK, P_ECH, P_ECH | P_RETRY,
                                  P_STORY, P_STORY | P_AUTH | P_RETRY };

struct stage {
    struct world  *w;
    troth_client  *client;
    troth_server  *server;
    troth_ech_pair ech;
    span           chain, key; /* of the public name */
    uint8_t        ticket[8192];
    size_t         ticket_n;
    unsigned       plan;
};

/* One connection: what the network may still do, and what it did. */
struct network {
    struct stage *t;
    span          program;
    unsigned      patience;
    bool          changed;       /* the victim got something else than what was said          */
    bool          checked;
    struct pipe   fed[LEVELS];   /* what the victim got                                       */
    struct quic_end *victim;
};

/* ---- stages */
static bool always_first(void *ctx, const uint8_t mark[32], int64_t expires)
{
    (void)ctx, (void)mark, (void)expires;
    return true;
}

static void tweak_both(troth_builder *b, void *ctx)
{
    const struct stage *t = ctx;
    quic_tweak(b);
    if (t->plan & P_ASK)
        troth_ask_verdict(b);
    if (t->plan & P_EARLY)
        troth_early_data(b, 1);
    if (t->plan & P_PSK)
        troth_psk(b, TROTH_TEXT("a client"), TROTH_TEXT("0123456789abcdef0123456789abcdef"), TROTH_SHA256);
}

static void tweak_client(troth_builder *b, void *ctx)
{
    static const uint16_t groups[] = { GROUP_x25519, GROUP_secp256r1 };
    struct stage *t = ctx;
    uint8_t list[2 + sizeof t->ech.config];
    tweak_both(b, t);
    troth_groups(b, groups, 2);
    if (t->plan & P_AUTH)
        tweak_client_identity(b, t->w);
    if (!(t->plan & P_ECH))
        return;
    struct wr w = wr_into(list, sizeof list);
    wr_opaque(&w, 2, span_of(t->ech.config, t->ech.config_n));
    troth_ech_configs(b, wr_done(&w));
}

static void tweak_server(troth_builder *b, void *ctx)
{
    static const uint16_t groups[] = { GROUP_secp256r1, GROUP_x25519 };
    struct stage *t = ctx;
    tweak_both(b, t);
    troth_groups(b, groups, t->plan & P_RETRY ? 1 : 2);
    troth_anti_replay(b, always_first, NULL);
    if (t->plan & P_AUTH)
        troth_ask_client_auth(b, TROTH_AUTH_REQUIRED);
    if (t->plan & P_ASK)
        troth_ask_server(b);
    if (!(t->plan & P_ECH))
        return;
    troth_identity_pem(b, t->chain, t->key);
    troth_ech_key(b, span_of(t->ech.config, t->ech.config_n), SPAN_OF(t->ech.private_key), true);
}

static void open_pair(struct stage *t, struct quic_pair *p)
{
    quic_pair_again(p, t->client, t->server, "limits", span_of(t->ticket, t->ticket_n));
}

static struct stage *stage_of(bool real, size_t i)
{
    static struct stage stages[2][COUNT_OF(plans)];
    struct stage *t = &stages[real][i];
    struct quic_pair p;
    troth_error why;
    if (t->w)
        return t;
    t->plan = plans[i];
    t->w = world_new(evil_provider(real));
    if (t->plan & P_ECH) {
        assert_true(troth_ech_make(t->w->mk->crypto, "public.example", 32, &t->ech, &why));
        world_identity(t->w, TROTH_KEY_P256, "public.example", &t->chain, &t->key);
    }
    t->client = world_client(t->w, tweak_client, t);
    t->server = world_server(t->w, tweak_server, t);
    if (!(t->plan & P_RESUME))
        return t;
    open_pair(t, &p);
    quic_run(&p);
    assert_quic_ready(&p);
    memcpy(t->ticket, p.client.ticket, t->ticket_n = p.client.ticket_n);
    assert_true(t->ticket_n > 0);
    quic_pair_free(&p);
    return t;
}

/* ---- the network */
static uint8_t byte(struct network *n)
{
    if (!n->program.n)
        return 0;
    uint8_t b = n->program.p[0];
    n->program = span_slice(n->program, 1, n->program.n - 1);
    return b;
}

static span bytes(struct network *n)
{
    size_t want = byte(n);
    span s = span_slice(n->program, 0, want);
    n->program = span_slice(n->program, s.n, n->program.n - s.n);
    return s;
}

static bool answer(struct quic_pair *p, struct quic_end *e, const troth_event *ev)
{
    struct network *n = p->ctx;
    if (e == n->victim && n->patience) {
        n->patience--;
        return false;
    }
    if (ev->kind == TROTH_ASK_SERVER)
        troth_answer_server(e->c, n->t->server);
    if (ev->kind == TROTH_ASK_VERDICT)
        troth_answer_verdict(e->c, true, "the test says so");
    return true;
}

/* Everything that a ready victim got was said, and at that level, unless the peer lied about what it said. */
static void check_fed(struct network *n, const struct quic_pair *p)
{
    const struct quic_end *peer = n->victim == &p->client ? &p->server : &p->client;
    if (n->checked || !n->victim->n_ready)
        return;
    n->checked = true;
    struct evil_deeds d = evil_deeds_now();
    for (int l = 0; l < LEVELS && !d.ops; l++) {
        size_t fed = n->fed[l].n, said = peer->out[l].n;
        if (n->t->plan & P_ASK) /* more waited behind a question, and is not looked at yet */
            fed = l == TROTH_LEVEL_APPLICATION ? 0 : fed < said ? fed : said;
        if (fed > said || (fed && memcmp(n->fed[l].p, peer->out[l].p, fed)))
            test_fail("the %s is ready after bytes that nobody said", n->victim->name);
    }
    if (!n->changed)
        assert_proven("QUIC", n->victim->c, n->victim == &p->client, (n->t->plan & P_AUTH) != 0, &d);
}

static void feed(struct network *n, struct quic_pair *p, unsigned level, span s)
{
    struct quic_end *e = n->victim;
    if (s.n && !e->n_ready && level < LEVELS && !e->failed)
        pipe_put(&n->fed[level], s.p, s.n);
    bool ok = troth_quic_received(e->c, (enum troth_level)level, s);
    quic_listen(p, e);
    assert_true(ok || troth_why(e->c));
    check_fed(n, p);
}

static void feed_changed(struct network *n, struct quic_pair *p, unsigned level, span s)
{
    n->changed |= s.n > 0;
    feed(n, p, level, s);
}

/* The first level at which something waits that the victim can read; LEVELS: none. */
static int waiting_level(const struct quic_end *victim, const struct quic_end *from)
{
    for (int l = 0; l < LEVELS; l++)
        if (from->out[l].n > from->out[l].taken && quic_has(victim, (enum troth_level)l, false))
            return l;
    return LEVELS;
}

/* Operations that come before what waits, or instead of it; true: instead. */
static bool beside(struct network *n, struct quic_pair *p, enum op op)
{
    static const uint8_t zeros[256 * 1024];
    unsigned level;
    switch ((int)op) {
    case OP_INJECT:
        level = byte(n);
        feed_changed(n, p, level % 8, bytes(n));
        return false;
    case OP_BULK:
        level = byte(n);
        feed_changed(n, p, level % 8, span_of(zeros, byte(n) * (size_t)1024));
        return false;
    case OP_NONE: feed(n, p, TROTH_LEVEL_INITIAL, SPAN_NONE); return false;
    case OP_CLOSE:
        level = byte(n) * 256u;
        troth_quic_closed(n->victim->c, level + byte(n));
        n->changed = true;
        return true;
    case OP_GONE:
        troth_received(n->victim->c, 0);
        n->changed = true;
        return true;
    default: return false;
    }
}

/* False: there was nothing to be done. */
static bool deliver(struct network *n, struct quic_pair *p)
{
    struct quic_end *from = n->victim == &p->client ? &p->server : &p->client;
    bool more = n->program.n > 0;
    enum op op = (enum op)(byte(n) % OPS);
    if (beside(n, p, op))
        return true;
    int l = waiting_level(n->victim, from);
    unsigned as = (unsigned)l;
    if (op == OP_MOVE) {
        l = byte(n) % LEVELS;
        as = byte(n) % 8;
    }
    struct pipe *in = l < LEVELS ? &from->out[l] : NULL;
    if (!in || in->n == in->taken || n->victim->failed)
        return more;
    span s = span_of(in->p + in->taken, in->n - in->taken);
    if (op == OP_SOME)
        s = span_slice(s, 0, byte(n) + (size_t)1);
    in->taken += s.n;
    if (op == OP_DROP) {
        n->changed |= s.n > 0;
        return true;
    }
    /* in a block of its own, so that a read past the end is seen */
    uint8_t *copy = malloc(s.n ? s.n : 1);
    assert_non_null(copy);
    if (s.n)
        memcpy(copy, s.p, s.n);
    if (op == OP_EDIT && s.n) {
        size_t at = byte(n) * (size_t)256;
        at += byte(n);
        copy[at % s.n] ^= byte(n);
    }
    n->changed |= (op == OP_MOVE || op == OP_EDIT) && s.n;
    feed(n, p, as, span_of(copy, s.n));
    if (op == OP_TWICE)
        feed_changed(n, p, as, span_of(copy, s.n));
    free(copy);
    return true;
}

/* ---- one connection */
static void run(struct network *n, struct quic_pair *p)
{
    struct quic_end *peer = n->victim == &p->client ? &p->server : &p->client;
    bool any = true;
    while (any) { /* each round uses up bytes of the input, or what was said, or patience */
        unsigned asked = n->victim->asked;
        quic_listen(p, peer);
        quic_listen(p, n->victim);
        check_fed(n, p);
        any = deliver(n, p);
        quic_listen(p, n->victim);
        any |= quic_deliver(p, peer) || n->victim->asked != asked;
    }
}

static void check_victim(struct network *n)
{
    struct quic_end *e = n->victim;
    const troth_error *why = troth_why(e->c);
    assert_true(e->n_ready <= 1 && e->failed == (why != NULL));
    assert_int_equal(troth_quic_error(e->c) != 0, e->failed);
    if (!why)
        return;
    assert_true(why->reason != TROTH_R_BUG && why->reason > TROTH_R_NONE && why->reason < TROTH_REASON_COUNT);
    assert_false(troth_quic_received(e->c, TROTH_LEVEL_INITIAL, TROTH_TEXT("\1\0\0\0")));
    for (int i = 0; i < 3; i++)
        assert_int_equal(troth_next(e->c).kind, TROTH_FAILED);
}

static bool sink(void *ctx, const char *p, size_t n)
{
    (void)p;
    *(size_t *)ctx += n;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < HEAD)
        return 0;
    bool real = data[0] & REAL, evil_server = data[0] & EVIL_SERVER;
    struct stage *t = stage_of(real, data[0] % EVIL_SERVER % COUNT_OF(plans));
    span rest = span_of(data + HEAD, size - HEAD), evil = span_slice(rest, 0, data[3]);
    struct quic_pair p;
    struct network n = { .t = t, .patience = data[2], .program = span_slice(rest, evil.n, rest.n - evil.n) };
    evil_reseed(t->w->mk->crypto, real, data[1]);
    open_pair(t, &p);
    n.victim = evil_server ? &p.client : &p.server;
    p.answer = answer;
    p.ctx = &n;
    troth_story *story = t->plan & P_STORY ? troth_story_new(NULL) : NULL;
    troth_tell(n.victim->c, story);
    evil_begin(evil_server, evil);
    run(&n, &p);
    bool honest = !evil_end().ops && !n.changed;
    check_victim(&n);
    if (honest)
        assert_quic_ready(&p);
    quic_pair_free(&p);
    for (int l = 0; l < LEVELS; l++)
        free(n.fed[l].p);
    size_t written = 0;
    if (story)
        (void)!troth_story_write(story, NULL, sink, &written);
    troth_story_free(story);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    return evil_mutate(data, size, max, seed);
}
