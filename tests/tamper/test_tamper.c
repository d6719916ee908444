/* One field changed, by its path, expect one reason.
 *
 * The sender's witness is told of each field of its own messages before they are hashed and sealed: that is where the change is made, so
 * the transcript, signatures and record tags stay right and only the field itself is wrong.  The offsets come from the parser. */
#include "base/alerts.h"
#include "base/witness.h"
#include "fake/fake.h"
#include "support/pair.h"
#include "support/test.h"
#include "tls/conn.h"

enum end { CLIENT, SERVER }; /* whose failure is expected: the receiver of the message */
enum setting { PLAIN, RETRY, AUTH };

struct tamper {
    const char       *path;  /* "ServerHello.supported_versions.selected_version": message, then names of enclosing ranges, in order */
    uint8_t           bytes[8];
    uint8_t           n;     /* 0: all bits of the field are flipped */
    enum end          fails;
    enum troth_reason why;
    enum setting      setting;
    uint8_t           alert; /* 0: that of the reason */
};

#define U8(v)  { (uint8_t)(v) }, 1
#define U16(v) { (uint8_t)((v) >> 8), (uint8_t)(v) }, 2
#define U24(v) { (uint8_t)((v) >> 16), (uint8_t)((v) >> 8), (uint8_t)(v) }, 3
#define BYTES(...) { __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })
#define FLIP   { 0 }, 0
#define TAMPER(path, what, fails, why)             { path, what, fails, TROTH_R_##why, PLAIN, 0 },
#define TAMPER_IN(setting, path, what, fails, why) { path, what, fails, TROTH_R_##why, setting, 0 },
#define ILLEGAL(setting, path, what, fails, why)   { path, what, fails, TROTH_R_##why, setting, ALERT_illegal_parameter },

/* clang-format off */
static const struct tamper table[] = {
    TAMPER("ClientHello.legacy_version",                        U16(0x0302), SERVER, LEGACY_VERSION)
    TAMPER("ClientHello.legacy_compression_methods",            U8(0),       SERVER, LENGTH_BOUNDS)
    TAMPER("ClientHello.supported_versions.versions",           U8(7),       SERVER, SHORT)
    TAMPER("ClientHello.cipher_suites",                         U16(3),      SERVER, SHORT)
    TAMPER("ClientHello.legacy_session_id",                     U8(33),      SERVER, LENGTH_BOUNDS)

    TAMPER("ServerHello.legacy_version",                        U16(0x0302), CLIENT, LEGACY_VERSION)
    TAMPER("ServerHello.legacy_session_id_echo",                BYTES(32, 0, 0, 0), CLIENT, SESSION_ID_ECHO)
    TAMPER("ServerHello.cipher_suite",                          U16(0x1304), CLIENT, SUITE_NOT_OFFERED)
    TAMPER("ServerHello.cipher_suite",                          U16(0xc02b), CLIENT, SUITE_NOT_OFFERED)
    TAMPER("ServerHello.legacy_compression_method",             U8(1),       CLIENT, COMPRESSION)
    ILLEGAL(PLAIN, "ServerHello.supported_versions.selected_version", U16(0x0305), CLIENT, VERSION_NOT_OFFERED)
    ILLEGAL(PLAIN, "ServerHello.supported_versions.selected_version", U16(0x0302), CLIENT, NO_SHARED_VERSION)
    TAMPER("ServerHello.key_share.group",                       U16(0x0018), CLIENT, GROUP_NOT_OFFERED)
    TAMPER("ServerHello.key_share.key_exchange",                U16(1),      CLIENT, TRAILING)
    TAMPER("ServerHello.extension_type",                        U16(0x0033), CLIENT, EXT_TWICE)
    TAMPER("ServerHello.extension_type",                        U16(0x00ff), CLIENT, VERSION_NOT_OFFERED)

    TAMPER_IN(RETRY, "HelloRetryRequest.key_share.selected_group", U16(0x001d), CLIENT, RETRY_SAME_GROUP)
    TAMPER_IN(RETRY, "HelloRetryRequest.key_share.selected_group", U16(0x0019), CLIENT, GROUP_NOT_OFFERED)
    TAMPER_IN(RETRY, "HelloRetryRequest.cipher_suite",             U16(0x1399), CLIENT, SUITE_NOT_OFFERED)
    TAMPER_IN(RETRY, "HelloRetryRequest.legacy_version",           U16(0x0301), CLIENT, LEGACY_VERSION)
    TAMPER_IN(RETRY, "HelloRetryRequest.legacy_session_id_echo",   BYTES(32, 1, 2), CLIENT, SESSION_ID_ECHO)
    TAMPER_IN(RETRY, "HelloRetryRequest.legacy_compression_method", U8(1),       CLIENT, COMPRESSION)
    ILLEGAL(RETRY, "HelloRetryRequest.supported_versions.selected_version", U16(0x0303), CLIENT, VERSION_NOT_OFFERED)

    TAMPER_IN(RETRY, "ServerHello.key_share.group",             U16(0x001d), CLIENT, RETRY_CHANGED_GROUP)
    TAMPER_IN(RETRY, "ServerHello.cipher_suite",                U16(0x1302), CLIENT, RETRY_CHANGED_SUITE)
    TAMPER_IN(RETRY, "ServerHello.supported_versions.selected_version", U16(0x0303), CLIENT, RETRY_CHANGED_VERSION)

    TAMPER("EncryptedExtensions.extensions",                    U16(1),      CLIENT, SHORT)
    TAMPER("EncryptedExtensions.extension_type",                U16(0x002b), CLIENT, EXT_ELSEWHERE)
    TAMPER("EncryptedExtensions.extension_type",                U16(0x1234), CLIENT, EXT_UNKNOWN_ANSWER)

    TAMPER("Certificate.certificate_request_context",           U8(1),       CLIENT, SHORT)
    TAMPER("CertificateVerify.algorithm",                       U16(0x0503), CLIENT, SCHEME_WRONG_KEY)
    TAMPER("CertificateVerify.algorithm",                       U16(0x0203), CLIENT, SCHEME_NOT_OFFERED)
    TAMPER("CertificateVerify.signature",                       BYTES(0, 1), CLIENT, TRAILING)
    TAMPER("Finished.verify_data",                              FLIP,        CLIENT, BAD_FINISHED)

    TAMPER_IN(AUTH, "CertificateRequest.certificate_request_context", U8(1), CLIENT, SHORT)
};
/* clang-format on */

/* ---- the witness that changes */
struct scalpel {
    const struct tamper *t;
    span                 raw;
    const char          *type;
    struct sighting      seen[512];
    size_t               n;
    unsigned             cuts;
};

static void on_message(void *self, const struct saw_message *m)
{
    struct scalpel *s = self;
    s->raw = m->ours ? m->raw : SPAN_NONE;
    s->type = m->type;
    s->n = 0;
}

static bool encloses(const struct sighting *outer, const struct sighting *inner)
{
    return outer->at <= inner->at && outer->at + outer->n >= inner->at + inner->n;
}

/* Do the names of the path, one after the other, enclose this field, the last being its own? */
static bool path_fits(const struct scalpel *s, const struct sighting *f)
{
    const char *at = s->t->path;
    size_t n = strcspn(at, ".");
    if (strlen(s->type) != n || strncmp(s->type, at, n))
        return false;
    at += n + 1;
    for (size_t i = 0; strchr(at, '.'); i++) {
        n = strcspn(at, ".");
        while (i < s->n && !(strlen(s->seen[i].name) == n && !strncmp(s->seen[i].name, at, n) && encloses(&s->seen[i], f)))
            i++;
        if (i == s->n)
            return false;
        at += n + 1;
    }
    return !strcmp(f->name, at);
}

static void on_field(void *self, const struct sighting *f)
{
    struct scalpel *s = self;
    if (s->n < COUNT_OF(s->seen))
        s->seen[s->n++] = *f;
    if (!s->raw.p || s->cuts || !path_fits(s, f))
        return;
    uint8_t *to = (uint8_t *)(uintptr_t)s->raw.p + f->at;
    for (size_t i = 0; i < (s->t->n ? s->t->n : f->n); i++)
        to[i] = s->t->n ? s->t->bytes[i] : (uint8_t)~to[i];
    s->cuts++;
}

/* ---- one case */
static void tweak_setting(troth_builder *b, void *ctx)
{
    static const uint16_t both[] = { 0x001d, 0x0017 }, one[] = { 0x0017 };
    const int *setting = ctx;
    troth_versions(b, TROTH_TLS13, TROTH_TLS13);
    troth_compressors(b, NULL, 0); /* a Certificate whose fields can be reached */
    if (setting[0] == RETRY)
        troth_groups(b, setting[1] ? one : both, setting[1] ? 1 : 2);
    if (setting[0] == AUTH && setting[1])
        troth_ask_client_auth(b, TROTH_AUTH_REQUIRED);
}

static void run_case(struct world *w, const struct tamper *t)
{
    struct scalpel s = { .t = t };
    struct witness witness = { .self = &s, .message = on_message, .field = on_field };
    struct pair p;
    int client[2] = { (int)t->setting, 0 }, server[2] = { (int)t->setting, 1 };
    pair_new(&p, world_client(w, tweak_setting, client), world_server(w, tweak_setting, server), NULL);
    conn_watch((t->fails == CLIENT ? &p.server : &p.client)->c, &witness);
    pair_run(&p);
    const struct pair_end *e = t->fails == CLIENT ? &p.client : &p.server;
    const troth_error *why = troth_why(e->c);
    if (!s.cuts)
        test_fail("%s: there is no such field", t->path);
    if (!why || why->reason != t->why) {
        const troth_error *other = troth_why((e == &p.client ? &p.server : &p.client)->c);
        test_fail("%s: expected %s, got %s (%s); the other end: %s (%s)", t->path, troth_reason_code(t->why), why ? why->code : "nothing",
                  why ? why->detail : "", other ? other->code : "nothing", other ? other->detail : "");
    }
    if (why && t->alert && why->alert != t->alert)
        test_fail("%s: alert %u, expected %u", t->path, why->alert, t->alert);
    pair_free(&p);
}

static void test_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct world *w = world_new(fake_provider(i + 1));
        run_case(w, &table[i]);
        world_free(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_table) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
