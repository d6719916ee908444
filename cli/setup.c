/* setup.c - options to configurations.  The only place of the program that reads SSLKEYLOGFILE. */
#include "setup.h"

#include <troth/verify.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "ech.h"
#include "trust.h"

enum { LIST_MAX = 64, FILE_MAX = 16 << 20 };

uint8_t *read_file(const struct args *a, const char *path, size_t most, size_t *n)
{
    int fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC) : dup(STDIN_FILENO);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) || S_ISDIR(st.st_mode)) {
        complain(a, EXIT_FILE, "%s: %s", path, fd < 0 ? strerror(errno) : "is a directory, not a file");
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    size_t cap = S_ISREG(st.st_mode) ? (size_t)st.st_size + 1 : 65536;
    uint8_t *p = malloc(cap);
    ssize_t got = 1;
    for (*n = 0; p && got > 0 && *n <= most;) {
        if (*n == cap) {
            uint8_t *q = realloc(p, cap *= 2);
            if (!q)
                free(p);
            p = q;
            continue;
        }
        got = read(fd, p + *n, cap - *n);
        *n += got > 0 ? (size_t)got : 0;
    }
    int error = errno;
    close(fd);
    if (p && got >= 0 && *n <= most)
        return p;
    complain(a, EXIT_FILE, "%s: %s", path, !p ? "no memory" : got < 0 ? strerror(error) : "is larger than anything that belongs here");
    free(p);
    return NULL;
}

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

/* Encrypted keys: the first line of --passphrase-file. */
static size_t passphrase(void *ctx, char *out, size_t cap)
{
    const struct args *a = ctx;
    const char *path = args_value(a, OPT_PASS_FILE, NULL);
    size_t n = 0;
    uint8_t *p = path ? read_file(a, path, 4096, &n) : NULL;
    if (!p)
        return 0;
    size_t line = 0;
    while (line < n && p[line] != '\n' && p[line] != '\r')
        line++;
    line = line < cap ? line : cap;
    memcpy(out, p, line);
    explicit_bzero(p, n);
    free(p);
    return line;
}

static bool set_identities(const struct args *a, troth_builder *b)
{
    troth_passphrase(b, passphrase, (void *)(uintptr_t)a);
    const char *cert, *key;
    for (size_t i = 0; (cert = args_nth(a, OPT_CERT, i)); i++) {
        key = args_nth(a, OPT_KEY, i);
        troth_identity_files(b, cert, key ? key : cert);
        const char *staple = args_nth(a, OPT_STAPLE, i);
        size_t n;
        uint8_t *p = staple ? read_file(a, staple, FILE_MAX, &n) : NULL;
        if (staple && !p)
            return false;
        if (p)
            troth_identity_staple(b, (troth_span){ p, n });
        free(p);
    }
    if (args_has(a, OPT_KEY) && args_nth(a, OPT_KEY, 0) && !args_nth(a, OPT_CERT, 0))
        return complain(a, EXIT_USAGE, "--key without --cert: give the certificate chain as well"), false;
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

static void set_key_log(const struct args *a, troth_builder *b)
{
    const char *path = args_value(a, OPT_KEYLOG, getenv("SSLKEYLOGFILE"));
    if (!path || !*path)
        return;
    fprintf(stderr, "troth: warning: the secrets of this connection are written to %s; whoever has them reads everything\n", path);
    troth_danger_key_log(b, append_line, (void *)(uintptr_t)path);
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

/* One --pin: SHA-256 as 64 hexadecimal digits. */
static bool set_pin(const struct args *a, troth_builder *b, const char *text)
{
    uint8_t digest[32];
    size_t n = 0;
    for (const char *p = text; *p && n < 64; p++) {
        int v = *p >= '0' && *p <= '9' ? *p - '0' : (*p | 0x20) >= 'a' && (*p | 0x20) <= 'f' ? (*p | 0x20) - 'a' + 10 : *p == ':' ? -2 : -1;
        if (v == -1)
            break;
        if (v == -2)
            continue;
        digest[n / 2] = (uint8_t)(n % 2 ? digest[n / 2] | v : v << 4);
        n++;
    }
    if (n != 64)
        return complain(a, EXIT_USAGE, "--pin: `%s' is not 64 hexadecimal digits: the SHA-256 of the key (troth inspect prints it)", text), false;
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

static bool set_common(const struct args *a, troth_builder *b)
{
    set_key_log(a, b);
    return set_what_to_speak(a, b) && set_alpn(a, b) && set_identities(a, b) && set_time(a, b);
}

troth_client *setup_client(const struct args *a, int *status)
{
    *status = EXIT_USAGE;
    troth_builder *b = troth_client_builder(troth_libcrypto());
    if (!set_common(a, b) || !set_trust(a, b, status) || !ech_client_options(a, b)) {
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

troth_server *setup_server(const struct args *a, int *status)
{
    *status = EXIT_USAGE;
    if (!args_nth(a, OPT_CERT, 0)) {
        complain(a, EXIT_USAGE, "a server needs --cert and --key; `troth ca init' and `troth ca issue localhost' make them");
        return NULL;
    }
    troth_builder *b = troth_server_builder(troth_libcrypto());
    const char *how = args_value(a, OPT_CLIENT_AUTH, "required"), *path;
    if (!set_common(a, b) || !ech_server_options(a, b) || (strcmp(how, "required") && strcmp(how, "optional"))) {
        if (strcmp(how, "required") && strcmp(how, "optional"))
            complain(a, EXIT_USAGE, "--client-auth: `%s' is neither required nor optional", how);
        troth_builder_free(b);
        return NULL;
    }
    for (size_t i = 0; (path = args_nth(a, OPT_CLIENT_CA, i)); i++)
        troth_trust_file(b, path);
    if (args_nth(a, OPT_CLIENT_CA, 0))
        troth_ask_client_auth(b, strcmp(how, "required") ? TROTH_AUTH_OPTIONAL : TROTH_AUTH_REQUIRED);
    troth_error why;
    troth_server *s = troth_build_server(b, &why);
    if (!s) {
        *status = exit_code_of(&why);
        complain(a, *status, "%s: %s [%s]\n  %s", why.text, why.detail, why.code, why.hint);
    }
    return s;
}
