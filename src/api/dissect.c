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

static bool suite_parts(struct dissect *d)
{
    if (!d->provider)
        return false;
    const char *name = name_of(&names_suite, d->suite);
    bool big = strstr(name, "SHA384") != NULL;
    d->hash = provider_hash(d->provider, big ? TROTH_SHA384 : TROTH_SHA256);
    d->aead = provider_aead(d->provider, strstr(name, "CHACHA20_POLY1305") ? TROTH_CHACHA20_POLY1305
                                       : strstr(name, "AES_256_GCM") ? TROTH_AES_256_GCM : TROTH_AES_128_GCM);
    bool known = strstr(name, "_GCM_SHA") || strstr(name, "CHACHA20_POLY1305");
    return known && d->hash && d->aead;
}

static void tell_key(struct dissect *d, const char *label, const char *from, span value)
{
    const struct witness *w = d->witness;
    w->key(w->self, &(struct saw_key){ .label = label, .from = from, .hash = d->hash->name, .value = value });
}

static void set_traffic(struct dissect *d, enum direction from, span secret, uint8_t epoch)
{
    uint8_t key[TROTH_AEAD_KEY_MAX], iv[IV_MAX];
    if (expand_label(d->hash, key, d->aead->key_n, secret, "key", SPAN_NONE) &&
        expand_label(d->hash, iv, d->aead->nonce_n, secret, "iv", SPAN_NONE))
        protect_set(&d->side[from].protect, FORM_13, d->aead, key, iv, epoch);
    secret_wipe(key, sizeof key);
    secret_wipe(iv, sizeof iv);
}

/* Turns one direction to the secret with that label in the key log; without it that direction cannot be read any further. */
static void turn(struct dissect *d, enum direction from, const char *log_label, const char *label, const char *above, uint8_t epoch)
{
    struct side *s = &d->side[from];
    size_t n = d->hash ? find_secret(d, log_label, s->secret) : 0;
    s->blind = !n;
    if (!n) {
        protect_end(&s->protect);
        s->protect.epoch = epoch;
        return;
    }
    tell_key(d, label, above, span_of(s->secret, n));
    set_traffic(d, from, span_of(s->secret, n), epoch);
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
    set_traffic(d, from, span_of(next, d->hash->n), EPOCH_APPLICATION);
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
        tell_key(d, "master secret", NULL, span_of(main, 48));
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

/* ---- messages */

static void after(struct dissect *d, enum direction from, uint8_t type, const struct reading *r)
{
    bool tls13 = d->version == VERSION_TLS_1_3;
    if (type == HS_client_hello) {
        memcpy(d->client_random, r->random, 32);
        d->has_hello = true;
    } else if (type == HS_server_hello) {
        d->version = r->version;
        d->suite = r->suite;
        memcpy(d->server_random, r->random, 32);
        if (!suite_parts(d))
            d->hash = NULL;
        if (r->version == VERSION_TLS_1_3 && !r->retry) {
            turn_handshake(d, FROM_SERVER);
            if (!d->early)
                turn_handshake(d, FROM_CLIENT);
        }
    } else if (type == HS_finished && tls13) {
        d->side[from].done = true;
        turn_application(d, from);
    } else if (type == HS_finished) {
        d->side[from].done = true;
    } else if (type == HS_end_of_early_data) {
        turn_handshake(d, FROM_CLIENT);
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
        struct reading r = { .witness = d->witness, .from = from, .version = d->version, .epoch = s->protect.epoch,
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

static bool alert(struct dissect *d, enum direction from, span content)
{
    const struct witness *w = d->witness;
    struct alert_message a;
    struct rd_ctx ctx;
    w->message(w->self, &(struct saw_message){ .type = "Alert", .from = from, .raw = content, .epoch = d->side[from].protect.epoch });
    rd_ctx_init(&ctx, content, w);
    struct rd r = rd_init(&ctx, content);
    if (!alert_read(&a, &r))
        return error_from_rd(&d->error, __FILE__, __LINE__, "Alert", &r);
    if (a.description != ALERT_close_notify && a.description != ALERT_user_canceled)
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
    case CONTENT_ALERT: return alert(d, from, body);
    case CONTENT_CHANGE_CIPHER_SPEC: ccs(d, from, body); return true;
    default:
        if (d->data && body.n)
            d->data(d->data_ctx, from, body);
        return true;
    }
}

/* A record that nobody here can open: told by its outside. */
static void closed_record(struct dissect *d, enum direction from, const struct record *r)
{
    const struct witness *w = d->witness;
    struct side *s = &d->side[from];
    w->record(w->self, &(struct saw_record){ .from = from, .type = r->outer, .inner = 0, .epoch = s->protect.epoch, .seq = s->protect.seq++,
                                             .length = (uint32_t)(r->n + LIMIT_RECORD_HEADER) });
}

/* Early data follows its hello at once: the first protected record of a client before any answer. */
static void maybe_early(struct dissect *d, enum direction from, const struct record *r)
{
    if (d->provider && from == FROM_CLIENT && !d->version && d->has_hello && r->type == CONTENT_APPLICATION_DATA && !d->early) {
        uint8_t secret[48];
        d->early = true;
        size_t n = find_secret(d, "CLIENT_EARLY_TRAFFIC_SECRET", secret);
        d->side[FROM_CLIENT].blind = true; /* the suite is the ticket's; the key log has no word of it: try by length */
        d->hash = provider_hash(d->provider, n == 48 ? TROTH_SHA384 : TROTH_SHA256);
        d->aead = provider_aead(d->provider, n == 48 ? TROTH_AES_256_GCM : TROTH_AES_128_GCM);
        if (n && d->hash && d->aead)
            turn(d, FROM_CLIENT, "CLIENT_EARLY_TRAFFIC_SECRET", "c e traffic", "Early Secret", EPOCH_EARLY);
    }
}

static bool one_record(struct dissect *d, enum direction from, struct record *r)
{
    struct side *s = &d->side[from];
    maybe_early(d, from, r);
    bool protected13 = d->version == VERSION_TLS_1_3 && r->type != CONTENT_APPLICATION_DATA; /* in the clear in spite of keys: CCS, early alerts */
    if (protected13 && (protect_on(&s->protect) || s->blind)) {
        const struct witness *w = d->witness;
        w->record(w->self, &(struct saw_record){ .from = from, .type = r->type, .inner = r->type, .length = (uint32_t)(r->n + LIMIT_RECORD_HEADER), .content = (uint32_t)r->n });
        return content(d, from, r);
    }
    if (s->blind) {
        closed_record(d, from, r);
        return true;
    }
    s->protect.witness = d->witness;
    enum opened o = protect_open(&s->protect, &d->error, r);
    if (o == OPENED)
        return content(d, from, r);
    if (d->early && from == FROM_CLIENT && s->protect.epoch == EPOCH_HANDSHAKE && !s->done) {
        closed_record(d, from, r); /* early data that was refused */
        s->protect.seq--;
        return true;
    }
    if (o == OPEN_FAILED)
        return false;
    return fail(d, RECORD_BAD_MAC, "record %llu of the %s", (unsigned long long)s->protect.seq, from == FROM_CLIENT ? "client" : "server");
}

void dissect_init(struct dissect *d, const struct witness *w, const troth_provider *p, const troth_allocator *mem)
{
    *d = (struct dissect){ .witness = w, .provider = p };
    for (int i = 0; i < 2; i++) {
        inbuf_init(&d->side[i].in, mem);
        protect_init(&d->side[i].protect, mem, (enum direction)i);
        messages_init(&d->side[i].messages, mem);
    }
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
        enum form form = protect_on(&s->protect) ? (enum form)s->protect.form : s->blind ? FORM_12 : FORM_PLAIN;
        while (ok && (got = deframe(&s->in, &r, form, &d->error)) == DEFRAME_RECORD) {
            ok = one_record(d, from, &r);
            form = protect_on(&s->protect) ? (enum form)s->protect.form : s->blind ? FORM_12 : FORM_PLAIN;
        }
        d->stopped = !ok || got == DEFRAME_BAD;
    }
    if (d->stopped && d->error.reason)
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
    secret_wipe(d, sizeof *d);
}
