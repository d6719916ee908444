/* cli/serve/announce.c: PROXY headers as they should be, in pieces, and in each way in which they are malformed. */
#include "../../cli/serve/announce.c"

#include <stdlib.h>

#include "support/test.h"

/* What `n` bytes are; in a block of their own, so that a read past the end is seen.  Every shorter beginning of a whole header wants more. */
static enum announce_read read_exactly(struct announcement *a, const void *p, size_t n)
{
    uint8_t *exact = malloc(n ? n : 1);
    assert_non_null(exact);
    if (n)
        memcpy(exact, p, n);
    enum announce_read r = announce_read(a, exact, n);
    a->id = NULL; /* was in there */
    free(exact);
    return r;
}

static void whole(struct announcement *a, const void *p, size_t n)
{
    struct announcement part;
    for (size_t i = 0; i < n; i++)
        assert_int_equal(read_exactly(&part, p, i), ANNOUNCE_MORE);
    assert_int_equal(read_exactly(a, p, n), ANNOUNCE_WHOLE);
    assert_int_equal(a->size, n);
    assert_null(a->wrong);
    uint8_t more[ANNOUNCE_WRITE_MAX + 3];
    memcpy(more, p, n);
    memcpy(more + n, "\x16\x03\x01", 3); /* what follows is not looked at */
    assert_int_equal(read_exactly(a, more, n + 3), ANNOUNCE_WHOLE);
    assert_int_equal(a->size, n);
}

static void bad_with(const void *p, size_t n, const char *word)
{
    struct announcement a;
    assert_int_equal(read_exactly(&a, p, n), ANNOUNCE_BAD);
    if (!strstr(a.wrong, word))
        assert_string_equal(a.wrong, word);
}

/* ---- version 1 */

static void test_line(void **state)
{
    struct announcement a;
    static const uint8_t from4[4] = { 203, 0, 113, 7 }, to6[16] = { 0x20, 1, 0xd, 0xb8, [15] = 2 };
    const char *four = "PROXY TCP4 203.0.113.7 192.0.2.1 0 65535\r\n", *six = "PROXY TCP6 2001:db8::1 2001:db8::2 4000 443\r\n";
    const char *longest = "PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n";
    const char *worst = "PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n";
    (void)state;
    whole(&a, four, strlen(four));
    assert_int_equal(a.ends.family, ENDS_IPV4);
    assert_memory_equal(a.ends.from, from4, 4);
    assert_int_equal(a.ends.from_port, 0);
    assert_int_equal(a.ends.to_port, 65535);
    whole(&a, six, strlen(six));
    assert_int_equal(a.ends.family, ENDS_IPV6);
    assert_memory_equal(a.ends.to, to6, 16);
    assert_int_equal(a.ends.from_port, 4000);
    assert_int_equal(strlen(worst), 107);
    whole(&a, longest, strlen(longest));
    whole(&a, worst, strlen(worst));
    assert_int_equal(a.ends.family, ENDS_UNKNOWN);
    whole(&a, "PROXY UNKNOWN\r\n", 15);
    assert_int_equal(a.ends.family, ENDS_UNKNOWN);
}

static void test_bad_lines(void **state)
{
    static const struct { const char *line, *word; } rows[] = {
        { "PROXY TCP4 203.0.113.7 192.0.2.1 1 2\n", "CR and LF" },
        { "PROXY TCP4 203.0.113.7 192.0.2.1 1 2\rx", "CR and LF" },
        { "PROXY TCP4 203.0.113.7\t192.0.2.1 1 2\r\n", "no text" },
        { "PROXY UNKNOWN \x80\r\n", "no text" },
        { "PROXY \r\n", "missing" },
        { "PROXY TCP4\r\n", "missing" },
        { "PROXY TCP4 203.0.113.7 192.0.2.1 1\r\n", "missing" },
        { "PROXY TCP4  203.0.113.7 192.0.2.1 1 2\r\n", "missing" },
        { "PROXY  TCP4 203.0.113.7 192.0.2.1 1 2\r\n", "missing" },
        { "PROXY TCP4 203.0.113.7 192.0.2.1 1 2 \r\n", "too many" },
        { "PROXY TCP4 203.0.113.7 192.0.2.1 1 2 3\r\n", "too many" },
        { "PROXY TCP4 2030000000000000000000000000000000000000000000.1 192.0.2.1 1 2\r\n", "too long" },
        { "PROXY UDP4 203.0.113.7 192.0.2.1 1 2\r\n", "TCP4" },
        { "PROXY tcp4 203.0.113.7 192.0.2.1 1 2\r\n", "TCP4" },
        { "PROXY UNKNOWNS\r\n", "missing" },
        { "PROXY TCP6 203.0.113.7 192.0.2.1 1 2\r\n", "address" },
        { "PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n", "address" },
        { "PROXY TCP4 203.0.113.07 192.0.2.1 1 2\r\n", "address" },
        { "PROXY TCP4 203.0.113.256 192.0.2.1 1 2\r\n", "address" },
        { "PROXY TCP4 host 192.0.2.1 1 2\r\n", "address" },
        { "PROXY TCP4 203.0.113.7 192.0.2.1 65536 2\r\n", "port" },
        { "PROXY TCP4 203.0.113.7 192.0.2.1 1 02\r\n", "port" },
        { "PROXY TCP4 203.0.113.7 192.0.2.1 +1 2\r\n", "port" },
        { "PROXY TCP4 203.0.113.7 192.0.2.1 1 100000\r\n", "port" },
        { "PROXY UNKNOWN fffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n", "107" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        bad_with(rows[i].line, strlen(rows[i].line), rows[i].word);
    char endless[200];
    memset(endless, 'x', sizeof endless);
    memcpy(endless, "PROXY ", 6);
    bad_with(endless, sizeof endless, "107"); /* at once, without waiting for an end */
}

static void test_something_else(void **state)
{
    static const char *const rows[] = { "\x16\x03\x01", "GET / HTTP/1.1\r\n", "PROXYING", "proxy TCP4", "\r\n\r\n\r", "\r\n\r\n\0\r\nQUIX" };
    struct announcement a;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(read_exactly(&a, rows[i], i == 5 ? 11 : strlen(rows[i])), ANNOUNCE_NONE);
}

/* ---- version 2 */

static const uint8_t plain[] = { 0x0d, 0x0a, 0x0d, 0x0a, 0, 0x0d, 0x0a, 'Q', 'U', 'I', 'T', 0x0a, 0x21, 0x11, 0, 12,
                                 203, 0, 113, 7, 192, 0, 2, 1, 0x0f, 0xa0, 0x01, 0xbb };

/* A header of this command, family and length, with so many bytes of entries behind its addresses. */
static size_t block(uint8_t *out, uint8_t command, uint8_t family, size_t length, const void *entries, size_t n)
{
    memset(out, 0, 16 + length + n);
    memcpy(out, plain, 12);
    out[12] = command;
    out[13] = family;
    out[14] = (uint8_t)((length + n) >> 8);
    out[15] = (uint8_t)(length + n);
    memcpy(out + 16 + length, entries, n);
    return 16 + length + n;
}

static void test_block(void **state)
{
    struct announcement a;
    uint8_t h[600];
    (void)state;
    whole(&a, plain, sizeof plain);
    assert_int_equal(a.ends.family, ENDS_IPV4);
    assert_memory_equal(a.ends.from, plain + 16, 4);
    assert_memory_equal(a.ends.to, plain + 20, 4);
    assert_int_equal(a.ends.from_port, 4000);
    assert_int_equal(a.ends.to_port, 443);
    size_t n = block(h, 0x21, 0x21, 36, "", 0);
    h[16] = 0x20, h[31] = 1, h[48] = 1, h[51] = 2;
    whole(&a, h, n);
    assert_int_equal(a.ends.family, ENDS_IPV6);
    assert_int_equal(a.ends.from[15], 1);
    assert_int_equal(a.ends.from_port, 256);
    assert_int_equal(a.ends.to_port, 2);
    n = block(h, 0x21, 0x31, 216, "", 0);
    memcpy(h + 16, "/run/one", 8);
    whole(&a, h, n);
    assert_int_equal(a.ends.family, ENDS_UNIX);
    assert_string_equal((const char *)a.ends.from, "/run/one");
    /* LOCAL, of any family; unspecified; datagrams: the connection's own ends count */
    static const uint8_t others[][2] = { { 0x20, 0x00 }, { 0x20, 0x11 }, { 0x20, 0xff }, { 0x21, 0x00 }, { 0x21, 0x12 }, { 0x21, 0x10 }, { 0x21, 0x01 } };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        whole(&a, h, block(h, others[i][0], others[i][1], 12, "", 0));
        assert_int_equal(a.ends.family, ENDS_UNKNOWN);
    }
    whole(&a, h, block(h, 0x20, 0x00, 0, "", 0));
    whole(&a, h, block(h, 0x20, 0x00, 0, "\x03\x00", 2)); /* LOCAL: whatever it is, it is skipped */
    whole(&a, h, block(h, 0x21, 0x11, 12, "\x04\x00\x00\xe0\x00\x01x", 7));
}

static void test_bad_blocks(void **state)
{
    static const struct { uint8_t command, family; size_t length; const char *entries; size_t n; const char *word; } rows[] = {
        { 0x11, 0x11, 12, "", 0, "version" },
        { 0x31, 0x11, 12, "", 0, "version" },
        { 0x22, 0x11, 12, "", 0, "command" },
        { 0x2f, 0x11, 12, "", 0, "command" },
        { 0x21, 0x41, 12, "", 0, "family" },
        { 0x21, 0x13, 12, "", 0, "transport" },
        { 0x21, 0x11, 11, "", 0, "too short" },
        { 0x21, 0x21, 35, "", 0, "too short" },
        { 0x21, 0x31, 215, "", 0, "too short" },
        { 0x21, 0x11, 0, "", 0, "too short" },
        { 0x21, 0x11, 12, "\x04", 1, "reaches past" },
        { 0x21, 0x11, 12, "\x04\x00", 2, "reaches past" },
        { 0x21, 0x11, 12, "\x04\x00\x01", 3, "reaches past" },
        { 0x21, 0x11, 12, "\x04\x00\x00\x02\xff\xffx", 7, "reaches past" },
        { 0x21, 0x11, 12, "\x03\x00\x03xxx", 6, "4 bytes" },
        { 0x21, 0x11, 12, "\x03\x00\x04xxxx", 7, "CRC32C" },
        { 0x21, 0x11, 12, "\x03\x00\x04xxxx\x03\x00\x04xxxx", 14, "there are two" },
        { 0x21, 0x11, 12, "\x20\x00\x04xxxx", 7, "SSL" },
        { 0x21, 0x11, 12, "\x20\x00\x07xxxxx\x21\x00", 10, "SSL" },
        { 0x21, 0x11, 12, "\x20\x00\x08xxxxx\x21\x00\x01", 11, "SSL" },
    };
    uint8_t h[600], id[3 + 129] = { 0x05, 0, 129 };
    struct announcement a;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        bad_with(h, block(h, rows[i].command, rows[i].family, rows[i].length, rows[i].entries, rows[i].n), rows[i].word);
    bad_with(h, block(h, 0x21, 0x11, 12, id, sizeof id), "128");
    block(h, 0x21, 0x11, 12, "", 0);
    h[14] = 0xff; /* longer than is read: said before it came */
    bad_with(h, 16, "16384");
    h[14] = 0x3f, h[15] = 0xf0; /* exactly as long */
    assert_int_equal(read_exactly(&a, h, 28), ANNOUNCE_MORE);
}

/* ---- written */

static void test_written(void **state)
{
    struct ends e = { .family = ENDS_IPV4, .from = { 203, 0, 113, 7 }, .to = { 192, 0, 2, 1 }, .from_port = 4000, .to_port = 443 };
    struct announce_facts f = { .alpn = { "h2", 2 }, .authority = { "shop.example", 12 }, .id = { "0123", 4 }, .tls = true, .cert = true,
                                .version = { "TLSv1.3", 7 }, .name = { "me", 2 }, .cipher = { "C", 1 }, .signature = { "S", 1 }, .key = { "K", 1 } };
    static const uint8_t tail[] = { 1, 0, 2, 'h', '2', 2, 0, 12, 's', 'h', 'o', 'p', '.', 'e', 'x', 'a', 'm', 'p', 'l', 'e', 5, 0, 4, '0', '1', '2', '3',
                                    0x20, 0, 32, 5, 0, 0, 0, 0, 0x21, 0, 7, 'T', 'L', 'S', 'v', '1', '.', '3', 0x22, 0, 2, 'm', 'e', 0x23, 0, 1, 'C',
                                    0x24, 0, 1, 'S', 0x25, 0, 1, 'K', 3, 0, 4 };
    uint8_t out[ANNOUNCE_WRITE_MAX];
    struct announcement a;
    (void)state;
    size_t n = announce_write(out, sizeof out, 1, &e, &f);
    assert_int_equal(n, strlen("PROXY TCP4 203.0.113.7 192.0.2.1 4000 443\r\n"));
    assert_memory_equal(out, "PROXY TCP4 203.0.113.7 192.0.2.1 4000 443\r\n", n);
    n = announce_write(out, sizeof out, 2, &e, &f);
    assert_int_equal(n, 28 + sizeof tail + 4);
    assert_memory_equal(out + 16, plain + 16, 12);
    assert_memory_equal(out + 28, tail, sizeof tail);
    whole(&a, out, n);
    for (size_t i = 16; i < n; i += i == n - 8 ? 2 : 1) { /* the checksum sees every bit, but for the type that makes it one */
        out[i] ^= 1;
        assert_int_equal(read_exactly(&a, out, n), ANNOUNCE_BAD);
        out[i] ^= 1;
    }
    for (size_t cap = 0; cap < n; cap++)
        assert_int_equal(announce_write(out, cap, 2, &e, &f), 0);
    assert_int_equal(announce_write(out, 43, 1, &e, &f), 43);
    assert_int_equal(announce_write(out, 42, 1, &e, &f), 0);
    static const enum ends_family all[] = { ENDS_UNKNOWN, ENDS_IPV6, ENDS_UNIX };
    for (size_t i = 0; i < 3; i++) {
        struct ends other = { .family = all[i], .from = { 1 }, .to = { 2 } };
        n = announce_write(out, sizeof out, 2, &other, NULL);
        whole(&a, out, n);
        assert_int_equal(a.ends.family, all[i]);
        n = announce_write(out, sizeof out, 1, &other, NULL);
        whole(&a, out, n);
        assert_int_equal(a.ends.family, all[i] == ENDS_IPV6 ? ENDS_IPV6 : ENDS_UNKNOWN);
    }
    assert_int_equal(~crc_more(0xffffffffu, (const uint8_t *)"123456789", 9), 0xe3069283u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_line),  cmocka_unit_test(test_bad_lines),  cmocka_unit_test(test_something_else),
        cmocka_unit_test(test_block), cmocka_unit_test(test_bad_blocks), cmocka_unit_test(test_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
