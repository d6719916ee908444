/* truth.h - what must hold of the story of any connection, whatever became of it. */
#ifndef TESTS_EXPLAIN_TRUTH_H
#define TESTS_EXPLAIN_TRUTH_H

#include "explain/view.h"

/* Every byte of every message told once, every field has its prose, every secret computed again and equal (at least `least_keys` of
 * them), and none kept. */
void check_truth(const troth_story *s, unsigned least_keys);

#endif
