/* pki_read.c - reading for programs: objects of a file, their description, a certificate's facts, PKCS#12 (troth/pki.h). */
#include <string.h>

#include "api/pki.h"
#include "base/text.h"
#include "crypto/pkcs12.h"
#include "x509/crl.h"
#include "x509/csr.h"
#include "x509/describe.h"
#include "x509/dn_text.h"
#include "x509/issue.h"
#include "x509/oid.h"

size_t troth_pki_read(troth_pki *w, troth_span file, const troth_object **objects)
{
    struct object *list;
    size_t n;
    if (objects)
        *objects = NULL;
    if (!pki_well(w) || !objects_read(&w->p, file, &list, &n))
        return 0;
    troth_object *out = arena_array(&w->arena, n, sizeof *out);
    if (!out) {
        (void)fail(&w->p, OUT_OF_MEMORY, "%zu objects", n);
        return 0;
    }
    for (size_t i = 0; i < n; i++)
        out[i] = (troth_object){ .kind = object_kind_code(list[i].kind), .what = object_kind_text(list[i].kind), .der = list[i].der,
                                 .pem = list[i].pem, .line = list[i].line, .encrypted = list[i].encrypted };
    if (objects)
        *objects = out;
    return n;
}

/* ---- descriptions */

struct asked {
    troth_passphrase_fn *pass;
    void                *ctx;
};

static enum object_kind kind_of(const troth_object *o)
{
    for (int k = 0; k < OBJECT_KIND_COUNT; k++)
        if (!strcmp(object_kind_code((enum object_kind)k), o->kind))
            return (enum object_kind)k;
    return OBJECT_UNKNOWN;
}

/* Never shows a private half: what it is, and the public half so that its certificate can be found. */
static void describe_private(struct facts *f, troth_pki *w, const troth_object *o, const struct asked *asked)
{
    enum troth_reason why = TROTH_R_NONE;
    span spki = SPAN_NONE;
    bool locked = o->encrypted || kind_of(o) == OBJECT_ENCRYPTED_KEY;
    troth_fact *row = fact_bool(f, "encrypted", "encrypted", locked);
    if (!locked)
        fact_note(f, row, false, "whoever can read the file has the key");
    if (locked && !asked->pass) {
        fact_note(f, row, false, "give its passphrase to see more");
        return;
    }
    troth_key *key = w->provider->key_load(w->provider->self, o->pem.n ? o->pem : o->der, asked->pass, asked->ctx, &why);
    if (!key) {
        fact_note(f, fact_text(f, "error", "cannot be read", "%s", troth_reason_code(why)), true, "%s", troth_reason_text(why));
        return;
    }
    if (key_spki(&w->p, key, &spki))
        describe_key(f, "key", "key", spki);
    w->provider->key_free(key);
}

static void describe_pkcs12(struct facts *f, troth_pki *w, const troth_object *o, const struct asked *asked)
{
    struct pkcs12 p12;
    enum troth_reason why;
    if (!pkcs12_open(&p12, &w->arena, o->der, asked->pass, asked->ctx, &why)) {
        fact_note(f, fact_text(f, "error", "cannot be opened", "%s", troth_reason_code(why)), true, "%s", troth_reason_hint(why));
        return;
    }
    fact_bool(f, "has_key", "holds a private key", p12.key.n != 0);
    fact_open(f, TROTH_FACT_LIST, "certificates", "certificates");
    for (size_t i = 0; i < p12.n_certs; i++) {
        fact_open(f, TROTH_FACT_GROUP, NULL, NULL);
        if (*p12.titles[i]) {
            char text[300];
            struct text t = TEXT_IN(text);
            text_escaped(&t, span_of(p12.titles[i], strlen(p12.titles[i])));
            fact_text(f, "friendly_name", "called", "%s", text);
        }
        describe_certificate(f, p12.certs[i]);
        fact_close(f);
    }
    fact_close(f);
}

static void describe_object(struct facts *f, troth_pki *w, const troth_object *o, const struct asked *asked)
{
    switch (kind_of(o)) {
    case OBJECT_CERTIFICATE: describe_certificate(f, o->der); break;
    case OBJECT_CSR: describe_request(f, o->der); break;
    case OBJECT_CRL: describe_crl(f, o->der); break;
    case OBJECT_OCSP_RESPONSE: describe_ocsp(f, o->der); break;
    case OBJECT_PUBLIC_KEY: describe_public_key(f, o->der); break;
    case OBJECT_PKCS12: describe_pkcs12(f, w, o, asked); break;
    case OBJECT_PRIVATE_KEY:
    case OBJECT_ENCRYPTED_KEY:
    case OBJECT_RSA_KEY:
    case OBJECT_EC_KEY: describe_private(f, w, o, asked); break;
    case OBJECT_UNKNOWN:
    case OBJECT_EMPTY:
    case OBJECT_TEXT:
    case OBJECT_HTML:
    case OBJECT_UTF16:
    case OBJECT_BASE64:
    case OBJECT_DER:
    case OBJECT_TRUSTED_CERTIFICATE:
    case OBJECT_DSA_KEY:
    case OBJECT_RSA_PUBLIC_KEY:
    case OBJECT_PARAMETERS:
    case OBJECT_PKCS7:
    case OBJECT_OCSP_REQUEST:
    case OBJECT_ECH_CONFIG:
    case OBJECT_SSH_KEY:
    case OBJECT_SSH_PUBLIC_KEY:
    case OBJECT_PGP:
    case OBJECT_SESSION:
    case OBJECT_KIND_COUNT:
    default:
        fact_note(f, fact_number(f, "bytes", "bytes", (int64_t)o->der.n), false, "troth does not look into this kind");
        break;
    }
}

size_t troth_pki_describe(troth_pki *w, const troth_object *o, int64_t now, troth_passphrase_fn *pass, void *ctx,
                          const troth_fact **facts)
{
    if (facts)
        *facts = NULL;
    if (!pki_well(w))
        return 0;
    if (!o) {
        (void)fail(&w->p, BAD_ARGUMENT, "troth_pki_describe: NULL");
        return 0;
    }
    struct facts f;
    struct asked asked = { pass, ctx };
    facts_init(&f, &w->p, now);
    describe_object(&f, w, o, &asked);
    if (f.lost) {
        (void)fail(&w->p, OUT_OF_MEMORY, "describing %s", o->what);
        return 0;
    }
    if (facts)
        *facts = f.v;
    return f.n;
}

/* ---- a certificate's facts */

static const char *copied(troth_pki *w, const char *text)
{
    char *copy = arena_string(&w->arena, span_of(text, strlen(text)));
    if (!copy)
        (void)fail(&w->p, OUT_OF_MEMORY, "text");
    return copy;
}

enum { LIST_MAX = 4096, TEXT_MAX = 2048 };

struct list {
    const char **v;
    size_t       n, cap;
};

static bool list_add(troth_pki *w, struct list *l, const char *text)
{
    if (l->n + 1 >= l->cap) {
        size_t cap = l->cap ? 2 * l->cap : 8;
        const char **v = arena_array(&w->arena, cap, sizeof *v);
        if (!v)
            return fail(&w->p, OUT_OF_MEMORY, "list");
        if (l->n)
            memcpy(v, l->v, l->n * sizeof *v);
        l->v = v;
        l->cap = cap;
    }
    return l->n == LIST_MAX || (l->v[l->n++] = copied(w, text)) != NULL;
}

/* An empty list still ends with NULL. */
static bool list_end(troth_pki *w, struct list *l, const char *const **out)
{
    if (!l->v)
        l->v = arena_array(&w->arena, 1, sizeof *l->v);
    *out = l->v;
    return l->v || fail(&w->p, OUT_OF_MEMORY, "list");
}

static bool names_of(troth_pki *w, span names, bool uris_only, struct list *l)
{
    struct general_name_item g;
    while (general_names_next(&names, &g)) {
        char text[TEXT_MAX];
        struct text t = TEXT_IN(text);
        if (uris_only && g.kind != GN_URI)
            continue;
        if (uris_only)
            text_escaped(&t, g.value);
        else
            general_name_show(&t, &g);
        TRY(list_add(w, l, text));
    }
    return true;
}

static bool access_urls(troth_pki *w, const struct cert *c, enum oid method, const char *const **out)
{
    struct list l = { 0 };
    span value = c->ext[CX_AUTHORITY_INFO];
    struct rd_ctx ctx;
    rd_ctx_init(&ctx, value, NULL);
    struct rd r = rd_init(&ctx, value), list = rd_more(&r) ? der_open(&r, "AuthorityInfoAccess", DER_SEQUENCE) : r;
    while (rd_more(&list)) {
        struct rd one = der_open(&list, "AccessDescription", DER_SEQUENCE);
        span oid = der_oid(&one, "accessMethod"), location = rd_peek(&one);
        if (rd_ok(&list) && oid_is(oid, method))
            TRY(names_of(w, location, true, &l));
    }
    return list_end(w, &l, out);
}

static bool crl_urls(troth_pki *w, const struct cert *c, const char *const **out)
{
    struct list l = { 0 };
    struct dist_point dp;
    span list;
    bool bad = false;
    if (cert_has(c, CX_CRL_POINTS) && dist_points_open(c->ext[CX_CRL_POINTS], &list))
        while (dist_point_next(&list, &dp, &bad))
            if (!dp.name.relative)
                TRY(names_of(w, dp.name.names, true, &l));
    return list_end(w, &l, out);
}

static bool texts_of(troth_pki *w, const struct cert *c, troth_cert_facts *out)
{
    char text[TEXT_MAX];
    struct text t = TEXT_IN(text);
    dn_text(&t, c->subject);
    out->subject = copied(w, text);
    t = TEXT_IN(text);
    dn_text(&t, c->issuer);
    out->issuer = copied(w, text);
    t = TEXT_IN(text);
    cert_title(&t, c);
    out->title = copied(w, text);
    t = TEXT_IN(text);
    text_hex(&t, c->serial);
    out->serial = copied(w, text);
    t = TEXT_IN(text);
    key_show(&t, c->spki);
    out->key = copied(w, text);
    t = TEXT_IN(text);
    sig_alg_show(&t, c->sig_alg);
    out->signature = copied(w, text);
    return pki_well(w);
}

static bool digests_of(troth_pki *w, const struct cert *c, troth_cert_facts *out)
{
    span d;
    TRY(digest_of(&w->p, TROTH_SHA256, &c->raw, 1, &d));
    memcpy(out->sha256, d.p, 32);
    TRY(digest_of(&w->p, TROTH_SHA256, &c->spki, 1, &d));
    memcpy(out->spki_sha256, d.p, 32);
    return true;
}

static bool facts_of(troth_pki *w, const struct cert *c, troth_cert_facts *out)
{
    *out = (troth_cert_facts){ .size = sizeof *out, .not_before = c->not_before, .not_after = c->not_after, .serial_bytes = c->serial,
                               .key_type = c->key.type, .spki = c->spki, .ca = c->is_ca, .self_issued = c->self_issued,
                               .must_staple = c->must_staple };
    struct list names = { 0 };
    return texts_of(w, c, out) && digests_of(w, c, out) && names_of(w, c->san, false, &names) && list_end(w, &names, &out->names) &&
           access_urls(w, c, OID_AD_OCSP, &out->ocsp_urls) && access_urls(w, c, OID_AD_CA_ISSUERS, &out->issuer_urls) &&
           crl_urls(w, c, &out->crl_urls);
}

static bool has_room(troth_pki *w, const troth_cert_facts *out)
{
    return (out && out->size == sizeof *out) || fail(&w->p, BAD_ARGUMENT, "troth_cert_facts of %zu bytes", out ? out->size : 0);
}

bool troth_pki_cert(troth_pki *w, troth_span der, troth_cert_facts *out)
{
    struct cert c;
    if (!pki_well(w))
        return false;
    TRY(has_room(w, out) && cert_parse(&c, der, NULL, &w->p.error));
    return facts_of(w, &c, out);
}

bool troth_pki_asked(troth_pki *w, troth_span request, troth_cert_facts *out)
{
    struct csr csr;
    if (!pki_well(w))
        return false;
    TRY(has_room(w, out) && csr_parse(&csr, request, NULL, &w->p.error) && csr_verify(&csr, w->provider, &w->p.error));
    if (csr.asked.flaw.why != TROTH_R_NONE)
        return fail_as(&w->p, csr.asked.flaw.why, "%s", csr.asked.flaw.field);
    csr.asked.subject = csr.subject;
    csr.asked.spki = csr.spki;
    csr.asked.key = csr.key.key;
    csr.asked.sig_alg = csr.sig_alg;
    TRY(facts_of(w, &csr.asked, out));
    out->issuer = "";
    return true;
}

bool troth_pki_pkcs12(troth_pki *w, troth_span bytes, troth_passphrase_fn *pass, void *ctx, troth_pkcs12 *out)
{
    struct pkcs12 p12;
    enum troth_reason why;
    if (!pki_well(w))
        return false;
    if (!pkcs12_open(&p12, &w->arena, bytes, pass, ctx, &why))
        return fail_as(&w->p, why, "PKCS#12 file of %zu bytes", bytes.n);
    if (!out)
        return true;
    *out = (troth_pkcs12){ .n_certs = p12.n_certs, .certs = p12.certs, .titles = p12.titles, .key = p12.key };
    return true;
}
