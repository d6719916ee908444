/* herald.c - see herald.h.  Must never name a client certificate that was not verified. */
#include "serve/herald.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <troth/pki.h>

#include "common/subject.h"

/* ---- names */

void cipher_name(char *out, size_t cap, const char *iana)
{
    static const struct { const char *long_form, *form; } parts[] = {
        { "_WITH_", "-" }, { "AES_128", "AES128" }, { "AES_256", "AES256" }, { "POLY1305_SHA256", "POLY1305" }, { "_", "-" },
    };
    size_t n = 0;
    if (!strstr(iana, "_WITH_")) {
        snprintf(out, cap, "%s", iana);
        return;
    }
    for (const char *p = strncmp(iana, "TLS_", 4) ? iana : iana + 4; *p && n + 8 < cap;) {
        size_t i = 0, count = sizeof parts / sizeof parts[0];
        while (i < count && strncmp(p, parts[i].long_form, strlen(parts[i].long_form)) != 0)
            i++;
        if (i == count) {
            out[n++] = *p++;
            continue;
        }
        n += (size_t)snprintf(out + n, cap - n, "%s", parts[i].form);
        p += strlen(parts[i].long_form);
    }
    out[n] = 0;
}

/* ---- the header */

enum { NAME_MAX_N = 256 };

struct notes { /* what the facts point into */
    char client[NAME_MAX_N], cipher[80], hs[17];
};

static struct announce_text text(const char *s)
{
    return (struct announce_text){ s, strlen(s) };
}

/* Of a client that was let in by its certificate, now or when its session began. */
static void client_name(char *out, size_t cap, const troth_conn *conn)
{
    troth_cert_facts f = { .size = sizeof f };
    troth_span der;
    if (!troth_peer_certificate(conn, &der)) /* a raw public key */
        return;
    troth_pki *pki = troth_pki_new(troth_libcrypto());
    if (troth_pki_cert(pki, der, &f))
        common_name(out, cap, f.subject);
    troth_pki_free(pki);
}

static void describe(struct announce_facts *f, struct notes *n, const struct herald *h)
{
    const troth_facts what = troth_what(h->conn);
    const char *suite = troth_suite_name(what.suite);
    f->tls = true;
    f->alpn = (struct announce_text){ what.alpn.p, what.alpn.n };
    f->authority = (struct announce_text){ what.server_name.p, what.server_name.n };
    f->cert = what.client_authenticated;
    f->cert_now = f->cert && !what.resumed;
    if (f->cert)
        client_name(n->client, sizeof n->client, h->conn);
    f->name = text(n->client);
    f->version = text(what.version == TROTH_TLS13 ? "TLSv1.3" : "TLSv1.2");
    if (suite)
        cipher_name(n->cipher, sizeof n->cipher, suite);
    f->cipher = text(n->cipher);
    (void)troth_hello_name(n->hs, &what);
    f->id = text(n->hs);
    const struct identity_facts *own = h->identities && what.own_identity >= 0 ? identities_own(h->identities, (size_t)what.own_identity) : NULL;
    if (own) {
        f->signature = text(own->signature);
        f->key = text(own->key);
    }
}

size_t herald_words(uint8_t out[ANNOUNCE_WRITE_MAX], int version, const struct herald *h)
{
    struct announce_facts f = { .tls = false };
    struct notes notes = { .hs = "" };
    if (version != 1 && h->conn)
        describe(&f, &notes, h);
    if (version != 1 && !h->conn && h->name) {
        f.authority = text(h->name);
        f.id = text(h->hs);
    }
    if (h->visitor && h->visitor->id_n) /* who comes through several is the same one all the way */
        f.id = (struct announce_text){ h->visitor->id, h->visitor->id_n };
    return announce_write(out, ANNOUNCE_WRITE_MAX, version, h->visitor && h->visitor->ends.family ? &h->visitor->ends : &h->ends, &f);
}
