/* How times, algorithms and keys are written: what RFC 5280, 4055, 5480 and 5758 allow is read, what they do not is refused by name. */
#include "x509/der_wr.h"
#include "x509/trial_group.h"

/* ---- Validity */

static span validity(uint8_t tag_a, const char *from, uint8_t tag_b, const char *to)
{
    static uint8_t room[80];
    size_t a = strlen(from), b = strlen(to), n = 0;
    room[n++] = 0x30;
    room[n++] = (uint8_t)(a + b + 4);
    room[n++] = tag_a;
    room[n++] = (uint8_t)a;
    memcpy(room + n, from, a);
    n += a;
    room[n++] = tag_b;
    room[n++] = (uint8_t)b;
    memcpy(room + n, to, b);
    return span_of(room, n + b);
}

static void times(void **state)
{
    (void)state;
    enum { UTC = DER_UTC_TIME, GEN = DER_GENERALIZED_TIME };
    static const struct {
        uint8_t     tag_a, tag_b;
        const char *from, *to, *code;
    } rows[] = {
        { UTC, UTC, "260901000000Z", "270901000000Z", "ok" },
        { UTC, UTC, "500101000000Z", "270901000000Z", "ok" }, /* 1950 */
        { UTC, UTC, "491231235959Z", "270901000000Z", "cert.malformed" }, /* 2049: it ends before it begins */
        { UTC, GEN, "260901000000Z", "20500101000000Z", "ok" },
        { UTC, GEN, "260901000000Z", "99991231235959Z", "ok" },
        { GEN, GEN, "20260901000000Z", "20270901000000Z", "ok" }, /* must be read, RFC 5280 4.1.2.5 */
        { GEN, GEN, "19400101000000Z", "20270901000000Z", "ok" },
        { UTC, GEN, "260901000000Z", "20270901000000.5Z", "der.time" },
        { UTC, GEN, "260901000000Z", "20270901000000", "der.time" },
        { UTC, GEN, "260901000000Z", "20270901000000+0000", "der.time" },
        { UTC, GEN, "260901000000Z", "202709010000Z", "der.time" },
        { UTC, UTC, "2609010000Z", "270901000000Z", "der.time" },
        { UTC, UTC, "260901000000+0000", "270901000000Z", "der.time" },
        { UTC, UTC, "260901000060Z", "270901000000Z", "der.time" },
        { UTC, UTC, "260229000000Z", "270901000000Z", "der.time" },
        { UTC, UTC, "240229000000Z", "270901000000Z", "ok" },
        { UTC, UTC, "260901240000Z", "270901000000Z", "der.time" },
        { GEN, UTC, "260901000000Z", "270901000000Z", "der.time" },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        trial_fresh(t);
        fprintf(stderr, "%s %s\n", rows[i].from, rows[i].to);
        t->leaf.validity_der = validity(rows[i].tag_a, rows[i].from, rows[i].tag_b, rows[i].to);
        trial_expect(t, rows[i].code, __FILE__, __LINE__);
    }
}

/* ---- AlgorithmIdentifier of a signature, the same inside and outside */

#define RSA_OID(last)   "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01" last
#define SHA256_ID       "\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00"
#define SHA384_ID       "\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00"
#define MGF1(hash)      "\x30\x1a\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08" hash

static void algorithms(void **state)
{
    (void)state;
    const troth_key *rsa = mk_rsa(t->m, 2048);
    static const struct {
        enum troth_sig sig;
        span           id;
        const char    *code;
    } rows[] = {
        { TROTH_SIG_RSA_PKCS1_SHA256, SPAN_TEXT("\x30\x0d" RSA_OID("\x0b") "\x05\x00"), "ok" },
        { TROTH_SIG_RSA_PKCS1_SHA256, SPAN_TEXT("\x30\x0b" RSA_OID("\x0b")), "ok" }, /* absent: RFC 4055 5 wants that read, too */
        { TROTH_SIG_RSA_PKCS1_SHA256, SPAN_TEXT("\x30\x0d" RSA_OID("\x0b") "\x04\x00"), "cert.unknown-algorithm" },
        { TROTH_SIG_RSA_PKCS1_SHA256, SPAN_TEXT("\x30\x0f" RSA_OID("\x0b") "\x05\x00\x05\x00"), "cert.unknown-algorithm" },
        { TROTH_SIG_RSA_PKCS1_SHA256, SPAN_TEXT("\x30\x0d" RSA_OID("\x04") "\x05\x00"), "cert.weak-signature" }, /* MD5 */
        { TROTH_SIG_RSA_PKCS1_SHA256, SPAN_TEXT("\x30\x0d" RSA_OID("\x0e") "\x05\x00"), "cert.weak-signature" }, /* SHA-224 */
        { TROTH_SIG_RSA_PKCS1_SHA256, SPAN_TEXT("\x30\x0d" RSA_OID("\x0c") "\x05\x00"), "cert.bad-signature" }, /* says SHA-384 */
        { TROTH_SIG_RSA_PSS_SHA256,
          SPAN_TEXT("\x30\x41" RSA_OID("\x0a") "\x30\x34\xa0\x0f" SHA256_ID "\xa1\x1c" MGF1(SHA256_ID) "\xa2\x03\x02\x01\x20"), "ok" },
        { TROTH_SIG_RSA_PSS_SHA256, /* the mask from another hash */
          SPAN_TEXT("\x30\x41" RSA_OID("\x0a") "\x30\x34\xa0\x0f" SHA256_ID "\xa1\x1c" MGF1(SHA384_ID) "\xa2\x03\x02\x01\x20"),
          "cert.unknown-algorithm" },
        { TROTH_SIG_RSA_PSS_SHA256, /* a salt of another length than the signature's */
          SPAN_TEXT("\x30\x41" RSA_OID("\x0a") "\x30\x34\xa0\x0f" SHA256_ID "\xa1\x1c" MGF1(SHA256_ID) "\xa2\x03\x02\x01\x1f"),
          "cert.bad-signature" },
        { TROTH_SIG_RSA_PSS_SHA256, SPAN_TEXT("\x30\x0d" RSA_OID("\x0a") "\x30\x00"), "cert.unknown-algorithm" }, /* SHA-1 by default */
        { TROTH_SIG_RSA_PSS_SHA256, SPAN_TEXT("\x30\x0b" RSA_OID("\x0a")), "cert.unknown-algorithm" },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        trial_fresh(t);
        fprintf(stderr, "%zu\n", i);
        t->root.key = rsa;
        t->mid.sig = rows[i].sig;
        t->mid.sig_alg_inner = t->mid.sig_alg_outer = rows[i].id;
        trial_expect(t, rows[i].code, __FILE__, __LINE__);
    }
    /* ECDSA has no parameters: RFC 5758 3.2 */
    CASE("ok", t->mid.sig_alg_inner = t->mid.sig_alg_outer = SPAN_TEXT("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"));
    CASE("cert.unknown-algorithm",
         t->mid.sig_alg_inner = t->mid.sig_alg_outer = SPAN_TEXT("\x30\x0c\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02\x05\x00"));
    /* inside and outside must be the same to the byte */
    CASE("cert.algorithm-mismatch", t->root.key = rsa, t->mid.sig = TROTH_SIG_RSA_PKCS1_SHA256,
         t->mid.sig_alg_inner = SPAN_TEXT("\x30\x0b" RSA_OID("\x0b")));
}

/* ---- SubjectPublicKeyInfo */

static void keys(void **state)
{
    (void)state;
    static const struct {
        const char *what, *code;
        span        spki;
    } rows[] = {
        { "DSA with inherited parameters", "cert.weak-key",
          SPAN_TEXT("\x30\x11\x30\x09\x06\x07\x2a\x86\x48\xce\x38\x04\x01\x03\x04\x00\x02\x01\x05") },
        { "a kind that nobody knows", "cert.weak-key", SPAN_TEXT("\x30\x0c\x30\x04\x06\x02\x2a\x03\x03\x04\x00\x02\x01\x05") },
        { "P-256 without its curve", "cert.weak-key",
          SPAN_TEXT("\x30\x0f\x30\x09\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x03\x02\x00\x04") },
        { "P-256, a point too short", "cert.weak-key",
          SPAN_TEXT("\x30\x19\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x02\x00\x04") },
        { "RSA without NULL", "cert.weak-key",
          SPAN_TEXT("\x30\x18\x30\x0b" RSA_OID("\x01") "\x03\x09\x00\x30\x06\x02\x01\x05\x02\x01\x03") },
        { "Ed25519 with parameters", "cert.weak-key", SPAN_TEXT("\x30\x0d\x30\x07\x06\x03\x2b\x65\x70\x05\x00\x03\x02\x00\x01") },
    };
    for (size_t i = 0; i < 2 * COUNT_OF(rows); i++) {
        trial_fresh(t);
        fprintf(stderr, "%s\n", rows[i / 2].what);
        *(i % 2 ? &t->mid.spki : &t->leaf.spki) = rows[i / 2].spki;
        trial_expect(t, rows[i / 2].code, __FILE__, __LINE__);
    }
}

/* An RSA-PSS key may say which hash its signatures have, and how long their salt is at least: RFC 4055 3.3. */
static void limited_keys(void **state)
{
    (void)state;
    const troth_key *rsa = mk_rsa(t->m, 2048);
    static const struct {
        span        limit;
        const char *code;
    } rows[] = {
        { SPAN_TEXT("\x30\x0b" RSA_OID("\x0a")), "ok" },
        { MK_PSS_SHA256("\x20"), "ok" },
        { MK_PSS_SHA256("\x14"), "ok" },
        { MK_PSS_SHA256("\x00"), "ok" },
        { MK_PSS_SHA256("\x21"), "cert.bad-signature" },
        { MK_PSS_SHA384("\x20"), "cert.bad-signature" },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        trial_fresh(t);
        fprintf(stderr, "%zu\n", i);
        t->root.spki = mk_spki(t->m, rsa, rows[i].limit);
        t->root.key = rsa;
        t->mid.sig = TROTH_SIG_RSA_PSS_SHA256;
        trial_expect(t, rows[i].code, __FILE__, __LINE__);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(times), cmocka_unit_test(algorithms), cmocka_unit_test(keys), cmocka_unit_test(limited_keys) };
    return cmocka_run_group_tests(tests, trial_setup, trial_teardown);
}
