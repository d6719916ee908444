/* test_prose.c - every field that a reader tells has its sentence: over the corpus of messages, and over captured handshakes.
 *
 * (That every sentence belongs to a field is tools/check-prose.) */
#include "support/test.h"

#include <dirent.h>

#include "explain/view.h"
#include "support/wire_kinds.h"

static uint8_t room[1 << 18], file[1 << 20];

static size_t load(const char *path)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t n = fread(file, 1, sizeof file, f);
    fclose(f);
    return n;
}

struct counts {
    unsigned messages, fields, bare;
};

/* Every field of the story: tiled, and with prose. */
static void look_through(const troth_story *s, struct counts *c, const char *where)
{
    struct view v;
    assert_true(view_make(&v, s, false));
    for (size_t i = 0; i < v.n; i++) {
        const struct tree *t = &v.trees[i];
        c->messages++;
        if (t->untold || t->twice)
            fprintf(stderr, "%s: %s: %u bytes untold, %u told twice\n", where, t->type, t->untold, t->twice);
        assert_int_equal(t->untold + t->twice, 0);
        for (uint32_t k = 0; k < t->n; k++) {
            c->fields++;
            if (!prose_of(tree_parent_name(t, k), t->nodes[k].saw.name)) {
                fprintf(stderr, "%s: no prose for %s.%s\n", where, tree_parent_name(t, k), t->nodes[k].saw.name);
                c->bare++;
            }
        }
    }
    view_free(&v);
}

/* "client_hello-curl": the kind, then where it is from. */
static const struct wire_kind *kind_of(const char *name)
{
    char kind[64];
    snprintf(kind, sizeof kind, "%.*s", (int)strcspn(name, "-"), name);
    return wire_kind_named(kind);
}

static const char *type_of(const struct wire_kind *k)
{
    static const struct {
        const char *kind, *type;
    } types[] = { { "client_hello", "ClientHello" }, { "server_hello", "ServerHello" }, { "server_hello12", "ServerHello" },
                  { "hello_retry_request", "HelloRetryRequest" }, { "encrypted_extensions", "EncryptedExtensions" },
                  { "certificate_request", "CertificateRequest" }, { "certificate_request12", "CertificateRequest" },
                  { "certificate", "Certificate" }, { "certificate12", "Certificate" }, { "raw_public_key12", "Certificate" },
                  { "compressed_certificate", "CompressedCertificate" }, { "certificate_verify", "CertificateVerify" },
                  { "certificate_status", "CertificateStatus" }, { "new_session_ticket", "NewSessionTicket" },
                  { "new_session_ticket12", "NewSessionTicket" }, { "server_key_exchange12", "ServerKeyExchange" },
                  { "client_key_exchange12", "ClientKeyExchange" }, { "key_update", "KeyUpdate" }, { "inner", "ClientHello" } };
    for (size_t i = 0; i < COUNT_OF(types); i++)
        if (!strcmp(k->name, types[i].kind))
            return types[i].type;
    return NULL;
}

static void one_seed(const char *dir, const char *name, struct counts *c)
{
    char path[800];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    const struct wire_kind *k = kind_of(name);
    size_t n = load(path), header = k && k->msg_type >= 0 ? 4 : 0;
    if (!k || !type_of(k) || n < 2)
        return;
    uint8_t *msg = malloc(header + n);
    if (header) {
        struct wr h = wr_into(msg, header);
        wr_u8(&h, (uint8_t)k->msg_type);
        wr_u24(&h, (uint32_t)n - 1);
    }
    memcpy(msg + header, file + 1, n - 1); /* the first byte chose the kind for the fuzzer */
    span whole = span_of(msg, header + n - 1);
    troth_story *s = troth_story_new(NULL);
    struct wr w = wr_into(room, sizeof room);
    struct rd_ctx ctx;
    const struct witness *witness = story_witness(s);
    witness->message(witness->self, &(struct saw_message){ .type = type_of(k), .raw = whole });
    if (wire_copy(k, whole, &w, &ctx, witness))
        look_through(s, c, name);
    troth_story_free(s);
    free(msg);
}

static void messages_of_the_corpus(void **state)
{
    (void)state;
    static const char *const dirs[] = { "client_hello", "server_hello", "certificate", "tls12" };
    struct counts c = { 0, 0, 0 };
    for (size_t i = 0; i < COUNT_OF(dirs); i++) {
        char dir[400];
        snprintf(dir, sizeof dir, "%s/fuzz/corpus/%s", TEST_DATA, dirs[i]);
        DIR *d = opendir(dir);
        assert_non_null(d);
        for (struct dirent *e; (e = readdir(d)) != NULL;)
            if (e->d_name[0] != '.')
                one_seed(dir, e->d_name, &c);
        closedir(d);
    }
    printf("%u messages, %u fields\n", c.messages, c.fields);
    assert_true(c.messages >= 40 && c.fields > 2000);
    assert_int_equal(c.bare, 0);
}

static void captured_handshakes(void **state)
{
    (void)state;
    static const char *const names[] = { "full", "hrr", "tls12", "resumed", "mtls" };
    struct counts c = { 0, 0, 0 };
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        char path[400];
        static uint8_t keys[8192];
        snprintf(path, sizeof path, "%s/explain/data/%s.keys", TEST_DATA, names[i]);
        size_t n_keys = load(path);
        memcpy(keys, file, n_keys);
        snprintf(path, sizeof path, "%s/explain/data/%s.pcapng", TEST_DATA, names[i]);
        size_t n = load(path);
        troth_capture *cap = troth_capture_open(span_of(file, n), NULL, NULL);
        assert_non_null(cap);
        for (size_t k = 0; k < troth_capture_count(cap); k++) {
            troth_story *s = troth_story_new(NULL);
            assert_true(troth_capture_explain(cap, k, span_of(keys, n_keys), troth_libcrypto(), s));
            assert_int_equal(s->failure.reason, TROTH_R_NONE);
            look_through(s, &c, names[i]);
            troth_story_free(s);
        }
        troth_capture_free(cap);
    }
    assert_true(c.messages >= 60);
    assert_int_equal(c.bare, 0);
}

static void sentences(void **state)
{
    (void)state;
    size_t n;
    const struct prose *rows = prose_rows(&n);
    for (size_t i = 0; i < n; i++) {
        size_t length = strlen(rows[i].text);
        const char *dot = strrchr(rows[i].path, '.');
        assert_true(dot && dot != rows[i].path && dot[1]);
        assert_true(length >= 2 && length <= 320 && strchr(".!?", rows[i].text[length - 1]));
        assert_true(strlen(rows[i].rfc) > 4);
        for (size_t k = 0; k < i; k++)
            if (!strcmp(rows[k].path, rows[i].path))
                test_fail("%s is written twice", rows[i].path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(messages_of_the_corpus), cmocka_unit_test(captured_handshakes),
                                        cmocka_unit_test(sentences) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
