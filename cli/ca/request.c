/* request.c - troth ca request: a key, and a request (PKCS#10) to have a certificate for it from some other authority.
 *
 * Must never overwrite a key. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/ca.h"
#include "common/tty.h"

struct request {
    char       csr[CA_PATH], key[CA_PATH];
    troth_span csr_pem, key_pem;
    troth_cert_facts f;
};

static int take_paths(struct ca *r, const struct order *o, struct request *q)
{
    char cert[340], key[340], path[CA_PATH];
    ca_file_names(bare_name(o->names[0]), false, cert, key, sizeof key);
    if (!ca_path(r, path, cert) || !ca_path(r, q->key, key))
        return EXIT_USAGE;
    if (!ca_beside(q->csr, path, ".csr"))
        return complain(r->a, EXIT_USAGE, "the path is too long");
    return ca_is_new(r, q->csr) && ca_is_new(r, q->key) ? EXIT_OK : EXIT_FILE;
}

static int make(struct ca *r, const struct order *o, struct request *q)
{
    char subject[200];
    const char *first = bare_name(o->names[0]);
    troth_pki_spec spec = { .size = sizeof spec, .names = o->names };
    if (strlen(first) <= CA_CN_MOST) {
        ca_common_name(subject, sizeof subject, first);
        spec.subject = subject;
    }
    const troth_key *key = ca_new_key(r, TROTH_KEY_NONE, 0);
    if (!key)
        return EXIT_USAGE;
    troth_span der = troth_pki_request(r->w, &spec, key);
    q->csr_pem = troth_pki_pem(r->w, "CERTIFICATE REQUEST", der);
    q->key_pem = troth_pki_key_pem(r->w, key);
    q->f = (troth_cert_facts){ .size = sizeof q->f };
    return troth_pki_asked(r->w, der, &q->f) && q->csr_pem.n && q->key_pem.n ? EXIT_OK : ca_failed(r);
}

static void tell(const struct ca *r, const struct request *q)
{
    if (args_has(r->a, OPT_QUIET))
        return;
    if (args_has(r->a, OPT_JSON)) {
        json_t *names = json_array();
        for (size_t i = 0; q->f.names[i]; i++)
            json_array_append_new(names, json_text(q->f.names[i]));
        json_t *o = json_pack("{s:s, s:o, s:o, s:s, s:o, s:o}", "schema", "troth.ca-request/1", "subject", json_text(q->f.subject), "names", names, "key_type", q->f.key,
                              "request", json_text(q->csr), "key", json_text(q->key));
        json_dumpf(o, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
        putchar('\n');
        json_decref(o);
        return;
    }
    printf("made a request for a certificate, with a key (%s)\n", q->f.key);
    for (size_t i = 0; q->f.names[i]; i++)
        printf("  for          %s\n", q->f.names[i]);
    printf("  request      %s\n  private key  %s   (readable by you alone)\nnext: give the request to an authority; the key stays here.\n", q->csr, q->key);
}

int ca_request(struct ca *r)
{
    struct order *o = calloc(1, sizeof *o);
    struct request *q = calloc(1, sizeof *q);
    int status = o && q ? order_operands(r, o) : complain(r->a, EXIT_BUG, "memory ran out");
    if (status == EXIT_OK)
        status = take_paths(r, o, q);
    if (status == EXIT_OK)
        status = make(r, o, q);
    if (status == EXIT_OK)
        status = ca_write_pair(r, q->csr, q->csr_pem, q->key, q->key_pem);
    if (status == EXIT_OK)
        tell(r, q);
    free(q);
    free(o);
    return status;
}
