/* state.c - see state.h.
 *
 * Tells of what is loaded, not of what stands in the files by now.  Must never say anything that is secret. */
#include "state.h"

#include <troth/pki.h>

#include <stdio.h>

#include "dial.h"
#include "setup.h"

enum { NAMES_MOST = 1024 };

static const char *number(char out[24], unsigned long long n)
{
    snprintf(out, 24, "%llu", n);
    return out;
}

static void tell_all(const struct service *s)
{
    char uptime[24], loaded[40], conns[24], most[24], made[24], failed[24];
    log_line(&s->log, "notice", "state", "version", TROTH_VERSION, "uptime", number(uptime, (now_us() - s->since_us) / 1000000),
             "loaded", time_words(loaded, sizeof loaded, s->loaded), "connections", number(conns, (unsigned long long)s->conns), "max",
             number(most, (unsigned long long)s->max_conns), "handshakes", number(made, s->made), "failed", number(failed, s->failed),
             "stopping", s->stopping ? "yes" : NULL, "full", s->full ? "yes" : NULL, NULL);
}

static void tell_places(const struct service *s)
{
    char port[24];
    for (size_t i = 0; i < s->n_listeners; i++)
        log_line(&s->log, "notice", "state-listener", "address", s->places[i].where, "port", number(port, (unsigned)s->places[i].port),
                 "name", s->places[i].name, "backend", s->backend, NULL);
}

static void tell_identity(const struct service *s, troth_pki *pki, const char *file, troth_span der)
{
    troth_cert_facts f = { .size = sizeof f };
    char until[40], names[NAMES_MOST] = "";
    bool ok = der.n && troth_pki_cert(pki, der, &f);
    troth_pki_go_on(pki);
    for (size_t i = 0, n = 0; ok && f.names[i] && n < sizeof names - 1; i++)
        n += (size_t)snprintf(names + n, sizeof names - n, "%s%s", n ? "," : "", f.names[i]);
    log_line(&s->log, "notice", "state-identity", "file", file, "subject", ok ? f.subject : NULL, "not_after",
             ok ? time_words(until, sizeof until, f.not_after) : NULL, "names", ok ? names : NULL, NULL);
}

/* The identities are those of --cert in their order, and behind them that of --raw-key. */
void state_tell(const struct service *s)
{
    troth_span der;
    troth_pki *pki = troth_pki_new(troth_libcrypto());
    tell_all(s);
    tell_places(s);
    for (size_t i = 0; s->server ? troth_server_certificate(s->server, i, &der) : troth_client_certificate(s->client, i, &der); i++) {
        const char *cert = args_nth(s->args, OPT_CERT, i);
        tell_identity(s, pki, cert ? cert : args_value(s->args, OPT_RAW_KEY, NULL), der);
    }
    troth_pki_free(pki);
}
