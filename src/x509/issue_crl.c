/* issue_crl.c - CRLs (RFC 5280 5): complete, delta, for a distribution point or some reasons, indirect. */
#include "x509/issue.h"

struct parts {
    const struct issue_crl *spec;
    span                    issuer, aki;
    enum troth_sig          sig;
};

/* Opens an extension whose value is written next; close with close_ext. */
struct marks {
    size_t all, value;
};

static struct marks open_ext(struct wr *w, enum oid oid, bool critical)
{
    struct marks m;
    m.all = dw_open(w, W_SEQUENCE);
    dw_oid(w, oid);
    if (critical)
        dw_bool(w, true);
    m.value = dw_open(w, W_OCTETS);
    return m;
}

static void close_ext(struct wr *w, struct marks m)
{
    dw_close(w, m.value);
    dw_close(w, m.all);
}

static void write_extra(struct wr *w, const struct issue_ext *extra, size_t n)
{
    for (size_t i = 0; i < n; i++)
        extension_write(w, extra[i].oid, extra[i].critical, extra[i].value);
}

static void write_entry_extensions(struct wr *w, const struct issue_revoked *r)
{
    size_t all = dw_open(w, W_SEQUENCE);
    if (r->reason >= 0) {
        struct marks m = open_ext(w, OID_CE_REASON, false);
        dw_int(w, W_ENUMERATED, r->reason);
        close_ext(w, m);
    }
    if (r->invalid_since) {
        struct marks m = open_ext(w, OID_CE_INVALIDITY, false);
        dw_generalized_time(w, W_GENERALIZED_TIME, r->invalid_since);
        close_ext(w, m);
    }
    if (r->issuer) {
        struct marks m = open_ext(w, OID_CE_CERT_ISSUER, true);
        size_t names = dw_open(w, W_SEQUENCE);
        general_names_write(w, r->issuer);
        dw_close(w, names);
        close_ext(w, m);
    }
    write_extra(w, r->extra, r->n_extra);
    dw_close(w, all);
}

static void write_entry(struct wr *w, const struct issue_revoked *r, bool v2)
{
    size_t m = dw_open(w, W_SEQUENCE);
    dw_unsigned(w, W_INTEGER, r->serial);
    dw_time(w, r->when);
    if (v2 && (r->reason >= 0 || r->invalid_since || r->issuer || r->n_extra))
        write_entry_extensions(w, r);
    dw_close(w, m);
}

static void write_idp(struct wr *w, const struct issue_crl *c)
{
    struct marks m = open_ext(w, OID_CE_IDP, !(c->flip & IX_IDP));
    size_t all = dw_open(w, W_SEQUENCE);
    dp_name_write(w, &c->dp);
    if (c->only_user)
        dw_tlv(w, W_CONTEXT(1), SPAN_TEXT("\xff"));
    if (c->only_ca)
        dw_tlv(w, W_CONTEXT(2), SPAN_TEXT("\xff"));
    if (c->dp.reasons)
        dw_named_bits(w, W_CONTEXT(3), c->dp.reasons);
    if (c->indirect)
        dw_tlv(w, W_CONTEXT(4), SPAN_TEXT("\xff"));
    if (c->only_attribute)
        dw_tlv(w, W_CONTEXT(5), SPAN_TEXT("\xff"));
    dw_close(w, all);
    close_ext(w, m);
}

static void write_number(struct wr *w, enum oid oid, bool critical, span number)
{
    struct marks m = open_ext(w, oid, critical);
    dw_unsigned(w, W_INTEGER, number);
    close_ext(w, m);
}

static void write_extensions(struct wr *w, const struct parts *s)
{
    const struct issue_crl *c = s->spec;
    size_t explicit_tag = dw_open(w, W_CONSTRUCTED(0)), all = dw_open(w, W_SEQUENCE);
    if (s->aki.n && !(c->omit & IX_AKI)) {
        struct marks m = open_ext(w, OID_CE_AKI, c->flip & IX_AKI);
        size_t aki = dw_open(w, W_SEQUENCE);
        dw_tlv(w, W_CONTEXT(0), s->aki);
        dw_close(w, aki);
        close_ext(w, m);
    }
    if (!(c->omit & IX_CRL_NUMBER))
        write_number(w, OID_CE_CRL_NUMBER, c->flip & IX_CRL_NUMBER, c->number.n ? c->number : SPAN_TEXT("\1"));
    if (c->delta_base.n)
        write_number(w, OID_CE_DELTA, !(c->flip & IX_DELTA), c->delta_base);
    if (c->idp)
        write_idp(w, c);
    if (c->n_freshest) {
        struct marks m = open_ext(w, OID_CE_FRESHEST, c->flip & IX_FRESHEST);
        dps_write(w, c->freshest, c->n_freshest);
        close_ext(w, m);
    }
    write_extra(w, c->extra, c->n_extra);
    dw_close(w, all);
    dw_close(w, explicit_tag);
}

static void write_tbs(struct wr *w, const void *parts)
{
    const struct parts *s = parts;
    const struct issue_crl *c = s->spec;
    bool v2 = c->version != 1;
    size_t m = dw_open(w, W_SEQUENCE);
    if (v2)
        dw_int(w, W_INTEGER, 1);
    if (c->sig_alg_inner.n)
        wr_span(w, c->sig_alg_inner);
    else
        sig_alg_write(w, s->sig);
    wr_span(w, s->issuer);
    dw_time(w, c->this_update);
    if (c->next_update)
        dw_time(w, c->next_update);
    if (c->n_revoked) {
        size_t list = dw_open(w, W_SEQUENCE);
        for (size_t i = 0; i < c->n_revoked; i++)
            write_entry(w, &c->revoked[i], v2);
        dw_close(w, list);
    }
    if (v2)
        write_extensions(w, s);
    dw_close(w, m);
}

static void write_issuer(struct wr *w, const void *text)
{
    dn_write(w, text);
}

bool issue_crl(struct pki_ctx *p, const struct issue_crl *c, span *der)
{
    struct parts parts = { .spec = c, .issuer = c->issuer_der, .aki = c->aki };
    span tbs;
    if (!c->by)
        return fail(p, ISSUE_REFUSED, "a CRL needs an issuer");
    parts.sig = c->sig ? c->sig : sig_for_key(p->crypto, c->by->key);
    if (c->issuer)
        TRY(write_out(p, write_issuer, c->issuer, "name", &parts.issuer));
    else if (!parts.issuer.n)
        TRY(issue_subject(p, c->by, &parts.issuer));
    if (!parts.aki.n)
        TRY(issue_ski(p, c->by, &parts.aki));
    TRY(write_out(p, write_tbs, &parts, "CRL", &tbs));
    struct signing how = { .key = c->by->key, .sig = parts.sig, .outer = c->sig_alg_outer, .bad = c->bad_signature };
    return sign_object(p, tbs, &how, der);
}
