"""Addresses of revocation lists, responders and issuers: remembered for an authority, said by what it issues; records of an older troth.
ctest: timeout=300"""
import functools
import http.server
import json
import os
import resource
import shutil
import socket
import sqlite3
import subprocess
import threading

from serving import D, TROTH, check, finish, refused, run

SPLIT, OLD, B = f"{D}/split", f"{D}/old", "http://pki.example"


def openssl(*args, status=0):
    r = subprocess.run(["openssl", *args], capture_output=True, text=True, check=False)
    assert r.returncode == status, (args, r)
    return r.stdout + r.stderr


def said(path):
    """The addresses in a certificate: [list, responder, issuer], as openssl and as troth read them."""
    lines = [l.strip() for l in openssl("x509", "-in", path, "-noout", "-text").split("\n")]
    found = [[l[len(what):] for l in lines if l.startswith(what)] for what in ("URI:", "OCSP - URI:", "CA Issuers - URI:")]
    shown = run("inspect", path, "-v").stdout.split("\n\n")[0].replace("caIssuers URI:", "").replace("OCSP URI:", "")
    check(f"inspect shows them: {os.path.basename(path)}", all(u in shown for f in found for u in f) and shown.count("http") == sum(map(len, found)), (found, shown))
    return [f[0] if len(f) == 1 else f or None for f in found]


def urls(*args, out=D):
    return json.loads(run("ca", "urls", "--out", out, "--json", *args).stdout)


def own(*args, out=D):
    o = urls(*args, out=out)["authority"]
    return [o["crl_url"], o["ocsp_url"], o["issuer_url"]]


# ---- one authority: it is not about itself, but about what it issues, whatever way
given = ("--crl-url", f"{B}/ca.crl", "--ocsp-url", f"{B}/ocsp", "--issuer-url", f"{B}/ca.cer")
ALL = list(given[1::2])
r = run("ca", "init", "--out", D, "--name", "Our tests", *given)
check("what to do is said", f"troth ca crl --out {D}" in r.stdout and not r.stderr, r)
check("the root says nothing of itself", said(f"{D}/ca.pem") == [None] * 3)
check("they are remembered", urls() == {"schema": "troth.ca-urls/1", "root": None, "authority":
      {"subject": "CN=Our tests", "crl_url": ALL[0], "ocsp_url": ALL[1], "issuer_url": ALL[2]}}, urls())
table = run("ca", "urls", "--out", D).stdout
check("also in words", all(u in table for u in ALL) and "Our tests" in table and table.count("\n") == 4, table)
run("ca", "issue", "localhost", "--out", D)
run("ca", "issue", "--client", "me.example", "--out", D)
subprocess.run(["openssl", "req", "-new", "-newkey", "ed25519", "-nodes", "-keyout", f"{D}/r.key", "-subj", "/", "-addext", "subjectAltName=DNS:asked.example",
                "-addext", "crlDistributionPoints=URI:http://elsewhere.example/", "-out", f"{D}/r.csr"], check=True, capture_output=True)
run("ca", "issue", "--csr", f"{D}/r.csr", "--out", D)
for name in ("localhost", "me.example-client", "asked.example"):
    check(f"issued: {name}", said(f"{D}/{name}.pem") == ALL, said(f"{D}/{name}.pem"))
run("verify", f"{D}/localhost.pem", "--roots", f"{D}/ca.pem", "--host", "localhost")
openssl("verify", "-x509_strict", "-CAfile", f"{D}/ca.pem", f"{D}/localhost.pem")

# ---- others later, or none: for what is issued or renewed from then on
check("one changes, one goes, one stays", own("--ocsp-url", f"{B}/ask?x=1,2;y", "--issuer-url", "") == [ALL[0], f"{B}/ask?x=1,2;y", None], own())
check("what was issued stays as it is", said(f"{D}/localhost.pem") == ALL)
run("ca", "renew", "localhost", "--out", D)
check("renewed: as it is now", said(f"{D}/localhost.pem") == own() == [ALL[0], f"{B}/ask?x=1,2;y", None], said(f"{D}/localhost.pem"))
check("none", own("--crl-url", "", "--ocsp-url", "") == [None] * 3)
run("ca", "issue", "none.example", "--out", D)
check("then none is said", said(f"{D}/none.example.pem") == [None] * 3)
check("a long one", own("--crl-url", f"{B}/" + "x" * (1023 - len(B)))[0] == f"{B}/" + "x" * (1023 - len(B)))
run("ca", "issue", "long.example", "--out", D)
check("is whole", said(f"{D}/long.example.pem")[0] == own()[0])
os.rename(f"{D}/ca-key.pem", f"{D}/away.pem")
check("no key is needed", own("--crl-url", f"{B}/ca.crl")[0] == f"{B}/ca.crl")
os.rename(f"{D}/away.pem", f"{D}/ca-key.pem")

# ---- root and intermediate: each certificate says who issued it
run("ca", "init", "--intermediate", "--out", SPLIT, *given, "--root-crl-url", f"{B}/top.crl", "--root-issuer-url", f"{B}/top.cer")
run("ca", "issue", "localhost", "--out", SPLIT)
ROOT = os.path.join(SPLIT, "root.pem")
check("the root, its intermediate, and what that issues", [said(p) for p in (ROOT, f"{SPLIT}/ca.pem", f"{SPLIT}/localhost.pem")] ==
      [[None] * 3, [f"{B}/top.crl", None, f"{B}/top.cer"], ALL])
both = urls("--root-ocsp-url", f"{B}/top", out=SPLIT)
check("both are known", own(out=SPLIT) == ALL and both["root"]["crl_url"] == f"{B}/top.crl" and both["root"]["ocsp_url"] == f"{B}/top", both)
run("ca", "crl", "--out", SPLIT)
for stem in ("ca", "root"):
    check(f"what is to be served, {stem}: one list and one certificate in DER", "CRL Number" in openssl("crl", "-inform", "DER", "-in", f"{SPLIT}/{stem}.crl", "-noout", "-text") and
          openssl("x509", "-inform", "DER", "-in", f"{SPLIT}/{stem}.cer") == openssl("x509", "-in", f"{SPLIT}/{stem}.pem"))
run("verify", f"{SPLIT}/localhost.pem", "--roots", ROOT, "--crl", f"{SPLIT}/ca.crl", "--crl", os.path.join(SPLIT, "root.crl"), "--host", "localhost")
urls("--crl-url", "", out=SPLIT)
run("ca", "revoke", "localhost", "--out", SPLIT)
check("what older certificates lead to goes on", "Serial Number" in openssl("crl", "-inform", "DER", "-in", f"{SPLIT}/ca.crl", "-noout", "-text"))
for name in ("ca", "ca-key"):
    os.remove(f"{SPLIT}/{name}.pem")
run("ca", "init", "--intermediate", "--out", SPLIT, "--crl-url", f"{B}/second.crl")
run("ca", "issue", "second.example", "--out", SPLIT)
check("the next intermediate: the root's are remembered, its own are its own", [said(f"{SPLIT}/{n}.pem") for n in ("ca", "second.example")] ==
      [[f"{B}/top.crl", f"{B}/top", f"{B}/top.cer"], [f"{B}/second.crl", None, None]])
run("ca", "crl", "--out", D)
os.remove(f"{D}/ca.crl")
os.mkdir(f"{D}/ca.crl")
refused(["ca.crl", "run troth ca crl"], "ca", "crl", "--out", D, status=8, lines=1)
os.rmdir(f"{D}/ca.crl")
run("ca", "crl", "--out", D)
check("nothing to serve where no address is", not os.path.exists(f"{D}/ca.cer") and os.path.exists(f"{D}/ca.crl"))

# ---- what is no address
for url in ("ftp://x.example/", "x.example/ca.crl", "HTTP://x.example/", "http:/x", "http://", "http:///x", "http://a b/", "http://x.example/a b", "http://bücher.example/",
            "http://x.example/bücher", "http://u:p@x.example/", "http://x.example:99999/", "http://x.example:/", "http://x.example/#x", "http://x.example/%zz", "http://x.example/%2",
            "http://::1/", "http://[::zz]/", "http://[::1/", "http://a..b/", "http://.b/", "http://a!b/", "http://x.example/\"", "http://x.example/\x1b[31m", "http://x.example/\n",
            "http://" + "a" * 300 + "/", f"{B}/" + "x" * (1024 - len(B)), "file:///ca.crl", "ldap://x.example/", "http://x.example\\x", " http://x.example/"):
    refused(["--crl-url"], "ca", "urls", "--out", D, "--crl-url", url, lines=2)
for args in (("--ocsp-url", "x"), ("--issuer-url", "x"), ("--root-crl-url", f"{B}/x"), ("--intermediate", "--root-ocsp-url", "x"),
             ("--intermediate", "--crl-url", f"{B}/x", "--root-crl-url", f"{B}/x")):
    refused(["--crl-url" if args[0] == "--root-crl-url" else args[-2]], "ca", "init", "--out", f"{D}/none", *args, lines=1)
check("no folder for nothing", not os.path.exists(f"{D}/none"))
refused(["no root here"], "ca", "urls", "--out", D, "--root-crl-url", f"{B}/x")
refused(["takes no names"], "ca", "urls", "x", "--out", D)
refused(["goes with troth ca init or urls"], "ca", "issue", "x", "--crl-url", f"{B}/x", "--out", D)
refused(["troth ca init"], "ca", "urls", "--out", f"{D}/none", status=8)
r = run("ca", "urls", "--out", D, "--ocsp-url", "https://pki.example/")
check("over https few come", r.stderr.count("\n") == 1 and "RFC 5280 8" in r.stderr and "https://pki.example/" in r.stdout, r)
check("what was refused changed nothing", own() == [f"{B}/ca.crl", "https://pki.example/", None], own())

# ---- served at that address, it is found, and believed
WEB = f"{D}/live"


class Quiet(http.server.SimpleHTTPRequestHandler):
    hosts, paths = [], []

    def do_GET(self):
        self.hosts.append(self.headers["Host"])
        self.paths.append(self.path)
        super().do_GET()

    def log_message(self, *_):
        pass


web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=WEB))
threading.Thread(target=web.serve_forever, daemon=True).start()
HERE = f"http://127.0.0.1:{web.server_port}"
run("ca", "init", "--intermediate", "--out", WEB, "--crl-url", f"{HERE}/ca.crl", "--root-crl-url", HERE + "/" + "root.crl")
run("ca", "issue", "live.example", "--out", WEB)
run("ca", "crl", "--out", WEB)
ask = ("verify", f"{WEB}/live.example.pem", "--roots", os.path.join(WEB, "root.pem"), "--host", "live.example", "--crl-fetch")
peer = ("verify", "-crl_download", "-crl_check", "-CAfile", os.path.join(WEB, "root.pem"), "-untrusted", f"{WEB}/ca.pem", f"{WEB}/live.example.pem")
run(*ask)
check("by its whole name", set(Quiet.hosts) == {HERE[7:]}, Quiet.hosts)
openssl(*peer)
run("ca", "revoke", "live.example", "--out", WEB)
check("revoked", "cert.revoked" in run(*ask, status=1).stdout and "certificate revoked" in openssl(*peer, status=2))


class Six(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6


six = Six(("::1", 0), functools.partial(Quiet, directory=WEB))
threading.Thread(target=six.serve_forever, daemon=True).start()
place = f"[::1]:{six.server_address[1]}"
urls("--crl-url", f"http://{place}/ca.crl?from=six", out=WEB)
run("ca", "renew", "live.example", "--out", WEB)
run(*ask)
check("also at an IPv6 address", (Quiet.hosts[-2], Quiet.paths[-2]) == (place, "/ca.crl?from=six"), (Quiet.hosts, Quiet.paths))

# ---- what others issue is fetched as it can be asked for
with open(f"{WEB}/odd.ext", "w", encoding="utf-8") as f:
    f.write(f"crlDistributionPoints=URI:HTTP://127.0.0.1:{web.server_port}/ca.crl?a b\nsubjectAltName=DNS:live.example\nextendedKeyUsage=serverAuth\n")
openssl("req", "-new", "-key", f"{WEB}/live.example-key.pem", "-subj", "/CN=odd", "-out", f"{WEB}/odd.csr")
openssl("x509", "-req", "-in", f"{WEB}/odd.csr", "-CA", f"{WEB}/ca.pem", "-CAkey", f"{WEB}/ca-key.pem", "-set_serial", "77", "-days", "9", "-extfile", f"{WEB}/odd.ext", "-out", f"{WEB}/odd.pem")
with open(f"{WEB}/odd.pem", "a", encoding="utf-8") as f:
    f.write(open(f"{WEB}/ca.pem", encoding="utf-8").read())
r = run("verify", f"{WEB}/odd.pem", *ask[2:], status=None)
check("a blank, and a scheme in capitals", Quiet.paths[-2] == "/ca.crl?a%20b" and r.returncode == 0, (Quiet.paths[-2:], r))
for server in (web, six):
    server.shutdown()

# ---- records of an older troth, which knew of no addresses
LAYOUT1 = """CREATE TABLE certificate (
 id INTEGER PRIMARY KEY, issuer BLOB NOT NULL CHECK (length(issuer) = 32), serial BLOB NOT NULL CHECK (length(serial) BETWEEN 1 AND 64), subject TEXT NOT NULL,
 names TEXT NOT NULL, kind TEXT NOT NULL CHECK (kind IN ('server', 'client', 'authority')), file TEXT, not_before INTEGER NOT NULL, not_after INTEGER NOT NULL,
 spki_sha256 BLOB NOT NULL, sha256 BLOB NOT NULL UNIQUE, der BLOB NOT NULL, made INTEGER NOT NULL, revoked INTEGER, reason INTEGER, listed INTEGER,
 UNIQUE (issuer, serial)) STRICT;
CREATE INDEX replaced ON certificate (names, issuer, kind);
CREATE TABLE crl (issuer BLOB PRIMARY KEY, number INTEGER NOT NULL, this_update INTEGER NOT NULL, next_update INTEGER NOT NULL, der BLOB NOT NULL) STRICT;
PRAGMA application_id = 1953645377; PRAGMA user_version = 1; PRAGMA journal_mode = WAL;"""


def older(folder):
    """That authority, with its records as layout 1 has them."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(SPLIT, folder)
    os.remove(f"{folder}/ca.db")
    db = sqlite3.connect(f"{folder}/ca.db")
    db.executescript(LAYOUT1)
    db.execute("ATTACH ? AS newer", (f"{SPLIT}/ca.db",))
    for t in ("certificate", "crl"):
        db.execute(f"INSERT INTO {t} SELECT * FROM newer.{t}")
    db.commit()
    db.close()


def dump(folder):
    """(layout, what every table of layout 1 has)"""
    db = sqlite3.connect(f"{folder}/ca.db")
    rows = [db.execute(f"SELECT * FROM {t} ORDER BY 1").fetchall() for t in ("certificate", "crl")]
    layout, whole = db.execute("PRAGMA user_version").fetchone()[0], db.execute("PRAGMA integrity_check").fetchone()
    db.close()
    assert whole == ("ok",), whole
    return layout, rows


def bytes_of(path):
    with open(path, "rb") as f:
        return f.read()


older(OLD)
before, raw = dump(OLD), bytes_of(f"{OLD}/ca.db")
check("layout 1", before[0] == 1 and len(before[1][0]) == 4 and len(before[1][1]) == 2, before[0])
check("who looks changes nothing", run("ca", "list", "--out", OLD).stdout == run("ca", "list", "--out", SPLIT).stdout and own(out=OLD) == [None] * 3 and
      bytes_of(f"{OLD}/ca.db") == raw and not [f for f in os.listdir(OLD) if f.startswith("ca.db-")], os.listdir(OLD))
check("who writes brings it forward", own("--crl-url", f"{B}/late.crl", out=OLD) == [f"{B}/late.crl", None, None] and dump(OLD) == (2, before[1]), dump(OLD)[0])
run("ca", "issue", "later.example", "--out", OLD)
check("and goes on", said(f"{OLD}/later.example.pem")[0] == f"{B}/late.crl")
later = {"issue": ("ca", "issue", "z.example"), "renew": ("ca", "renew", "second.example"), "revoke": ("ca", "revoke", "second.example"), "crl": ("ca", "crl"),
         "ocsp": ("ca", "ocsp", "second.example"), "taken in": ("ca", "revoke", f"{OLD}/second.example.pem")}
for what, args in later.items():
    older(OLD)
    run(*args, "--out", OLD)
    now = dump(OLD)
    check(f"{what}, first of all", now[0] == 2 and {c[0:2] for c in before[1][0]} <= {c[0:2] for c in now[1][0]}, now[0])
    run("ca", "crl", "--out", OLD)
older(OLD)
for name in ("ca", "ca-key"):
    os.remove(f"{OLD}/{name}.pem")
run("ca", "init", "--intermediate", "--out", OLD, "--root-crl-url", f"{B}/r.crl")
check("another intermediate", dump(OLD)[0] == 2 and said(f"{OLD}/ca.pem") == [f"{B}/r.crl", None, None])

# ---- many at once; a full disk; who may not write
older(OLD)
many = [subprocess.Popen([TROTH, "ca", "issue", f"host{i}.example", "--out", OLD, "-q"]) for i in range(6)]
many += [subprocess.Popen([TROTH, "ca", "list", "--out", OLD, "-q"]) for i in range(3)] + [subprocess.Popen([TROTH, "ca", "crl", "--out", OLD, "-q"])]
ends = [p.wait(timeout=100) for p in many]
after = dump(OLD)
check("ten at once", ends == [0] * 10 and after[0] == 2 and after[1][0][:4] == before[1][0] and len(after[1][0]) == 10, (ends, after[0]))
older(OLD)
r = run("ca", "urls", "--crl-url", f"{B}/x", "--out", OLD, status=8, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2048, 2048)))
check("a full disk: all of before", r.stderr.count("\n") == 1 and "ca.db" in r.stderr and dump(OLD) == before, (r.stderr, dump(OLD)[0]))


def nobody():
    if not os.getuid():
        os.setgid(65534)
        os.setuid(65534)


os.chmod(D, 0o755)
for f in ("ca.db", "ca.pem", "root.pem"):
    os.chmod(os.path.join(OLD, f), 0o444)
os.chmod(OLD, 0o555)
for args in (("list",), ("urls",)):
    r = subprocess.run([TROTH, "ca", *args, "--out", OLD], capture_output=True, text=True, preexec_fn=nobody, check=False)
    check(f"who may only look: {args}", r.returncode == 0 and r.stdout and not r.stderr, r)
r = subprocess.run([TROTH, "ca", "urls", "--crl-url", f"{B}/x", "--out", OLD], capture_output=True, text=True, preexec_fn=nobody, check=False)
check("who may only look sets nothing", r.returncode == 8 and r.stderr.count("\n") == 1 and "ca.db" in r.stderr, r)
os.chmod(OLD, 0o755)
for f in ("ca.db", "ca.pem"):
    os.chmod(f"{OLD}/{f}", 0o644)

# ---- what is none of ours, or damaged
for sql, word, both in (("PRAGMA user_version = 3", "newer troth", True), ("PRAGMA user_version = 0", "damaged", True), ("PRAGMA user_version = -5", "damaged", True),
                        ("PRAGMA application_id = -5", "another program", True), ("PRAGMA user_version = 2", "no such table: urls", False),
                        ("DROP TABLE certificate", "no such table: certificate", False)):
    older(OLD)
    db = sqlite3.connect(f"{OLD}/ca.db")
    db.execute(sql)
    db.commit()
    db.close()
    refused([f"{OLD}/ca.db", word], "ca", "issue", "x.example", "--out", OLD, status=8, lines=1)
    check(f"nothing was made: {sql}", not os.path.exists(f"{OLD}/x.example.pem"))
    if both:
        refused([f"{OLD}/ca.db", word], "ca", "urls", "--out", OLD, status=8, lines=1)
for url, words in (("http://x.example/" + "x" * 2000, ["too long"]), ("http://bücher.example/", ["--crl-url", "troth ca urls"]), ("URI:x,DNS:y", ["--crl-url", "troth ca urls"])):
    db = sqlite3.connect(f"{SPLIT}/ca.db")
    db.execute("UPDATE urls SET crl_url = ?", (url,))
    db.commit()
    db.close()
    for args in (("issue", "x.example"), ("renew", "second.example"), ("urls",)):
        refused(["ca.db", *words], "ca", *args, "--out", SPLIT, status=8, lines=1)
check("and is mended", own("--crl-url", f"{B}/x", "--root-crl-url", "", out=SPLIT)[0] == f"{B}/x" and not run("ca", "issue", "x.example", "--out", SPLIT).stderr)
finish()
