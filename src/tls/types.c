/* types.c - negotiating certificate types (RFC 7250).
 *
 * An extension that would say no more than the default, X.509, is not sent.  Must never leave the peer a type that was not agreed. */
#include "tls/types.h"

static uint8_t type_of(const struct identity *id)
{
    return id->n ? TROTH_X509 : TROTH_RAW_PUBLIC_KEY;
}

static bool default_only(span types)
{
    return !types.n || (types.n == 1 && types.p[0] == TROTH_X509);
}

static bool allowed(span types, uint8_t type)
{
    return types.n ? bytes_have(types, type) : type == TROTH_X509;
}

static const char *name(uint8_t type)
{
    return name_of(&names_cert_type, type);
}

/* ---- client */

/* What we can show: as configured, else in the order of our identities. */
static bool own_types(struct troth_conn *c, span *types)
{
    const struct config *cfg = c->cfg;
    *types = cfg->own_types;
    if (types->n || !cfg->n_identities)
        return true;
    uint8_t *list = arena_alloc(&c->hs->arena, 2);
    size_t n = 0;
    if (!list)
        return fail(c, OUT_OF_MEMORY, "for certificate types");
    for (size_t i = 0; i < cfg->n_identities && n < 2; i++)
        if (!n || list[0] != type_of(&cfg->identities[i]))
            list[n++] = type_of(&cfg->identities[i]);
    *types = span_of(list, n);
    return true;
}

bool types_offer(struct troth_conn *c, struct exts *e)
{
    span own;
    if (!default_only(c->cfg->peer_types)) {
        e->server_certificate_types = c->cfg->peer_types;
        exts_add(e, X_SERVER_CERTIFICATE_TYPE);
    }
    TRY(own_types(c, &own));
    c->hs->types_offered = own;
    if (!default_only(own)) {
        e->client_certificate_types = own;
        exts_add(e, X_CLIENT_CERTIFICATE_TYPE);
    }
    return true;
}

static bool answered(struct troth_conn *c, uint8_t *type, const char *which, span answer, span offered)
{
    *type = answer.n ? answer.p[0] : TROTH_X509;
    if (answer.n && !allowed(offered, *type))
        return fail(c, CERT_TYPE_NOT_OFFERED, "%s %s (%u)", which, name(*type), *type);
    if (answer.n)
        tell_decision(c, which, "chosen by the server among those we offered (RFC 7250 4.2)", &names_cert_type, SPAN_NONE, SPAN_NONE, *type);
    return true;
}

bool types_answered(struct troth_conn *c, const struct exts *e)
{
    span server = exts_have(e, X_SERVER_CERTIFICATE_TYPE) ? e->server_certificate_types : SPAN_NONE;
    span client = exts_have(e, X_CLIENT_CERTIFICATE_TYPE) ? e->client_certificate_types : SPAN_NONE;
    TRY(answered(c, &c->peer_type, "server_certificate_type", server, c->cfg->peer_types));
    TRY(answered(c, &c->own_type, "client_certificate_type", client, c->hs->types_offered));
    if (!c->facts.resumed && !c->facts.psk_external && !allowed(c->cfg->peer_types, c->peer_type))
        return fail(c, CERT_TYPE_NOT_OFFERED, "the server answers no server_certificate_type, which means X.509: not accepted here");
    return true;
}

bool types_asked(struct troth_conn *c)
{
    return allowed(c->hs->types_offered, c->own_type) || !c->hs->types_offered.n
        || fail(c, CERT_TYPE_UNSUPPORTED, "the server asks for an X.509 certificate; raw public keys alone were offered");
}

/* ---- server */

/* The extension is for those who have more to say than the default: a list of nothing but X.509 is malformed. */
static bool well_formed(struct troth_conn *c, const char *which, span types)
{
    if (types.n == 1 && types.p[0] == TROTH_X509)
        return fail(c, CERT_TYPES, "%s names X.509 alone", which);
    return true;
}

static span accepted(const struct config *cfg)
{
    static const uint8_t x509[1] = { TROTH_X509 };
    return cfg->peer_types.n ? cfg->peer_types : SPAN_OF(x509);
}

static bool pick_client_type(struct troth_conn *c, bool sent, span theirs)
{
    span ours = accepted(c->cfg);
    for (size_t i = 0; i < ours.n; i++) {
        if (!allowed(sent ? theirs : SPAN_NONE, ours.p[i]))
            continue;
        c->peer_type = ours.p[i];
        c->hs->types_answer = sent;
        if (sent)
            tell_decision(c, "client_certificate_type", "the first of ours that the client can show (RFC 7250 4.2)", &names_cert_type,
                          SPAN_NONE, SPAN_NONE, ours.p[i]);
        return true;
    }
    return false;
}

static bool choose_client_type(struct troth_conn *c, bool sent, span theirs)
{
    return pick_client_type(c, sent, theirs)
        || fail(c, CERT_TYPE_UNSUPPORTED, "the client can show none of the %zu kinds of certificate that are accepted", accepted(c->cfg).n);
}

bool types_choose(struct troth_conn *c, const struct client_hello *ch, bool asks)
{
    const struct exts *e = &ch->exts;
    TRY(well_formed(c, "server_certificate_type", exts_have(e, X_SERVER_CERTIFICATE_TYPE) ? e->server_certificate_types : SPAN_NONE));
    TRY(well_formed(c, "client_certificate_type", exts_have(e, X_CLIENT_CERTIFICATE_TYPE) ? e->client_certificate_types : SPAN_NONE));
    return !asks || choose_client_type(c, exts_have(e, X_CLIENT_CERTIFICATE_TYPE), e->client_certificate_types);
}

void types_choose_late(struct troth_conn *c, const struct client_hello *ch)
{
    if (!c->hs->types_answer)
        (void)!pick_client_type(c, exts_have(&ch->exts, X_CLIENT_CERTIFICATE_TYPE), ch->exts.client_certificate_types);
}

bool types_agreed(const struct troth_conn *c)
{
    bool sent = ext_set_has(&c->hs->hello.has, X_CLIENT_CERTIFICATE_TYPE);
    return c->hs->types_answer || (!sent && allowed(c->cfg->peer_types, TROTH_X509));
}

/* In a resumed session no certificate follows; the answer is the type that one would have. */
static bool own_type(const struct troth_conn *c, span theirs, uint8_t *type)
{
    if (c->hs->identity) {
        *type = type_of(c->hs->identity);
        return true;
    }
    for (size_t i = 0; i < c->cfg->n_identities; i++) {
        *type = type_of(&c->cfg->identities[i]);
        if (bytes_have(theirs, *type))
            return true;
    }
    return false;
}

void types_answer(struct troth_conn *c, struct exts *e)
{
    if (ext_set_has(&c->hs->hello.has, X_SERVER_CERTIFICATE_TYPE) && own_type(c, c->hs->wanted.types, &c->own_type)) {
        e->server_certificate_types = span_of(&c->own_type, 1);
        exts_add(e, X_SERVER_CERTIFICATE_TYPE);
    }
    if (c->hs->types_answer) {
        e->client_certificate_types = span_of(&c->peer_type, 1);
        exts_add(e, X_CLIENT_CERTIFICATE_TYPE);
    }
}
