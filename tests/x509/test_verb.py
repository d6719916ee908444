#!/usr/bin/env python3
"""troth verify as a program: exit statuses, bundles in any order, standard input, JSON, every path explained, when it breaks."""
import base64
import json
import os
import subprocess
import sys
import tempfile

troth = os.environ.get("TROTH", "")
if not os.path.exists(troth):
    print("no program here")
    sys.exit(77)
src = os.environ["SRC_DIR"]
cases = {c["id"]: c for c in json.load(open(f"{src}/tests/vectors/limbo/limbo-dev.json"))["testcases"]}
chain = cases["webpki::cryptographydotio-chain"]
tmp = tempfile.TemporaryDirectory()
when = ["--time", "2023-07-10T00:00:00Z"]


def put(name, text):
    path = os.path.join(tmp.name, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    mode = "wb" if isinstance(text, bytes) else "w"
    with open(path, mode) as f:
        f.write(text)
    return path


def run(*args, stdin=None):
    p = subprocess.run([troth, "verify", *args], input=stdin, capture_output=True, text=True, timeout=60)
    return p.returncode, p.stdout, p.stderr


def expect(what, got, status, *words):
    code, out, err = got
    missing = [w for w in words if w not in out + err]
    if code != status or missing:
        print(f"{what}: status {code}, wanted {status}; missing {missing}\n{out}{err}")
        sys.exit(1)


def der(pem):
    return base64.b64decode("".join(line for line in pem.splitlines() if "-----" not in line))


root, leaf, mids = "".join(chain["trusted_certs"]), chain["peer_certificate"], "\n".join(chain["untrusted_intermediates"])
roots, leaves, inters = put("roots.pem", root), put("leaf.pem", leaf), put("mid.pem", mids)
host = ["--host", "cryptography.io"]

expect("accepted", run("--roots", roots, "--intermediates", inters, *when, *host, leaves), 0, "accepted", "not checked: revocation")
expect("missing", run("--roots", roots, *when, *host, leaves), 1, "[cert.missing-intermediate]")
expect("a directory", run("--roots", roots, "--untrusted", os.path.dirname(put("dir/mid.pem", mids)), *when, *host, leaves), 0)
put("dir/README", "no certificate is in here")
expect("and what else is in it", run("--roots", roots, "--untrusted", os.path.join(tmp.name, "dir"), *when, *host, leaves), 0)
expect("root first, leaf last", run("--roots", roots, *when, *host, put("b.pem", root + "\n" + mids + "\n" + leaf)), 0)
expect("standard input", run("--roots", roots, *when, *host, "-", stdin=leaf + "\n" + mids), 0)
expect("DER", run("--roots", put("r.der", der(chain["trusted_certs"][0])), "--intermediates", inters, *when, *host, put("l.der", der(leaf))), 0)
expect("wrong name", run("--roots", roots, "--intermediates", inters, *when, "--host", "example.org", leaves), 1, "[cert.name-mismatch]", "cryptography.io")
for asked, why in (("https://cryptography.io/", "is neither a DNS name"), ("cryptography.io:443", "is neither a DNS name"), ("\U0001f61c.example", "--host \U0001f61c.example: ")):
    expect("no name: " + asked, run("--roots", roots, "--intermediates", inters, *when, "--host", asked, leaves), 1, "[cert.impossible-name]", why, "who     you:")
expect("no mailbox", run("--roots", roots, "--intermediates", inters, *when, "--purpose", "server", "--email", "cryptography.io", leaves), 1,
       "[cert.impossible-name]", "no mailbox")
expect("no such file", run("--roots", os.path.join(tmp.name, "none"), leaves), 8, "none")
expect("no such leaf", run("--roots", roots, os.path.join(tmp.name, "none")), 8, "none")
expect("not a certificate", run("--roots", roots, put("junk.pem", "hello")), 1, "rejected")
expect("broken root", run("--roots", put("bad.pem", root.replace("MII", "MIJ", 1)), "--intermediates", inters, *when, *host, leaves), 1, "rejected")
cut = put("cut.pem", mids + "\n" + leaf.replace("-----END", "AAAA\n-----END"))
expect("which file is broken", run("--roots", roots, "--untrusted", cut, *when, *host, leaves), 1, "[der.trailing-bytes]", f"file    {cut}, certificate 2 in it",
       "field   Certificate, at byte")
expect("which file has no certificate", run("--roots", roots, "--untrusted", put("key.pem", "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n"), leaves), 1,
       "[config.is-key]", "key.pem\n")
# PrivateKeyInfo of Ed25519 (RFC 8410 10.3), and the frame of a PKCS#12 file
expect("a private key in DER", run("--roots", roots, put("key.der", bytes.fromhex("302e020100300506032b657004220420") + bytes(32))), 1,
       "[config.is-key]", "key.der\n")
expect("a PKCS#12 file", run("--roots", roots, put("both.p12", bytes.fromhex("3012020103300d06092a864886f70d010701a000"))), 1,
       "[config.is-pkcs12]", "both.p12\n")
expect("which file has expired", run("--roots", roots, "--intermediates", inters, "--time", "2024-01-01", *host, leaves), 1, "[cert.expired]",
       f"file    {leaves}, certificate 1 in it")
expect("which roots are broken", run("--roots", put("bad.pem", root.replace("MII", "MIJ", 1)), leaves), 1, "bad.pem")
expect("purpose", run("--purpose", "fun", leaves), 2, "fun")
expect("time", run("--time", "yesterday", leaves), 2)
expect("every check", run("--roots", roots, "--intermediates", inters, *when, *host, "--explain", leaves), 0, "path 1: accepted", "RFC 5280 6.1.3(a)(1)", "bytes")
expect("breaks", run("--roots", roots, "--intermediates", inters, "--at", "2023-07-10T00:00:00Z", *host, "--until-it-breaks", leaves), 0, "breaks: 2023-", "[cert.expired]")

code, out, _ = run("--json", "--roots", roots, "--intermediates", inters, *when, *host, leaves)
o = json.loads(out)
assert code == 0 and o["schema"] == "troth.verify/1" and o["accepted"] and o["error"] is None, o
good = [p for p in o["paths"] if p["accepted"]][0]
assert good["certificates"][0]["file"] == leaves and good["certificates"][1]["file_index"] == 0 and "file" not in good["certificates"][2], good
assert "2.23.140.1.2.1" in o["policies"] and "2.5.29.32.0" not in o["policies"], o["policies"]
assert len(good["certificates"]) == 3 and good["certificates"][2]["given"] == -1 and good["checks"], good
code, out, _ = run("--json", "--roots", roots, *when, *host, leaves)
o = json.loads(out)
assert o["error"]["file"] == leaves and o["error"]["file_index"] == 0 and "policies" not in o, o
assert code == 1 and not o["accepted"] and o["error"]["code"] == "cert.missing-intermediate" and o["error"]["who"] == "peer", o
code, out, _ = run("--json", "--roots", put("bad2.pem", "nonsense"), leaves)
assert code == 1 and not json.loads(out)["accepted"], out
