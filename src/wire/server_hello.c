/* server_hello.c - ServerHello and HelloRetryRequest (RFC 9846 4.2.3, 4.2.4; RFC 5246 7.4.1.3), EncryptedExtensions (4.4.1). */
#include "wire/msg.h"

const uint8_t hello_retry_random[32] = { 0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c,
                                         0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb,
                                         0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c };
const uint8_t downgrade_tls12[8] = { 'D', 'O', 'W', 'N', 'G', 'R', 'D', 1 };
const uint8_t downgrade_tls11[8] = { 'D', 'O', 'W', 'N', 'G', 'R', 'D', 0 };

bool server_hello_is_retry(const struct server_hello *sh)
{
    return span_equal(sh->random, SPAN_OF(hello_retry_random));
}

/* The version decides how the rest is read; so one that is there has to be whole before anybody asks for it (RFC 9846 4.3.1). */
static void check_selected_version(struct rd *r, const struct server_hello *sh)
{
    span body = exts_body(&sh->exts, X_SUPPORTED_VERSIONS);
    if (rd_ok(r) && exts_have(&sh->exts, X_SUPPORTED_VERSIONS) && body.n != 2)
        rd_fail_at(r, "selected_version", body.n < 2 ? TROTH_R_SHORT : TROTH_R_TRAILING, (uint32_t)(body.p - r->ctx->base));
}

bool server_hello_read(struct server_hello *sh, struct rd *r)
{
    *sh = (struct server_hello){ 0 };
    sh->legacy_version = rd_u16(r, "legacy_version", &names_version);
    sh->random = rd_bytes(r, "random", 32);
    sh->legacy_session_id_echo = rd_opaque8(r, "legacy_session_id_echo", 0, 32);
    sh->cipher_suite = rd_u16(r, "cipher_suite", &names_suite);
    sh->legacy_compression_method = rd_u8(r, "legacy_compression_method", &names_compression);
    sh->has_extensions = rd_more(r);
    if (sh->has_extensions)
        exts_gather(r, &sh->exts, server_hello_is_retry(sh) ? IN_HRR : IN_SH);
    rd_end(r, "ServerHello");
    check_selected_version(r, sh);
    return rd_ok(r);
}

void server_hello_write(struct wr *w, const struct server_hello *sh, enum ext_in in)
{
    wr_u16(w, sh->legacy_version);
    wr_span(w, sh->random);
    wr_opaque(w, 1, sh->legacy_session_id_echo);
    wr_u16(w, sh->cipher_suite);
    wr_u8(w, sh->legacy_compression_method);
    if (sh->has_extensions)
        exts_write(w, &sh->exts, in);
}

uint16_t server_hello_version(const struct server_hello *sh)
{
    span selected = exts_body(&sh->exts, X_SUPPORTED_VERSIONS);
    return selected.n == 2 ? u16s_at(selected, 0) : sh->legacy_version;
}

bool encrypted_extensions_read(struct encrypted_extensions *ee, struct rd *r, const struct ext_set *asked)
{
    *ee = (struct encrypted_extensions){ 0 };
    exts_gather(r, &ee->exts, IN_EE);
    rd_end(r, "EncryptedExtensions");
    return exts_read(&ee->exts, r, IN_EE, VERSION_TLS_1_3, asked);
}

void encrypted_extensions_write(struct wr *w, const struct encrypted_extensions *ee)
{
    exts_write(w, &ee->exts, IN_EE);
}
