/* text.c - the story for a terminal: as wide as it is, in colour only where asked, and never by colour alone. */
#include "explain/view.h"

enum paint { PLAIN, BOLD, DIM, RED, GREEN, YELLOW, BLUE, CYAN };

static void paint(struct out *o, enum paint p)
{
    static const char *const codes[] = { "0", "1", "2", "1;31", "32", "33", "34", "36" };
    if (o->colour)
        out_fmt(o, "\x1b[%sm", codes[p]);
}

static void painted(struct out *o, enum paint p, const char *s)
{
    paint(o, p);
    out_str(o, s);
    paint(o, PLAIN);
}

static const char *symbol(const struct out *o, const char *unicode, const char *ascii)
{
    return o->unicode ? unicode : ascii;
}

#define SYM_OK(o)    symbol(o, "\xe2\x9c\x93", "ok")
#define SYM_BAD(o)   symbol(o, "\xe2\x9c\x97", "X")
#define SYM_RIGHT(o) symbol(o, "\xe2\x86\x92", "->")
#define SYM_LEFT(o)  symbol(o, "\xe2\x86\x90", "<-")
#define SYM_DOT(o)   symbol(o, "\xc2\xb7", "-")

static unsigned indent(struct out *o, unsigned n)
{
    out_repeat(o, " ", n);
    return n;
}

static void para(struct out *o, unsigned at, const char *s)
{
    indent(o, at);
    out_wrapped(o, at, at, s);
    out_str(o, "\n");
}

/* A term in a column of its own, then its text. */
static void term(struct out *o, unsigned at, unsigned column, const char *name, enum paint p, const char *s)
{
    if (!s || !*s)
        return;
    unsigned used = indent(o, at) + out_columns(name);
    painted(o, DIM, name);
    used += indent(o, used < at + column ? at + column - used : 1);
    paint(o, p);
    out_wrapped(o, at + column, used, s);
    paint(o, PLAIN);
    out_str(o, "\n");
}

/* ---- pieces */

static void lists(struct out *o, const struct view *v, const struct told_decision *d, const char *whose, span list)
{
    char room[1200];
    struct text t = TEXT_IN(room);
    if (!list.n)
        return;
    enum { SHOWN = 8 }; /* and the chosen one; --depth fields has them all */
    span entry;
    unsigned n = 0, left = 0;
    if (v->redact && !d->as)
        text_add(&t, "(redacted)");
    else
        for (size_t at = 0; decision_entry(d, list, &at, &entry);) {
            bool on = entry_is_chosen(d, entry);
            if (n >= SHOWN && !on && o->depth <= TROTH_DEPTH_STEPS) {
                left++;
                continue;
            }
            text_add(&t, "%s%s", n++ ? ", " : "", on ? "[" : "");
            say_entry(&t, d, entry);
            text_add(&t, "%s", on ? "]" : "");
        }
    if (left)
        text_add(&t, " and %u more", left);
    term(o, 6, 9, whose, PLAIN, room);
}

static void decisions(struct out *o, const struct view *v, int step)
{
    for (size_t i = 0; i < v->n_choices; i++) {
        const struct told_decision *d = &v->choices[i];
        if (decision_step(d) != step)
            continue;
        char room[160];
        struct text t = TEXT_IN(room);
        if (v->redact && !d->as)
            text_add(&t, "(redacted)");
        else
            say_choice(&t, d);
        out_str(o, "\n");
        indent(o, 4);
        out_fmt(o, "%s: ", d->what);
        painted(o, BOLD, room);
        out_str(o, "\n");
        term(o, 6, 9, "because", PLAIN, d->rule);
        bool ours = !strcmp(v->we, "Your client");
        lists(o, v, d, v->s->we_are_server || !ours ? "client" : "ours", v->s->we_are_server ? d->theirs : d->ours);
        lists(o, v, d, v->s->we_are_server ? "ours" : "server", v->s->we_are_server ? d->ours : d->theirs);
    }
}

static void cards(struct out *o, const struct view *v)
{
    for (size_t i = 0; i < v->n_cards; i++) {
        const struct card *c = &v->cards[i];
        char room[200];
        struct text t = TEXT_IN(room);
        out_str(o, "\n    ");
        painted(o, BOLD, c->subject);
        out_fmt(o, "  (%s)\n", card_role(c));
        term(o, 6, 13, "names", PLAIN, c->names);
        term(o, 6, 13, "issued by", PLAIN, c->issuer);
        text_add(&t, "%s%s%s", c->validity, *c->distance ? ", " : "", c->distance);
        term(o, 6, 13, "valid", c->expired || c->early ? RED : PLAIN, room);
        term(o, 6, 13, "key", PLAIN, c->key);
        term(o, 6, 13, "signed with", PLAIN, c->signature);
        term(o, 6, 13, "SHA-256", PLAIN, c->fingerprint);
    }
}

static const struct mark {
    const char *unicode, *ascii, *word;
    enum paint  p;
} marks[] = { { "\xe2\x9c\x93", "ok", "passed", GREEN }, { "!", "!", "warning", YELLOW }, { "\xe2\x97\x8b", "--", "not checked", DIM }, { "\xe2\x9c\x97", "X", "FAILED", RED } };

static void check_mark(struct out *o, unsigned k)
{
    indent(o, 6);
    paint(o, marks[k].p);
    out_fmt(o, "%-2s", symbol(o, "", marks[k].ascii));
    out_str(o, symbol(o, marks[k].unicode, ""));
    paint(o, PLAIN);
    out_str(o, " ");
}

static void check_line(struct out *o, const struct view *v, const struct told_check *c)
{
    char room[600];
    struct text t = TEXT_IN(room);
    check_mark(o, c->verdict & 3);
    text_add(&t, "%s, certificate %d: %s (%s)", c->name, c->cert + 1, marks[c->verdict & 3].word, c->rule);
    if (c->evidence && !v->redact)
        text_add(&t, " %s", c->evidence);
    out_wrapped(o, 11, 9, room);
    out_str(o, "\n");
}

/* What passed, in a few lines: each name once. */
static void passed_line(struct out *o, const struct view *v, size_t from, size_t to)
{
    const struct told_check *all = ROWS(v->s, checks, struct told_check);
    char room[1600];
    struct text t = TEXT_IN(room);
    for (size_t i = from; i < to; i++) {
        bool again = all[i].verdict != TROTH_PASS;
        for (size_t k = from; k < to; k++)
            again |= !strcmp(all[k].name, all[i].name) && (k < i || all[k].verdict == TROTH_FAIL);
        if (!again)
            text_add(&t, "%s%s", t.n ? ", " : "", all[i].name);
    }
    if (!t.n)
        return;
    check_mark(o, TROTH_PASS);
    out_wrapped(o, 9, 9, room);
    out_str(o, "\n");
}

static void checks(struct out *o, const struct view *v)
{
    const struct told_check *all = ROWS(v->s, checks, struct told_check);
    bool each = o->depth >= TROTH_DEPTH_FIELDS;
    for (size_t i = 0, to; i < v->s->checks.n; i = to) {
        for (to = i; to < v->s->checks.n && all[to].path == all[i].path; to++)
            ;
        out_fmt(o, "\n    checks%s%.0d\n", all[v->s->checks.n - 1].path != all[0].path ? " of path " : "", all[v->s->checks.n - 1].path != all[0].path ? all[i].path + 1 : 0);
        for (size_t k = i; k < to; k++)
            if (each || all[k].verdict != TROTH_PASS)
                check_line(o, v, &all[k]);
        if (!each)
            passed_line(o, v, i, to);
    }
}

static void keys(struct out *o, const struct view *v)
{
    if (v->s->keys.n)
        out_str(o, "\n");
    for (size_t i = 0; i < v->s->keys.n; i++) {
        const struct told_key *k = &ROWS(v->s, keys, struct told_key)[i];
        size_t n = strlen(k->label);
        bool spine = n > 6 && !strcmp(k->label + n - 6, "Secret"), agreed = !k->from && !spine;
        unsigned depth = spine ? 0 : 1;
        indent(o, 4 + 2 * depth);
        painted(o, spine ? BOLD : PLAIN, k->label);
        indent(o, n < 16 ? (unsigned)(16 - n) : 1);
        out_fmt(o, "%zu bytes%s%s", k->length, agreed ? ", agreed" : k->from ? ", from " : ", from zeros", k->from ? k->from : "");
        if (k->recomputed == RECOMPUTED_EQUAL) {
            out_str(o, "  ");
            painted(o, GREEN, o->unicode ? "\xe2\x9c\x93 recomputed, equal" : "recomputed, equal");
        } else if (k->recomputed == RECOMPUTED_DIFFERENT) {
            out_str(o, "  ");
            painted(o, RED, "recomputed, DIFFERENT");
        }
        out_str(o, "\n");
        if (k->value.n && !v->redact) {
            char hex[2 * 80 + 1];
            struct text t = TEXT_IN(hex);
            text_hex(&t, k->value);
            para(o, 6 + 2 * depth, hex);
        }
    }
}

static void hex_lines(struct out *o, const struct view *v, const struct tree *t, uint32_t k, unsigned at)
{
    span b = span_slice(t->raw, t->nodes[k].saw.at, t->nodes[k].saw.n);
    bool hide = v->redact && t->nodes[k].saw.shape == SHAPE_BYTES;
    unsigned row = (o->width - at - 6) / 3 > 16 ? 16 : (o->width - at - 6) / 3 > 8 ? 8 : 4;
    for (size_t i = 0; i < b.n && !hide; i += row) {
        indent(o, at);
        paint(o, DIM);
        out_fmt(o, "%04zx ", t->nodes[k].saw.at + i);
        for (size_t j = i; j < b.n && j < i + row; j++)
            out_fmt(o, " %02x", b.p[j]);
        paint(o, PLAIN);
        out_str(o, "\n");
    }
}

static void tree(struct out *o, const struct view *v, size_t i)
{
    const struct tree *t = &v->trees[i];
    const struct prose *said[64] = { 0 };
    size_t n_said = 0;
    for (uint32_t k = 0; k < t->n; k++) {
        const struct node *d = &t->nodes[k];
        const struct prose *prose = say_why(t, k);
        char room[400], label[120];
        struct text x = TEXT_IN(room), l = TEXT_IN(label);
        say_label(&l, t, k);
        unsigned at = 6u + 2u * (d->depth > 12 ? 12u : d->depth);
        bool bad = v->bad_message == i && v->bad_node == k, again = false;
        for (size_t j = 0; j < n_said; j++)
            again |= said[j] == prose;
        say_value(&x, v, t, k);
        indent(o, at);
        if (bad)
            painted(o, RED, SYM_BAD(o));
        painted(o, bad ? RED : BOLD, label);
        out_str(o, "  ");
        paint(o, d->saw.shape == SHAPE_GROUP ? DIM : CYAN);
        out_wrapped(o, at + 2, at + (unsigned)l.n + 2, room);
        paint(o, PLAIN);
        out_str(o, "\n");
        if (prose && !again) {
            paint(o, DIM);
            para(o, at + 2, prose->text);
            paint(o, PLAIN);
            if (n_said < COUNT_OF(said))
                said[n_said++] = prose;
        }
        if (o->depth == TROTH_DEPTH_BYTES && tree_is_leaf(d))
            hex_lines(o, v, t, k, at + 2);
    }
}

static void message_list(struct out *o, const struct view *v, int step)
{
    bool first = true;
    for (size_t i = 0; i < v->n; i++) {
        const struct told_message *m = &ROWS(v->s, messages, struct told_message)[i];
        bool certificate = !strcmp(m->type, "X.509 certificate");
        if (v->step[i] != step || (certificate && o->depth < TROTH_DEPTH_FIELDS))
            continue;
        if (first)
            out_str(o, "\n");
        first = false;
        char room[80];
        struct text t = TEXT_IN(room);
        indent(o, 4);
        paint(o, m->from == FROM_CLIENT ? BLUE : GREEN);
        out_str(o, m->from == FROM_CLIENT ? SYM_RIGHT(o) : SYM_LEFT(o));
        paint(o, PLAIN);
        out_fmt(o, " %s%s", m->from == FROM_CLIENT ? "client " : "server ", "");
        painted(o, v->bad_message == i ? RED : BOLD, m->type);
        out_fmt(o, ", %zu byte%s, %s", m->raw.n, m->raw.n == 1 ? "" : "s", epoch_name(m->epoch));
        if (v->s->timed) {
            say_micros(&t, m->at, o->unicode);
            out_fmt(o, ", at %s", room);
        }
        out_str(o, "\n");
        if (o->depth >= TROTH_DEPTH_FIELDS)
            tree(o, v, i);
    }
}

static void data(struct out *o, const struct view *v)
{
    for (size_t i = 0; i < v->s->data.n; i++) {
        const struct told_data *d = &ROWS(v->s, data, struct told_data)[i];
        out_fmt(o, "\n    %s %s, %zu bytes\n", d->from == FROM_CLIENT ? SYM_RIGHT(o) : SYM_LEFT(o), direction_name(d->from), d->total);
        unsigned lines = 0;
        for (size_t k = 0; k < d->bytes.n && !v->redact && lines < 12; lines++) {
            size_t n = 0;
            while (k + n < d->bytes.n && d->bytes.p[k + n] != '\n')
                n++;
            size_t end = n && d->bytes.p[k + n - 1] == '\r' ? n - 1 : n;
            out_str(o, "      ");
            out_plain(o, span_of(d->bytes.p + k, end < 200 ? end : 200));
            out_str(o, "\n");
            k += n + 1;
        }
    }
}

static void times(struct out *o, const struct view *v)
{
    const troth_story *s = v->s;
    if (!s->flights.n && !s->marks.n)
        return;
    out_str(o, "\n");
    painted(o, BOLD, "  Times\n");
    for (size_t i = 0; i < s->items.n; i++) {
        const struct item *l = &ROWS(s, items, struct item)[i];
        char room[60];
        struct text t = TEXT_IN(room);
        if (l->kind != ITEM_FLIGHT && l->kind != ITEM_MARK)
            continue;
        if (s->timed)
            say_micros(&t, l->at, o->unicode);
        indent(o, 4 + (10 > out_columns(room) ? 10 - out_columns(room) : 0));
        out_fmt(o, "%s  ", room);
        if (l->kind == ITEM_MARK)
            out_fmt(o, "%s\n", ROWS(s, marks, struct told_mark)[l->row].what);
        else
            out_fmt(o, "%s %llu bytes\n", ROWS(s, flights, struct told_flight)[l->row].from == FROM_CLIENT ? SYM_RIGHT(o) : SYM_LEFT(o),
                    (unsigned long long)ROWS(s, flights, struct told_flight)[l->row].bytes);
    }
}

static void head(struct out *o, const struct view *v)
{
    char room[400];
    struct text t = TEXT_IN(room);
    bool bad = v->s->failure.reason != TROTH_R_NONE;
    paint(o, bad ? RED : GREEN);
    out_str(o, bad ? SYM_BAD(o) : SYM_OK(o));
    paint(o, PLAIN);
    out_str(o, " ");
    painted(o, BOLD, v->peer);
    out_fmt(o, " %s ", symbol(o, "\xe2\x80\x94", "-"));
    say_summary(&t, v);
    if (bad)
        text_add(&t, "  [%s]", v->s->failure.code);
    out_wrapped(o, 2, out_columns(v->peer) + 5, room);
    out_str(o, "\n");
    if (bad && v->s->failure.detail[0] && !v->redact)
        term(o, 2, 8, "saw", PLAIN, v->s->failure.detail);
    if (bad)
        term(o, 2, 8, "do", PLAIN, v->s->failure.hint);
    if (v->s->cut)
        para(o, 2, "Memory for the story ran out: some of it is missing.");
}

void write_text(struct out *o, struct view *v)
{
    char room[800];
    if (o->depth == TROTH_DEPTH_DEFAULT)
        o->depth = TROTH_DEPTH_STEPS;
    if (!o->no_verdict)
        head(o, v);
    for (size_t i = 0; i < v->s->notes.n; i++)
        para(o, o->no_verdict ? 0 : 2, ROWS(v->s, notes, char *const)[i]);
    for (int i = 1; i <= STEPS; i++) {
        struct text t = TEXT_IN(room);
        const char *wrong = step_trouble(v, i);
        if (step_is_empty(v, i))
            continue;
        if (i > 1 || !o->no_verdict || v->s->notes.n)
            out_str(o, "\n");
        paint(o, wrong ? (i == v->broke ? RED : DIM) : BOLD);
        out_fmt(o, "%d %s", i, step_name(i));
        paint(o, PLAIN);
        if (wrong)
            out_fmt(o, " (%s)", wrong);
        out_str(o, "\n");
        say_step(&t, v, i);
        if ((!wrong || i == v->broke) && !v->lone)
            para(o, 2, room);
        if (o->depth == TROTH_DEPTH_SUMMARY)
            continue;
        decisions(o, v, i);
        if (i == STEP_CERTIFICATE) {
            cards(o, v);
            checks(o, v);
        }
        if (i == STEP_KEYS)
            keys(o, v);
        message_list(o, v, i);
        if (i == STEP_DATA)
            data(o, v);
    }
    if (o->depth > TROTH_DEPTH_SUMMARY)
        times(o, v);
}
