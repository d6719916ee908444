/* Name constraints (RFC 5280 4.2.1.10): every form, permitted and excluded, both ways; and constraints that
 * are malformed. */
#include "x509/trial_group.h"

/* What the intermediate (or the root) permits and excludes, what the leaf is called, and the verdict. */
struct row {
    const char *permitted, *excluded, *san, *code;
};

static void run(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < 2 * n; i++) {
        const struct row *r = &rows[i / 2];
        const char *p[] = { r->permitted, NULL }, *x[] = { r->excluded, NULL }, *s[] = { r->san, NULL };
        trial_fresh(t);
        struct issue *by = i % 2 ? &t->root : &t->mid;
        by->permitted = r->permitted ? p : NULL;
        by->excluded = r->excluded ? x : NULL;
        t->leaf.san = s;
        t->host = NULL;
        t->purpose = TROTH_PURPOSE_ANY;
        fprintf(stderr, "%s%s / %s%s / %s\n", r->permitted ? "permitted " : "",
                r->permitted ? r->permitted : "", r->excluded ? "excluded " : "",
                r->excluded ? r->excluded : "", r->san);
        trial_expect(t, r->code, __FILE__, __LINE__);
    }
}

#define NC "cert.name-constraint"
#define MC "cert.malformed-constraint"
#define MN "cert.malformed-name"

/* clang-format off */
static void dns(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "DNS:a.example", NULL, "DNS:a.example", "ok" },          { "DNS:a.example", NULL, "DNS:x.a.example", "ok" },
        { "DNS:a.example", NULL, "DNS:xa.example", NC },           { "DNS:a.example", NULL, "DNS:example", NC },
        { "DNS:A.EXAMPLE", NULL, "DNS:x.a.example", "ok" },        { "DNS:a.example", NULL, "DNS:*.a.example", "ok" },
        { "DNS:x.a.example", NULL, "DNS:*.a.example", NC },        { "DNS:a.example", NULL, "IP:192.0.2.1", "ok" },
        { "DNS:", NULL, "DNS:any.example", "ok" },                 { NULL, "DNS:", "DNS:any.example", NC },
        { NULL, "DNS:a.example", "DNS:a.example", NC },            { NULL, "DNS:a.example", "DNS:x.a.example", NC },
        { NULL, "DNS:a.example", "DNS:b.example", "ok" },          { NULL, "DNS:x.a.example", "DNS:*.a.example", NC },
        { NULL, "DNS:y.x.a.example", "DNS:*.a.example", "ok" },    { NULL, "DNS:a.example", "DNS:*.x.a.example", NC },
        { NULL, "DNS:a.example", "DNS:*.example", NC },            { "DNS:.a.example", NULL, "DNS:x.a.example", MC },
        { "DNS:*.a.example", NULL, "DNS:x.a.example", MC },        { NULL, "DNS:a..example", "DNS:b.example", MC },
        { "DNS:example", NULL, "DNS:.a.example", MN },             { NULL, "DNS:b.example", "DNS:a.example.", MN },
        { "DNS:example", NULL, "DNS:a*.example", MN },             { "IP:192.0.2.0/24", NULL, "DNS:.a.example", "ok" },
        { "DNS:a.example", "DNS:a.example", "DNS:a.example", NC }, { NULL, "DNS:b.example", "email:a@b.example", "ok" },
    };
    run(rows, COUNT_OF(rows));
}

static void ip(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "IP:192.0.2.0/24", NULL, "IP:192.0.2.77", "ok" },        { "IP:192.0.2.0/24", NULL, "IP:192.0.3.77", NC },
        { "IP:192.0.2.0/24", NULL, "IP:2001:db8::1", NC },         { "IP:2001:db8::/32", NULL, "IP:2001:db8:ffff::1", "ok" },
        { "IP:2001:db8::/32", NULL, "IP:2001:db9::1", NC },        { "IP:192.0.2.0/24", NULL, "DNS:a.example", "ok" },
        { NULL, "IP:0.0.0.0/0", "IP:192.0.2.1", NC },              { NULL, "IP:0.0.0.0/0", "IP:2001:db8::1", "ok" },
        { NULL, "IP:192.0.2.1/32", "IP:192.0.2.2", "ok" },         { NULL, "IP#:c0000200ff00ff00", "IP:192.0.2.1", MC },
        { "IP#:c0000200ffffff", NULL, "IP:192.0.2.1", MC },        { NULL, "IP:192.0.2.0/23", "IP:192.0.3.1", NC },
    };
    run(rows, COUNT_OF(rows));
}

static void email(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "email:a@b.example", NULL, "email:a@b.example", "ok" },  { "email:a@b.example", NULL, "email:a@B.Example", "ok" },
        { "email:a@b.example", NULL, "email:A@b.example", NC },    { "email:b.example", NULL, "email:x@b.example", "ok" },
        { "email:b.example", NULL, "email:x@y.b.example", NC },    { "email:.b.example", NULL, "email:x@y.b.example", "ok" },
        { "email:.b.example", NULL, "email:x@b.example", NC },     { NULL, "email:b.example", "email:x@b.example", NC },
        { NULL, "email:.b.example", "email:x@y.b.example", NC },   { NULL, "email:a@b.example", "email:b@b.example", "ok" },
        { "email:a@b@c.example", NULL, "email:a@c.example", MC },  { "email:b.example", NULL, "email:nonsense", MN },
        { "email:**@b.example", NULL, "email:**@b.example", "ok" },{ "email:**@b.example", NULL, "email:*@b.example", NC },
        { NULL, "email:@b.example", "email:a@c.example", MC },     { "email:b.example", NULL, "DNS:c.example", "ok" },
    };
    run(rows, COUNT_OF(rows));
}

static void uri(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "URI:a.example", NULL, "URI:https://a.example/x", "ok" },   { "URI:a.example", NULL, "URI:https://x.a.example/", NC },
        { "URI:.a.example", NULL, "URI:https://x.a.example:8/", "ok" },{ "URI:.a.example", NULL, "URI:https://a.example/", NC },
        { NULL, "URI:a.example", "URI:https://u@a.example?q", NC },   { NULL, "URI:a.example", "URI:https://b.example#a.example", "ok" },
        { "URI:a.example", NULL, "URI:https://192.0.2.1/", MN },      { "URI:a.example", NULL, "URI:urn:x", MN },
        { "URI:a.example", NULL, "URI:mailto:u@a.example", MN },      { "URI:https://a.example", NULL, "URI:https://a.example", MC },
        { NULL, "URI:a.example", "URI:https://A.EXAMPLE", NC },       { NULL, "URI:a.example", "URI:https://[::1]/", MN },
        { NULL, "URI:a.example", "URI:https://a.example\\@b.example/", MN }, /* whose is it?  Readers disagree */
        { NULL, "URI:a.example", "URI:https://b.example /", MN },
        { NULL, "URI:a.example", "URI:https://b.example@a.example:443/", NC }, { "URI:a.example", NULL, "DNS:b.example", "ok" },
    };
    run(rows, COUNT_OF(rows));
}

static void directory(void **state)
{
    (void)state;
    static const struct row rows[] = { /* the leaf's own subject is CN=leaf */
        { "dir:CN=leaf", NULL, "DNS:a.example", "ok" },               { "dir:CN=LEAF", NULL, "dir:CN/printable=Leaf", "ok" },
        { "dir:CN=other", NULL, "DNS:a.example", NC },                { "dir:CN=leaf", NULL, "dir:CN=other", NC },
        { NULL, "dir:CN=leaf", "DNS:a.example", NC },                 { NULL, "dir:CN=other", "dir:OU=x,CN=other", NC },
        { NULL, "dir:OU=x,CN=leaf", "DNS:a.example", "ok" },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) { /* set by the intermediate alone: its own name is not under them */
        const char *p[] = { rows[i].permitted, NULL }, *x[] = { rows[i].excluded, NULL }, *s[] = { rows[i].san, NULL };
        CASE(rows[i].code, t->mid.permitted = rows[i].permitted ? p : NULL, t->mid.excluded = rows[i].excluded ? x : NULL, t->leaf.san = s,
             t->host = NULL, t->purpose = TROTH_PURPOSE_ANY);
    }
}

static void others(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { NULL, "other:1.2.3:0500", "other:1.2.3:0500", "cert.unsupported-constraint" }, { NULL, "other:1.2.3:0500", "DNS:a.example", "ok" },
        { "other:1.2.3:0500", NULL, "other:1.2.4:0500", "cert.unsupported-constraint" }, { NULL, "RID:1.2.3", "RID:1.2.3", "cert.unsupported-constraint" },
        { NULL, "RID:1.2.3", "email:a@b.example", "ok" },
    };
    run(rows, COUNT_OF(rows));
}

/* Mailboxes beyond ASCII are otherNames, and bound by the same constraints (RFC 9598 6): \u00fc@b.example, @b.example, b.example. */
static void utf8_mailboxes(void **state)
{
    (void)state;
#define UTF8_MAIL "other:1.3.6.1.5.5.7.8.9:"
    static const struct row rows[] = {
        { "email:b.example", NULL, UTF8_MAIL "0c0cc3bc40622e6578616d706c65", "ok" },
        { "email:c.example", NULL, UTF8_MAIL "0c0cc3bc40622e6578616d706c65", NC },
        { NULL, "email:b.example", UTF8_MAIL "0c0cc3bc40622e6578616d706c65", NC },
        { NULL, "email:.b.example", UTF8_MAIL "0c0cc3bc40622e6578616d706c65", "ok" },
        { "email:a@b.example", NULL, UTF8_MAIL "0c0cc3bc40622e6578616d706c65", NC },
        { "email:b.example", NULL, UTF8_MAIL "0c0a40622e6578616d706c65", MN },
        { NULL, "email:c.example", UTF8_MAIL "0c09622e6578616d706c65", MN },
        { "DNS:b.example", NULL, UTF8_MAIL "0c09622e6578616d706c65", "ok" },
        { "email:b.example", NULL, "other:1.2.3:0c09622e6578616d706c65", "ok" },
    };
    run(rows, COUNT_OF(rows));
}
/* clang-format on */

/* Constraints bind intermediates too; not self-issued ones; the last certificate always; each level narrows.
 */
static void levels(void **state)
{
    (void)state;
    CASE(NC, t->root.excluded = TEXTS("DNS:bad.example"), t->mid.san = TEXTS("DNS:bad.example"));
    SEEN("Test Root");
    CASE("ok", t->root.excluded = TEXTS("DNS:bad.example"), t->mid.san = TEXTS("DNS:good.example"));
    CASE("ok", t->root.excluded = TEXTS("DNS:bad.example"), t->mid.san = TEXTS("DNS:bad.example"),
         t->mid.subject = t->root.subject);
    CASE(NC, t->root.permitted = TEXTS("DNS:example"), t->mid.permitted = TEXTS("DNS:other.example"));
    CASE("ok", t->root.permitted = TEXTS("DNS:example"), t->mid.permitted = TEXTS("DNS:shop.example"));
    CASE(NC, t->root.permitted = TEXTS("DNS:other.example"), t->mid.permitted = TEXTS("DNS:example"));
    CASE("ok", t->mid.permitted = TEXTS("DNS:one.example", "DNS:shop.example"));
    CASE(NC, t->mid.permitted = TEXTS("DNS:one.example", "DNS:two.example"));
    CASE(NC, t->mid.permitted = TEXTS("DNS:example"), t->mid.excluded = TEXTS("DNS:shop.example"));
    /* a leaf that is self-issued is bound all the same */
    CASE(NC, t->mid.excluded = TEXTS("DNS:shop.example"), t->leaf.subject = t->mid.subject);
    /* the mailbox in a subject without subjectAltName */
    CASE(NC, t->mid.permitted = TEXTS("email:b.example"), t->leaf.san = NULL,
         t->leaf.subject = "emailAddress=a@c.example", t->host = NULL, t->purpose = TROTH_PURPOSE_ANY);
    CASE("ok", t->mid.permitted = TEXTS("email:b.example"), t->leaf.san = NULL,
         t->leaf.subject = "emailAddress=a@b.example", t->host = NULL, t->purpose = TROTH_PURPOSE_ANY);
    /* and of one whose subjectAltName has none; where it has one, that one counts */
#define WITH_MAIL t->leaf.subject = "emailAddress=a@c.example", t->host = NULL, t->purpose = TROTH_PURPOSE_ANY
    CASE(NC, t->mid.permitted = TEXTS("email:b.example"), WITH_MAIL);
    CASE(NC, t->mid.excluded = TEXTS("email:c.example"), WITH_MAIL);
    CASE("ok", t->mid.excluded = TEXTS("email:d.example"), WITH_MAIL);
    CASE("ok", t->mid.permitted = TEXTS("email:b.example"), WITH_MAIL, t->leaf.san = TEXTS("email:a@b.example"));
    /* in a certificate that is no authority's */
    CASE("cert.profile", t->leaf.permitted = TEXTS("DNS:shop.example"));
}

static void malformed(void **state)
{
    (void)state;
    static const char *const values[] = { "\x30\x00",
                                          "\x30\x02\xa0\x00",
                                          "\x30\x04\xa0\x00\xa1\x00",
                                          "\x30\x02\x05\x00",
                                          "\x30\x04\x05\x00\x05\x00",
                                          "\x30\x0a\xa0\x08\x30\x06\x82\x01"
                                          "a"
                                          "\x80\x01\x00",
                                          "\x30\x0a\xa0\x08\x30\x06\x82\x01"
                                          "a"
                                          "\x81\x01\x01" };
    static const uint8_t sizes[] = { 2, 4, 6, 4, 6, 12, 12 };
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        struct issue_ext x = { "nameConstraints", true, span_of(values[i], sizes[i]) };
        trial_fresh(t);
        t->mid.extra = &x;
        t->mid.n_extra = 1;
        trial_expect(t, i == 3 || i == 4 ? "cert.malformed-ext" : MC, __FILE__, __LINE__);
    }
    /* what is wrong with it is told */
    CASE(MC, t->mid.permitted = TEXTS("DNS:.example"));
    SEEN("\".example\": the leading period is for mailboxes");
    CASE(MC, t->mid.permitted = TEXTS("DNS:*.example"));
    SEEN("no wildcard");
    CASE(MC, t->mid.excluded = TEXTS("IP#:c0000200ff00ff00"));
    SEEN("192.0.2.0 mask 255.0.255.0");
    CASE(MC, t->mid.excluded = TEXTS("URI:https://a.example"));
    SEEN("no host");
    CASE(MC, t->mid.excluded = TEXTS("email:@a.example"));
    SEEN("no mailbox");
}

/* Thousands of names against thousands of constraints: a rejection, within the budget. */
static void explosion(void **state)
{
    (void)state;
    enum { N = 1500 };
    static char names[N][32], bases[N][32];
    static const char *san[N + 1], *excluded[N + 1];
    for (int i = 0; i < N; i++) {
        snprintf(names[i], sizeof names[i], "DNS:n%d.example", i);
        snprintf(bases[i], sizeof bases[i], "DNS:c%d.example", i);
        san[i] = names[i];
        excluded[i] = bases[i];
    }
    CASE("chain.budget", t->mid.excluded = excluded, t->leaf.san = san, t->host = "n1499.example");
    assert_true(t->work.names <= LIMIT_BUDGET_NAMES + 1);
    san[100] = NULL;
    CASE("ok", t->mid.excluded = excluded, t->leaf.san = san, t->host = "n99.example");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dns),    cmocka_unit_test(ip),        cmocka_unit_test(email),
        cmocka_unit_test(uri),    cmocka_unit_test(directory), cmocka_unit_test(others), cmocka_unit_test(utf8_mailboxes),
        cmocka_unit_test(levels), cmocka_unit_test(malformed), cmocka_unit_test(explosion),
    };
    return cmocka_run_group_tests(tests, trial_setup, trial_teardown);
}
