/* wolfSSL as a client and as a server, for tries against it; peer_options.h says how it is called.
 * links: wolfssl */
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>

#include "peer_options.h"

static int put(void *s, const void *p, int n)
{
    return wolfSSL_write(s, p, n);
}

static int take(void *s, void *p, int n)
{
    return wolfSSL_read(s, p, n);
}

static void fail(const char *what, WOLFSSL *s, int got)
{
    char text[WOLFSSL_MAX_ERROR_SZ];
    int why = wolfSSL_get_error(s, got);
    printf("failed %s: %d %s\n", what, why, wolfSSL_ERR_error_string((unsigned long)why, text));
}

static unsigned psk_of(char *identity, unsigned char *key)
{
    const char *value = option("psk"), *colon = strchr(value, ':');
    unsigned n = 0;
    sprintf(identity, "%.*s", (int)(colon - value), value);
    for (unsigned byte; sscanf(colon + 1 + 2 * n, "%2x", &byte) == 1; n++)
        key[n] = (unsigned char)byte;
    return n;
}

static unsigned psk_client(WOLFSSL *s, const char *hint, char *identity, unsigned most, unsigned char *key, unsigned key_most,
                           const char **suite)
{
    (void)s, (void)hint, (void)most, (void)key_most;
    *suite = "TLS13-AES128-GCM-SHA256";
    return psk_of(identity, key);
}

static unsigned psk_server(WOLFSSL *s, const char *identity, unsigned char *key, unsigned key_most, const char **suite)
{
    char own[128];
    (void)s, (void)key_most;
    *suite = "TLS13-AES128-GCM-SHA256";
    unsigned n = psk_of(own, key);
    return strcmp(own, identity) ? 0 : n;
}

static WOLFSSL_CTX *context(bool server)
{
    const char *v = option_or("version", "both");
    WOLFSSL_CTX *c = wolfSSL_CTX_new(!strcmp(v, "1.2")   ? (server ? wolfTLSv1_2_server_method() : wolfTLSv1_2_client_method())
                                     : !strcmp(v, "1.3") ? (server ? wolfTLSv1_3_server_method() : wolfTLSv1_3_client_method())
                                                         : (server ? wolfSSLv23_server_method() : wolfSSLv23_client_method()));
    bool good = (!option("suite") || wolfSSL_CTX_set_cipher_list(c, option("suite")) == WOLFSSL_SUCCESS)
             && (!option("ca") || wolfSSL_CTX_load_verify_locations(c, option("ca"), NULL) == WOLFSSL_SUCCESS)
             && (!option("cert") || (wolfSSL_CTX_use_certificate_chain_file(c, option("cert")) == WOLFSSL_SUCCESS
                                     && wolfSSL_CTX_use_PrivateKey_file(c, option("key"), WOLFSSL_FILETYPE_PEM) == WOLFSSL_SUCCESS));
    if (!good) {
        printf("failed context\n");
        exit(1);
    }
    if (option("psk") && server)
        wolfSSL_CTX_set_psk_server_tls13_callback(c, psk_server);
    if (option("psk") && !server)
        wolfSSL_CTX_set_psk_client_tls13_callback(c, psk_client);
    if (server)
        wolfSSL_CTX_set_verify(c, option_is("auth", "require")   ? WOLFSSL_VERIFY_PEER | WOLFSSL_VERIFY_FAIL_IF_NO_PEER_CERT
                                  : option_is("auth", "request") ? WOLFSSL_VERIFY_PEER
                                                                 : WOLFSSL_VERIFY_NONE, NULL);
    else
        wolfSSL_CTX_set_verify(c, WOLFSSL_VERIFY_PEER, NULL);
    if (option("late_auth"))
        (void)(server ? wolfSSL_CTX_mutual_auth(c, 0) : wolfSSL_CTX_allow_post_handshake_auth(c));
    if (!option_is("tickets", "no") && !server)
        wolfSSL_CTX_UseSessionTicket(c);
    if (option_is("tickets", "no"))
        wolfSSL_CTX_NoTicketTLSv12(c);
    if (option("staple"))
        wolfSSL_CTX_EnableOCSPStapling(c);
    return c;
}

static void groups(WOLFSSL *s, bool server)
{
    static const struct { const char *name; word16 id; } known[] = { { "x25519", WOLFSSL_ECC_X25519 }, { "secp256r1", WOLFSSL_ECC_SECP256R1 },
                                                                     { "secp384r1", WOLFSSL_ECC_SECP384R1 }, { "secp521r1", WOLFSSL_ECC_SECP521R1 } };
    int list[8], n = 0;
    char copy[128];
    snprintf(copy, sizeof copy, "%s", option_or("groups", ""));
    for (char *w = strtok(copy, ","); w; w = strtok(NULL, ","))
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            if (!strcmp(known[i].name, w))
                list[n++] = known[i].id;
    if (!n)
        return;
    if (!option_is("version", "1.2"))
        wolfSSL_set_groups(s, list, n);
    else
        for (int i = 0; i < n; i++)
            wolfSSL_UseSupportedCurve(s, (word16)list[i]);
    if (!server && !option_is("version", "1.2"))
        wolfSSL_UseKeyShare(s, (word16)list[0]);
}

static WOLFSSL *connection(WOLFSSL_CTX *c, int fd, bool server)
{
    WOLFSSL *s = wolfSSL_new(c);
    const char *host = option_or("host", "localhost");
    wolfSSL_set_fd(s, fd);
    groups(s, server);
    if (option("alpn"))
        wolfSSL_UseALPN(s, (char *)option("alpn"), (unsigned)strlen(option("alpn")), WOLFSSL_ALPN_FAILED_ON_MISMATCH);
    if (option("cookie"))
        wolfSSL_send_hrr_cookie(s, NULL, 0);
    if (option("export"))
        wolfSSL_KeepArrays(s);
    if (server)
        return s;
    wolfSSL_UseSNI(s, WOLFSSL_SNI_HOST_NAME, host, (unsigned short)strlen(host));
    if (!option("psk"))
        wolfSSL_check_domain_name(s, host);
    if (option("staple"))
        wolfSSL_UseOCSPStapling(s, WOLFSSL_CSR_OCSP, 0);
    return s;
}

static void tell_ready(WOLFSSL *s)
{
    unsigned char key[32];
    printf("ready %s %s%s\n", wolfSSL_get_version(s), wolfSSL_get_cipher_name(s), wolfSSL_session_reused(s) ? " resumed" : "");
    const char *label = option("export");
    if (!label || wolfSSL_export_keying_material(s, key, sizeof key, label, strlen(label), NULL, 0, 0) != WOLFSSL_SUCCESS)
        return;
    printf("export ");
    for (size_t i = 0; i < sizeof key; i++)
        printf("%02x", key[i]);
    puts("");
}

static int client(WOLFSSL_CTX *c, int port)
{
    WOLFSSL_SESSION *session = NULL;
    int good = 1;
    for (int left = option_number("connections", 1); left && good; left--) {
        int fd = socket_for(false, port);
        WOLFSSL *s = connection(c, fd, false);
        if (session)
            wolfSSL_set_session(s, session);
        int got = wolfSSL_connect(s);
        good = got == WOLFSSL_SUCCESS;
        if (good)
            tell_ready(s);
        else
            fail("connect", s, got);
        good = good && talk(s, put, take);
        if (good && option("update")) {
            good = wolfSSL_update_keys(s) == WOLFSSL_SUCCESS && talk(s, put, take);
            puts("updated");
        }
        wolfSSL_SESSION_free(session);
        session = wolfSSL_get1_session(s);
        wolfSSL_shutdown(s);
        wolfSSL_free(s);
        close(fd);
    }
    wolfSSL_SESSION_free(session);
    return !good;
}

static void serve(WOLFSSL *s)
{
    char room[4096];
    int got = wolfSSL_accept(s), n;
    if (got != WOLFSSL_SUCCESS) {
        fail("accept", s, got);
        return;
    }
    tell_ready(s);
    if (option("late_auth") && (n = wolfSSL_read(s, room, sizeof room)) > 0) {
        wolfSSL_set_verify(s, WOLFSSL_VERIFY_PEER | WOLFSSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
        wolfSSL_request_certificate(s);
        n = wolfSSL_read(s, room, sizeof room); /* its certificate, and then what it says next */
        printf("late auth %s\n", wolfSSL_get_peer_certificate(s) ? "yes" : "no");
        wolfSSL_write(s, room, n);
    }
    if (option("update"))
        wolfSSL_update_keys(s);
    echo(s, put, take);
    wolfSSL_shutdown(s);
}

int main(int argc, char **argv)
{
    option_count = argc;
    option_words = argv;
    setvbuf(stdout, NULL, _IOLBF, 0);
    wolfSSL_Init();
    bool server = !strcmp(argv[1], "server");
    WOLFSSL_CTX *c = context(server);
    int port = atoi(argv[2]), status = 0;
    if (!server) {
        status = client(c, port);
    } else {
        int listener = socket_for(true, port);
        puts("listening");
        for (int fd; (fd = accept(listener, NULL, NULL)) >= 0; close(fd)) {
            WOLFSSL *s = connection(c, fd, true);
            serve(s);
            wolfSSL_free(s);
        }
    }
    wolfSSL_CTX_free(c);
    wolfSSL_Cleanup();
    return status;
}
