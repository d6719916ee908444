/* report.c - from a question to a report: certificates read, the search run, paths kept; and what can be
 * asked of a report.
 *
 * A report owns all its memory, and a share of the policy that its anchors live in. */
#include "x509/judge.h"
#include "x509/names.h"
#include "x509/pem.h"

enum { REPORT_CHUNK = 16384 };

void path_keep(struct judge *j)
{
    struct troth_report *r = j->report;
    if (j->signer_depth)
        return; /* somebody else's path */
    r->n_tried++;
    bool keep = j->now.accepted || r->n_paths < PATHS_KEPT - 1;
    if (!keep)
        return;
    struct path *p = arena_alloc(j->arena, sizeof *p);
    if (!p) {
        j->out_of_memory = true;
        return;
    }
    *p = j->now;
    j->now.findings = NULL; /* they are the report's now */
    j->now.cap = j->now.n_findings = 0;
    if (p->accepted)
        r->accepted = r->n_paths;
    r->paths[r->n_paths++] = p;
}

/* ---- the question */

static const troth_origin nowhere = { SIZE_MAX, SIZE_MAX };

static bool given_add(struct troth_report *r, span **list, size_t *cap, span der, troth_origin from)
{
    r->error_origin = from;
    if (r->n_given == LIMIT_CERTIFICATES)
        return error_set(&r->error, TROTH_R_CHAIN_BUDGET, __FILE__, __LINE__, "more than %u certificates were given",
                         (unsigned)LIMIT_CERTIFICATES);
    if (!*list || r->n_given == *cap) {
        size_t more = *cap ? 2 * *cap : 8;
        span *p = arena_array(&r->arena, more, sizeof *p);
        troth_origin *o = arena_array(&r->arena, more, sizeof *o);
        TRY(p && o);
        if (*list) {
            memcpy(p, *list, r->n_given * sizeof *p);
            memcpy(o, r->origins, r->n_given * sizeof *o);
        }
        *list = p;
        r->origins = o;
        *cap = more;
    }
    if (r->borrows)
        (*list)[r->n_given] = der;
    else
        TRY(arena_copy(&r->arena, &(*list)[r->n_given], der));
    r->origins[r->n_given++] = from;
    r->error_origin = nowhere;
    return true;
}

/* Or a broken one, which must not get away: it is told where it breaks. */
static bool may_be_certificate(enum object_kind k)
{
    return k == OBJECT_CERTIFICATE || k == OBJECT_UNKNOWN || k == OBJECT_DER;
}

/* Every certificate of a PEM or DER file. */
static bool bundle_add(struct troth_report *r, span **list, size_t *cap, span file, size_t at)
{
    struct pki_ctx p = { .arena = &r->arena };
    struct object *objects = NULL;
    size_t n = 0, found = 0;
    r->error_origin = (troth_origin){ at, SIZE_MAX };
    if (!objects_read(&p, file, &objects, &n)) {
        r->error = p.error;
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (!may_be_certificate(objects[i].kind))
            continue; /* keys and the like lie in bundles */
        TRY(given_add(r, list, cap, objects[i].der, (troth_origin){ at, found++ }));
    }
    if (found)
        return true;
    r->error_origin = (troth_origin){ at, SIZE_MAX };
    (void)!objects_wanted(&p, OBJECT_CERTIFICATE, n ? &objects[0] : NULL);
    r->error = p.error;
    return false;
}

static bool certs_copy(struct troth_report *r, const struct verify_input *in)
{
    size_t cap = 0;
    span *list = NULL;
    bool ok = true;
    for (size_t i = 0; i < in->n && ok; i++) {
        bool der = !in->bundles || (in->certs[i].n && in->certs[i].p[0] == DER_SEQUENCE && may_be_certificate(object_kind_of_der(in->certs[i])));
        ok = der ? given_add(r, &list, &cap, in->certs[i], (troth_origin){ i, 0 }) : bundle_add(r, &list, &cap, in->certs[i], i);
    }
    r->given = list;
    return ok;
}

/* A certificate is told to a witness before its fields. */
static void announce(const struct judge *j, span der)
{
    const struct witness *w = j->in->witness;
    struct saw_message m = { .type = "X.509 certificate", .from = FROM_SERVER, .raw = der };
    if (w && w->message)
        w->message(w->self, &m);
}

/* All of them, or none: what cannot be read is a rejection. */
static bool pool_read(struct judge *j)
{
    struct troth_report *r = j->report;
    struct cert *certs = arena_array(j->arena, r->n_given + 1, sizeof *certs);
    j->pool = arena_array(j->arena, r->n_given + 1, sizeof *j->pool);
    if (!certs || !j->pool) {
        j->out_of_memory = true;
        return false;
    }
    for (size_t i = 0; i < r->n_given; i++) {
        announce(j, r->given[i]);
        if (!cert_parse(&certs[i], r->given[i], j->in->witness, &r->error)) {
            struct text t = TEXT_IN(r->error.detail);
            t.n = strlen(r->error.detail);
            text_add(&t, "%scertificate %zu of %zu given", t.n ? ", " : "", i + 1, r->n_given);
            r->error_origin = r->origins[i];
            return false;
        }
        j->pool[i] = (struct node){ .cert = &certs[i],
                                    .given = (int)i,
                                    .anchor = anchors_find(&j->policy->anchors, &certs[i]) };
        j->n_pool++;
    }
    return true;
}

static bool issued_any(const struct judge *j, const struct node *node)
{
    for (size_t i = 0; i < j->n_pool; i++) {
        const struct cert *c = j->pool[i].cert;
        if (&j->pool[i] != node && !span_equal(c->raw, node->cert->raw) &&
            c->issuer_hash == node->cert->subject_hash && !c->self_issued)
            return true;
    }
    return false;
}

/* Of a bundle in any order: the first that is no authority, else the first that issued none of the others. */
static struct node *leaf_choose(struct judge *j)
{
    if (!j->in->any_order || j->n_pool > LIMIT_BUDGET_STEPS)
        return &j->pool[0];
    for (size_t i = 0; i < j->n_pool; i++)
        if (!j->pool[i].cert->is_ca && !issued_any(j, &j->pool[i]))
            return &j->pool[i];
    for (size_t i = 0; i < j->n_pool; i++)
        if (!issued_any(j, &j->pool[i]))
            return &j->pool[i];
    return &j->pool[0];
}

/* "Example.COM." -> "example.com"; an address goes where addresses are. */
static bool host_take(struct judge *j, const char *host)
{
    span h = span_of(host, strlen(host));
    if (h.n && h.p[h.n - 1] == '.')
        h.n--;
    j->ip_n = ip_read(j->ip, h);
    if (j->ip_n)
        return true;
    char *copy = arena_string(j->arena, h);
    TRY(copy);
    for (char *c = copy; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c + 32);
    j->host = copy;
    return true;
}

static bool names_take(struct judge *j)
{
    const struct verify_input *in = j->in;
    const struct troth_policy *p = j->policy;
    bool own = in->host || in->ip || in->email;
    const char *host = own ? in->host : p->host, *ip = own ? in->ip : p->ip,
               *email = own ? in->email : p->email;
    if (host)
        TRY(host_take(j, host));
    if (ip) {
        j->ip_n = ip_read(j->ip, span_of(ip, strlen(ip)));
        if (!j->ip_n)
            return error_set(&j->report->error, TROTH_R_BAD_ARGUMENT, __FILE__, __LINE__,
                             "\"%s\" is not an IP address", ip);
    }
    if (email)
        TRY(j->email = arena_string(j->arena, span_of(email, strlen(email))));
    return true;
}

static void rules_choose(struct judge *j)
{
    const struct troth_policy *p = j->policy;
    enum troth_purpose purpose = j->in->purpose != TROTH_PURPOSE_BY_NAME ? j->in->purpose : p->purpose;
    if (purpose == TROTH_PURPOSE_BY_NAME)
        purpose = j->host || j->ip_n ? TROTH_PURPOSE_SERVER
                  : j->email         ? TROTH_PURPOSE_EMAIL
                                     : TROTH_PURPOSE_ANY;
    j->purpose = purpose;
    j->std = purpose == TROTH_PURPOSE_SERVER && p->profile != TROTH_PROFILE_PATH;
    j->web = j->std && p->profile != TROTH_PROFILE_RFC5280;
    j->lint = p->profile == TROTH_PROFILE_LINT;
    j->words = j->in->words || p->every_check || j->lint || (j->in->witness && j->in->witness->check);
}

/* The earliest end in the accepted path. */
static void until_find(struct troth_report *r)
{
    const struct path *p = r->paths[r->accepted];
    for (unsigned i = 0; i < p->n; i++)
        if (p->node[i]->cert->not_after < r->until) {
            r->until = p->node[i]->cert->not_after;
            r->until_why = TROTH_R_CERT_EXPIRED;
        }
    if (p->until && p->until < r->until) {
        r->until = p->until;
        r->until_why = TROTH_R_REVOCATION_UNKNOWN;
    }
}

static bool question_answer(struct judge *j)
{
    struct troth_report *r = j->report;
    if (j->in->fault)
        return error_set(&r->error, TROTH_R_BAD_ARGUMENT, __FILE__, __LINE__, "%s", j->in->fault);
    TRY(certs_copy(r, j->in) && names_take(j));
    r->paths = arena_array(j->arena, PATHS_KEPT, sizeof(struct path *));
    TRY(r->paths);
    if (r->n_given == 0)
        return error_set(&r->error, TROTH_R_CHAIN_EMPTY, __FILE__, __LINE__, "nothing to judge");
    TRY(pool_read(j));
    rules_choose(j);
    j->leaf = leaf_choose(j);
    r->leaf = j->leaf->cert;
    r->until = INT64_MAX;
    r->ok = paths_search(j) && !j->out_of_memory;
    if (r->ok)
        until_find(r);
    return r->ok;
}

struct troth_report *verify_chain(const struct verify_input *in)
{
    const struct troth_policy *p = in->policy;
    struct arena arena;
    if (in->room)
        arena_init_at(&arena, p->memory, sizeof in->room->b, in->room->b, sizeof in->room->b);
    else
        arena_init(&arena, p->memory, REPORT_CHUNK);
    struct troth_report *r = arena_alloc(&arena, sizeof *r);
    struct judge *j = arena_alloc(&arena, sizeof *j);
    struct known *known = arena_alloc(&arena, sizeof *known);
    if (!r || !j || !known) {
        arena_free(&arena);
        return NULL;
    }
    r->memory = p->memory;
    r->borrows = in->room != NULL;
    r->accepted = SIZE_MAX;
    r->error_origin = nowhere;
    r->arena = arena;
    j->policy = p;
    j->in = in;
    j->report = r;
    j->arena = &r->arena;
    j->known = known;
    if (!question_answer(j))
        tell_failure(j);
    r->work = j->work;
    r->policy = policy_share(p);
    if (r->error.reason == TROTH_R_OUT_OF_MEMORY) {
        troth_report_free(r);
        return NULL;
    }
    return r;
}

void troth_report_free(troth_report *r)
{
    if (!r)
        return;
    struct arena arena = r->arena;
    const struct troth_policy *p = r->policy;
    arena_free(&arena);
    policy_release(p);
}

/* ---- what can be asked */

const struct cert *report_leaf(const struct troth_report *r)
{
    return r ? r->leaf : NULL;
}

size_t report_given(const struct troth_report *r, const span **certs)
{
    if (certs)
        *certs = r ? r->given : NULL;
    return r ? r->n_given : 0;
}

troth_origin troth_report_origin(const troth_report *r, int given)
{
    return r && given >= 0 && (size_t)given < r->n_given ? r->origins[given] : nowhere;
}

troth_origin troth_report_error_origin(const troth_report *r)
{
    return r ? r->error_origin : nowhere;
}

const char *troth_report_error_anchor(const troth_report *r)
{
    return r && r->error_anchor ? r->error_anchor->file : NULL;
}

size_t troth_report_given(const troth_report *r, const troth_span **certs)
{
    return report_given(r, certs);
}

bool troth_report_ok(const troth_report *r)
{
    return r && r->ok && (!r->app_said || r->app_accepts);
}

const troth_error *troth_report_error(const troth_report *r)
{
    static const troth_error none = { .reason = TROTH_R_OUT_OF_MEMORY,
                                      .alert = 80,
                                      .who = TROTH_WHO_YOU,
                                      .code = "local.out-of-memory",
                                      .text = "memory ran out",
                                      .hint = "free memory, or raise the limit this program runs under" };
    return r ? &r->error : &none;
}

void troth_report_verdict(troth_report *r, bool accept, const char *because)
{
    if (!r)
        return;
    r->app_said = true;
    r->app_accepts = accept;
    r->app_because = arena_string(&r->arena, span_of(because ? because : "", strlen(because ? because : "")));
    if (!accept && r->ok)
        error_set(&r->error, TROTH_R_APP_REFUSED, __FILE__, __LINE__, "%s", because ? because : "");
}

size_t troth_report_paths(const troth_report *r)
{
    return r ? r->n_paths : 0;
}

troth_path troth_report_path(const troth_report *r, size_t path)
{
    if (!r || path >= r->n_paths)
        return (troth_path){ 0 };
    const struct path *p = r->paths[path];
    return (troth_path){ p->accepted, p->complete, p->n, p->n_findings, p->reason };
}

size_t troth_report_accepted(const troth_report *r)
{
    return r ? r->accepted : SIZE_MAX;
}

/* Titles are made when asked for; a report is not shared between threads while it is read for the first time.
 */
static const char *title_of(const troth_report *r, const struct cert *c, bool issuer)
{
    char in[300];
    struct text t = TEXT_IN(in);
    if (issuer)
        name_text(&t, c->issuer);
    else
        cert_title(&t, c);
    const char *s = arena_string(&((troth_report *)(uintptr_t)r)->arena, span_of(t.p, t.n));
    return s ? s : "";
}

troth_path_cert troth_report_cert(const troth_report *r, size_t path, size_t cert)
{
    if (!r || path >= r->n_paths || cert >= r->paths[path]->n)
        return (troth_path_cert){ .title = "", .issuer = "", .given = -1 };
    const struct node *node = r->paths[path]->node[cert];
    const struct cert *c = node->cert;
    return (troth_path_cert){ c->raw,        title_of(r, c, false), title_of(r, c, true),
                              c->not_before, c->not_after,          node->given };
}

troth_path_check troth_report_check(const troth_report *r, size_t path, size_t check)
{
    if (!r || path >= r->n_paths || check >= r->paths[path]->n_findings)
        return (troth_path_check){ .name = "", .rule = "", .evidence = "" };
    const struct finding *f = &r->paths[path]->findings[check];
    return (troth_path_check){ .name = checks[f->check].name,
                               .rule = checks[f->check].rule,
                               .verdict = (enum troth_verdict)f->verdict,
                               .reason = (enum troth_reason)f->reason,
                               .cert = f->cert,
                               .at = f->at,
                               .n = f->n,
                               .evidence = f->evidence ? f->evidence : "" };
}

/* Like titles: worked out when asked for. */
size_t troth_report_policies(const troth_report *r, const char *const **oids)
{
    const char **list = NULL;
    size_t n = 0;
    if (oids)
        *oids = NULL;
    if (!troth_report_ok(r))
        return 0;
    struct arena *arena = &((troth_report *)(uintptr_t)r)->arena;
    struct judge *j = arena_alloc(arena, sizeof *j);
    if (!j)
        return 0;
    j->policy = r->policy;
    j->arena = arena;
    j->now = *r->paths[r->accepted];
    (void)!policies_valid(j, &list, &n);
    if (oids)
        *oids = list;
    return list ? n : 0;
}

int64_t troth_report_until(const troth_report *r, enum troth_reason *why)
{
    bool ok = troth_report_ok(r);
    if (why)
        *why = ok ? r->until_why : TROTH_R_NONE;
    return ok ? r->until : INT64_MIN;
}

troth_work troth_report_work(const troth_report *r)
{
    return r ? r->work : (troth_work){ 0, 0, 0 };
}
