"""An authority in two halves, whose root can go away; and certificates that take the place of others without anything being lost.
ctest: timeout=300"""
import json
import os
import resource
import shutil
import sqlite3
import subprocess
import time

from serving import D, TROTH, Server, authority, check, finish, home_page, refused, run

authority()
SPLIT, AWAY = f"{D}/split", f"{D}/away"
ROOT_KEY, AWAY_KEY = os.path.join(SPLIT, "root-key.pem"), os.path.join(AWAY, "root-key.pem")
os.mkdir(AWAY)


def listed(*args, out=SPLIT):
    return json.loads(run("ca", "list", "--json", "--out", out, *args).stdout)["certificates"]


def openssl(*args, status=0):
    r = subprocess.run(["openssl", *args], capture_output=True, text=True, check=False)
    assert r.returncode == status, (args, r)
    return r.stdout + r.stderr


def public(path, key=False):
    return openssl("pkey", "-in", path, "-pubout") if key else openssl("x509", "-in", path, "-noout", "-pubkey")


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


# ---- root and intermediate
answer = json.loads(run("ca", "init", "--intermediate", "--out", SPLIT, "--name", "Lab", "--constrain", "localhost", "--constrain", "example", "--json").stdout)
check("four files", sorted(os.listdir(SPLIT)) == ["ca-key.pem", "ca.db", "ca.pem", "root-key.pem", "root.pem"] and answer["root_key"] == ROOT_KEY, answer)
check("keys are ours alone", [os.stat(f"{SPLIT}/{k}-key.pem").st_mode & 0o777 for k in ("ca", "root")] == [0o600] * 2)
check("named apart", (answer["subject"], answer["issuer"]) == ("CN=Lab (issuing)", "CN=Lab"), answer)
text = openssl("x509", "-in", os.path.join(SPLIT, "root.pem"), "-noout", "-text"), openssl("x509", "-in", f"{SPLIT}/ca.pem", "-noout", "-text")
check("one authority below the root, none below that", "CA:TRUE, pathlen:1" in text[0] and "CA:TRUE, pathlen:0" in text[1])
check("the root knows its intermediate", [(c["for"], c["file"]) for c in listed()] == [("authority", "ca.pem")], listed())
os.rename(ROOT_KEY, AWAY_KEY)
run("ca", "issue", "localhost", "www.example", "--out", SPLIT, "--days", "60")
LEAF, KEY, ROOT, CRL = f"{SPLIT}/localhost.pem", f"{SPLIT}/localhost-key.pem", os.path.join(SPLIT, "root.pem"), f"{SPLIT}/crl.pem"
check("leaf and intermediate in one file", read(LEAF).count("BEGIN") == 2 and read(LEAF).endswith(read(f"{SPLIT}/ca.pem")))
run("verify", LEAF, "--roots", ROOT, "--host", "www.example")
r = run("verify", LEAF, f"{SPLIT}/ca.pem", ROOT, "--roots", ROOT)
check("several files that are a chain", r.stdout.startswith("accepted") and not r.stderr, r)
r = run("verify", "-q", LEAF, f"{D}/localhost.pem", "--roots", ROOT)
check("several that are none: the first is judged, and that is said", f"{D}/localhost.pem" in r.stderr and "not judged" in r.stderr and len(r.stderr.splitlines()) == 1, r)
openssl("verify", "-x509_strict", "-CAfile", ROOT, "-untrusted", LEAF, LEAF)
server = Server(home_page(), "--cert", LEAF, "--key", KEY)
run("get", "--ca", ROOT, f"https://localhost:{server.port}/")
server.end()
run("ca", "crl", "--out", SPLIT)
check("two lists in one file", read(CRL).count("BEGIN X509 CRL") == 2)
both = ("verify", LEAF, "--roots", ROOT, "--crl", CRL)
run(*both)
openssl("verify", "-crl_check_all", "-CAfile", ROOT, "-CRLfile", CRL, "-untrusted", LEAF, LEAF)

# ---- the root's list ends as well, and is to be made in time with the root's key
db = sqlite3.connect(f"{SPLIT}/ca.db")
db.execute("UPDATE crl SET next_update = 1700000000 WHERE number = 1 AND issuer = (SELECT issuer FROM certificate WHERE kind = 'authority')")
db.commit()
r = run("ca", "crl", "--out", SPLIT)
check("one that has ended is said", "root's list has ended" in r.stderr and r.stderr.count("\n") == 1 and read(CRL).count("BEGIN X509 CRL") == 2, r.stderr)
shutil.copy(AWAY_KEY, SPLIT)
r = run("ca", "crl", "--out", SPLIT)
check("with the key the next one is made", not r.stderr and read(CRL).count("BEGIN X509 CRL") == 2, r.stderr)
openssl("verify", "-crl_check_all", "-CAfile", ROOT, "-CRLfile", CRL, "-untrusted", LEAF, LEAF)
os.remove(ROOT_KEY)
check("and holds", not run("ca", "crl", "--out", SPLIT).stderr)
db.execute("CREATE TABLE kept AS SELECT * FROM crl")
db.execute("DELETE FROM crl WHERE issuer = (SELECT issuer FROM certificate WHERE kind = 'authority')")
db.commit()
refused(["crl.pem", "number 2", "know of 0"], "ca", "crl", "--out", SPLIT, status=8)
os.remove(CRL)
r = run("ca", "crl", "--out", SPLIT)
check("one that is not there is said", "root's list is not in the records" in r.stderr and read(CRL).count("BEGIN X509 CRL") == 1, r.stderr)
db.executescript("DELETE FROM crl; INSERT INTO crl SELECT * FROM kept; DROP TABLE kept")
db.close()
os.remove(CRL)
run("ca", "crl", "--out", SPLIT)

# ---- the root's key is needed for what only it can do
before = read(CRL)
refused(["root-key.pem"], "ca", "revoke", f"{SPLIT}/ca.pem", "--out", SPLIT, status=8)
refused(["root-key.pem"], "ca", "revoke", openssl("x509", "-in", f"{SPLIT}/ca.pem", "-noout", "-serial").strip()[7:], "--out", SPLIT, status=8)
refused(["ca.pem is there already"], "ca", "init", "--intermediate", "--out", f"{D}", status=8)
check("nothing was done", read(CRL) == before)
shutil.copy(AWAY_KEY, SPLIT)
run("ca", "revoke", f"{SPLIT}/ca.pem", "--reason", "cACompromise", "--out", SPLIT)
check("the intermediate is refused", "cert.revoked" in run(*both, status=1).stdout and "revoked" in
      openssl("verify", "-crl_check_all", "-CAfile", ROOT, "-CRLfile", CRL, "-untrusted", LEAF, LEAF, status=2))
for name in ("ca", "ca-key"):
    os.rename(f"{SPLIT}/{name}.pem", f"{AWAY}/{name}.pem")
os.remove(ROOT_KEY)
refused(["root-key.pem"], "ca", "init", "--intermediate", "--out", SPLIT, status=8)
shutil.copy(AWAY_KEY, SPLIT)
root = read(ROOT)
run("ca", "init", "--intermediate", "--out", SPLIT)
check("another intermediate under the same root", read(ROOT) == root and len(listed(out=SPLIT)) == 3)
run("ca", "issue", "next.example", "--out", SPLIT)
run("ca", "crl", "--out", SPLIT)
run("verify", f"{SPLIT}/next.example.pem", "--roots", ROOT, "--crl", CRL, "--host", "next.example")
run(*both, status=1)
refused(["cert.name-constraint"], "ca", "issue", "elsewhere.test", "--out", SPLIT)
os.rename(ROOT, os.path.join(AWAY, "root.pem"))
shutil.copy(f"{D}/ca.pem", ROOT)
refused(["root.pem", "not the root of ca.pem"], "ca", "issue", "x.example", "--out", SPLIT, status=8)
shutil.copy(os.path.join(AWAY, "root.pem"), ROOT)
refused(["--name", "54 at most"], "ca", "init", "--intermediate", "--out", f"{D}/none", "--name", "n" * 60)
check("no folder for nothing", not os.path.exists(f"{D}/none"))

# ---- renewing: same names and uses, new key, new dates, as long as before
run("ca", "issue", "shop.example", "192.0.2.1", "--out", D, "--days", "90")
run("ca", "issue", "--client", "shop.example", "--out", D)
os.chmod(f"{D}/shop.example.pem", 0o640)
old, old_key = read(f"{D}/shop.example.pem"), read(f"{D}/shop.example-key.pem")
first, = listed("192.0.2.1", out=D)
answer = json.loads(run("ca", "renew", "shop.example", "--out", D, "--json").stdout)
SHOP, SHOP_KEY, KEPT = f"{D}/shop.example.pem", f"{D}/shop.example-key.pem", f"{D}/shop.example-{first['serial'][:16]}"
check("names and place", answer["names"] == first["names"] and answer["certificate"] == SHOP and answer["replaced"] == f"{KEPT}.pem", answer)
check("the old pair is kept", (read(f"{KEPT}.pem"), read(f"{KEPT}-key.pem")) == (old, old_key))
check("the new pair belongs together", public(SHOP) == public(SHOP_KEY, key=True) != public(f"{KEPT}.pem"))
check("modes are those that were there", [os.stat(f).st_mode & 0o777 for f in (SHOP, SHOP_KEY, f"{KEPT}-key.pem")] == [0o640, 0o600, 0o600])
run("verify", SHOP, "--roots", f"{D}/ca.pem", "--host", "shop.example")
was, now = listed("192.0.2.1", out=D)
check("the records know both", (was["file"], now["file"], was["for"], now["for"]) == (os.path.basename(f"{KEPT}.pem"), "shop.example.pem", "server", "server"), (was, now))
check("as long as before", now["not_after"][:10] == was["not_after"][:10] and now["serial"] != was["serial"], (was, now))
client = read(f"{D}/shop.example-client.pem")
run("ca", "renew", "shop.example", "--client", "--out", D)
check("--client: that one", read(f"{D}/shop.example-client.pem") != client and "TLS Web Client" in openssl("x509", "-in", f"{D}/shop.example-client.pem", "-noout", "-text"))
key = read(SHOP_KEY)
run("ca", "renew", SHOP, "--same-key", "--days", "3", "--out", D)
check("--same-key, by file, with other days", read(SHOP_KEY) == key and public(SHOP) == public(SHOP_KEY, key=True) and len(listed("192.0.2.1", out=D)) == 3)
three = [c["serial"] for c in listed("192.0.2.1", out=D)]
check("what was replaced by one that lasts does not expire soon", [[c["serial"] for c in listed("--expiring", days, "192.0.2.1", out=D)] for days in ("7", "200")] ==
      [three[:1], [three[0], three[2]]], three)
run("ca", "renew", "localhost", "--out", SPLIT, status=2)  # what was issued by an intermediate that is not here any more
run("ca", "renew", "next.example", "--out", SPLIT)
check("with the intermediate behind it", read(f"{SPLIT}/next.example.pem").count("BEGIN") == 2)

# ---- which keys
for kind, of, shown in (("p384", "rsa2048", "P-384"), ("ed25519", "p521", "Ed25519"), ("rsa3072", "ed25519", "RSA 3072"), ("p521", "p384", "P-521")):
    run("ca", "init", "--out", f"{D}/{kind}", "--key-type", of, "-q")
    run("ca", "issue", "key.example", "--out", f"{D}/{kind}", "--key-type", kind, "-q")
    run("ca", "renew", "key.example", "--out", f"{D}/{kind}", "-q")
    run("ca", "crl", "--out", f"{D}/{kind}", "-q")
    run("verify", f"{D}/{kind}/key.example.pem", "--roots", f"{D}/{kind}/ca.pem", "--crl", f"{D}/{kind}/crl.pem", "--host", "key.example")
    openssl("verify", "-crl_check", "-CAfile", f"{D}/{kind}/ca.pem", "-CRLfile", f"{D}/{kind}/crl.pem", f"{D}/{kind}/key.example.pem")
    told = run("inspect", f"{D}/{kind}/key.example.pem").stdout
    check(f"{kind}, also when it is renewed", shown in told, told)
refused(["--key-type", "rsa4096"], "ca", "issue", "x.example", "--out", D, "--key-type", "rsa1024")
refused(["--key-type", "--csr"], "ca", "renew", SHOP, "--out", D, "--same-key", "--key-type", "p256")

# ---- however the folder is written, the records know the file
os.mkdir(f"{D}/way")
for f in ("ca.pem", "ca-key.pem"):
    shutil.copy(f"{D}/{f}", f"{D}/way")
run("ca", "issue", "way.example", "--out", f"{D}/way/")
for path, out in ((f"{D}/way/way.example.pem", f"{D}/way/"), (f"{D}/./way//way.example.pem", f"{D}/way"), ("way.example.pem", "."), ("./way.example.pem", ".")):
    run("ca", "renew", path, "--out", out, cwd=f"{D}/way")
check("whatever its path", [c["file"] is not None for c in listed(out=f"{D}/way")] == [True] * 5 and sum(c["file"] == "way.example.pem" for c in listed(out=f"{D}/way")) == 1, listed(out=f"{D}/way"))

# ---- stopped between the key and the certificate: the new key with the old certificate; the next one mends it
WAY = f"{D}/way/way.example"
now_, = [c for c in listed(out=f"{D}/way") if c["file"] == "way.example.pem"]
shutil.copy(f"{WAY}-key.pem", f"{WAY}-{now_['serial'][:16]}-key.pem")
shutil.copy(f"{D}/localhost-key.pem", f"{WAY}-key.pem")
refused(["is not the key of"], "ca", "renew", "way.example", "--same-key", "--out", f"{D}/way", status=8)
run("ca", "renew", "way.example", "--out", f"{D}/way", status=8, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10)))
check("a try that fails loses no key", public(f"{WAY}.pem") == public(f"{WAY}-{now_['serial'][:16]}-key.pem", key=True))
run("ca", "renew", "way.example", "--out", f"{D}/way")
check("both pairs belong together", all(public(f"{p}.pem") == public(f"{p}-key.pem", key=True) for p in (WAY, f"{WAY}-{now_['serial'][:16]}")))

# ---- links stay, what they lead to is replaced, and what was there is kept; never in place, and never over another file
FAR = f"{D}/far"
os.mkdir(FAR)
run("ca", "issue", "link.example", "--out", D)
for f in ("link.example.pem", "link.example-key.pem"):
    os.rename(f"{D}/{f}", f"{FAR}/{f}")
    os.symlink(f"far/{f}", f"{D}/{f}")
LINK, was = f"{D}/link.example", public(f"{D}/link.example.pem")
answer = json.loads(run("ca", "renew", "link.example", "--out", D, "--json").stdout)
kept = answer["replaced"][:-4]
check("the old pair is kept", public(f"{kept}.pem") == public(f"{kept}-key.pem", key=True) == was and not os.path.islink(f"{kept}-key.pem"), os.listdir(D))
check("and the new one is where they lead", os.path.islink(f"{LINK}.pem") and os.path.islink(f"{LINK}-key.pem") and
      public(f"{FAR}/link.example.pem") == public(f"{FAR}/link.example-key.pem", key=True) != was and os.stat(f"{kept}-key.pem").st_mode & 0o777 == 0o600)
old, = [c["serial"] for c in listed("link.example", out=D) if c["file"] == "link.example.pem"]
with open(f"{LINK}-{old[:16]}.pem", "w", encoding="utf-8") as f:
    f.write("mine")
refused([f"{LINK}-{old[:16]}.pem", "another one is there"], "ca", "renew", "link.example", "--out", D, status=8)
check("nor is that lost", read(f"{LINK}-{old[:16]}.pem") == "mine" and not os.path.exists(f"{LINK}-{old[:16]}-key.pem"))
shutil.copy(f"{LINK}.pem", f"{LINK}-{old[:16]}.pem")
run("ca", "renew", "link.example", "--out", D)
check("the same is no other", public(f"{LINK}-{old[:16]}-key.pem", key=True) == public(f"{LINK}-{old[:16]}.pem") != public(f"{LINK}.pem"))


def nobody():
    if not os.getuid():
        os.setgid(65534)
        os.setuid(65534)


files = [os.path.join(d, f) for d in (D, FAR) for f in os.listdir(d) if f.startswith(("ca", "link"))]
before = {f: read(f) for f in files if f.endswith(".pem")}
for f in files:
    os.chmod(f, 0o666)
os.chmod(D, 0o777)
os.chmod(FAR, 0o555)
r = run("ca", "renew", "link.example", "--out", D, status=8, preexec_fn=nobody)
check("a folder that is not to be written: all is as it was", r.stderr.count("\n") == 1 and {f: read(f) for f in before} == before and
      sum(f.startswith("link.example") for f in os.listdir(D)) == 6, (r.stderr, os.listdir(D)))
os.rename(f"{FAR}/link.example.pem", f"{LINK}.pem")
run("ca", "renew", "link.example", "--same-key", "--out", D, preexec_fn=nobody)
check("but the key of --same-key may be in one", public(f"{LINK}.pem") == public(f"{FAR}/link.example-key.pem", key=True) == public(f"{LINK}-key.pem", key=True))
os.chmod(FAR, 0o755)
os.chmod(f"{D}/ca-key.pem", 0o600)

# ---- for a key that is elsewhere
subprocess.run(["openssl", "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{D}/r.key", "-subj", "/", "-addext", "subjectAltName=DNS:mail.example", "-out",
                f"{D}/r.csr"], check=True, capture_output=True)
run("ca", "issue", "--csr", f"{D}/r.csr", "--out", D)
refused(["--csr"], "ca", "renew", "mail.example", "--out", D, status=8)
subprocess.run(["openssl", "req", "-new", "-newkey", "ed25519", "-nodes", "-keyout", f"{D}/r2.key", "-subj", "/", "-addext", "subjectAltName=DNS:other.example", "-out",
                f"{D}/r2.csr"], check=True, capture_output=True)
answer = json.loads(run("ca", "renew", "mail.example", "--csr", f"{D}/r2.csr", "--out", D, "--json").stdout)
check("the key of a request, the names of before", answer["names"] == ["DNS:mail.example"] and answer["key"] is None and public(f"{D}/mail.example.pem") == public(f"{D}/r2.key", key=True))

# ---- what is refused, or fails, replaces nothing
state = {f: read(f"{D}/{f}") for f in os.listdir(D) if f.endswith(".pem")}
run("ca", "issue", "gone.example", "--out", D)
run("ca", "revoke", "gone.example", "--out", D, "-q")
os.remove(f"{D}/crl.pem")
state.update({f: read(f"{D}/{f}") for f in os.listdir(D) if f.startswith("gone")})
for words, args, status in ((["revoked"], ("gone.example", "--same-key"), 2), (["no file"], ("nobody",), 8), (["did not issue"], (f"{SPLIT}/next.example.pem",), 2),
                            (["authority itself"], (f"{D}/ca.pem",), 2), (["needs one"], (), 2), (["--same-key", "--csr"], ("mail.example", "--same-key", "--csr", f"{D}/r.csr"), 2),
                            (["not a certificate"], (SHOP_KEY,), 8), (["--name"], ("shop.example", "--name", "x"), 2)):
    refused(words, "ca", "renew", *args, "--out", D, status=status)
count = len(listed(out=D))
for limit in (10, 300):  # of the certificate, and of the records
    r = run("ca", "renew", "shop.example", "--out", D, status=8, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
    check(f"a disk that is full at {limit}: one message", r.stderr.count("\n") == 1, r.stderr)
check("all is as it was", {f: read(f"{D}/{f}") for f in os.listdir(D) if f.endswith(".pem")} == state and len(listed(out=D)) == count,
      set(os.listdir(D)) ^ set(state))
many = [subprocess.Popen([TROTH, "ca", "renew", "shop.example", "--out", D, "-q"], stderr=subprocess.DEVNULL) for _ in range(4)]
ends = [p.wait(timeout=100) for p in many]
kept = [f[:-4] for f in os.listdir(D) if f.startswith("shop.example-") and f.endswith(".pem") and not f.endswith("-key.pem") and "client" not in f]
check("several at once leave a pair that belongs together", 0 in ends and set(ends) <= {0, 8} and public(SHOP) == public(SHOP_KEY, key=True), ends)
check("and so do all that were kept", len(kept) == 2 + ends.count(0) and all(public(f"{D}/{k}.pem") == public(f"{D}/{k}-key.pem", key=True) for k in kept), (kept, ends))
check("what was not put there was not issued", sorted(c["file"] for c in listed("192.0.2.1", out=D)) == sorted(["shop.example.pem"] + [k + ".pem" for k in kept]))

# ---- all that end soon, for cron
ALL = f"{D}/all"
run("ca", "init", "--out", ALL, "--not-before", "2024-01-01")
for name, *more in (("soon.example",), ("client.example", "--client"), ("moved.example",), ("gone.example",), ("late.example", "--days", "60"),
                    ("ended.example", "--not-before", time.strftime("%Y-%m-%d", time.gmtime(time.time() - 8 * 86400)), "--days", "5"),
                    ("long-ended.example", "--not-before", time.strftime("%Y-%m-%d", time.gmtime(time.time() - 90 * 86400)), "--days", "5")):
    run("ca", "issue", name, "--out", ALL, *(more if "--days" in more else ("--days", "5", *more)))
run("ca", "revoke", "gone.example", "--out", ALL)
os.remove(f"{ALL}/moved.example.pem")
for f in range(9):      # more than a run holds files
    run("ca", "issue", f"n{f}.example", "--days", "5", "--out", ALL)
check("list shows what has just ended as well", [(c["state"], c["names"]) for c in listed("--expiring", "14", "*ended*", out=ALL)] == [("expired", ["DNS:ended.example"])],
      listed("--expiring", "14", out=ALL))
soon = {"soon.example.pem", "client.example-client.pem", "ended.example.pem", *(f"n{f}.example.pem" for f in range(9))}
state = {f: read(f"{ALL}/{f}") for f in os.listdir(ALL) if f.endswith(".pem")}
answers = [json.loads(line) for line in run("ca", "renew", "--expiring", "14", "--out", ALL, "--json").stdout.splitlines()]
changed = {f for f in state if read(f"{ALL}/{f}") != state[f] and not f.endswith("-key.pem")}
check("what ends soon, and what ended just now", {os.path.basename(a["certificate"]) for a in answers} == changed == soon, (answers, changed))
check("each with its key", all(public(f"{ALL}/{f}") == public(f"{ALL}/{f[:-4]}-key.pem", key=True) for f in soon))
run("ca", "renew", "--expiring", "1", "--out", ALL)
check("nothing ends so soon: nothing is done, and nothing said", run("ca", "renew", "--expiring", "1", "--out", ALL).stdout == "")
os.rename(f"{ALL}/soon.example-key.pem", f"{ALL}/elsewhere")
r = run("ca", "renew", "--expiring", "14", "--out", ALL, "-q", status=8)
check("one that cannot be renewed is told, and the others are", "soon.example.pem: its key is not beside it" in r.stderr and r.stderr.count("\n") == 1 and not r.stdout and
      read(f"{ALL}/n8.example.pem").split("\n")[1:] != state["n8.example.pem"].split("\n")[1:], r)
for words, args in ((["alone"], ("soon.example",)), (["csr"], ("--csr", f"{D}/r.csr")), (["client"], ("--client",)), (["0 to 36500"], ("-1",))):
    refused(words, "ca", "renew", "--out", ALL, "--expiring", *(args if args == ("-1",) else ("14", *args)))
finish()
