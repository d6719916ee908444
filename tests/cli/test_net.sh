#!/bin/bash
# What troth says when the network, not TLS, is in the way: each reason provoked on loopback.
set -u
dir=$(mktemp -d)
servers=()
stop() {
    for pid in "${servers[@]}"; do kill "$pid" 2>/dev/null; done
    rm -rf "$dir"
}
trap stop EXIT
cd "$dir" || exit 1
bad=0

# serve NAME: a server that misbehaves as NAME says; its port in $port.
cat > server.py <<'PY'
import socket, ssl, struct, sys, time
how = sys.argv[1]
s = socket.socket()
s.bind(("127.0.0.1", 0))
s.listen(0 if how == "full" else 8)
port = s.getsockname()[1]
waiting = []
if how == "full":  # the queue is full: further attempts are dropped
    for _ in range(4):
        c = socket.socket()
        c.setblocking(False)
        c.connect_ex(("127.0.0.1", port))
        waiting.append(c)
    time.sleep(0.2)
if how == "closed":
    s.close()
with open(how + ".port", "w") as f:
    f.write(str(port) + "\n")
while how != "closed":
    if how == "full":
        time.sleep(60)
    c, _ = s.accept()
    if how in ("reset", "half"):
        c.recv(1)
        if how == "half":
            c.sendall(b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03")
            time.sleep(0.3)
        c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        c.close()
    elif how == "idle":
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain("pki/localhost.pem", "pki/localhost-key.pem")
        waiting.append(tls.wrap_socket(c, server_side=True))
    elif how == "smtp":
        c.sendall(b"220 a.example ESMTP\r\n")
        c.recv(500)
        c.sendall(b"250 a.example\r\n")  # no STARTTLS among its extensions
        c.recv(500)
        c.sendall(b"502 not here\r\n")
        c.close()
    else:
        waiting.append(c)  # silent
PY
serve() {
    python3 server.py "$1" & servers+=($!)
    for _ in $(seq 100); do [ -s "$1.port" ] && break; sleep 0.1; done
    port=$(cat "$1.port")
}

# want CODE arguments...: troth connect fails, and says so in JSON.
want() {
    local code=$1 out
    shift
    if out=$("$TROTH" connect --json --timeout 1 "$@" </dev/null 2>&1); then
        echo "FAILED: no failure, wanted $code: $*"; bad=1
    fi
    case $out in *"\"code\": \"$code\""*) ;; *) echo "FAILED: no $code from $*: $out"; bad=1 ;; esac
}

want net.dns no-such-host.invalid:443
want net.unreachable --sni a.example "unix:$dir/nobody-listens"
serve closed;  want net.refused "127.0.0.1:$port"
serve full;    want net.timeout-connect "127.0.0.1:$port"
serve silent;  want net.timeout-handshake "127.0.0.1:$port"
serve reset;   want net.reset-on-hello "127.0.0.1:$port"
for word in smtp imap pop3 ftp mysql; do want net.timeout-idle --starttls $word "127.0.0.1:$port"; done # both wait for a word
for word in postgres xmpp ldap; do want net.starttls --starttls $word "127.0.0.1:$port"; done           # reset at ours
serve half;    want net.reset-mid "127.0.0.1:$port"
serve smtp;    want net.starttls --starttls smtp "127.0.0.1:$port"
"$TROTH" ca init --out pki >init.log 2>&1 && "$TROTH" ca issue --out pki localhost >issue.log 2>&1 || { echo "FAILED: no certificate: $(cat init.log issue.log)"; bad=1; }
serve idle
out=$("$TROTH" get --timeout 1 --ca pki/ca.pem "https://localhost:$port/" 2>&1) && { echo "FAILED: troth get waits for ever, or got something: $out"; bad=1; }
case $out in *net.timeout-idle*) ;; *) echo "FAILED: no net.timeout-idle: $out"; bad=1 ;; esac
exit $bad
