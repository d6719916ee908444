/* session.c - one client connection.  Must never print but through session_tell_failure. */
#include "client/session.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <troth/pki.h>
#include <unistd.h>

#include "client/story_out.h"
#include "common/idn.h"
#include "common/outfile.h"
#include "common/pki_files.h"
#include "common/tty.h"
#include "net/starttls.h"
#include "recording/record.h"
#include "setup/setup.h"

enum { TICKET_MAX = 65536, EARLY_MOST = 1 << 20, HOST_NAME_MOST = 253, NO_ALERT = 255, PARTING_MS = 1000 };

/* ---- opening */

static bool begin_story(struct session *s)
{
    s->story = story_begin(s->target.typed, s->now);
    if (args_has(s->args, OPT_SECRETS))
        troth_story_danger_keep_secrets(s->story);
    s->recorder = recorder_new(s->tape, RECORD_MOST);
    s->setup = s->recorder ? facts_setup(s->args, s->tape, NULL, s->client) : NULL;
    return s->story != NULL;
}

static bool set_name(struct session *s)
{
    const char *given = args_value(s->args, OPT_SNI, ""), *why = NULL, *name = idn_ascii(s->sni, sizeof s->sni, given, &why);
    for (const char *c = name; c && *c; c++)
        if (*c <= 0x20 || *c == 0x7f)
            why = "there is a character in it that no host name has";
    if (name && !why && name != s->sni && (size_t)snprintf(s->sni, sizeof s->sni, "%s", name) > HOST_NAME_MOST)
        why = "it is too long for a host name";
    return !why || complain(s->args, EXIT_USAGE, "--sni: `%s': %s", given, why) == EXIT_OK;
}

/* The file of --session will be written over: it must be one.  An exit status. */
static int check_session_file(const struct args *a)
{
    const char *path = args_value(a, OPT_SESSION, NULL);
    uint8_t head[64];
    struct stat st;
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
    if (fd < 0)
        return !path || errno == ENOENT ? EXIT_OK : complain(a, EXIT_FILE, "%s: %s", path, strerror(errno));
    bool regular = !fstat(fd, &st) && S_ISREG(st.st_mode);
    ssize_t n = regular ? read(fd, head, sizeof head) : 0;
    close(fd);
    if (!regular)
        return complain(a, EXIT_FILE, "--session: %s is no regular file, in which a session could be kept", path);
    if (n > 0 && !troth_is_ticket((troth_span){ head, (size_t)n }))
        return complain(a, EXIT_FILE, "--session: %s holds something else than a session, and would be overwritten: give another name", path);
    return EXIT_OK;
}

/* --connect-to is for the operand: a redirect may lead to somebody else. */
static bool is_operand(const struct session *s)
{
    struct target t;
    return target_parse(&t, NULL, s->args->operands[0], "443") && !strcasecmp(t.host, s->target.host) && !strcmp(t.port, s->target.port);
}

static bool choose_place(struct session *s)
{
    const char *where = args_value(s->args, OPT_CONNECT_TO, NULL);
    s->place = s->target;
    if (!where || !is_operand(s) || target_parse(&s->place, NULL, where, s->target.port))
        return true;
    complain(s->args, EXIT_USAGE, "--connect-to: `%s' is no place to connect to; write HOST, HOST:PORT, [ADDRESS]:PORT or unix:/PATH", where);
    return false;
}

bool session_init(struct session *s, const struct args *a, const char *typed, bool with_story, int *status)
{
    long seconds;
    *s = (struct session){ .args = a, .dialed = { .fd = -1 }, .now = time(NULL) };
    *status = EXIT_USAGE;
    if (!target_parse(&s->target, a, typed, "443") || !choose_place(s) || !args_number(a, OPT_TIMEOUT, 1, 86400, 10, &seconds) ||
        (args_has(a, OPT_TIME) && !args_time(a, OPT_TIME, &s->now)) || !starttls_known(a) || !set_name(s))
        return false;
    char why[300];
    if (!via_choose(&s->via, a, &s->place, "https", why, sizeof why)) {
        complain(a, EXIT_USAGE, "%s", why);
        return false;
    }
    s->timeout_ms = seconds * 1000;
    if (s->target.path[0] && !args_has(a, OPT_SNI)) {
        complain(a, EXIT_USAGE, "a socket file has no name to check the certificate against: give it with --sni NAME");
        return false;
    }
    if (args_has(a, OPT_EARLY) && !(s->early = file_whole(a, a->value[OPT_EARLY], EARLY_MOST, &s->early_n))) {
        *status = EXIT_FILE;
        return false;
    }
    s->tape = with_story ? setup_tape(a) : NULL;
    *status = check_session_file(a);
    s->client = *status == EXIT_OK ? setup_client(a, &(struct setup){ .tape = s->tape }, status) : NULL;
    if (!s->client) {
        tape_free(s->tape);
        free(s->early);
        return false;
    }
    *status = EXIT_BUG;
    return !with_story || begin_story(s);
}

static bool transport_failed(struct session *s, enum troth_reason why, const char *detail)
{
    s->error = (troth_error){ .reason = (uint16_t)why,
                              .alert = NO_ALERT,
                              .who = (uint8_t)troth_reason_who(why),
                              .code = troth_reason_code(why),
                              .text = troth_reason_text(why),
                              .hint = troth_reason_hint(why) };
    snprintf(s->error.detail, sizeof s->error.detail, "%s", detail);
    troth_story_failed(s->story, &s->error);
    return false;
}

static void offer_session(struct session *s)
{
    const char *path = args_value(s->args, OPT_SESSION, NULL);
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return; /* the first time there is none */
    uint8_t ticket[TICKET_MAX];
    ssize_t n = read(fd, ticket, sizeof ticket);
    close(fd);
    if (n <= 0)
        return;
    troth_resume(s->conn, (troth_span){ ticket, (size_t)n });
    s->ticket_used = true;
    s->offered = s->recorder ? malloc((size_t)n) : NULL;
    if (s->offered) {
        memcpy(s->offered, ticket, (size_t)n);
        s->offered_n = (size_t)n;
    }
    explicit_bzero(ticket, sizeof ticket);
}

/* What is checked against the certificate: the host, or for a socket file the name given with --sni. */
const char *session_name(const struct session *s)
{
    return s->target.path[0] ? s->sni : s->target.host;
}

/* As much as the ticket allows; session_early_rest sends what is left. */
static void send_early(struct session *s)
{
    size_t most = troth_what(s->conn).early_left, n = s->early_n < most ? s->early_n : most;
    troth_span part = { s->early, n };
    if (n)
        recorder_wrote(s->recorder, s->early, n);
    if (!n || !troth_write(s->conn, &part, 1))
        return;
    troth_story_data(s->story, true, part);
    s->early_sent = n;
}

bool session_early_rest(struct session *s)
{
    return s->early_sent == s->early_n || session_write(s, s->early + s->early_sent, s->early_n - s->early_sent);
}

static bool shake_hands(struct session *s)
{
    uint64_t start = now_us();
    troth_event ev;
    s->link = (struct link){ .conn = s->conn, .fd = s->dialed.fd, .also = -1, .saw = s->recorder ? recorder_saw : NULL, .ctx = s->recorder,
                             .deadline_us = start + (uint64_t)s->timeout_ms * 1000u };
    do {
        session_next(s, &ev, -1);
        if (ev.kind == TROTH_EARLY)
            send_early(s);
        else if (ev.kind == TROTH_EARLY_REFUSED)
            s->early_sent = 0;
    } while (ev.kind != TROTH_READY && ev.kind != TROTH_FAILED && ev.kind != TROTH_DONE);
    s->handshake_us = (unsigned)(now_us() - start);
    s->link.deadline_us = 0;
    return ev.kind == TROTH_READY;
}

bool session_open(struct session *s)
{
    const struct args *a = s->args;
    int family = args_has(a, OPT_IPV4) ? DIAL_IPV4 : args_has(a, OPT_IPV6) ? DIAL_IPV6 : DIAL_ANY;
    if (!via_dial(&s->dialed, &s->via, &s->place, family, (int)s->timeout_ms))
        return transport_failed(s, s->dialed.why, s->dialed.detail);
    troth_story_mark(s->story, via_used(&s->via) ? "TCP connected to a proxy, which opened a way to the server" : "TCP connected");
    char said[160];
    uint64_t end = now_us() + (uint64_t)s->timeout_ms * 1000u;
    if (args_has(a, OPT_STARTTLS) && !starttls(a->value[OPT_STARTTLS], s->dialed.fd, s->target.host, (int)s->timeout_ms, said, sizeof said))
        return transport_failed(s, now_us() < end ? TROTH_R_NET_STARTTLS : TROTH_R_NET_TIMEOUT_IDLE, said);
    recorder_turn(s->recorder);
    s->conn = troth_connect(s->client, session_name(s));
    troth_tell(s->conn, s->story);
    if (args_has(a, OPT_SNI))
        troth_send_name(s->conn, s->sni);
    offer_session(s);
    return shake_hands(s);
}

/* ---- running */

static void keep_ticket(struct session *s, troth_span ticket)
{
    uint8_t *p = malloc(ticket.n ? ticket.n : 1);
    if (!p)
        return;
    if (ticket.n)
        memcpy(p, ticket.p, ticket.n);
    free(s->ticket);
    s->ticket = p;
    s->ticket_n = ticket.n;
}

enum link_wake session_next(struct session *s, troth_event *ev, int also)
{
    s->link.also = also;
    if (s->held) {
        s->held = false;
        *ev = s->held_event;
        return LINK_EVENT;
    }
    for (;;) {
        enum link_wake woken = link_next(&s->link, ev);
        if (woken != LINK_EVENT)
            return woken;
        if (ev->kind == TROTH_TICKET) {
            keep_ticket(s, ev->data);
            continue;
        }
        if (ev->kind == TROTH_DATA)
            troth_story_data(s->story, false, ev->data);
        if (ev->kind == TROTH_FAILED) {
            const troth_error *why = troth_why(s->conn);
            if (why)
                s->error = *why;
        }
        return LINK_EVENT;
    }
}

bool session_peek(struct session *s, unsigned ms)
{
    troth_event ev;
    s->link.soft_us = now_us() + (uint64_t)ms * 1000u;
    if (session_next(s, &ev, -1) == LINK_EVENT) {
        s->held = true;
        s->held_event = ev;
    }
    s->link.soft_us = 0;
    return s->error.reason == TROTH_R_NONE;
}

bool session_write(struct session *s, const void *p, size_t n)
{
    troth_span part = { p, n };
    recorder_wrote(s->recorder, p, n);
    if (!troth_write(s->conn, &part, 1))
        return false;
    troth_story_data(s->story, true, part);
    return true;
}

/* A server that refuses our certificate does not say which one it got. */
static void our_certificate(char *out, size_t cap, const struct session *s, const troth_facts *f)
{
    troth_cert_facts c = { .size = sizeof c };
    troth_span der;
    bool shown = f->own_identity >= 0, denied = shown && s->error.reason == TROTH_R_ALERT_ACCESS_DENIED;
    if (!denied && strncmp(s->error.code, "client-cert.", 12) != 0)
        return;
    troth_pki *pki = troth_pki_new(troth_libcrypto());
    if (troth_client_certificate(s->client, shown ? (size_t)f->own_identity : 0, &der) && troth_pki_cert(pki, der, &c))
        snprintf(out, cap, shown ? "ours is \"%s\" (issued by \"%s\")" : "\"%s\" (issued by \"%s\") was not shown", c.subject, c.issuer);
    troth_pki_free(pki);
}

/* Once --why has looked, its hint to use it is none. */
static const char *tried(const struct session *s)
{
    if (!*s->retried || s->error.reason != TROTH_R_NET_RESET_ON_HELLO)
        return NULL;
    return strstr(s->retried, "it works") ? "what was changed is what the server, or something on the way, cannot stand: it needs an update"
                                          : "look into the server's log, and whether a firewall or a load balancer on the way ends the connection";
}

/* One word of a command, as a shell takes it. */
static void add_word(FILE *out, const char *word)
{
    bool plain = *word && strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/:,@%+=-") == strlen(word);
    putc(' ', out);
    if (!plain)
        putc('\'', out);
    for (; *word; word++)
        if (*word == '\'')
            fputs("'\\''", out);
        else
            putc(*word, out);
    if (!plain)
        putc('\'', out);
}

/* What tells all of the same failure: with other options it may be another one, without --ca for example.  A proxy's address may have a
 * password in it; where the story goes to is for whoever asks for it. */
static void explain_command(char *out, size_t cap, const struct session *s)
{
    static const enum opt own[] = { OPT_JSON, OPT_COLOR, OPT_QUIET, OPT_CONFIG, OPT_PROXY, OPT_TIMEOUT, OPT_KEYLOG, OPT_RECORD, OPT_RECORD_SECRETS,
                                    OPT_SESSION, OPT_HTML, OPT_REDACT };
    FILE *f = s->args->verb == VERB_EXPLAIN ? NULL : fmemopen(out, cap, "w");
    *out = 0;
    if (!f)
        return;
    fputs("troth explain", f);
    for (enum opt o = 0; o < OPT_COUNT; o++) {
        bool skip = !opt_is_of(o, VERB_EXPLAIN);
        for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
            skip |= o == own[i];
        for (size_t i = 0; !skip && i < (opt_argument(o) ? s->args->given[o] : args_has(s->args, o)); i++) {
            const char *value = opt_argument(o) ? args_each(s->args, o, i) : NULL;
            if (opt_argument(o) && !value)
                break;
            fprintf(f, " --%s", opt_name(o));
            if (value)
                add_word(f, value);
        }
    }
    add_word(f, s->target.typed);
    if (fclose(f) || strlen(out) + 1 >= cap)
        snprintf(out, cap, "troth explain %.250s, with the same options", s->target.typed);
}

void session_tell_failure(struct session *s, void *to)
{
    if (s->error.reason == TROTH_R_NONE)
        return;
    troth_facts facts = troth_what(s->conn);
    char first[3 * sizeof s->link.first + 64] = "", more[320];
    explain_command(more, sizeof more, s);
    story_first_bytes(first, sizeof first, &s->error, s->link.first, s->link.first_n);
    our_certificate(first, sizeof first, s, &facts);
    if (s->error.from_peer && !strcmp(s->error.code, "tls.alpn")) /* an alert does not say what was asked for */
        snprintf(first, sizeof first, "we offered %.100s", args_value(s->args, OPT_ALPN, "nothing"));
    int fd = fileno(to);
    troth_failure_context ctx = { .size = sizeof ctx,
                                  .peer = s->target.typed,
                                  .report = troth_peer(s->conn),
                                  .facts = s->conn ? &facts : NULL,
                                  .now = s->now,
                                  .saw = *first ? first : NULL,
                                  .retried = *s->retried ? s->retried : NULL,
                                  .do_this = tried(s),
                                  .more = *more ? more : NULL,
                                  .milliseconds = s->dialed.fd >= 0 ? (int32_t)(s->dialed.connect_us / 1000) : -1,
                                  .exit_code = exit_code_of(&s->error),
                                  .width = (uint16_t)columns_of(fd),
                                  .colour = want_colour(s->args, fd),
                                  .unicode = want_unicode() };
    if (!troth_failure_write(&s->error, &ctx, sink_file, to))
        fprintf(to, "%s: %s [%s]\n", s->target.typed, s->error.text, s->error.code);
}

static bool save_session(const struct session *s)
{
    const char *path = args_value(s->args, OPT_SESSION, NULL);
    if (!path || (!s->ticket_n && !s->ticket_used))
        return true;
    if (!s->ticket_n) { /* it was used and no new one came: a ticket serves once */
        unlink(path);
        return true;
    }
    struct outfile file;
    bool ok = outfile_open(&file, path, 0600) && fwrite(s->ticket, 1, s->ticket_n, file.to) == s->ticket_n && outfile_close(&file, true);
    if (!ok)
        complain(s->args, EXIT_FILE, "%s: %s", path, strerror(errno));
    outfile_close(&file, false);
    return ok;
}

bool session_end(struct session *s)
{
    if (s->conn && s->error.reason == TROTH_R_NONE) {
        troth_close(s->conn);
        link_flush(&s->link, 1000);
    } else if (s->conn && s->error.alert != NO_ALERT && !s->error.from_peer) {
        link_part(&s->link, PARTING_MS);
    }
    bool kept = save_session(s);
    if (s->ticket)
        explicit_bzero(s->ticket, s->ticket_n);
    free(s->ticket);
    if (s->offered)
        explicit_bzero(s->offered, s->offered_n);
    free(s->offered);
    free(s->early);
    troth_free(s->conn);
    troth_client_free(s->client);
    troth_story_free(s->story);
    recorder_free(s->recorder);
    tape_free(s->tape);
    json_decref(s->setup);
    if (s->dialed.fd >= 0)
        close(s->dialed.fd);
    return kept;
}

json_t *failure_json(const troth_error *e)
{
    static const char *const who[] = { "nobody", "you", "peer", "ca", "network", "programmer" };
    const char *alert = troth_alert_name(e->alert);
    return json_pack("{s:s, s:s, s:o, s:s, s:s, s:b, s:o}", "code", e->code, "text", e->text, "evidence", json_text(e->detail), "who", who[e->who],
                     "do", e->hint, "fromPeer", e->from_peer, "alert",
                     e->alert == NO_ALERT || !alert ? json_null() : json_string(alert));
}
