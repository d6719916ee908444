/* protect.c - sealing and opening of records.  Must never count a sequence number twice under one key. */
#include "record/protect.h"

#include "base/secret.h"
#include "base/witness.h"

enum {
    HEADER = LIMIT_RECORD_HEADER,
    TAG = 16,
    EXPLICIT = 8,    /* bytes of nonce in a TLS 1.2 record of AES-GCM                                     */
    VERSION = 0x0303,
    WINDOW = 16,     /* pieces sealed from where they lie; more are copied together first                 */
    COPY_UPTO = 512  /* content up to here is cheaper to copy than to seal in two pieces                  */
};

void protect_init(struct protect *p, const troth_allocator *memory, enum direction from)
{
    *p = (struct protect){ .memory = memory, .limit = UINT64_MAX, .most = LIMIT_PLAINTEXT, .from = (uint8_t)from };
}

static void forget_key(struct protect *p)
{
    if (!p->begun)
        return;
    p->aead->end(p->aead, p->state);
    secret_wipe(p->state, p->aead->state_n);
    p->begun = false;
}

void protect_rest(struct protect *p)
{
    if (!p->state)
        return;
    forget_key(p);
    p->memory->free(p->memory->ctx, p->state, p->aead->state_n);
    p->state = NULL;
}

void protect_end(struct protect *p)
{
    protect_rest(p);
    secret_wipe(p->key, sizeof p->key);
    secret_wipe(p->iv, sizeof p->iv);
    p->aead = NULL;
    p->form = FORM_PLAIN;
    p->seq = 0;
    p->limit = UINT64_MAX;
}

size_t protect_iv_n(enum form form, const troth_aead *aead)
{
    return form == FORM_12 && aead->id != TROTH_CHACHA20_POLY1305 ? 4 : IV_MAX;
}

void protect_set(struct protect *p, enum form form, const troth_aead *aead, const uint8_t *key, const uint8_t *iv, uint8_t epoch)
{
    void *state = p->aead == aead ? p->state : NULL; /* the next key may have the memory of the last */
    if (state) {
        forget_key(p);
        p->state = NULL;
    }
    protect_end(p);
    p->state = state;
    p->form = (uint8_t)form;
    p->aead = aead;
    p->limit = aead->seal_limit;
    p->epoch = epoch;
    memcpy(p->key, key, aead->key_n);
    memcpy(p->iv, iv, protect_iv_n(form, aead));
}

struct expanded {
    _Alignas(64) uint8_t b[TROTH_AEAD_STATE_MAX];
};

/* The key, expanded; NULL and *e when that fails.  `here` is for the first record of a key, and to be given to done() after it. */
static void *expand(struct protect *p, troth_error *e, struct expanded *here)
{
    if (p->begun)
        return p->state;
    if (!p->seq && !p->state) {
        if (p->aead->begin(p->aead, here->b, p->key))
            return here->b;
        fail_to(e, CRYPTO_FAILED, "%s takes no key", p->aead->name);
        return NULL;
    }
    if (!p->state)
        p->state = p->memory->alloc(p->memory->ctx, p->aead->state_n);
    p->begun = p->state && p->aead->begin(p->aead, p->state, p->key);
    if (p->begun)
        return p->state;
    if (!p->state) {
        fail_to(e, OUT_OF_MEMORY, "%zu bytes for a key", p->aead->state_n);
        return NULL;
    }
    secret_wipe(p->state, p->aead->state_n); /* as far as it got */
    p->memory->free(p->memory->ctx, p->state, p->aead->state_n);
    p->state = NULL;
    fail_to(e, CRYPTO_FAILED, "%s takes no key", p->aead->name);
    return NULL;
}

static void done(const struct protect *p, const void *state, struct expanded *here)
{
    if (state != here->b)
        return;
    p->aead->end(p->aead, here->b);
    secret_wipe(here->b, p->aead->state_n);
}

static void put_u64(uint8_t *to, uint64_t v)
{
    for (int i = 7; i >= 0; i--, v >>= 8)
        to[i] = (uint8_t)v;
}

/* Is part of the nonce in the record? */
static size_t explicit_n(const struct protect *p)
{
    return p->form == FORM_12 && p->aead->id != TROTH_CHACHA20_POLY1305 ? EXPLICIT : 0;
}

/* The number whose bytes in memory are `v`'s, the highest first. */
static uint32_t highest_first(uint64_t v)
{
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? __builtin_bswap32((uint32_t)v) : (uint32_t)v;
}

/* Written at once: a cipher reads it at once, and of pieces it would have to wait until they are in the cache.  The last four bytes are none
 * of it. */
typedef uint32_t words_of_nonce __attribute__((vector_size(16)));
struct nonce { _Alignas(16) uint8_t b[sizeof(words_of_nonce)]; };

/* `sent`: the explicit part, where the form has one. */
static void make_nonce(const struct protect *p, struct nonce *nonce, const uint8_t *sent)
{
    uint32_t iv[3], part[2] = { highest_first(p->seq >> 32), highest_first(p->seq) };
    memcpy(iv, p->iv, sizeof iv);
    if (explicit_n(p)) {
        memcpy(part, sent, sizeof part);
        iv[1] = iv[2] = 0;
    }
    words_of_nonce w = { iv[0], iv[1] ^ part[0], iv[2] ^ part[1], 0 };
    memcpy(nonce->b, &w, sizeof w);
}

/* TLS 1.3: the record header.  TLS 1.2: sequence number, then a header with the length of the content. */
static span make_aad(const struct protect *p, uint8_t aad[13], const uint8_t *header, size_t content_n)
{
    if (p->form == FORM_13)
        return span_of(header, HEADER);
    put_u64(aad, p->seq);
    memcpy(aad + 8, header, 3);
    aad[11] = (uint8_t)(content_n >> 8);
    aad[12] = (uint8_t)content_n;
    return span_of(aad, 13);
}

static void tell(const struct protect *p, uint8_t type, uint8_t inner, size_t length, size_t content)
{
    if (LIKELY(!p->witness || !p->witness->record))
        return;
    struct saw_record saw = { .from = (enum direction)p->from,
                              .type = type,
                              .inner = inner,
                              .epoch = p->form == FORM_PLAIN ? EPOCH_PLAIN : p->epoch,
                              .seq = p->seq,
                              .length = (uint32_t)length,
                              .content = (uint32_t)content };
    p->witness->record(p->witness->self, &saw);
}

void protect_tell_clear(const struct protect *p, uint8_t type, size_t content)
{
    if (LIKELY(!p->witness || !p->witness->record))
        return;
    struct saw_record saw = { .from = (enum direction)p->from, .type = type, .inner = type, .epoch = EPOCH_PLAIN,
                              .length = (uint32_t)(HEADER + content), .content = (uint32_t)content };
    p->witness->record(p->witness->self, &saw);
}

/* ---- sealing */
static size_t padded_n(const struct protect *p, size_t n)
{
    if (p->form != FORM_13 || p->pad_to < 2)
        return n;
    size_t up = (n + p->pad_to - 1) / p->pad_to * p->pad_to;
    return up < p->most ? up : n < p->most ? p->most : n;
}

size_t protect_sealed_n(const struct protect *p, size_t n)
{
    if (p->form == FORM_PLAIN)
        return HEADER + n;
    return HEADER + explicit_n(p) + padded_n(p, n) + (p->form == FORM_13) + TAG;
}

/* The next `n` bytes as at most `cap` spans; how many spans, or 0 when they are more. */
static size_t window_of(const struct pieces *from, size_t n, span *window, size_t cap)
{
    size_t used = 0, at = from->at;
    for (size_t i = 0; n; i++, at = 0) {
        span some = span_slice(from->parts[i], at, n);
        if (!some.n)
            continue;
        if (used == cap)
            return 0;
        window[used++] = some;
        n -= some.n;
    }
    return used;
}

static void skip_pieces(struct pieces *from, size_t n)
{
    while (n) {
        size_t left = from->parts[0].n - from->at;
        if (n < left) {
            from->at += n;
            return;
        }
        n -= left;
        from->parts++;
        from->n_parts--;
        from->at = 0;
    }
}

static void copy_pieces(uint8_t *to, const struct pieces *from, size_t n)
{
    size_t at = from->at;
    for (size_t i = 0; n; i++, at = 0) {
        span some = span_slice(from->parts[i], at, n);
        if (some.n)
            memcpy(to, some.p, some.n);
        to += some.n;
        n -= some.n;
    }
}

static void put_header(uint8_t *out, uint8_t type, uint16_t version, size_t n)
{
    out[0] = type;
    out[1] = (uint8_t)(version >> 8);
    out[2] = (uint8_t)version;
    out[3] = (uint8_t)(n >> 8);
    out[4] = (uint8_t)n;
}

/* The content, in TLS 1.3 with its type and padding behind, sealed to `at`. */
static bool seal_content(struct protect *p, void *state, uint8_t *at, const uint8_t *nonce, span aad, uint8_t type, const struct pieces *from,
                         size_t n)
{
    span window[WINDOW + 1];
    size_t padding = padded_n(p, n) - n, used = 0;
    bool typed = p->form == FORM_13;
    if (n > COPY_UPTO && !padding)
        used = window_of(from, n, window, WINDOW);
    if (!used) {
        copy_pieces(at, from, n);
        if (typed)
            at[n] = type;
        memset(at + n + typed, 0, padding);
        window[used++] = span_of(at, n + typed + padding);
    } else if (typed) {
        window[used++] = span_of(&type, 1);
    }
    return p->aead->seal(p->aead, state, at, nonce, aad, window, used);
}

bool protect_seal(struct protect *p, troth_error *e, uint8_t *out, uint8_t type, uint16_t version, struct pieces *from, size_t n)
{
    if (p->seq >= p->limit)
        return fail_to(e, KEY_EXHAUSTED, "%llu records", (unsigned long long)p->seq);
    if (n > p->most)
        return fail_to(e, BUG, "a record of %zu bytes", n);
    size_t whole = protect_sealed_n(p, n);
    uint8_t outer = p->form == FORM_13 ? CONTENT_APPLICATION_DATA : type;
    put_header(out, outer, p->form == FORM_PLAIN ? version : VERSION, whole - HEADER);
    if (p->form == FORM_PLAIN) {
        if (from->parts->p + from->at != out + HEADER) /* it may have been written where it goes */
            copy_pieces(out + HEADER, from, n);
    } else {
        struct nonce nonce;
        uint8_t aad[13];
        struct expanded here;
        void *state = expand(p, e, &here);
        TRY(state);
        if (explicit_n(p))
            put_u64(out + HEADER, p->seq);
        make_nonce(p, &nonce, out + HEADER);
        bool sealed = seal_content(p, state, out + HEADER + explicit_n(p), nonce.b, make_aad(p, aad, out, n), type, from, n);
        done(p, state, &here);
        if (!sealed)
            return fail_to(e, CRYPTO_FAILED, "%s could not seal a record", p->aead->name);
    }
    skip_pieces(from, n);
    tell(p, outer, type, whole, n);
    p->seq++;
    return true;
}

/* ---- opening */
static enum opened too_long(const struct protect *p, troth_error *e, size_t n)
{
    fail_to(e, RECORD_TOO_LONG, "%zu bytes of content and padding, at most %u are allowed", n, p->most);
    return OPEN_FAILED;
}

static enum opened open_plain(struct protect *p, troth_error *e, struct record *r)
{
    if (r->n > LIMIT_PLAINTEXT) { /* record_size_limit is for what is protected (RFC 8449 4) */
        fail_to(e, RECORD_TOO_LONG, "%zu bytes in the clear, at most %d are allowed", r->n, LIMIT_PLAINTEXT);
        return OPEN_FAILED;
    }
    tell(p, r->outer, r->type, HEADER + r->n, r->n);
    p->seq++;
    return OPENED;
}

/* RFC 9846 5.4: the last byte that is not zero is the content type. */
static enum opened strip_padding(const struct protect *p, troth_error *e, struct record *r)
{
    size_t n = r->n;
    while (n && !r->body[n - 1])
        n--;
    if (!n) {
        fail_to(e, RECORD_ALL_PADDING, "%zu zeros", r->n);
        return OPEN_FAILED;
    }
    if (r->n - 1 > p->most)
        return too_long(p, e, r->n - 1);
    r->type = r->body[n - 1];
    r->n = n - 1;
    return OPENED;
}

enum opened protect_open(struct protect *p, troth_error *e, struct record *r)
{
    if (p->form == FORM_PLAIN)
        return open_plain(p, e, r);
    struct nonce nonce;
    uint8_t aad[13];
    size_t front = explicit_n(p), whole = HEADER + r->n;
    if (r->n < front + TAG)
        return OPEN_SHORT;
    if (p->seq == UINT64_MAX)
        fail_to(e, KEY_EXHAUSTED, "2^64 records");
    struct expanded here;
    void *state = p->seq == UINT64_MAX ? NULL : expand(p, e, &here);
    if (!state)
        return OPEN_FAILED;
    span sealed = { r->body + front, r->n - front };
    make_nonce(p, &nonce, r->body);
    bool good = p->aead->open(p->aead, state, r->body + front, nonce.b, make_aad(p, aad, r->header, sealed.n - TAG), sealed);
    done(p, state, &here);
    if (!good)
        return OPEN_BAD_MAC;
    r->body += front;
    r->n = sealed.n - TAG;
    enum opened is = OPENED;
    if (p->form == FORM_13)
        is = strip_padding(p, e, r);
    else if (r->n > p->most)
        is = too_long(p, e, r->n);
    if (is == OPENED)
        tell(p, r->outer, r->type, whole, r->n);
    p->seq++;
    return is;
}
