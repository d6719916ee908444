/* ct_logs.c - a JSON list of Certificate Transparency logs -> the policy.
 *
 * Two shapes: {"operators": [{"logs": [...], "tiled_logs": [...]}]} as browsers publish it, and {"logs": [...]}.  Of a log its "key"
 * (SubjectPublicKeyInfo in base64) and its "description" are looked at.  Must never pass over a log that it cannot read: a list that
 * is wrong is an error. */
#include "setup/ct_logs.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/digits.h"
#include "common/pki_files.h"

enum { KEY_MAX = 2048, LOGS_WANTED = 2 };

/* Bytes written; 0: not base64 as it should be, or too much of it. */
static size_t from_base64(uint8_t *out, size_t cap, const char *text)
{
    size_t n = strlen(text), have = base64_span(text);
    if (have + strspn(text + have, "=") != n || n % 4 || have % 4 == 1 || have / 4 * 3 + 3 > cap)
        return 0;
    return base64_bytes(out, text, n);
}

struct list {
    const struct args    *a;
    troth_policy_builder *b;
    const char           *path;
    unsigned              n;
};

static bool log_add(struct list *l, const json_t *log)
{
    uint8_t key[KEY_MAX];
    const char *name = json_string_value(json_object_get(log, "description")), *text = json_string_value(json_object_get(log, "key"));
    size_t n = text ? from_base64(key, sizeof key, text) : 0;
    if (!n)
        return complain(l->a, EXIT_FILE, "%s: log %u (%s) has no \"key\" in base64", l->path, l->n + 1, name ? name : "no description"), false;
    troth_policy_ct_log(l->b, (troth_span){ key, n }, name ? name : "a log without description");
    l->n++;
    return true;
}

static bool logs_add(struct list *l, const json_t *logs)
{
    size_t i;
    json_t *log;
    json_array_foreach(logs, i, log) if (!log_add(l, log)) return false;
    return true;
}

static bool all_add(struct list *l, const json_t *top)
{
    size_t i;
    json_t *operator;
    json_array_foreach(json_object_get(top, "operators"), i, operator)
        if (!logs_add(l, json_object_get(operator, "logs")) || !logs_add(l, json_object_get(operator, "tiled_logs")))
            return false;
    return logs_add(l, json_object_get(top, "logs"));
}

int ct_logs_use(const struct args *a, troth_policy_builder *b)
{
    struct list l = { .a = a, .b = b, .path = args_value(a, OPT_CT_LOGS, NULL) };
    if (!l.path)
        return EXIT_OK;
    size_t n;
    json_error_t why;
    uint8_t *text = file_whole(a, l.path, FILE_MOST, &n);
    if (!text)
        return EXIT_FILE;
    json_t *top = json_loadb((const char *)text, n, 0, &why);
    int status = top ? EXIT_OK : complain(a, EXIT_FILE, "%s:%d: %s", l.path, why.line, why.text);
    if (top && !all_add(&l, top))
        status = EXIT_FILE;
    else if (top && !l.n)
        status = complain(a, EXIT_FILE, "%s: there is no log in it", l.path);
    troth_policy_require_scts(b, l.n < LOGS_WANTED ? l.n : LOGS_WANTED);
    json_decref(top);
    free(text);
    return status;
}
