#!/usr/bin/env python3
# ctest: timeout=300
"""troth verify with evidence: OCSP and CRLs from files and from the authority's own servers, SCTs, PKCS#12 trust stores, policies, times.

The certificates are openssl's, the servers are ours, on the loopback address."""
import base64
import hashlib
import http.server
import json
import os
import shutil
import socket
import socketserver
import struct
import subprocess
import sys
import tempfile
import threading

troth = os.environ.get("TROTH", "")
if not os.path.exists(troth) or not shutil.which("openssl"):
    print("no program here, or no openssl")
    sys.exit(77)
home = tempfile.TemporaryDirectory(prefix="evidence")
D = home.name
NOW = "2026-09-21T14:13:20Z"


def path(name):
    return os.path.join(D, name)


def put(name, data):
    with open(path(name), "wb" if isinstance(data, bytes) else "w") as f:
        f.write(data)
    return path(name)


def get(name):
    with open(path(name), "rb") as f:
        return f.read()


def ssl(*args, **more):
    p = subprocess.run(["openssl", *args], cwd=D, capture_output=True, **more)
    assert p.returncode == 0, (args, p.stderr.decode())
    return p.stdout


def verify(what, status, *args, want=(), never=()):
    when = [] if "--at" in args else ["--time", NOW]
    p = subprocess.run([troth, "verify", *when, *args], capture_output=True, text=True, timeout=60)
    said = p.stdout + p.stderr
    missing, extra = [w for w in want if w not in said], [w for w in never if w in said]
    if p.returncode != status or missing or extra:
        print(f"{what}: status {p.returncode}, wanted {status}; missing {missing}, too much {extra}\n{said}")
        sys.exit(1)


# ---- the authority's servers: what they answer is in `answers`

answers, asked, logins = {}, [], []


class Authority(http.server.BaseHTTPRequestHandler):
    def answer(self, data):
        asked.append(self.path)
        logins.append(self.headers["Proxy-Authorization"])
        self.send_response(200 if data is not None else 404)
        self.send_header("Content-Length", str(len(data or b"")))
        self.end_headers()
        self.wfile.write(data or b"")

    def do_GET(self):
        self.answer(answers.get(self.path))

    def do_POST(self):
        put("request.der", self.rfile.read(int(self.headers["Content-Length"])))
        how = answers.get(self.path)
        self.answer(how() if callable(how) else how)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Authority)
threading.Thread(target=server.serve_forever, daemon=True).start()
here = f"http://127.0.0.1:{server.server_address[1]}"

# ---- certificates

put("ca.cnf", f"""
[ca]
default_ca = us
[us]
database = {path("index.txt")}
serial = {path("serial")}
new_certs_dir = {D}
crlnumber = {path("crlnumber")}
default_md = sha256
policy = any
default_crl_days = 7
unique_subject = no
[any]
commonName = supplied
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[plain]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = DNS:shop.example
certificatePolicies = 1.2.3.4
[asks]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = DNS:shop.example
authorityInfoAccess = OCSP;URI:{here}/ocsp
crlDistributionPoints = URI:{here}/ca.crl
[lists]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = DNS:shop.example
crlDistributionPoints = URI:{here}/ca.crl
[bare]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = DNS:shop.example
[logged]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = DNS:shop.example
""")
put("index.txt", "")
put("crlnumber", "01\n")
WHEN = ["-startdate", "20260901000000Z", "-enddate", "20261201000000Z"]


def key(name):
    ssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", name + ".key")


def issue(name, section, serial, config="ca.cnf"):
    put("serial", f"{serial:04X}\n")
    ssl("ca", "-batch", "-config", config, "-in", "leaf.csr", "-out", name + ".pem", "-extensions", section, "-cert", "ca.pem",
        "-keyfile", "ca.key", "-notext", *WHEN)
    return path(name + ".pem")


key("ca")
key("leaf")
ssl("req", "-new", "-key", "ca.key", "-subj", "/CN=Evidence Root", "-out", "ca.csr")
put("serial", "0001\n")
ssl("ca", "-batch", "-config", "ca.cnf", "-selfsign", "-in", "ca.csr", "-keyfile", "ca.key", "-out", "ca.pem", "-extensions", "root",
    "-notext", "-startdate", "20260101000000Z", "-enddate", "20300101000000Z")
ssl("req", "-new", "-key", "leaf.key", "-subj", "/CN=shop.example", "-out", "leaf.csr")
roots = ["--roots", path("ca.pem")]
host = ["--host", "shop.example"]
plain, asks, lists = issue("plain", "plain", 0x10), issue("asks", "asks", 0x11), issue("lists", "lists", 0x12)


def crl(name, revoked=()):
    put("index.txt", "".join(f"R\t261201000000Z\t260910000000Z,keyCompromise\t{s:04X}\tunknown\t/CN=shop.example\n" for s in revoked))
    ssl("ca", "-config", "ca.cnf", "-gencrl", "-cert", "ca.pem", "-keyfile", "ca.key", "-out", name, "-crl_lastupdate", "20260920000000Z",
        "-crl_nextupdate", "20260927000000Z")
    return ssl("crl", "-in", name, "-outform", "DER")


# ---- CRLs and OCSP responses from files; how strict

crl("clean.pem")
crl("dirty.pem", [0x10])
verify("nothing given", 0, *roots, *host, plain, want=["not checked: ", "revocation"])
verify("hard, and nothing given", 1, *roots, *host, "--revocation", "hard", plain, want=["[revocation.unknown]"])
verify("on no list", 0, *roots, *host, "--crl", path("clean.pem"), plain, never=["revocation"])
verify("on the list", 1, *roots, *host, "--crl", path("dirty.pem"), plain, want=["[cert.revoked]", "keyCompromise"])
verify("on the list, the other spelling", 1, *roots, *host, "--crls", path("dirty.pem"), plain, want=["[cert.revoked]"])
for where in ("lists", "nolists", "spoilt"):
    os.mkdir(path(where))
    put(where + "/README", "0 lists")
    put(where + "/ca.pem", get("ca.pem"))
put("lists/dirty.crl", ssl("crl", "-in", "dirty.pem", "-outform", "DER"))
put("spoilt/x.pem", get("dirty.pem")[:-60])
verify("in a directory", 1, *roots, *host, "--crl", path("lists"), plain, want=["[cert.revoked]", "keyCompromise"])
put("lists/dirty.crl", get("clean.pem"))
verify("in a directory, and clean", 0, *roots, *host, "--crl", path("lists"), plain, never=["revocation"])
verify("a directory without lists", 1, *roots, *host, "--crl", path("nolists"), plain, want=["[config.empty]", "no revocation list", path("nolists")])
verify("a broken one in a directory", 1, *roots, *host, "--crl", path("spoilt"), plain, want=["rejected", path("spoilt/x.pem")])
verify("a broken one names its file", 1, *roots, *host, "--crl", put("cut.crl", ssl("crl", "-in", "dirty.pem", "-outform", "DER") + b"\0"), plain,
       want=["rejected", path("cut.crl")])
verify("a directory of intermediates with lists in it", 0, *roots, *host, "--untrusted", path("lists"), plain)
put("lists/dirty.crl", ssl("crl", "-in", "dirty.pem", "-outform", "DER"))
verify("and lists in DER", 0, *roots, *host, "--untrusted", path("lists"), plain)
verify("revocation off", 0, *roots, *host, "--crl", path("dirty.pem"), "--revocation", "off", plain, want=["not checked: revocation"])
verify("a list of the past: hard", 1, *roots, *host, "--crl", path("clean.pem"), "--at", "2026-10-21", plain, want=["[crl.stale]"])
verify("a list of the past: soft", 0, *roots, *host, "--crl", path("clean.pem"), "--at", "2026-10-21", "--revocation", "soft", plain)
verify("no such way", 2, *roots, "--revocation", "hardly", plain, want=["hardly"])
verify("no such file", 8, *roots, "--crl", path("none"), plain, want=["none"])
verify("no list at all", 1, *roots, *host, "--crl", path("ca.cnf"), plain, want=["rejected"])


def ocsp(name, revoked=(), days="30000"):
    state = "".join(f"{'R' if s in revoked else 'V'}\t261201000000Z\t{'260910000000Z' if s in revoked else ''}\t{s:04X}\tunknown\t/CN=x\n"
                    for s in (0x10, 0x11, 0x12))
    put("index.txt", state)
    ssl("ocsp", "-index", "index.txt", "-CA", "ca.pem", "-rsigner", "ca.pem", "-rkey", "ca.key", "-reqin", "request.der", "-respout", name,
        "-ndays", days)
    return get(name)


def request(cert):
    ssl("ocsp", "-issuer", "ca.pem", "-cert", cert, "-reqout", "request.der", "-no_nonce")


now_for_ocsp = ["--at", subprocess.run(["date", "-u", "+%Y-%m-%dT%H:%M:%SZ"], capture_output=True, text=True).stdout.strip()]
if not "2026-09-02" < now_for_ocsp[1] < "2026-11-30":   # openssl ocsp has no option for the time: other dates, other certificates
    WHEN[:] = ["-startdate", "20200101000000Z", "-enddate", "20991201000000Z"]
    put("index.txt", "")
    put("serial", "0001\n")
    ssl("ca", "-batch", "-config", "ca.cnf", "-selfsign", "-in", "ca.csr", "-keyfile", "ca.key", "-out", "ca.pem", "-extensions", "root",
        "-notext", "-startdate", "20200101000000Z", "-enddate", "20991201000000Z")
    plain, asks, lists = issue("plain", "plain", 0x10), issue("asks", "asks", 0x11), issue("lists", "lists", 0x12)

request("plain.pem")
ocsp("good.der")
ocsp("bad.der", [0x10])
verify("a good response", 0, *roots, *host, *now_for_ocsp, "--ocsp-response", path("good.der"), "--revocation", "hard", plain)
verify("a bad one", 1, *roots, *host, *now_for_ocsp, "--ocsp-response", path("bad.der"), plain, want=["[cert.revoked]", "OCSP"])
verify("about another", 1, *roots, *host, *now_for_ocsp, "--ocsp-response", path("good.der"), "--revocation", "hard", asks)
verify("not one", 1, *roots, *host, "--ocsp-response", path("ca.pem"), plain, want=["rejected"])

# ---- asked for

answers["/ocsp"] = lambda: ocsp("asked.der")
answers["/ca.crl"] = crl("served.pem")
verify("nobody to ask", 1, *roots, *host, *now_for_ocsp, "--ocsp", plain, want=["[revocation.unknown]", "nobody to ask"])
verify("asked, good", 0, *roots, *host, *now_for_ocsp, "--ocsp", asks, never=["not checked: revocation"])
assert asked == ["/ocsp"], asked
answers["/ocsp"] = lambda: ocsp("asked.der", [0x11])
verify("asked, bad", 1, *roots, *host, *now_for_ocsp, "--ocsp", asks, want=["[cert.revoked]"])
answers["/ocsp"] = b"<html>"
verify("asked, nonsense", 1, *roots, *host, *now_for_ocsp, "--ocsp", asks, want=["rejected"])
answers["/ocsp"] = get("good.der")   # about another certificate: no answer
verify("asked, no answer", 1, *roots, *host, *now_for_ocsp, "--ocsp", asks, want=["rejected"])
answers["/ocsp"] = None
verify("asked, nobody there", 1, *roots, *host, *now_for_ocsp, "--ocsp", "--timeout", "5", asks, want=["[revocation.unknown]", "/ocsp"])
verify("fetched", 0, *roots, *host, "--crl-fetch", lists)
verify("no responder: its list", 0, *roots, *host, "--ocsp", lists)
answers["/ca.crl"] = crl("served.pem", [0x12])
verify("fetched, on it", 1, *roots, *host, "--crl-fetch", lists, want=["[cert.revoked]"])
verify("not fetched", 0, *roots, *host, lists)
answers["/ca.crl"] = None
verify("not there", 1, *roots, *host, "--crl-fetch", lists, want=["[revocation.unknown]", "/ca.crl"])
verify("no number", 2, *roots, *host, "--crl-fetch", "--timeout", "soon", lists)

# ---- asked for through a proxy: it is told the whole URL

proxy = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Authority)
threading.Thread(target=proxy.serve_forever, daemon=True).start()
through = f"http://user:hunter2@127.0.0.1:{proxy.server_address[1]}"
answers[f"{here}/ca.crl"] = crl("served.pem")
answers[f"{here}/ocsp"] = lambda: ocsp("asked.der")
for args, env in (([], {"http_proxy": through}), ([], {"ALL_PROXY": through}), (["--proxy", through], {"http_proxy": "http://127.0.0.1:1"})):
    os.environ.update(env)
    verify("fetched through a proxy", 0, *roots, *host, *args, "--crl-fetch", lists)
    assert asked[-1] == f"{here}/ca.crl" and logins[-1] == "Basic dXNlcjpodW50ZXIy", (asked[-1], logins[-1])
    verify("asked through a proxy", 0, *roots, *host, *args, *now_for_ocsp, "--ocsp", asks)
    assert asked[-1] == f"{here}/ocsp" and logins[-1] == "Basic dXNlcjpodW50ZXIy", (asked[-1], logins[-1])
    for name in env:
        del os.environ[name]
answers["/ca.crl"] = crl("served.pem")
for args, env in ((["--no-proxy"], {"http_proxy": through}), ([], {"http_proxy": through, "NO_PROXY": "127.0.0.0/8"}), ([], {"HTTP_PROXY": through}),
                  ([], {"https_proxy": through})):
    os.environ.update(env)
    verify(f"fetched directly {env}", 0, *roots, *host, *args, "--crl-fetch", lists)
    assert asked[-1] == "/ca.crl" and logins[-1] is None, (env, asked[-1], logins[-1])
    for name in env:
        del os.environ[name]


class Socks(socketserver.BaseRequestHandler):
    """SOCKS 5 for names and IPv4 addresses; everything leads to the authority."""

    def handle(self):
        self.request.recv(3, socket.MSG_WAITALL)
        self.request.sendall(b"\5\0")
        asked.append(self.request.recv(10, socket.MSG_WAITALL))
        self.request.sendall(b"\5\0\0\1\0\0\0\0\0\0")
        with socket.create_connection(server.server_address) as there:
            there.sendall(self.request.recv(65536))
            while data := there.recv(65536):
                self.request.sendall(data)


socks = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Socks)
threading.Thread(target=socks.serve_forever, daemon=True).start()
verify("fetched through SOCKS", 0, *roots, *host, "--proxy", f"socks5://127.0.0.1:{socks.server_address[1]}", "--crl-fetch", lists)
assert asked[-2:] == [b"\5\1\0\1\x7f\0\0\1" + server.server_address[1].to_bytes(2, "big"), "/ca.crl"] and logins[-1] is None, asked[-2:]
verify("no proxy", 1, *roots, *host, "--proxy", "socks4://user:hunter2@x", "--crl-fetch", lists, want=["[revocation.unknown]", "SOCKS"], never=["hunter2"])
answers["/ca.crl"] = None

# ---- transparency: SCTs of two logs over a certificate issued twice, once without them


def tlv(data, at):
    """(start, content, end) of the element at `at`."""
    n, content = data[at + 1], at + 2
    if n >= 0x80:
        k = n & 0x7F
        n, content = int.from_bytes(data[content:content + k], "big"), content + k
    return at, content, content + n


def tbs_of(name):
    der = ssl("x509", "-in", name, "-outform", "DER")
    start, _, end = tlv(der, tlv(der, 0)[1])
    return der[start:end]


def spki(name):
    return ssl("pkey", "-in", name + ".key", "-pubout", "-outform", "DER")


def sct(log, tbs):
    stamp = struct.pack(">Q", 1788220800000)
    entry = b"\0\0" + stamp + b"\0\1" + hashlib.sha256(spki("ca")).digest() + len(tbs).to_bytes(3, "big") + tbs + b"\0\0"
    put("entry", entry)
    signature = ssl("dgst", "-sha256", "-sign", log + ".key", "entry")
    return b"\0" + hashlib.sha256(spki(log)).digest() + stamp + b"\0\0" + b"\4\3" + struct.pack(">H", len(signature)) + signature


key("log1")
key("log2")
put("index.txt", "")
issue("unlogged", "logged", 0x20)
stamps = [sct(log, tbs_of("unlogged.pem")) for log in ("log1", "log2")]


def logged(name, which):
    body = b"".join(struct.pack(">H", len(s)) + s for s in which)
    body = struct.pack(">H", len(body)) + body
    value = (b"\4" + (bytes([len(body)]) if len(body) < 128 else b"\x81" + bytes([len(body)]) if len(body) < 256
                      else b"\x82" + struct.pack(">H", len(body)))) + body
    put("index.txt", "")
    put("logged.cnf", get("ca.cnf").decode() + "1.3.6.1.4.1.11129.2.4.2 = DER:" + value.hex(":") + "\n")
    return issue(name, "logged", 0x20, "logged.cnf")


def log_list(name, logs, flat=False):
    rows = [{"description": log, "key": base64.b64encode(spki(log)).decode()} for log in logs]
    return put(name, json.dumps({"logs": rows} if flat else {"operators": [{"name": "one", "logs": rows[:1], "tiled_logs": rows[1:]}]}))


both, one = logged("both", stamps), logged("one", stamps[:1])
list2, list1, flat = log_list("two.json", ["log1", "log2"]), log_list("one.json", ["log1"]), log_list("flat.json", ["log2", "log1"], True)
for what, status, logs, leaf in [("two of two", 0, list2, both), ("two of two, a flat list", 0, flat, both), ("one of two", 1, list2, one),
                                 ("one of one", 0, list1, one), ("none", 1, list1, plain), ("one that did not sign", 1,
                                                                                         log_list("other.json", ["log2"]), one)]:
    verify("logs: " + what, status, *roots, *host, "--ct-logs", logs, leaf, want=[] if status == 0 else ["[ct."])
verify("a list without logs", 8, *roots, "--ct-logs", put("empty.json", "{}"), plain, want=["no log"])
verify("a list with a log without key", 8, *roots, "--ct-logs", put("nokey.json", '{"logs":[{"description":"x"}]}'), plain, want=["base64"])
verify("no JSON", 8, *roots, "--ct-logs", path("ca.cnf"), plain, want=["ca.cnf"])

# ---- trust stores

ssl("pkcs12", "-export", "-nokeys", "-in", "ca.pem", "-out", "locked.p12", "-passout", "pass:secret words")
ssl("pkcs12", "-export", "-nokeys", "-in", "ca.pem", "-out", "open.p12", "-passout", "pass:")
verify("a PKCS#12 store", 0, "--roots", path("open.p12"), *host, plain)
verify("locked", 1, "--roots", path("locked.p12"), *host, plain, want=["rejected"])
verify("unlocked", 0, "--roots", path("locked.p12"), "--passphrase-file", put("words", "secret words\n"), *host, plain)
verify("the wrong key", 1, "--roots", path("locked.p12"), "--passphrase-file", put("other", "other words\n"), *host, plain)

# ---- policies, times, colours, more words

verify("a policy", 0, *roots, *host, "--policy", "1.2.3.4", "--require-explicit-policy", plain)
verify("another", 1, *roots, *host, "--policy", "1.2.3.5", "--require-explicit-policy", plain, want=["[cert.policy]"])
verify("no such policy", 2, *roots, *host, "--policy", "websites", plain, want=["websites"])
put("index.txt", "")
bare = issue("bare", "bare", 0x30)
verify("no extKeyUsage: not on the web", 1, *roots, *host, bare, want=["[cert.profile]"])
verify("but by RFC 5280", 0, "--profile", "rfc5280", *roots, *host, bare)
verify("by its other name", 0, "--policy", "rfc5280", *roots, *host, bare)
verify("1970", 1, "--at", "0", *roots, *host, plain, want=["[cert.not-yet-valid]", "1970"])
verify("verbose", 0, "-v", *roots, *host, plain, want=["path 1: accepted", "work:"], never=["cA TRUE"])
verify("every check", 0, "--explain", *roots, *host, plain, want=["path 1: accepted", "cA TRUE"])
verify("in colour", 0, "--color", "always", *roots, *host, plain, want=["\033[1;32maccepted\033[0m"])
verify("in red", 1, "--color=always", *roots, "--host", "other.example", plain, want=["\033[1;31mrejected\033[0m"])
verify("without", 0, "--color", "never", *roots, *host, plain, never=["\033"])
verify("quiet", 0, "-q", *roots, *host, plain, never=["accepted"])
verify("too deep", 0, "--max-depth", "0", *roots, *host, plain)
verify("for clients", 1, "--purpose", "client", *roots, plain, want=["[cert.wrong-eku]"])
verify("an address", 1, "--ip", "192.0.2.1", *roots, plain, want=["[cert.ip-without-ip-san]"])
verify("a mailbox", 1, "--email", "a@shop.example", "--purpose", "any", *roots, plain, want=["[cert.name-mismatch]"])
server.shutdown()
print("all as wanted")
