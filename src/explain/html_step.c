/* html_step.c - the five steps: sentence, decisions, certificates, checks, keys, data, times. */
#include "explain/html.h"

#include <stdlib.h>

/* ---- decisions */

static bool has_entry(const struct told_decision *d, span list, span entry)
{
    span other;
    for (size_t at = 0; decision_entry(d, list, &at, &other);)
        if (span_equal(other, entry))
            return true;
    return false;
}

static void list_of(struct page *p, const char *whose, const struct told_decision *d, span list, span other)
{
    enum { SHOWN = 8 };
    if (!list.n)
        return;
    out_fmt(p->o, "<div><b>%s</b>", whose);
    if (!d->as && p->v->redact) {
        out_str(p->o, "<span>(redacted)</span></div>");
        return;
    }
    size_t n = 0;
    span entry;
    for (size_t at = 0; decision_entry(d, list, &at, &entry); n++) {
        char room[200];
        struct text t = TEXT_IN(room);
        if (n == SHOWN)
            out_str(p->o, "<details><summary>and more</summary>");
        out_fmt(p->o, "<span%s>", entry_is_chosen(d, entry) ? " class=\"on\"" : has_entry(d, other, entry) ? " class=\"both\"" : "");
        say_entry(&t, d, entry);
        html_text(p, &t);
        out_str(p->o, "</span>");
    }
    out_str(p->o, n > SHOWN ? "</details></div>\n" : "</div>\n");
}

static void choices(struct page *p, int step)
{
    const troth_story *s = p->v->s;
    bool any = false;
    for (size_t i = 0; i < p->v->n_choices; i++) {
        const struct told_decision *d = &p->v->choices[i];
        if (decision_step(d) != step)
            continue;
        if (!any)
            out_str(p->o, "<h3>What was decided, and by which rule</h3>\n<div class=\"choices\">\n");
        any = true;
        char room[160];
        struct text t = TEXT_IN(room);
        say_choice(&t, d);
        out_str(p->o, "<article class=\"choice\"><h4>");
        out_html_str(p->o, d->what);
        out_str(p->o, "</h4><p class=\"won\">");
        if (p->v->redact && !d->as)
            out_str(p->o, "(redacted)");
        else
            html_text(p, &t);
        out_str(p->o, "</p><p class=\"rule\">");
        out_html_str(p->o, d->rule);
        out_str(p->o, "</p><div class=\"lists\">");
        bool server = s->we_are_server;
        bool ours_told = !strcmp(p->v->we, "Your client") || server;
        list_of(p, server || !ours_told ? "client" : "ours", d, server ? d->theirs : d->ours, server ? d->ours : d->theirs);
        list_of(p, server ? "ours" : "server", d, server ? d->ours : d->theirs, server ? d->theirs : d->ours);
        out_str(p->o, "</div></article>\n");
    }
    if (any)
        out_str(p->o, "</div>\n");
}

/* ---- certificates */

static void line(struct page *p, const char *term, const char *class, const char *value)
{
    if (!value || !*value)
        return;
    out_fmt(p->o, "<dt>%s</dt><dd%s>", term, class);
    out_html_str(p->o, value);
    out_str(p->o, "</dd>");
}

static void card(struct page *p, const struct card *c)
{
    const struct view *v = p->v;
    out_fmt(p->o, "<article class=\"cert%s\"><span class=\"role\">%s</span><h4>", c->expired || c->early ? " late" : "",
            c->position == 0 ? "the server's own certificate" : !strcmp(c->subject, c->issuer) && !v->redact ? "a root: vouches for itself" : "a certificate authority");
    out_html_str(p->o, c->subject);
    out_str(p->o, "</h4><dl>");
    line(p, "names", "", c->names);
    line(p, "issued by", "", c->issuer);
    out_str(p->o, "<dt>valid</dt><dd><span class=\"when\">");
    out_html_str(p->o, c->distance);
    out_str(p->o, "</span>");
    if (*c->distance)
        out_str(p->o, " &middot; ");
    out_html_str(p->o, c->validity);
    if (v->s->now && c->not_after > c->not_before) {
        int64_t part = (v->s->now - c->not_before) * 100 / (c->not_after - c->not_before);
        out_fmt(p->o, "<div class=\"life\"><i style=\"width:%d%%\"></i></div>", (int)(part < 0 ? 0 : part > 100 ? 100 : part));
    }
    out_str(p->o, "</dd>");
    line(p, "key", "", c->key);
    line(p, "signed with", "", c->signature);
    line(p, "serial", " class=\"mono\"", c->serial);
    line(p, "SHA-256", " class=\"mono\"", c->fingerprint);
    out_fmt(p->o, "<dt>bytes</dt><dd><a href=\"#m%zu\">field by field</a></dd></dl></article>\n", c->message);
}

static const char *verdict_name(uint8_t v)
{
    static const char *const names[] = { "passed", "warning", "not checked", "failed" };
    return names[v < COUNT_OF(names) ? v : 2];
}

static void check_table(struct page *p)
{
    const troth_story *s = p->v->s;
    const struct told_check *all = ROWS(s, checks, struct told_check);
    int path = -1;
    for (size_t i = 0; i < s->checks.n; i++) {
        const struct told_check *c = &all[i];
        if (c->path != path) {
            if (path >= 0)
                out_str(p->o, "</tbody></table>\n");
            path = c->path;
            out_fmt(p->o, "<p class=\"sub\">Path %d</p><table class=\"checks\"><thead><tr><th>check</th><th>verdict</th><th>on</th><th>rule and evidence</th></tr></thead><tbody>\n", path + 1);
        }
        out_fmt(p->o, "<tr class=\"v%u\"><td>", c->verdict);
        out_html_str(p->o, c->name);
        out_fmt(p->o, "</td><td class=\"v v%u\">%s</td><td>", c->verdict, verdict_name(c->verdict));
        if (c->cert < 0)
            out_str(p->o, "the path");
        else
            out_fmt(p->o, "certificate %d", c->cert + 1);
        out_str(p->o, "</td><td><small>");
        out_html_str(p->o, c->rule);
        out_str(p->o, "</small> ");
        if (!p->v->redact)
            out_html_str(p->o, c->evidence);
        out_str(p->o, "</td></tr>\n");
    }
    if (path >= 0)
        out_str(p->o, "</tbody></table>\n");
}

static void certificates(struct page *p)
{
    if (p->v->n_cards) {
        out_str(p->o, "<h3>Who vouches for whom</h3>\n<div class=\"chain\">\n");
        for (size_t i = 0; i < p->v->n_cards; i++)
            card(p, &p->v->cards[i]);
        out_str(p->o, "</div>\n");
    }
    if (p->v->s->checks.n) {
        out_str(p->o, "<h3>Every check, with its verdict</h3>\n");
        check_table(p);
    }
}

/* ---- data and times */

static void data(struct page *p)
{
    const troth_story *s = p->v->s;
    if (!s->data.n)
        return;
    out_str(p->o, "<h3>What was said, once decrypted</h3>\n");
    for (size_t i = 0; i < s->data.n; i++) {
        const struct told_data *d = &ROWS(s, data, struct told_data)[i];
        out_fmt(p->o, "<div class=\"plain %c\"><h4>%s, %zu bytes</h4><pre>", d->from == FROM_CLIENT ? 'c' : 's', d->from == FROM_CLIENT ? "client to server" : "server to client", d->total);
        if (p->v->redact) {
            out_str(p->o, "(redacted)");
        } else {
            for (size_t k = 0; k < d->bytes.n; k++) { /* lines stay lines */
                size_t n = 0;
                while (k + n < d->bytes.n && d->bytes.p[k + n] != '\n' && d->bytes.p[k + n] != '\r')
                    n++;
                out_html(p->o, span_of(d->bytes.p + k, n));
                k += n;
                if (k < d->bytes.n && d->bytes.p[k] == '\n')
                    out_str(p->o, "\n");
            }
        }
        if (d->bytes.n < d->total)
            out_str(p->o, "\n...");
        out_str(p->o, "</pre></div>\n");
    }
}

struct moment {
    int64_t     at;
    const char *what;  /* of a mark */
    uint8_t     kind, from;
    uint64_t    bytes;
};

static size_t moments(struct page *p, struct moment *out, size_t most)
{
    const troth_story *s = p->v->s;
    size_t n = 0;
    for (size_t i = 0; i < s->items.n && n < most; i++) {
        const struct item *l = &ROWS(s, items, struct item)[i];
        if (l->kind == ITEM_MARK) {
            out[n++] = (struct moment){ l->at, ROWS(s, marks, struct told_mark)[l->row].what, ITEM_MARK, 0, 0 };
        } else if (l->kind == ITEM_FLIGHT) {
            const struct told_flight *f = &ROWS(s, flights, struct told_flight)[l->row];
            out[n++] = (struct moment){ f->at, NULL, ITEM_FLIGHT, f->from, f->bytes };
        }
    }
    return n;
}

static void lane(struct page *p, const struct moment *all, size_t n)
{
    const troth_story *s = p->v->s;
    uint8_t us = s->we_are_server ? FROM_SERVER : FROM_CLIENT;
    int64_t before = 0, total = p->v->total;
    out_str(p->o, "<div class=\"lane\" role=\"img\" aria-label=\"Where the time went\">");
    for (size_t i = 0; i < n; i++) {
        int64_t took = all[i].at - before;
        if (took <= 0)
            continue;
        bool mark = all[i].kind == ITEM_MARK, ours = !mark && all[i].from == us;
        int permille = (int)(took * 1000 / total);
        out_fmt(p->o, "<i class=\"%s\" style=\"flex:%d\" title=\"", mark ? "r" : ours ? "u" : "w", permille ? permille : 1);
        const char *what = mark ? all[i].what : ours ? "work on this side" : "waiting for the other side";
        out_html_str(p->o, what);
        out_str(p->o, "\">");
        if (permille > 130)
            out_html_str(p->o, mark ? what : ours ? "work here" : "waiting");
        out_str(p->o, "</i>");
        before = all[i].at;
    }
    out_str(p->o, "</div>\n<div class=\"scale\"><span>0</span><span>");
    char room[40];
    struct text t = TEXT_IN(room);
    say_micros(&t, total, true);
    html_text(p, &t);
    out_str(p->o, "</span></div>\n");
}

void html_times(struct page *p)
{
    struct moment all[64];
    size_t n = moments(p, all, COUNT_OF(all));
    if (n < 2)
        return;
    out_str(p->o, "<section class=\"step\" id=\"time\"><div class=\"no\" aria-hidden=\"true\">&#8986;&#xfe0e;</div><div><h2>Where the time went</h2>\n");
    char room[120];
    if (p->v->s->timed && p->v->total > 0)
        lane(p, all, n);
    out_str(p->o, "<table class=\"flights\"><thead><tr><th class=\"n\">after</th><th>what</th><th class=\"n\">bytes</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < n; i++) {
        struct text t = TEXT_IN(room);
        if (p->v->s->timed)
            say_micros(&t, all[i].at, true);
        out_str(p->o, "<tr><td class=\"n\">");
        html_text(p, &t);
        out_str(p->o, "</td><td>");
        out_html_str(p->o, all[i].kind == ITEM_MARK ? all[i].what : all[i].from == FROM_CLIENT ? "client to server" : "server to client");
        out_str(p->o, "</td><td class=\"n\">");
        if (all[i].kind == ITEM_FLIGHT)
            out_fmt(p->o, "%llu", (unsigned long long)all[i].bytes);
        out_str(p->o, "</td></tr>\n");
    }
    out_str(p->o, "</tbody></table></div></section>\n");
}

void html_step(struct page *p, int step)
{
    char room[800];
    struct text t = TEXT_IN(room);
    const char *wrong = step_trouble(p->v, step);
    bool here = p->v->broke == step;
    out_fmt(p->o, "<section class=\"step%s\" id=\"step%d\"><div class=\"no\" aria-hidden=\"true\">%d</div><div><h2>%s", !wrong ? "" : here ? " broke" : " off", step,
            step, step_name(step));
    if (wrong)
        out_fmt(p->o, "<span class=\"flag%s\">%s</span>", here ? " bad" : "", wrong);
    out_str(p->o, "</h2>\n<p class=\"lead\">");
    say_step(&t, p->v, step);
    if (wrong && !here)
        t = TEXT_IN(room);
    html_text(p, &t);
    out_str(p->o, "</p>\n");
    choices(p, step);
    if (step == STEP_CERTIFICATE)
        certificates(p);
    if (step == STEP_KEYS)
        html_key_schedule(p);
    if (step == STEP_DATA)
        data(p);
    html_messages(p, step);
    out_str(p->o, "</div></section>\n");
}
