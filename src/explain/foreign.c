/* foreign.c - recognises what other programs say about TLS, and translates it into the catalogue. */
#include "explain/out.h"
#include "explain/view.h"

static const struct foreign {
    const char *program, *pattern, *code, *note;
    bool        vague; /* only where nothing else was found */
} rows[] = {
#define F(program, pattern, code, note) { program, pattern, code, note, false },
#define V(program, pattern, code, note) { program, pattern, code, note, true },
#define A(number, name, rustls, go)                                           \
    F("Java", "fatal alert: " name, "peer.alert." name, "")                   \
    F("rustls", "fatal alert: " rustls, "peer.alert." name, "")               \
    F("Go", "remote error: tls: " go, "peer.alert." name, "")                 \
    F("GnuTLS", "Received alert [" #number "]", "peer.alert." name, "")       \
    F("schannel", "fatal alert code is " #number ".", "peer.alert." name, "")
#include "explain/foreign.def"
#undef A
#undef V
#undef F
};

/* One form of a letter; as programs write the same words as a sentence and as a name, _ is a space. */
static char plain(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c == '_' ? ' ' : c;
}

/* Where the first `n` characters of `words` begin in `text`, letters in any form; NULL: nowhere. */
static const char *find(const char *text, const char *words, size_t n)
{
    for (; *text; text++) {
        size_t i = 0;
        while (i < n && text[i] && plain(text[i]) == plain(words[i]))
            i++;
        if (i == n)
            return text;
    }
    return NULL;
}

/* The pieces behind the first one, in order, on one line: at most 80 characters between them. */
static bool rest_matches(const char *text, const char *pattern)
{
    while (*pattern) {
        size_t n = strcspn(pattern, "*");
        const char *at = find(text, pattern, n);
        if (!at || at - text > 80 || memchr(text, '\n', (size_t)(at - text)))
            return false;
        text = at + n;
        pattern += n + (pattern[n] == '*');
    }
    return true;
}

static const char *match(const char *text, const char *pattern)
{
    size_t n = strcspn(pattern, "*");
    for (const char *at = text; (at = find(at, pattern, n)); at++)
        if (rest_matches(at + n, pattern + n + (pattern[n] == '*')))
            return at;
    return NULL;
}

/* For the tests: the i-th row's code, NULL past the end. */
const char *foreign_code(size_t i)
{
    return i < COUNT_OF(rows) ? rows[i].code : NULL;
}

static void tell(struct out *o, const struct foreign *f, size_t so_far)
{
    enum troth_reason why = troth_reason_by_code(f->code);
    const char *rows_of[][2] = { { "means", troth_reason_text(why) }, { "but know", *f->note ? f->note : NULL }, { "do", troth_reason_hint(why) } };
    out_fmt(o, "%s%s%s%s  (%s says: \"%s\")\n", so_far ? "\n" : "", o->colour ? "\x1b[1m" : "", f->code, o->colour ? "\x1b[0m" : "", f->program, f->pattern);
    for (size_t i = 0; i < COUNT_OF(rows_of); i++)
        if (rows_of[i][1]) {
            out_fmt(o, "  %-10s", rows_of[i][0]);
            out_wrapped(o, 12, 12, rows_of[i][1]);
            out_str(o, "\n");
        }
}

static void tell_json(struct out *o, const struct foreign *f)
{
    enum troth_reason why = troth_reason_by_code(f->code);
    json_open(o, NULL, '{');
    json_text(o, "code", f->code);
    json_text(o, "program", f->program);
    json_text(o, "recognised", f->pattern);
    json_text(o, "text", troth_reason_text(why));
    json_text(o, "note", *f->note ? f->note : NULL);
    json_text(o, "hint", troth_reason_hint(why));
    json_close(o, '}');
}

size_t troth_explain_text(const char *text, const troth_story_options *options, troth_sink *sink, void *ctx)
{
    enum { MOST = 3 };
    const struct foreign *found[MOST];
    size_t n = 0;
    for (size_t i = 0; text && sink && i < COUNT_OF(rows) && n < MOST; i++) {
        bool again = false; /* what another row said already, of the same words or with the same meaning */
        for (size_t k = 0; k < n; k++)
            again |= !strcmp(found[k]->code, rows[i].code) || find(found[k]->pattern, rows[i].pattern, strlen(rows[i].pattern));
        if (!again && !(n && rows[i].vague) && match(text, rows[i].pattern))
            found[n++] = &rows[i];
    }
    if (!n)
        return 0;
    struct out o;
    bool json = options && options->form == TROTH_STORY_JSON;
    out_init(&o, options, sink, ctx);
    if (json) {
        json_open(&o, NULL, '{');
        json_text(&o, "schema", "troth.explain-error/1");
        json_open(&o, "found", '[');
    }
    for (size_t i = 0; i < n; i++)
        if (json)
            tell_json(&o, found[i]);
        else
            tell(&o, found[i], i);
    if (json) {
        json_close(&o, ']');
        json_close(&o, '}');
        out_str(&o, "\n");
    }
    return out_end(&o) ? n : 0;
}
