/* messages.c - joining fragments.  Must never allocate more than about twice the bytes that came. */
#include "record/messages.h"

#include "base/secret.h"

enum { HEADER = 4, JOIN_FIRST = 512, TYPE_CERTIFICATE = 11, TYPE_COMPRESSED_CERTIFICATE = 25 };

void messages_init(struct messages *m, const troth_allocator *memory)
{
    *m = (struct messages){ .memory = memory, .most = LIMIT_MESSAGE, .most_certificate = LIMIT_CERTIFICATE_MESSAGE };
}

static uint32_t length_of(const uint8_t *header)
{
    return (uint32_t)(header[1] << 16 | header[2] << 8 | header[3]);
}

/* Bytes of the message being joined. */
static uint32_t joined(const struct messages *m)
{
    return m->join ? m->join_n : 0;
}

static void drop_join(struct messages *m)
{
    if (m->join) {
        secret_wipe(m->join, m->join_cap);
        m->memory->free(m->memory->ctx, m->join, m->join_cap);
    }
    m->join = NULL;
    m->join_n = m->join_cap = 0;
    m->join_given = false;
}

bool messages_add(struct messages *m, troth_error *e, span fragment)
{
    if (!fragment.n)
        return fail_to(e, RECORD_EMPTY, "a handshake record without content");
    if (m->rest.n)
        return fail_to(e, BUG, "%zu handshake bytes were not taken", m->rest.n);
    m->rest = fragment;
    return true;
}

static bool length_fits(const struct messages *m, troth_error *e, const uint8_t *header)
{
    bool certificate = header[0] == TYPE_CERTIFICATE || header[0] == TYPE_COMPRESSED_CERTIFICATE;
    uint32_t most = certificate ? m->most_certificate : m->most;
    if (length_of(header) > most)
        return fail_to(e, MESSAGE_TOO_LONG, "type %u, %u bytes, at most %u are taken", header[0], (unsigned)length_of(header),
                       (unsigned)most);
    return true;
}

/* Room for `need` bytes, never more than the message of `whole` bytes needs. */
static bool join_room(struct messages *m, troth_error *e, size_t need, size_t whole)
{
    if (m->join && need <= m->join_cap)
        return true;
    size_t cap = 2 * need < JOIN_FIRST ? JOIN_FIRST : 2 * need;
    if (cap > whole)
        cap = whole;
    uint8_t *p = m->memory->alloc(m->memory->ctx, cap);
    if (!p)
        return fail_to(e, OUT_OF_MEMORY, "%zu bytes for a handshake message", cap);
    uint32_t n = joined(m);
    if (m->join && n)
        memcpy(p, m->join, n);
    drop_join(m);
    m->join = p;
    m->join_n = n;
    m->join_cap = (uint32_t)cap;
    return true;
}

/* Moves bytes of the fragment behind the joined ones until there are `upto` or the fragment is used up. */
static bool join_upto(struct messages *m, troth_error *e, size_t upto, size_t whole)
{
    size_t some = upto - m->join_n < m->rest.n ? upto - m->join_n : m->rest.n;
    TRY(join_room(m, e, m->join_n + some, whole));
    if (some)
        memcpy(m->join + m->join_n, m->rest.p, some);
    m->join_n += (uint32_t)some;
    m->rest = span_of(m->rest.p + some, m->rest.n - some);
    return true;
}

static void give(struct message *out, const uint8_t *p, size_t whole)
{
    *out = (struct message){ p[0], span_of(p, whole), span_of(p + HEADER, whole - HEADER) };
}

static enum messages_answer next_joined(struct messages *m, troth_error *e, struct message *out)
{
    if (joined(m) < HEADER && !join_upto(m, e, HEADER, JOIN_FIRST))
        return MESSAGE_BAD;
    if (joined(m) < HEADER)
        return MESSAGE_MORE;
    size_t whole = HEADER + (size_t)length_of(m->join);
    if (!length_fits(m, e, m->join) || !join_upto(m, e, whole, whole < JOIN_FIRST ? JOIN_FIRST : whole))
        return MESSAGE_BAD;
    if (joined(m) < whole)
        return MESSAGE_MORE;
    give(out, m->join, whole);
    m->join_given = true;
    return MESSAGE_WHOLE;
}

enum messages_answer messages_next(struct messages *m, troth_error *e, struct message *out)
{
    if (m->join_given)
        drop_join(m);
    if (!m->join && !m->rest.n)
        return MESSAGE_MORE;
    if (m->join || m->rest.n < HEADER)
        return next_joined(m, e, out);
    if (!length_fits(m, e, m->rest.p))
        return MESSAGE_BAD;
    size_t whole = HEADER + (size_t)length_of(m->rest.p);
    if (m->rest.n < whole)
        return join_room(m, e, m->rest.n, whole < JOIN_FIRST ? JOIN_FIRST : whole) ? next_joined(m, e, out) : MESSAGE_BAD;
    give(out, m->rest.p, whole);
    m->rest = span_slice(m->rest, whole, m->rest.n - whole);
    return MESSAGE_WHOLE;
}

bool messages_peek(const struct messages *m, uint8_t *type, uint32_t *n)
{
    uint8_t header[HEADER];
    size_t had = m->join_given ? 0 : m->join_n < HEADER ? m->join_n : HEADER;
    TRY(had + m->rest.n >= HEADER);
    if (had)
        memcpy(header, m->join, had);
    if (had < HEADER)
        memcpy(header + had, m->rest.p, HEADER - had);
    *type = header[0];
    *n = length_of(header);
    return true;
}

bool messages_ahead(const struct messages *m, struct message *out)
{
    TRY(!messages_midway(m) && m->rest.n >= HEADER);
    size_t whole = HEADER + (size_t)length_of(m->rest.p);
    TRY(m->rest.n >= whole);
    give(out, m->rest.p, whole);
    return true;
}

bool messages_midway(const struct messages *m)
{
    return m->join && !m->join_given;
}

bool messages_left(const struct messages *m)
{
    return m->rest.n || messages_midway(m);
}

bool messages_borrow(const struct messages *m)
{
    return m->rest.n;
}

bool messages_aligned(const struct messages *m, troth_error *e)
{
    if (messages_left(m))
        return fail_to(e, MESSAGE_LEFTOVER, "%zu bytes", m->rest.n + (messages_midway(m) ? m->join_n : 0));
    return true;
}

void messages_rest(struct messages *m)
{
    if (m->join_given)
        drop_join(m);
}

void messages_free(struct messages *m)
{
    drop_join(m);
    m->rest = SPAN_NONE;
}
