/* names.c - is this certificate for the name that was asked for?  (RFC 9525, RFC 5280 4.2.1.6)
 *
 * Compares dNSName, iPAddress, rfc822Name and SmtpUTF8Mailbox of the subjectAltName.  The common name is never a name here; it
 * is looked at only to say that it would have matched.  Must never match a wildcard that is not the whole
 * left-most label. */
#include "x509/names.h"

#include "x509/judge.h"
#include "x509/oid.h"

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

static int hex_digit(uint8_t c)
{
    c = lower(c);
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool dns_equal(span a, span b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (lower(a.p[i]) != lower(b.p[i]))
            return false;
    return true;
}

/* Labels of letters, digits, hyphens and underscores, 1 to 63 each: what is looked up somewhere. */
bool dns_ok(span s)
{
    size_t label = 0;
    if (s.n == 0 || s.n > LIMIT_HOST_NAME)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = lower(s.p[i]);
        if (c == '.') {
            if (label == 0)
                return false;
            label = 0;
            continue;
        }
        bool ldh = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
        if (!ldh || ++label > LIMIT_DNS_LABEL)
            return false;
    }
    return label != 0;
}

bool dns_is_wildcard(span s)
{
    return s.n > 2 && s.p[0] == '*' && s.p[1] == '.';
}

bool dns_pattern_ok(span s)
{
    return dns_ok(dns_is_wildcard(s) ? span_slice(s, 2, s.n) : s);
}

/* A number as the last label: browsers and getaddrinfo read "1.2.3" and "0x7f.1" as addresses, and so there is no such domain (RFC 3696 2). */
static bool ends_in_number(span s)
{
    size_t at = s.n;
    while (at > 0 && s.p[at - 1] != '.')
        at--;
    span last = span_slice(s, at, s.n);
    bool hex = last.n > 1 && last.p[0] == '0' && lower(last.p[1]) == 'x', number = last.n > 0;
    for (size_t i = hex ? 2 : 0; i < last.n; i++)
        number &= hex ? hex_digit(last.p[i]) >= 0 : last.p[i] >= '0' && last.p[i] <= '9';
    return number;
}

/* A label that begins or ends with a hyphen (RFC 1034 3.5). */
static bool has_edge_hyphen(span s)
{
    for (size_t i = 0; i < s.n; i++) {
        bool first = i == 0 || s.p[i - 1] == '.', last = i + 1 == s.n || s.p[i + 1] == '.';
        if (s.p[i] == '-' && (first || last))
            return true;
    }
    return false;
}

/* Behind the first dot; empty when there is none. */
static span parent_of(span name)
{
    const uint8_t *dot = name.n ? memchr(name.p, '.', name.n) : NULL;
    return dot ? span_slice(name, (size_t)(dot - name.p) + 1, name.n) : SPAN_NONE;
}

bool dns_matches(span pattern, span host)
{
    if (!dns_is_wildcard(pattern))
        return dns_equal(pattern, host) && dns_ok(pattern);
    span rest = span_slice(pattern, 2, pattern.n), parent = parent_of(host);
    return parent.n && dns_equal(rest, parent) && dns_ok(rest);
}

/* ---- addresses */

static bool ipv4_read(span s, uint8_t out[4])
{
    size_t i = 0;
    for (unsigned part = 0; part < 4; part++) {
        unsigned v = 0, digits = 0;
        for (; i < s.n && s.p[i] >= '0' && s.p[i] <= '9' && digits < 4; i++, digits++)
            v = v * 10 + (s.p[i] - '0');
        if (digits == 0 || digits > 3 || v > 255 || (digits > 1 && s.p[i - digits] == '0'))
            return false;
        out[part] = (uint8_t)v;
        if (part < 3 && (i == s.n || s.p[i++] != '.'))
            return false;
    }
    return i == s.n;
}

/* One group of 1 to 4 hexadecimal digits at *i. */
static bool group_read(span s, size_t *i, unsigned *v)
{
    size_t from = *i;
    *v = 0;
    for (; *i < s.n && hex_digit(s.p[*i]) >= 0 && *i - from < 5; ++*i)
        *v = *v << 4 | (unsigned)hex_digit(s.p[*i]);
    return *i > from && *i - from <= 4;
}

/* RFC 4291 2.2, with an IPv4 address as its tail where there is one. */
static bool ipv6_read(span s, uint8_t out[16])
{
    uint8_t b[16] = { 0 };
    size_t n = 0, gap = SIZE_MAX, i = 0;
    if (s.n >= 2 && s.p[0] == ':' && s.p[1] == ':')
        gap = 0, i = 2;
    while (i < s.n) {
        unsigned v;
        size_t from = i;
        if (n > 14 || !group_read(s, &i, &v))
            return false;
        if (i < s.n && s.p[i] == '.') {
            if (n > 12 || !ipv4_read(span_slice(s, from, s.n), b + n))
                return false;
            n += 4;
            break;
        }
        b[n++] = (uint8_t)(v >> 8);
        b[n++] = (uint8_t)v;
        if (i == s.n)
            break;
        if (s.p[i++] != ':' || i == s.n)
            return false;
        if (s.p[i] == ':') {
            if (gap != SIZE_MAX)
                return false;
            gap = n, i++;
        }
    }
    if (gap == SIZE_MAX ? n != 16 : n > 14)
        return false;
    memset(out, 0, 16);
    size_t head = gap == SIZE_MAX ? n : gap;
    memcpy(out, b, head);
    memcpy(out + 16 - (n - head), b + head, n - head);
    return true;
}

size_t ip_read(uint8_t out[16], span text)
{
    if (text.n > 2 && text.p[0] == '[' && text.p[text.n - 1] == ']')
        text = span_slice(text, 1, text.n - 2);
    const uint8_t *zone = text.n ? memchr(text.p, '%', text.n) : NULL;
    span bare = zone ? span_slice(text, 0, (size_t)(zone - text.p)) : text;
    if (ipv4_read(text, out))
        return 4;
    return ipv6_read(bare, out) ? 16 : 0;
}

void ip_text(struct text *t, span ip)
{
    if (ip.n == 4) {
        text_add(t, "%u.%u.%u.%u", ip.p[0], ip.p[1], ip.p[2], ip.p[3]);
        return;
    }
    if (ip.n != 16) {
        text_hex(t, ip);
        return;
    }
    size_t best = 0, best_n = 0; /* the longest run of zero groups, RFC 5952 4.2 */
    for (size_t i = 0; i < 8; i++) {
        size_t n = 0;
        while (i + n < 8 && !ip.p[2 * (i + n)] && !ip.p[2 * (i + n) + 1])
            n++;
        if (n > best_n && n > 1)
            best = i, best_n = n;
    }
    for (size_t i = 0; i < 8; i++) {
        if (best_n && i == best) {
            text_add(t, "::");
            i += best_n - 1;
            continue;
        }
        bool first = i == 0 || (best_n && i == best + best_n);
        text_add(t, "%s%x", first ? "" : ":", ip.p[2 * i] << 8 | ip.p[2 * i + 1]);
    }
}

/* ---- mailboxes (RFC 5321 4.1.2, as far as certificates need it) */

/* Bytes beyond ASCII are those of an SmtpUTF8Mailbox: an rfc822Name is an IA5String, and was read as one. */
static bool atom_ok(uint8_t c)
{
    return c >= 0x80 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

/* dot-atom, or a quoted string. */
static bool local_ok(span s)
{
    if (s.n == 0 || s.n > 255)
        return false;
    if (s.p[0] == '"') {
        if (s.n < 3 || s.p[s.n - 1] != '"')
            return false;
        for (size_t i = 1; i + 1 < s.n; i++) {
            if (s.p[i] == '\\' && i + 2 < s.n)
                i++;
            else if (s.p[i] == '"' || s.p[i] == '\\' || s.p[i] < 0x20 || s.p[i] == 0x7f)
                return false;
        }
        return true;
    }
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == '.' ? i == 0 || i + 1 == s.n || s.p[i - 1] == '.' : !atom_ok(s.p[i]))
            return false;
    return true;
}

bool mailbox_split(span s, span *local, span *host)
{
    size_t at = s.n;
    while (at > 0 && s.p[at - 1] != '@')
        at--;
    if (at == 0)
        return false;
    *local = span_slice(s, 0, at - 1);
    *host = span_slice(s, at, s.n);
    return local_ok(*local) && dns_ok(*host);
}

bool mailbox_equal(span a, span b)
{
    span la, ha, lb, hb;
    return mailbox_split(a, &la, &ha) && mailbox_split(b, &lb, &hb) && span_equal(la, lb) &&
           dns_equal(ha, hb);
}

bool utf8_mailbox(const struct general_name_item *g, struct general_name_item *mailbox)
{
    if (g->kind != GN_OTHER)
        return false;
    struct rd_ctx ctx;
    rd_ctx_init(&ctx, g->value, NULL);
    struct rd r = rd_init(&ctx, g->value);
    if (!oid_is(der_oid(&r, "type-id"), OID_ON_SMTP_UTF8))
        return false;
    struct rd value = der_open(&r, "value", DER_CONTEXT_CONS(0));
    *mailbox = (struct general_name_item){ GN_EMAIL, der_any(&value, "SmtpUTF8Mailbox").value, g->raw };
    return true;
}

/* ---- the check */

/* How near a certificate came to matching. */
struct near {
    bool matched, suffix, deeper;
    bool as_dns; /* the address that was asked for stands there as a dNSName */
    span which; /* the name that matched, or almost did */
    struct text list;
    unsigned listed, more;
};

static bool is_public_suffix(const struct judge *j, span domain)
{
    char name[LIMIT_HOST_NAME + 1];
    if (!memchr(domain.p, '.', domain.n))
        return true;
    if (!j->policy->is_suffix || domain.n > LIMIT_HOST_NAME)
        return false;
    for (size_t i = 0; i < domain.n; i++)
        name[i] = (char)lower(domain.p[i]);
    name[domain.n] = 0;
    return j->policy->is_suffix(j->policy->suffix_ctx, name);
}

static void list_add(struct near *near, const struct general_name_item *g)
{
    if (near->list.n > 200) {
        near->more++;
        return;
    }
    text_add(&near->list, near->listed++ ? ", " : "");
    general_name_text(&near->list, g);
}

static void try_dns(struct judge *j, struct near *near, const struct general_name_item *g)
{
    span host = span_of(j->host, strlen(j->host));
    if (dns_matches(g->value, host)) {
        bool open = dns_is_wildcard(g->value) && is_public_suffix(j, span_slice(g->value, 2, g->value.n));
        near->suffix |= open;
        near->matched |= !open;
        near->which = g->raw;
        return;
    }
    if (dns_is_wildcard(g->value) && !near->deeper) {
        span rest = span_slice(g->value, 2, g->value.n);
        bool below = host.n > rest.n && host.p[host.n - rest.n - 1] == '.' &&
                     dns_equal(span_slice(host, host.n - rest.n, rest.n), rest);
        near->deeper = below;
        near->which = below ? g->raw : near->which;
    }
}

static bool wanted_kind(const struct judge *j, uint8_t kind)
{
    return kind == (j->ip_n ? GN_IP : j->email ? GN_EMAIL : GN_DNS);
}

static void try_name(struct judge *j, struct near *near, const struct general_name_item *g)
{
    struct general_name_item mailbox;
    if (j->email && utf8_mailbox(g, &mailbox))
        g = &mailbox;
    uint8_t ip[16];
    if (j->ip_n && g->kind == GN_DNS && ip_read(ip, g->value) == j->ip_n && !memcmp(ip, j->ip, j->ip_n)) {
        near->as_dns = true;
        near->which = g->raw;
    }
    if (!wanted_kind(j, g->kind))
        return;
    bool yes = false;
    if (g->kind == GN_IP)
        yes = span_equal(g->value, (span){ j->ip, j->ip_n });
    else if (g->kind == GN_EMAIL)
        yes = mailbox_equal(g->value, span_of(j->email, strlen(j->email)));
    else
        try_dns(j, near, g);
    if (yes) {
        near->matched = true;
        near->which = g->raw;
    }
}

/* Would the common name have matched, for those who still looked there? */
static bool cn_matches(const struct judge *j, const struct cert *c, struct text *cn)
{
    if (!name_attribute(c->subject, oid_der(OID_AT_CN), cn))
        return false;
    span s = span_of(cn->p, cn->n);
    uint8_t ip[16];
    if (j->ip_n)
        return ip_read(ip, s) == j->ip_n && memcmp(ip, j->ip, j->ip_n) == 0;
    return j->host && dns_matches(s, span_of(j->host, strlen(j->host)));
}

static const char *asked(const struct judge *j, struct text *t)
{
    if (j->ip_n)
        ip_text(t, (span){ j->ip, j->ip_n });
    else
        text_escaped(t, span_of(j->host ? j->host : j->email, strlen(j->host ? j->host : j->email)));
    return t->p;
}

static enum troth_verdict explain_mismatch(struct judge *j, const struct cert *c, struct near *near,
                                           struct finding *f)
{
    char asked_in[LIMIT_HOST_NAME + 40], cn_in[120];
    struct text want = TEXT_IN(asked_in), cn = TEXT_IN(cn_in);
    span names = c->san;
    for (struct general_name_item g; general_names_next(&names, &g);)
        list_add(near, &g);
    const char *wanted = asked(j, &want), *list = near->listed ? near->list.p : "no names at all";
    struct range san = cert_range(c, near->which.p ? near->which : c->ext[CX_SUBJECT_ALT_NAME]);
    if (near->suffix)
        return found(j, f, TROTH_FAIL, TROTH_R_CERT_WILDCARD_SUFFIX, san,
                     "%s matches only a wildcard under a public suffix: %s", wanted, list);
    if (near->more)
        text_add(&near->list, " and %u more", near->more);
    if (!(c->san_kinds & (BIT(GN_DNS) | BIT(GN_IP))) && cn_matches(j, c, &cn))
        return found(j, f, TROTH_FAIL, TROTH_R_CERT_CN_ONLY, cert_range(c, c->subject),
                     "%s stands only in the common name \"%s\"; there is no %s", wanted, cn.p,
                     near->listed ? "host in its subjectAltName" : "subjectAltName");
    if (near->as_dns)
        return found(j, f, TROTH_FAIL, c->san_kinds & BIT(GN_IP) ? TROTH_R_CERT_NAME_MISMATCH : TROTH_R_CERT_NO_IP_SAN, san,
                     "asked for the address %s, which stands there as a dNSName, and is none (RFC 5280 4.2.1.6)", wanted);
    if (j->ip_n && !(c->san_kinds & BIT(GN_IP)))
        return found(j, f, TROTH_FAIL, TROTH_R_CERT_NO_IP_SAN, san,
                     "asked for the address %s; the certificate is for %s", wanted, list);
    if (near->deeper)
        return found(j, f, TROTH_FAIL, TROTH_R_CERT_WILDCARD_DEPTH, san,
                     "asked for %s; the certificate is for %s", wanted, list);
    return found(j, f, TROTH_FAIL, TROTH_R_CERT_NAME_MISMATCH, san, "asked for %s; the certificate is for %s",
                 wanted, list);
}

/* Is it a name that no certificate could be for? */
static bool asks_in_vain(const struct judge *j)
{
    span local, host;
    return j->ip_n    ? false
           : j->email ? !mailbox_split(span_of(j->email, strlen(j->email)), &local, &host)
                      : !dns_ok(span_of(j->host, strlen(j->host)));
}

static enum troth_verdict impossible(struct judge *j, struct finding *f)
{
    char in[120];
    struct text t = TEXT_IN(in);
    return found(j, f, TROTH_FAIL, TROTH_R_CERT_IMPOSSIBLE_NAME, (struct range){ 0, 0 }, "\"%s\" is %s", asked(j, &t),
                 j->email ? "no mailbox with its host in A-labels" : "neither a DNS name in A-labels nor an address");
}

enum troth_verdict check_name(struct judge *j, unsigned cert, struct finding *f)
{
    const struct cert *c = cert_at(j, cert);
    char names_in[300];
    struct near near = { .list = TEXT_IN(names_in) };
    if (!j->host && !j->email && !j->ip_n)
        return skipped(f, "no name was asked for");
    if (asks_in_vain(j))
        return impossible(j, f);
    if (!spend_names(j, c->n_san))
        return found(j, f, TROTH_FAIL, TROTH_R_CHAIN_BUDGET, (struct range){ 0, 0 }, "%u names", c->n_san);
    span list = c->san;
    for (struct general_name_item g; !near.matched && general_names_next(&list, &g);)
        try_name(j, &near, &g);
    if (near.matched)
        return passed(j, f, cert_range(c, near.which), "matches");
    return explain_mismatch(j, c, &near, f);
}

/* What is wrong with a dNSName, where public authorities are held to the preferred syntax of RFC 5280 4.2.1.6; NULL: nothing.  Underscores
 * are in use, and a matter for lint. */
static const char *dns_fault(span s)
{
    uint8_t ip[16];
    span name = dns_is_wildcard(s) ? span_slice(s, 2, s.n) : s;
    return !dns_ok(name)           ? "it is no DNS name"
           : ip_read(ip, s)        ? "it is an address"
           : ends_in_number(name)  ? "its last label is a number, so that it can be taken for an address"
           : has_edge_hyphen(name) ? "a label begins or ends with a hyphen"
                                   : NULL;
}

/* Names that no server certificate may have: broken, or addresses written as names (web profile). */
enum troth_verdict check_san_formed(struct judge *j, unsigned cert, struct finding *f)
{
    const struct cert *c = cert_at(j, cert);
    span list = c->san;
    const char *fault;
    char in[120];
    struct text t = TEXT_IN(in);
    if (!spend_names(j, c->n_san))
        return found(j, f, TROTH_FAIL, TROTH_R_CHAIN_BUDGET, (struct range){ 0, 0 }, "%u names", c->n_san);
    for (struct general_name_item g; general_names_next(&list, &g);) {
        if (g.kind != GN_DNS || !(fault = dns_fault(g.value)))
            continue;
        text_escaped(&t, span_slice(g.value, 0, 60));
        return found(j, f, TROTH_FAIL, TROTH_R_CERT_NAME_MALFORMED, cert_range(c, g.raw), "dNSName \"%s\": %s", t.p, fault);
    }
    return passed(j, f, cert_range(c, c->ext[CX_SUBJECT_ALT_NAME]), "%u names, all well-formed", c->n_san);
}

bool cert_matches_host(const struct cert *c, const char *host)
{
    uint8_t ip[16];
    span h = span_of(host, strlen(host)), list = c->san;
    if (h.n && h.p[h.n - 1] == '.')
        h.n--;
    size_t ip_n = ip_read(ip, h);
    for (struct general_name_item g; general_names_next(&list, &g);)
        if (ip_n ? g.kind == GN_IP && span_equal(g.value, (span){ ip, ip_n })
                 : g.kind == GN_DNS && dns_matches(g.value, h))
            return true;
    return false;
}

void general_name_text(struct text *t, const struct general_name_item *g)
{
    struct general_name_item mailbox;
    if (utf8_mailbox(g, &mailbox))
        g = &mailbox;
    switch ((enum general_name)g->kind) {
    case GN_IP: ip_text(t, g->value); return;
    case GN_DIRECTORY: name_text(t, g->value); return;
    case GN_DNS:
    case GN_EMAIL:
    case GN_URI: text_escaped(t, g->value); return;
    case GN_REGISTERED_ID: oid_show(t, g->value); return;
    case GN_OTHER:
    case GN_X400:
    case GN_EDI:
    case GN_COUNT: break;
    }
    static const char *const kinds[GN_COUNT] = {
        [GN_OTHER] = "otherName", [GN_X400] = "x400Address", [GN_EDI] = "ediPartyName"
    };
    text_add(t, "(%s)", g->kind < GN_COUNT && kinds[g->kind] ? kinds[g->kind] : "?");
}

void cert_title(struct text *t, const struct cert *c)
{
    if (!name_is_empty(c->subject)) {
        name_text(t, c->subject);
        return;
    }
    span list = c->san;
    struct general_name_item g;
    if (general_names_next(&list, &g))
        general_name_text(t, &g);
    else
        text_add(t, "(no name)");
}
