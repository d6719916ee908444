/* links: crypto */
/* What cannot be used although nothing is wrong with the code: files, PKCS#12 bundles, a provider that fails. */
#include <troth/pki.h>
#include <troth/troth.h>
#include <troth/verify.h>

#include <sys/stat.h>
#include <unistd.h>

#include "fake/fake.h"
#include "support/mkpki.h"
#include "support/test.h"

static void is(const troth_error *e, enum troth_reason why, const char *detail)
{
    if (e->reason != why || !strstr(e->detail, detail))
        test_fail("%s: %s; wanted %s: %s", e->code ? e->code : "nothing", e->detail, troth_reason_code(why), detail);
}

static void provider(void **state)
{
    (void)state;
    troth_provider *fake = fake_provider(1);
    troth_pki *w = troth_pki_new(troth_provider_share(fake));
    assert_non_null(troth_pki_make_key(w, TROTH_KEY_P256, 0));
    fake_fail_in(fake, 1);
    assert_null(troth_pki_make_key(w, TROTH_KEY_P256, 0));
    is(troth_pki_error(w), TROTH_R_CRYPTO_FAILED, "making a key");
    troth_pki_free(w);
    troth_provider_free(fake);
}

static void trust(void **state)
{
    (void)state;
    for (int dir = 0; dir < 2; dir++) {
        troth_error e = { 0 };
        troth_policy_builder *b = troth_policy_new(troth_libcrypto());
        if (dir)
            troth_policy_trust_dir(b, "/nowhere/certs");
        else
            troth_policy_trust_file(b, "/nowhere/roots.pem");
        assert_null(troth_policy_build(b, &e));
        is(&e, TROTH_R_TRUST_UNREADABLE, "/nowhere/");
    }
}

static void files_of_a_server(const char *chain, const char *key, enum troth_reason why, const char *detail)
{
    troth_error e = { 0 };
    troth_builder *b = troth_server_builder(troth_libcrypto());
    troth_identity_files(b, chain, key);
    assert_null(troth_build_server(b, &e));
    is(&e, why, detail);
}

/* Of somebody else: as root, who may read everything, we are somebody else for a moment. */
static void permission(void **state)
{
    (void)state;
    struct mk *m = mk_new();
    const char *path = mk_file(m, "secret.pem", SPAN_TEXT("whatever"));
    assert_int_equal(chmod(path, 0), 0);
    uid_t us = geteuid();
    assert_true(us || !seteuid(65534));
    files_of_a_server(path, path, TROTH_R_FILE_PERMISSION, "secret.pem");
    assert_true(us || !seteuid(0));
    mk_free(m);
}

static void pkcs12(void **state)
{
    (void)state;
    const char *out;
    struct mk *m = mk_new();
    mk_file(m, "x", SPAN_NONE);
    if (mk_run(m, &out, "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=x -days 2 -keyout k.pem -out c.pem 2>&1 "
                        "&& openssl pkcs12 -export -nokeys -in c.pem -passout pass: -out certs.p12 "
                        "&& openssl pkcs12 -export -nocerts -inkey k.pem -in c.pem -passout pass: -out key.p12 && pwd"))
        test_fail("%s", out);
    char dir[256], chain[300], certs[300], key[300];
    const char *end = strrchr(out, '\n'), *line;
    assert_non_null(end);
    for (line = end; line > out && line[-1] != '\n'; line--)
        ;
    snprintf(dir, sizeof dir, "%.*s", (int)(end - line), line);
    snprintf(chain, sizeof chain, "%s/c.pem", dir);
    snprintf(certs, sizeof certs, "%s/certs.p12", dir);
    snprintf(key, sizeof key, "%s/key.p12", dir);
    files_of_a_server(key, key, TROTH_R_PKCS12_NOTHING, "no certificate");
    files_of_a_server(chain, certs, TROTH_R_PKCS12_NOTHING, "no private key");
    files_of_a_server(chain, certs, TROTH_R_PKCS12_NOTHING, certs); /* which of several it is */
    mk_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(provider), cmocka_unit_test(trust), cmocka_unit_test(permission),
                                        cmocka_unit_test(pkcs12) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
