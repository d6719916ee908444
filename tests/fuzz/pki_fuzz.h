/* pki_fuzz.h - what the fuzz targets of PKI objects share: an arena per input, one provider, and a description of what was read. */
#ifndef TESTS_FUZZ_PKI_FUZZ_H
#define TESTS_FUZZ_PKI_FUZZ_H

#include "x509/describe.h"

/* Ready for one input; pki_fuzz_end gives everything back. */
struct pki_ctx *pki_fuzz_begin(void);
void pki_fuzz_end(void);
/* Fails the run when it is false. */
void pki_fuzz_must(bool ok);
/* Describes with `describe` and checks the shape of what comes: depths in steps, texts there. */
void pki_fuzz_describe(void (*describe)(struct facts *, span), span der);

#endif
