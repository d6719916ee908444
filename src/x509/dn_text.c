/* dn_text.c - names as RFC 4514 text.  Must never print a byte that a terminal obeys. */
#include "x509/dn_text.h"

#include "x509/chars.h"
#include "x509/oid.h"

enum { RDNS_MAX = 64, UTF8_MAX = 1024 };

/* The string as UTF-8 in `out`, what is no character as bytes that are none either; *cut: some did not fit. */
static size_t to_utf8(uint8_t *out, size_t cap, uint8_t tag, span s, bool *cut)
{
    size_t n = 0;
    if (tag == DER_UTF8) {
        n = s.n < cap ? s.n : cap;
        memcpy(out, s.p, n);
        *cut = n < s.n;
        return n;
    }
    struct chars c = chars_of(tag, s);
    while (c.at < c.end && n + 4 <= cap)
        n += char_utf8(out + n, chars_raw(&c));
    *cut = c.at < c.end;
    return n;
}

void der_string_text(struct text *t, uint8_t tag, span content)
{
    uint8_t utf8[UTF8_MAX];
    bool cut;
    text_escaped(t, span_of(utf8, to_utf8(utf8, sizeof utf8, tag, content, &cut)));
    if (cut)
        text_add(t, "...");
}

/* text_escaped finds what is unprintable: such a byte is shown as \xx here, and what RFC 4514 2.4 lists gets its backslash. */
static void value_text(struct text *t, span utf8)
{
    for (size_t i = 0; i < utf8.n && !t->cut;) {
        uint8_t c = utf8.p[i];
        bool edge = (c == ' ' && (i == 0 || i + 1 == utf8.n)) || (c == '#' && i == 0);
        if (edge || strchr("\"+,;<>\\", c)) {
            text_add(t, c ? "\\%c" : "\\00", c);
            i++;
            continue;
        }
        char one[16];
        size_t n = c < 0x80 ? 1 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
        struct text probe = TEXT_IN(one);
        text_escaped(&probe, span_slice(utf8, i, n));
        if (one[0] == '\\') { /* not printable, or not UTF-8: this byte alone */
            text_add(t, "\\%02x", c);
            i++;
        } else {
            text_add(t, "%s", one);
            i += n;
        }
    }
}

static void attribute_text(struct text *t, struct rd *rdn)
{
    struct rd r = der_open(rdn, "AttributeTypeAndValue", DER_SEQUENCE);
    span type = der_oid(&r, "type");
    struct der_tlv value = der_any(&r, "value");
    if (!rd_ok(&r))
        return;
    uint8_t utf8[UTF8_MAX];
    oid_show(t, type);
    text_add(t, "=");
    if (oid_find(type) == OID_NONE || !is_string_type(value.tag)) {
        text_add(t, "#");
        text_hex(t, value.raw);
    } else {
        bool cut;
        value_text(t, span_of(utf8, to_utf8(utf8, sizeof utf8, value.tag, value.value, &cut)));
        if (cut)
            text_add(t, "...");
    }
}

static void rdn_text(struct text *t, span rdn)
{
    struct rd_ctx ctx;
    rd_ctx_init(&ctx, rdn, NULL);
    struct rd r = rd_init(&ctx, rdn);
    for (bool first = true; rd_more(&r) && !t->cut; first = false) {
        if (!first)
            text_add(t, "+");
        attribute_text(t, &r);
    }
}

void dn_text(struct text *t, span name)
{
    struct rd_ctx ctx;
    rd_ctx_init(&ctx, name, NULL);
    struct rd all = rd_init(&ctx, name), r = der_open(&all, "Name", DER_SEQUENCE);
    span rdns[RDNS_MAX];
    size_t n = 0, skipped = 0;
    while (rd_more(&r)) {
        span rdn = der_value(&r, "RelativeDistinguishedName", DER_SET);
        if (n < RDNS_MAX)
            rdns[n++] = rdn;
        else
            skipped++;
    }
    if (!rd_ok(&all)) {
        text_add(t, "(malformed)");
        return;
    }
    for (size_t i = n; i-- > 0;) {
        rdn_text(t, rdns[i]);
        if (i)
            text_add(t, ",");
    }
    if (skipped)
        text_add(t, ",(%zu more)", skipped);
}
