/* small_pki.h - the workshop of the targets that issue certificates from their input: keys made once, the same bytes for the same input, the
 * memory of a run in an arena of its own. */
#ifndef TESTS_FUZZ_SMALL_PKI_H
#define TESTS_FUZZ_SMALL_PKI_H

#include "support/mkpki.h"

enum { SMALL_PKI_KEYS = 8 };

struct small_pki {
    struct mk       *mk; /* NULL before the first run; never freed */
    const troth_key *keys[SMALL_PKI_KEYS];
    struct arena     arena;
    struct pki_ctx   p;
};

/* A run begins: `s`, which stays from run to run, is as fresh as ever. */
void small_pki_begin(struct small_pki *s);
/* And all that was made in it goes. */
void small_pki_end(struct small_pki *s);

#endif
