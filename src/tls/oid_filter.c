/* oid_filter.c - matching a certificate with oid_filters.  Must never take a value it cannot read for one that is met. */
#include "tls/oid_filter.h"

#include "wire/ext.h"
#include "x509/oid.h"

enum { PURPOSES_MAX = 64 }; /* in one filter: nobody has more uses */

/* ---- keyUsage: named bits, all of which must be there */
static bool read_usage(span values, uint32_t *bits)
{
    struct rd_ctx ctx;
    rd_ctx_init(&ctx, values, NULL);
    struct rd r = rd_init(&ctx, values);
    *bits = der_named_bits(&r, "KeyUsage", DER_BIT_STRING);
    rd_end(&r, "KeyUsage");
    return rd_ok(&r);
}

static bool usage_met(const struct cert *leaf, span values)
{
    uint32_t bits;
    return read_usage(values, &bits) && (leaf->key_usage & bits) == bits;
}

/* ---- extKeyUsage: purposes, each of which must be there */
struct purposes {
    span   oid[PURPOSES_MAX];
    size_t n;
};

static bool read_purposes(span values, struct purposes *p)
{
    struct rd_ctx ctx;
    rd_ctx_init(&ctx, values, NULL);
    struct rd r = rd_init(&ctx, values), list = der_open(&r, "ExtKeyUsage", DER_SEQUENCE);
    p->n = 0;
    while (rd_more(&list) && p->n < PURPOSES_MAX)
        p->oid[p->n++] = der_oid(&list, "KeyPurposeId");
    der_end(&list, "ExtKeyUsage");
    rd_end(&r, "ExtKeyUsage");
    return rd_ok(&r) && p->n;
}

static bool have_purpose(const struct purposes *p, span oid)
{
    for (size_t i = 0; i < p->n; i++)
        if (span_equal(p->oid[i], oid))
            return true;
    return false;
}

static bool purposes_met(const struct cert *leaf, span values)
{
    struct purposes wanted, has;
    if (!read_purposes(values, &wanted) || !read_purposes(leaf->ext[CX_EXT_KEY_USAGE], &has))
        return false;
    for (size_t i = 0; i < wanted.n; i++)
        if (!have_purpose(&has, wanted.oid[i]))
            return false;
    return true;
}

/* ---- one filter */
static bool met(const struct cert *leaf, span oid, span values)
{
    enum cert_ext x = ext_by_oid(oid);
    if (x != CX_KEY_USAGE && x != CX_EXT_KEY_USAGE)
        return true;
    if (!cert_has(leaf, x))
        return false;
    if (!values.n) /* any value will do */
        return true;
    return x == CX_KEY_USAGE ? usage_met(leaf, values) : purposes_met(leaf, values);
}

bool oid_filters_match(const struct cert *leaf, span filters)
{
    span oid, values;
    while (oid_filter_next(&filters, &oid, &values))
        if (!met(leaf, oid, values))
            return false;
    return true;
}

bool oid_filter_readable(span oid, span values)
{
    enum cert_ext x = ext_by_oid(oid);
    struct purposes p;
    uint32_t bits;
    if (!values.n || (x != CX_KEY_USAGE && x != CX_EXT_KEY_USAGE))
        return true;
    if (x == CX_KEY_USAGE)
        return read_usage(values, &bits);
    if (!read_purposes(values, &p))
        return false;
    for (size_t i = 0; i < p.n; i++)
        if (oid_is(p.oid[i], OID_KP_ANY))
            return false;
    return true;
}

const char *oid_filters_wrong(span filters)
{
    span oid, values, before, any;
    size_t n = 0;
    for (span list = filters; oid_filter_next(&list, &oid, &values);) {
        if (++n > LIMIT_OID_FILTERS)
            return "more of them than are looked at";
        if (!oid_filter_readable(oid, values))
            return "a value that cannot be read, or anyExtendedKeyUsage";
        for (span first = filters; oid_filter_next(&first, &before, &any) && before.p != oid.p;)
            if (span_equal(before, oid))
                return "an extension is named twice";
    }
    return NULL;
}
