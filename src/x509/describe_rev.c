/* describe_rev.c - CRLs and OCSP responses in plain words. */
#include "base/text.h"
#include "x509/describe.h"
#include "x509/dn_text.h"
#include "x509/ocsp.h"

enum { LINE_MAX = 2048, ENTRIES_MAX = 10000 };

static void describe_next(struct facts *f, int64_t next)
{
    char text[64];
    struct text t = TEXT_IN(text);
    troth_fact *row = fact_time(f, "next_update", "next one due", next);
    text_distance(&t, f->now, next);
    if (next < f->now)
        fact_note(f, row, true, "out of date since %s", text);
    else
        fact_note(f, row, false, "%s left", text);
}

static void describe_reason(struct facts *f, unsigned reason)
{
    if (reason != CRL_REASON_NONE)
        fact_text(f, "reason", "because", "%s", crl_reason_name(reason));
}

/* ---- CRLs */

static void describe_scope(struct facts *f, const struct crl *c)
{
    if (!c->has_idp)
        return;
    fact_open(f, TROTH_FACT_GROUP, "scope", "covers only");
    if (c->idp_name.present && !c->idp_name.relative) {
        struct general_name_item g;
        fact_open(f, TROTH_FACT_LIST, "points", "distribution points");
        for (span names = c->idp_name.names; general_names_next(&names, &g);) {
            char text[LINE_MAX];
            struct text t = TEXT_IN(text);
            general_name_show(&t, &g);
            fact_text(f, NULL, NULL, "%s", text);
        }
        fact_close(f);
    }
    if (c->only_user)
        fact_bool(f, "only_user", "certificates of users", true);
    if (c->only_ca)
        fact_bool(f, "only_ca", "certificates of CAs", true);
    if (c->only_attribute)
        fact_bool(f, "only_attribute", "attribute certificates", true);
    if (c->indirect)
        fact_bool(f, "indirect", "indirect: certificates of several CAs", true);
    if (c->has_only_reasons)
        fact_number(f, "reasons", "some reasons (bits)", c->only_reasons);
    fact_close(f);
}

static void describe_entries(struct facts *f, const struct crl *c)
{
    fact_number(f, "count", "certificates revoked", c->n_revoked);
    if (!c->n_revoked)
        return;
    unsigned n = 0;
    fact_open(f, TROTH_FACT_LIST, "revoked", "revoked");
    struct crl_entry e;
    for (span list = c->revoked; n < ENTRIES_MAX && crl_entry_next(&list, &e); n++) {
        fact_open(f, TROTH_FACT_GROUP, NULL, NULL);
        fact_bytes(f, "serial", "serial number", e.serial);
        fact_time(f, "when", "on", e.when);
        describe_reason(f, e.reason);
        if (e.has_invalid_since)
            fact_time(f, "invalid_since", "suspect since", e.invalid_since);
        struct general_name_item g;
        span names = e.cert_issuer;
        if (names.n && general_names_next(&names, &g)) {
            char text[LINE_MAX];
            struct text t = TEXT_IN(text);
            general_name_show(&t, &g);
            fact_text(f, "issuer", "issued by", "%s", text);
        }
        fact_close(f);
    }
    fact_close(f);
    if (n < c->n_revoked)
        fact_note(f, fact_bool(f, "cut", "not all are shown", true), false, "%u more", (unsigned)(c->n_revoked - n));
}

void describe_crl(struct facts *f, span der)
{
    struct crl c;
    troth_error e = { 0 };
    if (!crl_parse(&c, der, NULL, &e)) {
        describe_failure(f, &e);
        return;
    }
    describe_name(f, "issuer", "issuer", c.issuer);
    fact_time(f, "this_update", "made", c.this_update);
    if (c.has_next_update)
        describe_next(f, c.next_update);
    else
        fact_note(f, fact_bool(f, "no_next_update", "says when the next one is due", false), true,
                  "nobody can tell when it is out of date");
    if (c.has_number)
        fact_bytes(f, "number", "number", c.number);
    if (c.is_delta)
        fact_note(f, fact_bytes(f, "delta_base", "delta to number", c.base), false, "adds to a complete CRL");
    describe_scope(f, &c);
    if (c.unknown_critical.n)
        fact_note(f, fact_bool(f, "unknown_critical", "unknown critical extension", true), true,
                  "whoever does not know it must not use this CRL");
    if (c.has_aki)
        fact_bytes(f, "authority_key_id", "issuer's key identifier", c.aki_key);
    fact_number(f, "version", "version", c.version);
    describe_signature(f, c.sig_alg);
    describe_entries(f, &c);
    describe_fingerprint(f, "sha256", "SHA-256", c.raw);
}

/* ---- OCSP */

static void describe_single(struct facts *f, const struct ocsp_single *s)
{
    static const char *const words[] = { "good", "revoked", "unknown" };
    fact_open(f, TROTH_FACT_GROUP, NULL, NULL);
    fact_bytes(f, "serial", "certificate", s->serial);
    fact_note(f, fact_text(f, "status", "status", "%s", words[s->status]), s->status != 0, "%s",
              s->status == OCSP_GOOD ? "not revoked" : s->status == OCSP_REVOKED ? "do not use it" : "the responder does not know it");
    if (s->status == OCSP_REVOKED) {
        fact_time(f, "revoked", "revoked on", s->revoked);
        describe_reason(f, s->reason);
    }
    fact_time(f, "this_update", "as of", s->this_update);
    if (s->has_next_update)
        describe_next(f, s->next_update);
    fact_bytes(f, "issuer_name_hash", "hash of the issuer's name", s->name_hash);
    fact_bytes(f, "issuer_key_hash", "hash of the issuer's key", s->key_hash);
    fact_close(f);
}

void describe_ocsp(struct facts *f, span der)
{
    struct ocsp o;
    troth_error e = { 0 };
    if (!ocsp_parse(&o, der, NULL, &e)) {
        describe_failure(f, &e);
        return;
    }
    troth_fact *row = fact_text(f, "response_status", "answer", "%s", ocsp_response_status_name(o.response_status));
    if (o.response_status) {
        fact_note(f, row, true, "the responder did not answer the question");
        return;
    }
    if (o.by_key)
        fact_bytes(f, "responder_key_hash", "signed by the key", o.responder);
    else
        describe_name(f, "responder", "signed by", o.responder);
    fact_time(f, "produced", "signed on", o.produced);
    if (o.has_nonce)
        fact_bytes(f, "nonce", "nonce", o.nonce);
    fact_open(f, TROTH_FACT_LIST, "answers", "answers");
    struct ocsp_single s;
    for (span list = o.singles; ocsp_single_next(&list, &s);)
        describe_single(f, &s);
    fact_close(f);
    describe_signature(f, o.sig_alg);
    unsigned n = 0;
    for (span list = o.certs, cert; ocsp_cert_next(&list, &cert);)
        n++;
    fact_number(f, "certificates", "certificates that came along", n);
    describe_fingerprint(f, "sha256", "SHA-256", o.raw);
}
