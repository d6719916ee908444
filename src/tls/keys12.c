/* keys12.c - the key schedule of TLS 1.2.  Must never derive a master secret that does not depend on the whole handshake (RFC 7627). */
#include "tls/keys12.h"

#include "base/wr.h"
#include "crypto/hkdf.h"

enum { RANDOM_N = 32, EXPORT_SEED_MAX = 2 * RANDOM_N + 2 };

static void tell_master(const struct ks_12 *k, const char *from, const struct digest *session, const struct told *told)
{
    tell_secret(told, "CLIENT_RANDOM", "master secret", from, k->hash, session ? digest_span(session) : SPAN_NONE,
                secret_span(&k->master));
}

void ks12_master(struct ks_12 *out, const troth_hash *hash, span premaster, const struct digest *session, const struct told *told)
{
    out->hash = hash;
    out->block_n = 0;
    out->master.n = MASTER_SECRET_N;
    tls12_prf(hash, out->master.b, MASTER_SECRET_N, premaster, "extended master secret", digest_span(session), SPAN_NONE);
    tell_secret(told, NULL, "premaster secret", NULL, hash, SPAN_NONE, premaster);
    tell_master(out, "premaster secret", session, told);
}

void ks12_resume(struct ks_12 *out, const troth_hash *hash, span master, const struct told *told)
{
    out->hash = hash;
    out->block_n = 0;
    out->master.n = MASTER_SECRET_N;
    memcpy(out->master.b, master.p, MASTER_SECRET_N);
    tell_master(out, NULL, NULL, told);
}

/* key_block = client key, server key, client IV, server IV: AEAD suites have no MAC keys (RFC 5246 6.3). */
void ks12_traffic(uint8_t *key, size_t key_n, uint8_t *iv, size_t iv_n, struct ks_12 *from, struct randoms r, bool of_client)
{
    size_t n = 2 * (key_n + iv_n);
    if (from->block_n != n)
        tls12_prf(from->hash, from->block, n, secret_span(&from->master), "key expansion", span_of(r.server, RANDOM_N),
                  span_of(r.client, RANDOM_N));
    from->block_n = n;
    memcpy(key, from->block + (of_client ? 0 : key_n), key_n);
    memcpy(iv, from->block + 2 * key_n + (of_client ? 0 : iv_n), iv_n);
}

void ks12_finished(uint8_t *verify_data, const struct ks_12 *from, bool of_client, const struct digest *transcript)
{
    tls12_prf(from->hash, verify_data, VERIFY_DATA_12_N, secret_span(&from->master), of_client ? "client finished" : "server finished",
              digest_span(transcript), SPAN_NONE);
}

bool ks12_export(const troth_hash *hash, const struct secret *master, struct randoms r, const char *label, span context, uint8_t *out,
                 size_t n)
{
    uint8_t seed[EXPORT_SEED_MAX];
    struct wr w = wr_into(seed, sizeof seed);
    wr_raw(&w, r.client, RANDOM_N);
    wr_raw(&w, r.server, RANDOM_N);
    if (context.p)
        wr_u16(&w, (uint16_t)context.n);
    TRY(context.n <= 0xffff);
    tls12_prf(hash, out, n, secret_span(master), label, wr_done(&w), context);
    return true;
}
