/* issue_ext.c - the extensions of a certificate, written from its specification.  One row each: what it is called, whether RFC 5280
 * makes it critical, whether it is wanted, how its value is written. */
#include <stdlib.h>

#include "x509/issue_ext.h"

void extension_write(struct wr *w, const char *oid, bool critical, span value)
{
    size_t m = dw_open(w, W_SEQUENCE);
    dw_oid_text(w, oid);
    if (critical)
        dw_bool(w, true);
    dw_tlv(w, W_OCTETS, value);
    dw_close(w, m);
}

/* ---- distribution points */

void dp_name_write(struct wr *w, const struct issue_dp *dp)
{
    if (!dp->names && !dp->relative)
        return;
    size_t m = dw_open(w, W_CONSTRUCTED(0));
    if (dp->names) {
        size_t full = dw_open(w, W_CONSTRUCTED(0));
        general_names_write(w, dp->names);
        dw_close(w, full);
    } else {
        rdn_write(w, W_CONSTRUCTED(1), dp->relative);
    }
    dw_close(w, m);
}

void dps_write(struct wr *w, const struct issue_dp *dps, size_t n)
{
    size_t m = dw_open(w, W_SEQUENCE);
    for (size_t i = 0; i < n; i++) {
        size_t dp = dw_open(w, W_SEQUENCE);
        dp_name_write(w, &dps[i]);
        if (dps[i].reasons)
            dw_named_bits(w, W_CONTEXT(1), dps[i].reasons);
        if (dps[i].crl_issuer) {
            size_t issuer = dw_open(w, W_CONSTRUCTED(2));
            general_names_write(w, dps[i].crl_issuer);
            dw_close(w, issuer);
        }
        dw_close(w, dp);
    }
    dw_close(w, m);
}

/* ---- values, one function each */

static void write_basic(struct wr *w, const struct issue_parts *s)
{
    size_t m = dw_open(w, W_SEQUENCE);
    if (s->spec->ca)
        dw_bool(w, true);
    if (s->spec->has_path_len)
        dw_int(w, W_INTEGER, s->spec->path_len);
    dw_close(w, m);
}

static void write_key_usage(struct wr *w, const struct issue_parts *s)
{
    dw_named_bits(w, W_BITS, s->spec->key_usage);
}

static void write_eku(struct wr *w, const struct issue_parts *s)
{
    size_t m = dw_open(w, W_SEQUENCE);
    for (const char *const *t = s->spec->eku; *t; t++)
        dw_oid_text(w, *t);
    dw_close(w, m);
}

static void write_names(struct wr *w, const char *const *names)
{
    size_t m = dw_open(w, W_SEQUENCE);
    general_names_write(w, names);
    dw_close(w, m);
}

static void write_san(struct wr *w, const struct issue_parts *s)
{
    write_names(w, s->spec->san);
}

static void write_ian(struct wr *w, const struct issue_parts *s)
{
    write_names(w, s->spec->ian);
}

static void write_ski(struct wr *w, const struct issue_parts *s)
{
    dw_tlv(w, W_OCTETS, s->ski);
}

static void write_aki(struct wr *w, const struct issue_parts *s)
{
    size_t m = dw_open(w, W_SEQUENCE);
    if (s->aki.n)
        dw_tlv(w, W_CONTEXT(0), s->aki);
    if (s->spec->aki_issuer) {
        size_t issuer = dw_open(w, W_CONSTRUCTED(1));
        general_names_write(w, s->spec->aki_issuer);
        dw_close(w, issuer);
    }
    if (s->spec->aki_serial.n)
        dw_unsigned(w, W_CONTEXT(2), s->spec->aki_serial);
    dw_close(w, m);
}

static void write_policy(struct wr *w, const char *text)
{
    char oid[100];
    const char *space = strchr(text, ' ');
    size_t n = space ? (size_t)(space - text) : strlen(text);
    if (n >= sizeof oid || (space && strncmp(space, " cps=", 5) != 0)) {
        w->bad = true;
        return;
    }
    memcpy(oid, text, n);
    oid[n] = 0;
    size_t m = dw_open(w, W_SEQUENCE);
    dw_oid_text(w, oid);
    if (space) {
        size_t all = dw_open(w, W_SEQUENCE), one = dw_open(w, W_SEQUENCE);
        dw_oid(w, OID_QT_CPS);
        dw_text(w, W_IA5, space + 5);
        dw_close(w, one);
        dw_close(w, all);
    }
    dw_close(w, m);
}

static void write_policies(struct wr *w, const struct issue_parts *s)
{
    size_t m = dw_open(w, W_SEQUENCE);
    for (const char *const *t = s->spec->policies; *t; t++)
        write_policy(w, *t);
    dw_close(w, m);
}

/* "left=right": both OIDs, or an OID and a URI. */
static void write_pair(struct wr *w, const char *text, bool uri)
{
    char left[100];
    const char *eq = strchr(text, '=');
    if (!eq || (size_t)(eq - text) >= sizeof left) {
        w->bad = true;
        return;
    }
    memcpy(left, text, (size_t)(eq - text));
    left[eq - text] = 0;
    size_t m = dw_open(w, W_SEQUENCE);
    dw_oid_text(w, left);
    if (uri)
        dw_text(w, W_CONTEXT(6), eq + 1);
    else
        dw_oid_text(w, eq + 1);
    dw_close(w, m);
}

static void write_mappings(struct wr *w, const struct issue_parts *s)
{
    size_t m = dw_open(w, W_SEQUENCE);
    for (const char *const *t = s->spec->mappings; *t; t++)
        write_pair(w, *t, false);
    dw_close(w, m);
}

static void write_aia(struct wr *w, const struct issue_parts *s)
{
    size_t m = dw_open(w, W_SEQUENCE);
    for (const char *const *t = s->spec->aia; *t; t++)
        write_pair(w, *t, true);
    dw_close(w, m);
}

static void write_policy_constraints(struct wr *w, const struct issue_parts *s)
{
    size_t m = dw_open(w, W_SEQUENCE);
    if (s->spec->has_require_explicit)
        dw_int(w, W_CONTEXT(0), s->spec->require_explicit);
    if (s->spec->has_inhibit_mapping)
        dw_int(w, W_CONTEXT(1), s->spec->inhibit_mapping);
    dw_close(w, m);
}

static void write_inhibit_any(struct wr *w, const struct issue_parts *s)
{
    dw_int(w, W_INTEGER, s->spec->inhibit_any);
}

static void write_subtrees(struct wr *w, unsigned n, const char *const *bases)
{
    if (!bases)
        return;
    size_t m = dw_open(w, W_CONSTRUCTED(n));
    for (; *bases; bases++) {
        size_t subtree = dw_open(w, W_SEQUENCE);
        general_name_write(w, *bases);
        dw_close(w, subtree);
    }
    dw_close(w, m);
}

static void write_constraints(struct wr *w, const struct issue_parts *s)
{
    size_t m = dw_open(w, W_SEQUENCE);
    write_subtrees(w, 0, s->spec->permitted);
    write_subtrees(w, 1, s->spec->excluded);
    dw_close(w, m);
}

static void write_cdp(struct wr *w, const struct issue_parts *s)
{
    dps_write(w, s->spec->cdp, s->spec->n_cdp);
}

static void write_freshest(struct wr *w, const struct issue_parts *s)
{
    dps_write(w, s->spec->freshest, s->spec->n_freshest);
}

static void write_feature(struct wr *w, const struct issue_parts *s)
{
    (void)s;
    size_t m = dw_open(w, W_SEQUENCE);
    dw_int(w, W_INTEGER, 5); /* status_request: must-staple (RFC 7633) */
    dw_close(w, m);
}

static void write_null(struct wr *w, const struct issue_parts *s)
{
    (void)s;
    dw_null(w);
}

static void write_scts(struct wr *w, const struct issue_parts *s)
{
    dw_tlv(w, W_OCTETS, s->spec->sct_list);
}

/* ---- the table */

/* clang-format off */
static bool wants_basic(const struct issue_parts *s)     { return s->spec->ca || s->spec->not_ca || s->spec->has_path_len; }
static bool wants_key_usage(const struct issue_parts *s) { return s->spec->key_usage; }
static bool wants_eku(const struct issue_parts *s)       { return s->spec->eku; }
static bool wants_san(const struct issue_parts *s)       { return s->spec->san; }
static bool wants_ian(const struct issue_parts *s)       { return s->spec->ian; }
static bool wants_ski(const struct issue_parts *s)       { return s->ski.n && !s->request; }
static bool wants_aki(const struct issue_parts *s)       { return !s->request && (s->aki.n || s->spec->aki_issuer || s->spec->aki_serial.n); }
static bool wants_policies(const struct issue_parts *s)  { return s->spec->policies; }
static bool wants_mappings(const struct issue_parts *s)  { return s->spec->mappings; }
static bool wants_pc(const struct issue_parts *s)        { return s->spec->has_require_explicit || s->spec->has_inhibit_mapping; }
static bool wants_inhibit(const struct issue_parts *s)   { return s->spec->has_inhibit_any; }
static bool wants_nc(const struct issue_parts *s)        { return s->spec->permitted || s->spec->excluded; }
static bool wants_cdp(const struct issue_parts *s)       { return s->spec->n_cdp; }
static bool wants_freshest(const struct issue_parts *s)  { return s->spec->n_freshest; }
static bool wants_aia(const struct issue_parts *s)       { return s->spec->aia; }
static bool wants_feature(const struct issue_parts *s)   { return s->spec->must_staple; }
static bool wants_no_check(const struct issue_parts *s)  { return s->spec->ocsp_no_check; }
static bool wants_poison(const struct issue_parts *s)    { return s->spec->ct_poison; }
static bool wants_scts(const struct issue_parts *s)      { return s->spec->sct_list.n; }

static const struct row {
    uint32_t bit;      /* enum issue_x: 0 where neither criticality nor presence is a choice */
    enum oid oid;
    bool     critical;
    bool   (*wanted)(const struct issue_parts *);
    void   (*write)(struct wr *, const struct issue_parts *);
} rows[] = {
    { IX_BASIC,              OID_CE_BASIC,              true,  wants_basic,     write_basic              },
    { IX_KEY_USAGE,          OID_CE_KEY_USAGE,          true,  wants_key_usage, write_key_usage          },
    { IX_EKU,                OID_CE_EKU,                false, wants_eku,       write_eku                },
    { IX_SKI,                OID_CE_SKI,                false, wants_ski,       write_ski                },
    { IX_AKI,                OID_CE_AKI,                false, wants_aki,       write_aki                },
    { IX_SAN,                OID_CE_SAN,                false, wants_san,       write_san                },
    { IX_IAN,                OID_CE_IAN,                false, wants_ian,       write_ian                },
    { IX_NAME_CONSTRAINTS,   OID_CE_NAME_CONSTRAINTS,   true,  wants_nc,        write_constraints        },
    { IX_POLICIES,           OID_CE_POLICIES,           false, wants_policies,  write_policies           },
    { IX_MAPPINGS,           OID_CE_MAPPINGS,           true,  wants_mappings,  write_mappings           },
    { IX_POLICY_CONSTRAINTS, OID_CE_POLICY_CONSTRAINTS, true,  wants_pc,        write_policy_constraints },
    { IX_INHIBIT_ANY,        OID_CE_INHIBIT_ANY,        true,  wants_inhibit,   write_inhibit_any        },
    { IX_CDP,                OID_CE_CDP,                false, wants_cdp,       write_cdp                },
    { IX_FRESHEST,           OID_CE_FRESHEST,           false, wants_freshest,  write_freshest           },
    { IX_AIA,                OID_PE_AIA,                false, wants_aia,       write_aia                },
    { IX_TLS_FEATURE,        OID_PE_TLS_FEATURE,        false, wants_feature,   write_feature            },
    { 0,                     OID_OCSP_NO_CHECK,         false, wants_no_check,  write_null               },
    { 0,                     OID_CT_POISON,             true,  wants_poison,    write_null               },
    { 0,                     OID_CT_SCTS,               false, wants_scts,      write_scts               },
};
/* clang-format on */

/* An empty subject makes the subjectAltName critical (RFC 5280 4.2.1.6). */
static bool is_critical(const struct row *r, const struct issue_parts *s)
{
    bool critical = r->critical || (r->bit == IX_SAN && name_is_empty(s->subject));
    return (s->spec->flip & r->bit) ? !critical : critical;
}

void extensions_write(struct wr *w, const struct issue_parts *s)
{
    size_t all = dw_open(w, W_SEQUENCE);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (!rows[i].wanted(s) || (s->spec->omit & rows[i].bit))
            continue;
        size_t m = dw_open(w, W_SEQUENCE);
        dw_oid(w, rows[i].oid);
        if (is_critical(&rows[i], s))
            dw_bool(w, true);
        size_t value = dw_open(w, W_OCTETS);
        rows[i].write(w, s);
        dw_close(w, value);
        dw_close(w, m);
    }
    for (size_t i = 0; i < s->spec->n_extra; i++)
        extension_write(w, s->spec->extra[i].oid, s->spec->extra[i].critical, s->spec->extra[i].value);
    dw_close(w, all);
}
