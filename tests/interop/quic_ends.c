/* links: ngtcp2 ngtcp2_crypto_gnutls gnutls */
/* The QUIC of an end: its connection, its stream, and packets between the two. */
#include "interop/quic_ends.h"

#include <netinet/in.h>

enum { STREAM_MAX = 1 << 20, DATAGRAM = 1400, PATIENCE = 400 };

/* ---- callbacks that do not depend on the TLS */
static void on_random(uint8_t *dest, size_t n, const ngtcp2_rand_ctx *ctx)
{
    static uint32_t x = 1;
    (void)ctx;
    for (size_t i = 0; i < n; i++)
        dest[i] = (uint8_t)((x = x * 1664525 + 1013904223) >> 24);
}

static int on_new_id(ngtcp2_conn *q, ngtcp2_cid *cid, uint8_t *token, size_t n, void *user)
{
    (void)q, (void)user;
    cid->datalen = n;
    on_random(cid->data, n, NULL);
    on_random(token, NGTCP2_STATELESS_RESET_TOKENLEN, NULL);
    return 0;
}

static int on_data(ngtcp2_conn *q, uint32_t flags, int64_t stream, uint64_t offset, const uint8_t *data, size_t n, void *user, void *more)
{
    struct quic_end *e = user;
    (void)offset, (void)more;
    assert_true(e->heard_n + n <= STREAM_MAX);
    if (n)
        memcpy(e->heard + e->heard_n, data, n);
    e->heard_n += n;
    if (flags & NGTCP2_STREAM_DATA_FLAG_EARLY)
        e->heard_early += n;
    if (e->server) { /* an echo */
        e->stream = stream;
        e->say = e->heard;
        e->say_n = e->heard_n;
    }
    ngtcp2_conn_extend_max_stream_offset(q, stream, n);
    ngtcp2_conn_extend_max_offset(q, n);
    return 0;
}

static int on_confirmed(ngtcp2_conn *q, void *user)
{
    (void)q;
    ((struct quic_end *)user)->confirmed = true;
    return 0;
}

/* ---- a connection */
static ngtcp2_path path_of(const struct quic_end *e)
{
    static struct sockaddr_in ends[2] = { { .sin_family = AF_INET, .sin_port = 1 }, { .sin_family = AF_INET, .sin_port = 2 } };
    return (ngtcp2_path){ .local = { (ngtcp2_sockaddr *)&ends[e->server], sizeof ends[0] },
                          .remote = { (ngtcp2_sockaddr *)&ends[!e->server], sizeof ends[0] } };
}

static void prepare(struct quic_end *e, ngtcp2_callbacks *cb, ngtcp2_settings *settings, ngtcp2_transport_params *params,
                    ngtcp2_tstamp now)
{
    memset(cb, 0, sizeof *cb);
    cb->rand = on_random;
    cb->get_new_connection_id = on_new_id;
    cb->recv_stream_data = on_data;
    cb->handshake_confirmed = on_confirmed;
    quic_tls_callbacks(e, cb);
    ngtcp2_settings_default(settings);
    settings->initial_ts = now;
    settings->no_pmtud = 1;
    ngtcp2_transport_params_default(params);
    params->initial_max_stream_data_bidi_local = params->initial_max_stream_data_bidi_remote = 65536;
    params->initial_max_data = 65536;
    params->initial_max_streams_bidi = 4;
}

static ngtcp2_cid new_id(void)
{
    ngtcp2_cid cid = { .datalen = 16 };
    on_random(cid.data, cid.datalen, NULL);
    return cid;
}

static void begin_client(struct quic_link *l)
{
    struct quic_end *e = &l->client;
    ngtcp2_callbacks cb;
    ngtcp2_settings settings;
    ngtcp2_transport_params params;
    ngtcp2_cid dcid = new_id(), scid = new_id();
    ngtcp2_path path = path_of(e);
    prepare(e, &cb, &settings, &params, l->now);
    assert_int_equal(ngtcp2_conn_client_new(&e->q, &dcid, &scid, &path, NGTCP2_PROTO_VER_V1, &cb, &settings, &params, NULL, e), 0);
    if (e->setup.gnutls)
        ngtcp2_conn_set_tls_native_handle(e->q, e->s);
    if (e->setup.kept && e->setup.early)
        ngtcp2_conn_set_early_remote_transport_params(e->q, &e->setup.kept->parameters);
}

static void begin_server(struct quic_link *l, const uint8_t *packet, size_t n)
{
    struct quic_end *e = &l->server;
    ngtcp2_callbacks cb;
    ngtcp2_settings settings;
    ngtcp2_transport_params params;
    ngtcp2_pkt_hd hd;
    ngtcp2_cid scid = new_id();
    ngtcp2_path path = path_of(e);
    assert_int_equal(ngtcp2_accept(&hd, packet, n), 0);
    prepare(e, &cb, &settings, &params, l->now);
    params.original_dcid = hd.dcid;
    params.initial_scid = scid; /* ngtcp2 fills it in with the handshake keys; troth wants the parameters before those */
    assert_int_equal(ngtcp2_conn_server_new(&e->q, &hd.scid, &scid, &path, hd.version, &cb, &settings, &params, NULL, e), 0);
    if (e->setup.gnutls)
        ngtcp2_conn_set_tls_native_handle(e->q, e->s);
}

static void set(struct quic_end *e, const char *name, bool server, const struct quic_setup *setup)
{
    e->name = name;
    e->server = server;
    e->setup = *setup;
    e->stream = -1;
    e->heard = malloc(STREAM_MAX);
    assert_non_null(e->heard);
    assert_int_equal(quic_tls_start(e), 0);
}

void quic_link_new(struct quic_link *l, const struct quic_setup *client, const struct quic_setup *server)
{
    memset(l, 0, sizeof *l);
    l->now = 1000 * NGTCP2_SECONDS;
    set(&l->client, "client", false, client);
    set(&l->server, "server", true, server);
    begin_client(l);
}

void quic_link_free(struct quic_link *l)
{
    struct quic_end *ends[] = { &l->client, &l->server };
    for (int i = 0; i < 2; i++) {
        ngtcp2_conn_del(ends[i]->q);
        quic_tls_free(ends[i]);
        free(ends[i]->heard);
    }
}

/* ---- packets */
static void hear(struct quic_link *l, struct quic_end *to, const uint8_t *packet, size_t n);

static void close_with(struct quic_link *l, struct quic_end *e, struct quic_end *to, int why)
{
    ngtcp2_connection_close_error error;
    uint8_t packet[DATAGRAM];
    ngtcp2_pkt_info pi;
    memset(&error, 0, sizeof error);
    if (why == NGTCP2_ERR_CRYPTO && e->c)
        ngtcp2_connection_close_error_set_transport_error(&error, troth_quic_error(e->c), NULL, 0);
    else if (why == NGTCP2_ERR_CRYPTO)
        ngtcp2_connection_close_error_set_transport_error_tls_alert(&error, ngtcp2_conn_get_tls_alert(e->q), NULL, 0);
    else
        ngtcp2_connection_close_error_set_transport_error_liberr(&error, why, NULL, 0);
    e->failed = true;
    ngtcp2_ssize n = ngtcp2_conn_write_connection_close(e->q, NULL, &pi, packet, sizeof packet, &error, l->now);
    if (n > 0)
        hear(l, to, packet, (size_t)n);
}

static void hear(struct quic_link *l, struct quic_end *to, const uint8_t *packet, size_t n)
{
    ngtcp2_path path = path_of(to);
    ngtcp2_pkt_info pi = { 0 };
    if (!to->q)
        begin_server(l, packet, n);
    l->packets++;
    int rc = ngtcp2_conn_read_pkt(to->q, &path, &pi, packet, n, l->now);
    if (rc == NGTCP2_ERR_DRAINING) {
        ngtcp2_connection_close_error error;
        memset(&error, 0, sizeof error);
        ngtcp2_conn_get_connection_close_error(to->q, &error);
        to->closed_by = error.error_code;
        to->failed = true;
        if (to->c)
            troth_quic_closed(to->c, error.error_code);
    } else if (rc && !to->failed) {
        close_with(l, to, to == &l->client ? &l->server : &l->client, rc);
    }
}

/* One packet of `e`, if it has something to say. */
static bool speak(struct quic_link *l, struct quic_end *e, struct quic_end *to)
{
    uint8_t packet[DATAGRAM];
    ngtcp2_pkt_info pi;
    ngtcp2_ssize taken = -1;
    if (!e->q || e->failed)
        return false;
    if (!e->server && e->stream < 0 && e->say_n)
        (void)ngtcp2_conn_open_bidi_stream(e->q, &e->stream, NULL); /* too early as yet: tried again */
    bool more = e->stream >= 0 && e->said < e->say_n;
    ngtcp2_vec v = { more ? (uint8_t *)(uintptr_t)e->say + e->said : NULL, e->say_n - e->said };
    ngtcp2_ssize n = ngtcp2_conn_writev_stream(e->q, NULL, &pi, packet, sizeof packet, &taken, 0, more ? e->stream : -1, &v, more, l->now);
    if (n == NGTCP2_ERR_STREAM_DATA_BLOCKED)
        n = ngtcp2_conn_writev_stream(e->q, NULL, &pi, packet, sizeof packet, &taken, 0, -1, NULL, 0, l->now);
    if (n < 0) {
        close_with(l, e, to, (int)n);
        return true;
    }
    if (taken > 0)
        e->said += (size_t)taken;
    ngtcp2_conn_update_pkt_tx_time(e->q, l->now);
    if (n)
        hear(l, to, packet, (size_t)n);
    return n > 0;
}

bool quic_link_run(struct quic_link *l, bool (*done)(struct quic_link *))
{
    for (int idle = 0; idle < PATIENCE; idle++) {
        bool any = false;
        while (speak(l, &l->client, &l->server) && !done(l))
            any = true;
        while (speak(l, &l->server, &l->client) && !done(l))
            any = true;
        if (done(l))
            return true;
        if (any)
            idle = 0;
        l->now += 10 * NGTCP2_MILLISECONDS;
        struct quic_end *ends[] = { &l->client, &l->server };
        for (int i = 0; i < 2; i++)
            if (ends[i]->q && !ends[i]->failed && ngtcp2_conn_get_expiry(ends[i]->q) <= l->now)
                (void)ngtcp2_conn_handle_expiry(ends[i]->q, l->now);
    }
    return false;
}
