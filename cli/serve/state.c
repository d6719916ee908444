/* state.c - see state.h.
 *
 * Tells of what is loaded, not of what stands in the files by now.  Must never say anything that is secret. */
#include "serve/state.h"

#include <stdio.h>

#include "common/config.h"
#include "net/dial.h"
#include "serve/route.h"

static const char *number(char out[24], unsigned long long n)
{
    snprintf(out, 24, "%llu", n);
    return out;
}

static void tell_all(const struct service *s)
{
    char uptime[24], loaded[40], conns[24], most[24], made[24], failed[24], accepted[24], in[24], out[24], reloads[24];
    log_line(&s->log, "notice", "state", "version", TROTH_VERSION, "uptime", number(uptime, (now_us() - s->since_us) / 1000000),
             "loaded", time_words(loaded, sizeof loaded, s->loaded), "config", config_file(s->args), "connections", number(conns, (unsigned long long)s->conns), "max",
             number(most, (unsigned long long)s->max_conns), "handshakes", number(made, s->made), "failed", number(failed, s->failed),
             "accepted", number(accepted, s->tally.accepted), "received", number(in, s->tally.in), "sent", number(out, s->tally.out), "reloads_failed",
             number(reloads, s->tally.reloads_failed),
             "stopping", s->stopping ? "yes" : NULL, "full", s->full ? "yes" : NULL, NULL);
}

static void tell_places(const struct service *s)
{
    char port[24];
    for (size_t i = 0; i < s->n_listeners; i++)
        log_line(&s->log, "notice", "state-listener", "address", s->places[i].where, "port", number(port, (unsigned)s->places[i].port),
                 "name", s->places[i].name, "backend", s->backend, NULL);
}

static void tell_routes(const struct service *s)
{
    char n[24];
    for (size_t i = 0; routes_by_name(s->routes) && i < s->routes->n; i++) {
        const struct route *r = &s->routes->all[i];
        log_line(&s->log, "notice", "state-route", "route", r->name, "backend", r->where, "passed", r->pass ? "yes" : NULL, "connections",
                 number(n, r->connections), NULL);
    }
}

static void tell_identity(const struct log *l, const struct identity_facts *i)
{
    char until[40];
    bool ok = i->certificate;
    log_line(l, "notice", "state-identity", "file", i->file, "subject", ok ? i->subject : NULL, "not_after",
             ok ? time_words(until, sizeof until, i->not_after) : NULL, "names", ok ? i->names : NULL, NULL);
}

void state_tell(const struct service *s)
{
    tell_all(s);
    tell_places(s);
    tell_routes(s);
    for (size_t i = 0; i < s->identities.n; i++)
        if (!s->identities.all[i].pos)
            tell_identity(&s->log, &s->identities.all[i]);
    sandbox_tell(&s->sandbox, &s->log, "state-sandbox", true);
}
