/* check.c - troth check: what a server speaks, asked one connection at a time, and what is wrong with that.
 *
 * Must never call "supported" what was not negotiated in a real handshake (old versions and suites, which troth does not speak: in a real
 * ServerHello, old_hello.c).  A certificate that is refused is a finding; the negotiation before it still counts. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check/check.h"
#include "client/revoke.h"
#include "net/old_hello.h"
#include "setup/setup.h"

static void add(struct names *l, const char *name)
{
    if (l->n < NAMES_MAX && name)
        l->name[l->n++] = name;
}

/* ---- asking */

#define SMALL_GROUPS "x25519,secp256r1"

static void set(struct args *a, enum opt o, const char *value)
{
    a->given[o] = 1;
    a->line[o] = 0;
    a->value[o] = value;
}

struct args check_args(const struct check *c, enum opt o1, const char *v1, enum opt o2, const char *v2)
{
    static const enum opt free_to_choose[] = { OPT_SESSION, OPT_GROUPS, OPT_SUITES, OPT_MIN, OPT_MAX };
    struct args changed = *c->args;
    for (size_t i = 0; i < sizeof free_to_choose / sizeof free_to_choose[0]; i++)
        changed.given[free_to_choose[i]] = 0;
    if (c->small)
        set(&changed, OPT_GROUPS, SMALL_GROUPS);
    set(&changed, o1, v1);
    set(&changed, o2, v2);
    return changed;
}

struct answer {
    uint16_t version, suite, group; /* 0: none was agreed on */
    uint8_t  random[32];            /* the server's          */
    bool     no_ems;                /* TLS 1.2, in which we shake hands with nobody so */
};

/* Nobody is there, or nobody answers, in a row: it is not asked again.  Three may be the large hellos of the hybrid groups. */
static bool has_gone(const struct check *c)
{
    enum { ROW = 4 };
    return c->unanswered >= ROW;
}

static void note_answer(struct check *c, const struct session *s)
{
    int how = exit_code_of(&s->error);
    c->connections++;
    c->unanswered = how == EXIT_NETWORK || how == EXIT_TIMEOUT ? c->unanswered + 1 : 0;
}

static struct answer agreed(const struct session *s)
{
    troth_facts f = troth_what(s->conn);
    struct answer got = { .version = f.version, .suite = f.suite, .group = f.group };
    if (f.server_random.n == sizeof got.random)
        memcpy(got.random, f.server_random.p, sizeof got.random);
    return got;
}

/* The choice came before a certificate was refused, the server's by us or ours by it. */
static bool has_chosen(const struct session *s)
{
    int how = exit_code_of(&s->error);
    return how == EXIT_OK || how == EXIT_CERTIFICATE || how == EXIT_REFUSED;
}

/* False: the connection ended without a word, which may mean anything. */
static bool try_once(struct check *c, const struct args *a, struct answer *got)
{
    struct session s;
    int status;
    *got = (struct answer){ .version = 0 };
    if (has_gone(c) || !session_init(&s, a, c->args->operands[0], false, &status))
        return true;
    if (session_open(&s) || has_chosen(&s))
        *got = agreed(&s);
    got->no_ems = s.error.reason == TROTH_R_NO_EXTENDED_MASTER_SECRET;
    bool said = exit_code_of(&s.error) != EXIT_PROTOCOL || strncmp(s.error.code, "net.", 4) != 0;
    note_answer(c, &s);
    session_end(&s);
    return said;
}

/* One handshake with one thing fixed, and what was negotiated. */
static struct answer try_with(struct check *c, enum opt o1, const char *v1, enum opt o2, const char *v2)
{
    struct args changed = check_args(c, o1, v1, o2, v2);
    struct answer got;
    if (!try_once(c, &changed, &got))
        (void)try_once(c, &changed, &got);
    return got;
}

/* The first connection counts as well: it may be the only one that is answered. */
static void ask_versions(struct check *c)
{
    uint16_t first = has_chosen(&c->first) ? agreed(&c->first).version : 0;
    bool v13 = try_with(c, OPT_MIN, "1.3", OPT_MAX, "1.3").version == TROTH_TLS13 || first == TROTH_TLS13;
    struct answer old = try_with(c, OPT_MIN, "1.2", OPT_MAX, "1.2");
    bool v12 = old.version == TROTH_TLS12 || first == TROTH_TLS12;
    if (v13)
        add(&c->versions, "TLS 1.3");
    if (v12)
        add(&c->versions, "TLS 1.2");
    if (old.no_ems)
        check_find(c, FOUND_NO_EMS, "a ServerHello of TLS 1.2 without it: troth goes no further");
    c->no_ems = old.no_ems;
    if (v13 && old.version == TROTH_TLS12 && memcmp(old.random + 24, "DOWNGRD\x01", 8) != 0)
        check_find(c, FOUND_NO_SENTINEL, "a ServerHello of TLS 1.2 whose random ends otherwise, though TLS 1.3 is spoken");
}

static bool speaks(const struct check *c, const char *version)
{
    for (size_t i = 0; i < c->versions.n; i++)
        if (!strcmp(c->versions.name[i], version))
            return true;
    return false;
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
        if (!speaks(c, strcmp(rows[i].version, "1.3") ? "TLS 1.2" : "TLS 1.3"))
            continue;
        enum opt bound = strcmp(rows[i].version, "1.3") ? OPT_MAX : OPT_MIN;
        if (try_with(c, OPT_SUITES, rows[i].name, bound, rows[i].version).suite == troth_suite_by_name(rows[i].name))
            add(&c->suites, rows[i].name);
    }
}

/* In TLS 1.2 the groups also are the curves that a certificate may be on (RFC 8422 5.1): with that of most beside it, it may be taken. */
static bool takes_group12(struct check *c, const char *name, uint16_t id)
{
    char two[64];
    snprintf(two, sizeof two, "%s,secp256r1", name);
    return try_with(c, OPT_GROUPS, name, OPT_MAX, "1.2").group == id || try_with(c, OPT_GROUPS, two, OPT_MAX, "1.2").group == id;
}

static void ask_groups(struct check *c)
{
    static const char *const rows[] = { "X25519MLKEM768", "SecP256r1MLKEM768", "SecP384r1MLKEM1024", "x25519", "secp256r1", "secp384r1",
                                        "secp521r1" };
    enum { HYBRIDS = 3 };
    bool v13 = speaks(c, "TLS 1.3");
    for (size_t i = v13 ? 0 : HYBRIDS; c->versions.n && i < sizeof rows / sizeof rows[0]; i++) {
        uint16_t id = troth_group_by_name(rows[i]);
        if (!id || !(v13 ? try_with(c, OPT_GROUPS, rows[i], OPT_MIN, "1.3").group == id : takes_group12(c, rows[i], id)))
            continue;
        add(&c->groups, rows[i]);
        c->hybrid |= i < HYBRIDS;
    }
}

/* What was refused counts only where the server answers still, as it did at first. */
static void judge_refusals(struct check *c)
{
    bool v13 = speaks(c, "TLS 1.3"), v12 = speaks(c, "TLS 1.2");
    if (!v13 && !v12)
        return;
    if (!try_with(c, OPT_QUIET, "", OPT_QUIET, "").version) {
        check_find(c, FOUND_UNSTEADY, "the first handshake, begun once more, came to nothing");
        return;
    }
    if (!v13)
        check_find(c, FOUND_NO_TLS13, "TLS 1.2 is the most it takes");
    if (!v12 && !c->no_ems)
        check_find(c, FOUND_ONLY_TLS13, "no handshake of TLS 1.2 came about");
    if (v13 && !c->hybrid)
        check_find(c, FOUND_NO_HYBRID, "none of the three hybrid groups was taken");
}

static void ask_old(struct check *c)
{
    enum { OLD = 9, RSA = 7, WEAK = 19, ANON = 16, CBC = 12, DHE = 11, LEAST_DH = 2048 };
    static const uint16_t old[OLD] = { 0xc013, 0xc014, 0xc009, 0xc00a, 0x0033, 0x0039, 0x002f, 0x0035, 0x000a },
                          rsa[RSA] = { 0x009c, 0x009d, 0x002f, 0x0035, 0x003c, 0x003d, 0xc09c },
                          weak[WEAK] = { 0xc006, 0xc010, 0x0001, 0x0002, 0x003b,         /* NULL              */
                                         0x0003, 0x0006, 0x0008, 0x0014, 0x0009, 0x0015, /* export, DES       */
                                         0xc007, 0xc011, 0x0004, 0x0005,                 /* RC4               */
                                         0xc008, 0xc012, 0x0016, 0x000a },               /* 3DES              */
                          anon[ANON] = { 0xc015, 0xc016, 0xc017, 0xc018, 0xc019, 0x0017, 0x0018, 0x0019, 0x001a, 0x001b, 0x0034, 0x003a, 0x006c,
                                         0x006d, 0x00a6, 0x00a7 },
                          cbc[CBC] = { 0xc023, 0xc024, 0xc027, 0xc028, 0xc009, 0xc00a, 0xc013, 0xc014, 0x0067, 0x006b, 0x0033, 0x0039 },
                          dhe[DHE] = { 0x009e, 0x009f, 0xccaa, 0xc09e, 0xc09f, 0x0067, 0x006b, 0x0033, 0x0039, 0x0016, 0x0032 };
    static const struct {
        enum finding_id id;
        uint16_t        version;
        const uint16_t *suites;
        size_t          n;
        const char     *adds;
    } rows[] = {
        { FOUND_TLS11, 0x0302, old, OLD, "TLS 1.1" }, { FOUND_TLS10, 0x0301, old, OLD, "TLS 1.0" },     { FOUND_SSL3, 0x0300, old, OLD, "SSL 3.0" },
        { FOUND_STATIC_RSA, 0x0303, rsa, RSA, NULL }, { FOUND_BROKEN_SUITE, 0x0303, weak, WEAK, NULL }, { FOUND_ANONYMOUS, 0x0303, anon, ANON, NULL },
        { FOUND_CBC, 0x0303, cbc, CBC, NULL },        { FOUND_SMALL_DH, 0x0303, dhe, DHE, NULL },
    };
    for (size_t i = 0; !has_gone(c) && i < sizeof rows / sizeof rows[0]; i++) {
        struct old_answer answer;
        char saw[160], group[32] = "";
        bool is_group = rows[i].id == FOUND_SMALL_DH;
        c->connections++;
        if (!old_hello(&c->first.via, &c->first.place, session_name(&c->first), (int)c->first.timeout_ms, rows[i].version, rows[i].suites, rows[i].n,
                       is_group, &answer) ||
            answer.version != rows[i].version || (is_group && (!answer.dh_bits || answer.dh_bits >= LEAST_DH)))
            continue;
        if (is_group)
            snprintf(group, sizeof group, "; a prime of %u bits", answer.dh_bits);
        const char *suite = troth_suite_name(answer.suite);
        snprintf(saw, sizeof saw, "ServerHello with version 0x%04x and suite 0x%04x%s%s%s", answer.version, answer.suite, suite ? " " : "",
                 suite ? suite : "", group);
        add(&c->versions, rows[i].adds);
        check_find(c, rows[i].id, saw);
    }
}

/* ---- all of it */

static void judge_connection(struct check *c)
{
    troth_facts f = troth_what(c->first.conn);
    if (!has_chosen(&c->first))
        return;
    if (!f.alpn.n)
        check_find(c, FOUND_NO_ALPN, "h2 and http/1.1 were offered");
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
    judge_refusals(c);
    ask_old(c);
    check_chain(c);
    judge_connection(c);
    if (!has_gone(c))
        check_http(c);
}

const char *check_certificate(const struct check *c)
{
    return exit_code_of(&c->first.error) == EXIT_REFUSED ? "ok" : c->first.error.reason == TROTH_R_NONE ? "ok" : c->first.error.code;
}

/* There may be somebody to assess, whatever he thinks of us: it is so once he speaks anything. */
static bool is_reached(const struct session *s)
{
    int status = exit_code_of(&s->error);
    return status == EXIT_OK || status == EXIT_CERTIFICATE || (status == EXIT_REFUSED && troth_what(s->conn).version) ||
           (status == EXIT_PROTOCOL && s->dialed.fd >= 0 && strncmp(s->error.code, "peer.not-tls", 12) != 0);
}

static bool is_open(struct check *c)
{
    c->connections++;
    return session_open(&c->first) && revoke_check(&c->first);
}

/* The hello was not answered at all. */
static bool fell_silent(const struct session *s)
{
    return s->dialed.fd >= 0 && (s->error.reason == TROTH_R_NET_RESET_ON_HELLO || s->error.reason == TROTH_R_EOF_ON_HELLO ||
                                 s->error.reason == TROTH_R_NET_TIMEOUT_HANDSHAKE);
}

/* It may be its size that the hello was not answered for: then all is asked with a small one. */
static bool open_small(struct check *c, struct args *own)
{
    char saw[240];
    int status;
    struct session large = c->first;
    set(own, OPT_GROUPS, SMALL_GROUPS);
    if (session_init(&c->first, own, own->operands[0], false, &status)) {
        c->small = is_open(c) || exit_code_of(&c->first.error) == EXIT_CERTIFICATE;
        snprintf(saw, sizeof saw, "%s [%s]; with the groups " SMALL_GROUPS " it is answered", large.error.text, large.error.code);
        session_end(c->small ? &large : &c->first);
    }
    if (c->small)
        check_find(c, FOUND_LARGE_HELLO, saw);
    else
        c->first = large, own->given[OPT_GROUPS] = 0;
    return c->small;
}

int verb_CHECK(const struct args *a)
{
    static const char *const formats[] = { "text", "json", "md", "sarif", "junit", NULL };
    struct args own = *a;
    struct check c = { .args = a };
    int format = args_word(a, OPT_FORMAT, formats, args_has(a, OPT_JSON)), limit = args_word(a, OPT_FAIL_ON, severity_names, HIGH), status;
    c.server = args_word(a, OPT_FOR, web_servers, -1);
    if (format < 0 || limit < 0 || (c.server < 0 && args_has(a, OPT_FOR)))
        return EXIT_USAGE;
    if (!args_has(a, OPT_ALPN))
        set(&own, OPT_ALPN, "h2,http/1.1");
    c.args = &own;
    c.limit = (enum severity)limit;
    if (!session_init(&c.first, &own, a->operands[0], false, &status))
        return status;
    bool reached = is_open(&c) || (fell_silent(&c.first) ? !args_has(a, OPT_GROUPS) && open_small(&c, &own) : is_reached(&c.first));
    if (reached)
        assess(&c);
    status = exit_code_of(&c.first.error);
    reached = c.versions.n != 0;
    if (!reached) {
        c.n = 0; /* the failure says it */
        session_tell_failure(&c.first, stderr);
    } else {
        status = EXIT_OK;
        for (size_t i = 0; i < c.n; i++)
            if (c.findings[i].severity >= c.limit)
                status = EXIT_FINDING;
    }
    check_tell(&c, (enum check_format)format, reached, status);
    session_end(&c.first);
    return status;
}
