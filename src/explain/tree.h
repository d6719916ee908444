/* tree.h - the sightings of one message as a tree of byte ranges, and as tiles from its first byte to its last.
 *
 * Ranges nest, so position and length are enough.  Nothing here knows what a field means. */
#ifndef EXPLAIN_TREE_H
#define EXPLAIN_TREE_H

#include "base/arena.h"
#include "base/witness.h"

enum { NODE_NONE = UINT32_MAX };

struct node {
    struct sighting saw;
    uint32_t        parent;       /* NODE_NONE: the message itself               */
    uint32_t        end;          /* behind its last descendant, in `nodes`       */
    uint32_t        tile, tiles;  /* first tile of its range, how many            */
    uint16_t        depth;
};

/* A run of bytes that belongs to one field.  Tiles cover the message without gap or overlap. */
struct tile {
    uint32_t at, n;
    uint32_t node;      /* NODE_NONE: no reader told of these bytes              */
    bool     prefix;    /* the length in front of a vector                       */
};

struct tree {
    const char  *type;
    span         raw;
    struct node *nodes; /* parents before children, in the order of the bytes    */
    uint32_t     n;
    struct tile *tiles;
    uint32_t     n_tiles;
    uint32_t     untold, twice; /* bytes in no field; bytes in two that do not nest */
};

/* False only for lack of memory. */
bool MUST_USE tree_build(struct tree *t, struct arena *mem, const char *type, span raw, const struct sighting *saw, size_t n);
/* Name of what encloses a node: a group, or the message. */
const char *tree_parent_name(const struct tree *t, uint32_t node);
/* The first node with this name under something with that name (NULL: anything); NODE_NONE if there is none. */
uint32_t tree_find(const struct tree *t, const char *parent, const char *name, uint32_t from);
/* Its content, prefix not included. */
span tree_content(const struct tree *t, uint32_t node);
static inline bool tree_is_leaf(const struct node *n)
{
    return n->saw.shape != SHAPE_GROUP;
}

#endif
