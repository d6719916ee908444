/* links: ngtcp2 ngtcp2_crypto_gnutls gnutls */
/* The TLS of an end: troth through quic.h, or GnuTLS through ngtcp2's helper. */
#include "interop/quic_ends.h"

/* ---- troth: packet protection */
static int on_encrypt(uint8_t *dest, const ngtcp2_crypto_aead *aead, const ngtcp2_crypto_aead_ctx *ctx, const uint8_t *plain, size_t n,
                      const uint8_t *nonce, size_t nonce_n, const uint8_t *ad, size_t ad_n)
{
    (void)aead, (void)nonce_n;
    return quic_seal(ctx->native_handle, dest, plain, n, nonce, ad, ad_n) ? 0 : NGTCP2_ERR_CALLBACK_FAILURE;
}

static int on_decrypt(uint8_t *dest, const ngtcp2_crypto_aead *aead, const ngtcp2_crypto_aead_ctx *ctx, const uint8_t *sealed, size_t n,
                      const uint8_t *nonce, size_t nonce_n, const uint8_t *ad, size_t ad_n)
{
    (void)aead, (void)nonce_n;
    return quic_open(ctx->native_handle, dest, sealed, n, nonce, ad, ad_n) ? 0 : NGTCP2_ERR_DECRYPT;
}

static int on_mask(uint8_t *dest, const ngtcp2_crypto_cipher *hp, const ngtcp2_crypto_cipher_ctx *ctx, const uint8_t *sample)
{
    (void)hp;
    return quic_mask(ctx->native_handle, dest, sample) ? 0 : NGTCP2_ERR_CALLBACK_FAILURE;
}

static void on_delete_aead(ngtcp2_conn *q, ngtcp2_crypto_aead_ctx *ctx, void *user)
{
    (void)q, (void)user;
    free(ctx->native_handle);
}

static void on_delete_cipher(ngtcp2_conn *q, ngtcp2_crypto_cipher_ctx *ctx, void *user)
{
    (void)q, (void)user;
    free(ctx->native_handle);
}

static ngtcp2_crypto_ctx context(const struct quic_suite *s)
{
    ngtcp2_crypto_ctx ctx = { 0 };
    ctx.aead = (ngtcp2_crypto_aead){ (void *)(uintptr_t)s, QUIC_TAG };
    ctx.md.native_handle = ctx.hp.native_handle = (void *)(uintptr_t)s;
    ctx.max_encryption = s->id == 0x1303 ? UINT64_MAX : UINT64_C(1) << 23; /* RFC 9001 6.6 */
    ctx.max_decryption_failure = s->id == 0x1303 ? UINT64_C(1) << 36 : UINT64_C(1) << 52;
    return ctx;
}

/* A key in the two forms that ngtcp2 keeps, each with memory of its own. */
struct keyed {
    ngtcp2_crypto_aead_ctx   aead;
    ngtcp2_crypto_cipher_ctx header;
    struct quic_key          key;
};

static struct keyed keyed(const struct quic_suite *s, const uint8_t *secret)
{
    struct keyed k;
    memset(&k, 0, sizeof k);
    assert_true(quic_key_of(&k.key, s, secret));
    struct quic_key *a = malloc(sizeof *a), *h = malloc(sizeof *h);
    assert_true(a && h);
    *a = *h = k.key;
    k.aead.native_handle = a;
    k.header.native_handle = h;
    return k;
}

static int install_initial(struct quic_end *e, const ngtcp2_cid *dcid)
{
    uint8_t client[32], server[32];
    const struct quic_suite *s = quic_suite(0x1301);
    ngtcp2_crypto_ctx ctx = context(s);
    assert_true(quic_initial_secrets(client, server, dcid->data, dcid->datalen));
    struct keyed rx = keyed(s, e->server ? client : server), tx = keyed(s, e->server ? server : client);
    ngtcp2_conn_set_initial_crypto_ctx(e->q, &ctx);
    return ngtcp2_conn_install_initial_key(e->q, &rx.aead, rx.key.iv, &rx.header, &tx.aead, tx.key.iv, &tx.header, QUIC_IV);
}

static int on_update_key(ngtcp2_conn *q, uint8_t *rx_secret, uint8_t *tx_secret, ngtcp2_crypto_aead_ctx *rx_aead, uint8_t *rx_iv,
                         ngtcp2_crypto_aead_ctx *tx_aead, uint8_t *tx_iv, const uint8_t *rx_now, const uint8_t *tx_now, size_t n, void *user)
{
    struct quic_end *e = user;
    (void)q, (void)n;
    assert_true(quic_next_secret(rx_secret, e->suite, rx_now) && quic_next_secret(tx_secret, e->suite, tx_now));
    struct keyed rx = keyed(e->suite, rx_secret), tx = keyed(e->suite, tx_secret);
    free(rx.header.native_handle); /* header protection keeps its key (RFC 9001 6.1) */
    free(tx.header.native_handle);
    *rx_aead = rx.aead;
    *tx_aead = tx.aead;
    memcpy(rx_iv, rx.key.iv, QUIC_IV);
    memcpy(tx_iv, tx.key.iv, QUIC_IV);
    e->key_updates++;
    return 0;
}

/* ---- troth: events */
static int take_parameters(struct quic_end *e)
{
    troth_span p = troth_what(e->c).peer_quic_parameters;
    if (!p.p || e->parameters_known)
        return 0;
    e->parameters_known = true;
    return ngtcp2_conn_decode_remote_transport_params(e->q, p.p, p.n);
}

static int install(struct quic_end *e, const troth_event *ev)
{
    ngtcp2_conn *q = e->q;
    const struct quic_suite *s = e->suite = quic_suite(ev->number);
    assert_non_null(s);
    ngtcp2_crypto_ctx ctx = context(s);
    struct keyed k = keyed(s, ev->data.p);
    if (ev->level == TROTH_LEVEL_EARLY) {
        ngtcp2_conn_set_early_crypto_ctx(q, &ctx);
        return ngtcp2_conn_install_early_key(q, &k.aead, k.key.iv, QUIC_IV, &k.header);
    }
    if (!e->aead_known)
        ngtcp2_conn_set_crypto_ctx(q, &ctx);
    e->aead_known = true;
    int rc = take_parameters(e);
    if (rc)
        return rc;
    if (ev->level == TROTH_LEVEL_HANDSHAKE)
        return (ev->ours ? ngtcp2_conn_install_tx_handshake_key : ngtcp2_conn_install_rx_handshake_key)(q, &k.aead, k.key.iv, QUIC_IV,
                                                                                                      &k.header);
    return (ev->ours ? ngtcp2_conn_install_tx_key : ngtcp2_conn_install_rx_key)(q, ev->data.p, ev->data.n, &k.aead, k.key.iv, QUIC_IV,
                                                                              &k.header);
}

static void keep_ticket(struct quic_end *e, troth_span t)
{
    assert_true(t.n <= sizeof e->kept.ticket);
    memcpy(e->kept.ticket, t.p, e->kept.n = t.n);
    e->kept.parameters = *ngtcp2_conn_get_remote_transport_params(e->q);
}

static ngtcp2_crypto_level level_of(uint8_t level)
{
    return level == TROTH_LEVEL_INITIAL     ? NGTCP2_CRYPTO_LEVEL_INITIAL
         : level == TROTH_LEVEL_HANDSHAKE ? NGTCP2_CRYPTO_LEVEL_HANDSHAKE
                                          : NGTCP2_CRYPTO_LEVEL_APPLICATION;
}

/* All that troth has to say now. */
static int run(struct quic_end *e)
{
    for (;;) {
        troth_event ev = troth_next(e->c);
        int rc = 0;
        switch ((int)ev.kind) {
        case TROTH_SEND:
            rc = ngtcp2_conn_submit_crypto_data(e->q, level_of(ev.level), ev.data.p, ev.data.n);
            troth_sent(e->c, ev.data.n);
            break;
        case TROTH_KEYS: rc = install(e, &ev); break;
        case TROTH_READY:
            e->completed = true;
            ngtcp2_conn_handshake_completed(e->q);
            break;
        case TROTH_TICKET: keep_ticket(e, ev.data); break;
        case TROTH_EARLY: break;
        case TROTH_EARLY_REFUSED:
            e->early_refused = true;
            e->said = 0;
            e->stream = -1;
            rc = ngtcp2_conn_early_data_rejected(e->q);
            break;
        case TROTH_RECV: return 0;
        default: ngtcp2_conn_set_tls_alert(e->q, (uint8_t)troth_quic_error(e->c)); return NGTCP2_ERR_CRYPTO;
        }
        if (rc)
            return rc;
    }
}

static int on_crypto_data(ngtcp2_conn *q, ngtcp2_crypto_level level, uint64_t offset, const uint8_t *data, size_t n, void *user)
{
    static const enum troth_level levels[] = {
        [NGTCP2_CRYPTO_LEVEL_INITIAL] = TROTH_LEVEL_INITIAL,
        [NGTCP2_CRYPTO_LEVEL_HANDSHAKE] = TROTH_LEVEL_HANDSHAKE,
        [NGTCP2_CRYPTO_LEVEL_APPLICATION] = TROTH_LEVEL_APPLICATION,
        [NGTCP2_CRYPTO_LEVEL_EARLY] = TROTH_LEVEL_EARLY,
    };
    struct quic_end *e = user;
    (void)q, (void)offset;
    bool ok = troth_quic_received(e->c, levels[level], (troth_span){ data, n });
    (void)ok; /* said by the event that follows */
    return run(e);
}

static int begin(struct quic_end *e, const ngtcp2_cid *dcid)
{
    uint8_t parameters[512];
    ngtcp2_ssize n = ngtcp2_conn_encode_local_transport_params(e->q, parameters, sizeof parameters);
    if (n < 0 || install_initial(e, dcid))
        return NGTCP2_ERR_CALLBACK_FAILURE;
    bool early = e->server && e->setup.early;
    troth_quic_parameters(e->c, (troth_span){ parameters, (size_t)n }, early ? TROTH_TEXT("limits") : (troth_span){ NULL, 0 });
    return run(e);
}

static int on_client_initial(ngtcp2_conn *q, void *user)
{
    return begin(user, ngtcp2_conn_get_dcid(q));
}

static int on_recv_client_initial(ngtcp2_conn *q, const ngtcp2_cid *dcid, void *user)
{
    (void)q;
    return begin(user, dcid);
}

static int on_retry(ngtcp2_conn *q, const ngtcp2_pkt_hd *hd, void *user)
{
    (void)q, (void)hd, (void)user;
    return NGTCP2_ERR_CALLBACK_FAILURE; /* no end here sends one */
}

static int on_version(ngtcp2_conn *q, uint32_t version, const ngtcp2_cid *dcid, void *user)
{
    (void)q, (void)version, (void)dcid, (void)user;
    return 0;
}

static int on_challenge(ngtcp2_conn *q, uint8_t *data, void *user)
{
    (void)q, (void)user;
    memset(data, 7, NGTCP2_PATH_CHALLENGE_DATALEN);
    return 0;
}

/* ---- GnuTLS */
static ngtcp2_conn *conn_of(ngtcp2_crypto_conn_ref *ref)
{
    return ((struct quic_end *)ref->user_data)->q;
}

static gnutls_datum_t datum(troth_span s)
{
    return (gnutls_datum_t){ (unsigned char *)(uintptr_t)s.p, (unsigned)s.n };
}

static int on_ticket(gnutls_session_t s, unsigned type, unsigned post, unsigned incoming, const gnutls_datum_t *msg)
{
    struct quic_end *e = ((ngtcp2_crypto_conn_ref *)gnutls_session_get_ptr(s))->user_data;
    gnutls_datum_t data;
    (void)type, (void)post, (void)msg;
    if (!incoming || gnutls_session_get_data2(s, &data) != 0)
        return 0;
    keep_ticket(e, (troth_span){ data.data, data.size });
    gnutls_free(data.data);
    return 0;
}

static void gnutls_server_options(struct quic_end *e)
{
    if (e->setup.asks)
        gnutls_certificate_server_set_request(e->s, GNUTLS_CERT_REQUIRE);
    if (e->setup.asks)
        gnutls_session_set_verify_cert(e->s, NULL, GNUTLS_VERIFY_DISABLE_TIME_CHECKS);
    if (!e->setup.ticket_key.size)
        return;
    assert_int_equal(gnutls_session_ticket_enable_server(e->s, &e->setup.ticket_key), 0);
    gnutls_anti_replay_enable(e->s, e->setup.anti_replay);
    gnutls_record_set_max_early_data_size(e->s, UINT32_MAX);
}

static void gnutls_client_options(struct quic_end *e)
{
    const struct quic_kept *kept = e->setup.kept;
    gnutls_server_name_set(e->s, GNUTLS_NAME_DNS, "a.example", 9);
    gnutls_session_set_verify_cert(e->s, "a.example", GNUTLS_VERIFY_DISABLE_TIME_CHECKS);
    gnutls_handshake_set_hook_function(e->s, GNUTLS_HANDSHAKE_NEW_SESSION_TICKET, GNUTLS_HOOK_POST, on_ticket);
    if (kept)
        assert_int_equal(gnutls_session_set_data(e->s, kept->ticket, kept->n), 0);
}

static int start_gnutls(struct quic_end *e)
{
    gnutls_datum_t alpn = datum(TROTH_TEXT("h3")), root = datum(e->setup.root), chain = datum(e->setup.chain), key = datum(e->setup.key);
    unsigned flags = GNUTLS_ENABLE_EARLY_DATA | GNUTLS_NO_END_OF_EARLY_DATA | (e->server ? GNUTLS_SERVER | GNUTLS_NO_AUTO_SEND_TICKET : GNUTLS_CLIENT);
    assert_int_equal(gnutls_init(&e->s, flags), 0);
    assert_int_equal(gnutls_priority_set_direct(e->s, e->setup.priority, NULL), 0);
    assert_int_equal(e->server ? ngtcp2_crypto_gnutls_configure_server_session(e->s) : ngtcp2_crypto_gnutls_configure_client_session(e->s), 0);
    e->ref = (ngtcp2_crypto_conn_ref){ conn_of, e };
    gnutls_session_set_ptr(e->s, &e->ref);
    assert_int_equal(gnutls_certificate_allocate_credentials(&e->credentials), 0);
    assert_true(gnutls_certificate_set_x509_trust_mem(e->credentials, &root, GNUTLS_X509_FMT_PEM) > 0);
    if (chain.size)
        assert_int_equal(gnutls_certificate_set_x509_key_mem(e->credentials, &chain, &key, GNUTLS_X509_FMT_PEM), 0);
    assert_int_equal(gnutls_credentials_set(e->s, GNUTLS_CRD_CERTIFICATE, e->credentials), 0);
    assert_int_equal(gnutls_alpn_set_protocols(e->s, &alpn, 1, GNUTLS_ALPN_MANDATORY), 0);
    if (e->server)
        gnutls_server_options(e);
    else
        gnutls_client_options(e);
    return 0;
}

static int on_gnutls_completed(ngtcp2_conn *q, void *user)
{
    struct quic_end *e = user;
    (void)q;
    e->completed = true;
    if (e->server && e->setup.ticket_key.size)
        return gnutls_session_ticket_send(e->s, 1, 0) == 0 ? 0 : NGTCP2_ERR_CALLBACK_FAILURE;
    return 0;
}

/* ---- either */
int quic_tls_start(struct quic_end *e)
{
    if (e->setup.gnutls)
        return start_gnutls(e);
    e->c = e->server ? troth_accept(e->setup.server) : troth_connect(e->setup.client, "a.example");
    if (e->setup.kept)
        troth_resume(e->c, (troth_span){ e->setup.kept->ticket, e->setup.kept->n });
    return e->c ? 0 : -1;
}

void quic_tls_callbacks(struct quic_end *e, ngtcp2_callbacks *cb)
{
    bool g = e->setup.gnutls;
    cb->client_initial = g ? ngtcp2_crypto_client_initial_cb : on_client_initial;
    cb->recv_client_initial = g ? ngtcp2_crypto_recv_client_initial_cb : on_recv_client_initial;
    cb->recv_crypto_data = g ? ngtcp2_crypto_recv_crypto_data_cb : on_crypto_data;
    cb->encrypt = g ? ngtcp2_crypto_encrypt_cb : on_encrypt;
    cb->decrypt = g ? ngtcp2_crypto_decrypt_cb : on_decrypt;
    cb->hp_mask = g ? ngtcp2_crypto_hp_mask_cb : on_mask;
    cb->recv_retry = g ? ngtcp2_crypto_recv_retry_cb : on_retry;
    cb->update_key = g ? ngtcp2_crypto_update_key_cb : on_update_key;
    cb->delete_crypto_aead_ctx = g ? ngtcp2_crypto_delete_crypto_aead_ctx_cb : on_delete_aead;
    cb->delete_crypto_cipher_ctx = g ? ngtcp2_crypto_delete_crypto_cipher_ctx_cb : on_delete_cipher;
    cb->version_negotiation = g ? ngtcp2_crypto_version_negotiation_cb : on_version;
    cb->get_path_challenge_data = g ? ngtcp2_crypto_get_path_challenge_data_cb : on_challenge;
    if (g)
        cb->handshake_completed = on_gnutls_completed;
}

void quic_tls_free(struct quic_end *e)
{
    troth_free(e->c);
    if (e->s)
        gnutls_deinit(e->s);
    if (e->credentials)
        gnutls_certificate_free_credentials(e->credentials);
}
