/* check.c - troth check: what a server speaks, asked one connection at a time, and what is wrong with that.
 *
 * Must never call "supported" what was not negotiated in a real handshake (old versions and suites, which troth does not speak: in a real
 * ServerHello, old_hello.c).  A certificate that is refused is a finding; the negotiation before it still counts. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "old_hello.h"
#include "revoke.h"
#include "setup.h"

enum { SOON_DAYS = 21, VERY_SOON_DAYS = 7, LONG_DAYS = 398 };

static void find(struct check *c, enum severity severity, const char *code, const char *what, const char *remedy, const char *saw)
{
    if (c->n == FINDINGS_MAX)
        return;
    struct finding *f = &c->findings[c->n++];
    *f = (struct finding){ .severity = severity, .code = code, .what = what, .remedy = remedy };
    snprintf(f->saw, sizeof f->saw, "%s", saw ? saw : "");
}

static void add(struct names *l, const char *name)
{
    if (l->n < NAMES_MAX && name)
        l->name[l->n++] = name;
}

/* ---- asking */

static void set(struct args *a, enum opt o, const char *value)
{
    a->given[o] = 1;
    a->line[o] = 0;
    a->value[o] = value;
}

/* One handshake with one thing fixed; what was negotiated, or version 0.  A certificate that was refused came after the choice. */
static troth_facts try_with(struct check *c, enum opt o1, const char *v1, enum opt o2, const char *v2)
{
    struct args changed = *c->args;
    struct session s;
    troth_facts f = { 0 };
    int status;
    changed.given[OPT_SESSION] = changed.given[OPT_GROUPS] = changed.given[OPT_SUITES] = 0;
    changed.given[OPT_MIN] = changed.given[OPT_MAX] = 0;
    set(&changed, o1, v1);
    set(&changed, o2, v2);
    if (!session_init(&s, &changed, c->args->operands[0], false, &status))
        return f;
    if (session_open(&s) || exit_code_of(&s.error) == EXIT_CERTIFICATE)
        f = troth_what(s.conn);
    session_end(&s);
    c->connections++;
    return f;
}

static void ask_versions(struct check *c)
{
    bool v13 = try_with(c, OPT_MIN, "1.3", OPT_MAX, "1.3").version == TROTH_TLS13;
    bool v12 = try_with(c, OPT_MIN, "1.2", OPT_MAX, "1.2").version == TROTH_TLS12;
    if (v13)
        add(&c->versions, "TLS 1.3");
    if (v12)
        add(&c->versions, "TLS 1.2");
    if (!v13)
        find(c, MEDIUM, "check.no-tls13", "the server does not speak TLS 1.3", "enable TLS 1.3; it has been in every TLS library since 2018", "TLS 1.2 is the most it takes");
    if (v13 && !v12)
        find(c, INFO, "check.only-tls13", "the server speaks TLS 1.3 alone", "nothing, unless clients from before 2018 matter", "TLS 1.2 was refused");
}

static void ask_suites(struct check *c)
{
    static const struct {
        const char *name, *version;
    } rows[] = {
        { "TLS_AES_128_GCM_SHA256", "1.3" }, { "TLS_AES_256_GCM_SHA384", "1.3" }, { "TLS_CHACHA20_POLY1305_SHA256", "1.3" },
        { "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "1.2" }, { "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "1.2" },
        { "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "1.2" }, { "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "1.2" },
        { "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "1.2" }, { "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "1.2" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool spoken = false;
        for (size_t v = 0; v < c->versions.n; v++)
            spoken |= !strcmp(c->versions.name[v] + 4, rows[i].version);
        if (!spoken)
            continue;
        enum opt bound = strcmp(rows[i].version, "1.3") ? OPT_MAX : OPT_MIN;
        if (try_with(c, OPT_SUITES, rows[i].name, bound, rows[i].version).suite == troth_suite_by_name(rows[i].name))
            add(&c->suites, rows[i].name);
    }
}

static void ask_groups(struct check *c)
{
    static const char *const rows[] = { "X25519MLKEM768", "SecP256r1MLKEM768", "SecP384r1MLKEM1024", "x25519", "secp256r1", "secp384r1",
                                        "secp521r1" };
    bool hybrid = false, v13 = c->versions.n && !strcmp(c->versions.name[0], "TLS 1.3");
    for (size_t i = 0; v13 && i < sizeof rows / sizeof rows[0]; i++) {
        uint16_t id = troth_group_by_name(rows[i]);
        if (!id || try_with(c, OPT_GROUPS, rows[i], OPT_MIN, "1.3").group != id)
            continue;
        add(&c->groups, rows[i]);
        hybrid |= i < 3;
    }
    if (v13 && !hybrid)
        find(c, LOW, "check.no-post-quantum", "no post-quantum key exchange: what is recorded today can be read once there are quantum computers",
             "enable X25519MLKEM768 (OpenSSL 3.5, BoringSSL, Go 1.24 and later have it)", "none of the three hybrid groups was taken");
}

static void ask_old(struct check *c)
{
    static const uint16_t cbc[] = { 0xc013, 0xc014, 0xc009, 0xc00a, 0x0033, 0x0039, 0x002f, 0x0035, 0x000a },
                          rsa[] = { 0x009c, 0x009d, 0x002f, 0x0035, 0x003c, 0x003d, 0xc09c }, weak[] = { 0x000a, 0xc012, 0x0005, 0x0004, 0x0009, 0x0001, 0x0002, 0x003b };
    static const struct {
        const char     *code, *what, *remedy;
        uint16_t        version;
        const uint16_t *suites;
        size_t          n;
        enum severity   severity;
        const char     *adds;
    } rows[] = {
        { "check.tls11", "TLS 1.1 is still spoken", "switch off everything below TLS 1.2 (RFC 8996)", 0x0302, cbc, 9, MEDIUM, "TLS 1.1" },
        { "check.tls10", "TLS 1.0 is still spoken", "switch off everything below TLS 1.2 (RFC 8996)", 0x0301, cbc, 9, MEDIUM, "TLS 1.0" },
        { "check.ssl3", "SSL 3.0 is still spoken", "switch off everything below TLS 1.2 (RFC 7568)", 0x0300, cbc, 9, HIGH, "SSL 3.0" },
        { "check.static-rsa", "key exchange without forward secrecy (RSA) is accepted", "take the TLS_RSA_ suites off the server's list", 0x0303, rsa, 7, MEDIUM, NULL },
        { "check.broken-suite", "a broken cipher suite is accepted", "take RC4, 3DES, NULL and export suites off the server's list", 0x0303, weak, 8, HIGH, NULL },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct old_answer answer;
        char saw[120];
        c->connections++;
        if (!old_hello(&c->first.via, &c->first.place, session_name(&c->first), (int)c->first.timeout_ms, rows[i].version, rows[i].suites, rows[i].n,
                       &answer) ||
            answer.version != rows[i].version)
            continue;
        const char *suite = troth_suite_name(answer.suite);
        snprintf(saw, sizeof saw, "ServerHello with version 0x%04x and suite 0x%04x%s%s", answer.version, answer.suite, suite ? " " : "",
                 suite ? suite : "");
        add(&c->versions, rows[i].adds);
        find(c, rows[i].severity, rows[i].code, rows[i].what, rows[i].remedy, saw);
    }
}

/* ---- the certificate */

static void judge_certificate(struct check *c)
{
    const struct session *s = &c->first;
    const troth_report *r = troth_peer(s->conn);
    char saw[160];
    if (exit_code_of(&s->error) == EXIT_CERTIFICATE && s->error.reason != TROTH_R_NONE)
        find(c, CRITICAL, s->error.code, s->error.text, s->error.hint, s->error.detail);
    size_t path = troth_report_accepted(r);
    if (path == SIZE_MAX)
        return;
    troth_path p = troth_report_path(r, path);
    for (size_t i = 0; i < p.n_certs; i++) {
        troth_path_cert cert = troth_report_cert(r, path, i);
        int64_t left = (cert.not_after - s->now) / 86400;
        snprintf(saw, sizeof saw, "%.100s: %lld days left", cert.title, (long long)left);
        if (left < SOON_DAYS)
            find(c, left < VERY_SOON_DAYS ? HIGH : MEDIUM, "check.expires-soon", "a certificate expires soon",
                 "renew it, and let it be renewed by a program", saw);
        snprintf(saw, sizeof saw, "%.100s: valid for %lld days", cert.title, (long long)((cert.not_after - cert.not_before) / 86400));
        if (i == 0 && (cert.not_after - cert.not_before) / 86400 > LONG_DAYS)
            find(c, LOW, "check.long-lived", "the server's certificate lives longer than browsers allow public ones to", "issue for at most 398 days, better for 90",
                 saw);
    }
    for (size_t k = 0; k < p.n_checks; k++) {
        troth_path_check k1 = troth_report_check(r, path, k);
        if (k1.verdict != TROTH_WARN)
            continue;
        if (k1.reason == TROTH_R_CERT_PROFILE)
            find(c, LOW, "check.certificate-warning", k1.rule, "look at it with troth verify --explain", k1.evidence);
        else
            find(c, MEDIUM, troth_reason_code(k1.reason), troth_reason_text(k1.reason), troth_reason_hint(k1.reason), k1.evidence);
    }
}

static void judge_connection(struct check *c)
{
    troth_facts f = troth_what(c->first.conn);
    if (f.version == TROTH_TLS12 && !f.extended_master_secret)
        find(c, MEDIUM, "check.no-ems", "no extended master secret (RFC 7627)", "upgrade the server's TLS library", "");
    if (!f.alpn.n)
        find(c, INFO, "check.no-alpn", "the server chose no application protocol", "nothing, if it is no web server; else enable ALPN", "h2 and http/1.1 were offered");
}

/* The first connection is over, so that a server which serves one at a time comes to the next; what is known of it stays. */
static void let_go(struct session *s)
{
    if (s->conn && s->error.reason == TROTH_R_NONE) {
        troth_close(s->conn);
        link_flush(&s->link, 1000);
    }
    if (s->dialed.fd >= 0)
        close(s->dialed.fd);
    s->dialed.fd = s->link.fd = -1;
}

static void assess(struct check *c)
{
    let_go(&c->first);
    ask_versions(c);
    ask_suites(c);
    ask_groups(c);
    ask_old(c);
    judge_certificate(c);
    judge_connection(c);
}

int verb_CHECK(const struct args *a)
{
    static const char *const formats[] = { "text", "json", "md", "sarif", "junit", NULL };
    struct args own = *a;
    struct check c = { .args = a };
    int format = args_word(a, OPT_FORMAT, formats, args_has(a, OPT_JSON)), limit = args_word(a, OPT_FAIL_ON, severity_names, HIGH), status;
    if (format < 0 || limit < 0)
        return EXIT_USAGE;
    if (!args_has(a, OPT_ALPN))
        set(&own, OPT_ALPN, "h2,http/1.1");
    c.args = &own;
    c.limit = (enum severity)limit;
    if (!session_init(&c.first, &own, a->operands[0], false, &status))
        return status;
    c.connections = 1;
    bool open = session_open(&c.first) && revoke_check(&c.first);
    status = exit_code_of(open ? NULL : &c.first.error);
    bool reached = open || status == EXIT_CERTIFICATE ||
                   (status == EXIT_PROTOCOL && c.first.dialed.fd >= 0 && strncmp(c.first.error.code, "peer.not-tls", 12) != 0);
    if (!reached) {
        session_tell_failure(&c.first, stderr);
    } else {
        assess(&c);
        status = EXIT_OK;
        for (size_t i = 0; i < c.n; i++)
            if (c.findings[i].severity >= c.limit)
                status = EXIT_FINDING;
    }
    check_tell(&c, (enum check_format)format, reached, status);
    session_end(&c.first);
    return status;
}
