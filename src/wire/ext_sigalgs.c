/* ext_sigalgs.c - signature_algorithms and signature_algorithms_cert (RFC 9846 4.3.3).  Must not drop what it does not know. */
#include "wire/ext_rows.h"

static span schemes_read(struct rd *r)
{
    return rd_u16s(r, "supported_signature_algorithms", "SignatureScheme", &names_scheme, 2, 2, 0xfffe);
}

void ext_sigs_read(struct rd *r, struct exts *e, enum ext_in in)
{
    (void)in;
    e->signature_algorithms = schemes_read(r);
}

void ext_sigs_write(struct wr *w, const struct exts *e, enum ext_in in)
{
    (void)in;
    wr_list(w, 2, e->signature_algorithms);
}

void ext_sigs_cert_read(struct rd *r, struct exts *e, enum ext_in in)
{
    (void)in;
    e->signature_algorithms_cert = schemes_read(r);
}

void ext_sigs_cert_write(struct wr *w, const struct exts *e, enum ext_in in)
{
    (void)in;
    wr_list(w, 2, e->signature_algorithms_cert);
}
