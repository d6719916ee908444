/* RFC 8448 4 to 7, byte for byte: a resumption with 0-RTT, HelloRetryRequest, a client's certificate, compatibility mode.
 *
 * Each trace is read from its private keys and its records alone, as if one could see through both ends: what our code derives must open
 * every record, seal it again to the same bytes, and check every binder, signature and Finished. */
#include "crypto/hkdf.h"
#include "record/record.h"
#include "support/memory.h"
#include "support/test.h"
#include "tls/auth.h"
#include "wire/registry.h"
#include "x509/cert.h"

#include "vectors/rfc8448_traces.inc"

struct trace {
    const char *section;
    uint16_t    group;
    span        psk, client_private, server_private, hello, early, request, hello_again, server_hello, server_flight, client_flight,
                client_data, server_data;
    bool        client_shows;
};

#define PART(name) { name, sizeof name }
static const struct trace traces[] = {
    { .section = "4", .group = GROUP_x25519, .psk = PART(resumed_psk), .client_private = PART(resumed_client_private),
      .server_private = PART(resumed_server_private), .hello = PART(resumed_hello), .early = PART(resumed_early),
      .server_hello = PART(resumed_server_hello), .server_flight = PART(resumed_server_flight),
      .client_flight = PART(resumed_client_flight), .client_data = PART(resumed_client_data), .server_data = PART(resumed_server_data) },
    { .section = "5", .group = GROUP_secp256r1, .client_private = PART(retry_client_private), .server_private = PART(retry_server_private),
      .hello = PART(retry_hello), .request = PART(retry_request), .hello_again = PART(retry_hello_again),
      .server_hello = PART(retry_server_hello), .server_flight = PART(retry_server_flight), .client_flight = PART(retry_client_flight),
      .client_data = PART(retry_client_data), .server_data = PART(retry_server_data) },
    { .section = "6", .group = GROUP_x25519, .client_private = PART(auth_client_private), .server_private = PART(auth_server_private),
      .hello = PART(auth_hello), .server_hello = PART(auth_server_hello), .server_flight = PART(auth_server_flight),
      .client_flight = PART(auth_client_flight), .client_data = PART(auth_client_data), .server_data = PART(auth_server_data),
      .client_shows = true },
    { .section = "7", .group = GROUP_x25519, .client_private = PART(compat_client_private), .server_private = PART(compat_server_private),
      .hello = PART(compat_hello), .server_hello = PART(compat_server_hello), .server_flight = PART(compat_server_flight),
      .client_flight = PART(compat_client_flight), .client_data = PART(compat_client_data), .server_data = PART(compat_server_data) },
};

/* ---- what is known while one is read */
struct reading {
    const struct trace  *trace;
    const troth_provider *p;
    const troth_hash    *hash;
    struct transcript    transcript;
    struct ks_early      early;
    struct ks_handshake  handshake;
    struct ks_main       main;
    struct client_hello  hello;   /* the one that counts */
    struct server_hello  answer;
    struct protect       open, seal; /* the same keys */
    uint8_t              content[4096];
    size_t               content_n;  /* of the record opened last */
    uint8_t              type;
    troth_public_key     key;        /* of the certificate that came last */
    struct cert          cert;
    unsigned             signatures, finished, ccs;
};

static const struct told nobody;

/* ---- records */
static span cut(span *stream)
{
    assert_true(stream->n >= 5);
    size_t n = 5 + (size_t)(stream->p[3] << 8 | stream->p[4]);
    assert_true(n <= stream->n);
    span record = span_slice(*stream, 0, n);
    *stream = span_slice(*stream, n, stream->n - n);
    return record;
}

static span message_in(span record)
{
    assert_int_equal(record.p[0], CONTENT_handshake);
    return span_slice(record, 5, record.n - 5);
}

static void use_keys(struct reading *r, const struct secret *traffic)
{
    const troth_aead *aead = provider_aead(r->p, TROTH_AES_128_GCM);
    uint8_t key[16], iv[12];
    assert_true(expand_label(r->hash, key, 16, secret_span(traffic), "key", SPAN_NONE));
    assert_true(expand_label(r->hash, iv, 12, secret_span(traffic), "iv", SPAN_NONE));
    protect_end(&r->open);
    protect_end(&r->seal);
    protect_init(&r->open, &test_memory, FROM_CLIENT);
    protect_init(&r->seal, &test_memory, FROM_CLIENT);
    protect_set(&r->open, FORM_13, aead, key, iv, EPOCH_APPLICATION);
    protect_set(&r->seal, FORM_13, aead, key, iv, EPOCH_APPLICATION);
}

/* What one record holds; sealed again it is the same. */
static void open_record(struct reading *r, span record)
{
    troth_error why = { .reason = TROTH_R_NONE };
    struct inbuf in;
    struct record got;
    struct outq q;
    uint8_t *room;
    size_t n;
    inbuf_init(&in, &test_memory);
    in.want = INBUF_LARGE;
    assert_true(inbuf_room(&in, &why, &room, &n) && n >= record.n);
    memcpy(room, record.p, record.n);
    inbuf_got(&in, record.n);
    assert_int_equal(deframe(&in, &got, FORM_13, &why), DEFRAME_RECORD);
    assert_int_equal(protect_open(&r->open, &why, &got), OPENED);
    assert_true(got.n <= sizeof r->content);
    memcpy(r->content, got.body, r->content_n = got.n);
    r->type = got.type;
    inbuf_free(&in);
    outq_init(&q, &test_memory, NULL);
    assert_true(outq_put(&q, &why, &r->seal, r->type, 0x0303, &(span){ r->content, r->content_n }, 1));
    assert_true(span_equal(outq_span(&q), record));
    outq_free(&q);
}

/* ---- the hellos */
static void read_hello(struct reading *r, span message)
{
    struct rd_ctx ctx;
    uint8_t type;
    memset(&r->hello, 0, sizeof r->hello);
    rd_ctx_init(&ctx, message, NULL);
    struct rd whole = rd_init(&ctx, message), body = message_open(&whole, &type);
    assert_int_equal(type, HS_client_hello);
    assert_true(client_hello_read_all(&r->hello, &body));
}

static void read_answer(struct reading *r, span message, struct server_hello *sh)
{
    struct rd_ctx ctx;
    uint8_t type;
    memset(sh, 0, sizeof *sh);
    rd_ctx_init(&ctx, message, NULL);
    struct rd whole = rd_init(&ctx, message), body = message_open(&whole, &type);
    assert_int_equal(type, HS_server_hello);
    assert_true(server_hello_read(sh, &body));
    assert_int_equal(server_hello_version(sh), TROTH_TLS13);
    enum ext_in in = server_hello_is_retry(sh) ? IN_HRR : IN_SH;
    assert_true(exts_read(&sh->exts, &body, in, TROTH_TLS13, &r->hello.exts.have));
    assert_int_equal(sh->cipher_suite, SUITE_TLS_AES_128_GCM_SHA256);
    assert_true(span_equal(sh->legacy_session_id_echo, r->hello.legacy_session_id));
}

static void retry(struct reading *r)
{
    const struct trace *t = r->trace;
    span request = message_in(t->request), again = message_in(t->hello_again);
    struct server_hello sh;
    read_answer(r, request, &sh);
    assert_true(server_hello_is_retry(&sh));
    assert_int_equal(sh.exts.selected_group, t->group);
    assert_null(share_for(&r->hello.exts, t->group));
    transcript_begin(&r->transcript, r->hash);
    transcript_retry(&r->transcript);
    assert_true(transcript_add(&r->transcript, request));
    read_hello(r, again);
    assert_true(sh.exts.cookie.n && span_equal(r->hello.exts.cookie, sh.exts.cookie));
    assert_true(transcript_add(&r->transcript, again));
}

/* The binder is over the hello up to the binders; early data comes with keys of the PSK. */
static void resume(struct reading *r, span hello)
{
    const struct trace *t = r->trace;
    const struct exts *e = &r->hello.exts;
    struct transcript upto = { .hash = NULL };
    struct digest d;
    struct ks_early_data data;
    uint8_t binder[TROTH_DIGEST_MAX];
    assert_int_equal(e->n_psks, 1);
    transcript_begin(&upto, r->hash);
    assert_true(transcript_add(&upto, span_of(hello.p, (size_t)(e->binders.p - hello.p))));
    transcript_peek(&upto, &d);
    ks_binder(binder, &r->early, false, NULL, &d);
    assert_true(span_equal(e->psks[0].binder, span_of(binder, r->hash->n)));
    struct transcript whole = { .hash = NULL };
    transcript_begin(&whole, r->hash);
    assert_true(transcript_add(&whole, hello));
    transcript_peek(&whole, &d);
    ks_early_data(&data, &r->early, &d, &nobody);
    use_keys(r, &data.client);
    open_record(r, t->early);
    assert_int_equal(r->type, CONTENT_APPLICATION_DATA);
    assert_true(span_equal(span_of(r->content, r->content_n), SPAN_TEXT("ABCDEF")));
}

static void agree(struct reading *r)
{
    const struct trace *t = r->trace;
    const troth_kem *kem = provider_kem(r->p, t->group);
    uint8_t secret[TROTH_KEM_SECRET_MAX], other[TROTH_KEM_SECRET_MAX];
    struct digest upto;
    bool broken = false;
    const struct key_share *of_client = share_for(&r->hello.exts, t->group), *of_server = &r->answer.exts.shares[0];
    assert_true(of_client && of_server->group == t->group);
    assert_true(kem->finish(kem, t->client_private.p, of_server->key_exchange, secret, &broken));
    assert_true(kem->finish(kem, t->server_private.p, of_client->key_exchange, other, &broken));
    assert_memory_equal(secret, other, kem->secret_n);
    transcript_peek(&r->transcript, &upto);
    ks_enter_handshake(&r->handshake, &r->early, span_of(secret, kem->secret_n), &upto, &nobody);
}

/* ---- one protected message: read, checked, added to the transcript */
static void take_certificate(struct reading *r, struct rd *body, bool of_server)
{
    struct certificate c = { 0 };
    troth_error why = { .reason = TROTH_R_NONE };
    struct ext_set none = { { 0 } };
    assert_true(certificate_read(&c, body, of_server ? &r->hello.exts.have : &none));
    assert_int_equal(c.n, 1);
    static uint8_t kept[2048];
    assert_true(c.entries[0].cert_data.n <= sizeof kept);
    memcpy(kept, c.entries[0].cert_data.p, c.entries[0].cert_data.n);
    assert_true(cert_parse(&r->cert, span_of(kept, c.entries[0].cert_data.n), NULL, &why));
    r->key = r->cert.key;
}

static void take_verify(struct reading *r, struct rd *body, bool of_server)
{
    struct certificate_verify cv = { 0 };
    struct digest upto;
    uint8_t content[SIGNED_MAX];
    assert_true(certificate_verify_read(&cv, body));
    transcript_peek(&r->transcript, &upto);
    span signed_bytes = auth_content(content, of_server, &upto);
    troth_verify_job job = { .sig = scheme_by_id(cv.algorithm)->sig, .key = &r->key, .parts = &signed_bytes, .n_parts = 1,
                             .signature = cv.signature };
    r->p->verify(r->p->self, &job, 1);
    assert_true(job.good);
    r->signatures++;
}

static void take_finished(struct reading *r, struct rd *body, bool of_server)
{
    struct finished f = { SPAN_NONE };
    struct digest upto;
    uint8_t verify_data[TROTH_DIGEST_MAX];
    assert_true(finished_read(&f, body, r->hash->n));
    transcript_peek(&r->transcript, &upto);
    ks_finished(verify_data, &r->handshake, !of_server, &upto);
    if (!span_equal(f.verify_data, span_of(verify_data, r->hash->n)))
        test_fail("section %s: Finished of the %s", r->trace->section, of_server ? "server" : "client");
    r->finished++;
}

static void take_message(struct reading *r, span message, bool of_server)
{
    struct rd_ctx ctx;
    uint8_t type;
    rd_ctx_init(&ctx, message, NULL);
    struct rd whole = rd_init(&ctx, message), body = message_open(&whole, &type);
    struct encrypted_extensions ee = { 0 };
    struct certificate_request cr = { 0 };
    switch (type) {
    case HS_encrypted_extensions:
        assert_true(encrypted_extensions_read(&ee, &body, &r->hello.exts.have));
        assert_int_equal(exts_have(&ee.exts, X_EARLY_DATA), r->trace->early.n > 0);
        break;
    case HS_certificate_request: assert_true(certificate_request_read(&cr, &body)); break;
    case HS_certificate: take_certificate(r, &body, of_server); break;
    case HS_certificate_verify: take_verify(r, &body, of_server); break;
    case HS_finished: take_finished(r, &body, of_server); break;
    case HS_end_of_early_data: assert_true(empty_message_read(&body, "EndOfEarlyData")); break;
    default: test_fail("section %s: a message of type %u", r->trace->section, type);
    }
    assert_true(transcript_add(&r->transcript, message));
}

/* A flight of handshake records, of which change_cipher_spec counts for nothing. */
static void take_flight(struct reading *r, span flight, bool of_server)
{
    static const uint8_t ccs[] = { 20, 3, 3, 0, 1, 1 };
    while (flight.n) {
        span record = cut(&flight);
        if (record.p[0] == CONTENT_CHANGE_CIPHER_SPEC) {
            assert_true(span_equal(record, SPAN_OF(ccs)));
            r->ccs++;
            continue;
        }
        open_record(r, record);
        assert_int_equal(r->type, CONTENT_HANDSHAKE);
        for (span rest = { r->content, r->content_n }; rest.n;) {
            size_t n = 4 + (size_t)(rest.p[1] << 16 | rest.p[2] << 8 | rest.p[3]);
            assert_true(n <= rest.n);
            take_message(r, span_slice(rest, 0, n), of_server);
            rest = span_slice(rest, n, rest.n - n);
            if (r->content[0] == HS_end_of_early_data)
                use_keys(r, &r->handshake.client);
        }
    }
}

/* Data, then close_notify. */
static void take_data(struct reading *r, span stream, const struct secret *traffic)
{
    use_keys(r, traffic);
    while (stream.n) {
        span record = cut(&stream);
        open_record(r, record);
        assert_int_equal(r->type, stream.n ? CONTENT_APPLICATION_DATA : CONTENT_ALERT);
        for (size_t i = 0; i < r->content_n && stream.n; i++)
            assert_int_equal(r->content[i], i);
    }
    assert_true(r->content_n == 2 && r->content[0] == 1 && r->content[1] == 0);
}

/* ---- one trace from end to end */
static void read_trace(const struct trace *t, troth_provider *p)
{
    struct reading *r = calloc(1, sizeof *r);
    assert_non_null(r);
    *r = (struct reading){ .trace = t, .p = p, .hash = provider_hash(p, TROTH_SHA256) };
    span hello = message_in(t->hello), server_hello_message = message_in(t->server_hello);
    struct digest upto;
    protect_init(&r->open, &test_memory, FROM_CLIENT);
    protect_init(&r->seal, &test_memory, FROM_CLIENT);
    read_hello(r, hello);
    assert_true(transcript_add(&r->transcript, hello));
    ks_begin(&r->early, r->hash, t->psk, &nobody);
    if (t->psk.n)
        resume(r, hello);
    if (t->request.n)
        retry(r);
    read_answer(r, server_hello_message, &r->answer);
    assert_true(transcript_add(&r->transcript, server_hello_message));
    if (!t->request.n)
        transcript_begin(&r->transcript, r->hash);
    agree(r);
    use_keys(r, &r->handshake.server);
    take_flight(r, t->server_flight, true);
    transcript_peek(&r->transcript, &upto);
    ks_enter_main(&r->main, &r->handshake, &upto, &nobody);
    if (t->early.n) { /* EndOfEarlyData is under the keys of early data, behind the record of them that came */
        struct transcript only = { .hash = NULL };
        struct ks_early again;
        struct ks_early_data data;
        transcript_begin(&only, r->hash);
        assert_true(transcript_add(&only, hello));
        transcript_peek(&only, &upto);
        ks_begin(&again, r->hash, t->psk, &nobody);
        ks_early_data(&data, &again, &upto, &nobody);
        use_keys(r, &data.client);
        r->open.seq = r->seal.seq = 1;
    } else {
        use_keys(r, &r->handshake.client);
    }
    take_flight(r, t->client_flight, false);
    take_data(r, t->client_data, &r->main.client);
    take_data(r, t->server_data, &r->main.server);
    assert_int_equal(r->finished, 2);
    assert_int_equal(r->signatures, t->psk.n ? 0 : 1 + t->client_shows);
    assert_int_equal(r->ccs, r->hello.legacy_session_id.n ? 2 : 0);
    protect_end(&r->open);
    protect_end(&r->seal);
    free(r);
}

static void test_traces(void **state)
{
    (void)state;
    troth_provider *p = troth_libcrypto();
    for (size_t i = 0; i < COUNT_OF(traces); i++)
        read_trace(&traces[i], p);
    troth_provider_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_traces) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
