/* compressed.c - compressed certificates (RFC 8879).
 *
 * Ours are compressed when the configuration is built.  The peer's say how long they are before they are expanded into exactly that
 * much memory, so a bomb has nowhere to go off.  Must never expand what we did not offer to. */
#include "tls/compressed.h"

#include "tls/flight.h"

enum { HEADER = 4 }; /* of a handshake message */

static const troth_compressor *find(const struct config *cfg, uint16_t id)
{
    for (size_t i = 0; i < cfg->n_compressors; i++)
        if (cfg->compressors[i].id == id)
            return &cfg->compressors[i];
    return NULL;
}

/* ---- ours */
static bool compress_form(span *out, const troth_compressor *how, span message, bool even_larger, struct arena *a)
{
    span body = span_slice(message, HEADER, message.n);
    size_t cap = body.n + body.n / 8 + 1024;
    uint8_t *packed = arena_alloc(a, cap);
    TRY(packed);
    size_t n = how->compress(packed, cap, body);
    if (!n || n > cap || (!even_larger && n >= body.n)) /* many a library's error code is a huge length */
        return true;
    struct compressed_certificate cc = { how->id, (uint32_t)body.n, span_of(packed, n) };
    uint8_t *p = arena_alloc(a, n + 64);
    TRY(p);
    struct wr w = wr_into(p, n + 64);
    size_t mark = message_begin(&w, HS_compressed_certificate);
    compressed_certificate_write(&w, &cc);
    message_end(&w, mark);
    *out = wr_done(&w);
    return wr_ok(&w);
}

bool identity_compress(struct identity *id, const struct config *cfg, struct arena *a)
{
    for (unsigned form = 0; form < FORM_COUNT; form++)
        for (size_t i = 0; id->forms[form].n && i < cfg->n_compressors; i++)
            if (cfg->compressors[i].compress)
                TRY(compress_form(&id->compressed[form][i], &cfg->compressors[i], id->forms[form], cfg->compressors_given, a));
    return true;
}

span compression_choose(struct troth_conn *c, const struct identity *id, unsigned form)
{
    const struct config *cfg = shown_by(c);
    for (size_t i = 0; i < cfg->n_compressors; i++) {
        if (!id->compressed[form][i].n || !u16s_has(c->hs->wanted.compressions, cfg->compressors[i].id))
            continue;
        tell_decision(c, "certificate compression", "the first of ours that the peer can undo (RFC 8879 3)", &names_cert_comp, SPAN_NONE,
                      c->hs->wanted.compressions, cfg->compressors[i].id);
        return id->compressed[form][i];
    }
    return SPAN_NONE;
}

/* ---- the peer's */
bool compression_offer(struct troth_conn *c, struct exts *e)
{
    const struct config *cfg = c->cfg;
    uint8_t *list = arena_array(&c->hs->arena, COMPRESSORS_MAX, 2);
    if (!list)
        return fail(c, OUT_OF_MEMORY, "for a list of compressions");
    struct wr w = wr_into(list, 2 * COMPRESSORS_MAX);
    for (size_t i = 0; i < cfg->n_compressors; i++)
        if (cfg->compressors[i].expand)
            wr_u16(&w, cfg->compressors[i].id);
    e->cert_compression = wr_done(&w);
    if (e->cert_compression.n)
        exts_add(e, X_COMPRESS_CERTIFICATE);
    return true;
}

static bool expand(struct troth_conn *c, const struct compressed_certificate *cc, span *certificate)
{
    const troth_compressor *how = find(c->cfg, cc->algorithm);
    if (!how || !how->expand)
        return fail(c, COMPRESSION_NOT_OFFERED, "%s (%u)", name_of(&names_cert_comp, cc->algorithm), cc->algorithm);
    if (cc->uncompressed_length > c->cfg->most_certificate)
        return fail(c, COMPRESSED_TOO_LARGE, "%u bytes, at most %u are taken", cc->uncompressed_length, c->cfg->most_certificate);
    struct shown *shown = conn_shown(c, cc->uncompressed_length ? cc->uncompressed_length : 1); /* its place when it was judged */
    TRY(shown);
    uint8_t *p = shown->bytes;
    size_t n = how->expand(p, cc->uncompressed_length, cc->compressed_certificate_message);
    if (!n || n != cc->uncompressed_length)
        return fail(c, COMPRESSED_BAD, "%zu bytes of %s should become %u", cc->compressed_certificate_message.n,
                    name_of(&names_cert_comp, cc->algorithm), cc->uncompressed_length);
    *certificate = span_of(p, n);
    return true;
}

bool compression_undo(struct troth_conn *c, const struct message *m, const struct ext_set *asked, span *certificate)
{
    struct compressed_certificate cc = { 0 };
    struct rd_ctx ctx;
    if (!ext_set_has(asked, X_COMPRESS_CERTIFICATE))
        return fail(c, UNEXPECTED_MESSAGE, "CompressedCertificate, which was not offered");
    struct rd r = message_reader(c, &ctx, m);
    if (!compressed_certificate_read(&cc, &r))
        return fail_read(c, "CompressedCertificate", &r);
    return expand(c, &cc, certificate);
}
