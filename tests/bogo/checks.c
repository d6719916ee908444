/* checks.c - what a connection must have come to, as the -expect- flags say and as the runner takes for granted.  Each check is one row;
 * all are made, so that a failure names every difference.  Must never let a flag pass that it did not look at. */
#include "talk.h"

#include <stdio.h>
#include <string.h>

enum { TYPE_END = 0 };

/* ---- PEM, for certificates that must be what a file holds */
static bool same_chain(const troth_span *given, size_t n, const char *path)
{
    static const char begin[] = "-----BEGIN CERTIFICATE-----", end[] = "-----END CERTIFICATE-----";
    size_t i = 0;
    troth_span file = file_or_die(path);
    const char *at = (const char *)file.p;
    for (; (at = strstr(at, begin)); i++) {
        char body[16384];
        size_t len = 0;
        troth_span der;
        const char *stop = strstr(at, end);
        for (at += sizeof begin - 1; stop && at < stop && len + 1 < sizeof body; at++)
            if (*at != '\n' && *at != '\r')
                body[len++] = *at;
        body[len] = 0;
        if (!from_base64(&der, body) || i >= n || !spans_equal(der, given[i]))
            return false;
    }
    return i == n;
}

static bool sha256_is(const struct talk *t, troth_span data, troth_span digest)
{
    _Alignas(16) uint8_t state[TROTH_HASH_STATE_MAX];
    uint8_t out[TROTH_DIGEST_MAX];
    const troth_hash *const *h = t->run->provider->hashes;
    while (*h && (*h)->id != TROTH_SHA256)
        h++;
    (*h)->begin(state);
    (*h)->add(state, data.p, data.n);
    (*h)->peek(state, out);
    return spans_equal(digest, (troth_span){ out, (*h)->n });
}

/* ---- rows: true when it is as it should be */
#define CHECK(name) static bool name(const struct talk *t, const struct settings *s, const troth_facts *f)
#define UNUSED(...) (void)(__VA_ARGS__)

CHECK(version)
{
    UNUSED(t);
    return !s->expect_version || f->version == s->expect_version;
}

CHECK(suite)
{
    UNUSED(t);
    bool aes = __builtin_cpu_supports("aes");
    int want = aes ? s->expect_cipher_aes : s->expect_cipher_no_aes;
    return f->suite && (!want || f->suite == want) && (!s->expect_cipher || f->suite == s->expect_cipher);
}

CHECK(group)
{
    UNUSED(t);
    return !s->expect_curve_id || f->group == s->expect_curve_id;
}

CHECK(scheme)
{
    UNUSED(t);
    return !s->expect_peer_signature_algorithm || f->peer_scheme == s->expect_peer_signature_algorithm;
}

CHECK(transport_params)
{
    bool unknown = t->early && !s->server; /* as yet */
    return unknown || !s->expect_quic_transport_params.n || spans_equal(f->peer_quic_parameters, s->expect_quic_transport_params);
}

CHECK(retry)
{
    UNUSED(t);
    return !(s->expect_hrr && !f->hello_retry) && !(s->expect_no_hrr && f->hello_retry);
}

CHECK(resumed)
{
    bool offering = t->early && !s->server; /* a client in early data does not know yet */
    return offering || f->resumed == (t->turn != TURN_INITIAL && !s->expect_session_miss);
}

CHECK(master_secret)
{
    UNUSED(t);
    return !s->expect_extended_master_secret || f->version == TROTH_TLS13 || f->extended_master_secret;
}

/* troth speaks with servers that know RFC 5746 alone; TLS 1.3 has no renegotiation at all. */
CHECK(renegotiation)
{
    UNUSED(t);
    return !s->expect_secure_renegotiation || f->version != 0;
}

/* On a server the protocol that the flags select is the one that must come of it. */
CHECK(alpn)
{
    UNUSED(t);
    return spans_equal(f->alpn, text_span(s->server ? s->select_alpn : s->expect_alpn));
}

CHECK(server_name)
{
    UNUSED(t);
    return (!s->expect_server_name || spans_equal(f->server_name, text_span(s->expect_server_name)))
        && (!s->expect_no_server_name || !f->server_name.n);
}

CHECK(staple)
{
    UNUSED(t);
    return !s->expect_ocsp_response.n || spans_equal(f->peer_staple, s->expect_ocsp_response);
}

CHECK(scts)
{
    UNUSED(t);
    troth_span want = s->expect_signed_cert_timestamps;
    return !want.n || spans_equal(f->peer_scts, want);
}

CHECK(peer_chain)
{
    const troth_span *given;
    size_t n = troth_report_given(troth_peer(t->c), &given);
    troth_span stored[4];
    UNUSED(f);
    if (t->early && !s->server) { /* the chain that is in the session */
        n = inside_session_chain(t, stored, 4);
        given = stored;
    }
    return !s->expect_peer_cert_file || same_chain(given, n, s->expect_peer_cert_file);
}

CHECK(peer_key)
{
    return (s->expect_peer_certificate_type == TYPE_NOT_ASKED || f->peer_type == s->expect_peer_certificate_type)
        && (!s->expect_peer_rpk_sha256.n || sha256_is(t, f->peer_raw_key, s->expect_peer_rpk_sha256));
}

/* A client always sees a certificate, and so does a server that demands one: from the peer, or with the session. */
CHECK(peer_shown)
{
    const troth_span *given;
    bool must = (!s->server && !t->early) || s->require_any_client_certificate;
    return !must || f->resumed || f->peer_raw_key.n || troth_report_given(troth_peer(t->c), &given) > 0;
}

CHECK(verdict)
{
    const troth_span *given;
    bool shown = f->peer_raw_key.n || troth_report_given(troth_peer(t->c), &given) > 0;
    bool fresh = shown && (!f->resumed || s->reverify_on_resume);
    return !s->expect_verify_result || !fresh || (t->verdict_asked && t->verdict_ok == !s->verify_fail);
}

CHECK(authorities)
{
    char hex[2048];
    size_t n = 0;
    UNUSED(t);
    if (!s->expect_client_ca_list)
        return true;
    for (troth_span list = f->acceptable_authorities; list.n >= 2;) { /* opaque16 each; the flag: hex, joined with commas */
        size_t len = (size_t)(list.p[0] << 8 | list.p[1]);
        if (n)
            hex[n++] = ',';
        for (size_t i = 0; i < len && len + 2 <= list.n && n + 3 < sizeof hex; i++)
            n += (size_t)snprintf(hex + n, 3, "%02x", list.p[2 + i]);
        list = len + 2 <= list.n ? (troth_span){ list.p + 2 + len, list.n - 2 - len } : (troth_span){ NULL, 0 };
    }
    hex[n] = 0;
    return !strcmp(hex, s->expect_client_ca_list);
}

CHECK(certificate_types)
{
    UNUSED(f);
    return !s->expect_certificate_types.n || spans_equal(s->expect_certificate_types, (troth_span){ t->inside.types, t->inside.n_types });
}

CHECK(peer_prefers)
{
    UNUSED(f);
    const struct list *want = &s->expect_peer_verify_pref;
    if (want->n && want->n != t->inside.n_schemes)
        return false;
    return !want->n || !memcmp(want->id, t->inside.schemes, want->n * sizeof want->id[0]);
}

/* Ours are numbered in the order of -new-...-credential; the one without such a flag comes last and is called -1. */
CHECK(selected)
{
    UNUSED(t);
    int want = s->expect_selected_credential, last = (int)s->n_more;
    if (want == CREDENTIAL_NOT_ASKED || f->resumed)
        return true;
    return f->own_identity == (want == CREDENTIAL_LEGACY ? (s->has_legacy && s->legacy.key_file ? last : -1) : want);
}

CHECK(early)
{
    bool accepted = f->early == TROTH_EARLY_ACCEPTED;
    return t->early || (!(s->expect_accept_early_data && !accepted) && !(s->expect_reject_early_data && accepted));
}

/* BoringSSL's word for it, and how troth's sentence begins.  Without a sentence early data was not thought of. */
static const struct { const char *word, *begins; } early_words[] = {
    { "accept", "the server accepted it" },                     { "accept", "session, suite, ALPN and time are right" },
    { "disabled", "early data is not taken here" },             { "hello_retry_request", "a HelloRetryRequest came between" },
    { "hello_retry_request", "the server asked for another" },  { "session_not_resumed", "no session was resumed" },
    { "session_not_resumed", "the server did not resume" },     { "peer_declined", "the server resumed the session without it" },
    { "unsupported_for_session", "the ticket does not allow" }, { "alpn_mismatch", "another ALPN than that of the session" },
    { "ticket_age_skew", "the ticket's age is not" },
};

CHECK(early_why)
{
    const char *want = s->expect_early_data_reason, *why = f->early_why;
    if (t->early || !want)
        return true;
    for (size_t i = 0; why && i < sizeof early_words / sizeof early_words[0]; i++)
        if (!strcmp(want, early_words[i].word) && !strncmp(why, early_words[i].begins, strlen(early_words[i].begins)))
            return true;
    if (why)
        return complain("early data: %s", why);
    if (!strcmp(want, "protocol_version"))
        return f->version != TROTH_TLS13;
    if (!strcmp(want, "no_session_offered"))
        return t->turn == TURN_INITIAL;
    return !strcmp(want, "disabled") ? !s->enable_early_data : false;
}

CHECK(age_skew)
{
    return t->turn == TURN_INITIAL || !s->expect_ticket_age_skew || f->ticket_age_skew == s->expect_ticket_age_skew;
}

CHECK(session_cached)
{
    UNUSED(f);
    if (t->turn != TURN_INITIAL || !s->server)
        return true;
    return !(s->expect_session_id && !t->run->cache_puts) && !(s->expect_no_session_id && t->run->cache_puts);
}

CHECK(asked)
{
    UNUSED(f);
    return !s->server || !setup_asks(s) || t->server_asked;
}

CHECK(ech)
{
    bool offering = t->early && !s->server;
    return offering || s->expect_ech_accept == (f->ech == TROTH_ECH_ACCEPTED);
}

/* Before TLS 1.3 the ticket belongs to the handshake. */
CHECK(ticket12)
{
    bool want = !s->expect_no_session && (!f->resumed || s->expect_ticket_renewal);
    return s->server || f->version == TROTH_TLS13 || t->early || t->ticket_came == want;
}

static const struct check {
    const char *name;
    bool (*ok)(const struct talk *, const struct settings *, const troth_facts *);
} at_start[] = {
    { "version", version },         { "cipher suite", suite },       { "group", group },           { "peer's scheme", scheme },
    { "HelloRetryRequest", retry }, { "resumption", resumed },       { "EMS", master_secret },     { "renegotiation", renegotiation },
    { "ALPN", alpn },               { "server name", server_name },  { "OCSP response", staple },  { "SCTs", scts },
    { "peer's chain", peer_chain }, { "peer's key", peer_key },      { "peer's certificate", peer_shown },
    { "verify result", verdict },   { "authorities", authorities },  { "certificate types", certificate_types },
    { "peer's preferences", peer_prefers },                          { "selected credential", selected },
    { "transport parameters", transport_params },
    { "early data", early },        { "early data reason", early_why }, { "ticket age skew", age_skew },
    { "session cache", session_cached },                             { "hello was asked about", asked },
    { "ECH", ech },                 { "ticket", ticket12 },
};

bool checks_at_start(const struct talk *t)
{
    troth_facts f = troth_what(t->c);
    bool all = true;
    for (size_t i = 0; i < sizeof at_start / sizeof at_start[0]; i++)
        if (!at_start[i].ok(t, t->s, &f))
            all = complain("shim: wrong %s", at_start[i].name);
    return all;
}

/* ---- once the peer has said all */
static bool tickets_ok(const struct talk *t, const troth_facts *f)
{
    const struct settings *s = t->s;
    if (s->server)
        return true;
    if (f->version != TROTH_TLS13)
        return s->implicit_handshake || t->ticket_came == t->ticket_before_ready || complain("shim: a ticket came late");
    if (s->shim_shuts_down) /* whether it came before we left is chance */
        return true;
    bool want = !s->expect_no_session;
    if (want != t->ticket_came)
        return complain("shim: %s", want ? "no ticket came" : "a ticket came");
    return !want || s->expect_ticket_supports_early_data == t->ticket_early || complain("shim: the ticket is wrong about early data");
}

bool checks_at_end(const struct talk *t)
{
    troth_facts f = troth_what(t->c);
    const struct settings *s = t->s;
    if (t->alert_sent)
        return true;
    if (!t->ready)
        return complain("shim: over before the handshake was complete");
    if (!s->server && t->turn == TURN_RESUME && s->expect_reject_early_data)
        return complain("shim: early data was not refused");
    if (s->expect_msg_callback && strcmp(s->expect_msg_callback, t->inside.trace))
        return complain("shim: wrong trace of messages:\n%s", t->inside.trace);
    if (s->expect_no_ech_retry_configs || s->expect_ech_retry_configs.n)
        return complain("shim: ECH was to be refused");
    return tickets_ok(t, &f);
}

bool checks_hello(const struct talk *t)
{
    const struct settings *s = t->s;
    troth_facts f = troth_what(t->c);
    if (!server_name(t, s, &f))
        return complain("shim: wrong server name");
    if (s->expect_advertised_alpn && !spans_equal(text_span(s->expect_advertised_alpn), (troth_span){ t->inside.alpn, t->inside.n_alpn }))
        return complain("shim: wrong ALPN offered");
    return true;
}
