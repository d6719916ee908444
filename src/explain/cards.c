/* cards.c - certificates as cards: read out of the fields that the certificate parser told, never parsed again. */
#include "explain/view.h"
#include "x509/oid.h"

static bool is(const char *a, const char *b)
{
    return a && !strcmp(a, b);
}

static const char *keep(struct view *v, const struct text *t)
{
    const char *p = arena_string(&v->mem, span_of(t->p, t->n));
    v->short_of_memory |= !p;
    return p ? p : "";
}

static bool within(const struct tree *t, uint32_t node, uint32_t group)
{
    return node > group && node < t->nodes[group].end;
}

/* "CN=shop.example, O=Shop" from a Name; the common name alone when `brief`. */
static void name_of_subject(struct text *out, const struct tree *t, uint32_t name, bool brief)
{
    if (name == NODE_NONE)
        return;
    span type = SPAN_NONE;
    for (uint32_t i = name + 1; i < t->nodes[name].end; i++) {
        const struct sighting *s = &t->nodes[i].saw;
        span b = tree_content(t, i);
        if (s->prefix && s->shape == SHAPE_BYTES && t->raw.p[s->at] == 0x06) {
            type = b;
        } else if (tree_is_leaf(&t->nodes[i]) && b.n) {
            bool is_common = oid_is(type, OID_AT_CN);
            if (brief && !is_common)
                continue;
            text_add(out, "%s", out->n ? ", " : "");
            if (!brief) {
                oid_show(out, type);
                text_add(out, "=");
            }
            text_escaped(out, b);
        }
    }
    if (brief && !out->n)
        name_of_subject(out, t, name, false);
}

static void names_of(struct text *out, const struct tree *t)
{
    static const char *const kinds[] = { "dNSName", "rfc822Name", "uniformResourceIdentifier" };
    unsigned n = 0;
    uint32_t id = tree_find(t, "Extension", "extnID", 0);
    while (id != NODE_NONE && !oid_is(tree_content(t, id), OID_CE_SAN))
        id = tree_find(t, "Extension", "extnID", id + 1);
    if (id == NODE_NONE)
        return;
    for (uint32_t i = id, end = t->nodes[t->nodes[id].parent].end; i < end; i++) {
        const struct node *d = &t->nodes[i];
        span b = tree_content(t, i);
        bool text = false;
        for (size_t k = 0; k < COUNT_OF(kinds); k++)
            text |= is(d->saw.name, kinds[k]);
        if (!text && !is(d->saw.name, "iPAddress"))
            continue;
        text_add(out, "%s", n++ ? ", " : "");
        if (text)
            text_escaped(out, b);
        else if (b.n == 4)
            text_add(out, "%u.%u.%u.%u", b.p[0], b.p[1], b.p[2], b.p[3]);
        else
            for (size_t k = 0; k + 1 < b.n; k += 2)
                text_add(out, "%s%x", k ? ":" : "", (unsigned)(b.p[k] << 8 | b.p[k + 1]));
    }
}

/* The name of the first object identifier under `group`, with the second where the first is a family (EC). */
static void algorithm_of(struct text *out, const struct tree *t, const char *group)
{
    uint32_t g = tree_find(t, NULL, group, 0);
    if (g == NODE_NONE)
        return;
    span whole = tree_content(t, g);
    if (tree_is_leaf(&t->nodes[g]) && whole.n > 2 && whole.p[0] == 0x06) { /* told as one: AlgorithmIdentifier starts with its OID */
        oid_show(out, span_slice(whole, 2, whole.p[1]));
        return;
    }
    unsigned n = 0;
    for (uint32_t i = g; i < t->nodes[g].end && n < 2; i++) {
        const struct sighting *s = &t->nodes[i].saw;
        if (!s->prefix || s->shape != SHAPE_BYTES || t->raw.p[s->at] != 0x06)
            continue;
        text_add(out, "%s", n++ ? ", " : "");
        oid_show(out, tree_content(t, i));
    }
    uint32_t modulus = tree_find(t, NULL, "modulus", 0);
    if (is(group, "subjectPublicKeyInfo") && modulus != NODE_NONE && within(t, modulus, g)) {
        span b = tree_content(t, modulus);
        while (b.n && !b.p[0])
            b = span_slice(b, 1, b.n);
        text_add(out, ", %zu bits", b.n * 8);
    }
}

/* UTCTime or GeneralizedTime, already checked by the parser. */
static int64_t time_of(const struct tree *t, const char *name)
{
    uint32_t node = tree_find(t, NULL, name, 0);
    span b = tree_content(t, node);
    if (b.n != 13 && b.n != 15)
        return 0;
    int d[7] = { 0 };
    for (size_t i = 0, at = b.n == 13 ? 1 : 0; i + 1 < b.n; i += 2, at++)
        d[at] = (b.p[i] - '0') * 10 + b.p[i + 1] - '0';
    int year = b.n == 15 ? d[0] * 100 + d[1] : d[1] + (d[1] < 50 ? 2000 : 1900);
    return time_from_civil(year, d[2], d[3], d[4], d[5], d[6]);
}

static void distance_of(struct text *t, const struct card *c, int64_t now)
{
    if (!now)
        return;
    if (c->expired) {
        text_add(t, "expired ");
        text_distance(t, c->not_after, now);
        text_add(t, " ago");
    } else if (c->early) {
        text_add(t, "valid in ");
        text_distance(t, now, c->not_before);
    } else {
        text_add(t, "expires in ");
        text_distance(t, now, c->not_after);
    }
}

static void fingerprint_of(struct text *t, const struct view *v, span der)
{
    uint8_t digest[TROTH_DIGEST_MAX];
    _Alignas(16) uint8_t state[TROTH_HASH_STATE_MAX];
    for (const struct troth_hash *const *h = v->s->provider ? v->s->provider->hashes : NULL; h && *h; h++)
        if ((*h)->id == TROTH_SHA256) {
            (*h)->begin(state);
            (*h)->add(state, der.p, der.n);
            (*h)->peek(state, digest);
            text_hex(t, span_of(digest, 32));
            return;
        }
}

/* A key as people call it; what has no such name stays as its OID's. */
static void key_of(struct text *out, const struct tree *t)
{
    static const struct {
        const char *oid, *name;
    } plain[] = { { "id-ecPublicKey, secp256r1", "ECDSA, P-256 (secp256r1)" }, { "id-ecPublicKey, secp384r1", "ECDSA, P-384 (secp384r1)" },
                  { "id-ecPublicKey, secp521r1", "ECDSA, P-521 (secp521r1)" }, { "rsaEncryption", "RSA" }, { "id-RSASSA-PSS", "RSA-PSS" },
                  { "id-Ed25519", "Ed25519" }, { "id-Ed448", "Ed448" } };
    char room[200];
    struct text x = TEXT_IN(room);
    algorithm_of(&x, t, "subjectPublicKeyInfo");
    for (size_t i = 0; i < COUNT_OF(plain); i++) {
        size_t n = strlen(plain[i].oid);
        if (!strncmp(room, plain[i].oid, n) && (!room[n] || room[n] == ',')) {
            text_add(out, "%s%s", plain[i].name, room + n);
            return;
        }
    }
    text_add(out, "%s", room);
}

/* "2026-11-24 07:19:17 .. 2027-02-22 07:19:17 UTC" */
static void span_of_time(struct text *out, int64_t from, int64_t to)
{
    char a[40], b[40];
    struct text x = TEXT_IN(a), y = TEXT_IN(b);
    text_time(&x, from);
    text_time(&y, to);
    text_add(out, "%.10s %.8s .. %.10s %.8s UTC", a, x.n > 11 ? a + 11 : "", b, y.n > 11 ? b + 11 : "");
}

/* Is this the name of the one that issued `c`? */
bool card_vouches(const struct card *by, const struct card *c)
{
    return by->clients == c->clients && !strcmp(by->full, c->full_issuer);
}

static void fill(struct view *v, struct card *c, const struct tree *t)
{
    char room[1200];
    struct text x = TEXT_IN(room);
    uint32_t subject = tree_find(t, NULL, "subject", 0), issuer = tree_find(t, NULL, "issuer", 0);
    name_of_subject(&x, t, subject, true);
    if (!x.n)
        names_of(&x, t);
    c->subject = v->redact ? "(redacted)" : keep(v, &x);
    x = TEXT_IN(room);
    name_of_subject(&x, t, issuer, true);
    c->issuer = v->redact ? "(redacted)" : keep(v, &x);
    x = TEXT_IN(room);
    name_of_subject(&x, t, subject, false);
    c->full = keep(v, &x);
    x = TEXT_IN(room);
    name_of_subject(&x, t, issuer, false);
    c->full_issuer = keep(v, &x);
    x = TEXT_IN(room);
    names_of(&x, t);
    c->names = v->redact && x.n ? "(redacted)" : keep(v, &x);
    x = TEXT_IN(room);
    key_of(&x, t);
    c->key = keep(v, &x);
    x = TEXT_IN(room);
    algorithm_of(&x, t, "signatureAlgorithm");
    c->signature = keep(v, &x);
    x = TEXT_IN(room);
    text_hex(&x, tree_content(t, tree_find(t, NULL, "serialNumber", 0)));
    c->serial = v->redact ? "(redacted)" : keep(v, &x);
    x = TEXT_IN(room);
    fingerprint_of(&x, v, t->raw);
    c->fingerprint = v->redact ? "" : keep(v, &x);
    c->not_before = time_of(t, "notBefore");
    c->not_after = time_of(t, "notAfter");
    c->expired = v->s->now && v->s->now > c->not_after;
    c->early = v->s->now && v->s->now < c->not_before;
    x = TEXT_IN(room);
    span_of_time(&x, c->not_before, c->not_after);
    c->validity = keep(v, &x);
    x = TEXT_IN(room);
    distance_of(&x, c, v->s->now);
    c->distance = keep(v, &x);
}

bool cards_make(struct view *v)
{
    size_t n = 0;
    for (size_t i = 0; i < v->n; i++)
        n += is(v->trees[i].type, "X.509 certificate");
    v->cards = arena_array(&v->mem, n + 1, sizeof *v->cards);
    TRY(v->cards);
    for (size_t i = 0; i < v->n; i++) {
        if (!is(v->trees[i].type, "X.509 certificate"))
            continue;
        bool again = false; /* the same certificate, looked at in another path */
        for (size_t k = 0; k < v->n_cards; k++)
            again |= span_equal(v->trees[v->cards[k].message].raw, v->trees[i].raw);
        if (again)
            continue;
        struct card *c = &v->cards[v->n_cards];
        c->message = i;
        const struct told_message *m = &ROWS(v->s, messages, struct told_message)[i];
        c->anchor = m->ours;
        c->clients = m->from == FROM_CLIENT;
        c->position = 0; /* among those of the same sender */
        for (size_t k = 0; k < v->n_cards; k++)
            c->position += v->cards[k].clients == c->clients;
        v->n_cards++;
        fill(v, c, &v->trees[i]);
    }
    return true;
}

bool card_refused(const struct view *v, const struct card *c)
{
    bool judged_clients = v->s->we_are_server;
    for (size_t i = 0; i < v->s->checks.n; i++) {
        const struct told_check *k = &ROWS(v->s, checks, struct told_check)[i];
        if (k->verdict == TROTH_FAIL && k->path == 0 && k->cert == c->position && c->clients == judged_clients)
            return true;
    }
    return false;
}

const char *card_role(const struct card *c)
{
    if (c->anchor)
        return "a root that is trusted here; it was not sent";
    if (c->position == 0)
        return c->clients ? "the client's own certificate" : "the server's own certificate";
    return is(c->full, c->full_issuer) ? "a root, sent along" : "an authority in between";
}
