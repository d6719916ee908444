/* html.c - the page's frame, its head, and the conversation as a sequence of arrows.
 *
 * The page is static: everything can be read without a script, which only adds finding, folding and lighting up.  Every text goes
 * through out_html. */
#include "explain/html.h"

#include "explain/page_css.h"
#include "explain/page_html.h"
#include "explain/page_js.h"
#include "wire/registry.h"

#define ICON(body) "<svg viewBox=\"0 0 24 24\" aria-hidden=\"true\">" body "</svg>"
const char icon_right[] = ICON("<path d=\"M4 12h15m-6-6 6 6-6 6\"/>");
const char icon_left[] = ICON("<path d=\"M20 12H5m6-6-6 6 6 6\"/>");
const char icon_lock[] = ICON("<rect x=\"5\" y=\"11\" width=\"14\" height=\"9\" rx=\"2\"/><path d=\"M8 11V8a4 4 0 0 1 8 0v3\"/>");
const char icon_open[] = ICON("<circle cx=\"12\" cy=\"12\" r=\"3\"/><path d=\"M2.5 12s3.5-6.5 9.5-6.5S21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12z\"/>");
const char icon_check[] = ICON("<path d=\"m5 12.5 4.5 4.5L19 7.5\"/>");
const char icon_cross[] = ICON("<path d=\"m6 6 12 12M18 6 6 18\"/>");
const char icon_warn[] = ICON("<path d=\"M12 7v6M12 17h.01\"/>");
const char icon_skip[] = ICON("<path d=\"M6 12h12\"/>");
#define ICON_CLIENT ICON("<rect x=\"3\" y=\"4\" width=\"18\" height=\"12\" rx=\"2\"/><path d=\"M8 20h8M12 16v4\"/>")
#define ICON_SERVER ICON("<rect x=\"4\" y=\"4\" width=\"16\" height=\"7\" rx=\"2\"/><rect x=\"4\" y=\"13\" width=\"16\" height=\"7\" rx=\"2\"/><path d=\"M8 7.5h.01M8 16.5h.01\"/>")

void html_text(struct page *p, const struct text *t)
{
    out_html(p->o, span_of(t->p, t->n));
}

/* ---- head */

static void fact(struct page *p, const char *term, const char *value, const char *small)
{
    if (!value || !*value)
        return;
    out_fmt(p->o, "<div><dt>%s</dt><dd>", term);
    for (const char *at = value; *at;) { /* long names may break behind an underscore */
        size_t n = strcspn(at, "_");
        out_html(p->o, span_of(at, n));
        at += n;
        if (*at) {
            out_str(p->o, "_<wbr>");
            at++;
        }
    }
    if (small && *small) {
        out_str(p->o, "<small>");
        out_html_str(p->o, small);
        out_str(p->o, "</small>");
    }
    out_str(p->o, "</dd></div>\n");
}

static void facts(struct page *p)
{
    const struct view *v = p->v;
    const troth_story *s = v->s;
    char room[200], more[200];
    struct text t = TEXT_IN(room), m = TEXT_IN(more);
    out_str(p->o, "<dl class=\"facts\">\n");
    fact(p, "Version", v->version.name ? version_words(v->version.value) : NULL, v->tls12 ? "RFC 5246, frozen since RFC 9851" : "RFC 9846");
    fact(p, "Cipher suite", v->suite.name, NULL);
    fact(p, "Key exchange", v->group.name, v->group.name && strstr(v->group.name, "MLKEM") ? "hybrid, post-quantum" : v->external ? "on top of a pre-shared key" : v->resumed ? "on top of a resumed session" : NULL);
    fact(p, "Signature", v->scheme.name, NULL);
    if (v->n_cards)
        fact(p, "Certificate", v->cards[0].subject, v->cards[0].distance);
    if (v->alpn.n && !v->redact) {
        text_escaped(&t, v->alpn);
        fact(p, "Protocol (ALPN)", room, NULL);
    }
    t = TEXT_IN(room);
    if (s->timed && v->total > 0) {
        say_micros(&t, v->total, true);
        if (v->round_trips)
            say_count(&m, v->round_trips, "round trip");
        fact(p, "Time", room, more);
    }
    uint64_t bytes[2] = { 0 };
    for (size_t i = 0; i < s->flights.n; i++)
        bytes[ROWS(s, flights, struct told_flight)[i].from] += ROWS(s, flights, struct told_flight)[i].bytes;
    if (bytes[0] + bytes[1]) {
        t = TEXT_IN(room);
        text_add(&t, "%llu bytes", (unsigned long long)(bytes[0] + bytes[1]));
        m = TEXT_IN(more);
        text_add(&m, "client %llu, server %llu", (unsigned long long)bytes[0], (unsigned long long)bytes[1]);
        fact(p, "On the wire", room, more);
    }
    out_str(p->o, "</dl>\n");
}

static void trouble(struct page *p)
{
    const troth_error *e = &p->v->s->failure;
    static const char *const who[] = { "", "you: an argument, a file or a setting on this side", "whoever runs the other side",
        "the authority that issued the certificate", "whoever runs the network between", "the programmer" };
    out_str(p->o, "<section class=\"trouble\" aria-label=\"What went wrong\"><dl>\n<dt>code</dt><dd><span class=\"code\">");
    out_html_str(p->o, e->code);
    out_str(p->o, "</span></dd>\n");
    if (e->detail[0] && !p->v->redact) {
        out_str(p->o, "<dt>saw</dt><dd>");
        out_html_str(p->o, e->detail);
        out_str(p->o, "</dd>\n");
    }
    if (e->message) {
        out_str(p->o, "<dt>where</dt><dd>");
        if (p->v->bad_message != SIZE_MAX)
            out_fmt(p->o, "<a href=\"#m%zu\">", p->v->bad_message);
        out_html_str(p->o, e->message);
        if (e->field) {
            out_str(p->o, ", field ");
            out_html_str(p->o, e->field);
        }
        out_fmt(p->o, ", byte %u%s</dd>\n", (unsigned)e->at, p->v->bad_message != SIZE_MAX ? "</a>" : "");
    }
    if (e->who > TROTH_WHO_NOBODY && e->who < COUNT_OF(who))
        out_fmt(p->o, "<dt>who acts</dt><dd>%s</dd>\n", who[e->who]);
    if (e->hint && *e->hint) {
        out_str(p->o, "<dt>what to do</dt><dd>");
        out_html_str(p->o, e->hint);
        out_str(p->o, "</dd>\n");
    }
    out_str(p->o, "</dl></section>\n");
}

static void hero(struct page *p)
{
    const struct view *v = p->v;
    bool bad = v->s->failure.reason != TROTH_R_NONE;
    char room[400];
    struct text t = TEXT_IN(room);
    out_str(p->o, "<section class=\"hero\" id=\"top\">\n<p class=\"eyebrow\"><span>The story of one TLS connection</span>");
    if (v->s->now) {
        text_time(&t, v->s->now);
        out_fmt(p->o, "<time datetime=\"%s\">%.10s %.5s UTC</time>", room, room, room + 11);
    }
    out_str(p->o, "</p>\n<h1>");
    out_html_str(p->o, v->peer);
    out_fmt(p->o, "</h1>\n<p class=\"verdict\"><span class=\"seal%s\">%s</span><span>", bad ? " bad" : "", bad ? icon_cross : icon_check);
    t = TEXT_IN(room);
    say_summary(&t, v);
    html_text(p, &t);
    if (!bad && v->s->timed && v->total > 0) {
        t = TEXT_IN(room);
        say_micros(&t, v->total, true);
        out_str(p->o, ", ");
        html_text(p, &t);
        out_str(p->o, " in all");
    }
    out_str(p->o, "</span></p>\n");
    if (bad)
        trouble(p);
    facts(p);
    if (v->s->keep_secrets && !v->redact)
        out_str(p->o, "<p class=\"danger\">This page contains the secrets of the connection. Whoever has it can decrypt the traffic.</p>\n");
    for (size_t i = 0; i < v->s->notes.n; i++) {
        out_str(p->o, "<p class=\"note\">");
        out_html_str(p->o, ROWS(v->s, notes, char *const)[i]);
        out_str(p->o, "</p>\n");
    }
    if (v->s->cut)
        out_str(p->o, "<p class=\"note\">Memory for the story ran out: some of it is missing.</p>\n");
    out_str(p->o, "</section>\n");
}

/* ---- the conversation */

static void band(struct page *p, uint8_t epoch)
{
    static const char *const names[] = { "readable by everybody", "encrypted with early data keys", "encrypted with handshake keys", "encrypted with application keys" };
    out_fmt(p->o, "<li class=\"band e%u\">%s<span>%s</span></li>\n", epoch, epoch ? icon_lock : icon_open, names[epoch < COUNT_OF(names) ? epoch : 0]);
}

static void arrow(struct page *p, size_t i)
{
    const struct told_message *m = &ROWS(p->v->s, messages, struct told_message)[i];
    char room[60];
    struct text t = TEXT_IN(room);
    bool quiet = !strcmp(m->type, "change_cipher_spec") && !p->v->tls12;
    out_fmt(p->o, "<li><a class=\"m %s e%u%s%s\" href=\"#m%zu\"><span class=\"lab\"><span>", m->from == FROM_CLIENT ? "c2s" : "s2c", m->epoch & 3,
            p->v->bad_message == i ? " broke" : "", quiet ? " quiet" : "", i);
    out_html_str(p->o, m->type);
    const struct tree *tree = &p->v->trees[i];
    uint32_t what = !strcmp(m->type, "Alert") ? tree_find(tree, NULL, "description", 0) : NODE_NONE;
    if (what != NODE_NONE) {
        out_str(p->o, ": ");
        out_html_str(p->o, name_of(tree->nodes[what].saw.as, tree->nodes[what].saw.value));
    }
    out_fmt(p->o, "</span><small>%zu byte%s</small>", m->raw.n, m->raw.n == 1 ? "" : "s");
    if (p->v->s->timed) {
        say_micros(&t, m->at, true);
        out_str(p->o, "<time>");
        html_text(p, &t);
        out_str(p->o, "</time>");
    }
    out_str(p->o, "</span><span class=\"arrow\"></span></a></li>\n");
}

static void data_arrow(struct page *p, const struct told_data *d)
{
    out_fmt(p->o, "<li><a class=\"m %s e3\" href=\"#step5\"><span class=\"lab\"><span>application data</span><small>%zu bytes</small>",
            d->from == FROM_CLIENT ? "c2s" : "s2c", d->total);
    if (p->v->s->timed) {
        char room[60];
        struct text t = TEXT_IN(room);
        say_micros(&t, d->at, true);
        out_str(p->o, "<time>");
        html_text(p, &t);
        out_str(p->o, "</time>");
    }
    out_str(p->o, "</span><span class=\"arrow\"></span></a></li>\n");
}

static void conversation(struct page *p)
{
    const troth_story *s = p->v->s;
    out_str(p->o, "<section class=\"talk\" id=\"talk\" aria-label=\"The conversation\">\n<header><h2>The conversation</h2>"
                  "<p class=\"legend\"><span><i class=\"e0\"></i>in the clear</span><span><i class=\"e2\"></i>handshake keys</span>"
                  "<span><i class=\"e3\"></i>application keys</span></p></header>\n<div class=\"ends\"><div class=\"end-of c\">" ICON_CLIENT
                  "<span>");
    out_str(p->o, !strcmp(p->v->we, "Your client") ? "your client" : "client");
    out_str(p->o, "</span></div><div class=\"end-of s\"><span>");
    out_html_str(p->o, p->v->peer);
    out_str(p->o, "</span>" ICON_SERVER "</div></div>\n<ol class=\"lines\">\n");
    int epoch = -1;
    for (size_t i = 0; i < s->items.n; i++) {
        const struct item *line = &ROWS(s, items, struct item)[i];
        if (line->kind == ITEM_MESSAGE) {
            const struct told_message *m = &ROWS(s, messages, struct told_message)[line->row];
            if (!strcmp(m->type, "X.509 certificate"))
                continue;
            bool quiet = !strcmp(m->type, "change_cipher_spec") && !p->v->tls12;
            if (epoch != (m->epoch & 3) && !quiet)
                band(p, (uint8_t)(epoch = m->epoch & 3));
            arrow(p, line->row);
        } else if (line->kind == ITEM_DATA) {
            if (epoch != EPOCH_APPLICATION)
                band(p, (uint8_t)(epoch = EPOCH_APPLICATION));
            data_arrow(p, &ROWS(s, data, struct told_data)[line->row]);
        }
    }
    if (s->failure.reason) {
        out_str(p->o, "<li class=\"cutoff\">&#10005; ");
        out_html_str(p->o, s->failure.text);
        out_str(p->o, "</li>\n");
    }
    out_str(p->o, "</ol>\n</section>\n");
}

/* ---- frame */

static void jump(struct page *p)
{
    for (int i = 1; i <= STEPS; i++) {
        const char *wrong = step_trouble(p->v, i);
        out_fmt(p->o, "<a href=\"#step%d\"%s><i>%d</i><span>%s</span></a>", i, !wrong ? "" : i == p->v->broke ? " class=\"broke\"" : " class=\"off\"", i,
                step_name(i));
    }
}

static void story(struct page *p)
{
    hero(p);
    if (!p->v->lone)
        conversation(p);
    for (int i = 1; i <= STEPS; i++)
        html_step(p, i);
    html_times(p);
}

static void part(struct page *p, span name)
{
    char room[300];
    struct text t = TEXT_IN(room);
    if (span_equal(name, SPAN_TEXT("title"))) {
        say_title(&t, p->v);
        html_text(p, &t);
        out_str(p->o, " \xc2\xb7 troth explain");
    } else if (span_equal(name, SPAN_TEXT("style"))) {
        out_raw(p->o, (const char *)page_css, sizeof page_css - 1);
    } else if (span_equal(name, SPAN_TEXT("script"))) {
        out_raw(p->o, (const char *)page_js, sizeof page_js - 1);
    } else if (span_equal(name, SPAN_TEXT("jump"))) {
        jump(p);
    } else if (span_equal(name, SPAN_TEXT("story"))) {
        story(p);
    }
}

void write_html(struct out *o, struct view *v)
{
    size_t n_prose;
    prose_rows(&n_prose);
    struct page p = { o, v, arena_array(&v->mem, n_prose + 1, sizeof(uint32_t)) };
    if (!p.prose_at) {
        v->short_of_memory = true;
        return;
    }
    const char *at = (const char *)page_html;
    for (const char *open; (open = strstr(at, "<!--")) != NULL;) {
        const char *close = strstr(open, "-->");
        if (!close)
            break;
        out_raw(o, at, (size_t)(open - at));
        part(&p, span_of(open + 4, (size_t)(close - open - 4)));
        at = close + 3;
    }
    out_str(o, at);
}
