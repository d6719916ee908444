/* facts.c - the facts of a recording, written and read.  Must never take anything but certificates and CRLs out of the files that the
 * options name: a file with a certificate may have its private key in it as well. */
#include "recording/facts.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <troth/pki.h>
#include <unistd.h>

#include "common/digits.h"
#include "common/pki_files.h"
#include "setup/trust.h"

enum { FACTS_MOST = 16 << 20 };

/* The options that decide how this end speaks, and need nothing but their text. */
static const enum opt spoken[] = { OPT_MIN, OPT_MAX, OPT_GROUPS, OPT_SUITES, OPT_SIGS, OPT_ALPN, OPT_SNI, OPT_ECH_GREASE, OPT_COMPRESS,
                                   OPT_CLIENT_AUTH, OPT_TICKETS, OPT_EARLY_MAX, OPT_CERT_SIGS, OPT_SHARES, OPT_RECORD_LIMIT, OPT_FRAGMENT, OPT_PAD,
                                   OPT_NO_GREASE, OPT_NO_TICKETS, OPT_FALLBACK, OPT_LATE_AUTH, OPT_ECH_REQUIRED, OPT_COMPRESS_WITH, OPT_OID_FILTER,
                                   OPT_STRICT_SNI, OPT_ALPN_OPTIONAL, OPT_ALWAYS_RETRY, OPT_TAKE_RAW, OPT_TAKE_DELEGATED, OPT_PSK_HASH, OPT_PSK_IMPORT };
/* Of these only whether they were given: what is in their files is secret, or stands elsewhere. */
static const enum opt flags[] = { OPT_RAW_KEY, OPT_EARLY };
/* Those that may be given several times, each a list. */
static const enum opt listed[] = { OPT_PIN, OPT_CLIENT_PIN };
static const char *const cut_names[CUT_KINDS] = { "random", "share", "reply", "secret", "signature", "session" };

/* ---- writing */

json_t *facts_hex(const uint8_t *p, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    char *text = malloc(2 * n + 1);
    if (!text)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        text[2 * i] = digits[p[i] >> 4];
        text[2 * i + 1] = digits[p[i] & 15];
    }
    json_t *j = json_stringn(text, 2 * n);
    explicit_bzero(text, 2 * n);
    free(text);
    return j;
}

/* The certificates (or CRLs) of a file, one PEM text after the other. */
static void add_file(json_t *list, const struct args *a, const char *path, const char *kind, const char *label)
{
    size_t n;
    uint8_t *file = file_whole(a, path, FILE_MOST, &n);
    troth_pki *pki = file ? troth_pki_new(troth_libcrypto()) : NULL;
    const troth_object *objects;
    size_t count = pki ? troth_pki_read(pki, (troth_span){ file, n }, &objects) : 0;
    for (size_t i = 0; i < count; i++) {
        troth_span pem = { 0 };
        if (!strcmp(objects[i].kind, kind))
            pem = troth_pki_pem(pki, label, objects[i].der);
        if (pem.n)
            json_array_append_new(list, json_stringn((const char *)pem.p, pem.n));
    }
    troth_pki_free(pki);
    if (file)
        explicit_bzero(file, n);
    free(file);
}

struct listing {
    json_t     *list;
    const char *kind, *label;
};

static int listing_add(void *listing, const struct args *a, const char *path)
{
    struct listing *l = listing;
    add_file(l->list, a, path, l->kind, l->label);
    return EXIT_OK;
}

static json_t *files_of(const struct args *a, const enum opt *which, size_t n, const char *kind, const char *label)
{
    struct listing l = { json_array(), kind, label };
    for (size_t k = 0; k < n; k++)
        for (size_t i = 0; args_nth(a, which[k], i); i++) {
            const char *path = args_nth(a, which[k], i);
            if (!strcmp(path, "system"))
                continue;
            if (is_dir(path))
                dir_walk(a, path, listing_add, &l);
            else
                add_file(l.list, a, path, kind, label);
        }
    return l.list;
}

static json_t *keys_json(const struct tape *tape)
{
    json_t *list = json_array();
    const struct tape_key *k;
    for (size_t i = 0; (k = tape_key(tape, i)); i++) {
        json_t *one = json_pack("{s:i, s:I, s:o}", "type", (int)k->type, "can", (json_int_t)k->can, "public", facts_hex(k->spki, k->n));
        if (k->elsewhere)
            json_object_set_new(one, "elsewhere", json_true());
        json_array_append_new(list, one);
    }
    return list;
}

/* An ECHConfigList as base64, out of a file that may hold the private key as well; NULL: there is none. */
static json_t *ech_of(const struct args *a, const char *path)
{
    static const char begin[] = "-----BEGIN ECHCONFIG-----", end[] = "-----END";
    size_t n = 0, k = 0;
    uint8_t *file = file_whole(a, path, FILE_MOST, &n);
    bool bare = file && n && file[0] == 'A'; /* base64 alone: a length of less than 16 KB */
    char *from = bare ? (char *)file : file ? memmem(file, n, begin, sizeof begin - 1) : NULL;
    char *text = from && !bare ? from + sizeof begin - 1 : from;
    size_t left = text ? n - (size_t)(text - (char *)file) : 0;
    char *to = bare ? text + n : text ? memmem(text, left, end, sizeof end - 1) : NULL;
    for (char *p = to ? text : NULL; p && p < to; p++)
        if (*p > ' ')
            from[k++] = *p;
    json_t *j = k ? json_stringn(from, k) : NULL;
    if (file)
        explicit_bzero(file, n);
    free(file);
    return j;
}

/* --ech-config: as it was given, or what is in the file. */
static void add_ech(json_t *options, const struct args *a)
{
    const char *config = args_value(a, OPT_ECH_CONFIG, NULL);
    json_t *j = !config ? NULL : access(config, F_OK) ? json_string(config) : ech_of(a, config);
    if (j)
        json_object_set_new(options, opt_name(OPT_ECH_CONFIG), j);
}

/* Of a server's keys for Encrypted Client Hello the public part: what they open is among the answers. */
static void add_ech_keys(json_t *o, const struct args *a)
{
    json_t *list = json_array();
    for (size_t i = 0; args_nth(a, OPT_ECH_KEY, i); i++) {
        json_t *one = ech_of(a, args_nth(a, OPT_ECH_KEY, i));
        if (one)
            json_array_append_new(list, one);
    }
    if (json_array_size(list))
        json_object_set(o, "ech", list);
    json_decref(list);
}

/* A file of keys, whole. */
static json_t *danger_file(const struct args *a, const char *path)
{
    size_t n = 0;
    uint8_t *p = path ? file_whole(a, path, FILE_MOST, &n) : NULL;
    json_t *j = p ? facts_hex(p, n) : NULL;
    if (p)
        explicit_bzero(p, n);
    free(p);
    return j;
}

/* What is secret of a configuration, and no answer of the provider. */
static void danger_setup(json_t *o, const struct args *a, const struct tape_secrets *made, bool server)
{
    json_t *tickets = json_array(), *psk = danger_file(a, args_value(a, OPT_PSK, NULL));
    if (psk)
        json_object_set_new(o, "danger_psk", psk);
    for (size_t i = 0; args_nth(a, OPT_TICKET_KEY, i); i++)
        json_array_append_new(tickets, danger_file(a, args_nth(a, OPT_TICKET_KEY, i)));
    if (!json_array_size(tickets))
        json_array_append_new(tickets, facts_hex((const uint8_t *)&made->ticket, sizeof made->ticket));
    if (server) {
        json_object_set(o, "danger_ticket_keys", tickets);
        json_object_set_new(o, "danger_cookie_key", facts_hex(made->cookie, sizeof made->cookie));
    }
    json_decref(tickets);
}

/* The values of an option as one list. */
static void add_listed(json_t *options, const struct args *a, enum opt o)
{
    size_t n = 0, k = 0;
    for (size_t i = 0; args_nth(a, o, i); i++)
        n += strlen(args_nth(a, o, i)) + 1;
    char *all = n ? malloc(n) : NULL;
    for (size_t i = 0; all && args_nth(a, o, i); i++)
        k += (size_t)sprintf(all + k, "%s%s", k ? "," : "", args_nth(a, o, i));
    if (all)
        json_object_set_new(options, opt_name(o), json_string(all));
    free(all);
}

/* A credential is public, as certificates are; its key is on the tape. */
static json_t *credential_of(const struct args *a, size_t i)
{
    const char *path = args_nth(a, OPT_DELEGATED, i);
    size_t n = 0;
    uint8_t *p = path ? file_whole(a, path, FILE_MOST, &n) : NULL;
    json_t *j = facts_hex(p, n);
    free(p);
    return j;
}

/* Our i-th chain as PEM texts, as it was loaded: what is in its file by now may be another one, and a key. */
static json_t *own_chain(const troth_server *s, const troth_client *c, size_t i)
{
    json_t *list = json_array();
    troth_pki *pki = troth_pki_new(troth_libcrypto());
    troth_span der;
    for (size_t k = 0; s ? troth_server_chain(s, i, k, &der) : troth_client_chain(c, i, k, &der); k++) {
        troth_span pem = troth_pki_pem(pki, "CERTIFICATE", der);
        if (pem.n)
            json_array_append_new(list, json_stringn((const char *)pem.p, pem.n));
    }
    troth_pki_free(pki);
    return list;
}

json_t *facts_setup(const struct args *a, const struct tape *tape, const troth_server *s, const troth_client *c)
{
    const bool server = s != NULL;
    static const enum opt roots[] = { OPT_CA, OPT_ROOTS }, clients[] = { OPT_CLIENT_CA }, crls[] = { OPT_CRL };
    json_t *o = json_pack("{s:s, s:s}", "side", server ? "server" : "client", "verb", verb_name(a->verb)), *options = json_object(),
           *identities = json_array(), *credentials = json_array();
    for (size_t i = 0; i < sizeof spoken / sizeof spoken[0]; i++)
        if (args_has(a, spoken[i]))
            json_object_set_new(options, opt_name(spoken[i]), json_string(a->value[spoken[i]] ? a->value[spoken[i]] : ""));
    for (size_t i = 0; i < sizeof listed / sizeof listed[0]; i++)
        add_listed(options, a, listed[i]);
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
        if (args_has(a, flags[i]))
            json_object_set_new(options, opt_name(flags[i]), json_string(""));
    if (server)
        add_ech_keys(o, a);
    else
        add_ech(options, a);
    if (server && strcmp(args_value(a, OPT_SESSIONS, ""), "0") != 0)
        json_object_set_new(o, "session_cache", json_true());
    if (tape_secrets(tape))
        danger_setup(o, a, tape_secrets(tape), server);
    for (size_t i = 0; args_nth(a, OPT_CERT, i); i++) {
        json_array_append_new(identities, own_chain(s, c, i));
        json_array_append_new(credentials, credential_of(a, i));
    }
    json_object_set_new(o, "options", options);
    json_object_set_new(o, "identities", identities);
    if (args_has(a, OPT_DELEGATED))
        json_object_set(o, "delegated", credentials);
    json_decref(credentials);
    json_object_set_new(o, "keys", keys_json(tape));
    json_object_set_new(o, "system_trust", json_boolean(!server && trust_kinds(a) & TRUST_SYSTEM));
    json_object_set_new(o, "trust", server ? files_of(a, clients, 1, "certificate", "CERTIFICATE") : files_of(a, roots, 2, "certificate", "CERTIFICATE"));
    if (!server)
        json_object_set_new(o, "profile", json_string(trust_profiles[trust_profile(a)]));
    json_object_set_new(o, "crls", files_of(a, crls, 1, "crl", "X509 CRL"));
    return o;
}

static json_t *chain_of(const troth_report *r)
{
    json_t *list = json_array();
    const troth_span *given;
    size_t n = r ? troth_report_given(r, &given) : 0;
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, facts_hex(given[i].p, given[i].n));
    return list;
}

/* The roots that a path came to: of the system's many, these matter. */
static json_t *anchors_of(const troth_report *r)
{
    json_t *list = json_array();
    for (size_t p = 0; r && p < troth_report_paths(r); p++) {
        troth_path path = troth_report_path(r, p);
        troth_path_cert last = path.n_certs ? troth_report_cert(r, p, path.n_certs - 1) : (troth_path_cert){ .given = 0 };
        if (path.complete && last.given < 0)
            json_array_append_new(list, facts_hex(last.der.p, last.der.n));
    }
    return list;
}

static json_t *reel_json(const struct reel *r)
{
    json_t *list = json_array();
    for (const struct cut *c = r->first; c; c = c->next) {
        json_t *one = json_pack("{s:s, s:I}", "what", cut_names[c->kind], "length", (json_int_t)c->n);
        if (!c->ok)
            json_object_set_new(one, "failed", json_true());
        if (c->known)
            json_object_set_new(one, c->kind == CUT_SECRET || c->kind == CUT_SESSION ? "danger_value" : "value", facts_hex(c->bytes, c->n));
        json_array_append_new(list, one);
    }
    return list;
}

/* The secrets that the connection rests on and the recording is without. */
static json_t *lacks_of(const struct facts_of *f, const troth_facts *facts)
{
    bool client = f->host != NULL;
    json_t *list = json_array();
    if (client ? f->session.n > 0 : facts->resumed && !facts->psk_external)
        json_array_append_new(list, json_string("session"));
    if (client ? args_has(f->args, OPT_PSK) : facts->psk_external)
        json_array_append_new(list, json_string("psk"));
    if (facts->ech == TROTH_ECH_ACCEPTED || (client && facts->ech == TROTH_ECH_REJECTED))
        json_array_append_new(list, json_string("ech"));
    if (!client && facts->hello_retry && args_has(f->args, OPT_ALWAYS_RETRY))
        json_array_append_new(list, json_string("cookie"));
    return list;
}

/* What was secret of this connection; or, where secrets are not kept, what is missing. */
static void add_secrets(json_t *o, const struct facts_of *f, const troth_facts *facts)
{
    json_t *lacks = args_has(f->args, OPT_RECORD_SECRETS) ? NULL : lacks_of(f, facts);
    if (json_array_size(lacks))
        json_object_set(o, "lacks", lacks);
    if (!lacks && f->session.n)
        json_object_set_new(o, "danger_session", facts_hex(f->session.p, f->session.n));
    json_decref(lacks);
}

json_t *facts_make(const struct facts_of *f, const struct reel *r)
{
    bool own_clock = args_has(f->args, OPT_RECORD_SECRETS) && !args_has(f->args, OPT_TIME); /* tape_clock */
    json_t *o = json_pack("{s:s, s:s, s:s, s:I, s:O?}", "schema", "troth.recording/1", "program", TROTH_VERSION, "target", f->target, "time",
                          (json_int_t)(own_clock && r->time ? r->time : f->now), "setup", (json_t *)(uintptr_t)f->setup);
    if (!o)
        return NULL;
    if (f->host)
        json_object_set_new(o, "host", json_string(f->host));
    const troth_error *e = f->error;
    bool failed = e && e->reason != TROTH_R_NONE;
    json_object_set_new(o, "code", json_string(failed ? e->code : "ok"));
    if (failed)
        json_object_set_new(o, "failure", json_pack("{s:s, s:i, s:b}", "detail", e->detail, "alert", e->alert, "from_peer", e->from_peer));
    const troth_report *report = f->conn ? troth_peer(f->conn) : NULL;
    troth_facts facts = troth_what(f->conn);
    json_object_set_new(o, "peer", json_pack("{s:o, s:o, s:o, s:o}", "chain", chain_of(report), "anchors", anchors_of(report), "staple",
                                             facts_hex(facts.peer_staple.p, facts.peer_staple.n), "scts", facts_hex(facts.peer_scts.p, facts.peer_scts.n)));
    json_object_set_new(o, "answers", reel_json(r));
    add_secrets(o, f, &facts);
    if (r->full)
        json_object_set_new(o, "cut", json_true());
    return o;
}

/* ---- reading */

uint32_t pcapng_word(const uint8_t *p, bool little)
{
    return little ? (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0]
                  : (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

json_t *facts_find(const uint8_t *file, size_t n)
{
    bool little = n >= 12 && file[8] == 0x4d;
    if (n < 28 || pcapng_word(file, true) != 0x0a0d0d0a)
        return NULL;
    for (size_t at = 0; n - at >= 12;) {
        uint32_t type = pcapng_word(file + at, little), length = pcapng_word(file + at + 4, little);
        if (length < 12 || length % 4 || length > n - at)
            return NULL;
        if (type == FACTS_BLOCK && length >= 16) {
            uint32_t text = pcapng_word(file + at + 8, little);
            json_t *o = text <= length - 16 && text <= FACTS_MOST ? json_loadb((const char *)file + at + 12, text, 0, NULL) : NULL;
            const char *schema = json_string_value(json_object_get(o, "schema"));
            if (schema && !strcmp(schema, "troth.recording/1") && json_is_object(json_object_get(o, "setup")))
                return o;
            json_decref(o);
            return NULL;
        }
        at += length;
    }
    return NULL;
}

const char *facts_text(const json_t *facts, const char *key, const char *below)
{
    const json_t *j = json_object_get(facts, key);
    const char *text = json_string_value(below ? json_object_get(j, below) : j);
    return text ? text : "";
}

void facts_options(const json_t *facts, struct args *a)
{
    const json_t *options = json_object_get(json_object_get(facts, "setup"), "options");
    for (size_t i = 0; i < sizeof spoken / sizeof spoken[0]; i++) {
        const char *value = json_string_value(json_object_get(options, opt_name(spoken[i])));
        a->given[spoken[i]] = value != NULL;
        a->value[spoken[i]] = value;
    }
    a->n_all = 0;
    for (size_t i = 0; i < sizeof listed / sizeof listed[0]; i++) {
        const char *value = json_string_value(json_object_get(options, opt_name(listed[i])));
        a->given[listed[i]] = value != NULL;
        if (value) {
            a->all[a->n_all].opt = listed[i];
            a->all[a->n_all++].value = value;
        }
    }
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
        a->given[flags[i]] = json_object_get(options, opt_name(flags[i])) != NULL;
    a->value[OPT_ECH_CONFIG] = json_string_value(json_object_get(options, opt_name(OPT_ECH_CONFIG)));
    a->given[OPT_ECH_CONFIG] = a->value[OPT_ECH_CONFIG] != NULL;
}

uint8_t *facts_bytes(const json_t *j, size_t *n)
{
    const char *text = json_string_value(j);
    *n = text ? json_string_length(j) / 2 : 0;
    uint8_t *p = text && json_string_length(j) % 2 == 0 ? malloc(*n + 1) : NULL;
    if (!p || hex_bytes(p, text, *n))
        return p;
    free(p);
    return NULL;
}

static bool add_cut(struct reel *r, const json_t *one)
{
    const char *what = json_string_value(json_object_get(one, "what"));
    json_int_t length = json_integer_value(json_object_get(one, "length"));
    const json_t *value = json_object_get(one, "value");
    int kind = 0;
    size_t n;
    while (what && kind < CUT_KINDS && strcmp(what, cut_names[kind]) != 0)
        kind++;
    if (!what || kind == CUT_KINDS || length < 0 || length > FACTS_MOST)
        return false;
    if (!value)
        value = json_object_get(one, "danger_value");
    uint8_t *p = facts_bytes(value, &n);
    bool good = (!value || (p && n == (size_t)length)) &&
                reel_add(r, (enum cut_kind)kind, !json_is_true(json_object_get(one, "failed")), p, (size_t)length);
    if (p)
        explicit_bzero(p, n);
    free(p);
    return good;
}

bool facts_reel(const json_t *facts, struct reel *r)
{
    const json_t *answers = json_object_get(facts, "answers"), *one;
    size_t i;
    *r = (struct reel){ .full = json_is_true(json_object_get(facts, "cut")) };
    json_array_foreach(answers, i, one)
        if (!add_cut(r, one))
            return false;
    return json_is_array(answers);
}

void facts_keys(const json_t *facts, struct tape *t)
{
    const json_t *keys = json_object_get(json_object_get(facts, "setup"), "keys"), *one;
    size_t i;
    for (i = json_array_size(keys); i-- > 0;) { /* the newest is added last */
        one = json_array_get(keys, i);
        struct tape_key k = { .type = (enum troth_key_type)json_integer_value(json_object_get(one, "type")),
                              .can = (uint32_t)json_integer_value(json_object_get(one, "can")),
                              .elsewhere = json_is_true(json_object_get(one, "elsewhere")) };
        uint8_t *spki = facts_bytes(json_object_get(one, "public"), &k.n);
        if (spki && k.n <= sizeof k.spki && k.type <= TROTH_KEY_MLDSA87) {
            memcpy(k.spki, spki, k.n);
            tape_add_key(t, &k);
        }
        free(spki);
    }
}

troth_error facts_failure(const json_t *facts)
{
    const json_t *failure = json_object_get(facts, "failure");
    enum troth_reason why = troth_reason_by_code(facts_text(facts, "code", NULL));
    troth_error e = { .reason = (uint16_t)why, .alert = 255 };
    if (why == TROTH_R_NONE)
        return e;
    e.alert = (uint8_t)json_integer_value(json_object_get(failure, "alert"));
    e.from_peer = json_is_true(json_object_get(failure, "from_peer"));
    e.who = (uint8_t)troth_reason_who(why);
    e.code = troth_reason_code(why);
    e.text = troth_reason_text(why);
    e.hint = troth_reason_hint(why);
    snprintf(e.detail, sizeof e.detail, "%s", facts_text(facts, "failure", "detail"));
    for (char *p = e.detail; *p; p++) /* a file is anybody's */
        *p = (unsigned char)*p < 0x20 || *p == 0x7f ? '?' : *p;
    return e;
}
