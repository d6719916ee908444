/* route.c - see route.h. */
#include "serve/route.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/idn.h"
#include "common/target.h"
#include "net/dial.h"

enum { LABEL_MOST = 63, NAME_MOST = 253 };

/* All backends together: a service that looks again does nothing else meanwhile.  What is an address needs next to nothing of it, and has that
 * much in any case. */
enum { PATIENCE_US = 5000000, LEAST_US = 100000 };

/* ---- names */

static bool is_address(const char *text)
{
    uint8_t any[16];
    return *text == '[' || inet_pton(AF_INET, text, any) == 1 || inet_pton(AF_INET6, text, any) == 1;
}

static const char *wrong_labels(const char *name)
{
    for (const char *p = name; ; p++) {
        size_t n = strcspn(p, ".");
        if (!n)
            return "a label is empty";
        if (n > LABEL_MOST)
            return "a label has more than 63 characters";
        for (size_t i = 0; i < n; i++)
            if (!isalnum((unsigned char)p[i]) && p[i] != '-' && p[i] != '_')
                return p[i] == '*' ? "a * stands for the whole first label, and for no other" : "no host name has such characters";
        p += n;
        if (!*p)
            return NULL;
    }
}

const char *route_name(char out[ROUTE_NAME_MAX], const char *text)
{
    char ascii[ROUTE_NAME_MAX];
    bool star = !strncmp(text, "*.", 2);
    const char *why, *rest = text + (star ? 2 : 0);
    if (!strcmp(text, "*"))
        return "all that have no route go to --backend";
    if (is_address(rest))
        return "who connects to an address asks for no name (RFC 6066 3); such clients go to --backend";
    const char *name = idn_ascii(ascii, sizeof ascii, rest, &why);
    if (!name)
        return why;
    if (strlen(name) + (star ? 2 : 0) > NAME_MOST)
        return "the name is too long";
    if ((why = wrong_labels(name)))
        return why;
    snprintf(out, ROUTE_NAME_MAX, "%s%s", star ? "*." : "", name);
    for (char *p = out; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    return NULL;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct route *)a)->name, ((const struct route *)b)->name);
}

static struct route *find(const struct routes *r, const char *name)
{
    struct route key = { 0 };
    snprintf(key.name, sizeof key.name, "%s", name);
    return bsearch(&key, r->all, r->n, sizeof key, by_name);
}

struct route *routes_find(const struct routes *r, const void *name, size_t n)
{
    const char *asked = name;
    char text[ROUTE_NAME_MAX + 1];
    if (n && asked[n - 1] == '.') /* the root's own label */
        n--;
    if (!n || n > NAME_MOST || memchr(asked, 0, n) || memchr(asked, '*', n))
        return r->otherwise;
    for (size_t i = 0; i < n; i++)
        text[i + 1] = (char)tolower((unsigned char)asked[i]);
    text[n + 1] = 0;
    struct route *found = find(r, text + 1);
    char *dot = strchr(text + 1, '.');
    if (!found && dot && dot > text + 1) {
        dot[-1] = '*';
        found = find(r, dot - 1);
    }
    return found ? found : r->otherwise;
}

bool routes_by_name(const struct routes *r)
{
    return r && r->n > (r->otherwise ? 1u : 0u);
}

void routes_names(char *out, size_t cap, const struct routes *r)
{
    enum { MORE = 16 };
    size_t n = 0;
    *out = 0;
    for (size_t i = 0; i < r->n; i++) {
        const char *name = r->all[i].name;
        if (&r->all[i] == r->otherwise)
            continue;
        if (n + strlen(name) + 2 + MORE > cap) {
            snprintf(out + n, cap - n, "%s%zu more", n ? ", and " : "", r->n - i);
            return;
        }
        n += (size_t)snprintf(out + n, cap - n, "%s%s", n ? ", " : "", name);
    }
}

/* ---- reading */

struct reading {
    const struct args   *a;
    struct routes       *made;
    const struct routes *before;
    const char          *port;
    int                  herald, status;
    uint64_t             deadline;
};

/* A value that a configuration file may have is told in its quotes, by which its line is found. */
static void wrong(struct reading *x, int status, enum opt o, const char *value, const char *why)
{
    complain(x->a, status, "`%s' is no %s: %s\n  --%s NAME=BACKEND, such as shop.example=127.0.0.1:8080", value, opt_name(o), why, opt_name(o));
    x->status = x->status == EXIT_OK ? status : x->status;
}

static const struct route *same_backend(const struct routes *r, const char *where)
{
    for (size_t i = 0; r && i < r->n; i++)
        if (r->all[i].where && r->all[i].to.n && !strcmp(r->all[i].where, where))
            return &r->all[i];
    return NULL;
}

static uint64_t deadline_of(const struct reading *x)
{
    uint64_t least = now_us() + LEAST_US;
    return x->deadline > least ? x->deadline : least;
}

/* The addresses of made->where.  One that several routes have is looked up once. */
static bool look_up(struct reading *x, struct route *made, enum opt o, const char *value)
{
    const struct route *known = same_backend(x->made, made->where);
    struct dialed d = { .fd = -1 };
    struct target t;
    if (known) {
        made->to = known->to;
        return true;
    }
    if (!target_parse(&t, NULL, made->where, x->port) || t.rest[1]) {
        wrong(x, EXIT_USAGE, o, value, "its backend is no place to connect to; write HOST:PORT, [ADDRESS]:PORT or unix:/PATH");
        return false;
    }
    if (backend_look(&made->to, &t, deadline_of(x), &d))
        return true;
    complain(x->a, EXIT_NETWORK, "`%s': %s", value, d.detail);
    if ((known = same_backend(x->before, made->where))) {
        made->to = known->to;
        return true;
    }
    x->status = x->status == EXIT_OK ? EXIT_NETWORK : x->status;
    return false;
}

/* ",send-proxy=v2" behind a backend is its own word on that. */
static const char *cut_words(struct route *made)
{
    static const char *const versions[] = { "none", "v1", "v2" };
    static const char word[] = ",send-proxy=";
    char *at = strstr(made->where, word);
    if (!at)
        return NULL;
    for (int i = 0; i < 3; i++)
        if (!strcmp(at + sizeof word - 1, versions[i])) {
            made->herald = i;
            *at = 0;
            return NULL;
        }
    return "its send-proxy= is none of none, v1, v2";
}

/* How often the names of the routes before were used counts on. */
static uint64_t counted(const struct routes *before, const struct route *made)
{
    const struct route *same = before ? find(before, made->name) : NULL;
    return same && same->pass == made->pass ? same->connections : 0;
}

static void add(struct reading *x, enum opt o, const char *value)
{
    struct route made = { .pass = o == OPT_PASS, .herald = x->herald };
    const char *equals = strchr(value, '='), *why = NULL;
    char name[4 * ROUTE_NAME_MAX] = "";
    if (equals)
        snprintf(name, sizeof name, "%.*s", (int)(equals - value), value);
    if (!equals)
        why = "it has no =";
    else if (strlen(name) != (size_t)(equals - value))
        why = "the name is too long";
    else
        why = *name ? route_name(made.name, name) : "the name is empty";
    if (!why && !(made.where = strdup(equals + 1)))
        why = "memory ran out";
    if (!why)
        why = cut_words(&made);
    if (!why && !*made.where)
        why = "its backend is empty";
    for (size_t i = 0; !why && i < x->made->n; i++)
        if (!strcmp(x->made->all[i].name, made.name))
            why = x->made->all[i].pass ? "that name has a --pass already" : "that name has a --route already";
    if (why)
        wrong(x, EXIT_USAGE, o, value, why);
    if (why || !look_up(x, &made, o, value)) {
        free(made.where);
        return;
    }
    made.connections = counted(x->before, &made);
    x->made->all[x->made->n++] = made;
}

static void add_otherwise(struct reading *x, const char *where)
{
    struct route *made = &x->made->all[x->made->n];
    *made = (struct route){ .name = "*", .where = strdup(where), .herald = x->herald };
    const struct route *known = same_backend(x->before, where);
    int how = made->where ? backend_find(&made->to, x->a, where, x->port, x->deadline) : EXIT_BUG;
    x->made->n++;
    if (how == EXIT_OK || known) {
        made->to = how == EXIT_OK ? made->to : known->to;
        made->connections = counted(x->before, made);
        return;
    }
    x->status = x->status == EXIT_OK ? how : x->status;
}

struct routes *routes_read(const struct args *a, const char *otherwise, const char *port, int herald, const struct routes *before, int *status)
{
    static const enum opt both[] = { OPT_ROUTE, OPT_PASS };
    struct reading x = { .a = a, .before = before, .port = port, .herald = herald, .status = EXIT_OK, .deadline = now_us() + PATIENCE_US };
    size_t most = (size_t)a->given[OPT_ROUTE] + a->given[OPT_PASS] + (otherwise ? 1 : 0);
    const char *value;
    x.made = calloc(1, sizeof *x.made + most * sizeof x.made->all[0]);
    if (!x.made) {
        *status = complain(a, EXIT_BUG, "no memory");
        return NULL;
    }
    x.made->owners = 1;
    if (otherwise)
        add_otherwise(&x, otherwise);
    for (size_t o = 0; o < 2; o++)
        for (size_t i = 0; (value = args_nth(a, both[o], i)); i++)
            add(&x, both[o], value);
    qsort(x.made->all, x.made->n, sizeof x.made->all[0], by_name);
    x.made->otherwise = otherwise ? find(x.made, "*") : NULL;
    if ((*status = x.status) == EXIT_OK)
        return x.made;
    routes_free(x.made);
    return NULL;
}

struct routes *routes_share(struct routes *r)
{
    r->owners++;
    return r;
}

void routes_free(struct routes *r)
{
    if (!r || --r->owners)
        return;
    for (size_t i = 0; i < r->n; i++)
        free(r->all[i].where);
    free(r);
}

/* ---- the sandbox */

unsigned routes_need(const struct routes *r)
{
    unsigned needs = NEEDS_CONNECT;
    for (size_t i = 0; i < r->n; i++)
        if (r->all[i].to.at[0].ss_family != AF_UNIX)
            needs |= NEEDS_NAMES;
    return needs;
}

void routes_let_in(const struct routes *r, struct sandbox *s)
{
    uint16_t port;
    for (size_t i = 0; i < r->n; i++)
        for (size_t k = 0; k < r->all[i].to.n; k++)
            if ((port = address_port(&r->all[i].to.at[k])))
                sandbox_port(s, port);
}

bool routes_reached(const struct routes *r, const struct args *a, const struct sandbox *s)
{
    bool ok = true;
    for (size_t i = 0; i < r->n; i++)
        if (!sandbox_allows(s, routes_need(r), address_port(&r->all[i].to.at[0]))) {
            complain(a, EXIT_FILE, "%s: %s lies where the sandbox does not reach, which began with backends on other ports\n  restart the service, or "
                     "do without it (--no-sandbox)", r->all[i].name, r->all[i].where);
            ok = false;
        }
    return ok;
}
