/* What every test of cryptography includes. */
#ifndef TESTS_CRYPTO_H
#define TESTS_CRYPTO_H

#include "support/test.h"

#include "base/text.h"
#include "crypto/provider.h"

#endif
