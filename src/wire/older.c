/* older.c - the messages of TLS 1.0 to 1.2 that troth does not speak: other key exchanges, other forms (RFC 5246 7.4, RFC 4346 7.4, RFC 8422,
 * RFC 4279, RFC 5489).  Read so that a capture can be told; an engine must never call these. */
#include "wire/msg.h"

#include <string.h>

static bool says(const char *suite, const char *part)
{
    return strstr(suite, part) != NULL;
}

/* "TLS_DHE_PSK_WITH_...": what stands before WITH names the exchange. */
struct key_exchange key_exchange_of(uint16_t suite)
{
    const char *name = name_of(&names_suite, suite);
    struct key_exchange k = { .psk = says(name, "_PSK_WITH_"), .ec = says(name, "_ECDHE_") || says(name, "_ECDH_"),
                              .dh = says(name, "_DHE_") || says(name, "_DH_"), .rsa = says(name, "TLS_RSA_") };
    k.anonymous = says(name, "_anon_WITH_");
    k.known = k.psk || k.ec || k.dh || k.rsa;
    return k;
}

bool key_exchange_is_ours(uint16_t suite, uint16_t version)
{
    struct key_exchange k = key_exchange_of(suite);
    return version == VERSION_TLS_1_2 && k.ec && !k.psk && !k.anonymous;
}

static void ec_params(struct rd *r)
{
    const uint8_t *group = rd_group_open(r);
    if (rd_u8(r, "curve_type", &names_curve_type) == CURVE_TYPE_named_curve) {
        rd_u16(r, "namedcurve", &names_group);
        rd_opaque8(r, "point", 1, 255);
    } else {
        rd_rest(r, "exchange_keys");
    }
    rd_group_close(r, "params", group);
}

static void dh_params(struct rd *r)
{
    const uint8_t *group = rd_group_open(r);
    rd_opaque16(r, "dh_p", 1, 0xffff);
    rd_opaque16(r, "dh_g", 1, 0xffff);
    rd_opaque16(r, "dh_Ys", 1, 0xffff);
    rd_group_close(r, "params", group);
}

bool server_key_exchange_older_read(struct rd *r, uint16_t suite, uint16_t version)
{
    struct key_exchange k = key_exchange_of(suite);
    if (k.psk)
        rd_opaque16(r, "psk_identity_hint", 0, 0xffff);
    if (k.ec)
        ec_params(r);
    else if (k.dh)
        dh_params(r);
    if ((k.ec || k.dh) && !k.psk && !k.anonymous) {
        if (version >= VERSION_TLS_1_2)
            rd_u16(r, "algorithm", &names_scheme);
        rd_opaque16(r, "signature", 0, 0xffff);
    }
    if (!k.known || (k.rsa && !k.psk))
        rd_rest(r, "exchange_keys");
    rd_end(r, "ServerKeyExchange");
    return rd_ok(r);
}

bool client_key_exchange_older_read(struct rd *r, uint16_t suite)
{
    struct key_exchange k = key_exchange_of(suite);
    if (k.psk)
        rd_opaque16(r, "psk_identity", 0, 0xffff);
    if (k.ec)
        rd_opaque8(r, "ecdh_Yc", 1, 255);
    else if (k.dh)
        rd_opaque16(r, "dh_Yc", 1, 0xffff);
    else if (k.rsa)
        rd_opaque16(r, "encrypted_pre_master_secret", 1, 0xffff);
    if (!k.known)
        rd_rest(r, "exchange_keys");
    rd_end(r, "ClientKeyExchange");
    return rd_ok(r);
}

bool certificate_request_older_read(struct rd *r)
{
    rd_u8s(r, "certificate_types", "ClientCertificateType", &names_client_cert, 1, 1, 255);
    struct rd list = rd_vec16(r, "certificate_authorities", 0, 0xffff);
    while (rd_more(&list))
        rd_opaque16(&list, "DistinguishedName", 1, 0xffff);
    rd_end(r, "CertificateRequest");
    return rd_ok(r);
}

bool certificate_verify_older_read(struct rd *r)
{
    rd_opaque16(r, "signature", 0, 0xffff);
    rd_end(r, "CertificateVerify");
    return rd_ok(r);
}
