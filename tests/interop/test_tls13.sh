#!/bin/bash
# ctest: label=interop slow timeout=600
# TLS 1.3 between troth and OpenSSL, GnuTLS, both ways, over loopback: suites, groups, keys, client certificates, retry, ALPN, KeyUpdate.
# Prints the matrix; a peer that is not installed is said to be left out.
set -u
. "$SRC_DIR/tests/interop/interop.sh"

SRV="openssl s_server -accept PORT -tls1_3 -quiet -rev"
CLI="openssl s_client -connect 127.0.0.1:PORT -servername localhost -CAfile ca.pem -verify_return_error -tls1_3 -quiet -no_ign_eof"
for k in ecdsa p384 p521 rsa pss ed25519 ed448; do
    as_client "OpenSSL server, $k" olleh "$SRV -cert $k.pem -key $k.key"
    as_server "OpenSSL client, $k" hello "$CLI" --cert $k.pem --key $k.key
done
for s in TLS_AES_128_GCM_SHA256 TLS_AES_256_GCM_SHA384 TLS_CHACHA20_POLY1305_SHA256; do
    as_client "OpenSSL server, $s" "$s" "$SRV -cert ecdsa.pem -key ecdsa.key -ciphersuites $s"
    as_server "OpenSSL client, $s" "$s" "$CLI -ciphersuites $s" --cert ecdsa.pem --key ecdsa.key
done
declare -A OG=([x25519]=X25519 [secp256r1]=P-256 [secp384r1]=P-384 [secp521r1]=P-521)
for g in x25519 secp256r1 secp384r1 secp521r1; do
    as_client "OpenSSL server, $g" "$g" "$SRV -cert ecdsa.pem -key ecdsa.key -groups ${OG[$g]}"
    as_client "OpenSSL server, $g alone" "$g" "$SRV -cert ecdsa.pem -key ecdsa.key" --groups $g
    as_server "OpenSSL client, $g" "$g" "$CLI -groups ${OG[$g]}" --cert ecdsa.pem --key ecdsa.key
done
as_client "OpenSSL server, HelloRetryRequest" retry "$SRV -cert ecdsa.pem -key ecdsa.key -groups P-384"
as_server "OpenSSL client, HelloRetryRequest" retry "$CLI -groups X25519:P-384" --cert ecdsa.pem --key ecdsa.key --groups secp384r1
as_client "OpenSSL server, client certificate" olleh "$SRV -cert ecdsa.pem -key ecdsa.key -Verify 2 -verify_return_error -CAfile ca.pem" --cert client.pem --key client.key
as_client "OpenSSL server, RSA client certificate" olleh "$SRV -cert ecdsa.pem -key ecdsa.key -Verify 2 -verify_return_error -CAfile ca.pem" --cert rsaclient.pem --key rsaclient.key
as_client "OpenSSL server, client certificate missing" client-cert.required "$SRV -cert ecdsa.pem -key ecdsa.key -Verify 2 -verify_return_error -CAfile ca.pem"
as_server "OpenSSL client, client certificate" client-auth "$CLI -cert client.pem -key client.key" --cert ecdsa.pem --key ecdsa.key --ca ca.pem --auth required
as_server "OpenSSL client, client certificate missing" tls.client-without-certificate "$CLI" --cert ecdsa.pem --key ecdsa.key --ca ca.pem --auth required
as_client "OpenSSL server, ALPN" alpn=http/1.1 "$SRV -cert ecdsa.pem -key ecdsa.key -alpn http/1.1" --alpn h2,http/1.1
as_server "OpenSSL client, ALPN" alpn=http/1.1 "$CLI -alpn h2,http/1.1" --cert ecdsa.pem --key ecdsa.key --alpn http/1.1
as_client "OpenSSL server, KeyUpdate" olleh "$SRV -cert ecdsa.pem -key ecdsa.key" --update yes
as_server "OpenSSL client, KeyUpdate" hello "$CLI" --cert ecdsa.pem --key ecdsa.key --update yes
as_client "OpenSSL server, wrong name" cert.name-mismatch "$SRV -cert ecdsa.pem -key ecdsa.key" --host other.example

if command -v gnutls-serv >/dev/null && command -v gnutls-cli >/dev/null; then
    GS="gnutls-serv --echo --port PORT --priority NORMAL:-VERS-ALL:+VERS-TLS1.3"
    GC="gnutls-cli --port PORT --x509cafile ca.pem --priority NORMAL:-VERS-ALL:+VERS-TLS1.3"
    for k in ecdsa rsa ed25519; do
        as_client "GnuTLS server, $k" hello "$GS --x509certfile $k.pem --x509keyfile $k.key"
        as_server "GnuTLS client, $k" hello "$GC localhost" --cert $k.pem --key $k.key
    done
    for s in AES-128-GCM AES-256-GCM CHACHA20-POLY1305; do
        as_client "GnuTLS server, $s" hello "$GS:-CIPHER-ALL:+$s --x509certfile ecdsa.pem --x509keyfile ecdsa.key"
        as_server "GnuTLS client, $s" hello "$GC:-CIPHER-ALL:+$s localhost" --cert ecdsa.pem --key ecdsa.key
    done
    for g in X25519 SECP256R1 SECP384R1 SECP521R1; do
        as_client "GnuTLS server, $g" hello "$GS:-GROUP-ALL:+GROUP-$g --x509certfile ecdsa.pem --x509keyfile ecdsa.key"
        as_server "GnuTLS client, $g" hello "$GC:-GROUP-ALL:+GROUP-$g localhost" --cert ecdsa.pem --key ecdsa.key
    done
    as_client "GnuTLS server, client certificate" hello "$GS --x509certfile ecdsa.pem --x509keyfile ecdsa.key --x509cafile ca.pem --require-client-cert" --cert client.pem --key client.key
    as_server "GnuTLS client, client certificate" client-auth "$GC --x509certfile client.pem --x509keyfile client.key localhost" --cert ecdsa.pem --key ecdsa.key --ca ca.pem --auth required
else
    echo "left out: GnuTLS is not installed here"
fi
finish
