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
    # ---- the words of others: each row of foreign.def that came later, as the program writes it
    ("more of OpenSSL", "chain.untrusted-root", ["error 2 at 1 depth lookup: unable to get issuer certificate"]),
    ("strict", "cert.profile", [
        "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: Missing Authority Key Identifier (_ssl.c:1032)",
        "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: Missing Subject Key Identifier (_ssl.c:1032)",
        "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: Basic Constraints of CA cert not marked critical (_ssl.c:1032)",
        "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: CA cert does not include key usage extension (_ssl.c:1032)",
        "tls: failed to verify certificate: x509: \u201cminio\u201d certificate is not standards compliant"]),
    ("one signature", "cert.bad-signature", ["verify error:num=7:certificate signature failure", "SEC_ERROR_BAD_SIGNATURE",
                                            "invalid peer certificate: BadSignature"]),
    ("other names", "cert.name-mismatch", [
        "verify error:num=63:email address mismatch", "x509: certificate is not valid for any names, but wanted to match localhost",
        "javax.net.ssl.SSLPeerUnverifiedException: Hostname shop.example not verified:", "invalid peer certificate: NotValidForName",
        "invalid peer certificate: certificate not valid for name \"shop.example\"; certificate is only valid for DnsName(\"x\")",
        "Error [ERR_TLS_CERT_ALTNAME_INVALID]: Hostname/IP does not match certificate's altnames: Host: localhost. is not in the cert's altnames: DNS:x",
        "schannel: SNI or certificate check failed: SEC_E_WRONG_PRINCIPAL (0x80090322) - The target principal name is incorrect.",
        "CERT_E_CN_NO_MATCH", "TCP Provider, error: 0 - The target principal name is incorrect.", "(kCFStreamErrorDomainSSL, -9843)",
        "The remote certificate is invalid according to the validation procedure: RemoteCertificateNameMismatch",
        "server certificate for \"db.example\" does not match host name \"localhost\"", "TLS: hostname does not match name in peer certificate",
        "requests.exceptions.SSLError: hostname 'localhost' doesn't match either of 'a', 'b'", "Peer certificate CN=`a' did not match expected CN=`b'",
        "upstream SSL certificate does not match \"backend\" while SSL handshaking to upstream",
        "AH01909: localhost:443:0 server certificate does NOT include an ID which matches the server name"]),
    ("a common name that is another", "cert.name-mismatch", [
        "curl: (60) SSL: certificate subject name 'cn' does not match target host name 'localhost'"]),
    ("more old keys", "cert.weak-key", ["verify error:num=67:CA certificate key too weak", "error:0A00018D:SSL routines::ca key too small",
                                       "MOZILLA_PKIX_ERROR_INADEQUATE_KEY_SIZE"]),
    ("depth", "chain.too-deep", ["verify error:num=22:certificate chain too long"]),
    ("policies", "cert.policy", ["verify error:num=43:no explicit policy"]),
    ("constraints of a kind", "cert.unsupported-constraint", ["verify error:num=51:unsupported name constraint type"]),
    ("constraints", "cert.malformed-constraint", ["verify error:num=52:unsupported or invalid name constraint syntax"]),
    ("transparency", "ct.not-enough", ["Certificate Transparency required, but no valid SCTs found",
                                      "MOZILLA_PKIX_ERROR_INSUFFICIENT_CERTIFICATE_TRANSPARENCY"]),
    ("a responder that does not know", "ocsp.unknown", ["verify error:num=75:OCSP unknown cert", "SEC_ERROR_OCSP_UNKNOWN_CERT"]),
    ("old response", "ocsp.stale", ["SEC_ERROR_OCSP_OLD_RESPONSE"]),
    ("future response", "ocsp.not-yet-valid", ["SEC_ERROR_OCSP_FUTURE_RESPONSE"]),
    ("responder", "ocsp.responder", ["SEC_ERROR_OCSP_INVALID_SIGNING_CERT"]),
    ("busy responder", "ocsp.not-successful", ["SEC_ERROR_OCSP_TRY_SERVER_LATER"]),
    ("a CRL's signature", "crl.signature", ["verify error:num=8:CRL signature failure"]),
    ("a CRL of the future", "crl.not-yet-valid", ["verify error:num=11:CRL is not yet valid"]),
    ("no status", "revocation.unknown", [
        "schannel: next InitializeSecurityContext failed: CRYPT_E_NO_REVOCATION_CHECK (0x80092012)",
        "schannel: next InitializeSecurityContext failed: CRYPT_E_REVOCATION_OFFLINE (0x80092013)", "ERR_CERT_UNABLE_TO_CHECK_REVOCATION",
        "ERR_CERT_NO_REVOCATION_MECHANISM", "CertPathValidatorException: Unable to determine revocation status due to network error",
        "The remote certificate is invalid because of errors in the certificate chain: RevocationStatusUnknown, OfflineRevocation"]),
    ("revoked, as others say", "cert.revoked", [
        "CRYPT_E_REVOKED (0x80092010)", "invalid peer certificate: Revoked", "java.security.cert.CertPathValidatorException: Certificate has been revoked",
        "errors in the certificate chain: Revoked"]),
    ("expired, as others say", "cert.expired", [
        "Error: certificate has expired\n    code: 'CERT_HAS_EXPIRED'", "CERT_HAS_EXPIRED", "invalid peer certificate: Expired",
        "invalid peer certificate: certificate expired: verification time 1", "SEC_E_CERT_EXPIRED (0x80090328)", "CERT_E_EXPIRED",
        "NSURLErrorDomain Code=-1201", "CFNetwork SSLHandshake failed (-9814)", "errors in the certificate chain: NotTimeValid"]),
    ("too early, as others say", "cert.not-yet-valid", ["CERT_NOT_YET_VALID", "invalid peer certificate: NotValidYet", "NSURLErrorDomain Code=-1204",
                                                       "invalid peer certificate: certificate not valid yet: x", "SSLHandshake failed: -9815"]),
    ("self-signed, as others say", "cert.self-signed", ["Error: self-signed certificate code: DEPTH_ZERO_SELF_SIGNED_CERT", "DEPTH_ZERO_SELF_SIGNED_CERT",
                                                       "certificate verification failed for mx.example[192.0.2.1]:25: self-signed certificate"]),
    ("missing intermediate, as others say", "cert.missing-intermediate", [
        "Error: unable to verify the first certificate code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'", "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
        "UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "CERT_E_CHAINING", "errors in the certificate chain: PartialChain", "(kCFStreamErrorDomainSSL, -9813)"]),
    ("a root that is not theirs", "chain.untrusted-root", [
        "UNABLE_TO_GET_ISSUER_CERT", "SELF_SIGNED_CERT_IN_CHAIN", "invalid peer certificate: UnknownIssuer", "SEC_ERROR_UNTRUSTED_ISSUER",
        "schannel: SEC_E_UNTRUSTED_ROOT (0x80090325)", "CERT_E_UNTRUSTEDROOT", "errors in the certificate chain: UntrustedRoot",
        "The certificate chain was issued by an authority that is not trusted.", "NSURLErrorDomain Code=-1202", "NSURLErrorDomain Code=-1203",
        "(kCFStreamErrorDomainSSL, -9807)", "SSLHandshake failed: -9812", "ERR_CERT_KNOWN_INTERCEPTION_BLOCKED",
        "java.security.cert.CertPathValidatorException: Path does not chain with any of the trust anchors", "No trusted certificate found",
        "java.security.cert.CertPathValidatorException: Trust anchor for certification path not found.",
        "fatal: unable to access 'https://x/': server certificate verification failed. CAfile: none CRLfile: none",
        "fatal: unable to access 'https://x/': server verification failed: certificate signer not trusted. (CAfile: x CRLfile: none)",
        "certificate verification failed for mx.example[192.0.2.1]:25: untrusted issuer /CN=x", "SSL client CA chain cannot be verified",
        "The remote certificate is invalid according to the validation procedure.", "Could not establish trust relationship for the SSL/TLS secure channel",
        "- Status: The certificate is NOT trusted.",
        "TLS_error:|268435581:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:TLS_error_end"]),
    ("no roots at all", "trust.store-empty", ["x509: failed to load system roots and no roots provided",
                                             "InvalidAlgorithmParameterException: the trustAnchors parameter must be non-empty"]),
    ("roots that cannot be read", "trust.unreadable", ["curl: (77) error adding trust anchors from file: /x.pem",
                                                      "root certificate file \"~/.postgresql/root.crt\" does not exist"]),
    ("a root of limits", "chain.anchor-limits", ["MOZILLA_PKIX_ERROR_ADDITIONAL_POLICY_CONSTRAINT_FAILED"]),
    ("another key", "trust.pin-mismatch", ["curl: (90) SSL: public key does not match pinned public key", "MOZILLA_PKIX_ERROR_KEY_PINNING_FAILURE",
                                          "ERR_SSL_PINNED_KEY_NOT_IN_CERT_CHAIN"]),
    ("not for this use", "cert.wrong-eku", ["invalid peer certificate: InvalidPurpose", "SEC_E_CERT_WRONG_USAGE", "CERT_E_WRONG_USAGE", "VERIFY EKU ERROR",
                                           "Extended key usage does not permit use for TLS server authentication"]),
    ("key usage", "cert.key-usage", ["SEC_ERROR_INADEQUATE_KEY_USAGE", "ERR_SSL_KEY_USAGE_INCOMPATIBLE", "VERIFY KU ERROR",
                                    "gnutls_handshake() failed: Key usage violation in certificate has been detected."]),
    ("no authority", "cert.not-a-ca", ["x509: certificate is not authorized to sign other certificates", "SEC_ERROR_CA_CERT_INVALID"]),
    ("an authority in front", "cert.ca-as-leaf", ["invalid peer certificate: Other(OtherError(CaUsedAsEndEntity))",
                                                 "AH01906: x:443:0 server certificate is a CA certificate (BasicConstraints: CA == TRUE !?)"]),
    ("an authority that is limited", "cert.name-constraint", ["SEC_ERROR_CERT_NOT_IN_NAME_SPACE", "ERR_CERT_NAME_CONSTRAINT_VIOLATION"]),
    ("path length", "cert.pathlen", ["x509: too many intermediates for path length constraint", "SEC_ERROR_PATH_LEN_CONSTRAINT_INVALID"]),
    ("serial", "cert.serial", ["x509: negative serial number"]),
    ("version", "cert.version", ["UnsupportedCertVersion", "MOZILLA_PKIX_ERROR_V1_CERT_USED_AS_CA"]),
    ("broken", "cert.malformed", ["SEC_ERROR_BAD_DER", "ERR_SSL_SERVER_CERT_BAD_FORMAT"]),
    ("critical", "cert.critical-ext", ["SEC_ERROR_UNKNOWN_CRITICAL_EXTENSION", "invalid peer certificate: UnhandledCriticalExtension"]),
    ("algorithms of Java", "cert.weak-signature", ["Certificates do not conform to algorithm constraints"]),
    ("versions", "tls.version", [
        "error:0A00018C:SSL routines::version too low", "A packet with illegal or unsupported version was received.", "SEC_E_UNSUPPORTED_FUNCTION",
        "The server selected protocol version TLS10 is not accepted by client preferences [TLS13, TLS12]", "ERR_SSL_OBSOLETE_VERSION",
        "The request was aborted: Could not create SSL/TLS secure channel."]),
    ("suites", "tls.cipher", [
        "error:0A0000B5:SSL routines::no ciphers available", "error:0A0000B9:SSL routines::no cipher match", "No supported cipher suites have been found.",
        "Could not negotiate a supported cipher suite.", "peer is incompatible: NoCipherSuitesInCommon", "SEC_E_ALGORITHM_MISMATCH (0x80090331)",
        "The client and server cannot communicate, because they do not possess a common algorithm", "No or insufficient priorities were set."]),
    ("a suite of its own", "tls.cipher-not-offered", ["SSL routines::wrong cipher returned", "SSL routines::unknown cipher returned"]),
    ("groups", "tls.group", ["SSL routines::no suitable groups", "No common key share with peer.", "NoKxGroupsInCommon", "Could not generate DH keypair",
                            "SSL_ERROR_WEAK_SERVER_EPHEMERAL_DH_KEY", "ERR_SSL_WEAK_SERVER_EPHEMERAL_DH_KEY"]),
    ("signatures", "tls.sigalg", ["SSL routines::no shared signature algorithms"]),
    ("renegotiation", "tls.renegotiation-info-missing", ["error:0A000152:SSL routines::unsafe legacy renegotiation disabled", "SSL_ERROR_UNSAFE_NEGOTIATION"]),
    ("an answer to nothing", "tls.extension-unsolicited", ["SSL routines::unsolicited extension"]),
    ("a signature that is wrong", "tls.bad-signature", ["error:0A00007B:SSL routines::bad signature", "Public key signature verification has failed."]),
    ("Finished", "tls.bad-finished", ["error:0A000095:SSL routines::digest check failed"]),
    ("PSK", "tls.psk", ["SSL routines::psk identity not found"]),
    ("binder", "tls.bad-binder", ["SSL routines::binder does not verify"]),
    ("protocols", "tls.alpn", ["No common application protocol could be negotiated."]),
    ("names", "tls.sni", ["The SNI host name not recognised.", "no server certificate chain resolved",
                         "AH02033: No hostname was provided via SNI for a name based virtual host"]),
    ("ECH", "tls.ech-rejected", ["ERR_ECH_NOT_NEGOTIATED", "ERR_ECH_FALLBACK_CERTIFICATE_INVALID", "SSL_ERROR_ECH_RETRY_WITH_ECH", "SSL_ERROR_ECH_FAILED"]),
    ("altered", "tls.bad-mac", ["SSL_ERROR_BAD_MAC_READ", "SEC_E_MESSAGE_ALTERED", "SEC_E_DECRYPT_FAILURE"]),
    ("a certificate that never came", "tls.client-without-certificate", [
        "No certificate was found.", "tls: client didn't provide a certificate", "Empty client certificate chain", "null cert chain", "peer sent no certificates"]),
    ("wanted", "client-cert.required", [
        "curl: (98) SSL Client Certificate required", "SEC_I_INCOMPLETE_CREDENTIALS", "NSURLErrorDomain Code=-1206",
        "400 No required SSL certificate was sent", "FATAL:  connection requires a valid client certificate"]),
    ("refused", "client-cert.refused", ["NSURLErrorDomain Code=-1205"]),
    ("of another kind", "client-cert.withheld", ["ERR_SSL_CLIENT_AUTH_NO_COMMON_ALGORITHMS"]),
    ("a card that does not sign", "local.signature", ["ERR_SSL_CLIENT_AUTH_SIGNATURE_FAILED"]),
    ("not let in", "app.access-denied", ["FATAL:  certificate authentication failed for user \"alice\""]),
    ("no TLS", "peer.not-tls", [
        "tls: oversized record received with length 20527", "javax.net.ssl.SSLException: Unrecognized SSL message, plaintext connection?",
        "A TLS record packet with invalid length was received.", "received corrupt message of type InvalidContentType", "SEC_E_INVALID_TOKEN (0x80090308)",
        "Cannot determine the frame size or a corrupted frame was received.", "The handshake failed due to an unexpected packet format."]),
    ("HTTP", "peer.not-tls.http", [
        'malformed HTTP response "\\x15\\x03\\x01\\x00\\x02\\x02"', "Client sent an HTTP request to an HTTPS server.",
        "400 The plain HTTP request was sent to HTTPS port", "You're speaking plain HTTP to an SSL-enabled server port.",
        "AH01996: SSL handshake failed: HTTP spoken on HTTPS port; trying to send HTML error page",
        "ProxyError('Your proxy appears to only use HTTP and not HTTPS, try changing your proxy URL to be HTTP.')"]),
    ("STARTTLS", "net.starttls", ["server does not support SSL, but SSL was required", "TLS is required, but was not offered by host mx.example[192.0.2.1]",
                                 "ERROR 2026 (HY000): SSL connection error: SSL is required but the server doesn't support it"]),
    ("cut", "tls.truncated", ["GnuTLS recv error (-110): The TLS connection was non-properly terminated.",
                             "peer closed connection without sending TLS close_notify"]),
    ("cut by a reset", "net.reset-mid", ["GnuTLS recv error (-54): Error in the pull function.", "read:errno=104",
                                        "curl: (56) OpenSSL SSL_read: SSL_ERROR_SYSCALL, errno 104"]),
    ("closed, as others say", "net.eof-on-hello net.eof-mid", [
        "Client network socket disconnected before secure TLS connection was established", "tls handshake eof", "(kCFStreamErrorDomainSSL, -9806)",
        "Remote host closed connection during handshake", "Received an unexpected EOF or 0 bytes from the transport stream.",
        "www/1: Connection closed during SSL handshake", "peer closed connection in SSL handshake while SSL handshaking to upstream"]),
    ("late", "net.timeout-handshake", ["TLS key negotiation failed to occur within 60 seconds", "www/1: Timeout during SSL handshake"]),
    ("idle", "net.timeout-idle", ["curl: (28) Operation timed out after 5001 milliseconds with 0 bytes received"]),
    ("nobody", "net.timeout-connect", ["ERR_CONNECTION_TIMED_OUT", "connect: Connection timed out"]),
    ("no listener", "net.refused", ["connect:errno=111", "curl: (7) Failed to connect to x port 1 after 0 ms: Could not connect to server"]),
    ("no way", "net.unreachable", ["ERR_ADDRESS_UNREACHABLE"]),
    ("no such name", "net.dns", ["ERR_NAME_NOT_RESOLVED", "getaddrinfo ENOTFOUND shop.example", "curl: (5) Could not resolve proxy: x",
                                "Temporary failure in name resolution"]),
    ("a proxy", "net.proxy", ["curl: (56) CONNECT tunnel failed, response 503", "ERR_PROXY_CONNECTION_FAILED", "ERR_TUNNEL_CONNECTION_FAILED"]),
    ("a proxy that asks who we are", "net.proxy-auth", ["curl: (56) CONNECT tunnel failed, response 407", "curl: (56) Received HTTP code 407 from proxy after CONNECT"]),
    ("keys", "config.key-mismatch", ["The certificate and the given key do not match.", "AH02565: Certificate and private key x:443:0 from a and b do not match",
                                    "curl: (58) unable to set private key file: 'x.key' type PEM"]),
    ("no identity", "config.no-identity", [
        "SSL routines::no certificate assigned", "SSL routines::no certificate set", "tls: no certificates configured", "SEC_E_NO_CREDENTIALS (0x8009030e)",
        'no "ssl_certificate" is defined for the "listen ... ssl" directive in /etc/nginx.conf:1',
        "AH02572: Failed to configure at least one certificate and key for x:443"]),
    ("order", "cert.missing-intermediate", ['"ssl_stapling" ignored, issuer certificate not found for certificate "/x.pem"']),
    ("modes", "config.perm", ["private key file \"x.key\" has group or world access"]),
    ("a file", "config.unreadable", ["curl: (58) could not load PEM client certificate from x.pem, OpenSSL error error:80000002:system library::No such file"]),
    ("keystores", "pkcs12.password", ["java.io.IOException: keystore password was incorrect"]),
    ("HAProxy, which says it of everything", HS, ["www/1: SSL handshake failure"]),
    ("an old client", "tls.sigalg tls.version", ["error:0A000076:SSL routines::no suitable signature algorithm", "error:0A000102:SSL routines::unsupported protocol"]),
]

# ---- alerts that came, in everybody's words
ALERTS = [(10, "unexpected_message", "UnexpectedMessage", "unexpected message"), (20, "bad_record_mac", "BadRecordMac", "bad record MAC"),
          (40, "handshake_failure", "HandshakeFailure", "handshake failure"), (42, "bad_certificate", "BadCertificate", "bad certificate"),
          (44, "certificate_revoked", "CertificateRevoked", "revoked certificate"), (45, "certificate_expired", "CertificateExpired", "expired certificate"),
          (46, "certificate_unknown", "CertificateUnknown", "unknown certificate"), (48, "unknown_ca", "UnknownCA", "unknown certificate authority"),
          (49, "access_denied", "AccessDenied", "access denied"), (51, "decrypt_error", "DecryptError", "error decrypting message"),
          (70, "protocol_version", "ProtocolVersion", "protocol version not supported"), (80, "internal_error", "InternalError", "internal error"),
          (110, "unsupported_extension", "UnsupportedExtension", "unsupported extension"),
          (112, "unrecognized_name", "UnrecognizedName", "unrecognized name"), (120, "no_application_protocol", "NoApplicationProtocol", "no application protocol")]
CASES += [(name, "peer.alert." + name, [
    f"javax.net.ssl.SSLHandshakeException: Received fatal alert: {name}", f"received fatal alert: {rust}", f"remote error: tls: {go}",
    f"*** Received alert [{n}]: x", f"A fatal alert was received from the remote endpoint. The TLS protocol defined fatal alert code is {n}."])
    for n, name, rust, go in ALERTS]
CASES += [(what, "peer.alert." + what.lower(), [text]) for what, text in (
    ("HANDSHAKE_FAILURE", "268436496:SSL routines:OPENSSL_internal:SSLV3_ALERT_HANDSHAKE_FAILURE"), ("unknown_ca", "SSL routines:OPENSSL_internal:TLSV1_ALERT_UNKNOWN_CA"),
    ("record_overflow", "SSL routines::tlsv1 alert record overflow"), ("no_renegotiation", "SSL routines::tlsv1 alert no renegotiation"),
    ("user_canceled", "SSL routines::tlsv1 alert user cancelled"), ("missing_extension", "SSL routines::tlsv13 alert missing extension"),
    ("unsupported_extension", "SSL routines::tlsv1 unsupported extension"), ("unknown_psk_identity", "SSL routines::tlsv1 alert unknown psk identity"),
    ("bad_certificate_status_response", "SSL routines::tlsv1 bad certificate status response"), ("handshake_failure", "SSL_ERROR_HANDSHAKE_FAILURE_ALERT"),
    ("handshake_failure", "gnutls_handshake() failed: Handshake failed"), ("handshake_failure", "SEC_E_ILLEGAL_MESSAGE (0x80090326)"),
    ("handshake_failure", "(kCFStreamErrorDomainSSL, -9824)"), ("handshake_failure", "NSURLErrorDomain Code=-1200"),
    ("protocol_version", "SSL_ERROR_PROTOCOL_VERSION_ALERT"), ("protocol_version", "(kCFStreamErrorDomainSSL, -9836)"),
    ("bad_certificate", "SSL_ERROR_BAD_CERT_ALERT"), ("unknown_ca", "SSL_ERROR_UNKNOWN_CA_ALERT"), ("certificate_expired", "SSL_ERROR_EXPIRED_CERT_ALERT"),
    ("certificate_revoked", "SSL_ERROR_REVOKED_CERT_ALERT"), ("access_denied", "SSL_ERROR_ACCESS_DENIED_ALERT"), ("decrypt_error", "SSL_ERROR_DECRYPT_ERROR_ALERT"),
    ("bad_record_mac", "ERR_SSL_BAD_RECORD_MAC_ALERT"), ("decrypt_error", "ERR_SSL_DECRYPT_ERROR_ALERT"),
    ("general_error", "gnutls_handshake() failed: A TLS fatal alert has been received."))]

wrong = total = 0
for name, codes, texts in CASES:
    for text in texts:
        total += 1
        r = subprocess.run([TROTH, "explain-error", "--json", "--", text], capture_output=True, text=True, timeout=30)
        found = [f["code"] for f in json.loads(r.stdout)["found"]] if r.returncode == 0 else []
        if not found or found[0] not in codes.split():
            wrong += 1
            print(f"FAIL {name}: {text[:110]!r}: {found}, not {codes}")
for text, program in (("client sent plain HTTP request to HTTPS port", "nginx"), ("SSL_ERROR_UNRECOGNIZED_NAME_ALERT", "Firefox"),
                      ("remote error: tls: unrecognized name", "Go"), ("Received fatal alert: certificate_revoked", "Java")):
    r = subprocess.run([TROTH, "explain-error", "--json", "--", text], capture_output=True, text=True, timeout=30)
    assert json.loads(r.stdout)["found"][0]["program"] == program, (text, r.stdout)
r = subprocess.run([TROTH, "explain-error", "-"], input="verify error:num=10:certificate has expired\n", capture_output=True, text=True, timeout=30)
assert r.returncode == 0 and "cert.expired" in r.stdout and "renew" in r.stdout
for text in ("all is well", "", "the certificate", "error", "alert"):
    r = subprocess.run([TROTH, "explain-error", "--", text], capture_output=True, text=True, timeout=30)
    assert r.returncode == 1 and not r.stdout, (text, r.stdout)
print(f"{total - wrong} of {total} texts of {len(CASES)} failures recognised")
sys.exit(1 if wrong else 0)
