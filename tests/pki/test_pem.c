/* What is in a file: PEM blocks in any surroundings, DER, and everything that is neither. */
#include "support/test.h"

#include "support/memory.h"
#include "x509/pem.h"

static struct arena arena;
static struct pki_ctx ctx;

static size_t read_text(const char *text, size_t n, struct object **list)
{
    size_t count = 0;
    ctx = (struct pki_ctx){ .arena = &arena };
    /* its own block, so that a read past the end is seen */
    uint8_t *exact = arena_alloc(&arena, n ? n : 1);
    memcpy(exact, text, n);
    if (!objects_read(&ctx, span_of(exact, n), list, &count))
        assert_int_not_equal(ctx.error.reason, TROTH_R_NONE);
    else
        assert_int_equal(ctx.error.reason, TROTH_R_NONE);
    return count;
}

static void reads(const char *text, size_t want, struct object **list)
{
    assert_int_equal(read_text(text, strlen(text), list), want);
    assert_int_equal(ctx.error.reason, TROTH_R_NONE);
}

static void refuses(const char *text, size_t n, enum troth_reason why, const char *detail)
{
    struct object *list;
    read_text(text, n, &list);
    if (ctx.error.reason != why || !strstr(ctx.error.detail, detail))
        test_fail("for \"%.40s\": %s (%s), wanted %s (%s)", text, ctx.error.code, ctx.error.detail, troth_reason_code(why), detail);
}

#define A "-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----\n"
#define K "-----BEGIN PRIVATE KEY-----\nMAMCAQI=\n-----END PRIVATE KEY-----\n"

static void blocks(void **state)
{
    (void)state;
    struct object *o;
    reads(A, 1, &o);
    assert_int_equal(o->kind, OBJECT_CERTIFICATE);
    assert_int_equal(o->der.n, 5);
    assert_memory_equal(o->der.p, "\x30\x03\x02\x01\x01", 5);
    assert_int_equal(o->line, 1);
    reads("words before\n\n" A "Bag Attributes\n    friendlyName: x\n" K "words behind", 2, &o);
    assert_int_equal(o[0].line, 3);
    assert_int_equal(o[1].line, 8);
    assert_int_equal(o[1].kind, OBJECT_PRIVATE_KEY);
    assert_memory_equal(o[1].comment.p, "Bag Attributes", 14);
    assert_memory_equal(o[1].pem.p, "-----BEGIN PRIVATE", 18);
    reads("-----BEGIN CERTIFICATE-----\r\nMAMC\r\nAQE=\r\n-----END CERTIFICATE-----\r\n", 1, &o);
    reads("-----BEGIN CERTIFICATE-----\rMAMC\rAQE=\r-----END CERTIFICATE-----\r", 1, &o);
    reads("\xef\xbb\xbf" A, 1, &o);
    reads("  -----BEGIN CERTIFICATE-----  \n  MAMC AQE= \n\n  -----END CERTIFICATE-----", 1, &o);
    reads("# -----BEGIN CERTIFICATE-----\n" A, 1, &o);
    reads("-----BEGIN NONSENSE-----\nAAAA\n-----END NONSENSE-----\n" A, 2, &o);
    assert_int_equal(o[0].kind, OBJECT_UNKNOWN);
}

static void headers(void **state)
{
    (void)state;
    struct object *o;
    reads("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nMAMCAQE=\n"
          "-----END RSA PRIVATE KEY-----\n", 1, &o);
    assert_int_equal(o->kind, OBJECT_RSA_KEY);
    assert_true(o->encrypted);
    assert_int_equal(o->der.n, 5);
    reads("-----BEGIN CERTIFICATE-----\nComment: hello\n\nMAMCAQE=\n-----END CERTIFICATE-----\n", 1, &o);
    assert_false(o->encrypted);
    reads("-----BEGIN PGP PUBLIC KEY BLOCK-----\nVersion: 1\n\nMAMCAQE=\n=abcd\n-----END PGP PUBLIC KEY BLOCK-----\n", 1, &o);
    assert_int_equal(o->kind, OBJECT_PGP);
}

static void broken(void **state)
{
    (void)state;
    static const struct {
        const char       *text;
        enum troth_reason why;
        const char       *detail;
    } rows[] = {
        /* clang-format off */
        { "-----BEGIN CERTIFICATE-----\nMAMCAQE=\n",                                          TROTH_R_CONFIG_PEM_BROKEN, "line 1" },
        { "x\n-----BEGIN CERTIFICATE-----\nMAMCAQE=\n" A,                                     TROTH_R_CONFIG_PEM_BROKEN, "line 2" },
        { "-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END PRIVATE KEY-----\n",               TROTH_R_CONFIG_PEM_BROKEN, "line 3" },
        { "-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE---\n",                 TROTH_R_CONFIG_PEM_BROKEN, "line 3" },
        { "-----BEGIN CERTIFICATE-----MAMCAQE=-----END CERTIFICATE-----",                     TROTH_R_CONFIG_PEM_BROKEN, "stand alone" },
        { "-----BEGIN CERTIFICATE\nMAMCAQE=\n-----END CERTIFICATE-----",                      TROTH_R_CONFIG_PEM_BROKEN, "line 1" },
        { "-----BEGIN CERTIFICATE-----\nMAMC!QE=\n-----END CERTIFICATE-----\n",               TROTH_R_CONFIG_PEM_BASE64, "line 1" },
        { "-----BEGIN CERTIFICATE-----\nMAMCA\n-----END CERTIFICATE-----\n",                  TROTH_R_CONFIG_PEM_BASE64, "line 1" },
        { "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",                         TROTH_R_CONFIG_PEM_BASE64, "line 1" },
        { "-----BEGIN CERTIFICATE-----\n-----BEG\n-----END CERTIFICATE-----\n",               TROTH_R_CONFIG_PEM_BASE64, "line 1" },
        { "",                                                                                 TROTH_R_CONFIG_EMPTY, "empty" },
        { " \r\n\t ",                                                                         TROTH_R_CONFIG_EMPTY, "empty" },
        { "\xef\xbb\xbf\n",                                                                   TROTH_R_CONFIG_EMPTY, "empty" },
        { "hello, this is a letter",                                                          TROTH_R_CONFIG_NO_PEM, "text" },
        { "<!DOCTYPE html><html><body>404</body></html>",                                     TROTH_R_CONFIG_HTML, "web page" },
        { "  <html>\n",                                                                       TROTH_R_CONFIG_HTML, "web page" },
        { "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAzzzzzzzzzzzzzzzzzzzzzzzz",           TROTH_R_CONFIG_NO_PEM, "BEGIN" },
        { "ssh-ed25519 AAAAC3Nz x@y\n",                                                       TROTH_R_CONFIG_IS_SSH, "OpenSSH" },
        /* clang-format on */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        refuses(rows[i].text, strlen(rows[i].text), rows[i].why, rows[i].detail);
    refuses("\xff\xfe-\0-\0", 6, TROTH_R_CONFIG_UTF16, "UTF-16");
    refuses("\x7f" "ELF\0\0\0\0\1\2\3\4", 12, TROTH_R_CONFIG_GIBBERISH, "neither");
}

static void shapes(void **state)
{
    (void)state;
    static const struct {
        const char      *der;
        size_t           n;
        enum object_kind kind;
    } rows[] = {
#define ROW(der, kind) { der, sizeof(der) - 1, OBJECT_##kind }
        /* clang-format off */
        ROW("\x30\x0c\x30\x05\xa0\x03\x02\x01\x02\x30\x00\x03\x01\x00", CERTIFICATE),
        ROW("\x30\x10\x30\x09\x02\x01\x00\x30\x00\x30\x00\xa0\x00\x30\x00\x03\x01\x00", CSR),
        ROW("\x30\x0d\x30\x06\x30\x00\x30\x00\x17\x00\x30\x00\x03\x01\x00", CRL),
        ROW("\x30\x07\x02\x01\x00\x30\x00\x04\x00", PRIVATE_KEY),
        ROW("\x30\x05\x02\x01\x01\x04\x00", EC_KEY),
        ROW("\x30\x05\x02\x01\x03\x30\x00", PKCS12),
        ROW("\x30\x1b\x02\x01\x00\x02\x01\x01\x02\x01\x01\x02\x01\x01\x02\x01\x01\x02\x01\x01\x02\x01\x01\x02\x01\x01\x02\x01\x01", RSA_KEY),
        ROW("\x30\x06\x30\x02\x06\x00\x04\x00", ENCRYPTED_KEY),
        ROW("\x30\x06\x30\x02\x06\x00\x03\x00", PUBLIC_KEY),
        ROW("\x30\x03\x0a\x01\x06", OCSP_RESPONSE),
        ROW("\x30\x03\x06\x01\x2a", PKCS7),
        ROW("\x30\x03\x01\x01\xff", DER),
        ROW("\x31\x03\x01\x01\xff", UNKNOWN),
        /* clang-format on */
#undef ROW
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(rows[i].n, 2u + (size_t)rows[i].der[1]); /* the row itself */
        assert_int_equal(object_kind_of_der(span_of(rows[i].der, rows[i].n)), rows[i].kind);
    }
    struct object *o;
    char two[26];
    memcpy(two, "\x30\x07\x02\x01\x00\x30\x00\x04\x00", 9);
    memcpy(two + 9, "\x30\x06\x30\x02\x06\x00\x03\x00", 8);
    assert_int_equal(read_text(two, 17, &o), 2);
    assert_int_equal(o[1].kind, OBJECT_PUBLIC_KEY);
    two[17] = 'x'; /* stays with the object before: its parser refuses it */
    assert_int_equal(read_text(two, 18, &o), 2);
    assert_int_equal(o[1].der.n, 9);
}

static void wanted(void **state)
{
    (void)state;
    struct object *o;
    reads("-----BEGIN CERTIFICATE REQUEST-----\nMAMCAQE=\n-----END CERTIFICATE REQUEST-----\n", 1, &o);
    assert_false(objects_wanted(&ctx, OBJECT_CERTIFICATE, o));
    assert_int_equal(ctx.error.reason, TROTH_R_CONFIG_IS_CSR);
    assert_string_equal(ctx.error.detail, "this is a certificate request in line 1, not a certificate");
    reads("-----BEGIN WHATEVER-----\nMAMCAQE=\n-----END WHATEVER-----\n", 1, &o);
    assert_false(objects_wanted(&ctx, OBJECT_CERTIFICATE, o));
    assert_int_equal(ctx.error.reason, TROTH_R_CONFIG_IS_OTHER);
    assert_non_null(strstr(ctx.error.detail, "WHATEVER"));
}

/* Each kind of file, given where another was wanted, has its own reason. */
static void instead(void **state)
{
    (void)state;
    static const struct {
        const char       *label;
        enum troth_reason why;
    } rows[] = {
        { "CERTIFICATE", TROTH_R_CONFIG_IS_CERTIFICATE },   { "TRUSTED CERTIFICATE", TROTH_R_CONFIG_IS_CERTIFICATE },
        { "X509 CRL", TROTH_R_CONFIG_IS_CRL },              { "PRIVATE KEY", TROTH_R_CONFIG_IS_KEY },
        { "ENCRYPTED PRIVATE KEY", TROTH_R_CONFIG_IS_KEY }, { "EC PRIVATE KEY", TROTH_R_CONFIG_IS_KEY },
        { "PUBLIC KEY", TROTH_R_CONFIG_IS_PUBLIC_KEY },     { "PKCS7", TROTH_R_CONFIG_IS_PKCS7 },
        { "PKCS12", TROTH_R_CONFIG_IS_PKCS12 },             { "EC PARAMETERS", TROTH_R_CONFIG_IS_OTHER },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[256];
        struct object *o;
        snprintf(text, sizeof text, "-----BEGIN %s-----\nMAMCAQE=\n-----END %s-----\n", rows[i].label, rows[i].label);
        reads(text, 1, &o);
        assert_false(objects_wanted(&ctx, OBJECT_CSR, o));
        assert_int_equal(ctx.error.reason, rows[i].why);
    }
    struct object *o;
    assert_int_equal(read_text("\x30\x03\x0a\x01\x06", 5, &o), 1);
    assert_false(objects_wanted(&ctx, OBJECT_CERTIFICATE, o));
    assert_int_equal(ctx.error.reason, TROTH_R_CONFIG_IS_OCSP);
    assert_int_equal(read_text("\x30\x03\x01\x01\xff", 5, &o), 1);
    assert_false(objects_wanted(&ctx, OBJECT_CERTIFICATE, o));
    assert_int_equal(ctx.error.reason, TROTH_R_CONFIG_UNKNOWN_DER);
}

static void writes(void **state)
{
    (void)state;
    uint8_t der[300];
    char out[1024];
    for (size_t i = 0; i < sizeof der; i++)
        der[i] = (uint8_t)(i * 7);
    for (size_t n = 1; n <= sizeof der; n++) {
        size_t need = pem_write(NULL, 0, "CERTIFICATE", span_of(der, n));
        size_t len = pem_write(out, sizeof out, "CERTIFICATE", span_of(der, n));
        assert_true(len && len <= need);
        struct object *o;
        assert_int_equal(read_text(out, len, &o), 1);
        assert_int_equal(o->der.n, n);
        assert_memory_equal(o->der.p, der, n);
        assert_int_equal(pem_write(out, 40, "CERTIFICATE", span_of(der, n)), 0);
    }
}

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, &test_memory, 4096);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks), cmocka_unit_test(headers), cmocka_unit_test(broken),
        cmocka_unit_test(shapes), cmocka_unit_test(wanted),  cmocka_unit_test(writes),
        cmocka_unit_test(instead),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
