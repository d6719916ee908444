"""Every error text that other programs gave in the measured failures is recognised, and leads to the right code.
ctest: timeout=600

The texts are what openssl s_client, curl, gnutls-cli, Go, Python, wget, Java, browsers, nginx, HAProxy, stunnel, hitch and Caddy print for the
failures of the lab; the first code named must be the expected one, or be among the expected ones where the words cannot tell."""
import json
import os
import subprocess
import sys

TROTH = os.environ["TROTH"]
if not os.path.exists(TROTH):
    sys.exit(77)

O = "40B7F3A7FE7F0000:error:"
HS = "peer.alert.handshake_failure"
CASES = [
    # ---- certificates: openssl, curl (which prefixes its own words), gnutls-cli, Go, wget, Python
    ("expired", "cert.expired", [
        "verify error:num=10:certificate has expired\nnotAfter=Apr  9 00:00:00 2024 GMT",
        "curl: (60) SSL certificate problem: certificate has expired\nMore details here: https://curl.se/docs/sslcerts.html",
        "curl: (60) SSL certificate OpenSSL verify result: certificate has expired (10)",
        "- Status: The certificate is NOT trusted. The certificate chain uses expired certificate.\n*** PKI verification of server certificate failed...\n*** Fatal error: Error in the certificate.",
        "tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time 2026-11-23T22:13:23Z is after 2024-04-09T00:00:00Z",
        "<urlopen error [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired (_ssl.c:1006)>",
        "sun.security.validator.ValidatorException: PKIX path validation failed: java.security.cert.CertPathValidatorException: validity check failed\nCaused by: java.security.cert.CertificateExpiredException: NotAfter",
        "SEC_ERROR_EXPIRED_CERTIFICATE", "NET::ERR_CERT_DATE_INVALID",
        "ERROR: The certificate of 'localhost' has expired.",
        "ERROR: The certificate of \u2018localhost\u2019 is not trusted.\nERROR: The certificate of \u2018localhost\u2019 has expired."]),
    ("not yet valid", "cert.not-yet-valid", [
        "verify error:num=9:certificate is not yet valid\nnotBefore=Jun  1 00:00:00 2031 GMT",
        "verify error:num=9:certificate is not yet valid or the system clock is incorrect",
        "curl: (60) SSL certificate problem: certificate is not yet valid",
        "- Status: The certificate is NOT trusted. The certificate chain uses not yet valid certificate.",
        "tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time 2026-11-23T22:13:23Z is before 2031-06-01T00:00:00Z",
        "MOZILLA_PKIX_ERROR_NOT_YET_VALID_CERTIFICATE", "java.security.cert.CertificateNotYetValidException: NotBefore: Sun Jun 01 00:00:00 UTC 2031",
        "ERROR: The certificate of 'localhost' is not yet activated."]),
    ("wrong host", "cert.name-mismatch", [
        "verify error:num=62:hostname mismatch",
        "curl: (60) SSL: no alternative certificate subject name matches target host name 'localhost'",
        "- Status: The certificate is NOT trusted. The name in the certificate does not match the expected.",
        "tls: failed to verify certificate: x509: certificate is valid for www.example.test, example.test, not localhost",
        "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: Hostname mismatch, certificate is not valid for 'localhost'. (_ssl.c:1006)",
        "SSL_ERROR_BAD_CERT_DOMAIN", "NET::ERR_CERT_COMMON_NAME_INVALID",
        "java.security.cert.CertificateException: No subject alternative DNS name matching localhost found.",
        "ERROR: no certificate subject alternative name matches\n\trequested host name 'localhost'.",
        "ERROR: The certificate's owner does not match hostname 'localhost'"]),
    ("IP address, which the words hide", "cert.name-mismatch", [
        "curl: (60) SSL: no alternative certificate subject name matches target host name '127.0.0.1'"]),
    ("IP address", "cert.ip-without-ip-san", [
        "curl: (60) SSL: no alternative certificate subject name matches target IPv4 address '127.0.0.1'",
        "tls: failed to verify certificate: x509: cannot validate certificate for 127.0.0.1 because it doesn't contain any IP SANs",
        "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: IP address mismatch, certificate is not valid for '127.0.0.1'. (_ssl.c:1006)",
        "verify error:num=64:IP address mismatch",
        "java.security.cert.CertificateException: No subject alternative names matching IP address 127.0.0.1 found"]),
    ("self-signed", "cert.self-signed", [
        "verify error:num=18:self-signed certificate", "curl: (60) SSL certificate problem: self-signed certificate",
        "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate (_ssl.c:1006)",
        "depth=0 CN = localhost\nverify error:num=18:self signed certificate", "MOZILLA_PKIX_ERROR_SELF_SIGNED_CERT"]),
    ("a root that is not ours", "chain.untrusted-root", [
        "verify error:num=19:self-signed certificate in certificate chain",
        "curl: (60) SSL certificate problem: self signed certificate in certificate chain",
        "- Status: The certificate is NOT trusted. The certificate issuer is unknown.",
        "tls: failed to verify certificate: x509: certificate signed by unknown authority",
        "sun.security.provider.certpath.SunCertPathBuilderException: unable to find valid certification path to requested target",
        "ERROR: The certificate of \u2018localhost\u2019 is not trusted.\nERROR: The certificate of \u2018localhost\u2019 doesn't have a known issuer.",
        "SEC_ERROR_UNKNOWN_ISSUER", "NET::ERR_CERT_AUTHORITY_INVALID"]),
    ("missing intermediate", "cert.missing-intermediate", [
        "verify error:num=20:unable to get local issuer certificate\nverify error:num=21:unable to verify the first certificate",
        "curl: (60) SSL certificate problem: unable to get local issuer certificate",
        "ERROR: cannot verify localhost's certificate, issued by 'CN=Troth Lab Intermediate,O=Troth Lab':\n  Unable to locally verify the issuer's authority.",
        "Verify return code: 21 (unable to verify the first certificate)"]),
    ("SHA-1", "cert.weak-signature", [
        "verify error:num=68:CA signature digest algorithm too weak",
        "- Status: The certificate is NOT trusted. The certificate chain uses insecure algorithm.",
        "x509: certificate signed by unknown authority (possibly because of \"x509: cannot verify signature: insecure algorithm ECDSA-SHA1\" while trying to "
        "verify candidate authority certificate \"Troth Lab Intermediate\")", "SEC_ERROR_CERT_SIGNATURE_ALGORITHM_DISABLED",
        "NET::ERR_CERT_WEAK_SIGNATURE_ALGORITHM"]),
    ("a short key", "cert.weak-key", [
        "verify error:num=66:EE certificate key too weak", "NET::ERR_CERT_WEAK_KEY", O + "0A00018F:SSL routines::ee key too small"]),
    ("wrong purpose", "cert.wrong-eku", [
        "verify error:num=26:unsuitable certificate purpose",
        "- Status: The certificate is NOT trusted. The certificate chain does not match the intended purpose.",
        "x509: certificate specifies an incompatible key usage", "SEC_ERROR_INADEQUATE_CERT_TYPE",
        "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: unsuitable certificate purpose (_ssl.c:1006)"]),
    ("revoked", "cert.revoked", [
        "verify error:num=23:certificate revoked", "curl: (60) SSL certificate problem: certificate revoked",
        "curl: (91) SSL certificate revocation reason: keyCompromise (1)",
        "|<1>| The certificate was revoked via OCSP\n- Status: The certificate is NOT trusted. The certificate chain is revoked.",
        "Cert Status: revoked\nVerify return code: 0 (ok)", "*** Certificate was revoked at Mon Nov 23 21:11:28 2026",
        "ERROR: The certificate of \u2018localhost\u2019 is not trusted.\nERROR: The certificate of \u2018localhost\u2019 has been revoked.",
        "SEC_ERROR_REVOKED_CERTIFICATE", "NET::ERR_CERT_REVOKED"]),
    ("a CRL that is not read", "crl.issuer", [
        "Error setting the x509 CRL file: Error in the CRL verification."]),
    ("no name but the common name", "cert.cn-only", [
        "x509: certificate relies on legacy Common Name field, use SANs instead",
        "java.security.cert.CertificateException: No subject alternative names present"]),
    ("name constraint", "cert.name-constraint", [
        "verify error:num=47:permitted subtree violation", "curl: (60) SSL certificate problem: permitted subtree violation",
        "- Status: The certificate is NOT trusted. The certificate chain violates the signer's constraints.",
        "x509: a root or intermediate certificate is not authorized to sign for this name: DNS name \"localhost\" is not permitted by any constraint"]),
    ("the issuer is no authority", "cert.not-a-ca", [
        "verify error:num=79:invalid CA certificate", "verify error:num=24:invalid CA certificate",
        "- Status: The certificate is NOT trusted. The certificate issuer is not a CA. The certificate chain violates the signer's constraints.",
        "x509: certificate signed by unknown authority (possibly because of \"x509: invalid signature: parent certificate cannot sign this kind of certificate\" "
        "while trying to verify candidate authority certificate \"Not Really A CA\")"]),
    ("unknown critical extension", "cert.critical-ext", [
        "verify error:num=34:unhandled critical extension", "x509: unhandled critical extension",
        "- Status: The certificate is NOT trusted. The certificate contains an unknown critical extension."]),
    ("must-staple", "staple.missing-but-required", [
        "curl: (91) No OCSP response received",
        "- Status: The certificate is NOT trusted. The certificate requires the server to include an OCSP status in its response, but the OCSP status is missing.",
        "MOZILLA_PKIX_ERROR_REQUIRED_TLS_FEATURE_MISSING"]),
    # ---- protocol and transport
    ("old version", "tls.version peer.alert.protocol_version", [
        O + "0A00014D:SSL routines:tls_process_key_exchange:legacy sigalg disallowed or unsupported:../ssl/statem/statem_clnt.c:2268:",
        O + "0A00042E:SSL routines:ssl3_read_bytes:tlsv1 alert protocol version:../ssl/record/rec_layer_s3.c:1586:SSL alert number 70",
        "curl: (35) OpenSSL/3.0.19: error:0A00014D:SSL routines::legacy sigalg disallowed or unsupported",
        "curl: (35) TLS connect error: error:0A00042E:SSL routines::tlsv1 alert protocol version",
        "remote error: tls: protocol version not supported", "*** Received alert [70]: Error in protocol version",
        "SSL_ERROR_UNSUPPORTED_VERSION", "javax.net.ssl.SSLHandshakeException: No appropriate protocol (protocol is disabled or cipher suites are inappropriate)",
        "javax.net.ssl.SSLHandshakeException: Received fatal alert: protocol_version",
        "tls: server selected unsupported protocol version 301", "error:0A000102:SSL routines::unsupported protocol",
        "[SSL: TLSV1_ALERT_PROTOCOL_VERSION] tlsv1 alert protocol version (_ssl.c:1006)"]),
    ("no shared cipher, as the client is told", HS, [
        O + "0A000410:SSL routines:ssl3_read_bytes:sslv3 alert handshake failure:../ssl/record/rec_layer_s3.c:1586:SSL alert number 40",
        O + "0A000410:SSL routines:ssl3_read_bytes:ssl/tls alert handshake failure:SSL alert number 40",
        "curl: (35) OpenSSL/3.0.19: error:0A000410:SSL routines::sslv3 alert handshake failure",
        "*** Fatal error: A TLS fatal alert has been received.\n*** Received alert [40]: Handshake failed",
        "remote error: tls: handshake failure", "javax.net.ssl.SSLHandshakeException: Received fatal alert: handshake_failure",
        "[SSL: SSLV3_ALERT_HANDSHAKE_FAILURE] sslv3 alert handshake failure (_ssl.c:1006)"]),
    ("no shared cipher, as the server says", "tls.cipher", [
        "SSL_do_handshake() failed (SSL: error:0A0000C1:SSL routines::no shared cipher) while SSL handshaking, client: 127.0.0.1",
        "tls: no cipher suite supported by both client and server", "javax.net.ssl.SSLHandshakeException: no cipher suites in common",
        "SSL_ERROR_NO_CYPHER_OVERLAP", "ERR_SSL_VERSION_OR_CIPHER_MISMATCH"]),
    ("no shared group", "tls.group", ["error:0A000065:SSL routines::no suitable key share", "tls: no supported elliptic curves offered",
                                      "SSL routines::no shared group"]),
    ("ALPN", "peer.alert.no_application_protocol tls.alpn", [
        O + "0A000460:SSL routines:ssl3_read_bytes:tlsv1 alert no application protocol:../ssl/record/rec_layer_s3.c:1586:SSL alert number 120",
        "curl: (35) OpenSSL/3.0.19: error:0A000460:SSL routines::tlsv1 alert no application protocol",
        "*** Received alert [120]: No supported application protocol could be negotiated",
        "remote error: tls: no application protocol", "SSL_ERROR_NO_APPLICATION_PROTOCOL", "tls: client requested unsupported application protocols ([h2])"]),
    ("client certificate wanted", "client-cert.required", [
        O + "0A00045C:SSL routines:ssl3_read_bytes:tlsv13 alert certificate required:../ssl/record/rec_layer_s3.c:1586:SSL alert number 116",
        "curl: (56) OpenSSL SSL_read: OpenSSL/3.0.19: error:0A00045C:SSL routines::tlsv13 alert certificate required, errno 0",
        "*** Received alert [116]: Certificate is required\n*** Server has terminated the connection abnormally.",
        "remote error: tls: certificate required", "SSL_ERROR_RX_CERTIFICATE_REQUIRED_ALERT", "ERR_SSL_CLIENT_AUTH_CERT_NEEDED"]),
    ("client certificate of a stranger, as the client is told", "peer.alert.unknown_ca", [
        O + "0A000418:SSL routines:ssl3_read_bytes:tlsv1 alert unknown ca:../ssl/record/rec_layer_s3.c:1586:SSL alert number 48",
        "curl: (56) OpenSSL SSL_read: OpenSSL/3.0.19: error:0A000418:SSL routines::tlsv1 alert unknown ca, errno 0",
        "*** Received alert [48]: CA is unknown", "remote error: tls: unknown certificate authority"]),
    ("server name", "peer.alert.unrecognized_name tls.sni", [
        "curl: (35) OpenSSL/3.0.19: error:0A000458:SSL routines::tlsv1 unrecognized name",
        "*** Received alert [112]: The server name sent was not recognized", "remote error: tls: unrecognized name",
        "SSL_ERROR_UNRECOGNIZED_NAME_ALERT", "ERR_SSL_UNRECOGNIZED_NAME_ALERT",
        "javax.net.ssl.SSLProtocolException: Received fatal alert: unrecognized_name"]),
    ("not TLS", "peer.not-tls peer.not-tls.http", [
        O + "0A00010B:SSL routines:ssl3_get_record:wrong version number:../ssl/record/ssl3_record.c:354:",
        "curl: (35) OpenSSL/3.0.19: error:0A00010B:SSL routines::wrong version number",
        "*** Fatal error: An unexpected TLS packet was received.", "http: server gave HTTP response to HTTPS client",
        "tls: first record does not look like a TLS handshake", "javax.net.ssl.SSLException: Unsupported or unrecognized SSL message",
        "SSL_ERROR_RX_RECORD_TOO_LONG", "ERR_SSL_PROTOCOL_ERROR", "[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)",
        "error:0A0000C6:SSL routines::packet length too long", "FAILED: error:0A0000C6:SSL routines::packet length too long"]),
    ("something else than was expected", "peer.alert.unexpected_message", ["error:0A0000F4:SSL routines::unexpected message"]),
    ("reset", "net.reset-on-hello net.reset-mid", [
        "write:errno=104", "curl: (35) Recv failure: Connection reset by peer", "*** Fatal error: Error in the pull function.",
        "read tcp 127.0.0.1:51050->127.0.0.1:24136: read: connection reset by peer", "PR_CONNECT_RESET_ERROR", "ERR_CONNECTION_RESET",
        "<urlopen error [Errno 104] Connection reset by peer>", "java.net.SocketException: Connection reset"]),
    ("closed", "net.eof-on-hello tls.truncated net.eof-mid", [
        "error:0A000126:SSL routines::unexpected eof while reading", "curl: (35) OpenSSL SSL_connect: SSL_ERROR_SYSCALL in connection to localhost:24137 ",
        "*** Fatal error: The TLS connection was non-properly terminated.", "Get \"https://localhost:24137/\": EOF",
        "[SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred in violation of protocol (_ssl.c:1006)", "PR_END_OF_FILE_ERROR",
        "javax.net.ssl.SSLHandshakeException: Remote host terminated the handshake", "ERR_CONNECTION_CLOSED"]),
    ("silence", "net.timeout-handshake", [
        "curl: (28) Connection timed out after 6001 milliseconds", "curl: (28) SSL connection timeout",
        "context deadline exceeded (Client.Timeout exceeded while awaiting headers)", "net/http: TLS handshake timeout",
        "<urlopen error _ssl.c:990: The handshake operation timed out>", "ERR_TIMED_OUT",
        "java.net.SocketTimeoutException: Read timed out"]),
    ("bits changed", "tls.bad-mac", [
        O + "0A000119:SSL routines:ssl3_get_record:decryption failed or bad record mac:../ssl/record/ssl3_record.c:620:",
        "*** Fatal error: Decryption has failed.", "local error: tls: bad record MAC"]),
    ("refused", "net.refused", [
        "40F7:error:8000006F:system library:BIO_connect:Connection refused:../crypto/bio/bio_sock2.c:125:calling connect()",
        "curl: (7) Failed to connect to localhost port 24099 after 0 ms: Couldn't connect to server",
        "Could not connect to 127.0.0.1:24099: Connection refused", "dial tcp 127.0.0.1:24099: connect: connection refused",
        "java.net.ConnectException: Connection refused", "ERR_CONNECTION_REFUSED"]),
    # ---- servers: what they say when they start
    ("key of another certificate", "config.key-mismatch", [
        "nginx: [emerg] SSL_CTX_use_PrivateKey(\"/etc/x.key\") failed (SSL: error:05800074:x509 certificate routines::key values mismatch)",
        "'bind 127.0.0.1:1' : inconsistencies between private key and certificate loaded '/etc/x.pem'.",
        "x509_cmp.c:403: error:05800074:x509 certificate routines:X509_check_private_key:key values mismatch",
        "tls: private key does not match public key"]),
    ("encrypted key", "config.encrypted config.wrong-passphrase config.no-key", [
        "'bind 127.0.0.1:1' : No Private Key found in '/etc/x.key'.", "error:0480006D:PEM routines::problems getting password",
        "tls: failed to parse private key", "error:1C800064:Provider routines::bad decrypt"]),
    ("no PEM", "config.no-pem", [
        "PEM_read_bio_X509_AUX() failed (SSL: error:0480006C:PEM routines::no start line:Expecting: TRUSTED CERTIFICATE)",
        "unable to load certificate from file '/etc/x.pem'", "tls: failed to find any PEM data in certificate input"]),
    ("no file", "config.missing config.unreadable config.file", [
        "BIO_new_file(\"/etc/x.pem\") failed (SSL: error:80000002:system library::No such file or directory:calling fopen(/etc/x.pem, r))",
        "unable to stat SSL certificate from file '/etc/x.pem' : No such file or directory.", "Unable to stat x509 certificate PEM file",
        "open /etc/x.pem: no such file or directory"]),
    ("our own certificate is signed with SHA-1", "cert.weak-signature", [
        "SSL_CTX_use_certificate(\"/etc/x.pem\") failed (SSL: error:0A00018E:SSL routines::ca md too weak)"]),
    # ---- servers: what their logs say
    ("a client speaks HTTP", "peer.not-tls.http", [
        "client sent plain HTTP request to HTTPS port while reading client request headers", "error:0A00009C:SSL routines::http request"]),
    ("a client distrusts us", "peer.alert.unknown_ca", ["error:0A000418:SSL routines::tlsv1 alert unknown ca:SSL alert number 48"]),
    ("no client certificate", "tls.client-without-certificate", [
        "client sent no required SSL certificate while reading client request headers", "error:0A0000C7:SSL routines::peer did not return a certificate"]),
    ("a client certificate of a stranger", "chain.untrusted-root cert.missing-intermediate", [
        "client SSL certificate verify error: (21:unable to verify the first certificate) while reading client request headers",
        "SSL client certificate not trusted", "Rejected by CERT at depth=0: CN=mallory",
        "error:0A000086:SSL routines::certificate verify failed"]),
    ("HAProxy, which says it of everything", HS, ["www/1: SSL handshake failure"]),
    ("an old client", "tls.sigalg tls.version", ["error:0A000076:SSL routines::no suitable signature algorithm", "error:0A000102:SSL routines::unsupported protocol"]),
]

wrong = total = 0
for name, codes, texts in CASES:
    for text in texts:
        total += 1
        r = subprocess.run([TROTH, "explain-error", "--json", "--", text], capture_output=True, text=True, timeout=30)
        found = [f["code"] for f in json.loads(r.stdout)["found"]] if r.returncode == 0 else []
        if not found or found[0] not in codes.split():
            wrong += 1
            print(f"FAIL {name}: {text[:110]!r}: {found}, not {codes}")
r = subprocess.run([TROTH, "explain-error", "-"], input="verify error:num=10:certificate has expired\n", capture_output=True, text=True, timeout=30)
assert r.returncode == 0 and "cert.expired" in r.stdout and "renew" in r.stdout
for text in ("all is well", "", "the certificate", "error", "alert"):
    r = subprocess.run([TROTH, "explain-error", "--", text], capture_output=True, text=True, timeout=30)
    assert r.returncode == 1 and not r.stdout, (text, r.stdout)
print(f"{total - wrong} of {total} texts of {len(CASES)} failures recognised")
sys.exit(1 if wrong else 0)
