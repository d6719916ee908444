/* small_pki.c - see small_pki.h. */
#include "fuzz/small_pki.h"

#include "fake/fake.h"
#include "support/memory.h"

void small_pki_begin(struct small_pki *s)
{
    if (!s->mk) {
        s->mk = mk_new_with(fake_provider(1));
        for (size_t i = 0; i < SMALL_PKI_KEYS; i++)
            s->keys[i] = mk_key(s->mk, TROTH_KEY_P256);
    }
    fake_reseed(s->mk->crypto, 1);
    arena_init(&s->arena, &test_memory, 16384);
    s->p = (struct pki_ctx){ .arena = &s->arena, .crypto = s->mk->crypto };
}

void small_pki_end(struct small_pki *s)
{
    arena_free(&s->arena);
}
