#!/bin/bash
# ctest: label=interop slow timeout=600
# TLS 1.3 between troth and OpenSSL, GnuTLS, both ways, over loopback: suites, groups, keys, client certificates, retry, ALPN, KeyUpdate.
# Prints the matrix; a peer that is not installed is said to be left out.
set -u
PEER=$BUILD_DIR/bin/interop_peer
D=$(mktemp -d); trap 'kill $(jobs -p) 2>/dev/null; rm -rf "$D"' EXIT
cd "$D" || exit 1
export SSLKEYLOGFILE=
ok=0 bad=0 port=$((21000 + $$ % 9000))

ca() { openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -subj /CN=CA -days 30 \
         -addext keyUsage=critical,keyCertSign,cRLSign 2>/dev/null; }
leaf() { # NAME USAGE genpkey-options...
    local n=$1 u=$2; shift 2
    openssl genpkey "$@" -out "$n.key" 2>/dev/null
    openssl req -new -key "$n.key" -subj "/CN=$n" -out "$n.csr" 2>/dev/null
    printf 'subjectAltName=DNS:localhost\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=%s\nbasicConstraints=critical,CA:FALSE\n' "$u" >"$n.ext"
    openssl x509 -req -in "$n.csr" -CA ca.pem -CAkey ca.key -extfile "$n.ext" -days 20 -out "$n.pem" 2>/dev/null
}
ca
leaf ecdsa serverAuth -algorithm EC -pkeyopt ec_paramgen_curve:P-256
leaf p384 serverAuth -algorithm EC -pkeyopt ec_paramgen_curve:P-384
leaf p521 serverAuth -algorithm EC -pkeyopt ec_paramgen_curve:P-521
leaf rsa serverAuth -algorithm RSA -pkeyopt rsa_keygen_bits:2048
leaf pss serverAuth -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048
leaf ed25519 serverAuth -algorithm ED25519
leaf ed448 serverAuth -algorithm ED448
leaf client clientAuth -algorithm EC -pkeyopt ec_paramgen_curve:P-256
leaf rsaclient clientAuth -algorithm RSA -pkeyopt rsa_keygen_bits:2048

wait_for() { # until the port listens
    for _ in $(seq 100); do (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return; sleep 0.05; done
}
listening() { for _ in $(seq 100); do grep -q listening "$1" 2>/dev/null && return; sleep 0.05; done; }

judge() { # WHAT PATTERN FILE
    if grep -q -- "$2" "$3"; then ok=$((ok + 1)); printf 'ok   %s\n' "$1"
    else bad=$((bad + 1)); printf 'FAIL %s (no "%s")\n' "$1" "$2"; sed 's/^/     /' "$3" | tail -5; fi
}

# troth's client against a server command; SERVER must serve more than one connection
as_client() { # WHAT PATTERN "SERVER COMMAND" client options...
    local what=$1 pattern=$2 server=$3; shift 3
    port=$((port + 1))
    eval "${server//PORT/$port}" >server.log 2>&1 & local pid=$!
    wait_for $port
    timeout 10 "$PEER" client $port --ca ca.pem --say "hello
" "$@" >client.log 2>&1
    judge "troth client - $what" "$pattern" client.log
    kill $pid 2>/dev/null; wait $pid 2>/dev/null
}
# a client command against troth's server, which echoes
as_server() { # WHAT PATTERN "CLIENT COMMAND" server options...
    local what=$1 pattern=$2 client=$3; shift 3
    port=$((port + 1))
    rm -f server.log
    timeout 20 "$PEER" server $port "$@" >server.log 2>&1 & local pid=$!
    listening server.log
    (echo hello; sleep 0.4) | eval "timeout 10 ${client//PORT/$port}" >client.log 2>&1
    sleep 0.1
    judge "$what - troth server" "$pattern" server.log
    kill $pid 2>/dev/null; wait $pid 2>/dev/null
}

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
echo "$ok passed, $bad failed"
exit $((bad > 0))
