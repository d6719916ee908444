/* schedule.c - the TLS 1.3 key schedule a second time: HMAC, HKDF and the labels, and nothing of tls/.
 *
 * It exists to disagree with keys13.c.  It must never share code with it, and it computes one step: a secret from its parent. */
#include "explain/story.h"

#include "base/text.h"

enum { LABEL_MAX = 18 }; /* "tls13 " and 12 */

static void hmac(uint8_t *out, const struct troth_hash *h, span key, const span *parts, size_t n_parts)
{
    uint8_t pad[128] = { 0 }, inner[TROTH_DIGEST_MAX];
    _Alignas(16) uint8_t state[TROTH_HASH_STATE_MAX];
    if (key.n > h->block_n) { /* a premaster secret of P-521 */
        h->begin(state);
        h->add(state, key.p, key.n);
        h->peek(state, pad);
    } else if (key.n) {
        memcpy(pad, key.p, key.n);
    }
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

/* PRF of TLS 1.2 (RFC 5246 5). */
static void prf12(uint8_t *out, size_t n, const struct troth_hash *h, const struct told_secret *from, span label, span context)
{
    span key = span_of(from->b, from->n), seed[] = { label, context };
    uint8_t a[TROTH_DIGEST_MAX], block[TROTH_DIGEST_MAX];
    hmac(a, h, key, seed, 2);
    for (size_t at = 0; at < n; at += h->n) {
        span parts[] = { span_of(a, h->n), seed[0], seed[1] };
        hmac(block, h, key, parts, 3);
        memcpy(out + at, block, n - at < h->n ? n - at : h->n);
        hmac(a, h, key, parts, 1);
    }
    secret_wipe(a, sizeof a);
    secret_wipe(block, sizeof block);
}

/* TLS 1.2 (RFC 7627 4): PRF(premaster, "extended master secret", session hash), 48 bytes. */
static bool master12(uint8_t *out, const troth_story *s, const struct troth_hash *h, const struct saw_key *k)
{
    const struct told_secret *from = secret_named(s, "premaster secret");
    TRY(from && k->context.n && k->value.n == 48);
    prf12(out, 48, h, from, SPAN_TEXT("extended master secret"), k->context);
    return true;
}

/* key_block (RFC 5246 6.3) begins with the client's key, then comes the server's. */
static bool write_key12(uint8_t *out, const troth_story *s, const struct troth_hash *h, const struct saw_key *k)
{
    const struct told_secret *from = secret_named(s, "master secret");
    uint8_t block[2 * TROTH_AEAD_KEY_MAX];
    TRY(from && k->context.n && k->value.n <= TROTH_AEAD_KEY_MAX);
    prf12(block, 2 * k->value.n, h, from, SPAN_TEXT("key expansion"), k->context);
    memcpy(out, block + (*k->label == 's' ? k->value.n : 0), k->value.n);
    secret_wipe(block, sizeof block);
    return true;
}

/* What a generation of a traffic secret was made from: the one before it. */
static const struct told_secret *parent_of(const troth_story *s, const struct saw_key *k)
{
    const struct told_secret *all = ROWS(s, secrets, struct told_secret);
    for (size_t i = s->secrets.n; !strcmp(k->label, "traffic upd") && k->from && i-- > 0;)
        if (all[i].from && !strcmp(all[i].label, k->label) && !strcmp(all[i].from, k->from))
            return &all[i];
    return secret_named(s, k->from);
}

static bool again(uint8_t *out, const troth_story *s, const struct troth_hash *h, const struct saw_key *k)
{
    if (is_extracted(k->label))
        return extract(out, s, h, k);
    if (!strcmp(k->label, "master secret"))
        return master12(out, s, h, k);
    if (!strcmp(k->label, "client write key") || !strcmp(k->label, "server write key"))
        return write_key12(out, s, h, k);
    const struct told_secret *from = parent_of(s, k);
    TRY(from && from->n == h->n && k->value.n <= h->n && strlen(k->label) + 6 <= LABEL_MAX && k->context.n <= TROTH_DIGEST_MAX);
    expand_label(out, h, span_of(from->b, from->n), k->label, k->context, k->value.n);
    return true;
}

uint8_t schedule_recompute(const troth_story *s, const struct saw_key *k)
{
    const struct troth_hash *h = hash_named(s->provider, k->hash);
    uint8_t out[TROTH_DIGEST_MAX];
    if (!h || h->block_n > 128 || !k->label || (!k->from && strcmp(k->label, "Early Secret") != 0) || !k->value.n || k->value.n > TROTH_DIGEST_MAX || !again(out, s, h, k))
        return NOT_RECOMPUTED;
    bool same = bytes_equal_ct(out, k->value.p, k->value.n);
    secret_wipe(out, sizeof out);
    return same ? RECOMPUTED_EQUAL : RECOMPUTED_DIFFERENT;
}

/* ---- the same secrets as a key log */

static span client_random(const troth_story *s)
{
    const struct told_message *all = ROWS(s, messages, struct told_message);
    for (size_t i = 0; i < s->messages.n; i++)
        if (!strcmp(all[i].type, "ClientHello") && all[i].raw.n >= 38)
            return span_slice(all[i].raw, 6, 32); /* behind msg_type, length and legacy_version */
    return SPAN_NONE;
}

bool troth_story_danger_key_log(const troth_story *s, bool (*line)(void *ctx, const char *p, size_t n), void *ctx)
{
    static const struct {
        const char *label, *name;
    } lines[] = { { "c e traffic", "CLIENT_EARLY_TRAFFIC_SECRET" },     { "e exp master", "EARLY_EXPORTER_SECRET" },
                  { "c hs traffic", "CLIENT_HANDSHAKE_TRAFFIC_SECRET" }, { "s hs traffic", "SERVER_HANDSHAKE_TRAFFIC_SECRET" },
                  { "c ap traffic", "CLIENT_TRAFFIC_SECRET_0" },         { "s ap traffic", "SERVER_TRAFFIC_SECRET_0" },
                  { "exp master", "EXPORTER_SECRET" },                   { "master secret", "CLIENT_RANDOM" },
                  { "extended master secret", "CLIENT_RANDOM" } };
    if (!s || !line)
        return false;
    span random = client_random(s);
    for (size_t i = 0; random.n && i < COUNT_OF(lines); i++) {
        const struct told_secret *known = secret_named(s, lines[i].label);
        char room[40 + 2 * 32 + 2 * TROTH_KEM_SECRET_MAX + 8];
        struct text t = TEXT_IN(room);
        if (!known)
            continue;
        text_add(&t, "%s ", lines[i].name);
        text_hex(&t, random);
        text_add(&t, " ");
        text_hex(&t, span_of(known->b, known->n));
        text_add(&t, "\n");
        bool ok = line(ctx, room, t.n);
        secret_wipe(room, sizeof room);
        TRY(ok);
    }
    return true;
}
