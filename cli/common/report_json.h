/* report_json.h - the paths of a report as JSON, of one form for every verb that judges certificates (docs/schema/verify-1.json, "path").
 *
 * Must never print: the caller says where it goes.  Everything from certificates was escaped by the library. */
#ifndef CLI_REPORT_JSON_H
#define CLI_REPORT_JSON_H

#include <jansson.h>
#include <troth/verify.h>

/* "pass", "warn", "skipped", "fail": the same for people. */
const char *verdict_word(enum troth_verdict v);
/* Every path that was tried.  `files`: the path of each of the question's certs[]; NULL: they came from no file. */
json_t *json_paths(const troth_report *r, const char *const *files);
/* `o` with "file" and, where it can be told, "file_index": which certificate in it. */
json_t *json_with_origin(json_t *o, troth_origin from, const char *const *files);

#endif
