/* fuzz_judge.c - one path from an anchor to a leaf whose names, name constraints and policies the input writes: what the checks of a path make of
 * them (constraints.c, policy.c, names.c), where fuzz_path.c is about finding one.
 *
 * Input: flags of the policy, how many authorities lie between, which host is wanted; then operations for each certificate, the anchor first,
 * until an OP_END.  Whatever they write is DER; what it says may be nonsense.  A path that is accepted keeps the constraints on DNS names by a
 * second, simple reading of them. */
#include <ctype.h>

#include "fuzz/small_pki.h"
#include "support/test.h"
#include "x509/der_wr.h"
#include "x509/judge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 3, CERTS_MAX = 5, ROOM = 4096, DNS_MAX = 24, RAW_MAX = 3, EXTS_MAX = 6 + RAW_MAX };

enum op {
    OP_END,
    OP_NAME,     /* kind, n bytes: into the subjectAltName */
    OP_PERMIT, OP_EXCLUDE, /* likewise: into the constraints */
    OP_POLICY,   /* which                                  */
    OP_MAP,      /* from, to                               */
    OP_EXPLICIT, OP_NO_MAPPING, OP_NO_ANY, OP_DEPTH, /* after how many certificates */
    OP_SUBJECT,  /* which                                  */
    OP_RAW,      /* which extension, n bytes               */
    OPS
};

static const char *const policy_oids[] = { "1.2.3.1", "1.2.3.2", "1.2.3.3", "2.5.29.32.0" };
static const char *const subjects[] = { NULL, "CN=a.example", "CN=x,emailAddress=u@a.example", "C=DE,O=Org,CN=y", "O=Org" };
static const char *const hosts[] = { "a.example", "b.a.example", "c.b.a.example", "192.0.2.7" };
static const char *const raw_oids[] = { "2.5.29.30", "2.5.29.17", "2.5.29.32", "2.5.29.33", "2.5.29.36", "2.5.29.54", "1.2.3.4" };

/* What the input said of one certificate. */
struct said {
    uint8_t   rooms[7][ROOM];
    struct wr san, permitted, excluded, policies, mappings, out, raw[RAW_MAX];
    uint8_t   raw_oid[RAW_MAX];
    unsigned  n_raw;
    int       explicit_after, mapping_until, any_until, depth; /* -1: not said */
    const char *subject;                                        /* NULL: not said, until it is made */
    span      dns[3][DNS_MAX];                                  /* in the subjectAltName, permitted, excluded */
    size_t    n_dns[3];
};

static uint8_t byte(span *in)
{
    if (!in->n)
        return 0;
    uint8_t b = in->p[0];
    *in = span_slice(*in, 1, in->n - 1);
    return b;
}

static span bytes(span *in)
{
    size_t want = byte(in) % 64;
    span s = span_slice(*in, 0, want);
    *in = span_slice(*in, s.n, in->n - s.n);
    return s;
}

/* ---- the operations */
static span name_of_kind(unsigned kind, span text)
{
    static const uint8_t org[] = { 0x30, 0x0e, 0x31, 0x0c, 0x30, 0x0a, 0x06, 0x03, 0x55, 0x04, 0x0a, 0x0c, 0x03, 'O', 'r', 'g' };
    static const uint8_t any[] = { 0x30, 0 };
    if (kind != GN_DIRECTORY || text.n > 1)
        return text;
    return text.n ? SPAN_OF(any) : SPAN_OF(org);
}

static void take_name(struct said *s, int where, span *in)
{
    static const uint8_t tags[] = { W_CONSTRUCTED(0), W_CONTEXT(1), W_CONTEXT(2), W_CONSTRUCTED(3), W_CONSTRUCTED(4), W_CONSTRUCTED(5),
                                    W_CONTEXT(6),     W_CONTEXT(7), W_CONTEXT(8) };
    struct wr *w = where == 0 ? &s->san : where == 1 ? &s->permitted : &s->excluded;
    unsigned kind = byte(in) % GN_COUNT;
    span text = name_of_kind(kind, bytes(in));
    size_t tree = where ? dw_open(w, W_SEQUENCE) : 0;
    dw_tlv(w, tags[kind], text);
    if (where)
        dw_close(w, tree);
    if (kind == GN_DNS && s->n_dns[where] < DNS_MAX)
        s->dns[where][s->n_dns[where]++] = text;
}

static void take_policy(struct said *s, span *in, bool mapping)
{
    struct wr *w = mapping ? &s->mappings : &s->policies;
    size_t m = dw_open(w, W_SEQUENCE);
    dw_oid_text(w, policy_oids[byte(in) % COUNT_OF(policy_oids)]);
    if (mapping)
        dw_oid_text(w, policy_oids[byte(in) % COUNT_OF(policy_oids)]);
    dw_close(w, m);
}

static void take_raw(struct said *s, span *in)
{
    uint8_t which = byte(in);
    span value = bytes(in);
    if (s->n_raw == RAW_MAX)
        return;
    s->raw_oid[s->n_raw] = which % COUNT_OF(raw_oids);
    s->raw[s->n_raw] = (struct wr){ (uint8_t *)(uintptr_t)value.p, value.n, value.n, false };
    s->n_raw++;
}

static void listen(struct said *s, span *in)
{
    struct wr *writers[] = { &s->san, &s->permitted, &s->excluded, &s->policies, &s->mappings, &s->out };
    memset(s, 0, sizeof *s);
    for (size_t i = 0; i < COUNT_OF(writers); i++)
        *writers[i] = wr_into(s->rooms[i], ROOM);
    s->explicit_after = s->mapping_until = s->any_until = s->depth = -1;
    for (;;) {
        switch ((enum op)(byte(in) % OPS)) {
        case OP_END: return;
        case OP_NAME: take_name(s, 0, in); break;
        case OP_PERMIT: take_name(s, 1, in); break;
        case OP_EXCLUDE: take_name(s, 2, in); break;
        case OP_POLICY: take_policy(s, in, false); break;
        case OP_MAP: take_policy(s, in, true); break;
        case OP_EXPLICIT: s->explicit_after = byte(in) % 8; break;
        case OP_NO_MAPPING: s->mapping_until = byte(in) % 8; break;
        case OP_NO_ANY: s->any_until = byte(in) % 8; break;
        case OP_DEPTH: s->depth = byte(in) % 8; break;
        case OP_SUBJECT: s->subject = subjects[byte(in) % COUNT_OF(subjects)]; break;
        case OP_RAW: take_raw(s, in); break;
        case OPS: break;
        }
    }
}

/* ---- certificates of them */
static span wrapped(struct wr *w, uint8_t tag, span inner)
{
    size_t from = w->n;
    dw_tlv(w, tag, inner);
    return span_slice(wr_done(w), from, w->n - from);
}

static void add(struct issue_ext *exts, size_t *n, const char *oid, bool critical, span value)
{
    exts[(*n)++] = (struct issue_ext){ oid, critical, value };
}

static size_t extensions(struct said *s, struct issue_ext *exts)
{
    size_t n = 0;
    if (s->san.n)
        add(exts, &n, "2.5.29.17", false, wrapped(&s->out, W_SEQUENCE, wr_done(&s->san)));
    if (s->policies.n)
        add(exts, &n, "2.5.29.32", false, wrapped(&s->out, W_SEQUENCE, wr_done(&s->policies)));
    if (s->mappings.n)
        add(exts, &n, "2.5.29.33", true, wrapped(&s->out, W_SEQUENCE, wr_done(&s->mappings)));
    if (s->permitted.n || s->excluded.n) {
        size_t from = s->out.n, m = dw_open(&s->out, W_SEQUENCE);
        if (s->permitted.n)
            dw_tlv(&s->out, W_CONSTRUCTED(0), wr_done(&s->permitted));
        if (s->excluded.n)
            dw_tlv(&s->out, W_CONSTRUCTED(1), wr_done(&s->excluded));
        dw_close(&s->out, m);
        add(exts, &n, "2.5.29.30", true, span_slice(wr_done(&s->out), from, s->out.n - from));
    }
    for (unsigned i = 0; i < s->n_raw; i++)
        add(exts, &n, raw_oids[s->raw_oid[i]], false, wr_done(&s->raw[i]));
    return n;
}

static void make(struct pki_ctx *p, struct said *s, struct issue *spec, span *der)
{
    struct issue_ext exts[EXTS_MAX];
    spec->extra = exts;
    spec->n_extra = extensions(s, exts);
    spec->subject = s->subject = s->subject ? s->subject : spec->subject;
    spec->has_require_explicit = s->explicit_after >= 0;
    spec->require_explicit = (uint32_t)s->explicit_after;
    spec->has_inhibit_mapping = s->mapping_until >= 0;
    spec->inhibit_mapping = (uint32_t)s->mapping_until;
    spec->has_inhibit_any = s->any_until >= 0;
    spec->inhibit_any = (uint32_t)s->any_until;
    spec->has_path_len = spec->ca && s->depth >= 0;
    spec->path_len = (uint32_t)s->depth;
    if (!issue_cert(p, spec, der))
        *der = SPAN_NONE;
    spec->extra = NULL;
    spec->n_extra = 0;
}

/* ---- the second reading: text against text */
static bool same(span a, span b)
{
    for (size_t i = 0; a.n == b.n && i < a.n; i++)
        if (tolower(a.p[i]) != tolower(b.p[i]))
            return false;
    return a.n == b.n;
}

static bool below(span name, span base)
{
    if (!base.n || same(name, base))
        return true;
    return name.n > base.n && name.p[name.n - base.n - 1] == '.' && same(span_slice(name, name.n - base.n, base.n), base);
}

static bool below_any(const struct said *s, int where, span name)
{
    for (size_t i = 0; i < s->n_dns[where]; i++)
        if (below(name, s->dns[where][i]))
            return true;
    return false;
}

/* Self-issued certificates are bound by no constraints, but for the last (RFC 5280 6.1.3 b). */
static bool exempt(const struct said *said, size_t k, size_t n)
{
    return k + 1 < n && !strcmp(said[k].subject, said[k - 1].subject);
}

/* Of an accepted path: DNS names without a wildcard. */
static void check_names(const struct said *authority, const struct said *below_it)
{
    for (size_t i = 0; i < below_it->n_dns[0]; i++) {
        span name = below_it->dns[0][i];
        if (name.n && name.p[0] == '*')
            continue;
        if (authority->n_dns[1] && !below_any(authority, 1, name))
            test_fail("%.*s is accepted, and not permitted", (int)name.n, (const char *)name.p);
        if (below_any(authority, 2, name))
            test_fail("%.*s is accepted, and excluded", (int)name.n, (const char *)name.p);
    }
}

static troth_policy *policy(const uint8_t *data, span anchor, troth_provider *crypto)
{
    troth_error e;
    troth_policy_builder *b = troth_policy_new(troth_provider_share(crypto));
    troth_policy_trust_pem(b, anchor);
    troth_policy_time(b, MK_NOW);
    if (data[0] & 1)
        troth_policy_every_check(b);
    if (data[0] & 2)
        troth_policy_require_explicit(b);
    if (data[0] & 4)
        troth_policy_inhibit_mapping(b);
    if (data[0] & 8)
        troth_policy_inhibit_any(b);
    if (data[0] & 16)
        troth_policy_add_policy(b, policy_oids[0]);
    if (data[0] & 32)
        troth_policy_add_policy(b, policy_oids[1]);
    if (data[2] % 8 < COUNT_OF(hosts))
        troth_policy_host(b, hosts[data[2] % 8]);
    else if (data[2] & 8)
        troth_policy_email(b, "u@a.example");
    return troth_policy_build(b, &e); /* NULL: an anchor that cannot be read */
}

static void judge(const uint8_t *data, const struct said *said, const span *ders, size_t n, troth_provider *crypto)
{
    span chain[CERTS_MAX];
    troth_policy *p = policy(data, ders[0], crypto);
    if (!p)
        return;
    for (size_t i = 0; i < n; i++)
        chain[i] = ders[n - 1 - i];
    troth_report *r = troth_verify(p, chain, n);
    assert_non_null(r);
    troth_work w = troth_report_work(r);
    assert_true(w.signatures <= LIMIT_BUDGET_SIGNATURES && w.names <= LIMIT_BUDGET_NAMES && w.steps <= LIMIT_BUDGET_STEPS + 1);
    assert_int_equal(troth_report_ok(r), troth_report_error(r)->reason == TROTH_R_NONE);
    assert_true(troth_report_error(r)->reason != TROTH_R_BUG);
    for (size_t k = 1; k < n && troth_report_ok(r); k++)
        for (size_t i = 0; i < k && !exempt(said, k, n); i++)
            check_names(&said[i], &said[k]);
    troth_report_free(r);
    troth_policy_free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[CERTS_MAX] = { "CN=root", "CN=first", "CN=second", "CN=third", "CN=leaf" };
    static struct said said[CERTS_MAX];
    static struct small_pki pki;
    struct issue specs[CERTS_MAX];
    span ders[CERTS_MAX];
    if (size < HEAD)
        return 0;
    small_pki_begin(&pki);
    span in = span_of(data + HEAD, size - HEAD);
    size_t n = 2 + data[1] % (CERTS_MAX - 1), made = 0;
    for (size_t i = 0; i < n; i++) {
        listen(&said[i], &in);
        specs[i] = !i ? mk_ca(names[0], pki.keys[0])
                      : i + 1 < n ? mk_sub_ca(&specs[i - 1], names[i], pki.keys[i]) : mk_leaf(&specs[i - 1], pki.keys[i], NULL);
        make(&pki.p, &said[i], &specs[i], &ders[i]);
        made += ders[i].n > 0;
    }
    if (made == n)
        judge(data, said, ders, n, pki.mk->crypto);
    small_pki_end(&pki);
    return 0;
}
