/* allow.c - see allow.h. */
#include "setup/allow.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <troth/pki.h>

#include "common/idn.h"
#include "common/subject.h"
#include "setup/pins.h"

enum { RULE_MAX = 256, SAY_MAX = 160 };

struct rule {
    enum opt    opt;
    const char *text;          /* in `words`: a name as certificates are told, or a common name */
    uint8_t     digest[32];    /* of a key                                                      */
};

struct allow {
    unsigned    owners;
    size_t      n;
    char      (*words)[RULE_MAX];
    struct rule rules[];
};

/* ---- one rule, one name */

static size_t kind_of(const char *name)
{
    return strcspn(name, ":") + 1;
}

static bool dns_fits(const char *rule, const char *name)
{
    const char *dot = strchr(name, '.');
    if (strncmp(rule, "*.", 2) != 0 || !strcmp(rule, name))
        return !strcasecmp(rule, name);
    return dot && dot > name && *name != '*' && !strcasecmp(rule + 1, dot);
}

/* What a server of such URIs could take for something above, or elsewhere, is none of those below (RFC 3986 5.2.4, 6.2.2.2). */
static bool is_plain(const char *path)
{
    size_t n = strlen(path);
    bool dot = !strcmp(path, ".") || !strncmp(path, "./", 2) || strstr(path, "/./") || (n >= 2 && !strcmp(path + n - 2, "/."));
    return !dot && !strstr(path, "..") && !strstr(path, "//") && !path[strcspn(path, "%\\")];
}

static bool uri_fits(const char *rule, const char *name)
{
    size_t n = strlen(rule), stars = n > 3 && !strcmp(rule + n - 3, "/**") ? 2 : n > 2 && !strcmp(rule + n - 2, "/*") ? 1 : 0;
    if (!stars)
        return !strcmp(rule, name);
    if (strncmp(rule, name, n - stars) != 0)
        return false;
    const char *rest = name + n - stars;
    return *rest && *rest != '/' && is_plain(rest) && !rest[strcspn(rest, stars == 1 ? "/?#" : "?#")];
}

/* The part in front of the @ is the mailbox's own business. */
static bool mail_fits(const char *rule, const char *name)
{
    const char *at = strrchr(rule, '@'), *their = strrchr(name, '@');
    return at && their && at - rule == their - name && !strncmp(rule, name, (size_t)(at - rule)) && !strcasecmp(at, their);
}

static bool ip_fits(const char *rule, const char *name)
{
    uint8_t one[16] = { 0 }, other[16] = { 0 };
    int family = strchr(rule, ':') ? AF_INET6 : AF_INET;
    return inet_pton(family, rule, one) == 1 && inet_pton(family, name, other) == 1 && !memcmp(one, other, sizeof one);
}

bool allow_name(const char *rule, const char *name)
{
    size_t k = kind_of(rule);
    if (k != kind_of(name) || strncmp(rule, name, k) != 0)
        return false;
    return !strncmp(rule, "DNS:", k)     ? dns_fits(rule + k, name + k)
           : !strncmp(rule, "URI:", k)   ? uri_fits(rule + k, name + k)
           : !strncmp(rule, "email:", k) ? mail_fits(rule + k, name + k)
           : !strncmp(rule, "IP:", k)    ? ip_fits(rule + k, name + k)
                                         : false;
}

static const char *ip_rule(char *out, size_t cap, const char *text)
{
    uint8_t address[16];
    int family = strchr(text, ':') ? AF_INET6 : AF_INET;
    if (inet_pton(family, text, address) != 1)
        return "that is no address";
    snprintf(out, cap, "IP:%s", text);
    return NULL;
}

static const char *dns_rule(char *out, size_t cap, const char *text)
{
    char ascii[RULE_MAX];
    const char *why, *rest = text + (strncmp(text, "*.", 2) ? 0 : 2), *name = idn_ascii(ascii, sizeof ascii, rest, &why);
    if (!name)
        return why;
    if (!*name || strchr(name, '*'))
        return *name ? "a * stands for the whole first label, and for no other" : "the name is empty";
    for (const char *p = name; *p; p++)
        if (!isalnum((unsigned char)*p) && *p != '-' && *p != '_' && (*p != '.' || p == name || p[1] == '.' || !p[1]))
            return "no name in a certificate is written so";
    bool fits = (size_t)snprintf(out, cap, "DNS:%s%s", rest == text ? "" : "*.", name) < cap; /* A-labels are longer than what was typed */
    return fits ? NULL : "it is too long";
}

const char *allow_rule(char *out, size_t cap, const char *text)
{
    static const char *const kinds[] = { "DNS:", "URI:", "email:", "IP:" };
    size_t kind = 0, k = kind_of(text);
    while (kind < 4 && strncasecmp(kinds[kind], text, strlen(kinds[kind])) != 0)
        kind++;
    if (kind == 4)
        return "it begins with none of DNS:, URI:, EMAIL:, IP:";
    if (strlen(text) >= cap - 4)
        return "it is too long";
    const char *rest = text + k;
    if (kind != 0)
        for (const char *p = rest; *p; p++)
            if (*p <= ' ' || *p >= 0x7f || *p == '\\') /* as no name is told */
                return "it has characters that such names do not have";
    if (kind == 0)
        return dns_rule(out, cap, rest);
    if (kind == 3)
        return ip_rule(out, cap, rest);
    if (kind == 1 && !strchr(rest, ':'))
        return "a URI has a scheme: URI:spiffe://example/service";
    const char *star = kind == 1 ? strchr(rest, '*') : NULL;
    if (star && (star[-1] != '/' || star == rest || (strcmp(star, "*") != 0 && strcmp(star, "**") != 0)))
        return "a * (one segment) or ** (all below) stands at the end, behind a /";
    if (kind == 2 && (!strchr(rest, '@') || *rest == '@'))
        return "a mailbox has an @";
    snprintf(out, cap, "%s%s", kinds[kind], rest);
    return NULL;
}

/* ---- all rules */

static bool add(struct allow *w, const struct args *a, enum opt o, const char *value)
{
    struct rule *r = &w->rules[w->n];
    char *text = w->words[w->n];
    const char *why = NULL;
    r->opt = o;
    r->text = text;
    if (o == OPT_ALLOW_KEY)
        return (pin_read(a, o, value, r->digest) && snprintf(text, RULE_MAX, "%.16s", value) >= 0 && ++w->n);
    if (o == OPT_ALLOW_SAN)
        why = allow_rule(text, RULE_MAX, value);
    else if (!*value || snprintf(text, RULE_MAX, "%s", value) >= RULE_MAX)
        why = *value ? "it is too long" : "it is empty";
    if (why)
        return complain(a, EXIT_USAGE, "`%s' lets nobody in (--%s): %s", value, opt_name(o), why), false;
    w->n++;
    return true;
}

bool allow_read(struct allow **made, const struct args *a)
{
    static const enum opt opts[] = { OPT_ALLOW_SAN, OPT_ALLOW_CN, OPT_ALLOW_KEY };
    size_t most = (size_t)a->given[OPT_ALLOW_SAN] + a->given[OPT_ALLOW_CN] + a->given[OPT_ALLOW_KEY];
    const char *value;
    *made = NULL;
    if (!most)
        return true;
    struct allow *w = calloc(1, sizeof *w + most * sizeof w->rules[0]);
    if (w)
        w->words = calloc(most, sizeof *w->words);
    if (!w || !w->words) {
        free(w);
        return complain(a, EXIT_BUG, "no memory"), false;
    }
    w->owners = 1;
    bool ok = true;
    for (size_t o = 0; o < 3; o++)
        for (size_t i = 0; (value = args_nth(a, opts[o], i)); i++)
            ok = add(w, a, opts[o], value) && ok;
    if (ok)
        *made = w;
    else
        allow_free(w);
    return ok;
}

struct allow *allow_share(struct allow *w)
{
    if (w)
        w->owners++;
    return w;
}

void allow_free(struct allow *w)
{
    if (!w || --w->owners)
        return;
    free(w->words);
    free(w);
}

/* ---- judging */

/* What a peer has to come in by. */
struct owner {
    uint8_t            pin[32];
    bool               has_pin;
    char               cn[RULE_MAX];
    const char *const *names; /* ends with NULL */
};

static bool fits(const struct rule *r, const struct owner *who)
{
    if (r->opt == OPT_ALLOW_KEY)
        return who->has_pin && !memcmp(r->digest, who->pin, sizeof who->pin);
    if (r->opt == OPT_ALLOW_CN)
        return !strcmp(r->text, who->cn);
    for (size_t i = 0; who->names[i]; i++)
        if (allow_name(r->text, who->names[i]))
            return true;
    return false;
}

static size_t say(char *out, size_t n, size_t cap, const char *before, const char *kind, const char *text)
{
    int k = n < cap ? snprintf(out + n, cap - n, "%s%s%s", before, kind, text) : 0;
    return k < 0 || n + (size_t)k >= cap ? cap : n + (size_t)k;
}

/* "it has CN=me, DNS:me.example; let in are DNS:you.example": half of the room for each, and then "..." */
static void refusal(char out[SAY_MAX], const struct allow *w, const struct owner *who)
{
    enum { HALF = SAY_MAX / 2 };
    char has[HALF] = "", in[HALF - 24] = "";
    size_t n = 0;
    if (*who->cn)
        n = say(has, n, sizeof has, "", "CN=", who->cn);
    for (size_t i = 0; who->names[i]; i++)
        n = say(has, n, sizeof has, n ? ", " : "", "", who->names[i]);
    if (n == sizeof has)
        memcpy(has + sizeof has - 4, "...", 4);
    n = 0;
    for (size_t i = 0; i < w->n; i++)
        n = say(in, n, sizeof in, n ? ", " : "", w->rules[i].opt == OPT_ALLOW_CN ? "CN=" : w->rules[i].opt == OPT_ALLOW_KEY ? "key " : "", w->rules[i].text);
    if (n == sizeof in)
        memcpy(in + sizeof in - 4, "...", 4);
    snprintf(out, SAY_MAX, "it has %s; let in: %s", *has ? has : "no name", in);
}

void allow_judge(const struct allow *w, troth_conn *conn)
{
    static const char *const nothing[] = { NULL };
    struct owner who = { .names = nothing };
    troth_cert_facts facts = { .size = sizeof facts };
    troth_pki *pki = troth_pki_new(troth_libcrypto());
    troth_span der;
    char because[SAY_MAX];
    bool in = !w;
    who.has_pin = troth_peer_pin(conn, who.pin);
    if (!in && troth_peer_certificate(conn, &der) && troth_pki_cert(pki, der, &facts)) {
        who.names = facts.names;
        common_name(who.cn, sizeof who.cn, facts.subject);
    }
    for (size_t i = 0; !in && i < w->n; i++)
        in = fits(&w->rules[i], &who);
    if (in) {
        troth_answer_verdict(conn, true, NULL);
    } else {
        refusal(because, w, &who);
        troth_answer_denied(conn, because);
    }
    troth_pki_free(pki);
}
