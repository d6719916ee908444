/* fake_keys.h - what fake.c and fake_keys.c share. */
#ifndef TESTS_FAKE_FAKE_KEYS_H
#define TESTS_FAKE_FAKE_KEYS_H

#include "crypto/provider.h"

enum { FAKE_AEADS = 3, FAKE_KEMS = 10, FAKE_HASHES = 4 };

struct mix {
    uint64_t h, n;
};

void mix_begin(struct mix *m);
void mix_add(struct mix *m, const uint8_t *p, size_t n);
void mix_int(struct mix *m, uint64_t v);
void mix_draw(const struct mix *m, uint8_t *out, size_t n);

struct fake;

struct fake_aead {
    troth_aead   row;
    struct fake *owner;
};

struct fake {
    troth_provider    pub; /* first: the provider is the object */
    troth_allocator   memory;
    uint64_t          owners, random, calls, fail_in;
    struct fake_aead  aead[FAKE_AEADS];
    troth_kem         kem[FAKE_KEMS];
    const troth_hash *hashes[FAKE_HASHES + 1];
    const troth_aead *aeads[FAKE_AEADS + 1];
    const troth_kem  *kems[FAKE_KEMS + 1];
};

/* False when this call is the one that is to fail. */
bool fake_works(struct fake *f);
bool fake_random(void *self, uint8_t *out, size_t n);
void fake_give_up(troth_provider *p);
void fake_open_keys(struct fake *f);

#endif
