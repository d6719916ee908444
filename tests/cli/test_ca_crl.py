"""What an authority takes back: the list says so, to troth, openssl and nginx; numbers grow, nothing is dropped too soon, nothing is lost.
ctest: timeout=300"""
import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import time

from serving import D, TROTH, Server, authority, check, finish, home_page, refused, run

authority()
CA, CRL = f"{D}/ca.pem", f"{D}/crl.pem"
for name in ("alice", "bob"):
    run("ca", "issue", "--client", name, "--out", D)
for name in ("a.example", "b.example"):
    run("ca", "issue", name, "--out", D)


def parsed(path=CRL):
    """(number, {serial: reason}), as openssl reads it; its signature is right."""
    r = subprocess.run(["openssl", "crl", "-in", path, "-noout", "-text", "-CAfile", os.path.join(os.path.dirname(path), "ca.pem")], capture_output=True,
                       text=True, check=True)
    assert "verify OK" in r.stderr, r.stderr
    entries = {}
    for part in r.stdout.split("Serial Number: ")[1:]:
        reason = re.search(r"Reason Code: *\n *(.+)", part)
        entries[part.split("\n")[0].strip().lower()] = reason and reason[1]
    return int(re.search(r"CRL Number: *\n *(\d+)", r.stdout)[1]), entries


def serial(name, out=D):
    return [c["serial"] for c in json.loads(run("ca", "list", "--json", name, "--out", out).stdout)["certificates"]]


def verdicts(name):
    """troth's and openssl's, of a certificate and the list."""
    troth = run("verify", "--roots", CA, "--crl", CRL, "--purpose", "any", f"{D}/{name}.pem", status=None)
    other = subprocess.run(["openssl", "verify", "-crl_check", "-CAfile", CA, "-CRLfile", CRL, f"{D}/{name}.pem"], capture_output=True, text=True, check=False)
    return (troth.returncode, "cert.revoked" in troth.stdout), (other.returncode, "certificate revoked" in other.stderr)


# ---- an empty list, and one with an entry
r = run("ca", "crl", "--out", D)
check("the first list is number 1", parsed() == (1, {}) and "number 1" in r.stdout, (parsed(), r.stdout))
check("anybody may read it", os.stat(CRL).st_mode & 0o777 == 0o644)
check("all is good", verdicts("a.example") == ((0, False), (0, False)), verdicts("a.example"))
answer = json.loads(run("ca", "revoke", "a.example", "--reason", "keyCompromise", "--out", D, "--days", "3", "--json").stdout)
a, = serial("a.example")
check("by name", parsed() == (2, {a: "Key Compromise"}) and answer["certificate"]["serial"] == a and answer["number"] == 2, (parsed(), answer))
check("--days is until when", abs(time.mktime(time.strptime(answer["next_update"], "%Y-%m-%dT%H:%M:%SZ")) - time.mktime(time.gmtime()) - 3 * 86400) < 600, answer)
check("it is refused", verdicts("a.example") == ((1, True), (2, True)), verdicts("a.example"))
check("and no other", verdicts("b.example") == ((0, False), (0, False)), verdicts("b.example"))
run("ca", "revoke", f"{D}/alice-client.pem", "--out", D)
alice, = serial("alice")
check("by file; no reason is no reason code", parsed() == (3, {a: "Key Compromise", alice: None}), parsed())
b, = serial("b.example")
run("ca", "revoke", ":".join(re.findall("..", b.upper())), "--reason", "superseded", "--out", D, "-q")
check("by serial number, however it is written", parsed() == (4, {a: "Key Compromise", alice: None, b: "Superseded"}), parsed())
r = run("ca", "revoke", "b.example", "--reason", "keyCompromise", "--out", D)
check("once more: date and reason stay", "superseded" in r.stdout and parsed()[1][b] == "Superseded" and parsed()[0] == 5, r.stdout)
shown = run("ca", "list", "--revoked", "--out", D).stdout
check("list --revoked", shown.count("(revoked 20") == 3 and "keyCompromise" in shown, shown)

# ---- what is not clear is not done
before = parsed()
for name in ("b.example", "b.example-key"):
    os.remove(f"{D}/{name}.pem")
run("ca", "issue", "b.example", "--out", D)
os.rename(f"{D}/b.example.pem", f"{D}/first.pem")
os.remove(f"{D}/b.example-key.pem")
run("ca", "issue", "b.example", "--out", D)
two = [s for s in serial("b.example") if s != b]
refused(["name of 2", *two], "ca", "revoke", "b.example", "--out", D, status=2)
run("ca", "init", "--out", f"{D}/other")
run("ca", "issue", "b.example", "--out", f"{D}/other")
for words, args in ((["no file"], ("nobody",)), (["no file"], ("0123",)), (["no file"], ("' OR 1 --",)), (["did not issue"], (f"{D}/other/b.example.pem",)),
                    (["did not issue"], (f"{D}/other/ca.pem",)), (["authority itself"], (CA,)), (["--reason", "keyCompromise"], ("first", "--reason", "boredom")),
                    (["needs one"], ()), (["needs one"], ("a", "b"))):
    refused(words, "ca", "revoke", *args, "--out", D, status=2)
refused(["not a certificate"], "ca", "revoke", f"{D}/ca-key.pem", "--out", D, status=8)
refused(["no names"], "ca", "crl", "a.example", "--out", D)
check("nothing was done", parsed() == before, parsed())
run("ca", "revoke", f"{D}/first.pem", "--out", D)
check("one of the two, by its file", set(parsed()[1]) & set(two) == {two[0]} or set(parsed()[1]) & set(two) == {two[1]}, parsed())
run("ca", "revoke", "b.example", "--out", D)
check("the name is clear again", set(two) < set(parsed()[1]), parsed())

# ---- what an older troth issued
db = f"{D}/ca.db"
os.rename(db, f"{db}.away")

# ---- first: records that were lost, or are an old copy, take nothing back
before = parsed()
for args in (("crl",), ("revoke", f"{D}/bob-client.pem"), ("ocsp", f"{D}/a.example.pem")):
    refused(["crl.pem", f"number {before[0]}", "know of 0", "ca.db back"], "ca", *args, "--out", D, status=8)
check("the list stays", parsed() == before and not os.path.exists(f"{D}/a.example.ocsp"))
shutil.copy(f"{db}.away", db)
run("ca", "crl", "--out", D, "-q")
shutil.copy(f"{db}.away", db)
refused(["crl.pem", f"number {before[0] + 1}", f"know of {before[0]}"], "ca", "crl", "--out", D, status=8)
run("ca", "issue", "unlisted.example", "--out", D)
os.rename(CRL, f"{CRL}.away")
run("ca", "crl", "--out", D, "-q")
check("until it is moved away", parsed()[0] == before[0] + 1)
shutil.copy(f"{D}/other/ca.pem", CRL)
refused(["crl.pem", "a certificate", "move it away"], "ca", "crl", "--out", D, status=8)
with open(CRL, "w", encoding="utf-8") as f:
    f.write("what was a list\n")
run("ca", "crl", "--out", D, "-q")
check("what nobody can read is replaced", parsed()[0] == before[0] + 2)
run("ca", "crl", "--out", f"{D}/other", "-q")
for _ in range(9):
    run("ca", "crl", "--out", f"{D}/other", "-q")
shutil.copy(f"{D}/other/crl.pem", CRL)
run("ca", "crl", "--out", D, "-q")
check("another authority's list of the same name says nothing", parsed()[0] == before[0] + 3)
os.rename(db, f"{db}.away")
os.remove(CRL)

run("ca", "revoke", f"{D}/bob-client.pem", "--out", D)
bob, = serial("bob")
check("a certificate that is in no records", list(parsed()[1]) == [bob] and json.loads(run("ca", "list", "--json", "--out", D).stdout)["certificates"][0]["for"] == "client")
os.rename(f"{db}.away", db)
run("ca", "crl", "--out", D)

# ---- the past: one list made after its end has it (RFC 5280 3.3), later ones do not
past = f"{D}/past"
run("ca", "init", "--out", past, "--not-before", "2020-01-01", "--days", "9000")
run("ca", "issue", "old.example", "--out", past, "--not-before", "2020-02-01", "--days", "30")
run("ca", "issue", "now.example", "--out", past)
for name in ("old.example", "now.example"):
    run("ca", "revoke", name, "--out", past)
old, new = serial("old.example", past) + serial("now.example", past)
check("it was in one list, number 1, and is in none after it", parsed(f"{past}/crl.pem") == (2, {new: None}), parsed(f"{past}/crl.pem"))
shutil.rmtree(past)
run("ca", "init", "--out", past, "--not-before", "2020-01-01", "--days", "9000")
run("ca", "issue", "old.example", "--out", past, "--not-before", "2020-02-01", "--days", "30")
run("ca", "revoke", "old.example", "--out", past)
check("but it was in that one", parsed(f"{past}/crl.pem") == (1, {serial("old.example", past)[0]: None}), parsed(f"{past}/crl.pem"))

# ---- many at once
many = f"{D}/many"
run("ca", "init", "--out", many)
for i in range(8):
    run("ca", "issue", f"host{i}", "--out", many, "-q")
at_once = [subprocess.Popen([TROTH, "ca", "revoke", f"host{i}", "--out", many, "-q"]) for i in range(8)]
ends = [p.wait(timeout=150) for p in at_once]
number, entries = parsed(f"{many}/crl.pem")
check("all are in the last list, and each had a number", ends == [0] * 8 and number == 8 and len(entries) == 8, (ends, number, entries))

# ---- a list that cannot be written: the certificate is revoked all the same
run("ca", "issue", "late", "--out", many)
os.rename(f"{many}/crl.pem", f"{many}/kept.pem")
os.mkdir(f"{many}/crl.pem")
r = run("ca", "revoke", "late", "--out", many, status=8)
check("says so", "crl.pem" in r.stderr and "troth ca crl" in r.stderr and not r.stdout, r.stderr)
os.rmdir(f"{many}/crl.pem")
run("ca", "crl", "--out", many)
check("it is in the next", parsed(f"{many}/crl.pem")[1].keys() == entries.keys() | set(serial("late", many)), parsed(f"{many}/crl.pem"))
whole = open(f"{many}/crl.pem", encoding="utf-8").read()
run("ca", "crl", "--out", many, status=8, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300)))
check("a full disk leaves the one before", open(f"{many}/crl.pem", encoding="utf-8").read() == whole and not [f for f in os.listdir(many) if "part" in f], os.listdir(many))

# ---- a server of ours takes the new list when it is told to
run("ca", "issue", "--client", "carol", "--out", D)
web = home_page()
server = Server(web, "--cert", f"{D}/localhost.pem", "--key", f"{D}/localhost-key.pem", "--client-ca", CA, "--crl", CRL)
carol = ("connect", "--ca", CA, "--cert", f"{D}/carol-client.pem", "--key", f"{D}/carol-client-key.pem", f"localhost:{server.port}")
run(*carol)
run("ca", "revoke", "carol", "--out", D)
run(*carol)
server.kill(signal.SIGHUP)
check("it reads the list again", server.said("event=reload") or server.said("reload"), server.log())
r = run(*carol, status=6)
check("and refuses", "revoked" in r.stderr and server.said("cert.revoked"), (r.stderr, server.log()))
server.end()

# ---- the answer of an OCSP responder, for a server to staple
def ocsp(name):
    r = subprocess.run(["openssl", "ocsp", "-respin", f"{D}/{name}.ocsp", "-issuer", CA, "-cert", f"{D}/{name}.pem", "-CAfile", CA], capture_output=True, text=True, check=False)
    return r.stdout + r.stderr


answer = json.loads(run("ca", "ocsp", "localhost", "--out", D, "--json").stdout)
said = ocsp("localhost")
check("good, to openssl", answer["status"] == "good" and "Response verify OK" in said and "localhost.pem: good" in said, (answer, said))
server = Server(web, "--cert", f"{D}/localhost.pem", "--key", f"{D}/localhost-key.pem", "--staple", f"{D}/localhost.ocsp")
run("connect", "--ca", CA, "--revocation", "hard", f"localhost:{server.port}")
run("ca", "issue", "stapled.example", "--out", D)
run("ca", "revoke", f"{D}/localhost.pem", "--reason", "superseded", "--out", D)
run("ca", "ocsp", f"{D}/localhost.pem", "--days", "1", "--out", D)
said = ocsp("localhost")
check("revoked, to openssl", "Response verify OK" in said and "localhost.pem: revoked" in said and "superseded" in said, said)
server.end()
server = Server(web, "--cert", f"{D}/localhost.pem", "--key", f"{D}/localhost-key.pem", "--staple", f"{D}/localhost.ocsp")
r = run("connect", "--ca", CA, f"localhost:{server.port}", status=5)
check("and to troth", "cert.revoked" in r.stderr, r.stderr)
server.end()
for words, args, status in ((["needs one"], (), 2), (["did not issue"], (f"{D}/other/b.example.pem",), 2), (["no file"], ("nobody",), 8), (["--days"], ("localhost", "--days", "0"), 2)):
    refused(words, "ca", "ocsp", *args, "--out", D, status=status)

# ---- so does nginx
if shutil.which("nginx", path="/usr/sbin:/usr/bin"):
    run("ca", "issue", "--client", "dave", "--out", D)
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    with open(f"{D}/nginx.conf", "w", encoding="utf-8") as f:
        f.write(f"""daemon off; master_process off; pid {D}/nginx.pid; error_log {D}/nginx.log; events {{}}
http {{ access_log off; client_body_temp_path {D}/t1; proxy_temp_path {D}/t2; fastcgi_temp_path {D}/t3; uwsgi_temp_path {D}/t4; scgi_temp_path {D}/t5;
  server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {D}/localhost.pem; ssl_certificate_key {D}/localhost-key.pem;
    ssl_client_certificate {CA}; ssl_verify_client on; ssl_crl {CRL}; root {web}; }} }}""")

    def asked(name):
        nginx = subprocess.Popen(["/usr/sbin/nginx", "-c", f"{D}/nginx.conf", "-e", f"{D}/nginx.log"])
        try:
            for _ in range(400):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.05)
            return run("get", "--ca", CA, "--cert", f"{D}/{name}-client.pem", "--key", f"{D}/{name}-client-key.pem", f"https://localhost:{port}/", status=None).stdout
        finally:
            nginx.terminate()
            nginx.wait()

    check("nginx serves whom the list does not have", "home" in asked("dave"))
    check("and not whom it has", "home" not in asked("carol") and "400" in asked("carol"), asked("carol"))
finish()
