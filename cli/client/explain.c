/* explain.c - troth explain: the story of a connection, of a capture, of a recording, of one message; the meaning of a code. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <troth/explain.h>
#include <unistd.h>

#include "client/revoke.h"
#include "client/session.h"
#include "client/story_out.h"
#include "common/digits.h"
#include "common/pki_files.h"
#include "common/url.h"
#include "recording/replay.h"
#include "setup/setup.h"

enum { CAPTURE_MOST = 256 << 20, MESSAGE_MOST = 1 << 20, ANSWER_MS = 3000 };

/* ---- output */

static bool depth_of(const struct args *a, uint8_t *depth)
{
    static const char *const names[] = { "summary", "steps", "fields", "bytes", NULL };
    int i = args_word(a, OPT_DEPTH, names, -2);
    *depth = i < 0 ? TROTH_DEPTH_DEFAULT : (uint8_t)(i + 1);
    return i != -1;
}

static bool options_of(const struct args *a, troth_story_options *o)
{
    long width;
    *o = (troth_story_options){ .size = sizeof *o };
    if (!depth_of(a, &o->depth) || !args_number(a, OPT_WIDTH, 40, 1000, (long)columns_of(STDOUT_FILENO), &width))
        return false;
    o->form = args_has(a, OPT_JSON) ? TROTH_STORY_JSON : TROTH_STORY_TEXT;
    o->width = (uint16_t)width;
    o->colour = want_colour(a, STDOUT_FILENO);
    o->unicode = want_unicode();
    o->redact = args_has(a, OPT_REDACT);
    return true;
}

/* Text or JSON on standard output, and the page where it was asked for. */
static int show(const struct args *a, const troth_story *s, const troth_story_options *o, int status)
{
    const char *page = args_value(a, OPT_HTML, NULL);
    bool ok = true;
    if (!args_has(a, OPT_QUIET))
        ok = troth_story_write(s, o, sink_file, stdout);
    if (page && !story_html(a, s, page))
        return EXIT_FILE;
    if (page && !args_has(a, OPT_QUIET) && o->form == TROTH_STORY_TEXT)
        printf("\nThe whole story, byte by byte: %s\n", page);
    return ok ? status : EXIT_FILE;
}

/* ---- captures and recordings */

static void list_connections(const troth_capture *c)
{
    enum { MOST = 200 };
    for (size_t i = 0; i < troth_capture_count(c); i++) {
        if (i == MOST) {
            fprintf(stderr, "  ... and %zu more\n", troth_capture_count(c) - i);
            break;
        }
        troth_captured k = troth_capture_at(c, i);
        fprintf(stderr, "  %zu  %s > %s  %s  %u packets, %llu + %llu bytes%s\n", i + 1, k.client, k.server, *k.server_name ? k.server_name : "-",
                k.packets, (unsigned long long)k.bytes_out, (unsigned long long)k.bytes_in, k.reset ? ", reset" : k.tls ? "" : ", no TLS");
    }
    troth_capture_counts n = troth_capture_packets(c);
    if (n.left_out)
        fprintf(stderr, "  and %llu packets of more connections than troth counts\n", (unsigned long long)n.left_out);
}

/* Why there is nothing to tell. */
static int no_connection(const struct args *a, const troth_capture *c)
{
    troth_capture_counts n = troth_capture_packets(c);
    unsigned long long quic = n.quic, dtls = n.dtls, tcp = n.tcp, all = n.packets;
    if (!all)
        return complain(a, EXIT_FINDING, "the capture is empty: no packet is in it");
    if (tcp)
        return complain(a, EXIT_FINDING, "the capture has %llu packets of TCP, and no byte of data in them: nobody answered, or the connection was refused", tcp);
    if (quic || dtls)
        return complain(a, EXIT_FINDING, "the capture has %s (%llu packets) and no TCP connection in it: troth reads TLS over TCP only", quic ? "QUIC" : "DTLS",
                        quic ? quic : dtls);
    if (n.strange_link)
        return complain(a, EXIT_FINDING, "the capture has packets of link type %u, which troth does not read; tcpdump -i any, or editcap -T, writes another",
                        (unsigned)n.strange_link);
    return complain(a, EXIT_FINDING, "the capture has no TCP connection in it: of its %llu packets %llu are of UDP, and the rest is no TCP over IP, or cut short", all,
                    (unsigned long long)n.udp);
}

/* --connection N or HOST; by default the first with a ClientHello in it. */
static bool choose_connection(const struct args *a, const troth_capture *c, size_t *i)
{
    const char *asked = args_value(a, OPT_CONNECTION, NULL);
    if (!asked) {
        for (*i = 0; *i < troth_capture_count(c) && !troth_capture_at(c, *i).tls; ++*i)
            ;
        *i = *i < troth_capture_count(c) ? *i : 0;
        return true;
    }
    char *end;
    unsigned long n = strtoul(asked, &end, 10);
    *i = n ? n - 1 : SIZE_MAX;
    for (size_t k = 0; (*end || !n) && k < troth_capture_count(c); k++) {
        troth_captured one = troth_capture_at(c, k);
        if (!strcasecmp(one.server_name, asked) || !strcmp(one.server, asked)) {
            *i = k;
            return true;
        }
    }
    if (!*end && n && n <= troth_capture_count(c))
        return true;
    complain(a, EXIT_USAGE, "there is no connection `%s' in the capture; it has %zu:", asked, troth_capture_count(c));
    list_connections(c);
    return false;
}

static int capture(const struct args *a, const troth_story_options *o, uint8_t *bytes, size_t n, const char *path)
{
    troth_error e = { .reason = TROTH_R_NONE };
    const char *keylog = args_value(a, OPT_KEYLOG, NULL);
    size_t keys_n = 0, i;
    uint8_t *keys = keylog ? file_whole(a, keylog, CAPTURE_MOST, &keys_n) : NULL;
    troth_capture *c = keylog && !keys ? NULL : troth_capture_open((troth_span){ bytes, n }, NULL, &e);
    int status = EXIT_FILE;
    if (!c && e.reason != TROTH_R_NONE)
        complain(a, EXIT_FILE, "%s: %s: %s", path, e.text, e.detail);
    if (c && !troth_capture_count(c)) {
        status = no_connection(a, c);
    } else if (c && choose_connection(a, c, &i)) {
        troth_story *s = troth_story_new(NULL);
        if (args_has(a, OPT_SECRETS))
            troth_story_danger_keep_secrets(s);
        troth_story_recompute(s, troth_libcrypto());
        status = EXIT_BUG;
        if (troth_capture_explain(c, i, (troth_span){ keys, keys_n }, troth_libcrypto(), s))
            status = show(a, s, o, EXIT_OK);
        if (troth_capture_count(c) > 1 && !args_has(a, OPT_CONNECTION) && !args_has(a, OPT_QUIET)) {
            fprintf(stderr, "The capture has %zu connections; this was number %zu. Choose with --connection:\n", troth_capture_count(c), i + 1);
            list_connections(c);
        }
        troth_story_free(s);
    } else if (c) {
        status = EXIT_USAGE;
    }
    troth_capture_free(c);
    if (keys)
        explicit_bzero(keys, keys_n);
    free(keys);
    free(bytes);
    return status;
}

/* The verdict of a replay, as of a connection. */
static void tell_replay(const struct replay *r, const troth_story_options *o)
{
    char saw[120] = "";
    troth_facts facts = troth_what(r->conn);
    const char *target = facts_text(r->facts, "target", NULL);
    story_first_bytes(saw, sizeof saw, &r->error, r->first, r->first_n);
    troth_failure_context ctx = { .size = sizeof ctx, .peer = *target ? target : NULL, .report = replay_report(r), .facts = &facts, .now = r->now,
                                  .saw = *saw ? saw : NULL, .milliseconds = -1, .exit_code = -1, .width = o->width, .colour = o->colour,
                                  .unicode = o->unicode };
    if (r->error.reason != TROTH_R_NONE && troth_failure_write(&r->error, &ctx, sink_file, stdout))
        putchar('\n');
}

static int replay(const struct args *a, const troth_story_options *o, json_t *facts, uint8_t *bytes, size_t n)
{
    struct replay r;
    int status;
    troth_story_options use = *o;
    if (replay_run(&r, a, facts, bytes, n, &status)) {
        if (o->form == TROTH_STORY_TEXT && !o->redact && !args_has(a, OPT_QUIET)) {
            tell_replay(&r, o);
            use.no_verdict = r.error.reason != TROTH_R_NONE;
        }
        status = show(a, r.story, &use, exit_code_of(r.error.reason == TROTH_R_NONE ? NULL : &r.error));
    }
    replay_end(&r);
    free(bytes);
    return status;
}

static bool is_capture(const uint8_t *p, size_t n)
{
    static const uint8_t magics[][4] = { { 0xa1, 0xb2, 0xc3, 0xd4 }, { 0xd4, 0xc3, 0xb2, 0xa1 }, { 0xa1, 0xb2, 0x3c, 0x4d },
                                         { 0x4d, 0x3c, 0xb2, 0xa1 }, { 0x0a, 0x0d, 0x0d, 0x0a } };
    for (size_t i = 0; n > 24 && i < sizeof magics / sizeof magics[0]; i++)
        if (!memcmp(p, magics[i], 4))
            return true;
    return false;
}

/* ---- one message, in hexadecimal, base64, PEM or as it is */

static size_t from_hex(uint8_t *out, const char *text, size_t n)
{
    size_t k = 0;
    int high = -1;
    for (size_t i = 0; i < n; i++) {
        int v = hex_digit(text[i]);
        if (v < 0 && (isspace((unsigned char)text[i]) || text[i] == ':') && high < 0)
            continue;
        if (v < 0)
            return 0;
        if (high >= 0)
            out[k++] = (uint8_t)(high << 4 | v);
        high = high < 0 ? v : -1;
    }
    return high < 0 ? k : 0;
}

/* Does it look like a handshake message, records, or a certificate? */
static bool plausible(const uint8_t *p, size_t n)
{
    size_t length = n >= 4 ? (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3] : 0;
    bool message = n >= 4 && p[0] <= 25 && (length + 4 == n || (n >= 32 && length < 0x10000)); /* a damaged one is worth a look too */
    bool records = n > 5 && p[0] >= 20 && p[0] <= 23 && p[1] == 3 && (size_t)(p[3] << 8 | p[4]) + 5 <= n;
    return message || records || (n > 64 && p[0] == 0x30 && p[1] >= 0x80);
}

/* Decodes in place; 0: it is nothing of the kind. */
static size_t decode(uint8_t *bytes, size_t n)
{
    const char *text = (const char *)bytes, *begin = n > 28 ? strstr(text, "-----BEGIN ") : NULL;
    size_t k;
    if (plausible(bytes, n))
        return n;
    if (begin) { /* PEM: the first object */
        const char *from = strchr(begin, '\n'), *to = from ? strstr(from, "-----END") : NULL;
        return to ? base64_bytes(bytes, from, (size_t)(to - from)) : 0;
    }
    uint8_t *out = malloc(n + 1);
    if (!out)
        return 0;
    k = from_hex(out, text, n);
    if (!k || !plausible(out, k))
        k = base64_bytes(out, text, n);
    bool good = k && plausible(out, k);
    if (good)
        memcpy(bytes, out, k);
    free(out);
    return good ? k : 0;
}

static int message(const struct args *a, const troth_story_options *o, uint8_t *bytes, size_t n, const char *what)
{
    troth_story_options use = *o;
    troth_error e = { .reason = TROTH_R_NONE };
    troth_story *s = troth_story_new(NULL);
    troth_story_about(s, what, 0);
    troth_story_recompute(s, troth_libcrypto());
    if (use.form == TROTH_STORY_TEXT && use.depth == TROTH_DEPTH_DEFAULT)
        use.depth = TROTH_DEPTH_FIELDS;
    bool whole = troth_explain_message(s, (troth_span){ bytes, n }, true, &e);
    int status = show(a, s, &use, whole ? EXIT_OK : EXIT_FINDING);
    troth_story_free(s);
    free(bytes);
    return status;
}

/* A file or standard input: capture, recording, message. */
static int from_file(const struct args *a, const troth_story_options *o, const char *path)
{
    size_t n;
    uint8_t *bytes = file_whole(a, path, CAPTURE_MOST, &n);
    if (!bytes)
        return EXIT_FILE;
    if (!n) {
        free(bytes);
        return complain(a, EXIT_FILE, "%s: the file is empty; the program that should have written it failed, or this is the wrong file", path);
    }
    json_t *facts = args_has(a, OPT_PCAP) ? NULL : facts_find(bytes, n);
    if (facts)
        return replay(a, o, facts, bytes, n);
    if (args_has(a, OPT_PCAP) || is_capture(bytes, n))
        return capture(a, o, bytes, n, path);
    uint8_t *text = realloc(bytes, n + 1);
    if (!text) {
        free(bytes);
        return EXIT_BUG;
    }
    text[n] = 0;
    size_t k = decode(text, n);
    if (k)
        return message(a, o, text, k, path);
    free(text);
    return complain(a, EXIT_FILE, "%s is neither a capture (pcap, pcapng), a recording, nor a TLS message or certificate", path);
}

/* ---- a live connection */

/* Asks for the page, so that there is something encrypted to see. */
static void ask_for_page(struct session *s)
{
    char path[3 * sizeof s->target.rest], host[TARGET_HOST_MAX], request[sizeof path + sizeof host + 100];
    troth_facts f = troth_what(s->conn);
    bool h2 = f.alpn.n == 2 && !memcmp(f.alpn.p, "h2", 2);
    url_request_path(path, sizeof path, s->target.rest);
    int n = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: troth\r\nConnection: close\r\n\r\n", *path ? path : "/",
                     target_http_host(host, &s->target, "443"));
    if (h2 || args_has(s->args, OPT_STARTTLS) || !session_write(s, request, (size_t)n))
        return;
    s->link.soft_us = now_us() + ANSWER_MS * 1000u;
    for (troth_event ev;;) {
        if (session_next(s, &ev, -1) == LINK_TIME)
            break;
        if (ev.kind == TROTH_CLOSED)
            troth_close(s->conn);
        if (ev.kind == TROTH_DONE || ev.kind == TROTH_FAILED)
            break;
    }
    s->link.soft_us = 0;
}

static int live(const struct args *a, const troth_story_options *o)
{
    struct session s;
    int status;
    if (!session_init(&s, a, a->operands[0], true, &status))
        return status;
    if (session_open(&s) && revoke_check(&s)) /* what the server thinks of our certificate comes as the first thing we read */
        ask_for_page(&s);
    troth_story_options use = *o;
    status = exit_code_of(s.error.reason == TROTH_R_NONE ? NULL : &s.error);
    if (s.error.reason != TROTH_R_NONE && o->form == TROTH_STORY_TEXT && !o->redact) {
        session_tell_failure(&s, stdout);
        putchar('\n');
        use.no_verdict = true;
    }
    status = show(a, s.story, &use, status);
    bool kept = story_record(&s);
    kept &= session_end(&s);
    return kept || status != EXIT_OK ? status : EXIT_FILE;
}

static const char *code_of(uint16_t reason)
{
    return troth_reason_code((enum troth_reason)reason);
}

int verb_EXPLAIN(const struct args *a)
{
    troth_story_options o;
    struct stat st;
    if (!options_of(a, &o))
        return EXIT_USAGE;
    if (args_has(a, OPT_ERROR)) {
        if (troth_explain_code(a->value[OPT_ERROR], &o, sink_file, stdout))
            return EXIT_OK;
        const char *guess = word_nearest(a->value[OPT_ERROR], code_of, TROTH_REASON_COUNT - 1);
        return guess ? complain(a, EXIT_USAGE, "there is no code `%s'; did you mean `%s'?", a->value[OPT_ERROR], guess)
                     : complain(a, EXIT_USAGE, "there is no code `%s'; man troth-errors lists them", a->value[OPT_ERROR]);
    }
    if (args_has(a, OPT_PCAP))
        return from_file(a, &o, a->value[OPT_PCAP]);
    if (!a->n_operands)
        return complain(a, EXIT_USAGE, "say what to explain: HOST[:PORT], a file, a message, --pcap FILE, or --error CODE");
    const char *what = a->operands[0];
    if (!strcmp(what, "-") || (!stat(what, &st) && (!S_ISDIR(st.st_mode) || strchr(what, '/')))) /* a folder may be called as a host is */
        return from_file(a, &o, what);
    size_t n = strlen(what);
    uint8_t *bytes = n >= 8 && n < MESSAGE_MOST ? malloc(n + 1) : NULL;
    if (bytes) {
        memcpy(bytes, what, n + 1);
        size_t k = decode(bytes, n);
        if (k)
            return message(a, &o, bytes, k, "a message");
        free(bytes);
    }
    return live(a, &o);
}

int verb_EXPLAIN_ERROR(const struct args *a)
{
    char text[8192];
    size_t n = 0;
    troth_story_options o;
    if (!options_of(a, &o))
        return EXIT_USAGE;
    if (a->n_operands == 1 && !strcmp(a->operands[0], "-"))
        n = fread(text, 1, sizeof text - 1, stdin);
    else
        for (int k = 0; k < a->n_operands && n < sizeof text - 1; k++)
            n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", k ? " " : "", a->operands[k]);
    text[n < sizeof text ? n : sizeof text - 1] = 0;
    if (troth_explain_text(text, &o, sink_file, stdout))
        return EXIT_OK;
    if (args_has(a, OPT_JSON))
        puts("{\"schema\":\"troth.explain-error/1\",\"found\":[]}");
    return complain(a, EXIT_FINDING, "this error is not known; troth knows those of OpenSSL, curl, GnuTLS, Go, Java, browsers, nginx and HAProxy");
}
