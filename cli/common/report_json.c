/* report_json.c - see report_json.h. */
#include "common/report_json.h"

#include "common/args.h"

const char *verdict_word(enum troth_verdict v)
{
    static const char *const words[] = { "pass", "warn", "skipped", "fail" };
    return words[v];
}

json_t *json_with_origin(json_t *o, troth_origin from, const char *const *files)
{
    if (files && from.certs != SIZE_MAX)
        json_object_set_new(o, "file", json_string(files[from.certs]));
    if (files && from.certs != SIZE_MAX && from.nth != SIZE_MAX)
        json_object_set_new(o, "file_index", json_integer((json_int_t)from.nth));
    return o;
}

static json_t *cert_json(const troth_report *r, size_t path, size_t i, const char *const *files)
{
    char from[40], to[40];
    troth_path_cert c = troth_report_cert(r, path, i);
    json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:i}", "subject", c.title, "issuer", c.issuer, "not_before",
                          time_words(from, sizeof from, c.not_before), "not_after", time_words(to, sizeof to, c.not_after), "given", c.given);
    return json_with_origin(o, troth_report_origin(r, c.given), files);
}

static json_t *check_json(const troth_report *r, size_t path, size_t i)
{
    troth_path_check k = troth_report_check(r, path, i);
    return json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:s}", "name", k.name, "rule", k.rule, "verdict",
                     verdict_word(k.verdict), "code", troth_reason_code(k.reason), "certificate",
                     (json_int_t)k.cert, "at", (json_int_t)k.at, "bytes", (json_int_t)k.n, "evidence",
                     k.evidence);
}

static json_t *path_json(const troth_report *r, size_t path, const char *const *files)
{
    troth_path p = troth_report_path(r, path);
    json_t *certs = json_array(), *checks = json_array();
    for (size_t i = 0; i < p.n_certs; i++)
        json_array_append_new(certs, cert_json(r, path, i, files));
    for (size_t i = 0; i < p.n_checks; i++)
        json_array_append_new(checks, check_json(r, path, i));
    return json_pack("{s:b, s:b, s:s, s:o, s:o}", "accepted", p.accepted, "complete", p.complete, "code",
                     troth_reason_code(p.reason), "certificates", certs, "checks", checks);
}

json_t *json_paths(const troth_report *r, const char *const *files)
{
    json_t *list = json_array();
    for (size_t i = 0; i < troth_report_paths(r); i++)
        json_array_append_new(list, path_json(r, i, files));
    return list;
}
