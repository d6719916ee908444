/* credentials.c - setters for what goes beyond plain certificates: raw public keys, delegated credentials, compression, certificates
 * after the handshake.  Must never touch a builder that already failed. */
#include "api/api.h"

/* ---- raw public keys (RFC 7250) */
void troth_identity_raw_key(troth_builder *b, troth_span key)
{
    if (builder_ok(b))
        (void)!identity_from_raw(b, "troth_identity_raw_key", key);
}

static void keep_types(troth_builder *b, span *out, const uint8_t *types, size_t n, const char *setter)
{
    if (!builder_given(b, types, n, setter))
        return;
    if (!n || n > 2 || (n == 2 && types[0] == types[1]))
        mistake(b, BAD_ARGUMENT, "%s: %zu types", setter, n);
    for (size_t i = 0; i < n && builder_ok(b); i++)
        if (types[i] != TROTH_X509 && types[i] != TROTH_RAW_PUBLIC_KEY)
            mistake(b, BAD_ARGUMENT, "%s: type %u is not one that troth knows", setter, types[i]);
    if (builder_ok(b) && !arena_copy(&b->config.arena, out, span_of(types, n)))
        mistake(b, OUT_OF_MEMORY, "%s", setter);
}

void troth_peer_types(troth_builder *b, const uint8_t *types, size_t n)
{
    if (builder_ok(b))
        keep_types(b, &b->config.peer_types, types, n, "troth_peer_types");
}

void troth_own_types(troth_builder *b, const uint8_t *types, size_t n)
{
    if (builder_ok(b) && b->config.is_server)
        mistake(b, WRONG_ROLE, "troth_own_types is for clients");
    else if (builder_ok(b))
        keep_types(b, &b->config.own_types, types, n, "troth_own_types");
}

/* ---- delegated credentials (RFC 9345) */
void troth_identity_delegated(troth_builder *b, troth_span credential, troth_span key)
{
    struct identity *id = last_identity(b, "troth_identity_delegated");
    if (id)
        (void)!identity_delegate(b, id, "troth_identity_delegated", credential, key);
}

void troth_accept_delegated(troth_builder *b)
{
    if (builder_ok(b))
        b->config.accept_delegated = true;
}

/* ---- compression (RFC 8879) */
void troth_compressors(troth_builder *b, const troth_compressor *list, size_t n)
{
    if (!builder_given(b, list, n, "troth_compressors"))
        return;
    struct config *c = &b->config;
    troth_compressor *copy = arena_array(&c->arena, COMPRESSORS_MAX, sizeof *copy);
    if (n > COMPRESSORS_MAX)
        mistake(b, TOO_MANY, "troth_compressors: more than %d", COMPRESSORS_MAX);
    else if (!copy)
        mistake(b, OUT_OF_MEMORY, "troth_compressors");
    for (size_t i = 0; copy && i < n && builder_ok(b); i++) {
        const troth_compressor *one = list[i].compress || list[i].expand ? &list[i] : compressor_built_in(list[i].id);
        if (one)
            copy[i] = *one;
        else
            mistake(b, BAD_ARGUMENT, "troth_compressors: %s is not built in", name_of(&names_cert_comp, list[i].id));
    }
    c->compressors = copy;
    c->n_compressors = builder_ok(b) ? n : 0;
    c->compressors_given = true;
}

/* ---- after the handshake (RFC 9846 4.7.2) */
void troth_post_handshake_auth(troth_builder *b)
{
    if (builder_ok(b) && b->config.is_server)
        mistake(b, WRONG_ROLE, "troth_post_handshake_auth is for clients");
    else if (builder_ok(b))
        b->config.post_handshake_auth = true;
}
