/* ech.c - ECHConfigList (RFC 9849 4): read, written, looked at.  Must not judge whether a configuration can be used. */
#include "wire/ech.h"

static void contents_read(struct rd *r, struct ech_config *c)
{
    const uint8_t *from = rd_group_open(r);
    c->config_id = rd_u8(r, "config_id", NULL);
    c->kem_id = rd_u16(r, "kem_id", &names_hpke_kem);
    c->public_key = rd_opaque16(r, "public_key", 1, 0xffff);
    struct rd suites = rd_vec16(r, "cipher_suites", 4, 0xfffc);
    c->cipher_suites = rd_peek(&suites);
    while (rd_more(&suites)) {
        const uint8_t *suite = rd_group_open(&suites);
        rd_u16(&suites, "kdf_id", &names_hpke_kdf);
        rd_u16(&suites, "aead_id", &names_hpke_aead);
        rd_group_close(&suites, "HpkeSymmetricCipherSuite", suite);
    }
    rd_group_close(r, "key_config", from);
    c->maximum_name_length = rd_u8(r, "maximum_name_length", NULL);
    c->public_name = rd_opaque8(r, "public_name", 1, 255);
    struct rd exts = rd_vec16(r, "extensions", 0, 0xffff);
    c->extensions = rd_peek(&exts);
    while (rd_more(&exts)) {
        const uint8_t *ext = rd_group_open(&exts);
        c->has_mandatory |= rd_u16(&exts, "type", NULL) >> 15;
        rd_opaque16(&exts, "data", 0, 0xffff);
        rd_group_close(&exts, "ECHConfigExtension", ext);
    }
    rd_end(r, "ECHConfigContents");
}

static void config_read(struct rd *list, struct ech_config *c)
{
    span from = rd_peek(list);
    const uint8_t *group = rd_group_open(list);
    c->version = rd_u16(list, "version", NULL);
    if (rd_ok(list) && c->version == ECH_VERSION) {
        struct rd contents = rd_vec16(list, "contents", 0, 0xffff);
        contents_read(&contents, c);
    } else {
        rd_opaque16(list, "contents", 0, 0xffff);
    }
    c->raw = span_slice(from, 0, from.n - rd_left(list));
    rd_group_close(list, "ECHConfig", group);
}

bool ech_config_list_read(struct ech_config_list *l, struct rd *r)
{
    *l = (struct ech_config_list){ .n = 0 };
    struct rd list = rd_vec16(r, "ECHConfigList", 4, 0xffff);
    while (rd_more(&list)) {
        struct ech_config c = { 0 };
        config_read(&list, &c);
        if (rd_ok(&list) && l->n < LIMIT_ECH_CONFIGS)
            l->configs[l->n++] = c;
    }
    rd_end(r, "ECHConfigList");
    return rd_ok(r);
}

void ech_config_write(struct wr *w, const struct ech_config *c)
{
    wr_u16(w, ECH_VERSION);
    size_t contents = wr_open(w, 2);
    wr_u8(w, c->config_id);
    wr_u16(w, c->kem_id);
    wr_opaque(w, 2, c->public_key);
    wr_opaque(w, 2, c->cipher_suites);
    wr_u8(w, c->maximum_name_length);
    wr_opaque(w, 1, c->public_name);
    wr_opaque(w, 2, c->extensions);
    wr_close(w, contents, 2);
}

bool ech_config_has_suite(const struct ech_config *c, uint16_t kdf_id, uint16_t aead_id)
{
    for (size_t i = 0; i + 1 < u16s_count(c->cipher_suites); i += 2)
        if (u16s_at(c->cipher_suites, i) == kdf_id && u16s_at(c->cipher_suites, i + 1) == aead_id)
            return true;
    return false;
}

static bool is_letter_or_digit(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* RFC 9849 6.1.7: a label of LDH, neither beginning nor ending with a hyphen. */
static bool label_ok(span label)
{
    if (!label.n || label.n > LIMIT_DNS_LABEL || label.p[0] == '-' || label.p[label.n - 1] == '-')
        return false;
    for (size_t i = 0; i < label.n; i++)
        if (!is_letter_or_digit(label.p[i]) && label.p[i] != '-')
            return false;
    return true;
}

/* Would a WHATWG host parser take a name that ends in this label for an IPv4 address?  Digits only, or 0x and hexadecimal digits. */
static bool label_is_numeric(span label)
{
    bool hex = label.n >= 2 && label.p[0] == '0' && (label.p[1] | 0x20) == 'x';
    for (size_t i = hex ? 2 : 0; i < label.n; i++) {
        uint8_t c = label.p[i], low = c | 0x20;
        if (!(c >= '0' && c <= '9') && !(hex && low >= 'a' && low <= 'f'))
            return false;
    }
    return true;
}

bool ech_public_name_ok(span name)
{
    span label = { name.p, 0 };
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] != '.') {
            label.n++;
            continue;
        }
        TRY(label_ok(label));
        label = (span){ name.p + i + 1, 0 };
    }
    return label_ok(label) && !label_is_numeric(label) && name.n <= LIMIT_HOST_NAME;
}
