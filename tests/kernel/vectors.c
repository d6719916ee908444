/* Reads test vectors; whatever is wrong with them fails the test that asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "kernel/vectors.h"

#include <cmocka.h>

static int digit(char c)
{
    const char *all = "0123456789abcdef", *at = c ? strchr(all, c | 0x20) : NULL;
    return at ? (int)(at - all) : -1;
}

size_t hex_bytes(uint8_t *out, size_t room, const char *hex)
{
    size_t n = strlen(hex) / 2;
    assert_int_equal(strlen(hex) % 2, 0);
    assert_true(n <= room);
    for (size_t i = 0; i < n; i++) {
        int high = digit(hex[2 * i]), low = digit(hex[2 * i + 1]);
        assert_true(high >= 0 && low >= 0);
        out[i] = (uint8_t)(high << 4 | low);
    }
    return n;
}

json_t *vectors_load(const char *file)
{
    char path[512];
    json_error_t error;
    snprintf(path, sizeof path, "%s/vectors/%s", TEST_DATA, file);
    json_t *j = json_load_file(path, 0, &error);
    if (!j)
        fail_msg("%s: %s", path, error.text);
    return j;
}

size_t json_bytes(uint8_t *out, size_t room, const json_t *test, const char *field)
{
    const char *hex = json_string_value(json_object_get(test, field));
    assert_non_null(hex);
    return hex_bytes(out, room, hex);
}
