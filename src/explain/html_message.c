/* html_message.c - one message: its fields as a tree, its bytes beside them, linked both ways by the number of the tile. */
#include "explain/html.h"

static void row(struct page *p, const struct tree *t, uint32_t k)
{
    const struct node *d = &t->nodes[k];
    char room[400];
    struct text x = TEXT_IN(room);
    out_str(p->o, "<span class=\"row\"><span class=\"k\">");
    say_label(&x, t, k);
    html_text(p, &x);
    x = TEXT_IN(room);
    out_fmt(p->o, "</span><span class=\"v%s\">", tree_is_leaf(d) ? "" : " g");
    say_value(&x, p->v, t, k);
    html_text(p, &x);
    out_fmt(p->o, "</span><span class=\"at\">%u+%u</span></span>", (unsigned)d->saw.at, (unsigned)d->saw.n);
}

/* Opens <li>; says where the prose of this path stands, and *prose what is still to be written. */
static void item_open(struct page *p, const struct tree *t, size_t message, uint32_t k, const struct prose **prose)
{
    size_t n;
    const struct node *d = &t->nodes[k];
    const struct prose *all = prose_rows(&n), *found = say_why(t, k);
    bool bad = p->v->bad_message == message && p->v->bad_node == k;
    *prose = NULL;
    out_fmt(p->o, "<li id=\"m%zun%u\" data-t=\"%u,%u\"%s", message, (unsigned)k, (unsigned)d->tile, (unsigned)d->tiles, bad ? " class=\"bad\"" : "");
    if (found) {
        uint32_t *first = &p->prose_at[found - all];
        if (!*first) {
            *first = (uint32_t)(message << 16 | k) + 1;
            *prose = found;
        }
        out_fmt(p->o, " data-w=\"w%u\"", (unsigned)*first);
    }
    out_str(p->o, ">");
}

static void why(struct page *p, const struct prose *prose, size_t message, uint32_t k)
{
    if (!prose)
        return;
    out_fmt(p->o, "<span class=\"why\" id=\"w%u\">", (unsigned)((message << 16 | k) + 1));
    out_html_str(p->o, prose->text);
    out_str(p->o, " <cite>");
    out_html_str(p->o, prose->rfc);
    out_str(p->o, "</cite></span>");
}

static uint32_t children(const struct tree *t, uint32_t k)
{
    uint32_t n = 0;
    for (uint32_t i = k + 1; i < t->nodes[k].end; i = t->nodes[i].end)
        n++;
    return n;
}

static void fields(struct page *p, const struct tree *t, size_t message)
{
    out_str(p->o, "<div class=\"tree\"><ul>\n");
    uint32_t open = NODE_NONE; /* the group that we are in */
    for (uint32_t k = 0; k <= t->n; k++) {
        while (open != NODE_NONE && k >= t->nodes[open].end) {
            out_str(p->o, "</ul></details></li>\n");
            open = t->nodes[open].parent;
        }
        if (k == t->n)
            break;
        const struct node *d = &t->nodes[k];
        const struct prose *prose;
        item_open(p, t, message, k, &prose);
        if (tree_is_leaf(d) || d->end == k + 1) {
            row(p, t, k);
            why(p, prose, message, k);
            out_str(p->o, "</li>\n");
            continue;
        }
        bool bad_inside = p->v->bad_message == message && p->v->bad_node != NODE_NONE && p->v->bad_node >= k && p->v->bad_node < d->end;
        out_fmt(p->o, "<details%s><summary>", bad_inside || (d->depth < 2 && strcmp(d->saw.name, "extension") != 0 && (!strcmp(d->saw.name, "extensions") || children(t, k) < 16)) ? " open" : "");
        row(p, t, k);
        why(p, prose, message, k);
        out_str(p->o, "</summary><ul>\n");
        open = k;
    }
    out_str(p->o, "</ul></div>\n");
}

static void gutter(struct page *p, const char *class, size_t n, unsigned step)
{
    out_fmt(p->o, "<pre class=\"%s\" aria-hidden=\"true\">", class);
    for (size_t at = 0; at < n; at += step)
        out_fmt(p->o, "%04zx\n", at);
    out_str(p->o, "</pre>");
}

static bool is_bad(const struct page *p, const struct tree *t, size_t message, const struct tile *tile)
{
    const struct view *v = p->v;
    if (v->bad_message != message)
        return false;
    if (v->bad_node != NODE_NONE)
        return tile->node != NODE_NONE && tile->node >= v->bad_node && tile->node < t->nodes[v->bad_node].end;
    return v->bad_at >= tile->at && v->bad_at < tile->at + tile->n;
}

static bool is_hidden(const struct page *p, const struct tree *t, const struct tile *tile)
{
    return p->v->redact && (tile->node == NODE_NONE || (t->nodes[tile->node].saw.shape == SHAPE_BYTES));
}

static void hex(struct page *p, const struct tree *t, size_t message)
{
    out_str(p->o, "<div class=\"hex\">");
    gutter(p, "g16", t->raw.n, 16);
    gutter(p, "g8", t->raw.n, 8);
    out_str(p->o, "<div class=\"hx\">");
    for (uint32_t i = 0; i < t->n_tiles; i++) {
        const struct tile *tile = &t->tiles[i];
        out_fmt(p->o, "<b class=\"%s%s\" data-n=\"%d\">", is_bad(p, t, message, tile) ? "bad" : tile->node == NODE_NONE ? "x" : tile->prefix ? "p" : "",
                is_bad(p, t, message, tile) || tile->prefix || tile->node == NODE_NONE ? "" : i % 2 ? "o" : "q", tile->node == NODE_NONE ? -1 : (int)tile->node);
        for (uint32_t k = 0; k < tile->n; k++)
            if (is_hidden(p, t, tile))
                out_str(p->o, k ? " \xc2\xb7\xc2\xb7" : "\xc2\xb7\xc2\xb7");
            else
                out_fmt(p->o, k ? " %02x" : "%02x", t->raw.p[tile->at + k]);
        out_str(p->o, "</b> ");
    }
    out_str(p->o, "</div><div class=\"as\" aria-hidden=\"true\">");
    for (uint32_t i = 0; i < t->n_tiles; i++) {
        const struct tile *tile = &t->tiles[i];
        out_fmt(p->o, "<b%s data-n=\"%d\">", is_bad(p, t, message, tile) ? " class=\"bad\"" : "", tile->node == NODE_NONE ? -1 : (int)tile->node);
        for (uint32_t k = 0; k < tile->n; k++) {
            uint8_t c = t->raw.p[tile->at + k];
            if (is_hidden(p, t, tile) || c < 0x20 || c > 0x7e)
                out_str(p->o, "\xc2\xb7");
            else if (c == ' ')
                out_str(p->o, "\xc2\xa0");
            else
                out_html(p->o, span_of(&c, 1));
        }
        out_str(p->o, "</b>");
    }
    out_str(p->o, "</div></div>");
}

/* The message at a glance: its outermost fields, as wide as they are long. */
static void strip(struct page *p, const struct tree *t)
{
    if (t->n < 4)
        return;
    out_str(p->o, "<div class=\"strip\" aria-hidden=\"true\">");
    for (uint32_t k = 0; k < t->n;) {
        const struct node *d = &t->nodes[k];
        bool into = d->saw.shape == SHAPE_GROUP && d->saw.n * 2 > t->raw.n && d->depth < 4 && d->end > k + 1; /* a group that is nearly all: its members instead */
        if (!into && d->saw.n)
            out_fmt(p->o, "<i style=\"flex:%u\" title=\"%s, %u bytes\"></i>", (unsigned)d->saw.n, d->saw.name, (unsigned)d->saw.n);
        k = into ? k + 1 : d->end;
    }
    out_str(p->o, "</div>\n");
}

static void message(struct page *p, size_t i)
{
    const struct told_message *m = &ROWS(p->v->s, messages, struct told_message)[i];
    const struct tree *t = &p->v->trees[i];
    bool certificate = !strcmp(m->type, "X.509 certificate"), broke = p->v->bad_message == i;
    bool quiet = !strcmp(m->type, "change_cipher_spec") && !p->v->tls12;
    out_fmt(p->o, "<details class=\"msg%s%s\" id=\"m%zu\"%s><summary><span class=\"dir %c\">%s</span><span class=\"name\">", broke ? " broke" : "",
            quiet ? " quiet" : "", i, broke ? " open" : "", m->from == FROM_CLIENT ? 'c' : 's', m->from == FROM_CLIENT ? icon_right : icon_left);
    out_html_str(p->o, m->type);
    if (certificate)
        for (size_t k = 0; k < p->v->n_cards; k++)
            if (p->v->cards[k].message == i) {
                out_str(p->o, ": ");
                out_html_str(p->o, p->v->cards[k].subject);
            }
    if (broke)
        out_str(p->o, "<span class=\"flag bad\">it broke here</span>");
    out_fmt(p->o, "</span><span class=\"size e%u\">%zu byte%s<em>%s</em></span><span class=\"what\">", m->epoch & 3, m->raw.n, m->raw.n == 1 ? "" : "s", certificate ? "" : epoch_name(m->epoch));
    out_html_str(p->o, message_purpose(m->type));
    out_str(p->o, "</span></summary>\n");
    strip(p, t);
    out_str(p->o, "<div class=\"pair\">\n");
    fields(p, t, i);
    out_str(p->o, "<div class=\"side\"><div class=\"peek\" aria-live=\"polite\">Point at a field to see its bytes, or at bytes to see their field.</div>");
    hex(p, t, i);
    out_str(p->o, "</div></div></details>\n");
}

void html_messages(struct page *p, int step)
{
    size_t n = 0;
    for (size_t i = 0; i < p->v->n; i++)
        n += p->v->step[i] == step;
    if (!n)
        return;
    out_fmt(p->o, "<h3>%s<small>every field, every byte</small></h3>\n<div class=\"msgs\">\n", n == 1 ? "The message" : "The messages");
    for (size_t i = 0; i < p->v->n; i++)
        if (p->v->step[i] == step)
            message(p, i);
    out_str(p->o, "</div>\n");
}
