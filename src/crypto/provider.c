/* provider.c - what is the same for every provider.  Must never look behind the table it is given. */
#include "crypto/provider.h"

const troth_hash *provider_hash(const troth_provider *p, enum troth_hash_id id)
{
    for (const troth_hash *const *h = p->hashes; *h; h++)
        if ((*h)->id == id)
            return *h;
    return NULL;
}

const troth_aead *provider_aead(const troth_provider *p, enum troth_aead_id id)
{
    for (const troth_aead *const *a = p->aeads; *a; a++)
        if ((*a)->id == id)
            return *a;
    return NULL;
}

const troth_kem *provider_kem(const troth_provider *p, uint16_t group)
{
    for (const troth_kem *const *k = p->kems; *k; k++)
        if ((*k)->group == group)
            return *k;
    return NULL;
}

/* clang-format off */
static const struct sig_row {
    enum troth_hash_id hash;
    uint32_t           keys;  /* bits of enum troth_key_type */
} sigs[TROTH_SIG_COUNT] = {
#define EC (BIT(TROTH_KEY_P256) | BIT(TROTH_KEY_P384) | BIT(TROTH_KEY_P521))
    [TROTH_SIG_RSA_PKCS1_SHA256] = { TROTH_SHA256, BIT(TROTH_KEY_RSA) },
    [TROTH_SIG_RSA_PKCS1_SHA384] = { TROTH_SHA384, BIT(TROTH_KEY_RSA) },
    [TROTH_SIG_RSA_PKCS1_SHA512] = { TROTH_SHA512, BIT(TROTH_KEY_RSA) },
    [TROTH_SIG_RSA_PKCS1_SHA1]   = { TROTH_SHA1,   BIT(TROTH_KEY_RSA) },
    [TROTH_SIG_RSA_PSS_SHA256]   = { TROTH_SHA256, BIT(TROTH_KEY_RSA) | BIT(TROTH_KEY_RSA_PSS) },
    [TROTH_SIG_RSA_PSS_SHA384]   = { TROTH_SHA384, BIT(TROTH_KEY_RSA) | BIT(TROTH_KEY_RSA_PSS) },
    [TROTH_SIG_RSA_PSS_SHA512]   = { TROTH_SHA512, BIT(TROTH_KEY_RSA) | BIT(TROTH_KEY_RSA_PSS) },
    [TROTH_SIG_ECDSA_SHA256]     = { TROTH_SHA256, EC },
    [TROTH_SIG_ECDSA_SHA384]     = { TROTH_SHA384, EC },
    [TROTH_SIG_ECDSA_SHA512]     = { TROTH_SHA512, EC },
    [TROTH_SIG_ECDSA_SHA1]       = { TROTH_SHA1,   EC },
    [TROTH_SIG_ED25519]          = { 0, BIT(TROTH_KEY_ED25519) },
    [TROTH_SIG_ED448]            = { 0, BIT(TROTH_KEY_ED448) },
    [TROTH_SIG_MLDSA44]          = { 0, BIT(TROTH_KEY_MLDSA44) },
    [TROTH_SIG_MLDSA65]          = { 0, BIT(TROTH_KEY_MLDSA65) },
    [TROTH_SIG_MLDSA87]          = { 0, BIT(TROTH_KEY_MLDSA87) },
#undef EC
};
/* clang-format on */

bool sig_fits_key(enum troth_sig sig, enum troth_key_type type)
{
    return (unsigned)sig < TROTH_SIG_COUNT && (unsigned)type < 32 && (sigs[sig].keys & BIT(type));
}

enum troth_hash_id sig_hash(enum troth_sig sig)
{
    return (unsigned)sig < TROTH_SIG_COUNT ? sigs[sig].hash : (enum troth_hash_id)0;
}

static const char *hash_fault(const troth_hash *h)
{
    if (!h->name || !h->begin || !h->add || !h->peek)
        return "a hash lacks a function";
    if (!h->n || h->n > TROTH_DIGEST_MAX || h->block_n < h->n || h->block_n > TROTH_BLOCK_MAX || h->block_n % 16)
        return "a hash has a digest or a block of an impossible size";
    if (h->state_n > TROTH_HASH_STATE_MAX)
        return "a hash has too large a state";
    return NULL;
}

static const char *aead_fault(const troth_aead *a)
{
    if (!a->name || !a->begin || !a->seal || !a->open || !a->end)
        return "an AEAD lacks a function";
    if (a->key_n > TROTH_AEAD_KEY_MAX || a->nonce_n != 12 || a->tag_n != 16)
        return "an AEAD has a key, nonce or tag of an impossible size";
    if (a->state_n > TROTH_AEAD_STATE_MAX)
        return "an AEAD has too large a state";
    return NULL;
}

static bool tail_fits(const troth_kem *k)
{
    const troth_kem *t = k->tail;
    return !t || (t->private_n <= k->private_n && k->tail_private_at <= k->private_n - t->private_n && t->share_n <= k->share_n &&
                  k->tail_share_at <= k->share_n - t->share_n);
}

static const char *kem_fault(const troth_kem *k)
{
    if (!k->name || !k->make || !k->reply || !k->finish)
        return "a key exchange lacks a function";
    if (k->private_n > TROTH_KEM_PRIVATE_MAX || k->share_n > TROTH_KEM_SHARE_MAX || k->reply_n > TROTH_KEM_SHARE_MAX)
        return "a key exchange has too large a state or share";
    if (!k->secret_n || k->secret_n > TROTH_KEM_SECRET_MAX)
        return "a key exchange has a secret of an impossible size";
    return tail_fits(k) ? NULL : "the tail of a hybrid key exchange lies outside of it";
}

const char *provider_fault(const troth_provider *p)
{
    if (!p || p->size < sizeof *p)
        return "the provider was built for an older troth";
    if (!p->name || !p->memory || !p->memory->alloc || !p->memory->free || !p->random || !p->can_verify || !p->verify || !p->share ||
        !p->free)
        return "the provider lacks a function";
    if (!p->key_load || !p->key_make || !p->key_type || !p->key_public || !p->key_private || !p->key_can || !p->sign || !p->key_free)
        return "the provider lacks a function for keys";
    if (!p->hashes || !p->aeads || !p->kems)
        return "the provider lacks a list";
    if (p->know && (!p->known_n || p->known_n % 8 || p->known_n > TROTH_KNOWN_MAX))
        return "what the provider knows of a key has an impossible size";
    const char *fault = NULL;
    for (size_t i = 0; !fault && p->hashes[i]; i++)
        fault = hash_fault(p->hashes[i]);
    for (size_t i = 0; !fault && p->aeads[i]; i++)
        fault = aead_fault(p->aeads[i]);
    for (size_t i = 0; !fault && p->kems[i]; i++)
        fault = kem_fault(p->kems[i]);
    if (fault)
        return fault;
    return provider_hash(p, TROTH_SHA256) ? NULL : "the provider lacks SHA-256";
}

troth_provider *troth_provider_share(troth_provider *p)
{
    if (p)
        p->share(p);
    return p;
}

void troth_provider_free(troth_provider *p)
{
    if (p && p->free)
        p->free(p);
}
