/* links: crypto */
/* Records handed over (offload.h): what libcrypto alone makes of the keys goes on talking to the peer, in every suite and both versions; and
 * so does this machine's kernel, where it has TLS. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/tls.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <sys/socket.h>
#include <troth/offload.h>
#include <unistd.h>

#include "support/pair.h"
#include "support/test.h"
#include "wire/registry.h"

#ifndef SOL_TLS
#define SOL_TLS 282
#endif

enum { HEADER = 5, EXPLICIT = 8, TAG = 16, DATA = 23, ALERT = 21, INFO = 56 };

static const struct choice_of { uint16_t version, suite; enum troth_key_type key; } choices[] = {
    { TROTH_TLS13, SUITE_TLS_AES_128_GCM_SHA256, TROTH_KEY_P256 },
    { TROTH_TLS13, SUITE_TLS_AES_256_GCM_SHA384, TROTH_KEY_P256 },
    { TROTH_TLS13, SUITE_TLS_CHACHA20_POLY1305_SHA256, TROTH_KEY_P256 },
    { TROTH_TLS12, SUITE_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TROTH_KEY_P256 },
    { TROTH_TLS12, SUITE_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, TROTH_KEY_P256 },
    { TROTH_TLS12, SUITE_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, TROTH_KEY_P256 },
};

enum { SMALL = 200 }; /* bytes that the client takes in a record, its type included */

static void tweak(troth_builder *b, void *ctx)
{
    const struct choice_of *c = ctx;
    troth_versions(b, c->version, c->version);
    troth_suites(b, &c->suite, 1);
}

static void tweak_client(troth_builder *b, void *ctx)
{
    tweak(b, ctx);
    troth_record_size_limit(b, SMALL);
}

/* Ready, and some records have gone each way, so that no sequence number is 0. */
static void begin(struct pair *p, struct world *w, const struct choice_of *choice)
{
    void *ctx = (void *)(uintptr_t)choice;
    pair_new(p, world_client(w, tweak_client, ctx), world_server(w, tweak, ctx), NULL);
    pair_run(p);
    assert_ready(p);
    assert_true(pair_write(&p->client, "one") && pair_write(&p->client, "two") && pair_write(&p->server, "three"));
    pair_run(p);
    assert_true(p->server.n_got == 6 && p->client.n_got == 5);
    p->server.n_got = p->client.n_got = 0;
}

/* ---- records by hand */
static const EVP_CIPHER *cipher(const troth_record_state *s)
{
    return s->iv_n == 12 ? EVP_chacha20_poly1305() : s->key_n == 16 ? EVP_aes_128_gcm() : EVP_aes_256_gcm();
}

static bool explicit_nonce(const troth_record_state *s)
{
    return s->version == TROTH_TLS12 && s->iv_n == EXPLICIT;
}

static void nonce_of(const troth_record_state *s, const uint8_t *given, uint8_t nonce[12])
{
    memcpy(nonce, s->salt, s->salt_n);
    memcpy(nonce + s->salt_n, given ? given : s->iv, s->iv_n);
    for (int i = 0; !given && i < 8; i++)
        nonce[4 + i] ^= s->sequence[i];
}

static size_t additional(const troth_record_state *s, const uint8_t *header, uint8_t type, size_t content, uint8_t ad[13])
{
    if (s->version == TROTH_TLS13) {
        memcpy(ad, header, HEADER);
        return HEADER;
    }
    memcpy(ad, s->sequence, 8);
    const uint8_t rest[] = { type, 3, 3, (uint8_t)(content >> 8), (uint8_t)content };
    memcpy(ad + 8, rest, sizeof rest);
    return 13;
}

static void next(troth_record_state *s)
{
    for (int i = 7; i >= 0 && !++s->sequence[i]; i--)
        ;
}

static void aead(const troth_record_state *s, bool seal, uint8_t *out, const uint8_t *in, size_t n, const uint8_t nonce[12],
                  const uint8_t *ad, size_t ad_n, uint8_t *tag)
{
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    int some;
    assert_int_equal(EVP_CipherInit_ex(c, cipher(s), NULL, s->key, nonce, seal), 1);
    assert_int_equal(EVP_CipherUpdate(c, NULL, &some, ad, (int)ad_n), 1);
    assert_int_equal(EVP_CipherUpdate(c, out, &some, in, (int)n), 1);
    if (!seal)
        assert_int_equal(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, TAG, tag), 1);
    assert_int_equal(EVP_CipherFinal_ex(c, out + n, &some), 1);
    if (seal)
        assert_int_equal(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, TAG, tag), 1);
    EVP_CIPHER_CTX_free(c);
}

static size_t seal(troth_record_state *s, uint8_t *out, uint8_t type, const char *text, size_t n)
{
    uint8_t plain[256], nonce[12], ad[13];
    bool inside = s->version == TROTH_TLS13, given = explicit_nonce(s);
    size_t content = n + inside, before = given ? EXPLICIT : 0, body = before + content + TAG;
    const uint8_t header[HEADER] = { inside ? DATA : type, 3, 3, (uint8_t)(body >> 8), (uint8_t)body };
    memcpy(plain, text, n);
    plain[n] = type;
    memcpy(out, header, HEADER);
    memcpy(out + HEADER, s->iv, before); /* the one that was named goes first; the sequence number keeps it new */
    nonce_of(s, given ? s->iv : NULL, nonce);
    aead(s, true, out + HEADER + before, plain, content, nonce, ad, additional(s, header, type, n, ad), out + HEADER + before + content);
    next(s);
    if (given)
        memcpy(s->iv, s->sequence, EXPLICIT);
    return HEADER + body;
}

/* One record; content into `out`, its type into *type; how long it was on the wire. */
static size_t open_one(troth_record_state *s, const uint8_t *in, char *out, size_t *n, uint8_t *type)
{
    uint8_t nonce[12], ad[13], tag[TAG];
    bool given = explicit_nonce(s);
    size_t body = (size_t)in[3] << 8 | in[4], before = given ? EXPLICIT : 0, content = body - before - TAG;
    memcpy(tag, in + HEADER + body - TAG, TAG);
    nonce_of(s, given ? in + HEADER : NULL, nonce);
    aead(s, false, (uint8_t *)out, in + HEADER + before, content, nonce, ad, additional(s, in, in[0], content, ad), tag);
    *type = in[0];
    *n = content;
    if (s->version == TROTH_TLS13)
        *type = (uint8_t)out[--*n];
    next(s);
    return HEADER + body;
}

/* ---- this end is libcrypto's from now on */
static void goes_on(struct world *w, const struct choice_of *choice, bool server)
{
    struct pair p;
    troth_record_state read, write;
    begin(&p, w, choice);
    struct pair_end *us = server ? &p.server : &p.client, *them = server ? &p.client : &p.server;
    assert_true(troth_danger_take_records(us->c, &read, &write));
    assert_int_equal(read.suite, choice->suite);
    assert_int_equal(write.most, server ? SMALL - (choice->version == TROTH_TLS13) : 16384); /* the client's wish; the server has none */
    uint8_t a[16], b[16];
    assert_true(troth_export(us->c, "EXPORTER-x", TROTH_TEXT(""), a, sizeof a) && troth_export(them->c, "EXPORTER-x", TROTH_TEXT(""), b, sizeof b));
    assert_memory_equal(a, b, sizeof a);
    assert_int_equal(troth_next(us->c).kind, TROTH_DONE);

    uint8_t record[300];
    struct pipe *to_them = pair_input(&p, them), *to_us = pair_input(&p, us);
    for (int i = 0; i < 3; i++)
        pipe_put(to_them, record, seal(&write, record, DATA, "by hand", 7));
    (void)pair_step(&p, them);
    assert_int_equal(them->n_got, 21);
    assert_memory_equal(them->got, "by handby handby hand", 21);

    char text[300];
    size_t n;
    uint8_t type;
    assert_true(pair_write(them, "hello") && pair_write(them, "kernel"));
    (void)pair_step(&p, them);
    to_us->taken += open_one(&read, to_us->p + to_us->taken, text, &n, &type);
    assert_true(type == DATA && n == 5 && !memcmp(text, "hello", 5));
    to_us->taken += open_one(&read, to_us->p + to_us->taken, text, &n, &type);
    assert_true(type == DATA && n == 6 && !memcmp(text, "kernel", 6));
    assert_int_equal(to_us->taken, to_us->n);

    pipe_put(to_them, record, seal(&write, record, ALERT, "\1\0", 2)); /* close_notify */
    (void)pair_step(&p, them);
    assert_true(them->closed && !them->failed);
    pair_free(&p);
}

static void test_by_hand(void **state)
{
    (void)state;
    struct world *w = world_new(troth_libcrypto());
    for (size_t i = 0; i < COUNT_OF(choices); i++)
        for (int server = 0; server < 2; server++)
            goes_on(w, &choices[i], server);
    world_free(w);
}

/* ---- the kernel's structs */
static void same(const uint8_t *info, size_t n, const void *expected, size_t expected_n)
{
    assert_int_equal(n, expected_n);
    assert_memory_equal(info, expected, n);
}

static void test_structs(void **state)
{
    (void)state;
    struct world *w = world_new(troth_libcrypto());
    for (size_t i = 0; i < COUNT_OF(choices); i++) {
        struct pair p;
        troth_record_state r, s;
        uint8_t info[INFO];
        begin(&p, w, &choices[i]);
        assert_true(troth_danger_take_records(p.server.c, &r, &s));
        size_t n = troth_danger_kernel_info(&s, info, sizeof info);
        if (s.iv_n == TLS_CIPHER_CHACHA20_POLY1305_IV_SIZE) {
            struct tls12_crypto_info_chacha20_poly1305 e = { .info = { s.version, TLS_CIPHER_CHACHA20_POLY1305 } };
            memcpy(e.iv, s.iv, sizeof e.iv), memcpy(e.key, s.key, sizeof e.key), memcpy(e.rec_seq, s.sequence, sizeof e.rec_seq);
            same(info, n, &e, sizeof e);
        } else if (s.key_n == TLS_CIPHER_AES_GCM_128_KEY_SIZE) {
            struct tls12_crypto_info_aes_gcm_128 e = { .info = { s.version, TLS_CIPHER_AES_GCM_128 } };
            memcpy(e.iv, s.iv, sizeof e.iv), memcpy(e.key, s.key, sizeof e.key), memcpy(e.rec_seq, s.sequence, sizeof e.rec_seq);
            memcpy(e.salt, s.salt, sizeof e.salt);
            same(info, n, &e, sizeof e);
        } else {
            struct tls12_crypto_info_aes_gcm_256 e = { .info = { s.version, TLS_CIPHER_AES_GCM_256 } };
            memcpy(e.iv, s.iv, sizeof e.iv), memcpy(e.key, s.key, sizeof e.key), memcpy(e.rec_seq, s.sequence, sizeof e.rec_seq);
            memcpy(e.salt, s.salt, sizeof e.salt);
            same(info, n, &e, sizeof e);
        }
        assert_int_equal(troth_danger_kernel_info(&s, info, n - 1), 0);
        pair_free(&p);
    }
    world_free(w);
}

/* ---- the kernel itself */
static bool sockets(int fd[2])
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof a;
    int s = socket(AF_INET, SOCK_STREAM, 0);
    bool ok = s >= 0 && !bind(s, (struct sockaddr *)&a, n) && !listen(s, 1) && !getsockname(s, (struct sockaddr *)&a, &n)
           && (fd[0] = socket(AF_INET, SOCK_STREAM, 0)) >= 0 && !connect(fd[0], (struct sockaddr *)&a, n)
           && (fd[1] = accept(s, NULL, NULL)) >= 0;
    close(s);
    return ok;
}

static bool hand_over(int fd, int way, const troth_record_state *s)
{
    uint8_t info[INFO];
    size_t n = troth_danger_kernel_info(s, info, sizeof info);
    return !setsockopt(fd, SOL_TLS, way, info, (socklen_t)n);
}

/* True when the kernel took the suite. */
static bool by_kernel(struct world *w, const struct choice_of *choice, int fd[2])
{
    struct pair p;
    troth_record_state read, write;
    char text[64];
    begin(&p, w, choice);
    assert_true(troth_danger_take_records(p.server.c, &read, &write));
    bool ok = hand_over(fd[1], TLS_TX, &write) && hand_over(fd[1], TLS_RX, &read);
    if (ok) {
        assert_int_equal(send(fd[1], "from the kernel", 15, 0), 15);
        uint8_t record[256];
        ssize_t n = recv(fd[0], record, sizeof record, 0);
        assert_true(n > 15);
        pipe_put(&p.to_client, record, (size_t)n);
        (void)pair_step(&p, &p.client);
        assert_true(p.client.n_got == 15 && !memcmp(p.client.got, "from the kernel", 15));
        size_t before = p.to_server.n;
        assert_true(pair_write(&p.client, "to the kernel"));
        (void)pair_step(&p, &p.client);
        size_t all = p.to_server.n - before;
        assert_int_equal(send(fd[0], p.to_server.p + before, all, 0), all);
        assert_int_equal(recv(fd[1], text, sizeof text, 0), 13);
        assert_memory_equal(text, "to the kernel", 13);
    }
    pair_free(&p);
    return ok;
}

static void test_kernel(void **state)
{
    (void)state;
    struct world *w = world_new(troth_libcrypto());
    for (size_t i = 0; i < COUNT_OF(choices); i++) {
        int fd[2] = { -1, -1 };
        assert_true(sockets(fd));
        bool has = !setsockopt(fd[1], IPPROTO_TCP, TCP_ULP, "tls", sizeof "tls");
        const char *why = has ? "" : strerror(errno);
        bool ok = has && by_kernel(w, &choices[i], fd);
        print_message("%s %s: %s %s\n", troth_version_name(choices[i].version), troth_suite_name(choices[i].suite),
                      ok ? "the kernel goes on" : "left out: the kernel has no TLS for it", why);
        close(fd[0]);
        close(fd[1]);
    }
    world_free(w);
}

/* ---- when it cannot be done */
static void test_not_now(void **state)
{
    (void)state;
    struct world *w = world_new(troth_libcrypto());
    struct pair p;
    troth_record_state read, write;
    begin(&p, w, &choices[0]);
    assert_true(pair_write(&p.server, "waits to be sent"));
    assert_false(troth_danger_take_records(p.server.c, &read, &write));
    assert_null(troth_why(p.server.c));
    pair_run(&p);
    assert_true(pair_write(&p.client, "half of it arrives"));
    p.cut_server = p.to_server.n + 9; /* a record is cut */
    (void)pair_step(&p, &p.client);
    p.to_server.n -= 10;
    (void)pair_step(&p, &p.server);
    assert_false(troth_danger_take_records(p.server.c, &read, &write));
    assert_null(troth_why(p.server.c));
    p.to_server.n += 10;
    pair_run(&p);
    assert_int_equal(p.server.n_got, 18);
    assert_true(troth_update_keys(p.client.c, true)); /* an answer is owed: it goes out first */
    pair_run(&p);
    assert_false(troth_danger_take_records(p.server.c, &read, &write));
    pair_run(&p);
    assert_true(troth_danger_take_records(p.server.c, &read, &write));
    assert_false(troth_danger_take_records(p.server.c, &read, &write)); /* once */
    assert_int_equal(troth_why(p.server.c)->reason, TROTH_R_WRONG_TIME);
    pair_free(&p);
    pair_new(&p, world_client(w, NULL, NULL), world_server(w, NULL, NULL), NULL);
    assert_false(troth_danger_take_records(p.client.c, &read, &write));
    assert_int_equal(troth_why(p.client.c)->reason, TROTH_R_WRONG_TIME);
    assert_false(troth_danger_take_records(NULL, &read, &write));
    pair_free(&p);
    begin(&p, w, &choices[0]);
    assert_true(troth_danger_take_records(p.client.c, &read, &write));
    assert_false(pair_write(&p.client, "too late"));
    pair_free(&p);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_hand),
        cmocka_unit_test(test_structs),
        cmocka_unit_test(test_kernel),
        cmocka_unit_test(test_not_now),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
