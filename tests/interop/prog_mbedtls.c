/* Mbed TLS as a client and as a server, for tries against it; peer_options.h says how it is called.  TLS 1.2 alone.
 * links: mbedtls */
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/error.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_cache.h>
#include <mbedtls/ssl_ticket.h>

#include "peer_options.h"

struct peer {
    mbedtls_ssl_config         config;
    mbedtls_x509_crt           chain, roots;
    mbedtls_pk_context         key;
    mbedtls_entropy_context    entropy;
    mbedtls_ctr_drbg_context   random;
    mbedtls_ssl_ticket_context tickets;
    mbedtls_ssl_cache_context  cache;
    mbedtls_ecp_group_id       groups[8];
    int                        suites[2];
    const char                *alpn[8];
};

static int put(void *s, const void *p, int n)
{
    return mbedtls_ssl_write(s, p, (size_t)n);
}

static int take(void *s, void *p, int n)
{
    return mbedtls_ssl_read(s, p, (size_t)n);
}

static void must(const char *what, int got)
{
    char text[200];
    if (!got)
        return;
    mbedtls_strerror(got, text, sizeof text);
    printf("failed %s: -0x%x %s\n", what, -got, text);
    exit(1);
}

static void lists(struct peer *p)
{
    char groups[128];
    static char alpn[128];
    int n = 0;
    snprintf(groups, sizeof groups, "%s", option_or("groups", ""));
    for (char *w = strtok(groups, ","); w; w = strtok(NULL, ","))
        p->groups[n++] = mbedtls_ecp_curve_info_from_name(w)->grp_id;
    if (n)
        mbedtls_ssl_conf_curves(&p->config, p->groups);
    if (option("suite") && (p->suites[0] = mbedtls_ssl_get_ciphersuite_id(option("suite"))))
        mbedtls_ssl_conf_ciphersuites(&p->config, p->suites);
    snprintf(alpn, sizeof alpn, "%s", option_or("alpn", ""));
    n = 0;
    for (char *w = strtok(alpn, ","); w; w = strtok(NULL, ","))
        p->alpn[n++] = w;
    if (n)
        must("alpn", mbedtls_ssl_conf_alpn_protocols(&p->config, p->alpn));
}

static void sessions(struct peer *p, bool server)
{
    mbedtls_ssl_ticket_init(&p->tickets);
    mbedtls_ssl_cache_init(&p->cache);
    if (!server) {
        mbedtls_ssl_conf_session_tickets(&p->config, !option_is("tickets", "no"));
    } else if (option_is("tickets", "no")) {
        mbedtls_ssl_conf_session_cache(&p->config, &p->cache, mbedtls_ssl_cache_get, mbedtls_ssl_cache_set);
    } else {
        must("tickets", mbedtls_ssl_ticket_setup(&p->tickets, mbedtls_ctr_drbg_random, &p->random, MBEDTLS_CIPHER_AES_256_GCM, 86400));
        mbedtls_ssl_conf_session_tickets_cb(&p->config, mbedtls_ssl_ticket_write, mbedtls_ssl_ticket_parse, &p->tickets);
    }
}

static void configure(struct peer *p, bool server)
{
    mbedtls_ssl_config_init(&p->config);
    mbedtls_x509_crt_init(&p->chain);
    mbedtls_x509_crt_init(&p->roots);
    mbedtls_pk_init(&p->key);
    mbedtls_entropy_init(&p->entropy);
    mbedtls_ctr_drbg_init(&p->random);
    must("random", mbedtls_ctr_drbg_seed(&p->random, mbedtls_entropy_func, &p->entropy, NULL, 0));
    must("defaults", mbedtls_ssl_config_defaults(&p->config, server ? MBEDTLS_SSL_IS_SERVER : MBEDTLS_SSL_IS_CLIENT,
                                                 MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT));
    mbedtls_ssl_conf_rng(&p->config, mbedtls_ctr_drbg_random, &p->random);
    if (option("ca"))
        must("ca", mbedtls_x509_crt_parse_file(&p->roots, option("ca")));
    mbedtls_ssl_conf_ca_chain(&p->config, &p->roots, NULL);
    if (option("cert")) {
        must("cert", mbedtls_x509_crt_parse_file(&p->chain, option("cert")));
        must("key", mbedtls_pk_parse_keyfile(&p->key, option("key"), NULL));
        must("identity", mbedtls_ssl_conf_own_cert(&p->config, &p->chain, &p->key));
    }
    mbedtls_ssl_conf_authmode(&p->config, !server || option_is("auth", "require") ? MBEDTLS_SSL_VERIFY_REQUIRED
                                          : option_is("auth", "request")          ? MBEDTLS_SSL_VERIFY_OPTIONAL
                                                                                  : MBEDTLS_SSL_VERIFY_NONE);
    lists(p);
    sessions(p, server);
}

static bool shake(mbedtls_ssl_context *s)
{
    char text[200];
    int got = mbedtls_ssl_handshake(s);
    if (!got) {
        const char *alpn = mbedtls_ssl_get_alpn_protocol(s);
        printf("ready %s %s%s%s\n", mbedtls_ssl_get_version(s), mbedtls_ssl_get_ciphersuite(s), alpn ? " alpn=" : "", alpn ? alpn : "");
        return true;
    }
    mbedtls_strerror(got, text, sizeof text);
    printf("failed handshake: -0x%x %s, verify 0x%x\n", -got, text, mbedtls_ssl_get_verify_result(s));
    return false;
}

static void begin(mbedtls_ssl_context *s, const struct peer *p, mbedtls_net_context *net)
{
    mbedtls_ssl_init(s);
    must("setup", mbedtls_ssl_setup(s, &p->config));
    mbedtls_ssl_set_bio(s, net, mbedtls_net_send, mbedtls_net_recv, NULL);
}

static int client(const struct peer *p, int port)
{
    mbedtls_ssl_session session;
    bool good = true, have = false;
    mbedtls_ssl_session_init(&session);
    for (int left = option_number("connections", 1); left && good; left--) {
        mbedtls_net_context net = { socket_for(false, port) };
        mbedtls_ssl_context s;
        begin(&s, p, &net);
        must("host", mbedtls_ssl_set_hostname(&s, option_or("host", "localhost")));
        if (have)
            must("resume", mbedtls_ssl_set_session(&s, &session));
        good = shake(&s) && talk(&s, put, take);
        have = good && !mbedtls_ssl_get_session(&s, &session);
        mbedtls_ssl_close_notify(&s);
        mbedtls_ssl_free(&s);
        mbedtls_net_free(&net);
    }
    mbedtls_ssl_session_free(&session);
    return !good;
}

static void server(const struct peer *p, int port)
{
    int listener = socket_for(true, port);
    puts("listening");
    for (int fd; (fd = accept(listener, NULL, NULL)) >= 0;) {
        mbedtls_net_context net = { fd };
        mbedtls_ssl_context s;
        begin(&s, p, &net);
        if (shake(&s)) {
            echo(&s, put, take);
            mbedtls_ssl_close_notify(&s);
        }
        mbedtls_ssl_free(&s);
        mbedtls_net_free(&net);
    }
}

int main(int argc, char **argv)
{
    static struct peer p;
    option_count = argc;
    option_words = argv;
    setvbuf(stdout, NULL, _IOLBF, 0);
    bool serves = !strcmp(argv[1], "server");
    configure(&p, serves);
    int status = 0;
    if (serves)
        server(&p, atoi(argv[2]));
    else
        status = client(&p, atoi(argv[2]));
    mbedtls_ssl_config_free(&p.config);
    mbedtls_x509_crt_free(&p.chain);
    mbedtls_x509_crt_free(&p.roots);
    mbedtls_pk_free(&p.key);
    mbedtls_ssl_ticket_free(&p.tickets);
    mbedtls_ssl_cache_free(&p.cache);
    mbedtls_ctr_drbg_free(&p.random);
    mbedtls_entropy_free(&p.entropy);
    return status;
}
