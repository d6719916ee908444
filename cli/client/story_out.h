/* story_out.h - writes a session's story where the options say: -v, --html, --json of explain. */
#ifndef CLI_STORY_OUT_H
#define CLI_STORY_OUT_H

#include "client/session.h"

/* A story with a clock, that recomputes secrets; NULL when memory runs out. */
troth_story *story_begin(const char *about, int64_t now);
/* The peer's first bytes, as evidence of a failure that says they were no TLS; else "". */
void story_first_bytes(char *out, size_t cap, const troth_error *, const uint8_t *p, size_t n);
/* False after a message: a file could not be written. */
bool story_out(struct session *s, void *text_to);
/* The recording, where --record asked for one. */
bool story_record(struct session *s);
/* One page to a file. */
bool story_html(const struct args *a, const troth_story *story, const char *path);

#endif
