/* Microseconds of judging certificates, beside libcrypto's X509_verify_cert in the same process: parsing a
 * leaf, loading the system's roots, a chain of three (its signatures alone, the whole judgement).  Samples
 * are taken in turn.  usage: verify FOLDER [rounds]; FOLDER as made by bench/credentials
 * links: crypto */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include "quiet.h"

#include <troth/verify.h>

#include "base/arena.h"
#include "x509/pem.h"
#include "x509/verify.h"

/* <openssl/x509v3.h> defines the names of key usages as macros, which are ours as enumerators */
int X509_check_purpose(X509 *, int, int);
enum { SSL_SERVER = 2 /* X509_PURPOSE_SSL_SERVER */ };

enum { ROUNDS_MAX = 2000, ROWS = 7 };

static void *take(void *ctx, size_t n)
{
    (void)ctx;
    return malloc(n);
}

static void give(void *ctx, void *p, size_t n)
{
    (void)ctx;
    (void)n;
    free(p);
}

static const troth_allocator memory = { take, give, NULL };

struct world {
    troth_provider *crypto;
    troth_policy *policy;
    span root, certs[2]; /* DER */
    int64_t now;
    const char *host;
    X509_STORE *store;
    X509 *leaf, *mid;
    span bundle; /* the system's roots, PEM */
    struct cert leaf_cert, mid_cert, root_cert;
};

static void die(const char *what)
{
    fprintf(stderr, "%s\n", what);
    exit(1);
}

/* ---- what is measured */

static void parse_ours(void *arg)
{
    struct world *w = arg;
    struct cert c;
    troth_error e = { 0 };
    if (!cert_parse(&c, w->certs[0], NULL, &e))
        die(e.detail);
}

static void parse_theirs(void *arg)
{
    struct world *w = arg;
    const unsigned char *p = w->certs[0].p;
    X509 *x = d2i_X509(NULL, &p, (long)w->certs[0].n);
    X509_check_purpose(x, -1, 0); /* extensions are read when first asked for */
    X509_get0_pubkey(x);
    X509_free(x);
}

static void signatures(void *arg)
{
    struct world *w = arg;
    troth_verify_job jobs[] = {
        { .sig = (enum troth_sig)w->leaf_cert.sig,
          .key = &w->mid_cert.key,
          .parts = &w->leaf_cert.tbs,
          .n_parts = 1,
          .signature = w->leaf_cert.signature },
        { .sig = (enum troth_sig)w->mid_cert.sig,
          .key = &w->root_cert.key,
          .parts = &w->mid_cert.tbs,
          .n_parts = 1,
          .signature = w->mid_cert.signature },
    };
    w->crypto->verify(w->crypto->self, jobs, 2);
    if (!jobs[0].good || !jobs[1].good)
        die("signatures");
}

static void judge_ours(void *arg)
{
    struct world *w = arg;
    struct verify_input in = {
        .policy = w->policy, .certs = w->certs, .n = 2, .host = w->host, .now = w->now
    };
    troth_report *r = verify_chain(&in);
    if (!troth_report_ok(r))
        die(troth_report_error(r)->detail);
    troth_report_free(r);
}

/* From bytes, as a handshake has them. */
static void judge_theirs(void *arg)
{
    struct world *w = arg;
    const unsigned char *p = w->certs[0].p, *q = w->certs[1].p;
    X509 *leaf = d2i_X509(NULL, &p, (long)w->certs[0].n), *mid = d2i_X509(NULL, &q, (long)w->certs[1].n);
    STACK_OF(X509) *chain = sk_X509_new_null();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    sk_X509_push(chain, mid);
    X509_STORE_CTX_init(ctx, w->store, leaf, chain);
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
    X509_VERIFY_PARAM_set_time(param, w->now);
    X509_VERIFY_PARAM_set1_host(param, w->host, 0);
    X509_VERIFY_PARAM_set_purpose(param, SSL_SERVER);
    if (X509_verify_cert(ctx) != 1)
        die(X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
    X509_STORE_CTX_free(ctx);
    sk_X509_free(chain);
    X509_free(leaf);
    X509_free(mid);
}

static void roots_ours(void *arg)
{
    struct world *w = arg;
    struct arena arena;
    struct anchors a = { 0 };
    troth_error e = { 0 };
    size_t n;
    arena_init(&arena, &memory, 65536);
    if (!anchors_add(&a, &arena, w->bundle, true, &n, &e) || !anchors_freeze(&a, &arena))
        die(e.detail);
    arena_free(&arena);
}

static void roots_theirs(void *arg)
{
    struct world *w = arg;
    BIO *bio = BIO_new_mem_buf(w->bundle.p, (int)w->bundle.n);
    for (X509 *x; (x = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL;)
        X509_free(x);
    BIO_free(bio);
}

/* ---- the world it is measured in */

/* The certificates of a PEM file. */
static size_t ders_of(struct arena *arena, const char *folder, const char *name, span *ders, size_t cap)
{
    char path[512], text[16384];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "rb");
    size_t n = f ? fread(text, 1, sizeof text, f) : 0;
    if (f)
        fclose(f);
    struct pki_ctx p = { .arena = arena };
    struct object *list = NULL;
    if (!n || !objects_read(&p, span_of(text, n), &list, &n) || n > cap)
        die(path);
    for (size_t i = 0; i < n; i++)
        if (!arena_copy(arena, &ders[i], list[i].der))
            die("memory");
    return n;
}

static X509 *x509_of(span der)
{
    const unsigned char *p = der.p;
    return d2i_X509(NULL, &p, (long)der.n);
}

static void world_make(struct world *w, struct arena *arena, const char *folder, const char *kind)
{
    troth_error e = { 0 };
    char name[40];
    w->crypto = troth_libcrypto();
    snprintf(name, sizeof name, "%s-root.crt", kind);
    size_t n_roots = ders_of(arena, folder, name, &w->root, 1);
    snprintf(name, sizeof name, "%s.pem", kind);
    if (n_roots != 1 || ders_of(arena, folder, name, w->certs, 2) != 2)
        die("not a chain of two and a root");
    w->host = "bench.test";
    if (!cert_parse(&w->leaf_cert, w->certs[0], NULL, &e) ||
        !cert_parse(&w->mid_cert, w->certs[1], NULL, &e) || !cert_parse(&w->root_cert, w->root, NULL, &e))
        die(e.detail);
    w->now = w->leaf_cert.not_after - 86400;
    troth_policy_builder *b = troth_policy_new(troth_provider_share(w->crypto));
    troth_policy_trust_pem(b, w->root);
    w->policy = troth_policy_build(b, &e);
    w->store = X509_STORE_new();
    X509 *root = x509_of(w->root);
    X509_STORE_add_cert(w->store, root);
    X509_free(root);
    X509_STORE_set_flags(w->store, X509_V_FLAG_PARTIAL_CHAIN);
    if (!w->policy)
        die(e.detail);
}

static void bundle_read(struct world *w)
{
    static uint8_t room[1 << 20];
    FILE *f = fopen("/etc/ssl/certs/ca-certificates.crt", "rb");
    size_t n = f ? fread(room, 1, sizeof room, f) : 0;
    if (f)
        fclose(f);
    w->bundle = span_of(room, n);
}

int main(int argc, char **argv)
{
    static struct quiet_sample samples[ROWS][ROUNDS_MAX];
    static const struct {
        const char *name;
        void (*run)(void *);
        unsigned times;
    } rows[ROWS] = {
        { "parse leaf, troth", parse_ours, 50 },
        { "parse leaf, libcrypto", parse_theirs, 5 },
        { "chain of 3, its signatures alone", signatures, 1 },
        { "chain of 3, troth", judge_ours, 1 },
        { "chain of 3, libcrypto", judge_theirs, 1 },
        { "system's roots, troth", roots_ours, 1 },
        { "system's roots, libcrypto", roots_theirs, 1 },
    };
    unsigned rounds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 200;
    struct arena arena;
    struct quiet q;
    if (argc < 2 || rounds > ROUNDS_MAX || !rounds)
        die("usage: verify FOLDER [rounds]");
    static const char *const chains[] = { "ecdsa", "rsa" };
    quiet_start(&q);
    for (size_t k = 0; k < 2; k++) {
        struct world w = { 0 };
        arena_init(&arena, &memory, 65536);
        world_make(&w, &arena, argv[1], chains[k]);
        bundle_read(&w);
        for (unsigned n = 0; n < rounds; n++)
            for (unsigned i = 0; i < ROWS; i++)
                samples[i][n] = quiet_take(&q, rows[i].run, &w, rows[i].times);
        for (unsigned i = 0; i < ROWS; i++) {
            unsigned kept;
            double us = quiet_median(samples[i], rounds, &kept);
            if (i < 5 || !k) /* the system's roots are the same for both */
                printf("%s%s: %.2f\n", rows[i].name, i >= 5 ? "" : k ? ", RSA-2048" : ", ECDSA P-256", us);
        }
        troth_policy_free(w.policy);
        troth_provider_free(w.crypto);
        X509_STORE_free(w.store);
        arena_free(&arena);
    }
    return 0;
}
