/* retry.c - HelloRetryRequest, the server.  Must never take a second hello that a first one, seen or vouched for by a cookie, does not
 * allow. */
#include "tls/retry.h"

#include "tls/again.h"
#include "tls/cookie.h"
#include "tls/ech.h"
#include "tls/flight.h"
#include "tls/hooks.h"

/* What it says follows from hs->suite, hs->hello and the cookie, so that it can be written again. */
static void fill(const struct troth_conn *c, struct server_hello *sh)
{
    const struct hello *h = &c->hs->hello;
    memset(sh, 0, sizeof *sh);
    sh->legacy_version = TROTH_TLS12;
    sh->has_extensions = true;
    sh->random = span_of(hello_retry_random, 32);
    sh->legacy_session_id_echo = span_of(h->session_id, h->session_id_n);
    sh->cipher_suite = c->hs->suite->id;
    sh->exts.selected_version = TROTH_TLS13;
    exts_add(&sh->exts, X_SUPPORTED_VERSIONS);
    if (h->retry_group) {
        sh->exts.selected_group = h->retry_group;
        exts_add(&sh->exts, X_KEY_SHARE);
    }
    if (h->cookie.n) {
        sh->exts.cookie = h->cookie;
        exts_add(&sh->exts, X_COOKIE);
    }
}

static bool keep_transcript(struct troth_conn *c)
{
    struct hello *h = &c->hs->hello;
    h->before_again = arena_alloc(&c->hs->arena, sizeof *h->before_again);
    if (!h->before_again)
        return fail(c, OUT_OF_MEMORY, "for a transcript");
    *h->before_again = c->hs->transcript;
    return true;
}

static void asked(struct troth_conn *c, bool share_asked)
{
    struct hello *h = &c->hs->hello;
    h->retry_group = share_asked ? c->facts.group : 0;
    h->retry_suite = c->hs->suite->id;
    h->retried = true;
    c->facts.hello_retry = true;
}

/* ---- sending */
static bool put_cookie(struct troth_conn *c, const struct client_hello *ch)
{
    struct hello *h = &c->hs->hello;
    struct digest hello1;
    bool encrypted = ech_stage(c) == ECH_ACCEPTED || ech_stage(c) == ECH_BACKEND;
    transcript_peek(&c->hs->transcript, &hello1);
    const struct cookie what = { .suite = h->retry_suite,
                                 .group = c->facts.group,
                                 .share_asked = h->retry_group != 0,
                                 .bound = encrypted || exts_have(&ch->exts, X_EARLY_DATA),
                                 .made = config_now(c->cfg),
                                 .hello1 = digest_span(&hello1) };
    return cookie_make(c, &what, &h->cookie);
}

static bool skip_early_data(struct troth_conn *c, const struct client_hello *ch)
{
    if (!exts_have(&ch->exts, X_EARLY_DATA))
        return true;
    c->rec.rules.skip = SKIP_DATA;
    c->rec.rules.skip_left = early_passed_over(c);
    return early_note(c, TROTH_EARLY_REJECTED, c->cfg->early_data ? "a HelloRetryRequest came between (RFC 9846 4.3.10)"
                                                                  : "early data is not taken here");
}

bool retry_send(struct troth_conn *c, const struct client_hello *ch, bool share_asked)
{
    struct hs *hs = c->hs;
    struct server_hello sh;
    uint8_t *message;
    size_t n;
    asked(c, share_asked);
    if (c->cfg->cookies)
        TRY(put_cookie(c, ch));
    fill(c, &sh);
    transcript_retry(&hs->transcript);
    TRY(skip_early_data(c, ch));
    ech_offer_retry(c, &sh.exts);
    TRY(flight_write(c, HS_server_hello, body_hello_retry, &sh, &message, &n));
    ech_confirm_retry(c, message, n);
    TRY(flight_add_whole(c, span_of(message, n)));
    TRY(flight_ccs(c) && flight_ccs_now(c)); /* the client waits: nothing else of ours would bring it (RFC 9846 E.4) */
    return again_keep(c, ch) && keep_transcript(c);
}

/* ---- the second hello */

/* It may differ only in what HelloRetryRequest asked for (RFC 9846 4.2.2).  A connection that did not see the first knows its random
 * and session id from the cookie's MAC. */
bool retry_check(struct troth_conn *c, const struct client_hello *ch)
{
    const struct hello *h = &c->hs->hello;
    const struct exts *e = &ch->exts;
    if (!span_equal(ch->legacy_session_id, span_of(h->session_id, h->session_id_n)) || memcmp(ch->random.p, c->facts.client_random, 32) != 0)
        return fail(c, HELLO_CHANGED, "random or session id is not that of the first");
    if (!exts_have(e, X_SUPPORTED_VERSIONS) || !u16s_has(e->supported_versions, TROTH_TLS13))
        return fail(c, HELLO_CHANGED, "TLS 1.3 is not offered any more");
    if (!u16s_has(ch->cipher_suites, h->retry_suite))
        return fail(c, HELLO_CHANGED, "the chosen suite is not offered any more");
    if (exts_have(e, X_EARLY_DATA))
        return fail(c, EARLY_DATA_AGAIN, "early_data in the second ClientHello");
    if (h->cookie.n && !(e->cookie.n == h->cookie.n && bytes_equal_ct(e->cookie.p, h->cookie.p, h->cookie.n)))
        return fail(c, BAD_COOKIE, "%zu bytes", e->cookie.n);
    if (!h->retry_group)
        return (share_for(e, c->facts.group) || fail(c, HELLO_CHANGED, "the share for %s is gone", name_of(&names_group, c->facts.group)))
               && again_check(c, ch);
    if (e->n_shares != 1 || e->shares[0].group != h->retry_group)
        return fail(c, WRONG_SHARE_AGAIN, "%u shares, the first for %s; %s was asked for", e->n_shares,
                    e->n_shares ? name_of(&names_group, e->shares[0].group) : "nothing", name_of(&names_group, h->retry_group));
    return again_check(c, ch);
}

bool retry_resume(struct troth_conn *c, const struct client_hello *ch, span raw)
{
    struct hs *hs = c->hs;
    struct cookie what;
    struct server_hello sh;
    uint8_t *message;
    size_t n;
    TRY(cookie_open(c, ch->exts.cookie, &what) && hs_use_suite(c, what.suite));
    if (what.hello1.n != hs->hash->n)
        return fail(c, BUG, "a cookie of ours with a digest of %zu bytes", what.hello1.n);
    if (!u16s_has(c->cfg->groups, what.group)) /* another configuration made it */
        return fail(c, BAD_COOKIE, "it is for %s, which is not spoken here", name_of(&names_group, what.group));
    if (ech_stage(c) == ECH_ACCEPTED || ech_stage(c) == ECH_BACKEND)
        return fail(c, HELLO_CHANGED, "it is encrypted now, and the first was not");
    tell_choice_text(c, "cookie", "authentic and fresh: the handshake goes on from it (RFC 9846 4.3.2)", SPAN_NONE, SPAN_NONE,
                     SPAN_TEXT("ours"));
    c->facts.group = what.group;
    asked(c, what.share_asked);
    TRY(hs_keep(c, &hs->hello.cookie, ch->exts.cookie));
    fill(c, &sh);
    transcript_resume(&hs->transcript, hs->hash, what.hello1);
    TRY(flight_write(c, HS_server_hello, body_hello_retry, &sh, &message, &n));
    hs->ccs_sent = true; /* by the connection that asked */
    hs->first_sent = true;
    bool ok = transcript_add(&hs->transcript, span_of(message, n)) && keep_transcript(c) && transcript_add(&hs->transcript, raw);
    return ok || fail(c, BUG, "a message cannot be hashed");
}
