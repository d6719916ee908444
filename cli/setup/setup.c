/* setup.c - options to configurations.  The only place of the program that reads SSLKEYLOGFILE. */
#include "setup/setup.h"

#include <troth/pki.h>
#include <troth/verify.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/pki_files.h"
#include "setup/allow.h"
#include "setup/ech.h"
#include "setup/keeper.h"
#include "setup/pins.h"
#include "setup/psk.h"
#include "setup/tape.h"
#include "setup/trust.h"

enum { STAPLE_MOST = 1 << 20, KEY_MOST = 1 << 16, TICKET_KEYS_MOST = 16 };

int exit_code_of(const troth_error *e)
{
    const char *code = e && e->code ? e->code : "ok";
    static const struct {
        const char *prefix;
        int         status;
    } rows[] = {
        { "ok", EXIT_OK },
        { "client-cert.", EXIT_REFUSED },
        { "peer.alert.access_denied", EXIT_REFUSED }, /* no certificate was shown, as a session goes on */
        { "net.timeout-", EXIT_TIMEOUT },
        { "net.reset-", EXIT_PROTOCOL },
        { "net.eof-", EXIT_PROTOCOL },
        { "net.", EXIT_NETWORK },
        { "cert.", EXIT_CERTIFICATE },
        { "chain.", EXIT_CERTIFICATE },
        { "clock.", EXIT_CERTIFICATE },
        { "trust.unreadable", EXIT_FILE },
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

int own_exit_code_of(const troth_error *e)
{
    return exit_code_of(e) == EXIT_BUG ? EXIT_BUG : EXIT_FILE;
}

/* ---- who we are */

/* A mistake of a setter, told with the file that it got: what it says begins with the setter's name, which says nothing to who gave a file. */
bool setup_mistake(const struct args *a, const troth_builder *b, const char *path)
{
    const troth_error *why = troth_mistake(b);
    const char *colon = why ? strstr(why->detail, ": ") : NULL;
    if (why)
        complain_of(a, EXIT_FILE, why, path, colon ? colon + 2 : "");
    return why != NULL;
}

/* A file that goes whole to a setter; false after a message.  Nothing of it stays in memory. */
static bool with_file(const struct args *a, troth_builder *b, const char *path, size_t most, void (*set)(troth_builder *, troth_span))
{
    size_t n;
    uint8_t *p = file_whole(a, path, most, &n);
    if (!p)
        return false;
    set(b, (troth_span){ p, n });
    explicit_bzero(p, n);
    free(p);
    return !setup_mistake(a, b, path);
}

static void external(troth_builder *b, troth_span chain)
{
    troth_identity_external(b, chain, NULL);
}

/* The n-th delegated credential and its key, for the n-th certificate; keys: who has that, NULL: we. */
static bool set_delegated(const struct args *a, troth_builder *b, size_t i, struct keyring *keys)
{
    const char *path = args_nth(a, OPT_DELEGATED, i), *key = args_nth(a, OPT_DELEGATED_KEY, i);
    size_t n, key_n = 0;
    if (!path)
        return true;
    if (!key)
        return complain(a, EXIT_USAGE, "--delegated: %s needs its key, --delegated-key", path), false;
    uint8_t *credential = file_whole(a, path, KEY_MOST, &n), *private = credential && !keys ? file_whole(a, key, KEY_MOST, &key_n) : NULL;
    bool there = credential && (keys || private);
    if (there)
        troth_identity_delegated(b, (troth_span){ credential, n }, keys ? keyring_lent(keys, b, i) : (troth_span){ private, key_n });
    if (private)
        explicit_bzero(private, key_n);
    free(credential);
    free(private);
    return there && !setup_mistake(a, b, path);
}

/* An OCSP response, DER or PEM.  Rubbish would only be found out by clients, who refuse it. */
static bool set_staple(const struct args *a, troth_builder *b, const char *path)
{
    const troth_object *found;
    size_t n;
    uint8_t *p = file_whole(a, path, STAPLE_MOST, &n);
    troth_pki *pki = p ? troth_pki_new(troth_libcrypto()) : NULL;
    size_t count = p ? troth_pki_read(pki, (troth_span){ p, n }, &found) : 0;
    bool ok = count == 1 && !strcmp(found->kind, "ocsp-response");
    const troth_error *why = troth_pki_error(pki);
    if (ok)
        troth_identity_staple(b, found->der);
    else if (count)
        complain(a, EXIT_FILE, "--staple: %s holds %s, and must hold one OCSP response\n  openssl ocsp -respout FILE fetches one", path,
                 count > 1 ? "more than one thing" : found->what);
    else if (p)
        complain_of(a, EXIT_FILE, why, path, why->detail);
    troth_pki_free(pki);
    free(p);
    return ok && !setup_mistake(a, b, path);
}

/* The i-th --cert and its key. */
static bool set_chain(const struct args *a, troth_builder *b, size_t i, struct keyring *keys, int *status)
{
    const char *cert = args_nth(a, OPT_CERT, i), *key = args_nth(a, OPT_KEY, i);
    *status = EXIT_FILE;
    troth_passphrase(b, passphrase_from_file, (void *)(uintptr_t)a);
    if (keys)
        keyring_identity(keys, b, i);
    else if (!key && args_nth(a, OPT_DELEGATED, i)) /* the credential's key is all that this machine has */
        return with_file(a, b, cert, KEY_MOST, external);
    else
        troth_identity_files(b, cert, key ? key : cert);
    const troth_error *why = troth_mistake(b);
    if (why) /* names its files by itself */
        *status = complain_of(a, own_exit_code_of(why), why, NULL, why->detail);
    return !why;
}

static bool set_identity(const struct args *a, troth_builder *b, size_t i, struct keyring *keys, int *status)
{
    const char *staple = args_nth(a, OPT_STAPLE, i);
    return set_chain(a, b, i, keys, status) && (!staple || set_staple(a, b, staple)) && set_delegated(a, b, i, keys);
}

static bool set_raw_key(const struct args *a, troth_builder *b, struct keyring *keys, int *status)
{
    const char *raw = args_value(a, OPT_RAW_KEY, NULL);
    *status = EXIT_FILE;
    troth_passphrase(b, passphrase_from_file, (void *)(uintptr_t)a);
    if (!raw)
        return true;
    if (!keys)
        return with_file(a, b, raw, KEY_MOST, troth_identity_raw_key);
    keyring_raw_key(keys, b);
    return !setup_mistake(a, b, raw);
}

static bool set_identities(const struct args *a, troth_builder *b, struct setup *how, int *status)
{
    if (how->keeper && !(how->keys = keeper_read(how->keeper, a, status)))
        return false;
    bool ok = true;
    for (size_t i = 0; ok && args_nth(a, OPT_CERT, i); i++)
        ok = set_identity(a, b, i, how->keys, status);
    if (how->keys)
        keyring_to_tape(how->keys, how->tape);
    return ok && set_raw_key(a, b, how->keys, status);
}

bool setup_keys(const struct args *a, troth_builder *b, int *status)
{
    bool ok = true;
    for (size_t i = 0; ok && args_nth(a, OPT_CERT, i); i++)
        ok = set_chain(a, b, i, NULL, status) && set_delegated(a, b, i, NULL);
    return ok && set_raw_key(a, b, NULL, status);
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

/* Could a line be written there? */
static bool could_append(const char *path)
{
    char folder[OUTFILE_PATH];
    outfile_folder(folder, sizeof folder, path);
    return access(path, F_OK) ? !access(folder, W_OK | X_OK) : !access(path, W_OK);
}

const char *setup_key_log(const struct args *a)
{
    const char *path = args_value(a, OPT_KEYLOG, getenv("SSLKEYLOGFILE"));
    return path && *path ? path : NULL;
}

/* A variable that was set for another program is no reason to stop; an option is. */
static bool set_key_log(const struct args *a, troth_builder *b, struct tape *tape)
{
    if (tape_keeps_secrets(tape)) {
        troth_danger_key_log(b, line_to_tape, tape);
        return true;
    }
    const char *path = setup_key_log(a);
    if (!path)
        return true;
    if (args_has(a, OPT_CHECK_CONFIG) && could_append(path))
        return true;
    int fd = args_has(a, OPT_CHECK_CONFIG) ? -1 : open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        complain(a, EXIT_FILE, "no key log: %s: %s", path, strerror(errno));
        return !args_has(a, OPT_KEYLOG);
    }
    close(fd);
    complain(NULL, EXIT_OK, "warning: the secrets of this connection are written to %s; whoever has them reads everything", path);
    troth_danger_key_log(b, append_line, (void *)(uintptr_t)path);
    return true;
}

static int64_t fixed_time(void *ctx)
{
    int64_t t = 0;
    parse_time(ctx, &t); /* was checked */
    return t;
}

/* A replay has one time for all of a connection, down to the age of its ticket: where one can replay, the connection has so too. */
static bool set_time(const struct args *a, troth_builder *b, struct tape *tape)
{
    int64_t t;
    if (!args_has(a, OPT_TIME) && tape_keeps_secrets(tape))
        troth_clock(b, tape_clock, tape);
    if (!args_has(a, OPT_TIME))
        return true;
    if (!args_time(a, OPT_TIME, &t))
        return false;
    troth_clock(b, fixed_time, (void *)(uintptr_t)a->value[OPT_TIME]);
    return true;
}

/* Who may come in is asked at each connection, also where a session goes on: it may be older than the rules. */
static bool set_allow(const struct args *a, troth_builder *b, struct allow **allow)
{
    if (!allow_read(allow, a))
        return false;
    if (*allow) {
        troth_ask_verdict(b);
        troth_reverify(b);
    }
    return true;
}

static bool set_trust(const struct args *a, troth_builder *b, struct allow **allow, int *status)
{
    troth_error why;
    int profile = trust_profile(a);
    *status = EXIT_USAGE;
    if (profile < 0 || !pins_set(a, b, OPT_PIN) || !set_allow(a, b, allow))
        return false;
    pins_raw_keys(a, b);
    troth_policy_builder *p = troth_policy_new(troth_libcrypto());
    troth_policy_profile(p, (enum troth_profile)profile);
    int how = trust_roots(a, p);
    if (how == EXIT_OK)
        how = trust_evidence(a, p);
    if (how != EXIT_OK) {
        *status = how;
        troth_policy_builder_free(p);
        return false;
    }
    trust_suffixes(p, SUFFIXES_OF_REGISTRIES);
    if (args_has(a, OPT_VERBOSE) || args_has(a, OPT_HTML) || a->verb == VERB_EXPLAIN)
        troth_policy_every_check(p);
    troth_policy *policy = troth_policy_build(p, &why);
    if (policy)
        troth_trust_policy(b, policy);
    else
        *status = complain_of(a, own_exit_code_of(&why), &why, NULL, why.detail);
    return policy != NULL;
}

/* Mistakes among the options first, then the files that they name. */
static bool set_common(const struct args *a, troth_builder *b, struct setup *how, bool server, int *status)
{
    *status = EXIT_USAGE;
    if (!setup_speak(a, b, server) || !set_time(a, b, how->tape))
        return false;
    if (troth_mistake(b)) /* build tells it */
        return true;
    *status = EXIT_FILE;
    return set_key_log(a, b, how->tape) && set_identities(a, b, how, status) && psk_options(a, b, status) &&
           (server ? ech_server_options(a, b) : ech_client_options(a, b));
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

troth_client *setup_client(const struct args *a, struct setup *how, int *status)
{
    troth_builder *b = troth_client_builder(provider_of(how->tape));
    if (!set_common(a, b, how, false, status) || !set_trust(a, b, &how->allow, status)) {
        troth_builder_free(b);
        return NULL;
    }
    troth_error why;
    troth_client *c = troth_build_client(b, &why);
    if (!c)
        *status = complain_of(a, own_exit_code_of(&why), &why, NULL, why.detail);
    return c;
}

/* Whose client certificates are taken, and with which revocation lists. */
static bool set_client_auth(const struct args *a, troth_builder *b, struct allow **allow, int *status)
{
    static const char *const hows[] = { "required", "optional", NULL };
    int how = args_word(a, OPT_CLIENT_AUTH, hows, 0);
    const char *path;
    troth_error why;
    *status = EXIT_USAGE;
    if (how < 0 || !pins_set(a, b, OPT_CLIENT_PIN) || !set_allow(a, b, allow))
        return false;
    pins_raw_keys(a, b);
    if (args_has(a, OPT_CLIENT_CA) || args_has(a, OPT_CLIENT_PIN))
        troth_ask_client_auth(b, how ? TROTH_AUTH_OPTIONAL : TROTH_AUTH_REQUIRED);
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
        *status = complain_of(a, EXIT_FILE, &why, NULL, why.detail);
        return false;
    }
    troth_trust_policy(b, policy);
    return true;
}

/* --ticket-key: 16 bytes of name and 32 of key each, the newest first.  A recording with secrets has to have those that nobody gave. */
static bool set_ticket_keys(const struct args *a, troth_builder *b, const struct tape *tape)
{
    troth_ticket_key keys[TICKET_KEYS_MOST];
    size_t n = 0;
    const char *path = args_nth(a, OPT_TICKET_KEY, 0);
    for (; path && n < TICKET_KEYS_MOST; path = args_nth(a, OPT_TICKET_KEY, n)) {
        size_t size = 0;
        uint8_t *p = file_whole(a, path, KEY_MOST, &size);
        if (p && size != sizeof keys[n])
            complain(a, EXIT_FILE, "--ticket-key: %s has %zu bytes, and must have %zu; a new one: head -c 48 /dev/urandom >NEWFILE", path, size, sizeof keys[n]);
        if (p && size == sizeof keys[n])
            memcpy(&keys[n++], p, size);
        else
            size = 0;
        if (p)
            explicit_bzero(p, size);
        free(p);
        if (!size)
            return false;
    }
    const struct tape_secrets *made = tape_secrets(tape);
    if (n || made)
        troth_ticket_keys(b, n ? keys : &made->ticket, n ? n : 1);
    if (made && args_has(a, OPT_ALWAYS_RETRY))
        troth_cookie_key(b, made->cookie);
    explicit_bzero(keys, sizeof keys);
    return !path || complain(a, EXIT_USAGE, "--ticket-key: at most %d keys", TICKET_KEYS_MOST) == EXIT_OK;
}

troth_server *setup_server(const struct args *a, struct setup *how, int *status)
{
    *status = EXIT_USAGE;
    bool by_name = args_has(a, OPT_ROUTE) || args_has(a, OPT_PASS), all_pass = by_name && !args_has(a, OPT_ROUTE) && !args_has(a, OPT_BACKEND);
    if (!args_has(a, OPT_CERT) && !args_has(a, OPT_RAW_KEY) && !args_has(a, OPT_PSK) && !all_pass) {
        complain(a, EXIT_USAGE, "a server needs --cert and --key; `troth ca init' and `troth ca issue localhost' make them");
        return NULL;
    }
    troth_builder *b = troth_server_builder(provider_of(how->tape));
    if (!set_common(a, b, how, true, status) || !set_ticket_keys(a, b, how->tape) || !set_client_auth(a, b, &how->allow, status)) {
        troth_builder_free(b);
        return NULL;
    }
    if (by_name)
        troth_ask_server(b);
    if (how->sessions) {
        const troth_session_cache cache = id_cache_interface(how->sessions);
        troth_cache(b, &cache);
    }
    troth_error why;
    troth_server *s = troth_build_server(b, &why);
    if (!s)
        *status = complain_of(a, own_exit_code_of(&why), &why, NULL, why.detail);
    return s;
}

/* ---- would it do? */

enum { PARTS = 6 };

/* One of PARTS, or the identities behind them. */
static bool set_part(const struct args *a, troth_builder *b, size_t part, bool server, int *status)
{
    struct allow *allow = NULL;
    bool ok;
    *status = part ? EXIT_FILE : EXIT_USAGE;
    switch (part) {
    case 0:
        return setup_speak(a, b, server) && set_time(a, b, NULL);
    case 1:
        return set_key_log(a, b, NULL) && set_raw_key(a, b, NULL, status);
    case 2:
        return psk_options(a, b, status);
    case 3:
        return server ? ech_server_options(a, b) : ech_client_options(a, b);
    case 4:
        return !server || set_ticket_keys(a, b, NULL);
    case 5:
        ok = server ? set_client_auth(a, b, &allow, status) : set_trust(a, b, &allow, status);
        allow_free(allow);
        return ok;
    default:
        return set_identity(a, b, part - PARTS, NULL, status);
    }
}

static troth_builder *builder_for(bool server)
{
    troth_provider *provider = troth_libcrypto();
    return server ? troth_server_builder(provider) : troth_client_builder(provider);
}

int setup_check(const struct args *a, bool is_client)
{
    int first = EXIT_OK, status;
    for (size_t part = 0; part < PARTS || args_nth(a, OPT_CERT, part - PARTS); part++) {
        troth_builder *b = builder_for(!is_client);
        bool ok = set_part(a, b, part, !is_client, &status);
        const troth_error *why = ok ? troth_mistake(b) : NULL;
        if (why)
            status = complain_of(a, own_exit_code_of(why), why, NULL, why->detail);
        if ((!ok || why) && first == EXIT_OK)
            first = status;
        troth_builder_free(b);
    }
    if (first != EXIT_OK)
        return first;
    struct setup how = { .tape = NULL };
    troth_client *client = is_client ? setup_client(a, &how, &status) : NULL;
    troth_server *server = is_client ? NULL : setup_server(a, &how, &status);
    const troth_error *w;
    for (size_t i = 0; server && (w = troth_server_warning(server, i)); i++)
        complain_of(a, EXIT_OK, w, "warning", w->detail);
    first = client || server ? EXIT_OK : status;
    allow_free(how.allow);
    troth_client_free(client);
    troth_server_free(server);
    return first;
}
