/* A certificate from nowhere: parsed with and without a witness to the same result, its names compared and
 * written out, its host matched. */
#include <stdlib.h>

#include "base/text.h"
#include "x509/names.h"
#include "x509/verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void seen(void *self, const struct sighting *s)
{
    const span *whole = self;
    if (s->at > whole->n || s->n > whole->n - s->at || s->prefix > s->n)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    span der = span_of(data, size);
    struct cert c, again;
    troth_error e = { 0 }, e2 = { 0 };
    const struct witness w = { .self = &der, .field = seen };
    bool ok = cert_parse(&c, der, NULL, &e);
    if (ok != cert_parse(&again, der, &w, &e2) || (ok && memcmp(&c, &again, sizeof c)) ||
        (!ok && (e.reason != e2.reason || e.at != e2.at)))
        abort();
    if (!ok)
        return 0;
    char in[300];
    struct text t = TEXT_IN(in);
    cert_title(&t, &c);
    name_text(&t, c.issuer);
    if (!name_equal(c.subject, c.subject) ||
        (name_equal(c.subject, c.issuer) && c.subject_hash != c.issuer_hash))
        abort();
    if (name_hash(c.subject) != c.subject_hash ||
        !name_within(c.subject, (span){ (const uint8_t *)"\x30\0", 2 }))
        abort();
    span list = c.san;
    for (struct general_name_item g; general_names_next(&list, &g);) {
        text_add(&t, " ");
        general_name_text(&t, &g);
    }
    (void)cert_matches_host(&c, "a.example");
    return 0;
}
