#!/bin/bash
# troth ca and troth inspect: what they make, say and refuse; openssl agrees.
set -u
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
bad=0
fail() { echo "FAILED: $*"; bad=1; }
# want STATUS TEXT command...: exit status, and a text somewhere in what it says
want() {
    local status=$1 text=$2 out rc
    shift 2
    out=$("$@" 2>&1); rc=$?
    [ $rc -eq "$status" ] || fail "exit $rc, not $status: $* : $out"
    case $out in *"$text"*) ;; *) fail "no \"$text\" from: $* : $out" ;; esac
}
t=$TROTH

want 0 'made the authority "CN=Lab, Inc."' "$t" ca init --out pki --name 'Lab, Inc.' --constrain localhost --constrain 127.0.0.0/8 --constrain example.test
[ "$(stat -c %a pki/ca-key.pem)" = 600 ] || fail "mode of the CA's key: $(stat -c %a pki/ca-key.pem)"
[ "$(stat -c %a pki/ca.pem)" = 644 ] || fail "mode of the CA's certificate"
want 8 'is there already' "$t" ca init --out pki
want 0 'troth ca issue localhost 127.0.0.1 ::1 --out advised' "$t" ca init --out advised
want 0 'for          IP:127.0.0.1' "$t" ca issue --out pki localhost 127.0.0.1 '*.example.test'
[ "$(stat -c %a pki/localhost-key.pem)" = 600 ] || fail "mode of the server's key"
want 8 'is there already' "$t" ca issue --out pki localhost
want 0 'client certificate' "$t" ca issue --out pki --client --days 2 alice.example.test
want 0 '_wildcard.example.test.pem' "$t" ca issue --out pki '*.example.test'
want 2 'cert.name-constraint' "$t" ca issue --out pki other.org
[ ! -e pki/other.org.pem ] && [ ! -e pki/other.org-key.pem ] || fail "files left behind by a refusal"
want 2 'is no DNS name' "$t" ca issue --out pki 'a b'
want 0 'DNS:xn--bcher-kva.example.test' "$t" ca issue --out pki 'bücher.example.test'
want 2 'without the dot' "$t" ca init --out none --constrain .example.test
want 2 '--days' "$t" ca init --out none --days 0
want 2 '--name' "$t" ca init --out none --name ''
want 2 '--name' "$t" ca init --out none --name "$(printf 'x\033[31m')"
[ ! -e none ] || fail "a folder for nothing"
mkdir broken && cp pki/ca.pem broken/
want 8 'broken/ca-key.pem: No such file' "$t" ca issue --out broken localhost
for wrong in 'echo junk' 'cat pki/ca.pem' "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256"; do
    $wrong > broken/ca-key.pem
    want 8 'broken/ca-key.pem: ' "$t" ca issue --out broken localhost
done
echo junk > broken/ca.pem
want 8 'broken/ca.pem: ' "$t" ca issue --out broken localhost
[ "$(ls broken)" = "$(printf 'ca-key.pem\nca.pem')" ] || fail "something was made of a broken authority"
want 2 'none of its verbs: init, issue' "$t" ca frobnicate
want 2 'needs a name' "$t" ca issue --out pki
want 2 'init takes no names' "$t" ca init name
want 8 'troth ca init --out nowhere' "$t" ca issue --out nowhere x.example.test
want 2 '' "$t" ca issue --out pki --days 0 a.example.test
want 0 'the authority ends before that' "$t" ca issue --out pki --days 9999 b.example.test
rm pki/ca.pem && openssl req -new -x509 -key pki/localhost-key.pem -subj /CN=x -days 3 -out pki/ca.pem 2>/dev/null
want 8 'pki/ca-key.pem: the key is not that' "$t" ca issue --out pki c.example.test
rm -r pki
want 0 '"schema":"troth.ca/1"' "$t" ca init --out pki --json
want 0 '' "$t" ca issue --out pki --quiet localhost
openssl verify -x509_strict -purpose sslserver -verify_hostname localhost -CAfile pki/ca.pem pki/localhost.pem >/dev/null || fail "openssl verify"
want 1 'cert.name-mismatch' "$t" verify --roots pki/ca.pem --host other.example pki/localhost.pem
want 0 '' "$t" verify --roots pki/ca.pem --host localhost pki/localhost.pem

# ---- inspect
want 0 'DNS:localhost' "$t" inspect pki/localhost.pem
want 0 'whoever can read the file has the key' "$t" inspect pki/localhost-key.pem
"$t" inspect pki/localhost-key.pem | grep -qi "$(openssl pkey -in pki/localhost-key.pem -text -noout | sed -n '/priv/,/pub/p' | sed -n 2p | tr -d ' :')" && fail "shows the private key"
cat pki/ca.pem pki/localhost.pem pki/localhost-key.pem > all.pem
want 0 '[3 of 3]: a private key' "$t" inspect all.pem
openssl x509 -in pki/ca.pem -outform DER -out ca.der
want 0 'ca.der: a certificate' "$t" inspect ca.der
want 0 'standard input: a certificate' "$t" inspect - < ca.der
openssl req -new -newkey rsa:2048 -nodes -keyout r.key -subj /CN=req -out r.csr 2>/dev/null
want 0 'whoever asks has the key' "$t" inspect r.csr
openssl pkcs12 -export -inkey r.key -in pki/ca.pem -nokeys -passout pass:x -out t.p12 2>/dev/null
want 1 'pkcs12.password' "$t" inspect t.p12
echo x > pass
want 0 'is a CA' "$t" inspect --passphrase-file pass t.p12
printf '<html>404' > page.pem
want 8 'config.html' "$t" inspect page.pem
: > empty.pem
want 8 'config.empty' "$t" inspect empty.pem
want 8 'No such file' "$t" inspect missing.pem
want 8 'is a directory' "$t" inspect .
head -c 300 pki/ca.pem > cut.pem
want 8 'cut off' "$t" inspect cut.pem
want 8 'DNS:localhost' "$t" inspect missing.pem pki/localhost.pem        # the others are still shown
printf '\033[2J\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' > esc.pem
want 1 'malformed' "$t" inspect esc.pem
"$t" inspect esc.pem 2>&1 | grep -q "$(printf '\033')" && fail "an escape sequence came through"
want 1 "" "$t" inspect --json all.pem r.csr t.p12                    # whole JSON all the same
"$t" inspect --json all.pem r.csr t.p12 > out.json
python3 - out.json <<'PY' || fail "JSON is not as it should be"
import json, sys
o = json.load(open(sys.argv[1]))
assert o["schema"] == "troth.inspect/1"
kinds = [x["kind"] for x in o["objects"]]
assert kinds == ["certificate", "certificate", "private-key", "certificate-request", "pkcs12"], kinds
ca, leaf, key, csr, p12 = o["objects"]
assert ca["ca"] is True and leaf["names"] == ["DNS:localhost"] and leaf["validity"]["not_after"].endswith("Z")
assert leaf["key"]["sha256"] == key["key"]["sha256"] and key["encrypted"] is False
assert csr["signature_valid"] is True and p12["error"] == "pkcs12.password" and p12["warnings"]
PY
exit $bad
