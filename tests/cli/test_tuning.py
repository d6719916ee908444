"""The options for what few need and who debugs TLS wants: each is seen on the wire, or in what becomes of the connection, against troth
itself, OpenSSL or Python; recordings made under them replay; mistakes are one message each.
ctest: timeout=300 slow"""
import hashlib
import json
import os
import socket
import ssl
import subprocess
import threading

from serving import D, ByHand, Server, authority, check, finish, home_page, refused, run

authority()
CA, CERT, KEY = f"{D}/ca.pem", f"{D}/localhost.pem", f"{D}/localhost-key.pem"
run("ca", "issue", "--client", "me", "--out", D)
ME, MY_KEY = f"{D}/me-client.pem", f"{D}/me-client-key.pem"
web = home_page()
with open(f"{web}/big", "wb") as out:
    out.write(b"x" * 60000)


def openssl(*args, data=None):
    return subprocess.run(["openssl", *args], input=data, capture_output=True, check=True).stdout


def write(name, data):
    with open(f"{D}/{name}", "wb") as f:
        f.write(data)
    return f"{D}/{name}"


def connect(server, *args, status=0, ca=("--ca", CA)):
    """The object of connect --json."""
    r = run("connect", "--json", *ca, *args, f"localhost:{server.port}", status=None)
    o = json.loads(r.stdout) if r.stdout else {"code": r.stderr}
    check("connect " + " ".join(args), r.returncode == status, (r.returncode, o.get("failure"), r.stderr))
    return o


def story(server, *args):
    return run("explain", "--ca", CA, "--depth", "fields", *args, f"localhost:{server.port}").stdout


def replays(server, *args, ca=("--ca", CA), status=0):
    path = f"{D}/kept.troth"
    run("connect", *ca, *args, "--json", "--record", path, "--danger-record-secrets", f"localhost:{server.port}", status=status)
    out = run("explain", path, status=None).stdout
    check("and its recording replays", "came out again the same." in " ".join(out.split()), out[:1500])


s = Server(web, cert=CERT, key=KEY)
# ---- what a hello has
check("no share, a retry", connect(s, "--key-shares", "none")["tls"]["helloRetry"])
replays(s, "--key-shares", "none")
o = connect(s, "--groups", "x25519,secp256r1", "--key-shares", "secp256r1")
check("one share, no retry", o["tls"]["group"] == "secp256r1" and not o["tls"]["helloRetry"], o)
for option, value, word in (("--cert-sigs", "ecdsa_secp256r1_sha256", "signature_algorithms_cert"), ("--record-size-limit", "700", "record_size_limit"),
                            ("--post-handshake-auth", None, "post_handshake_auth"), ("--accept-delegated", None, "delegated_credential")):
    with_it, without = story(s, *([option, value] if value else [option])), story(s)
    check(f"{option} is in the hello", word in with_it and (word not in without or option == "--record-size-limit") and (not value or value in with_it))
hellos = [story(s, *args).split("The answer")[0] for args in ((), ("--no-grease",))]
check("GREASE", ["GREASE: means nothing" in h for h in hellos] == [True, False], hellos[1][:2000])
check("--no-tickets", "psk_key_exchange_modes" in story(s) and "psk_key_exchange_modes" not in story(s, "--no-tickets"))
o = connect(s, "--max", "1.2", "--fallback-scsv", status=4)
check("--fallback-scsv is refused by who has TLS 1.3", o["failure"]["alert"] == "inappropriate_fallback", o)
for theirs, packed in (("zlib", True), ("brotli", False)):
    z = Server(web, "--compress", "zlib", cert=CERT, key=KEY)
    text = story(z, "--compress", theirs)
    check(f"--compress zlib with {theirs}", ("CompressedCertificate" in text) == packed, text[:400])
    if packed:
        replays(z, "--compress", "zlib", "--no-grease", "--pad", "full")
    z.end()
nothing = "AAWrzQABAA=="  # a list of one configuration of a version that nobody has
check("--ech-config that cannot be used", connect(s, "--ech-config", nothing)["ok"])
o = connect(s, "--ech-config", nothing, "--ech-required", status=4)
check("--ech-required", o["code"] == "tls.ech-unusable", o)


# ---- records
def records(port, version=ssl.TLSVersion.TLSv1_3):
    """The lengths of the encrypted records that bring /big."""
    context = ssl.create_default_context(cafile=CA)
    context.minimum_version = context.maximum_version = version
    hand = ByHand(port, context)
    hand.step(hand.tls.do_handshake)
    begun = len(hand.wire)
    hand.step(hand.tls.write, b"GET /big HTTP/1.0\r\n\r\n")
    while hand.step(hand.tls.read, 1 << 16):
        pass
    hand.socket.close()
    raw = hand.wire
    lengths, at = [], 0
    while at + 5 <= len(raw):
        n = int.from_bytes(raw[at + 3:at + 5], "big")
        if raw[at] == 23 and at >= begun:
            lengths.append(n)
        at += 5 + n
    return lengths


for args, good in ((("--max-fragment", "500"), lambda n: n <= 500 + 1 + 16), (("--pad", "1000"), lambda n: (n - 17) % 1000 == 0 or n == 16384 + 17),
                   (("--pad", "full"), lambda n: n == 16384 + 1 + 16)):
    p = Server(web, *args, cert=CERT, key=KEY)
    got = records(p.port)
    check(f"serve {' '.join(args)}", len(got) > 3 and all(good(n) for n in got), got[:5])
    p.end()
check("and without them there are others", not all(n <= 517 or (n - 17) % 1000 == 0 for n in records(s.port)))
s.end()
# ---- names, protocols, cookies
n = Server(web, "--strict-sni", "--alpn", "http/1.0,http/1.1", "--alpn-optional", cert=CERT, key=KEY)
connect(n)
o = connect(n, "--sni", "other.example", status=4)
check("--strict-sni", o["failure"]["alert"] == "unrecognized_name", o)
connect(n, "--sni", "", status=4)
check("--alpn-optional", connect(n, "--alpn", "smtp")["tls"]["alpn"] is None and connect(n, "--alpn", "http/1.1")["tls"]["alpn"] == "http/1.1")
n.end()
n = Server(web, "--alpn", "http/1.1", "--always-retry", cert=CERT, key=KEY)
check("and without it", connect(n, "--alpn", "smtp", status=4)["failure"]["alert"] == "no_application_protocol")
text = story(n)
check("--always-retry", "HelloRetryRequest" in text and "cookie" in text and connect(n)["tls"]["helloRetry"])
n.end()
# ---- tickets that outlive the server
key, other = write("ticket.key", os.urandom(48)), write("new.key", os.urandom(48))
n = Server(web, "--ticket-key", key, cert=CERT, key=KEY)
connect(n, "--session", f"{D}/old")
n.end()
for keys, resumed in (((other, key), True), ((other,), True), ((key,), False)):  # each session comes from the server before
    n = Server(web, *[w for k in keys for w in ("--ticket-key", k)], cert=CERT, key=KEY)
    check(f"resumed: {resumed}", connect(n, "--session", f"{D}/old")["tls"]["resumed"] == resumed)
    n.end()
# ---- client certificates: filters
for eku, status in (("300a06082b06010505070302", 0), ("300a06082b06010505070301", 6)):
    n = Server(web, "--client-ca", CA, "--oid-filter", f"keyUsage,extKeyUsage={eku}", cert=CERT, key=KEY)
    connect(n, "--cert", ME, "--key", MY_KEY, status=status)
    if not status:
        check("the filters are in the request", "oid_filters" in story(n, "--cert", ME, "--key", MY_KEY))
    n.end()


# ---- a certificate after the handshake, for Python
def ask_later(listener, seen):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERT, KEY)
    context.load_verify_locations(CA)
    context.verify_mode, context.post_handshake_auth = ssl.CERT_REQUIRED, True
    c, _ = listener.accept()
    try:
        with context.wrap_socket(c, server_side=True) as t:
            t.recv(100)
            t.verify_client_post_handshake()
            t.sendall(b"who?\n")
            t.recv(100)
            seen.append(bool(t.getpeercert()))
            t.sendall(b"bye\n")
    except OSError as e:
        seen.append(repr(e))


for args, good in ((("--post-handshake-auth",), lambda a: a is True), ((), lambda a: a is not True)):
    listener = socket.create_server(("127.0.0.1", 0))
    seen = []
    server = threading.Thread(target=ask_later, args=(listener, seen))
    server.start()
    from serving import TROTH
    c = subprocess.Popen([TROTH, "connect", "--ca", CA, *args, "--cert", ME, "--key", MY_KEY, f"localhost:{listener.getsockname()[1]}"],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    c.stdin.write(b"hello\n")
    c.stdin.flush()
    if args:
        c.stdout.readline()
        c.stdin.write(b"me\n")
        c.stdin.flush()
    c.communicate()
    server.join()
    listener.close()
    check("asked later " + " ".join(args), seen and good(seen[0]), seen)


# ---- raw public keys
def pin_of(private):
    return hashlib.sha256(openssl("pkey", "-in", private, "-pubout", "-outform", "DER")).hexdigest()


n = Server(web, "--raw-key", KEY)
o = connect(n, "--accept-raw-key", "--pin", pin_of(KEY))
check("a raw key", o["tls"]["rawPublicKey"], o)
replays(n, "--accept-raw-key", "--pin", pin_of(KEY))
check("of another", connect(n, "--accept-raw-key", "--pin", pin_of(MY_KEY), status=5)["code"] == "trust.pin-mismatch")
connect(n, status=4)
n.end()
n = Server(web, "--client-pin", pin_of(MY_KEY), "--raw-key", KEY, cert=CERT, key=KEY)
connect(n, "--raw-key", MY_KEY)
replays(n, "--raw-key", MY_KEY)
connect(n, "--cert", ME, "--key", MY_KEY)
connect(n, "--raw-key", KEY, status=6)
connect(n, status=6)
n.end()


# ---- delegated credentials
def delegation(name, usage, role):
    """(certificate, its key, credential, the credential's key)"""
    cert, key, dc_key = f"{D}/{name}.pem", f"{D}/{name}.key", f"{D}/{name}-dc.key"
    p256 = ("-pkeyopt", "ec_paramgen_curve:P-256")
    openssl("req", "-x509", "-newkey", "ec", *p256, "-nodes", "-keyout", key, "-out", cert, "-days", "3", "-subj", f"/CN={name}", "-addext",
            "subjectAltName=DNS:localhost", "-addext", "keyUsage=critical,digitalSignature", "-addext", f"extendedKeyUsage={usage}", "-addext",
            "basicConstraints=critical,CA:FALSE", "-addext", "1.3.6.1.4.1.44363.44=ASN1:NULL")
    openssl("genpkey", "-algorithm", "EC", *p256, "-out", dc_key)
    spki, ecdsa = openssl("pkey", "-in", dc_key, "-pubout", "-outform", "DER"), b"\x04\x03"
    content = (2 * 86400).to_bytes(4, "big") + ecdsa + len(spki).to_bytes(3, "big") + spki + ecdsa
    signed = b" " * 64 + b"TLS, " + role + b" delegated credentials\0" + openssl("x509", "-in", cert, "-outform", "DER") + content
    signature = openssl("dgst", "-sha256", "-sign", key, data=signed)
    return cert, key, write(name + ".dc", content + len(signature).to_bytes(2, "big") + signature), dc_key


cert, key, credential, dc_key = delegation("site", "serverAuth", b"server")
n = Server(web, "--cert", cert, "--delegated", credential, "--delegated-key", dc_key)
here = ("--ca", cert)
check("delegated", connect(n, "--accept-delegated", ca=here)["tls"]["delegatedCredential"])
replays(n, "--accept-delegated", ca=here)
r = run("connect", *here, "--accept-delegated", f"localhost:{n.port}")
check("and said", "delegated credential" in r.stderr, r.stderr)
connect(n, ca=here, status=4)
n.end()
mine = delegation("person", "clientAuth", b"client")
n = Server(web, "--client-ca", mine[0], "--accept-delegated", "-v", "--log", "json", cert=CERT, key=KEY)
mine = ("--cert", mine[0], "--delegated", mine[2], "--delegated-key", mine[3])
connect(n, *mine)
replays(n, *mine)
check("the client's is told", "delegated_credential" in story(n, *mine))
n.end()
# ---- keys that both have
bond = os.urandom(32).hex()
keys, wrong = write("psk", f"# who: what\nbond:{bond}\r\n\nsecond:{'0b' * 16}\n".encode()), write("wrong", b"bond:" + b"00" * 32)
n = Server(web, "--psk", keys)
check("a key of both", connect(n, "--psk", keys)["tls"]["externalPsk"])
connect(n, "--psk", wrong, status=4)
connect(n, status=4)
r = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{n.port}", "-tls1_3", "-psk", bond, "-psk_identity", "bond"], input="", text=True,
                   capture_output=True, check=False)
check("and of OpenSSL", "Reused, TLSv1.3" in r.stdout, r.stdout[-500:] + r.stderr)
n.end()
n = Server(web, "--psk", keys, "--psk-import", "here", "--psk-hash", "sha384")
check("imported", connect(n, "--psk", keys, "--psk-import", "here", "--psk-hash", "sha384")["tls"]["externalPsk"])
connect(n, "--psk", keys, "--psk-import", "there", "--psk-hash", "sha384", status=4)
n.end()
# ---- mistakes
own = ("serve", web, "--cert", CERT, "--key", KEY)
short = write("short", b"x" * 47)
for status, words, args in (
        (2, ["64 to 16385"], ("connect", "--record-size-limit", "20", "a.example")), (2, ["1 to 16384"], (*own, "--max-fragment", "0")),
        (2, ["2 to 16384"], ("get", "--pad", "much", "a.example")), (2, ["zlib, brotli, zstd"], ("connect", "--compress", "zlib,rar", "a.example")),
        (2, ["--no-compress"], ("connect", "--compress", "zlib", "--no-compress", "a.example")), (2, ["registered name"], ("connect", "--key-shares", "many", "a.example")),
        (2, ["empty"], ("connect", "--cert-sigs", ",", "a.example")), (2, ["--pin"], ("connect", "--accept-raw-key", "a.example")),
        (2, ["--client-ca"], (*own, "--accept-delegated")), (2, ["--client-ca"], (*own, "--oid-filter", "keyUsage")),
        (2, ["--staple", "2 times", "--cert 1"], (*own, "--staple", "a", "--staple", "b")), (2, ["--key", "2 times"], (*own, "--key", KEY)),
        (2, ["--delegated", "2 times"], (*own, "--delegated", "x", "--delegated", "y", "--delegated-key", "z")),
        (2, ["--delegated-key"], (*own, "--delegated", "x")), (2, ["with --delegated"], (*own, "--delegated-key", "x")),
        (2, ["--psk"], ("connect", "--psk-hash", "sha384", "a.example")), (2, ["sha256, sha384"], ("connect", "--psk", keys, "--psk-hash", "md5", "a.example")),
        (2, ["--ech-config"], ("connect", "--ech-required", "a.example")), (2, ["--alpn"], (*own, "--alpn-optional")),
        (2, ["--session"], ("connect", "--no-tickets", "--session", "x", "a.example")), (2, ["neither 64"], (*own, "--client-pin", "abc")),
        (2, ["OID"], (*own, "--client-ca", CA, "--oid-filter", "usage")), (2, ["OID"], (*own, "--client-ca", CA, "--oid-filter", "1.2.840=abc")),
        (2, ["OID"], (*own, "--client-ca", CA, "--oid-filter", "3.1")), (2, ["--wrap", "clear"], ("proxy", "--wrap", "localhost", "--strict-sni")),
        (2, ["means nothing here"], (*own, "--key-shares", "none")), (2, ["means nothing here"], ("check", "--pad", "full", "a.example")),
        (8, ["48"], (*own, "--ticket-key", short)), (8, ["No such file"], (*own, "--ticket-key", "/no/such")),
        (8, ["No such file"], ("connect", "--psk", "/no/such", "a.example")), (8, ["line 1"], ("connect", "--psk", short, "a.example")),
        (8, ["has no key"], ("connect", "--psk", write("none", b"# nothing\n"), "a.example")), (8, ["config.delegated-malformed"], (*own, "--delegated", short, "--delegated-key", dc_key)),
        (8, ["No such file"], (*own, "--delegated", "/no/such", "--delegated-key", dc_key)), (8, ["config."], ("serve", web, "--raw-key", short)),
        (8, ["config.key-mismatch"], ("serve", web, "--cert", cert, "--delegated", credential, "--delegated-key", KEY)),
        (8, ["No such file"], ("connect", "--raw-key", "/no/such", "a.example"))):
    refused(words, *args, status=status)
finish()
