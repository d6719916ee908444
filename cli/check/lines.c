/* lines.c - what to write into a server's settings against a finding of troth check (--for).
 *
 * Must never say what was not tried: tests/cli/test_check_lines.py puts each line into the server that it is for, and the finding is gone. */
#include <string.h>

#include "check/check.h"

const char *const web_servers[WEB_SERVERS + 1] = { "nginx", "haproxy", "apache", NULL };

#define CIPHERS                                                                                                                   \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"       \
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384"
#define LAST_A_YEAR "Strict-Transport-Security \"max-age=31536000\""

/* clang-format off: a table */
enum remedy { PROTOCOLS, SUITES, GROUPS, ALPN, HSTS, REDIRECT, CHAIN };

/* One for each of web_servers.  nginx's do for `http' and `server', and Apache's for its main part and for a VirtualHost; HAProxy's say where
 * they belong. */
static const char *const lines[][WEB_SERVERS] = {
    [PROTOCOLS] = { "ssl_protocols TLSv1.2 TLSv1.3;",
                    "ssl-default-bind-options ssl-min-ver TLSv1.2   # global",
                    "SSLProtocol -all +TLSv1.2 +TLSv1.3" },
    [SUITES]    = { "ssl_ciphers " CIPHERS ";",
                    "ssl-default-bind-ciphers " CIPHERS "   # global",
                    "SSLCipherSuite " CIPHERS },
    [GROUPS]    = { "ssl_ecdh_curve X25519MLKEM768:X25519:prime256v1;",
                    "ssl-default-bind-curves X25519MLKEM768:X25519:P-256   # global",
                    "SSLOpenSSLConfCmd Groups X25519MLKEM768:X25519:prime256v1" },
    [ALPN]      = { "listen 443 ssl http2;",
                    "bind :443 ssl crt /path/to/full.pem alpn h2,http/1.1   # frontend",
                    "Protocols h2 http/1.1" },
    [HSTS]      = { "add_header " LAST_A_YEAR " always;",
                    "http-response set-header " LAST_A_YEAR "   # frontend",
                    "Header always set " LAST_A_YEAR },
    [REDIRECT]  = { "proxy_redirect http:// https://;",
                    "http-response replace-header Location ^http:(.*) https:\\1   # frontend",
                    "Header edit Location ^http: https:" },
    [CHAIN]     = { "ssl_certificate /path/to/chain.pem;   # the server's certificate, then each authority's but the root's",
                    "bind :443 ssl crt /path/to/full.pem   # frontend; the server's certificate, then each authority's but the root's, and the key",
                    "SSLCertificateFile /path/to/chain.pem" },
};

static const struct {
    const char *code;
    enum remedy remedy;
} against[] = {
    { "check.no-tls13", PROTOCOLS },    { "check.tls11", PROTOCOLS },           { "check.tls10", PROTOCOLS },
    { "check.ssl3", PROTOCOLS },        { "check.static-rsa", SUITES },         { "check.broken-suite", SUITES },
    { "check.anonymous-suite", SUITES }, { "check.cbc-suite", SUITES },
    { "check.no-post-quantum", GROUPS }, { "check.no-alpn", ALPN },             { "check.no-hsts", HSTS },
    { "check.short-hsts", HSTS },       { "check.redirect-to-http", REDIRECT }, { "check.root-sent", CHAIN },
    { "check.spare-certificate", CHAIN }, { "cert.missing-intermediate", CHAIN }, { "chain.wrong-intermediate", CHAIN },
};
/* clang-format on */

const char *check_lines(int server, const char *code)
{
    for (size_t i = 0; server >= 0 && i < sizeof against / sizeof against[0]; i++)
        if (!strcmp(against[i].code, code))
            return lines[against[i].remedy][server];
    return NULL;
}
