/* identities.c - see identities.h. */
#include "setup/identities.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <troth/pki.h>

#include "setup/allow.h"

/* "P-256" is EC256, "RSA 2048" RSA2048, "Ed25519" ED25519: the names that other programs put into a PROXY header. */
static void key_name(char *out, size_t cap, const char *key)
{
    bool curve = !strncmp(key, "P-", 2);
    size_t n = curve ? (size_t)snprintf(out, cap, "EC") : 0;
    for (const char *p = curve ? key + 2 : key; *p && n + 1 < cap; p++)
        if (*p != ' ')
            out[n++] = *p >= 'a' && *p <= 'z' ? (char)(*p - 'a' + 'A') : *p;
    out[n] = 0;
}

/* "ECDSA with SHA-256" is ecdsa-with-SHA256, "RSA with SHA-256" RSA-SHA256; others as they are. */
static void signature_name(char *out, size_t cap, const char *signature)
{
    const char *ec = "ECDSA with SHA-", *rsa = "RSA with SHA-";
    if (!strncmp(signature, ec, strlen(ec)))
        snprintf(out, cap, "ecdsa-with-SHA%s", signature + strlen(ec));
    else if (!strncmp(signature, rsa, strlen(rsa)))
        snprintf(out, cap, "RSA-SHA%s", signature + strlen(rsa));
    else
        key_name(out, cap, signature);
}

static void learn(struct identity_facts *i, troth_pki *pki, troth_span der)
{
    troth_cert_facts f = { .size = sizeof f };
    i->certificate = der.n && troth_pki_cert(pki, der, &f);
    troth_pki_go_on(pki);
    if (!i->certificate)
        return;
    i->not_before = f.not_before;
    i->not_after = f.not_after;
    snprintf(i->subject, sizeof i->subject, "%s", f.subject);
    for (size_t k = 0, n = 0; f.names[k] && n < sizeof i->names - 1; k++)
        n += (size_t)snprintf(i->names + n, sizeof i->names - n, "%s%s", n ? "," : "", f.names[k]);
    key_name(i->key, sizeof i->key, f.key);
    signature_name(i->signature, sizeof i->signature, f.signature);
}

static void add(struct identities *s, troth_pki *pki, const char *file, size_t identity, size_t pos, troth_span der)
{
    struct identity_facts *all = realloc(s->all, (s->n + 1) * sizeof *all);
    if (!all)
        return;
    s->all = all;
    all[s->n] = (struct identity_facts){ .file = file, .identity = identity, .pos = pos };
    learn(&all[s->n++], pki, der);
}

void identities_read(struct identities *s, const struct args *a, const troth_server *server, const troth_client *client)
{
    troth_span der;
    troth_pki *pki = troth_pki_new(troth_libcrypto());
    identities_free(s);
    for (size_t i = 0; server ? troth_server_certificate(server, i, &der) : troth_client_certificate(client, i, &der); i++) {
        const char *cert = args_nth(a, OPT_CERT, i);
        add(s, pki, cert ? cert : args_value(a, OPT_RAW_KEY, NULL), i, 0, der);
        for (size_t k = 1; server ? troth_server_chain(server, i, k, &der) : troth_client_chain(client, i, k, &der); k++)
            add(s, pki, cert, i, k, der);
    }
    troth_pki_free(pki);
}

const struct identity_facts *identities_own(const struct identities *s, size_t i)
{
    for (size_t k = 0; k < s->n; k++)
        if (s->all[k].identity == i && !s->all[k].pos)
            return &s->all[k];
    return NULL;
}

void identities_free(struct identities *s)
{
    free(s->all);
    *s = (struct identities){ .n = 0 };
}

bool identities_have(const struct identities *s, const char *name)
{
    char rule[IDENTITY_NAMES], text[300];
    bool any = false;
    snprintf(text, sizeof text, "DNS:%s", name);
    for (size_t i = 0; i < s->n; i++) {
        const struct identity_facts *id = &s->all[i];
        if (id->pos || !id->certificate)
            continue;
        any = true;
        if (strlen(id->names) + sizeof text > sizeof id->names) /* some may be missing */
            return true;
        for (const char *p = id->names; *p; p += p[strcspn(p, ",")] ? strcspn(p, ",") + 1 : strlen(p)) {
            snprintf(rule, sizeof rule, "%.*s", (int)strcspn(p, ","), p);
            if (allow_name(rule, text))
                return true;
        }
    }
    return !any;
}
