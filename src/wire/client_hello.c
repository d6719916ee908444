/* client_hello.c - ClientHello (RFC 9846 4.2.2; RFC 5246 7.4.1.2), and the header that every handshake message has. */
#include "wire/msg.h"

struct rd message_open(struct rd *r, uint8_t *msg_type)
{
    *msg_type = rd_u8(r, "msg_type", &names_handshake);
    uint32_t n = rd_u24(r, "length");
    if (rd_ok(r) && n > rd_left(r))
        rd_fail(r, "length", TROTH_R_SHORT);
    if (rd_ok(r) && n < rd_left(r))
        rd_fail(r, "length", TROTH_R_TRAILING);
    struct rd body = *r;
    r->at = r->end;
    return body;
}

size_t message_begin(struct wr *w, uint8_t msg_type)
{
    wr_u8(w, msg_type);
    return wr_open(w, 3);
}

void message_end(struct wr *w, size_t mark)
{
    wr_close(w, mark, 3);
}

void message_hash_write(struct wr *w, span client_hello1_digest)
{
    size_t mark = message_begin(w, HS_message_hash);
    wr_span(w, client_hello1_digest);
    message_end(w, mark);
}

/* What an ordinary ClientHello and one inside ECH have in common: all but its end. */
static void fields_read(struct client_hello *ch, struct rd *r)
{
    *ch = (struct client_hello){ 0 };
    ch->legacy_version = rd_u16(r, "legacy_version", &names_version);
    ch->random = rd_bytes(r, "random", 32);
    ch->legacy_session_id = rd_opaque8(r, "legacy_session_id", 0, 32);
    ch->cipher_suites = rd_u16s(r, "cipher_suites", "CipherSuite", &names_suite, 2, 2, 0xfffe);
    ch->legacy_compression_methods =
        rd_u8s(r, "legacy_compression_methods", "CompressionMethod", &names_compression, 1, 1, 255);
    ch->has_extensions = rd_more(r);
    if (ch->has_extensions)
        exts_gather(r, &ch->exts, IN_CH);
}

bool client_hello_read(struct client_hello *ch, struct rd *r)
{
    fields_read(ch, r);
    rd_end(r, "ClientHello");
    return rd_ok(r);
}

bool client_hello_read_prefix(struct client_hello *ch, struct rd *r)
{
    fields_read(ch, r);
    return rd_ok(r);
}

bool client_hello_read_all(struct client_hello *ch, struct rd *r)
{
    TRY(client_hello_read(ch, r));
    TRY(exts_read(&ch->exts, r, IN_CH, 0, NULL));
    if (!bytes_have(ch->legacy_compression_methods, COMPRESSION_null))
        rd_fail_at(r, "legacy_compression_methods", TROTH_R_NO_NULL_COMPRESSION,
                   (uint32_t)(ch->legacy_compression_methods.p - r->ctx->base) - 1);
    return rd_ok(r);
}

void client_hello_write(struct wr *w, const struct client_hello *ch)
{
    wr_u16(w, ch->legacy_version);
    wr_span(w, ch->random);
    wr_opaque(w, 1, ch->legacy_session_id);
    wr_opaque(w, 2, ch->cipher_suites);
    wr_opaque(w, 1, ch->legacy_compression_methods);
    if (ch->has_extensions)
        exts_write(w, &ch->exts, IN_CH);
}
