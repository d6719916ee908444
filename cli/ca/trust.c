/* trust.c - troth ca trust, distrust: the authority's root in the stores of the programs of this machine, or out of them again.
 *
 * Must never change a store that was not asked for, nor pass over in silence one that it could not change. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/ca.h"
#include "ca/stores.h"
#include "common/tty.h"

enum how { LOOK, ADD, REMOVE };

struct trusting {
    struct anchor    anchor;
    troth_cert_facts f;
    char             path[CA_PATH];
    bool             bounded;  /* it may not issue for every name */
    struct stores    stores;
};

/* Who has the root's key may issue for every name, unless the root itself says for which. */
static bool is_bounded(struct ca *r, troth_span der)
{
    const troth_object o = { .kind = "certificate", .what = "a certificate", .der = der };
    const troth_fact *facts;
    size_t n = troth_pki_describe(r->w, &o, r->now, NULL, NULL, &facts);
    for (size_t i = 0; i < n; i++)
        if (facts[i].key && !strcmp(facts[i].key, "name_constraints"))
            return true;
    return false;
}

/* root.pem, else ca.pem, which then is a root. */
static int find_root(struct ca *r, struct trusting *t)
{
    struct issuers by;
    int status = authority_load_all(r, &by, false);
    if (status != EXIT_OK)
        return status;
    const struct authority *root = &by.all[by.n - 1];
    if (!root->f.self_issued)
        return complain(r->a, EXIT_FILE, "ca.pem: it was issued by \"%s\", whose certificate, root.pem, is not here: that is what is to be trusted", root->f.issuer);
    if (!ca_path(r, t->path, by.n > 1 ? "root.pem" : "ca.pem"))
        return EXIT_USAGE;
    char hex[CA_HEX];
    t->f = root->f;
    t->bounded = is_bounded(r, root->cert);
    t->anchor = (struct anchor){ .path = t->path, .pem = troth_pki_pem(r->w, "CERTIFICATE", root->cert) };
    snprintf(t->anchor.id, sizeof t->anchor.id, "troth-%.16s", ca_hex(hex, (troth_span){ root->f.sha256, sizeof root->f.sha256 }));
    return t->anchor.pem.n ? EXIT_OK : ca_failed(r);
}

static int find_store(struct ca *r, struct trusting *t, const char *name)
{
    size_t before = t->stores.n;
    for (int k = 0; k < STORE_KINDS; k++)
        if (!strcmp(name, store_names[k])) {
            stores_find(&t->stores, (enum store_kind)k);
            return t->stores.n > before ? EXIT_OK : complain(r->a, EXIT_FILE, "%s: there is no such store here (%s)", name, store_readers[k]);
        }
    return stores_at(&t->stores, name) ? EXIT_OK
                                       : complain(r->a, EXIT_USAGE, "\"%s\" is no store: system, nss or java, the folder of a database of NSS (cert9.db), or a file of Java's", name);
}

/* Those of the operands; else all that are here. */
static int find_stores(struct ca *r, struct trusting *t)
{
    int status = EXIT_OK;
    for (int i = 1; status == EXIT_OK && i < r->a->n_operands; i++)
        status = find_store(r, t, r->a->operands[i]);
    for (int k = 0; r->a->n_operands == 1 && k < STORE_KINDS; k++)
        stores_find(&t->stores, (enum store_kind)k);
    if (status == EXIT_OK && !t->stores.n)
        return complain(r->a, EXIT_FILE, "there is no store here that troth knows: neither a system's (on Debian: apt install ca-certificates) nor a browser's nor Java's");
    return status;
}

/* ---- what is said */

static void tell_json(const struct trusting *t)
{
    char hex[CA_HEX];
    json_t *list = json_array();
    for (size_t i = 0; i < t->stores.n; i++) {
        const struct store *s = &t->stores.all[i];
        json_array_append_new(list, json_pack("{s:s, s:o, s:b, s:b, s:o}", "store", store_names[s->kind], "path", json_text(s->path), "trusts", s->trusts,
                                              "changed", s->changed, "error", *s->why ? json_text(s->why) : json_null()));
    }
    json_t *o = json_pack("{s:s, s:o, s:s, s:b, s:o}", "schema", "troth.ca-trust/1", "subject", json_text(t->f.subject), "sha256",
                          ca_hex(hex, (troth_span){ t->f.sha256, sizeof t->f.sha256 }), "constrained", t->bounded, "stores", list);
    json_dumpf(o, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
    putchar('\n');
    json_decref(o);
}

static void tell_store(const struct store *s, enum how how)
{
    const char *word = *s->why      ? "not changed"
                       : s->changed ? s->trusts ? "trusts it from now on" : "trusts it no longer"
                       : s->trusts  ? how == ADD ? "trusted it already" : "trusts it"
                       : how == REMOVE ? "did not trust it" : "does not trust it";
    printf("  %-8s %-22s ", store_names[s->kind], word);
    print_safely(stdout, s->path);
    printf("\n");
    if (*s->why) {
        printf("           ");
        print_safely(stdout, s->why);
        printf("\n");
    }
}

static void tell(const struct ca *r, const struct trusting *t, enum how how)
{
    bool new = false;
    if (args_has(r->a, OPT_QUIET))
        return;
    if (args_has(r->a, OPT_JSON)) {
        tell_json(t);
        return;
    }
    printf("\"%s\", %s\n", t->f.title, t->path);
    for (size_t i = 0; i < t->stores.n; i++) {
        tell_store(&t->stores.all[i], how);
        new |= how == ADD && t->stores.all[i].changed;
    }
    if (new)
        printf("programs that run already look again when they start.\n");
    if (new && !t->bounded)
        printf("whoever has its key can pretend to them to be anybody: keep the key safe, or make an authority for few names\n"
               "(troth ca init --constrain NAME) and trust that instead.\n");
}

static int work(struct ca *r, enum how how)
{
    struct trusting *t = calloc(1, sizeof *t);
    if (!t)
        return complain(r->a, EXIT_BUG, "memory ran out");
    int status = find_root(r, t);
    if (status == EXIT_OK)
        status = find_stores(r, t);
    for (size_t i = 0; status == EXIT_OK && i < t->stores.n; i++)
        (how == LOOK ? store_look : how == ADD ? store_add : store_remove)(&t->stores.all[i], &t->anchor);
    if (status == EXIT_OK)
        tell(r, t, how);
    for (size_t i = 0; status != EXIT_FILE && i < t->stores.n; i++)
        status = *t->stores.all[i].why ? EXIT_FILE : how == LOOK && !t->stores.all[i].trusts ? EXIT_FINDING : status;
    free(t);
    return status;
}

int ca_trust(struct ca *r)
{
    return work(r, args_has(r->a, OPT_STATUS) ? LOOK : ADD);
}

int ca_distrust(struct ca *r)
{
    return work(r, REMOVE);
}
