/* schedule.c - the TLS 1.3 key schedule a second time: HMAC, HKDF and the labels, and nothing of tls/.
 *
 * It exists to disagree with keys13.c.  It must never share code with it, and it computes one step: a secret from its parent. */
#include "explain/story.h"

enum { LABEL_MAX = 18 }; /* "tls13 " and 12 */

static void hmac(uint8_t *out, const struct troth_hash *h, span key, const span *parts, size_t n_parts)
{
    uint8_t pad[128] = { 0 }, inner[TROTH_DIGEST_MAX];
    _Alignas(16) uint8_t state[TROTH_HASH_STATE_MAX];
    memcpy(pad, key.p, key.n); /* callers' keys are digests: never longer than a block */
    for (size_t i = 0; i < h->block_n; i++)
        pad[i] ^= 0x36;
    h->begin(state);
    h->add(state, pad, h->block_n);
    for (size_t i = 0; i < n_parts; i++)
        if (parts[i].n)
            h->add(state, parts[i].p, parts[i].n);
    h->peek(state, inner);
    for (size_t i = 0; i < h->block_n; i++)
        pad[i] ^= 0x36 ^ 0x5c;
    h->begin(state);
    h->add(state, pad, h->block_n);
    h->add(state, inner, h->n);
    h->peek(state, out);
    secret_wipe(pad, sizeof pad);
    secret_wipe(inner, sizeof inner);
    secret_wipe(state, sizeof state);
}

/* HKDF-Expand-Label (RFC 9846 7.1) of at most one hash length. */
static void expand_label(uint8_t *out, const struct troth_hash *h, span secret, const char *label, span context, size_t n)
{
    uint8_t info[2 + 1 + LABEL_MAX + 1 + TROTH_DIGEST_MAX], block[TROTH_DIGEST_MAX];
    size_t label_n = strlen(label), at = 0;
    info[at++] = 0;
    info[at++] = (uint8_t)n;
    info[at++] = (uint8_t)(6 + label_n);
    memcpy(info + at, "tls13 ", 6);
    memcpy(info + at + 6, label, label_n);
    at += 6 + label_n;
    info[at++] = (uint8_t)context.n;
    if (context.n)
        memcpy(info + at, context.p, context.n);
    at += context.n;
    span parts[] = { span_of(info, at), SPAN_TEXT("\x01") };
    hmac(block, h, secret, parts, 2);
    memcpy(out, block, n);
    secret_wipe(block, sizeof block);
}

static const struct troth_hash *hash_named(const troth_provider *p, const char *name)
{
    for (const struct troth_hash *const *h = p->hashes; name && *h; h++)
        if (!strcmp((*h)->name, name))
            return *h;
    return NULL;
}

static const struct told_secret *secret_named(const troth_story *s, const char *label)
{
    const struct told_secret *all = ROWS(s, secrets, struct told_secret);
    for (size_t i = s->secrets.n; label && i-- > 0;) {
        const char *known = all[i].label;
        if (!strcmp(known, label))
            return &all[i];
    }
    return NULL;
}

static bool is_extracted(const char *label)
{
    return !strcmp(label, "Early Secret") || !strcmp(label, "Handshake Secret") || !strcmp(label, "Main Secret");
}

/* The secret on the spine above: Derive-Secret(., "derived", "") is the salt (RFC 9846 7.1). */
static bool extract(uint8_t *out, const troth_story *s, const struct troth_hash *h, const struct saw_key *k)
{
    uint8_t salt[TROTH_DIGEST_MAX] = { 0 }, empty[TROTH_DIGEST_MAX], zero[TROTH_DIGEST_MAX] = { 0 };
    _Alignas(16) uint8_t state[TROTH_HASH_STATE_MAX];
    bool early = !strcmp(k->label, "Early Secret"), main = !strcmp(k->label, "Main Secret");
    if (!early) {
        const struct told_secret *above = secret_named(s, main ? "Handshake Secret" : "Early Secret");
        TRY(above && above->n == h->n);
        h->begin(state);
        h->peek(state, empty);
        expand_label(salt, h, span_of(above->b, above->n), "derived", span_of(empty, h->n), h->n);
    }
    bool has_input = k->from && strcmp(k->from, early ? "PSK" : "shared secret") == 0;
    const struct told_secret *in = has_input ? secret_named(s, k->from) : NULL;
    TRY(!has_input || in);
    span ikm = in ? span_of(in->b, in->n) : span_of(zero, h->n);
    hmac(out, h, span_of(salt, h->n), &ikm, 1);
    secret_wipe(salt, sizeof salt);
    return true;
}

static bool again(uint8_t *out, const troth_story *s, const struct troth_hash *h, const struct saw_key *k)
{
    if (is_extracted(k->label))
        return extract(out, s, h, k);
    const struct told_secret *from = secret_named(s, k->from);
    TRY(from && from->n == h->n && strlen(k->label) + 6 <= LABEL_MAX && k->context.n <= TROTH_DIGEST_MAX);
    expand_label(out, h, span_of(from->b, from->n), k->label, k->context, k->value.n);
    return true;
}

uint8_t schedule_recompute(const troth_story *s, const struct saw_key *k)
{
    const struct troth_hash *h = hash_named(s->provider, k->hash);
    uint8_t out[TROTH_DIGEST_MAX];
    if (!h || h->block_n > 128 || !k->label || (!k->from && strcmp(k->label, "Early Secret") != 0) || !k->value.n || k->value.n > h->n || !again(out, s, h, k))
        return NOT_RECOMPUTED;
    bool same = bytes_equal_ct(out, k->value.p, k->value.n);
    secret_wipe(out, sizeof out);
    return same ? RECOMPUTED_EQUAL : RECOMPUTED_DIFFERENT;
}
