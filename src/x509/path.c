/* path.c - building paths from the leaf to a trust anchor (RFC 4158), depth first, over every issuer
 * candidate, on a budget.
 *
 * Candidates have the right name; which of them has the right key is found out when a path is complete, for
 * all links at once, and remembered - or, once a first attempt has failed, before anything is built on a link.
 * A certificate that may not be an issuer at all is found out once; where there is a choice, also whether it
 * may be the issuer of what is below it.  Must never follow a loop, and must end: steps, names and signatures
 * are counted.  When they are used up there is a second look, shorter, without whom nobody may follow. */
#include <stdlib.h>

#include "x509/judge.h"

/* ---- nodes and links */

struct node *anchor_node(struct judge *j, const struct anchor *a)
{
    for (size_t i = 0; i < j->n_anchors; i++)
        if (j->anchors[i]->anchor == a)
            return j->anchors[i];
    struct node *node = arena_alloc(j->arena, sizeof *node);
    if (j->n_anchors == j->cap_anchors) {
        size_t cap = j->cap_anchors ? 2 * j->cap_anchors : 8;
        struct node **more = arena_array(j->arena, cap, sizeof(struct node *));
        if (more && j->n_anchors)
            memcpy(more, j->anchors, j->n_anchors * sizeof *more);
        j->anchors = more ? more : j->anchors;
        j->cap_anchors = more ? cap : j->cap_anchors;
    }
    if (!node || j->n_anchors == j->cap_anchors) {
        j->out_of_memory = true;
        return NULL;
    }
    *node = (struct node){ .cert = &a->cert, .anchor = a, .given = -1 };
    return j->anchors[j->n_anchors++] = node;
}

/* Nodes with one key share what is known about signatures made with it.  0: memory ran out. */
static uint32_t node_key(struct judge *j, struct node *node)
{
    struct known *known = j->known;
    for (uint32_t i = 0; !node->key_id && i < known->n_keys; i++)
        if (span_equal(known->keys[i], node->cert->spki))
            node->key_id = i + 1;
    if (node->key_id)
        return node->key_id;
    if (known->n_keys == known->cap_keys) {
        uint32_t cap = known->cap_keys ? 2 * known->cap_keys : 8;
        span *more = arena_array(j->arena, cap, sizeof *more);
        if (!more) {
            j->out_of_memory = true;
            return 0;
        }
        if (known->n_keys)
            memcpy(more, known->keys, known->n_keys * sizeof *more);
        known->keys = more;
        known->cap_keys = cap;
    }
    known->keys[known->n_keys++] = node->cert->spki;
    return node->key_id = known->n_keys;
}

static struct link *link_at(struct judge *j, const struct node *child, struct node *issuer)
{
    const struct known *known = j->known;
    uint32_t key = known->n_links ? node_key(j, issuer) : 0;
    for (size_t i = 0; key && i < known->n_links; i++)
        if (known->links[i].child == child->cert && known->links[i].key_id == key)
            return &known->links[i];
    return NULL;
}

const struct link *link_find(struct judge *j, const struct node *child, struct node *issuer)
{
    return link_at(j, child, issuer);
}

void link_revoke(struct judge *j, const struct node *child, struct node *issuer)
{
    struct link *l = link_at(j, child, issuer);
    if (l)
        l->revoked = true;
}

bool link_add(struct judge *j, const struct node *child, struct node *issuer, bool good)
{
    struct known *known = j->known;
    uint32_t key = node_key(j, issuer);
    TRY(key);
    if (known->n_links == known->cap_links) {
        size_t cap = known->cap_links ? 2 * known->cap_links : 8;
        struct link *more = arena_array(j->arena, cap, sizeof *more);
        if (!more) {
            j->out_of_memory = true;
            return false;
        }
        if (known->n_links)
            memcpy(more, known->links, known->n_links * sizeof *more);
        known->links = more;
        known->cap_links = cap;
    }
    known->links[known->n_links++] = (struct link){ child->cert, key, good, false };
    return true;
}

/* ---- the pool by name */

/* Of one name, those nearest to an anchor first: of too many the others are not looked at. */
static int keyed_order(const void *a, const void *b)
{
    const struct keyed *x = a, *y = b;
    uint16_t p = (uint16_t)(x->node->reach - 1), q = (uint16_t)(y->node->reach - 1); /* 0, no way at all, is last */
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    if (p != q)
        return p < q ? -1 : 1;
    return x->node < y->node ? -1 : x->node > y->node;
}

/* Where the run of a hash begins, or would. */
static size_t keyed_first(const struct keyed *list, size_t n, uint64_t hash)
{
    size_t lo = 0, hi = n;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (list[mid].hash < hash)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static size_t keyed_run(const struct keyed *list, size_t n, uint64_t hash, const struct keyed **first)
{
    size_t from = keyed_first(list, n, hash), to = from;
    *first = list + from;
    while (to < n && list[to].hash == hash)
        to++;
    return to - from;
}

size_t pool_by_subject(const struct judge *j, uint64_t hash, const struct keyed **first)
{
    return keyed_run(j->by_subject, j->n_pool, hash, first);
}

static struct keyed *keyed_make(struct judge *j, bool by_issuer)
{
    struct keyed *list = arena_array(j->arena, j->n_pool + 1, sizeof *list);
    for (size_t i = 0; list && i < j->n_pool; i++) {
        const struct cert *c = j->pool[i].cert;
        list[i] = (struct keyed){ by_issuer ? c->issuer_hash : c->subject_hash, &j->pool[i], false };
    }
    if (list && j->n_pool > 1)
        qsort(list, j->n_pool, sizeof *list, keyed_order);
    return list;
}

/* May it be an issuer, as far as that can be seen from itself?  Nothing of it is told. */
static bool is_sound_aside(struct judge *j, struct node *node)
{
    struct path kept = j->now;
    j->now.node[1] = node;
    j->now.n = 2;
    j->now.reason = TROTH_R_NONE;
    j->aside = true;
    bool sound = node_is_sound(j, 1);
    j->aside = false;
    kept.findings = j->now.findings; /* there may be more room now */
    kept.cap = j->now.cap;
    j->now = kept;
    return sound;
}

/* How far each certificate is from an anchor, by names alone, or (`sorted`) over those alone that may be issuers: what cannot reach one
 * need not be tried. */
static bool reach_find(struct judge *j, bool sorted)
{
    for (size_t i = 0; i < j->n_pool; i++)
        j->pool[i].reach = 0;
    struct keyed *by_issuer = j->by_issuer = keyed_make(j, true);
    struct node **queue = arena_array(j->arena, j->n_pool + 1, sizeof *queue);
    j->out_of_memory |= !by_issuer || !queue;
    TRY(by_issuer && queue);
    size_t head = 0, tail = 0, n;
    for (size_t i = 0; i < j->n_pool; i++) {
        (void)anchors_by_subject(&j->policy->anchors, j->pool[i].cert->issuer_hash, &n);
        if (!n || (sorted && !is_sound_aside(j, &j->pool[i])))
            continue;
        j->pool[i].reach = 1;
        queue[tail++] = &j->pool[i];
    }
    while (head < tail) {
        const struct node *up = queue[head++];
        const struct keyed *run;
        size_t first = keyed_first(by_issuer, j->n_pool, up->cert->subject_hash);
        if (first == j->n_pool || by_issuer[first].done)
            continue; /* another of that name was here before, and nearer */
        n = keyed_run(by_issuer, j->n_pool, up->cert->subject_hash, &run);
        by_issuer[first].done = n > 0;
        for (size_t i = 0; i < n; i++) {
            if (run[i].node->reach || (sorted && !is_sound_aside(j, run[i].node)))
                continue;
            run[i].node->reach = (uint16_t)(up->reach < UINT16_MAX ? up->reach + 1 : up->reach);
            queue[tail++] = run[i].node;
        }
    }
    j->by_subject = keyed_make(j, false);
    j->out_of_memory |= !j->by_subject;
    return j->by_subject;
}

/* ---- candidates */

struct candidate {
    struct node *node;
    int score, order;
};

static int candidate_order(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    return x->score != y->score ? (x->score < y->score ? 1 : -1) : (x->order > y->order) - (x->order < y->order);
}

static int score_of(const struct judge *j, const struct cert *child, const struct node *node)
{
    const struct cert *c = node->cert;
    int score = node_ends(node) ? 64 : -(node->reach < 8 ? node->reach : 8);
    if (child->aki_key.n && c->ski.n)
        score += span_equal(child->aki_key, c->ski) ? 32 : -48;
    if (child->aki_has_serial)
        score += span_equal(child->aki_serial, c->serial) ? 4 : -4;
    if (j->in->now < c->not_before || j->in->now > c->not_after)
        score -= 16;
    if (node->judged && !node->sound)
        score -= 100;
    return score;
}

/* The same certificate again, or the same authority (name, key, other names) again: whatever it leads to, it
 * led to before.  The leaf may be an older edition of its own issuer. */
static bool is_loop(struct judge *j, const struct cert *c)
{
    for (unsigned i = 0; i < j->now.n; i++) {
        const struct cert *in = j->now.node[i]->cert;
        if (in == c || cert_equal(in, c))
            return true;
        if (i && (in->subject_hash == c->subject_hash && span_equal(in->spki, c->spki) &&
                  span_equal(in->san, c->san) &&
                  (!spend_names(j, name_cost(c->subject)) || name_equal(in->subject, c->subject))))
            return true;
    }
    return false;
}

static void candidate_add(struct judge *j, struct candidate *list, size_t *n, const struct cert *child,
                          struct node *node)
{
    if (!node || !spend_names(j, name_cost(child->issuer)) ||
        !name_equal(node->cert->subject, child->issuer) || is_loop(j, node->cert))
        return;
    list[*n] = (struct candidate){ node, score_of(j, child, node), (int)*n };
    ++*n;
}

/* Everybody who may have issued the last certificate of the path, most likely first. */
static struct candidate *candidates_find(struct judge *j, size_t *n)
{
    const struct cert *child = j->now.node[j->now.n - 1]->cert;
    const struct keyed *run;
    size_t n_anchors, n_run = keyed_run(j->by_subject, j->n_pool, child->issuer_hash, &run);
    struct anchor *const *anchors = anchors_by_subject(&j->policy->anchors, child->issuer_hash, &n_anchors);
    *n = 0;
    if (n_run > LIMIT_BUDGET_STEPS)
        n_run = LIMIT_BUDGET_STEPS;
    struct candidate *list = arena_array(j->arena, n_anchors + n_run + 1, sizeof *list);
    if (!list) {
        j->out_of_memory = true;
        return NULL;
    }
    for (size_t i = 0; i < n_anchors; i++)
        if (!j->only_anchor || j->only_anchor == anchors[i])
            candidate_add(j, list, n, child, anchor_node(j, anchors[i]));
    for (size_t i = 0; i < n_run; i++)
        if (run[i].node->reach)
            candidate_add(j, list, n, child, run[i].node);
    if (*n > 1)
        qsort(list, *n, sizeof *list, candidate_order);
    return list;
}

/* ---- the search */

/* Intermediates so far that count: the leaf does not, self-issued ones do not. */
static unsigned depth_of(const struct judge *j)
{
    unsigned depth = 0;
    for (unsigned i = 1; i < j->now.n; i++)
        depth += !node_ends(j->now.node[i]) && !j->now.node[i]->cert->self_issued;
    return depth;
}

static bool give_up(const struct judge *j)
{
    return j->spent || j->out_of_memory || (j->hopeless && !all_checks(j));
}

static void findings_clear(struct judge *j)
{
    j->now.n_findings = 0;
    j->now.reason = TROTH_R_NONE;
    j->now.failed = 0;
    j->staple_asked = false;
    j->now.until = 0;
}

/* The path ends at an anchor: judge it, and keep it. */
static bool path_complete(struct judge *j)
{
    findings_clear(j);
    j->now.complete = true;
    j->now.accepted = path_judge(j);
    path_keep(j);
    bool accepted = j->now.accepted;
    j->now.complete = j->now.accepted = false;
    findings_clear(j);
    return accepted;
}

/* Are all signatures of the path so far right, and none of its certificates known to be revoked?  Each is verified once, and would have to
 * be in the end. */
static bool is_signed(struct judge *j)
{
    for (unsigned i = 0; i + 1 < j->now.n; i++)
        if (!link_verify(j, j->now.node[i], j->now.node[i + 1]) || link_find(j, j->now.node[i], j->now.node[i + 1])->revoked)
            return false;
    return true;
}

/* May the last certificate of the path stand there?  What fails for the first time is kept for the report. */
static bool is_fit(struct judge *j, bool choice)
{
    bool first = !j->now.node[j->now.n - 1]->judged;
    if (all_checks(j))
        return true;
    if (node_is_sound(j, j->now.n - 1)) {
        if (!choice || node_fits(j, j->now.n - 1))
            return true;
        first = true;
    }
    if (first)
        path_keep(j);
    findings_clear(j);
    return false;
}

static bool path_extend(struct judge *j, bool choice);

/* The path with this issuer at its end. */
static bool path_with(struct judge *j, struct node *node, bool choice)
{
    j->now.node[j->now.n++] = node;
    bool deep = j->now.n == PATH_MAX_CERTS || depth_of(j) > j->policy->max_depth, accepted = false;
    j->too_deep |= deep;
    if (!deep && node_ends(node))
        accepted = path_complete(j);
    else if (!deep)
        accepted = is_fit(j, choice) && path_extend(j, choice);
    j->now.n--;
    return accepted;
}

/* Recursion is as deep as a path is long: at most PATH_MAX_CERTS.  `choice`: there was one, below. */
static bool path_extend(struct judge *j, bool choice)
{
    size_t n;
    struct node *last = j->now.node[j->now.n - 1];
    struct candidate *list = candidates_find(j, &n);
    for (size_t i = 0; list && i < n && !give_up(j); i++) {
        struct node *node = list[i].node;
        const struct link *known = link_find(j, last, node);
        if (known && (!known->good || known->revoked) && !all_checks(j))
            continue;
        if (++j->work.steps > budget_of(j, LIMIT_BUDGET_STEPS)) {
            j->spent = true;
            return false;
        }
        if (i > 0 && !all_checks(j)) { /* the first attempt failed: nothing more is built on sand */
            if (!is_signed(j))
                return false;
            bool hopeful = node_ends(node) || !node->judged || node->sound;
            if (hopeful && !node_ends(node) && !link_verify(j, last, node))
                continue;
        }
        if (path_with(j, node, choice || n > 1))
            return true;
    }
    return false;
}

/* The first path by names that is signed as it should be, never away from the anchor, is judged whole.  Looks at so many links at most. */
static bool path_direct(struct judge *j, unsigned *left)
{
    size_t n, tried = j->report->n_tried;
    struct node *last = j->now.node[j->now.n - 1];
    struct candidate *list = j->now.n < PATH_MAX_CERTS ? candidates_find(j, &n) : NULL;
    for (size_t i = 0; list && i < n && !give_up(j) && *left && j->report->n_tried == tried; i++) {
        struct node *node = list[i].node;
        bool nearer = node_ends(node) || j->now.n == 1 || node->reach < last->reach;
        if (!nearer)
            continue;
        --*left;
        if (!link_verify(j, last, node))
            continue;
        j->now.node[j->now.n++] = node;
        bool accepted = node_ends(node) ? path_complete(j) : path_direct(j, left);
        j->now.n--;
        if (accepted)
            return true;
    }
    return false;
}

/* Does one of the others, or the leaf, name it as its issuer? */
static bool is_asked_for(const struct judge *j, const struct cert *c)
{
    const struct keyed *run;
    size_t n = keyed_run(j->by_issuer, j->n_pool, c->subject_hash, &run);
    return n > (size_t)c->self_issued || j->leaf->cert->issuer_hash == c->subject_hash;
}

/* Is there one that can be nobody's issuer?  Ways through it are no ways. */
static bool some_unsound(struct judge *j)
{
    for (size_t i = 0; i < j->n_pool; i++)
        if (j->pool[i].reach && is_asked_for(j, j->pool[i].cert) && !is_sound_aside(j, &j->pool[i]))
            return true;
    return false;
}

/* The budget was spent: a second look, with what was kept for it, over those alone that may be issuers.  Where that comes to an end no way
 * is good, and what there is to tell of was found before, or lies on the direct way. */
static bool search_sorted(struct judge *j)
{
    unsigned left = LIMIT_BUDGET_STEPS / 16;
    if (!some_unsound(j))
        return false;
    j->sorted = true;
    j->spent = false;
    j->known->n_signers = 0; /* one may have been refused for want of budget */
    if (!reach_find(j, true))
        return false;
    if (path_extend(j, false))
        return true;
    j->futile = !j->spent;
    return !give_up(j) && reach_find(j, false) && path_direct(j, &left);
}

bool paths_search(struct judge *j)
{
    TRY(reach_find(j, false));
    j->now.node[0] = j->leaf;
    j->now.n = 1;
    bool itself = j->leaf->anchor && (!j->only_anchor || j->only_anchor == j->leaf->anchor);
    if (itself && path_complete(j)) /* the leaf is itself trusted */
        return true;
    bool good = path_extend(j, false);
    bool again = !good && j->spent && !j->out_of_memory && !j->hopeless && !j->signer_depth;
    return again ? search_sorted(j) : good;
}
