/* issue_cert.c - certificates and certificate requests (RFC 5280 4.1, RFC 2986).
 *
 * Works the defaults out first (who is the issuer, which identifiers, which serial number), then writes in one pass. */
#include "x509/issue_ext.h"

static void write_dn(struct wr *w, const void *text)
{
    dn_write(w, text);
}

static bool name_of_spec(struct pki_ctx *p, const char *text, span der, span *out)
{
    if (der.n) {
        *out = der;
        return true;
    }
    return write_out(p, write_dn, text ? text : "", "name", out);
}

bool issue_subject(struct pki_ctx *p, const struct issue *s, span *name)
{
    return name_of_spec(p, s->subject, s->subject_der, name);
}

bool issue_spki(struct pki_ctx *p, const struct issue *s, span *spki)
{
    *spki = s->spki;
    return spki->n || key_spki(p, s->key, spki);
}

bool issue_ski(struct pki_ctx *p, const struct issue *s, span *ski)
{
    span spki;
    *ski = s->omit & IX_SKI ? SPAN_NONE : s->ski;
    if (ski->n || s->omit & IX_SKI)
        return true;
    return issue_spki(p, s, &spki) && key_identifier(p, spki, ski);
}

static bool pick_serial(struct pki_ctx *p, const struct issue *s, span *serial)
{
    enum { RANDOM_BYTES = 16 };
    *serial = s->serial;
    if (serial->n || s->serial_as_is)
        return true;
    uint8_t *room = arena_alloc(p->arena, RANDOM_BYTES);
    if (!room)
        return fail(p, OUT_OF_MEMORY, "serial number");
    if (!p->crypto->random(p->crypto->self, room, RANDOM_BYTES))
        return fail(p, RANDOM_FAILED, "serial number");
    room[0] = (uint8_t)((room[0] & 0x7f) | 0x40); /* positive, and always of the same length */
    *serial = span_of(room, RANDOM_BYTES);
    return true;
}

static bool work_out(struct pki_ctx *p, const struct issue *s, struct issue_parts *parts)
{
    const struct issue *by = s->by ? s->by : s;
    *parts = (struct issue_parts){ .spec = s, .sig = s->sig ? s->sig : sig_for_key(p->crypto, by->key), .aki = s->aki };
    TRY(issue_subject(p, s, &parts->subject) && issue_spki(p, s, &parts->spki) && pick_serial(p, s, &parts->serial));
    if (s->issuer || s->issuer_der.n)
        TRY(name_of_spec(p, s->issuer, s->issuer_der, &parts->issuer));
    else
        TRY(issue_subject(p, by, &parts->issuer));
    TRY(issue_ski(p, s, &parts->ski));
    if (!parts->aki.n && !(s->omit & IX_AKI))
        TRY(issue_ski(p, by, &parts->aki));
    return true;
}

static void write_validity(struct wr *w, const struct issue *s)
{
    if (s->validity_der.n) {
        wr_span(w, s->validity_der);
        return;
    }
    size_t m = dw_open(w, W_SEQUENCE);
    if (s->generalized) {
        dw_generalized_time(w, W_GENERALIZED_TIME, s->not_before);
        dw_generalized_time(w, W_GENERALIZED_TIME, s->not_after);
    } else {
        dw_time(w, s->not_before);
        dw_time(w, s->not_after);
    }
    dw_close(w, m);
}

static void write_tbs(struct wr *w, const void *parts)
{
    const struct issue_parts *s = parts;
    int version = s->spec->version ? s->spec->version : 3;
    size_t m = dw_open(w, W_SEQUENCE);
    if (version != 1) {
        size_t v = dw_open(w, W_CONSTRUCTED(0));
        dw_int(w, W_INTEGER, version - 1);
        dw_close(w, v);
    }
    if (s->spec->serial_as_is)
        dw_tlv(w, W_INTEGER, s->serial);
    else
        dw_unsigned(w, W_INTEGER, s->serial);
    if (s->spec->sig_alg_inner.n)
        wr_span(w, s->spec->sig_alg_inner);
    else
        sig_alg_write(w, s->sig);
    wr_span(w, s->issuer);
    write_validity(w, s->spec);
    wr_span(w, s->subject);
    wr_span(w, s->spki);
    if (version == 3 && !s->spec->no_extensions) {
        size_t x = dw_open(w, W_CONSTRUCTED(3));
        extensions_write(w, s);
        dw_close(w, x);
    }
    dw_close(w, m);
}

bool issue_tbs(struct pki_ctx *p, const struct issue *spec, span *tbs)
{
    struct issue_parts parts;
    return work_out(p, spec, &parts) && write_out(p, write_tbs, &parts, "certificate", tbs);
}

bool issue_cert(struct pki_ctx *p, const struct issue *spec, span *der)
{
    struct issue_parts parts;
    span tbs;
    TRY(work_out(p, spec, &parts) && write_out(p, write_tbs, &parts, "certificate", &tbs));
    struct signing how = { .key = (spec->by ? spec->by : spec)->key, .sig = parts.sig, .outer = spec->sig_alg_outer,
                           .bad = spec->bad_signature, .signature = spec->signature };
    return sign_object(p, tbs, &how, der);
}

/* ---- requests */

static void write_request(struct wr *w, const void *parts)
{
    const struct issue_parts *s = parts;
    size_t m = dw_open(w, W_SEQUENCE);
    dw_int(w, W_INTEGER, 0);
    wr_span(w, s->subject);
    wr_span(w, s->spki);
    size_t attributes = dw_open(w, W_CONSTRUCTED(0));
    if (!s->spec->no_extensions) {
        size_t one = dw_open(w, W_SEQUENCE);
        dw_oid(w, OID_REQ_EXTENSIONS);
        size_t values = dw_open(w, W_SET);
        extensions_write(w, s);
        dw_close(w, values);
        dw_close(w, one);
    }
    dw_close(w, attributes);
    dw_close(w, m);
}

bool issue_csr(struct pki_ctx *p, const struct issue *spec, span *der)
{
    struct issue_parts parts = { .spec = spec, .sig = spec->sig ? spec->sig : sig_for_key(p->crypto, spec->key), .request = true };
    span info;
    TRY(issue_subject(p, spec, &parts.subject) && issue_spki(p, spec, &parts.spki));
    TRY(write_out(p, write_request, &parts, "request", &info));
    struct signing how = { .key = spec->key, .sig = parts.sig, .outer = spec->sig_alg_outer, .bad = spec->bad_signature,
                           .signature = spec->signature };
    return sign_object(p, info, &how, der);
}
