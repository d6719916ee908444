/* cli/serve/herald.c, cli/common/subject.c: the common name in a subject, and cipher suites as others write them. */
#include "../../cli/common/digits.c"
#include "../../cli/common/subject.c"
#include "../../cli/serve/announce.c"
#include "../../cli/serve/herald.c"

#include "support/test.h"

const struct identity_facts *identities_own(const struct identities *s, size_t i)
{
    (void)s;
    (void)i;
    return NULL;
}

static void test_common_name(void **state)
{
    static const struct { const char *dn, *cn; } rows[] = {
        { "CN=me", "me" },
        { "CN=me,O=Shop", "me" },
        { "O=Shop,CN=me", "me" },
        { "OU=a+CN=me+UID=7,O=Shop", "me" },
        { "O=CN\\=x\\,CN=x,CN=me", "me" },
        { "O=a\\\\,CN=me", "me" },
        { "CN=a\\,b\\+c\\\\d\\\"", "a,b+c\\d\"" },
        { "CN=M\\C3\\BCller", "M\xc3\xbcller" },
        { "CN=first,CN=second", "first" },
        { "CN=", "" },
        { "CN=admin\\00.evil", "" }, { "CN=\\00", "" }, /* for others it goes on */
        { "CN=#0403616263", "" },
        { "SERIALNUMBER=1,XCN=no", "" },
        { "O=Shop", "" },
        { "", "" },
        { "CN=me\\", "me\\" },
        { "CN=12345678901234567890123456789012345678901", "" }, /* does not fit, and half a name is another's */
        { "CN=123456789012345678901234567890123456789", "123456789012345678901234567890123456789" },
    };
    char out[40];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        common_name(out, sizeof out, rows[i].dn);
        assert_string_equal(out, rows[i].cn);
    }
}

static void test_ciphers(void **state)
{
    static const struct { const char *iana, *other; } rows[] = {
        { "TLS_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256" },
        { "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256" },
        { "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384" },
        { "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-RSA-CHACHA20-POLY1305" },
    };
    char out[80];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cipher_name(out, sizeof out, rows[i].iana);
        assert_string_equal(out, rows[i].other);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_common_name), cmocka_unit_test(test_ciphers) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
