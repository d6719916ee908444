/* tell.c - the answer of troth check: for people, as JSON, and in the two forms that build servers read.
 *
 * SARIF 2.1.0 (OASIS) goes where findings of analysers are collected, JUnit's XML where results of tests are.  Must never write what an XML
 * reader stumbles over: a certificate's names are whoever's who made it. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "check/check.h"
#include "setup/setup.h"

const char *const severity_names[SEVERITIES + 1] = { "info", "low", "medium", "high", "critical", NULL };

/* ---- for people */

static const char *joined(const struct names *l, char *out, size_t cap)
{
    size_t n = 0;
    *out = 0;
    for (size_t i = 0; i < l->n && n < cap; i++)
        n += (size_t)snprintf(out + n, cap - n, "%s%s", i ? ", " : "", l->name[i]);
    return l->n ? out : "none that troth speaks";
}

static void tell_text(const struct check *c, bool md)
{
    char list[1024];
    troth_facts f = troth_what(c->first.conn);
    bool colour = !md && want_colour(c->args, 1);
    const char *mark = md ? "- " : "  ";
    const char *address = c->first.dialed.address, *way = !*address ? "" : via_used(&c->first.via) ? " (through the proxy " : " (";
    printf("%s%s%s%s%s\n", md ? "# " : "", c->first.target.typed, way, address, *address ? ")" : "");
    printf("%sversions     %s\n", mark, joined(&c->versions, list, sizeof list));
    printf("%ssuites       %s\n", mark, joined(&c->suites, list, sizeof list));
    printf("%sgroups       %s\n", mark, joined(&c->groups, list, sizeof list));
    printf("%sprefers      %s, %s, %s\n", mark, f.version ? troth_version_name(f.version) : "-", f.suite ? troth_suite_name(f.suite) : "-",
           f.group ? troth_group_name(f.group) : "-");
    printf("%sprotocol     %.*s\n", mark, f.alpn.n ? (int)f.alpn.n : 1, f.alpn.n ? (const char *)f.alpn.p : "-");
    printf("%scertificate  %s\n", mark, strcmp(check_certificate(c), "ok") ? check_certificate(c) : "accepted");
    printf("%sasked        %u connections\n%s", mark, c->connections, c->n ? md ? "\n## Findings\n" : "findings\n" : "no findings\n");
    for (int level = CRITICAL; level >= INFO; level--)
        for (size_t i = 0; i < c->n; i++) {
            const struct finding *g = &c->findings[i];
            if ((int)g->severity != level)
                continue;
            printf("%s%s%-8s%s  %s [%s]\n", mark, colour ? level >= HIGH ? "\x1b[31m" : level == MEDIUM ? "\x1b[33m" : "" : "",
                   severity_names[level], colour ? "\x1b[0m" : "", g->what, g->code);
            if (*g->saw)
                printf("            saw  %s\n", g->saw);
            printf("            do   %s\n", g->remedy);
            if (g->line)
                printf("            %s%s%s\n", md ? "`" : "     ", g->line, md ? "`" : "");
        }
}

/* ---- JSON */

static json_t *names_json(const struct names *l)
{
    json_t *a = json_array();
    for (size_t i = 0; i < l->n; i++)
        json_array_append_new(a, json_string(l->name[i]));
    return a;
}

static void tell_json(const struct check *c, bool reached, int status)
{
    char place[300];
    json_t *findings = json_array();
    for (size_t i = 0; i < c->n; i++) {
        const struct finding *g = &c->findings[i];
        json_array_append_new(findings, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s*}", "severity", severity_names[g->severity], "code", g->code, "text",
                                                  g->what, "evidence", g->saw, "do", g->remedy, "line", g->line));
    }
    troth_facts f = troth_what(c->first.conn);
    json_t *o = json_pack("{s:s, s:o, s:s, s:i, s:i, s:o, s:o, s:o, s:o}", "schema", "troth.check/1", "target", json_text(c->first.target.typed), "address",
                          c->first.dialed.address, "exit", status, "connections", (int)c->connections, "versions", names_json(&c->versions),
                          "suites", names_json(&c->suites), "groups", names_json(&c->groups), "findings", findings);
    if (via_used(&c->first.via))
        json_object_set_new(o, "proxy", json_string(place_name(place, sizeof place, &c->first.via.at)));
    json_object_set_new(o, "alpn", f.alpn.n ? json_text_n(f.alpn.p, f.alpn.n) : json_null());
    if (reached)
        json_object_set_new(o, "certificate", json_string(check_certificate(c)));
    else
        json_object_set_new(o, "failure", failure_json(&c->first.error));
    json_dumpf(o, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(o);
}

/* ---- SARIF */

static const char *level_of(enum severity s)
{
    return s >= HIGH ? "error" : s == MEDIUM ? "warning" : "note";
}

/* What GitHub orders findings of security by. */
static const char *score_of(enum severity s)
{
    static const char *const scores[SEVERITIES] = { "0.0", "3.0", "5.5", "8.0", "9.5" };
    return scores[s];
}

static bool is_first_of_its_code(const struct check *c, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (!strcmp(c->findings[k].code, c->findings[i].code))
            return false;
    return true;
}

static json_t *sarif_rule(const struct finding *f)
{
    char plain[700], markdown[700];
    snprintf(plain, sizeof plain, "%s%s%s", f->remedy, f->line ? ": " : "", f->line ? f->line : "");
    snprintf(markdown, sizeof markdown, "%s%s%s%s", f->remedy, f->line ? "\n\n    " : "", f->line ? f->line : "", f->line ? "\n" : "");
    return json_pack("{s:s, s:{s:s}, s:{s:s, s:s}, s:{s:s}, s:{s:[s], s:s}}", "id", f->code, "shortDescription", "text", f->what, "help", "text",
                     plain, "markdown", markdown, "defaultConfiguration", "level", level_of(f->severity), "properties", "tags", "security",
                     "security-severity", score_of(f->severity));
}

static json_t *sarif_result(const struct check *c, const struct finding *f)
{
    const struct target *t = &c->first.target;
    char message[700], uri[400];
    bool v6 = strchr(t->host, ':') != NULL;
    snprintf(message, sizeof message, "%s%s%s. %s", f->what, *f->saw ? ": " : "", f->saw, f->remedy);
    snprintf(uri, sizeof uri, "https://%s%s%s:%s/", v6 ? "[" : "", t->host, v6 ? "]" : "", t->port);
    return json_pack("{s:s, s:s, s:{s:o}, s:[{s:{s:{s:o}}, s:[{s:o, s:s}]}], s:{s:s}}", "ruleId", f->code, "level", level_of(f->severity), "message", "text",
                     json_text(message), "locations", "physicalLocation", "artifactLocation", "uri", json_text(uri), "logicalLocations",
                     "fullyQualifiedName", json_text(t->typed), "kind", "resource", "properties", "severity", severity_names[f->severity]);
}

static void tell_sarif(const struct check *c, bool reached, int status)
{
    json_t *rules = json_array(), *results = json_array(), *notes = json_array();
    for (size_t i = 0; i < c->n; i++) {
        if (is_first_of_its_code(c, i))
            json_array_append_new(rules, sarif_rule(&c->findings[i]));
        json_array_append_new(results, sarif_result(c, &c->findings[i]));
    }
    if (!reached)
        json_array_append_new(notes, json_pack("{s:s, s:{s:o}, s:{s:s}}", "level", "error", "message", "text", json_text(c->first.error.text), "descriptor",
                                               "id", c->first.error.code));
    json_t *o = json_pack("{s:s, s:s, s:[{s:{s:{s:s, s:s, s:o}}, s:[{s:b, s:i, s:o}], s:o}]}", "$schema",
                          "https://json.schemastore.org/sarif-2.1.0.json", "version", "2.1.0", "runs", "tool", "driver", "name", "troth check", "semanticVersion",
                          TROTH_VERSION, "rules", rules, "invocations", "executionSuccessful", reached, "exitCode", status, "toolExecutionNotifications",
                          notes, "results", results);
    json_dumpf(o, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(o);
}

/* ---- JUnit */

/* Text of an attribute or an element.  What XML 1.0 has no character for is a question mark. */
static void xml(const char *s)
{
    for (size_t k; *s; s += k ? k : 1) {
        const char *is = strchr("<>&\"\n", *s);
        k = char_printable(s);
        if (is)
            printf("&#%d;", *s);
        else
            printf("%.*s", k ? (int)k : 1, k ? s : "?");
    }
}

static void xml_attribute(const char *name, const char *value)
{
    printf(" %s=\"", name);
    xml(value);
    putchar('"');
}

static void test_case(const struct check *c, const char *name)
{
    fputs("  <testcase", stdout);
    xml_attribute("classname", c->first.target.typed);
    xml_attribute("name", name);
}

/* A finding at or above --fail-on is a failed test, one below it a test that passed and had something to say. */
static void test_of_finding(const struct check *c, const struct finding *f)
{
    bool bad = f->severity >= c->limit;
    test_case(c, f->code);
    fputs(bad ? ">\n   <failure" : ">\n   <system-out>", stdout);
    if (bad) {
        xml_attribute("type", severity_names[f->severity]);
        xml_attribute("message", f->what);
        putchar('>');
    } else {
        printf("%s: ", severity_names[f->severity]);
        xml(f->what);
        fputs(". ", stdout);
    }
    xml(f->saw);
    fputs(*f->saw ? ". " : "", stdout);
    xml(f->remedy);
    if (f->line) {
        fputs(": ", stdout);
        xml(f->line);
    }
    puts(bad ? "</failure>\n  </testcase>" : "</system-out>\n  </testcase>");
}

static void tell_junit(const struct check *c, bool reached)
{
    size_t bad = 0;
    for (size_t i = 0; i < c->n; i++)
        bad += c->findings[i].severity >= c->limit;
    printf("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n <testsuite name=\"troth check\" tests=\"%zu\" failures=\"%zu\" errors=\"%d\"", c->n + 1, bad,
           !reached);
    xml_attribute("hostname", c->first.target.typed);
    puts(">");
    test_case(c, "connect");
    if (reached) {
        puts("/>");
    } else {
        fputs(">\n   <error", stdout);
        xml_attribute("type", c->first.error.code);
        xml_attribute("message", c->first.error.text);
        putchar('>');
        xml(c->first.error.detail);
        puts("</error>\n  </testcase>");
    }
    for (size_t i = 0; i < c->n; i++)
        test_of_finding(c, &c->findings[i]);
    puts(" </testsuite>\n</testsuites>");
}

/* ---- whichever */

void check_tell(const struct check *c, enum check_format how, bool reached, int status)
{
    switch (how) {
    case CHECK_JSON: tell_json(c, reached, status); break;
    case CHECK_SARIF: tell_sarif(c, reached, status); break;
    case CHECK_JUNIT: tell_junit(c, reached); break;
    case CHECK_TEXT:
    case CHECK_MD:
        if (reached && !args_has(c->args, OPT_QUIET))
            tell_text(c, how == CHECK_MD);
    }
}
