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
    enum { SHOWN = 6 };
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

static void card(struct page *p, const struct card *c, bool vouches)
{
    const struct view *v = p->v;
    bool refused = card_refused(v, c);
    out_fmt(p->o, "<article class=\"cert%s%s%s\"><span class=\"role\">%s</span><h4>", c->expired || c->early ? " late" : "", refused ? " refused" : "",
            vouches ? " up" : "", card_role(c));
    out_html_str(p->o, c->subject);
    out_fmt(p->o, "%s</h4><dl>", refused ? " <span class=\"flag bad\">refused</span>" : "");
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

/* ---- checks: one cell for each, over all certificates of the path; what failed first */

static const char *verdict_name(uint8_t v)
{
    static const char *const names[] = { "passed", "warning", "not checked", "failed" };
    return names[v < COUNT_OF(names) ? v : 2];
}

struct merged {
    size_t  first;
    uint8_t worst;
};

static uint8_t graver(uint8_t a, uint8_t b)
{
    static const uint8_t rank[] = { 0, 2, 1, 3 }; /* pass, warn, skipped, fail */
    return rank[a & 3] > rank[b & 3] ? a : b;
}

static void check_cell(struct page *p, const struct merged *m)
{
    const struct told_check *all = ROWS(p->v->s, checks, struct told_check), *c = &all[m->first];
    const char *icon = m->worst == TROTH_PASS ? icon_check : m->worst == TROTH_FAIL ? icon_cross : m->worst == TROTH_WARN ? icon_warn : icon_skip;
    out_fmt(p->o, "<li class=\"check v%u\"><span class=\"mk\">%s</span><div><b>", m->worst, icon);
    out_html_str(p->o, c->name);
    out_fmt(p->o, "</b> <em>%s</em><small>", verdict_name(m->worst));
    out_html_str(p->o, c->rule);
    out_str(p->o, "</small>");
    for (size_t i = m->first; i < p->v->s->checks.n && all[i].path == c->path; i++) {
        if (strcmp(all[i].name, c->name) != 0 || !all[i].evidence || p->v->redact)
            continue;
        bool same = false; /* said of another certificate already */
        for (size_t k = m->first; k < i; k++)
            same |= !strcmp(all[k].name, c->name) && all[k].evidence && !strcmp(all[k].evidence, all[i].evidence);
        if (same && all[i].verdict != TROTH_FAIL)
            continue;
        out_fmt(p->o, "<p%s>", all[i].verdict == TROTH_FAIL ? " class=\"bad\"" : "");
        if (all[i].verdict == TROTH_FAIL && all[i].cert >= 0)
            out_fmt(p->o, "certificate %d: ", all[i].cert + 1);
        out_html_str(p->o, all[i].evidence);
        out_str(p->o, "</p>");
    }
    out_str(p->o, "</div></li>\n");
}

static size_t merge_path(const struct page *p, size_t from, struct merged *out, size_t most)
{
    const struct told_check *all = ROWS(p->v->s, checks, struct told_check);
    size_t n = 0;
    for (size_t i = from; i < p->v->s->checks.n && all[i].path == all[from].path; i++) {
        size_t k = 0;
        while (k < n && strcmp(all[out[k].first].name, all[i].name) != 0)
            k++;
        if (k == n && n < most)
            out[n++] = (struct merged){ i, all[i].verdict };
        else if (k < n)
            out[k].worst = graver(out[k].worst, all[i].verdict);
    }
    return n;
}

static void check_path(struct page *p, size_t from, bool alone)
{
    struct merged m[64];
    size_t n = merge_path(p, from, m, COUNT_OF(m));
    unsigned count[4] = { 0 };
    for (size_t i = 0; i < n; i++)
        count[m[i].worst & 3]++;
    if (!alone)
        out_fmt(p->o, "<p class=\"sub\">Path %d</p>", ROWS(p->v->s, checks, struct told_check)[from].path + 1);
    out_fmt(p->o, "<p class=\"tally\"><b class=\"v0\">%u passed</b>", count[TROTH_PASS]);
    if (count[TROTH_FAIL])
        out_fmt(p->o, "<b class=\"v3\">%u failed</b>", count[TROTH_FAIL]);
    if (count[TROTH_WARN])
        out_fmt(p->o, "<b class=\"v1\">%u with a warning</b>", count[TROTH_WARN]);
    if (count[TROTH_SKIPPED])
        out_fmt(p->o, "<b class=\"v2\">%u not checked</b>", count[TROTH_SKIPPED]);
    out_str(p->o, "</p>\n<ul class=\"checks\">\n");
    static const uint8_t order[] = { TROTH_FAIL, TROTH_WARN, TROTH_SKIPPED, TROTH_PASS };
    for (size_t k = 0; k < COUNT_OF(order); k++)
        for (size_t i = 0; i < n; i++)
            if (m[i].worst == order[k])
                check_cell(p, &m[i]);
    out_str(p->o, "</ul>\n");
}

static void check_paths(struct page *p)
{
    const struct told_check *all = ROWS(p->v->s, checks, struct told_check);
    size_t n = p->v->s->checks.n;
    bool alone = n && all[0].path == all[n - 1].path;
    for (size_t i = 0; i < n; i++)
        if (i == 0 || all[i].path != all[i - 1].path)
            check_path(p, i, alone);
}

static void certificates(struct page *p)
{
    if (p->v->n_cards) {
        const struct card *all = p->v->cards;
        bool both = all[0].clients != all[p->v->n_cards - 1].clients;
        for (size_t i = 0; i < p->v->n_cards; i++) {
            bool first = i == 0 || all[i].clients != all[i - 1].clients;
            if (first)
                out_fmt(p->o, "%s<h3>%s</h3>\n<div class=\"chain\">\n", i ? "</div>\n" : "",
                        !both ? "Who vouches for whom" : all[i].clients ? "Who vouches for the client" : "Who vouches for the server");
            card(p, &all[i], !first && card_vouches(&all[i], &all[i - 1]));
        }
        out_str(p->o, "</div>\n");
    }
    if (p->v->s->checks.n) {
        out_str(p->o, "<h3>Every check, with its verdict</h3>\n");
        check_paths(p);
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
        int permille = (int)(1000 * (double)took / (double)total); /* a capture can say that it took thousands of years */
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
    out_str(p->o, "<section class=\"step\" id=\"time\"><div class=\"no\" aria-hidden=\"true\"><svg viewBox=\"0 0 24 24\"><circle cx=\"12\" cy=\"12\" r=\"9\"/><path d=\"M12 6.5V12l3.6 2.4\"/></svg></div><div><h2>Where the time went</h2>\n");
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
    if (step_is_empty(p->v, step))
        return;
    bool here = p->v->broke == step;
    out_fmt(p->o, "<section class=\"step%s\" id=\"step%d\"><div class=\"no\" aria-hidden=\"true\">%d</div><div><h2>%s", !wrong ? "" : here ? " broke" : " off", step,
            step, step_name(step));
    if (wrong)
        out_fmt(p->o, "<span class=\"flag%s\">%s</span>", here ? " bad" : "", wrong);
    out_str(p->o, "</h2>\n<p class=\"lead\">");
    say_step(&t, p->v, step);
    if ((wrong && !here) || p->v->lone)
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
