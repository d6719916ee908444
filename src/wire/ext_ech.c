/* ext_ech.c - encrypted_client_hello and ech_outer_extensions (RFC 9849 5, 5.1).  Must not know what is encrypted, nor with what. */
#include "wire/ech.h"
#include "wire/ext_rows.h"

static void client_hello_part_read(struct rd *r, struct ech_client_hello *h)
{
    h->type = rd_u8(r, "type", &names_ech_type);
    if (!rd_ok(r) || h->type == ECH_TYPE_inner)
        return;
    if (h->type != ECH_TYPE_outer) {
        rd_refuse_value(r, "type", TROTH_R_ECH_TYPE_UNKNOWN, h->type);
        return;
    }
    const uint8_t *from = rd_group_open(r);
    h->kdf_id = rd_u16(r, "kdf_id", &names_hpke_kdf);
    h->aead_id = rd_u16(r, "aead_id", &names_hpke_aead);
    rd_group_close(r, "cipher_suite", from);
    h->config_id = rd_u8(r, "config_id", NULL);
    h->enc = rd_opaque16(r, "enc", 0, 0xffff);
    h->payload = rd_opaque16(r, "payload", 1, 0xffff);
}

/* Retry configurations must be well-formed, even where they answer GREASE (RFC 9849 6.2.1). */
static void retry_configs_read(struct rd *r, struct exts *e)
{
    struct ech_config_list list = { .n = 0 };
    e->ech_retry_configs = rd_peek(r);
    if (!ech_config_list_read(&list, r))
        e->ech_retry_configs = SPAN_NONE;
}

void ext_ech_read(struct rd *r, struct exts *e, enum ext_in in)
{
    if (in & IN_CH)
        client_hello_part_read(r, &e->ech);
    else if (in & IN_HRR)
        e->ech_confirmation = rd_bytes(r, "confirmation", 8);
    else
        retry_configs_read(r, e);
}

void ext_ech_write(struct wr *w, const struct exts *e, enum ext_in in)
{
    const struct ech_client_hello *h = &e->ech;
    if (in & IN_HRR) {
        wr_span(w, e->ech_confirmation);
    } else if (in & IN_EE) {
        wr_span(w, e->ech_retry_configs);
    } else {
        wr_u8(w, h->type);
        if (h->type == ECH_TYPE_inner)
            return;
        wr_u16(w, h->kdf_id);
        wr_u16(w, h->aead_id);
        wr_u8(w, h->config_id);
        wr_opaque(w, 2, h->enc);
        wr_opaque(w, 2, h->payload);
    }
}

void ext_ech_outer_read(struct rd *r, struct exts *e, enum ext_in in)
{
    (void)in;
    e->ech_outer_extensions = rd_u16s(r, "OuterExtensions", "ExtensionType", &names_extension, 1, 2, 254);
}

void ext_ech_outer_write(struct wr *w, const struct exts *e, enum ext_in in)
{
    (void)in;
    wr_list(w, 1, e->ech_outer_extensions);
}
