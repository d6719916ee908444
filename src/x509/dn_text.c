/* dn_text.c - names as RFC 4514 text.  Must never print a byte that a terminal obeys. */
#include "x509/dn_text.h"

#include "x509/der.h"
#include "x509/oid.h"

enum { RDNS_MAX = 64, UTF8_MAX = 1024 };

/* One character as UTF-8; how many bytes. */
static size_t utf8_of(uint8_t out[4], uint32_t c)
{
    if (c < 0x80) {
        out[0] = (uint8_t)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (uint8_t)(0xc0 | c >> 6);
        out[1] = (uint8_t)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c > 0x10ffff) { /* no character: shown as a byte that is none either */
        out[0] = 0xff;
        return 1;
    }
    if (c < 0x10000) {
        out[0] = (uint8_t)(0xe0 | c >> 12);
        out[1] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
        out[2] = (uint8_t)(0x80 | (c & 0x3f));
        return 3;
    }
    out[0] = (uint8_t)(0xf0 | (c >> 18 & 7));
    out[1] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
    out[2] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
    out[3] = (uint8_t)(0x80 | (c & 0x3f));
    return 4;
}

static bool is_string(uint8_t tag)
{
    return tag == DER_UTF8 || tag == DER_PRINTABLE || tag == DER_TELETEX || tag == DER_IA5 || tag == DER_NUMERIC ||
           tag == DER_VISIBLE || tag == DER_BMP || tag == DER_UNIVERSAL;
}

/* The characters as UTF-8 in `out`; *cut: some did not fit. */
static size_t to_utf8(uint8_t *out, size_t cap, uint8_t tag, span s, bool *cut)
{
    size_t width = tag == DER_BMP ? 2 : tag == DER_UNIVERSAL ? 4 : 1, n = 0, i = 0;
    for (; i + width <= s.n && n + 4 <= cap; i += width) {
        uint32_t c = 0;
        for (size_t k = 0; k < width; k++)
            c = c << 8 | s.p[i + k];
        if (tag == DER_UTF8)
            out[n++] = s.p[i];
        else
            n += utf8_of(out + n, c);
    }
    *cut = i < s.n;
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
    if (oid_find(type) == OID_NONE || !is_string(value.tag)) {
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
