/* connect.c - troth connect: the verdict first, then standard input and output through the connection.
 *
 * Must never report success before the guarantee that was asked for holds: where we showed a certificate, or the server asked for one,
 * a TLS 1.3 server may refuse it after its handshake, so wait for its answer (--wait). */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <troth/pki.h>
#include <unistd.h>

#include "client/revoke.h"
#include "client/session.h"
#include "client/story_out.h"
#include "client/why.h"
#include "common/outfile.h"
#include "common/report_json.h"
#include "setup/setup.h"

enum { CHUNK = 16384 };

/* ---- the verdict */

static const char *or_none(const char *name)
{
    return name ? name : "-";
}

static void verdict_text(struct session *s, FILE *to)
{
    char place[300];
    troth_facts f = troth_what(s->conn);
    bool colour = want_colour(s->args, fileno(to));
    fprintf(to, "%s%s%s %s: %s", colour ? "\x1b[32m" : "", want_unicode() ? "✓" : "ok", colour ? "\x1b[0m" : "", s->target.typed,
            or_none(troth_version_name(f.version)));
    fprintf(to, ", %s, %s", or_none(troth_suite_name(f.suite)), f.group ? or_none(troth_group_name(f.group)) : "no key exchange");
    if (f.alpn.n)
        fprintf(to, ", %.*s", (int)f.alpn.n, (const char *)f.alpn.p);
    const troth_report *r = troth_peer(s->conn);
    size_t path = troth_report_accepted(r);
    if (f.psk_external)
        fprintf(to, ", by a key that both sides were given");
    else if (f.peer_raw_key.n)
        fprintf(to, ", %s: its raw public key is pinned", f.resumed ? "resumed" : "verified");
    else if (f.resumed)
        fprintf(to, ", resumed");
    else if (path != SIZE_MAX) {
        troth_path p = troth_report_path(r, path);
        fprintf(to, "; %s, trusted by %s", troth_report_cert(r, path, 0).title, troth_report_cert(r, path, p.n_certs - 1).title);
    }
    if (f.peer_delegated)
        fprintf(to, ", which signs with a delegated credential");
    if (f.early == TROTH_EARLY_ACCEPTED)
        fprintf(to, ", early data accepted");
    else if (args_has(s->args, OPT_EARLY))
        fprintf(to, ", no early data: %s", f.early_why ? f.early_why : "there was no session to resume that allows it");
    if (via_used(&s->via))
        fprintf(to, ", through the proxy %s", place_name(place, sizeof place, &s->via.at));
    fprintf(to, " (%u ms)\n", (s->dialed.connect_us + s->handshake_us) / 1000);
}

static json_t *text_or_null(const char *t)
{
    return t ? json_string(t) : json_null();
}

/* Whose certificates the server takes, if it asked for one. */
static json_t *authorities_json(troth_span all)
{
    json_t *list = json_array();
    char text[1000];
    for (troth_span name; troth_authority_next(&all, &name);)
        json_array_append_new(list, json_text(troth_name_text(text, sizeof text, name)));
    return list;
}

static void verdict_json(struct session *s)
{
    troth_facts f = troth_what(s->conn);
    bool ok = s->error.reason == TROTH_R_NONE;
    json_t *o = json_pack("{s:s, s:s, s:b, s:o}", "schema", "troth.connect/1", "code", ok ? "ok" : s->error.code, "ok", ok, "target",
                          json_text(s->target.typed));
    json_object_set_new(o, "exit", json_integer(exit_code_of(ok ? NULL : &s->error)));
    char place[300];
    if (via_used(&s->via))
        json_object_set_new(o, "proxy", json_string(place_name(place, sizeof place, &s->via.at)));
    if (s->dialed.address[0])
        json_object_set_new(o, "address", json_string(s->dialed.address));
    char hs[17];
    if (troth_hello_name(hs, &f))
        json_object_set_new(o, "hs", json_string(hs));
    if (!ok)
        json_object_set_new(o, "failure", failure_json(&s->error));
    if (*s->retried)
        json_object_set_new(o, "retried", json_text(s->retried));
    if (f.version) {
        json_t *t = json_pack("{s:o, s:o, s:o, s:o, s:b, s:b, s:b, s:b, s:b, s:b}", "version", text_or_null(troth_version_name(f.version)), "suite",
                              text_or_null(troth_suite_name(f.suite)), "group", text_or_null(troth_group_name(f.group)), "peerSignature",
                              text_or_null(troth_scheme_name(f.peer_scheme)), "resumed", f.resumed, "helloRetry", f.hello_retry,
                              "clientAuthenticated", f.client_authenticated, "externalPsk", f.psk_external, "rawPublicKey", f.peer_raw_key.n > 0,
                              "delegatedCredential", f.peer_delegated);
        if (args_has(s->args, OPT_EARLY))
            json_object_set_new(t, "earlyData", json_boolean(f.early == TROTH_EARLY_ACCEPTED));
        json_object_set_new(t, "alpn", f.alpn.n ? json_text_n(f.alpn.p, f.alpn.n) : json_null());
        if (f.acceptable_authorities.n)
            json_object_set_new(t, "acceptableAuthorities", authorities_json(f.acceptable_authorities));
        json_object_set_new(o, "tls", t);
    }
    if (troth_peer(s->conn))
        json_object_set_new(o, "paths", json_paths(troth_peer(s->conn), NULL));
    json_object_set_new(o, "milliseconds", json_pack("{s:f, s:f, s:f}", "resolve", s->dialed.resolve_us / 1000.0, "connect",
                                                     s->dialed.connect_us / 1000.0, "handshake", s->handshake_us / 1000.0));
    json_dumpf(o, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    putchar('\n');
    json_decref(o);
}

/* ---- after the handshake */

/* A late refusal comes as the first thing we read.  True when something else (or nothing, in time) came. */
static bool await_refusal(struct session *s, long ms)
{
    troth_facts f = troth_what(s->conn);
    bool may_refuse = f.version == TROTH_TLS13 && (f.own_scheme || f.acceptable_authorities.p);
    return session_peek(s, (unsigned)(may_refuse && ms < 2000 ? 2000 : ms));
}

static bool out_all(const uint8_t *p, size_t n)
{
    return fwrite(p, 1, n, stdout) == n && !fflush(stdout);
}

/* Standard input to the peer.  False at its end. */
static bool forward_input(struct session *s, bool *talked)
{
    uint8_t buffer[CHUNK];
    ssize_t n = read(STDIN_FILENO, buffer, sizeof buffer);
    *talked |= n > 0;
    if (n > 0)
        return session_write(s, buffer, (size_t)n);
    return n < 0 && (errno == EINTR || errno == EAGAIN);
}

/* We have said that we are done, and nobody had said anything before: whoever leaves then without close_notify, as nginx does, cuts off
 * nothing, and the handshake is what there was to hear of. */
static void forgive(struct session *s)
{
    if (s->error.reason == TROTH_R_TRUNCATED || s->error.reason == TROTH_R_NET_RESET_MID)
        s->error = (troth_error){ .reason = TROTH_R_NONE };
}

static void carry(struct session *s)
{
    bool input = true, talked = s->early_n > 0;
    for (troth_event ev;;) {
        enum link_wake woken = session_next(s, &ev, input ? STDIN_FILENO : -1);
        if (woken == LINK_ALSO) {
            input = forward_input(s, &talked);
            if (!input)
                troth_close(s->conn);
        }
        if (!input) /* all is said: who says nothing either for so long has nothing to say */
            s->link.deadline_us = now_us() + (uint64_t)s->timeout_ms * 1000u;
        if (woken == LINK_ALSO)
            continue;
        talked |= ev.kind == TROTH_DATA;
        if (ev.kind == TROTH_DATA && !out_all(ev.data.p, ev.data.n))
            return; /* nobody reads on: a quiet end */
        if (ev.kind == TROTH_CLOSED)
            troth_close(s->conn);
        if (ev.kind == TROTH_FAILED && !input && !talked)
            forgive(s);
        if (ev.kind == TROTH_DONE || ev.kind == TROTH_FAILED)
            return;
    }
}

/* ---- --save-chain */

static bool write_chain(FILE *to, const troth_span *certs, size_t n)
{
    troth_pki *w = troth_pki_new(troth_libcrypto());
    bool ok = w != NULL;
    for (size_t i = 0; ok && i < n; i++) {
        troth_span pem = troth_pki_pem(w, "CERTIFICATE", certs[i]);
        ok = pem.n && fwrite(pem.p, 1, pem.n, to) == pem.n;
    }
    troth_pki_free(w);
    return ok;
}

/* Where the connection failed before any came, that is what there is to say. */
static bool save_chain(const struct session *s)
{
    const char *path = args_value(s->args, OPT_SAVE_CHAIN, NULL);
    const troth_span *certs = NULL;
    struct outfile file = { .to = NULL };
    size_t n = path ? troth_report_given(troth_peer(s->conn), &certs) : 0;
    if (path && !n && s->error.reason == TROTH_R_NONE)
        return complain(s->args, EXIT_FILE, "--save-chain: the server sent no certificate%s", troth_what(s->conn).resumed ? ": its session was resumed" : ""), false;
    if (!n)
        return true;
    if (!strcmp(path, "-"))
        return write_chain(stdout, certs, n) && !fflush(stdout);
    bool ok = outfile_open(&file, path, 0666) && write_chain(file.to, certs, n) && outfile_close(&file, true);
    if (!ok)
        complain(s->args, EXIT_FILE, "%s: %s", path, strerror(errno ? errno : EIO));
    outfile_close(&file, false);
    return ok;
}

int verb_CONNECT(const struct args *a)
{
    struct session s;
    int status;
    long wait;
    bool json = args_has(a, OPT_JSON), tell = args_has(a, OPT_VERBOSE) || args_has(a, OPT_HTML) || args_has(a, OPT_RECORD);
    if (!args_number(a, OPT_WAIT, 0, 60000, 200, &wait))
        return EXIT_USAGE;
    if (json && !strcmp(args_value(a, OPT_SAVE_CHAIN, ""), "-"))
        return complain(a, EXIT_USAGE, "--save-chain: standard output has the object of --json: name a file");
    if (!session_init(&s, a, a->operands[0], tell, &status))
        return status;
    bool open = session_open(&s) && await_refusal(&s, wait) && revoke_check(&s);
    bool kept = save_chain(&s), sent = open && session_early_rest(&s);
    if (open && !json) {
        if (!args_has(a, OPT_QUIET))
            verdict_text(&s, stderr);
        if (sent)
            carry(&s);
    }
    if (args_has(a, OPT_WHY) && s.error.reason != TROTH_R_NONE)
        why_retry(&s);
    if (json)
        verdict_json(&s);
    else
        session_tell_failure(&s, stderr);
    status = exit_code_of(s.error.reason == TROTH_R_NONE ? NULL : &s.error);
    kept &= story_out(&s, stderr);
    kept &= session_end(&s);
    return kept || status != EXIT_OK ? status : EXIT_FILE;
}
