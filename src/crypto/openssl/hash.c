/* hash.c - the hashes, on flat states that can be copied.  Must never allocate. */
#include "crypto/openssl/lib.h"

#include <openssl/sha.h>

_Static_assert(sizeof(SHA512_CTX) <= TROTH_HASH_STATE_MAX, "a hash state of libcrypto fits");

static void sha1_begin(void *state)
{
    (void)SHA1_Init(state);
}

static void sha1_add(void *state, const uint8_t *p, size_t n)
{
    (void)SHA1_Update(state, p, n);
}

static void sha1_peek(const void *state, uint8_t *digest)
{
    SHA_CTX copy = *(const SHA_CTX *)state;
    (void)SHA1_Final(digest, &copy);
    secret_wipe(&copy, sizeof copy);
}

static void sha256_begin(void *state)
{
    (void)SHA256_Init(state);
}

static void sha256_add(void *state, const uint8_t *p, size_t n)
{
    (void)SHA256_Update(state, p, n);
}

static void put_u32(uint8_t *to, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        to[i] = (uint8_t)(v >> (24 - 8 * i));
}

static void put_u64(uint8_t *to, uint64_t v)
{
    for (int i = 0; i < 8; i++)
        to[i] = (uint8_t)(v >> (56 - 8 * i));
}

/* The padding of FIPS 180-4 5.1 by hand, on a copy of the chaining value alone: half the cost of SHA256_Final on a copy of the state, twice
 * in each HMAC.  `num` bytes wait in `data`; Nh and Nl count bits. */
static void sha256_peek(const void *state, uint8_t *digest)
{
    const SHA256_CTX *s = state;
    SHA256_CTX c;
    uint8_t block[SHA256_CBLOCK];
    memcpy(c.h, s->h, sizeof c.h);
    memcpy(block, s->data, s->num);
    memset(block + s->num, 0, sizeof block - s->num);
    block[s->num] = 0x80;
    if (s->num >= SHA256_CBLOCK - 8) {
        SHA256_Transform(&c, block);
        memset(block, 0, sizeof block);
    }
    put_u64(block + SHA256_CBLOCK - 8, (uint64_t)s->Nh << 32 | s->Nl);
    SHA256_Transform(&c, block);
    for (size_t i = 0; i < 8; i++)
        put_u32(digest + 4 * i, c.h[i]);
    secret_wipe(c.h, sizeof c.h);
    secret_wipe(block, sizeof block);
}

static void sha384_begin(void *state)
{
    (void)SHA384_Init(state);
}

static void sha512_begin(void *state)
{
    (void)SHA512_Init(state);
}

static void sha512_add(void *state, const uint8_t *p, size_t n)
{
    (void)SHA512_Update(state, p, n);
}

/* Likewise, with blocks of 128 bytes; SHA-384 is the first six words. */
static void sha512_peek(const void *state, uint8_t *digest)
{
    const SHA512_CTX *s = state;
    SHA512_CTX c;
    uint8_t block[SHA512_CBLOCK];
    memcpy(c.h, s->h, sizeof c.h);
    memcpy(block, s->u.p, s->num);
    memset(block + s->num, 0, sizeof block - s->num);
    block[s->num] = 0x80;
    if (s->num >= SHA512_CBLOCK - 16) {
        SHA512_Transform(&c, block);
        memset(block, 0, sizeof block);
    }
    put_u64(block + SHA512_CBLOCK - 16, s->Nh);
    put_u64(block + SHA512_CBLOCK - 8, s->Nl);
    SHA512_Transform(&c, block);
    for (size_t i = 0; i < s->md_len / 8; i++)
        put_u64(digest + 8 * i, c.h[i]);
    secret_wipe(c.h, sizeof c.h);
    secret_wipe(block, sizeof block);
}

/* clang-format off */
static const troth_hash rows[LIB_HASHES] = {
    { TROTH_SHA256, "SHA-256", 32,  64, sizeof(SHA256_CTX), sha256_begin, sha256_add, sha256_peek },
    { TROTH_SHA384, "SHA-384", 48, 128, sizeof(SHA512_CTX), sha384_begin, sha512_add, sha512_peek },
    { TROTH_SHA512, "SHA-512", 64, 128, sizeof(SHA512_CTX), sha512_begin, sha512_add, sha512_peek },
    { TROTH_SHA1,   "SHA-1",   20,  64, sizeof(SHA_CTX),    sha1_begin,   sha1_add,   sha1_peek   },
};
static const char *const md_names[LIB_HASHES + 1] = {
    [TROTH_SHA256] = "SHA256", [TROTH_SHA384] = "SHA384", [TROTH_SHA512] = "SHA512", [TROTH_SHA1] = "SHA1"
};
/* clang-format on */

void lib_digest(enum troth_hash_id id, const troth_span *parts, size_t n_parts, uint8_t *digest, size_t *n)
{
    const troth_hash *h = &rows[id - 1];
    _Alignas(16) uint8_t state[TROTH_HASH_STATE_MAX];
    h->begin(state);
    for (size_t i = 0; i < n_parts; i++)
        if (parts[i].n)
            h->add(state, parts[i].p, parts[i].n);
    h->peek(state, digest);
    *n = h->n;
    secret_wipe(state, h->state_n);
}

bool lib_open_hashes(struct lib *l)
{
    for (size_t i = 0; i < LIB_HASHES; i++) {
        l->hashes[i] = &rows[i];
        l->md[rows[i].id] = EVP_MD_fetch(NULL, md_names[rows[i].id], NULL);
        TRY(l->md[rows[i].id] || rows[i].id == TROTH_SHA1);
    }
    l->pub.hashes = l->hashes;
    return true;
}

void lib_close_hashes(struct lib *l)
{
    for (size_t i = 0; i <= LIB_HASHES; i++)
        EVP_MD_free(l->md[i]);
}
