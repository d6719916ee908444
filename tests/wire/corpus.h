/* corpus.h - the messages that the tests of wire/ run over: what real peers sent, and messages made with everything in them. */
#ifndef TESTS_WIRE_CORPUS_H
#define TESTS_WIRE_CORPUS_H

#include "support/wire_kinds.h"

struct specimen {
    char                    name[96];
    const struct wire_kind *kind;
    uint8_t                *p;    /* a block of exactly n bytes, so that a read past the end is seen */
    size_t                  n;
};

enum { SPECIMENS_MAX = 128 };

/* Captured and made; the number of them.  Fails the test when the folder is missing or holds an unknown kind. */
size_t corpus_load(struct specimen *out);
void corpus_free(struct specimen *s, size_t n);

/* The made ones. */
size_t build_all(struct specimen *out, size_t n);
/* A ClientHello with every extension that is spoken, and GREASE. */
void build_client_hello(struct client_hello *ch);
void specimen_add(struct specimen *s, const char *name, const char *kind, const uint8_t *p, size_t n);

#endif
