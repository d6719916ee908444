/* setup.c - options to configurations.  The only place of the program that reads SSLKEYLOGFILE. */
#include "setup.h"

#include <troth/verify.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "digits.h"
#include "ech.h"
#include "tape.h"
#include "pki_files.h"
#include "trust.h"

enum { LIST_MAX = 64, STAPLE_MOST = 1 << 20, TICKETS_MOST = 16, TICKET_SECONDS = 86400 };

int exit_code_of(const troth_error *e)
{
    const char *code = e && e->code ? e->code : "ok";
    static const struct {
        const char *prefix;
        int         status;
    } rows[] = {
        { "ok", EXIT_OK },
        { "client-cert.", EXIT_REFUSED },
        { "net.timeout-", EXIT_TIMEOUT },
        { "net.reset-", EXIT_PROTOCOL },
        { "net.eof-", EXIT_PROTOCOL },
        { "net.", EXIT_NETWORK },
        { "cert.", EXIT_CERTIFICATE },
        { "chain.", EXIT_CERTIFICATE },
        { "clock.", EXIT_CERTIFICATE },
        { "trust.", EXIT_CERTIFICATE },
        { "staple.", EXIT_CERTIFICATE },
        { "revocation.", EXIT_CERTIFICATE },
        { "crl.", EXIT_CERTIFICATE },
        { "ocsp.", EXIT_CERTIFICATE },
        { "ct.", EXIT_CERTIFICATE },
        { "config.", EXIT_FILE },
        { "local.", EXIT_BUG },
        { "api.", EXIT_BUG },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (!strncmp(code, rows[i].prefix, strlen(rows[i].prefix)))
            return rows[i].status;
    return EXIT_PROTOCOL;
}

static bool version_of(const struct args *a, enum opt o, uint16_t otherwise, uint16_t *out)
{
    const char *v = args_value(a, o, NULL);
    *out = otherwise;
    if (!v)
        return true;
    if (!strcmp(v, "1.3") || !strcasecmp(v, "tls1.3"))
        *out = TROTH_TLS13;
    else if (!strcmp(v, "1.2") || !strcasecmp(v, "tls1.2"))
        *out = TROTH_TLS12;
    else {
        complain(a, EXIT_USAGE, "--%s: `%s' is no version troth speaks; write 1.2 or 1.3", opt_name(o), v);
        return false;
    }
    return true;
}

/* "x25519,secp256r1" -> numbers, by registered name or as 0x001d. */
static bool numbers_of(const struct args *a, enum opt o, uint16_t (*by_name)(const char *), uint16_t *out, size_t *n)
{
    char list[1024];
    *n = 0;
    if (!args_has(a, o))
        return true;
    snprintf(list, sizeof list, "%s", a->value[o]);
    for (char *save, *word = strtok_r(list, ",: ", &save); word; word = strtok_r(NULL, ",: ", &save)) {
        uint16_t id = by_name(word);
        if (!id && !strncmp(word, "0x", 2))
            id = (uint16_t)strtoul(word, NULL, 16);
        if (!id || *n == LIST_MAX) {
            complain(a, EXIT_USAGE, "--%s: `%s' is not a registered name", opt_name(o), word);
            return false;
        }
        out[(*n)++] = id;
    }
    return true;
}

static bool set_what_to_speak(const struct args *a, troth_builder *b)
{
    uint16_t least, most, ids[LIST_MAX];
    size_t n;
    if (!version_of(a, OPT_MIN, TROTH_TLS12, &least) || !version_of(a, OPT_MAX, TROTH_TLS13, &most))
        return false;
    if (least > most)
        return complain(a, EXIT_USAGE, "--min is above --max"), false;
    if (args_has(a, OPT_MIN) || args_has(a, OPT_MAX))
        troth_versions(b, least, most);
    if (!numbers_of(a, OPT_GROUPS, troth_group_by_name, ids, &n))
        return false;
    if (n)
        troth_groups(b, ids, n);
    if (!numbers_of(a, OPT_SUITES, troth_suite_by_name, ids, &n))
        return false;
    if (n)
        troth_suites(b, ids, n);
    if (!numbers_of(a, OPT_SIGS, troth_scheme_by_name, ids, &n))
        return false;
    if (n)
        troth_verify_schemes(b, ids, n);
    return true;
}

static bool set_alpn(const struct args *a, troth_builder *b)
{
    char list[1024];
    const char *names[LIST_MAX];
    size_t n = 0;
    if (!args_has(a, OPT_ALPN))
        return true;
    snprintf(list, sizeof list, "%s", a->value[OPT_ALPN]);
    for (char *save, *word = strtok_r(list, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
        if (n == LIST_MAX || strlen(word) > 255)
            return complain(a, EXIT_USAGE, "--alpn: too many or too long protocol names"), false;
        names[n++] = word;
    }
    if (!n)
        return complain(a, EXIT_USAGE, "--alpn: the list is empty; write e.g. h2,http/1.1"), false;
    troth_alpn(b, names, n);
    return true;
}

static bool set_identities(const struct args *a, troth_builder *b)
{
    troth_passphrase(b, passphrase_from_file, (void *)(uintptr_t)a);
    const char *cert, *key;
    for (size_t i = 0; (cert = args_nth(a, OPT_CERT, i)); i++) {
        key = args_nth(a, OPT_KEY, i);
        troth_identity_files(b, cert, key ? key : cert);
        const char *staple = args_nth(a, OPT_STAPLE, i);
        size_t n;
        uint8_t *p = staple ? file_whole(a, staple, STAPLE_MOST, &n) : NULL;
        if (staple && !p)
            return false;
        if (p)
            troth_identity_staple(b, (troth_span){ p, n });
        free(p);
    }
    return true;
}

static void append_line(void *ctx, const char *line)
{
    int fd = open(ctx, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return;
    dprintf(fd, "%s\n", line);
    close(fd);
}

static void line_to_tape(void *tape, const char *line)
{
    tape_key_line(tape, line);
}

/* A variable that was set for another program is no reason to stop; an option is. */
static bool set_key_log(const struct args *a, troth_builder *b, struct tape *tape)
{
    if (tape_keeps_secrets(tape)) {
        troth_danger_key_log(b, line_to_tape, tape);
        return true;
    }
    const char *path = args_value(a, OPT_KEYLOG, getenv("SSLKEYLOGFILE"));
    if (!path || !*path)
        return true;
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        complain(a, EXIT_FILE, "no key log: %s: %s", path, strerror(errno));
        return !args_has(a, OPT_KEYLOG);
    }
    close(fd);
    fprintf(stderr, "troth: warning: the secrets of this connection are written to %s; whoever has them reads everything\n", path);
    troth_danger_key_log(b, append_line, (void *)(uintptr_t)path);
    return true;
}

static int64_t fixed_time(void *ctx)
{
    int64_t t = 0;
    parse_time(ctx, &t); /* was checked */
    return t;
}

static bool set_time(const struct args *a, troth_builder *b)
{
    int64_t t;
    if (!args_has(a, OPT_TIME))
        return true;
    if (!args_time(a, OPT_TIME, &t))
        return false;
    troth_clock(b, fixed_time, (void *)(uintptr_t)a->value[OPT_TIME]);
    return true;
}

/* "ab:cd..." or "abcd...", 64 digits. */
static bool pin_from_hex(const char *text, uint8_t digest[32])
{
    size_t n = 0;
    for (const char *p = text; *p; p++) {
        int v = hex_digit(*p);
        if (*p == ':' && n && n % 2 == 0)
            continue;
        if (v < 0 || n == 64)
            return false;
        digest[n / 2] = (uint8_t)(n % 2 ? digest[n / 2] | v : v << 4);
        n++;
    }
    return n == 64;
}

/* 43 digits of six bits, and the sign that something is missing; the last two bits are not part of it. */
static bool pin_from_base64(const char *text, uint8_t digest[32])
{
    enum { DIGITS = 43 };
    return base64_span(text) == DIGITS && !strcmp(text + DIGITS, "=") && strchr("AEIMQUYcgkosw048", text[DIGITS - 1]) &&
           base64_bytes(digest, text, DIGITS) == 32;
}

static bool set_pin(const struct args *a, troth_builder *b, const char *text)
{
    uint8_t digest[32];
    if (!pin_from_hex(text, digest) && !pin_from_base64(text, digest))
        return complain(a, EXIT_USAGE, "--pin: `%s' is neither 64 hexadecimal digits nor base64 of 32 bytes: the SHA-256 of the key (troth inspect prints it)",
                        text), false;
    troth_trust_pin(b, digest);
    return true;
}

static bool set_trust(const struct args *a, troth_builder *b, int *status)
{
    troth_error why;
    const char *pin;
    for (size_t i = 0; (pin = args_nth(a, OPT_PIN, i)); i++)
        if (!set_pin(a, b, pin))
            return false;
    troth_policy_builder *p = troth_policy_new(troth_libcrypto());
    int how = trust_roots(a, p);
    if (how == EXIT_OK)
        how = trust_evidence(a, p);
    if (how != EXIT_OK) {
        *status = how;
        troth_policy_builder_free(p);
        return false;
    }
    trust_suffixes(p);
    if (args_has(a, OPT_VERBOSE) || args_has(a, OPT_HTML) || a->verb == VERB_EXPLAIN)
        troth_policy_every_check(p);
    troth_policy *policy = troth_policy_build(p, &why);
    if (policy)
        troth_trust_policy(b, policy);
    else
        *status = complain(a, exit_code_of(&why), "%s: %s [%s]\n  %s", why.text, why.detail, why.code, why.hint);
    return policy != NULL;
}

static bool set_sessions(const struct args *a, troth_builder *b)
{
    long tickets, early;
    if (!args_number(a, OPT_TICKETS, 0, TICKETS_MOST, 2, &tickets) || !args_number(a, OPT_EARLY_MAX, 0, 1 << 20, 0, &early))
        return false;
    if (args_has(a, OPT_TICKETS))
        troth_tickets(b, (unsigned)tickets, TICKET_SECONDS);
    if (early)
        troth_early_data(b, (uint32_t)early);
    return true;
}

bool setup_speak(const struct args *a, troth_builder *b, bool server)
{
    if (args_has(a, OPT_COMPRESS))
        troth_compressors(b, NULL, 0);
    if (!server && args_has(a, OPT_EARLY))
        troth_early_data(b, 1);
    return set_what_to_speak(a, b) && set_alpn(a, b) && (!server || set_sessions(a, b));
}

/* Mistakes among the options first, then the files that they name. */
static bool set_common(const struct args *a, troth_builder *b, struct tape *tape, bool server, int *status)
{
    *status = EXIT_USAGE;
    if (!setup_speak(a, b, server) || !set_time(a, b))
        return false;
    *status = EXIT_FILE;
    if (!set_key_log(a, b, tape) || !set_identities(a, b) || !(server ? ech_server_options(a, b) : ech_client_options(a, b)))
        return false;
    *status = EXIT_USAGE;
    return true;
}

struct tape *setup_tape(const struct args *a)
{
    struct tape *t = args_has(a, OPT_RECORD) ? tape_record(troth_libcrypto()) : NULL;
    if (args_has(a, OPT_RECORD_SECRETS))
        tape_danger_keep_secrets(t);
    return t;
}

static troth_provider *provider_of(struct tape *tape)
{
    return tape ? tape_provider(tape) : troth_libcrypto();
}

troth_client *setup_client(const struct args *a, struct tape *tape, int *status)
{
    troth_builder *b = troth_client_builder(provider_of(tape));
    if (!set_common(a, b, tape, false, status) || !set_trust(a, b, status)) {
        troth_builder_free(b);
        return NULL;
    }
    troth_error why;
    troth_client *c = troth_build_client(b, &why);
    if (!c) {
        *status = exit_code_of(&why);
        complain(a, *status, "%s: %s [%s]\n  %s", why.text, why.detail, why.code, why.hint);
    }
    return c;
}

/* Whose client certificates are taken, and with which revocation lists. */
static bool set_client_auth(const struct args *a, troth_builder *b, int *status)
{
    static const char *const hows[] = { "required", "optional", NULL };
    int how = args_word(a, OPT_CLIENT_AUTH, hows, 0);
    const char *path;
    troth_error why;
    if (how < 0)
        return false;
    if (!args_has(a, OPT_CLIENT_CA))
        return true;
    troth_policy_builder *p = troth_policy_new(troth_libcrypto());
    for (size_t i = 0; (path = args_nth(a, OPT_CLIENT_CA, i)); i++)
        troth_policy_trust_file(p, path);
    *status = trust_evidence(a, p);
    if (*status != EXIT_OK) {
        troth_policy_builder_free(p);
        return false;
    }
    troth_policy *policy = troth_policy_build(p, &why);
    if (!policy) {
        *status = complain(a, EXIT_FILE, "%s: %s [%s]\n  %s", why.text, why.detail, why.code, why.hint);
        return false;
    }
    troth_trust_policy(b, policy);
    troth_ask_client_auth(b, how ? TROTH_AUTH_OPTIONAL : TROTH_AUTH_REQUIRED);
    return true;
}

troth_server *setup_server(const struct args *a, struct tape *tape, struct id_cache *sessions, int *status)
{
    *status = EXIT_USAGE;
    if (!args_nth(a, OPT_CERT, 0)) {
        complain(a, EXIT_USAGE, "a server needs --cert and --key; `troth ca init' and `troth ca issue localhost' make them");
        return NULL;
    }
    troth_builder *b = troth_server_builder(provider_of(tape));
    if (!set_common(a, b, tape, true, status) || !set_client_auth(a, b, status)) {
        troth_builder_free(b);
        return NULL;
    }
    if (sessions) {
        const troth_session_cache cache = id_cache_interface(sessions);
        troth_cache(b, &cache);
    }
    troth_error why;
    troth_server *s = troth_build_server(b, &why);
    if (!s) {
        *status = exit_code_of(&why);
        complain(a, *status, "%s: %s [%s]\n  %s", why.text, why.detail, why.code, why.hint);
    }
    return s;
}
