/* pki.c - the workshop: keys, certificates, requests, CRLs made for programs (troth/pki.h).
 *
 * Must never read a clock, and hands out nothing after a failure. */
#include "api/pki.h"

#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "x509/csr.h"
#include "x509/issue.h"
#include "x509/ocsp.h"
#include "x509/pem.h"

enum { CHUNK = 16384, SECRET_KEY_MAX = 8192, NAMES_MAX = 1000 };

troth_pki *troth_pki_new(troth_provider *provider)
{
    if (!provider)
        return NULL;
    struct arena arena;
    arena_init(&arena, provider->memory, CHUNK);
    troth_pki *w = arena_alloc(&arena, sizeof *w);
    if (!w) {
        arena_free(&arena);
        troth_provider_free(provider);
        return NULL;
    }
    w->provider = provider;
    w->arena = arena;
    w->p = (struct pki_ctx){ .arena = &w->arena, .crypto = provider };
    return w;
}

void troth_pki_free(troth_pki *w)
{
    if (!w)
        return;
    troth_provider *provider = w->provider;
    for (struct pki_key *k = w->keys; k; k = k->next)
        provider->key_free(k->key);
    struct arena arena = w->arena; /* w itself is in it */
    arena_free(&arena);
    troth_provider_free(provider);
}

const troth_error *troth_pki_error(const troth_pki *w)
{
    static const troth_error no_memory = { .reason = TROTH_R_OUT_OF_MEMORY, .alert = 255, .who = TROTH_WHO_YOU,
                                           .code = "local.out-of-memory", .text = "memory ran out", .hint = "", .detail = "" };
    return w ? &w->p.error : &no_memory;
}

void troth_pki_go_on(troth_pki *w)
{
    if (w)
        w->p.error = (troth_error){ .reason = TROTH_R_NONE };
}

/* ---- keys */

static const troth_key *keep(troth_pki *w, troth_key *key)
{
    struct pki_key *k = key ? arena_alloc(&w->arena, sizeof *k) : NULL;
    if (!k) {
        if (key) {
            w->provider->key_free(key);
            (void)fail(&w->p, OUT_OF_MEMORY, "key");
        }
        return NULL;
    }
    *k = (struct pki_key){ key, w->keys };
    w->keys = k;
    return key;
}

const troth_key *troth_pki_make_key(troth_pki *w, enum troth_key_type type, unsigned rsa_bits)
{
    if (!pki_well(w))
        return NULL;
    troth_key *key = w->provider->key_make(w->provider->self, type, rsa_bits);
    if (!key && type == TROTH_KEY_RSA)
        (void)fail(&w->p, CRYPTO_FAILED, "making an RSA key of %u bits", rsa_bits);
    else if (!key)
        (void)fail(&w->p, CRYPTO_FAILED, "making a key of type %d", (int)type);
    return keep(w, key);
}

const troth_key *troth_pki_load_key(troth_pki *w, troth_span bytes, troth_passphrase_fn *ask, void *ctx)
{
    if (!pki_well(w))
        return NULL;
    enum troth_reason why = TROTH_R_NONE;
    troth_key *key = w->provider->key_load(w->provider->self, bytes, ask, ctx, &why);
    if (!key)
        (void)fail_as(&w->p, why != TROTH_R_NONE ? why : TROTH_R_CRYPTO_FAILED, "loading a private key");
    return keep(w, key);
}

troth_span troth_pki_pem(troth_pki *w, const char *label, troth_span der)
{
    if (!pki_well(w) || !der.n)
        return SPAN_NONE;
    if (!label) {
        (void)fail(&w->p, BAD_ARGUMENT, "troth_pki_pem: there is no label");
        return SPAN_NONE;
    }
    size_t cap = pem_write(NULL, 0, label, der) + 1;
    char *text = arena_alloc(&w->arena, cap);
    if (!text) {
        (void)fail(&w->p, OUT_OF_MEMORY, "PEM");
        return SPAN_NONE;
    }
    return span_of(text, pem_write(text, cap, label, der));
}

troth_span troth_pki_key_pem(troth_pki *w, const troth_key *key)
{
    if (!pki_well(w))
        return SPAN_NONE;
    if (!key) {
        (void)fail(&w->p, BAD_ARGUMENT, "troth_pki_key_pem: there is no key");
        return SPAN_NONE;
    }
    uint8_t *der = arena_alloc(&w->arena, SECRET_KEY_MAX);
    size_t n = der ? w->provider->key_private(key, der, SECRET_KEY_MAX) : 0;
    if (!n) {
        (void)fail(&w->p, CRYPTO_FAILED, "this private key cannot be written");
        return SPAN_NONE;
    }
    return troth_pki_pem(w, "PRIVATE KEY", span_of(der, n));
}

troth_span troth_pki_public(troth_pki *w, const troth_key *key)
{
    span spki = SPAN_NONE;
    return pki_well(w) && key_spki(&w->p, key, &spki) ? spki : SPAN_NONE;
}

/* ---- from a troth_pki_spec to a struct issue */

static bool has_prefix(const char *name)
{
    static const char *const known[] = { "DNS:", "IP:", "email:", "URI:", "dir:", "RID:", "other:" };
    for (size_t i = 0; i < COUNT_OF(known); i++)
        if (!strncmp(name, known[i], strlen(known[i])))
            return true;
    return false;
}

static const char *kind_of(const char *name)
{
    uint8_t ip[16];
    const char *slash = strchr(name, '/');
    if (strstr(name, "://"))
        return "URI:";
    if (ip_from_text(ip, name, slash ? (size_t)(slash - name) : strlen(name)))
        return "IP:";
    return strchr(name, '@') ? "email:" : "DNS:";
}

/* Letters, digits, hyphens and dots; labels of 1..63; perhaps "*." in front: what an A-label DNS name looks like.  A constraint may
 * start with a dot. */
static bool is_dns(const char *name)
{
    size_t label = 0, n = strlen(name);
    if (!strncmp(name, "*.", 2))
        name += 2;
    if (!*name || n > LIMIT_HOST_NAME)
        return false;
    for (const char *s = name; *s; s++) {
        bool word = (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9') || *s == '-' || *s == '_';
        if (*s == '.' ? !label || !s[1] : !word || label == LIMIT_DNS_LABEL || (*s == '-' && !label))
            return false;
        label = *s == '.' ? 0 : label + 1;
    }
    return true;
}

static bool name_list(troth_pki *w, const char *const *names, bool constraint, const char *const **out)
{
    size_t n = 0;
    while (names && names[n])
        n++;
    *out = NULL;
    if (!n)
        return true;
    if (n > NAMES_MAX)
        return fail(&w->p, ISSUE_REFUSED, "%zu names are too many", n);
    const char **list = arena_array(&w->arena, n + 1, sizeof *list);
    if (!list)
        return fail(&w->p, OUT_OF_MEMORY, "names");
    for (size_t i = 0; i < n; i++) {
        const char *kind = has_prefix(names[i]) ? "" : kind_of(names[i]);
        const char *dns = !strcmp(kind, "DNS:") ? names[i] : !strncasecmp(names[i], "DNS:", 4) ? names[i] + 4 : NULL;
        if (dns && !is_dns(dns + (constraint && dns[0] == '.')))
            return fail(&w->p, ISSUE_REFUSED, "\"%.100s\" is no DNS name (international names: in their xn-- form)", dns);
        size_t k = strlen(kind), len = strlen(names[i]);
        char *text = arena_alloc(&w->arena, k + len + 1);
        if (!text)
            return fail(&w->p, OUT_OF_MEMORY, "names");
        memcpy(text, kind, k);
        memcpy(text + k, names[i], len);
        list[i] = text;
    }
    *out = list;
    return true;
}

static const char *joined(troth_pki *w, const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b);
    char *text = arena_alloc(&w->arena, n + m + 1);
    if (text) {
        memcpy(text, a, n);
        memcpy(text + n, b, m);
    }
    return text;
}

struct lists {
    const char     *eku[8], *aia[3], *crl[2];
    struct issue_dp dp;
};

static bool fill_lists(troth_pki *w, const troth_pki_spec *s, struct lists *l, struct issue *out)
{
    static const struct {
        unsigned    use;
        const char *eku;
    } uses[] = { { TROTH_USE_SERVER, "serverAuth" }, { TROTH_USE_CLIENT, "clientAuth" }, { TROTH_USE_EMAIL, "emailProtection" },
                 { TROTH_USE_CODE, "codeSigning" },  { TROTH_USE_OCSP, "OCSPSigning" } };
    size_t n = 0, k = 0;
    for (size_t i = 0; i < COUNT_OF(uses); i++)
        if (s->uses & uses[i].use)
            l->eku[n++] = uses[i].eku;
    out->eku = n ? l->eku : NULL;
    if (s->ocsp_url)
        l->aia[k++] = joined(w, "ocsp=", s->ocsp_url);
    if (s->issuer_url)
        l->aia[k++] = joined(w, "caIssuers=", s->issuer_url);
    out->aia = k ? l->aia : NULL;
    if (s->crl_url) {
        l->crl[0] = joined(w, "URI:", s->crl_url);
        l->dp.names = l->crl;
        out->cdp = &l->dp;
        out->n_cdp = 1;
    }
    if ((s->crl_url && !l->crl[0]) || (k && !l->aia[k - 1]) || (k == 2 && !l->aia[0]))
        return fail(&w->p, OUT_OF_MEMORY, "addresses");
    return true;
}

static bool from_spec(troth_pki *w, const troth_pki_spec *s, struct lists *l, struct issue *out)
{
    if (!s || s->size != sizeof *s)
        return fail(&w->p, BAD_ARGUMENT, "troth_pki_spec of %zu bytes", s ? s->size : 0);
    if (s->not_after < s->not_before)
        return fail(&w->p, ISSUE_REFUSED, "it would end before it begins");
    *out = (struct issue){ .subject = s->subject, .not_before = s->not_before, .not_after = s->not_after, .ca = s->ca, .not_ca = !s->ca,
                           .has_path_len = s->ca && s->has_path_len, .path_len = s->path_len, .must_staple = s->must_staple,
                           .key_usage = s->ca ? KU_KEY_CERT_SIGN | KU_CRL_SIGN : KU_DIGITAL_SIGNATURE };
    memset(l, 0, sizeof *l);
    return name_list(w, s->names, false, &out->san) && name_list(w, s->permitted, true, &out->permitted) &&
           name_list(w, s->excluded, true, &out->excluded) && fill_lists(w, s, l, out);
}

/* Whoever signs, from a certificate and its key: which must belong together. */
static bool issuer_from(troth_pki *w, span cert, const troth_key *key, struct cert *c, struct issue *out)
{
    span spki;
    if (!cert_parse(c, cert, NULL, &w->p.error))
        return false;
    TRY(key_spki(&w->p, key, &spki));
    if (!span_equal(spki, c->spki))
        return fail(&w->p, ISSUE_REFUSED, "the issuer's key does not belong to its certificate");
    if (!c->is_ca)
        return fail(&w->p, ISSUE_REFUSED, "the issuer's certificate is not a CA's");
    *out = (struct issue){ .subject_der = c->subject, .key = key, .ski = c->ski, .omit = c->ski.n ? 0 : IX_SKI };
    return true;
}

troth_span troth_pki_self_sign(troth_pki *w, const troth_pki_spec *s, const troth_key *key)
{
    struct lists lists;
    struct issue spec;
    span der = SPAN_NONE;
    if (!pki_well(w) || !from_spec(w, s, &lists, &spec))
        return SPAN_NONE;
    spec.key = key;
    return issue_cert(&w->p, &spec, &der) ? der : SPAN_NONE;
}

static span issue_with(troth_pki *w, const troth_pki_spec *s, const troth_key *key, span spki, span issuer_cert,
                       const troth_key *issuer_key)
{
    struct lists lists;
    struct issue spec, by;
    struct cert issuer;
    span der = SPAN_NONE;
    if (!from_spec(w, s, &lists, &spec) || !issuer_from(w, issuer_cert, issuer_key, &issuer, &by))
        return SPAN_NONE;
    spec.key = key;
    spec.spki = spki;
    spec.by = &by;
    return issue_cert(&w->p, &spec, &der) ? der : SPAN_NONE;
}

troth_span troth_pki_issue(troth_pki *w, const troth_pki_spec *s, const troth_key *subject, troth_span issuer_cert,
                           const troth_key *issuer_key)
{
    return pki_well(w) ? issue_with(w, s, subject, SPAN_NONE, issuer_cert, issuer_key) : SPAN_NONE;
}

troth_span troth_pki_issue_for(troth_pki *w, const troth_pki_spec *s, troth_span request, troth_span issuer_cert,
                               const troth_key *issuer_key)
{
    struct csr csr;
    if (!pki_well(w) || !csr_parse(&csr, request, NULL, &w->p.error) || !csr_verify(&csr, w->provider, &w->p.error))
        return SPAN_NONE;
    return issue_with(w, s, NULL, csr.spki, issuer_cert, issuer_key);
}

troth_span troth_pki_request(troth_pki *w, const troth_pki_spec *s, const troth_key *key)
{
    struct lists lists;
    struct issue spec;
    span der = SPAN_NONE;
    if (!pki_well(w) || !from_spec(w, s, &lists, &spec))
        return SPAN_NONE;
    spec.key = key;
    return issue_csr(&w->p, &spec, &der) ? der : SPAN_NONE;
}

troth_span troth_pki_crl(troth_pki *w, troth_span issuer_cert, const troth_key *issuer_key, const troth_pki_revoked *revoked, size_t n,
                         uint64_t number, int64_t this_update, int64_t next_update)
{
    struct issue by;
    struct cert issuer;
    span der = SPAN_NONE;
    if (!pki_well(w) || !issuer_from(w, issuer_cert, issuer_key, &issuer, &by))
        return SPAN_NONE;
    if (!revoked && n) {
        (void)fail(&w->p, BAD_ARGUMENT, "troth_pki_crl: %zu entries at NULL", n);
        return SPAN_NONE;
    }
    struct issue_revoked *rows = arena_array(&w->arena, n + 1, sizeof *rows);
    if (!rows) {
        (void)fail(&w->p, OUT_OF_MEMORY, "%zu entries", n);
        return SPAN_NONE;
    }
    for (size_t i = 0; i < n; i++)
        rows[i] = (struct issue_revoked){ .serial = revoked[i].serial, .when = revoked[i].when, .reason = revoked[i].reason };
    uint8_t be[8];
    struct wr number_bytes = wr_into(be, sizeof be);
    wr_uint(&number_bytes, number, sizeof be);
    struct issue_crl spec = { .by = &by, .this_update = this_update, .next_update = next_update, .revoked = rows, .n_revoked = n,
                              .number = wr_done(&number_bytes) };
    return issue_crl(&w->p, &spec, &der) ? der : SPAN_NONE;
}

troth_span troth_pki_ocsp(troth_pki *w, troth_span cert, troth_span issuer_cert, const troth_key *issuer_key, const troth_pki_revoked *revoked,
                          int64_t this_update, int64_t next_update)
{
    struct issue by;
    struct cert c, issuer;
    span der = SPAN_NONE;
    if (!pki_well(w) || !cert_parse(&c, cert, NULL, &w->p.error) || !issuer_from(w, issuer_cert, issuer_key, &issuer, &by))
        return SPAN_NONE;
    if (!span_equal(c.issuer, issuer.subject)) {
        (void)fail(&w->p, ISSUE_REFUSED, "the certificate was issued by somebody else");
        return SPAN_NONE;
    }
    struct issue_single single = { .ca = &by, .serial = c.serial, .status = revoked ? OCSP_REVOKED : OCSP_GOOD, .revoked = revoked ? revoked->when : 0,
                                   .reason = revoked ? revoked->reason : -1, .this_update = this_update, .next_update = next_update };
    struct issue_ocsp spec = { .by = &by, .produced = this_update, .singles = &single, .n_singles = 1 };
    return issue_ocsp(&w->p, &spec, &der) ? der : SPAN_NONE;
}

troth_span troth_pki_ocsp_request(troth_pki *w, troth_span cert, troth_span issuer_cert, troth_span nonce)
{
    struct cert c, issuer;
    span der = SPAN_NONE;
    if (!pki_well(w) || !cert_parse(&c, cert, NULL, &w->p.error) || !cert_parse(&issuer, issuer_cert, NULL, &w->p.error))
        return SPAN_NONE;
    return ocsp_request(&w->p, &c, &issuer, TROTH_SHA1, nonce, &der) ? der : SPAN_NONE; /* SHA-1: all that RFC 5019 knows */
}
