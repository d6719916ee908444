/* dissect.c - records of both sides, opened with keys from a key log (RFC 9850), and their messages told.
 *
 * Must be able to stop anywhere: captures begin late, end early, and hold anything. */
#include "api/dissect.h"
#include "base/alerts.h"
#include "base/secret.h"
#include "base/text.h"
#include "crypto/hkdf.h"

/* ---- the key log: lines of LABEL client_random secret */

static span next_line(span *text)
{
    size_t n = 0;
    while (n < text->n && text->p[n] != '\n')
        n++;
    span line = span_of(text->p, n);
    *text = span_slice(*text, n + 1, text->n);
    return line;
}

static bool line_is(span line, const char *label, const uint8_t *random, span *secret)
{
    char hex[65];
    struct text t = TEXT_IN(hex);
    size_t n = strlen(label);
    text_hex(&t, span_of(random, 32));
    TRY(line.n > n + 66 && !memcmp(line.p, label, n) && line.p[n] == ' ' && line.p[n + 65] == ' ');
    for (size_t i = 0; i < 64; i++)
        TRY((line.p[n + 1 + i] | 0x20) == (hex[i] | 0x20));
    *secret = span_slice(line, n + 66, line.n);
    return true;
}

/* The secret of this connection with that label; its length, 0: not there. */
static size_t find_secret(struct dissect *d, const char *label, uint8_t out[48])
{
    for (unsigned i = 0; i < d->n_keylogs; i++)
        for (span text = d->keylogs[i]; text.n;) {
            span hex, line = next_line(&text);
            size_t n;
            if (line_is(line, label, d->client_random, &hex) && hex_decode(out, 48, &n, hex))
                return n;
        }
    return 0;
}

void dissect_keylog(struct dissect *d, span text)
{
    if (text.n && d->n_keylogs < COUNT_OF(d->keylogs))
        d->keylogs[d->n_keylogs++] = text;
}

/* ---- keys */

/* The hash and cipher of the suite; false: troth has none of the kind. */
static bool suite_parts(struct dissect *d)
{
    static const struct {
        const char *part;
        uint8_t     aead;
    } ciphers[] = { { "CHACHA20_POLY1305", TROTH_CHACHA20_POLY1305 }, { "AES_256_GCM", TROTH_AES_256_GCM }, { "AES_128_GCM", TROTH_AES_128_GCM } };
    const char *name = name_of(&names_suite, d->suite);
    d->hash = provider_hash(d->provider, strstr(name, "SHA384") ? TROTH_SHA384 : TROTH_SHA256);
    d->aead = NULL;
    for (size_t i = 0; i < COUNT_OF(ciphers) && !d->aead; i++)
        if (strstr(name, ciphers[i].part))
            d->aead = provider_aead(d->provider, ciphers[i].aead);
    return d->hash && d->aead;
}

static void tell_key(struct dissect *d, const troth_hash *hash, const char *label, const char *from, span value)
{
    const struct witness *w = d->witness;
    w->key(w->self, &(struct saw_key){ .label = label, .from = from, .hash = hash->name, .value = value });
}

static void set_traffic(const troth_hash *hash, const troth_aead *aead, struct protect *p, span secret, uint8_t epoch)
{
    uint8_t key[TROTH_AEAD_KEY_MAX], iv[IV_MAX];
    if (expand_label(hash, key, aead->key_n, secret, "key", SPAN_NONE) && expand_label(hash, iv, aead->nonce_n, secret, "iv", SPAN_NONE))
        protect_set(p, FORM_13, aead, key, iv, epoch);
    secret_wipe(key, sizeof key);
    secret_wipe(iv, sizeof iv);
}

/* Turns one direction to the secret with that label in the key log; without it that direction cannot be read any further. */
static void turn(struct dissect *d, enum direction from, const char *log_label, const char *label, const char *above, uint8_t epoch)
{
    struct side *s = &d->side[from];
    bool later = from == FROM_CLIENT && d->early;
    size_t n = d->hash ? find_secret(d, log_label, s->secret) : 0;
    s->blind = !n;
    if (!n) {
        d->early &= from != FROM_CLIENT;
        protect_end(&s->protect);
        s->protect.epoch = epoch;
        return;
    }
    d->opened = true;
    tell_key(d, d->hash, label, above, span_of(s->secret, n));
    set_traffic(d->hash, d->aead, later ? &d->waiting : &s->protect, span_of(s->secret, n), epoch);
}

static void turn_handshake(struct dissect *d, enum direction from)
{
    turn(d, from, from == FROM_CLIENT ? "CLIENT_HANDSHAKE_TRAFFIC_SECRET" : "SERVER_HANDSHAKE_TRAFFIC_SECRET",
         from == FROM_CLIENT ? "c hs traffic" : "s hs traffic", "Handshake Secret", EPOCH_HANDSHAKE);
}

static void turn_application(struct dissect *d, enum direction from)
{
    turn(d, from, from == FROM_CLIENT ? "CLIENT_TRAFFIC_SECRET_0" : "SERVER_TRAFFIC_SECRET_0",
         from == FROM_CLIENT ? "c ap traffic" : "s ap traffic", "Main Secret", EPOCH_APPLICATION);
}

static void next_generation(struct dissect *d, enum direction from)
{
    struct side *s = &d->side[from];
    uint8_t next[48];
    if (s->blind || !expand_label(d->hash, next, d->hash->n, span_of(s->secret, d->hash->n), "traffic upd", SPAN_NONE))
        return;
    memcpy(s->secret, next, d->hash->n);
    set_traffic(d->hash, d->aead, &s->protect, span_of(next, d->hash->n), EPOCH_APPLICATION);
    secret_wipe(next, sizeof next);
}

/* TLS 1.2: this side's change_cipher_spec came. */
static void turn12(struct dissect *d, enum direction from)
{
    struct side *s = &d->side[from];
    uint8_t main[48], block[2 * (TROTH_AEAD_KEY_MAX + IV_MAX)];
    size_t n = d->hash ? find_secret(d, "CLIENT_RANDOM", main) : 0;
    s->blind = n != 48;
    s->protect.epoch = EPOCH_APPLICATION;
    if (s->blind)
        return;
    if (!d->side[FROM_CLIENT].done && !d->side[FROM_SERVER].done)
        tell_key(d, d->hash, "master secret", NULL, span_of(main, 48));
    size_t key_n = d->aead->key_n, iv_n = protect_iv_n(FORM_12, d->aead);
    tls12_prf(d->hash, block, 2 * (key_n + iv_n), span_of(main, 48), "key expansion", SPAN_OF(d->server_random), SPAN_OF(d->client_random));
    size_t which = from == FROM_CLIENT ? 0 : 1;
    uint8_t seed[64];
    memcpy(seed, d->server_random, 32);
    memcpy(seed + 32, d->client_random, 32);
    const struct witness *w = d->witness;
    w->key(w->self, &(struct saw_key){ .label = which ? "server write key" : "client write key", .from = "master secret", .hash = d->hash->name,
                                       .context = SPAN_OF(seed), .value = span_of(block + which * key_n, key_n) });
    protect_set(&s->protect, FORM_12, d->aead, block + which * key_n, block + 2 * key_n + which * iv_n, EPOCH_APPLICATION);
    secret_wipe(main, sizeof main);
    secret_wipe(block, sizeof block);
}

/* ---- early data: what a client sends under keys of its ticket, whether it is taken or not */

static bool early_keys(struct dissect *d, uint8_t cipher, bool tell)
{
    uint8_t secret[48];
    size_t n = find_secret(d, "CLIENT_EARLY_TRAFFIC_SECRET", secret);
    const troth_hash *hash = n ? provider_hash(d->provider, n == 48 ? TROTH_SHA384 : TROTH_SHA256) : NULL;
    const troth_aead *aead = hash ? provider_aead(d->provider, cipher) : NULL;
    bool can = aead && (cipher == TROTH_AES_256_GCM) == (n == 48);
    if (can && tell)
        tell_key(d, hash, "c e traffic", "Early Secret", span_of(secret, n));
    else if (can)
        set_traffic(hash, aead, &d->side[FROM_CLIENT].protect, span_of(secret, n), EPOCH_EARLY);
    secret_wipe(secret, sizeof secret);
    return can;
}

static void early_over(struct dissect *d)
{
    struct protect *p = &d->side[FROM_CLIENT].protect;
    if (!d->early)
        return;
    d->early = false;
    protect_end(p);
    *p = d->waiting;
    protect_init(&d->waiting, p->memory, FROM_CLIENT);
    d->side[FROM_CLIENT].blind = !protect_on(p) && d->version;
}

/* Is it early data, or under the handshake keys already?  Which cipher seals the early ones only their ticket says.  So it is tried. */
static enum opened open_early(struct dissect *d, struct record *r)
{
    static const uint8_t ciphers[] = { TROTH_AES_256_GCM, TROTH_AES_128_GCM, TROTH_CHACHA20_POLY1305 };
    struct protect *p = &d->side[FROM_CLIENT].protect;
    bool known = protect_on(p);
    uint8_t sealed[LIMIT_CIPHERTEXT_12];
    size_t n = r->n < sizeof sealed ? r->n : sizeof sealed;
    enum opened o = OPEN_BAD_MAC;
    memcpy(sealed, r->body, n);
    for (size_t i = 0; (o == OPEN_BAD_MAC || o == OPEN_SHORT) && i < COUNT_OF(ciphers) && d->provider; i++) {
        if (known ? i > 0 : !early_keys(d, ciphers[i], false))
            continue;
        memcpy(r->body, sealed, n);
        p->witness = d->witness;
        o = protect_open(p, &d->error, r);
        if (o == OPENED && !known)
            early_keys(d, ciphers[i], true);
    }
    if (o == OPENED || o == OPEN_FAILED)
        return o;
    if (!known)
        protect_end(p);
    if (!protect_on(&d->waiting))
        return o;
    memcpy(r->body, sealed, n);
    d->waiting.witness = d->witness;
    o = protect_open(&d->waiting, &d->error, r);
    if (o == OPENED)
        early_over(d);
    return o;
}

/* ---- messages */

static void after(struct dissect *d, enum direction from, uint8_t type, const struct reading *r)
{
    bool tls13 = d->version == VERSION_TLS_1_3;
    if (type == HS_client_hello) {
        memcpy(d->client_random, r->random, 32);
        d->has_hello = true;
        if (!r->early) /* a second hello never has any */
            early_over(d);
        d->early = r->early;
        d->ech = r->ech;
    } else if (type == HS_server_hello) {
        d->version = r->version;
        d->suite = r->suite;
        memcpy(d->server_random, r->random, 32);
        d->suite_closed = d->provider && !suite_parts(d);
        if (!d->provider || d->suite_closed)
            d->hash = NULL;
        d->early &= r->version == VERSION_TLS_1_3;
        if (r->version == VERSION_TLS_1_3 && !r->retry) {
            turn_handshake(d, FROM_SERVER);
            turn_handshake(d, FROM_CLIENT);
        }
    } else if (type == HS_finished && tls13) {
        d->side[from].done = true;
        turn_application(d, from);
    } else if (type == HS_finished) {
        d->side[from].done = true;
    } else if (type == HS_end_of_early_data) {
        early_over(d);
    } else if (type == HS_key_update) {
        next_generation(d, from);
    }
}

static bool handshake(struct dissect *d, enum direction from, span fragment)
{
    struct side *s = &d->side[from];
    struct message m;
    TRY(messages_add(&s->messages, &d->error, fragment));
    for (;;) {
        enum messages_answer answer = messages_next(&s->messages, &d->error, &m);
        if (answer != MESSAGE_WHOLE)
            return answer == MESSAGE_MORE;
        struct reading r = { .witness = d->witness, .from = from, .version = d->version, .suite = d->suite, .epoch = s->protect.epoch,
                             .finished_n = d->version != VERSION_TLS_1_3 ? 12 : d->hash ? d->hash->n : 32 };
        TRY(reading_message(&r, m.raw, &d->error));
        after(d, from, m.type, &r);
    }
}

/* One side gave up: the story's failure, seen from the other. */
static void tell_refusal(struct dissect *d, enum direction from, uint8_t alert)
{
    char code[80];
    struct text t = TEXT_IN(code);
    troth_error e = { .reason = TROTH_R_NONE };
    text_add(&t, "peer.alert.%s", name_of(&names_alert, alert));
    enum troth_reason why = troth_reason_by_code(code);
    (void)error_from_peer(&e, why != TROTH_R_NONE ? why : TROTH_R_ALERT_UNKNOWN, alert, __FILE__, __LINE__);
    t = TEXT_IN(e.detail);
    text_add(&t, "alert %s (%u) from the %s", name_of(&names_alert, alert), alert, from == FROM_CLIENT ? "client" : "server");
    e.message = "Alert";
    e.field = "description";
    e.at = 1;
    d->witness->failure(d->witness->self, &e);
}

static bool alert(struct dissect *d, enum direction from, const struct record *record)
{
    span content = record_span(record);
    bool clear = d->version == VERSION_TLS_1_3 && record->outer == CONTENT_ALERT;
    const struct witness *w = d->witness;
    struct alert_message a;
    struct rd_ctx ctx;
    w->message(w->self, &(struct saw_message){ .type = "Alert", .from = from, .raw = content,
                                                .epoch = clear ? EPOCH_PLAIN : d->side[from].protect.epoch });
    rd_ctx_init(&ctx, content, w);
    struct rd r = rd_init(&ctx, content);
    if (!alert_read(&a, &r))
        return error_from_rd(&d->error, __FILE__, __LINE__, "Alert", &r);
    bool warning = a.level == ALERT_LEVEL_warning && d->version != VERSION_TLS_1_3; /* until TLS 1.3 the connection went on */
    if (a.description != ALERT_close_notify && a.description != ALERT_user_canceled && !warning)
        tell_refusal(d, from, a.description);
    return true;
}

static void ccs(struct dissect *d, enum direction from, span content)
{
    const struct witness *w = d->witness;
    struct rd_ctx ctx;
    w->message(w->self, &(struct saw_message){ .type = "change_cipher_spec", .from = from, .raw = content });
    rd_ctx_init(&ctx, content, w);
    struct rd r = rd_init(&ctx, content);
    rd_u8(&r, "type", NULL);
    if (d->version && d->version != VERSION_TLS_1_3)
        turn12(d, from);
}

static bool content(struct dissect *d, enum direction from, const struct record *r)
{
    span body = record_span(r);
    switch (r->type) {
    case CONTENT_HANDSHAKE: return body.n ? handshake(d, from, body) : true;
    case CONTENT_ALERT: return alert(d, from, r);
    case CONTENT_CHANGE_CIPHER_SPEC: ccs(d, from, body); return true;
    default:
        if (d->data && body.n)
            d->data(d->data_ctx, from, body);
        return true;
    }
}

/* A record that nobody here can open: told by its outside.  An alert of TLS 1.3 is two bytes, their type and a tag. */
static bool closed_record(struct dissect *d, enum direction from, const struct record *r)
{
    enum { SEALED_ALERT = 2 + 1 + 16 };
    const struct witness *w = d->witness;
    struct side *s = &d->side[from];
    w->record(w->self, &(struct saw_record){ .from = from, .type = r->outer, .inner = 0, .epoch = s->protect.epoch, .seq = s->protect.seq++,
                                             .length = (uint32_t)(r->n + LIMIT_RECORD_HEADER) });
    s->on |= d->version == VERSION_TLS_1_3 ? r->outer == CONTENT_APPLICATION_DATA && r->n > SEALED_ALERT : r->outer != CONTENT_ALERT;
    return true;
}

/* Early data that nobody can open, or that was refused: it takes no number of the keys that come. */
static bool closed_early(struct dissect *d, const struct record *r)
{
    const struct witness *w = d->witness;
    w->record(w->self, &(struct saw_record){ .from = FROM_CLIENT, .type = r->outer, .inner = 0, .epoch = EPOCH_EARLY,
                                             .length = (uint32_t)(r->n + LIMIT_RECORD_HEADER) });
    return true;
}

/* A connection begins with a hello, or with an alert instead of one.  What begins otherwise was not captured from its beginning. */
static void look_at_first(struct dissect *d, enum direction from, const struct record *r)
{
    struct side *s = &d->side[from];
    bool hello = r->type == CONTENT_HANDSHAKE && r->n && (r->body[0] == HS_client_hello || r->body[0] == HS_server_hello || r->body[0] == HS_hello_request);
    if (!s->began && d->provider && !d->has_hello && !hello && r->type != CONTENT_ALERT)
        d->midway = s->blind = true;
    s->began = true;
}

static bool one_record(struct dissect *d, enum direction from, struct record *r)
{
    struct side *s = &d->side[from];
    look_at_first(d, from, r);
    bool early = from == FROM_CLIENT && d->early, data = r->type == CONTENT_APPLICATION_DATA;
    if (!data && (early || (d->version == VERSION_TLS_1_3 && (protect_on(&s->protect) || s->blind)))) { /* in the clear in spite of keys: CCS, early alerts */
        const struct witness *w = d->witness;
        w->record(w->self, &(struct saw_record){ .from = from, .type = r->type, .inner = r->type, .length = (uint32_t)(r->n + LIMIT_RECORD_HEADER), .content = (uint32_t)r->n });
        return content(d, from, r);
    }
    if (early) {
        enum opened o = open_early(d, r);
        return o == OPENED ? content(d, from, r) : o != OPEN_FAILED && closed_early(d, r);
    }
    s->blind |= data && !protect_on(&s->protect); /* data is never in the clear */
    if (s->blind)
        return closed_record(d, from, r);
    s->protect.witness = d->witness;
    enum opened o = protect_open(&s->protect, &d->error, r);
    if (o == OPENED)
        return content(d, from, r);
    return o != OPEN_FAILED && fail(d, RECORD_BAD_MAC, "record %llu of the %s", (unsigned long long)s->protect.seq, from == FROM_CLIENT ? "client" : "server");
}

void dissect_init(struct dissect *d, const struct witness *w, const troth_provider *p, const troth_allocator *mem)
{
    *d = (struct dissect){ .witness = w, .provider = p };
    for (int i = 0; i < 2; i++) {
        inbuf_init(&d->side[i].in, mem);
        protect_init(&d->side[i].protect, mem, (enum direction)i);
        messages_init(&d->side[i].messages, mem);
    }
    protect_init(&d->waiting, mem, FROM_CLIENT);
}

static enum form form_now(const struct dissect *d, enum direction from)
{
    const struct side *s = &d->side[from];
    bool closed = s->blind || (from == FROM_CLIENT && d->early) || (!s->began && !d->has_hello);
    return protect_on(&s->protect) ? (enum form)s->protect.form : closed ? FORM_OTHER : FORM_PLAIN;
}

bool dissect_finished(const struct dissect *d)
{
    for (int k = 0; k < 2; k++)
        if (!d->side[k].done && !(d->side[k].blind && d->side[k].on))
            return false;
    return true;
}

bool dissect_bytes(struct dissect *d, enum direction from, span bytes)
{
    struct side *s = &d->side[from];
    while (bytes.n && !d->stopped) {
        uint8_t *p;
        size_t room;
        if (!inbuf_room(&s->in, &d->error, &p, &room))
            break;
        size_t n = bytes.n < room ? bytes.n : room;
        memcpy(p, bytes.p, n);
        inbuf_got(&s->in, n);
        bytes = span_slice(bytes, n, bytes.n);
        struct record r;
        enum deframed got;
        bool ok = true;
        while (ok && (got = deframe(&s->in, &r, form_now(d, from), &d->error)) == DEFRAME_RECORD)
            ok = one_record(d, from, &r);
        d->stopped = !ok || got == DEFRAME_BAD;
    }
    if (d->stopped && d->error.reason && !d->midway)
        d->witness->failure(d->witness->self, &d->error);
    return !d->stopped && !d->error.reason;
}

void dissect_free(struct dissect *d)
{
    for (int i = 0; i < 2; i++) {
        inbuf_free(&d->side[i].in);
        protect_end(&d->side[i].protect);
        messages_free(&d->side[i].messages);
    }
    protect_end(&d->waiting);
    secret_wipe(d, sizeof *d);
}
