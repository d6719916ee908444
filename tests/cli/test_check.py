"""troth check against servers that are set up well, and badly: what they speak, the findings, exit statuses, the formats.
ctest: label=interop slow timeout=400"""
import json
import os
import shutil
import socket
import subprocess
import sys
from xml.etree import ElementTree

from serving import D, Server, authority, check, finish, openssl_server, run

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


# ---- for build servers
def sarif(port, *options, status):
    o = json.loads(run("check", f"localhost:{port}", "--ca", CA, "--format", "sarif", *options, status=status).stdout)
    only = o["runs"][0]
    assert o["version"] == "2.1.0" and len(o["runs"]) == 1 and only["tool"]["driver"]["name"] == "troth check", o
    rules = [r["id"] for r in only["tool"]["driver"]["rules"]]
    for result in only["results"]:
        place = result["locations"][0]
        assert rules.count(result["ruleId"]) == 1 and result["message"]["text"] and result["level"] in ("error", "warning", "note"), result
        assert place["physicalLocation"]["artifactLocation"]["uri"] == f"https://localhost:{port}/", place
    assert only["invocations"][0]["exitCode"] == status, only["invocations"]
    return only, {r["ruleId"]: r["level"] for r in only["results"]}


def junit(port, *options, status):
    suite = ElementTree.fromstring(run("check", f"localhost:{port}", "--ca", CA, "--format", "junit", *options, status=status).stdout).find("testsuite")
    cases = suite.findall("testcase")
    for name, tag in (("failures", "failure"), ("errors", "error")):
        assert int(suite.get(name)) == len(suite.findall(f"testcase/{tag}")), ElementTree.tostring(suite)
    assert int(suite.get("tests")) == len(cases), ElementTree.tostring(suite)
    return {c.get("name"): c for c in cases}


subprocess.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{D}/odd.key", "-subj",
                "/CN=a<b>&\"c\x01d\u2014", "-utf8", "-out", f"{D}/odd.csr"], check=True, capture_output=True)
with open(f"{D}/odd.ext", "w", encoding="utf-8") as f:
    f.write("subjectAltName=DNS:localhost\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\nbasicConstraints=critical,CA:FALSE\n")
subprocess.run(["openssl", "x509", "-req", "-in", f"{D}/odd.csr", "-CA", CA, "-CAkey", f"{D}/ca-key.pem", "-extfile", f"{D}/odd.ext", "-days", "5", "-out",
                f"{D}/odd.pem"], check=True, capture_output=True)
odd = Server(f"{D}/web", cert=f"{D}/odd.pem", key=f"{D}/odd.key")
for server, what in ((e, "plain"), (odd, "with odd names")):
    only, levels = sarif(server.port, status=1)
    check(f"SARIF, {what}: what ends soon is an error", levels["check.expires-soon"] == "error" and only["invocations"][0]["executionSuccessful"], only)
    cases = junit(server.port, status=1)
    check(f"JUnit, {what}: it is a failed test", cases["check.expires-soon"].find("failure").get("type") == "high" and cases["connect"].find("error") is None,
          list(cases))
check("JUnit: the names as they are", "a<b>&" in cases["check.expires-soon"].find("failure").text, cases["check.expires-soon"].find("failure").text)
cases = junit(odd.port, "--fail-on", "critical", status=0)
check("JUnit: below --fail-on it has passed, and is told", "expires soon" in cases["check.expires-soon"].find("system-out").text, list(cases))
only, levels = sarif(s.port, status=0)
check("SARIF: nothing to say", levels == {} and only["results"] == [], only)
check("JUnit: one test, passed", list(junit(s.port, status=0)) == ["connect"])
odd.end()
with socket.socket() as nobody:
    nobody.bind(("127.0.0.1", 0))
    only, levels = sarif(nobody.getsockname()[1], status=3)
    check("SARIF: nobody there", only["invocations"][0]["toolExecutionNotifications"][0]["descriptor"]["id"] == "net.refused"
          and not only["invocations"][0]["executionSuccessful"], only)
    check("JUnit: nobody there", junit(nobody.getsockname()[1], status=3)["connect"].find("error").get("type") == "net.refused")
for server in (s, w, e):
    check("ends in order", server.end() == 0, server.log()[-800:])
subprocess.run(["openssl", "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{D}/rsa.key", "-subj", "/CN=localhost", "-out", f"{D}/rsa.csr"],
               check=True, capture_output=True)
with open(f"{D}/ext", "w", encoding="utf-8") as f:
    f.write("subjectAltName=DNS:localhost\nkeyUsage=critical,digitalSignature,keyEncipherment\nextendedKeyUsage=serverAuth\nbasicConstraints=critical,CA:FALSE\n")
subprocess.run(["openssl", "x509", "-req", "-in", f"{D}/rsa.csr", "-CA", CA, "-CAkey", f"{D}/ca-key.pem", "-extfile", f"{D}/ext", "-days", "30", "-out",
                f"{D}/rsa.pem"], check=True, capture_output=True)
p, port = openssl_server("-cert", f"{D}/rsa.pem", "-key", f"{D}/rsa.key", "-cipher", "ALL:@SECLEVEL=0")
a, code, found = assess(port, "--fail-on", "medium")
p.terminate()
p.wait()
check("an old server: TLS 1.0 and 1.1 are found", {"check.tls10", "check.tls11"} <= set(found), found)
check("an old server: RSA key exchange is found", found.get("check.static-rsa") == "medium", found)
check("an old server: no post-quantum group is found", found.get("check.no-post-quantum") == "low", found)
check("an old server: exit status 1", code == 1)
p, port = openssl_server("-cert", f"{D}/rsa.pem", "-key", f"{D}/rsa.key", "-no_tls1_3", "-cipher", "ECDHE+AESGCM")
a, code, found = assess(port)
p.terminate()
p.wait()
check("TLS 1.2 alone is found, exit status 0 below --fail-on", found.get("check.no-tls13") == "medium" and code == 0, (found, code))
check("TLS 1.2 alone: its two suites", len(a["suites"]) == 2 and a["versions"] == ["TLS 1.2"], a)
for key, suite, code in (("rsa", "ECDHE-RSA-NULL-SHA", "check.broken-suite"), ("localhost", "ECDHE-ECDSA-NULL-SHA", "check.broken-suite"),
                         ("localhost", "AECDH-AES128-SHA", "check.anonymous-suite"), ("localhost", "ADH-AES256-GCM-SHA384", "check.anonymous-suite")):
    pair = (f"{D}/rsa.pem", f"{D}/rsa.key") if key == "rsa" else (CERT, KEY)
    p, port = openssl_server("-cert", pair[0], "-key", pair[1], "-no_tls1_3", "-cipher", f"ECDHE+AESGCM:{suite}:@SECLEVEL=0")
    a, exits, found = assess(port)
    p.terminate()
    p.wait()
    check(f"{suite}, with a key of {key}: {code} alone", {c for c in found if c.endswith("-suite")} == {code} and found[code] == "high" and exits == 1, (found, exits))
for bits, weak in (("1536", True), ("2048", False)):
    subprocess.run(["openssl", "genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt", "group:modp_" + bits, "-out", f"{D}/dh.pem"], check=True, capture_output=True)
    p, port = openssl_server("-cert", f"{D}/rsa.pem", "-key", f"{D}/rsa.key", "-no_tls1_3", "-dhparam", f"{D}/dh.pem",
                             "-cipher", "ECDHE+AESGCM:DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES128-SHA:@SECLEVEL=0")
    a, exits, found = assess(port)
    p.terminate()
    p.wait()
    saw = [f["evidence"] for f in a["findings"] if f["code"] == "check.small-dh"]
    check(f"a group of {bits} bits", bool(saw) == weak and exits == weak and all("1536 bits" in s and "DHE_RSA" in s for s in saw), (found, exits, saw))
    check("a suite in CBC mode", found.get("check.cbc-suite") == "low", found)
with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
r = run("check", f"localhost:{port}", status=3)
check("nobody there: exit status 3", "net.refused" in r.stderr, r.stderr)
r = run("check", "localhost", "--fail-on", "always", status=2)
check("a severity that is none: exit status 2", "always" in r.stderr, r.stderr)
finish()
