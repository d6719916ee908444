/* sct.c - reading SCT lists and verifying what a log signed.
 *
 * The certificate that a log saw is put together again from parts of ours, without copying: everything but the list of SCTs itself
 * (RFC 6962 3.2).  Must never count one log twice. */
#include "x509/sct.h"

#include "base/limits.h"
#include "base/wr.h"
#include "crypto/provider.h"
#include "x509/oid.h"

static void sha256(const troth_provider *crypto, uint8_t out[TROTH_DIGEST_MAX], span s)
{
    _Alignas(16) uint8_t state[TROTH_HASH_STATE_MAX];
    const troth_hash *h = provider_hash(crypto, TROTH_SHA256);
    memset(out, 0, TROTH_DIGEST_MAX);
    if (!h)
        return;
    h->begin(state);
    h->add(state, s.p, s.n);
    h->peek(state, out);
}

bool ct_log_init(struct ct_log *log, const troth_provider *crypto, span spki, const char *name)
{
    uint8_t digest[TROTH_DIGEST_MAX];
    *log = (struct ct_log){ .name = name };
    TRY(spki_read(&log->key, spki, NULL, NULL));
    sha256(crypto, digest, spki);
    memcpy(log->id, digest, sizeof log->id);
    return log->key.key.type == TROTH_KEY_P256 || log->key.key.type == TROTH_KEY_RSA;
}

/* ---- reading */

static void sct_read(struct sct *s, struct rd *list)
{
    span raw = rd_opaque16(list, "SerializedSCT", 1, 0xffff);
    *s = (struct sct){ .raw = raw };
    if (!rd_ok(list))
        return;
    struct rd r = rd_init(list->ctx, raw);
    s->version = rd_u8(&r, "sct_version", NULL);
    if (s->version != 0) {
        rd_rest(&r, "sct");
        return;
    }
    s->log_id = rd_bytes(&r, "id", 32);
    s->timestamp = rd_u64(&r, "timestamp");
    s->extensions = rd_opaque16(&r, "extensions", 0, 0xffff);
    s->hash_alg = rd_u8(&r, "hash", NULL);
    s->sig_alg = rd_u8(&r, "signature", NULL);
    s->signature = rd_opaque16(&r, "signature", 0, 0xffff);
    rd_end(&r, "SignedCertificateTimestamp");
}

bool scts_open(span bytes, span *list, const struct witness *witness, troth_error *error)
{
    struct holder {
        troth_error error;
    } h = { { 0 } };
    struct rd_ctx ctx;
    rd_ctx_init(&ctx, bytes, witness);
    struct rd all = rd_init(&ctx, bytes), l = rd_vec(&all, "sct_list", 2, 1, 0xffff);
    rd_end(&all, "SignedCertificateTimestampList");
    *list = rd_peek(&l);
    unsigned n = 0;
    for (struct sct s; rd_more(&l); n++)
        sct_read(&s, &l);
    if (rd_ok(&all) && n > LIMIT_SCTS)
        rd_fail(&all, "sct_list", TROTH_R_TOO_MANY);
    if (rd_ok(&all))
        return true;
    fail_read(&h, "SignedCertificateTimestampList", &all);
    *error = h.error;
    return false;
}

bool sct_next(span *list, struct sct *s)
{
    if (!list->n)
        return false;
    struct rd_ctx ctx;
    rd_ctx_init(&ctx, *list, NULL);
    struct rd r = rd_init(&ctx, *list);
    sct_read(s, &r);
    *list = rd_peek(&r);
    return rd_ok(&r);
}

void sct_list_write(struct wr *w, const span *scts, size_t n)
{
    size_t m = wr_open(w, 2);
    for (size_t i = 0; i < n; i++)
        wr_opaque(w, 2, scts[i]);
    wr_close(w, m, 2);
}

/* ---- what the log signed */

enum { PARTS_MAX = 8, HEADS_MAX = 96 };

struct signed_entry {
    span    part[PARTS_MAX];
    size_t  n;
    uint8_t head[HEADS_MAX]; /* bytes that are ours: fields of the struct, tags and lengths */
    struct wr w;
};

/* Writes collect in `head` until the next borrowed part. */
static void add_part(struct signed_entry *e, size_t from, span borrowed)
{
    e->part[e->n++] = span_of(e->head + from, e->w.n - from);
    if (borrowed.n)
        e->part[e->n++] = borrowed;
}

static size_t der_head(struct wr *w, uint8_t tag, size_t n)
{
    size_t before = w->n, bytes = n < 0x80 ? 0 : n < 0x100 ? 1 : n < 0x10000 ? 2 : 3;
    wr_u8(w, tag);
    if (bytes)
        wr_u8(w, (uint8_t)(0x80 | bytes));
    wr_uint(w, n, bytes ? bytes : 1);
    return w->n - before;
}

static size_t der_head_n(uint8_t tag, size_t n)
{
    struct wr w = wr_measure();
    return der_head(&w, tag, n);
}

static void begin_entry(struct signed_entry *e, const struct sct *s, uint16_t type)
{
    e->n = 0;
    e->w = wr_into(e->head, sizeof e->head);
    wr_u8(&e->w, 0); /* sct_version v1                     */
    wr_u8(&e->w, 0); /* signature_type certificate_timestamp */
    wr_uint(&e->w, s->timestamp, 8);
    wr_u16(&e->w, type);
}

static void end_entry(struct signed_entry *e, const struct sct *s)
{
    size_t from = e->w.n;
    wr_u16(&e->w, (uint16_t)s->extensions.n);
    add_part(e, from, s->extensions);
}

/* x509_entry: the certificate as it is. */
static bool whole_entry(struct signed_entry *e, const struct sct *s, const struct cert *c)
{
    begin_entry(e, s, 0);
    wr_u24(&e->w, (uint32_t)c->raw.n);
    add_part(e, 0, c->raw);
    end_entry(e, s);
    return wr_ok(&e->w);
}

/* precert_entry: the issuer's key, and tbsCertificate without the list of SCTs. */
static bool precert_entry(struct signed_entry *e, const struct sct *s, const struct cert *c, const uint8_t issuer_key_hash[32])
{
    struct extension x;
    bool bad = false, found = false;
    for (span list = c->extensions; extension_next(&list, &x, &bad);)
        if (oid_is(x.oid, OID_CT_SCTS)) {
            found = true;
            break;
        }
    TRY(found && !bad);
    span before = span_of(c->extensions.p, (size_t)(x.raw.p - c->extensions.p));
    const uint8_t *behind = x.raw.p + x.raw.n;
    span after = span_of(behind, (size_t)(c->extensions.p + c->extensions.n - behind));
    size_t list_n = before.n + after.n, outer_n = list_n ? list_n + der_head_n(0x30, list_n) : 0;
    size_t ext_n = outer_n ? outer_n + der_head_n(0xa3, outer_n) : 0;
    /* the fields before [3] */
    size_t old_list = c->extensions.n, old_outer = old_list + der_head_n(0x30, old_list);
    size_t old_ext = old_outer + der_head_n(0xa3, old_outer);
    struct rd_ctx ctx;
    rd_ctx_init(&ctx, c->tbs, NULL);
    struct rd all = rd_init(&ctx, c->tbs), tbs = der_open(&all, "tbsCertificate", DER_SEQUENCE);
    TRY(rd_ok(&tbs) && rd_left(&tbs) > old_ext);
    span fields = span_of(tbs.at, rd_left(&tbs) - old_ext);
    size_t tbs_n = fields.n + ext_n;

    begin_entry(e, s, 1);
    wr_raw(&e->w, issuer_key_hash, 32);
    wr_u24(&e->w, (uint32_t)(tbs_n + der_head_n(0x30, tbs_n)));
    der_head(&e->w, 0x30, tbs_n);
    add_part(e, 0, fields);
    if (ext_n) {
        size_t from = e->w.n;
        der_head(&e->w, 0xa3, outer_n);
        der_head(&e->w, 0x30, list_n);
        add_part(e, from, before);
        if (after.n)
            e->part[e->n++] = after;
    }
    end_entry(e, s);
    return wr_ok(&e->w);
}

/* ---- judging */

struct work {
    const struct sct_question *q;
    struct sct_answer         *a;
    uint8_t                    issuer_key_hash[TROTH_DIGEST_MAX];
};

static const struct ct_log *log_of(const struct sct_question *q, span id)
{
    for (size_t i = 0; i < q->n_logs; i++)
        if (span_equal(id, SPAN_OF(q->logs[i].id)))
            return &q->logs[i];
    return NULL;
}

static enum troth_reason judge(struct work *w, struct sct_verdict *v)
{
    const struct sct_question *q = w->q;
    const struct sct *s = &v->sct;
    struct signed_entry e;
    if (s->version != 0)
        return TROTH_R_SCT_MALFORMED;
    v->log = log_of(q, s->log_id);
    if (!v->log)
        return TROTH_R_SCT_UNKNOWN_LOG;
    if (s->timestamp / 1000 > (uint64_t)(q->now > 0 ? q->now : 0))
        return TROTH_R_SCT_FUTURE;
    bool rsa = v->log->key.key.type == TROTH_KEY_RSA;
    if (s->hash_alg != 4 || s->sig_alg != (rsa ? 1 : 3)) /* RFC 6962 2.1.4 */
        return TROTH_R_SCT_SIGNATURE;
    if (!(v->source == SCT_IN_CERT ? precert_entry(&e, s, q->cert, w->issuer_key_hash) : whole_entry(&e, s, q->cert)))
        return TROTH_R_SCT_MALFORMED;
    if (w->a->signatures == q->max_signatures)
        return TROTH_R_CHAIN_BUDGET;
    w->a->signatures++;
    troth_verify_job job = { .sig = rsa ? TROTH_SIG_RSA_PKCS1_SHA256 : TROTH_SIG_ECDSA_SHA256, .key = &v->log->key.key,
                             .parts = e.part, .n_parts = e.n, .signature = s->signature };
    q->crypto->verify(q->crypto->self, &job, 1);
    return job.good ? TROTH_R_NONE : TROTH_R_SCT_SIGNATURE;
}

static void count(struct sct_answer *a, const struct sct_verdict *v)
{
    if (v->why != TROTH_R_NONE)
        return;
    for (unsigned i = 0; i < a->n; i++)
        if (a->v[i].why == TROTH_R_NONE && a->v[i].log == v->log)
            return;
    a->good_logs++;
    if ((int64_t)(v->sct.timestamp / 1000) > a->newest)
        a->newest = (int64_t)(v->sct.timestamp / 1000);
}

static void judge_list(struct work *w, span bytes, enum sct_source source)
{
    span list;
    troth_error ignored = { 0 };
    if (!bytes.n)
        return;
    if (!scts_open(bytes, &list, NULL, &ignored)) {
        w->a->why = TROTH_R_SCT_MALFORMED;
        return;
    }
    for (struct sct s; w->a->n < COUNT_OF(w->a->v) && sct_next(&list, &s);) {
        struct sct_verdict v = { .sct = s, .source = source };
        v.why = judge(w, &v);
        count(w->a, &v);
        w->a->v[w->a->n++] = v;
    }
}

void sct_status(struct sct_answer *a, const struct sct_question *q)
{
    memset(a, 0, sizeof *a);
    a->newest = INT64_MIN;
    struct work w = { .q = q, .a = a };
    sha256(q->crypto, w.issuer_key_hash, q->issuer->spki);
    judge_list(&w, q->cert->sct_list, SCT_IN_CERT);
    judge_list(&w, q->in_ocsp, SCT_IN_OCSP);
    judge_list(&w, q->in_tls, SCT_IN_TLS);
}
