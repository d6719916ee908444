/* view.c - turns a log into trees, steps and facts.  Must read everything out of what was told, and decide nothing anew. */
#include "explain/view.h"

#include "wire/registry.h"

static bool is(const char *a, const char *b)
{
    return a && !strcmp(a, b);
}

static int step_of(const struct view *v, size_t i)
{
    static const struct {
        const char *type;
        uint8_t     step;
    } steps[] = {
        { "HelloRetryRequest", STEP_ANSWER },       { "ServerHello", STEP_ANSWER },
        { "EncryptedExtensions", STEP_ANSWER },     { "CertificateRequest", STEP_CERTIFICATE },
        { "Certificate", STEP_CERTIFICATE },        { "CompressedCertificate", STEP_CERTIFICATE },
        { "CertificateVerify", STEP_CERTIFICATE },  { "CertificateStatus", STEP_CERTIFICATE },
        { "X.509 certificate", STEP_CERTIFICATE },  { "ServerKeyExchange", STEP_KEYS },
        { "ServerHelloDone", STEP_KEYS },           { "ClientKeyExchange", STEP_KEYS },
        { "Finished", STEP_KEYS },                  { "EndOfEarlyData", STEP_KEYS },
        { "change_cipher_spec", STEP_KEYS },
    };
    const char *type = v->trees[i].type;
    if (is(type, "ClientHello") || is(type, "ClientHelloInner")) {
        for (size_t k = 0; k < i; k++)
            if (is(v->trees[k].type, "HelloRetryRequest"))
                return STEP_ANSWER;
        return STEP_HELLO;
    }
    for (size_t k = 0; k < COUNT_OF(steps); k++)
        if (is(type, steps[k].type))
            return v->handshake_done && steps[k].step != STEP_CERTIFICATE ? STEP_DATA : steps[k].step;
    if (is(type, "Alert") && !v->handshake_done && i > 0)
        return v->step[i - 1];
    return STEP_DATA;
}

static struct fact fact_of(const struct tree *t, uint32_t node)
{
    if (node == NODE_NONE)
        return (struct fact){ 0 };
    const struct sighting *s = &t->nodes[node].saw;
    return (struct fact){ s->value, name_of(s->as, s->value) };
}

static void learn_client_hello(struct view *v, const struct tree *t)
{
    uint32_t name = tree_find(t, NULL, "HostName", 0);
    if (name != NODE_NONE)
        v->server_name = tree_content(t, name);
    v->early_offered = tree_find(t, NULL, "early_data", 0) != NODE_NONE;
    v->ech_offered = tree_find(t, NULL, "encrypted_client_hello", 0) != NODE_NONE;
}

static void learn_server_hello(struct view *v, const struct tree *t)
{
    uint32_t selected = tree_find(t, NULL, "selected_version", 0);
    v->version = fact_of(t, selected != NODE_NONE ? selected : tree_find(t, NULL, "legacy_version", 0));
    v->suite = fact_of(t, tree_find(t, NULL, "cipher_suite", 0));
    uint32_t group = tree_find(t, NULL, "group", 0);
    if (group != NODE_NONE)
        v->group = fact_of(t, group);
    v->resumed = tree_find(t, NULL, "selected_identity", 0) != NODE_NONE;
    v->tls12 = selected == NODE_NONE;
}

static void learn_alpn(struct view *v, const struct tree *t)
{
    uint32_t name = tree_find(t, NULL, "ProtocolName", 0);
    if (name != NODE_NONE)
        v->alpn = tree_content(t, name);
}

static bool first_message(const struct view *v, const char *type, enum direction from, size_t before)
{
    for (size_t i = 0; i < before; i++)
        if (is(v->trees[i].type, type) && ROWS(v->s, messages, struct told_message)[i].from == (uint8_t)from)
            return true;
    return false;
}

/* What no message shows: what came of an encrypted hello, whose key it was. */
static void learn_from_the_engine(struct view *v)
{
    for (size_t i = 0; i < v->s->decisions.n; i++) {
        const struct told_decision *d = &ROWS(v->s, decisions, struct told_decision)[i];
        v->external |= is(d->what, "PSK") && is(d->text, "an external PSK");
        bool theirs = is(d->what, "delegated credential"); /* in a compressed message it cannot be seen */
        if (theirs || is(d->what, "our delegated credential"))
            v->delegated[theirs == v->s->we_are_server ? FROM_CLIENT : FROM_SERVER] = true;
        if (!is(d->what, "ECH"))
            continue;
        v->ech_grease |= !strncmp(d->text, "GREASE", 6);
        v->ech_refused |= is(d->text, "the outer ClientHello") || is(d->text, "rejected");
        v->ech_accepted |= is(d->text, "the inner ClientHello") || is(d->text, "accepted");
    }
}

static void learn(struct view *v, size_t i)
{
    const struct tree *t = &v->trees[i];
    const struct told_message *m = &ROWS(v->s, messages, struct told_message)[i];
    if (is(t->type, "ClientHello") || is(t->type, "ClientHelloInner")) {
        learn_client_hello(v, t);
    } else if (is(t->type, "HelloRetryRequest")) {
        v->hello_retry = true;
        v->other_share = tree_find(t, "key_share", "selected_group", 0) != NODE_NONE;
    } else if (is(t->type, "ServerHello")) {
        learn_server_hello(v, t);
        learn_alpn(v, t);
    } else if (is(t->type, "EncryptedExtensions")) {
        learn_alpn(v, t);
        v->answered = true;
        v->early_accepted = v->early_offered && tree_find(t, NULL, "early_data", 0) != NODE_NONE;
    } else if (is(t->type, "Certificate")) {
        v->delegated[m->from] |= tree_find(t, "delegated_credential", "cred", 0) != NODE_NONE;
    } else if (is(t->type, "CertificateRequest")) {
        v->client_asked = true;
    } else if (is(t->type, "ServerKeyExchange")) {
        v->group = fact_of(t, tree_find(t, NULL, "namedcurve", 0));
        v->scheme = fact_of(t, tree_find(t, NULL, "algorithm", 0));
    } else if (is(t->type, "CertificateVerify") && m->from == FROM_SERVER) {
        v->scheme = fact_of(t, tree_find(t, NULL, "algorithm", 0));
    } else if (is(t->type, "CertificateVerify")) {
        v->client_sent = true;
    } else if (is(t->type, "change_cipher_spec") && m->from == FROM_SERVER) { /* of TLS 1.2: full handshakes had a ServerHelloDone before it */
        v->resumed |= v->tls12 && v->suite.name && !first_message(v, "ServerHelloDone", FROM_SERVER, i);
    } else if (is(t->type, "Finished")) {
        v->client_spoke |= m->from == FROM_CLIENT;
        v->resumed |= v->tls12 && m->from == FROM_SERVER && !first_message(v, "ServerHelloDone", FROM_SERVER, i);
        /* the handshake is over when both have come */
        v->handshake_done = v->finished;
        v->finished = true;
    } else if (is(t->type, "Alert")) {
        uint32_t what = tree_find(t, NULL, "description", 0);
        v->closed[m->from] |= what != NODE_NONE && t->nodes[what].saw.value == 0;
    }
}

static void count_round_trips(struct view *v)
{
    /* a round trip: something of the client's answered by something of the server's */
    bool client_spoke = false;
    for (size_t i = 0; i < v->n; i++) {
        uint8_t from = ROWS(v->s, messages, struct told_message)[i].from;
        if (is(v->trees[i].type, "X.509 certificate") || v->step[i] == STEP_DATA)
            continue;
        if (from == FROM_CLIENT)
            client_spoke = true;
        else if (client_spoke) {
            v->round_trips++;
            client_spoke = false;
        }
    }
}

static bool is_certificate_trouble(const troth_error *e)
{
    return !strncmp(e->code, "cert.", 5) || !strncmp(e->code, "chain.", 6) || !strncmp(e->code, "der.", 4) ||
           !strncmp(e->code, "trust.", 6) || !strncmp(e->code, "clock.", 6) || !strncmp(e->code, "staple.", 7) ||
           !strncmp(e->code, "crl.", 4) || !strncmp(e->code, "revocation.", 11) || !strncmp(e->code, "client-cert.", 12);
}

/* The smallest field that holds the byte. */
static void point_at(struct view *v, size_t message, uint32_t at, uint32_t n)
{
    const struct tree *t = &v->trees[message];
    v->bad_message = message;
    v->bad_at = at;
    v->broke = v->step[message];
    for (uint32_t k = 0; k < t->n; k++)
        if (t->nodes[k].saw.at <= at && at + (n ? n : 1) <= t->nodes[k].saw.at + t->nodes[k].saw.n)
            v->bad_node = k;
}

/* The card at that place of a path: the leaf is the first that was sent, an issuer is the one whose subject is the issuer below. */
static const struct card *card_in_path(const struct view *v, bool clients, int place)
{
    const struct card *c = NULL;
    for (size_t i = 0; i < v->n_cards && !c; i++)
        if (v->cards[i].clients == clients && !v->cards[i].anchor)
            c = &v->cards[i];
    for (int k = 0; k < place && c; k++) {
        const struct card *up = NULL;
        for (size_t i = 0; i < v->n_cards && !up; i++)
            if (&v->cards[i] != c && is(v->cards[i].full, c->full_issuer))
                up = &v->cards[i];
        c = up;
    }
    return c;
}

/* A check that failed rests on certain bytes of a certain certificate. */
static bool point_at_check(struct view *v)
{
    for (size_t i = v->s->checks.n; i-- > 0;) {
        const struct told_check *c = &ROWS(v->s, checks, struct told_check)[i];
        const struct card *card = c->verdict == TROTH_FAIL ? card_in_path(v, v->s->we_are_server, c->cert) : NULL;
        if (card) {
            point_at(v, card->message, c->at, c->n);
            return true;
        }
    }
    return false;
}

/* The message, the field and the step at which it broke. */
static void find_failure(struct view *v)
{
    const troth_error *e = &v->s->failure;
    if (e->reason == TROTH_R_NONE)
        return;
    v->broke = v->reached ? v->reached : STEP_HELLO;
    bool certificate = is_certificate_trouble(e);
    if (certificate && v->reached >= STEP_ANSWER)
        v->broke = STEP_CERTIFICATE;
    if (certificate && !e->from_peer && point_at_check(v))
        return;
    bool x509 = is(e->message, "Certificate") && certificate; /* the DER reader's message, not TLS's */
    for (size_t i = v->n; e->message && i-- > 0;)
        if (is(v->trees[i].type, x509 ? "X.509 certificate" : e->message)) {
            point_at(v, i, e->at, 1);
            return;
        }
}

static const char *keep(struct view *v, const char *fmt, const char *a)
{
    char room[300];
    struct text t = TEXT_IN(room);
    text_add(&t, fmt, a);
    const char *p = arena_string(&v->mem, span_of(room, t.n));
    v->short_of_memory |= !p;
    return p ? p : "";
}

static void name_the_ends(struct view *v)
{
    bool ours = false;
    for (size_t i = 0; i < v->n; i++)
        ours |= ROWS(v->s, messages, struct told_message)[i].ours;
    v->we = ours && !v->s->we_are_server ? "Your client" : "The client";
    if (v->redact) {
        v->peer = "the server";
        return;
    }
    char room[260];
    struct text t = TEXT_IN(room);
    if (v->s->peer) {
        text_escaped(&t, span_of(v->s->peer, strlen(v->s->peer)));
    } else if (v->server_name.n) {
        text_escaped(&t, v->server_name);
    } else {
        text_add(&t, "the server");
    }
    v->peer = keep(v, "%s", room);
}

bool view_make(struct view *v, const troth_story *s, bool redact)
{
    *v = (struct view){ .s = s, .redact = redact, .n = s->messages.n, .bad_message = SIZE_MAX, .bad_node = NODE_NONE };
    arena_init(&v->mem, s->mem, 1 << 16);
    v->trees = arena_array(&v->mem, v->n + 1, sizeof *v->trees);
    v->step = arena_alloc(&v->mem, v->n + 1);
    TRY(v->trees && v->step);
    for (size_t i = 0; i < v->n; i++) {
        const struct told_message *m = &ROWS(s, messages, struct told_message)[i];
        const struct sighting *saw = ROWS(s, sightings, struct sighting);
        TRY(tree_build(&v->trees[i], &v->mem, m->type, m->raw, saw ? saw + m->first : NULL, m->n));
        v->step[i] = (uint8_t)step_of(v, i);
        v->reached = v->step[i] > v->reached ? v->step[i] : v->reached;
        learn(v, i);
    }
    if (s->keys.n && v->reached == STEP_ANSWER && !s->failure.reason)
        v->reached = STEP_KEYS;
    if (s->items.n)
        v->total = ROWS(s, items, struct item)[s->items.n - 1].at;
    v->lone = v->n && !s->flights.n && !s->keys.n && !s->marks.n;
    learn_from_the_engine(v);
    name_the_ends(v);
    count_round_trips(v);
    TRY(choices_make(v));
    TRY(cards_make(v));
    find_failure(v);
    return !v->short_of_memory;
}

void view_free(struct view *v)
{
    arena_free(&v->mem);
}

bool troth_story_write(const troth_story *s, const troth_story_options *options, troth_sink *sink, void *ctx)
{
    if (!s || !sink)
        return false;
    struct out o;
    struct view v;
    out_init(&o, options, sink, ctx);
    bool ok = view_make(&v, s, o.redact);
    uint8_t form = options ? options->form : TROTH_STORY_TEXT;
    if (ok && form == TROTH_STORY_JSON)
        write_json(&o, &v);
    else if (ok && form == TROTH_STORY_HTML)
        write_html(&o, &v);
    else if (ok)
        write_text(&o, &v);
    ok = out_end(&o) && ok && !v.short_of_memory;
    view_free(&v);
    return ok;
}
