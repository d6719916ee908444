/* Writes the seeds of the fuzz targets pem, crl, ocsp, sct, csr, describe, key, pkcs12 into DIR/<target>/: bin/pki_seeds DIR */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "support/mkpki.h"
#include "x509/sct.h"

static const char *root_dir;

static void put(const char *target, const char *name, span s)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", root_dir, target);
    mkdir(path, 0777);
    snprintf(path, sizeof path, "%s/%s/%s", root_dir, target, name);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(s.p, 1, s.n, f) != s.n || fclose(f)) {
        perror(path);
        exit(1);
    }
}

static void put_key(struct mk *m, const char *name, const troth_key *k)
{
    uint8_t der[4096];
    size_t n = m->crypto->key_private(k, der, sizeof der);
    span s = span_of(der, n);
    put("key", name, s);
    const char *pem = mk_pem(m, "PRIVATE KEY", &s, 1);
    put("key", "pem", span_of(pem, strlen(pem)));
}

static void write_list(struct wr *w, const void *one)
{
    sct_list_write(w, one, 1);
}

static void put_sct(struct mk *m, const char *name, span cert, span list)
{
    uint8_t *all = arena_alloc(&m->arena, cert.n + list.n + 2);
    struct wr w = wr_into(all, cert.n + list.n + 2);
    wr_opaque(&w, 2, cert);
    wr_span(&w, list);
    put("sct", name, wr_done(&w));
}

static void put_crls(struct mk *m, const struct issue *root)
{
    const struct issue_revoked rows[] = {
        { .serial = MK_SERIAL(5), .when = MK_NOW, .reason = 1, .invalid_since = MK_NOW },
        { .serial = MK_SERIAL(6), .when = MK_NOW, .reason = -1, .issuer = TEXTS("dir:CN=Other") },
    };
    struct issue_crl c = mk_crl_spec(root);
    put("crl", "empty", mk_crl(m, &c));
    c.revoked = rows;
    c.n_revoked = 1;
    put("crl", "one", mk_crl(m, &c));
    c.delta_base = MK_SERIAL(1);
    put("crl", "delta", mk_crl(m, &c));
    c.delta_base = SPAN_NONE;
    const struct issue_dp dp[] = { { .names = TEXTS("URI:http://x/"), .reasons = 2, .crl_issuer = TEXTS("dir:CN=r") } };
    c.n_revoked = 2;
    c.idp = c.indirect = c.only_user = true;
    c.dp = (struct issue_dp){ .names = TEXTS("URI:http://x/"), .reasons = 6 };
    c.freshest = dp;
    c.n_freshest = 1;
    put("crl", "indirect", mk_crl(m, &c));
}

static void put_ocsp(struct mk *m, const struct issue *root, span cert)
{
    const struct issue_single s[] = { { .ca = root, .serial = MK_SERIAL(5), .reason = -1, .this_update = MK_NOW, .next_update = MK_NOW },
                                      { .ca = root, .serial = MK_SERIAL(6), .hash = TROTH_SHA256, .status = OCSP_REVOKED,
                                        .revoked = MK_NOW, .reason = 1, .this_update = MK_NOW } };
    struct issue_ocsp o = { .by = root, .produced = MK_NOW, .singles = s, .n_singles = 1 };
    put("ocsp", "good", mk_ocsp(m, &o));
    o.n_singles = 2;
    o.by_key = true;
    o.nonce = SPAN_TEXT("12345678");
    o.certs = &cert;
    o.n_certs = 1;
    put("ocsp", "two", mk_ocsp(m, &o));
    struct issue_ocsp busy = { .failure = 3 };
    put("ocsp", "busy", mk_ocsp(m, &busy));
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return fprintf(stderr, "pki_seeds DIR\n"), 2;
    root_dir = argv[1];
    struct mk *m = mk_new();
    const troth_key *k = mk_key(m, TROTH_KEY_P256);
    struct issue root = mk_ca("CN=r", k);
    root.permitted = TEXTS("DNS:example", "IP:10.0.0.0/8", "dir:O=x");
    root.policies = TEXTS("1.2.3", "anyPolicy");
    root.mappings = TEXTS("1.2.3=1.2.4");
    root.has_require_explicit = root.has_inhibit_any = true;
    span root_der = mk_cert(m, &root), spki, tbs, sct, list = SPAN_NONE;
    struct issue leaf = mk_leaf(&root, mk_key(m, TROTH_KEY_ED25519), "a.example");
    const struct issue_dp dp[] = { { .names = TEXTS("URI:http://x/") }, { .relative = "OU=y", .reasons = 2 } };
    leaf.cdp = dp;
    leaf.n_cdp = 2;
    leaf.aia = TEXTS("ocsp=http://o/");
    leaf.san = TEXTS("DNS:a.example", "IP:::1", "email:a@b", "URI:x://y", "dir:CN=z", "RID:1.2.3", "other:1.2.3:0c0161");
    leaf.must_staple = true;
    if (!issue_spki(&m->p, &root, &spki) || !issue_tbs(&m->p, &leaf, &tbs))
        return 1;
    struct issue_sct t = { .log = k, .milliseconds = (uint64_t)MK_NOW * 1000, .tbs = tbs, .issuer_spki = spki };
    if (!issue_sct(&m->p, &t, &sct) || !write_out(&m->p, write_list, &sct, "list", &list))
        return 1;
    leaf.sct_list = list;
    span leaf_der = mk_cert(m, &leaf), csr = SPAN_NONE;
    put("describe", "ca", root_der);
    put("describe", "leaf", leaf_der);
    put("describe", "spki", spki);
    put_sct(m, "ca", root_der, list);
    put_sct(m, "leaf", leaf_der, list);
    put_crls(m, &root);
    put_ocsp(m, &root, root_der);
    if (!issue_csr(&m->p, &leaf, &csr))
        return 1;
    put("csr", "leaf", csr);
    put_key(m, "p256", k);
    put_key(m, "ed25519", mk_key(m, TROTH_KEY_ED25519));
    span two[] = { spki, spki };
    const char *pem = mk_pem(m, "PUBLIC KEY", two, 2);
    put("pem", "two", span_of(pem, strlen(pem)));
    put("pem", "der", spki);
    put("pem", "headers", SPAN_TEXT("text\r\n-----BEGIN RSA PRIVATE KEY-----\r\nProc-Type: 4,ENCRYPTED\r\n\r\nMAMCAQE=\r\n-----END RSA PRIVATE KEY-----\r\n"));
    mk_free(m);
    return 0;
}
