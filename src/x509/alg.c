/* alg.c - algorithm identifiers and public keys: OIDs and parameters -> enum troth_sig, troth_public_key.
 *
 * Must never accept parameters other than the standard's for an algorithm it names; what it does not name is
 * NONE, and the checks say so. */
#include "x509/cert.h"
#include "x509/oid.h"

/* what stands behind the OID in an AlgorithmIdentifier */
enum params { PARAMS_ABSENT, PARAMS_NULL, PARAMS_NULL_OR_ABSENT, PARAMS_PSS, PARAMS_CURVE };

/* clang-format off */
static const struct sig_row { enum oid oid; uint8_t sig, params; } sig_rows[] = {
    { OID_SIG_RSA_SHA256,   TROTH_SIG_RSA_PKCS1_SHA256, PARAMS_NULL_OR_ABSENT },   /* RFC 4055 5 */
    { OID_SIG_ECDSA_SHA256, TROTH_SIG_ECDSA_SHA256,     PARAMS_ABSENT },           /* RFC 5758 3.2 */
    { OID_SIG_ECDSA_SHA384, TROTH_SIG_ECDSA_SHA384,     PARAMS_ABSENT },
    { OID_SIG_RSA_SHA384,   TROTH_SIG_RSA_PKCS1_SHA384, PARAMS_NULL_OR_ABSENT },
    { OID_SIG_RSA_SHA512,   TROTH_SIG_RSA_PKCS1_SHA512, PARAMS_NULL_OR_ABSENT },
    { OID_KEY_RSA_PSS,      TROTH_SIG_NONE,             PARAMS_PSS },              /* RFC 4055 3.1 */
    { OID_SIG_ECDSA_SHA512, TROTH_SIG_ECDSA_SHA512,     PARAMS_ABSENT },
    { OID_KEY_ED25519,      TROTH_SIG_ED25519,          PARAMS_ABSENT },           /* RFC 8410 3 */
    { OID_KEY_ED448,        TROTH_SIG_ED448,            PARAMS_ABSENT },
    { OID_KEY_MLDSA44,      TROTH_SIG_MLDSA44,          PARAMS_ABSENT },           /* RFC 9881 */
    { OID_KEY_MLDSA65,      TROTH_SIG_MLDSA65,          PARAMS_ABSENT },
    { OID_KEY_MLDSA87,      TROTH_SIG_MLDSA87,          PARAMS_ABSENT },
    { OID_SIG_RSA_SHA1,     TROTH_SIG_RSA_PKCS1_SHA1,   PARAMS_NULL_OR_ABSENT },   /* known, to be refused by name */
    { OID_SIG_ECDSA_SHA1,   TROTH_SIG_ECDSA_SHA1,       PARAMS_ABSENT },
};

static const struct key_row { enum oid oid; uint8_t type, params; uint16_t point_n, bits; } key_rows[] = {
    { OID_KEY_RSA,     TROTH_KEY_RSA,     PARAMS_NULL,   0,    0   },
    { OID_KEY_EC,      TROTH_KEY_P256,    PARAMS_CURVE,  0,    0   },
    { OID_KEY_RSA_PSS, TROTH_KEY_RSA_PSS, PARAMS_PSS,    0,    0   },
    { OID_KEY_ED25519, TROTH_KEY_ED25519, PARAMS_ABSENT, 32,   256 },
    { OID_KEY_ED448,   TROTH_KEY_ED448,   PARAMS_ABSENT, 57,   456 },
    { OID_KEY_MLDSA44, TROTH_KEY_MLDSA44, PARAMS_ABSENT, 1312, 128 },
    { OID_KEY_MLDSA65, TROTH_KEY_MLDSA65, PARAMS_ABSENT, 1952, 192 },
    { OID_KEY_MLDSA87, TROTH_KEY_MLDSA87, PARAMS_ABSENT, 2592, 256 },
};

static const struct curve_row { enum oid oid; uint8_t type; uint16_t bytes, bits; } curve_rows[] = {
    { OID_CURVE_P256, TROTH_KEY_P256, 32, 256 },
    { OID_CURVE_P384, TROTH_KEY_P384, 48, 384 },
    { OID_CURVE_P521, TROTH_KEY_P521, 66, 521 },
};

static const struct hash_row { enum oid oid; uint8_t pss, n; } hash_rows[] = {
    { OID_HASH_SHA256, TROTH_SIG_RSA_PSS_SHA256, 32 },
    { OID_HASH_SHA384, TROTH_SIG_RSA_PSS_SHA384, 48 },
    { OID_HASH_SHA512, TROTH_SIG_RSA_PSS_SHA512, 64 },
};
/* clang-format on */

/* HashAlgorithm: its row, NULL when it is one that no signature of ours uses. */
static const struct hash_row *hash_read(struct rd *r)
{
    struct rd alg = der_open(r, "hashAlgorithm", DER_SEQUENCE);
    span oid = der_oid(&alg, "algorithm");
    if (rd_more(&alg))
        der_null(&alg, "parameters");
    der_end(&alg, "hashAlgorithm");
    for (size_t i = 0; i < COUNT_OF(hash_rows); i++)
        if (oid_is(oid, hash_rows[i].oid))
            return &hash_rows[i];
    return NULL;
}

/* RSASSA-PSS-params (RFC 4055 3.1).  Every default is SHA-1 or of its kind, so that all of them must be
 * written out to be of use. Returns the signature's number, NONE for hashes that we do not do or do not mix.
 */
static enum troth_sig pss_read(struct rd *r, uint16_t *salt_n)
{
    const struct hash_row *hash = NULL, *mgf_hash = NULL;
    uint64_t salt = 20;
    struct rd p = der_open(r, "parameters", DER_SEQUENCE);
    if (der_next_is(&p, DER_CONTEXT_CONS(0))) {
        struct rd x = der_open(&p, "hashAlgorithm", DER_CONTEXT_CONS(0));
        hash = hash_read(&x);
        der_end(&x, "hashAlgorithm");
    }
    if (der_next_is(&p, DER_CONTEXT_CONS(1))) {
        struct rd x = der_open(&p, "maskGenAlgorithm", DER_CONTEXT_CONS(1));
        struct rd alg = der_open(&x, "maskGenAlgorithm", DER_SEQUENCE);
        bool is_mgf1 = oid_is(der_oid(&alg, "algorithm"), OID_MGF1);
        mgf_hash = hash_read(&alg);
        mgf_hash = is_mgf1 ? mgf_hash : NULL;
        der_end(&alg, "maskGenAlgorithm");
        der_end(&x, "maskGenAlgorithm");
    }
    if (der_next_is(&p, DER_CONTEXT_CONS(2))) {
        struct rd x = der_open(&p, "saltLength", DER_CONTEXT_CONS(2));
        salt = der_small(&x, "saltLength", DER_INTEGER, 512);
        der_end(&x, "saltLength");
    }
    if (der_next_is(&p,
                    DER_CONTEXT_CONS(
                        3))) { /* trailerField DEFAULT 1: no other value exists, so it may not be written */
        der_whole(&p, "trailerField", DER_CONTEXT_CONS(3));
        rd_fail(&p, "trailerField", TROTH_R_DER_VALUE);
    }
    der_end(&p, "parameters");
    if (!rd_ok(&p) || !hash || hash != mgf_hash)
        return TROTH_SIG_NONE;
    *salt_n = salt == hash->n ? 0 : salt == 0 ? TROTH_NO_SALT : (uint16_t)salt;
    return (enum troth_sig)hash->pss;
}

static unsigned salt_bytes(enum troth_sig sig, uint16_t salt_n)
{
    for (size_t i = 0; !salt_n && i < COUNT_OF(hash_rows); i++)
        if (hash_rows[i].pss == sig)
            return hash_rows[i].n;
    return salt_n == TROTH_NO_SALT ? 0 : salt_n;
}

/* RFC 4055 3.3: the same hashes, and a salt that is no shorter. */
bool pss_allows(struct pss_limit limit, enum troth_sig sig, uint16_t salt_n)
{
    return limit.sig == TROTH_SIG_NONE || (limit.sig == sig && salt_bytes(sig, salt_n) >= salt_bytes(sig, limit.salt_n));
}

static bool params_read(struct rd *alg, uint8_t params)
{
    if (params == PARAMS_NULL || (params == PARAMS_NULL_OR_ABSENT && rd_more(alg)))
        der_null(alg, "parameters");
    der_end(alg, "AlgorithmIdentifier");
    return rd_ok(alg);
}

enum troth_sig sig_alg_read(span algorithm, span *oid, uint16_t *salt_n)
{
    struct rd_ctx ctx;
    rd_ctx_init(&ctx, algorithm, NULL);
    struct rd r = rd_init(&ctx, algorithm);
    struct rd alg = der_open(&r, "AlgorithmIdentifier", DER_SEQUENCE);
    *oid = der_oid(&alg, "algorithm");
    *salt_n = 0;
    for (size_t i = 0; i < COUNT_OF(sig_rows); i++) {
        const struct sig_row *row = &sig_rows[i];
        if (!oid_is(*oid, row->oid))
            continue;
        if (row->params != PARAMS_PSS)
            return params_read(&alg, row->params) ? (enum troth_sig)row->sig : TROTH_SIG_NONE;
        enum troth_sig sig = pss_read(&alg, salt_n);
        der_end(&alg, "AlgorithmIdentifier");
        return rd_ok(&alg) ? sig : TROTH_SIG_NONE;
    }
    return TROTH_SIG_NONE;
}

bool sig_oid_known(span oid)
{
    for (size_t i = 0; i < COUNT_OF(sig_rows); i++)
        if (oid_is(oid, sig_rows[i].oid))
            return true;
    return false;
}

/* ---- keys */

static uint32_t bits_of(span n)
{
    uint32_t bits = (uint32_t)n.n * 8;
    for (uint8_t top = n.n ? n.p[0] : 0x80; !(top & 0x80); top = (uint8_t)(top << 1))
        bits--;
    return bits;
}

/* RSAPublicKey (RFC 8017 A.1.1). */
static bool rsa_read(troth_public_key *key, struct rd *bits)
{
    struct rd seq = der_open(bits, "RSAPublicKey", DER_SEQUENCE);
    key->n = der_unsigned(&seq, "modulus");
    key->e = der_unsigned(&seq, "publicExponent");
    der_end(&seq, "RSAPublicKey");
    der_end(bits, "RSAPublicKey");
    TRY(rd_ok(bits) && key->n.n && key->e.n);
    key->bits = bits_of(key->n);
    return true;
}

static bool point_read(troth_public_key *key, struct rd *bits, const struct curve_row *curve)
{
    key->point = rd_rest(bits, "point");
    span p = key->point;
    key->bits = curve->bits;
    return (p.n == 1u + 2u * curve->bytes && p.p[0] == 4) ||
           (p.n == 1u + curve->bytes && (p.p[0] == 2 || p.p[0] == 3));
}

static const struct curve_row *curve_read(struct rd *alg, struct spki *out)
{
    if (der_next_is(alg, DER_SEQUENCE)) { /* specifiedCurve: forbidden by RFC 5480 2.1.1 */
        der_whole(alg, "specifiedCurve", DER_SEQUENCE);
        out->explicit_curve = true;
        return NULL;
    }
    out->curve_oid = der_oid(alg, "namedCurve");
    for (size_t i = 0; i < COUNT_OF(curve_rows); i++)
        if (oid_is(out->curve_oid, curve_rows[i].oid))
            return &curve_rows[i];
    return NULL;
}

/* The key's bytes by its row; false: malformed, or of a curve that we do not know. */
static bool key_read(struct spki *out, const struct key_row *row, const struct curve_row *curve,
                     struct rd *bits)
{
    troth_public_key *key = &out->key;
    key->type = (enum troth_key_type)(curve ? curve->type : row->type);
    if (row->params == PARAMS_CURVE)
        return curve && point_read(key, bits, curve);
    if (!row->point_n)
        return rsa_read(key, bits);
    key->point = rd_rest(bits, "key");
    key->bits = row->bits;
    return key->point.n == row->point_n;
}

/* What stands behind the OID.  RSASSA-PSS without parameters: any hash (RFC 4055 1.2). */
static const struct curve_row *key_params_read(struct spki *out, const struct key_row *row, struct rd *alg)
{
    if (row->params == PARAMS_CURVE)
        return curve_read(alg, out);
    if (row->params == PARAMS_PSS && rd_more(alg)) {
        out->pss.sig = (uint8_t)pss_read(alg, &out->pss.salt_n);
        if (out->pss.sig == TROTH_SIG_NONE)
            out->malformed = true;
    } else if (row->params == PARAMS_NULL) {
        der_null(alg, "parameters");
    }
    return NULL;
}

bool spki_read(struct spki *out, span spki, const uint8_t *base, const struct witness *witness)
{
    struct rd_ctx ctx;
    rd_ctx_init(&ctx, (span){ base ? base : spki.p, 0 }, witness);
    struct rd r = rd_init(&ctx, spki);
    *out = (struct spki){ 0 };
    struct rd seq = der_open(&r, "subjectPublicKeyInfo", DER_SEQUENCE);
    struct rd alg = der_open(&seq, "algorithm", DER_SEQUENCE);
    out->oid = der_oid(&alg, "algorithm");
    const struct key_row *row = NULL;
    for (size_t i = 0; i < COUNT_OF(key_rows) && !row; i++)
        row = oid_is(out->oid, key_rows[i].oid) ? &key_rows[i] : NULL;
    const struct curve_row *curve = row ? key_params_read(out, row, &alg) : NULL;
    if (!row && rd_more(&alg))
        der_any(&alg, "parameters");
    der_end(&alg, "AlgorithmIdentifier");
    struct rd bits = der_open_bits(&seq, "subjectPublicKey");
    out->bits = rd_peek(&bits);
    der_end(&seq, "SubjectPublicKeyInfo");
    der_end(&r, "SubjectPublicKeyInfo");
    bool whole = rd_ok(&r);
    bool known = whole && row && !(row->params == PARAMS_CURVE && !curve);
    if (!known || !key_read(out, row, curve, &bits) || out->malformed) {
        out->malformed = !whole || known;
        out->key = (troth_public_key){ 0 };
        return false;
    }
    return true;
}
