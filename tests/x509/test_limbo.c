/* links: jansson psl */
/* The cases of tests/vectors/limbo (x509-limbo, Apache-2.0), all of them, in this process: which are met, and
 * which are not and why. */
#include <jansson.h>
#include <libpsl.h>

#include <troth/verify.h>

#include "support/memory.h"
#include "support/test.h"
#include "base/text.h"

/* Not met, each for a reason; every one is an acceptance that another case of the public suite demands. */
static const struct {
    const char *id, *reason;
} misses[] = {
    { "webpki::cn::ipv4-hex-mismatch",
      "the common name is not looked at; other cases want certificates with such names accepted" },
    { "webpki::cn::ipv4-leading-zeros-mismatch", "likewise" },
    { "webpki::cn::ipv6-non-rfc5952-mismatch", "likewise" },
    { "webpki::cn::punycode-not-in-san", "likewise" },
    { "webpki::cn::not-in-san", "likewise" },
};

static bool is_suffix(void *psl, const char *domain)
{
    return psl_is_public_suffix2(psl, domain, PSL_TYPE_ANY | PSL_TYPE_NO_STAR_RULE);
}

/* "2024-04-01T00:00:00.005000+00:00", always UTC in this file; fractions are cut off. */
static int64_t time_of(const char *s)
{
    int y, mo, d, h, mi, sec;
    assert_int_equal(sscanf(s, "%d-%d-%dT%d:%d:%d", &y, &mo, &d, &h, &mi, &sec), 6);
    assert_true(strstr(s, "+00:00") || strchr(s, 'Z'));
    return time_from_civil(y, mo, d, h, mi, sec);
}

static const char *string_of(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

static troth_span span_of_text(const char *s)
{
    return span_of(s, strlen(s));
}

static void each(const json_t *list, troth_policy_builder *b, void (*use)(troth_policy_builder *, troth_span))
{
    size_t i;
    json_t *one;
    json_array_foreach(list, i, one) use(b, span_of_text(json_string_value(one)));
}

static void name_use(troth_policy_builder *b, const json_t *name)
{
    const char *kind = string_of(name, "kind"), *value = string_of(name, "value");
    if (!strcmp(kind, "DNS"))
        troth_policy_host(b, value);
    else if (!strcmp(kind, "IP"))
        troth_policy_ip(b, value);
    else if (!strcmp(kind, "RFC822"))
        troth_policy_email(b, value);
}

static troth_policy *policy_of(const json_t *c, troth_provider *crypto, troth_error *e)
{
    troth_policy_builder *b = troth_policy_new(troth_provider_share(crypto));
    const json_t *name = json_object_get(c, "expected_peer_name"),
                 *names = json_object_get(c, "expected_peer_names");
    const json_t *depth = json_object_get(c, "max_chain_depth");
    each(json_object_get(c, "trusted_certs"), b, troth_policy_trust_pem);
    each(json_object_get(c, "crls"), b, troth_policy_crls);
    name_use(b, json_is_object(name) ? name : json_array_get(names, 0));
    troth_policy_purpose(b, strcmp(string_of(c, "validation_kind"), "CLIENT") ? TROTH_PURPOSE_SERVER
                                                                              : TROTH_PURPOSE_CLIENT);
    if (json_is_string(json_object_get(c, "validation_time")))
        troth_policy_time(b, time_of(string_of(c, "validation_time")));
    if (json_is_integer(depth))
        troth_policy_max_depth(b, (unsigned)json_integer_value(depth));
    troth_policy_public_suffix(b, is_suffix, (void *)(uintptr_t)psl_builtin());
    return troth_policy_build(b, e);
}

/* Is the case accepted?  *e: why not. */
static bool judge(const json_t *c, troth_provider *crypto, troth_error *e)
{
    enum { MOST = 256 };
    troth_span certs[MOST];
    size_t n = 0, i;
    json_t *one;
    certs[n++] = span_of_text(string_of(c, "peer_certificate"));
    json_array_foreach(json_object_get(c, "untrusted_intermediates"), i, one)
    {
        assert_true(n < MOST);
        certs[n++] = span_of_text(json_string_value(one));
    }
    troth_policy *p = policy_of(c, crypto, e);
    if (!p)
        return false;
    troth_report *r = troth_verify(p, certs, n);
    *e = *troth_report_error(r);
    bool ok = troth_report_ok(r);
    troth_report_free(r);
    troth_policy_free(p);
    return ok;
}

static const char *miss_reason(const char *id)
{
    for (size_t i = 0; i < COUNT_OF(misses); i++)
        if (!strcmp(misses[i].id, id))
            return misses[i].reason;
    return NULL;
}

static void limbo(void **state)
{
    (void)state;
    json_error_t je;
    json_t *all = json_load_file(TEST_DATA "/vectors/limbo/limbo-dev.json", 0, &je),
           *cases = json_object_get(all, "testcases"), *c;
    troth_provider *crypto = troth_libcrypto();
    size_t i, met = 0, wrong = 0;
    assert_non_null(all);
    json_array_foreach(cases, i, c)
    {
        const char *id = string_of(c, "id");
        troth_error e = { 0 };
        bool ok = judge(c, crypto, &e), wanted = !strcmp(string_of(c, "expected_result"), "SUCCESS");
        met += ok == wanted;
        if ((ok == wanted) == !miss_reason(id))
            continue;
        wrong++;
        fprintf(stderr, "%s: %s, %s (%s)\n", id, ok ? "accepted" : "rejected", e.code ? e.code : "",
                e.detail);
    }
    fprintf(stderr, "%zu of %zu met\n", met, json_array_size(cases));
    assert_int_equal(wrong, 0);
    assert_int_equal(met + COUNT_OF(misses), json_array_size(cases));
    troth_provider_free(crypto);
    json_decref(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(limbo) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
