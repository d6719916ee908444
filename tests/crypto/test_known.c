/* Keys met before: signatures by them are judged as by the provider alone, whatever else happens to the rows.
 * links: pthread */
#include <pthread.h>

#include "crypto/known.h"
#include "support/test.h"

enum { MANY = 40 };

struct signer {
    troth_key       *key;
    uint8_t          spki[128], message[32], signature[TROTH_SIGNATURE_MAX];
    size_t           spki_n, signature_n;
    troth_public_key pub;
    span             part;
};

struct known_fixture {
    troth_provider   *crypto;
    struct signer     by[MANY];
    struct known_keys all;
};

static void signer_make(struct signer *s, troth_provider *crypto, enum troth_key_type type)
{
    s->key = crypto->key_make(crypto->self, type, 0);
    s->spki_n = crypto->key_public(s->key, s->spki, sizeof s->spki);
    size_t point_n = type == TROTH_KEY_P256 ? 65 : 97;
    s->pub = (troth_public_key){ .type = type, .point = { s->spki + s->spki_n - point_n, point_n } };
    assert_true(crypto->random(crypto->self, s->message, sizeof s->message));
    s->part = (span){ s->message, sizeof s->message };
    assert_true(crypto->sign(crypto->self, s->key, TROTH_SIG_ECDSA_SHA256, &s->part, 1, s->signature, &s->signature_n));
}

static struct known_fixture *begin(void)
{
    struct known_fixture *f = calloc(1, sizeof *f);
    f->crypto = troth_libcrypto();
    for (int i = 0; i < MANY; i++)
        signer_make(&f->by[i], f->crypto, i % 8 == 7 ? TROTH_KEY_P384 : TROTH_KEY_P256);
    known_init(&f->all);
    return f;
}

static void end(struct known_fixture *f)
{
    for (int i = 0; i < MANY; i++)
        f->crypto->key_free(f->by[i].key);
    troth_provider_free(f->crypto);
    free(f);
}

static bool judged(struct known_fixture *f, const struct signer *s, span signature)
{
    troth_verify_job job = { .sig = TROTH_SIG_ECDSA_SHA256, .key = &s->pub, .parts = &s->part, .n_parts = 1, .signature = signature };
    known_verify(&f->all, f->crypto, &job);
    assert_null(job.known);
    return job.good;
}

static unsigned rows_taken(const struct known_keys *all)
{
    unsigned n = 0;
    for (int i = 0; i < KNOWN_KEYS; i++)
        n += all->row[i].turn != 0;
    return n;
}

/* More keys than rows, each twice; one that is not its own, by a key that is known. */
static void test_verdicts(void **state)
{
    (void)state;
    struct known_fixture *f = begin();
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < MANY; i++) {
            struct signer *s = &f->by[i], *other = &f->by[(i + 1) % MANY];
            assert_true(judged(f, s, span_of(s->signature, s->signature_n)));
            assert_true(judged(f, s, span_of(s->signature, s->signature_n)));
            assert_false(judged(f, s, span_of(other->signature, other->signature_n)));
            s->message[round] ^= 1;
            assert_false(judged(f, s, span_of(s->signature, s->signature_n)));
            s->message[round] ^= 1;
            assert_false(judged(f, s, SPAN_NONE));
        }
    assert_int_equal(rows_taken(&f->all) > 0, known_helps(f->crypto));
    end(f);
}

/* A key that is no point, or signs badly, takes no row. */
static void test_not_known(void **state)
{
    (void)state;
    struct known_fixture *f = begin();
    struct signer *s = &f->by[0];
    s->message[0] ^= 1;
    assert_false(judged(f, s, span_of(s->signature, s->signature_n)));
    s->message[0] ^= 1;
    s->spki[s->spki_n - 1] ^= 1;
    assert_false(judged(f, s, span_of(s->signature, s->signature_n)));
    memset(s->spki + s->spki_n - 64, 0xff, 64);
    assert_false(judged(f, s, span_of(s->signature, s->signature_n)));
    s->pub.point = SPAN_NONE;
    assert_false(judged(f, s, span_of(s->signature, s->signature_n)));
    assert_int_equal(rows_taken(&f->all), 0);
    end(f);
}

/* A provider that says what cannot be is refused. */
static void test_fault(void **state)
{
    (void)state;
    static const size_t bad[] = { 0, 7, TROTH_KNOWN_MAX + 8 };
    troth_provider *p = troth_libcrypto(), copy = *p;
    if (!copy.know) { /* this processor has no use for it */
        troth_provider_free(p);
        skip();
    }
    assert_null(provider_fault(&copy));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        copy.known_n = bad[i];
        assert_non_null(provider_fault(&copy));
    }
    copy.know = NULL;
    assert_null(provider_fault(&copy));
    troth_provider_free(p);
}

struct worker { struct known_fixture *f; int first; unsigned wrong; };

/* Two and a half keys to a row, so that rows are written and read all the time. */
static void *work(void *arg)
{
    struct worker *w = arg;
    for (int i = 0; i < 400; i++) {
        const struct signer *s = &w->f->by[(w->first + i) % MANY];
        w->wrong += !judged(w->f, s, span_of(s->signature, s->signature_n));
    }
    return NULL;
}

static void test_threads(void **state)
{
    (void)state;
    struct known_fixture *f = begin();
    struct worker w[3];
    pthread_t t[3];
    for (int i = 0; i < 3; i++) {
        w[i] = (struct worker){ f, i * 2, 0 };
        assert_int_equal(pthread_create(&t[i], NULL, work, &w[i]), 0);
    }
    for (int i = 0; i < 3; i++) {
        pthread_join(t[i], NULL);
        assert_int_equal(w[i].wrong, 0);
    }
    end(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_verdicts), cmocka_unit_test(test_not_known), cmocka_unit_test(test_fault),
                                        cmocka_unit_test(test_threads) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
