/* ocsp_status.c - what an OCSP response says about a certificate, if it may be believed (RFC 6960 3.2, 4.2.2.2).
 *
 * Must never answer GOOD or REVOKED unless the response is about this certificate, fresh, and signed by its issuer or by a responder
 * that this issuer certified. */
#include <stdarg.h>
#include <stdio.h>

#include "base/limits.h"
#include "base/text.h"
#include "crypto/provider.h"
#include "x509/ocsp.h"

struct digest {
    uint8_t b[TROTH_DIGEST_MAX];
    size_t  n;
};

static bool digest(struct digest *d, const troth_provider *crypto, enum troth_hash_id id, span of)
{
    const troth_hash *h = id ? provider_hash(crypto, id) : NULL;
    _Alignas(16) uint8_t state[TROTH_HASH_STATE_MAX];
    if (!h)
        return false;
    h->begin(state);
    h->add(state, of.p, of.n);
    h->peek(state, d->b);
    d->n = h->n;
    return true;
}

static bool is_digest(const troth_provider *crypto, enum troth_hash_id id, span of, span value)
{
    struct digest d;
    return digest(&d, crypto, id, of) && value.n == d.n && !memcmp(value.p, d.b, d.n);
}

/* Does `s` say more than `than`: newer, or as new and the worse news? */
static bool counts_more(const struct ocsp_single *s, const struct ocsp_single *than)
{
    return s->this_update > than->this_update || (s->this_update == than->this_update && s->status == OCSP_REVOKED);
}

/* The newest of the answers about this certificate. */
bool ocsp_find(const struct ocsp *o, const struct ocsp_question *q, struct ocsp_single *best)
{
    bool any = false;
    struct ocsp_single s;
    for (span list = o->singles; ocsp_single_next(&list, &s);)
        if (span_equal(s.serial, q->cert->serial) && is_digest(q->crypto, s.hash, q->cert->issuer, s.name_hash) &&
            is_digest(q->crypto, s.hash, q->issuer->spki_bits, s.key_hash) && (!any || counts_more(&s, best))) {
            *best = s;
            any = true;
        }
    return any;
}

static void no_use(struct rev_answer *a, enum troth_reason why, const char *fmt, ...) PRINTF_LIKE(3, 4);
static void no_use(struct rev_answer *a, enum troth_reason why, const char *fmt, ...)
{
    a->status = REV_UNKNOWN;
    a->why = why;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(a->evidence, sizeof a->evidence, fmt, ap);
    va_end(ap);
}

static void no_use_at(struct rev_answer *a, enum troth_reason why, const char *what, int64_t when)
{
    char time[40];
    struct text t = TEXT_IN(time);
    text_time(&t, when);
    no_use(a, why, "%s %s", what, time);
}

/* ---- who signed */

static bool is_responder(const struct ocsp_question *q, const struct cert *c)
{
    const struct ocsp *o = q->response;
    return o->by_key ? is_digest(q->crypto, TROTH_SHA1, c->spki_bits, o->responder) : name_equal(o->responder, c->subject);
}

#define FAULT(why, what) ((struct ocsp_fault){ what, TROTH_R_##why })
#define NO_FAULT         ((struct ocsp_fault){ NULL, TROTH_R_NONE })

/* What a delegated responder's certificate must be, besides being signed by the issuer: RFC 6960 4.2.2.2. */
static struct ocsp_fault delegation_fault(const struct ocsp_question *q, const struct cert *c)
{
    if (!name_equal(c->issuer, q->issuer->subject))
        return FAULT(OCSP_RESPONDER, "not issued by the certificate's own issuer");
    if (!cert_has(c, CX_EXT_KEY_USAGE) || !(c->eku & EKU_OCSP))
        return FAULT(OCSP_RESPONDER, "not certified for signing OCSP responses");
    if (cert_has(c, CX_KEY_USAGE) && !(c->key_usage & KU_DIGITAL_SIGNATURE))
        return FAULT(OCSP_RESPONDER, "its key usage does not allow signatures");
    if (c->not_after < q->now)
        return FAULT(OCSP_STALE, "its signer's certificate is out of date");
    if (c->not_before > q->now)
        return FAULT(OCSP_NOT_YET, "its signer's certificate is not valid yet");
    if (c->unknown_critical.n || c->flaw.why != TROTH_R_NONE || c->key_malformed)
        return FAULT(OCSP_RESPONDER, "its certificate cannot be used");
    return NO_FAULT;
}

static struct ocsp_fault signature_fault(const struct ocsp_question *q, struct rev_answer *a, const struct cert *by, unsigned *left)
{
    struct rev_signed s = { q->response->data, q->response->signature, (enum troth_sig)q->response->sig, q->response->sig_salt_n };
    if (!rev_can_verify(q->crypto, &s, by))
        return FAULT(OCSP_ALGORITHM, "its signature's algorithm is not accepted");
    return rev_verify(q->crypto, q->memory, &s, by, left, &a->signatures) ? NO_FAULT : FAULT(OCSP_SIGNATURE, "its signature is wrong");
}

/* Did the issuer certify this responder? */
static struct ocsp_fault certified_fault(const struct ocsp_question *q, struct rev_answer *a, const struct cert *c, unsigned *left)
{
    struct rev_signed s = { c->tbs, c->signature, (enum troth_sig)c->sig, c->sig_salt_n };
    if (!rev_can_verify(q->crypto, &s, q->issuer))
        return FAULT(OCSP_ALGORITHM, "its certificate's signature is of an algorithm that is not accepted");
    if (!rev_verify(q->crypto, q->memory, &s, q->issuer, left, &a->signatures))
        return FAULT(OCSP_RESPONDER, "its certificate is not signed by the certificate's issuer");
    return NO_FAULT;
}

/* Looks through the certificates that came along; *fault: what was wrong with the most promising one. */
static bool delegated(const struct ocsp_question *q, struct rev_answer *a, struct ocsp_found *f, unsigned *left,
                      struct ocsp_fault *fault)
{
    span list = q->response->certs, der;
    for (unsigned n = 0; n < LIMIT_OCSP_CERTS && ocsp_cert_next(&list, &der); n++) {
        struct cert c;
        troth_error ignored = { 0 };
        if (!cert_parse(&c, der, NULL, &ignored) || !is_responder(q, &c))
            continue;
        *fault = delegation_fault(q, &c);
        if (!fault->what)
            *fault = certified_fault(q, a, &c, left);
        if (!fault->what && q->responder_fault)
            *fault = q->responder_fault(q->ctx, &c);
        if (!fault->what)
            *fault = signature_fault(q, a, &c, left);
        if (fault->what)
            continue;
        f->delegated = true;
        f->no_check = cert_has(&c, CX_OCSP_NO_CHECK);
        f->responder_cert = der;
        return true;
    }
    return false;
}

static bool authentic(const struct ocsp_question *q, struct rev_answer *a, struct ocsp_found *f)
{
    unsigned left = q->max_signatures;
    struct ocsp_fault fault = FAULT(OCSP_RESPONDER, "the certificate of its signer is not in it");
    if (is_responder(q, q->issuer)) {
        fault = signature_fault(q, a, q->issuer, &left);
        if (!fault.what)
            return true;
    }
    if (delegated(q, a, f, &left, &fault))
        return true;
    if (!left && q->max_signatures == a->signatures)
        no_use(a, TROTH_R_CHAIN_BUDGET, "no signature more may be verified");
    else
        no_use(a, fault.why, "%s", fault.what);
    return false;
}

/* ---- the rest */

static bool fresh(const struct ocsp_question *q, const struct ocsp_single *s, struct rev_answer *a)
{
    int64_t latest = q->now + LIMIT_OCSP_SKEW, end = s->has_next_update ? s->next_update : s->this_update + LIMIT_OCSP_NO_NEXT;
    a->this_update = s->this_update;
    a->until = end;
    if (s->this_update > latest || q->response->produced > latest)
        no_use_at(a, TROTH_R_OCSP_NOT_YET, "from", s->this_update > latest ? s->this_update : q->response->produced);
    else if (end < q->now)
        no_use_at(a, TROTH_R_OCSP_STALE, s->has_next_update ? "a newer one was due at" : "without nextUpdate, from",
                  s->has_next_update ? end : s->this_update);
    else
        return true;
    return false;
}

/* No answer is about this certificate.  One of its serial number may be, by a hash that is not known. */
static void not_found(const struct ocsp_question *q, struct rev_answer *a)
{
    struct ocsp_single s;
    for (span list = q->response->singles; ocsp_single_next(&list, &s);)
        if (span_equal(s.serial, q->cert->serial) && (!s.hash || !provider_hash(q->crypto, s.hash))) {
            no_use(a, TROTH_R_OCSP_ALGORITHM, "the hash that names the certificate is not known");
            return;
        }
    no_use(a, TROTH_R_OCSP_OTHER_CERT, "none of its %u answers is about this certificate", (unsigned)q->response->n_singles);
}

static bool answers_question(const struct ocsp_question *q, struct rev_answer *a)
{
    const struct ocsp *o = q->response;
    if (!q->nonce.n)
        return true;
    if (!o->has_nonce && q->need_nonce)
        no_use(a, TROTH_R_OCSP_NONCE, "no nonce");
    else if (o->has_nonce && !span_equal(o->nonce, q->nonce))
        no_use(a, TROTH_R_OCSP_NONCE, "another nonce");
    else
        return true;
    return false;
}

static void say(const struct ocsp_single *s, struct rev_answer *a)
{
    struct text t = TEXT_IN(a->evidence);
    a->when = s->revoked;
    a->reason = s->reason;
    if (s->status == OCSP_REVOKED) {
        a->status = REV_REVOKED;
        a->why = TROTH_R_CERT_REVOKED;
        text_add(&t, "revoked ");
        text_time(&t, s->revoked);
        if (s->reason != CRL_REASON_NONE)
            text_add(&t, " (%s)", crl_reason_name(s->reason));
        text_add(&t, ", says the OCSP response from ");
    } else if (s->status == OCSP_UNKNOWN) {
        no_use(a, TROTH_R_OCSP_UNKNOWN, "the responder says: unknown");
        return;
    } else {
        a->status = REV_GOOD;
        a->why = TROTH_R_NONE;
        text_add(&t, "good, says the OCSP response from ");
    }
    text_time(&t, s->this_update);
    text_add(&t, ", valid until ");
    text_time(&t, a->until);
}

void ocsp_status(struct rev_answer *a, struct ocsp_found *found, const struct ocsp_question *q)
{
    const struct ocsp *o = q->response;
    *a = (struct rev_answer){ .until = INT64_MAX, .reason = CRL_REASON_NONE, .this_update = INT64_MIN };
    *found = (struct ocsp_found){ .delegated = false };
    if (o->response_status) {
        no_use(a, TROTH_R_OCSP_NOT_SUCCESSFUL, "%s", ocsp_response_status_name(o->response_status));
        return;
    }
    if (!ocsp_find(o, q, &found->single)) {
        not_found(q, a);
        return;
    }
    if (o->unknown_critical || found->single.unknown_critical) {
        no_use(a, TROTH_R_OCSP_CRITICAL, "unknown critical extension");
        return;
    }
    if (answers_question(q, a) && fresh(q, &found->single, a) && authentic(q, a, found)) {
        say(&found->single, a);
        a->by_issuer = !found->delegated;
    }
}
