/* svg.c - the key schedule as a drawing: the spine of secrets on the left, what is derived from each on the right.
 *
 * Drawn from the keys that were told, in their order; nothing is drawn that did not happen. */
#include "explain/html.h"

enum { SPINE_X = 20, SPINE_W = 250, LEAF_X = 380, LEAF_W = 460, ROW_H = 50, BOX_H = 60, IN_H = 34, GAP = 26 };

struct meaning {
    const char *label, *means;
    char        whose; /* c s or 0 */
};

static const struct meaning meanings[] = {
    { "ext binder", "proves that the client knows an external key", 'c' },
    { "res binder", "proves that the client knows the earlier session", 'c' },
    { "c e traffic", "protects data sent before the server answered (0-RTT)", 'c' },
    { "e exp master", "keys for others, from early data", 0 },
    { "c hs traffic", "protects what the client says during the handshake", 'c' },
    { "s hs traffic", "protects what the server says during the handshake", 's' },
    { "c ap traffic", "protects everything the client says afterwards", 'c' },
    { "s ap traffic", "protects everything the server says afterwards", 's' },
    { "exp master", "gives keys to other protocols (exporters)", 0 },
    { "res master", "from which tickets for the next session are made", 0 },
    { "client write key", "encrypts everything the client says from its Finished on", 'c' },
    { "server write key", "encrypts everything the server says from its Finished on", 's' },
    { "master secret", "TLS 1.2: the root of everything", 0 },
    { "extended master secret", "TLS 1.2: the root, bound to this very handshake (RFC 7627)", 0 },
    { "traffic upd", "the next generation of a traffic key", 0 },
    { "finished", "key of the Finished message", 0 },
    { "key", "AEAD key", 0 },
    { "iv", "AEAD nonce", 0 },
};

static const struct meaning *meaning_of(const char *label)
{
    for (size_t i = 0; i < COUNT_OF(meanings); i++)
        if (!strcmp(label, meanings[i].label))
            return &meanings[i];
    return NULL;
}

static bool feeds_others(const troth_story *s, const char *label)
{
    for (size_t i = 0; i < s->keys.n; i++) {
        const char *from = ROWS(s, keys, struct told_key)[i].from;
        if (from && !strcmp(from, label))
            return true;
    }
    return false;
}

/* On the spine: a secret that others come from and that is no traffic secret. */
static bool on_spine(const troth_story *s, const struct told_key *k)
{
    size_t n = strlen(k->label);
    if (!strcmp(k->label, "premaster secret"))
        return false; /* what goes in, as the shared secret of TLS 1.3 does */
    return (n > 6 && !strcmp(k->label + n - 6, "Secret")) || (strstr(k->label, "master") && feeds_others(s, k->label) && !meaning_of(k->label)) ||
           !strcmp(k->label, "master secret") || !strcmp(k->label, "extended master secret");
}

static void text_at(struct page *p, int x, int y, const char *class, const char *s)
{
    out_fmt(p->o, "<text x=\"%d\" y=\"%d\" class=\"%s\">", x, y, class);
    out_html_str(p->o, s);
    out_str(p->o, "</text>");
}

static void compared(struct page *p, const struct told_key *k, int x, int y)
{
    if (k->recomputed == RECOMPUTED_EQUAL)
        text_at(p, x, y, "ok", "\xe2\x9c\x93 recomputed, equal");
    else if (k->recomputed == RECOMPUTED_DIFFERENT)
        text_at(p, x, y, "no", "\xe2\x9c\x97 recomputed, DIFFERENT");
}

static void value_of(struct page *p, const struct told_key *k, int x, int y)
{
    if (!k->value.n || p->v->redact)
        return;
    char hex[120];
    struct text t = TEXT_IN(hex);
    text_hex(&t, span_slice(k->value, 0, 32));
    text_at(p, x, y, "d", hex);
}

static void leaf(struct page *p, const struct told_key *k, int y, int trunk)
{
    char sub[160];
    struct text t = TEXT_IN(sub);
    const struct meaning *m = meaning_of(k->label);
    out_fmt(p->o, "<path class=\"w\" d=\"M%d %dH%d\"/><path class=\"head\" d=\"M%d %dl-9 -4.5v9z\"/>", trunk, y + ROW_H / 2 - 4, LEAF_X - 4, LEAF_X - 1, y + ROW_H / 2 - 4);
    out_fmt(p->o, "<rect class=\"leaf %c\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"9\"/>", m && m->whose ? m->whose : 'n', LEAF_X, y, LEAF_W, ROW_H - 8);
    text_at(p, LEAF_X + 14, y + 18, "l", k->label);
    text_add(&t, "%s", m ? m->means : "");
    text_at(p, LEAF_X + 14, y + 34, "d", sub);
    compared(p, k, LEAF_X + LEAF_W - 158, y + 18);
    value_of(p, k, LEAF_X + 160, y + 18);
}

static void spine(struct page *p, const struct told_key *k, int y)
{
    char sub[120];
    struct text t = TEXT_IN(sub);
    out_fmt(p->o, "<rect class=\"box%s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"12\"/>", k->length ? "" : " gone", SPINE_X, y, SPINE_W, BOX_H);
    text_at(p, SPINE_X + 16, y + 25, "t", k->label);
    text_add(&t, "%s", k->hash ? k->hash : "");
    if (k->length)
        text_add(&t, "%s%zu bytes", k->hash ? ", " : "", k->length);
    text_at(p, SPINE_X + 16, y + 45, "d", sub);
    if (k->recomputed == RECOMPUTED_EQUAL)
        text_at(p, SPINE_X + SPINE_W - 30, y + 27, "ok", "\xe2\x9c\x93");
    else if (k->recomputed == RECOMPUTED_DIFFERENT)
        text_at(p, SPINE_X + SPINE_W - 30, y + 27, "no", "\xe2\x9c\x97");
}

/* Secrets that others are said to come from and that were never told: a key log does not have them. */
static bool is_missing(const troth_story *s, size_t i, struct told_key *out)
{
    const struct told_key *all = ROWS(s, keys, struct told_key);
    const char *from = all[i].from;
    if (!from)
        return false;
    for (size_t k = 0; k < s->keys.n; k++)
        if (!strcmp(all[k].label, from) || (k < i && all[k].from && !strcmp(all[k].from, from)))
            return false;
    *out = (struct told_key){ .label = from, .hash = all[i].hash };
    return true;
}

/* What goes into this one beside the secret above: agreed secrets told since the last on the spine. */
static const struct told_key *input_of(const troth_story *s, size_t at)
{
    const struct told_key *all = ROWS(s, keys, struct told_key);
    for (size_t i = at; i-- > 0 && !on_spine(s, &all[i]);)
        if (!all[i].from)
            return &all[i];
    return NULL;
}

static int block(struct page *p, const struct told_key *k, const struct told_key *in, int y, bool first, bool last)
{
    const troth_story *s = p->v->s;
    const struct told_key *all = ROWS(s, keys, struct told_key);
    int middle = SPINE_X + SPINE_W / 2, trunk = LEAF_X - 60;
    char room[200];
    struct text t = TEXT_IN(room);
    if (!first) {
        out_fmt(p->o, "<path class=\"w\" d=\"M%d %dv%d\"/><path class=\"head\" d=\"M%d %dl-5 -9h10z\"/>", middle - 70, y - GAP, GAP + IN_H + 8, middle - 70, y + IN_H + 10);
        text_at(p, SPINE_X, y + 6, "d", "derived");
    }
    if (!k->length || (!in && strstr(k->label, "master")))
        text_add(&t, p->v->resumed ? "kept from the earlier session" : "not in the key log");
    else if (in)
        text_add(&t, "%s, %zu bytes", in->label, in->length);
    else
        text_add(&t, "zeros: nothing to add");
    if (in && p->v->group.name && strstr(in->label, "secret"))
        text_add(&t, " of %s", p->v->group.name);
    int in_w = (int)t.n * 7 + 24;
    out_fmt(p->o, "<rect class=\"in\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"13\"/>", middle - 40, y - 6, in_w, 26);
    text_at(p, middle - 28, y + 12, "d", room);
    out_fmt(p->o, "<path class=\"w\" d=\"M%d %dv%d\"/><path class=\"head\" d=\"M%d %dl-5 -9h10z\"/>", middle + 10, y + 20, IN_H - 14, middle + 10, y + IN_H + 10);
    y += IN_H + 10;
    spine(p, k, y);
    int from = y + BOX_H / 2, rows = 0, bottom = y + BOX_H;
    for (size_t i = 0; i < s->keys.n; i++)
        if (all[i].from && !strcmp(all[i].from, k->label) && !on_spine(s, &all[i])) {
            leaf(p, &all[i], y + rows * ROW_H, trunk);
            rows++;
        }
    if (rows) {
        int lowest = y + (rows - 1) * ROW_H + ROW_H / 2 - 4, top = y + ROW_H / 2 - 4;
        out_fmt(p->o, "<path class=\"w\" d=\"M%d %dH%dM%d %dV%d\"/>", SPINE_X + SPINE_W, from, trunk, trunk, top < from ? top : from, lowest > from ? lowest : from);
        bottom = y + rows * ROW_H > bottom ? y + rows * ROW_H : bottom;
    }
    /* the spine runs on beside the leaves */
    if (bottom > y + BOX_H && !last)
        out_fmt(p->o, "<path class=\"w\" d=\"M%d %dV%d\"/>", middle - 70, y + BOX_H, bottom);
    return bottom + GAP;
}

static size_t blocks_height(const troth_story *s, int *height)
{
    const struct told_key *all = ROWS(s, keys, struct told_key);
    size_t n = 0;
    *height = 16;
    for (size_t i = 0; i < s->keys.n; i++) {
        struct told_key missing = { .label = "" };
        if (!on_spine(s, &all[i]) && !is_missing(s, i, &missing))
            continue;
        const char *label = on_spine(s, &all[i]) ? all[i].label : missing.label;
        int rows = 0;
        for (size_t k = 0; k < s->keys.n; k++)
            rows += all[k].from && !strcmp(all[k].from, label) && !on_spine(s, &all[k]);
        *height += IN_H + 10 + (rows * ROW_H > BOX_H ? rows * ROW_H : BOX_H) + GAP;
        n++;
    }
    return n;
}

void html_key_schedule(struct page *p)
{
    const troth_story *s = p->v->s;
    int height, y = 16;
    size_t done = 0, blocks = blocks_height(s, &height);
    if (!blocks)
        return;
    out_str(p->o, "<h3>The key schedule<small>");
    out_str(p->o, p->v->tls12 ? "RFC 5246 8.1, 6.3" : "RFC 9846 7.1");
    out_fmt(p->o, "</small></h3>\n<div class=\"drawing\"><svg class=\"ks\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"The key schedule: which secret was made from which\">\n", LEAF_X + LEAF_W + 20,
            height);
    for (size_t i = 0; i < s->keys.n; i++) {
        const struct told_key *k = &ROWS(s, keys, struct told_key)[i];
        struct told_key missing = { .label = "" };
        bool spine_here = on_spine(s, k);
        if (!spine_here && !is_missing(s, i, &missing))
            continue;
        y = block(p, spine_here ? k : &missing, spine_here ? input_of(s, i) : NULL, y, done == 0, done + 1 == blocks);
        done++;
        out_str(p->o, "\n");
    }
    out_str(p->o, "</svg></div>\n");
}
