/* wire_kinds.c - read and write again, for every message. */
#include "support/wire_kinds.h"

struct ext_set wire_asked_all(void)
{
    return (struct ext_set){ { UINT64_MAX, UINT64_MAX } };
}

static bool client_hello_copy(struct rd *r, struct wr *w)
{
    struct client_hello m;
    TRY(client_hello_read_all(&m, r));
    client_hello_write(w, &m);
    return true;
}

static bool hello_copy(struct rd *r, struct wr *w, enum ext_in in, uint16_t version)
{
    struct ext_set asked = wire_asked_all();
    struct server_hello m;
    TRY(server_hello_read(&m, r));
    TRY(server_hello_is_retry(&m) == (in == IN_HRR));
    TRY(exts_read(&m.exts, r, in, version, &asked));
    server_hello_write(w, &m, in);
    return true;
}

static bool server_hello_copy(struct rd *r, struct wr *w)
{
    return hello_copy(r, w, IN_SH, VERSION_TLS_1_3);
}

static bool server_hello12_copy(struct rd *r, struct wr *w)
{
    return hello_copy(r, w, IN_SH, VERSION_TLS_1_2);
}

static bool hello_retry_request_copy(struct rd *r, struct wr *w)
{
    return hello_copy(r, w, IN_HRR, VERSION_TLS_1_3);
}

static bool encrypted_extensions_copy(struct rd *r, struct wr *w)
{
    struct ext_set asked = wire_asked_all();
    struct encrypted_extensions m;
    TRY(encrypted_extensions_read(&m, r, &asked));
    encrypted_extensions_write(w, &m);
    return true;
}

static bool certificate_copy(struct rd *r, struct wr *w)
{
    struct ext_set asked = wire_asked_all();
    struct certificate m;
    TRY(certificate_read(&m, r, &asked));
    certificate_write(w, &m);
    return true;
}

static bool finished_n_copy(struct rd *r, struct wr *w, size_t n)
{
    struct finished m;
    TRY(finished_read(&m, r, n));
    finished_write(w, &m);
    return true;
}

static bool finished_copy(struct rd *r, struct wr *w)
{
    return finished_n_copy(r, w, rd_left(r) == 32 ? 32 : 48);
}

static bool finished12_copy(struct rd *r, struct wr *w)
{
    return finished_n_copy(r, w, 12);
}

static bool empty_copy(struct rd *r, struct wr *w)
{
    (void)w;
    return empty_message_read(r, "ServerHelloDone");
}

static bool ech_config_list_copy(struct rd *r, struct wr *w)
{
    struct ech_config_list m;
    TRY(ech_config_list_read(&m, r));
    size_t list = wr_open(w, 2);
    for (unsigned i = 0; i < m.n; i++) {
        if (m.configs[i].version == ECH_VERSION)
            ech_config_write(w, &m.configs[i]);
        else
            wr_span(w, m.configs[i].raw);
    }
    wr_close(w, list, 2);
    return true;
}

#define COPY(name)                                             \
    static bool name##_copy(struct rd *r, struct wr *w)        \
    {                                                          \
        struct name m;                                         \
        TRY(name##_read(&m, r));                               \
        name##_write(w, &m);                                   \
        return true;                                           \
    }
COPY(certificate_request)
COPY(certificate_request12)
COPY(compressed_certificate)
COPY(certificate_verify)
COPY(new_session_ticket)
COPY(new_session_ticket12)
COPY(key_update)
COPY(server_key_exchange12)
COPY(client_key_exchange12)
COPY(certificate_status)

static bool certificate12_copy(struct rd *r, struct wr *w)
{
    struct certificate m;
    TRY(certificate12_read(&m, r));
    certificate12_write(w, &m);
    return true;
}

static bool raw_public_key12_copy(struct rd *r, struct wr *w)
{
    struct certificate m;
    TRY(raw_public_key12_read(&m, r));
    raw_public_key12_write(w, &m);
    return true;
}

static bool alert_copy(struct rd *r, struct wr *w)
{
    struct alert_message m;
    TRY(alert_read(&m, r));
    alert_write(w, &m);
    return true;
}

const struct wire_kind wire_kinds[] = {
    { "client_hello", HS_client_hello, client_hello_copy },
    { "server_hello", HS_server_hello, server_hello_copy },
    { "server_hello12", HS_server_hello, server_hello12_copy },
    { "hello_retry_request", HS_server_hello, hello_retry_request_copy },
    { "encrypted_extensions", HS_encrypted_extensions, encrypted_extensions_copy },
    { "certificate_request", HS_certificate_request, certificate_request_copy },
    { "certificate_request12", HS_certificate_request, certificate_request12_copy },
    { "certificate", HS_certificate, certificate_copy },
    { "certificate12", HS_certificate, certificate12_copy },
    { "raw_public_key12", HS_certificate, raw_public_key12_copy },
    { "compressed_certificate", HS_compressed_certificate, compressed_certificate_copy },
    { "certificate_verify", HS_certificate_verify, certificate_verify_copy },
    { "finished", HS_finished, finished_copy },
    { "finished12", HS_finished, finished12_copy },
    { "new_session_ticket", HS_new_session_ticket, new_session_ticket_copy },
    { "new_session_ticket12", HS_new_session_ticket, new_session_ticket12_copy },
    { "key_update", HS_key_update, key_update_copy },
    { "server_key_exchange12", HS_server_key_exchange, server_key_exchange12_copy },
    { "client_key_exchange12", HS_client_key_exchange, client_key_exchange12_copy },
    { "certificate_status", HS_certificate_status, certificate_status_copy },
    { "server_hello_done", HS_server_hello_done, empty_copy },
    { "end_of_early_data", HS_end_of_early_data, empty_copy },
    { "hello_request", HS_hello_request, empty_copy },
    { "alert", -1, alert_copy },
    { "ech_config_list", -1, ech_config_list_copy },
};
const size_t wire_kinds_n = COUNT_OF(wire_kinds);

const struct wire_kind *wire_kind_named(const char *name)
{
    for (size_t i = 0; i < wire_kinds_n; i++)
        if (!strcmp(wire_kinds[i].name, name))
            return &wire_kinds[i];
    return NULL;
}

bool wire_copy(const struct wire_kind *k, span msg, struct wr *w, struct rd_ctx *ctx, const struct witness *witness)
{
    rd_ctx_init(ctx, msg, witness);
    struct rd whole = rd_init(ctx, msg), body = whole;
    size_t mark = 0;
    if (k->msg_type >= 0) {
        uint8_t type;
        body = message_open(&whole, &type);
        TRY(rd_ok(&body) && type == k->msg_type);
        mark = message_begin(w, type);
    }
    TRY(k->copy(&body, w));
    if (k->msg_type >= 0)
        message_end(w, mark);
    return wr_ok(w);
}
