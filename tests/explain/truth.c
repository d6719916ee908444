/* truth.c - see truth.h. */
#include "explain/truth.h"

#include "support/test.h"

void check_truth(const troth_story *s, unsigned least_keys)
{
    struct view v;
    assert_true(view_make(&v, s, false));
    assert_false(s->cut);
    for (size_t i = 0; i < v.n; i++) {
        if (v.trees[i].untold + v.trees[i].twice && v.bad_message != i)
            test_fail("%s: %u untold, %u twice", v.trees[i].type, v.trees[i].untold, v.trees[i].twice);
        for (uint32_t k = 0; k < v.trees[i].n; k++)
            if (!prose_of(tree_parent_name(&v.trees[i], k), v.trees[i].nodes[k].saw.name))
                test_fail("no prose: %s.%s", tree_parent_name(&v.trees[i], k), v.trees[i].nodes[k].saw.name);
    }
    unsigned equal = 0;
    for (size_t i = 0; i < s->keys.n; i++) {
        const struct told_key *k = &ROWS(s, keys, struct told_key)[i];
        assert_true(k->recomputed != RECOMPUTED_DIFFERENT);
        if (k->from && k->recomputed != RECOMPUTED_EQUAL)
            test_fail("%s was not computed again", k->label);
        equal += k->recomputed == RECOMPUTED_EQUAL;
        assert_int_equal(k->value.n, 0); /* no secret is kept */
    }
    assert_true(equal >= least_keys);
    view_free(&v);
}
