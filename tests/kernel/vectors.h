/* Test vectors: hex strings and Wycheproof's JSON files under tests/vectors/. */
#ifndef TESTS_KERNEL_VECTORS_H
#define TESTS_KERNEL_VECTORS_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

/* number of bytes; the test fails when `hex` is no hex or does not fit */
size_t hex_bytes(uint8_t *out, size_t room, const char *hex);

/* the test fails when the file cannot be read */
json_t *vectors_load(const char *file);

/* a field of a test case, in hex; the test fails when it is missing */
size_t json_bytes(uint8_t *out, size_t room, const json_t *test, const char *field);

#endif
