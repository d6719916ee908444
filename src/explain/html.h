/* html.h - the parts of the page, between the files that write it. */
#ifndef EXPLAIN_HTML_H
#define EXPLAIN_HTML_H

#include "explain/view.h"

/* Which prose was already written on this page, by row of prose.def: later ones point to it. */
struct page {
    struct out  *o;
    struct view *v;
    uint32_t    *prose_at;  /* message << 16 | node of the first use, plus one; 0: none yet */
};

void html_text(struct page *p, const struct text *t);
void html_messages(struct page *p, int step);
void html_step(struct page *p, int step);
void html_times(struct page *p);
void html_key_schedule(struct page *p);
extern const char icon_right[], icon_left[], icon_lock[], icon_open[], icon_check[], icon_cross[], icon_warn[], icon_skip[];

#endif
