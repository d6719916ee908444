/* der_wr.c - the DER writer.  Must never write past the writer's room; works the same when only measuring. */
#include "x509/der_wr.h"

#include "base/text.h"

size_t dw_open(struct wr *w, uint8_t tag)
{
    wr_u8(w, tag);
    wr_u8(w, 0);
    return w->n;
}

/* The length needs more than the one byte left for it: moves the content up. */
void dw_close(struct wr *w, size_t mark)
{
    if (w->bad)
        return;
    size_t n = w->n - mark, more = 0;
    for (size_t v = n; n >= 0x80 && v; v >>= 8)
        more++;
    if (more && !wr_room(w, more) && w->bad)
        return;
    if (!w->p)
        return;
    if (more)
        memmove(w->p + mark + more, w->p + mark, n);
    w->p[mark - 1] = (uint8_t)(more ? 0x80 | more : n);
    for (size_t i = 0; i < more; i++)
        w->p[mark + i] = (uint8_t)(n >> (8 * (more - 1 - i)));
}

size_t dw_open_bits(struct wr *w)
{
    size_t m = dw_open(w, W_BITS);
    wr_u8(w, 0);
    return m;
}

void dw_tlv(struct wr *w, uint8_t tag, span content)
{
    size_t m = dw_open(w, tag);
    wr_span(w, content);
    dw_close(w, m);
}

void dw_text(struct wr *w, uint8_t tag, const char *content)
{
    dw_tlv(w, tag, span_of(content, strlen(content)));
}

void dw_null(struct wr *w)
{
    dw_tlv(w, W_NULL, SPAN_NONE);
}

void dw_bool(struct wr *w, bool v)
{
    dw_tlv(w, W_BOOLEAN, span_of(v ? "\xff" : "\0", 1));
}

void dw_int(struct wr *w, uint8_t tag, int64_t v)
{
    size_t n = 8;
    while (n > 1 && v >= -((int64_t)1 << (8 * (n - 1) - 1)) && v < (int64_t)1 << (8 * (n - 1) - 1))
        n--;
    size_t m = dw_open(w, tag);
    for (size_t i = n; i-- > 0;)
        wr_u8(w, (uint8_t)((uint64_t)v >> (8 * i)));
    dw_close(w, m);
}

void dw_unsigned(struct wr *w, uint8_t tag, span bytes)
{
    while (bytes.n && !bytes.p[0])
        bytes = span_slice(bytes, 1, bytes.n - 1);
    size_t m = dw_open(w, tag);
    if (!bytes.n || bytes.p[0] & 0x80)
        wr_u8(w, 0);
    wr_span(w, bytes);
    dw_close(w, m);
}

void dw_oid(struct wr *w, enum oid id)
{
    dw_tlv(w, W_OID, oid_der(id));
}

void dw_oid_text(struct wr *w, const char *name_or_dotted)
{
    size_t m = dw_open(w, W_OID);
    oid_write(w, name_or_dotted);
    dw_close(w, m);
}

void dw_bits(struct wr *w, uint8_t tag, span bytes)
{
    size_t m = dw_open(w, tag);
    wr_u8(w, 0);
    wr_span(w, bytes);
    dw_close(w, m);
}

void dw_named_bits(struct wr *w, uint8_t tag, uint32_t bits)
{
    unsigned n = 0; /* bits that are sent */
    for (unsigned i = 0; i < 32; i++)
        if (bits >> i & 1)
            n = i + 1;
    size_t m = dw_open(w, tag);
    wr_u8(w, (uint8_t)((8 - n % 8) % 8));
    for (unsigned at = 0; at < n; at += 8) {
        uint8_t b = 0;
        for (unsigned i = 0; i < 8 && at + i < 32; i++)
            b = (uint8_t)(b | (bits >> (at + i) & 1) << (7 - i));
        wr_u8(w, b);
    }
    dw_close(w, m);
}

/* `from`: 0 for "YYYYMMDDHHMMSSZ", 2 for "YYMMDDHHMMSSZ". */
static void write_time(struct wr *w, uint8_t tag, int64_t unix_seconds, size_t from)
{
    char iso[40], digits[40];
    struct text t = TEXT_IN(iso);
    text_time(&t, unix_seconds);
    size_t n = 0;
    for (size_t i = 0; i < t.n; i++)
        if ((iso[i] >= '0' && iso[i] <= '9') || iso[i] == 'Z')
            digits[n++] = iso[i];
    if (n != 15 || iso[0] == '-')
        w->bad = true; /* beyond the year 9999, or before the year 0 */
    else
        dw_tlv(w, tag, span_of(digits + from, n - from));
}

void dw_time(struct wr *w, int64_t unix_seconds)
{
    bool utc = unix_seconds >= time_from_civil(1950, 1, 1, 0, 0, 0) && unix_seconds < time_from_civil(2050, 1, 1, 0, 0, 0);
    write_time(w, utc ? W_UTC_TIME : W_GENERALIZED_TIME, unix_seconds, utc ? 2 : 0);
}

void dw_generalized_time(struct wr *w, uint8_t tag, int64_t unix_seconds)
{
    write_time(w, tag, unix_seconds, 0);
}
