/* config.c - see config.h.  The only place of the program that reads TROTH_CONFIG and XDG_CONFIG_HOME. */
#include "common/config.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/credentials.h"
#include "common/pki_files.h"
#include "common/settings.h"
#include "common/tty.h"

struct config {
    struct settings settings;        /* their values are those of the options */
    char            path[CONFIG_PATH_MOST];
    size_t          folder_n;        /* of its folder, "/" included; 0: it is the working directory */
    const char     *named_by;        /* NULL: nobody, it is a default         */
};

/* ---- which file */

/* Is it there, as far as we may look? */
static bool is_there(const char *path)
{
    struct stat st;
    return !stat(path, &st) || (errno != ENOENT && errno != ENOTDIR && errno != EACCES);
}

/* The user's own; false: he has no place for it. */
static bool own_path(const struct args *a, char out[CONFIG_PATH_MOST])
{
    const char *own = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME"), *verb = verb_name(a->verb);
    int n = 0;
    if (own && *own == '/') /* others are to be passed over, says the XDG Base Directory Specification */
        n = snprintf(out, CONFIG_PATH_MOST, "%s/troth/%s.yaml", own, verb);
    else if (home && *home == '/')
        n = snprintf(out, CONFIG_PATH_MOST, "%s/.config/troth/%s.yaml", home, verb);
    return n > 0 && n < CONFIG_PATH_MOST;
}

static bool default_path(const struct args *a, char out[CONFIG_PATH_MOST])
{
    if (own_path(a, out) && is_there(out))
        return true;
    snprintf(out, CONFIG_PATH_MOST, "/etc/troth/%s.yaml", verb_name(a->verb));
    return is_there(out);
}

bool config_place_of(const struct args *a, size_t i, char out[CONFIG_PATH_MOST])
{
    const char *named = a->config && a->config->named_by ? a->config->path : NULL;
    if (args_has(a, OPT_NO_CONFIG) || i > 1 || (i && named))
        return false;
    if (i)
        return own_path(a, out);
    snprintf(out, CONFIG_PATH_MOST, named ? "%s" : "/etc/troth/%s.yaml", named ? named : verb_name(a->verb));
    return true;
}

/* False: there is none to read; *status is not EXIT_OK after a message. */
static bool choose(const struct args *a, struct config *c, int *status)
{
    const char *path = args_value(a, OPT_CONFIG, NULL), *set = getenv("TROTH_CONFIG");
    *status = EXIT_OK;
    if (!opt_is_of(OPT_CONFIG, a->verb) || args_has(a, OPT_NO_CONFIG))
        return false;
    c->named_by = path ? "--config" : set && *set ? "TROTH_CONFIG" : NULL;
    if (!c->named_by)
        return default_path(a, c->path);
    path = path ? path : set;
    if (!strcmp(path, "-"))
        *status = complain(a, EXIT_USAGE, "%s wants a file: what came through standard input could not be read again", c->named_by);
    else if (snprintf(c->path, sizeof c->path, "%s", path) >= CONFIG_PATH_MOST)
        *status = complain(a, EXIT_USAGE, "%s is too long a name", c->named_by);
    else if (access(path, R_OK))
        *status = complain(a, EXIT_FILE, "%s: %s: %s", c->named_by, path, strerror(errno));
    return *status == EXIT_OK;
}

/* ---- what the command line goes before */

static bool on_line(const struct args *a, enum opt o)
{
    return args_has(a, o) && !a->line[o];
}

/* Who gives the one on the command line does not want the file's other: it belongs to the file's one, is the same, or says the contrary. */
static bool is_outdone(const struct args *a, enum opt o)
{
    static const struct { enum opt given, other; } rows[] = {
        { OPT_CERT, OPT_KEY }, { OPT_CERT, OPT_STAPLE }, { OPT_CERT, OPT_DELEGATED }, { OPT_CERT, OPT_DELEGATED_KEY },
        { OPT_DELEGATED, OPT_DELEGATED_KEY }, { OPT_CA, OPT_ROOTS }, { OPT_ROOTS, OPT_CA }, { OPT_CRL, OPT_CRLS }, { OPT_CRLS, OPT_CRL },
        { OPT_TIME, OPT_AT }, { OPT_AT, OPT_TIME }, { OPT_IPV4, OPT_IPV6 }, { OPT_IPV6, OPT_IPV4 }, { OPT_PROXY, OPT_NO_PROXY },
        { OPT_NO_PROXY, OPT_PROXY }, { OPT_QUIET, OPT_VERBOSE }, { OPT_VERBOSE, OPT_QUIET }, { OPT_COMPRESS, OPT_COMPRESS_WITH },
        { OPT_COMPRESS_WITH, OPT_COMPRESS }, { OPT_LOG, OPT_JSON }, { OPT_JSON, OPT_LOG }, { OPT_FORMAT, OPT_JSON }, { OPT_JSON, OPT_FORMAT },
    };
    bool outdone = on_line(a, o);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        outdone = outdone || (rows[i].other == o && on_line(a, rows[i].given));
    return outdone;
}

/* ---- one setting */

static bool is_truth(const char *text, bool *out)
{
    *out = !strcasecmp(text, "true");
    return *out || !strcasecmp(text, "false");
}

/* Is it the name of a file that is not said whole? */
static bool is_relative(enum opt o, const char *value)
{
    return opt_is_path(o) && *value != '/' && strcmp(value, "-") != 0 && !(strstr(opt_argument(o), "system") && !strcmp(value, "system"));
}

/* A name in the file is from the file's folder.  False: no memory. */
static bool resolve(struct args *a, const struct config *c, enum opt o, struct setting *s, const char **value)
{
    char *joined = NULL;
    *value = s->value;
    if (is_relative(o, s->value) && asprintf(&joined, "%.*s%s", (int)c->folder_n, c->path, s->value) < 0)
        return false;
    if (!joined)
        return true;
    if (opt_is_credential(o)) {
        const char *found = credential_path(a, s->value, joined);
        if (found != joined) {
            free(joined);
            *value = found;
            return found != NULL;
        }
    } else if (strstr(opt_argument(o), "BASE64") && access(joined, F_OK)) {
        free(joined);
        return true;
    }
    free(s->value);
    *value = s->value = joined;
    return true;
}

static void no_option(const struct args *a, struct settings *all, const struct setting *s)
{
    enum opt o = opt_find(s->name);
    const char *guess = o == OPT_COUNT ? opt_nearest(s->name, a->verb) : NULL;
    if (o != OPT_COUNT)
        settings_problem(all, s->line, opt_is_of(o, a->verb) ? "`%s' belongs on the command line, not into a file" : "`%s' means nothing to troth %s",
                         s->name, verb_name(a->verb));
    else if (guess)
        settings_problem(all, s->line, "there is no option `%.80s'; did you mean `%s'?", s->name, guess);
    else
        settings_problem(all, s->line, "there is no option `%.80s'; see troth %s --help", s->name, verb_name(a->verb));
}

/* Several values of an option that takes a LIST: as on the command line, with commas. */
static bool join(struct setting *s, size_t n)
{
    char *all = NULL;
    size_t size;
    FILE *f = open_memstream(&all, &size);
    for (size_t i = 0; f && i < n; i++)
        fprintf(f, "%s%s", i ? "," : "", s[i].value);
    if (!f || fclose(f)) {
        free(all);
        return false;
    }
    free(s->value);
    s->value = all;
    return true;
}

/* A problem of the value itself, before anybody makes sense of it. */
static bool is_sound(struct settings *all, enum opt o, const struct setting *s)
{
    const char *kind = opt_argument(o);
    bool truth, is = is_truth(s->value, &truth);
    if (s->mapped && !(kind && strchr(kind, '=')))
        settings_problem(all, s->line, "`%s' has a mapping, where a value or a list of values belongs", s->name);
    else if (!kind && (s->listed || !s->plain || !is))
        settings_problem(all, s->line, "`%s' is true or false, and this is %s`%.80s'", s->name, s->listed ? "a list with " : is ? "the text " : "", s->value);
    else if (kind && s->plain && is)
        settings_problem(all, s->line, "`%s' wants %s, and this is a truth value (a text, if it has quotes)", s->name, kind);
    else if (kind && s->listed && !opt_repeats(o) && strcmp(kind, "LIST") != 0)
        settings_problem(all, s->line, "`%s' takes one value, and this is a list", s->name);
    else if (opt_is_path(o) && !*s->value)
        settings_problem(all, s->line, "`%s': the name of the file or folder is empty", s->name);
    else
        return true;
    return false;
}

/* `n` values of one option.  False: there are too many, after a message. */
static bool take(struct args *a, struct config *c, struct setting *s, size_t n)
{
    struct settings *all = &c->settings;
    enum opt o = opt_find(s->name);
    bool sound = true, truth;
    if (o == OPT_COUNT || !opt_is_setting(o, a->verb)) {
        no_option(a, all, s);
        return true;
    }
    for (size_t i = 0; i < n && sound; i++)
        sound = is_sound(all, o, &s[i]);
    if (!sound || is_outdone(a, o) || (!opt_argument(o) && is_truth(s->value, &truth) && !truth))
        return true;
    if (!opt_argument(o))
        return args_set(a, o, NULL, s->line);
    bool ok = opt_repeats(o) || join(s, n);
    for (size_t i = 0; ok && i < (opt_repeats(o) ? n : 1); i++) {
        const char *value = s[i].value;
        if (opt_is_path(o) && !resolve(a, c, o, &s[i], &value))
            settings_problem(all, s[i].line, "`%s': too long a name", s->name);
        else
            ok = args_set(a, o, value, s[i].line);
    }
    return ok;
}

/* ---- all of it */

static void tell_problems(const struct args *a, const struct config *c)
{
    const struct settings *s = &c->settings;
    unsigned last = 0;
    size_t told = 0;
    for (unsigned line; told < s->n_problems; last = line) { /* by their lines */
        line = UINT32_MAX;
        for (size_t i = 0; i < s->n_problems; i++)
            if (s->problems[i].line > last && s->problems[i].line < line)
                line = s->problems[i].line;
        for (size_t i = 0; i < s->n_problems; i++)
            if (s->problems[i].line == line) {
                complain(a, EXIT_USAGE, "%s:%u: %s", c->path, line, s->problems[i].text);
                told++;
            }
    }
    if (told == SETTINGS_PROBLEMS)
        complain(a, EXIT_USAGE, "%s: there may be more", c->path);
}

bool config_read(struct args *a, int *status)
{
    struct config *c = calloc(1, sizeof *c);
    size_t n;
    a->config = NULL;
    *status = EXIT_BUG;
    if (!c || !choose(a, c, status)) {
        free(c);
        return *status == EXIT_OK;
    }
    uint8_t *text = file_whole(a, c->path, SETTINGS_FILE_MOST, &n);
    if (!text) {
        free(c);
        *status = EXIT_FILE;
        return false;
    }
    const char *slash = strrchr(c->path, '/');
    c->folder_n = slash ? (size_t)(slash - c->path) + 1 : 0;
    a->config = c;
    bool ok = true;
    settings_read(&c->settings, text, n);
    free(text);
    for (size_t i = 0, k; ok && i < c->settings.n; i += k) {
        for (k = 1; i + k < c->settings.n && !strcmp(c->settings.all[i].name, c->settings.all[i + k].name);)
            k++;
        ok = take(a, c, &c->settings.all[i], k);
    }
    tell_problems(a, c);
    *status = EXIT_USAGE;
    return ok && !c->settings.n_problems;
}

void config_free(struct args *a)
{
    if (a->config)
        settings_free(&a->config->settings);
    free(a->config);
    a->config = NULL;
}

const char *config_file(const struct args *a)
{
    return a->config ? a->config->path : NULL;
}

/* ---- where it stands */

static bool is_of_name(char c)
{
    return isalnum((unsigned char)c) || strchr("_-./", c);
}

/* Is the name of that file, or the value in its quotes, among the words? */
static bool is_about(const char *message, enum opt o, const char *value)
{
    size_t n = value ? strlen(value) : 0;
    for (const char *at = message; n && (at = strstr(at, value)); at++) {
        char before = at == message ? ' ' : at[-1], behind = at[n];
        if (opt_is_path(o) ? !is_of_name(before) && !(behind && is_of_name(behind)) : before == '`' && behind == '\'')
            return true;
    }
    return false;
}

void config_place(const struct args *a, const char *message, char *out, size_t cap)
{
    const char *path = a->config->path;
    size_t n = strlen(path);
    char name[64] = "";
    if (!strncmp(message, path, n) && message[n] == ':')
        return;
    if (!strncmp(message, "--", 2)) {
        snprintf(name, sizeof name, "%.*s", (int)strspn(message + 2, "abcdefghijklmnopqrstuvwxyz0123456789-"), message + 2);
        enum opt o = opt_find(name);
        if (o != OPT_COUNT && a->line[o])
            snprintf(out, cap, "%s:%u: ", path, a->line[o]);
        return;
    }
    for (size_t i = 0; i < OPT_COUNT; i++)
        if (a->line[i] && !opt_repeats((enum opt)i) && is_about(message, (enum opt)i, a->value[i]))
            snprintf(out, cap, "%s:%u: %s: ", path, a->line[i], opt_name((enum opt)i));
    for (size_t i = 0; i < a->n_all; i++)
        if (a->all[i].line && is_about(message, a->all[i].opt, a->all[i].value))
            snprintf(out, cap, "%s:%u: %s: ", path, a->all[i].line, opt_name(a->all[i].opt));
}

/* ---- and out again */

static bool is_plain(const char *text)
{
    static const char safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._+-=,:@";
    size_t n = strspn(text, safe);
    bool truth;
    return n && !text[n] && (isalnum((unsigned char)*text) || *text == '/') && text[n - 1] != ':' && !is_truth(text, &truth) && strcasecmp(text, "null") != 0;
}

/* Text that libyaml does not read as it is: ends of lines, a byte order mark, what is no character.  0: it does. */
static unsigned must_escape(const char *text)
{
    const unsigned char *p = (const unsigned char *)text;
    unsigned u = *p >= 0xe0 && *p < 0xf0 ? (p[0] & 15u) << 12 | (p[1] & 63u) << 6 | (p[2] & 63u)
               : *p >= 0xc0 && *p < 0xe0 ? (p[0] & 31u) << 6 | (p[1] & 63u)
                                         : *p;
    return u < 0x20 || u == 0xfeff || (u & 0xfffe) == 0xfffe || !char_printable(text) ? u : 0;
}

/* False: YAML has no way to write that. */
static bool print_scalar(FILE *to, const char *text)
{
    if (is_plain(text))
        return fputs(text, to) >= 0;
    fputc('"', to);
    for (size_t n; *text; text += n) {
        bool odd = (unsigned char)*text < 0x20 || *text == 0x7f;
        n = odd ? 1 : char_text(text);
        if (!n)
            return false;
        if (must_escape(text))
            fprintf(to, "\\u%04x", must_escape(text));
        else
            fprintf(to, "%s%.*s", strchr("\"\\", *text) ? "\\" : "", (int)n, text);
    }
    return fputc('"', to) >= 0;
}

/* A file's name holds from wherever the settings are read next.  A line is one of a configuration. */
static bool print_value(FILE *to, enum opt o, const char *value, unsigned line, const struct config *c)
{
    assert(c || !line);
    char *whole = NULL, *here = NULL;
    bool name = value && is_relative(o, value) && !(strstr(opt_argument(o), "BASE64") && access(value, F_OK));
    if (name && (!(here = getcwd(NULL, 0)) || asprintf(&whole, "%s/%s", strcmp(here, "/") ? here : "", value) < 0))
        whole = NULL;
    bool ok = !value || print_scalar(to, whole ? whole : value);
    fputs(line ? "  # " : "  # the command line", to);
    ok = ok && (!line || (print_scalar(to, c->path) && fprintf(to, ", line %u", line) > 0));
    fputc('\n', to);
    free(here);
    free(whole);
    return ok;
}

static bool print_option(const struct args *a, enum opt o, FILE *to)
{
    bool ok = true;
    fprintf(to, "%s:%s", opt_name(o), opt_repeats(o) ? "\n" : opt_argument(o) ? " " : " true");
    if (!opt_repeats(o))
        return print_value(to, o, opt_argument(o) ? a->value[o] : NULL, a->line[o], a->config);
    for (size_t i = 0; i < a->n_all; i++)
        if (a->all[i].opt == o) {
            fputs("  - ", to);
            ok = print_value(to, o, a->all[i].value, a->all[i].line, a->config) && ok;
        }
    return ok;
}

int config_print(const struct args *a, FILE *to)
{
    bool ok = true;
    fprintf(to, "# troth %s, which reads ", verb_name(a->verb));
    if (a->config) {
        ok = print_scalar(to, a->config->path);
        fprintf(to, ", %s\n", a->config->named_by ? a->config->named_by : "as nobody says otherwise");
    } else {
        fputs("no configuration file\n", to);
    }
    for (size_t i = 0; i < OPT_COUNT; i++)
        if (args_has(a, (enum opt)i) && opt_is_setting((enum opt)i, a->verb) && !print_option(a, (enum opt)i, to)) {
            ok = false;
            complain(a, EXIT_USAGE, "--%s: YAML has no way to write this value: it is no text in UTF-8, or no visible one", opt_name((enum opt)i));
        }
    fputs("\n# not set\n", to);
    for (size_t i = 0; i < OPT_COUNT; i++)
        if (!args_has(a, (enum opt)i) && opt_is_setting((enum opt)i, a->verb))
            fprintf(to, "#%s: %s  # %s\n", opt_name((enum opt)i), opt_argument((enum opt)i) ? opt_argument((enum opt)i) : "true", opt_help((enum opt)i));
    return ok ? EXIT_OK : EXIT_USAGE;
}
