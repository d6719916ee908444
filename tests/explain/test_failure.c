/* test_failure.c - the ten rules of failure texts, over every reason of the catalogue, at several widths. */
#include "support/memory.h"
#include "support/test.h"

#include <strings.h>
#include <troth/explain.h>

#include "base/error.h"
#include "base/text.h"
#include "explain/view.h"

static char said[16384];
static size_t said_n;

static bool keep(void *ctx, const char *p, size_t n)
{
    (void)ctx;
    assert_true(said_n + n < sizeof said);
    memcpy(said + said_n, p, n);
    said_n += n;
    said[said_n] = 0;
    return true;
}

static void say(const troth_error *e, const troth_failure_context *c)
{
    said_n = 0;
    said[0] = 0;
    assert_true(troth_failure_write(e, c, keep, NULL));
}

static troth_error error_of(enum troth_reason why)
{
    troth_error e = { 0 };
    (void)error_set(&e, why, "file.c", 1, "%s", "the peer chose 0x1303; we offered 0x1301 and 0x1302");
    return e;
}

static unsigned lines(void)
{
    unsigned n = 0;
    for (const char *p = said; *p; p++)
        n += *p == '\n';
    return n;
}

static bool contains_word(const char *text, const char *word)
{
    size_t n = strlen(word);
    for (; *text; text++)
        if (!strncasecmp(text, word, n))
            return true;
    return false;
}

/* Rule 6: nobody is told to look away.  Rule 5: no names of protocols that are dead. */
static void no_bad_advice(const char *text, const char *code)
{
    static const char *const never[] = { "insecure", "disable verif", "turn off verif", "switch verification off", "ignore the cert", "sslv3",
                                         "--no-verify", "skip verif", "danger_", "curl -k" };
    for (size_t i = 0; i < COUNT_OF(never); i++)
        if (contains_word(text, never[i]))
            test_fail("%s: says \"%s\"", code, never[i]);
}

static void every_reason(void **state)
{
    (void)state;
    static const uint16_t widths[] = { 60, 80, 120, 200 };
    for (int r = 1; r < TROTH_REASON_COUNT; r++) {
        for (size_t w = 0; w < COUNT_OF(widths); w++) {
            troth_error e = error_of((enum troth_reason)r);
            troth_facts facts = { .version = TROTH_TLS13 };
            troth_failure_context c = { .size = sizeof c, .peer = "shop.example:443", .facts = &facts, .milliseconds = 12, .exit_code = 5,
                                        .more = "troth explain shop.example", .width = widths[w], .saw = "more evidence" };
            say(&e, &c);
            char code[100], first[400];
            snprintf(code, sizeof code, "[%s]", e.code);
            snprintf(first, sizeof first, "%.*s", (int)strcspn(said, "\n"), said);
            if (lines() > 12)
                test_fail("%s: %u lines at width %u", e.code, lines(), widths[w]);
            assert_true(strstr(first, "shop.example:443 - ") == first + 2); /* rule 1: the verdict, and who was asked for */
            assert_non_null(strstr(said, code));                            /* rule 2 */
            assert_non_null(strstr(said, "0x1303"));                        /* rule 3 */
            assert_non_null(strstr(said, "\n  who  "));                     /* rule 4 */
            assert_null(strstr(said, "OK"));                                /* rule 8 */
            if (widths[w] >= 80)
                assert_non_null(strstr(said, "\n  not reached "));
            no_bad_advice(said, e.code);
            for (const char *at = said; *at;) { /* nothing wider than asked for, but for single long words */
                size_t n = strcspn(at, "\n");
                if (n > widths[w] && memchr(at + 17, ' ', n - 17) && widths[w] >= 80)
                    test_fail("%s: %zu columns of %u: %.*s", e.code, n, widths[w], (int)n, at);
                at += n + (at[n] == '\n');
            }
        }
    }
}

static void the_catalogue(void **state)
{
    (void)state;
    for (int r = 1; r < TROTH_REASON_COUNT; r++) {
        enum troth_reason why = (enum troth_reason)r;
        const char *code = troth_reason_code(why), *text = troth_reason_text(why), *hint = troth_reason_hint(why);
        assert_int_equal(troth_reason_by_code(code), why); /* no code twice */
        assert_true(strchr(code, '.') && strlen(text) > 8 && text[strlen(text) - 1] != '.');
        if (strlen(hint) < 4)
            test_fail("%s has no remedy", code);
        no_bad_advice(hint, code);
        said_n = 0;
        assert_true(troth_explain_code(code, NULL, keep, NULL));
        assert_non_null(strstr(said, code));
    }
    assert_false(troth_explain_code("no.such-code", NULL, keep, NULL));
    assert_false(troth_explain_code("ok", NULL, keep, NULL));
}

/* Rule 5: the peer's verdict is told apart from ours, and the alert has its name. */
static void the_peers_verdict(void **state)
{
    (void)state;
    troth_error e = { 0 };
    (void)error_from_peer(&e, TROTH_R_ALERT_UNKNOWN_CA, 48, "file.c", 1);
    troth_failure_context c = { .size = sizeof c, .peer = "api.corp:443", .milliseconds = -1, .exit_code = 6, .width = 100 };
    say(&e, &c);
    assert_non_null(strstr(said, "unknown_ca (48)"));
    assert_non_null(strstr(said, "its verdict, not ours"));
    assert_non_null(strstr(said, "(exit status 6)"));
}

static void smallest(void **state)
{
    (void)state;
    troth_error e = error_of(TROTH_R_NOT_TLS_SMTP);
    said_n = 0;
    assert_true(troth_failure_write(&e, NULL, keep, NULL));
    assert_non_null(strstr(said, "SMTP"));
    assert_null(strstr(said, "exit status"));
    assert_false(troth_failure_write(NULL, NULL, keep, NULL));
    assert_false(troth_failure_write(&e, NULL, NULL, NULL));
    const char *ours = strstr(said, "\x1b");
    assert_null(ours);
}

static void others(void **state)
{
    (void)state;
    static const struct {
        const char *text, *code;
    } cases[] = {
        { "curl: (60) SSL certificate problem: certificate has expired", "cert.expired" },
        { "Verify return code: 20 (unable to get local issuer certificate)", "cert.missing-intermediate" },
        { "x509: certificate signed by unknown authority", "chain.untrusted-root" },
        { "tls: first record does not look like a TLS handshake", "peer.not-tls" },
        { "error:0A00010B:SSL routines:ssl3_get_record:wrong version number", "peer.not-tls" },
        { "*** Fatal error: A TLS fatal alert has been received.\n*** Received alert [40]: Handshake failed", "peer.alert.handshake_failure" },
        { "javax.net.ssl.SSLHandshakeException: PKIX path building failed: sun.security.provider.certpath.SunCertPathBuilderException: "
          "unable to find valid certification path to requested target", "chain.untrusted-root" },
        { "NET::ERR_CERT_COMMON_NAME_INVALID", "cert.name-mismatch" },
        { "SEC_ERROR_UNKNOWN_ISSUER", "chain.untrusted-root" },
        { "SSL_do_handshake() failed (SSL: error:0A00006C:SSL routines::bad key share)", "tls.bad-key-share" },
        { "SSL_CTX_use_PrivateKey(\"x\") failed (SSL: error:05800074:x509 certificate routines::key values mismatch)", "config.key-mismatch" },
        { "sslv3 alert handshake failure:SSL alert number 40", "peer.alert.handshake_failure" },
        { "curl: (35) Recv failure: Connection reset by peer", "net.reset-on-hello" },
        { "dial tcp 127.0.0.1:24099: connect: connection refused", "net.refused" },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        said_n = 0;
        size_t n = troth_explain_text(cases[i].text, NULL, keep, NULL);
        if (!n || !strstr(said, cases[i].code))
            test_fail("\"%s\" should be %s, is:\n%s", cases[i].text, cases[i].code, n ? said : "nothing");
    }
    for (size_t i = 0; foreign_code(i); i++)
        if (troth_reason_by_code(foreign_code(i)) == TROTH_R_NONE)
            test_fail("foreign.def leads to %s, which is not in the catalogue", foreign_code(i));
    said_n = 0;
    assert_int_equal(troth_explain_text("the weather is nice", NULL, keep, NULL), 0);
    assert_int_equal(said_n, 0);
    assert_int_equal(troth_explain_text(NULL, NULL, keep, NULL), 0);
}

/* An application's error need not hold anything before. */
static void without_memory(void **state)
{
    (void)state;
    struct scarce scarce = { .left = 1, .for_good = true };
    const troth_allocator none = scarce_memory(&scarce);
    troth_error e;
    memset(&e, 0xff, sizeof e);
    assert_null(troth_capture_open(TROTH_TEXT("no matter"), &none, &e));
    assert_int_equal(e.reason, TROTH_R_OUT_OF_MEMORY);
    memset(&e, 0xff, sizeof e);
    assert_false(troth_explain_message(NULL, TROTH_TEXT("\x01"), true, &e));
    assert_int_equal(e.reason, TROTH_R_OUT_OF_MEMORY);
    assert_string_equal(e.code, "local.out-of-memory");
    assert_false(troth_explain_message(NULL, TROTH_TEXT("\x01"), true, NULL));
    assert_null(troth_capture_open(TROTH_TEXT("no matter"), &none, NULL));
}

static void bytes_that_are_nothing(void **state)
{
    (void)state;
    troth_error e = { 0 };
    assert_null(troth_capture_open(TROTH_TEXT("this is no capture, whatever its name"), NULL, &e));
    assert_int_equal(e.reason, TROTH_R_NOT_A_CAPTURE);
    troth_story *s = troth_story_new(NULL);
    assert_false(troth_explain_message(s, TROTH_TEXT("\x77\x00\x00\x01x"), true, &e));
    assert_int_equal(e.reason, TROTH_R_NOT_A_MESSAGE);
    assert_false(troth_explain_message(s, TROTH_TEXT("\x01"), true, &e));
    assert_int_equal(e.reason, TROTH_R_NOT_A_MESSAGE);
    troth_story_free(s);
    assert_false(troth_explain_message(NULL, TROTH_TEXT("\x01"), true, &e));
    troth_capture_free(NULL);
    assert_int_equal(troth_capture_count(NULL), 0);
    assert_false(troth_capture_explain(NULL, 0, (troth_span){ NULL, 0 }, troth_libcrypto(), NULL));
}

/* Names as a peer sent them: shown as far as they can be read, at any length and with any byte changed. */
static void authorities(void **state)
{
    (void)state;
    uint8_t list[] = { 0, 20, 0x30, 18, 0x31, 16, 0x30, 14, 6, 3, 0x55, 4, 3, 0x0c, 7, 'A', ' ', 'R', 'o', 'o', 't', '!' };
    troth_error e = error_of(TROTH_R_CLIENT_CERT_UNKNOWN_CA);
    for (size_t n = 0; n <= sizeof list; n++)
        for (size_t k = 0; k < sizeof list; k++) {
            uint8_t *copy = malloc(n + 1); /* its own, so that a byte too far is noticed */
            memcpy(copy, list, n);
            if (k < n)
                copy[k] ^= 0x83;
            troth_facts facts = { .acceptable_authorities = { copy, n } };
            troth_failure_context c = { .size = sizeof c, .facts = &facts, .milliseconds = -1, .exit_code = -1, .width = 100 };
            say(&e, &c);
            assert_true(lines() <= 12);
            free(copy);
        }
    troth_facts facts = { .acceptable_authorities = { list, sizeof list } };
    troth_failure_context c = { .size = sizeof c, .facts = &facts, .milliseconds = -1, .exit_code = -1, .width = 200 };
    say(&e, &c);
    assert_non_null(strstr(said, "the server accepts certificates of \"CN=A Root!\""));

    span rest = span_of(list, sizeof list), name;
    char text[8];
    assert_true(troth_authority_next(&rest, &name) && name.n == sizeof list - 2);
    assert_string_equal(troth_name_text(text, sizeof text, name), "CN=A...");
    memcpy(list + 15, "A, O=B!", 7); /* one attribute, which looks like two */
    assert_string_equal(troth_name_text(said, sizeof said, name), "CN=A\\, O=B!");
    assert_false(troth_authority_next(&rest, &name) || troth_authority_next(&rest, NULL));
    assert_string_equal(troth_name_text(text, sizeof text, span_of(list, 1)), "(emp...");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_reason), cmocka_unit_test(the_catalogue), cmocka_unit_test(the_peers_verdict), cmocka_unit_test(authorities),
                                        cmocka_unit_test(smallest), cmocka_unit_test(others), cmocka_unit_test(bytes_that_are_nothing),
                                        cmocka_unit_test(without_memory) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
