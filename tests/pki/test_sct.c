/* SCTs: embedded (the precertificate is put together again), from OCSP, from TLS; logs known and unknown. */
#include "support/mkpki.h"
#include "support/test.h"
#include "x509/sct.h"

static struct mk *m;
static struct issue root, leaf;
static struct cert root_cert;
static const troth_key *log_key[3];
static struct ct_log logs[3];

static void parsed(struct cert *c, span der)
{
    troth_error e = { 0 };
    if (!cert_parse(c, der, NULL, &e))
        test_fail("%s: %s", e.code, e.detail);
}

static span sct(const struct issue_sct *s)
{
    span out = SPAN_NONE;
    if (!issue_sct(&m->p, s, &out))
        test_fail("%s: %s", m->p.error.code, m->p.error.detail);
    return out;
}

static void write_list(struct wr *w, const void *spans)
{
    const span *s = spans;
    size_t n = 0;
    while (s[n].p)
        n++;
    sct_list_write(w, s, n);
}

static span list_of(const span *scts)
{
    span out = SPAN_NONE;
    assert_true(write_out(&m->p, write_list, scts, "list", &out));
    return out;
}

static struct sct_answer ask(const struct cert *c, span in_ocsp, span in_tls, unsigned budget)
{
    struct sct_answer a;
    struct sct_question q = { .crypto = m->crypto, .cert = c, .issuer = &root_cert, .logs = logs, .n_logs = 2, .in_ocsp = in_ocsp,
                              .in_tls = in_tls, .now = MK_NOW, .max_signatures = budget };
    sct_status(&a, &q);
    return a;
}

static const uint64_t then = (uint64_t)(MK_NOW - 60) * 1000;

/* A leaf with these SCTs of its precertificate in it. */
static void embed(struct cert *c, struct issue_sct *specs, size_t n)
{
    struct issue s = leaf;
    span tbs, spki, scts[5] = { { 0 } };
    assert_true(n < COUNT_OF(scts));
    assert_true(issue_tbs(&m->p, &s, &tbs) && issue_spki(&m->p, &root, &spki));
    for (size_t i = 0; i < n; i++) {
        specs[i].tbs = tbs;
        specs[i].issuer_spki = spki;
        scts[i] = sct(&specs[i]);
    }
    s.sct_list = list_of(scts);
    parsed(c, mk_cert(m, &s));
}

static void embedded(void **state)
{
    (void)state;
    struct cert c;
    struct issue_sct specs[4] = { { .log = log_key[0], .milliseconds = then }, { .log = log_key[1], .milliseconds = then + 1000 },
                                  { .log = log_key[1], .milliseconds = then }, { .log = log_key[2], .milliseconds = then } };
    embed(&c, specs, 4);
    struct sct_answer a = ask(&c, SPAN_NONE, SPAN_NONE, 10);
    assert_int_equal(a.n, 4);
    assert_int_equal(a.good_logs, 2); /* one log twice counts once; the third is not in the list */
    assert_int_equal(a.v[0].why, TROTH_R_NONE);
    assert_int_equal(a.v[3].why, TROTH_R_SCT_UNKNOWN_LOG);
    assert_int_equal(a.newest, MK_NOW - 59);
    assert_string_equal(a.v[1].log->name, "log 1");
    a = ask(&c, SPAN_NONE, SPAN_NONE, 1);
    assert_int_equal(a.good_logs, 1);
    assert_int_equal(a.v[1].why, TROTH_R_CHAIN_BUDGET);
    specs[0].bad_signature = true;
    specs[1].milliseconds = (uint64_t)(MK_NOW + 1) * 1000;
    embed(&c, specs, 2);
    a = ask(&c, SPAN_NONE, SPAN_NONE, 10);
    assert_int_equal(a.good_logs, 0);
    assert_int_equal(a.v[0].why, TROTH_R_SCT_SIGNATURE);
    assert_int_equal(a.v[1].why, TROTH_R_SCT_FUTURE);
}

/* Lengths that change their own length when the list is taken out: certificates of every size around the steps. */
static void sizes(void **state)
{
    (void)state;
    for (size_t n = 0; n < 400; n += 7) {
        struct issue_ext pad = { "1.2.3.4", false, SPAN_NONE };
        uint8_t *fill = calloc(1, n + 1);
        struct issue keep = leaf;
        struct cert c;
        struct issue_sct spec = { .log = log_key[n % 2], .milliseconds = then };
        pad.value = span_of(fill, n);
        leaf = (struct issue){ .by = &root, .subject = "CN=x", .key = leaf.key, .not_before = leaf.not_before,
                               .not_after = leaf.not_after, .omit = IX_SKI | IX_AKI, .extra = &pad, .n_extra = n ? 1 : 0 };
        leaf.serial = SPAN_TEXT("\5");
        if (n) {
            embed(&c, &spec, 1);
            struct sct_answer a = ask(&c, SPAN_NONE, SPAN_NONE, 10);
            if (a.good_logs != 1)
                test_fail("padding %zu: %s", n, troth_reason_code(a.v[0].why));
        }
        leaf = keep;
        free(fill);
    }
}

static void beside_the_certificate(void **state)
{
    (void)state;
    struct cert c;
    parsed(&c, mk_cert(m, &leaf));
    struct issue_sct one = { .log = log_key[0], .milliseconds = then, .cert = c.raw }, two = one;
    two.log = log_key[1];
    span first[] = { sct(&one), { 0 } }, second[] = { sct(&two), { 0 } };
    struct sct_answer a = ask(&c, list_of(first), list_of(second), 10);
    assert_int_equal(a.good_logs, 2);
    assert_int_equal(a.v[0].source, SCT_IN_OCSP);
    assert_int_equal(a.v[1].source, SCT_IN_TLS);
    struct cert other;
    struct issue s = leaf;
    s.serial = SPAN_TEXT("\7");
    parsed(&other, mk_cert(m, &s));
    a = ask(&other, list_of(first), SPAN_NONE, 10);
    assert_int_equal(a.good_logs, 0);
    assert_int_equal(a.v[0].why, TROTH_R_SCT_SIGNATURE);
}

static void malformed(void **state)
{
    (void)state;
    struct cert c;
    parsed(&c, mk_cert(m, &leaf));
    struct issue_sct one = { .log = log_key[0], .milliseconds = then, .cert = c.raw };
    span v2 = SPAN_TEXT("\1whatever"), both[] = { v2, sct(&one), { 0 } }, all = list_of(both), list;
    struct sct_answer a = ask(&c, SPAN_NONE, all, 10);
    assert_int_equal(a.n, 2);
    assert_int_equal(a.v[0].why, TROTH_R_SCT_MALFORMED);
    assert_int_equal(a.good_logs, 1);
    troth_error e = { 0 };
    for (size_t n = 0; n < all.n; n++) {
        uint8_t *exact = malloc(n ? n : 1);
        memcpy(exact, all.p, n);
        assert_false(scts_open(span_of(exact, n), &list, NULL, &e));
        if (n) {
            a = ask(&c, SPAN_NONE, span_of(exact, n), 10);
            assert_int_equal(a.why, TROTH_R_SCT_MALFORMED);
        }
        free(exact);
    }
    assert_false(scts_open(SPAN_TEXT("\0\0"), &list, NULL, &e));
}

static void which_keys(void **state)
{
    (void)state;
    struct ct_log log;
    span spki;
    assert_true(key_spki(&m->p, mk_key(m, TROTH_KEY_P384), &spki));
    assert_false(ct_log_init(&log, m->crypto, spki, "x"));
    assert_false(ct_log_init(&log, m->crypto, SPAN_TEXT("nonsense"), "x"));
}

static int setup(void **state)
{
    (void)state;
    m = mk_new();
    root = mk_ca("CN=Root", mk_key(m, TROTH_KEY_P256));
    leaf = mk_leaf(&root, mk_key(m, TROTH_KEY_P256), "a.example");
    leaf.serial = SPAN_TEXT("\x55");
    parsed(&root_cert, mk_cert(m, &root));
    for (int i = 0; i < 3; i++) {
        static const char *const names[] = { "log 0", "log 1", "log 2" };
        span spki;
        log_key[i] = mk_key(m, i == 1 ? TROTH_KEY_RSA : TROTH_KEY_P256);
        assert_true(key_spki(&m->p, log_key[i], &spki));
        assert_true(ct_log_init(&logs[i], m->crypto, spki, names[i]));
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    mk_free(m);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(embedded), cmocka_unit_test(sizes), cmocka_unit_test(beside_the_certificate), cmocka_unit_test(malformed),
        cmocka_unit_test(which_keys),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
