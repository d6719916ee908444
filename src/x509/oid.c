/* oid.c - the table of object identifiers made from oids.def.  Must never trust that an OID from outside is well-formed. */
#include "x509/oid.h"

#include <inttypes.h>
#include <strings.h>

const struct oid_row oid_rows[OID_COUNT] = {
    [OID_NONE] = { "", "", "", 0 },
#define O(name, der, shortname, words) [OID_##name] = { der, shortname, words, sizeof(der) - 1 },
#include "x509/oids.def"
#undef O
};

enum oid oid_find(span content)
{
    for (int i = 1; i < OID_COUNT; i++)
        if (oid_rows[i].n == content.n && !memcmp(oid_rows[i].der, content.p, content.n))
            return (enum oid)i;
    return OID_NONE;
}

static const struct oid_row *row_of(enum oid id)
{
    return &oid_rows[(unsigned)id < OID_COUNT ? id : OID_NONE];
}

span oid_der(enum oid id)
{
    return span_of(row_of(id)->der, row_of(id)->n);
}

const char *oid_name(enum oid id)
{
    return row_of(id)->name;
}

const char *oid_words(enum oid id)
{
    return row_of(id)->words;
}

bool oid_valid(span content)
{
    bool first = true; /* of an arc */
    for (size_t i = 0; i < content.n; i++) {
        if (first && content.p[i] == 0x80)
            return false;
        first = !(content.p[i] & 0x80);
    }
    return content.n && first;
}

void oid_dotted(struct text *t, span content)
{
    if (!oid_valid(content)) {
        text_add(t, "(malformed)");
        return;
    }
    bool first = true;
    for (size_t i = 0; i < content.n && !t->cut;) {
        size_t from = i;
        uint64_t arc = 0;
        do
            arc = arc << 7 | (content.p[i] & 0x7f);
        while (content.p[i++] & 0x80);
        if (i - from > 9) {
            text_add(t, "%s0x", first ? "2." : ".");
            text_hex(t, span_slice(content, from, i - from));
        } else if (first) {
            unsigned top = arc < 40 ? 0 : arc < 80 ? 1 : 2;
            text_add(t, "%u.%" PRIu64, top, arc - 40 * top);
        } else {
            text_add(t, ".%" PRIu64, arc);
        }
        first = false;
    }
}

void oid_show(struct text *t, span content)
{
    enum oid id = oid_find(content);
    if (id == OID_NONE)
        oid_dotted(t, content);
    else
        text_add(t, "%s", oid_name(id));
}

static void write_arc(struct wr *w, uint64_t arc)
{
    int bytes = 1;
    for (uint64_t v = arc >> 7; v; v >>= 7)
        bytes++;
    while (bytes-- > 0)
        wr_u8(w, (uint8_t)((arc >> (7 * bytes) & 0x7f) | (bytes ? 0x80 : 0)));
}

/* One number of a dotted OID; steps over it and the dot behind it. */
static bool take_arc(const char **s, uint64_t *arc)
{
    const char *p = *s;
    *arc = 0;
    TRY(*p >= '0' && *p <= '9');
    for (; *p >= '0' && *p <= '9'; p++) {
        TRY(*arc < UINT64_MAX / 10 - 1);
        *arc = *arc * 10 + (uint64_t)(*p - '0');
    }
    TRY(*p == 0 || (*p == '.' && p[1]));
    *s = *p ? p + 1 : p;
    return true;
}

static bool write_dotted(struct wr *w, const char *s)
{
    uint64_t top, second, arc;
    TRY(take_arc(&s, &top) && take_arc(&s, &second));
    TRY(top < 3 && (top == 2 || second < 40));
    write_arc(w, top * 40 + second);
    while (*s) {
        TRY(take_arc(&s, &arc));
        write_arc(w, arc);
    }
    return true;
}

void oid_write(struct wr *w, const char *s)
{
    if (!s || !*s) {
        w->bad = true;
        return;
    }
    if (*s >= '0' && *s <= '9') {
        if (!write_dotted(w, s))
            w->bad = true;
        return;
    }
    for (int i = 1; i < OID_COUNT; i++)
        if (!strcasecmp(oid_rows[i].name, s)) {
            wr_span(w, oid_der((enum oid)i));
            return;
        }
    w->bad = true;
}
