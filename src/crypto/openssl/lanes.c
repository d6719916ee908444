/* lanes.c - P-256 by our own kernels: verification, and signing where the processor has AVX-512 IFMA lanes.
 *
 * Measured, one verification: 80 us by libcrypto, 60 in plain C; one to four in the lanes 65.  So from two on they go there: the signatures
 * of a chain and of its CertificateVerify, or those of several connections.  One by a key that was met before takes 18 in the lanes, and to
 * get to know a key 53.  Signing: 17 us by libcrypto, 8 by the kernel. */
#include "crypto/ecdsa.h"
#include "crypto/kernel/cpu.h"
#include "crypto/kernel/p256.h"
#include "crypto/openssl/lib.h"

enum { WORTH_IT = 2, POINT_N = 65, UNCOMPRESSED = 4 };

struct lane {
    troth_verify_job *job;
    uint8_t r[32], s[32], digest[TROTH_DIGEST_MAX];
};

/* Can the kernels answer this one?  What is not well-formed is left to libcrypto, so that there is one judge of it. */
static bool takes(struct lane *lane, struct p256_check *check, troth_verify_job *job)
{
    span point = job->key->point;
    size_t n;
    TRY(job->key->type == TROTH_KEY_P256 && sig_fits_key(job->sig, TROTH_KEY_P256));
    TRY(point.n == POINT_N && point.p[0] == UNCOMPRESSED && ecdsa_read_256(job->signature, lane->r, lane->s));
    lane->job = job;
    lib_digest(sig_hash(job->sig), job->parts, job->n_parts, lane->digest, &n);
    *check = (struct p256_check){ point.p + 1, lane->r, lane->s, lane->digest, n, P256_UNSURE };
    return true;
}

/* Plain C knows where the lanes could not say, or were not asked. */
static void settle(troth_verify_job *job, struct p256_check *check)
{
    if (check->verdict == P256_UNSURE)
        p256_verify_plain(check);
    job->good = check->verdict == P256_GOOD;
}

void lib_verify_single(const struct lib *l, troth_verify_job *job)
{
    struct lane lane;
    struct p256_check check;
    if (l->has_p256 && takes(&lane, &check, job))
        settle(job, &check);
    else
        lib_verify_one(l, job);
}

#if defined(__x86_64__)

static void settle_round(struct lane *lanes, struct p256_check *checks, unsigned n)
{
    if (n >= WORTH_IT)
        p256_verify(checks, n);
    for (unsigned i = 0; i < n; i++)
        settle(lanes[i].job, &checks[i]);
}

void lib_verify_lanes(const struct lib *l, troth_verify_job *jobs, size_t n)
{
    struct lane lanes[P256_LANES];
    struct p256_check checks[P256_LANES];
    unsigned used = 0;
    for (size_t i = 0; i < n; i++) {
        if (!takes(&lanes[used], &checks[used], &jobs[i]))
            lib_verify_one(l, &jobs[i]);
        else if (++used == P256_LANES) {
            settle_round(lanes, checks, used);
            used = 0;
        }
    }
    settle_round(lanes, checks, used);
}

_Static_assert(sizeof(struct p256_known) == TROTH_KNOWN_MAX, "what is known of a key fits its place");

bool lib_know(void *self, const troth_public_key *key, void *known)
{
    (void)self;
    return key->type == TROTH_KEY_P256 && key->point.n == POINT_N && key->point.p[0] == UNCOMPRESSED &&
           p256_know(known, key->point.p + 1);
}

void lib_verify_known(const struct lib *l, troth_verify_job *job)
{
    struct lane lane;
    struct p256_check check;
    if (!takes(&lane, &check, job)) {
        lib_verify_one(l, job);
        return;
    }
    p256_verify_known(&check, job->known);
    settle(job, &check);
}

static void nonce_hash(void *ctx, uint8_t out[64], const uint8_t *in, size_t n)
{
    span all = { in, n };
    size_t got;
    (void)ctx;
    lib_digest(TROTH_SHA512, &all, 1, out, &got);
}

bool lib_sign_lanes(const struct lib *l, const troth_key *k, const uint8_t *digest, size_t digest_n, uint8_t *out, size_t *n)
{
    uint8_t fresh[32];
    struct p256_signing job = { .d = k->d, .random = fresh, .hash = digest, .hash_n = digest_n };
    TRY(l->pub.random(l->pub.self, fresh, sizeof fresh));
    p256_sign(&job, 1, nonce_hash, NULL);
    secret_wipe(fresh, sizeof fresh);
    if (job.done)
        *n = ecdsa_write_256(out, job.r, job.s);
    return job.done;
}

/* P-256 ones, in as few rounds as they take; the others are left. */
void lib_sign_many(void *self, troth_sign_job *jobs, size_t n)
{
    const struct lib *l = lib_of(self);
    struct p256_signing signing[P256_LANES];
    troth_sign_job *whose[P256_LANES];
    uint8_t digest[P256_LANES][TROTH_DIGEST_MAX], fresh[P256_LANES][32];
    for (size_t i = 0; i < n;) {
        unsigned k = 0;
        for (; i < n && k < P256_LANES; i++) {
            size_t digest_n;
            jobs[i].done = false;
            if (!jobs[i].key->in_lanes || !sig_fits_key(jobs[i].sig, TROTH_KEY_P256))
                continue;
            lib_digest(sig_hash(jobs[i].sig), jobs[i].parts, jobs[i].n_parts, digest[k], &digest_n);
            signing[k] = (struct p256_signing){ .d = jobs[i].key->d, .random = fresh[k], .hash = digest[k], .hash_n = digest_n };
            whose[k++] = &jobs[i];
        }
        if (k < WORTH_IT || !l->pub.random(l->pub.self, fresh[0], k * sizeof fresh[0]))
            continue;
        p256_sign(signing, k, nonce_hash, NULL);
        for (unsigned j = 0; j < k; j++) {
            whose[j]->done = signing[j].done;
            whose[j]->n = signing[j].done ? ecdsa_write_256(whose[j]->signature, signing[j].r, signing[j].s) : 0;
        }
    }
    secret_wipe(fresh, sizeof fresh);
}

bool lib_has_lanes(const troth_libcrypto_options *o)
{
    return !o->libcrypto_only && !o->portable_only && (cpu_features() & CPU_IFMA);
}

#else

bool lib_sign_lanes(const struct lib *l, const troth_key *k, const uint8_t *digest, size_t digest_n, uint8_t *out, size_t *n)
{
    (void)l, (void)k, (void)digest, (void)digest_n, (void)out, (void)n;
    return false; /* no key says in_lanes */
}

void lib_verify_lanes(const struct lib *l, troth_verify_job *jobs, size_t n)
{
    for (size_t i = 0; i < n; i++)
        lib_verify_single(l, &jobs[i]);
}

bool lib_know(void *self, const troth_public_key *key, void *known)
{
    (void)self, (void)key, (void)known;
    return false;
}

void lib_verify_known(const struct lib *l, troth_verify_job *job)
{
    lib_verify_single(l, job);
}

void lib_sign_many(void *self, troth_sign_job *jobs, size_t n)
{
    (void)self;
    for (size_t i = 0; i < n; i++)
        jobs[i].done = false;
}

bool lib_has_lanes(const troth_libcrypto_options *o)
{
    (void)o;
    return false;
}

#endif
