/* credential.c - see credential.h. */
#include "support/credential.h"

#include "support/test.h"
#include "tls/delegated.h"
#include "wire/registry.h"

static span pem_of_key(struct mk *m, const troth_key *key)
{
    uint8_t *der = arena_alloc(&m->arena, 16384);
    span s = span_of(der, m->crypto->key_private(key, der, 16384));
    const char *pem = mk_pem(m, "PRIVATE KEY", &s, 1);
    return span_of(pem, strlen(pem));
}

static void sign(struct mk *m, const troth_key *by, bool of_server, struct delegated_credential *dc, span leaf_der)
{
    uint8_t lead[DELEGATED_LEAD], *signature = arena_alloc(&m->arena, TROTH_SIGNATURE_MAX);
    span parts[DELEGATED_PARTS];
    struct cert leaf;
    troth_error why = { 0 };
    size_t n = 0;
    assert_true(cert_parse(&leaf, leaf_der, NULL, &why));
    delegated_content(parts, lead, of_server, &leaf, dc);
    assert_true(m->crypto->sign(m->crypto->self, by, TROTH_SIG_ECDSA_SHA256, parts, DELEGATED_PARTS, signature, &n));
    dc->signature = span_of(signature, n);
}

static span put(struct mk *m, const struct delegated_credential *dc)
{
    struct exts e = { .dc = *dc };
    uint8_t *p = arena_alloc(&m->arena, 8192);
    struct wr w = wr_into(p, 8192);
    ext_row(X_DELEGATED_CREDENTIAL)->write(&w, &e, IN_CT);
    assert_true(wr_ok(&w));
    return wr_done(&w);
}

struct credential credential_make(struct world *w, struct recipe recipe)
{
    static const uint8_t null[] = { 5, 0 };
    static const struct issue_ext usage = { .oid = "1.3.6.1.4.1.44363.44", .value = { null, sizeof null } };
    struct mk *m = w->mk;
    struct credential made;
    const troth_key *key = mk_key(m, TROTH_KEY_P256);
    struct issue leaf = recipe.of_client ? w->client_leaf : w->leaf;
    leaf.key_usage = recipe.no_usage ? 0 : KU_DIGITAL_SIGNATURE;
    leaf.extra = recipe.may_not ? NULL : &usage;
    leaf.n_extra = !recipe.may_not;
    span der = mk_cert(m, &leaf);
    const char *pem = mk_pem(m, "CERTIFICATE", &der, 1);
    made.chain = span_of(pem, strlen(pem));
    uint8_t *spki = arena_alloc(&m->arena, 1024), *content = arena_alloc(&m->arena, 2048);
    struct delegated_credential dc = { .valid_time = (uint32_t)(MK_NOW - leaf.not_before) + recipe.valid,
                                       .dc_cert_verify_algorithm = recipe.scheme ? recipe.scheme : SCHEME_ecdsa_secp256r1_sha256,
                                       .spki = span_of(spki, m->crypto->key_public(key, spki, 1024)),
                                       .algorithm = SCHEME_ecdsa_secp256r1_sha256 };
    struct wr c = wr_into(content, 2048);
    wr_u32(&c, dc.valid_time);
    wr_u16(&c, dc.dc_cert_verify_algorithm);
    wr_opaque(&c, 3, dc.spki);
    wr_u16(&c, dc.algorithm);
    dc.signed_part = wr_done(&c);
    sign(m, recipe.bad_signature ? key : recipe.of_client ? w->client_key : w->leaf_key, !recipe.of_client != recipe.of_other_role, &dc, der);
    made.credential = put(m, &dc);
    made.key = pem_of_key(m, key);
    return made;
}
