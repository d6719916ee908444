#include "support/mkpki.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/memory.h"
#include "support/test.h"
#include "x509/cert.h"
#include "x509/der_wr.h"
#include "x509/pem.h"

static char dir[64];

static void remove_dir(void)
{
    char cmd[128];
    snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
    if (*dir && system(cmd))
        fprintf(stderr, "left behind: %s\n", dir);
}

struct mk *mk_new(void)
{
    return mk_new_with(troth_libcrypto());
}

struct mk *mk_new_with(troth_provider *crypto)
{
    struct mk *m = calloc(1, sizeof *m);
    assert_non_null(m);
    arena_init(&m->arena, &test_memory, 65536);
    m->crypto = crypto;
    assert_non_null(m->crypto);
    m->p = (struct pki_ctx){ .arena = &m->arena, .crypto = m->crypto };
    return m;
}

void mk_free(struct mk *m)
{
    for (size_t i = 0; i < m->n_keys; i++)
        m->crypto->key_free(m->keys[i]);
    arena_free(&m->arena);
    troth_provider_free(m->crypto);
    free(m);
}

static const troth_key *keep(struct mk *m, troth_key *key)
{
    assert_non_null(key);
    assert_true(m->n_keys < COUNT_OF(m->keys));
    return m->keys[m->n_keys++] = key;
}

const troth_key *mk_key(struct mk *m, enum troth_key_type type)
{
    return keep(m, m->crypto->key_make(m->crypto->self, type, 2048));
}

const troth_key *mk_rsa(struct mk *m, unsigned bits)
{
    return keep(m, m->crypto->key_make(m->crypto->self, TROTH_KEY_RSA, bits));
}

struct issue mk_ca(const char *subject, const troth_key *key)
{
    return (struct issue){ .subject = subject, .key = key, .not_before = MK_NOW - MK_DAY, .not_after = MK_NOW + 10 * (int64_t)MK_YEAR,
                           .ca = true, .key_usage = KU_KEY_CERT_SIGN | KU_CRL_SIGN };
}

struct issue mk_sub_ca(const struct issue *by, const char *subject, const troth_key *key)
{
    struct issue s = mk_ca(subject, key);
    s.by = by;
    s.not_after = MK_NOW + 5 * (int64_t)MK_YEAR;
    return s;
}

struct issue mk_leaf(const struct issue *by, const troth_key *key, const char *dns)
{
    static const char *const server[] = { "serverAuth", NULL };
    struct issue s = { .by = by, .key = key, .subject = "CN=leaf", .not_before = MK_NOW - MK_DAY, .not_after = MK_NOW + 89 * MK_DAY,
                       .not_ca = true, .key_usage = KU_DIGITAL_SIGNATURE, .eku = server };
    if (dns) { /* the list must outlive this call: a process keeps its few */
        const char **san = calloc(2, sizeof *san);
        char *name = malloc(strlen(dns) + 5);
        assert_true(san && name);
        sprintf(name, "DNS:%s", dns);
        san[0] = name;
        s.san = san;
        static const void *volatile kept[4096]; /* reachable, so that no leak is reported; volatile, so that it is kept at all */
        static size_t n;
        assert_true(n + 2 <= COUNT_OF(kept));
        kept[n++] = san;
        kept[n++] = name;
    }
    return s;
}

struct issue_crl mk_crl_spec(const struct issue *by)
{
    return (struct issue_crl){ .by = by, .this_update = MK_NOW - MK_DAY, .next_update = MK_NOW + 6 * MK_DAY };
}

static span made(struct mk *m, bool ok, span der)
{
    if (!ok)
        test_fail("%s: %s", m->p.error.code, m->p.error.detail);
    return der;
}

span mk_cert(struct mk *m, const struct issue *s)
{
    span der = SPAN_NONE;
    bool ok = issue_cert(&m->p, s, &der);
    return made(m, ok, der);
}

span mk_crl(struct mk *m, const struct issue_crl *s)
{
    span der = SPAN_NONE;
    bool ok = issue_crl(&m->p, s, &der);
    return made(m, ok, der);
}

span mk_ocsp(struct mk *m, const struct issue_ocsp *s)
{
    span der = SPAN_NONE;
    bool ok = issue_ocsp(&m->p, s, &der);
    return made(m, ok, der);
}

span mk_spki(struct mk *m, const troth_key *key, span algorithm)
{
    enum { MOST = 1024 };
    uint8_t *own = arena_alloc(&m->arena, MOST), *out = arena_alloc(&m->arena, MOST);
    struct spki k;
    assert_true(own && out && spki_read(&k, span_of(own, m->crypto->key_public(key, own, MOST)), NULL, NULL));
    struct wr w = wr_into(out, MOST);
    size_t all = dw_open(&w, W_SEQUENCE);
    wr_span(&w, algorithm);
    size_t bits = dw_open_bits(&w);
    wr_span(&w, k.bits);
    dw_close(&w, bits);
    dw_close(&w, all);
    assert_true(wr_ok(&w));
    return wr_done(&w);
}

const char *mk_pem(struct mk *m, const char *label, const span *ders, size_t n)
{
    size_t cap = 1, at = 0;
    for (size_t i = 0; i < n; i++)
        cap += pem_write(NULL, 0, label, ders[i]);
    char *text = arena_alloc(&m->arena, cap);
    assert_non_null(text);
    for (size_t i = 0; i < n; i++)
        at += pem_write(text + at, cap - at, label, ders[i]);
    return text;
}

const char *mk_file(struct mk *m, const char *name, span bytes)
{
    if (!*dir) {
        strcpy(dir, "/tmp/troth-test-XXXXXX");
        assert_non_null(mkdtemp(dir));
        atexit(remove_dir);
    }
    char *path = arena_alloc(&m->arena, sizeof dir + strlen(name) + 2);
    assert_non_null(path);
    sprintf(path, "%s/%s", dir, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(bytes.n ? fwrite(bytes.p, 1, bytes.n, f) : 0, bytes.n);
    assert_int_equal(fclose(f), 0);
    return path;
}

int mk_run(struct mk *m, const char **out, const char *fmt, ...)
{
    enum { ROOM = 1 << 16 };
    char cmd[4096], *text = arena_alloc(&m->arena, ROOM);
    assert_non_null(text);
    mk_file(m, ".keep", SPAN_NONE);
    int n = snprintf(cmd, sizeof cmd, "cd %s && { ", dir);
    va_list ap;
    va_start(ap, fmt);
    n += vsnprintf(cmd + n, sizeof cmd - (size_t)n, fmt, ap);
    va_end(ap);
    assert_true((size_t)n + 12 < sizeof cmd);
    strcat(cmd, "; } 2>&1");
    FILE *f = popen(cmd, "r");
    assert_non_null(f);
    size_t len = fread(text, 1, ROOM - 1, f);
    text[len] = 0;
    *out = text;
    int status = pclose(f);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
