/* DER: each element in its one form and in the forms that are refused; and certificates cut, padded and bent.
 */
#include "x509/der.h"

#include "support/mkpki.h"
#include "support/test.h"

static struct rd_ctx ctx;

static struct rd over(const char *bytes, size_t n)
{
    rd_ctx_init(&ctx, span_of(bytes, n), NULL);
    return rd_init(&ctx, span_of(bytes, n));
}

#define OVER(literal) over(literal, sizeof(literal) - 1)
/* `read` on these bytes: the reader must be left with this reason, and at the end when there is none. */
#define DER(want, literal, read)                                                                             \
    do {                                                                                                     \
        struct rd r = OVER(literal);                                                                         \
        read;                                                                                                \
        enum troth_reason is = rd_ok(&r) ? TROTH_R_NONE : ctx.why;                                           \
        if (is != TROTH_R_##want || rd_more(&r))                                                             \
            test_fail("line %d: %s, wanted " #want, __LINE__, troth_reason_code(is));                        \
    } while (0)

static void lengths(void **state)
{
    (void)state;
    DER(NONE, "\x04\x01\x61", der_octets(&r, "x"));
    DER(NONE, "\x04\x00", der_octets(&r, "x"));
    DER(DER_SHORT, "", der_octets(&r, "x"));
    DER(DER_SHORT, "\x04", der_octets(&r, "x"));
    DER(DER_SHORT, "\x04\x02\x61", der_octets(&r, "x"));
    DER(DER_SHORT, "\x04\x81", der_octets(&r, "x"));
    DER(DER_SHORT, "\x04\x82\xff", der_octets(&r, "x"));
    DER(DER_SHORT, "\x04\x84\xff\xff\xff\xff", der_octets(&r, "x"));
    DER(DER_LENGTH, "\x04\x80\x61\x00\x00", der_octets(&r, "x")); /* indefinite */
    DER(DER_LENGTH, "\x04\x81\x01\x61", der_octets(&r, "x"));     /* long form of a short length */
    DER(DER_LENGTH, "\x04\x81\x7f\x61", der_octets(&r, "x"));
    DER(DER_LENGTH, "\x04\x82\x00\x81\x61", der_octets(&r, "x")); /* leading zero */
    DER(DER_LENGTH, "\x04\x85\x00\x00\x00\x00\x01\x61", der_octets(&r, "x"));
    DER(DER_LENGTH, "\x04\xff\x61", der_octets(&r, "x"));
    DER(DER_TAG, "\x24\x01\x61", der_octets(&r, "x"));  /* constructed */
    DER(DER_TAG, "\x1f\x04\x01\x61", der_any(&r, "x")); /* a tag of more than one byte */
    DER(DER_TRAILING, "\x05\x00\x00", (der_null(&r, "x"), der_end(&r, "x")));
}

static void numbers(void **state)
{
    (void)state;
    DER(NONE, "\x02\x01\x00", der_integer(&r, "x", DER_INTEGER));
    DER(NONE, "\x02\x02\x00\x80", der_integer(&r, "x", DER_INTEGER));
    DER(NONE, "\x02\x01\xff", der_integer(&r, "x", DER_INTEGER));
    DER(DER_VALUE, "\x02\x00", der_integer(&r, "x", DER_INTEGER));
    DER(DER_VALUE, "\x02\x02\x00\x7f", der_integer(&r, "x", DER_INTEGER));
    DER(DER_VALUE, "\x02\x02\xff\x80", der_integer(&r, "x", DER_INTEGER));
    struct rd one = OVER("\x02\x02\x01\x00");
    assert_int_equal(der_small(&one, "x", DER_INTEGER, 256), 256);
    DER(DER_RANGE, "\x02\x02\x01\x01", der_small(&r, "x", DER_INTEGER, 256));
    DER(DER_RANGE, "\x02\x01\xff", der_small(&r, "x", DER_INTEGER, 256));
    DER(DER_RANGE, "\x02\x0a\x01\x00\x00\x00\x00\x00\x00\x00\x00\x01",
        der_small(&r, "x", DER_INTEGER, UINT64_MAX));
    DER(NONE, "\x02\x09\x00\xff\xff\xff\xff\xff\xff\xff\xff", der_small(&r, "x", DER_INTEGER, UINT64_MAX));
    one = OVER("\x02\x02\x01\x00");
    assert_int_equal(der_count(&one, "x", DER_INTEGER), 256);
    one = OVER("\x02\x05\x00\xff\xff\xff\xfe");
    assert_int_equal(der_count(&one, "x", DER_INTEGER), UINT32_MAX - 1);
    one = OVER("\x02\x0b\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"); /* more than anybody counts to */
    assert_int_equal(der_count(&one, "x", DER_INTEGER), UINT32_MAX);
    assert_true(rd_ok(&one) && !rd_more(&one));
    DER(DER_RANGE, "\x02\x01\xff", der_count(&r, "x", DER_INTEGER));
    DER(DER_VALUE, "\x02\x02\x00\x01", der_count(&r, "x", DER_INTEGER));
    DER(DER_VALUE, "\x02\x00", der_count(&r, "x", DER_INTEGER));
    one = OVER("\x02\x02\x00\x80");
    assert_int_equal(der_unsigned(&one, "x").n, 1);
    DER(DER_RANGE, "\x02\x01\x80", der_unsigned(&r, "x"));
    DER(DER_RANGE, "\x02\x01\x00", der_unsigned(&r, "x"));
    DER(NONE, "\x01\x01\xff", der_boolean(&r, "x"));
    DER(DER_VALUE, "\x01\x01\x01", der_boolean(&r, "x"));
    DER(DER_VALUE, "\x01\x00", der_boolean(&r, "x"));
    DER(DER_VALUE, "\x01\x02\xff\xff", der_boolean(&r, "x"));
    DER(NONE, "", der_boolean_default_false(&r, "x", DER_BOOLEAN));
    DER(NONE, "\x01\x01\xff", der_boolean_default_false(&r, "x", DER_BOOLEAN));
    DER(DER_VALUE, "\x01\x01\x00", der_boolean_default_false(&r, "x", DER_BOOLEAN));
    DER(DER_VALUE, "\x05\x01\x00", der_null(&r, "x"));
}

static void bits_and_oids(void **state)
{
    (void)state;
    DER(NONE, "\x03\x01\x00", der_bit_string(&r, "x", DER_BIT_STRING));
    DER(NONE, "\x03\x02\x07\x80", der_bit_string(&r, "x", DER_BIT_STRING));
    DER(DER_VALUE, "\x03\x00", der_bit_string(&r, "x", DER_BIT_STRING));
    DER(DER_VALUE, "\x03\x02\x08\x80", der_bit_string(&r, "x", DER_BIT_STRING));
    DER(DER_VALUE, "\x03\x02\x07\x81", der_bit_string(&r, "x", DER_BIT_STRING)); /* an unused bit is set */
    DER(DER_VALUE, "\x03\x01\x01", der_bit_string(&r, "x", DER_BIT_STRING));
    DER(DER_VALUE, "\x03\x02\x01\x80", der_open_bits(&r, "x"));
    struct rd one = OVER("\x03\x03\x07\x06\x80");
    assert_int_equal(der_named_bits(&one, "x", DER_BIT_STRING), BIT(5) | BIT(6) | BIT(8));
    DER(DER_VALUE, "\x03\x04\x00\x06\x80\x01", der_named_bits(&r, "x", DER_BIT_STRING));
    DER(NONE, "\x06\x03\x55\x1d\x0f", der_oid(&r, "x"));
    DER(DER_VALUE, "\x06\x00", der_oid(&r, "x"));
    DER(DER_VALUE, "\x06\x02\x55\x80", der_oid(&r, "x"));
    DER(DER_VALUE, "\x06\x03\x55\x80\x01", der_oid(&r, "x"));
    DER(DER_VALUE, "\x06\x02\x80\x01", der_oid(&r, "x"));
}

static void times(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct { const char *text; bool utc, ok; int64_t t; } rows[] = {
        { "700101000000Z", true, true, 0 },               { "491231235959Z", true, true, 2524607999 },      { "500101000000Z", true, true, -631152000 },
        { "7001010000Z", true, false, 0 },                { "700101000000+0000", true, false, 0 },          { "700101000000", true, false, 0 },
        { "700001000000Z", true, false, 0 },              { "701301000000Z", true, false, 0 },              { "700100000000Z", true, false, 0 },
        { "700230000000Z", true, false, 0 },              { "720229000000Z", true, true, 68169600 },        { "700229000000Z", true, false, 0 },
        { "700101240000Z", true, false, 0 },              { "700101006000Z", true, false, 0 },              { "700101000060Z", true, false, 0 },
        { "7 0101000000Z", true, false, 0 },              { "20500101000000Z", false, true, 2524608000 },   { "20500101000000.5Z", false, false, 0 },
        { "99991231235959Z", false, true, 253402300799 }, { "00000101000000Z", false, true, -62167219200 }, { "21000229000000Z", false, false, 0 },
        { "20000229000000Z", false, true, 951782400 },    { "205001010000Z", false, false, 0 },             { "", false, false, 0 },
    };
    /* clang-format on */
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char der[40];
        size_t n = strlen(rows[i].text);
        der[0] = rows[i].utc ? DER_UTC_TIME : DER_GENERALIZED_TIME;
        der[1] = (char)n;
        memcpy(der + 2, rows[i].text, n);
        struct rd r = over(der, n + 2);
        int64_t t = der_time(&r, "x", false);
        if (rd_ok(&r) != rows[i].ok || (rows[i].ok && t != rows[i].t) ||
            (!rows[i].ok && ctx.why != TROTH_R_DER_TIME))
            test_fail("%s: %lld", rows[i].text, (long long)t);
    }
    DER(DER_TIME,
        "\x18\x0f"
        "20491231235959Z",
        der_time(&r, "x", true));
    DER(NONE,
        "\x18\x0f"
        "20500101000000Z",
        der_time(&r, "x", true));
}

static void strings(void **state)
{
    (void)state;
    assert_true(der_string_ok(DER_PRINTABLE, SPAN_TEXT("Az 09'()+,-./:=?")));
    assert_false(der_string_ok(DER_PRINTABLE, SPAN_TEXT("a@b")) ||
                 der_string_ok(DER_PRINTABLE, SPAN_TEXT("a\0b")));
    assert_true(der_string_ok(DER_IA5, SPAN_TEXT("a@b")));
    assert_false(der_string_ok(DER_IA5, SPAN_TEXT("\x80")));
    assert_true(der_string_ok(DER_UTF8, SPAN_TEXT("\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80")));
    static const char *const bad[] = {
        "\x80", "\xc0\x80", "\xc3", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80"
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(der_string_ok(DER_UTF8, span_of(bad[i], strlen(bad[i]))));
    assert_false(der_string_ok(DER_BMP, SPAN_TEXT("abc")) ||
                 der_string_ok(DER_UNIVERSAL, SPAN_TEXT("abcde")) ||
                 der_string_ok(DER_NUMERIC, SPAN_TEXT("a")));
}

static void depth(void **state)
{
    (void)state;
    uint8_t deep[64];
    for (int i = 0; i < 32; i++) {
        deep[2 * i] = 0x30;
        deep[2 * i + 1] = (uint8_t)(2 * (31 - i));
    }
    assert_true(der_tree_ok(span_of(deep, 64), 32));
    assert_false(der_tree_ok(span_of(deep, 64), 30));
}

/* ---- whole certificates */

struct tiles {
    uint8_t *leaf; /* how often a leaf covered this byte */
    size_t n;
    uint32_t group_end;
};

/* Leaves are what no later, smaller sighting lies in: counted by painting, in the order told. */
static void paint(void *self, const struct sighting *s)
{
    struct tiles *t = self;
    assert_true(s->at <= t->n && s->n <= t->n - s->at && s->prefix <= s->n);
    memset(t->leaf + s->at, 0, s->shape == SHAPE_GROUP ? 0 : s->n);
    memset(t->leaf + s->at, 1, s->shape == SHAPE_GROUP ? s->prefix : s->n);
}

static void witnessed(void **state)
{
    (void)state;
    struct mk *m = mk_new();
    struct issue root = mk_ca("CN=Root,O=x", mk_key(m, TROTH_KEY_P256)),
                 leaf = mk_leaf(&root, root.key, "a.example");
    leaf.policies = TEXTS("1.2.3");
    leaf.aia = TEXTS("ocsp=http://o.example");
    span der = mk_cert(m, &leaf);
    uint8_t covered[4096] = { 0 };
    struct tiles t = { covered, der.n, 0 };
    const struct witness w = { .self = &t, .field = paint };
    struct cert c, plain;
    troth_error e = { 0 };
    assert_true(cert_parse(&c, der, &w, &e));
    assert_true(cert_parse(&plain, der, NULL, &e));
    assert_memory_equal(&c, &plain, sizeof c);
    for (size_t i = 0; i < der.n; i++)
        if (!covered[i])
            test_fail("byte %zu of %zu was told to nobody", i, der.n);
    mk_free(m);
}

/* Every cut is refused; every flipped bit is refused or read, and never more than read. */
static void cut_and_bent(void **state)
{
    (void)state;
    struct mk *m = mk_new();
    struct issue root = mk_ca("CN=Root", mk_key(m, TROTH_KEY_P256)),
                 leaf = mk_leaf(&root, root.key, "a.example");
    leaf.permitted = TEXTS("DNS:a.example");
    leaf.policies = TEXTS("1.2.3");
    span der = mk_cert(m, &leaf);
    struct cert c;
    for (size_t n = 0; n < der.n; n++) {
        uint8_t *exact = malloc(n ? n : 1);
        troth_error e = { 0 };
        memcpy(exact, der.p, n);
        assert_false(cert_parse(&c, span_of(exact, n), NULL, &e));
        assert_true(e.reason != TROTH_R_NONE && e.at <= n);
        free(exact);
    }
    uint8_t *bent = malloc(der.n + 1);
    for (size_t bit = 0; bit < 8 * der.n; bit++) {
        troth_error e = { 0 };
        memcpy(bent, der.p, der.n);
        bent[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (!cert_parse(&c, span_of(bent, der.n), NULL, &e))
            assert_true(e.reason != TROTH_R_NONE);
    }
    bent[der.n] = 0;
    memcpy(bent, der.p, der.n);
    troth_error e = { 0 };
    assert_false(cert_parse(&c, span_of(bent, der.n + 1), NULL, &e));
    assert_int_equal(e.reason, TROTH_R_DER_TRAILING);
    free(bent);
    mk_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths),   cmocka_unit_test(numbers),      cmocka_unit_test(bits_and_oids),
        cmocka_unit_test(times),     cmocka_unit_test(strings),      cmocka_unit_test(depth),
        cmocka_unit_test(witnessed), cmocka_unit_test(cut_and_bent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
