"""Every option does what its line of --help says, or is refused: what needs another, what contradicts another, words and numbers that
are none.  One message each, exit status as in troth(1).
ctest: timeout=300 slow"""
import json
import os
import re
import signal
import subprocess

from serving import D, TROTH, Server, ask, authority, check, finish, home_page, refused, run

authority()
CA, CERT, KEY = f"{D}/ca.pem", f"{D}/localhost.pem", f"{D}/localhost-key.pem"
run("ca", "issue", "--client", "me", "--out", D)
ME = ("--cert", f"{D}/me-client.pem", "--key", f"{D}/me-client-key.pem")
web = home_page()


# ---- what does not go together
own = ("--cert", CERT, "--key", KEY)
for words, args in (
        (["--client-ca"], ("serve", *own, "--crl", CA)), (["--client-ca"], ("serve", *own, "--client-auth", "optional")),
        (["--wrap"], ("proxy", *own, "--backend", "127.0.0.1:9", "--ca", CA)), (["--wrap"], ("proxy", *own, "--backend", "127.0.0.1:9", "--pin", "00")),
        (["--wrap"], ("proxy", *own, "--backend", "127.0.0.1:9", "--crl", CA)), (["--wrap", "clear"], ("proxy", "--wrap", "localhost", "--tickets", "1")),
        (["--wrap", "clear"], ("proxy", "--wrap", "localhost", "--client-ca", CA)),
        (["--wrap", "clear"], ("proxy", "--wrap", "localhost", "--session-cache", "5")), (["--cert"], ("connect", "a.example", "--key", KEY)),
        (["--cert"], ("serve", "--staple", CA)), (["--session"], ("connect", "a.example", "--early-data", CA)),
        (["-v or --html"], ("connect", "a.example", "--redact")), (["choose one"], ("connect", "-4", "-6", "a.example")),
        (["choose one"], ("connect", "-q", "-v", "a.example")), (["--json is"], ("check", "--json", "--format", "md", "a.example")),
        (["--log json"], ("serve", *own, "--json", "--log", "logfmt")), (["explain --json"], ("connect", "-v", "--json", "a.example")),
        (["the same"], ("verify", "--time", "2026-01-01", "--at", "2026-01-01", CERT)), (["one thing"], ("explain", "--error", "x", "--pcap", "y")),
        (["init"], ("ca", "issue", "--constrain", "x", "y")), (["init"], ("ca", "issue", "--name", "x", "y")), (["issue"], ("ca", "init", "--client"))):
    refused(words, *args)
# ---- values that are none
for words, args in (
        (["auto, always, never"], ("connect", "--color", "blue", "a.example")), (["0 to 16"], ("serve", *own, "--tickets", "many")),
        (["0 to 16"], ("serve", *own, "--tickets", "17")),
        (["--session-cache", "0 to"], ("serve", *own, "--session-cache", "all")), (["--early-max"], ("serve", *own, "--early-max", "-1")),
        (["info, low, medium"], ("check", "--fail-on", "grave", "a.example")), (["text, json, md"], ("check", "--format", "xml", "a.example")),
        (["summary, steps"], ("explain", "--depth", "all", "a.example")), (["server, client"], ("verify", "--purpose", "fun", CERT)),
        (["web, rfc5280"], ("verify", "--profile", "mine", CERT)), (["logfmt, json, journald"], ("serve", *own, "--log", "xml")),
        (["required, optional"], ("serve", *own, "--client-ca", CA, "--client-auth", "perhaps")),
        (["neither 64 hexadecimal"], ("connect", "--pin", "ab:cd", "a.example")), (["neither 64 hexadecimal"], ("connect", "--pin", "A" * 43 + "!", "a.example")),
        (["is not a time"], ("verify", "--time", "yesterday", CERT)), (["is not a time"], ("ca", "issue", "--not-before", "soon", "x", "--out", D)),
        (["--days"], ("ca", "init", "--days", "0")), (["--wait"], ("connect", "--wait", "long", "a.example")),
        (["40 to 1000"], ("explain", "--width", "3", "a.example")), (["none of its verbs: init, issue"], ("ca", "make")), (["keygen"], ("ech", "make")),
        (["--public-name"], ("ech", "keygen")), (["is not a registered name"], ("get", "--sigs", "md5", "a.example"))):
    refused(words, *args)
for verb in (("serve", *own), ("proxy", *own, "--backend", "127.0.0.1:9")):
    refused(["--listen", "at most 16"], *verb, "-q", *(17 * ("--listen", "127.0.0.1:0")))
    refused(["65535"], *verb, "-q", "--listen", "127.0.0.1:99999")
for words, args in ((["No such file"], ("connect", "--ca", "/no/such", "a.example")), (["No such file"], ("connect", "--session", "/x", "--early-data", "/no/such", "a.example")),
                    (["No such file"], ("verify", "--roots", CA, "/no/such")), (["directory"], ("verify", "--roots", CA, "--ocsp-response", D, CERT)),
                    (["No such file"], ("inspect", "/no/such")), (["is a directory"], ("inspect", D)), (["ct"], ("verify", "--roots", CA, "--ct-logs", CA, CERT)),
                    (["No such file"], ("serve", *own, "--client-ca", CA, "--crl", "/no/such")),
                    (["No such file"], ("serve", *own, "--staple", "/no/such")), (["directory"], ("serve", *own, "--ech-key", D)),
                    (["directory"], ("connect", "--ech-config", D, "a.example")), (["No such file"], ("connect", "--ech-config", "no-such.pem", "a.example")), (["no key log", "/no/such/x"], ("connect", "--keylog", "/no/such/x", "a.example")),
                    (["/no/such/x"], ("serve", *own, "--listen", "127.0.0.1:0", "--port-file", "/no/such/x", "-q")),
                    (["No space left"], ("proxy", *own, "--backend", "127.0.0.1:9", "--listen", "127.0.0.1:0", "--port-file", "/dev/full", "-q"))):
    refused(words if words != ["ct"] else [CA], *args, status=8)
# ---- every option that a verb does not have is refused by it; every one that it has stands in its help
options = dict(re.findall(r'^OPT\((\w+),\s*"([^"]+)"', open(os.environ["SRC_DIR"] + "/cli/options.def", encoding="utf-8").read(), re.M))
verbs = re.findall(r'^VERB\(\w+, "([^"]+)"', open(os.environ["SRC_DIR"] + "/cli/verbs.def", encoding="utf-8").read(), re.M)
wrong = []
for verb in verbs:
    known = set(re.findall(r"--([a-z0-9-]+)", run(verb, "--help").stdout))
    for name in options.values():
        if not any(k.startswith(name) for k in known):  # words may be shortened
            r = run(verb, f"--{name}", status=None)
            if r.returncode != 2 or "means nothing here" not in r.stderr:
                wrong.append((verb, name, r.stderr))
check("what a verb does not know it refuses", not wrong, wrong[:3])

# ---- tickets
for count, kept in (("0", False), ("1", True)):
    s = Server(web, "--tickets", count, cert=CERT, key=KEY)
    path = f"{D}/session{count}"
    run("connect", "--ca", CA, "--session", path, f"localhost:{s.port}")
    check(f"--tickets {count}", os.path.exists(path) == kept)
    s.end()
# ---- sessions of TLS 1.2 by id, for clients without tickets
def by_id(server, *args):
    r = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-CAfile", CA, "-tls1_2", "-no_ticket", *args],
                       stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return re.findall("^(New|Reused), TLSv1.2", r.stdout, re.M)


s = Server(web, cert=CERT, key=KEY)
check("the session cache: one new, five resumed", by_id(s, "-reconnect") == ["New"] + 5 * ["Reused"])
by_id(s, "-sess_out", f"{D}/before")
check("and again", by_id(s, "-sess_in", f"{D}/before") == ["Reused"])
s.kill(signal.SIGHUP)
check("until the configuration is read again", s.said("event=reload result=ok") and by_id(s, "-sess_in", f"{D}/before") == ["New"])
s.end()
s = Server(web, "--session-cache", "0", cert=CERT, key=KEY)
check("--session-cache 0", by_id(s, "-reconnect") == 6 * ["New"])
s.end()
s = Server(web, "--session-cache", "2", cert=CERT, key=KEY)
for name in "abc":
    by_id(s, "-sess_out", f"{D}/id-{name}")
check("--session-cache 2: the oldest goes first", [by_id(s, "-sess_in", f"{D}/id-{name}") for name in "cb"] == 2 * [["Reused"]])
check("and is a stranger then", by_id(s, "-sess_in", f"{D}/id-a") == ["New"])
s.end()
# ---- what was asked for and cannot be written: one message, exit status 8; and none when a reader has gone before the end
s = Server(web, cert=CERT, key=KEY)
with open(f"{web}/big", "wb") as f:
    f.write(b"x" * 200000)
site, page, big = f"localhost:{s.port}", f"https://localhost:{s.port}/", f"https://localhost:{s.port}/big"
for args in (("connect", "--html", "/no/such/x", site), ("connect", "--html", "/dev/full", site), ("connect", "--record", "/no/such/x", site),
             ("connect", "--session", "/no/such/x", site),
             ("get", "-o", "/dev/full", page), ("get", "-o", "/dev/full", big), ("get", "-o", "/no/such/x", page)):
    path = next(a for a in args if a in ("/dev/full", "/no/such/x"))
    refused([path, "No "], *args, "--ca", CA, status=8)
for args in (("get", "--ca", CA, page), ("get", "--ca", CA, big), ("connect", "--ca", CA, "--json", site), ("explain", "--ca", CA, site), ("inspect", CA),
             ("verify", "--roots", CA, CERT), ("ech", "keygen", "--public-name", "a.example"), ("version",), ("get", "--help")):
    with open("/dev/full", "w", encoding="utf-8") as full:
        r = subprocess.run([TROTH, *args], stdout=full, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, timeout=60, check=False)
    said = [line for line in r.stderr.splitlines() if line.startswith("troth")]
    check("to a full disk: " + " ".join(args), r.returncode == 8 and len(said) == 1 and "standard output: " in said[0], (r.returncode, r.stderr))
    reader, pipe = os.pipe()
    os.close(reader)
    r = subprocess.run([TROTH, *args], stdout=pipe, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, timeout=60, check=False)
    os.close(pipe)
    check("to nobody: " + " ".join(args), r.returncode == 8 and not any(line.startswith("troth") for line in r.stderr.splitlines()), (r.returncode, r.stderr))
s.end()
# ---- early data, taken and not
request = f"{D}/request"
with open(request, "w", encoding="utf-8") as f:
    f.write("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
for most, words in (("16384", "early data accepted"), ("0", "no early data")):
    s = Server(web, "--early-max", most, cert=CERT, key=KEY)
    session = f"{D}/early{most}"
    run("connect", "--ca", CA, "--session", session, f"localhost:{s.port}")
    r = run("connect", "--ca", CA, "--session", session, "--early-data", request, f"localhost:{s.port}")
    check(f"--early-max {most}: the answer comes", r.stdout.endswith("<h1>home</h1>"), (r.stdout, r.stderr))
    check(f"--early-max {most}: and connect says what became of it", words in r.stderr, r.stderr)
    s.end()
r = run("connect", "--session", f"{D}/never", "--early-data", request, "--ca", CA, "localhost:1", status=3)
# ---- a failure says the command that explains it, with what it depends on
s = Server(web, cert=CERT, key=KEY)
for args in (("--ca", CA, "--sni", "it's", "--pin", "1" * 64), ("--roots", CA, "--pin", "0" * 64, "-4"), ("--ca", CA, "--max", "1.2", "--time", "2001-01-01", "--json", "--session", "x"),
             ("--ca", CA, "--proxy", "http://me:secret@127.0.0.1:1")):
    r = run("connect", *(a for a in args if a != "--json"), f"localhost:{s.port}", status=None)
    told = re.search(r"more +(troth explain .*?) *\(exit", " ".join(r.stderr.split()))
    again = subprocess.run(["sh", "-c", told[1].replace("troth", '"$TROTH"', 1)], capture_output=True, text=True, timeout=60, check=False) if told else None
    same = "--proxy" in args or re.search(r"\[([a-z.-]+)\]", r.stderr)[1] in again.stdout
    check(f"explain it: {args[2]}", told and CA in told[1] and same and "secret" not in told[1] and again.returncode in (0, r.returncode), (r.stderr, again))
s.end()
# ---- compression
s = Server(web, cert=CERT, key=KEY)
plain = Server(web, "--no-compress", cert=CERT, key=KEY)
for port, args, compressed in ((s.port, (), True), (s.port, ("--no-compress",), False), (plain.port, (), False)):
    r = run("explain", "--ca", CA, *args, f"localhost:{port}", "--depth", "steps")
    check(f"certificate compression {args} {port == plain.port}", ("CompressedCertificate" in r.stdout) == compressed, r.stdout[:600])
# ---- colour
for args, coloured in ((("--color", "always"), True), (("--color", "never"), False), ((), False)):
    texts = [run("verify", *args, "--roots", CA, "--host", "localhost", CERT).stdout, run("inspect", *args, CERT).stdout,
             run("explain", *args, "--ca", CA, f"localhost:{s.port}").stdout, run("connect", *args, "--ca", CA, f"localhost:{s.port}").stderr,
             run("check", *args, "--ca", CA, f"localhost:{s.port}", status=None).stdout]
    check(f"colour {args}", all(("\x1b[" in t) == coloured for t in texts[:4]), [t[:80] for t in texts])
# ---- pins, both ways of writing; the wrong one
hexpin = re.search(r"[0-9a-f]{64}", json.dumps([o for o in json.loads(run("inspect", "--json", CERT).stdout)["objects"]]).lower())
der = subprocess.run(["openssl", "x509", "-in", CERT, "-pubkey", "-noout"], check=True, capture_output=True).stdout
spki = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=der, check=True, capture_output=True).stdout
import base64
import hashlib
digest = hashlib.sha256(spki).digest()
for pin in (digest.hex(), digest.hex(":"), digest.hex().upper(), base64.b64encode(digest).decode()):
    r = run("connect", "--ca", CA, "--pin", pin, f"localhost:{s.port}", status=None)
    check("pin " + pin, r.returncode == 0, r.stderr)
r = run("connect", "--ca", CA, "--pin", "00" * 32, f"localhost:{s.port}", status=None)
check("a pin of another key", r.returncode == 5, r.stderr)
# ---- revocation is asked for by every verb that takes the options; these certificates name nobody to ask
for verb in ("connect", "get", "explain", "check"):
    r = run(verb, "--ca", CA, "--ocsp", f"localhost:{s.port}", status=None)
    check(f"{verb} --ocsp asks", "revocation.unknown" in r.stdout + r.stderr, (r.returncode, r.stderr[-300:]))
# ---- SCTs
logs = f"{D}/logs.json"
with open(logs, "w", encoding="utf-8") as f:
    key = base64.b64encode(spki).decode()
    json.dump({"operators": [{"name": "o", "logs": [{"description": "a log", "key": key}, {"description": "another", "key": key}]}]}, f)
r = run("verify", "--roots", CA, "--host", "localhost", "--ct-logs", logs, CERT, status=None)
check("verify --ct-logs: no SCT, no acceptance", r.returncode == 1 and "ct." in r.stdout, (r.stdout, r.stderr))
r = run("connect", "--ca", CA, "--ct-logs", logs, f"localhost:{s.port}", status=None)
check("connect --ct-logs", r.returncode == 5 and "ct." in r.stderr, r.stderr)
s.end()
plain.end()
# ---- client certificates
for how, args, status in (("required", (), 6), ("required", ME, 0), ("optional", (), 0), ("optional", ME, 0)):
    s = Server(web, "--client-ca", CA, "--client-auth", how, cert=CERT, key=KEY)
    r = run("connect", "--ca", CA, *args, f"localhost:{s.port}", status=None)
    check(f"--client-auth {how} {'with' if args else 'without'} a certificate", r.returncode == status, r.stderr)
    s.end()
# ---- the flight recorder
kept = f"{D}/flight"
s = Server(web, "--record", kept, cert=CERT, key=KEY)
run("connect", "--ca", CA, f"localhost:{s.port}")
check("--record keeps nothing of what went well", not os.listdir(kept))
run("connect", f"localhost:{s.port}", status=5)
check("--record keeps what failed", s.said("recording") and len(os.listdir(kept)) == 1 and os.stat(kept).st_mode & 0o77 == 0, os.listdir(kept))
r = run("explain", os.path.join(kept, os.listdir(kept)[0]), status=None)
check("and troth explain reads it", "ClientHello" in r.stdout and "unknown_ca" in r.stdout, r.stdout[-800:] + r.stderr)
s.end()
# ---- the log as JSON
for args in (("--json",), ("--log", "json")):
    s = Server(web, *args, "-v", cert=CERT, key=KEY)
    ask(s.port, CA, "/")
    s.end()
    lines = [json.loads(line) for line in s.log().splitlines()]
    check(f"the log as JSON {args}", {"listening", "handshake", "request"} <= {line["event"] for line in lines}, lines)
# ---- an authority that begins early
old = f"{D}/old"
run("ca", "init", "--out", old, "--not-before", "2020-01-01", "--days", "10000")
run("ca", "issue", "--out", old, "--not-before", "2020-06-01", "--days", "10", "past.example")
r = run("verify", "--roots", f"{old}/ca.pem", "--host", "past.example", "--time", "2020-06-05", f"{old}/past.example.pem")
check("ca init --not-before, and a certificate of then", "accepted" in r.stdout)
refused(["2020-01-01", "ca init --not-before"], "ca", "issue", "--out", old, "--not-before", "2019-06-01", "older.example")
finish()
