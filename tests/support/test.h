/* test.h - cmocka beside the library's headers: both have a `fail`; the library's stays, cmocka's is test_fail(format, ...). */
#ifndef TESTS_SUPPORT_TEST_H
#define TESTS_SUPPORT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#undef fail
#undef fail_msg

#define test_fail(...) (fprintf(stderr, __VA_ARGS__), fprintf(stderr, "\n"), _fail(__FILE__, __LINE__))

#endif
