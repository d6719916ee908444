# interop.sh - what the interop tests share: a CA and leaves of every kind, troth's peer program as client and as server, counting.
# Sourced; leaves the shell in a directory of its own that goes away at the end.
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

finish() { echo "$ok passed, $bad failed"; exit $((bad > 0)); }
