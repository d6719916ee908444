/* settings.c - libyaml's events, as settings.  Must never follow anything that a file says to follow, nor go deeper than a list or
 * a mapping of values. */
#include "common/settings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct reader {
    yaml_parser_t    parser;
    yaml_event_t     event;  /* YAML_NO_EVENT: there is no more */
    struct settings *out;
    const uint8_t   *text;
    size_t           n;
    bool             full;   /* which is told once              */
    bool             over;   /* nothing more is read            */
};

/* As deep as a mistake may lie that is stepped over to come to the next: libyaml's time grows with the depth. */
enum { DEPTH_MOST = 8 };

void settings_problem(struct settings *s, unsigned line, const char *fmt, ...)
{
    va_list ap;
    if (s->n_problems == SETTINGS_PROBLEMS)
        return;
    s->problems[s->n_problems].line = line;
    va_start(ap, fmt);
    vsnprintf(s->problems[s->n_problems++].text, sizeof s->problems[0].text, fmt, ap);
    va_end(ap);
}

void settings_free(struct settings *s)
{
    for (size_t i = 0; i < s->n; i++) {
        free(s->all[i].name);
        free(s->all[i].value);
    }
    free(s->all);
    *s = (struct settings){ .all = NULL };
}

/* ---- what is no YAML */

static unsigned line_at(const struct reader *r, size_t offset)
{
    unsigned line = 1;
    for (size_t i = 0; i < offset && i < r->n; i++)
        line += r->text[i] == '\n' || (r->text[i] == '\r' && (i + 1 == r->n || r->text[i + 1] != '\n'));
    return line;
}

/* What is missing at the end is missed where it began. */
static unsigned line_of_syntax(const struct reader *r)
{
    const yaml_parser_t *p = &r->parser;
    unsigned last = line_at(r, r->n ? r->n - 1 : 0), line = (unsigned)p->problem_mark.line + 1;
    if (p->context && (p->error == YAML_SCANNER_ERROR || line > last))
        line = (unsigned)p->context_mark.line + 1;
    return line < last ? line : last;
}

/* A tab among the blanks that a line begins with. */
static bool begins_with_tab(const struct reader *r, unsigned line)
{
    size_t i = 0;
    for (; i < r->n && line > 1; i++)
        line -= r->text[i] == '\n';
    while (i < r->n && r->text[i] == ' ')
        i++;
    return i < r->n && r->text[i] == '\t';
}

static void tell_syntax(struct reader *r)
{
    const yaml_parser_t *p = &r->parser;
    const char *problem = p->problem ? p->problem : "it cannot be read";
    if (p->error == YAML_MEMORY_ERROR)
        settings_problem(r->out, 1, "no memory");
    else if (p->error == YAML_READER_ERROR)
        settings_problem(r->out, line_at(r, p->problem_offset), "0x%02x is no text in UTF-8 (%s)", (unsigned)p->problem_value, problem);
    else if (begins_with_tab(r, (unsigned)p->problem_mark.line + 1))
        settings_problem(r->out, (unsigned)p->problem_mark.line + 1, "a tab at the beginning: YAML is indented with spaces");
    else
        settings_problem(r->out, line_of_syntax(r), "this is no YAML: %s%s%s\n  a line is `option: value'; a value with `: ' or ` #' in it, or that "
                         "begins with a sign such as [ { * & ! %% @, needs quotes", problem, p->context ? ", " : "", p->context ? p->context : "");
}

/* ---- events */

static void next(struct reader *r)
{
    yaml_event_delete(&r->event);
    if (!r->over && !yaml_parser_parse(&r->parser, &r->event)) {
        tell_syntax(r);
        r->event.type = YAML_NO_EVENT;
    }
}

static unsigned line_of(const struct reader *r)
{
    return (unsigned)r->event.start_mark.line + 1;
}

/* Steps over what is here, whatever it holds. */
static void step_over(struct reader *r)
{
    size_t depth = 0;
    do {
        switch ((int)r->event.type) {
        case YAML_SEQUENCE_START_EVENT:
        case YAML_MAPPING_START_EVENT:
            r->over = ++depth > DEPTH_MOST;
            break;
        case YAML_SEQUENCE_END_EVENT:
        case YAML_MAPPING_END_EVENT:
            depth--;
            break;
        case YAML_NO_EVENT:
            return;
        default:
            break;
        }
        next(r);
    } while (depth);
}

/* Has it an anchor or a tag, or does it stand for something else? */
static bool is_decorated(const struct reader *r)
{
    const yaml_event_t *e = &r->event;
    const void *anchor = e->type == YAML_SCALAR_EVENT ? e->data.scalar.anchor : e->type == YAML_SEQUENCE_START_EVENT ? e->data.sequence_start.anchor
                         : e->type == YAML_MAPPING_START_EVENT ? e->data.mapping_start.anchor : NULL;
    const void *tag = e->type == YAML_SCALAR_EVENT ? e->data.scalar.tag : e->type == YAML_SEQUENCE_START_EVENT ? e->data.sequence_start.tag
                      : e->type == YAML_MAPPING_START_EVENT ? e->data.mapping_start.tag : NULL;
    if (anchor || e->type == YAML_ALIAS_EVENT)
        settings_problem(r->out, line_of(r), "anchors and aliases (&name, *name) mean nothing here; a text that begins so needs quotes");
    else if (tag)
        settings_problem(r->out, line_of(r), "tags (!name) mean nothing here; a text that begins so needs quotes");
    return anchor || tag || e->type == YAML_ALIAS_EVENT;
}

static bool is_null(const char *text)
{
    return !*text || !strcmp(text, "~") || !strcmp(text, "null") || !strcmp(text, "Null") || !strcmp(text, "NULL");
}

/* ---- settings */

/* What the scalar says, behind `key=` where it is one of a mapping.  NULL: no memory. */
static char *value_text(const char *key, const char *value)
{
    char *text = NULL;
    return key && asprintf(&text, "%s=%s", key, value) < 0 ? NULL : key ? text : strdup(value);
}

/* The scalar that is here, for `name`; `key` as in value_text. */
static void add(struct reader *r, const char *name, const char *key, bool listed)
{
    struct settings *s = r->out;
    const char *value = (const char *)r->event.data.scalar.value;
    bool plain = r->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (plain && is_null(value)) {
        settings_problem(s, line_of(r), "`%.80s' has no value here; one that is empty is written \"\"", name);
    } else if (memchr(value, 0, r->event.data.scalar.length)) {
        settings_problem(s, line_of(r), "`%.80s' has a byte 0 in its value", name);
    } else if (s->n == SETTINGS_MOST) {
        if (!r->full)
            settings_problem(s, line_of(r), "more than %d values", SETTINGS_MOST);
        r->full = true;
    } else {
        struct setting *made = &s->all[s->n++];
        *made = (struct setting){ .name = strdup(name), .value = value_text(key, value), .line = line_of(r), .plain = plain,
                                  .listed = listed, .mapped = key != NULL };
        if (!made->name || !made->value) {
            settings_problem(s, line_of(r), "no memory");
            free(made->name);
            free(made->value);
            s->n--;
        }
    }
}

static void list(struct reader *r, const char *name)
{
    unsigned begins = line_of(r);
    size_t items = 0;
    for (next(r); r->event.type != YAML_SEQUENCE_END_EVENT && r->event.type != YAML_NO_EVENT; items++) {
        bool ok = !is_decorated(r) && r->event.type == YAML_SCALAR_EVENT;
        if (ok)
            add(r, name, NULL, true);
        else if (r->event.type == YAML_SEQUENCE_START_EVENT || r->event.type == YAML_MAPPING_START_EVENT)
            settings_problem(r->out, line_of(r), "`%.80s' has a %s in its list, where values belong", name,
                             r->event.type == YAML_SEQUENCE_START_EVENT ? "list" : "mapping");
        step_over(r);
    }
    if (!items && r->event.type != YAML_NO_EVENT)
        settings_problem(r->out, begins, "`%.80s' has an empty list: leave it out", name);
    next(r);
}

/* Is there a value of that key already? */
static unsigned mapped_before(const struct settings *s, const char *name, const char *key)
{
    size_t n = strlen(key);
    for (size_t i = 0; i < s->n; i++)
        if (s->all[i].mapped && !strcmp(s->all[i].name, name) && !strncmp(s->all[i].value, key, n) && s->all[i].value[n] == '=')
            return s->all[i].line;
    return 0;
}

/* A mapping of values: `key: value`, as often as there is one. */
static void table(struct reader *r, const char *name)
{
    unsigned begins = line_of(r);
    size_t items = 0;
    for (next(r); r->event.type != YAML_MAPPING_END_EVENT && r->event.type != YAML_NO_EVENT; items++) {
        unsigned line = line_of(r), before;
        bool ok = !is_decorated(r) && r->event.type == YAML_SCALAR_EVENT;
        char *key = ok ? strdup((const char *)r->event.data.scalar.value) : NULL;
        step_over(r);
        if (ok && key && strchr(key, '='))
            settings_problem(r->out, line, "`%.80s' has a = in `%.80s', in front of the colon", name, key);
        else if (ok && key && (before = mapped_before(r->out, name, key)))
            settings_problem(r->out, line, "`%.80s' has `%.80s' in line %u already", name, key, before);
        else if (key && !is_decorated(r) && r->event.type == YAML_SCALAR_EVENT)
            add(r, name, key, true);
        else if (r->event.type == YAML_SEQUENCE_START_EVENT || r->event.type == YAML_MAPPING_START_EVENT)
            settings_problem(r->out, line_of(r), "`%.80s' has a %s in its mapping, where values belong", name,
                             r->event.type == YAML_SEQUENCE_START_EVENT ? "list" : "mapping");
        step_over(r);
        free(key);
    }
    if (!items && r->event.type != YAML_NO_EVENT)
        settings_problem(r->out, begins, "`%.80s' has an empty mapping: leave it out", name);
    next(r);
}

static void value_of(struct reader *r, const char *name)
{
    bool decorated = is_decorated(r);
    if (!decorated && r->event.type == YAML_SCALAR_EVENT) {
        add(r, name, NULL, false);
        step_over(r);
    } else if (!decorated && r->event.type == YAML_SEQUENCE_START_EVENT) {
        list(r, name);
    } else if (!decorated && r->event.type == YAML_MAPPING_START_EVENT) {
        table(r, name);
    } else {
        step_over(r);
    }
}

/* The line in which `name` was set before, 0: it was not. */
static unsigned set_before(const struct settings *s, const char *name)
{
    for (size_t i = 0; i < s->n; i++)
        if (!strcmp(s->all[i].name, name))
            return s->all[i].line;
    return 0;
}

/* `name: value`, as often as there is one. */
static void mapping(struct reader *r)
{
    next(r);
    while (r->event.type != YAML_MAPPING_END_EVENT && r->event.type != YAML_NO_EVENT) {
        unsigned line = line_of(r), before = 0;
        bool decorated = is_decorated(r), scalar = !decorated && r->event.type == YAML_SCALAR_EVENT;
        char *name = scalar ? strdup((const char *)r->event.data.scalar.value) : NULL;
        if (!decorated && !name)
            settings_problem(r->out, line, "the name of an option belongs in front of the colon");
        else if (name)
            before = set_before(r->out, name);
        if (before)
            settings_problem(r->out, line, "`%.80s' is set in line %u already; several values are a list", name, before);
        step_over(r);
        if (name && !before)
            value_of(r, name);
        else
            step_over(r);
        free(name);
    }
    next(r);
}

static void document(struct reader *r)
{
    next(r); /* the stream begins */
    next(r);
    if (r->event.type != YAML_DOCUMENT_START_EVENT)
        return;
    next(r);
    bool empty = r->event.type == YAML_SCALAR_EVENT && !r->event.data.scalar.length && r->event.data.scalar.plain_implicit;
    if (is_decorated(r) || (r->event.type != YAML_MAPPING_START_EVENT && !empty && r->event.type != YAML_NO_EVENT)) {
        settings_problem(r->out, line_of(r), "lines of `option: value' belong here, and this is something else");
        return;
    }
    empty ? next(r) : mapping(r);
    if (r->event.type == YAML_DOCUMENT_END_EVENT)
        next(r);
    if (r->event.type == YAML_DOCUMENT_START_EVENT)
        settings_problem(r->out, line_of(r), "a second document begins here: one is all that is read");
}

bool settings_read(struct settings *s, const uint8_t *text, size_t n)
{
    struct reader r = { .out = s, .text = text, .n = n };
    *s = (struct settings){ .all = calloc(SETTINGS_MOST, sizeof *s->all) };
    if (!s->all || !yaml_parser_initialize(&r.parser)) {
        settings_problem(s, 1, "no memory");
        return false;
    }
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, text, n);
    document(&r);
    yaml_event_delete(&r.event);
    yaml_parser_delete(&r.parser);
    return !s->n_problems;
}
