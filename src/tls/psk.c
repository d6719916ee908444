/* psk.c - pre-shared keys: what a client offers, which one a server takes, and the binders (RFC 9846 4.3.11).
 *
 * Only with (EC)DHE (psk_dhe_ke): a session never lends its secrecy to another.  Must never use a PSK whose binder was not checked. */
#include "tls/psk.h"

#include "tls/ech.h"
#include "tls/hooks.h"
#include "tls/offer.h"

struct hs_psk *hs_psk(struct troth_conn *c)
{
    struct hs *hs = c->hs;
    size_t most = c->cfg->is_server ? 1 : c->cfg->n_psks + 1;
    most = most < PSKS_OFFERED_MAX ? most : PSKS_OFFERED_MAX;
    if (!hs->psk)
        hs->psk = arena_alloc(&hs->arena, sizeof *hs->psk + most * sizeof hs->psk->offered[0]);
    if (!hs->psk)
        (void)fail(c, OUT_OF_MEMORY, "for pre-shared keys");
    return hs->psk;
}

/* ---- client: offering */
static void add_external(struct troth_conn *c, struct hs_psk *k)
{
    const struct config *cfg = c->cfg;
    for (size_t i = 0; i < cfg->n_psks && k->n < PSKS_OFFERED_MAX; i++) {
        const struct external_psk *e = &cfg->psks[i];
        const troth_hash *h = provider_hash(cfg->provider, e->hash);
        if (h)
            k->offered[k->n++] = (struct psk){ .identity = e->identity, .key = e->key, .hash = h, .external = true, .imported = e->imported };
    }
}

/* In milliseconds, and never more than it is, whatever the grain of the clock: a server whose clock is finer takes a ticket that claims to
 * be older than the server knows it to be for a replay (RFC 9846 8.3). */
static uint32_t ticket_age(const struct config *cfg, const struct session *s)
{
    int64_t age = config_now_us(cfg) - s->issued_us - config_clock_grain(cfg);
    return age < 0 ? 0 : (uint32_t)(age / 1000);
}

bool psk_given(struct troth_conn *c, span bytes)
{
    enum { HS_PSK = 336 }; /* hs_psk()'s, of a client that was given no other PSKs */
    struct session s;
    bool is_ours = session_read(&s, bytes);
    bool ok = (c->hs || hs_begin(c, HS_PSK + (is_ours ? bytes.n - s.chain.n : 0))) && hs_psk(c) && (!is_ours || session_own(c, &s));
    if (ok) {
        c->hs->psk->session = s;
        c->hs->psk->unfit = is_ours ? NULL : "it is not a session of this library";
    }
    secret_wipe(&s.secret, sizeof s.secret);
    return ok;
}

/* The session given with troth_resume, if it is fit to be used now. */
static void take_session(struct troth_conn *c, struct hs_psk *k)
{
    const struct config *cfg = c->cfg;
    if (k->unfit || !k->session.version)
        return;
    k->unfit = session_unfit(c, &k->session);
    if (!k->unfit && k->session.version < TROTH_TLS13 && ech_stage(c) == ECH_OFFERED)
        k->unfit = "it is of TLS 1.2, which an encrypted ClientHello does not offer (RFC 9849 6.1)";
    if (!k->unfit && k->session.ticket.n > LIMIT_TICKET)
        k->unfit = "its ticket is too long for a hello";
    k->has_session = !k->unfit;
    const struct suite *s = suite_by_id(k->session.suite);
    const troth_hash *h = s ? provider_hash(cfg->provider, s->hash) : NULL;
    if (!k->has_session || k->session.version != TROTH_TLS13 || !h || !k->session.ticket.n)
        return;
    k->offered[k->n++] = (struct psk){ .session = &k->session, .identity = k->session.ticket, .key = secret_span(&k->session.secret),
                                       .hash = h, .age = ticket_age(cfg, &k->session) + k->session.age_add };
    if (!offer_apart(c)) /* else the share in the answer is long */
        c->rec.in.want = INBUF_RESUMED;
}

bool psk_prepare(struct troth_conn *c)
{
    if (!c->hs->psk && !c->cfg->n_psks)
        return true;
    struct hs_psk *k = hs_psk(c);
    TRY(k);
    take_session(c, k);
    add_external(c, k);
    if (k->unfit)
        tell_choice_text(c, "session", k->unfit, SPAN_NONE, SPAN_NONE, SPAN_TEXT("a full handshake"));
    return true;
}

/* After HelloRetryRequest only PSKs with the hash of its suite may stay (RFC 9846 4.2.2). */
static void drop_other_hashes(struct troth_conn *c, struct hs_psk *k)
{
    size_t kept = 0;
    for (size_t i = 0; i < k->n; i++)
        if (k->offered[i].hash == c->hs->hash)
            k->offered[kept++] = k->offered[i];
    k->n = (uint8_t)kept;
}

/* With a session to resume: is early data offered?  If not, the application is told why. */
static bool wants_early(struct troth_conn *c, const struct hs_psk *k, bool *wants)
{
    *wants = false;
    if (!c->cfg->early_data || c->hs->offer.again || !k->n || k->offered[0].external)
        return true;
    if (!k->session.max_early_data)
        return early_note(c, TROTH_EARLY_NOT_TRIED, "the ticket does not allow it");
    if (k->session.alpn.n && !alpn_has(c->cfg->alpn, k->session.alpn))
        return early_note(c, TROTH_EARLY_NOT_TRIED, "another ALPN than that of the session is offered (RFC 9846 4.3.10)");
    *wants = true;
    return true;
}

bool psk_offer(struct troth_conn *c, struct client_hello *ch)
{
    static const uint8_t dhe[1] = { PSK_MODE_psk_dhe_ke };
    struct exts *e = &ch->exts;
    struct hs_psk *k = c->hs->psk;
    if (c->hs->offer.most < TROTH_TLS13)
        return true;
    bool said = c->hs->offer.again && ext_set_has(&c->hs->offer.asked, X_PSK_KEY_EXCHANGE_MODES); /* of PSKs that are gone by now */
    if (!c->cfg->no_tickets || (k && k->n) || said) {
        e->psk_modes = SPAN_OF(dhe); /* also says that tickets are welcome */
        exts_add(e, X_PSK_KEY_EXCHANGE_MODES);
    }
    if (k && c->hs->offer.again)
        drop_other_hashes(c, k);
    if (!k || !k->n)
        return true;
    bool early;
    TRY(wants_early(c, k, &early));
    if (early)
        exts_add(e, X_EARLY_DATA);
    static const uint8_t zeros[TROTH_DIGEST_MAX];
    for (size_t i = 0; i < k->n; i++)
        e->psks[i] = (struct psk_identity){ k->offered[i].identity, k->offered[i].age, span_of(zeros, k->offered[i].hash->n) };
    e->n_psks = k->n;
    exts_add(e, X_PRE_SHARED_KEY);
    return true;
}

/* ---- binders (RFC 9846 4.3.11.2) */

/* Of the hello up to its binders.  `before`: the transcript that precedes it. */
static void binder_of(const struct troth_conn *c, uint8_t *binder, const struct psk *p, const struct transcript *before, span truncated)
{
    struct transcript t = *before;
    struct digest d;
    struct ks_early early;
    struct told nobody = told_of(c);
    nobody.witness = NULL;
    nobody.key_log = NULL;
    if (!t.hash)
        transcript_begin(&t, p->hash);
    bool added = transcript_add(&t, truncated);
    (void)added; /* the hash is known: it cannot fail */
    transcript_peek(&t, &d);
    ks_begin(&early, p->hash, p->key, &nobody);
    ks_binder(binder, &early, p->external, p->imported ? "imp binder" : NULL, &d);
    secret_wipe(&early, sizeof early);
}

bool psk_bind(struct troth_conn *c, const struct client_hello *ch, uint8_t *message, size_t n)
{
    struct hs_psk *k = c->hs->psk;
    if (!exts_have(&ch->exts, X_PRE_SHARED_KEY) || !k)
        return true;
    size_t binders = 2;
    for (size_t i = 0; i < k->n; i++)
        binders += 1 + k->offered[i].hash->n;
    uint8_t *at = message + n - binders + 2;
    span truncated = span_of(message, n - binders);
    for (size_t i = 0; i < k->n; at += 1 + k->offered[i].hash->n, i++)
        binder_of(c, at + 1, &k->offered[i], &c->hs->transcript, truncated);
    ct_public(message, n); /* it goes out in the clear */
    return true;
}

/* ---- client: the answer */
static bool adopt(struct troth_conn *c, const struct psk *p)
{
    struct told told = told_of(c);
    ks_begin(&c->hs->ks.early, p->hash, p->key, &told);
    c->hs->stage = KS_EARLY;
    if (!p->external)
        return session_adopt(c, p->session);
    c->facts.psk_external = true;
    return true;
}

bool psk_selected(struct troth_conn *c, const struct server_hello *sh)
{
    struct hs_psk *k = c->hs->psk;
    if (!exts_have(&sh->exts, X_PRE_SHARED_KEY)) {
        c->hs->stage = KS_NONE;
        return true;
    }
    if (!k || sh->exts.selected_identity >= k->n)
        return fail(c, PSK_NOT_OFFERED, "identity %u of %u", sh->exts.selected_identity, k ? k->n : 0);
    const struct psk *p = &k->offered[sh->exts.selected_identity];
    if (p->hash != c->hs->hash)
        return fail(c, PSK_WRONG_HASH, "%s with a PSK for %s", name_of(&names_suite, sh->cipher_suite), p->hash->name);
    k->selected = sh->exts.selected_identity;
    tell_choice_text(c, "PSK", "chosen by the server among those we offered (RFC 9846 4.3.11)", SPAN_NONE, SPAN_NONE,
                     p->external ? SPAN_TEXT("an external PSK") : SPAN_TEXT("our session"));
    return adopt(c, p);
}

/* ---- server: choosing */

/* Is it one of our tickets, and fit to be used with this hello?  Fills *p. */
static bool try_ticket(struct troth_conn *c, const struct psk_identity *id, struct session *s, struct psk *p)
{
    struct unsealed ticket;
    TRY(ticket_open(c, id->identity, &ticket, &c->hs->arena));
    *p = (struct psk){ 0 };
    if (!ticket.bytes.n || !session_read(s, ticket.bytes))
        return true;
    const struct suite *suite = suite_by_id(s->suite);
    bool fits = !session_unfit(c, s) && s->version == TROTH_TLS13 && suite->hash == c->hs->hash->id
             && span_equal(s->server_name, c->facts.server_name);
    if (fits)
        *p = (struct psk){ .session = s, .key = secret_span(&s->secret), .hash = c->hs->hash };
    return true;
}

static void try_external(struct troth_conn *c, const struct psk_identity *id, struct psk *p)
{
    for (size_t i = 0; i < c->cfg->n_psks && !p->hash; i++) {
        const struct external_psk *e = &c->cfg->psks[i];
        if (e->hash == c->hs->hash->id && span_equal(e->identity, id->identity))
            *p = (struct psk){ .key = e->key, .hash = c->hs->hash, .external = true, .imported = e->imported };
    }
}

static bool check_binder(struct troth_conn *c, const struct client_hello *ch, const struct psk *p, span binder, span raw)
{
    static const struct transcript nothing;
    const struct transcript *before = c->hs->hello.before_again ? c->hs->hello.before_again : &nothing;
    uint8_t expected[TROTH_DIGEST_MAX];
    binder_of(c, expected, p, before, span_of(raw.p, (size_t)(ch->exts.binders.p - raw.p)));
    if (binder.n != p->hash->n || !bytes_equal_ct(binder.p, expected, p->hash->n))
        return fail(c, BAD_BINDER, "the binder of a PSK that we know");
    return true;
}

/* How far the client's idea of the ticket's age is from ours (RFC 9846 8.3). */
static bool note_age(struct troth_conn *c, const struct session *s, uint32_t obfuscated)
{
    int64_t theirs = (uint32_t)(obfuscated - s->age_add) / 1000u, ours = (config_now_us(c->cfg) - s->issued_us) / SECOND_US;
    int64_t skew = theirs - ours;
    if (!skew)
        return true;
    struct rare *rare = conn_rare(c);
    TRY(rare);
    rare->ticket_age_skew = skew > INT32_MAX ? INT32_MAX : skew < INT32_MIN ? INT32_MIN : (int32_t)skew;
    return true;
}

bool psk_choose(struct troth_conn *c, const struct client_hello *ch, span raw)
{
    const struct exts *e = &ch->exts;
    bool dhe = exts_have(e, X_PSK_KEY_EXCHANGE_MODES) && bytes_have(e->psk_modes, PSK_MODE_psk_dhe_ke);
    c->hs->hello.wants_tickets = dhe;
    c->hs->stage = KS_NONE;
    if (!exts_have(e, X_PRE_SHARED_KEY) || !dhe)
        return true;
    struct hs_psk *k = hs_psk(c);
    TRY(k);
    struct psk p = { 0 };
    size_t i = 0;
    for (; i < e->n_psks; i++) {
        TRY(try_ticket(c, &e->psks[i], &k->session, &p));
        if (!p.hash)
            try_external(c, &e->psks[i], &p);
        if (p.hash)
            break;
    }
    if (!p.hash) {
        tell_choice_text(c, "PSK", "none that the client offers is known, fit and timely: a full handshake (RFC 9846 4.3.11)", SPAN_NONE,
                         SPAN_NONE, SPAN_TEXT("none"));
        return true;
    }
    TRY(check_binder(c, ch, &p, e->psks[i].binder, raw));
    k->selected = (uint16_t)i;
    k->offered[0] = p;
    k->has_session = !p.external;
    tell_choice_text(c, "PSK", "the first of the client's that is known, fit and timely (RFC 9846 4.3.11)", SPAN_NONE, SPAN_NONE,
                     p.external ? SPAN_TEXT("an external PSK") : SPAN_TEXT("a session of ours"));
    TRY(p.external || note_age(c, &k->session, e->psks[i].obfuscated_ticket_age));
    c->hs->hello.psk_chosen = true;
    return adopt(c, &p);
}
