/* What every test of cryptography includes. */
#ifndef TESTS_CRYPTO_H
#define TESTS_CRYPTO_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/text.h"
#include "crypto/provider.h"

#endif
