/* ech_inner.c - EncodedClientHelloInner and back (RFC 9849 5.1): the session id left out, extensions that the outer ClientHello has too
 * referred to, zeros behind.
 *
 * Expanding copies each extension of the outer hello at most once, in one pass: it cannot amplify (RFC 9849 10.12.4). */
#include "wire/ech.h"

/* Copies what `types` refers to from `outer`.  *at remembers how far outer was searched. */
static bool copy_referred(struct wr *w, struct rd *r, span types, const struct exts *outer)
{
    unsigned at = 0;
    for (size_t i = 0; i < u16s_count(types); i++) {
        uint16_t type = u16s_at(types, i);
        while (at < outer->n_seen && outer->seen[at].type != type)
            at++;
        if (type == EXT_encrypted_client_hello || at == outer->n_seen) {
            rd_refuse_value(r, "OuterExtensions", TROTH_R_ECH_OUTER_REFERENCE, type);
            return false;
        }
        wr_u16(w, type);
        wr_opaque(w, 2, outer->seen[at++].body);
    }
    return true;
}

static bool exts_expand(struct wr *w, struct rd *r, const struct exts *inner, const struct exts *outer)
{
    size_t block = wr_open(w, 2);
    for (unsigned i = 0; i < inner->n_seen; i++) {
        const struct ext_seen *s = &inner->seen[i];
        if (s->row == X_ECH_OUTER_EXTENSIONS) {
            TRY(copy_referred(w, r, inner->ech_outer_extensions, outer));
            continue;
        }
        wr_u16(w, s->type);
        wr_opaque(w, 2, s->body);
    }
    wr_close(w, block, 2);
    return true;
}

/* All that is left must be zeros. */
static void padding_read(struct rd *r)
{
    uint8_t any = 0;
    span zeros = rd_rest(r, "zeros");
    for (size_t i = 0; i < zeros.n; i++)
        any |= zeros.p[i];
    if (rd_ok(r) && any)
        rd_refuse(r, "zeros", TROTH_R_ECH_INNER_PADDING);
}

bool ech_inner_expand(struct wr *w, struct rd *r, const struct client_hello *outer)
{
    struct client_hello inner;
    TRY(client_hello_read_prefix(&inner, r));
    padding_read(r);
    TRY(rd_ok(r));
    if (inner.legacy_session_id.n)
        rd_refuse_value(r, "legacy_session_id", TROTH_R_ECH_INNER_INVALID, inner.legacy_session_id.n);
    TRY(exts_read(&inner.exts, r, IN_CH | IN_INNER, 0, NULL));
    wr_u16(w, inner.legacy_version);
    wr_span(w, inner.random);
    wr_opaque(w, 1, outer->legacy_session_id);
    wr_opaque(w, 2, inner.cipher_suites);
    wr_opaque(w, 1, inner.legacy_compression_methods);
    TRY(exts_expand(w, r, &inner.exts, &outer->exts));
    if (!exts_have(&inner.exts, X_ENCRYPTED_CLIENT_HELLO) || inner.exts.ech.type != ECH_TYPE_inner)
        rd_refuse(r, "encrypted_client_hello", TROTH_R_ECH_INNER_INVALID);
    return rd_ok(r) && wr_ok(w);
}

void ech_inner_encode(struct wr *w, const struct client_hello *inner, const struct ext_set *from_outer, size_t padding)
{
    struct client_hello encoded = *inner;
    uint8_t types[2 * LIMIT_EXTENSIONS_KEPT];
    struct wr list = wr_into(types, sizeof types);
    struct exts *e = &encoded.exts;
    unsigned n = 0, runs = 0;
    bool within = false;
    for (unsigned i = 0; i < inner->exts.n_seen; i++) {
        const struct ext_seen *s = &inner->exts.seen[i];
        bool refer = s->row != X_UNKNOWN && ext_set_has(from_outer, s->row);
        if (refer && !within) {
            runs++;
            e->seen[n++] = (struct ext_seen){ .type = EXT_ech_outer_extensions, .row = X_ECH_OUTER_EXTENSIONS };
        }
        if (refer)
            wr_u16(&list, s->type);
        else
            e->seen[n++] = *s;
        within = refer;
    }
    e->n_seen = (uint8_t)n;
    e->ech_outer_extensions = wr_done(&list);
    encoded.legacy_session_id = SPAN_NONE;
    if (runs > 1)
        w->bad = true;
    client_hello_write(w, &encoded);
    uint8_t *zeros = wr_room(w, padding);
    if (zeros)
        memset(zeros, 0, padding);
}
