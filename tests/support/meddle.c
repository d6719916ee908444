/* meddle.c - see meddle.h. */
#include "support/meddle.h"

#include "support/test.h"

const char *const meddle_names[MEDDLE_KINDS] = { "nothing", "flip", "drop", "repeat", "swap", "delay", "later", "cut" };

void meddle_end(struct meddle *m)
{
    free(m->held);
    m->held = NULL;
}

static size_t record_n(const struct pipe *pipe, size_t at)
{
    if (at + 5 > pipe->n)
        return 0;
    size_t n = 5 + (size_t)(pipe->p[at + 3] << 8 | pipe->p[at + 4]);
    return at + n > pipe->n ? 0 : n;
}

static void take_out(struct pipe *pipe, size_t at, size_t n)
{
    memmove(pipe->p + at, pipe->p + at + n, pipe->n - at - n);
    pipe->n -= n;
}

static void hold(struct meddle *m, const uint8_t *p, size_t n)
{
    m->held = malloc(n);
    assert_non_null(m->held);
    memcpy(m->held, p, n);
    m->held_n = n;
}

static void insert(struct meddle *m, struct pipe *pipe, size_t at)
{
    size_t before = pipe->n;
    pipe_put(pipe, m->held, m->held_n); /* makes room */
    memmove(pipe->p + at + m->held_n, pipe->p + at, before - at);
    memcpy(pipe->p + at, m->held, m->held_n);
    meddle_end(m);
}

/* What was delayed comes behind what is new; what is played again in front. */
static void release(struct meddle *m, struct pipe *pipe)
{
    insert(m, pipe, m->how == MEDDLE_LATER ? m->passed : pipe->n);
}

static bool swap(struct pipe *pipe, size_t at, size_t n)
{
    size_t next = record_n(pipe, at + n);
    if (!next)
        return false;
    uint8_t *first = malloc(n);
    assert_non_null(first);
    memcpy(first, pipe->p + at, n);
    memmove(pipe->p + at, pipe->p + at + n, next);
    memcpy(pipe->p + at + next, first, n);
    free(first);
    return true;
}

static void do_it(struct meddle *m, struct pipe *pipe, size_t at, size_t n)
{
    m->done = true;
    m->wrapped = m->arg >= n;
    switch (m->how) {
    case MEDDLE_FLIP: pipe->p[at + n - 1 - m->arg % n] ^= (uint8_t)(1 << m->arg % 8); break;
    case MEDDLE_DROP: take_out(pipe, at, n); break;
    case MEDDLE_REPEAT:
        hold(m, pipe->p + at, n);
        insert(m, pipe, at + n);
        break;
    case MEDDLE_SWAP: m->done = swap(pipe, at, n); break;
    case MEDDLE_DELAY:
        hold(m, pipe->p + at, n);
        take_out(pipe, at, n);
        break;
    case MEDDLE_LATER: hold(m, pipe->p + at, n); break;
    case MEDDLE_CUT:
        pipe->n = at;
        pipe->ended = true;
        break;
    case MEDDLE_NOTHING:
    case MEDDLE_KINDS: break;
    }
}

static void between(struct pair *p, struct pipe *pipe, void *ctx)
{
    struct meddle *m = ctx;
    if (pipe != (m->from_client ? &p->to_server : &p->to_client))
        return;
    if (pipe->ended) { /* cut: nothing more gets through */
        pipe->n = m->passed < pipe->n ? m->passed : pipe->n;
        return;
    }
    if (m->held && pipe->n > m->passed)
        release(m, pipe);
    for (size_t n; !m->done && (n = record_n(pipe, m->passed)) != 0; m->passed += n)
        if (++m->seen == m->nth) {
            do_it(m, pipe, m->passed, n);
            break;
        }
    if (!pipe->ended)
        m->passed = pipe->n;
}

void meddle_with(struct pair *p, struct meddle *m)
{
    p->between = between;
    p->between_ctx = m;
}


/* ---- fields */
static void on_message(void *self, const struct saw_message *m)
{
    struct overwrite *o = self;
    o->here = m->ours && !strcmp(m->type, o->message);
    o->raw = m->raw;
}

static void on_field(void *self, const struct sighting *f)
{
    struct overwrite *o = self;
    if (!o->here || o->done || strcmp(f->name, o->field) != 0)
        return;
    memcpy((uint8_t *)(uintptr_t)o->raw.p + f->at, o->bytes, o->n);
    o->done = true;
}

struct witness overwrite_witness(struct overwrite *o)
{
    return (struct witness){ .self = o, .message = on_message, .field = on_field };
}
