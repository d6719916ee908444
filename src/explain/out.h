/* out.h - characters on their way to a sink: buffered, escaped, remembered as failed once the sink says no. */
#ifndef EXPLAIN_OUT_H
#define EXPLAIN_OUT_H

#include <troth/explain.h>

#include "base/span.h"
#include "base/text.h"

struct out {
    troth_sink *sink;
    void       *ctx;
    size_t      n;
    bool        failed;
    bool        colour, unicode, redact, no_verdict;
    bool        ascii;       /* text for a terminal that may take a byte of UTF-8 for a command */
    unsigned    width, depth;
    bool        fresh;       /* JSON: nothing was written yet inside the innermost bracket */
    char        buffer[4096];
};

void out_init(struct out *o, const troth_story_options *options, troth_sink *sink, void *ctx);
/* Hands over what is left.  False when the sink ever said no. */
bool MUST_USE out_end(struct out *o);

void out_raw(struct out *o, const char *p, size_t n);
void out_str(struct out *o, const char *s);
void out_fmt(struct out *o, const char *fmt, ...) PRINTF_LIKE(2, 3);
void out_repeat(struct out *o, const char *s, unsigned times);

/* Text that may be a peer's, safe in HTML (content and attribute values alike). */
void out_html(struct out *o, span s);
void out_html_str(struct out *o, const char *s);

/* Text that may be a peer's, safe in a terminal: what a terminal would obey becomes \xNN. */
void out_plain(struct out *o, span s);

/* Length of the valid UTF-8 sequence at p that is safe to print; 0 where there is none. */
size_t out_utf8(const uint8_t *p, size_t left);

/* JSON: commas are put where they belong; key NULL inside arrays. */
void json_open(struct out *o, const char *key, char bracket);
void json_close(struct out *o, char bracket);
void json_string(struct out *o, const char *key, span s);
void json_text(struct out *o, const char *key, const char *s);   /* NULL: left out */
void json_number(struct out *o, const char *key, uint64_t v);
void json_signed(struct out *o, const char *key, int64_t v);
void json_bool(struct out *o, const char *key, bool v);
void json_hex(struct out *o, const char *key, span s);

/* Text: words wrapped at the width with a hanging indent; `first` columns are already used. */
void out_wrapped(struct out *o, unsigned indent, unsigned first, const char *s);
/* How many lines out_wrapped will use. */
unsigned out_rows(unsigned width, unsigned indent, const char *s);
/* Columns that a string takes in a terminal. */
unsigned out_columns(const char *s);

#endif
