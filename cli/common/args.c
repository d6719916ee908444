/* args.c - parsing the command line from the tables, and the help made from the same tables.  Must never do anything else. */
#include "common/args.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <troth/types.h>

#include "common/config.h"
#include "common/credentials.h"
#include "common/tty.h"

#define V(id)      (1u << VERB_##id)
#define ALL        ((1u << VERB_COUNT) - 1)
#define REPEATS    (1u << 31)
#define CREDENTIAL (1u << 30)
#define START      (1u << 29)
#define LINE_ONLY  (1u << 28)

static const struct verb_row {
    const char *name, *operands, *line, *about;
    int         least, most;
} verbs[] = {
#define VERB(id, name, operands, least, most, line, about) { name, operands, line, about, least, most },
#include "verbs.def"
#undef VERB
};

static const struct opt_row {
    const char *name;
    int         letter;
    const char *argument;
    unsigned    verbs;
    const char *help;
} opts[] = {
#define OPT(id, name, letter, argument, verbs, help) { name, letter, argument, (verbs), help },
#include "options.def"
#undef OPT
};

const char *verb_name(enum verb v)
{
    return verbs[v].name;
}

const char *opt_name(enum opt o)
{
    return opts[o].name;
}

const char *opt_argument(enum opt o)
{
    return opts[o].argument;
}

const char *opt_help(enum opt o)
{
    return opts[o].help;
}

bool opt_is_path(enum opt o)
{
    const char *kind = opts[o].argument;
    return kind && (strstr(kind, "FILE") || strstr(kind, "DIR"));
}

bool opt_repeats(enum opt o)
{
    return opts[o].verbs & REPEATS;
}

bool opt_is_credential(enum opt o)
{
    return opts[o].verbs & CREDENTIAL;
}

bool opt_is_fixed(enum opt o)
{
    return opts[o].verbs & START;
}

bool opt_is_of(enum opt o, enum verb v)
{
    return opts[o].verbs & 1u << v;
}

bool opt_is_setting(enum opt o, enum verb v)
{
    return opt_is_of(o, v) && !(opts[o].verbs & LINE_ONLY);
}

enum opt opt_find(const char *name)
{
    for (size_t i = 0; i < OPT_COUNT; i++)
        if (!strcmp(opts[i].name, name))
            return (enum opt)i;
    return OPT_COUNT;
}

int complain(const struct args *a, int status, const char *fmt, ...)
{
    char text[16384], place[4200] = ""; /* a path, a URL and what is wrong with them; what is longer is cut */
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (a && a->config)
        config_place(a, text, place, sizeof place);
    if (a && a->heard) {
        size_t n = strlen(a->heard);
        snprintf(a->heard + n, ARG_HEARD_MAX - n, "%s%s%s", n ? "\n " : "", place, text);
        return status;
    }
    fprintf(stderr, "troth%s%s: ", a ? " " : "", a ? verbs[a->verb].name : "");
    print_safely(stderr, place);
    print_safely(stderr, text);
    fputc('\n', stderr);
    return status;
}

int complain_of(const struct args *a, int status, const troth_error *why, const char *about, const char *saw)
{
    const char *text = strstr(saw, why->text) ? "" : why->text; /* nothing is said twice */
    bool more = !strstr(why->text, saw) || !*text;
    return complain(a, status, "%s%s%s%s%s [%s]\n  %s", about ? about : "", about ? ": " : "", text, *text && more ? ": " : "",
                    more ? saw : "", why->code, why->hint);
}

/* ---- did you mean */

enum { GUESS_MAX = 48 };

/* Edit distance, whatever the case; words are short, longer ones are simply far away. */
static size_t distance(const char *a, const char *b)
{
    size_t n = strlen(b), row[GUESS_MAX + 1];
    if (n > GUESS_MAX || strlen(a) > GUESS_MAX)
        return SIZE_MAX;
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 0; a[i]; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < n; j++) {
            size_t change = diagonal + (tolower((unsigned char)a[i]) != tolower((unsigned char)b[j])), best = row[j] + 1;
            diagonal = row[j + 1];
            if (diagonal + 1 < best)
                best = diagonal + 1;
            row[j + 1] = change < best ? change : best;
        }
    }
    return row[n];
}

/* The nearest of the names that were tried. */
struct guess {
    const char *word, *best;
    size_t      least;
};

static struct guess guess_for(const char *word)
{
    return (struct guess){ .word = word, .least = strlen(word) < 3 ? strlen(word) : 3 }; /* farther than two edits is no guess, nor is another word as short */
}

static void try(struct guess *g, const char *name)
{
    size_t d = name ? distance(g->word, name) : SIZE_MAX;
    if (d >= g->least)
        return;
    g->least = d;
    g->best = name;
}

static const char *verb_nearest(const char *word)
{
    struct guess g = guess_for(word);
    for (size_t i = 0; i < VERB_COUNT; i++)
        try(&g, verbs[i].name);
    return g.best;
}

const char *opt_nearest(const char *name, enum verb v)
{
    struct guess g = guess_for(name);
    for (size_t i = 0; i < OPT_COUNT; i++)
        if (opts[i].verbs & 1u << v)
            try(&g, opts[i].name);
    return g.best;
}

const char *word_nearest(const char *word, const char *(*name)(uint16_t), uint16_t last)
{
    struct guess g = guess_for(word);
    for (unsigned i = 1; i <= last; i++)
        try(&g, name((uint16_t)i));
    return g.best;
}

/* What another program calls it; NULL: it is nobody's, or that verb has nothing like it. */
static const char *opt_of_others(const char *name, enum verb v)
{
    static const struct {
        const char *theirs, *ours;
    } rows[] = {
#define THEIRS(theirs, ours) { theirs, ours },
#include "theirs.def"
#undef THEIRS
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (!strcasecmp(rows[i].theirs, name))
            return opts[opt_find(rows[i].ours)].verbs & 1u << v ? rows[i].ours : NULL;
    return NULL;
}

/* ---- help */

/* Lines longer than this are hard to read, however wide the terminal. */
static int page_width(FILE *to)
{
    unsigned n = columns_of(fileno(to));
    return n < 100 ? (int)n : 100;
}

/* `text` behind `indent` columns, at whole words. */
static void wrap(FILE *to, const char *text, int indent, int width)
{
    int column = indent;
    for (const char *p = text; *p;) {
        size_t n = strcspn(p, " ");
        if (column > indent && column + 1 + (int)n > width) {
            fprintf(to, "\n%*s", indent, "");
            column = indent;
        } else if (column > indent) {
            fputc(' ', to);
            column++;
        }
        fprintf(to, "%.*s", (int)n, p);
        column += (int)n;
        p += n + (p[n] == ' ');
    }
    fputc('\n', to);
}

/* A term and its explanation beside it; below it, where there is no room for two columns. */
static void help_row(FILE *to, const char *term, int column, const char *text, int width)
{
    bool narrow = width < column + 30;
    int indent = narrow ? 8 : column;
    if (narrow || (int)strlen(term) > column - 3)
        fprintf(to, "  %s\n%*s", term, indent, "");
    else
        fprintf(to, "  %-*s ", column - 3, term);
    wrap(to, text, indent, width);
}

static void help_options(enum verb v, bool common, int width)
{
    for (size_t i = 0; i < OPT_COUNT; i++) {
        const struct opt_row *o = &opts[i];
        if (!(o->verbs & 1u << v) || ((o->verbs & ALL) == ALL) != common)
            continue;
        char left[64], letter[8] = "    ";
        if (o->letter)
            snprintf(letter, sizeof letter, "-%c, ", o->letter);
        snprintf(left, sizeof left, "%s--%s%s%s", letter, o->name, o->argument ? " " : "", o->argument ? o->argument : "");
        help_row(stdout, left, 33, o->help, width);
    }
}

static void help_verb(enum verb v)
{
    printf("troth %s%s%s [options]\n\n", verbs[v].name, *verbs[v].operands ? " " : "", verbs[v].operands);
    int width = page_width(stdout);
    wrap(stdout, *verbs[v].about ? verbs[v].about : verbs[v].line, 0, width);
    printf("\nOptions\n");
    help_options(v, false, width);
    printf("\nCommon options\n");
    help_options(v, true, width);
}

static void help_all(FILE *to)
{
    int width = page_width(to);
    fprintf(to, "troth - TLS that says what it does\n\nUsage: troth VERB [options] ...\n\n");
    for (size_t i = 0; i < VERB_COUNT; i++)
        help_row(to, verbs[i].name, 17, verbs[i].line, width);
    fputc('\n', to);
    wrap(to, "`troth VERB --help' and `man troth-VERB' say more.", 0, width);
    fputc('\n', to);
    wrap(to, "Exit status: 0 all that was asked for holds, 1 a negative answer, 2 usage, 3 name or TCP, 4 protocol, 5 we refused the peer's "
             "certificate, 6 the peer refused us, 7 timeout, 8 a file or key, 9 HTTP status (get --fail), 70 a bug.", 0, width);
}

/* ---- parsing */

static bool find_verb(struct args *a, const char *word, int *status)
{
    for (size_t i = 0; i < VERB_COUNT; i++)
        if (!strcmp(verbs[i].name, word)) {
            a->verb = (enum verb)i;
            return true;
        }
    const char *guess = verb_nearest(word);
    *status = guess ? complain(NULL, EXIT_USAGE, "there is no verb `%s'; did you mean `%s'?", word, guess)
                    : complain(NULL, EXIT_USAGE, "there is no verb `%s'; `troth --help' lists them", word);
    return false;
}

bool args_set(struct args *a, enum opt o, const char *value, unsigned line)
{
    a->given[o]++;
    a->value[o] = value;
    a->line[o] = line;
    if (!(opts[o].verbs & REPEATS))
        return true;
    if (a->n_all == ARG_VALUES_MAX) {
        complain(a, EXIT_USAGE, "--%s: too many options of this kind (at most %d in all)", opts[o].name, ARG_VALUES_MAX);
        return false;
    }
    a->all[a->n_all].opt = o;
    a->all[a->n_all].line = line;
    a->all[a->n_all++].value = value;
    return true;
}

static bool take_option(struct args *a, enum opt o, const char *value, int *status)
{
    if (value && !*value && opt_is_path(o)) { /* a variable that was not set, most likely; "" and a name is the root folder's */
        *status = complain(a, EXIT_USAGE, "--%s: the name of the file or folder is empty", opts[o].name);
        return false;
    }
    if (opts[o].verbs & CREDENTIAL && !(value = credential_path(a, value, NULL))) {
        *status = complain(a, EXIT_USAGE, "--%s: CREDENTIALS_DIRECTORY is too long a name", opts[o].name);
        return false;
    }
    if (args_set(a, o, value, 0))
        return true;
    *status = EXIT_USAGE;
    return false;
}

/* `typed': with its dashes; the name is behind them. */
static int unknown_name(const struct args *a, const char *typed)
{
    static const char *const blind[] = { "insecure", "no-check-certificate", "k" };
    const char *name = typed + strspn(typed, "-"), *here = opt_of_others(name, a->verb), *guess = opt_nearest(name, a->verb);
    for (size_t i = 0; i < sizeof blind / sizeof blind[0]; i++)
        if (!strcmp(name, blind[i]) && opts[OPT_CA].verbs & 1u << a->verb)
            return complain(a, EXIT_USAGE, "there is no option %s: every certificate is verified; say with --ca FILE or --pin SHA256 whom to trust", typed);
    if (here)
        return complain(a, EXIT_USAGE, "there is no option %s; here it is --%s", typed, here);
    if (guess && !strncmp(typed, "--", 2))
        return complain(a, EXIT_USAGE, "there is no option %s; did you mean --%s?", typed, guess);
    return complain(a, EXIT_USAGE, "there is no option %s%s; see troth %s --help", typed, strncmp(typed, "--", 2) ? " here" : "", verbs[a->verb].name);
}

/* -servername, as OpenSSL has it, is many letters to getopt, and the first that is none is in the middle of the word.  NULL: it is no such word. */
static const char *word_of_one_dash(char **argv)
{
    const char *word = argv[optind];
    return word && word[0] == '-' && word[1] != '-' && strlen(word) > 2 && strchr(word + 1, optopt) ? word : NULL;
}

static bool unknown_option(struct args *a, char **argv, int letter, int *status)
{
    char typed[GUESS_MAX + 3];
    const char *word = argv[optind - 1], *one_dash = letter == '?' && optopt > 0 && optopt < 256 ? word_of_one_dash(argv) : NULL;
    if (letter == ':') {
        *status = complain(a, EXIT_USAGE, "%s needs a value; see troth %s --help", word, verbs[a->verb].name);
        return false;
    }
    word = one_dash ? one_dash : word;
    snprintf(typed, sizeof typed, "%.*s", (int)strcspn(word, "="), word);
    enum opt known = opt_find(typed + strspn(typed, "-"));
    bool ours = known != OPT_COUNT && opts[known].verbs & 1u << a->verb, two = !strncmp(word, "--", 2);
    if (!two && one_dash && ours)
        *status = complain(a, EXIT_USAGE, "there is no option %s; with two dashes it is one: -%s", typed, typed);
    else if (!two && !(one_dash && opt_of_others(typed + 1, a->verb)))
        *status = unknown_name(a, (char[]){ '-', (char)(optopt ? optopt : '?'), 0 });
    else if (two && known != OPT_COUNT)
        *status = ours ? complain(a, EXIT_USAGE, "%s takes no value", typed)
                       : complain(a, EXIT_USAGE, "%s means nothing here; see troth %s --help", typed, verbs[a->verb].name);
    else
        *status = unknown_name(a, typed);
    return false;
}

/* getopt's tables for one verb. */
static void tables_for(enum verb v, struct option *longs, char *shorts)
{
    size_t n = 0, s = 0;
    shorts[s++] = ':';
    for (size_t i = 0; i < OPT_COUNT; i++) {
        if (!(opts[i].verbs & 1u << v))
            continue;
        longs[n++] = (struct option){ opts[i].name, opts[i].argument ? required_argument : no_argument, NULL, 256 + (int)i };
        if (!opts[i].letter)
            continue;
        shorts[s++] = (char)opts[i].letter;
        if (opts[i].argument)
            shorts[s++] = ':';
    }
    longs[n] = (struct option){ 0 };
    shorts[s] = 0;
}

static enum opt by_letter(int letter)
{
    for (size_t i = 0; i < OPT_COUNT; i++)
        if (opts[i].letter == letter)
            return (enum opt)i;
    return OPT_COUNT;
}

static bool check_operands(const struct args *a, int *status)
{
    const struct verb_row *v = &verbs[a->verb];
    if (a->n_operands < v->least)
        *status = complain(a, EXIT_USAGE, "%s is missing; usage: troth %s %s [options]", v->operands, v->name, v->operands);
    else if (v->most >= 0 && a->n_operands > v->most)
        *status = complain(a, EXIT_USAGE, "`%s' is one argument too many; usage: troth %s %s [options]", a->operands[v->most], v->name,
                           v->operands);
    else
        return true;
    return false;
}

static bool parse(struct args *a, int argc, char **argv, int *status)
{
    if (argc < 2) {
        help_all(stderr);
        *status = EXIT_USAGE;
        return false;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
        if (argc > 2 && !find_verb(a, argv[2], status))
            return false;
        argc > 2 ? help_verb(a->verb) : help_all(stdout);
        return false;
    }
    if (!find_verb(a, strcmp(argv[1], "--version") ? argv[1] : "version", status))
        return false;

    struct option longs[OPT_COUNT + 1];
    char shorts[2 * OPT_COUNT + 2];
    tables_for(a->verb, longs, shorts);
    opterr = 0;
    optind = 0; /* from the beginning, also the second time */
    for (int c; (c = getopt_long(argc - 1, argv + 1, shorts, longs, NULL)) != -1;) {
        if (c == '?' || c == ':')
            return unknown_option(a, argv + 1, c, status);
        if (!take_option(a, c >= 256 ? (enum opt)(c - 256) : by_letter(c), optarg, status))
            return false;
    }
    if (args_has(a, OPT_HELP)) {
        help_verb(a->verb);
        return false;
    }
    a->operands = argv + 1 + optind;
    a->n_operands = argc - 1 - optind;
    if (!check_operands(a, status) || !config_read(a, status))
        return false;
    if (!args_fit(a)) {
        *status = EXIT_USAGE;
        return false;
    }
    if (!args_has(a, OPT_PRINT_CONFIG))
        return true;
    *status = config_print(a, stdout);
    return false;
}

bool args_parse(struct args *a, int argc, char **argv, int *status)
{
    *a = (struct args){ .argc = argc, .argv = argv };
    *status = EXIT_OK;
    return parse(a, argc, argv, status);
}

bool args_again(struct args *a, const struct args *first, char *heard, int *status)
{
    *a = (struct args){ .argc = first->argc, .argv = first->argv, .heard = heard };
    *status = EXIT_OK;
    return parse(a, a->argc, a->argv, status);
}

static bool is_text(const char *x, const char *y)
{
    return x && y ? !strcmp(x, y) : x == y;
}

static bool is_same(const struct args *a, const struct args *b, enum opt o)
{
    bool same = a->given[o] == b->given[o] && is_text(args_value(a, o, NULL), args_value(b, o, NULL));
    for (size_t i = 0; same && opts[o].verbs & REPEATS && i < a->given[o]; i++)
        same = is_text(args_nth(a, o, i), args_nth(b, o, i));
    return same;
}

static bool keep(struct args *a, const struct args *first, enum opt o)
{
    size_t n = 0;
    for (size_t i = 0; i < a->n_all; i++)
        if (a->all[i].opt != o)
            a->all[n++] = a->all[i];
    a->n_all = n;
    a->given[o] = 0;
    bool ok = true;
    if (!(opts[o].verbs & REPEATS) && first->given[o])
        ok = args_set(a, o, first->value[o], first->line[o]);
    for (size_t i = 0; ok && i < first->n_all; i++)
        if (first->all[i].opt == o)
            ok = args_set(a, o, first->all[i].value, first->all[i].line);
    return ok;
}

bool args_keep(struct args *a, const struct args *first, void (*changed)(void *ctx, enum opt), void *ctx)
{
    bool ok = true;
    for (size_t i = 0; ok && i < OPT_COUNT; i++) {
        enum opt o = (enum opt)i;
        if (!(opts[o].verbs & START) || !opt_is_of(o, a->verb))
            continue;
        if (!is_same(a, first, o))
            changed(ctx, o);
        ok = keep(a, first, o);
    }
    return ok && args_fit(a);
}

void args_free(struct args *a)
{
    config_free(a);
}

/* ---- values */

const char *args_nth(const struct args *a, enum opt o, size_t i)
{
    for (size_t k = 0; k < a->n_all; k++)
        if (a->all[k].opt == o && i-- == 0)
            return a->all[k].value;
    return NULL;
}

const char *args_each(const struct args *a, enum opt o, size_t i)
{
    return opt_repeats(o) ? args_nth(a, o, i) : i ? NULL : args_value(a, o, NULL);
}

int args_word(const struct args *a, enum opt o, const char *const *words, int otherwise)
{
    char list[256] = "";
    size_t n = 0;
    if (!args_has(a, o))
        return otherwise;
    for (int i = 0; words[i]; i++) {
        if (!strcmp(words[i], a->value[o]))
            return i;
        if (n < sizeof list)
            n += (size_t)snprintf(list + n, sizeof list - n, "%s%s", n ? ", " : "", words[i]);
    }
    complain(a, EXIT_USAGE, "--%s: `%s' is none of %s", opts[o].name, a->value[o], list);
    return -1;
}

bool args_number(const struct args *a, enum opt o, long least, long most, long otherwise, long *out)
{
    *out = otherwise;
    if (!args_has(a, o))
        return true;
    char *end;
    errno = 0;
    long n = strtol(a->value[o], &end, 10);
    if (errno || a->value[o][0] < '0' || a->value[o][0] > '9' || end == a->value[o] || *end || n < least || n > most) {
        complain(a, EXIT_USAGE, "--%s: `%s' is not a number from %ld to %ld", opts[o].name, a->value[o], least, most);
        return false;
    }
    *out = n;
    return true;
}

static int64_t days_from_civil(int64_t y, int m, int d)
{
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400, yoe = y - era * 400;
    int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static int days_in(int year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

bool parse_time(const char *text, int64_t *out)
{
    int year, month, day, hour = 0, minute = 0, second = 0, used = 0, oh = 0, om = 0;
    char sign = 0, *end;
    if (*text && text[strspn(text, "-0123456789")] == 0 && !strchr(text + 1, '-')) {
        errno = 0;
        *out = strtoll(text, &end, 10);
        return !errno && !*end;
    }
    if (sscanf(text, "%4d-%2d-%2d%n", &year, &month, &day, &used) != 3)
        return false;
    const char *p = text + used;
    if (*p == 'T' || *p == 't' || *p == ' ') {
        if (sscanf(++p, "%2d:%2d:%2d%n", &hour, &minute, &second, &used) != 3)
            return false;
        p += used;
        if (*p == '.' && strspn(p + 1, "0123456789"))
            p += 1 + strspn(p + 1, "0123456789");
        if (sscanf(p, "%c%2d:%2d%n", &sign, &oh, &om, &used) == 3 && (sign == '+' || sign == '-'))
            p += used;
        else if (*p == 'Z' || *p == 'z')
            p++;
        else
            return false;
    }
    if (*p || month < 1 || month > 12 || day < 1 || day > days_in(year, month) || hour > 23 || minute > 59 || second > 60 || oh > 23 || om > 59)
        return false;
    int64_t t = ((days_from_civil(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
    int64_t offset = (sign == '-' ? -1 : 1) * (oh * 60 + om) * 60;
    *out = sign ? t - offset : t;
    return true;
}

const char *time_words(char *out, size_t cap, int64_t t)
{
    time_t tt = (time_t)t;
    struct tm tm;
    if (t == INT64_MAX || !gmtime_r(&tt, &tm))
        snprintf(out, cap, "never");
    else /* not strftime's %Y, which has less than four digits for some */
        snprintf(out, cap, "%04lld-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900LL, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
    return out;
}

bool args_time(const struct args *a, enum opt o, int64_t *out)
{
    if (parse_time(a->value[o], out))
        return true;
    complain(a, EXIT_USAGE, "--%s: `%s' is not a time; write 2026-11-24T12:00:00Z, 2026-11-24 or seconds since 1970", opts[o].name,
             a->value[o]);
    return false;
}
