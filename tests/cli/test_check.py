"""troth check against servers that are set up well, and badly: what they speak, the findings, exit statuses, the formats.
ctest: label=interop slow timeout=400"""
import json
import os
import shutil
import socket
import subprocess
import sys
import time

from serving import D, Server, authority, check, finish, run

if not shutil.which("openssl"):
    print("no openssl")
    sys.exit(77)
authority()
CA, CERT, KEY = f"{D}/ca.pem", f"{D}/localhost.pem", f"{D}/localhost-key.pem"


def assess(port, *options, status=None, host="localhost"):
    r = run("check", f"{host}:{port}", "--ca", CA, "--json", "--timeout", "3", *options, status=status)
    answer = json.loads(r.stdout)
    assert answer["schema"] == "troth.check/1" and answer["exit"] == r.returncode, (answer, r.returncode)
    for f in answer["findings"]:
        assert f["severity"] in ("info", "low", "medium", "high", "critical") and f["text"] and f["do"] and f["code"], f
    return answer, r.returncode, {f["code"]: f["severity"] for f in answer["findings"]}


def openssl(*options):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    p = subprocess.Popen(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-www", *options], stdin=subprocess.DEVNULL,
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return p, port
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("openssl s_server did not start")


with socket.socket() as nobody:
    nobody.bind(("127.0.0.1", 0))
    a, code, found = assess(nobody.getsockname()[1])
check("nobody listens: the failure, as JSON too", code == 3 and a["failure"]["code"] == "net.refused" and "certificate" not in a, a)
os.makedirs(f"{D}/web")
s = Server(f"{D}/web", "--alpn", "http/1.1", cert=CERT, key=KEY)
a, code, found = assess(s.port, "--fail-on", "low")
check("troth serve: versions", a["versions"] == ["TLS 1.3", "TLS 1.2"], a["versions"])
check("troth serve: six suites", len(a["suites"]) == 6 and "TLS_AES_128_GCM_SHA256" in a["suites"], a["suites"])
check("troth serve: groups, hybrid ones first", len(a["groups"]) >= 6 and a["groups"][0].upper() == "X25519MLKEM768", a["groups"])
check("troth serve: nothing at or above low", code == 0, a["findings"])
check("troth serve: ALPN, certificate", a["alpn"] == "http/1.1" and a["certificate"] == "ok", a)
r = run("check", f"localhost:{s.port}", "--ca", CA, status=0)
check("text", "versions" in r.stdout and "TLS 1.3, TLS 1.2" in r.stdout and "no findings" in r.stdout, r.stdout)
r = run("check", f"localhost:{s.port}", "--ca", CA, "--format", "md", status=0)
check("markdown", r.stdout.startswith("# localhost"), r.stdout[:80])
a, code, found = assess(s.port, host="127.0.0.1")
check("by its address", code == 0 and a["certificate"] == "ok", a)
run("ca", "issue", "elsewhere.example", "--out", D)
w = Server(f"{D}/web", cert=f"{D}/elsewhere.example.pem", key=f"{D}/elsewhere.example-key.pem")
a, code, found = assess(w.port)
check("another name: critical, exit status 1", code == 1 and found.get("cert.name-mismatch") == "critical" and a["versions"] == ["TLS 1.3", "TLS 1.2"], a)
run("ca", "issue", "localhost", "--days", "5", "--out", f"{D}/web", status=None)
os.makedirs(f"{D}/short")
for name in ("ca.pem", "ca-key.pem"):
    os.link(f"{D}/{name}", f"{D}/short/{name}")
run("ca", "issue", "localhost", "--days", "5", "--out", f"{D}/short")
e = Server(f"{D}/web", cert=f"{D}/short/localhost.pem", key=f"{D}/short/localhost-key.pem")
a, code, found = assess(e.port)
check("expires soon: high", code == 1 and found.get("check.expires-soon") == "high", found)
check("--fail-on critical lets it pass", assess(e.port, "--fail-on", "critical")[1] == 0)
for server in (s, w, e):
    check("ends in order", server.end() == 0, server.log()[-800:])
subprocess.run(["openssl", "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{D}/rsa.key", "-subj", "/CN=localhost", "-out", f"{D}/rsa.csr"],
               check=True, capture_output=True)
with open(f"{D}/ext", "w", encoding="utf-8") as f:
    f.write("subjectAltName=DNS:localhost\nkeyUsage=critical,digitalSignature,keyEncipherment\nextendedKeyUsage=serverAuth\nbasicConstraints=critical,CA:FALSE\n")
subprocess.run(["openssl", "x509", "-req", "-in", f"{D}/rsa.csr", "-CA", CA, "-CAkey", f"{D}/ca-key.pem", "-extfile", f"{D}/ext", "-days", "30", "-out",
                f"{D}/rsa.pem"], check=True, capture_output=True)
p, port = openssl("-cert", f"{D}/rsa.pem", "-key", f"{D}/rsa.key", "-cipher", "ALL:@SECLEVEL=0")
a, code, found = assess(port, "--fail-on", "medium")
p.terminate()
p.wait()
check("an old server: TLS 1.0 and 1.1 are found", {"check.tls10", "check.tls11"} <= set(found), found)
check("an old server: RSA key exchange is found", found.get("check.static-rsa") == "medium", found)
check("an old server: no post-quantum group is found", found.get("check.no-post-quantum") == "low", found)
check("an old server: exit status 1", code == 1)
p, port = openssl("-cert", f"{D}/rsa.pem", "-key", f"{D}/rsa.key", "-no_tls1_3", "-cipher", "ECDHE+AESGCM")
a, code, found = assess(port)
p.terminate()
p.wait()
check("TLS 1.2 alone is found, exit status 0 below --fail-on", found.get("check.no-tls13") == "medium" and code == 0, (found, code))
check("TLS 1.2 alone: its two suites", len(a["suites"]) == 2 and a["versions"] == ["TLS 1.2"], a)
with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
r = run("check", f"localhost:{port}", status=3)
check("nobody there: exit status 3", "net.refused" in r.stderr, r.stderr)
r = run("check", "localhost", "--fail-on", "always", status=2)
check("a severity that is none: exit status 2", "always" in r.stderr, r.stderr)
finish()
