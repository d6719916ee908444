/* Names: hosts, wildcards, addresses, mailboxes (RFC 9525), distinguished names (RFC 5280 7.1), and near
 * misses. */
#include "x509/names.h"

#include "x509/trial_group.h"
#include "x509/verify.h"

static span text(const char *s)
{
    return span_of(s, strlen(s));
}

static void matching(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct { const char *pattern, *host; bool yes; } rows[] = {
        { "a.example", "a.example", true },        { "A.EXAMPLE", "a.example", true },        { "a.example", "b.example", false },
        { "*.example.com", "a.example.com", true },{ "*.example.com", "example.com", false }, { "*.example.com", "a.b.example.com", false },
        { "*.EXAMPLE.com", "a.example.com", true },{ "a*.example.com", "ab.example.com", false }, { "*a.example.com", "ba.example.com", false },
        { "a.*.example.com", "a.b.example.com", false }, { "*", "localhost", false },         { "*.", "a.", false },
        { "xn--*-1b3c148a.example", "xn--bliss-1b3c148a.example", false },                    { "*.example.com", "xn--bcher-kva.example.com", true },
        { "*.*.example.com", "a.b.example.com", false }, { ".example.com", "a.example.com", false }, { "a.example.", "a.example", false },
        { "", "", false }, { "*.example.com", ".example.com", true /* a host like this never gets here */ }, { "a_b.example", "a_b.example", true },
    };
    /* clang-format on */
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (dns_matches(text(rows[i].pattern), text(rows[i].host)) != rows[i].yes)
            test_fail("%s against %s", rows[i].pattern, rows[i].host);
}

static void well_formed(void **state)
{
    (void)state;
    static const char *const good[] = { "a", "a.b", "a-b.c", "_dmarc.a", "1.2", "xn--a" };
    static const char *const bad[] = { "", ".", "a.", ".a", "a..b", "a b", "a*", "*.a", "a\x80", "a,b" };
    for (size_t i = 0; i < COUNT_OF(good); i++)
        assert_true(dns_ok(text(good[i])));
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        if (dns_ok(text(bad[i])))
            test_fail("\"%s\"", bad[i]);
    char label[70];
    memset(label, 'a', sizeof label);
    assert_true(dns_ok(span_of(label, 63)));
    assert_false(dns_ok(span_of(label, 64)));
}

static void addresses(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct { const char *in, *out; } rows[] = {
        { "192.0.2.1", "192.0.2.1" }, { "0.0.0.0", "0.0.0.0" }, { "256.0.0.1", NULL }, { "1.2.3", NULL }, { "1.2.3.4.", NULL }, { "01.2.3.4", NULL },
        { "1.2.3.4.5", NULL }, { "0x1.2.3.4", NULL }, { "", NULL }, { "::", "::" }, { "::1", "::1" }, { "1::", "1::" }, { "2001:DB8::1", "2001:db8::1" },
        { "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1" }, { "[::1]", "::1" }, { "fe80::1%eth0", "fe80::1" }, { "::ffff:192.0.2.1", "::ffff:c000:201" },
        { "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8" }, { "1:2:3:4:5:6:7", NULL }, { "1:2:3:4:5:6:7:8:9", NULL }, { "1::2::3", NULL }, { ":1", NULL },
        { "1:", NULL }, { "12345::", NULL }, { "1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304" }, { "::1.2.3", NULL }, { "1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0" },
        { "1:2:3:4:5:6:7:8::", NULL }, { "g::", NULL },
    };
    /* clang-format on */
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint8_t ip[16];
        char in[64];
        struct text out = TEXT_IN(in);
        size_t n = ip_read(ip, text(rows[i].in));
        if ((n != 0) != (rows[i].out != NULL))
            test_fail("%s: %zu bytes", rows[i].in, n);
        ip_text(&out, (span){ ip, n });
        if (n && strcmp(out.p, rows[i].out))
            test_fail("%s: %s, not %s", rows[i].in, out.p, rows[i].out);
    }
}

static void mailboxes(void **state)
{
    (void)state;
    static const char *const good[] = { "a@b", "a.b@c.d", "\"a@b\"@c", "\"a\\\"b\"@c", "**@c", "a+b@c" };
    static const char *const bad[] = { "",     "a",      "@b",    "a@",    "a@@b", "a@b@c", ".a@b",
                                       "a.@b", "a..b@c", "a b@c", "a@b c", "\"@c", "\"\"@c" };
    span l, h;
    for (size_t i = 0; i < COUNT_OF(good); i++)
        if (!mailbox_split(text(good[i]), &l, &h))
            test_fail("%s", good[i]);
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        if (mailbox_split(text(bad[i]), &l, &h))
            test_fail("%s", bad[i]);
    assert_true(mailbox_equal(text("a@B.c"), text("a@b.C")));
    assert_false(mailbox_equal(text("A@b.c"), text("a@b.c")));
}

static span dn(const char *s)
{
    static uint8_t room[64][512];
    static size_t next;
    struct wr w = wr_into(room[next++ % 64], 512);
    dn_write(&w, s);
    assert_true(wr_ok(&w));
    return wr_done(&w);
}

static void distinguished(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct { const char *a, *b; bool same; } rows[] = {
        { "CN=A", "CN=a", true },                          { "CN=A B", "CN= a  b ", true },          { "CN=A", "O=A", false },
        { "CN/printable=Name", "CN/utf8=NAME", true },     { "CN/bmp=Name", "CN/utf8=name", true },  { "CN/universal=Name", "CN/ia5=name", true },
        { "CN=A,O=B", "O=B,CN=A", false },                 { "CN=A+O=B", "O=B+CN=A", true },         { "CN=A,O=B", "CN=A", false },
        { "CN=B\xc3\xbc" "cher", "CN=b\xc3\x9c" "CHER", true }, { "CN=a\xc2\xad" "b", "CN=ab", true }, { "CN=\xce\xa3", "CN=\xcf\x82", true },
        { "CN=a\xe2\x80\x83" "b", "CN=a b", true },        { "CN=\xef\xbc\xa1", "CN=a", true },      { "CN=", "CN= ", true },
        { "CN=ab", "CN=a b", false },                      { "CN=#0401ff", "CN=#0401fe", false },    { "CN=#0401ff", "CN=#0401ff", true },
        { "CN=\xd0\x90", "CN=\xd0\xb0", true },            { "CN=A+O=B+L=C", "CN=A+O=B", false },
        { "CN=\xc3\xa9", "CN=e\xcc\x81", true },             { "CN=\xc3\x89", "CN=e\xcc\x81", true },      { "CN=e", "CN=e\xcc\x81", false },
        { "CN=stra\xc3\x9f" "e", "CN=STRASSE", true },      { "CN=#1e0200e9", "CN=E\xcc\x81", true },  { "CN=\xef\xac\x81n", "CN=Fin", true },
        { "CN=a\xcc\xa3\xcc\x81", "CN=a\xcc\x81\xcc\xa3", true }, { "CN=a\xcc\x81\xcc\x80", "CN=a\xcc\x80\xcc\x81", false },
        { "CN=\xea\xb0\x81", "CN=\xe1\x84\x80\xe1\x85\xa1\xe1\x86\xa8", true }, { "CN=e\xe2\x80\x8d\xcc\x81", "CN=\xc3\xa9", true },
        { "CN=\xe1\xbb\x87", "CN=e\xcc\x82\xcc\xa3", true }, { "CN=\xe1\xbb\x87", "CN=e\xcc\x82", false },
        { "CN=\xe2\x84\xaa", "CN=k", true },                { "CN=\xcc\x81", "CN=\xcc\x80", false },     { "CN=\xe2\x80\x8d", "CN=", true },
    };
    /* clang-format on */
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        span a = dn(rows[i].a), b = dn(rows[i].b);
        bool same = name_equal(a, b), hashes = name_hash(a) == name_hash(b);
        if (same != rows[i].same || name_equal(b, a) != same || hashes != same)
            test_fail("%s and %s: %s, hashes %s", rows[i].a, rows[i].b, same ? "same" : "not the same",
                      hashes ? "same" : "differ");
    }
    assert_true(name_within(dn("CN=x,O=B"), dn("O=b")));
    assert_false(name_within(dn("O=B"), dn("CN=x,O=b")));
    assert_true(name_within(dn("O=B"), (span){ (const uint8_t *)"\x30\0", 2 }));
}

static bool co_uk(void *ctx, const char *domain)
{
    (void)ctx;
    return !strcmp(domain, "co.uk");
}

static void hosts(void **state)
{
    (void)state;
    CASE("cert.name-mismatch", t->host = "shop.test");
    SEEN("shop.example");
    CASE("ok", t->leaf.san = TEXTS("DNS:*.shop.example"), t->host = "a.shop.example");
    CASE("cert.wildcard-depth", t->leaf.san = TEXTS("DNS:*.shop.example"), t->host = "a.b.shop.example");
    CASE("cert.name-mismatch", t->leaf.san = TEXTS("DNS:*.shop.example"));
    CASE("cert.cn-only", t->leaf.san = NULL, t->leaf.subject = "CN=shop.example");
    CASE("cert.name-mismatch", t->leaf.san = NULL);
    CASE("cert.cn-only", t->leaf.san = TEXTS("email:a@b.example"), t->leaf.subject = "CN=shop.example");
    CASE("cert.name-mismatch", t->leaf.subject = "CN=shop.test",
         t->host = "shop.test"); /* a CN beside names is no name, and no hint */
    CASE("cert.ip-without-ip-san", t->host = NULL, t->ip = "192.0.2.1");
    CASE("cert.ip-without-ip-san", t->host = "192.0.2.1");
    CASE("cert.name-mismatch", t->host = "192.0.2.1", t->leaf.san = TEXTS("IP:192.0.2.2"));
    CASE("ok", t->host = "192.0.2.2", t->leaf.san = TEXTS("IP:192.0.2.2"));
    CASE("ok", t->host = "192.0.2.2.", t->leaf.san = TEXTS("IP:192.0.2.2"));
    CASE("cert.ip-without-ip-san", t->host = "192.0.2.2.", t->leaf.san = TEXTS("DNS:192.0.2.2"), t->profile = TROTH_PROFILE_RFC5280);
    CASE("ok", t->host = "2001:db8::2", t->leaf.san = TEXTS("IP:2001:db8::2"));
    CASE("cert.wildcard-public-suffix", t->host = "shop.example", t->leaf.san = TEXTS("DNS:*.example"));
    CASE("ok", t->host = "shop.co.uk", t->leaf.san = TEXTS("DNS:*.co.uk"));
    CASE("cert.wildcard-public-suffix", t->is_suffix = co_uk, t->host = "shop.co.uk",
         t->leaf.san = TEXTS("DNS:*.co.uk"));
    CASE("ok", t->is_suffix = co_uk, t->host = "shop.co.uk",
         t->leaf.san = TEXTS("DNS:*.co.uk", "DNS:shop.co.uk"));
    CASE("cert.malformed-name", t->leaf.san = TEXTS("DNS:shop.example", "DNS:192.0.2.1"));
    CASE("cert.malformed-name", t->leaf.san = TEXTS("DNS:shop.example", "DNS:.example"));
    CASE("ok", t->leaf.san = TEXTS("DNS:shop.example", "DNS:.example"), t->profile = TROTH_PROFILE_RFC5280);
    CASE("cert.malformed-name", t->leaf.san = TEXTS("DNS:shop.example", "IP#:01020304ffffff00"));
    CASE("ok", t->host = NULL, t->email = "a@b.example", t->leaf.san = TEXTS("email:a@b.example"),
         t->leaf.eku = TEXTS("emailProtection"));
    CASE("cert.name-mismatch", t->host = NULL, t->email = "A@b.example",
         t->leaf.san = TEXTS("email:a@b.example"), t->leaf.eku = TEXTS("emailProtection"));
    CASE("api.bad-argument", t->host = NULL, t->ip = "not an address");
}

/* What was asked for is no name at all: whoever asks has to mend it, and not the server. */
static void impossible(void **state)
{
    (void)state;
    static const char *const hosts[] = { "b\xc3\xbc" "cher.example", "https://shop.example/", "shop.example:443", "*.example", "shop.example..", ".example", "" };
    for (size_t i = 0; i < COUNT_OF(hosts); i++)
        CASE("cert.impossible-name", t->host = hosts[i]);
    CASE("cert.impossible-name", t->host = "shop.example:443");
    SEEN("\"shop.example:443\" is neither a DNS name");
    CASE("cert.impossible-name", t->host = NULL, t->email = "shop.example", t->purpose = TROTH_PURPOSE_SERVER);
    SEEN("no mailbox");
}

/* Words that say where the name stands instead. */
static void near_misses(void **state)
{
    (void)state;
    CASE("cert.cn-only", t->leaf.san = TEXTS("email:a@b.example"), t->leaf.subject = "CN=shop.example");
    SEEN("there is no host in its subjectAltName");
    CASE("cert.cn-only", t->leaf.san = NULL, t->leaf.subject = "CN=shop.example");
    SEEN("there is no subjectAltName");
    CASE("cert.ip-without-ip-san", t->host = "192.0.2.1", t->leaf.san = TEXTS("DNS:192.0.2.1"));
    SEEN("stands there as a dNSName");
    CASE("cert.name-mismatch", t->host = "192.0.2.1", t->leaf.san = TEXTS("DNS:192.0.2.1", "IP:192.0.2.2"));
    SEEN("stands there as a dNSName");
}

/* The preferred syntax of RFC 5280 4.2.1.6: names that browsers take for something else, or that nobody can have. */
static void preferred(void **state)
{
    (void)state;
    static const struct {
        const char *san, *words; /* NULL: it is good */
    } rows[] = {
        { "DNS:a.example", NULL },         { "DNS:a--b.3com.example", NULL },      { "DNS:*.a-b.example", NULL },
        { "DNS:a_b.example", NULL },       { "DNS:-a.example", "hyphen" },         { "DNS:a-.example", "hyphen" },
        { "DNS:*.-a.example", "hyphen" },  { "DNS:a.-b-.example", "hyphen" },      { "DNS:a.example-", "hyphen" },
        { "DNS:1.2.3", "can be taken for an address" }, { "DNS:*.2.3.4", "can be taken for an address" },
        { "DNS:0x7f.0X1", "can be taken for an address" }, { "DNS:a.0xfg", NULL }, { "DNS:192.0.2.1", "it is an address" },
        { "DNS:f*.example", "no DNS name" },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        fprintf(stderr, "%s\n", rows[i].san);
        CASE(rows[i].words ? "cert.malformed-name" : "ok", t->leaf.san = TEXTS("DNS:shop.example", rows[i].san));
        if (rows[i].words)
            SEEN(rows[i].words);
        CASE("ok", t->leaf.san = TEXTS("DNS:shop.example", rows[i].san), t->profile = TROTH_PROFILE_RFC5280);
    }
}

static void sni(void **state)
{
    (void)state;
    struct cert c;
    troth_error e = { 0 };
    trial_fresh(t);
    t->leaf.san = TEXTS("DNS:shop.example", "DNS:*.shop.example", "IP:192.0.2.1");
    assert_true(cert_parse(&c, mk_cert(t->m, &t->leaf), NULL, &e));
    assert_true(cert_matches_host(&c, "shop.example") && cert_matches_host(&c, "A.shop.example.") &&
                cert_matches_host(&c, "192.0.2.1"));
    assert_false(cert_matches_host(&c, "a.b.shop.example") || cert_matches_host(&c, "192.0.2.2") ||
                 cert_matches_host(&c, ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matching),  cmocka_unit_test(well_formed),   cmocka_unit_test(addresses),
        cmocka_unit_test(mailboxes), cmocka_unit_test(distinguished), cmocka_unit_test(hosts),
        cmocka_unit_test(sni),       cmocka_unit_test(impossible),    cmocka_unit_test(near_misses), cmocka_unit_test(preferred),
    };
    return cmocka_run_group_tests(tests, trial_setup, trial_teardown);
}
