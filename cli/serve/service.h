/* service.h - what serve and proxy have in common: options, configurations that are read again at SIGHUP, signals, listeners, how many
 * connections there may be.
 *
 * Must never stop over a configuration that cannot be read again, and never listen before it knows whom to speak as. */
#ifndef CLI_SERVICE_H
#define CLI_SERVICE_H

#include <event2/event.h>
#include <event2/listener.h>
#include <time.h>

#include "common/sandbox.h"
#include "net/listen.h"
#include "net/supervisor.h"
#include "recording/flight.h"
#include "serve/farewell.h"
#include "serve/tally.h"
#include "serve/tls_bev.h"
#include "serve/visitor.h"
#include "setup/id_cache.h"
#include "setup/identities.h"
#include "setup/keeper.h"

enum { LISTENERS_MAX = 16, SERVICE_SIGNALS = 6 };

struct service {
    const struct args     *args;      /* in force                                  */
    const struct args     *first;     /* of the start: what only that reads        */
    struct args           *again;     /* read at the last reload that went well, ours to free; NULL: none did */
    struct log             log;
    struct event_base     *base;
    struct event          *signals[SERVICE_SIGNALS];
    struct evconnlistener *listeners[LISTENERS_MAX];
    size_t                 n_listeners;
    struct place           places[LISTENERS_MAX]; /* of the listeners; what was listened at before stays */
    struct passed          passed[LISTENERS_MAX]; /* sockets that we were started with, instead of --listen */
    size_t                 n_passed;
    struct supervisor      supervisor;
    struct event          *daily;     /* looks whose certificates end soon */
    troth_server          *server;    /* one of these two */
    troth_client          *client;
    struct keeper         *keeper;    /* has the private keys; NULL: we */
    struct keyring        *keys;      /* of the configuration; NULL: they are in it */
    struct allow          *allow;     /* who may come in; NULL: everybody that the configuration lets */
    struct id_cache       *sessions;  /* of TLS 1.2, by id; NULL: none */
    struct farewells      *farewells; /* of connections that were refused */
    struct flight          flight;
    struct nets            announce;  /* who has to send a PROXY header */
    struct identities      identities; /* of the configuration */
    unsigned               generation; /* which it is: counted at every reload that went well */
    const char            *backend;   /* for the log; NULL: there is none */
    struct routes         *routes;    /* of proxy; NULL: we are no proxy  */
    unsigned               wants;     /* of the sandbox, beside what every service does: NEEDS_... */
    long                   timeout, stall, grace, max_conns, conns, crowd, warn_days;
    struct event          *breath;   /* over: accept again after it failed */
    bool                   stopping, full, breathless;
    bool                   keys_here;     /* --key-process=no           */
    bool                   keyless;       /* the keeper ended before us */
    uint64_t               since_us;      /* its start, of the monotonic clock */
    time_t                 since;         /* and of the calendar */
    time_t                 loaded;        /* when the configurations were read */
    uint64_t               made, failed;  /* handshakes */
    struct tally           tally;
    struct scrape         *scrape;        /* --metrics; NULL: nobody wants them */
    struct sandbox         sandbox;
    /* Lets into the sandbox what only this verb needs. */
    void                 (*needs)(struct service *);
    /* Takes what is the verb's own from the options and is not bound to the start; as service_limits.  NULL: there is nothing. */
    bool                 (*own)(struct service *, const struct args *);
    /* What own() only made ready takes its place, or goes, as the rest of the configuration did.  NULL: it took it at once, and is called
     * with the old options where it must give it back. */
    void                 (*settle)(struct service *, bool taken);
    /* Takes over the listener that is at `n_listeners` next, whose connections come from now on; lets go of the i-th. */
    bool                 (*adopt)(struct service *, struct evconnlistener *);
    void                 (*drop)(struct service *, size_t i);
    /* We are stopping: who has had an answer and asks for nothing may go.  NULL: it is not known who that is. */
    void                 (*part)(struct service *);
};

/* Options, sockets that were passed to us, and configurations: the client's or the server's.  Nothing that stays open may be opened before.
 * The exit status, not EXIT_OK after a message. */
int service_init(struct service *, const struct args *, bool is_client);
/* A configuration from those options takes the old one's place.  False after a message: there is none, and the old one stays. */
bool service_configure(struct service *, const struct args *, bool is_client, int *status);
/* Reads the options again, which may stand in a file, and all that they name; says in the log what came of it. */
bool service_reload(struct service *);
/* How to log, and the numbers that are not bound to the start.  False after messages: nothing is changed then. */
bool service_limits(struct service *, const struct args *);
/* Would it start?  Says all that is wrong, opens nothing, changes nothing.  The exit status. */
int service_check(const struct args *, bool is_client);
/* Says so when there was nothing.  The status. */
int service_verdict(const struct args *, int status);
/* The loop, its signals and its listeners.  The exit status, as above. */
int service_open(struct service *);
/* Until it is told to end.  The exit status. */
int service_run(struct service *);
/* Of a connection that begins: the PROXY header, where one is due, is taken out of `in`; as in tls_bev_ears.first.  *v as for
 * visitor_hear. */
bool service_hears(const struct service *, struct visitor **v, struct tls_bev *, struct evbuffer *in);
/* A handshake of its came to its end, this way or that; when it began, of now_us(). */
void service_handshake(struct service *, const troth_conn *, uint64_t began_us);
/* One more or one less: no more than there may be are listened for. */
void service_count(struct service *, int by);
/* When the loop is over: what remains ends in it. */
void service_close(struct service *);
void service_free(struct service *);

#endif
