/* chain.c - what troth check says of the certificates that a server sends: whether they are accepted, how long they last, and which of
 * them nobody needs.  Must never judge by itself: what is wrong with a path is what the library found. */
#include <stdio.h>
#include <string.h>
#include <troth/pki.h>

#include "check/check.h"
#include "setup/setup.h"

enum { SOON_DAYS = 21, VERY_SOON_DAYS = 7, DAY = 86400, SENT_MAX = 64 };

static void look_at_dates(struct check *c, size_t i, const troth_path_cert *cert)
{
    char saw[200];
    int64_t left = (cert->not_after - c->first.now) / DAY, seconds = cert->not_after - cert->not_before + 1;
    unsigned most = troth_public_lifetime(cert->not_before);
    snprintf(saw, sizeof saw, "%.100s: %lld days left", cert->title, (long long)left);
    if (left < SOON_DAYS)
        check_find(c, left < VERY_SOON_DAYS ? FOUND_EXPIRES_NOW : FOUND_EXPIRES_SOON, saw);
    snprintf(saw, sizeof saw, "%.100s: valid for %lld days%s; public ones of that day, for %u", cert->title, (long long)(seconds / DAY),
             seconds % DAY ? " and more" : "", most);
    if (i == 0 && seconds > (int64_t)most * DAY)
        check_find(c, FOUND_LONG_LIVED, saw);
}

static void look_at_warning(struct check *c, const troth_path_check *k)
{
    char saw[240];
    if (k->reason != TROTH_R_CERT_PROFILE) {
        check_find_reason(c, MEDIUM, troth_reason_code(k->reason), troth_reason_text(k->reason), troth_reason_hint(k->reason), k->evidence);
        return;
    }
    snprintf(saw, sizeof saw, "%s (%s)", k->evidence, k->rule);
    check_find(c, FOUND_CERT_WARNING, saw);
}

/* Does it lead from one of those before, by the name of an issuer?  What was left aside in the path that was accepted may be what others need:
 * an authority certified by a second one. */
static bool leads_on(const troth_cert_facts *f, const bool *linked, size_t n, size_t i)
{
    for (size_t k = 0; k < n; k++)
        if (k != i && linked[k] && !strcmp(f[k].issuer, f[i].subject))
            return true;
    return false;
}

/* What came beside the server's own certificate without being of use: a root, or something that belongs elsewhere. */
static void look_at_spare(struct check *c, const troth_report *r)
{
    const troth_span *certs;
    size_t n = troth_report_given(r, &certs);
    bool linked[SENT_MAX] = { true };
    troth_cert_facts f[SENT_MAX];
    troth_pki *w = n > 1 && n <= SENT_MAX ? troth_pki_new(troth_libcrypto()) : NULL;
    for (size_t i = 0; w && i < n; i++) {
        f[i] = (troth_cert_facts){ .size = sizeof f[i] };
        if (!troth_pki_cert(w, certs[i], &f[i]))
            n = 0; /* the report says it */
    }
    for (size_t round = 1; w && round < n; round++)
        for (size_t i = 1; i < n; i++)
            linked[i] = linked[i] || leads_on(f, linked, n, i);
    for (size_t i = 1; w && i < n; i++) {
        char saw[200];
        snprintf(saw, sizeof saw, "%.120s, certificate %zu of %zu", f[i].title, i + 1, n);
        if (!linked[i])
            check_find(c, FOUND_SPARE_CERT, saw);
        else if (f[i].ca && f[i].self_issued)
            check_find(c, FOUND_ROOT_SENT, saw);
    }
    troth_pki_free(w);
}

void check_chain(struct check *c)
{
    const struct session *s = &c->first;
    const troth_report *r = troth_peer(s->conn);
    if (strcmp(check_certificate(c), "ok") != 0)
        check_find_reason(c, exit_code_of(&s->error) == EXIT_CERTIFICATE ? CRITICAL : HIGH, s->error.code, s->error.text, s->error.hint, s->error.detail);
    size_t path = troth_report_accepted(r);
    if (path == SIZE_MAX)
        return;
    troth_path p = troth_report_path(r, path);
    for (size_t i = 0; i < p.n_certs; i++) {
        troth_path_cert cert = troth_report_cert(r, path, i);
        look_at_dates(c, i, &cert);
    }
    for (size_t k = 0; k < p.n_checks; k++) {
        troth_path_check check = troth_report_check(r, path, k);
        if (check.verdict == TROTH_WARN)
            look_at_warning(c, &check);
    }
    look_at_spare(c, r);
}
