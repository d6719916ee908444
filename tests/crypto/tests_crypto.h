/* What every test of cryptography includes. */
#ifndef TESTS_CRYPTO_H
#define TESTS_CRYPTO_H

#include "support/test.h"

#include "base/text.h"
#include "crypto/provider.h"

/* The provider of a group of tests: cmocka's setup and teardown. */
extern troth_provider *p;
int open_provider(void **state);
int close_provider(void **state);

#endif
