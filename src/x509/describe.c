/* describe.c - the list of facts itself, and how names, keys, algorithms and failures are put into words. */
#include "x509/describe.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"
#include "x509/csr.h"
#include "x509/dn_text.h"
#include "x509/issue.h"
#include "x509/oid.h"

enum { TEXT_MAX = 2048 };

void facts_init(struct facts *f, struct pki_ctx *p, int64_t now)
{
    *f = (struct facts){ .p = p, .now = now };
}

const char *fact_copy(struct facts *f, const char *text)
{
    const char *copy = arena_string(f->p->arena, span_of(text, strlen(text)));
    f->lost = f->lost || !copy;
    return copy ? copy : "";
}

static troth_fact *add(struct facts *f, enum troth_fact_kind kind, const char *key, const char *label)
{
    if (f->n == f->cap) {
        size_t cap = f->cap ? 2 * f->cap : 64;
        troth_fact *v = arena_array(f->p->arena, cap + 1, sizeof *v); /* one more: where rows go when memory ran out */
        if (!v) {
            f->lost = true;
            return f->v ? &f->v[f->cap] : NULL;
        }
        if (f->n)
            memcpy(v, f->v, f->n * sizeof *v);
        f->v = v;
        f->cap = cap;
    }
    f->v[f->n] = (troth_fact){ .kind = kind, .depth = f->depth, .key = key, .label = label ? label : "", .text = "" };
    return &f->v[f->n++];
}

static troth_fact *with_text(struct facts *f, troth_fact *row, const char *text)
{
    if (row)
        row->text = fact_copy(f, text);
    return row;
}

troth_fact *fact_text(struct facts *f, const char *key, const char *label, const char *fmt, ...)
{
    char text[TEXT_MAX];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return with_text(f, add(f, TROTH_FACT_TEXT, key, label), text);
}

troth_fact *fact_number(struct facts *f, const char *key, const char *label, int64_t v)
{
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long)v);
    troth_fact *row = with_text(f, add(f, TROTH_FACT_NUMBER, key, label), text);
    if (row)
        row->number = v;
    return row;
}

troth_fact *fact_bool(struct facts *f, const char *key, const char *label, bool v)
{
    troth_fact *row = add(f, TROTH_FACT_BOOL, key, label);
    if (row) {
        row->number = v;
        row->text = v ? "yes" : "no";
    }
    return row;
}

troth_fact *fact_time(struct facts *f, const char *key, const char *label, int64_t at)
{
    char text[48];
    struct text t = TEXT_IN(text);
    text_time(&t, at);
    troth_fact *row = with_text(f, add(f, TROTH_FACT_TIME, key, label), text);
    if (row)
        row->number = at;
    return row;
}

troth_fact *fact_bytes(struct facts *f, const char *key, const char *label, span s)
{
    size_t cap = 2 * s.n + 1;
    char *p = arena_array(f->p->arena, cap, 1);
    troth_fact *row = add(f, TROTH_FACT_BYTES, key, label);
    f->lost = f->lost || !p;
    if (row && p) {
        struct text t = text_in(p, cap);
        text_hex(&t, s);
        row->text = p;
    }
    return row;
}

void fact_open(struct facts *f, enum troth_fact_kind group_or_list, const char *key, const char *label)
{
    add(f, group_or_list, key, label);
    f->depth++;
}

void fact_close(struct facts *f)
{
    f->depth--;
}

void fact_note(struct facts *f, troth_fact *row, bool warn, const char *fmt, ...)
{
    char text[TEXT_MAX];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (row) {
        row->note = fact_copy(f, text);
        row->warn = warn;
    }
}

/* ---- words */

static void ipv6_show(struct text *t, const uint8_t *p)
{
    unsigned word[8], best = 8, best_n = 1, run = 0;
    for (unsigned i = 0; i < 8; i++) {
        word[i] = (unsigned)(p[2 * i] << 8 | p[2 * i + 1]);
        run = word[i] ? 0 : run + 1;
        if (run > best_n) {
            best_n = run;
            best = i + 1 - run;
        }
    }
    for (unsigned i = 0; i < 8;) {
        if (i == best) {
            text_add(t, "::");
            i += best_n;
            continue;
        }
        text_add(t, "%s%x", i && i != best + best_n ? ":" : "", word[i]);
        i++;
    }
}

static void ip_show(struct text *t, span ip)
{
    size_t n = ip.n == 8 || ip.n == 32 ? ip.n / 2 : ip.n, bits = 0;
    if (n != 4 && n != 16) {
        text_add(t, "#");
        text_hex(t, ip);
        return;
    }
    if (n == 4)
        text_add(t, "%u.%u.%u.%u", ip.p[0], ip.p[1], ip.p[2], ip.p[3]);
    else
        ipv6_show(t, ip.p);
    if (n == ip.n)
        return;
    while (bits < 8 * n && ip.p[n + bits / 8] & (0x80 >> bits % 8))
        bits++;
    bool prefix = true; /* are the rest of the mask's bits zero? */
    for (size_t i = bits; i < 8 * n; i++)
        prefix = prefix && !(ip.p[n + i / 8] & (0x80 >> i % 8));
    if (prefix) {
        text_add(t, "/%zu", bits);
    } else {
        text_add(t, "/#");
        text_hex(t, span_slice(ip, n, n));
    }
}

static void other_name_show(struct text *t, span value)
{
    struct rd_ctx ctx;
    rd_ctx_init(&ctx, value, NULL);
    struct rd r = rd_init(&ctx, value);
    span type = der_oid(&r, "type-id");
    struct rd inner = der_open(&r, "value", DER_CONTEXT_CONS(0));
    struct der_tlv v = der_any(&inner, "value");
    if (!rd_ok(&r)) {
        text_add(t, "#");
        text_hex(t, value);
        return;
    }
    oid_show(t, type);
    text_add(t, "=");
    if (v.tag == DER_UTF8 || v.tag == DER_IA5 || v.tag == DER_PRINTABLE) {
        der_string_text(t, v.tag, v.value);
    } else {
        text_add(t, "#");
        text_hex(t, v.raw);
    }
}

void general_name_show(struct text *t, const struct general_name_item *g)
{
    static const char *const prefix[GN_COUNT] = { "other:", "email:", "DNS:", "X400:", "dir:", "EDI:", "URI:", "IP:", "RID:" };
    text_add(t, "%s", g->kind < GN_COUNT ? prefix[g->kind] : "?:");
    if (g->kind == GN_IP) {
        ip_show(t, g->value);
    } else if (g->kind == GN_DIRECTORY) {
        dn_text(t, g->value);
    } else if (g->kind == GN_REGISTERED_ID) {
        oid_show(t, g->value);
    } else if (g->kind == GN_OTHER) {
        other_name_show(t, g->value);
    } else if (g->kind == GN_X400 || g->kind == GN_EDI) {
        text_add(t, "#");
        text_hex(t, g->value);
    } else {
        text_escaped(t, g->value);
    }
}

void key_show(struct text *t, span spki)
{
    struct spki k;
    bool known = spki_read(&k, spki, NULL, NULL);
    enum oid id = oid_find(k.oid);
    if (known && (k.key.type == TROTH_KEY_RSA || k.key.type == TROTH_KEY_RSA_PSS)) {
        text_add(t, "%s %u", k.key.type == TROTH_KEY_RSA ? "RSA" : "RSA-PSS", (unsigned)k.key.bits);
    } else if (k.curve_oid.n) {
        enum oid curve = oid_find(k.curve_oid);
        if (curve != OID_NONE)
            text_add(t, "%s", oid_words(curve));
        else
            oid_dotted(t, k.curve_oid);
    } else if (id != OID_NONE) {
        text_add(t, "%s", oid_words(id));
    } else {
        oid_dotted(t, k.oid);
    }
    if (k.explicit_curve)
        text_add(t, " with a curve spelled out");
    else if (!known && k.malformed)
        text_add(t, " (malformed)");
}

void sig_alg_show(struct text *t, span sig_alg)
{
    span oid = SPAN_NONE;
    uint16_t salt;
    enum troth_sig sig = sig_alg_read(sig_alg, &oid, &salt);
    enum oid id = oid_find(oid);
    if (id == OID_KEY_RSA_PSS)
        text_add(t, "RSA-PSS%s",
                 sig == TROTH_SIG_RSA_PSS_SHA256   ? " with SHA-256"
                 : sig == TROTH_SIG_RSA_PSS_SHA384 ? " with SHA-384"
                 : sig == TROTH_SIG_RSA_PSS_SHA512 ? " with SHA-512"
                                                   : " with unusual parameters");
    else if (id != OID_NONE)
        text_add(t, "%s", oid_words(id));
    else
        oid_dotted(t, oid);
}

/* ---- facts that several kinds of object share */

void describe_name(struct facts *f, const char *key, const char *label, span name)
{
    char text[TEXT_MAX];
    struct text t = TEXT_IN(text);
    dn_text(&t, name);
    troth_fact *row = fact_text(f, key, label, "%s", text);
    if (name_is_empty(name))
        fact_note(f, row, false, "empty");
}

void describe_fingerprint(struct facts *f, const char *key, const char *label, span of)
{
    span digest;
    if (f->p->crypto && digest_of(f->p, TROTH_SHA256, &of, 1, &digest))
        fact_bytes(f, key, label, digest);
}

static void note_strength(struct facts *f, troth_fact *row, const struct spki *k)
{
    unsigned bits = (unsigned)k->key.bits;
    if (k->key.type == TROTH_KEY_NONE)
        fact_note(f, row, true, "troth does not accept keys of this kind");
    else if ((k->key.type == TROTH_KEY_RSA || k->key.type == TROTH_KEY_RSA_PSS) && bits < 2048)
        fact_note(f, row, true, "too short: 2048 bits are the least that is accepted today");
    else if ((k->key.type == TROTH_KEY_RSA || k->key.type == TROTH_KEY_RSA_PSS) && bits % 8)
        fact_note(f, row, true, "of an odd size: not a multiple of 8");
}

void describe_key(struct facts *f, const char *key, const char *label, span spki)
{
    char text[TEXT_MAX];
    struct text t = TEXT_IN(text);
    struct spki k;
    fact_open(f, TROTH_FACT_GROUP, key, label);
    (void)!spki_read(&k, spki, NULL, NULL);
    key_show(&t, spki);
    note_strength(f, fact_text(f, "type", "type", "%s", text), &k);
    describe_fingerprint(f, "sha256", "SHA-256 of the key", spki);
    if (k.key.type == TROTH_KEY_RSA || k.key.type == TROTH_KEY_RSA_PSS) {
        fact_bytes(f, "modulus", "modulus", k.key.n);
        fact_bytes(f, "exponent", "exponent", k.key.e);
    } else if (k.key.point.n) {
        fact_bytes(f, "point", "public key", k.key.point);
    }
    fact_close(f);
}

void describe_signature(struct facts *f, span sig_alg)
{
    char text[TEXT_MAX];
    struct text t = TEXT_IN(text);
    span oid;
    uint16_t salt;
    enum troth_sig sig = sig_alg_read(sig_alg, &oid, &salt);
    sig_alg_show(&t, sig_alg);
    troth_fact *row = fact_text(f, "signature_algorithm", "signed with", "%s", text);
    if (sig == TROTH_SIG_NONE || sig == TROTH_SIG_RSA_PKCS1_SHA1 || sig == TROTH_SIG_ECDSA_SHA1)
        fact_note(f, row, true, sig ? "SHA-1 is broken: nobody accepts this any more" : "troth does not accept this");
}

void describe_public_key(struct facts *f, span spki)
{
    describe_key(f, "key", "public key", spki);
}

void describe_failure(struct facts *f, const troth_error *e)
{
    if (e->reason == TROTH_R_NONE)
        return;
    fact_open(f, TROTH_FACT_GROUP, "error", "malformed");
    fact_text(f, "code", "code", "%s", e->code);
    troth_fact *row = fact_text(f, "text", "what", "%s", e->text);
    fact_note(f, row, true, "%s", e->detail);
    if (e->field) {
        fact_text(f, "field", "field", "%s", e->field);
        fact_number(f, "at", "at byte", e->at);
    }
    fact_close(f);
}
