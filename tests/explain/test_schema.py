"""Whatever a verb prints with --json keeps to its published schema (docs/schema): every code of the catalogue, every verb, good and bad.
ctest: timeout=900

connect's and explain's own JSON are validated for every failure by tests/lab and tests/explain/test_json.py."""
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

try:
    import jsonschema
except ImportError:
    print("no python3-jsonschema")
    sys.exit(77)
TROTH, SRC = os.environ["TROTH"], os.environ["SRC_DIR"]
if not os.path.exists(TROTH) or not shutil.which("openssl"):
    sys.exit(77)
home = tempfile.TemporaryDirectory(prefix="schema")
D = home.name
validators, seen = {}, {}
for path in glob.glob(f"{SRC}/docs/schema/*.json"):
    schema = json.load(open(path, encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    name, version = os.path.basename(path)[:-5].rsplit("-", 1)
    assert schema["$id"] == f"troth.{name}/{version}" and schema["properties"]["schema"]["const"] == schema["$id"], path
    validators[schema["$id"]] = jsonschema.Draft202012Validator(schema)


def run(*args, status=None, stdin=""):
    r = subprocess.run([TROTH, *args], capture_output=True, text=True, timeout=60, input=stdin)
    assert status is None or r.returncode == status, (args, r.returncode, r.stdout[-300:], r.stderr[-300:])
    return r.stderr if args[0] == "get" and r.returncode != 2 else r.stdout


def holds(*args, status=None, stdin=""):
    o = json.loads(run(*args, "--json", status=status, stdin=stdin))
    wrong = list(validators[o["schema"]].iter_errors(o))
    assert not wrong, (args, wrong[0].json_path, wrong[0].message)
    seen[o["schema"]] = seen.get(o["schema"], 0) + 1
    return o


# ---- the catalogue: every code, as JSON and in words, complete
catalogue = []
for path in glob.glob(f"{SRC}/include/troth/reasons*.def"):
    catalogue += re.findall(r'^R\(\s*\d+,\s*\w+,\s*\w+,\s*"([^"]+)"', open(path, encoding="utf-8").read(), re.M)
catalogue = [c for c in catalogue if c != "ok"]
assert len(catalogue) > 300 and len(set(catalogue)) == len(catalogue), len(catalogue)
for code in catalogue:
    o = holds("explain", "--error", code, status=0)
    text = run("explain", "--error", code, status=0)
    lines = text.splitlines()
    words = " ".join(text.split())
    assert o["code"] == code and lines[0] == code, (code, lines)
    for part, label in (("text", "means"), ("who", "who acts"), ("hint", "do")):
        assert o[part] and f"{label} {' '.join(o[part].split())}" in words, (code, label, words)
    assert len(lines) <= 12 and max(map(len, lines)) <= 100, (code, lines)
    assert ("alert" in o) == ("is what the other side is told" in words), code
    for advice in ("insecure", "--no-verify", "disable verification", "skip verification", "turn off verification"):
        assert advice not in words.lower(), (code, advice)

with tempfile.TemporaryDirectory() as out:
    subprocess.run([f"{SRC}/tools/make-man", out, SRC], check=True, stdout=subprocess.DEVNULL)
    page = open(f"{out}/troth-errors.7.scd", encoding="utf-8").read().replace("\\", "")
    lacks = [code for code in catalogue if code not in page]
    assert not lacks, ("troth-errors(7)", lacks)

assert "libcrypto" in holds("version", status=0)["libraries"]

# ---- other people's errors
holds("explain-error", "certificate has expired", status=0)
holds("explain-error", "unable to get local issuer certificate, wrong version number, no shared cipher, bad decrypt", status=0)

# ---- a certificate authority, and what there is to say of its certificates
holds("ca", "init", "--out", D, status=0)
holds("ca", "issue", "localhost", "127.0.0.1", "--out", D, status=0)
assert [c["names"] for c in holds("ca", "list", "--out", D, status=0)["certificates"]] == [["DNS:localhost", "IP:127.0.0.1"]]
assert holds("ca", "list", "nobody", "--out", D, status=0)["certificates"] == []
assert holds("ca", "crl", "--out", D, status=0)["number"] == 1
assert holds("ca", "ocsp", "localhost", "--out", D, status=0)["status"] == "good"
run("ca", "issue", "lost.example", "--out", f"{D}", status=0)
assert holds("ca", "revoke", "lost.example", "--reason", "keyCompromise", "--out", D, status=0)["certificate"]["revoked"]["reason"] == "keyCompromise"
assert holds("ca", "list", "--revoked", "--out", D, status=0)["certificates"][0]["state"] == "revoked"
assert holds("ca", "renew", "lost.example", "--out", D, status=0)["replaced"]
assert holds("ca", "urls", "--crl-url", "http://pki.example/ca.crl", "--out", D, status=0)["authority"]["ocsp_url"] is None
assert holds("ca", "init", "--intermediate", "--out", f"{D}/two", status=0)["root"] == f"{D}/two/root.pem"
assert holds("ca", "urls", "--root-issuer-url", "http://pki.example/root.cer", "--out", f"{D}/two", status=0)["root"]["issuer_url"]
assert holds("ca", "request", "new.example", "--out", D, status=0)["names"] == ["DNS:new.example"]
os.remove(f"{D}/new.example-key.pem")
subprocess.run(["certutil", "-N", "-d", "sql:" + (os.mkdir(f"{D}/db") or f"{D}/db"), "--empty-password"], check=True)
assert holds("ca", "trust", "--out", D, f"{D}/db", status=0)["stores"][0]["trusts"]
for name in (*[f for f in os.listdir(D) if f.startswith("lost.example-")], "lost.example.pem", "crl.pem"):
    os.remove(f"{D}/{name}")
pems = sorted(f"{D}/{f}" for f in os.listdir(D) if f.endswith(".pem"))
keys = [p for p in pems if "PRIVATE KEY" in open(p, encoding="utf-8").read()]
certs = [p for p in pems if "CERTIFICATE" in open(p, encoding="utf-8").read()]
authority = next(p for p in certs if "localhost" not in p)
leaf = next(p for p in certs if "localhost" in p)
assert len(holds("inspect", *certs, *keys, status=0)["objects"]) >= len(certs) + len(keys)
subprocess.run(["openssl", "x509", "-in", leaf, "-outform", "DER", "-out", f"{D}/leaf.der"], check=True)
holds("inspect", f"{D}/leaf.der", status=0)
open(f"{D}/nothing", "w", encoding="utf-8").write("nothing of the kind")
assert holds("inspect", f"{D}/nothing", leaf)["objects"]
for more, status in (((), 0), (("--host", "localhost"), 0), (("--host", "other.example"), 1), (("--at", "2001-01-01"), 1), (("--until-it-breaks",), 0),
                     (("--explain",), 0), (("--purpose", "email"), 1)):
    o = holds("verify", leaf, "--ca", authority, *more, status=status)
    assert o["accepted"] == (status == 0) and (o["error"] is None) == o["accepted"]
assert not holds("verify", f"{D}/nothing", "--ca", authority)["accepted"]
assert not holds("verify", leaf, "--ca", leaf, "--host", "x.example", status=1)["accepted"]

# ---- a connection to nobody
o = holds("connect", "127.0.0.1:9", status=3)
assert o["code"] == "net.refused"
assert holds("get", "https://127.0.0.1:9/", status=3)["failure"]["who"] == "peer"  # more of it: tests/cli/test_get.py
o = holds("explain", "127.0.0.1:9", status=3)
for cert in certs:
    key = cert[:-4] + "-key.pem"
    if "localhost" not in cert or not os.path.exists(key):
        continue
    server = subprocess.Popen(["openssl", "s_server", "-accept", "127.0.0.1:0", "-www", "-cert", cert, "-key", key], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    port = next(line.strip().rsplit(":", 1)[1] for line in server.stdout if line.startswith("ACCEPT "))
    try:
        assert holds("check", f"localhost:{port}", "--ca", authority, "--for", "nginx")["certificate"] == "ok"
        assert holds("check", f"localhost:{port}", "--ca", cert)["versions"]
        assert holds("connect", f"localhost:{port}", "--ca", authority, status=0)["ok"]
    finally:
        server.terminate()
        server.wait()
data = f"{SRC}/tests/explain/data"
for pcap in sorted(glob.glob(data + "/*.pcapng")):
    holds("explain", pcap, status=0)
print("schemas hold: " + ", ".join(f"{k} {n} times" for k, n in sorted(seen.items())))
missing = set(validators) - set(seen) - {"troth.recording/1"}  # that one: test_flight.py
assert not missing, missing
