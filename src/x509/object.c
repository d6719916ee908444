/* object.c - what an object is: from the label of its PEM block, from the shape of its DER, from the look of the file.
 *
 * Looks at tags only.  Must never be the reason that anything is trusted: the parser of the kind named here decides. */
#include <strings.h>

#include "x509/oid.h"
#include "x509/pem.h"

static const struct kind {
    const char       *text, *code;
    enum troth_reason why; /* of a file that holds it instead of what was wanted */
} kinds[OBJECT_KIND_COUNT] = {
    /* clang-format off */
    [OBJECT_UNKNOWN]             = { "neither PEM nor DER",              "unknown",             TROTH_R_CONFIG_GIBBERISH },
    [OBJECT_EMPTY]               = { "empty",                            "empty",               TROTH_R_CONFIG_EMPTY },
    [OBJECT_TEXT]                = { "text without a PEM block",         "text",                TROTH_R_CONFIG_NO_PEM },
    [OBJECT_HTML]                = { "a web page",                       "html",                TROTH_R_CONFIG_HTML },
    [OBJECT_UTF16]               = { "text in UTF-16",                   "utf-16",              TROTH_R_CONFIG_UTF16 },
    [OBJECT_BASE64]              = { "base64 without BEGIN and END lines", "base64",            TROTH_R_CONFIG_NO_PEM },
    [OBJECT_DER]                 = { "DER of an unknown kind",           "der",                 TROTH_R_CONFIG_UNKNOWN_DER },
    [OBJECT_CERTIFICATE]         = { "a certificate",                    "certificate",         TROTH_R_CONFIG_IS_CERTIFICATE },
    [OBJECT_TRUSTED_CERTIFICATE] = { "a certificate with OpenSSL trust settings", "trusted-certificate", TROTH_R_CONFIG_IS_CERTIFICATE },
    [OBJECT_CSR]                 = { "a certificate request",            "certificate-request", TROTH_R_CONFIG_IS_CSR },
    [OBJECT_CRL]                 = { "a revocation list (CRL)",          "crl",                 TROTH_R_CONFIG_IS_CRL },
    [OBJECT_PRIVATE_KEY]         = { "a private key",                    "private-key",         TROTH_R_CONFIG_IS_KEY },
    [OBJECT_ENCRYPTED_KEY]       = { "an encrypted private key",         "encrypted-private-key", TROTH_R_CONFIG_IS_KEY },
    [OBJECT_RSA_KEY]             = { "an RSA private key",               "rsa-private-key",     TROTH_R_CONFIG_IS_KEY },
    [OBJECT_EC_KEY]              = { "an EC private key",                "ec-private-key",      TROTH_R_CONFIG_IS_KEY },
    [OBJECT_DSA_KEY]             = { "a DSA private key",                "dsa-private-key",     TROTH_R_CONFIG_IS_KEY },
    [OBJECT_PUBLIC_KEY]          = { "a public key",                     "public-key",          TROTH_R_CONFIG_IS_PUBLIC_KEY },
    [OBJECT_RSA_PUBLIC_KEY]      = { "an RSA public key",                "rsa-public-key",      TROTH_R_CONFIG_IS_PUBLIC_KEY },
    [OBJECT_PARAMETERS]          = { "parameters for a key",             "parameters",          TROTH_R_CONFIG_IS_OTHER },
    [OBJECT_PKCS7]               = { "a PKCS#7 file",                    "pkcs7",               TROTH_R_CONFIG_IS_PKCS7 },
    [OBJECT_PKCS12]              = { "a PKCS#12 file",                   "pkcs12",              TROTH_R_CONFIG_IS_PKCS12 },
    [OBJECT_OCSP_RESPONSE]       = { "an OCSP response",                 "ocsp-response",       TROTH_R_CONFIG_IS_OCSP },
    [OBJECT_OCSP_REQUEST]        = { "an OCSP request",                  "ocsp-request",        TROTH_R_CONFIG_IS_OCSP },
    [OBJECT_ECH_CONFIG]          = { "an ECH configuration",             "ech-config",          TROTH_R_CONFIG_IS_OTHER },
    [OBJECT_SSH_KEY]             = { "an OpenSSH private key",           "ssh-private-key",     TROTH_R_CONFIG_IS_SSH },
    [OBJECT_SSH_PUBLIC_KEY]      = { "an OpenSSH public key",            "ssh-public-key",      TROTH_R_CONFIG_IS_SSH },
    [OBJECT_PGP]                 = { "an OpenPGP file",                  "pgp",                 TROTH_R_CONFIG_IS_OTHER },
    [OBJECT_SESSION]             = { "a saved OpenSSL session",          "session",             TROTH_R_CONFIG_IS_OTHER },
    /* clang-format on */
};

static const struct {
    const char      *label;
    enum object_kind kind;
} labels[] = {
    /* clang-format off */
    { "CERTIFICATE",               OBJECT_CERTIFICATE },         { "X509 CERTIFICATE",          OBJECT_CERTIFICATE },
    { "TRUSTED CERTIFICATE",       OBJECT_TRUSTED_CERTIFICATE }, { "CERTIFICATE REQUEST",       OBJECT_CSR },
    { "NEW CERTIFICATE REQUEST",   OBJECT_CSR },                 { "X509 CRL",                  OBJECT_CRL },
    { "CRL",                       OBJECT_CRL },                 { "PRIVATE KEY",               OBJECT_PRIVATE_KEY },
    { "ENCRYPTED PRIVATE KEY",     OBJECT_ENCRYPTED_KEY },       { "RSA PRIVATE KEY",           OBJECT_RSA_KEY },
    { "EC PRIVATE KEY",            OBJECT_EC_KEY },              { "DSA PRIVATE KEY",           OBJECT_DSA_KEY },
    { "PUBLIC KEY",                OBJECT_PUBLIC_KEY },          { "RSA PUBLIC KEY",            OBJECT_RSA_PUBLIC_KEY },
    { "EC PARAMETERS",             OBJECT_PARAMETERS },          { "DH PARAMETERS",             OBJECT_PARAMETERS },
    { "DSA PARAMETERS",            OBJECT_PARAMETERS },          { "X9.42 DH PARAMETERS",       OBJECT_PARAMETERS },
    { "PKCS7",                     OBJECT_PKCS7 },               { "CMS",                       OBJECT_PKCS7 },
    { "PKCS #7 SIGNED DATA",       OBJECT_PKCS7 },               { "PKCS12",                    OBJECT_PKCS12 },
    { "OCSP RESPONSE",             OBJECT_OCSP_RESPONSE },       { "OCSP REQUEST",              OBJECT_OCSP_REQUEST },
    { "ECHCONFIG",                 OBJECT_ECH_CONFIG },          { "OPENSSH PRIVATE KEY",       OBJECT_SSH_KEY },
    { "SSH2 PUBLIC KEY",           OBJECT_SSH_PUBLIC_KEY },      { "SSL SESSION PARAMETERS",    OBJECT_SESSION },
    { "PGP PRIVATE KEY BLOCK",     OBJECT_PGP },                 { "PGP PUBLIC KEY BLOCK",      OBJECT_PGP },
    { "PGP MESSAGE",               OBJECT_PGP },                 { "PGP SIGNED MESSAGE",        OBJECT_PGP },
    /* clang-format on */
};

enum object_kind object_kind_by_label(span label)
{
    for (size_t i = 0; i < COUNT_OF(labels); i++)
        if (strlen(labels[i].label) == label.n && !memcmp(labels[i].label, label.p, label.n))
            return labels[i].kind;
    return OBJECT_UNKNOWN;
}

const char *object_kind_text(enum object_kind k)
{
    return kinds[(unsigned)k < OBJECT_KIND_COUNT ? k : OBJECT_UNKNOWN].text;
}

const char *object_kind_code(enum object_kind k)
{
    return kinds[(unsigned)k < OBJECT_KIND_COUNT ? k : OBJECT_UNKNOWN].code;
}

bool objects_wanted(struct pki_ctx *p, enum object_kind wanted, const struct object *o)
{
    enum object_kind is = o ? o->kind : OBJECT_EMPTY;
    char where[32] = "";
    struct text t = TEXT_IN(where);
    if (o && o->line)
        text_add(&t, " in line %u", (unsigned)o->line);
    if (o && is == OBJECT_UNKNOWN && o->label.n)
        return fail(p, CONFIG_IS_OTHER, "a PEM block \"%.*s\"%s", (int)(o->label.n < 60 ? o->label.n : 60),
                    (const char *)o->label.p, where);
    enum troth_reason why = kinds[(unsigned)is < OBJECT_KIND_COUNT ? is : OBJECT_UNKNOWN].why;
    if (wanted == OBJECT_UNKNOWN)
        return fail_as(p, why, "the file is %s%s", object_kind_text(is), where);
    return fail_as(p, why, "this is %s%s, not %s", object_kind_text(is), where, object_kind_text(wanted));
}

/* ---- by shape */

/* One element: BER too, since PKCS#12 files may be that.  An indefinite length takes all that is left. */
static bool element(span *s, uint8_t *tag, span *content)
{
    TRY(s->n >= 2);
    *tag = s->p[0];
    size_t n = s->p[1], head = 2;
    if (n == 0x80)
        n = s->n - head;
    else if (n > 0x80) {
        size_t bytes = n & 0x7f;
        TRY(bytes <= 4 && s->n >= 2 + bytes);
        for (n = 0; head < 2 + bytes; head++)
            n = n << 8 | s->p[head];
    }
    TRY(n <= s->n - head);
    *content = span_slice(*s, head, n);
    *s = span_slice(*s, head + n, s->n);
    return true;
}

/* The tags of the elements in `s`, as a string of at most `cap` - 1 bytes; false when they are not whole. */
static bool shape_of(span s, char *tags, size_t cap)
{
    size_t n = 0;
    span content;
    for (uint8_t tag = 0; s.n; tags[n++] = (char)tag)
        if (n + 1 == cap || !element(&s, &tag, &content) || !tag)
            break;
    tags[n] = 0;
    return !s.n || n + 1 == cap;
}

static bool is(const char *tags, const char *start)
{
    return !strncmp(tags, start, strlen(start));
}

static enum object_kind kind_of_signed(span tbs)
{
    char t[8];
    shape_of(tbs, t, sizeof t);
    if (t[0] == '\xa0' || is(t, "\x02\x30\x30\x30\x30\x30"))
        return OBJECT_CERTIFICATE;
    if (is(t, "\x02\x30\x30\xa0") || !strcmp(t, "\x02\x30\x30"))
        return OBJECT_CSR;
    const char *v2 = t + (t[0] == '\x02');
    return is(v2, "\x30\x30\x17") || is(v2, "\x30\x30\x18") ? OBJECT_CRL : OBJECT_DER;
}

static enum object_kind kind_of_sequences(const char *t, span body)
{
    uint8_t tag;
    span first, rest = body;
    char in[8];
    if (!element(&rest, &tag, &first))
        return OBJECT_DER;
    shape_of(first, in, sizeof in);
    if (!strcmp(t, "\x30\x30\x03"))
        return kind_of_signed(first);
    if (!strcmp(t, "\x30\x04") && in[0] == '\x06')
        return OBJECT_ENCRYPTED_KEY;
    if (!strcmp(t, "\x30\x03") && in[0] == '\x06')
        return OBJECT_PUBLIC_KEY;
    return !strcmp(t, "\x30") || !strcmp(t, "\x30\xa0") ? OBJECT_OCSP_REQUEST : OBJECT_DER;
}

static enum object_kind kind_of_numbers(const char *t, span body)
{
    uint8_t tag;
    span version, rest = body;
    if (!element(&rest, &tag, &version))
        return OBJECT_DER;
    bool three = version.n == 1 && version.p[0] == 3;
    if (is(t, "\x02\x30\x04"))
        return OBJECT_PRIVATE_KEY;
    if (is(t, "\x02\x30") && three)
        return OBJECT_PKCS12;
    if (is(t, "\x02\x04"))
        return OBJECT_EC_KEY;
    if (is(t, "\x02\x02\x02\x02\x02\x02\x02\x02"))
        return OBJECT_RSA_KEY;
    if (is(t, "\x02\x02\x02\x02\x02\x02"))
        return OBJECT_DSA_KEY;
    return !strcmp(t, "\x02\x02") ? OBJECT_RSA_PUBLIC_KEY : OBJECT_DER;
}

enum object_kind object_kind_of_der(span der)
{
    uint8_t tag;
    span body;
    char t[16];
    if (!element(&der, &tag, &body) || tag != 0x30)
        return OBJECT_UNKNOWN;
    bool whole = shape_of(body, t, sizeof t);
    switch (t[0]) {
    case '\x30': return kind_of_sequences(t, body);
    case '\x02': return kind_of_numbers(t, body);
    case '\x06': return OBJECT_PKCS7;
    case '\x0a': return OBJECT_OCSP_RESPONSE;
    default: return whole ? OBJECT_DER : OBJECT_UNKNOWN;
    }
}

/* ---- by the look of it */

static bool has_word(span s, const char *word)
{
    size_t n = strlen(word);
    for (size_t i = 0; i + n <= s.n; i++)
        if (!strncasecmp((const char *)s.p + i, word, n))
            return true;
    return false;
}

static bool is_text(span s)
{
    size_t odd = 0, n = s.n < 4096 ? s.n : 4096;
    for (size_t i = 0; i < n; i++) {
        if (!s.p[i])
            return false;
        odd += (s.p[i] < 0x20 && !(s.p[i] >= 9 && s.p[i] <= 13)) || s.p[i] == 0x7f;
    }
    return odd * 20 <= n;
}

/* "MII...": a SEQUENCE in base64. */
static bool is_base64(span s)
{
    uint8_t out[48];
    size_t n;
    span start = span_slice(s, 0, 60);
    return s.n >= 60 && s.p[0] == 'M' && s.p[1] == 'I' && base64_decode(out, sizeof out, &n, start) && n >= 40;
}

enum object_kind object_kind_of_file(span file)
{
    size_t blank = 0;
    if (file.n >= 3 && !memcmp(file.p, "\xef\xbb\xbf", 3))
        blank = 3;
    while (blank < file.n && (file.p[blank] == ' ' || (file.p[blank] >= 9 && file.p[blank] <= 13)))
        blank++;
    span s = span_slice(file, blank, file.n);
    if (!s.n)
        return OBJECT_EMPTY;
    enum object_kind k = object_kind_of_der(file);
    if (k != OBJECT_UNKNOWN)
        return k;
    span head = span_slice(s, 0, 1024);
    if (s.p[0] == '<' && (has_word(head, "<html") || has_word(head, "<!doctype") || has_word(head, "<head")))
        return OBJECT_HTML;
    if (has_word(span_slice(s, 0, 12), "ssh-") || has_word(span_slice(s, 0, 12), "ecdsa-sha2-"))
        return OBJECT_SSH_PUBLIC_KEY;
    if (s.n >= 2 && (!memcmp(s.p, "\xff\xfe", 2) || !memcmp(s.p, "\xfe\xff", 2)))
        return OBJECT_UTF16;
    return is_base64(s) ? OBJECT_BASE64 : is_text(s) ? OBJECT_TEXT : OBJECT_UNKNOWN;
}
