#!/bin/bash
# ctest: label=interop slow timeout=600
# TLS 1.2 between troth and OpenSSL, GnuTLS, both ways, over loopback: suites, groups, keys, client certificates, ALPN.
# Prints the matrix; a peer that is not installed is said to be left out.
set -u
. "$SRC_DIR/tests/interop/interop.sh"

SRV="openssl s_server -accept PORT -tls1_2 -quiet -rev"
CLI="openssl s_client -connect 127.0.0.1:PORT -servername localhost -CAfile ca.pem -verify_return_error -tls1_2 -quiet -no_ign_eof"
for k in ecdsa p384 p521 rsa pss ed25519 ed448; do
    as_client "OpenSSL server, $k" olleh "$SRV -cert $k.pem -key $k.key"
    as_server "OpenSSL client, $k" hello "$CLI" --cert $k.pem --key $k.key
done
for s in AES128-GCM-SHA256 AES256-GCM-SHA384 CHACHA20-POLY1305; do
    for a in ECDSA RSA; do
        k=$(echo $a | tr A-Z a-z)
        as_client "OpenSSL server, ECDHE-$a-$s" olleh "$SRV -cert $k.pem -key $k.key -cipher ECDHE-$a-$s"
        as_server "OpenSSL client, ECDHE-$a-$s" hello "$CLI -cipher ECDHE-$a-$s" --cert $k.pem --key $k.key
    done
done
declare -A OG=([x25519]=X25519 [secp256r1]=P-256 [secp384r1]=P-384 [secp521r1]=P-521)
for g in x25519 secp256r1 secp384r1 secp521r1; do
    as_client "OpenSSL server, $g" "$g" "$SRV -cert ecdsa.pem -key ecdsa.key -groups ${OG[$g]}"
    as_server "OpenSSL client, $g" "$g" "$CLI -groups ${OG[$g]}" --cert rsa.pem --key rsa.key
done
as_server "OpenSSL client, a curve it does not support" tls.leaf-curve "$CLI -groups X25519" --cert ecdsa.pem --key ecdsa.key
for k in client rsaclient; do
    as_client "OpenSSL server, certificate of $k" olleh "$SRV -cert ecdsa.pem -key ecdsa.key -Verify 2 -verify_return_error -CAfile ca.pem" --cert $k.pem --key $k.key
    as_server "OpenSSL client, certificate of $k" client-auth "$CLI -cert $k.pem -key $k.key" --cert ecdsa.pem --key ecdsa.key --ca ca.pem --auth required
done
as_client "OpenSSL server, client certificate missing" client-cert.required "$SRV -cert ecdsa.pem -key ecdsa.key -Verify 2 -verify_return_error -CAfile ca.pem"
as_server "OpenSSL client, client certificate missing" tls.client-without-certificate "$CLI" --cert ecdsa.pem --key ecdsa.key --ca ca.pem --auth required
as_client "OpenSSL server, ALPN" alpn=http/1.1 "$SRV -cert ecdsa.pem -key ecdsa.key -alpn http/1.1" --alpn h2,http/1.1
as_server "OpenSSL client, ALPN" alpn=http/1.1 "$CLI -alpn h2,http/1.1" --cert ecdsa.pem --key ecdsa.key --alpn http/1.1
as_client "OpenSSL server, wrong name" cert.name-mismatch "$SRV -cert ecdsa.pem -key ecdsa.key" --host other.example
as_client "OpenSSL server, TLS 1.2 refused" tls.version "$SRV -cert ecdsa.pem -key ecdsa.key" --min 1.3

if command -v gnutls-serv >/dev/null && command -v gnutls-cli >/dev/null; then
    GS="gnutls-serv --echo --port PORT --priority NORMAL:-VERS-ALL:+VERS-TLS1.2"
    GC="gnutls-cli --port PORT --x509cafile ca.pem --priority NORMAL:-VERS-ALL:+VERS-TLS1.2"
    for k in ecdsa rsa ed25519; do
        as_client "GnuTLS server, $k" hello "$GS --x509certfile $k.pem --x509keyfile $k.key"
        as_server "GnuTLS client, $k" hello "$GC localhost" --cert $k.pem --key $k.key
    done
    for s in AES-128-GCM AES-256-GCM CHACHA20-POLY1305; do
        as_client "GnuTLS server, $s" hello "$GS:-CIPHER-ALL:+$s --x509certfile ecdsa.pem --x509keyfile ecdsa.key"
        as_server "GnuTLS client, $s" hello "$GC:-CIPHER-ALL:+$s localhost" --cert ecdsa.pem --key ecdsa.key
    done
    as_client "GnuTLS server, client certificate" hello "$GS --x509certfile ecdsa.pem --x509keyfile ecdsa.key --x509cafile ca.pem --require-client-cert" --cert client.pem --key client.key
    as_server "GnuTLS client, client certificate" client-auth "$GC --x509certfile client.pem --x509keyfile client.key localhost" --cert ecdsa.pem --key ecdsa.key --ca ca.pem --auth required
else
    echo "left out: GnuTLS is not installed here"
fi
finish
