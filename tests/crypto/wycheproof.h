/* wycheproof.h - runs every case of a Wycheproof file (tests/vectors/wycheproof) and prints how many there were.
 *
 * A case either holds, or fails the test, or is counted out with a reason: nothing is left out in silence. */
#ifndef TESTS_CRYPTO_WYCHEPROOF_H
#define TESTS_CRYPTO_WYCHEPROOF_H

#include <jansson.h>

#include "crypto/tests_crypto.h"

enum expected { VALID, INVALID, ACCEPTABLE };

struct vector {
    const json_t *group, *test;
    enum expected want;
    const char   *left_out; /* set it when the case cannot be expressed: why */
};

typedef bool vector_fn(struct vector *v); /* does the case hold? */

/* All cases of `name`_test.json; fails the test at the first that does not hold, or when the file has another number of cases than it says. */
void wycheproof(const char *name, vector_fn *fn);

/* A hex field, of the case or of the group; it lives until the next case. */
span vector_hex(const struct vector *v, const char *field);
span group_hex(const struct vector *v, const char *field);
span member_hex(const struct vector *v, const char *object, const char *field); /* group.object.field */
int64_t vector_int(const struct vector *v, const char *field);
const char *group_text(const struct vector *v, const char *field);
bool vector_flag(const struct vector *v, const char *flag);

#endif
