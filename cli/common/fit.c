/* fit.c - which options go together: a table of what needs what, and of what contradicts what.  Must never look at a value but of options
 * that are words. */
#include "common/args.h"

#define V(id) (1u << VERB_##id)

enum { ANY = ~0 };

static const struct {
    unsigned    verbs;
    enum opt    opt;
    enum opt    beside[2];  /* one of these at least; the same twice: that one */
    const char *say;
} needs[] = {
    { V(SERVE), OPT_CRL, { OPT_CLIENT_CA, OPT_CLIENT_CA }, "it is about client certificates: say with --client-ca from whom" },
    { V(SERVE), OPT_REVOCATION, { OPT_CLIENT_CA, OPT_CLIENT_CA }, "it is about client certificates: say with --client-ca from whom" },
    { V(PROXY), OPT_REVOCATION, { OPT_CLIENT_CA, OPT_WRAP }, "it is about certificates of clients (--client-ca) or of the backend (--wrap)" },
    { V(PROXY), OPT_CRL, { OPT_CLIENT_CA, OPT_WRAP }, "it is about certificates of clients (--client-ca) or of the backend (--wrap)" },
    { V(PROXY), OPT_CA, { OPT_WRAP, OPT_WRAP }, "whom to trust matters with --wrap; for client certificates: --client-ca" },
    { V(PROXY), OPT_ROOTS, { OPT_WRAP, OPT_WRAP }, "whom to trust matters with --wrap; for client certificates: --client-ca" },
    { V(PROXY), OPT_PIN, { OPT_WRAP, OPT_WRAP }, "the key of the backend matters with --wrap" },
    { (unsigned)ANY, OPT_CLIENT_AUTH, { OPT_CLIENT_CA, OPT_CLIENT_PIN }, "clients are asked for certificates with --client-ca FILE" },
    { V(SERVE), OPT_TAKE_DELEGATED, { OPT_CLIENT_CA, OPT_CLIENT_PIN }, "it is about client certificates: say with --client-ca from whom" },
    { V(PROXY), OPT_TAKE_DELEGATED, { OPT_CLIENT_CA, OPT_WRAP }, "it is about certificates of clients (--client-ca) or of the backend (--wrap)" },
    { V(SERVE), OPT_ALLOW_SAN, { OPT_CLIENT_CA, OPT_CLIENT_CA }, "it is about client certificates: say with --client-ca from whom" },
    { V(PROXY), OPT_ALLOW_SAN, { OPT_CLIENT_CA, OPT_WRAP }, "it is about certificates of clients (--client-ca) or of the backend (--wrap)" },
    { V(SERVE), OPT_ALLOW_CN, { OPT_CLIENT_CA, OPT_CLIENT_CA }, "it is about client certificates: say with --client-ca from whom" },
    { V(PROXY), OPT_ALLOW_CN, { OPT_CLIENT_CA, OPT_WRAP }, "it is about certificates of clients (--client-ca) or of the backend (--wrap)" },
    { V(SERVE), OPT_ALLOW_KEY, { OPT_CLIENT_CA, OPT_CLIENT_CA }, "it is about client certificates: say with --client-ca from whom" },
    { V(PROXY), OPT_ALLOW_KEY, { OPT_CLIENT_CA, OPT_WRAP }, "it is about certificates of clients (--client-ca) or of the backend (--wrap)" },
    { (unsigned)ANY, OPT_OID_FILTER, { OPT_CLIENT_CA, OPT_CLIENT_CA }, "it is about client certificates: say with --client-ca from whom" },
    { (unsigned)ANY, OPT_TAKE_RAW, { OPT_PIN, OPT_PIN }, "nobody vouches for a raw public key: say with --pin which it is" },
    { (unsigned)ANY, OPT_DELEGATED, { OPT_CERT, OPT_CERT }, "say with --cert whose credential it is" },
    { (unsigned)ANY, OPT_DELEGATED, { OPT_DELEGATED_KEY, OPT_DELEGATED_KEY }, "give its key as well, with --delegated-key" },
    { (unsigned)ANY, OPT_DELEGATED_KEY, { OPT_DELEGATED, OPT_DELEGATED }, "give the credential as well, with --delegated" },
    { (unsigned)ANY, OPT_PSK_HASH, { OPT_PSK, OPT_PSK }, "it is about --psk" },
    { (unsigned)ANY, OPT_PSK_IMPORT, { OPT_PSK, OPT_PSK }, "it is about --psk" },
    { (unsigned)ANY, OPT_ECH_REQUIRED, { OPT_ECH_CONFIG, OPT_ECH_CONFIG }, "say with --ech-config what to encrypt the hello to" },
    { (unsigned)ANY, OPT_ALPN_OPTIONAL, { OPT_ALPN, OPT_ALPN }, "every client is served where there is no --alpn" },
    { (unsigned)ANY, OPT_KEY, { OPT_CERT, OPT_CERT }, "give the certificate chain as well, with --cert" },
    { (unsigned)ANY, OPT_STAPLE, { OPT_CERT, OPT_CERT }, "say with --cert which certificate it is for" },
    { (unsigned)ANY, OPT_RECORD_KEEP, { OPT_RECORD, OPT_RECORD }, "it is about recordings: --record DIR" },
    { (unsigned)ANY, OPT_RECORD_SECRETS, { OPT_RECORD, OPT_RECORD }, "it is about recordings: --record" },
    { (unsigned)ANY, OPT_EARLY, { OPT_SESSION, OPT_SESSION }, "early data goes with a session: --session FILE" },
    { V(VERIFY), OPT_PROXY, { OPT_OCSP, OPT_CRL_FETCH }, "nobody is asked: --ocsp and --crl-fetch do that" },
    { V(CONNECT), OPT_REDACT, { OPT_VERBOSE, OPT_HTML }, "there is something to leave out only with -v or --html" },
    { V(GET), OPT_REDACT, { OPT_VERBOSE, OPT_VERBOSE }, "there is something to leave out only with -v" },
};

static const struct {
    unsigned    verbs;
    enum opt    opt, against;
    const char *say;
} contradicts[] = {
    { V(PROXY), OPT_CLIENT_CA, OPT_WRAP, "with --wrap clients come in the clear" },
    { V(PROXY), OPT_CLIENT_PIN, OPT_WRAP, "with --wrap clients come in the clear" },
    { V(PROXY), OPT_ROUTE, OPT_WRAP, "with --wrap clients come in the clear" },
    { V(PROXY), OPT_PASS, OPT_WRAP, "with --wrap clients come in the clear" },
    { V(PROXY), OPT_STRICT_SNI, OPT_WRAP, "with --wrap clients come in the clear" },
    { V(PROXY), OPT_ALPN_OPTIONAL, OPT_WRAP, "with --wrap clients come in the clear" },
    { V(PROXY), OPT_ALWAYS_RETRY, OPT_WRAP, "with --wrap clients come in the clear" },
    { V(PROXY), OPT_TICKET_KEY, OPT_WRAP, "with --wrap clients come in the clear" },
    { V(PROXY), OPT_TICKETS, OPT_WRAP, "with --wrap clients come in the clear" },
    { V(PROXY), OPT_SESSIONS, OPT_WRAP, "with --wrap clients come in the clear" },
    { V(PROXY), OPT_EARLY_MAX, OPT_WRAP, "with --wrap clients come in the clear" },
    { V(PROXY), OPT_ECH_KEY, OPT_WRAP, "with --wrap clients come in the clear" },
    { V(PROXY), OPT_STAPLE, OPT_WRAP, "with --wrap clients come in the clear" },
    { (unsigned)ANY, OPT_COMPRESS_WITH, OPT_COMPRESS, "choose one of them" },
    { (unsigned)ANY, OPT_NO_TICKETS, OPT_SESSION, "a session is resumed with a ticket" },
    { (unsigned)ANY, OPT_IPV4, OPT_IPV6, "choose one of them" },
    { (unsigned)ANY, OPT_AT, OPT_TIME, "they are the same" },
    { (unsigned)ANY, OPT_PROXY, OPT_NO_PROXY, "choose one of them" },
    { (unsigned)ANY, OPT_CONFIG, OPT_NO_CONFIG, "choose one of them" },
    { V(SERVE) | V(PROXY), OPT_CHECK_CONFIG, OPT_PRINT_CONFIG, "one thing at a time" },
    { (unsigned)ANY, OPT_QUIET, OPT_VERBOSE, "choose one of them" },
    { V(CHECK), OPT_FORMAT, OPT_JSON, "--json is --format json" },
    { V(SERVE) | V(PROXY), OPT_LOG, OPT_JSON, "--json is --log json" },
    { V(CONNECT), OPT_JSON, OPT_VERBOSE, "the story as JSON comes from troth explain --json" },
    { V(GET), OPT_JSON, OPT_VERBOSE, "the story as JSON comes from troth explain --json" },
    { V(EXPLAIN), OPT_ERROR, OPT_PCAP, "one thing at a time" },
};

/* The n-th of the one belongs to the n-th of the other. */
static const struct {
    enum opt opt, of;
} pairs[] = {
    { OPT_KEY, OPT_CERT },
    { OPT_STAPLE, OPT_CERT },
    { OPT_DELEGATED, OPT_CERT },
    { OPT_DELEGATED_KEY, OPT_DELEGATED },
};

bool args_fit(const struct args *a)
{
    static const char *const whens[] = { "auto", "always", "never", NULL };
    unsigned verb = 1u << a->verb;
    if (args_word(a, OPT_COLOR, whens, 0) < 0)
        return false;
    for (size_t i = 0; i < sizeof needs / sizeof needs[0]; i++)
        if (needs[i].verbs & verb && args_has(a, needs[i].opt) && !args_has(a, needs[i].beside[0]) && !args_has(a, needs[i].beside[1])) {
            complain(a, EXIT_USAGE, "--%s does nothing here: %s", opt_name(needs[i].opt), needs[i].say);
            return false;
        }
    for (size_t i = 0; i < sizeof contradicts / sizeof contradicts[0]; i++)
        if (contradicts[i].verbs & verb && args_has(a, contradicts[i].opt) && args_has(a, contradicts[i].against)) {
            complain(a, EXIT_USAGE, "--%s does not go with --%s: %s", opt_name(contradicts[i].opt), opt_name(contradicts[i].against),
                     contradicts[i].say);
            return false;
        }
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        if (a->given[pairs[i].opt] > a->given[pairs[i].of]) {
            complain(a, EXIT_USAGE, "--%s is given %u times and --%s %u: the n-th belongs to the n-th", opt_name(pairs[i].opt), a->given[pairs[i].opt],
                     opt_name(pairs[i].of), a->given[pairs[i].of]);
            return false;
        }
    return true;
}
