/* Path building over a graph that the input draws: each four bytes are a certificate with a subject, an
 * issuer, a key and a flaw, made from a few templates with instant signatures; the budget must hold, and what
 * is accepted must lead to the anchor by names. */
#include <stdlib.h>

#include "support/memory.h"
#include "x509/judge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST = 60, DER_ROOM = 400 };

/* ---- DER by hand: small, and every length below 128 or in two bytes */

struct out {
    uint8_t b[DER_ROOM];
    size_t n;
};

static void put(struct out *o, const void *p, size_t n)
{
    memcpy(o->b + o->n, p, n);
    o->n += n;
}

static size_t open(struct out *o, uint8_t tag)
{
    o->b[o->n] = tag;
    o->b[o->n + 1] = 0x81;
    o->n += 3;
    return o->n;
}

static void shut(struct out *o, size_t mark)
{
    size_t n = o->n - mark;
    if (n < 128) {
        memmove(o->b + mark - 1, o->b + mark, n);
        o->b[mark - 2] = (uint8_t)n;
        o->n--;
    } else {
        o->b[mark - 1] = (uint8_t)n;
    }
}

static void name(struct out *o, uint8_t who)
{
    uint8_t letter = (uint8_t)('A' + who % 8),
            rdn[] = { 0x30, 0x0c, 0x31, 0x0a, 0x30, 0x08, 0x06, 0x03, 0x55, 0x04, 0x03, 0x0c, 0x01, letter };
    put(o, rdn, sizeof rdn);
}

static void extensions(struct out *o, const uint8_t *d)
{
    static const uint8_t ca[] = { 0x30, 0x0f, 0x06, 0x03, 0x55, 0x1d, 0x13, 0x01, 0x01,
                                  0xff, 0x04, 0x05, 0x30, 0x03, 0x01, 0x01, 0xff };
    static const uint8_t short_ca[] = { 0x30, 0x12, 0x06, 0x03, 0x55, 0x1d, 0x13, 0x01, 0x01, 0xff,
                                        0x04, 0x08, 0x30, 0x06, 0x01, 0x01, 0xff, 2,    1,    0 };
    static const uint8_t unknown[] = { 0x30, 0x0c, 0x06, 0x03, 0x2a, 0x03, 0x04,
                                       0x01, 0x01, 0xff, 0x04, 0x02, 0x05, 0x00 };
    size_t x = open(o, 0xa3), list = open(o, 0x30);
    if (d[3] % 8 == 1)
        put(o, short_ca, sizeof short_ca);
    else if (d[3] % 8 != 2)
        put(o, ca, sizeof ca);
    if (d[3] % 8 == 2 || d[3] % 8 == 3)
        put(o, unknown, sizeof unknown);
    shut(o, list);
    shut(o, x);
}

/* Key k "signs" by writing its letter: the provider below looks at nothing else. */
static span certificate(struct out *o, const uint8_t *d, uint8_t serial)
{
    static const uint8_t alg[] = { 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70 };
    static const uint8_t good[] = { 0x30, 0x1e, 0x17, 0x0d, '2', '0', '0',  '1',  '0', '1', '0',
                                    '0',  '0',  '0',  '0',  '0', 'Z', 0x17, 0x0d, '4', '9', '0',
                                    '1',  '0',  '1',  '0',  '0', '0', '0',  '0',  '0', 'Z' };
    uint8_t key[32], signature[65] = { 0 }, number[] = { 2, 1, (uint8_t)(serial & 0x7f) },
                     version[] = { 0xa0, 3, 2, 1, 2 };
    memset(key, 'a' + d[2] % 4, sizeof key);
    signature[1] = (uint8_t)('a' + (d[2] >> 4) % 4);
    o->n = 0;
    size_t cert = open(o, 0x30), tbs = open(o, 0x30);
    put(o, version, sizeof version);
    put(o, number, sizeof number);
    put(o, alg, sizeof alg);
    name(o, d[1]);
    size_t at = o->n;
    put(o, good, sizeof good);
    if (d[3] % 8 == 4)
        memcpy(o->b + at + 19, "21", 2); /* expired */
    name(o, d[0]);
    size_t spki = open(o, 0x30);
    put(o, alg, sizeof alg);
    size_t bits = open(o, 3);
    put(o, "", 1);
    put(o, key, sizeof key);
    shut(o, bits);
    shut(o, spki);
    extensions(o, d);
    shut(o, tbs);
    put(o, alg, sizeof alg);
    bits = open(o, 3);
    put(o, signature, sizeof signature);
    shut(o, bits);
    shut(o, cert);
    return span_of(o->b, o->n);
}

static bool can(void *self, enum troth_key_type type, enum troth_sig sig)
{
    (void)self;
    return type == TROTH_KEY_ED25519 && sig == TROTH_SIG_ED25519;
}

static void verify(void *self, troth_verify_job *jobs, size_t n)
{
    (void)self;
    for (size_t i = 0; i < n; i++)
        jobs[i].good = jobs[i].signature.n == 64 && jobs[i].key->point.p[0] == jobs[i].signature.p[0];
}

static void nothing(troth_provider *p)
{
    (void)p;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct out outs[MOST];
    troth_provider crypto = { .size = sizeof crypto,
                              .memory = &test_memory,
                              .can_verify = can,
                              .verify = verify,
                              .share = nothing,
                              .free = nothing };
    span certs[MOST];
    size_t n = 0;
    if (size < 8)
        return 0;
    for (; n < MOST && 4 * n + 4 <= size; n++)
        certs[n] = certificate(&outs[n], data + 4 * n, (uint8_t)(n + 1));
    troth_policy_builder *b = troth_policy_new(&crypto);
    troth_error e;
    troth_policy_trust_pem(b, certs[1]);
    troth_policy_time(b, 1790000000);
    if (data[0] & 0x80)
        troth_policy_every_check(b);
    troth_policy *p = troth_policy_build(b, &e);
    if (!p)
        abort();
    troth_report *r = troth_verify(p, certs, n);
    troth_work w = troth_report_work(r);
    if (!r || w.signatures > LIMIT_BUDGET_SIGNATURES || w.names > LIMIT_BUDGET_NAMES ||
        w.steps > LIMIT_BUDGET_STEPS + 1)
        abort();
    if (troth_report_ok(r) != (troth_report_error(r)->reason == TROTH_R_NONE))
        abort();
    for (size_t i = 0; i < troth_report_paths(r); i++) {
        troth_path path = troth_report_path(r, i);
        if (path.accepted &&
            (!path.complete || !span_equal(troth_report_cert(r, i, path.n_certs - 1).der, certs[1])))
            abort();
        for (size_t k = 0; k + 1 < path.n_certs; k++)
            if (strcmp(troth_report_cert(r, i, k).issuer, troth_report_cert(r, i, k + 1).title))
                abort();
    }
    troth_report_free(r);
    troth_policy_free(p);
    return 0;
}
