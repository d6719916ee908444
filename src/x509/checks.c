/* checks.c - the table of checks, and those that need no file of their own.
 *
 * A check is pure: path and place in, verdict and evidence out.  The order is the order in which a person
 * would want to hear of it, what is cheap before what is dear: signatures come last but for what needs them.
 */
#include <stdarg.h>
#include <stdio.h>

#include "x509/judge.h"
#include "x509/oid.h"
#include "x509/sct.h"

#define NOWHERE ((struct range){ 0, 0 })

static enum troth_verdict check_form(struct judge *j, unsigned cert, struct finding *f)
{
    const struct cert *c = cert_at(j, cert);
    if (!span_equal(c->sig_alg, c->tbs_sig_alg))
        return found(j, f, TROTH_FAIL, TROTH_R_CERT_SIG_MISMATCH, cert_range(c, c->sig_alg),
                     "signatureAlgorithm and signature differ");
    if (c->has_extensions && c->version != 3)
        return found(j, f, TROTH_FAIL, TROTH_R_CERT_VERSION, NOWHERE, "version %u with extensions",
                     c->version);
    if (c->has_unique_id && c->version == 1)
        return found(j, f, TROTH_FAIL, TROTH_R_CERT_MALFORMED, NOWHERE, "version 1 with a unique identifier");
    if (c->not_after < c->not_before)
        return found(j, f, TROTH_FAIL, TROTH_R_CERT_MALFORMED, NOWHERE, "its validity ends before it begins");
    if (c->flaw.why == TROTH_R_NONE)
        return passed(j, f, (struct range){ 0, (uint32_t)c->raw.n }, "DER throughout, no extension twice");
    bool u_label = c->flaw.why == TROTH_R_CERT_NAME_MALFORMED && !strcmp(c->flaw.field, "dNSName"); /* not ASCII */
    if (u_label)
        return found(j, f, TROTH_FAIL, TROTH_R_CERT_IDNA, (struct range){ c->flaw.at, 1 },
                     "a dNSName with bytes that are not ASCII");
    bool own_reason = c->flaw.why == TROTH_R_CERT_EXT_DUPLICATE ||
                      c->flaw.why == TROTH_R_CERT_NAME_MALFORMED ||
                      c->flaw.why == TROTH_R_CERT_CONSTRAINT_MALFORMED;
    const char *name = c->flaw.ext < CX_COUNT ? ext_name((enum cert_ext)c->flaw.ext) : "an extension";
    return found(j, f, TROTH_FAIL, own_reason ? c->flaw.why : TROTH_R_CERT_EXT_MALFORMED,
                 (struct range){ c->flaw.at, 1 }, "%s: %s at byte %u: %s", name, c->flaw.field, c->flaw.at,
                 troth_reason_text(c->flaw.why));
}

static enum troth_verdict check_version(struct judge *j, unsigned cert, struct finding *f)
{
    const struct cert *c = cert_at(j, cert);
    bool must_be_3 = j->web || (cert > 0 && !is_anchor(j, cert)); /* RFC 5280 6.1.4 (k) */
    if (c->version != 3 && must_be_3)
        return found(j, f, TROTH_FAIL, TROTH_R_CERT_VERSION, NOWHERE, "version %u", c->version);
    return passed(j, f, NOWHERE, "version %u", c->version);
}

static enum troth_verdict check_validity(struct judge *j, unsigned cert, struct finding *f)
{
    const struct cert *c = cert_at(j, cert);
    int64_t now = j->in->now;
    char in[160];
    struct text t = TEXT_IN(in);
    if (now >= c->not_before && now <= c->not_after && !j->words)
        return TROTH_PASS;
    text_add(&t, "valid ");
    text_time(&t, c->not_before);
    text_add(&t, " .. ");
    text_time(&t, c->not_after);
    if (now >= c->not_before && now <= c->not_after)
        return found(j, f, TROTH_PASS, TROTH_R_NONE, NOWHERE, "%s", t.p);
    bool late = now > c->not_after;
    text_add(&t, late ? ", expired " : ", begins in ");
    text_distance(&t, late ? c->not_after : c->not_before, now);
    text_add(&t, late ? " ago; it is " : "; it is ");
    text_time(&t, now);
    return found(j, f, TROTH_FAIL, late ? TROTH_R_CERT_EXPIRED : TROTH_R_CERT_NOT_YET_VALID, NOWHERE, "%s",
                 t.p);
}

static enum troth_verdict check_critical(struct judge *j, unsigned cert, struct finding *f)
{
    /* known by name, and nothing that path validation does with them: critical they are refused (RFC 5280 4.2) */
    static const enum cert_ext not_processed[] = { CX_PRIVATE_KEY_PERIOD, CX_SUBJECT_DIRECTORY, CX_ISSUER_ALT_NAME,
                                                   CX_AUTHORITY_INFO,     CX_SUBJECT_INFO,      CX_FRESHEST_CRL };
    const struct cert *c = cert_at(j, cert);
    char in[120];
    struct text t = TEXT_IN(in);
    if (cert_has(c, CX_CT_POISON))
        return found(j, f, TROTH_FAIL, TROTH_R_CERT_POISON, cert_range(c, c->ext[CX_CT_POISON]),
                     "it has the poison extension (RFC 6962 3.1)");
    if (c->unknown_qualifier && c->critical & BIT(CX_POLICIES))
        return found(j, f, TROTH_FAIL, TROTH_R_CERT_CRITICAL_EXT, cert_range(c, c->ext[CX_POLICIES]),
                     "certificatePolicies with a qualifier that is not known (RFC 5280 4.2.1.4)");
    for (size_t i = 0; i < COUNT_OF(not_processed); i++)
        if (c->critical & BIT(not_processed[i]))
            return found(j, f, TROTH_FAIL, TROTH_R_CERT_CRITICAL_EXT, cert_range(c, c->ext[not_processed[i]]),
                         "%s is critical, and nothing here goes by it (RFC 5280 4.2)", ext_name(not_processed[i]));
    span list;
    troth_error why;
    if (c->critical & BIT(CX_SCT_LIST) && !scts_open(c->sct_list, &list, NULL, &why))
        return found(j, f, TROTH_FAIL, TROTH_R_CERT_CRITICAL_EXT, cert_range(c, c->ext[CX_SCT_LIST]),
                     "%s is critical, and is no list of SCTs (RFC 6962 3.3)", ext_name(CX_SCT_LIST));
    if (!c->unknown_critical.n)
        return passed(j, f, NOWHERE, "all critical extensions are known");
    oid_show(&t, c->unknown_critical);
    return found(j, f, TROTH_FAIL, TROTH_R_CERT_CRITICAL_EXT, cert_range(c, c->unknown_critical),
                 "the extension %s", t.p);
}

static enum troth_verdict check_ca(struct judge *j, unsigned cert, struct finding *f)
{
    const struct cert *c = cert_at(j, cert);
    struct range at = cert_range(c, c->ext[CX_BASIC_CONSTRAINTS]);
    if (cert == 0)
        return TROTH_PASS; /* an anchor that is the leaf itself issues nothing here */
    if (!cert_has(c, CX_BASIC_CONSTRAINTS))
        return found(j, f, TROTH_FAIL, TROTH_R_CERT_NOT_A_CA, at,
                     "it issued certificate %u and has no basicConstraints", cert);
    if (!c->is_ca)
        return found(j, f, TROTH_FAIL, TROTH_R_CERT_NOT_A_CA, at,
                     "it issued certificate %u and its basicConstraints say cA FALSE", cert);
    return passed(j, f, at, "cA TRUE");
}

static enum troth_verdict check_path_length(struct judge *j, unsigned cert, struct finding *f)
{
    const struct cert *c = cert_at(j, cert);
    struct range at = cert_range(c, c->ext[CX_BASIC_CONSTRAINTS]);
    if (cert == 0 || !c->has_path_len)
        return passed(j, f, at, "no limit");
    unsigned below = 0;
    for (unsigned i = 1; i < cert; i++)
        below += !cert_at(j, i)->self_issued;
    if (below > c->path_len)
        return found(j, f, TROTH_FAIL, TROTH_R_CERT_PATHLEN, at,
                     "it allows %u authorities below it and there are %u", c->path_len, below);
    return passed(j, f, at, "%u of %u", below, c->path_len);
}

static const char *purpose_name(enum troth_purpose p)
{
    static const char *const names[] = { "any use", "TLS servers",  "TLS clients",
                                         "e-mail",  "code signing", "any use" };
    return names[p];
}

static const char *usage_list(const struct cert *c, struct text *t)
{
    static const char *const names[] = { "digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment", "keyAgreement",
                                         "keyCertSign",      "cRLSign",        "encipherOnly",    "decipherOnly" };
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (c->key_usage & BIT(i))
            text_add(t, "%s%s", t->n ? ", " : "", names[i]);
    return t->n ? t->p : "nothing";
}

static enum troth_verdict check_key_usage(struct judge *j, unsigned cert, struct finding *f)
{
    static const uint16_t leaf_bits[] = {
        [TROTH_PURPOSE_SERVER] = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT | KU_KEY_AGREEMENT,
        [TROTH_PURPOSE_CLIENT] = KU_DIGITAL_SIGNATURE | KU_KEY_AGREEMENT,
        [TROTH_PURPOSE_EMAIL] =
            KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION | KU_KEY_ENCIPHERMENT | KU_KEY_AGREEMENT,
        [TROTH_PURPOSE_CODE] = KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION,
        [TROTH_PURPOSE_ANY] = 0,
    };
    const struct cert *c = cert_at(j, cert);
    struct range at = cert_range(c, c->ext[CX_KEY_USAGE]);
    char in[160];
    struct text t = TEXT_IN(in);
    if (!cert_has(c, CX_KEY_USAGE))
        return passed(j, f, at, "not limited");
    if (cert > 0 && !(c->key_usage & KU_KEY_CERT_SIGN))
        return found(j, f, TROTH_FAIL, TROTH_R_CERT_KEY_USAGE, at,
                     "it issued certificate %u and may not sign certificates (keyCertSign); its key is for: %s", cert, usage_list(c, &t));
    uint16_t need = leaf_bits[j->purpose];
    if (cert == 0 && need && !(c->key_usage & need))
        return found(j, f, TROTH_FAIL, TROTH_R_CERT_KEY_USAGE, at, "wanted for %s; its key is for: %s", purpose_name(j->purpose),
                     usage_list(c, &t));
    return passed(j, f, at, "allows it");
}

static const char *eku_list(const struct cert *c, struct text *t)
{
    static const char *const names[] = { "any",         "serverAuth",      "clientAuth",
                                         "codeSigning", "emailProtection", "timeStamping",
                                         "OCSPSigning", "others" };
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (c->eku & BIT(i))
            text_add(t, "%s%s", t->n ? ", " : "", names[i]);
    return t->p;
}

static enum troth_verdict check_purpose(struct judge *j, unsigned cert, struct finding *f)
{
    static const uint16_t bits[] = {
        [TROTH_PURPOSE_SERVER] = EKU_SERVER,
        [TROTH_PURPOSE_CLIENT] = EKU_CLIENT,
        [TROTH_PURPOSE_EMAIL] = EKU_EMAIL,
        [TROTH_PURPOSE_CODE] = EKU_CODE,
        [TROTH_PURPOSE_ANY] = 0,
    };
    const struct cert *c = cert_at(j, cert);
    struct range at = cert_range(c, c->ext[CX_EXT_KEY_USAGE]);
    char in[140];
    struct text t = TEXT_IN(in);
    if (!cert_has(c, CX_EXT_KEY_USAGE))
        return passed(j, f, at, "not limited");
    if (!bits[j->purpose] || c->eku & (bits[j->purpose] | EKU_ANY))
        return passed(j, f, at, "includes %s", purpose_name(j->purpose));
    return found(j, f, TROTH_FAIL, TROTH_R_CERT_WRONG_EKU, at, "wanted for %s; it is for: %s",
                 purpose_name(j->purpose), eku_list(c, &t));
}

static enum troth_verdict check_issuer(struct judge *j, unsigned cert, struct finding *f)
{
    const struct cert *c = cert_at(j, cert);
    /* whoever made the path compared the names in full; here it is done by their hashes, once more */
    if (cert + 1 < j->now.n && c->issuer_hash != cert_at(j, cert + 1)->subject_hash)
        return found(j, f, TROTH_FAIL, TROTH_R_BUG, cert_range(c, c->issuer), "not the name of its issuer");
    return passed(j, f, cert_range(c, c->issuer), "is the subject of the next certificate");
}

/* clang-format off */
const struct check checks[] = {
/*  name                       rule                      how                       when it fails                  looks at       rules   alone */
  { "form",                   "RFC 5280 4.1",            check_form,               TROTH_R_CERT_EXT_MALFORMED,    EVERY,         ALWAYS, true  },
  { "version",                "RFC 5280 6.1.4(k)",       check_version,            TROTH_R_CERT_VERSION,          EVERY,         ALWAYS, true  },
  { "issuer name",            "RFC 5280 6.1.3(a)(4)",    check_issuer,             TROTH_R_BUG,                   BELOW_ANCHOR,  ALWAYS, false },
  { "validity",               "RFC 5280 6.1.3(a)(2)",    check_validity,           TROTH_R_CERT_EXPIRED,          EVERY,         ALWAYS, true  },
  { "is a CA",                "RFC 5280 6.1.4(k)",       check_ca,                 TROTH_R_CERT_NOT_A_CA,         ISSUERS|ANCHOR,ALWAYS, true  },
  { "leaf is no CA",          "CA/B Forum 7.1.2.7.8",    check_web_leaf,           TROTH_R_CERT_CA_AS_LEAF,       LEAF,          WEB,    true  },
  { "key usage",              "RFC 5280 6.1.4(n)",       check_key_usage,          TROTH_R_CERT_KEY_USAGE,        EVERY,         ALWAYS, true  },
  { "purpose",                "RFC 5280 4.2.1.12",       check_purpose,            TROTH_R_CERT_WRONG_EKU,        EVERY,         ALWAYS, true  },
  { "path length",            "RFC 5280 6.1.4(m)",       check_path_length,        TROTH_R_CERT_PATHLEN,          ISSUERS|ANCHOR,ALWAYS, false },
  { "critical extensions",    "RFC 5280 6.1.4(o)",       check_critical,           TROTH_R_CERT_CRITICAL_EXT,     EVERY,         ALWAYS, true  },
  { "key strength",           "troth policy",            check_key_strength,       TROTH_R_CERT_WEAK_KEY,         EVERY,         ALWAYS, true  },
  { "signature strength",     "troth policy",            check_signature_strength, TROTH_R_CERT_WEAK_SIGNATURE,   BELOW_ANCHOR,  ALWAYS, true  },
  { "constraints well-formed","RFC 5280 4.2.1.10",       check_constraints_formed, TROTH_R_CERT_CONSTRAINT_MALFORMED, EVERY,     ALWAYS, true  },
  { "name constraints",       "RFC 5280 6.1.3(b)(c)",    check_constraints,        TROTH_R_CERT_NAME_CONSTRAINT,  BELOW_ANCHOR,  ALWAYS, false },
  { "policies",               "RFC 5280 6.1.5(g)",       check_policies,           TROTH_R_CERT_POLICY,           ONCE,          ALWAYS, false },
  { "anchor limits",          "troth policy",            check_anchor_limits,      TROTH_R_CHAIN_ANCHOR_LIMITS,   ANCHOR,        ALWAYS, false },
  { "host name",              "RFC 9525 6",              check_name,               TROTH_R_CERT_NAME_MISMATCH,    LEAF,          ALWAYS, true  },
  { "serial number",          "RFC 5280 4.1.2.2",        check_serial,             TROTH_R_CERT_SERIAL,           EVERY,         STD,    true  },
  { "CA fields",              "RFC 5280 4.2.1.9",        check_std_ca,             TROTH_R_CERT_PROFILE,          EVERY,         STD,    true  },
  { "criticality",            "RFC 5280 4.2",            check_std_criticality,    TROTH_R_CERT_PROFILE,          EVERY,         STD,    true  },
  { "names present",          "RFC 5280 4.1.2.6",        check_std_names,          TROTH_R_CERT_PROFILE,          EVERY,         STD,    true  },
  { "key identifiers",        "RFC 5280 4.2.1.1",        check_std_identifiers,    TROTH_R_CERT_PROFILE,          EVERY,         STD,    true  },
  { "no revocation",          "RFC 9608 3",              check_std_no_rev_avail,   TROTH_R_CERT_PROFILE,          EVERY,         STD,    true  },
  { "TLS features",           "RFC 7633 4.2.2",          check_std_features,       TROTH_R_CERT_PROFILE,          BELOW_ANCHOR,  STD,    false },
  { "extended key usage",     "CA/B Forum 7.1.2.7.6",    check_web_eku,            TROTH_R_CERT_PROFILE,          EVERY,         WEB,    true  },
  { "root signature",         "CA/B Forum 7.1.3.2",      check_web_root_sig,       TROTH_R_CERT_UNKNOWN_ALGORITHM, ANCHOR,       WEB,    true  },
  { "authority key id",       "CA/B Forum 7.1.2.11.1",   check_web_aki,            TROTH_R_CERT_PROFILE,          EVERY,         WEB,    true  },
  { "names well-formed",      "CA/B Forum 7.1.4.2",      check_san_formed,         TROTH_R_CERT_NAME_MALFORMED,   LEAF,          WEB,    true  },
  { "lint: validity",         "RFC 5280 4.1.2.5",        check_lint_validity,      TROTH_R_CERT_PROFILE,          EVERY,         LINT,   true  },
  { "lint: extensions",       "RFC 5280 4.2",            check_lint_issuer,        TROTH_R_CERT_PROFILE,          EVERY,         LINT,   true  },
  { "lint: names",            "CA/B Forum 7.1.4.2",      check_lint_names,         TROTH_R_CERT_PROFILE,          LEAF,          LINT,   true  },
  { "signature",              "RFC 5280 6.1.3(a)(1)",    check_signature,          TROTH_R_CERT_BAD_SIGNATURE,    BELOW_ANCHOR,  ALWAYS, false },
  { "stapled response",       "RFC 6066 8, RFC 7633 4",  check_staple,             TROTH_R_STAPLE_BAD,            LEAF,          ALWAYS, false },
  { "revocation",             "RFC 5280 6.1.3(a)(3)",    check_revocation,         TROTH_R_CERT_REVOKED,          BELOW_ANCHOR,  ALWAYS, false },
  { "transparency",           "RFC 6962 5.2",            check_transparency,       TROTH_R_SCT_MISSING,           LEAF,          ALWAYS, false },
  { "leads to an anchor",     "RFC 5280 6.1",            NULL,                     TROTH_R_CHAIN_UNTRUSTED_ROOT,  0,             ALWAYS, false }, /* tell.c */
};
/* clang-format on */
const unsigned n_checks = COUNT_OF(checks), check_of_trust = COUNT_OF(checks) - 1;

/* ---- running it */

static bool applies(const struct judge *j, const struct check *k, unsigned cert)
{
    if ((k->rules == STD && !j->std) || (k->rules == WEB && !j->web) || (k->rules == LINT && !j->lint))
        return false;
    if (k->where == ONCE)
        return cert == 0;
    bool anchor = is_anchor(j, cert);
    if (anchor && k->rules != ALWAYS && j->now.node[cert]->anchor->vetted)
        return false;
    return (cert == 0 && k->where & LEAF) || (cert > 0 && !anchor && k->where & ISSUERS) ||
           (anchor && k->where & ANCHOR);
}

struct finding *finding_add(struct judge *j)
{
    struct path *p = &j->now;
    if (p->n_findings == p->cap) {
        unsigned cap = p->cap ? 2 * p->cap : 96;
        struct finding *more = arena_array(j->arena, cap, sizeof *more);
        if (!more) {
            j->out_of_memory = true;
            return NULL;
        }
        if (p->n_findings)
            memcpy(more, p->findings, p->n_findings * sizeof *more);
        p->findings = more;
        p->cap = cap;
    }
    struct finding *f = &p->findings[p->n_findings];
    *f = (struct finding){ 0 };
    return f;
}

static void tell_witness(struct judge *j, const struct check *k, const struct finding *f)
{
    const struct witness *w = j->in->witness;
    if (!w || !w->check)
        return;
    struct saw_check saw = { k->name, k->rule, f->verdict, (int)j->report->n_tried,
                             f->cert, f->at,   f->n,       f->evidence ? f->evidence : "" };
    w->check(w->self, &saw);
}

/* One check at one place.  False when it failed. */
static bool look(struct judge *j, unsigned row, unsigned cert)
{
    const struct check *k = &checks[row];
    struct finding *f = finding_add(j);
    TRY(f);
    f->check = (uint8_t)row;
    f->cert = (uint8_t)cert;
    unsigned at = j->now.n_findings++;
    enum troth_verdict v = k->look(j, cert, f);
    f = &j->now.findings[at];
    f->verdict = (uint8_t)v;
    if (v == TROTH_FAIL && f->reason == TROTH_R_NONE)
        f->reason = k->reason;
    if (v == TROTH_FAIL && j->now.reason == TROTH_R_NONE) {
        j->now.reason = (enum troth_reason)f->reason;
        j->now.failed = at;
        j->hopeless |= k->alone && cert == 0 && k->where != ONCE;
    }
    if (UNLIKELY(j->in->witness != NULL) && !j->signer_depth && !j->aside)
        tell_witness(j, k, f);
    return v != TROTH_FAIL;
}

/* The trust anchor at the end of the path did not come with the others: a witness is told of it here, as one
 * of ours. */
static void tell_anchor(const struct judge *j)
{
    const struct witness *w = j->in->witness;
    const struct node *end = j->now.n ? j->now.node[j->now.n - 1] : NULL;
    if (LIKELY(!w || !w->message) || j->signer_depth || !end || !end->anchor || end->given >= 0)
        return;
    struct saw_message m = {
        .type = "X.509 certificate", .from = FROM_SERVER, .ours = true, .raw = end->cert->raw
    };
    struct cert again;
    w->message(w->self, &m);
    (void)!cert_parse(&again, end->cert->raw, w, NULL);
}

bool path_judge(struct judge *j)
{
    tell_anchor(j);
    bool good = true;
    for (unsigned row = 0; row < n_checks; row++)
        for (unsigned cert = 0; cert < j->now.n; cert++) {
            if (!applies(j, &checks[row], cert) || look(j, row, cert))
                continue;
            good = false;
            if (!all_checks(j) || j->spent || j->out_of_memory)
                return false;
        }
    return good;
}

bool node_is_sound(struct judge *j, unsigned cert)
{
    struct node *node = j->now.node[cert];
    if (node->judged)
        return node->sound;
    bool complete = j->now.complete;
    j->now.complete = false; /* as an issuer, not as the anchor */
    unsigned before = j->now.n_findings;
    bool sound = true;
    for (unsigned row = 0; row < n_checks && sound; row++)
        if (checks[row].alone && applies(j, &checks[row], cert))
            sound = look(j, row, cert);
    if (sound)
        j->now.n_findings = before;
    j->now.complete = complete;
    node->judged = true;
    node->sound = sound;
    node->unsound_why = j->now.reason;
    return sound;
}

static unsigned row_of(enum troth_verdict (*how)(struct judge *, unsigned, struct finding *))
{
    unsigned row = 0;
    while (checks[row].look != how)
        row++;
    return row;
}

bool node_fits(struct judge *j, unsigned cert)
{
    unsigned before = j->now.n_findings;
    bool fits = look(j, row_of(check_path_length), cert);
    for (unsigned i = 0; fits && i < cert; i++) {
        struct finding *f = finding_add(j);
        TRY(f);
        f->check = (uint8_t)row_of(check_constraints);
        f->cert = (uint8_t)i;
        if (check_constraints_by(j, cert, i, f) != TROTH_FAIL)
            continue;
        f->verdict = TROTH_FAIL;
        fits = false;
        j->now.reason = (enum troth_reason)f->reason;
        j->now.failed = j->now.n_findings++;
    }
    if (fits)
        j->now.n_findings = before;
    return fits;
}

const char *beside_fault(struct judge *j, unsigned at, const struct cert *c)
{
    static enum troth_verdict (*const how[])(struct judge *, unsigned, struct finding *) = { check_form, check_critical, check_constraints };
    struct node node = { .cert = c, .given = -1 };
    struct path kept = j->now;
    const char *fault = NULL;
    for (unsigned i = 0; at + i < kept.n; i++)
        j->now.node[i] = i ? kept.node[at + i] : &node;
    j->now.n = kept.n - at;
    for (size_t i = 0; i < COUNT_OF(how) && !fault; i++) {
        struct finding f = { 0 };
        if (how[i](j, 0, &f) == TROTH_FAIL)
            fault = f.evidence ? f.evidence : "memory ran out";
    }
    j->now = kept;
    return fault;
}

/* ---- words */

static const char *words_of(struct judge *j, const char *fmt, va_list ap)
{
    char in[EVIDENCE_MAX];
    int n = vsnprintf(in, sizeof in, fmt, ap);
    if (n < 0)
        return NULL;
    size_t len = (size_t)n < sizeof in ? (size_t)n : sizeof in - 1;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)in[i] < 0x20 || in[i] == 0x7f)
            in[i] = '?';
    return arena_string(j->arena, span_of(in, len));
}

enum troth_verdict found(struct judge *j, struct finding *f, enum troth_verdict v, enum troth_reason why,
                         struct range at, const char *fmt, ...)
{
    va_list ap;
    f->reason = (uint16_t)why;
    f->at = at.at;
    f->n = at.n;
    va_start(ap, fmt);
    f->evidence = words_of(j, fmt, ap);
    va_end(ap);
    return v;
}

enum troth_verdict passed(struct judge *j, struct finding *f, struct range at, const char *fmt, ...)
{
    va_list ap;
    f->at = at.at;
    f->n = at.n;
    if (!j->words || (j->policy->every_check && !all_checks(j)))
        return TROTH_PASS;
    va_start(ap, fmt);
    f->evidence = words_of(j, fmt, ap);
    va_end(ap);
    return TROTH_PASS;
}

void cert_words(struct text *t, const struct judge *j, unsigned cert)
{
    char in[120];
    struct text title = TEXT_IN(in);
    cert_title(&title, cert_at(j, cert));
    text_add(t, "certificate %u \"%s\"", cert + 1, title.p);
}

bool spend_names(struct judge *j, uint32_t n)
{
    if (j->spent || n > budget_of(j, LIMIT_BUDGET_NAMES) - j->work.names) {
        j->spent = true;
        return false;
    }
    j->work.names += n;
    return true;
}

bool spend_signatures(struct judge *j, uint32_t n)
{
    if (j->spent || n > budget_of(j, LIMIT_BUDGET_SIGNATURES) - j->work.signatures) {
        j->spent = true;
        return false;
    }
    j->work.signatures += n;
    return true;
}
