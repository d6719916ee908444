/* revoke.c - revocation, asked of the authority.  The answers are judged by the library like any that a peer staples.
 *
 * Must never take "no answer" for "good": who asks for a check gets it, or a failure that says why not. */
#include "revoke.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <troth/pki.h>

#include "fetch.h"
#include "setup.h"
#include "trust.h"

enum { OCSP_MAX = 64 << 10, CRL_MAX = 32 << 20, CERTS_MAX = 16 };

struct inquiry {
    struct session       *s;
    troth_pki            *pki;
    troth_policy_builder *policy;
    bool                  asked;
    char                  why[300]; /* the last thing that went wrong */
};

static void ask_responder(struct inquiry *q, troth_span cert, troth_span issuer, const char *url)
{
    size_t n;
    troth_span request = troth_pki_ocsp_request(q->pki, cert, issuer, (troth_span){ NULL, 0 });
    uint8_t *answer = http_fetch(url, "application/ocsp-request", request.p, request.n, (int)q->s->timeout_ms, OCSP_MAX, &n, q->why,
                                 sizeof q->why);
    if (answer) {
        troth_policy_ocsp(q->policy, (troth_span){ answer, n });
        q->asked = true;
    }
    free(answer);
}

static void fetch_list(struct inquiry *q, const char *url)
{
    size_t n;
    uint8_t *answer = http_fetch(url, NULL, NULL, 0, (int)q->s->timeout_ms, CRL_MAX, &n, q->why, sizeof q->why);
    if (answer) {
        troth_policy_crls(q->policy, (troth_span){ answer, n });
        q->asked = true;
    }
    free(answer);
}

static void ask_about(struct inquiry *q, troth_span cert, troth_span issuer)
{
    troth_cert_facts f = { .size = sizeof f };
    if (!troth_pki_cert(q->pki, cert, &f))
        return;
    if (args_has(q->s->args, OPT_OCSP) && f.ocsp_urls[0])
        ask_responder(q, cert, issuer, f.ocsp_urls[0]);
    for (size_t i = 0; args_has(q->s->args, OPT_CRL_FETCH) && f.crl_urls[i]; i++)
        fetch_list(q, f.crl_urls[i]);
}

static bool failed(struct session *s, const troth_error *e)
{
    s->error = *e;
    troth_story_failed(s->story, e);
    return false;
}

/* The same chain, the same rules, and the answers. */
static bool judge(struct inquiry *q, const troth_span *certs, size_t n)
{
    struct session *s = q->s;
    troth_error why;
    troth_policy *policy = troth_policy_build(q->policy, &why);
    q->policy = NULL;
    if (!policy)
        return failed(s, &why);
    troth_question question = { .size = sizeof question, .certs = certs, .n = n, .host = s->target.path[0] ? NULL : s->target.host,
                                .purpose = TROTH_PURPOSE_SERVER, .time = s->now };
    troth_report *r = troth_ask(policy, &question);
    bool ok = troth_report_ok(r) || failed(s, troth_report_error(r));
    if (ok && !q->asked) {
        s->error = (troth_error){ .reason = TROTH_R_REVOCATION_UNKNOWN, .alert = 255, .code = troth_reason_code(TROTH_R_REVOCATION_UNKNOWN),
                                  .text = troth_reason_text(TROTH_R_REVOCATION_UNKNOWN), .hint = troth_reason_hint(TROTH_R_REVOCATION_UNKNOWN),
                                  .who = (uint8_t)troth_reason_who(TROTH_R_REVOCATION_UNKNOWN) };
        snprintf(s->error.detail, sizeof s->error.detail, "%.150s", *q->why ? q->why : "the certificate names nobody to ask");
        ok = false;
    }
    troth_report_free(r);
    troth_policy_free(policy);
    return ok;
}

bool revoke_check(struct session *s)
{
    const troth_report *r = troth_peer(s->conn);
    size_t path = troth_report_accepted(r);
    if ((!args_has(s->args, OPT_OCSP) && !args_has(s->args, OPT_CRL_FETCH)) || path == SIZE_MAX)
        return true;
    struct inquiry q = { .s = s, .pki = troth_pki_new(troth_libcrypto()), .policy = troth_policy_new(troth_libcrypto()) };
    troth_span certs[CERTS_MAX];
    size_t n = troth_report_path(r, path).n_certs;
    n = n < CERTS_MAX ? n : CERTS_MAX;
    for (size_t i = 0; i < n; i++)
        certs[i] = troth_report_cert(r, path, i).der;
    bool ok = trust_roots(s->args, q.policy) == EXIT_OK && trust_crls(s->args, q.policy) == EXIT_OK;
    trust_suffixes(q.policy);
    for (size_t i = 0; ok && i + 1 < n; i++)
        ask_about(&q, certs[i], certs[i + 1]);
    ok = ok && judge(&q, certs, n);
    troth_policy_builder_free(q.policy);
    troth_pki_free(q.pki);
    return ok;
}
