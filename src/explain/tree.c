/* tree.c - builds the tree.  Must cope with any sightings: a parser that failed leaves a beginning of one. */
#include "explain/tree.h"

#include <stdlib.h>

struct sorted {
    struct sighting saw;
    uint32_t        order;
};

/* By position; a longer range first, for it encloses.  Of equal ranges the group encloses the leaf, and of two groups without a
 * length of their own the one told later does (it was closed later). */
static int compare(const void *pa, const void *pb)
{
    const struct sorted *a = pa, *b = pb;
    if (a->saw.at != b->saw.at)
        return a->saw.at < b->saw.at ? -1 : 1;
    if (a->saw.n != b->saw.n)
        return a->saw.n > b->saw.n ? -1 : 1;
    bool ga = a->saw.shape == SHAPE_GROUP, gb = b->saw.shape == SHAPE_GROUP;
    if (ga != gb)
        return ga ? -1 : 1;
    bool later_first = ga && !a->saw.prefix && !b->saw.prefix;
    if (a->order == b->order)
        return 0;
    return (a->order < b->order) == later_first ? 1 : -1;
}

static bool encloses(const struct node *outer, const struct sighting *inner)
{
    return outer->saw.shape == SHAPE_GROUP && inner->at >= outer->saw.at && inner->at + inner->n <= outer->saw.at + outer->saw.n;
}

static void nest(struct tree *t, const struct sorted *sorted, size_t n)
{
    uint32_t open = NODE_NONE;
    for (size_t i = 0; i < n; i++) {
        while (open != NODE_NONE && !encloses(&t->nodes[open], &sorted[i].saw)) {
            t->nodes[open].end = (uint32_t)i;
            open = t->nodes[open].parent;
        }
        uint16_t depth = open == NODE_NONE ? 0 : (uint16_t)(t->nodes[open].depth + 1);
        t->nodes[i] = (struct node){ .saw = sorted[i].saw, .parent = open, .end = (uint32_t)i + 1, .depth = depth };
        if (sorted[i].saw.shape == SHAPE_GROUP)
            open = (uint32_t)i;
    }
    for (; open != NODE_NONE; open = t->nodes[open].parent)
        t->nodes[open].end = (uint32_t)n;
}

static void tile_add(struct tree *t, uint32_t *at, uint32_t to, uint32_t node, bool prefix)
{
    if (to <= *at)
        return;
    if (node == NODE_NONE)
        t->untold += to - *at;
    t->tiles[t->n_tiles++] = (struct tile){ *at, to - *at, node, prefix };
    *at = to;
}

static void lay_tiles(struct tree *t)
{
    uint32_t at = 0;
    for (uint32_t i = 0; i < t->n; i++) {
        struct node *d = &t->nodes[i];
        bool leaf = tree_is_leaf(d);
        if (d->saw.at < at && leaf)
            t->twice += d->saw.at + d->saw.n < at ? d->saw.n : at - d->saw.at;
        tile_add(t, &at, d->saw.at, NODE_NONE, false);
        d->tile = t->n_tiles;
        tile_add(t, &at, d->saw.at + (leaf ? d->saw.n : d->saw.prefix), i, !leaf);
    }
    tile_add(t, &at, (uint32_t)t->raw.n, NODE_NONE, false);
    for (uint32_t i = 0; i < t->n; i++) {
        const struct sighting *s = &t->nodes[i].saw;
        uint32_t k = t->nodes[i].tile;
        while (k < t->n_tiles && t->tiles[k].at < s->at + s->n)
            k++;
        t->nodes[i].tiles = k - t->nodes[i].tile;
    }
}

bool tree_build(struct tree *t, struct arena *mem, const char *type, span raw, const struct sighting *saw, size_t n)
{
    *t = (struct tree){ .type = type, .raw = raw };
    struct sorted *sorted = arena_array(mem, n + 1, sizeof *sorted);
    t->nodes = arena_array(mem, n + 1, sizeof *t->nodes);
    t->tiles = arena_array(mem, 2 * n + 1, sizeof *t->tiles);
    TRY(sorted && t->nodes && t->tiles);
    for (size_t i = 0; i < n; i++)
        sorted[i] = (struct sorted){ saw[i], (uint32_t)i };
    qsort(sorted, n, sizeof *sorted, compare);
    nest(t, sorted, n);
    t->n = (uint32_t)n;
    lay_tiles(t);
    return true;
}

const char *tree_parent_name(const struct tree *t, uint32_t node)
{
    uint32_t up = t->nodes[node].parent;
    return up == NODE_NONE ? t->type : t->nodes[up].saw.name;
}

uint32_t tree_find(const struct tree *t, const char *parent, const char *name, uint32_t from)
{
    for (uint32_t i = from; i < t->n; i++)
        if (!strcmp(t->nodes[i].saw.name, name) && (!parent || !strcmp(tree_parent_name(t, i), parent)))
            return i;
    return NODE_NONE;
}

span tree_content(const struct tree *t, uint32_t node)
{
    if (node >= t->n)
        return SPAN_NONE;
    const struct sighting *s = &t->nodes[node].saw;
    return span_slice(t->raw, s->at + s->prefix, s->n - s->prefix);
}
