/* revoke.c - revocation, asked of the authority.  The answers are judged by the library like any that a peer staples.
 *
 * Must never take "no answer" for "good": who asks for a check gets it, or a failure that says why not. */
#include "client/revoke.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <troth/pki.h>

#include "net/fetch.h"
#include "setup/setup.h"
#include "setup/trust.h"

enum { OCSP_MAX = 64 << 10, CRL_MAX = 32 << 20, CERTS_MAX = 32, URLS_MAX = 8 };

bool revoke_wanted(const struct args *a)
{
    return args_has(a, OPT_OCSP) || args_has(a, OPT_CRL_FETCH);
}

static void ask_responder(struct inquiry *q, troth_pki *pki, troth_span cert, troth_span issuer, const char *url)
{
    size_t n;
    troth_span request = troth_pki_ocsp_request(pki, cert, issuer, (troth_span){ NULL, 0 });
    uint8_t *answer =
        http_fetch(q->a, url, "application/ocsp-request", request.p, request.n, q->timeout_ms, OCSP_MAX, &n, q->why, sizeof q->why);
    if (answer) {
        troth_policy_ocsp(q->policy, (troth_span){ answer, n });
        q->answers++;
    }
    free(answer);
}

static void fetch_list(struct inquiry *q, const char *url)
{
    size_t n;
    uint8_t *answer = http_fetch(q->a, url, NULL, NULL, 0, q->timeout_ms, CRL_MAX, &n, q->why, sizeof q->why);
    if (answer) {
        troth_policy_crls(q->policy, (troth_span){ answer, n });
        q->answers++;
    }
    free(answer);
}

static void ask_about(struct inquiry *q, troth_pki *pki, troth_span cert, troth_span issuer)
{
    troth_cert_facts f = { .size = sizeof f };
    if (!troth_pki_cert(pki, cert, &f))
        return;
    bool ocsp = args_has(q->a, OPT_OCSP) && f.ocsp_urls[0];
    if (ocsp)
        ask_responder(q, pki, cert, issuer, f.ocsp_urls[0]);
    if (ocsp && !args_has(q->a, OPT_CRL_FETCH))
        return;
    if (!ocsp && !f.crl_urls[0])
        snprintf(q->why, sizeof q->why, "the certificate of %.100s names nobody to ask", f.title);
    for (size_t i = 0; i < URLS_MAX && f.crl_urls[i]; i++)
        fetch_list(q, f.crl_urls[i]);
}

void revoke_ask(struct inquiry *q, const troth_report *r)
{
    troth_pki *pki = troth_pki_new(troth_libcrypto());
    size_t path = troth_report_accepted(r), n = troth_report_path(r, path).n_certs;
    troth_policy_revocation(q->policy, TROTH_REVOCATION_HARD);
    for (size_t i = 0; i + 1 < n; i++)
        ask_about(q, pki, troth_report_cert(r, path, i).der, troth_report_cert(r, path, i + 1).der);
    troth_pki_free(pki);
}

troth_error revoke_unknown(const struct inquiry *q)
{
    enum troth_reason r = TROTH_R_REVOCATION_UNKNOWN;
    troth_error e = { .reason = (uint16_t)r, .alert = 255, .code = troth_reason_code(r), .text = troth_reason_text(r), .hint = troth_reason_hint(r),
                      .who = (uint8_t)troth_reason_who(r) };
    snprintf(e.detail, sizeof e.detail, "%.150s", *q->why ? q->why : "the certificate names nobody to ask");
    return e;
}

/* ---- for connections */

static bool failed(struct session *s, const troth_error *e)
{
    s->error = *e;
    troth_story_failed(s->story, e);
    return false;
}

/* The same chain, the same rules, and the answers. */
static bool judge(struct session *s, struct inquiry *q, const troth_span *certs, size_t n)
{
    troth_error why;
    troth_policy *policy = troth_policy_build(q->policy, &why);
    q->policy = NULL;
    if (!policy)
        return failed(s, &why);
    troth_question question = { .size = sizeof question, .certs = certs, .n = n, .host = s->target.path[0] ? NULL : s->target.host,
                                .purpose = TROTH_PURPOSE_SERVER, .time = s->now };
    troth_report *r = troth_ask(policy, &question);
    bool ok = troth_report_ok(r) || failed(s, troth_report_error(r));
    troth_report_free(r);
    troth_policy_free(policy);
    return ok;
}

bool revoke_check(struct session *s)
{
    const troth_report *r = troth_peer(s->conn);
    size_t path = troth_report_accepted(r);
    if (!revoke_wanted(s->args) || path == SIZE_MAX)
        return true;
    struct inquiry q = { .a = s->args, .timeout_ms = (int)s->timeout_ms, .policy = troth_policy_new(troth_libcrypto()) };
    troth_span certs[CERTS_MAX];
    size_t n = troth_report_path(r, path).n_certs;
    n = n < CERTS_MAX ? n : CERTS_MAX;
    for (size_t i = 0; i < n; i++)
        certs[i] = troth_report_cert(r, path, i).der;
    bool ok = trust_roots(s->args, q.policy) == EXIT_OK && trust_evidence(s->args, q.policy) == EXIT_OK;
    trust_suffixes(q.policy, SUFFIXES_OF_REGISTRIES);
    troth_policy_profile(q.policy, (enum troth_profile)trust_profile(s->args)); /* a good one: there was a first verdict */
    troth_policy_require_scts(q.policy, 0); /* the verdict so far has seen those that came in the handshake */
    if (ok)
        revoke_ask(&q, r);
    if (ok && n > 1 && !q.answers) {
        troth_error e = revoke_unknown(&q);
        ok = failed(s, &e);
    }
    ok = ok && judge(s, &q, certs, n);
    troth_policy_builder_free(q.policy);
    return ok;
}
