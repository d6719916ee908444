/* constraints.c - name constraints (RFC 5280 4.2.1.10, 6.1.3 b and c, 6.1.4 g).
 *
 * Every authority's constraints, the anchor's included, bind every name of every certificate below it:
 * subjectAltName, subject, and the mailbox in a subject where there is none in the subjectAltName.  Self-issued
 * certificates are exempt unless they are the last.  A name that is malformed, or of a form whose constraint
 * nobody can judge, is a rejection: what cannot be compared must not pass. */
#include "x509/judge.h"
#include "x509/names.h"
#include "x509/oid.h"

enum fit { FIT_NO, FIT_YES, FIT_BROKEN /* name or constraint cannot be compared */ };

/* ---- one name against one constraint.  `excluded`: could the name stand for something inside? (wildcards)
 */

static bool dns_within(span name, span base)
{
    if (base.n == 0)
        return true;
    if (name.n < base.n || !dns_equal(span_slice(name, name.n - base.n, base.n), base))
        return false;
    return name.n == base.n || name.p[name.n - base.n - 1] == '.';
}

static enum fit fit_dns(span name, span base, bool excluded)
{
    if (!dns_pattern_ok(name))
        return FIT_BROKEN;
    if (!dns_is_wildcard(name))
        return dns_within(name, base) ? FIT_YES : FIT_NO;
    span rest = span_slice(name, 2, name.n);
    if (dns_within(rest, base))
        return FIT_YES;
    if (!excluded)
        return FIT_NO; /* some of what the wildcard stands for lies outside */
    const uint8_t *dot = base.n ? memchr(base.p, '.', base.n) : NULL;
    return dot && dns_equal(span_slice(base, (size_t)(dot - base.p) + 1, base.n), rest) ? FIT_YES : FIT_NO;
}

/* ".example.com": below it; "example.com": that host (mailboxes and URIs). */
static bool host_within(span host, span base)
{
    if (base.n && base.p[0] == '.')
        return host.n > base.n && dns_equal(span_slice(host, host.n - base.n, base.n), base);
    return dns_equal(host, base);
}

static enum fit fit_email(span name, span base)
{
    span local, host;
    if (!mailbox_split(name, &local, &host))
        return FIT_BROKEN;
    if (base.n == 0)
        return FIT_YES;
    if (memchr(base.p, '@', base.n))
        return mailbox_equal(name, base) ? FIT_YES : FIT_NO;
    return host_within(host, base) ? FIT_YES : FIT_NO;
}

/* What an authority may be made of (RFC 3986 3.2): some readers take other characters for its end. */
static bool authority_ok(span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= ' ' || s.p[i] >= 0x7f || strchr("\"<>\\^`{|}", s.p[i]))
            return false;
    return true;
}

/* The host of a URI with an authority (RFC 3986 3.2); a URI without one, or with an address, cannot be
 * constrained: reject. */
static bool uri_host(span uri, span *host)
{
    size_t i = 0;
    while (i < uri.n && uri.p[i] != ':' && uri.p[i] != '/' && uri.p[i] != '?' && uri.p[i] != '#')
        i++;
    if (i == 0 || i + 3 > uri.n || memcmp(uri.p + i, "://", 3) != 0)
        return false;
    size_t from = i + 3, end = from;
    while (end < uri.n && uri.p[end] != '/' && uri.p[end] != '?' && uri.p[end] != '#')
        end++;
    TRY(authority_ok(span_slice(uri, from, end - from)));
    for (size_t k = from; k < end; k++)
        if (uri.p[k] == '@')
            from = k + 1;
    for (size_t k = from; k < end; k++)
        if (uri.p[k] == ':') {
            end = k;
            break;
        }
    *host = span_slice(uri, from, end - from);
    uint8_t ip[16];
    return dns_ok(*host) && !ip_read(ip, *host);
}

static enum fit fit_uri(span name, span base)
{
    span host;
    if (!uri_host(name, &host))
        return FIT_BROKEN;
    return base.n == 0 || host_within(host, base) ? FIT_YES : FIT_NO;
}

static enum fit fit_ip(span name, span base)
{
    if (base.n != 2 * name.n)
        return FIT_NO; /* another family */
    for (size_t i = 0; i < name.n; i++)
        if ((name.p[i] ^ base.p[i]) & base.p[name.n + i])
            return FIT_NO;
    return FIT_YES;
}

static enum fit fit(const struct general_name_item *name, const struct general_name_item *base, bool excluded)
{
    switch ((enum general_name)name->kind) {
    case GN_DNS: return fit_dns(name->value, base->value, excluded);
    case GN_EMAIL: return fit_email(name->value, base->value);
    case GN_URI: return fit_uri(name->value, base->value);
    case GN_IP: return fit_ip(name->value, base->value);
    case GN_DIRECTORY: return name_within(name->value, base->value) ? FIT_YES : FIT_NO;
    case GN_OTHER:
    case GN_X400:
    case GN_EDI:
    case GN_REGISTERED_ID:
    case GN_COUNT: break;
    }
    return FIT_BROKEN; /* RFC 5280: process the constraint or reject the certificate */
}

/* ---- walking subtrees */

/* The base of the next GeneralSubtree.  The list was checked when it was read. */
static bool subtree_next(span *list, struct general_name_item *base)
{
    struct rd_ctx ctx;
    rd_ctx_init(&ctx, *list, NULL);
    struct rd r = rd_init(&ctx, *list);
    if (!rd_more(&r))
        return false;
    span tree = der_value(&r, "GeneralSubtree", DER_SEQUENCE);
    *list = rd_peek(&r);
    return rd_ok(&r) && general_names_next(&tree, base);
}

/* One name under one authority's constraints: whose rule was broken, and how. */
struct strife {
    struct judge *j;
    const struct cert *by; /* the authority                     */
    bool spent, forbidden, outside, broken;
    struct general_name_item name, base;
};

/* False once something is wrong. */
static bool name_judge(struct strife *s, const struct general_name_item *name)
{
    struct general_name_item base;
    s->name = *name;
    if (s->by->nc_excluded_kinds & BIT(name->kind)) {
        span list = s->by->nc_excluded;
        while (subtree_next(&list, &base)) {
            if (!spend_names(s->j, name_cost(name->value)))
                return s->spent = true, false;
            if (base.kind != name->kind)
                continue;
            enum fit how = fit(name, &base, true);
            s->base = base;
            s->broken = how == FIT_BROKEN;
            s->forbidden = how == FIT_YES;
            if (how != FIT_NO)
                return false;
        }
    }
    if (!(s->by->nc_permitted_kinds & BIT(name->kind)))
        return true;
    span list = s->by->nc_permitted;
    while (subtree_next(&list, &base)) {
        if (!spend_names(s->j, name_cost(name->value)))
            return s->spent = true, false;
        if (base.kind != name->kind)
            continue;
        enum fit how = fit(name, &base, false);
        s->base = base;
        if (how == FIT_YES)
            return true;
        if (how == FIT_BROKEN)
            return s->broken = true, false;
    }
    s->outside = true;
    return false;
}

/* The mailbox in the subject of a certificate without one in its subjectAltName.  RFC 5280 4.2.1.10 wants it constrained where there is
 * no subjectAltName at all; whoever still looks there does not care what else is in it. */
static bool subject_mailboxes_judge(struct strife *s, const struct cert *c)
{
    struct rd_ctx ctx;
    rd_ctx_init(&ctx, c->subject, NULL);
    struct rd r = rd_init(&ctx, c->subject);
    struct rd name = der_open(&r, "subject", DER_SEQUENCE);
    while (rd_more(&name)) {
        struct rd rdn = der_open(&name, "rdn", DER_SET);
        while (rd_more(&rdn)) {
            struct rd a = der_open(&rdn, "attribute", DER_SEQUENCE);
            bool email = oid_is(der_oid(&a, "type"), OID_AT_EMAIL);
            struct der_tlv v = der_any(&a, "value");
            struct general_name_item g = { GN_EMAIL, v.value, v.raw };
            if (rd_ok(&a) && email && !name_judge(s, &g))
                return false;
        }
    }
    return true;
}

/* Every name of `c` under the constraints of s->by. */
static bool names_judge(struct strife *s, const struct cert *c)
{
    unsigned kinds = s->by->nc_permitted_kinds | s->by->nc_excluded_kinds;
    if (kinds & BIT(GN_DIRECTORY) && !name_is_empty(c->subject)) {
        struct general_name_item g = { GN_DIRECTORY, c->subject, c->subject };
        if (!name_judge(s, &g))
            return false;
    }
    if (kinds & BIT(GN_EMAIL) && !(c->san_kinds & BIT(GN_EMAIL)) && !subject_mailboxes_judge(s, c))
        return false;
    bool others = kinds & BIT(GN_EMAIL) && c->san_kinds & BIT(GN_OTHER);
    if (!(kinds & c->san_kinds) && !others)
        return true;
    span list = c->san;
    for (struct general_name_item g, mailbox; general_names_next(&list, &g);) {
        if (!spend_names(s->j, 1))
            return s->spent = true, false;
        if (kinds & BIT(g.kind) && !name_judge(s, &g))
            return false;
        if (others && utf8_mailbox(&g, &mailbox) && !name_judge(s, &mailbox))
            return false;
    }
    return true;
}

static void base_text(struct text *t, const struct general_name_item *base)
{
    if (base->kind != GN_IP) {
        general_name_text(t, base);
        return;
    }
    ip_text(t, span_slice(base->value, 0, base->value.n / 2));
    text_add(t, " mask ");
    ip_text(t, span_slice(base->value, base->value.n / 2, base->value.n));
}

static enum troth_verdict strife_tell(struct strife *s, const struct cert *c, struct finding *f)
{
    char name_in[120], base_in[120], by_in[120];
    struct text name = TEXT_IN(name_in), base = TEXT_IN(base_in), by = TEXT_IN(by_in);
    struct range at = cert_range(c, s->name.raw);
    if (s->spent)
        return found(s->j, f, TROTH_FAIL, TROTH_R_CHAIN_BUDGET, at,
                     "names and constraints are too many to compare");
    general_name_text(&name, &s->name);
    base_text(&base, &s->base);
    cert_title(&by, s->by);
    bool judged = s->name.kind == GN_DNS || s->name.kind == GN_EMAIL || s->name.kind == GN_URI;
    if (s->broken && !judged)
        return found(s->j, f, TROTH_FAIL, TROTH_R_CERT_CONSTRAINT_UNKNOWN, at,
                     "\"%s\", under constraints of %s", name.p, by.p);
    if (s->broken)
        return found(s->j, f, TROTH_FAIL, TROTH_R_CERT_NAME_MALFORMED, at, "\"%s\", under constraints of %s",
                     name.p, by.p);
    return found(s->j, f, TROTH_FAIL, TROTH_R_CERT_NAME_CONSTRAINT, at, "\"%s\" is %s (%s\"%s\"), says %s",
                 name.p, s->forbidden ? "excluded" : "not among the permitted",
                 s->forbidden ? "" : "last of them ", base.p, by.p);
}

/* The names of one certificate under the constraints of one above it. */
enum troth_verdict check_constraints_by(struct judge *j, unsigned by, unsigned cert, struct finding *f)
{
    const struct cert *c = cert_at(j, cert);
    struct strife s = { .j = j, .by = cert_at(j, by) };
    if (!cert_has(s.by, CX_NAME_CONSTRAINTS) || (cert && c->self_issued) || names_judge(&s, c))
        return TROTH_PASS;
    return strife_tell(&s, c, f);
}

enum troth_verdict check_constraints(struct judge *j, unsigned cert, struct finding *f)
{
    const struct cert *c = cert_at(j, cert);
    if (cert && c->self_issued)
        return passed(j, f, cert_range(c, c->subject), "self-issued: exempt");
    unsigned by = 0;
    for (unsigned i = cert + 1; i < j->now.n; i++) {
        by += cert_has(cert_at(j, i), CX_NAME_CONSTRAINTS);
        if (check_constraints_by(j, i, cert, f) == TROTH_FAIL)
            return TROTH_FAIL;
    }
    return passed(j, f, cert_range(c, c->ext[CX_SUBJECT_ALT_NAME]), "%u authorities above constrain names",
                  by);
}

/* ---- are the constraints themselves well-formed? */

static bool mask_ok(span mask)
{
    bool ended = false;
    for (size_t i = 0; i < mask.n; i++)
        for (unsigned bit = 0x80; bit; bit >>= 1) {
            if (!(mask.p[i] & bit))
                ended = true;
            else if (ended)
                return false;
        }
    return true;
}

/* What is wrong with it; NULL: nothing. */
static const char *base_fault(const struct general_name_item *base)
{
    span v = base->value, local, host;
    bool period = v.n && v.p[0] == '.', is_host = v.n == 0 || dns_ok(period ? span_slice(v, 1, v.n) : v);
    switch ((enum general_name)base->kind) {
    case GN_DNS:
        if (period && is_host)
            return "the leading period is for mailboxes and URIs alone";
        return is_host ? NULL : dns_is_wildcard(v) ? "the names below are meant anyway, and no wildcard is for it" : "it is no DNS name";
    case GN_EMAIL:
        if (v.n && memchr(v.p, '@', v.n))
            return mailbox_split(v, &local, &host) ? NULL : "it is no mailbox";
        return is_host ? NULL : "it is neither a mailbox nor a host";
    case GN_URI: return is_host ? NULL : "it is no host";
    case GN_IP: return (v.n == 8 || v.n == 32) && mask_ok(span_slice(v, v.n / 2, v.n)) ? NULL : "its mask has holes (RFC 4632)";
    case GN_DIRECTORY:
    case GN_OTHER:
    case GN_X400:
    case GN_EDI:
    case GN_REGISTERED_ID:
    case GN_COUNT: break;
    }
    return NULL;
}

static bool bases_ok(struct judge *j, span list, struct general_name_item *bad)
{
    while (subtree_next(&list, bad))
        if (!spend_names(j, 1) || base_fault(bad))
            return false;
    return true;
}

enum troth_verdict check_constraints_formed(struct judge *j, unsigned cert, struct finding *f)
{
    const struct cert *c = cert_at(j, cert);
    struct general_name_item bad;
    char in[120];
    struct text t = TEXT_IN(in);
    if (!cert_has(c, CX_NAME_CONSTRAINTS))
        return passed(j, f, (struct range){ 0, 0 }, "it sets none");
    if (bases_ok(j, c->nc_permitted, &bad) && bases_ok(j, c->nc_excluded, &bad))
        return passed(j, f, cert_range(c, c->ext[CX_NAME_CONSTRAINTS]), "well-formed");
    if (j->spent)
        return found(j, f, TROTH_FAIL, TROTH_R_CHAIN_BUDGET, cert_range(c, c->ext[CX_NAME_CONSTRAINTS]),
                     "too many constraints");
    base_text(&t, &bad);
    return found(j, f, TROTH_FAIL, TROTH_R_CERT_CONSTRAINT_MALFORMED, cert_range(c, bad.raw), "\"%s\": %s (RFC 5280 4.2.1.10)", t.p,
                 base_fault(&bad));
}

/* ---- limits that were put on a trust anchor from outside */

static bool any_within(const span *domains, size_t n, span name, bool excluded)
{
    for (size_t i = 0; i < n; i++)
        switch (fit_dns(name, domains[i], excluded)) {
        case FIT_YES: return true;
        case FIT_BROKEN: return excluded;
        case FIT_NO: break;
        }
    return false;
}

enum troth_verdict check_anchor_limits(struct judge *j, unsigned cert, struct finding *f)
{
    const struct anchor *a = j->now.node[cert]->anchor;
    const struct cert *leaf = cert_at(j, 0);
    struct range all = { 0, (uint32_t)cert_at(j, cert)->raw.n };
    char in[120];
    struct text t = TEXT_IN(in);
    if (!a)
        return passed(j, f, all, "no limits");
    if (a->purposes && !(a->purposes & BIT(j->purpose)) && j->purpose != TROTH_PURPOSE_ANY)
        return found(j, f, TROTH_FAIL, TROTH_R_CHAIN_ANCHOR_LIMITS, all,
                     "it is not trusted for this purpose");
    if (a->distrust_after && leaf->not_before > a->distrust_after) {
        text_time(&t, a->distrust_after);
        return found(j, f, TROTH_FAIL, TROTH_R_CHAIN_ANCHOR_LIMITS, all,
                     "it is distrusted for certificates issued after %s", t.p);
    }
    if (a->n_permitted && j->ip_n)
        return found(j, f, TROTH_FAIL, TROTH_R_CHAIN_ANCHOR_LIMITS, all, "it is trusted for some domains, and an address was asked for");
    span list = leaf->san;
    for (struct general_name_item g; general_names_next(&list, &g);) {
        if (!spend_names(j, (uint32_t)(a->n_excluded + a->n_permitted)))
            return found(j, f, TROTH_FAIL, TROTH_R_CHAIN_BUDGET, all, "too many names");
        bool out = g.kind == GN_DNS &&
                   ((a->n_permitted && !any_within(a->permitted, a->n_permitted, g.value, false)) ||
                    any_within(a->excluded, a->n_excluded, g.value, true));
        if (out) {
            general_name_text(&t, &g);
            return found(j, f, TROTH_FAIL, TROTH_R_CHAIN_ANCHOR_LIMITS, all,
                         "it is not trusted for the name %s", t.p);
        }
    }
    return passed(j, f, all, "its limits are kept");
}
