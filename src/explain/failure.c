/* failure.c - what a program prints when something failed: the verdict first, then evidence, who has to act, what was reached.
 *
 * The rules: one sentence that says what happened to whom the user asked for; values as evidence; our verdict told apart from the peer's;
 * nothing called good that was not checked; never the advice to look away; twelve lines. */
#include <inttypes.h>
#include <stdio.h>
#include <troth/verify.h>

#include "explain/out.h"
#include "explain/view.h"

enum { LINES = 12, COLUMN = 15 };

struct teller {
    struct out                   o;
    const troth_error           *e;
    const troth_failure_context *c;
    unsigned                     lines;
    size_t                       path, check;  /* that failed; SIZE_MAX: none */
};

/* ---- the check that failed, in the report */

static void find_check(struct teller *f)
{
    f->path = f->check = SIZE_MAX;
    const troth_report *r = f->c->report;
    for (size_t p = 0; r && p < troth_report_paths(r) && f->check == SIZE_MAX; p++) {
        troth_path path = troth_report_path(r, p);
        for (size_t i = 0; i < path.n_checks; i++) {
            troth_path_check check = troth_report_check(r, p, i);
            if (check.verdict == TROTH_FAIL && check.reason == (enum troth_reason)f->e->reason) {
                f->path = p;
                f->check = i;
                break;
            }
        }
    }
}

static bool has_check(const struct teller *f)
{
    return f->check != SIZE_MAX;
}

/* ---- lines */

static unsigned rows_of(const struct teller *f, const char *s)
{
    return out_rows(f->o.width, COLUMN, s);
}

static void line(struct teller *f, const char *label, const char *s)
{
    if (!s || !*s || f->lines + rows_of(f, s) > LINES)
        return;
    f->lines += rows_of(f, s);
    out_str(&f->o, "  ");
    if (f->o.colour)
        out_str(&f->o, "\x1b[2m");
    out_str(&f->o, label);
    if (f->o.colour)
        out_str(&f->o, "\x1b[0m");
    out_repeat(&f->o, " ", COLUMN - 2 - (unsigned)strlen(label));
    out_wrapped(&f->o, COLUMN, COLUMN, s);
    out_str(&f->o, "\n");
}

static const char *peer_of(const struct teller *f)
{
    return f->c->peer && *f->c->peer ? f->c->peer : "the peer";
}

/* The verdict, with the value that matters most where it is known. */
static void verdict(struct text *t, const struct teller *f)
{
    const troth_error *e = f->e;
    if ((e->reason == TROTH_R_CERT_EXPIRED || e->reason == TROTH_R_CERT_NOT_YET_VALID) && has_check(f) && f->c->now) {
        troth_path_check check = troth_report_check(f->c->report, f->path, f->check);
        troth_path_cert cert = troth_report_cert(f->c->report, f->path, check.cert);
        bool expired = e->reason == TROTH_R_CERT_EXPIRED;
        text_add(t, "%s %s ", check.cert ? "a certificate of the chain" : "the certificate", expired ? "expired" : "is valid only in");
        text_distance(t, expired ? cert.not_after : cert.not_before, f->c->now);
        text_add(t, "%s", expired ? " ago" : "");
        return;
    }
    text_add(t, "%s", e->text);
}

static void first_line(struct teller *f)
{
    char room[300], code[80];
    struct text t = TEXT_IN(room), k = TEXT_IN(code);
    const char *mark = f->o.unicode ? "\xe2\x9c\x97" : "X", *dash = f->o.unicode ? "\xe2\x80\x94" : "-";
    text_add(&t, "%s %s ", peer_of(f), dash);
    verdict(&t, f);
    text_add(&k, "[%s]", f->e->code);
    unsigned used = 2 + out_columns(room), end = (unsigned)k.n;
    out_fmt(&f->o, "%s%s%s ", f->o.colour ? "\x1b[1;31m" : "", mark, f->o.colour ? "\x1b[0;1m" : "");
    out_wrapped(&f->o, 2, 2, room);
    out_str(&f->o, f->o.colour ? "\x1b[0m" : "");
    unsigned rows = out_rows(f->o.width, 2, room);
    if (rows <= 1 && used + end + 2 <= f->o.width) {
        out_repeat(&f->o, " ", f->o.width - used - end);
    } else { /* a line of its own */
        out_str(&f->o, "\n  ");
        rows++;
    }
    out_fmt(&f->o, "%s\n", code);
    f->lines += rows;
}

static void hello_name(struct text *t, const struct teller *f, const char *before, const char *behind)
{
    char name[17];
    if (troth_hello_name(name, f->c->facts))
        text_add(t, "%shs=%s%s", before, name, behind);
}

static void check_line(struct teller *f)
{
    char room[400];
    struct text t = TEXT_IN(room);
    const troth_error *e = f->e;
    if (has_check(f)) {
        troth_path path = troth_report_path(f->c->report, f->path);
        troth_path_check check = troth_report_check(f->c->report, f->path, f->check);
        troth_path_cert cert = troth_report_cert(f->c->report, f->path, check.cert);
        text_add(&t, "%s of certificate %zu of %zu \"%s\" (issued by \"%s\"; %s)", check.name, check.cert + 1, path.n_certs, cert.title, cert.issuer, check.rule);
    } else if (e->message) {
        text_add(&t, "reading %s%s%s, byte %" PRIu32, e->message, e->field ? ", field " : "", e->field ? e->field : "", e->at);
    } else if (e->from_peer) {
        const char *name = troth_alert_name(e->alert);
        text_add(&t, "the peer's own: it sent the alert %s (%u); it is its verdict, not ours", name ? name : "without a name", e->alert);
        hello_name(&t, f, " (", " in its log)");
    }
    line(f, "check", room);
}

/* The detail of an error holds so many bytes: where it had to cut the evidence, the whole of it takes its place. */
static void detail_with(struct text *t, const char *detail, const char *evidence)
{
    enum { ALIKE = 24 };
    char begins[ALIKE + 1];
    size_t n = strlen(detail), lead = n;
    snprintf(begins, sizeof begins, "%s", evidence ? evidence : "");
    const char *again = strlen(begins) == ALIKE ? strstr(detail, begins) : NULL;
    bool cut = n > 3 && !strcmp(detail + n - 3, "...");
    if (again && cut)
        lead = (size_t)(again - detail);
    text_add(t, "%.*s", (int)lead, detail);
    if (evidence && *evidence && !strstr(detail, evidence))
        text_add(t, "%s%s", t->n && lead == n ? "; " : "", evidence);
}

/* What a server said whose certificates it takes, when it did not take ours. */
static void accepted_authorities(struct text *t, const struct teller *f)
{
    enum { SHOWN = 3 };
    if (strncmp(f->e->code, "client-cert.", 12) != 0 || !f->c->facts)
        return;
    char room[200];
    unsigned n = 0;
    for (span rest = f->c->facts->acceptable_authorities, name; troth_authority_next(&rest, &name); n++)
        if (n < SHOWN)
            text_add(t, "%s\"%s\"", n ? ", " : t->n ? "; the server accepts certificates of " : "the server accepts certificates of ",
                     troth_name_text(room, sizeof room, name));
    if (n > SHOWN)
        text_add(t, " and %u more", n - SHOWN);
}

static void saw_line(struct teller *f)
{
    char room[700];
    struct text t = TEXT_IN(room);
    const char *evidence = has_check(f) ? troth_report_check(f->c->report, f->path, f->check).evidence : NULL;
    detail_with(&t, f->e->detail, evidence);
    accepted_authorities(&t, f);
    if (f->c->saw)
        text_add(&t, "%s%s", t.n ? "; " : "", f->c->saw);
    line(f, "saw", room);
}

static void who_lines(struct teller *f)
{
    char room[600];
    struct text t = TEXT_IN(room);
    switch ((enum troth_who)f->e->who) {
    case TROTH_WHO_YOU: text_add(&t, "you"); break;
    case TROTH_WHO_PEER: text_add(&t, "whoever runs %s", peer_of(f)); break;
    case TROTH_WHO_CA: text_add(&t, "the authority that issued the certificate, asked by whoever runs %s", peer_of(f)); break;
    case TROTH_WHO_NETWORK: text_add(&t, "whoever runs the network between you and %s", peer_of(f)); break;
    case TROTH_WHO_PROGRAMMER: text_add(&t, "the developers of this program"); break;
    case TROTH_WHO_NOBODY:
    default: text_add(&t, "nobody: it is for information"); break;
    }
    line(f, "who", room);
    line(f, "do", f->c->do_this ? f->c->do_this : f->e->hint);
}

/* ---- what was reached: only what really happened is called passed */

struct reached {
    struct text passed, missed, skipped;
};

static void add(struct text *t, bool unicode, const char *s)
{
    if (s && *s && !strstr(t->p, s))
        text_add(t, "%s%s", t->n ? unicode ? " \xc2\xb7 " : ", " : "", s);
}

/* The checks that people ask about; the rest is counted. */
static bool is_telling(const char *name)
{
    static const char *const names[] = { "signature", "validity", "host name", "revocation", "key strength", "purpose" };
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (!strcmp(names[i], name))
            return true;
    return false;
}

static void certificate_reached(struct teller *f, struct reached *r)
{
    unsigned others = 0;
    const troth_report *report = f->c->report;
    if (!report || !troth_report_paths(report)) {
        add(&r->missed, f->o.unicode, "the certificate's checks");
        return;
    }
    size_t p = f->path != SIZE_MAX ? f->path : troth_report_ok(report) ? troth_report_accepted(report) : 0;
    troth_path path = troth_report_path(report, p);
    for (size_t i = 0; i < path.n_checks; i++) {
        troth_path_check check = troth_report_check(report, p, i);
        bool failed = false, again = false; /* a check is passed when it passed on every certificate */
        for (size_t k = 0; k < path.n_checks; k++) {
            troth_path_check other = troth_report_check(report, p, k);
            failed |= !strcmp(other.name, check.name) && other.verdict != TROTH_PASS;
            again |= k < i && !strcmp(other.name, check.name);
        }
        if (check.verdict == TROTH_PASS && !failed && is_telling(check.name))
            add(&r->passed, f->o.unicode, check.name);
        else if (check.verdict == TROTH_PASS && !failed)
            others += !again;
        else if (check.verdict == TROTH_SKIPPED)
            add(&r->skipped, f->o.unicode, check.name);
    }
    char room[40];
    struct text t = TEXT_IN(room);
    if (others)
        text_add(&t, "%u other checks", others);
    add(&r->passed, f->o.unicode, room);
}

static void reached_lines(struct teller *f)
{
    char passed[500], missed[300], skipped[300], ms[40];
    struct reached r = { TEXT_IN(passed), TEXT_IN(missed), TEXT_IN(skipped) };
    struct text m = TEXT_IN(ms);
    const troth_facts *facts = f->c->facts;
    bool u = f->o.unicode;
    if (f->c->milliseconds >= 0) {
        text_add(&m, "TCP in %" PRId32 " ms", f->c->milliseconds);
        add(&r.passed, u, ms);
    }
    if (facts) {
        add(facts->version ? &r.passed : &r.missed, u, facts->version ? troth_version_name(facts->version) : "choice of a version");
        add(facts->group ? &r.passed : &r.missed, u, facts->group ? troth_group_name(facts->group) : facts->resumed ? NULL : "key exchange");
        if (!facts->resumed)
            certificate_reached(f, &r);
        if (!facts->ready)
            add(&r.missed, u, "application data");
    }
    line(f, "passed", passed);
    line(f, "skipped", skipped);
    line(f, "not reached", missed);
}

static void more_line(struct teller *f)
{
    char room[300];
    struct text t = TEXT_IN(room);
    if (f->c->more)
        text_add(&t, "%s", f->c->more);
    if (f->c->exit_code >= 0)
        text_add(&t, "%s(exit status %d)", t.n ? "  " : "", f->c->exit_code);
    if (!f->e->from_peer) /* whose name stands where its verdict does */
        hello_name(&t, f, t.n ? "  " : "", "");
    line(f, "more", room);
}

bool troth_failure_write(const troth_error *e, const troth_failure_context *context, troth_sink *sink, void *ctx)
{
    troth_failure_context c = { .milliseconds = -1, .exit_code = -1 };
    if (!e || !e->code || !sink)
        return false;
    if (context)
        memcpy(&c, context, context->size < sizeof c ? context->size : sizeof c);
    troth_story_options options = { .size = sizeof options, .width = c.width, .colour = c.colour, .unicode = c.unicode };
    struct teller f = { .e = e, .c = &c };
    out_init(&f.o, &options, sink, ctx);
    find_check(&f);
    first_line(&f);
    check_line(&f);
    saw_line(&f);
    who_lines(&f);
    line(&f, "retried", c.retried);
    reached_lines(&f);
    more_line(&f);
    return out_end(&f.o);
}

/* ---- one code, at length */

static const char *const who_names[] = { "nobody", "you: an argument, a file or a setting on this side", "whoever runs the other side",
                                         "the authority that issued the certificate", "whoever runs the network between", "the developers of the program" };

bool troth_explain_code(const char *code, const troth_story_options *options, troth_sink *sink, void *ctx)
{
    enum troth_reason why = troth_reason_by_code(code);
    if (why == TROTH_R_NONE || !sink)
        return false;
    struct out o;
    out_init(&o, options, sink, ctx);
    uint8_t alert = troth_reason_alert(why);
    enum troth_who who = troth_reason_who(why);
    if (options && options->form == TROTH_STORY_JSON) {
        json_open(&o, NULL, '{');
        json_text(&o, "schema", "troth.code/1");
        json_text(&o, "code", code);
        json_text(&o, "text", troth_reason_text(why));
        json_text(&o, "hint", troth_reason_hint(why));
        json_text(&o, "who", who_names[who]);
        if (alert != 255)
            json_text(&o, "alert", troth_alert_name(alert));
        json_close(&o, '}');
        out_str(&o, "\n");
        return out_end(&o);
    }
    out_fmt(&o, "%s%s%s\n", o.colour ? "\x1b[1m" : "", code, o.colour ? "\x1b[0m" : "");
    struct teller f = { .o = o };
    line(&f, "means", troth_reason_text(why));
    line(&f, "who acts", who_names[who]);
    line(&f, "do", troth_reason_hint(why));
    char room[120];
    struct text t = TEXT_IN(room);
    if (alert != 255 && troth_alert_name(alert)) {
        text_add(&t, "%s (%u) is what the other side is told", troth_alert_name(alert), alert);
        line(&f, "alert", room);
    }
    return out_end(&f.o);
}
