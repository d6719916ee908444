/* Ordinary mistakes of applications, and a transport that is full: each mistake fails with a reason of its own, and says which call it was. */
#include <troth/explain.h>
#include <troth/offload.h>
#include <troth/pki.h>
#include <troth/verify.h>

#include "fake/fake.h"
#include "support/pair.h"
#include "support/test.h"
#include "tls/conn.h"

static struct world *begin(struct pair *p)
{
    struct world *w = world_new(fake_provider(1));
    pair_new(p, world_client(w, NULL, NULL), world_server(w, NULL, NULL), NULL);
    return w;
}

static void end(struct pair *p, struct world *w)
{
    pair_free(p);
    world_free(w);
}

/* ---- both ends write, and neither transport takes any of it */
/* Gives it these bytes, and none of its own are taken.  How much data it saw in them. */
static size_t put(troth_conn *to, span bytes)
{
    size_t at = 0, data = 0;
    for (troth_event ev = troth_next(to); at < bytes.n || ev.kind != TROTH_RECV; ev = troth_next(to)) {
        if (ev.kind == TROTH_SEND)
            troth_sent(to, 0);
        else if (ev.kind == TROTH_DATA)
            data += ev.data.n;
        else if (ev.kind == TROTH_RECV) {
            size_t n = bytes.n - at < ev.room.n ? bytes.n - at : ev.room.n;
            memcpy(ev.room.p, bytes.p + at, n);
            troth_received(to, n);
            at += n;
        }
    }
    return data;
}

static void test_full_both_ways(void **state)
{
    (void)state;
    static uint8_t lots[40000];
    struct pair p;
    struct world *w = begin(&p);
    pair_run(&p);
    assert_ready(&p);
    troth_conn *c = p.client.c, *s = p.server.c;
    assert_true(troth_write(c, &SPAN_OF(lots), 1) && troth_write(s, &SPAN_OF(lots), 1));
    troth_event ev = troth_next(c);
    assert_true(ev.kind == TROTH_SEND && ev.data.n > sizeof lots);
    assert_int_equal(put(s, ev.data), sizeof lots); /* the server gets nothing out, and takes it all the same */
    troth_sent(c, ev.data.n);
    ev = troth_next(s);
    assert_true(ev.kind == TROTH_SEND && ev.data.n > sizeof lots && ev.data.n == troth_pending(s)); /* it is asked again each time */
    end(&p, w);
}

static void test_full_at_the_end(void **state)
{
    (void)state;
    struct pair p;
    struct world *w = begin(&p);
    pair_run(&p);
    troth_conn *c = p.client.c;
    assert_true(troth_write(c, &TROTH_TEXT("the last word"), 1));
    troth_close(p.server.c);
    (void)pair_step(&p, &p.server);
    troth_event ev = troth_next(c);
    assert_int_equal(ev.kind, TROTH_SEND);
    troth_sent(c, 0);
    ev = troth_next(c);
    assert_int_equal(ev.kind, TROTH_RECV);
    size_t n = p.to_client.n - p.to_client.taken;
    memcpy(ev.room.p, p.to_client.p + p.to_client.taken, n);
    troth_received(c, n);
    troth_sent(c, 0);
    assert_int_equal(troth_next(c).kind, TROTH_CLOSED);
    troth_close(c);
    troth_sent(c, 0); /* there is nothing beside it any more, and DONE has to wait */
    ev = troth_next(c);
    assert_int_equal(ev.kind, TROTH_SEND);
    troth_sent(c, ev.data.n);
    assert_int_equal(troth_next(c).kind, TROTH_DONE);
    end(&p, w);
}

/* What waits comes before FAILED, whether the transport takes it or not. */
static void test_full_and_failed(void **state)
{
    (void)state;
    struct pair p;
    struct world *w = begin(&p);
    pair_run(&p);
    troth_conn *c = p.client.c;
    assert_true(troth_write(c, &TROTH_TEXT("the last word"), 1));
    troth_abort(c, 80, "enough");
    troth_sent(c, 0);
    troth_event ev = troth_next(c);
    assert_int_equal(ev.kind, TROTH_SEND);
    troth_sent(c, ev.data.n);
    assert_int_equal(troth_next(c).kind, TROTH_FAILED);
    end(&p, w);
}

/* ---- what read and write return is not always a length */
static void refused(troth_conn *c, const char *says)
{
    const troth_error *e = troth_why(c);
    if (!e || e->reason != TROTH_R_BAD_ARGUMENT || !strstr(e->detail, says))
        test_fail("wanted \"%s\", got %s (%s)", says, e ? e->code : "no failure", e ? e->detail : "");
}

static void test_lengths(void **state)
{
    (void)state;
    static const span nothing = { NULL, 5 }, failed_read = { (const uint8_t *)"x", (size_t)-1 };
    for (int row = 0; row < 8; row++) {
        struct pair p;
        struct world *w = begin(&p);
        pair_run(&p);
        assert_ready(&p);
        troth_conn *c = p.client.c;
        if (row < 2 && !troth_write(c, &TROTH_TEXT("x"), 1))
            test_fail("row %d: not written", row);
        troth_event ev = troth_next(c);
        switch (row) {
        case 0: troth_sent(c, ev.data.n + 1); break;
        case 1: troth_sent(c, (size_t)-1); break;
        case 2: assert_false(troth_write(c, NULL, 3)); break;
        case 3: assert_false(troth_write(c, &nothing, 1)); break;
        case 4: assert_false(troth_write(c, &failed_read, 1)); break;
        case 5: troth_received(c, ev.room.n + 1); break;
        case 6: troth_received(c, (size_t)-1); break;
        default: troth_rest(c); troth_received(c, 5); break; /* the room is gone */
        }
        refused(c, row < 2 ? "troth_sent" : row < 5 ? "troth_write" : "troth_received");
        end(&p, w);
    }
    struct pair p;
    struct world *w = begin(&p);
    pair_run(&p);
    pair_exchange_and_close(&p);
    assert_int_equal(troth_next(p.client.c).kind, TROTH_DONE);
    troth_sent(p.client.c, 5);
    troth_received(p.client.c, 5);
    assert_int_equal(troth_next(p.client.c).kind, TROTH_DONE); /* what comes too late is no mistake */
    end(&p, w);
}

static void test_hosts(void **state)
{
    (void)state;
    static const struct { const char *host; bool good; } rows[] = {
        { "a.example", true },   { "a.example.", true },       { "A_b-c.Example", true }, { "192.0.2.1", true }, { "2001:db8::1", true },
        { NULL, false },         { "", false },                { ".", false },            { "a.example:443", false },
        { "192.0.2.1:443", false }, { "https://a.example/", false }, { "user@a.example", false }, { "a b", false },
        { "a..example", false },
    };
    struct world *w = world_new(fake_provider(1));
    troth_client *us = world_client(w, NULL, NULL);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        troth_conn *c = troth_connect(us, rows[i].host);
        if (rows[i].good)
            assert_null(troth_why(c));
        else
            refused(c, "troth_connect");
        assert_int_equal(troth_next(c).kind, rows[i].good ? TROTH_SEND : TROTH_FAILED);
        troth_free(c);
    }
    troth_conn *c = troth_connect(us, "a.example");
    troth_broken(c, TROTH_R_NONE, NULL);
    refused(c, "troth_broken");
    troth_free(c);
    troth_client_free(us);
    world_free(w);
}

/* close_notify would tell the peer that it has all there was. */
static void test_abort_closes_nothing(void **state)
{
    (void)state;
    struct pair p;
    struct world *w = begin(&p);
    pair_run(&p);
    assert_true(troth_write(p.client.c, &TROTH_TEXT("half of it"), 1));
    troth_abort(p.client.c, 0, "no number comes to mind");
    refused(p.client.c, "troth_abort");
    pair_run(&p);
    assert_false(p.server.closed);
    assert_failed(&p.server, ALERT_INTERNAL_ERROR);
    end(&p, w);
}

/* What nobody wants need not be put anywhere. */
static void test_not_wanted(void **state)
{
    (void)state;
    struct pair p;
    struct world *w = world_new(fake_provider(1));
    troth_server *us = world_server(w, NULL, NULL);
    pair_new(&p, world_client(w, NULL, NULL), us, NULL);
    pair_run(&p);
    assert_ready(&p);
    assert_true(troth_peer_certificate(p.client.c, NULL) && troth_peer_pin(p.client.c, NULL));
    assert_true(!troth_peer_certificate(p.server.c, NULL) && !troth_peer_pin(p.server.c, NULL));
    assert_true(troth_server_certificate(us, 0, NULL) && !troth_server_certificate(us, 1, NULL));
    assert_true(troth_server_chain(us, 0, 0, NULL) && !troth_server_chain(us, 0, 9, NULL));
    assert_false(troth_export(p.client.c, "label", SPAN_NONE, NULL, 32)); /* but this is what it is for */
    assert_true(!troth_danger_take_records(p.client.c, NULL, NULL));
    refused(p.client.c, "troth_danger_take_records");
    end(&p, w);
}

/* ---- setters */
static void test_roles(void **state)
{
    (void)state;
    static const uint16_t x25519 = 0x001d;
    for (int i = 0; i < 3; i++) {
        bool server = i == 2;
        troth_builder *b = server ? troth_server_builder(fake_provider(1)) : troth_client_builder(fake_provider(1));
        switch (i) {
        case 0: troth_strict_sni(b); break;
        case 1: troth_alpn_optional(b); break;
        default: troth_key_shares(b, &x25519, 1); break;
        }
        assert_non_null(troth_mistake(b));
        assert_int_equal(troth_mistake(b)->reason, TROTH_R_WRONG_ROLE);
        troth_builder_free(b);
    }
}

/* Trust is no exception: whoever asks right behind the setter hears of it. */
static void test_mistake_in_trust(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        troth_error why;
        troth_builder *b = troth_client_builder(fake_provider(1));
        if (i < 2)
            troth_trust_file(b, i ? NULL : "/nowhere/roots.pem");
        else
            troth_trust_pem(b, TROTH_TEXT("no certificate"));
        const troth_error *first = troth_mistake(b);
        assert_non_null(first);
        assert_true(i || strstr(first->detail, "/nowhere/roots.pem"));
        enum troth_reason reason = (enum troth_reason)first->reason;
        troth_alpn(b, NULL, 2);
        assert_null(troth_build_client(b, &why));
        assert_int_equal(why.reason, reason);
    }
}

static void *take(void *ctx, size_t n)
{
    *(size_t *)ctx += n;
    return malloc(n);
}

static void give(void *ctx, void *p, size_t n)
{
    *(size_t *)ctx -= p ? n : 0;
    free(p);
}

/* A server of many devices: what it takes to configure them grows as they do. */
static void test_many_psks(void **state)
{
    (void)state;
    enum { MANY = 4000, EACH = 400 };
    size_t bytes = 0;
    troth_allocator counted = { take, give, &bytes };
    troth_builder *b = troth_server_builder(fake_provider_with(1, &counted));
    for (int i = 0; i < MANY; i++) {
        uint8_t id[] = { 'd', (uint8_t)(i >> 8), (uint8_t)i };
        troth_psk(b, SPAN_OF(id), TROTH_TEXT("0123456789abcdef"), TROTH_SHA256);
    }
    troth_server *us = troth_build_server(b, NULL);
    assert_non_null(us);
    if (bytes > MANY * EACH)
        test_fail("%zu bytes for %d PSKs", bytes, (int)MANY);
    troth_server_free(us);
    b = troth_client_builder(fake_provider(1));
    troth_psk(b, TROTH_TEXT("d"), TROTH_TEXT("0123456789abcdef"), TROTH_SHA256);
    troth_versions(b, TROTH_TLS12, TROTH_TLS12);
    troth_error why;
    assert_null(troth_build_client(b, &why)); /* there would be nobody whom it could trust */
    assert_true(why.reason == TROTH_R_BAD_ARGUMENT && strstr(why.detail, "troth_psk"));
}

static void test_setters(void **state)
{
    (void)state;
    enum { PIN, SUITES, GROUPS, EQUAL, SHARES, VERIFY, CERTS, ALPN, NAME, TYPES, COMPRESSORS, KEYS, COOKIE, CACHE, HOOKS, AUTH, SCHEMES, PAD, LIST, NAMES, CONTEXT, COUNT };
    static uint8_t large[0x10000];
    static const char *const none = NULL;
    static const uint16_t list[1025] = { 0 };
    static const char *names[1000];
    for (size_t i = 0; i < COUNT_OF(names); i++)
        names[i] = "a protocol of many";
    struct world *w = world_new(fake_provider(1));
    for (int i = 0; i < COUNT; i++) {
        bool server = i == EQUAL || i == KEYS || i == COOKIE || i == CACHE || i == HOOKS || i == AUTH || i == SCHEMES;
        troth_builder *b = server ? troth_server_builder(fake_provider(1)) : troth_client_builder(fake_provider(1));
        switch (i) {
        case PIN: troth_trust_pin(b, NULL); break;
        case SUITES: troth_suites(b, NULL, 2); break;
        case GROUPS: troth_groups(b, NULL, 2); break;
        case EQUAL: troth_strict_groups(b, NULL, 2); break;
        case SHARES: troth_key_shares(b, NULL, 2); break;
        case VERIFY: troth_verify_schemes(b, NULL, 2); break;
        case CERTS: troth_cert_schemes(b, NULL, 2); break;
        case ALPN: troth_alpn(b, NULL, 2); break;
        case NAME: troth_alpn(b, &none, 1); break;
        case TYPES: troth_peer_types(b, NULL, 2); break;
        case COMPRESSORS: troth_compressors(b, NULL, 2); break;
        case KEYS: troth_ticket_keys(b, NULL, 2); break;
        case COOKIE: troth_cookie_key(b, NULL); break;
        case CACHE: troth_cache(b, NULL); break;
        case HOOKS: troth_cache(b, &(troth_session_cache){ 0 }); break;
        case AUTH: troth_ask_client_auth(b, (enum troth_auth)3); break;
        case SCHEMES: troth_identity_pem(b, w->chain_pem, w->key_pem), troth_identity_schemes(b, NULL, 2); break;
        case LIST: troth_cert_schemes(b, list, COUNT_OF(list)); break;
        case NAMES: troth_alpn(b, names, COUNT_OF(names)); break;
        case PAD: troth_pad(b, (enum troth_padding)3, 16); break;
        default: troth_psk_import(b, TROTH_TEXT("id"), TROTH_TEXT("0123456789abcdef"), SPAN_OF(large), TROTH_SHA256); break;
        }
        if (!troth_mistake(b) || troth_mistake(b)->reason != TROTH_R_BAD_ARGUMENT)
            test_fail("setter %d: %s", i, troth_mistake(b) ? troth_mistake(b)->code : "no mistake");
        troth_builder_free(b);
    }
    world_free(w);
    troth_provider empty = { .size = sizeof empty };
    troth_error why;
    assert_null(troth_build_client(troth_client_builder(&empty), &why));
    assert_non_null(strstr(why.detail, "provider"));
    assert_null(troth_libcrypto_with(&(troth_libcrypto_options){ .portable_only = true })); /* size is not set: none of it would count */
}

/* ---- judging without TLS */
static bool sink(void *ctx, const char *p, size_t n)
{
    (void)ctx, (void)p, (void)n;
    return true;
}

static void test_questions(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(1));
    troth_policy_builder *b = troth_policy_new(troth_provider_share(w->mk->crypto));
    troth_policy_trust_pem(b, w->root_pem);
    troth_policy_time(b, MK_NOW);
    troth_policy *policy = troth_policy_build(b, NULL);
    assert_non_null(policy);
    troth_error why;
    troth_policy_builder *wrong = troth_policy_new(troth_provider_share(w->mk->crypto));
    troth_policy_trust_anchor(wrong, &(troth_anchor){ .size = sizeof(troth_anchor), .certificate = w->root_pem, .n_permitted = 2 });
    assert_null(troth_policy_build(wrong, &why));
    assert_int_equal(why.reason, TROTH_R_BAD_ARGUMENT);
    const troth_question rows[] = {
        { .certs = &w->chain_pem, .n = 1 },
        { .size = sizeof rows[0], .n = 1 },
        { .size = sizeof rows[0], .certs = &w->chain_pem, .n = 1, .purpose = (enum troth_purpose)(TROTH_PURPOSE_ANY + 1) },
        { .size = sizeof rows[0], .certs = &w->chain_pem, .n = 1 },
    };
    for (size_t i = 0; i <= COUNT_OF(rows); i++) {
        bool good = i + 1 == COUNT_OF(rows);
        troth_report *r = troth_ask(policy, i < COUNT_OF(rows) ? &rows[i] : NULL);
        assert_non_null(r);
        assert_int_equal(troth_report_ok(r), good);
        assert_int_equal(troth_report_error(r)->reason, good ? TROTH_R_NONE : TROTH_R_BAD_ARGUMENT);
        assert_int_equal(troth_report_given(r, NULL), good);
        assert_int_equal(troth_report_policies(r, NULL), 0);
        (void)troth_report_until(r, NULL);
        assert_false(good && troth_failure_write(troth_report_error(r), NULL, sink, NULL)); /* nothing to write */
        troth_report_free(r);
    }
    for (int64_t now = INT64_MIN; now != 0; now = now < 0 ? INT64_MAX : 0) { /* times that are no times */
        troth_report *r = troth_ask(policy, &(troth_question){ .size = sizeof(troth_question), .certs = &w->chain_pem, .n = 1, .time = now });
        assert_int_equal(troth_report_error(r)->reason, now < 0 ? TROTH_R_CERT_NOT_YET_VALID : TROTH_R_CERT_EXPIRED);
        troth_report_free(r);
    }
    troth_policy_free(policy);
    world_free(w);
}

static void test_workshop(void **state)
{
    (void)state;
    troth_pki *w = troth_pki_new(fake_provider(1));
    const troth_key *key = troth_pki_make_key(w, TROTH_KEY_P256, 0);
    assert_non_null(key);
    const troth_pki_spec ca = { .size = sizeof ca, .subject = "CN=x", .not_after = 1, .ca = true };
    troth_span der = troth_pki_self_sign(w, &ca, key);
    assert_true(der.n);
    for (int i = 0; i < 7; i++) {
        switch (i) {
        case 5: assert_int_equal(troth_pki_pem(w, NULL, der).n, 0); break;
        case 6: assert_int_equal(troth_pki_crl(w, der, key, NULL, 3, 1, 0, 1).n, 0); break;
        case 0: assert_int_equal(troth_pki_self_sign(w, NULL, key).n, 0); break;
        case 1: assert_int_equal(troth_pki_self_sign(w, &(troth_pki_spec){ .subject = "CN=x", .not_after = 1 }, key).n, 0); break;
        case 2: assert_int_equal(troth_pki_key_pem(w, NULL).n, 0); break;
        case 3: assert_int_equal(troth_pki_describe(w, NULL, 0, NULL, NULL, NULL), 0); break;
        default: assert_false(troth_pki_cert(w, SPAN_NONE, NULL)); break;
        }
        assert_int_equal(troth_pki_error(w)->reason, TROTH_R_BAD_ARGUMENT);
        troth_pki_go_on(w);
    }
    troth_span pem = troth_pki_key_pem(w, key);
    assert_int_equal(troth_pki_read(w, pem, NULL), 1);
    troth_pki_free(w);
    assert_false(troth_ech_make(NULL, "a.example", 0, NULL, NULL));
    assert_int_equal(troth_ech_pem(NULL, NULL, 0), 0);
    assert_int_equal(troth_danger_kernel_info(&(troth_record_state){ .version = TROTH_TLS13 }, &pem, sizeof pem), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full_both_ways), cmocka_unit_test(test_full_at_the_end), cmocka_unit_test(test_full_and_failed),
        cmocka_unit_test(test_lengths),        cmocka_unit_test(test_hosts),           cmocka_unit_test(test_setters),
        cmocka_unit_test(test_abort_closes_nothing), cmocka_unit_test(test_not_wanted),   cmocka_unit_test(test_roles),
        cmocka_unit_test(test_mistake_in_trust), cmocka_unit_test(test_many_psks),
        cmocka_unit_test(test_questions),      cmocka_unit_test(test_workshop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
