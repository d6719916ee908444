/* dn.c - distinguished names: structure, comparison by RFC 5280 7.1, and text for people.
 *
 * Two names are the same when their RDNs are, in order; two RDNs when their attributes are, in any order; two
 * attribute values when their characters are, prepared by chars.c.  Values that are no strings must be the
 * same bytes.  Must never allocate. */
#include "base/text.h"
#include "x509/cert.h"
#include "x509/chars.h"
#include "x509/oid.h"

enum { RDN_ATTRIBUTES = LIMIT_RDN_ATTRIBUTES };

static bool values_equal(const struct der_tlv *a, const struct der_tlv *b)
{
    if (a->tag == b->tag && span_equal(a->value, b->value))
        return true;
    if (!is_string_type(a->tag) || !is_string_type(b->tag))
        return false;
    struct chars x = chars_of(a->tag, a->value), y = chars_of(b->tag, b->value);
    int32_t v;
    do {
        v = chars_next(&x);
        if (v != chars_next(&y))
            return false;
    } while (v != CHAR_END);
    return true;
}

/* ---- structure: Name ::= SEQUENCE OF SET OF SEQUENCE { type, value } (RFC 5280 4.1.2.4) */

struct attribute {
    span type;
    struct der_tlv value;
};

static bool attribute_next(struct rd *rdn, struct attribute *a)
{
    if (!rd_more(rdn))
        return false;
    struct rd seq = der_open(rdn, "AttributeTypeAndValue", DER_SEQUENCE);
    a->type = der_oid(&seq, "type");
    a->value = der_any(&seq, "value");
    der_end(&seq, "AttributeTypeAndValue");
    return rd_ok(rdn);
}

static const uint64_t fnv_start = UINT64_C(0xcbf29ce484222325), fnv_prime = UINT64_C(0x100000001b3);

static uint64_t mixed(uint64_t h)
{
    h ^= h >> 33;
    h *= UINT64_C(0xff51afd7ed558ccd);
    return h ^ h >> 29;
}

static uint64_t attribute_hash(const struct attribute *a)
{
    uint64_t h = fnv_start;
    for (size_t i = 0; i < a->type.n; i++)
        h = (h ^ a->type.p[i]) * fnv_prime;
    if (is_string_type(a->value.tag)) {
        struct chars c = chars_of(a->value.tag, a->value.value);
        for (int32_t v; (v = chars_next(&c)) != CHAR_END;)
            h = (h ^ (uint32_t)v) * fnv_prime;
    } else {
        for (size_t i = 0; i < a->value.raw.n; i++)
            h = (h ^ a->value.raw.p[i]) * fnv_prime;
    }
    return mixed(h);
}

span name_read(struct rd *r, const char *field, uint64_t *hash)
{
    span raw = SPAN_NONE;
    uint64_t h = fnv_start;
    struct rd name = der_open_raw(r, field, DER_SEQUENCE, &raw);
    while (rd_more(&name)) {
        struct rd rdn = der_open(&name, "RelativeDistinguishedName", DER_SET);
        if (!rd_more(&rdn))
            rd_fail(&rdn, "RelativeDistinguishedName", TROTH_R_DER_EMPTY); /* SIZE (1..MAX) */
        uint64_t sum = 0; /* so that the order within a SET does not matter */
        unsigned n = 0;
        for (struct attribute a; attribute_next(&rdn, &a);) {
            if (++n > RDN_ATTRIBUTES)
                rd_fail(&rdn, "RelativeDistinguishedName", TROTH_R_TOO_MANY);
            if (a.value.tag == DER_UTF8 && !der_string_ok(DER_UTF8, a.value.value))
                rd_fail(&rdn, "value", TROTH_R_DER_STRING);
            if (a.value.tag & 0x20 && is_string_type(a.value.tag ^ 0x20)) /* in pieces: X.690 10.2 */
                rd_fail(&rdn, "value", TROTH_R_DER_TAG);
            sum += attribute_hash(&a);
        }
        h = mixed(h * fnv_prime + sum);
    }
    *hash = h;
    return raw;
}

/* A reader over the RDNs of a Name whose structure was checked before. */
static struct rd name_open(struct rd_ctx *ctx, span name)
{
    rd_ctx_init(ctx, name, NULL);
    struct rd r = rd_init(ctx, name);
    return der_open(&r, "Name", DER_SEQUENCE);
}

uint64_t name_hash(span name)
{
    struct rd_ctx ctx;
    uint64_t h = 0;
    rd_ctx_init(&ctx, name, NULL);
    struct rd r = rd_init(&ctx, name);
    name_read(&r, "Name", &h);
    return h;
}

static size_t attributes_of(span rdn, struct attribute *out)
{
    struct rd_ctx ctx;
    rd_ctx_init(&ctx, rdn, NULL);
    struct rd r = rd_init(&ctx, rdn);
    size_t n = 0;
    while (n < RDN_ATTRIBUTES && attribute_next(&r, &out[n]))
        n++;
    return rd_ok(&r) && !rd_more(&r) ? n : SIZE_MAX; /* too many: not comparable but by bytes */
}

bool rdn_ok(span rdn)
{
    struct attribute a[RDN_ATTRIBUTES];
    size_t n = attributes_of(rdn, a);
    return n && n != SIZE_MAX;
}

static bool rdn_equal(span a, span b)
{
    if (span_equal(a, b))
        return true;
    struct attribute x[RDN_ATTRIBUTES], y[RDN_ATTRIBUTES];
    size_t n = attributes_of(a, x);
    if (n == SIZE_MAX || n != attributes_of(b, y))
        return false;
    uint32_t used = 0;
    for (size_t i = 0; i < n; i++) {
        size_t k = 0;
        while (k < n && ((used >> k & 1) || !span_equal(x[i].type, y[k].type) ||
                         !values_equal(&x[i].value, &y[k].value)))
            k++;
        if (k == n)
            return false;
        used |= BIT(k);
    }
    return true;
}

/* Do the names agree for as long as `b` goes?  *rest: something of `a` is left behind that. */
static bool names_agree(span a, span b, bool *rest)
{
    struct rd_ctx ca, cb;
    struct rd x = name_open(&ca, a), y = name_open(&cb, b);
    while (rd_more(&y)) {
        span rx = der_value(&x, "rdn", DER_SET), ry = der_value(&y, "rdn", DER_SET);
        if (!rd_ok(&x) || !rd_ok(&y) || !rdn_equal(rx, ry))
            return false;
    }
    *rest = rd_more(&x);
    return rd_ok(&x) && rd_ok(&y);
}

bool name_equal(span a, span b)
{
    bool rest;
    return span_equal(a, b) || (names_agree(a, b, &rest) && !rest);
}

bool name_within(span name, span base)
{
    bool rest;
    return names_agree(name, base, &rest);
}

/* ---- for people */

static void utf8_add(struct text *t, int32_t c)
{
    uint8_t b[4];
    text_escaped(t, span_of(b, char_utf8(b, c)));
}

/* `among` other attributes: a comma is a comma ("Example, Inc."), unless what follows could be taken for the next of them. */
static void value_text(struct text *t, const struct der_tlv *v, bool among)
{
    if (!is_string_type(v->tag)) {
        text_add(t, "#");
        text_hex(t, v->value);
        return;
    }
    struct chars look = chars_of(v->tag, v->value), c = look;
    bool equals = false;
    for (int32_t ch; (ch = chars_raw(&look)) != CHAR_END;)
        equals |= among && ch == '=';
    for (int32_t ch; (ch = chars_raw(&c)) != CHAR_END;) {
        if (equals && (ch == ',' || ch == '+')) /* as RFC 4514 2.4 has it */
            text_add(t, "\\");
        utf8_add(t, ch < CHAR_BROKEN && !char_is_nothing(ch) ? ch : '?');
    }
}

/* Attributes in the order of the name, at most as many as fit the table. */
static size_t name_attributes(span name, struct attribute *out, size_t cap)
{
    struct rd_ctx ctx;
    struct rd rdns = name_open(&ctx, name);
    size_t n = 0;
    while (rd_more(&rdns)) {
        struct rd rdn = der_open(&rdns, "rdn", DER_SET);
        while (n < cap && attribute_next(&rdn, &out[n]))
            n++;
    }
    return n;
}

void name_text(struct text *t, span name)
{
    struct attribute a[24];
    size_t n = name_attributes(name, a, COUNT_OF(a));
    if (n == 0)
        text_add(t, "(empty name)");
    for (size_t i = n; i-- > 0;) {
        oid_show(t, a[i].type);
        text_add(t, "=");
        value_text(t, &a[i].value, true);
        if (i)
            text_add(t, ", ");
    }
}

bool name_attribute(span name, span oid, struct text *out)
{
    struct attribute a[24];
    size_t n = name_attributes(name, a, COUNT_OF(a));
    while (n-- > 0)
        if (span_equal(a[n].type, oid)) {
            value_text(out, &a[n].value, false);
            return true;
        }
    return false;
}
