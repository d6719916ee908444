/* certificate.c - showing who we are.  Must never show a certificate that was not asked for. */
#include "tls/certificate.h"

#include "base/alerts.h"
#include "tls/compressed.h"
#include "tls/delegated.h"
#include "tls/flight.h"
#include "tls/oid_filter.h"
#include "tls/tls12.h"

/* ---- Certificate messages, made once */
static void fill(struct certificate *m, const struct identity *id, unsigned form)
{
    memset(m, 0, sizeof *m);
    m->n = id->n ? id->n : 1;
    for (size_t i = 0; i < id->n; i++)
        m->entries[i].cert_data = id->chain[i];
    struct certificate_entry *leaf = &m->entries[0];
    if (!id->n)
        leaf->cert_data = id->spki;
    if (form & FORM_STAPLE) {
        leaf->ocsp_response = id->staple;
        ext_set_add(&leaf->have, X_STATUS_REQUEST);
    }
    if (form & FORM_DELEGATED) {
        leaf->dc = id->dc;
        ext_set_add(&leaf->have, X_DELEGATED_CREDENTIAL);
    }
    if (form & FORM_SCTS) {
        leaf->sct_list = id->scts;
        ext_set_add(&leaf->have, X_SIGNED_CERTIFICATE_TIMESTAMP);
    }
}

static void write_whole(struct wr *w, const struct certificate *m, bool tls12, bool raw)
{
    size_t mark = message_begin(w, HS_certificate);
    if (tls12 && raw)
        raw_public_key12_write(w, m);
    else if (tls12)
        certificate12_write(w, m);
    else
        certificate_write(w, m);
    message_end(w, mark);
}

static bool serialize(span *out, struct arena *a, const struct certificate *m, bool tls12, bool raw)
{
    struct wr measure = wr_measure();
    write_whole(&measure, m, tls12, raw);
    uint8_t *p = arena_alloc(a, measure.n);
    TRY(p);
    struct wr w = wr_into(p, measure.n);
    write_whole(&w, m, tls12, raw);
    *out = wr_done(&w);
    return wr_ok(&w);
}

bool identity_serialize(struct identity *id, struct arena *a)
{
    struct certificate m;
    for (unsigned form = 0; form < FORM_COUNT; form++) {
        if ((form & FORM_STAPLE && !id->staple.n) || (form & FORM_SCTS && !id->scts.n) || (form & FORM_DELEGATED && !id->has_dc))
            continue;
        fill(&m, id, form);
        TRY(serialize(&id->forms[form], a, &m, false, false));
    }
    fill(&m, id, 0);
    return serialize(&id->form12, a, &m, true, !id->n);
}

/* ---- what is wanted */
bool wanted_from_hello(struct troth_conn *c, const struct client_hello *ch)
{
    const struct exts *e = &ch->exts;
    struct wanted *w = &c->hs->wanted;
    w->staple = exts_have(e, X_STATUS_REQUEST) && e->status_request.status_type == STATUS_TYPE_ocsp;
    w->scts = exts_have(e, X_SIGNED_CERTIFICATE_TIMESTAMP);
    return hs_keep(c, &w->schemes, e->signature_algorithms) && hs_keep(c, &w->schemes_cert, e->signature_algorithms_cert)
        && hs_keep(c, &w->authorities, e->certificate_authorities) && hs_keep(c, &w->compressions, e->cert_compression) && hs_keep(c, &w->delegated, e->dc_schemes);
}

/* Those of the last request, where those of the one before were: a server may ask as often as it likes. */
static bool keep_authorities(struct troth_conn *c, span list)
{
    struct rare *rare = list.n || c->rare ? conn_rare(c) : NULL;
    if (!rare)
        return !list.n;
    span *kept = &rare->acceptable_authorities;
    if (list.n > rare->authorities_room) { /* twice as long at least, so that all of them come to little more than the longest */
        size_t room = list.n > 2 * rare->authorities_room ? list.n : 2 * rare->authorities_room;
        kept->p = arena_alloc(&c->keep, room);
        rare->authorities_room = kept->p ? room : 0;
    }
    kept->n = kept->p ? list.n : 0;
    if (kept->n)
        memcpy((uint8_t *)(uintptr_t)kept->p, list.p, list.n);
    c->hs->wanted.authorities = *kept;
    return kept->n == list.n || fail(c, OUT_OF_MEMORY, "%zu bytes", list.n);
}

bool wanted_from_request(struct troth_conn *c, const struct certificate_request *cr)
{
    const struct exts *e = &cr->exts;
    struct wanted *w = &c->hs->wanted;
    const char *wrong = oid_filters_wrong(e->oid_filters);
    if (wrong)
        return fail(c, OID_FILTERS, "%s", wrong);
    w->asked = c->cert_asked = true;
    w->staple = exts_have(e, X_STATUS_REQUEST);
    w->scts = exts_have(e, X_SIGNED_CERTIFICATE_TIMESTAMP);
    TRY(keep_authorities(c, e->certificate_authorities) && hs_keep(c, &w->oid_filters, e->oid_filters));
    return hs_keep(c, &w->context, cr->certificate_request_context) && hs_keep(c, &w->schemes, e->signature_algorithms)
        && hs_keep(c, &w->schemes_cert, e->signature_algorithms_cert) && hs_keep(c, &w->compressions, e->cert_compression)
        && hs_keep(c, &w->delegated, e->dc_schemes);
}

/* ---- choosing */
static struct choice_identity choose(struct troth_conn *c, span server_name, span suites, span groups)
{
    const struct wanted *w = &c->hs->wanted;
    const struct config *cfg = shown_by(c);
    struct asked_of_us asked = { .version = c->facts.version,
                                 .server_name = server_name,
                                 .suites = suites,
                                 .groups = groups,
                                 .types12 = w->types12,
                                 .schemes = w->schemes,
                                 .schemes_cert = w->schemes_cert,
                                 .types = c->cfg->is_server ? w->types : span_of(&c->own_type, 1),
                                 .delegated = w->delegated,
                                 .now = w->delegated.n ? config_now(c->cfg) : 0,
                                 .authorities = w->authorities,
                                 .oid_filters = w->oid_filters };
    struct choice_identity got = choose_identity(cfg, &asked);
    c->hs->identity = got.identity;
    c->hs->scheme = got.scheme;
    c->hs->delegated = c->facts.own_delegated = got.delegated;
    c->facts.own_identity = got.identity ? (uint16_t)(got.identity - cfg->identities + 1) : 0;
    if (c->cfg->is_server && server_name.n)
        c->facts.named = got.name_matched ? TROTH_NAMED_KNOWN : TROTH_NAMED_UNKNOWN;
    if (got.identity)
        tell_decision(c, got.delegated ? "our delegated credential" : "signature scheme",
                      got.delegated ? "the peer takes such credentials, with a key for this, and ours is in time (RFC 9345 4.1)"
                                    : "the first of ours for this key that the peer can verify (RFC 9846 4.3.3)",
                      &names_scheme, got.delegated ? SPAN_NONE : got.identity->schemes, got.delegated ? w->delegated : w->schemes, got.scheme->id);
    tell_choice_text(c, "certificate", got.rule, SPAN_NONE, server_name,
                     got.identity ? SPAN_TEXT("an identity fits") : SPAN_TEXT("none fits"));
    return got;
}

static bool found(struct troth_conn *c, const struct choice_identity *got)
{
    if (got->identity)
        return true;
    if (!shown_by(c)->n_identities)
        return fail_as(c, got->why, "we have no identity to show");
    (void)fail_as(c, got->why, "none of our %zu identities can be shown; this is about the last", shown_by(c)->n_identities);
    if (got->why == TROTH_R_NO_SHARED_CERT_TYPE && c->hs->wanted.types.n)
        trouble_alert(&c->error, ALERT_unsupported_certificate); /* where types are negotiated (RFC 7250 4.2) */
    return false;
}

/* Client: does it go on without a certificate when none fits? */
static bool may_show_none(struct troth_conn *c, const struct choice_identity *got)
{
    const struct config *cfg = shown_by(c);
    return !cfg->never_anonymous || !cfg->n_identities || c->hs->wanted.show_none || c->facts.ech == TROTH_ECH_REJECTED || found(c, got);
}

bool name_unknown(struct troth_conn *c)
{
    span name = c->facts.server_name;
    return fail(c, UNRECOGNIZED_NAME, "%.*s", name.n ? (int)name.n : -1, name.n ? (const char *)name.p : "the client named no server");
}

/* Server: an identity must be found, and with strict_sni one that has the name. */
static bool accept(struct troth_conn *c, const struct choice_identity *got)
{
    TRY(found(c, got));
    if (c->cfg->strict_sni && !got->name_matched)
        return name_unknown(c);
    return true;
}

/* Always false: a server that is known by pre-shared keys alone, and a client that none of them was agreed on with. */
static bool no_psk(struct troth_conn *c, const struct exts *e)
{
    if (!exts_have(e, X_PRE_SHARED_KEY))
        return fail(c, NO_SHARED_PSK, "it offers none");
    if (!bytes_have(e->psk_modes, PSK_MODE_psk_dhe_ke))
        return fail(c, NO_SHARED_PSK, "it would use one without a key exchange (psk_ke), which is not done here");
    return fail(c, NO_SHARED_PSK, "not one of the %u that it offers", e->n_psks);
}

bool certificate_choose(struct troth_conn *c, const struct client_hello *ch)
{
    span name = c->cfg->ignore_names ? SPAN_NONE : c->facts.server_name;
    bool wants_psk = c->cfg->n_psks && !shown_by(c)->n_identities;
    if (wants_psk && (exts_have(&ch->exts, X_PRE_SHARED_KEY) || exts_have(&ch->exts, X_SIGNATURE_ALGORITHMS)))
        return no_psk(c, &ch->exts);
    if (!exts_have(&ch->exts, X_SIGNATURE_ALGORITHMS))
        return fail(c, NO_SIGNATURE_ALGORITHMS, "a ClientHello that wants a certificate must say which signatures it can verify");
    TRY(wanted_from_hello(c, ch));
    struct choice_identity got = choose(c, name, SPAN_NONE, SPAN_NONE);
    return accept(c, &got);
}

/* ---- sending */
bool certificate_send(struct troth_conn *c)
{
    const struct wanted *w = &c->hs->wanted;
    const struct identity *id = c->hs->identity;
    unsigned form = (w->staple && id->staple.n ? FORM_STAPLE : 0u)
                  | (w->scts && id->scts.n ? FORM_SCTS : 0u) | (c->hs->delegated ? FORM_DELEGATED : 0u);
    c->cert_shown = true;
    c->facts.own_type = id->n ? TROTH_X509 : TROTH_RAW_PUBLIC_KEY;
    span packed = w->context.n ? SPAN_NONE : compression_choose(c, id, form);
    if (!w->context.n)
        return flight_add_whole(c, packed.n ? packed : id->forms[form]);
    struct certificate m;
    fill(&m, id, form);
    m.certificate_request_context = w->context;
    return flight_add(c, HS_certificate, body_certificate, &m);
}

/* None to the holder of the public name of Encrypted Client Hello, who is only asked for keys (RFC 9849 6.1.7). */
static struct choice_identity choose_answer(struct troth_conn *c)
{
    struct choice_identity none = { .rule = "only the public name of Encrypted Client Hello answers" };
    return c->facts.ech == TROTH_ECH_REJECTED || c->hs->wanted.show_none ? none : choose(c, SPAN_NONE, SPAN_NONE, SPAN_NONE);
}

bool certificate_ask(struct troth_conn *c)
{
    if (!c->cfg->ask_client || c->facts.ech == TROTH_ECH_REJECTED)
        return false;
    conn_ask(c, ASK_CLIENT);
    return true;
}

bool certificate_answer(struct troth_conn *c)
{
    struct choice_identity got = choose_answer(c);
    TRY(may_show_none(c, &got));
    if (got.identity)
        return certificate_send(c);
    struct certificate none;
    memset(&none, 0, sizeof none);
    none.certificate_request_context = c->hs->wanted.context;
    return flight_add(c, HS_certificate, body_certificate, &none);
}

struct ext_set certificate_request_asks(const struct config *cfg)
{
    struct ext_set set = { { 0 } };
    ext_set_add(&set, X_SIGNATURE_ALGORITHMS);
    if (cfg->cert_schemes.n)
        ext_set_add(&set, X_SIGNATURE_ALGORITHMS_CERT);
    if (cfg->authorities.n)
        ext_set_add(&set, X_CERTIFICATE_AUTHORITIES);
    if (cfg->oid_filters.n)
        ext_set_add(&set, X_OID_FILTERS);
    if (cfg->request_ocsp)
        ext_set_add(&set, X_STATUS_REQUEST);
    if (cfg->n_compressors)
        ext_set_add(&set, X_COMPRESS_CERTIFICATE);
    if (cfg->accept_delegated)
        ext_set_add(&set, X_DELEGATED_CREDENTIAL);
    return set;
}

bool certificate_request_send(struct troth_conn *c)
{
    const struct config *cfg = c->cfg;
    struct certificate_request cr;
    memset(&cr, 0, sizeof cr);
    cr.certificate_request_context = c->hs->wanted.context; /* empty within the handshake */
    cr.exts.signature_algorithms = cfg->verify_schemes;
    exts_add(&cr.exts, X_SIGNATURE_ALGORITHMS);
    if (cfg->cert_schemes.n) {
        cr.exts.signature_algorithms_cert = cfg->cert_schemes;
        exts_add(&cr.exts, X_SIGNATURE_ALGORITHMS_CERT);
    }
    if (cfg->oid_filters.n) {
        cr.exts.oid_filters = cfg->oid_filters;
        exts_add(&cr.exts, X_OID_FILTERS);
    }
    if (cfg->authorities.n) {
        cr.exts.certificate_authorities = cfg->authorities;
        exts_add(&cr.exts, X_CERTIFICATE_AUTHORITIES);
    }
    if (cfg->request_ocsp) {
        cr.exts.status_request = (struct status_request){ .is_empty = true };
        exts_add(&cr.exts, X_STATUS_REQUEST);
    }
    return compression_offer(c, &cr.exts) && delegated_offer(c, &cr.exts)
        && flight_add(c, HS_certificate_request, body_certificate_request, &cr);
}

/* ---- TLS 1.2 (RFC 5246 7.4.2, 7.4.4) */
bool wanted_from_request12(struct troth_conn *c, const struct certificate_request12 *cr)
{
    struct wanted *w = &c->hs->wanted;
    w->asked = c->cert_asked = true;
    return keep_authorities(c, cr->certificate_authorities) && hs_keep(c, &w->schemes, cr->supported_signature_algorithms) && hs_keep(c, &w->types12, cr->certificate_types);
}

/* Is there a suite on both lists that goes with any key of ours? */
static bool any_suite12(const struct config *cfg, span theirs)
{
    for (size_t i = 0; i < cfg->n_identities; i++)
        if (choose_suite(cfg, TROTH_TLS12, theirs, cfg->identities[i].key_type).found)
            return true;
    return false;
}

/* The key decides which suites can be had, so the identity is chosen first. */
bool certificate_choose12(struct troth_conn *c, const struct client_hello *ch)
{
    span name = c->cfg->ignore_names ? SPAN_NONE : c->facts.server_name;
    TRY(wanted_from_hello(c, ch));
    if (!any_suite12(c->cfg, ch->cipher_suites))
        return fail(c, NO_SHARED_SUITE, "the client offers %zu suites", u16s_count(ch->cipher_suites));
    struct choice_identity got = choose(c, name, ch->cipher_suites, ch->exts.supported_groups);
    return accept(c, &got);
}

bool certificate_send12(struct troth_conn *c)
{
    c->cert_shown = true;
    c->facts.own_type = c->hs->identity->n ? TROTH_X509 : TROTH_RAW_PUBLIC_KEY;
    return flight_add_whole(c, c->hs->identity->form12);
}

bool certificate_answer12(struct troth_conn *c)
{
    struct choice_identity got = choose_answer(c);
    TRY(may_show_none(c, &got));
    if (got.identity)
        return certificate_send12(c);
    struct certificate none;
    memset(&none, 0, sizeof none);
    log12_end(c);
    return flight_add(c, HS_certificate, body_certificate12, &none); /* without a raw key it looks the same (RFC 7250 3) */
}

bool certificate_request_send12(struct troth_conn *c)
{
    static const uint8_t types[] = { CLIENT_CERT_ecdsa_sign, CLIENT_CERT_rsa_sign };
    struct certificate_request12 cr = { SPAN_OF(types), c->cfg->verify_schemes, c->cfg->authorities };
    return flight_add(c, HS_certificate_request, body_certificate_request12, &cr);
}
