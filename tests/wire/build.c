/* build.c - messages with everything in them, made with the writers. */
#include "support/test.h"
#include "wire/corpus.h"

static const uint8_t filler[4096] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };

static span some(size_t n)
{
    return span_of(filler, n);
}

#define LIST(...) SPAN_OF(((const uint8_t[]){ __VA_ARGS__ }))

/* Values of every extension, as a client, a server and a ticket would send them. */
static void fill(struct exts *e)
{
    static const uint8_t versions[] = { 0x7a, 0x7a, 3, 4, 3, 3 }, groups[] = { 0x2a, 0x2a, 0x11, 0xec, 0, 29, 0, 23 };
    static const uint8_t schemes[] = { 4, 3, 8, 4, 8, 7, 4, 1, 2, 1 }, alpn[] = "\2h2\10http/1.1";
    static const uint8_t modes[] = { 1, 0 }, types[] = { 2, 0 }, comp[] = { 0, 2, 0, 1, 0, 3 }, names[] = { 0, 2, 0x30, 0 };
    static const uint8_t filters[] = { 3, 0x55, 0x1d, 0x25, 0, 2, 0x30, 0, 1, 42, 0, 0 }, scts[] = { 0, 8, 0, 3, 1, 2, 3, 0, 1, 9 };
    static const uint8_t points[] = { 0, 1, 2 }, flags[] = { 0, 0x80 }, outer[] = { 0, 43, 0, 51 };
    e->supported_versions = SPAN_OF(versions);
    e->selected_version = VERSION_TLS_1_3;
    e->server_name = SPAN_TEXT("localhost");
    e->supported_groups = SPAN_OF(groups);
    e->signature_algorithms = e->signature_algorithms_cert = e->dc_schemes = SPAN_OF(schemes);
    e->shares[0] = (struct key_share){ 0x2a2a, some(1) };
    e->shares[1] = (struct key_share){ GROUP_X25519MLKEM768, some(1216) };
    e->shares[2] = (struct key_share){ GROUP_x25519, some(32) };
    e->n_shares = 3;
    e->selected_group = GROUP_secp384r1;
    e->alpn = span_of(alpn, sizeof alpn - 1);
    e->cookie = some(40);
    e->psk_modes = SPAN_OF(modes);
    e->psks[0] = (struct psk_identity){ some(200), 0x12345678, some(32) };
    e->psks[1] = (struct psk_identity){ some(1), 0, some(48) };
    e->n_psks = 2;
    e->selected_identity = 1;
    e->max_early_data_size = 16384;
    e->status_request = (struct status_request){ STATUS_TYPE_ocsp, false, SPAN_OF(scts), some(5) };
    e->ocsp_response = some(77);
    e->sct_list = SPAN_OF(scts);
    e->certificate_authorities = SPAN_OF(names);
    e->oid_filters = SPAN_OF(filters);
    e->client_certificate_types = e->server_certificate_types = SPAN_OF(types);
    e->cert_compression = SPAN_OF(comp);
    e->record_size_limit = 16385;
    e->max_fragment_length = FRAGMENT_bytes_2048;
    e->dc = (struct delegated_credential){ 604800, SCHEME_ed25519, some(44), SCHEME_ecdsa_secp256r1_sha256, some(70),
                                           SPAN_NONE, SPAN_NONE };
    e->renegotiated_connection = some(0);
    e->ec_point_formats = SPAN_OF(points);
    e->session_ticket = some(160);
    e->heartbeat_mode = HEARTBEAT_peer_not_allowed_to_send;
    e->padding = 0;
    e->new_session_count = 2;
    e->resumption_count = e->expected_count = 1;
    e->quic_transport_parameters = some(30);
    e->trust_anchors = some(12);
    e->tls_flags = SPAN_OF(flags);
    e->ech = (struct ech_client_hello){ ECH_TYPE_outer, HPKE_KDF_HKDF_SHA256, HPKE_AEAD_AES_128_GCM, 7, some(32), some(200) };
    e->ech_confirmation = some(8);
    e->ech_outer_extensions = SPAN_OF(outer);
}

/* Every spoken row that may stand in `in`. */
static void add_all(struct exts *e, enum ext_in in, bool tls12)
{
    fill(e);
    for (unsigned x = 0; x < X_COUNT; x++) {
        const struct ext *row = ext_row(x);
        unsigned here = in == IN_CH ? row->in13 | row->in12 : tls12 ? row->in12 : row->in13;
        if (row->read && here & in)
            exts_add(e, x);
        if (x == X_ALPN && in & (IN_CH | IN_CR | IN_NST))
            exts_add_unknown(e, 0x5a5a, some(1));
    }
    if (in == IN_CH)
        return;
    static const uint8_t one[] = "\2h2", raw_key[] = { 2 };
    e->alpn = span_of(one, sizeof one - 1);
    e->client_certificate_types = e->server_certificate_types = SPAN_OF(raw_key);
    e->n_shares = 1;
    e->shares[0] = (struct key_share){ GROUP_x25519, some(32) };
}

static void config_list_write(struct wr *w)
{
    struct ech_config c = { .config_id = 7, .kem_id = HPKE_KEM_DHKEM_X25519_HKDF_SHA256, .public_key = some(32),
                            .cipher_suites = LIST(0, 1, 0, 1, 0, 1, 0, 3), .maximum_name_length = 40,
                            .public_name = SPAN_TEXT("public.example"), .extensions = LIST(0, 9, 0, 2, 1, 2, 0x80, 1, 0, 0) };
    size_t list = wr_open(w, 2);
    ech_config_write(w, &c);
    wr_u16(w, 0xfe0c); /* a version that nobody speaks: carried along */
    wr_opaque(w, 2, some(9));
    wr_close(w, list, 2);
}

void build_client_hello(struct client_hello *ch)
{
    static const uint8_t suites[] = { 0x0a, 0x0a, 0x13, 1, 0x13, 2, 0xc0, 0x2b, 0, 0xff }, methods[] = { 1, 0 };
    *ch = (struct client_hello){ .legacy_version = VERSION_TLS_1_2, .random = some(32), .legacy_session_id = some(32),
                                 .cipher_suites = SPAN_OF(suites), .legacy_compression_methods = SPAN_OF(methods),
                                 .has_extensions = true };
    add_all(&ch->exts, IN_CH, false);
    ch->exts.padding = 57;
}

static void hellos(struct wr *w, unsigned which)
{
    struct server_hello sh = { .legacy_version = VERSION_TLS_1_2, .random = some(32), .legacy_session_id_echo = some(32),
                               .cipher_suite = SUITE_TLS_AES_128_GCM_SHA256, .has_extensions = true };
    enum ext_in in = which == 2 ? IN_HRR : IN_SH;
    if (in == IN_HRR)
        sh.random = SPAN_OF(hello_retry_random);
    add_all(&sh.exts, in, which == 1);
    server_hello_write(w, &sh, in);
}

static void certificates(struct wr *w)
{
    struct exts e = { .n_seen = 0 };
    add_all(&e, IN_CT, false);
    struct certificate c = { .certificate_request_context = some(4), .n = LIMIT_CHAIN };
    for (unsigned i = 0; i < c.n; i++)
        c.entries[i].cert_data = some(100 + i);
    c.entries[0].have = e.have;
    ext_set_remove(&c.entries[0].have, X_TLS_FLAGS);
    c.entries[0].ocsp_response = e.ocsp_response;
    c.entries[0].sct_list = e.sct_list;
    c.entries[0].dc = e.dc;
    c.entries[0].trust_anchors = e.trust_anchors;
    certificate_write(w, &c);
}

/* Writes the body of specimen `name`. */
static bool body(struct wr *w, const char *kind)
{
    struct exts e = { .n_seen = 0 };
    if (!strcmp(kind, "client_hello")) {
        struct client_hello ch;
        build_client_hello(&ch);
        client_hello_write(w, &ch);
    } else if (!strcmp(kind, "server_hello")) {
        hellos(w, 0);
    } else if (!strcmp(kind, "server_hello12")) {
        hellos(w, 1);
    } else if (!strcmp(kind, "hello_retry_request")) {
        hellos(w, 2);
    } else if (!strcmp(kind, "encrypted_extensions")) {
        uint8_t configs[256];
        struct wr list = wr_into(configs, sizeof configs);
        config_list_write(&list);
        add_all(&e, IN_EE, false);
        e.ech_retry_configs = wr_done(&list);
        encrypted_extensions_write(w, &(struct encrypted_extensions){ e });
    } else if (!strcmp(kind, "certificate_request")) {
        add_all(&e, IN_CR, false);
        certificate_request_write(w, &(struct certificate_request){ some(16), e });
    } else if (!strcmp(kind, "certificate")) {
        certificates(w);
    } else if (!strcmp(kind, "raw_public_key12")) {
        raw_public_key12_write(w, &(struct certificate){ .n = 1, .entries[0].cert_data = some(91) });
    } else if (!strcmp(kind, "compressed_certificate")) {
        compressed_certificate_write(w, &(struct compressed_certificate){ CERT_COMP_brotli, 3000, some(900) });
    } else if (!strcmp(kind, "new_session_ticket")) {
        add_all(&e, IN_NST, false);
        new_session_ticket_write(w, &(struct new_session_ticket){ 7200, 0xdeadbeef, some(8), some(190), e });
    } else if (!strcmp(kind, "certificate_status")) {
        certificate_status_write(w, &(struct certificate_status){ STATUS_TYPE_ocsp, some(471) });
    } else if (!strcmp(kind, "ech_config_list")) {
        config_list_write(w);
    } else if (!strcmp(kind, "alert")) {
        alert_write(w, &(struct alert_message){ ALERT_LEVEL_fatal, 40 });
    } else {
        return !strcmp(kind, "hello_request");
    }
    return true;
}

size_t build_all(struct specimen *out, size_t n)
{
    static uint8_t bytes[16384];
    for (size_t i = 0; i < wire_kinds_n; i++) {
        const struct wire_kind *k = &wire_kinds[i];
        struct wr w = wr_into(bytes, sizeof bytes);
        size_t mark = k->msg_type < 0 ? 0 : message_begin(&w, (uint8_t)k->msg_type);
        if (!body(&w, k->name))
            continue;
        if (k->msg_type >= 0)
            message_end(&w, mark);
        if (!wr_ok(&w) || n == SPECIMENS_MAX)
            test_fail("%s: cannot be made", k->name);
        char name[80];
        snprintf(name, sizeof name, "%s-made", k->name);
        specimen_add(&out[n++], name, k->name, bytes, w.n);
    }
    return n;
}
