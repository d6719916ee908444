/* der.c - DER elements from bytes.
 *
 * Must never accept two encodings of one value where DER allows one, never allocate, never recurse without a
 * bound. */
#include "x509/der.h"

#include "base/text.h"

/* Tag and length.  *prefix: bytes of both; *n: bytes of content, known to be there.  False after a failure.
 */
static bool header(struct rd *r, const char *name, size_t *prefix, size_t *n)
{
    size_t left = rd_left(r);
    if (UNLIKELY(left < 2)) {
        rd_fail(r, name, TROTH_R_DER_SHORT);
        return false;
    }
    if (UNLIKELY((r->at[0] & 0x1f) == 0x1f)) {
        rd_fail(r, name, TROTH_R_DER_TAG);
        return false;
    }
    size_t first = r->at[1], more = 0, len = first;
    if (first >= 0x80) {
        more = first & 0x7f;
        if (more == 0 || more > 4) {
            rd_fail(r, name, TROTH_R_DER_LENGTH);
            return false;
        }
        if (left - 2 < more) {
            rd_fail(r, name, TROTH_R_DER_SHORT);
            return false;
        }
        len = 0;
        for (size_t i = 0; i < more; i++)
            len = len << 8 | r->at[2 + i];
        if (len < 0x80 || (more > 1 && r->at[2] == 0)) {
            rd_fail(r, name, TROTH_R_DER_LENGTH);
            return false;
        }
    }
    if (UNLIKELY(left - 2 - more < len)) {
        rd_fail(r, name, TROTH_R_DER_SHORT);
        return false;
    }
    *prefix = 2 + more;
    *n = len;
    return true;
}

/* The next element when its tag is `tag`; steps over it.  The shape it is told as is the caller's. */
static bool take(struct rd *r, const char *name, uint8_t tag, span *value, span *raw)
{
    *value = *raw = SPAN_NONE;
    if (UNLIKELY(rd_more(r) && r->at[0] != tag)) {
        rd_fail(r, name, TROTH_R_DER_TAG);
        return false;
    }
    size_t prefix, n;
    TRY(header(r, name, &prefix, &n));
    *raw = (span){ r->at, prefix + n };
    *value = (span){ r->at + prefix, n };
    r->at += prefix + n;
    return true;
}

static void told(struct rd *r, const char *name, span raw, span value, enum shape shape, uint64_t number)
{
    if (UNLIKELY(r->ctx->witness != NULL))
        rd_saw(r, name, NULL, raw.p, raw.n, number, shape, (uint8_t)(raw.n - value.n));
}

static void refuse(struct rd *r, const char *name, enum troth_reason why, span raw)
{
    rd_fail_at(r, name, why, (uint32_t)(raw.p - r->ctx->base));
}

struct der_tlv der_any(struct rd *r, const char *name)
{
    size_t prefix, n;
    if (!header(r, name, &prefix, &n))
        return (struct der_tlv){ 0, SPAN_NONE, SPAN_NONE };
    struct der_tlv e = { r->at[0], { r->at + prefix, n }, { r->at, prefix + n } };
    r->at += prefix + n;
    told(r, name, e.raw, e.value, SHAPE_BYTES, 0);
    return e;
}

span der_value(struct rd *r, const char *name, uint8_t tag)
{
    span value, raw;
    if (take(r, name, tag, &value, &raw))
        told(r, name, raw, value, SHAPE_BYTES, 0);
    return value;
}

span der_whole(struct rd *r, const char *name, uint8_t tag)
{
    span value, raw;
    if (take(r, name, tag, &value, &raw))
        told(r, name, raw, value, SHAPE_BYTES, 0);
    return raw;
}

span der_skip(struct rd *r, const char *name, uint8_t tag)
{
    span value, raw;
    (void)!take(r, name, tag, &value, &raw);
    return raw;
}

struct rd der_open_raw(struct rd *r, const char *name, uint8_t tag, span *raw)
{
    span value;
    if (!take(r, name, tag, &value, raw))
        return (struct rd){ r->end, r->end, r->ctx };
    told(r, name, *raw, value, SHAPE_GROUP, 0);
    return (struct rd){ value.p, value.p + value.n, r->ctx };
}

struct rd der_open(struct rd *r, const char *name, uint8_t tag)
{
    span raw;
    return der_open_raw(r, name, tag, &raw);
}

void der_end(struct rd *r, const char *name)
{
    if (UNLIKELY(rd_more(r)))
        rd_fail(r, name, TROTH_R_DER_TRAILING);
}

static bool boolean_of(struct rd *r, const char *name, uint8_t tag)
{
    span value, raw;
    if (!take(r, name, tag, &value, &raw))
        return false;
    if (value.n != 1 || (value.p[0] != 0 && value.p[0] != 0xff)) {
        refuse(r, name, TROTH_R_DER_VALUE, raw);
        return false;
    }
    told(r, name, raw, value, SHAPE_UINT, value.p[0] ? 1 : 0);
    return value.p[0] != 0;
}

bool der_boolean(struct rd *r, const char *name)
{
    return boolean_of(r, name, DER_BOOLEAN);
}

bool der_boolean_default_false(struct rd *r, const char *name, uint8_t tag)
{
    if (!der_next_is(r, tag))
        return false;
    const uint8_t *from = r->at;
    bool yes = boolean_of(r, name, tag);
    if (!yes && rd_ok(r))
        refuse(r, name, TROTH_R_DER_VALUE, (span){ from, 3 });
    return yes;
}

static bool integer_minimal(span v)
{
    if (v.n == 0)
        return false;
    return v.n == 1 || !((v.p[0] == 0 && v.p[1] < 0x80) || (v.p[0] == 0xff && v.p[1] >= 0x80));
}

span der_integer(struct rd *r, const char *name, uint8_t tag)
{
    span value, raw;
    if (!take(r, name, tag, &value, &raw))
        return SPAN_NONE;
    if (!integer_minimal(value)) {
        refuse(r, name, TROTH_R_DER_VALUE, raw);
        return SPAN_NONE;
    }
    told(r, name, raw, value, SHAPE_BYTES, 0);
    return value;
}

uint64_t der_small(struct rd *r, const char *name, uint8_t tag, uint64_t max)
{
    span value, raw;
    if (!take(r, name, tag, &value, &raw))
        return 0;
    if (!integer_minimal(value)) {
        refuse(r, name, TROTH_R_DER_VALUE, raw);
        return 0;
    }
    uint64_t v = 0;
    bool large = value.p[0] >= 0x80 || value.n > 9 || (value.n == 9 && value.p[0] != 0);
    for (size_t i = 0; i < value.n; i++)
        v = v << 8 | value.p[i];
    if (large || v > max) {
        refuse(r, name, TROTH_R_DER_RANGE, raw);
        return 0;
    }
    told(r, name, raw, value, SHAPE_UINT, v);
    return v;
}

uint32_t der_count(struct rd *r, const char *name, uint8_t tag)
{
    span value, raw;
    if (!take(r, name, tag, &value, &raw))
        return 0;
    if (!integer_minimal(value) || value.p[0] >= 0x80) {
        refuse(r, name, value.n && value.p[0] >= 0x80 ? TROTH_R_DER_RANGE : TROTH_R_DER_VALUE, raw);
        return 0;
    }
    uint64_t v = 0;
    for (size_t i = 0; i < value.n && v < UINT32_MAX; i++)
        v = v << 8 | value.p[i];
    uint32_t count = v < UINT32_MAX ? (uint32_t)v : UINT32_MAX;
    told(r, name, raw, value, SHAPE_UINT, count);
    return count;
}

span der_unsigned(struct rd *r, const char *name)
{
    span value, raw;
    if (!take(r, name, DER_INTEGER, &value, &raw))
        return SPAN_NONE;
    if (!integer_minimal(value)) {
        refuse(r, name, TROTH_R_DER_VALUE, raw);
        return SPAN_NONE;
    }
    if (value.p[0] >= 0x80 || (value.n == 1 && value.p[0] == 0)) {
        refuse(r, name, TROTH_R_DER_RANGE, raw);
        return SPAN_NONE;
    }
    told(r, name, raw, value, SHAPE_BYTES, 0);
    return value.p[0] ? value : (span){ value.p + 1, value.n - 1 };
}

bool der_oid_ok(span v)
{
    if (v.n == 0 || v.p[v.n - 1] >= 0x80)
        return false;
    for (size_t i = 0; i < v.n; i++)
        if (v.p[i] == 0x80 && (i == 0 || v.p[i - 1] < 0x80))
            return false; /* an arc with a leading zero digit */
    return true;
}

span der_oid(struct rd *r, const char *name)
{
    span value, raw;
    if (!take(r, name, DER_OID, &value, &raw))
        return SPAN_NONE;
    if (!der_oid_ok(value)) {
        refuse(r, name, TROTH_R_DER_VALUE, raw);
        return SPAN_NONE;
    }
    told(r, name, raw, value, SHAPE_BYTES, 0);
    return value;
}

span der_octets(struct rd *r, const char *name)
{
    return der_value(r, name, DER_OCTET_STRING);
}

void der_null(struct rd *r, const char *name)
{
    span value, raw;
    if (!take(r, name, DER_NULL, &value, &raw))
        return;
    if (value.n)
        refuse(r, name, TROTH_R_DER_VALUE, raw);
    else
        told(r, name, raw, value, SHAPE_BYTES, 0);
}

static bool bits_read(struct rd *r, const char *name, uint8_t tag, struct der_bits *out, span *raw)
{
    span value;
    *out = (struct der_bits){ SPAN_NONE, 0 };
    TRY(take(r, name, tag, &value, raw));
    uint8_t unused = value.n ? value.p[0] : 8;
    bool ok = unused <= 7 && (unused == 0 || (value.n > 1 && !(value.p[value.n - 1] & ((1u << unused) - 1))));
    if (!ok) {
        refuse(r, name, TROTH_R_DER_VALUE, *raw);
        return false;
    }
    *out = (struct der_bits){ { value.p + 1, value.n - 1 }, unused };
    return true;
}

struct der_bits der_bit_string(struct rd *r, const char *name, uint8_t tag)
{
    struct der_bits bits;
    span raw;
    if (bits_read(r, name, tag, &bits, &raw))
        told(r, name, raw, bits.bytes, SHAPE_BYTES, 0);
    return bits;
}

struct rd der_open_bits(struct rd *r, const char *name)
{
    struct der_bits bits;
    span raw;
    if (bits_read(r, name, DER_BIT_STRING, &bits, &raw) && bits.unused)
        refuse(r, name, TROTH_R_DER_VALUE, raw);
    if (!rd_ok(r))
        return (struct rd){ r->end, r->end, r->ctx };
    told(r, name, raw, bits.bytes, SHAPE_GROUP, 0);
    return (struct rd){ bits.bytes.p, bits.bytes.p + bits.bytes.n, r->ctx };
}

struct rd der_open_octets(struct rd *r, const char *name)
{
    return der_open(r, name, DER_OCTET_STRING);
}

uint32_t der_named_bits(struct rd *r, const char *name, uint8_t tag)
{
    struct der_bits bits;
    span raw;
    if (!bits_read(r, name, tag, &bits, &raw))
        return 0;
    span b = bits.bytes;
    if (b.n > 2) {
        refuse(r, name, TROTH_R_DER_VALUE, raw); /* more bits than any standard names */
        return 0;
    }
    uint32_t v = 0;
    for (size_t i = 0; i < b.n * 8; i++)
        if (b.p[i / 8] & (0x80 >> i % 8))
            v |= BIT(i);
    told(r, name, raw, b, SHAPE_UINT, v);
    return v;
}

static int digits(const uint8_t *p, size_t n)
{
    int v = 0;
    for (size_t i = 0; i < n; i++) {
        if (p[i] < '0' || p[i] > '9')
            return -1;
        v = v * 10 + (p[i] - '0');
    }
    return v;
}

static int days_in_month(int year, int month)
{
    static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

/* "YYYYMMDDHHMMSSZ" without its century where it is a UTCTime. */
static bool time_of(span v, bool utc, int64_t *out, int *year)
{
    size_t y = utc ? 2 : 4;
    TRY(v.n == y + 11 && v.p[v.n - 1] == 'Z');
    int yy = digits(v.p, y), mo = digits(v.p + y, 2), d = digits(v.p + y + 2, 2), h = digits(v.p + y + 4, 2),
        mi = digits(v.p + y + 6, 2), s = digits(v.p + y + 8, 2);
    TRY(yy >= 0 && mo >= 1 && mo <= 12 && d >= 1 && h >= 0 && h <= 23 && mi >= 0 && mi <= 59 && s >= 0 &&
        s <= 59);
    *year = utc ? (yy < 50 ? 2000 + yy : 1900 + yy) : yy;
    TRY(d <= days_in_month(*year, mo));
    *out = time_from_civil(*year, mo, d, h, mi, s);
    return true;
}

static int64_t time_read(struct rd *r, const char *name, uint8_t tag, bool utc, bool choice)
{
    span value, raw;
    if (!take(r, name, tag, &value, &raw))
        return 0;
    int64_t t = 0;
    int year = 0;
    if (!time_of(value, utc, &t, &year) || (choice && !utc && year < 2050)) {
        refuse(r, name, TROTH_R_DER_TIME, raw);
        return 0;
    }
    told(r, name, raw, value, SHAPE_BYTES, 0);
    return t;
}

int64_t der_time(struct rd *r, const char *name, bool rfc5280_choice)
{
    bool utc = !der_next_is(r, DER_GENERALIZED_TIME);
    return time_read(r, name, utc ? DER_UTC_TIME : DER_GENERALIZED_TIME, utc, rfc5280_choice);
}

int64_t der_generalized_time(struct rd *r, const char *name, uint8_t tag)
{
    return time_read(r, name, tag, false, false);
}

static bool utf8_ok(span s)
{
    for (size_t i = 0; i < s.n;) {
        uint8_t c = s.p[i];
        size_t more = c < 0x80                 ? 0
                      : c >= 0xc2 && c < 0xe0  ? 1
                      : (c & 0xf0) == 0xe0     ? 2
                      : c >= 0xf0 && c <= 0xf4 ? 3
                                               : 9;
        if (more > s.n - i - 1)
            return false;
        uint32_t v = more ? c & (0x3fu >> more) : c;
        for (size_t k = 1; k <= more; k++) {
            if ((s.p[i + k] & 0xc0) != 0x80)
                return false;
            v = v << 6 | (s.p[i + k] & 0x3f);
        }
        if ((more == 2 && (v < 0x800 || (v >= 0xd800 && v < 0xe000))) ||
            (more == 3 && (v < 0x10000 || v > 0x10ffff)))
            return false;
        i += 1 + more;
    }
    return true;
}

static bool printable(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr(" '()+,-./:=?", c));
}

bool der_string_ok(uint8_t tag, span s)
{
    if (tag == DER_UTF8)
        return utf8_ok(s);
    if (tag == DER_BMP)
        return s.n % 2 == 0;
    if (tag == DER_UNIVERSAL)
        return s.n % 4 == 0;
    if (tag != DER_PRINTABLE && tag != DER_NUMERIC && tag != DER_IA5 && tag != DER_VISIBLE)
        return true;
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i];
        if ((tag == DER_PRINTABLE && !printable(c)) ||
            (tag == DER_NUMERIC && c != ' ' && (c < '0' || c > '9')) || (tag == DER_IA5 && c >= 0x80) ||
            (tag == DER_VISIBLE && (c < 0x20 || c > 0x7e)))
            return false;
    }
    return true;
}

bool der_tree_ok(span s, unsigned depth)
{
    struct rd_ctx ctx;
    rd_ctx_init(&ctx, s, NULL);
    struct rd r = rd_init(&ctx, s);
    while (rd_more(&r)) {
        struct der_tlv e = der_any(&r, "element");
        if (rd_ok(&r) && (e.tag & 0x20) && (depth == 0 || !der_tree_ok(e.value, depth - 1)))
            return false;
    }
    return rd_ok(&r);
}
