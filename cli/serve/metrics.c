/* metrics.c - see metrics.h.  Must never make a label of what a stranger chose freely: codes, versions, groups and suites are from our own
 * tables, files and subjects from our own certificates, routes from our own configuration. */
#include "serve/metrics.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/tty.h"
#include "net/dial.h"
#include "serve/expiry.h"
#include "serve/route.h"

enum { PROBLEMS_MOST = 32 };

struct page {
    struct evbuffer *out;
    bool             open; /* OpenMetrics */
};

/* ---- the format */

/* The two lines in front of a family.  A counter's samples end with _total, in the older format its family does, too. */
static void family(const struct page *p, const char *name, const char *type, const char *help)
{
    bool counter = !strcmp(type, "counter") && !p->open, info = !strcmp(type, "info") && !p->open;
    const char *end = counter ? "_total" : info ? "_info" : "";
    evbuffer_add_printf(p->out, "# HELP %s%s %s\n# TYPE %s%s %s\n", name, end, help, name, end, info ? "gauge" : type);
}

/* label="value": what the format has a meaning for is escaped, what is no text is a question mark. */
static void label(const struct page *p, const char *before, const char *name, const char *value)
{
    evbuffer_add_printf(p->out, "%s%s=\"", before, name);
    for (size_t k; *value; value += k ? k : 1) {
        k = char_printable(value);
        if (*value == '\n')
            evbuffer_add(p->out, "\\n", 2);
        else if (*value == '"' || *value == '\\')
            evbuffer_add_printf(p->out, "\\%c", *value);
        else
            evbuffer_add(p->out, k ? value : "?", k ? k : 1);
    }
    evbuffer_add(p->out, "\"", 1);
}

static void count(const struct page *p, const char *name, const char *help, uint64_t n)
{
    family(p, name, "counter", help);
    evbuffer_add_printf(p->out, "%s_total %llu\n", name, (unsigned long long)n);
}

static void gauge(const struct page *p, const char *name, const char *help, double value)
{
    family(p, name, "gauge", help);
    evbuffer_add_printf(p->out, "%s %.15g\n", name, value);
}

/* ---- what was counted */

static void handshake(const struct page *p, bool ok, const char *code, const struct tally_row *r, uint64_t n)
{
    const char *version = r && r->version ? troth_version_name(r->version) : NULL, *group = r && r->group ? troth_group_name(r->group) : NULL;
    const char *suite = r && r->suite ? troth_suite_name(r->suite) : NULL;
    label(p, "troth_handshakes_total{", "result", ok ? "ok" : "failed");
    label(p, ",", "code", code);
    label(p, ",", "version", version ? version : "");
    label(p, ",", "group", group ? group : "");
    label(p, ",", "cipher", suite ? suite : "");
    label(p, ",", "resumed", !r ? "" : r->resumed ? "yes" : "no");
    label(p, ",", "sni_known", !r || r->named == TROTH_NAMED_NOT ? "" : r->named == TROTH_NAMED_KNOWN ? "yes" : "no");
    evbuffer_add_printf(p->out, "} %llu\n", (unsigned long long)n);
}

static void handshakes(const struct page *p, const struct tally *t)
{
    uint64_t all = 0;
    family(p, "troth_handshakes", "counter", "Handshakes, by how they ended and what was agreed on.");
    for (int ok = 0; ok < 2; ok++) {
        for (size_t i = 0; i < TALLY_ROWS; i++)
            if (t->handshakes[ok].rows[i].n)
                handshake(p, ok, troth_reason_code(t->handshakes[ok].rows[i].reason), &t->handshakes[ok].rows[i], t->handshakes[ok].rows[i].n);
        if (t->handshakes[ok].rest)
            handshake(p, ok, "other", NULL, t->handshakes[ok].rest);
    }
    family(p, "troth_handshake_seconds", "histogram", "From the connection to the end of a handshake that succeeded.");
    for (size_t i = 0; i < TALLY_BUCKETS; i++) {
        all += t->buckets[i];
        evbuffer_add_printf(p->out, "troth_handshake_seconds_bucket{le=\"%g%s\"} %llu\n", tally_bounds[i] / 1e6, tally_bounds[i] % 1000000 ? "" : ".0",
                            (unsigned long long)all);
    }
    all += t->buckets[TALLY_BUCKETS];
    evbuffer_add_printf(p->out, "troth_handshake_seconds_bucket{le=\"+Inf\"} %llu\ntroth_handshake_seconds_count %llu\ntroth_handshake_seconds_sum %.6f\n",
                        (unsigned long long)all, (unsigned long long)all, (double)t->us / 1e6);
}

static void connections(const struct page *p, const struct service *s)
{
    gauge(p, "troth_connections", "Connections that are open.", (double)s->conns);
    gauge(p, "troth_connections_limit", "How many there may be (--max-connections).", (double)s->max_conns);
    count(p, "troth_accepted_connections", "Connections that were accepted.", s->tally.accepted);
    family(p, "troth_bytes", "counter", "Bytes of TLS connections, as they are on the wire.");
    evbuffer_add_printf(p->out, "troth_bytes_total{dir=\"in\"} %llu\ntroth_bytes_total{dir=\"out\"} %llu\n", (unsigned long long)s->tally.in,
                        (unsigned long long)s->tally.out);
}

static void routes(const struct page *p, const struct routes *r)
{
    family(p, "troth_backend_connections", "counter", "Connections that went to a backend, by the route that they took; \"*\" is that of all other names.");
    for (size_t i = 0; i < r->n; i++) {
        label(p, "troth_backend_connections_total{", "route", r->all[i].name);
        label(p, ",", "tls", r->all[i].pass ? "passed" : "ended");
        evbuffer_add_printf(p->out, "} %llu\n", (unsigned long long)r->all[i].connections);
    }
}

/* The same file may be given twice; a sample may not. */
static bool said_before(const struct identities *s, size_t i)
{
    const struct identity_facts *id = &s->all[i];
    for (size_t k = 0; k < i; k++)
        if (s->all[k].certificate && s->all[k].pos == id->pos && !strcmp(s->all[k].file, id->file) && !strcmp(s->all[k].subject, id->subject))
            return true;
    return false;
}

/* What is wrong with the certificates that are loaded, each code once: what the log warned of, and whose end has come near since. */
struct problems {
    enum troth_reason why[PROBLEMS_MOST];
    unsigned          times[PROBLEMS_MOST], n;
};

static void add_problem(struct problems *all, enum troth_reason why)
{
    unsigned i = 0;
    while (i < all->n && all->why[i] != why)
        i++;
    if (why == TROTH_R_NONE || i == PROBLEMS_MOST)
        return;
    all->why[i] = why;
    all->times[i] = i == all->n ? 1 : all->times[i] + 1;
    all->n += i == all->n;
}

static void problems(const struct page *p, const struct service *s, time_t now)
{
    struct problems all = { .n = 0 };
    const troth_error *w;
    enum troth_reason why;
    const char *saw;
    for (size_t i = 0; s->server && (w = troth_server_warning(s->server, i)); i++)
        if (!expiry_tells(w->reason))
            add_problem(&all, w->reason);
    for (size_t i = 0; (why = keyring_warning(s->keys, i, &saw)) != TROTH_R_NONE; i++)
        add_problem(&all, why);
    for (size_t i = 0; i < s->identities.n; i++)
        add_problem(&all, expiry_of(&s->identities.all[i], now, s->warn_days));
    family(p, "troth_certificate_problem", "gauge", "What is wrong with certificates that are loaded, by its code: how many times.");
    for (unsigned i = 0; i < all.n; i++) {
        label(p, "troth_certificate_problem{", "code", troth_reason_code(all.why[i]));
        evbuffer_add_printf(p->out, "} %u\n", all.times[i]);
    }
}

static void configuration(const struct page *p, const struct service *s, time_t now)
{
    struct stat st;
    const char *key = args_nth(s->args, OPT_TICKET_KEY, 0);
    family(p, "troth_certificate_not_after_seconds", "gauge", "When a certificate that is loaded ends, in seconds since 1970.");
    for (size_t i = 0; i < s->identities.n; i++) {
        const struct identity_facts *id = &s->identities.all[i];
        char pos[24];
        if (!id->certificate || said_before(&s->identities, i))
            continue;
        snprintf(pos, sizeof pos, "%zu", id->pos);
        label(p, "troth_certificate_not_after_seconds{", "file", id->file);
        label(p, ",", "subject", id->subject);
        label(p, ",", "pos", pos);
        evbuffer_add_printf(p->out, "} %lld\n", (long long)id->not_after);
    }
    gauge(p, "troth_reload_success_timestamp", "When the configuration was read that is in use, in seconds since 1970.", (double)s->loaded);
    count(p, "troth_reload_failures", "Reloads that failed, and kept the configuration of before.", s->tally.reloads_failed);
    if (s->server && (!key || !stat(key, &st)))
        gauge(p, "troth_ticket_key_age_seconds", "How old the secret is that tickets are sealed with: since it was made, or its file was written.",
              (double)(now - (key ? st.st_mtime : s->loaded)));
}

/* ---- the process */

static double open_files(void)
{
    DIR *d = opendir("/proc/self/fd");
    double n = -3; /* ".", ".." and what we read them with */
    while (d && readdir(d))
        n++;
    if (d)
        closedir(d);
    return n;
}

/* The numbers of /proc/self/statm: pages of memory in all, and resident. */
static bool memory(double *all, double *resident)
{
    unsigned long pages[2];
    FILE *f = fopen("/proc/self/statm", "r");
    bool ok = f && fscanf(f, "%lu %lu", &pages[0], &pages[1]) == 2;
    if (f)
        fclose(f);
    if (ok) {
        *all = (double)pages[0] * (double)sysconf(_SC_PAGESIZE);
        *resident = (double)pages[1] * (double)sysconf(_SC_PAGESIZE);
    }
    return ok;
}

static void process(const struct page *p, const struct service *s)
{
    struct rusage use;
    struct rlimit files;
    double all, resident;
    family(p, "troth_build", "info", "The program that runs.");
    label(p, "troth_build_info{", "version", TROTH_VERSION);
    evbuffer_add_printf(p->out, "} 1\n");
    gauge(p, "process_start_time_seconds", "When the process began to serve, in seconds since 1970.", (double)s->since);
    if (!getrusage(RUSAGE_SELF, &use)) {
        family(p, "process_cpu_seconds", "counter", "Processor time that was spent.");
        evbuffer_add_printf(p->out, "process_cpu_seconds_total %.6f\n",
                            (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) + (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6);
    }
    if (memory(&all, &resident)) {
        gauge(p, "process_virtual_memory_bytes", "Memory that is mapped.", all);
        gauge(p, "process_resident_memory_bytes", "Memory that is resident.", resident);
    }
    gauge(p, "process_open_fds", "Files that are open.", open_files());
    if (!getrlimit(RLIMIT_NOFILE, &files))
        gauge(p, "process_max_fds", "Files that may be open.", (double)files.rlim_cur);
}

void metrics_write(struct evbuffer *out, const struct service *s, bool open)
{
    const struct page p = { out, open };
    time_t now = time(NULL);
    handshakes(&p, &s->tally);
    connections(&p, s);
    if (s->routes)
        routes(&p, s->routes);
    configuration(&p, s, now);
    problems(&p, s, now);
    process(&p, s);
    if (open)
        evbuffer_add_printf(out, "# EOF\n");
}

/* ---- which format */

/* Its q, 0 to 1, if this element of an Accept header is of that type; -1: it is not. */
static double quality(const char *element, size_t n, const char *type)
{
    char text[128];
    size_t k = strlen(type);
    if (n < k || n >= sizeof text || strncasecmp(element, type, k) != 0 || (n > k && !strchr("; \t", element[k])))
        return -1;
    snprintf(text, sizeof text, "%.*s", (int)(n - k), element + k);
    for (char *p = strchr(text, ';'); p; p = strchr(p, ';')) {
        p += 1 + strspn(p + 1, " \t");
        if (!strncasecmp(p, "q=", 2))
            return strtod(p + 2, NULL);
    }
    return 1;
}

bool metrics_open_wanted(const char *accept)
{
    double open = 0, plain = 0;
    for (const char *p = accept; p && *p; p += *p == ',') {
        p += strspn(p, " \t");
        size_t n = strcspn(p, ",");
        double q = quality(p, n, "application/openmetrics-text"), r = quality(p, n, "text/plain");
        open = q > open ? q : open;
        plain = r > plain ? r : plain;
        p += n;
    }
    return open > 0 && open >= plain;
}
