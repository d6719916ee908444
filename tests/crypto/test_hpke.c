/* HPKE: RFC 9180's own vectors (A.1.1, A.2.1), and both ends against each other with every AEAD.
 * links: jansson */
#include <jansson.h>

#include "crypto/hpke.h"
#include "crypto/kems.h"
#include "crypto/kernel/cpu.h"
#include "crypto/tests_crypto.h"
#include "fake/fake.h"

/* ---- a provider like `p` whose next ephemeral key is known */
struct fixed {
    troth_provider   pub;
    troth_kem        row;
    struct own_kem   self;
    const troth_kem *kems[2];
    uint8_t          next[32];
};

static bool give_next(void *self, uint8_t *out, size_t n)
{
    memcpy(out, ((struct fixed *)self)->next, n);
    return n == 32;
}

static void fixed_init(struct fixed *f)
{
    f->pub = *p;
    f->pub.self = f;
    f->pub.random = give_next;
    kem_x25519(&f->row, &f->self, &f->pub, x25519_pick(cpu_features()));
    f->kems[0] = &f->row;
    f->kems[1] = NULL;
    f->pub.kems = f->kems;
}

static size_t hex(uint8_t *out, size_t cap, const json_t *j, const char *field)
{
    const char *text = json_string_value(json_object_get(j, field));
    size_t n;
    assert_non_null(text);
    assert_true(hex_decode(out, cap, &n, span_of(text, strlen(text))));
    return n;
}

static void is(const json_t *j, const char *field, const uint8_t *got, size_t n)
{
    uint8_t want[256];
    assert_int_equal(hex(want, sizeof want, j, field), n);
    assert_memory_equal(got, want, n);
}

static void check_messages(struct hpke *seal, struct hpke *open, const json_t *list)
{
    size_t i;
    json_t *m;
    json_array_foreach(list, i, m) {
        uint8_t text[64], aad[64], out[96], back[96];
        size_t n = hex(text, sizeof text, m, "pt"), aad_n = hex(aad, sizeof aad, m, "aad");
        seal->seq = open->seq = (uint64_t)json_integer_value(json_object_get(m, "seq"));
        assert_true(hpke_seal(seal, out, span_of(aad, aad_n), span_of(text, n)));
        is(m, "ct", out, n + HPKE_TAG_N);
        out[0] ^= 1;
        assert_false(hpke_open(open, back, span_of(aad, aad_n), span_of(out, n + HPKE_TAG_N)));
        out[0] ^= 1;
        assert_true(hpke_open(open, back, span_of(aad, aad_n), span_of(out, n + HPKE_TAG_N)));
        assert_memory_equal(back, text, n);
        assert_true(seal->seq == open->seq);
    }
    assert_int_equal(i, 6);
}

static void check_exports(const struct hpke *h, const json_t *list)
{
    size_t i;
    json_t *x;
    json_array_foreach(list, i, x) {
        uint8_t context[64], out[256];
        size_t n = hex(context, sizeof context, x, "context"), len = (size_t)json_integer_value(json_object_get(x, "L"));
        assert_true(hpke_export(h, out, len, span_of(context, n)));
        is(x, "value", out, len);
    }
    assert_int_equal(i, 3);
}

static void follows_the_rfc(void **state)
{
    (void)state;
    json_error_t error;
    json_t *root = json_load_file(TEST_DATA "/vectors/hpke_rfc9180.json", 0, &error), *v;
    assert_non_null(root);
    size_t i;
    json_array_foreach(json_object_get(root, "vectors"), i, v) {
        struct fixed f;
        struct hpke seal, open;
        uint8_t info[64], public[32], private[32], enc[32];
        uint16_t aead = (uint16_t)json_integer_value(json_object_get(v, "aead_id"));
        fixed_init(&f);
        size_t info_n = hex(info, sizeof info, v, "info");
        hex(f.next, 32, v, "skEm");
        hex(public, 32, v, "pkRm");
        hex(private, 32, v, "skRm");
        assert_true(hpke_seal_begin(&seal, &f.pub, aead, enc, SPAN_OF(public), span_of(info, info_n)));
        is(v, "enc", enc, 32);
        is(v, "key", seal.key, seal.aead->key_n);
        is(v, "base_nonce", seal.base_nonce, 12);
        is(v, "exporter_secret", seal.exporter, 32);
        assert_true(hpke_open_begin(&open, p, aead, SPAN_OF(enc), private, public, span_of(info, info_n)));
        check_messages(&seal, &open, json_object_get(v, "encryptions"));
        check_exports(&open, json_object_get(v, "exports"));
        hpke_end(&seal);
        hpke_end(&open);
    }
    assert_int_equal(i, 2);
    json_decref(root);
}

static void both_ends_agree(troth_provider *q)
{
    for (uint16_t aead = HPKE_AES_128_GCM; aead <= HPKE_CHACHA20_POLY1305; aead++) {
        struct hpke seal, open;
        uint8_t private[32], public[32], enc[32], out[100], a[40], b[40];
        assert_true(hpke_has(q, HPKE_KEM_X25519_SHA256, HPKE_KDF_SHA256, aead));
        assert_true(hpke_make_key(q, private, public));
        assert_true(hpke_seal_begin(&seal, q, aead, enc, SPAN_OF(public), SPAN_TEXT("info")));
        assert_true(hpke_open_begin(&open, q, aead, SPAN_OF(enc), private, public, SPAN_TEXT("info")));
        for (int i = 0; i < 3; i++) {
            memcpy(out, "message", 7);
            assert_true(hpke_seal(&seal, out, SPAN_TEXT("aad"), span_of(out, 7)));
            assert_true(hpke_open(&open, out, SPAN_TEXT("aad"), span_of(out, 23)));
            assert_memory_equal(out, "message", 7);
        }
        assert_true(hpke_export(&seal, a, 40, SPAN_TEXT("c")) && hpke_export(&open, b, 40, SPAN_TEXT("c")));
        assert_memory_equal(a, b, 40);
        hpke_end(&open);
        assert_true(hpke_open_begin(&open, q, aead, SPAN_OF(enc), private, public, SPAN_TEXT("other")));
        assert_true(hpke_seal(&seal, out, SPAN_NONE, SPAN_TEXT("x")));
        open.seq = seal.seq - 1;
        assert_false(hpke_open(&open, out, SPAN_NONE, span_of(out, 17)));
        assert_false(hpke_open_begin(&open, q, aead, span_of(enc, 31), private, public, SPAN_NONE));
        assert_false(hpke_seal_begin(&open, q, aead, enc, span_of(public, 31), SPAN_NONE));
        memset(public, 0, sizeof public);
        assert_false(hpke_seal_begin(&open, q, aead, enc, SPAN_OF(public), SPAN_NONE));
    }
}

static void with_any_provider(void **state)
{
    (void)state;
    troth_provider *fake = fake_provider(1);
    both_ends_agree(p);
    both_ends_agree(fake);
    troth_provider_free(fake);
    assert_false(hpke_has(p, 0x0010, HPKE_KDF_SHA256, HPKE_AES_128_GCM));
    assert_false(hpke_has(p, HPKE_KEM_X25519_SHA256, 2, HPKE_AES_128_GCM));
    assert_false(hpke_has(p, HPKE_KEM_X25519_SHA256, HPKE_KDF_SHA256, 0xffff));
}

static void never_repeats_a_number(void **state)
{
    (void)state;
    struct hpke h;
    uint8_t private[32], public[32], enc[32], out[32];
    assert_true(hpke_make_key(p, private, public));
    assert_true(hpke_seal_begin(&h, p, HPKE_AES_128_GCM, enc, SPAN_OF(public), SPAN_NONE));
    h.seq = UINT64_MAX;
    assert_false(hpke_seal(&h, out, SPAN_NONE, SPAN_TEXT("x")));
    hpke_end(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows_the_rfc),
        cmocka_unit_test(with_any_provider),
        cmocka_unit_test(never_repeats_a_number),
    };
    return cmocka_run_group_tests(tests, open_provider, close_provider);
}
