/* authority.c - the authority of a folder: loading it, and what it may sign.
 *
 * Must never sign for a name that troth would refuse it for, nor with a key that is another authority's. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <troth/verify.h>
#include <unistd.h>

#include "ca/ca.h"
#include "common/target.h"
#include "common/tty.h"

bool authority_is_there(struct ca *r, const char *cert_path)
{
    if (!access(cert_path, F_OK))
        return true;
    bool out = args_has(r->a, OPT_OUT), none = errno == ENOENT;
    complain(r->a, EXIT_FILE, "%s: %s%s%s%s", cert_path, strerror(errno), none ? "; make an authority first: troth ca init" : "", none && out ? " --out " : "",
             none && out ? r->dir : "");
    return false;
}

/* By troth's own rules; else why not. */
static bool accepts(struct ca *r, const struct authority *ca, const troth_question *q, troth_error *why)
{
    troth_policy_builder *b = troth_policy_new(troth_libcrypto());
    troth_policy_trust_pem(b, troth_pki_pem(r->w, "CERTIFICATE", ca->root.n ? ca->root : ca->cert));
    troth_policy *p = troth_policy_build(b, why);
    troth_report *report = p ? troth_ask(p, q) : NULL;
    if (p)
        *why = *troth_report_error(report);
    bool ok = troth_report_ok(report);
    troth_report_free(report);
    troth_policy_free(p);
    return ok;
}

static int load_pair(struct ca *r, struct authority *ca, const char *cert_path, const char *cert_file, const char *key_path)
{
    int status = ca_read_cert(r, cert_path, &ca->cert, &ca->f);
    if (status == EXIT_OK && !ca->f.ca)
        return complain(r->a, EXIT_FILE, "%s: this is no authority's certificate", cert_path);
    if (status == EXIT_OK && key_path)
        status = ca_load_key(r, key_path, &ca->key);
    if (status != EXIT_OK || !key_path)
        return status;
    if (ca_is_key_of(r, ca->key, &ca->f))
        return EXIT_OK;
    return complain(r->a, EXIT_FILE, "%s: the key is not that of the certificate beside it, %s: they are from two authorities; bring the right one back, or make "
                    "another authority in another folder", key_path, cert_file);
}

int authority_load(struct ca *r, struct authority *ca, bool with_key)
{
    char path[CA_PATH], key_path[CA_PATH];
    troth_cert_facts f;
    troth_error why;
    *ca = (struct authority){ .f = { .size = sizeof ca->f } };
    if (!ca_path(r, path, "ca.pem") || !ca_path(r, key_path, "ca-key.pem"))
        return EXIT_USAGE;
    if (!authority_is_there(r, path))
        return EXIT_FILE;
    int status = load_pair(r, ca, path, "ca.pem", with_key ? key_path : NULL);
    if (status != EXIT_OK || ca->f.self_issued)
        return status;
    if (!ca_path(r, path, "root.pem"))
        return EXIT_USAGE;
    if (access(path, F_OK)) /* it is somebody else's */
        return EXIT_OK;
    status = ca_read_cert(r, path, &ca->root, &f);
    troth_question q = { .size = sizeof q, .certs = &ca->cert, .n = 1, .time = ca->f.not_before, .purpose = TROTH_PURPOSE_ANY };
    if (status == EXIT_OK && !accepts(r, ca, &q, &why))
        status = complain(r->a, EXIT_FILE, "%s: it is not the root of ca.pem beside it: %s: %s   [%s]", path, why.text, why.detail, why.code);
    return status;
}

int authority_load_root(struct ca *r, struct authority *root, bool with_key)
{
    char path[CA_PATH], key_path[CA_PATH];
    *root = (struct authority){ .f = { .size = sizeof root->f } };
    if (!ca_path(r, path, "root.pem") || !ca_path(r, key_path, "root-key.pem"))
        return EXIT_USAGE;
    return access(path, F_OK) ? EXIT_OK : load_pair(r, root, path, "root.pem", !with_key || access(key_path, F_OK) ? NULL : key_path);
}

int authority_load_all(struct ca *r, struct issuers *by, bool with_keys)
{
    int status = authority_load(r, &by->all[0], with_keys);
    by->n = status == EXIT_OK && by->all[0].root.n ? 2 : 1;
    return by->n > 1 ? authority_load_root(r, &by->all[1], with_keys) : status;
}

troth_span authority_chain(struct ca *r, const struct authority *ca, troth_span cert)
{
    troth_span leaf = troth_pki_pem(r->w, "CERTIFICATE", cert), above = troth_pki_pem(r->w, "CERTIFICATE", ca->cert);
    uint8_t *both = leaf.n && above.n && r->n_held < CA_HELD ? malloc(leaf.n + above.n) : NULL;
    if (ca->f.self_issued)
        return free(both), leaf;
    if (!both)
        return (troth_span){ NULL, 0 };
    memcpy(both, leaf.p, leaf.n);
    memcpy(both + leaf.n, above.p, above.n);
    r->held[r->n_held++] = both;
    return (troth_span){ both, leaf.n + above.n };
}

bool authority_may(struct ca *r, const struct authority *ca, troth_span cert, const char *name, int64_t at, bool client)
{
    troth_error why;
    char host[300];
    bool ip = target_is_address(name);
    troth_question q = { .size = sizeof q, .certs = (troth_span[]){ cert, ca->cert }, .n = 2, .time = at,
                         .purpose = client ? TROTH_PURPOSE_CLIENT : TROTH_PURPOSE_SERVER };
    snprintf(host, sizeof host, "%s%s", !strncmp(name, "*.", 2) ? "x" : "", !strncmp(name, "*.", 2) ? name + 1 : name);
    if (!client && !strchr(name, '@') && !strstr(name, "://")) {
        q.host = ip ? NULL : host;
        q.ip = ip ? host : NULL;
    }
    if (accepts(r, ca, &q, &why))
        return true;
    complain(r->a, EXIT_USAGE, "this authority cannot issue for %s: %s: %s   [%s]", name, why.text, why.detail, why.code);
    return false;
}

/* "client", "server", "authority": the first of the things that it may be used for. */
static const char *kind_of(struct ca *r, const struct authority *ca, troth_span cert, const troth_cert_facts *f, troth_error *why)
{
    troth_question q = { .size = sizeof q, .certs = (troth_span[]){ cert, ca->cert }, .n = 2, .time = f->not_before, .purpose = TROTH_PURPOSE_SERVER };
    if (q.time < ca->f.not_before)
        q.time = ca->f.not_before;
    if (accepts(r, ca, &q, why))
        return "server";
    q.purpose = TROTH_PURPOSE_CLIENT;
    if (!f->ca && accepts(r, ca, &q, why))
        return "client";
    q.purpose = TROTH_PURPOSE_ANY;
    return accepts(r, ca, &q, why) ? "authority" : NULL;
}

static int take_id(void *id, const struct record *c)
{
    *(int64_t *)id = c->id;
    return EXIT_OK;
}

int authority_record(struct ca *r, const struct authority *ca, const char *path, troth_span cert, int64_t *id)
{
    troth_cert_facts f;
    troth_error why;
    struct record c;
    char *names = NULL;
    int status = record_from(r, ca, cert, &c, &names, &f);
    struct record_query q = { .issuer = { ca->f.spki_sha256, 32 }, .sha256 = { f.sha256, 32 } };
    *id = 0;
    if (status == EXIT_OK)
        status = records_each(r->records, &q, take_id, id);
    if (status == EXIT_OK && !*id) {
        bool itself = !memcmp(f.sha256, ca->f.sha256, sizeof f.sha256);
        c.kind = itself ? NULL : kind_of(r, ca, cert, &f, &why);
        if (itself)
            status = complain(r->a, EXIT_USAGE, "%s: this is the authority itself: no list of its own can revoke it, and it issues nothing for itself", path);
        else if (!c.kind)
            status = complain(r->a, EXIT_USAGE, "%s: this authority did not issue it: %s: %s   [%s]", path, why.text, why.detail, why.code);
        else if ((status = records_add(r->records, &c)) == EXIT_OK)
            status = records_each(r->records, &q, take_id, id);
    }
    free(names);
    return status;
}

int record_from(struct ca *r, const struct authority *ca, troth_span cert, struct record *out, char **names, troth_cert_facts *f)
{
    *f = (troth_cert_facts){ .size = sizeof *f };
    *names = NULL;
    if (!troth_pki_cert(r->w, cert, f))
        return ca_failed(r);
    json_t *list = json_array();
    for (size_t i = 0; f->names[i]; i++)
        json_array_append_new(list, json_text(f->names[i]));
    *names = json_dumps(list, JSON_COMPACT);
    json_decref(list);
    *out = (struct record){ .issuer = { ca->f.spki_sha256, 32 }, .serial = f->serial_bytes, .spki_sha256 = { f->spki_sha256, 32 },
                            .sha256 = { f->sha256, 32 }, .der = cert, .subject = f->subject, .names = *names,
                            .not_before = f->not_before, .not_after = f->not_after, .made = r->now, .reason = -1 };
    return *names ? EXIT_OK : complain(r->a, EXIT_BUG, "memory ran out");
}
