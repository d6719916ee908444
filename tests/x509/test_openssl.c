/* The same chains judged by libcrypto's X509_verify_cert: good ones with one to three things changed at
 * random.  Where the two differ the difference must be one of those listed here, with its reason.
 * MUTATIONS=n runs n of them (test_differential_many).
 * links: crypto */
#include <openssl/x509_vfy.h>
#include <openssl/x509.h>

#include "x509/trial_group.h"

int X509_check_purpose(X509 *, int, int);
enum {
    SSL_SERVER = 2 /* X509_PURPOSE_SSL_SERVER: x509v3.h has macros of the names of our enumerators */,
    TRIALS = 400
};

/* ---- what is changed */

static const char *const client[] = { "clientAuth", NULL }, *const both[] = { "serverAuth", "clientAuth",
                                                                              NULL };
static const char *const other_dns[] = { "DNS:other.example", NULL },
                         *const wild[] = { "DNS:*.example", NULL },
                         *const deep[] = { "DNS:*.shop.example", NULL };
static const char *const shop[] = { "DNS:shop.example", NULL }, *const net[] = { "IP:10.0.0.0/8", NULL },
                         *const dir[] = { "dir:O=Nobody", NULL };
static const char *const p1[] = { "1.2.3.1", NULL }, *const p2[] = { "1.2.3.2", NULL };
static const struct issue_ext unknown_critical = { "1.2.3.4.5", true, { (const uint8_t *)"\x05\x00", 2 } };
static const struct issue_ext unknown_plain = { "1.2.3.4.5", false, { (const uint8_t *)"\x05\x00", 2 } };

static struct issue *any(unsigned who)
{
    return who % 3 == 0 ? &t->root : who % 3 == 1 ? &t->mid : &t->leaf;
}

static void change(unsigned what, unsigned who)
{
    struct issue *i = any(who);
    switch (what % 24) {
    case 0: i->not_after = MK_NOW - 1; break;
    case 1: i->not_before = MK_NOW + 1; break;
    case 2: i->not_after = MK_NOW; break;
    case 3:
        i->ca = !i->ca;
        i->not_ca = false;
        break;
    case 4: i->key_usage = KU_CRL_SIGN; break;
    case 5: i->key_usage = 0; break;
    case 6: i->has_path_len = i->ca; break;
    case 7: i->eku = client; break;
    case 8: i->eku = both; break;
    case 9:
        i->extra = &unknown_critical;
        i->n_extra = 1;
        break;
    case 10:
        i->extra = &unknown_plain;
        i->n_extra = 1;
        break;
    case 11: i->bad_signature = true; break;
    case 12: i->san = other_dns; break;
    case 13: t->leaf.san = wild; break;
    case 14: t->leaf.san = deep; break;
    case 15: i->permitted = other_dns; break;
    case 16: i->permitted = shop; break;
    case 17: i->excluded = shop; break;
    case 18: i->excluded = net; break;
    case 19: i->permitted = dir; break;
    case 20: i->flip |= IX_BASIC; break;
    case 21:
        t->mid.policies = p1;
        t->leaf.policies = who & 4 ? p1 : p2;
        t->mid.has_require_explicit = true;
        break;
    case 22: i->omit |= IX_AKI; break;
    default:
        i->version = 1;
        i->no_extensions = true;
        break;
    }
}

/* ---- what libcrypto says */

static X509 *x509_of(span der)
{
    const unsigned char *p = der.p;
    return d2i_X509(NULL, &p, (long)der.n);
}

static int theirs(span root, span leaf, span mid)
{
    X509_STORE *store = X509_STORE_new();
    X509 *r = x509_of(root), *l = x509_of(leaf), *m = x509_of(mid);
    STACK_OF(X509) *chain = sk_X509_new_null();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    X509_STORE_add_cert(store, r);
    sk_X509_push(chain, m);
    X509_STORE_CTX_init(ctx, store, l, chain);
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
    X509_VERIFY_PARAM_set_time(param, MK_NOW);
    X509_VERIFY_PARAM_set1_host(param, "shop.example", 0);
    X509_VERIFY_PARAM_set_purpose(param, SSL_SERVER);
    X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_POLICY_CHECK);
    X509_VERIFY_PARAM_add0_policy(
        param, OBJ_txt2obj("2.5.29.32.0", 1)); /* none at all would be the empty set there */
    int error = X509_verify_cert(ctx) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(ctx);
    X509_STORE_CTX_free(ctx);
    sk_X509_free(chain);
    X509_free(r);
    X509_free(l);
    X509_free(m);
    X509_STORE_free(store);
    return error;
}

/* We refuse, they accept: what RFC 5280 4, the CA/Browser Forum or RFC 9525 demand and libcrypto does not
 * look at by default. */
static const struct {
    const char *code, *reason;
} stricter[] = {
    { "cert.profile", "rules of RFC 5280 4 and the CA/Browser Forum" },
    { "cert.ca-as-leaf", "an authority's certificate as a server's" },
    { "cert.version", "version 1 below a trust anchor, or in the web profile" },
    { "cert.wildcard-public-suffix", "a wildcard under a single label" },
    { "cert.not-a-ca", "a trust anchor that is no authority" },
    { "cert.key-usage", "a trust anchor that may not sign; a server's key for CRLs only" },
    { "cert.critical-ext", "a critical extension of a trust anchor" },
    { "cert.wrong-eku", "the purposes of a trust anchor" },
    { "cert.name-constraint",
      "names of intermediates, and the constraints of a trust anchor that is not self-signed" },
    { "cert.cn-only", "the common name is no name" },
    { "cert.policy", "requirements set by the anchor" },
    { "cert.malformed-ext", "DER that is not" },
};

/* We accept, they refuse. */
static const struct {
    int error;
    const char *reason;
} looser[] = {
    { X509_V_ERR_CERT_HAS_EXPIRED, "the last second of a validity belongs to it (RFC 5280 4.1.2.5)" },
};

/* Only what is given above, and only where the last second is the matter. */
static bool allowed(int error)
{
    bool last_second =
        t->root.not_after == MK_NOW || t->mid.not_after == MK_NOW || t->leaf.not_after == MK_NOW;
    for (size_t i = 0; i < COUNT_OF(looser); i++)
        if (looser[i].error == error)
            return last_second;
    return false;
}

static bool explained(const char *code)
{
    for (size_t i = 0; i < COUNT_OF(stricter); i++)
        if (!strcmp(stricter[i].code, code))
            return true;
    return false;
}

static void compare(unsigned seed, unsigned *differ)
{
    trial_fresh(t);
    srand(seed);
    unsigned n = 1 + (unsigned)rand() % 3, what[3], who[3];
    for (unsigned i = 0; i < n; i++) {
        what[i] = (unsigned)rand();
        who[i] = (unsigned)rand();
        change(what[i], who[i]);
    }
    span root = mk_cert(t->m, &t->root), leaf = mk_cert(t->m, &t->leaf), mid = mk_cert(t->m, &t->mid);
    t->no_root = t->no_chain = true;
    t->anchors[t->n_anchors++] = root;
    t->given[t->n_given++] = leaf;
    t->given[t->n_given++] = mid;
    troth_error none = { 0 };
    troth_report *r = trial_judge(t, &none);
    int error = theirs(root, leaf, mid);
    bool ours = troth_report_ok(r);
    const troth_error *e = troth_report_error(r);
    bool fine = ours == (error == X509_V_OK) || (ours ? allowed(error) : explained(e->code));
    *differ += ours != (error == X509_V_OK);
    if (!fine)
        test_fail("seed %u (%u/%u): ours %s (%s), theirs %s", seed, what[0] % 24, who[0] % 3,
                  ours ? "ok" : e->code, e->detail, X509_verify_cert_error_string(error));
    troth_report_free(r);
}

static void side_by_side(void **state)
{
    (void)state;
    unsigned differ = 0, trials = getenv("MUTATIONS") ? (unsigned)atoi(getenv("MUTATIONS")) : TRIALS;
    for (unsigned seed = 1; seed <= trials; seed++)
        compare(seed, &differ);
    fprintf(stderr, "%u of %u judged otherwise, each for a reason listed here\n", differ, trials);
    assert_true(differ < trials / 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(side_by_side) };
    return cmocka_run_group_tests(tests, trial_setup, trial_teardown);
}
