/* verify.c - the public face of judging certificates: the policy builder, and questions with this machine's
 * clock.
 *
 * Reads files and the clock; everything below is pure. */
#include <troth/verify.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "api/api.h"
#include "api/slurp.h"
#include "crypto/pkcs12.h"
#include "x509/crl.h"
#include "x509/names.h"
#include "x509/ocsp.h"
#include "x509/oid.h"
#include "x509/pem.h"
#include "x509/sct.h"
#include "x509/verify.h"

enum { LIST_MAX = 4096, SYSTEM_CHUNK = 65536 };

struct troth_policy_builder {
    troth_error error;
    struct troth_policy *policy; /* being filled; lives in its own arena */
    struct arena scratch;        /* files, lists that grow: gone after build */
    span *policies, *crls, *ocsp;
    span *crl_from; /* the file of each CRL; empty: it came from none */
    size_t cap_policies, cap_crls, cap_from, cap_ocsp, cap_logs, n_logs, n_from;
    bool any_trust;
    troth_passphrase_fn *ask; /* for PKCS#12 files */
    void *ask_ctx;
};

/* ---- making one */

static troth_policy_builder *builder_make(troth_provider *provider)
{
    struct arena arena;
    arena_init(&arena, provider->memory, SYSTEM_CHUNK);
    struct troth_policy *p = arena_alloc(&arena, sizeof *p);
    troth_policy_builder *b = provider->memory->alloc(provider->memory->ctx, sizeof *b);
    if (!p || !b) {
        if (b)
            provider->memory->free(provider->memory->ctx, b, sizeof *b);
        arena_free(&arena);
        return NULL;
    }
    *b = (troth_policy_builder){ .policy = p };
    arena_init(&b->scratch, provider->memory, 4096);
    *p = (struct troth_policy){ .provider = provider,
                                .memory = provider->memory,
                                .owners = 1,
                                .max_depth = LIMIT_PATH_DEPTH,
                                .min_rsa = 2048 };
    p->arena = arena;
    return b;
}

troth_policy_builder *troth_policy_new(troth_provider *provider)
{
    troth_policy_builder *b = provider ? builder_make(provider) : NULL;
    if (!b)
        troth_provider_free(provider);
    return b;
}

void troth_policy_builder_free(troth_policy_builder *b)
{
    if (!b)
        return;
    const troth_allocator *mem = b->policy ? b->policy->memory : b->scratch.mem;
    const struct troth_policy *policy = b->policy;
    arena_free(&b->scratch);
    mem->free(mem->ctx, b, sizeof *b);
    policy_release(policy); /* last: the allocator may be the provider's, which the policy holds */
}

/* Every setter: nothing to do without a builder, nor after the first mistake. */
static bool usable(const troth_policy_builder *b)
{
    return b && !error_is_set(&b->error);
}

const troth_error *policy_mistake(const troth_policy_builder *b)
{
    return b && error_is_set(&b->error) ? &b->error : NULL;
}

static void out_of_memory(troth_policy_builder *b, const char *setter)
{
    fail(b, OUT_OF_MEMORY, "%s", setter);
}

static const char *string_kept(troth_policy_builder *b, const char *s, const char *setter)
{
    if (!s) {
        fail(b, BAD_ARGUMENT, "%s: NULL", setter);
        return NULL;
    }
    const char *copy = arena_string(&b->policy->arena, span_of(s, strlen(s)));
    if (!copy)
        out_of_memory(b, setter);
    return copy;
}

/* One more in a list that lives in the policy's arena. */
static bool list_add(struct arena *arena, span **list, size_t *n, size_t *cap, span item)
{
    span copy;
    TRY(arena_copy(arena, &copy, item));
    if (*n == *cap) {
        size_t more = *cap ? 2 * *cap : 8;
        span *p = arena_array(arena, more, sizeof *p);
        TRY(p);
        if (*n)
            memcpy(p, *list, *n * sizeof *p);
        *list = p;
        *cap = more;
    }
    (*list)[(*n)++] = copy;
    return true;
}

/* ---- trust */

/* Says in which file it was; "" none. */
static void name_file(troth_error *e, span path)
{
    char saw[sizeof e->detail];
    if (!path.n)
        return;
    memcpy(saw, e->detail, sizeof saw);
    struct text t = TEXT_IN(e->detail);
    text_escaped(&t, path);
    text_add(&t, "%s%s", saw[0] ? ": " : "", saw);
}

void troth_policy_passphrase(troth_policy_builder *b, troth_passphrase_fn *ask, void *ctx)
{
    if (!usable(b))
        return;
    b->ask = ask;
    b->ask_ctx = ctx;
}

/* The certificates of a PKCS#12 file: of a trust store, which mostly has no password, or the empty one. */
static bool pkcs12_add(troth_policy_builder *b, span bytes, bool vetted, troth_error *error)
{
    struct pkcs12 p12;
    enum troth_reason why;
    size_t n = 0;
    if (!pkcs12_open(&p12, &b->scratch, bytes, b->ask, b->ask_ctx, &why))
        return vetted || error_set(error, why, __FILE__, __LINE__, "PKCS#12 trust store");
    if (!p12.n_certs && !vetted)
        return error_set(error, TROTH_R_PKCS12_NOTHING, __FILE__, __LINE__, "no certificate in it");
    for (size_t i = 0; i < p12.n_certs; i++)
        TRY(anchors_add(&b->policy->anchors, &b->policy->arena, p12.certs[i], vetted, &n, error));
    return true;
}

static void trust_bytes(troth_policy_builder *b, span bytes, bool vetted, const char *from)
{
    troth_error why = { 0 };
    size_t n;
    b->any_trust = true;
    bool ok = object_kind_of_der(bytes) == OBJECT_PKCS12
                  ? pkcs12_add(b, bytes, vetted, &why)
                  : anchors_add(&b->policy->anchors, &b->policy->arena, bytes, vetted, &n, &why);
    if (ok)
        return;
    b->error = why;
    name_file(&b->error, span_of(from, strlen(from)));
}

/* Likewise, of a file: what is found in it knows where it came from. */
static void trust_bytes_of(troth_policy_builder *b, span bytes, bool vetted, const char *path)
{
    struct anchors *a = &b->policy->anchors;
    size_t before = a->n;
    trust_bytes(b, bytes, vetted, path);
    const char *kept = a->n > before ? arena_string(&b->policy->arena, span_of(path, strlen(path))) : NULL;
    if (a->n > before && !kept)
        out_of_memory(b, "trust anchors");
    for (size_t i = before; i < a->n; i++)
        a->rows[i]->file = kept;
}

void troth_policy_trust_pem(troth_policy_builder *b, troth_span bytes)
{
    if (usable(b))
        trust_bytes(b, bytes, false, "trusted certificates");
}

void troth_policy_trust_file(troth_policy_builder *b, const char *path)
{
    span bytes;
    if (!usable(b))
        return;
    if (!path)
        fail(b, BAD_ARGUMENT, "troth_policy_trust_file: NULL");
    else if (slurp(&b->scratch, path, &bytes, &b->error))
        trust_bytes_of(b, bytes, false, path);
}

/* Each file of a directory that can be read; how many things `take` found in them.  Without a directory, a mistake. */
static size_t dir_take(troth_policy_builder *b, const char *path, size_t (*take)(troth_policy_builder *, span bytes, const char *path))
{
    char name[4096];
    size_t found = 0;
    DIR *d = path ? opendir(path) : NULL;
    if (!d) {
        fail(b, TRUST_UNREADABLE, "%s: not a directory that can be read", path ? path : "(NULL)");
        return 0;
    }
    for (struct dirent *e; usable(b) && (e = readdir(d)) != NULL;) {
        span bytes;
        troth_error ignored = { 0 };
        int n = snprintf(name, sizeof name, "%s/%s", path, e->d_name);
        if (e->d_name[0] != '.' && n >= 0 && (size_t)n < sizeof name && slurp(&b->scratch, name, &bytes, &ignored))
            found += take(b, bytes, name);
    }
    closedir(d);
    return found;
}

static size_t trust_found(troth_policy_builder *b, span bytes, const char *path)
{
    size_t before = b->policy->anchors.n;
    trust_bytes_of(b, bytes, true, path);
    return b->policy->anchors.n - before;
}

void troth_policy_trust_dir(troth_policy_builder *b, const char *path)
{
    if (!usable(b))
        return;
    dir_take(b, path, trust_found);
    b->any_trust = true;
}

void troth_policy_trust_system(troth_policy_builder *b)
{
    static const char *const files[] = { "/etc/ssl/certs/ca-certificates.crt",
                                         "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem",
                                         "/etc/ssl/ca-bundle.pem" };
    if (!usable(b))
        return;
    b->any_trust = true;
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        troth_error ignored = { 0 };
        span bytes;
        if (!slurp(&b->scratch, files[i], &bytes, &ignored))
            continue;
        trust_bytes_of(b, bytes, true, files[i]);
        return;
    }
    troth_policy_trust_dir(b, "/etc/ssl/certs");
}

static bool domains_keep(troth_policy_builder *b, const char *const *names, size_t n, const span **out)
{
    span *list = arena_array(&b->policy->arena, n + 1, sizeof *list);
    TRY(list);
    for (size_t i = 0; i < n; i++) {
        span s = names[i] ? span_of(names[i], strlen(names[i])) : SPAN_NONE;
        if (!dns_ok(s))
            return fail(b, BAD_ARGUMENT, "troth_policy_trust_anchor: \"%s\" is not a domain",
                        names[i] ? names[i] : "");
        TRY(arena_copy(&b->policy->arena, &list[i], s));
    }
    *out = list;
    return true;
}

void troth_policy_trust_anchor(troth_policy_builder *b, const troth_anchor *a)
{
    if (!usable(b))
        return;
    if (!a || a->size < sizeof *a) {
        fail(b, BAD_ARGUMENT, "troth_policy_trust_anchor: size is not set");
        return;
    }
    if ((!a->permitted && a->n_permitted) || (!a->excluded && a->n_excluded)) {
        fail(b, BAD_ARGUMENT, "troth_policy_trust_anchor: a list is NULL");
        return;
    }
    size_t before = b->policy->anchors.n;
    struct anchor limits = { .purposes = a->purposes, .distrust_after = a->distrust_after };
    bool ok = domains_keep(b, a->permitted, a->n_permitted, &limits.permitted) &&
              domains_keep(b, a->excluded, a->n_excluded, &limits.excluded);
    if (!ok) {
        out_of_memory(b, "troth_policy_trust_anchor");
        return;
    }
    trust_bytes(b, a->certificate, false, "trust anchor");
    for (size_t i = before; i < b->policy->anchors.n; i++) {
        struct anchor *row = b->policy->anchors.rows[i];
        row->permitted = limits.permitted;
        row->n_permitted = a->n_permitted;
        row->excluded = limits.excluded;
        row->n_excluded = a->n_excluded;
        row->purposes = limits.purposes;
        row->distrust_after = limits.distrust_after;
    }
}

/* ---- what is asked for */

void troth_policy_purpose(troth_policy_builder *b, enum troth_purpose purpose)
{
    if (usable(b) && (unsigned)purpose > TROTH_PURPOSE_ANY)
        fail(b, BAD_ARGUMENT, "troth_policy_purpose: %d", (int)purpose);
    else if (usable(b))
        b->policy->purpose = purpose;
}

void troth_policy_host(troth_policy_builder *b, const char *host)
{
    if (usable(b))
        b->policy->host = string_kept(b, host, "troth_policy_host");
}

void troth_policy_ip(troth_policy_builder *b, const char *address)
{
    uint8_t ip[16];
    if (!usable(b))
        return;
    b->policy->ip = string_kept(b, address, "troth_policy_ip");
    if (address && b->policy->ip && !ip_read(ip, span_of(address, strlen(address))))
        fail(b, BAD_ARGUMENT, "troth_policy_ip: \"%s\" is not an IP address", address);
}

void troth_policy_email(troth_policy_builder *b, const char *mailbox)
{
    if (usable(b))
        b->policy->email = string_kept(b, mailbox, "troth_policy_email");
}

void troth_policy_time(troth_policy_builder *b, int64_t unix_seconds)
{
    if (!usable(b))
        return;
    b->policy->time = unix_seconds;
    b->policy->has_time = true;
}

/* ---- by which rules */

void troth_policy_profile(troth_policy_builder *b, enum troth_profile profile)
{
    if (usable(b) && (unsigned)profile > TROTH_PROFILE_PATH)
        fail(b, BAD_ARGUMENT, "troth_policy_profile: %d", (int)profile);
    else if (usable(b))
        b->policy->profile = profile;
}

void troth_policy_max_depth(troth_policy_builder *b, unsigned depth)
{
    if (usable(b))
        b->policy->max_depth = depth;
}

void troth_policy_min_rsa(troth_policy_builder *b, unsigned bits)
{
    if (usable(b))
        b->policy->min_rsa = bits;
}

void troth_policy_add_policy(troth_policy_builder *b, const char *oid)
{
    uint8_t in[64];
    if (!usable(b))
        return;
    struct wr w = wr_into(in, sizeof in);
    oid_write(&w, oid ? oid : "");
    if (!oid || !wr_ok(&w))
        fail(b, BAD_ARGUMENT, "troth_policy_add_policy: \"%s\" is not an object identifier", oid ? oid : "");
    else if (!list_add(&b->policy->arena, &b->policies, &b->policy->n_policies, &b->cap_policies,
                       wr_done(&w)))
        out_of_memory(b, "troth_policy_add_policy");
}

void troth_policy_require_explicit(troth_policy_builder *b)
{
    if (usable(b))
        b->policy->require_explicit = true;
}

void troth_policy_inhibit_mapping(troth_policy_builder *b)
{
    if (usable(b))
        b->policy->inhibit_mapping = true;
}

void troth_policy_inhibit_any(troth_policy_builder *b)
{
    if (usable(b))
        b->policy->inhibit_any = true;
}

void troth_policy_public_suffix(troth_policy_builder *b, bool (*is_suffix)(void *ctx, const char *domain),
                                void *ctx)
{
    if (!usable(b))
        return;
    b->policy->is_suffix = is_suffix;
    b->policy->suffix_ctx = ctx;
}

void troth_policy_every_check(troth_policy_builder *b)
{
    if (usable(b))
        b->policy->every_check = true;
}

/* ---- revocation */

void troth_policy_revocation(troth_policy_builder *b, enum troth_revocation how)
{
    if (usable(b) && (unsigned)how > TROTH_REVOCATION_OFF)
        fail(b, BAD_ARGUMENT, "troth_policy_revocation: %d", (int)how);
    else if (usable(b))
        b->policy->revocation = how;
}

/* How many CRLs there are in these bytes; all of them are kept.  0 with p->error set: none, or they are broken. */
static size_t crls_take(troth_policy_builder *b, struct pki_ctx *p, span bytes, span path)
{
    struct object *list = NULL;
    size_t n = 0, found = 0;
    if (!objects_read(p, bytes, &list, &n))
        return 0;
    for (size_t i = 0; i < n; i++) {
        if (list[i].kind != OBJECT_CRL)
            continue;
        found++;
        if (!list_add(&b->policy->arena, &b->crls, &b->policy->n_crls, &b->cap_crls, list[i].der) ||
            !list_add(&b->scratch, &b->crl_from, &b->n_from, &b->cap_from, path))
            out_of_memory(b, "troth_policy_crls");
    }
    if (!found)
        (void)!objects_wanted(p, OBJECT_CRL, n ? &list[0] : NULL);
    return found;
}

static void crls_want(troth_policy_builder *b, span bytes, span path)
{
    struct pki_ctx p = { .arena = &b->scratch };
    if (crls_take(b, &p, bytes, path) || !usable(b))
        return;
    b->error = p.error;
    name_file(&b->error, path);
}

void troth_policy_crls(troth_policy_builder *b, troth_span bytes)
{
    if (usable(b))
        crls_want(b, bytes, SPAN_NONE);
}

void troth_policy_crl_file(troth_policy_builder *b, const char *path)
{
    span bytes;
    if (!usable(b))
        return;
    if (!path)
        fail(b, BAD_ARGUMENT, "troth_policy_crl_file: NULL");
    else if (slurp(&b->scratch, path, &bytes, &b->error))
        crls_want(b, bytes, span_of(path, strlen(path)));
}

static size_t crls_found(troth_policy_builder *b, span bytes, const char *path)
{
    struct pki_ctx p = { .arena = &b->scratch };
    size_t n = crls_take(b, &p, bytes, span_of(path, strlen(path)));
    if (!n && span_holds(bytes, SPAN_TEXT("-----BEGIN X509 CRL-----"))) /* it is one, and broken */
        crls_want(b, bytes, span_of(path, strlen(path)));
    return n;
}

void troth_policy_crl_dir(troth_policy_builder *b, const char *path)
{
    if (!usable(b))
        return;
    if (!dir_take(b, path, crls_found) && usable(b)) /* whoever names a directory wants revocation looked at */
        fail(b, CONFIG_EMPTY, "no revocation list in any file of %s", path);
}

void troth_policy_ocsp(troth_policy_builder *b, troth_span response)
{
    if (usable(b) && !list_add(&b->policy->arena, &b->ocsp, &b->policy->n_ocsp, &b->cap_ocsp, response))
        out_of_memory(b, "troth_policy_ocsp");
}

void troth_policy_ct_log(troth_policy_builder *b, troth_span key, const char *name)
{
    span copy;
    struct ct_log log;
    if (!usable(b))
        return;
    struct troth_policy *p = b->policy;
    const char *called = string_kept(b, name, "troth_policy_ct_log");
    if (!called)
        return;
    if (b->n_logs == b->cap_logs) {
        size_t cap = b->cap_logs ? 2 * b->cap_logs : 16;
        struct ct_log *more = arena_array(&p->arena, cap, sizeof *more);
        if (more && b->n_logs)
            memcpy(more, p->ct_logs, b->n_logs * sizeof *more);
        p->ct_logs = more ? more : p->ct_logs;
        b->cap_logs = more ? cap : b->cap_logs;
    }
    if (b->n_logs == b->cap_logs || !arena_copy(&p->arena, &copy, key))
        out_of_memory(b, "troth_policy_ct_log");
    else if (!ct_log_init(&log, p->provider, copy, called))
        fail(b, BAD_ARGUMENT, "troth_policy_ct_log: the key of \"%s\" is not one that a log may have", name);
    else
        p->ct_logs[b->n_logs++] = log;
}

void troth_policy_require_scts(troth_policy_builder *b, unsigned how_many)
{
    if (usable(b))
        b->policy->require_scts = how_many;
}

/* ---- build */

/* What cannot be read is a mistake here, and not a surprise later. */
static bool ocsp_check(troth_policy_builder *b)
{
    struct ocsp ignored;
    for (size_t i = 0; i < b->policy->n_ocsp; i++)
        TRY(ocsp_parse(&ignored, b->ocsp[i], NULL, &b->error));
    return true;
}

static bool crls_parse(troth_policy_builder *b)
{
    struct troth_policy *p = b->policy;
    struct crl *parsed = arena_array(&p->arena, p->n_crls + 1, sizeof *parsed);
    if (!parsed)
        return fail(b, OUT_OF_MEMORY, "revocation lists");
    for (size_t i = 0; i < p->n_crls; i++)
        if (!crl_parse(&parsed[i], p->crls[i], NULL, &b->error)) {
            name_file(&b->error, b->crl_from[i]);
            return false;
        }
    qsort(parsed, p->n_crls, sizeof *parsed, crl_newest_first);
    p->parsed_crls = parsed;
    return true;
}

void policy_trust_nobody(troth_policy_builder *b)
{
    if (b)
        b->any_trust = true;
}

static bool finish(troth_policy_builder *b)
{
    struct troth_policy *p = b->policy;
    p->policies = b->policies;
    p->crls = b->crls;
    p->ocsp = b->ocsp;
    if (error_is_set(&b->error))
        return false;
    if (!b->any_trust)
        return fail(b, TRUST_STORE_EMPTY, "no call said whom to trust");
    p->n_ct_logs = b->n_logs;
    TRY(crls_parse(b) && ocsp_check(b));
    return anchors_freeze(&p->anchors, &p->arena) || fail(b, OUT_OF_MEMORY, "trust anchors");
}

troth_policy *troth_policy_build(troth_policy_builder *b, troth_error *err)
{
    troth_error none = { 0 };
    if (err)
        *err = none;
    if (!b) {
        if (err)
            error_set(err, TROTH_R_OUT_OF_MEMORY, __FILE__, __LINE__, "policy builder, or no provider");
        return NULL;
    }
    troth_policy *p = NULL;
    if (finish(b)) {
        p = b->policy;
        policy_share(p);
    } else if (err) {
        *err = b->error;
    }
    troth_policy_builder_free(b);
    return p;
}

/* ---- questions */

static const char *question_fault(const troth_question *q)
{
    if (!q)
        return "troth_ask: no question";
    if (q->size < sizeof *q)
        return "troth_question: size is not set";
    if (!q->certs && q->n)
        return "troth_question: certs is NULL";
    return (unsigned)q->purpose > TROTH_PURPOSE_ANY ? "troth_question: no such purpose" : NULL;
}

troth_report *troth_ask(const troth_policy *p, const troth_question *q)
{
    static const troth_question nothing = { .size = sizeof nothing };
    if (!p)
        return NULL;
    const char *fault = question_fault(q);
    if (fault)
        q = &nothing;
    struct verify_input in = { .policy = p,
                               .fault = fault,
                               .certs = q->certs,
                               .n = q->n,
                               .bundles = true,
                               .any_order = q->any_order,
                               .host = q->host,
                               .ip = q->ip,
                               .email = q->email,
                               .purpose = q->purpose,
                               .ocsp = q->ocsp,
                               .scts = q->scts,
                               .asked_staple = q->asked_staple };
    in.clock = !q->time && !p->has_time;
    in.now = q->time ? q->time : p->has_time ? p->time : (int64_t)time(NULL);
    return verify_chain(&in);
}

troth_report *troth_verify(const troth_policy *p, const troth_span *certs, size_t n)
{
    troth_question q = { .size = sizeof q, .certs = certs, .n = n };
    return troth_ask(p, &q);
}
