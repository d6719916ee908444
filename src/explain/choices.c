/* choices.c - the decisions of a story: those that were told with their rule, and those that the other side made among the offers, which
 * can be read from the two messages.  Whose rule decided is said either way; nothing is guessed. */
#include "explain/view.h"
#include "wire/registry.h"

static bool is(const char *a, const char *b)
{
    return a && b && !strcmp(a, b);
}

bool decision_entry(const struct told_decision *d, span list, size_t *at, span *entry)
{
    if (*at >= list.n)
        return false;
    if (d->as) {
        *entry = span_slice(list, *at, 2);
        *at += 2;
        return entry->n == 2;
    }
    if (list.p[0] < 0x20) { /* length first */
        *entry = span_slice(list, *at + 1, list.p[*at]);
        *at += 1 + (size_t)list.p[*at];
        return true;
    }
    size_t n = 0;
    while (*at + n < list.n && list.p[*at + n] != ',')
        n++;
    *entry = span_slice(list, *at, n);
    *at += n + 1;
    while (*at < list.n && list.p[*at] == ' ')
        (*at)++;
    return true;
}

void say_entry(struct text *t, const struct told_decision *d, span entry)
{
    if (!d->as) {
        text_escaped(t, entry);
        return;
    }
    uint16_t id = u16s_at(entry, 0);
    const struct name *row = name_find(d->as, id);
    if (row && is(d->as->kind, names_version.kind))
        text_add(t, "%s", version_words(id));
    else if (row)
        text_add(t, "%s", row->name);
    else if (is_grease(id))
        text_add(t, "GREASE");
    else
        text_add(t, "0x%04x", id);
}

bool entry_is_chosen(const struct told_decision *d, span entry)
{
    if (d->as)
        return !d->text && u16s_at(entry, 0) == d->chosen;
    return d->text && span_equal(entry, span_of(d->text, strlen(d->text)));
}

void say_choice(struct text *t, const struct told_decision *d)
{
    uint8_t id[2] = { (uint8_t)(d->chosen >> 8), (uint8_t)d->chosen };
    if (d->text)
        text_add(t, "%s", d->text);
    else if (d->as)
        say_entry(t, d, SPAN_OF(id));
}

/* The values of all fields of that name, in wire format. */
static span gather(struct view *v, const struct tree *t, const char *parent, const char *name)
{
    size_t n = 0;
    for (uint32_t i = tree_find(t, parent, name, 0); i != NODE_NONE; i = tree_find(t, parent, name, i + 1))
        n++;
    uint8_t *p = n ? arena_alloc(&v->mem, 2 * n) : NULL;
    if (!p)
        return SPAN_NONE;
    n = 0;
    for (uint32_t i = tree_find(t, parent, name, 0); i != NODE_NONE; i = tree_find(t, parent, name, i + 1)) {
        p[n++] = (uint8_t)(t->nodes[i].saw.value >> 8);
        p[n++] = (uint8_t)t->nodes[i].saw.value;
    }
    return (span){ p, n };
}

static bool was_told(const struct view *v, const char *what)
{
    for (size_t i = 0; i < v->n_choices; i++)
        if (is(v->choices[i].what, what) && (v->choices[i].ours.n || v->choices[i].theirs.n))
            return true;
    return false;
}

/* The server chose among what the client offered; its own list is never sent. */
static void infer(struct view *v, const char *what, const char *rule, const struct names *as, span offered, uint64_t chosen)
{
    if (!offered.n || was_told(v, what))
        return;
    bool server = v->s->we_are_server;
    for (size_t i = 0; i < v->n_choices; i++) /* told without lists: keep its rule */
        if (is(v->choices[i].what, what)) {
            *(server ? &v->choices[i].theirs : &v->choices[i].ours) = offered;
            return;
        }
    v->choices[v->n_choices++] = (struct told_decision){ .what = what, .rule = rule, .as = as, .ours = server ? SPAN_NONE : offered,
                                                         .theirs = server ? offered : SPAN_NONE, .chosen = chosen };
}

static const struct tree *last_tree(const struct view *v, const char *type)
{
    for (size_t i = v->n; i-- > 0;)
        if (is(v->trees[i].type, type))
            return &v->trees[i];
    return NULL;
}

bool choices_make(struct view *v)
{
    size_t n = v->s->decisions.n;
    v->choices = arena_array(&v->mem, n + 4, sizeof *v->choices);
    TRY(v->choices);
    for (size_t i = 0; i < n; i++)
        v->choices[v->n_choices++] = ROWS(v->s, decisions, struct told_decision)[i];
    const struct tree *ch = last_tree(v, "ClientHello");
    if (!ch || !v->suite.name)
        return true;
    infer(v, "version", "the server's choice among what the client offered (RFC 9846 4.3.1)", &names_version, gather(v, ch, "versions", "version"), v->version.value);
    infer(v, "cipher suite", "the server's choice among what the client offered; servers do not tell their own list (RFC 9846 4.2.3)", &names_suite,
          gather(v, ch, "cipher_suites", "CipherSuite"), v->suite.value);
    if (v->group.name)
        infer(v, "group", "the server's choice among what the client offered (RFC 9846 4.3.8)", &names_group, gather(v, ch, "named_group_list", "NamedGroup"), v->group.value);
    return true;
}
