/* ext.c - the table of extensions, and the walker that reads and writes a block of them.
 *
 * Order of arrival, duplicates, place, unsolicited answers and trailing bytes are checked here, once, and nowhere else.  Must not know
 * what is inside an extension. */
#include "wire/ext.h"

#include "wire/ext_rows.h"

_Static_assert(X_COUNT + LIMIT_UNKNOWN_KEPT <= LIMIT_EXTENSIONS_KEPT, "every row may come, and the strangers");

/* clang-format off */
static const struct ext ext_table[X_COUNT] = {
#define EXT(row, name, functions, in13, in12) \
    [X_##row] = { EXT_##name, in13, in12, #name, ext_##functions##_read, ext_##functions##_write },
#define KNOWN(row, name, in13, in12) [X_##row] = { EXT_##name, in13, in12, #name, NULL, NULL },
#include "wire/ext.def"
};
/* clang-format on */

const struct ext *ext_row(enum ext_row x)
{
    return &ext_table[x];
}

/* clang-format off */
enum ext_row ext_row_of(uint16_t type)
{
    return /* one comparison per row: compilers make a jump table of it */
#define EXT(row, name, functions, in13, in12) type == EXT_##name ? X_##row :
#define KNOWN(row, name, in13, in12)          type == EXT_##name ? X_##row :
#include "wire/ext.def"
    X_UNKNOWN;
}
/* clang-format on */

/* ---- reading */

/* Refuses extension `i` as a whole: the field is its extension_type, four bytes before the body. */
static COLD bool refuse_type(struct rd *r, const struct ext_seen *s, enum troth_reason why)
{
    if (rd_ok(r)) {
        r->ctx->has_value = true;
        r->ctx->value = s->type;
    }
    rd_fail_at(r, "extension_type", why, (uint32_t)(s->body.p - r->ctx->base) - 4);
    return false;
}

/* The types without a row of a block that has more of them than are kept. */
struct strangers {
    unsigned n;
    bool     many;
    uint64_t bits[65536 / 64]; /* set up when there are many */
};

static bool stranger_twice(struct strangers *f, const struct exts *e, uint16_t type)
{
    bool twice = false;
    if (++f->n > LIMIT_UNKNOWN_KEPT && !f->many) {
        f->many = true;
        memset(f->bits, 0, sizeof f->bits);
        for (unsigned i = 0; i < e->n_seen; i++)
            f->bits[e->seen[i].type / 64] |= UINT64_C(1) << e->seen[i].type % 64;
    }
    for (unsigned i = 0; !f->many && i < e->n_seen; i++)
        twice |= e->seen[i].type == type;
    if (f->many) {
        twice = f->bits[type / 64] >> type % 64 & 1;
        f->bits[type / 64] |= UINT64_C(1) << type % 64;
    }
    return twice;
}

static void take(struct rd *r, struct exts *e, const struct ext_seen *s, enum ext_in in, struct strangers *f)
{
    bool stranger = s->row == X_UNKNOWN;
    if (stranger ? stranger_twice(f, e, s->type) : exts_have(e, s->row)) /* one that we know has two values, which is illegal (RFC 9846 6) */
        refuse_type(r, s, stranger && in & (IN_CH | IN_SH | IN_EE) ? TROTH_R_EXT_TWICE_IN_HELLO : TROTH_R_EXT_TWICE);
    if (!rd_ok(r))
        return;
    e->last = s->row;
    if (!stranger)
        ext_set_add(&e->have, s->row);
    if (!stranger || f->n <= LIMIT_UNKNOWN_KEPT)
        e->seen[e->n_seen++] = *s;
}

void exts_gather(struct rd *r, struct exts *e, enum ext_in in)
{
    struct rd list = rd_vec16(r, "extensions", 0, 0xffff);
    struct strangers strangers;
    strangers.n = strangers.many = 0;
    while (rd_more(&list)) {
        const uint8_t *from = rd_group_open(&list);
        struct ext_seen s = { .type = rd_u16(&list, "extension_type", &names_extension) };
        s.row = (uint8_t)ext_row_of(s.type);
        const struct ext *row = s.row == X_UNKNOWN ? NULL : &ext_table[s.row];
        if (row && row->read) {
            struct rd body = rd_vec16(&list, row->name, 0, 0xffff);
            s.body = rd_peek(&body);
        } else {
            s.body = rd_opaque16(&list, row ? row->name : "extension_data", 0, 0xffff);
        }
        rd_group_close(&list, "extension", from);
        if (rd_ok(r))
            take(&list, e, &s, in, &strangers);
    }
}

/* RFC 9846 4.3; one extension has an alert of its own (RFC 9345 4.1.1, 4.1.2). */
static enum troth_reason unasked(unsigned row)
{
    return row == X_DELEGATED_CREDENTIAL ? TROTH_R_DELEGATED_UNASKED : TROTH_R_EXT_NOT_ASKED;
}

/* Is extension `s` one that may stand here?  What it answers, then where it belongs. */
static bool check_place(struct rd *r, const struct ext_seen *s, enum ext_in in, uint16_t version, const struct ext_set *asked)
{
    bool answers = in & (IN_SH | IN_HRR | IN_EE | IN_CT);
    if (s->row == X_UNKNOWN)
        return answers ? refuse_type(r, s, TROTH_R_EXT_UNKNOWN_ANSWER) : true;
    const struct ext *row = &ext_table[s->row];
    bool needs_asking = answers && !(in == IN_HRR && s->row == X_COOKIE);
    if (needs_asking && asked && !ext_set_has(asked, s->row))
        return refuse_type(r, s, unasked(s->row));
    unsigned here = version == VERSION_TLS_1_3 ? row->in13 : version ? row->in12 : row->in13 | row->in12;
    if (here & in)
        return true;
    bool answered_before = in == IN_EE && row->in13 & IN_SH;
    bool newer = answers && version && version != VERSION_TLS_1_3 && !row->in12;
    return refuse_type(r, s, answered_before || newer ? TROTH_R_EXT_ELSEWHERE : TROTH_R_EXT_NOT_HERE);
}

static const struct ext_seen *find(const struct exts *e, enum ext_row x)
{
    for (unsigned i = 0; i < e->n_seen; i++)
        if (e->seen[i].row == x)
            return &e->seen[i];
    return NULL;
}

bool exts_read(struct exts *e, struct rd *r, enum ext_in in, uint16_t version, const struct ext_set *asked)
{
    TRY(rd_ok(r));
    uint8_t at[X_COUNT] = { 0 };
    for (unsigned i = 0; i < e->n_seen; i++) {
        TRY(check_place(r, &e->seen[i], in, version, asked));
        if (e->seen[i].row != X_UNKNOWN)
            at[e->seen[i].row] = (uint8_t)i;
    }
    if (in & IN_CH && exts_have(e, X_PRE_SHARED_KEY) && e->last != X_PRE_SHARED_KEY)
        return refuse_type(r, &e->seen[at[X_PRE_SHARED_KEY]], TROTH_R_PSK_NOT_LAST);
    for (unsigned x = 0; x < X_COUNT; x++) {
        if (!exts_have(e, x) || !ext_table[x].read)
            continue;
        struct rd body = rd_init(r->ctx, e->seen[at[x]].body);
        ext_table[x].read(&body, e, in);
        rd_end(&body, ext_table[x].name);
        TRY(rd_ok(r));
    }
    return true;
}

span exts_body(const struct exts *e, enum ext_row x)
{
    const struct ext_seen *s = exts_have(e, x) ? find(e, x) : NULL;
    return s ? s->body : SPAN_NONE;
}

/* ---- writing */

void exts_add(struct exts *e, enum ext_row x)
{
    if (exts_have(e, x) || e->n_seen == LIMIT_EXTENSIONS_KEPT)
        return;
    ext_set_add(&e->have, x);
    e->seen[e->n_seen++] = (struct ext_seen){ .type = ext_table[x].type, .row = (uint8_t)x };
}

void exts_add_unknown(struct exts *e, uint16_t type, span body)
{
    if (e->n_seen < LIMIT_EXTENSIONS_KEPT)
        e->seen[e->n_seen++] = (struct ext_seen){ .type = type, .row = (uint8_t)ext_row_of(type), .body = body };
}

void exts_shuffle(struct exts *e, span random)
{
    uint8_t moves[LIMIT_EXTENSIONS_KEPT];
    unsigned n = 0;
    for (unsigned i = 0; i < e->n_seen; i++)
        if (e->seen[i].row != X_UNKNOWN && e->seen[i].row != X_PRE_SHARED_KEY)
            moves[n++] = (uint8_t)i;
    for (unsigned i = n; i > 1 && random.n >= 4; i--) {
        uint32_t v = (uint32_t)random.p[0] << 24 | (uint32_t)random.p[1] << 16 | (uint32_t)random.p[2] << 8 | random.p[3];
        unsigned j = v % i;
        struct ext_seen other = e->seen[moves[j]];
        e->seen[moves[j]] = e->seen[moves[i - 1]];
        e->seen[moves[i - 1]] = other;
        random = span_slice(random, 4, random.n);
    }
}

void exts_write(struct wr *w, const struct exts *e, enum ext_in in)
{
    size_t block = wr_open(w, 2);
    for (unsigned i = 0; i < e->n_seen; i++) {
        const struct ext_seen *s = &e->seen[i];
        const struct ext *row = s->row == X_UNKNOWN ? NULL : &ext_table[s->row];
        if (in & IN_CH && s->row == X_PRE_SHARED_KEY && i + 1u != e->n_seen)
            w->bad = true;
        wr_u16(w, s->type);
        size_t body = wr_open(w, 2);
        if (row && row->write)
            row->write(w, e, in);
        else
            wr_span(w, s->body);
        wr_close(w, body, 2);
    }
    wr_close(w, block, 2);
}

/* ---- lists */

/* The element at the front of `list`, behind a length of `prefix` bytes. */
static bool next(span *list, size_t prefix, span *element)
{
    if (list->n < prefix)
        return false;
    size_t n = prefix == 1 ? list->p[0] : (size_t)list->p[0] << 8 | list->p[1];
    if (list->n - prefix < n)
        return false;
    *element = span_slice(*list, prefix, n);
    *list = span_slice(*list, prefix + n, list->n);
    return true;
}

bool alpn_next(span *list, span *protocol_name)
{
    return next(list, 1, protocol_name);
}

bool opaque16_next(span *list, span *element)
{
    return next(list, 2, element);
}

bool oid_filter_next(span *list, span *oid, span *values)
{
    return next(list, 1, oid) && next(list, 2, values);
}

bool alpn_has(span list, span name)
{
    for (span one; alpn_next(&list, &one);)
        if (span_equal(one, name))
            return true;
    return false;
}

const struct key_share *share_for(const struct exts *e, uint16_t group)
{
    for (unsigned i = 0; i < e->n_shares; i++)
        if (e->shares[i].group == group)
            return &e->shares[i];
    return NULL;
}
