/* replay.c - drives the engine with a recording instead of a socket, and compares what it writes with what it wrote then.
 *
 * Where a shared secret is missing zeros stand in for it, so that the decisions which need no key are made once more; from there on no
 * byte of ours is compared, nothing encrypted of the peer's is given to the engine, and the notes say so. */
#include "recording/replay.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <troth/pki.h>
#include <troth/verify.h>

#include "common/digits.h"
#include "common/idn.h"
#include "setup/ech.h"
#include "setup/pins.h"
#include "setup/psk.h"
#include "setup/setup.h"
#include "setup/trust.h"

enum { HEADERS = 40, CERTS_MAX = 32, TCP_FIN = 1, TCP_SYN = 2 };

/* One direction of the wire. */
struct stream {
    uint8_t *p;
    size_t   n, at;
    bool     fin;
};

struct player {
    struct replay *r;
    struct tape   *tape;
    struct reel    reel;
    struct stream  ours, theirs;
    size_t         record_end;    /* of the record of theirs that is being given                 */
    size_t         compared;      /* bytes of ours that came out the same                        */
    size_t         next_write;
    troth_span     file;          /* the recording */
    bool           changed_cipher;/* theirs: TLS 1.2, what follows is encrypted                  */
    bool           ready, early, diverged, no_keys, ran_out;
    troth_client  *client;
    troth_server  *servers;
};

static void note(struct replay *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void note(struct replay *r, const char *fmt, ...)
{
    va_list ap;
    if (r->n_notes == sizeof r->note / sizeof r->note[0])
        return;
    va_start(ap, fmt);
    vsnprintf(r->note[r->n_notes], sizeof r->note[0], fmt, ap);
    va_end(ap);
    troth_story_note(r->story, r->note[r->n_notes++]);
}

/* ---- the wire, out of the packets that record.c writes */

static bool stream_add(struct stream *s, const uint8_t *p, size_t n)
{
    if (!n)
        return true;
    uint8_t *grown = realloc(s->p, s->n + n);
    if (!grown)
        return false;
    memcpy(grown + s->n, p, n);
    s->p = grown;
    s->n += n;
    return true;
}

static bool read_wire(struct player *y, const uint8_t *file, size_t n)
{
    bool little = file[8] == 0x4d, first = true;
    uint8_t client[6] = { 0 };
    for (size_t at = 0; n - at >= 12;) {
        uint32_t type = pcapng_word(file + at, little), length = pcapng_word(file + at + 4, little);
        if (length < 12 || length > n - at)
            return false;
        const uint8_t *b = file + at + 28;
        uint32_t caught = type == 6 && length >= 32 ? pcapng_word(file + at + 20, little) : 0;
        at += length;
        if (caught < HEADERS || caught > length - 32)
            continue;
        uint8_t from[6];
        memcpy(from, b + 12, 4);
        memcpy(from + 4, b + 20, 2);
        if (first)
            memcpy(client, from, sizeof client);
        first = false;
        bool clients = !memcmp(client, from, sizeof client);
        struct stream *s = clients == y->r->server ? &y->theirs : &y->ours;
        s->fin |= b[33] & TCP_FIN;
        if (!stream_add(s, b + HEADERS, caught - HEADERS))
            return false;
    }
    return true;
}

/* ---- the configuration */

static int64_t then(void *ctx)
{
    return *(const int64_t *)ctx;
}

static const json_t *setup_of(const struct replay *r, const char *key)
{
    return json_object_get(json_object_get(r->facts, "setup"), key);
}

/* A list of PEM texts as one; the caller frees.  NULL: it is empty. */
static char *joined(const json_t *list)
{
    size_t i, n = 0, k = 0;
    const json_t *one;
    json_array_foreach(list, i, one)
        n += json_string_length(one);
    char *all = n ? malloc(n + 1) : NULL;
    json_array_foreach(list, i, one) {
        if (all && json_string_value(one))
            memcpy(all + k, json_string_value(one), json_string_length(one));
        k += json_string_length(one);
    }
    if (all)
        all[n] = 0;
    return all;
}

static troth_span text_span(const char *s)
{
    return (troth_span){ (const uint8_t *)s, s ? strlen(s) : 0 };
}

/* The rules that the peer's chain was judged by. */
static troth_policy *policy_of(struct replay *r)
{
    troth_error why;
    troth_policy_builder *b = troth_policy_new(troth_libcrypto());
    const char *profile = json_string_value(setup_of(r, "profile"));
    int rules = profile ? trust_profile_named(profile) : -1;
    char *trust = joined(setup_of(r, "trust")), *crls = joined(setup_of(r, "crls"));
    const json_t *anchors = json_object_get(json_object_get(r->facts, "peer"), "anchors"), *one;
    size_t i;
    if (trust)
        troth_policy_trust_pem(b, text_span(trust));
    if (json_is_true(setup_of(r, "system_trust"))) { /* of that system's roots the recording has those that mattered */
        json_array_foreach(anchors, i, one) {
            size_t n;
            uint8_t *der = facts_bytes(one, &n);
            if (der)
                troth_policy_trust_pem(b, (troth_span){ der, n });
            free(der);
        }
        if (!json_array_size(anchors))
            trust_system(b);
    }
    if (crls)
        troth_policy_crls(b, text_span(crls));
    if (r->server)
        troth_policy_purpose(b, TROTH_PURPOSE_CLIENT);
    trust_suffixes(b, SUFFIXES_OF_REGISTRIES);
    if (rules >= 0)
        troth_policy_profile(b, (enum troth_profile)rules);
    troth_policy_every_check(b);
    troth_policy *p = troth_policy_build(b, &why);
    if (!p)
        complain(r->args, exit_code_of(&why), "the recording's trust: %s %s [%s]", why.text, why.detail, why.code);
    free(trust);
    free(crls);
    return p;
}

/* The key whose public half is in these bytes. */
static const struct tape_key *key_in(const struct tape *t, troth_span bytes)
{
    const struct tape_key *k = NULL;
    for (size_t i = 0; bytes.n && (k = tape_key(t, i)); i++)
        if (k->n && memmem(bytes.p, bytes.n, k->spki, k->n))
            break;
    return k;
}

/* ... in the chain's first certificate. */
static const struct tape_key *key_of(const struct tape *t, const char *pem)
{
    troth_pki *pki = troth_pki_new(troth_libcrypto());
    const troth_object *objects;
    size_t n = troth_pki_read(pki, text_span(pem), &objects);
    const struct tape_key *k = n ? key_in(t, objects[0].der) : NULL;
    troth_pki_free(pki);
    return k;
}

/* What goes for the key, which signs as it did then: at once, or when it is asked for. */
static troth_span key_again(troth_builder *b, const struct tape_key *k)
{
    const troth_span spki = { k->spki, k->n };
    if (k->elsewhere)
        troth_key_elsewhere(b, spki, k->can, (void *)(uintptr_t)k);
    return spki;
}

/* Its delegated credential, where there is one: then the certificate's own key may have been elsewhere. */
static void set_identity(const struct tape *t, troth_builder *b, const char *chain, const json_t *credential)
{
    size_t n;
    uint8_t *bytes = facts_bytes(credential, &n);
    const struct tape_key *own = key_of(t, chain), *lent = bytes ? key_in(t, (troth_span){ bytes, n }) : NULL;
    if (own)
        troth_identity_pem(b, text_span(chain), key_again(b, own));
    else if (lent)
        troth_identity_external(b, text_span(chain), NULL);
    if (lent)
        troth_identity_delegated(b, (troth_span){ bytes, n }, key_again(b, lent));
    free(bytes);
}

/* The key that is on the tape and belongs to nothing else: a raw public key. */
static void set_raw_key(const struct replay *r, const struct tape *t, troth_builder *b)
{
    const json_t *identities = setup_of(r, "identities"), *credentials = setup_of(r, "delegated"), *one;
    const struct tape_key *k;
    for (size_t i = 0; (k = tape_key(t, i)); i++) {
        bool taken = false;
        size_t j, n;
        json_array_foreach(identities, j, one) {
            char *chain = joined(one);
            uint8_t *credential = facts_bytes(json_array_get(credentials, j), &n);
            taken |= (chain && key_of(t, chain) == k) || (credential && key_in(t, (troth_span){ credential, n }) == k);
            free(chain);
            free(credential);
        }
        if (taken)
            continue;
        troth_identity_raw_key(b, key_again(b, k));
        return;
    }
}

static void set_identities(const struct replay *r, const struct args *a, const struct tape *t, troth_builder *b)
{
    const json_t *identities = setup_of(r, "identities"), *one;
    size_t i;
    json_array_foreach(identities, i, one) {
        char *chain = joined(one);
        if (chain)
            set_identity(t, b, chain, json_array_get(setup_of(r, "delegated"), i));
        free(chain);
    }
    if (args_has(a, OPT_RAW_KEY))
        set_raw_key(r, t, b);
}

/* ---- what is secret of a configuration: only where it was recorded */

/* Of an ECH key the public part: what it opens is among the answers, so that the private one stays out. */
static void set_ech_keys(const struct replay *r, troth_builder *b)
{
    static const uint8_t none[32] = { 0 };
    const json_t *one;
    size_t i;
    json_array_foreach(setup_of(r, "ech"), i, one) {
        const char *text = json_string_value(one);
        uint8_t *list = text ? malloc(json_string_length(one) + 3) : NULL;
        size_t n = list ? base64_bytes(list, text, json_string_length(one)) : 0;
        if (n > 2) /* the length of the list */
            troth_ech_key(b, (troth_span){ list + 2, n - 2 }, (troth_span){ none, sizeof none }, true);
        free(list);
    }
}

static void set_ticket_keys(const struct replay *r, troth_builder *b)
{
    troth_ticket_key keys[16];
    const json_t *one;
    size_t i, n = 0, size;
    json_array_foreach(setup_of(r, "danger_ticket_keys"), i, one) {
        uint8_t *p = facts_bytes(one, &size);
        if (p && size == sizeof keys[0] && n < sizeof keys / sizeof keys[0])
            memcpy(&keys[n++], p, size);
        if (p)
            explicit_bzero(p, size);
        free(p);
    }
    if (n)
        troth_ticket_keys(b, keys, n);
    explicit_bzero(keys, sizeof keys);
}

static void put_nothing(void *ctx, troth_span id, troth_span state)
{
    (void)ctx;
    (void)id;
    (void)state;
}

static size_t take_again(void *ctx, troth_span id, uint8_t *out, size_t cap)
{
    (void)id;
    return tape_play_session(ctx, out, cap);
}

/* What came before is not in the recording: early data counts as taken, as it nearly always was. */
static bool first_time(void *ctx, const uint8_t mark[32], int64_t expires)
{
    (void)ctx;
    (void)mark;
    (void)expires;
    return true;
}

/* False after a message. */
static bool set_secrets(struct player *y, const struct args *a, troth_builder *b)
{
    const struct replay *r = y->r;
    static const uint8_t nobody[32] = { 0 };
    const troth_session_cache cache = { y->tape, put_nothing, take_again };
    size_t n;
    uint8_t *psk = facts_bytes(setup_of(r, "danger_psk"), &n), *cookie;
    bool ok = !psk || psk_text(a, b, (char *)psk, n, "the recording");
    if (psk)
        explicit_bzero(psk, n);
    free(psk);
    if (!r->server)
        return ok;
    if (!json_array_size(setup_of(r, "identities")) && !args_has(a, OPT_RAW_KEY)) /* a server must have something to be known by */
        troth_psk(b, TROTH_TEXT("?"), (troth_span){ nobody, sizeof nobody }, TROTH_SHA256);
    set_ech_keys(r, b);
    set_ticket_keys(r, b);
    troth_anti_replay(b, first_time, NULL);
    cookie = facts_bytes(setup_of(r, "danger_cookie_key"), &n);
    if (cookie && n == 32 && args_has(a, OPT_ALWAYS_RETRY))
        troth_cookie_key(b, cookie);
    if (cookie)
        explicit_bzero(cookie, n);
    free(cookie);
    if (json_is_true(setup_of(r, "session_cache")))
        troth_cache(b, &cache);
    return ok;
}

/* The session that the client offered then. */
static void resume_again(struct replay *r)
{
    size_t n;
    uint8_t *session = facts_bytes(json_object_get(r->facts, "danger_session"), &n);
    if (session) {
        troth_resume(r->conn, (troth_span){ session, n });
        explicit_bzero(session, n);
    }
    free(session);
}

/* What the program decided then it decides once more: that it knows no such name (--route), that somebody may not come in (--allow-san). */
static void ask_again(const struct replay *r, const struct args *a, troth_builder *b)
{
    const uint16_t why = facts_failure(r->facts).reason;
    if (r->server && why == TROTH_R_UNRECOGNIZED_NAME && !args_has(a, OPT_STRICT_SNI))
        troth_ask_server(b);
    if (why == TROTH_R_ACCESS_DENIED)
        troth_ask_verdict(b);
}

/* False after a message. */
static bool configure(struct player *y, struct args *a)
{
    struct replay *r = y->r;
    troth_error why;
    facts_options(r->facts, a);
    y->tape = tape_play(troth_libcrypto());
    troth_builder *b = (r->server ? troth_server_builder : troth_client_builder)(tape_provider(y->tape));
    troth_clock(b, then, &r->now);
    if (!setup_speak(a, b, r->server) || (!r->server && !ech_client_options(a, b))) {
        troth_builder_free(b);
        return false;
    }
    facts_keys(r->facts, y->tape);
    set_identities(r, a, y->tape, b);
    if (!set_secrets(y, a, b) || !pins_set(a, b, r->server ? OPT_CLIENT_PIN : OPT_PIN)) {
        troth_builder_free(b);
        return false;
    }
    pins_raw_keys(a, b);
    ask_again(r, a, b);
    char *client_authorities = r->server ? joined(setup_of(r, "trust")) : NULL;
    if (client_authorities) /* as the server did it: it names them to clients */
        troth_trust_pem(b, text_span(client_authorities));
    if (client_authorities || args_has(a, OPT_CLIENT_PIN))
        troth_ask_client_auth(b, strcmp(args_value(a, OPT_CLIENT_AUTH, "required"), "required") ? TROTH_AUTH_OPTIONAL : TROTH_AUTH_REQUIRED);
    free(client_authorities);
    if (!r->server) {
        troth_policy *p = policy_of(r);
        if (!p) {
            troth_builder_free(b);
            return false;
        }
        troth_trust_policy(b, p);
    }
    if (r->server)
        y->servers = troth_build_server(b, &why);
    else
        y->client = troth_build_client(b, &why);
    if (!y->servers && !y->client)
        complain(r->args, EXIT_FINDING, "the recording's configuration: %s %s [%s]", why.text, why.detail, why.code);
    return y->servers || y->client;
}

/* ---- running */

/* The next bytes of the peer's: never more than one record, so that nothing encrypted is given to an engine without keys.  0: no more. */
static size_t give(struct player *y, uint8_t *room, size_t cap)
{
    struct stream *s = &y->theirs;
    size_t left = s->n - s->at;
    if (s->at >= y->record_end && left) {
        const uint8_t *p = s->p + s->at;
        bool record = left >= 5 && p[0] >= 20 && p[0] <= 24 && p[1] == 3;
        size_t length = record ? 5 + ((size_t)p[3] << 8 | p[4]) : left;
        bool encrypted = record && (p[0] == 23 || (y->changed_cipher && p[0] != 20));
        if (encrypted && y->reel.lacks) {
            y->no_keys = true;
            return 0;
        }
        y->changed_cipher |= record && p[0] == 20 && troth_what(y->r->conn).version == TROTH_TLS12;
        y->record_end = s->at + length;
    }
    size_t n = y->record_end - s->at < left ? y->record_end - s->at : left;
    n = n < cap ? n : cap;
    if (n)
        memcpy(room, s->p + s->at, n);
    s->at += n;
    return n;
}

/* What the program wrote then is written again, once as many bytes of ours went out.  True: something was. */
static bool write_again(struct player *y)
{
    const json_t *one = json_array_get(json_object_get(y->r->facts, "writes"), y->next_write);
    size_t n;
    if (!one || !(y->ready || y->early) || json_integer_value(json_object_get(one, "behind")) > (json_int_t)y->ours.at)
        return false;
    y->next_write++;
    uint8_t *plain = facts_bytes(json_object_get(one, "danger_value"), &n);
    troth_span part = { plain, n };
    bool ok = plain && troth_write(y->r->conn, &part, 1);
    if (ok)
        troth_story_data(y->r->story, !y->r->server, part);
    if (plain)
        explicit_bzero(plain, n);
    free(plain);
    return ok;
}

static bool on_send(struct player *y, troth_span data)
{
    struct stream *s = &y->ours;
    size_t n = data.n < s->n - s->at ? data.n : s->n - s->at;
    for (size_t i = 0; i < n && !y->reel.lacks && !y->diverged; i++) {
        y->diverged = data.p[i] != s->p[s->at + i];
        y->compared += !y->diverged;
    }
    if (y->diverged)
        return false;
    s->at += n;
    troth_sent(y->r->conn, data.n);
    return true;
}

/* Nothing more came then: how did it end? */
static bool at_end(struct player *y)
{
    const char *code = facts_text(y->r->facts, "code", NULL);
    if (y->no_keys)
        return false;
    if (!strncmp(code, "net.", 4) && troth_reason_by_code(code) != TROTH_R_NONE && !y->theirs.fin) {
        troth_broken(y->r->conn, troth_reason_by_code(code), facts_text(y->r->facts, "failure", "detail"));
        return true;
    }
    y->ran_out = !y->theirs.fin;
    if (y->theirs.fin)
        troth_received(y->r->conn, 0);
    return y->theirs.fin;
}

static bool on_recv(struct player *y, const troth_event *ev)
{
    if (write_again(y))
        return true;
    size_t n = give(y, ev->room.p, ev->room.n);
    for (size_t i = 0; i < n && y->r->first_n < sizeof y->r->first; i++)
        y->r->first[y->r->first_n++] = ev->room.p[i];
    if (n)
        troth_received(y->r->conn, n);
    return n || at_end(y);
}

/* The signature that was asked for then.  False: the connection ended before it was there. */
static bool sign_again(struct player *y)
{
    const struct cut *c = y->reel.at ? reel_next(&y->reel, CUT_SIGNATURE) : NULL;
    if (!c) {
        y->reel.strayed |= y->ours.at < y->ours.n || json_array_size(json_object_get(y->r->facts, "lacks")); /* nobody had to sign then */
        return false;
    }
    troth_answer_sign(y->r->conn, (troth_span){ c->bytes, c->ok && c->known ? c->n : 0 });
    return true;
}

static void deny_again(struct replay *r)
{
    const troth_error was = facts_failure(r->facts);
    troth_answer_denied(r->conn, was.detail);
}

/* One event; false at the end. */
static bool one(struct player *y)
{
    struct replay *r = y->r;
    troth_event ev = troth_next(r->conn);
    if (y->reel.strayed && ev.kind != TROTH_FAILED)
        return false;
    if (r->server ? y->reel.lacks_finish : y->reel.lacks_reply) { /* an encrypted hello: what came of it cannot be told without its key */
        y->no_keys = true;
        return false;
    }
    switch (ev.kind) {
    case TROTH_SEND: return on_send(y, ev.data);
    case TROTH_RECV: return on_recv(y, &ev);
    case TROTH_READY: y->ready = true; break;
    case TROTH_DATA: troth_story_data(r->story, r->server, ev.data); break;
    case TROTH_CLOSED: troth_close(r->conn); break;
    case TROTH_DONE:
    case TROTH_FAILED: return false;
    case TROTH_EARLY: /* at a server: the client's */
        y->early = !r->server;
        (void)write_again(y);
        break;
    case TROTH_EARLY_REFUSED: y->early = false; break;
    case TROTH_ASK_SIGN: return sign_again(y);
    case TROTH_ASK_SERVER: troth_answer_server(r->conn, NULL); break;
    case TROTH_ASK_VERDICT: deny_again(r); break;
    case TROTH_TICKET:
    case TROTH_ASK_CLIENT:
    case TROTH_CLIENT_AUTH:
    case TROTH_KEYS:
    default: break;
    }
    return true;
}

/* ---- what came of it */

/* The chain is in the recording even where the bytes that carried it cannot be opened: judge it as it was judged then. */
static void judge_again(struct replay *r)
{
    const json_t *peer = json_object_get(r->facts, "peer"), *chain = json_object_get(peer, "chain"), *one;
    uint8_t *der[CERTS_MAX] = { NULL }, *staple, *scts;
    troth_span certs[CERTS_MAX];
    size_t i, n = 0, staple_n, scts_n;
    json_array_foreach(chain, i, one) {
        der[n] = n < CERTS_MAX - 1 ? facts_bytes(one, &certs[n].n) : NULL;
        certs[n].p = der[n];
        n += der[n] != NULL;
    }
    troth_policy *p = n ? policy_of(r) : NULL;
    staple = facts_bytes(json_object_get(peer, "staple"), &staple_n);
    scts = facts_bytes(json_object_get(peer, "scts"), &scts_n);
    const char *host = facts_text(r->facts, "host", NULL);
    troth_question q = { .size = sizeof q, .certs = certs, .n = n, .host = *host ? host : NULL, .time = r->now, .ocsp = { staple, staple ? staple_n : 0 },
                         .scts = { scts, scts ? scts_n : 0 }, .asked_staple = !r->server };
    r->judged = p ? troth_ask(p, &q) : NULL;
    for (i = 0; i < n; i++) {
        troth_error unread;
        if (!troth_peer(r->conn) && !troth_explain_message(r->story, certs[i], r->server, &unread))
            note(r, "certificate %zu of the recording cannot be read", i + 1);
        free(der[i]);
    }
    troth_story_judged(r->story, r->judged);
    if (r->judged && !troth_peer(r->conn))
        note(r, "The peer's chain is in the recording, and was judged again by the same roots, name and time: %s.",
             troth_report_ok(r->judged) ? "accepted" : troth_report_error(r->judged)->code);
    troth_policy_free(p);
    free(staple);
    free(scts);
}

/* Without the secrets that it rests on the engine tells the story of another connection: what was on the wire is what can be told. */
static void tell_the_wire(struct player *y)
{
    struct replay *r = y->r;
    troth_error ignored;
    troth_capture *c = troth_capture_open(y->file, NULL, &ignored);
    troth_story *s = c && troth_capture_count(c) ? troth_story_new(NULL) : NULL;
    troth_story_about(s, facts_text(r->facts, "target", NULL), r->now);
    if (r->server)
        troth_story_as_server(s);
    if (s && troth_capture_explain(c, 0, (troth_span){ 0 }, troth_libcrypto(), s)) {
        r->told = r->story;
        r->story = s;
    } else {
        troth_story_free(s);
    }
    troth_capture_free(c);
}

/* Why it cannot be made again.  False: nothing was missing from the start. */
static bool say_what_lacks(struct replay *r)
{
    static const struct { const char *what, *at_client, *at_server; } rows[] = {
        { "session", "the key of the session that it offered to resume", "the key of the session that was resumed" },
        { "psk", "the key that both sides were given beforehand", "the key that both sides were given beforehand" },
        { "ech", "the key that its hello was encrypted with (ECH)", "the key that opens the encrypted hello (ECH)" },
        { "cookie", "", "the key of the cookie in the HelloRetryRequest" },
    };
    const json_t *lacks = json_object_get(r->facts, "lacks"), *one;
    size_t i, n = 0;
    json_array_foreach(lacks, i, one)
        for (size_t k = 0; json_is_string(one) && k < sizeof rows / sizeof rows[0]; k++)
            if (!strcmp(rows[k].what, json_string_value(one)) && ++n)
                note(r, "The connection rests on %s. That is a secret, and not in the recording: --danger-record-secrets would put it there.",
                     r->server ? rows[k].at_server : rows[k].at_client);
    return n > 0;
}

static void sum_up(struct player *y)
{
    struct replay *r = y->r;
    bool other_way = y->diverged || y->reel.strayed || y->no_keys, blind = other_way && json_array_size(json_object_get(r->facts, "lacks"));
    if (blind)
        tell_the_wire(y);
    blind = blind && say_what_lacks(r);
    const troth_error *why = troth_why(r->conn);
    troth_error recorded = facts_failure(r->facts);
    const char *then_code = facts_text(r->facts, "code", NULL);
    bool cut = json_is_true(json_object_get(r->facts, "cut")), whole = !y->diverged && !y->no_keys && !y->reel.strayed && !y->ran_out;
    if (blind) {
        note(r, "So this is what was on the wire; the decisions behind it cannot be made again.");
    } else if (y->diverged || y->reel.strayed) {
        note(r, "The replay went another way than the connection did, after %zu bytes of ours that were the same: what decided is not in the "
                "recording (another version of troth?).", y->compared);
    } else {
        note(r, "Replayed through the engine: of the %zu bytes that this end wrote, %zu came out again the same%s.", y->ours.n, y->compared,
             y->reel.lacks && y->compared < y->ours.n ? "; the rest needs keys" : "");
    }
    if (y->reel.lacks && !blind)
        note(r, "The recording has no keys: what the peer sent encrypted cannot be read, and values that need keys (Finished) are stand-ins.");
    if (cut)
        note(r, "The recording was cut: it holds the beginning only.");
    r->error = why ? *why : recorded;
    if (!whole && (!why || recorded.reason != why->reason))
        r->error = recorded;
    if (whole && strcmp(why ? why->code : "ok", then_code) != 0 && strcmp(then_code, "ok") != 0)
        note(r, "Then it ended with %.60s; the replay ends with %s.", recorded.code ? recorded.code : "a code that is not known here", why ? why->code : "success");
    if ((!why || blind) && r->error.reason != TROTH_R_NONE)
        troth_story_failed(r->story, &r->error);
    if (!troth_peer(r->conn) || r->server) /* servers stop at the first failure: here all checks are wanted */
        judge_again(r);
}

static void run(struct player *y, const char *host)
{
    struct replay *r = y->r;
    tape_turn(y->tape, &y->reel);
    r->conn = r->server ? troth_accept(y->servers) : troth_connect(y->client, host);
    troth_tell(r->conn, r->story);
    const json_t *name = json_object_get(setup_of(r, "options"), "sni");
    char ascii[256];
    const char *why;
    if (!r->server && json_is_string(name)) /* as it was typed */
        troth_send_name(r->conn, idn_ascii(ascii, sizeof ascii, json_string_value(name), &why));
    if (!r->server)
        resume_again(r);
    while (one(y))
        ;
    tape_turn(y->tape, NULL);
    sum_up(y);
}

static bool has_secrets(const json_t *facts)
{
    const json_t *answers = json_object_get(facts, "answers"), *one;
    size_t i;
    json_array_foreach(answers, i, one)
        if (json_object_get(one, "danger_value"))
            return true;
    return false;
}

bool replay_run(struct replay *r, const struct args *a, json_t *facts, const uint8_t *file, size_t n, int *status)
{
    struct args changed = *a;
    changed.config = NULL; /* what comes from the recording stands in no other file */
    *r = (struct replay){ .args = a, .facts = facts, .now = json_integer_value(json_object_get(facts, "time")) };
    r->server = !strcmp(facts_text(facts, "setup", "side"), "server");
    r->story = troth_story_new(NULL);
    r->player = calloc(1, sizeof *r->player);
    *status = EXIT_BUG;
    if (!r->player)
        return false;
    r->player->r = r;
    r->player->file = (troth_span){ file, n };
    troth_story_about(r->story, facts_text(facts, "target", NULL), r->now);
    if (r->server)
        troth_story_as_server(r->story);
    if (has_secrets(facts)) /* else keys are stand-ins: nothing to compare */
        troth_story_recompute(r->story, troth_libcrypto());
    if (args_has(a, OPT_SECRETS) && has_secrets(facts))
        troth_story_danger_keep_secrets(r->story);
    *status = EXIT_FILE;
    if (!facts_reel(facts, &r->player->reel) || !read_wire(r->player, file, n))
        return complain(a, EXIT_FILE, "the recording is damaged"), false;
    if (!configure(r->player, &changed))
        return false;
    run(r->player, facts_text(facts, "host", NULL));
    return true;
}

const troth_report *replay_report(const struct replay *r)
{
    return r->judged ? r->judged : troth_peer(r->conn);
}

void replay_end(struct replay *r)
{
    struct player *y = r->player;
    troth_free(r->conn);
    troth_report_free(r->judged);
    troth_story_free(r->story);
    troth_story_free(r->told);
    if (y) {
        reel_clear(&y->reel);
        troth_client_free(y->client);
        troth_server_free(y->servers);
        tape_free(y->tape);
        free(y->ours.p);
        free(y->theirs.p);
    }
    free(y);
    json_decref(r->facts);
}
